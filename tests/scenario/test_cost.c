/* SPDX-License-Identifier: MIT */
/* What calls cost by our books, against the invoices of the providers: three
 * of them that fail in every way, with retries, failover, hedges, cancelled
 * losers and cancelled calls, over HTTP/1.1 and HTTP/2. */
#include "world.h"

#include "support/nghttpx_process.h"
#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { sims = 3, attempts_max = 4096, id_max = 40 };
enum { learned_calls = 60, calls = 160 };

/* ---- Books --------------------------------------------------------------- */

/* An attempt that the provider has answered, by its x-request-id. */
typedef struct entry {
  int sim;
  char id[id_max];
  int64_t nano_usd;
  int32_t kind, status;
} entry;

typedef struct books {
  entry entries[attempts_max];
  size_t count;
  size_t nameless; /* cancelled before their answer's head came */
  size_t attempts, estimated, hedges, failovers, retries, lost, cut, cancelled;
} books;

static void
note_attempt(books *b, const infer_attempt *attempt)
{
  const char *id = infer_attempt_request_id(attempt);
  int32_t kind = infer_attempt_cost_kind(attempt);
  int32_t reason = infer_attempt_reason(attempt);
  int32_t status = infer_attempt_status(attempt);
  int64_t nano_usd = infer_attempt_cost_nano_usd(attempt);
  b->attempts++;
  b->hedges += reason == INFER_REASON_HEDGE;
  b->failovers += reason == INFER_REASON_FAILOVER;
  b->retries += reason == INFER_REASON_RETRY;
  b->cut += status == INFER_E_TRUNCATED;
  b->estimated += kind == INFER_COST_ESTIMATED;
  assert_true(kind == INFER_COST_EXACT || kind == INFER_COST_ESTIMATED);
  assert_true(nano_usd >= 0);
  if (!id[0]) {
    /* No answer: whatever it cost, nobody has told. */
    assert_true(kind == INFER_COST_ESTIMATED || nano_usd == 0);
    b->nameless += status == INFER_E_CANCELLED;
    return;
  }
  assert_true(b->count < attempts_max);
  entry *e = &b->entries[b->count++];
  e->sim = infer_attempt_provider(attempt)[0] - 'a';
  snprintf(e->id, sizeof e->id, "%s", id);
  e->nano_usd = nano_usd;
  e->kind = kind;
  e->status = status;
}

/* The call's total is that of its attempts; losers are wasted. */
static void
note_call(books *b, const infer_response *response, const infer_error *error)
{
  int64_t total = 0, wasted = 0;
  bool exact = true;
  size_t count = response ? infer_response_attempt_count(response)
                          : infer_error_attempt_count(error);
  for (size_t i = 0; i < count; i++) {
    const infer_attempt *attempt = response
                                       ? infer_response_attempt(response, i)
                                       : infer_error_attempt(error, i);
    int64_t nano_usd = infer_attempt_cost_nano_usd(attempt);
    note_attempt(b, attempt);
    total += nano_usd;
    wasted += infer_attempt_won(attempt) ? 0 : nano_usd;
    exact = exact && infer_attempt_cost_kind(attempt) == INFER_COST_EXACT;
    b->lost += response && !infer_attempt_won(attempt) &&
               infer_attempt_status(attempt) == INFER_E_CANCELLED;
  }
  b->cancelled += error && infer_error_status(error) == INFER_E_CANCELLED;
  int32_t kind = exact ? INFER_COST_EXACT : INFER_COST_ESTIMATED;
  if (response) {
    assert_true(infer_response_total_cost_nano_usd(response) == total);
    assert_true(infer_response_wasted_cost_nano_usd(response) == wasted);
    assert_int_equal(infer_response_cost_kind(response), kind);
  } else {
    assert_true(infer_error_total_cost_nano_usd(error) == total);
    assert_true(infer_error_wasted_cost_nano_usd(error) == total);
    assert_int_equal(infer_error_cost_kind(error), kind);
  }
}

static const entry *
entry_of(const books *b, int sim, const char *id)
{
  for (size_t i = 0; i < b->count; i++)
    if (b->entries[i].sim == sim && strcmp(b->entries[i].id, id) == 0)
      return &b->entries[i];
  return NULL;
}

/* ---- Invoices ------------------------------------------------------------ */

static json_object *
member(json_object *object, const char *name)
{
  json_object *value = NULL;
  if (!json_object_object_get_ex(object, name, &value))
    fail_msg("no \"%s\" in %s", name, json_object_to_json_string(object));
  return value;
}

/* What the invoice and the books say of all requests whose tokens were told. A
 * client that left in that moment knows no more than one that left before. */
typedef struct sums {
  int64_t invoice, ledger;
  int64_t mismatch; /* what single requests differ by */
  size_t told;
  size_t left; /* told to somebody who was gone */
} sums;

