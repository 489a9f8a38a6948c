/* SPDX-License-Identifier: MIT */
#include "provider/rate_headers.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define S      INF_NS_PER_S
#define MINUTE (60 * S)
#define HOUR   (3600 * S)
#define DAY    (86400 * S)
#define MONTH  (30 * DAY)
#define NO     INF_RATE_UNKNOWN

#define REQ    INF_RATE_REQUESTS
#define TOK    INF_RATE_TOKENS
#define IN     INF_RATE_INPUT
#define OUT    INF_RATE_OUTPUT

typedef struct flavour {
  const char *name;
  const char *lines;
  inf_rate_sight sights[INF_RATE_MAX_SIGHTS];
  size_t count;
} flavour;

/* Sun, 02 Aug 2026 17:43:50 GMT */
#define WALL_NS (1785692630 * (int64_t)S)

static void
read_lines(const char *lines, inf_rate_sights *sights)
{
  inf_headers headers;
  inf_sv rest = inf_sv_from(lines);
  inf_headers_init(&headers, 1 << 16);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, '\n');
    inf_headers_add_line(&headers, inf_sv_of(rest.ptr, len));
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  inf_rate_headers_read(&headers, WALL_NS, sights);
  inf_headers_fini(&headers);
}

/* Values as they stand in recorded traffic. */
static const flavour flavours[] = {
    {"OpenAI",
     "x-ratelimit-limit-requests: 10000\n"
     "x-ratelimit-limit-tokens: 2000000\n"
     "x-ratelimit-remaining-requests: 9999\n"
     "x-ratelimit-remaining-tokens: 1999972\n"
     "x-ratelimit-reset-requests: 6ms\n"
     "x-ratelimit-reset-tokens: 0s\n"
     "x-ratelimit-limit-input-images: 50000\n"
     "x-ratelimit-remaining-input-images: 49999\n"
     "x-ratelimit-reset-input-images: 1ms\n"
     "x-ratelimit-limit-project-requests: 10000\n"
     "x-ratelimit-limit-tokens_usage_based: 250000\n"
     "x-ratelimit-remaining-tokens-usage-based: 249979\n",
     {{REQ, 0, 10000, 9999, 6000000, false},
      {TOK, 0, 2000000, 1999972, 0, false}},
     2},
    {"OpenAI, minutes",
     "X-Ratelimit-Reset-Requests: 6m0s\n",
     {{REQ, 0, NO, NO, 6 * MINUTE, false}},
     1},
    {"Groq",
     "x-ratelimit-limit-requests: 1000\n"
     "x-ratelimit-limit-tokens: 8000\n"
     "x-ratelimit-remaining-requests: 999\n"
     "x-ratelimit-remaining-tokens: 7987\n"
     "x-ratelimit-reset-requests: 1m26.4s\n"
     "x-ratelimit-reset-tokens: 97.499999ms\n",
     {{REQ, 0, 1000, 999, 86400000000, false},
      {TOK, 0, 8000, 7987, 97499999, false}},
     2},
    {"Groq, long",
     "x-ratelimit-reset-requests: 12m57.599999999s\n"
     "x-ratelimit-reset-tokens: 7.899999999s\n",
     {{REQ, 0, NO, NO, 777599999999, false},
      {TOK, 0, NO, NO, 7899999999, false}},
     2},
    {"xAI, no reset",
     "x-ratelimit-limit-requests: 480\n"
     "x-ratelimit-remaining-requests: 479\n"
     "x-ratelimit-limit-tokens: 4000000\n"
     "x-ratelimit-remaining-tokens: 3999900\n",
     {{REQ, 0, 480, 479, NO, false}, {TOK, 0, 4000000, 3999900, NO, false}},
     2},
    {"Azure",
     "X-Ratelimit-Limit-Requests: 50\n"
     "X-Ratelimit-Remaining-Requests: 49\n"
     "X-Ratelimit-Reset-Requests: 1\n"
     "X-Ratelimit-Renewalperiod-Requests: 60\n"
     "X-Ratelimit-Limit-Tokens: 50000\n"
     "X-Ratelimit-Remaining-Tokens: 49994\n"
     "X-Ratelimit-Reset-Tokens: 0\n"
     "X-Ratelimit-Renewalperiod-Tokens: 60\n"
     "X-Ratelimit-Key: gpt-5.6-luna\n"
     "X-Ratelimit-Abusepenalty-Active: False\n",
     {{REQ, MINUTE, 50, 49, S, false}, {TOK, MINUTE, 50000, 49994, 0, false}},
     2},
    {"Azure, unknown",
     "x-ratelimit-limit-tokens: -1\n"
     "x-ratelimit-remaining-tokens: -1\n"
     "x-ratelimit-reset-tokens: 0\n"
     "x-ratelimit-limit-requests: 0\n"
     "x-ratelimit-renewalperiod-requests: 60\n",
     {{0}},
     0},
    {"Azure, half known",
     "x-ratelimit-limit-tokens: 0\n"
     "x-ratelimit-remaining-tokens: 4999\n",
     {{TOK, 0, NO, 4999, NO, false}},
     1},
    {"Azure, older",
     "x-rate-limit-reset-tokens: 55\n",
     {{TOK, 0, NO, NO, 55 * S, false}},
     1},
    {"Anthropic",
     "Date: Sun, 02 Aug 2026 17:43:50 GMT\n"
     "anthropic-ratelimit-requests-limit: 4000\n"
     "anthropic-ratelimit-requests-remaining: 3999\n"
     "anthropic-ratelimit-requests-reset: 2026-08-02T17:43:57Z\n"
     "anthropic-ratelimit-input-tokens-limit: 2000000\n"
     "anthropic-ratelimit-input-tokens-remaining: 1998000\n"
     "anthropic-ratelimit-input-tokens-reset: 2026-08-02T17:44:50Z\n"
     "anthropic-ratelimit-output-tokens-limit: 400000\n"
     "anthropic-ratelimit-output-tokens-remaining: 399500\n"
     "anthropic-ratelimit-output-tokens-reset: 2026-08-02T17:43:49Z\n"
     "anthropic-ratelimit-tokens-limit: 2400000\n"
     "anthropic-ratelimit-tokens-remaining: 2398000\n"
     "anthropic-ratelimit-tokens-reset: 2026-08-02T17:43:51Z\n"
     "anthropic-organization-id: 1234\n",
     {{REQ, MINUTE, 4000, 3999, 7 * S, false},
      {IN, MINUTE, 2000000, 1998000, MINUTE, true},
      {OUT, MINUTE, 400000, 399500, 0, false},
      {TOK, MINUTE, 2400000, 2398000, S, true}},
     4},
    {"Mistral",
     "x-ratelimit-limit-req-minute: 360\n"
     "x-ratelimit-remaining-req-minute: 359\n"
     "x-ratelimit-limit-req-10-second: 60\n"
     "x-ratelimit-remaining-req-10-second: 58\n"
     "x-ratelimit-limit-tokens-minute: 2000000\n"
     "x-ratelimit-remaining-tokens-minute: 1999849\n"
     "x-ratelimit-limit-tokens-month: 10000000000\n"
     "x-ratelimit-remaining-tokens-month: 9999999829\n"
     "x-ratelimit-tokens-query-cost: 151\n"
     "x-ratelimit-limit-audio-seconds-minute: 2000\n"
     "x-ratelimit-audio-seconds-query-cost: 4\n",
     {{REQ, MINUTE, 360, 359, NO, false},
      {REQ, 10 * S, 60, 58, NO, false},
      {TOK, MINUTE, 2000000, 1999849, NO, false},
      {TOK, MONTH, 10000000000, 9999999829, NO, false}},
     4},
    {"Mistral, by size",
     "ratelimitbysize-limit: 500000\n"
     "ratelimitbysize-remaining: 401381\n"
     "ratelimitbysize-reset: 33\n"
     "ratelimitbysize-query-cost: 32018\n"
     "x-ratelimitbysize-limit-minute: 500000\n"
     "x-ratelimitbysize-remaining-minute: 401381\n"
     "x-ratelimitbysize-limit-month: 1000000000\n"
     "x-ratelimitbysize-remaining-month: 997438986\n",
     {{TOK, MINUTE, 500000, 401381, NO, false},
      {TOK, MONTH, 1000000000, 997438986, NO, false}},
     2},
    {"Mistral, oldest",
     "RateLimitBySize-Limit: 500000\n"
     "RateLimitBySize-Remaining: 342032\n"
     "RateLimitBySize-Reset: 60\n",
     {{TOK, 0, 500000, 342032, MINUTE, false}},
     1},
    {"Cerebras",
     "x-ratelimit-limit-requests-day: 1440000\n"
     "x-ratelimit-limit-tokens-minute: 1000000\n"
     "x-ratelimit-remaining-requests-day: 1439997\n"
     "x-ratelimit-remaining-tokens-minute: 995531\n"
     "x-ratelimit-reset-requests-day: 3563.6067\n"
     "x-ratelimit-reset-tokens-minute: 23.606698751449585\n",
     {{REQ, DAY, 1440000, 1439997, 3563606700000, false},
      {TOK, MINUTE, 1000000, 995531, 23606698751, false}},
     2},
    {"Hugging Face",
     "x-ratelimit-remaining-requests-minute: 1998\n"
     "x-ratelimit-remaining-requests-hour: 119998\n"
     "x-ratelimit-remaining-requests-day: 2879998\n"
     "x-ratelimit-remaining-tokens-minute: 9223372036854767616\n"
     "x-ratelimit-remaining-tokens-hour: 9223372036854767616\n"
     "x-ratelimit-remaining-tokens-day: 9223372036854767616\n",
     {{REQ, MINUTE, NO, 1998, NO, false},
      {REQ, HOUR, NO, 119998, NO, false},
      {REQ, DAY, NO, 2879998, NO, false}},
     3},
    {"IETF draft",
     "RateLimit-Limit: 100\nRateLimit-Remaining: 50\nRateLimit-Reset: 30\n"
     "RateLimit-Policy: 100;w=60\n",
     {{REQ, 0, 100, 50, 30 * S, false}},
     1},
    {"Together",
     "x-ratelimit: false\nx-ratelimit-limit: 2\nx-ratelimit-remaining: 1\n"
     "x-ratelimit-reset: 1\nx-ratelimit-limit-tokens: 3000\n"
     "x-ratelimit-remaining-tokens: 3000\n",
     {{REQ, 0, 2, 1, S, false}, {TOK, 0, 3000, 3000, NO, false}},
     2},
    {"Together, contradictory",
     "x-ratelimit-limit: 30\nx-ratelimit-remaining: 59\n"
     "x-ratelimit-reset: 2\n",
     {{REQ, 0, NO, NO, 2 * S, false}},
     1},
    {"OpenRouter",
     "Date: Tue, 07 Oct 2025 13:56:57 GMT\n"
     "X-RateLimit-Limit: 16\nX-RateLimit-Remaining: 0\n"
     "X-RateLimit-Reset: 1759845420000\n",
     {{REQ, 0, 16, 0, 3 * S, false}},
     1},
    {"masked by a recorder",
     "x-ratelimit-limit-requests: X-RATELIMIT-LIMIT-REQUESTS-XXX\n"
     "x-ratelimit-remaining-requests: X-RATELIMIT-REMAINING-REQUESTS-XXX\n"
     "x-ratelimit-reset-requests: X-RATELIMIT-RESET-REQUESTS-XXX\n",
     {{0}},
     0},
    {"nonsense",
     "x-ratelimit-limit-requests: NaN\n"
     "x-ratelimit-remaining-requests: \n"
     "x-ratelimit-reset-requests: -5s\n"
     "x-ratelimit-limit-tokens: 18446744073709551616\n"
     "x-ratelimit-remaining-tokens: 1e9\n"
     "x-ratelimit-reset-tokens: 99999999\n"
     "x-ratelimit-limit-tokens-day: 12x\n"
     "x-ratelimit-remaining-tokens-day: 1.2.3\n"
     "x-ratelimit-remaining-tokens-hour: +5\n",
     {{0}},
     0},
    {"empty and whole at once",
     "x-ratelimit-remaining-tokens: 0\nx-ratelimit-reset-tokens: 0\n",
     {{TOK, 0, NO, 0, NO, false}},
     1},
    {"fractions, and the first of two",
     "x-ratelimit-limit-tokens: 100.0\n"
     "x-ratelimit-remaining-tokens: 41.75\n"
     "x-ratelimit-remaining-tokens: 3\n",
     {{TOK, 0, 100, 41, NO, false}},
     1},
    {"nothing of the kind",
     "content-type: text/event-stream\nx-request-id: req_1\n"
     "retry-after: 3\nx-ratelimitreached: 1\nx-ratelimit-limit: 5, 5;w=1\n"
     "my-x-ratelimit-limit: 5\nratelimit: 1\n",
     {{0}},
     0},
};

