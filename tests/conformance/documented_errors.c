/* SPDX-License-Identifier: MIT */
/* Decodes the documented (not recorded) error answers in documented-errors/
 * of the shared data and checks class and hint. Exit code 1 if one differs,
 * 77 without the data. */
#include "base/error.h"
#include "conformance/kinds.h"
#include "infer/infer.h"
#include "provider/dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_HINT (-1)

struct wanted {
  const char *name;
  int32_t status;
  int64_t hint_ms;
};

static const struct wanted table[] = {
    {"anthropic-200-midstream-overloaded", INFER_E_OVERLOADED, NO_HINT},
    {"anthropic-413-too-large", INFER_E_REQUEST_TOO_LARGE, NO_HINT},
    {"anthropic-429-spend-limit", INFER_E_QUOTA, NO_HINT},
    {"anthropic-500-api-error", INFER_E_SERVER, NO_HINT},
    {"anthropic-529-overloaded", INFER_E_OVERLOADED, NO_HINT},
    {"azure-429-no-retry-after", INFER_E_RATE_LIMITED, 50000},
    {"azure-429-retry-86400", INFER_E_RATE_LIMITED, 86400000},
    {"bedrock-429-throttling", INFER_E_RATE_LIMITED, NO_HINT},
    {"clarifai-throttled", INFER_E_RATE_LIMITED, NO_HINT},
    {"cloudflare-502-openai", INFER_E_SERVER, NO_HINT},
    {"cloudflare-520-anthropic", INFER_E_SERVER, NO_HINT},
    {"cloudflare-524-timeout", INFER_E_SERVER, NO_HINT},
    {"google-503-double-encoded", INFER_E_OVERLOADED, NO_HINT},
    {"google-503-overloaded", INFER_E_OVERLOADED, NO_HINT},
    {"groq-413-tpm", INFER_E_REQUEST_TOO_LARGE, NO_HINT},
    {"groq-429-tpm", INFER_E_RATE_LIMITED, 6000},
    {"groq-498-flex-capacity", INFER_E_OVERLOADED, NO_HINT},
    {"llamacpp-200-midstream-error", INFER_E_SERVER, NO_HINT},
    {"llamacpp-503-loading", INFER_E_OVERLOADED, NO_HINT},
    {"mistral-429-1300", INFER_E_RATE_LIMITED, NO_HINT},
    {"mistral-429-old", INFER_E_RATE_LIMITED, NO_HINT},
    {"mistral-capacity", INFER_E_OVERLOADED, NO_HINT},
    {"ollama-200-midstream-error", INFER_E_SERVER, NO_HINT},
    {"openai-200-midstream-server-error", INFER_E_SERVER, NO_HINT},
    {"openai-429-insufficient-quota", INFER_E_QUOTA, NO_HINT},
    {"openai-429-request-too-large", INFER_E_REQUEST_TOO_LARGE, NO_HINT},
    {"tgi-424-generation", INFER_E_OVERLOADED, NO_HINT},
    {"tgi-429-overloaded", INFER_E_OVERLOADED, NO_HINT},
    {"vllm-200-midstream-error", INFER_E_BAD_REQUEST, NO_HINT},
    {"vllm-400-flat", INFER_E_CONTEXT_LENGTH, NO_HINT},
};

/* Streams of another dialect. */
static const char *const other_dialects[] = {
    "bedrock-200-midstream-throttling",
};

struct totals {
  unsigned checked, failed, left_out;
};

static const struct wanted *
find(const char *name)
{
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    if (strcmp(table[i].name, name) == 0)
      return &table[i];
  }
  return NULL;
}

static bool
is_other_dialect(const char *name)
{
  size_t count = sizeof(other_dialects) / sizeof(other_dialects[0]);
  for (size_t i = 0; i < count; i++) {
    if (strcmp(other_dialects[i], name) == 0)
      return true;
  }
  return false;
}

/* The provider's own kind where there is one: its rows and its framing. */
static const inf_provider_kind *
kind_of(const test_case *test)
{
  const test_kind *row = test_kind_of(test);
  if (row && !test_kind_is_openai(row))
    return test_provider_kind(row);
  const inf_provider_kind *kind =
      inf_provider_kind_find(inf_sv_from(test_member(test->meta, "provider")));
  return kind ? kind : inf_provider_kind_find(INF_SV("openai"));
}

static void
check(const test_case *test, const struct wanted *wanted, struct totals *totals)
{
  bool stream = strcmp(test_member(test->meta, "kind"), "stream") == 0;
  inf_decoder_options options = {
      .kind = kind_of(test),
      .stream = stream,
      .choices = 1,
      .max_body_bytes = (size_t)1 << 20,
      .max_event_bytes = (size_t)1 << 20,
      .max_depth = 64,
  };
  inf_answer answer;
  inf_decoder decoder;
  inf_answer_init(&answer, (size_t)1 << 20);
  inf_decoder_init(&decoder, &options, &answer);
  inf_decoder_headers(&decoder, test->status, &test->headers, 0);
  inf_decoder_feed(&decoder, test->body.ptr, test->body.len);
  int32_t status = inf_decoder_end(&decoder, true);
  int64_t hint_ms =
      decoder.failure.hint_ns < 0 ? NO_HINT : decoder.failure.hint_ns / 1000000;
  totals->checked++;
  if (status != wanted->status || hint_ms != wanted->hint_ms) {
    printf("FAIL %s: %s, hint %lld ms (expected %s, %lld)\n", test->name,
           inf_status_find(status)->name, (long long)hint_ms,
           inf_status_find(wanted->status)->name, (long long)wanted->hint_ms);
    totals->failed++;
  }
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
}

static void
on_case(const test_case *test, void *context)
{
  struct totals *totals = context;
  const struct wanted *wanted = find(test->name);
  if (wanted) {
    check(test, wanted, totals);
  } else if (is_other_dialect(test->name)) {
    totals->left_out++;
  } else {
    printf("FAIL %s: no class is written down for it\n", test->name);
    totals->failed++;
  }
}

int
main(int argc, char **argv)
{
  struct totals totals = {0};
  char *folder =
      argc > 1 ? strdup(argv[1]) : test_shared_folder("data/documented-errors");
  if (!folder) {
    printf("SKIP: no documented errors (set INFER_SHARED)\n");
    return 77;
  }
  test_for_each_case(folder, on_case, &totals);
  free(folder);
  printf("%u checked, %u failed, %u of other dialects\n", totals.checked,
         totals.failed, totals.left_out);
  return totals.failed > 0 || totals.checked == 0;
}