static void
compare_line(const books *b, int sim, json_object *line, sums *s)
{
  const char *id = json_object_get_string(member(line, "request_id"));
  int64_t nano_usd = json_object_get_int64(member(line, "cost_nano_usd"));
  bool told = json_object_get_boolean(member(line, "usage_sent"));
  const entry *e = entry_of(b, sim, id);
  if (told && e && e->status == INFER_E_CANCELLED)
    return;
  if (told && !e && s->left < b->nameless) {
    s->left++;
    return;
  }
  int64_t charged = told ? nano_usd : 0;
  int64_t known = e && e->kind == INFER_COST_EXACT ? e->nano_usd : 0;
  if (charged != known)
    print_message("%s of %c: %lld on the invoice (%s), %lld in our books\n", id,
                  'a' + sim, (long long)nano_usd, told ? "told" : "not told",
                  (long long)known);
  s->mismatch += llabs(charged - known);
  s->invoice += charged;
  s->ledger += known;
  s->told += told;
}

static void
compare(world *w, const books *b)
{
  sums s = {0};
  for (int sim = 0; sim < sims; sim++) {
    char *text = sim_invoice(w->sims[sim]);
    json_object *invoice = json_tokener_parse(text);
    json_object *lines = member(invoice, "requests");
    for (size_t i = 0; i < json_object_array_length(lines); i++)
      compare_line(b, sim, json_object_array_get_idx(lines, i), &s);
    json_object_put(invoice);
    free(text);
  }
  if (getenv("COST_FIGURE")) /* for tests/bench/run telemetry */
    printf("invoice_mismatch %lld\n", (long long)s.mismatch);
  assert_true(s.mismatch == 0);
  assert_true(s.invoice > 0);
  assert_true(s.told > calls / 2);
  int64_t exact = 0;
  for (size_t i = 0; i < b->count; i++)
    if (b->entries[i].kind == INFER_COST_EXACT)
      exact += b->entries[i].nano_usd;
  assert_true(exact == s.ledger);
}

/* ---- The world ----------------------------------------------------------- */

/* Everything that goes wrong does at a few of a hundred requests. */
#define RULE(chance, what) \
  ",{'when':{'probability':" chance "},'do':{" what "}}"
#define REFUSALS                                              \
  RULE("0.05", "'status':500")                                \
  RULE("0.05", "'status':429,'headers':{'retry-after-ms':1}") \
  RULE("0.05", "'status':502")                                \
  RULE("0.05", "'error_in_200':{'message':'no','code':503}")
#define BREAKS                                   \
  RULE("0.05", "'cut':{'after_tokens':3}")       \
  RULE("0.05", "'reset':{'after_tokens':2}")     \
  RULE("0.05", "'reset':'before_headers'")       \
  RULE("0.05", "'usage_chunk':'never'")          \
  RULE("0.05", "'error_in_200':{'message':'no'," \
               "'code':503},'after_tokens':2")   \
  RULE("0.05", "'stall_after_tokens':2,'stall_ms':30")
#define SCRIPT(prices, slow)                                      \
  "{'seed':7,'prices':{'m':" prices "},"                          \
  "'defaults':{'tokens':{'uniform':[3,20]},'reasoning_tokens':4," \
  "'cached_tokens':2,'first_token_ms':2,'inter_token_ms':0.2},"   \
  "'rules':[{'when':{'requests':'1-60'},'do':{'first_token_ms':"  \
  "{'mix':[[0.9,2],[0.1,40]]}}}" slow REFUSALS BREAKS "]}"

static const char *const scripts[sims] = {
    SCRIPT("{'input':2.5,'output':10,'cached':1.25,'reasoning':12.5}",
           RULE("0.2", "'first_token_ms':400")),
    SCRIPT("{'input':0.333333,'output':0.777777,'cached':0.0375}", ""),
    "{'prices':{'m':{'input':0,'output':0.000001}},'defaults':{'tokens':7}}",
};

#define PRICES_OF_A                                                            \
  "'prices':{'m':{'input':2.5,'output':10,'cache_read':1.25,'reasoning':12.5}" \
  "}"
#define PRICES_OF_B \
  "'prices':{'*':{'input':0.333333,'output':0.777777,'cache_read':0.0375}}"
#define TARGETS                                                         \
  "'targets':['a/m','b/m',{'target':'c/m','price':{'input':0,'output':" \
  "0.000001}}]"
#define HEDGE(delay) "'hedge':{'budget':0.5,'min_delay_ms':" delay "}"
#define ROUTES                                                    \
  "'defaults':{'retries':4,'breaker':false,'retry_budget':false," \
  "'recovery':'restart'},'routes':{'learn':{" TARGETS             \
  "," HEDGE("600000") "},'r':{" TARGETS                           \
                      "," HEDGE("20") "},'whole':{" TARGETS       \
                                      ",'upstream':'unary'," HEDGE("20") "}}"