static void
assert_sight(const flavour *f, size_t i, const inf_rate_sight *sight)
{
  const inf_rate_sight *want = &f->sights[i];
  if (sight->kind != want->kind || sight->period_ns != want->period_ns ||
      sight->limit != want->limit || sight->remaining != want->remaining ||
      sight->reset_ns != want->reset_ns || sight->coarse != want->coarse)
    fail_msg("%s, %zu: kind %d period %lld limit %lld remaining %lld reset "
             "%lld coarse %d",
             f->name, i, (int)sight->kind, (long long)sight->period_ns,
             (long long)sight->limit, (long long)sight->remaining,
             (long long)sight->reset_ns, sight->coarse);
}

static void
test_flavours(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof flavours / sizeof flavours[0]; i++) {
    const flavour *f = &flavours[i];
    inf_rate_sights sights;
    read_lines(f->lines, &sights);
    for (size_t j = 0; j < sights.count && j < f->count; j++)
      assert_sight(f, j, &sights.items[j]);
    if (sights.count != f->count)
      fail_msg("%s: %zu sights, not %zu", f->name, sights.count, f->count);
  }
}

/* Sixteen quotas: the first twelve are kept. */
static void
test_too_many(void **state)
{
  static const char *const kinds[] = {"requests", "tokens", "input-tokens",
                                      "output-tokens"};
  static const char *const periods[] = {"second", "minute", "hour", "day"};
  char lines[16 * 64];
  size_t len = 0;
  (void)state;
  for (int i = 0; i < 16; i++)
    len += (size_t)snprintf(lines + len, sizeof lines - len,
                            "x-ratelimit-limit-%s-%s: %d\n", kinds[i / 4],
                            periods[i % 4], i + 1);
  inf_rate_sights sights;
  read_lines(lines, &sights);
  assert_int_equal(sights.count, INF_RATE_MAX_SIGHTS);
  assert_int_equal(sights.items[11].kind, INF_RATE_INPUT);
  assert_int_equal(sights.items[11].limit, 12);
}

static void
test_no_headers(void **state)
{
  inf_headers headers;
  inf_rate_sights sights;
  (void)state;
  inf_headers_init(&headers, 1024);
  inf_rate_headers_read(&headers, WALL_NS, &sights);
  assert_int_equal(sights.count, 0);
  inf_headers_fini(&headers);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flavours),
      cmocka_unit_test(test_too_many),
      cmocka_unit_test(test_no_headers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