typedef struct costly {
  world w;
  nghttpx_process *proxies[sims];
  books *books;
} costly;

static void
begin(costly *c, bool http2)
{
  char config[4096], urls[sims][120];
  memset(c, 0, sizeof *c);
  c->books = calloc(1, sizeof *c->books);
  assert_non_null(c->books);
  if (http2) {
    world_folder(&c->w);
    assert_true(tiny_make_certificates(c->w.folder));
  }
  for (int i = 0; i < sims; i++) {
    world_sim(&c->w, i + 1, scripts[i]);
    snprintf(urls[i], sizeof urls[i], "'$%d'", i + 1);
    if (!http2)
      continue;
    c->proxies[i] = nghttpx_start(sim_port(c->w.sims[i]), c->w.folder, NULL);
    assert_non_null(c->proxies[i]);
    snprintf(urls[i], sizeof urls[i],
             "'https://localhost:%u/v1','ca_file':'$DIR/ca.pem'",
             nghttpx_port(c->proxies[i]));
  }
  snprintf(
      config, sizeof config,
      "{'providers':[{'name':'a','type':'openai','base_url':%s," PRICES_OF_A
      "},{'name':'b','type':'openai','base_url':%s," PRICES_OF_B
      "},{'name':'c','type':'openai','base_url':%s}]," ROUTES "}",
      urls[0], urls[1], urls[2]);
  world_client(&c->w, config);
}

static void
end(costly *c)
{
  infer_client_free(c->w.client);
  c->w.client = NULL;
  for (int i = 0; i < sims; i++)
    nghttpx_kill(c->proxies[i]);
  world_end(&c->w);
  free(c->books);
}

static void
call(costly *c, const char *route, bool stream)
{
  infer_request *request = world_request(route, "What does it cost?");
  outcome o = world_run(&c->w, request, stream);
  note_call(c->books, o.response, o.error);
  outcome_end(&o);
  infer_request_free(request);
}

/* Given up after so long, if it has not ended. */
static void
cancelled_call(costly *c, unsigned after_ms)
{
  infer_request *request = world_request("r", "What does it cost?");
  infer_call *given_up = NULL;
  infer_response *response = NULL;
  infer_error *error = NULL;
  assert_int_equal(infer_submit(c->w.client, request, INFER_SUBMIT_WHOLE, NULL,
                                0, &given_up, NULL),
                   INFER_OK);
  if (infer_call_wait(given_up, after_ms, &response, &error) ==
      INFER_E_TIMEOUT) {
    infer_error_free(error);
    error = NULL;
    infer_call_cancel(given_up);
    infer_call_wait(given_up, 10000, &response, &error);
  }
  note_call(c->books, response, error);
  infer_response_free(response);
  infer_error_free(error);
  infer_call_free(given_up);
  infer_request_free(request);
}

/* Every line of the invoices is there. */
static void
wait_for_ends(costly *c)
{
  for (int i = 0; i < sims; i++) {
    char *log = sim_wait_log(c->w.sims[i], world_requests(&c->w, i + 1), 10000);
    assert_non_null(log);
    free(log);
  }
}

static void
books_equal_invoices(bool http2)
{
  costly c;
  begin(&c, http2);
  for (int i = 0; i < learned_calls; i++)
    call(&c, "learn", i % 2 == 0);
  for (int i = 0; i < calls; i++)
    if (i % 10 == 9)
      cancelled_call(&c, 1 + (unsigned)i % 7);
    else
      call(&c, i % 5 == 4 ? "whole" : "r", i % 2 == 0);
  infer_client_close(c.w.client, 5000);
  wait_for_ends(&c);
  compare(&c.w, c.books);
  /* It was worth it. */
  const books *b = c.books;
  print_message("%zu attempts, %zu estimated; %zu hedges, %zu lost, %zu "
                "failovers, %zu retries, %zu cut, %zu cancelled calls\n",
                b->attempts, b->estimated, b->hedges, b->lost, b->failovers,
                b->retries, b->cut, b->cancelled);
  assert_true(b->hedges > 0 && b->lost > 0 && b->failovers > 0);
  assert_true(b->retries > 0 && b->cut > 0 && b->cancelled > 0);
  assert_true(b->estimated > 0 && b->estimated < b->attempts / 2);
  end(&c);
}

static void
over_http_1_1(void **state)
{
  (void)state;
  books_equal_invoices(false);
}

static void
over_http_2(void **state)
{
  (void)state;
  if (!nghttpx_available()) {
    print_message("no nghttpx: skipped\n");
    skip();
  }
  books_equal_invoices(true);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(over_http_1_1),
      cmocka_unit_test(over_http_2),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
