/* SPDX-License-Identifier: MIT */
/* The soak: very many calls over real sockets to providers that are killed,
 * restarted, stopped and misbehave at random, with budgets, and a collector
 * that has its moods. In the end the caller's ledger and those of the providers
 * must agree (ledger.h says in what), every call has ended once, every answer
 * was that to its own question, budgets have spent what the attempts cost,
 * every span was sent or counted as dropped, and memory has not grown.
 *
 *   soak [--calls N] [--seed N] [--threads 0|1]
 *
 * The seed, which is printed, fixes what each thread does, what each provider
 * does with its n-th request, and who is killed when; not in which order
 * threads and processes get to run. Exit code 0 if all is well. */

#include "callers.h"
#include "collector.h"
#include "providers.h"

#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

/* Fewer calls say nothing about memory: they are over before every buffer and
 * pool has had its largest size once. */
enum { memory_calls_min = 200000, memory_growth_max_kib = 1024 };

typedef struct settings {
  uint32_t calls;
  uint64_t seed;
  const char *threads;
} settings;

/* ---- Memory -------------------------------------------------------------- */

/* Samples of the resident size in each eighth of the calls; the latest ones,
 * should there be more. What stands for an eighth is its median: a burst after
 * a provider was stopped comes and goes, a leak lifts every sample. */
enum { eighths = 8, samples_max = 2048 };

typedef struct memory {
  uint32_t kib[eighths][samples_max];
  size_t count[eighths];
  /* What the statistics say that telemetry has, at half of the calls and at
   * the end: windows of an hour grow for an hour, up to their limit. */
  int64_t telemetry_half, telemetry_end;
} memory;

static size_t
resident_kib(void)
{
  size_t pages = 0;
  FILE *file = fopen("/proc/self/statm", "re");
  if (!file || fscanf(file, "%*u %zu", &pages) != 1)
    abort();
  fclose(file);
  return pages * ((size_t)sysconf(_SC_PAGESIZE) / 1024);
}

/* What malloc keeps for the next peak goes back first: how much that is follows
 * the luck of what lay where, by 2 MiB up and down. */
static void
memory_sample(memory *m, uint32_t ended, uint32_t calls)
{
  malloc_trim(0);
  size_t at = (size_t)((uint64_t)ended * eighths / calls);
  at = at < eighths ? at : eighths - 1;
  m->kib[at][m->count[at]++ % samples_max] = (uint32_t)resident_kib();
}

static int
compare_kib(const void *left, const void *right)
{
  uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
  return (a > b) - (a < b);
}

/* Prints and returns the median of an eighth; 0 if it went by unseen. */
static uint32_t
median_kib(memory *m, size_t eighth)
{
  size_t count =
      m->count[eighth] < samples_max ? m->count[eighth] : samples_max;
  uint32_t *kib = m->kib[eighth];
  if (count == 0)
    return 0;
  qsort(kib, count, sizeof *kib, compare_kib);
  printf("memory: eighth %zu: resident %u KiB (%u to %u)\n", eighth + 1,
         kib[count / 2], kib[0], kib[count - 1]);
  return kib[count / 2];
}

static bool
memory_is_good(memory *m, uint32_t calls)
{
  uint32_t median[eighths];
  for (size_t i = 0; i < eighths; i++)
    median[i] = median_kib(m, i);
  long long growth_kib =
      (long long)median[eighths - 1] - (long long)median[eighths / 2 - 1];
  long long telemetry_kib = (m->telemetry_end - m->telemetry_half) / 1024;
  printf("memory: grew by %lld KiB in the second half, by %lld without the "
         "windows of telemetry\n",
         growth_kib, growth_kib - telemetry_kib);
  growth_kib -= telemetry_kib;
  return HAS_SANITIZER || calls < memory_calls_min ||
         growth_kib < memory_growth_max_kib;
}

/* ---- The client ---------------------------------------------------------- */

static infer_config *
make_config(const providers *all, const collector *c, soak_book *b,
            const char *threads)
{
  char text[4096];
  size_t len = 0;
  infer_config *config;
  infer_error *error = NULL;
#define ADD(...) \
  len += (size_t)snprintf(text + len, sizeof text - len, __VA_ARGS__)
  ADD("{\"threads\":%s,\"max_event_bytes\":65536,"
      "\"max_undelivered_bytes\":4096,\"providers\":[",
      threads);
  for (int i = 0; i < provider_count; i++) {
    ADD("%s{\"name\":\"p%d\",\"type\":\"openai\",\"base_url\":\"%s\","
        "\"proxy\":\"none\",\"prices\":{\"m\":{\"input\":1,\"output\":2}}",
        i ? "," : "", i, providers_url(all, i));
    if (i == provider_count - 1)
      ADD(",\"ca_file\":\"%s\"", providers_ca_file(all));
    ADD("}");
  }
  /* With breakers most calls would not be sent, and probes are in no trail. */
  ADD("],\"defaults\":{\"breaker\":false,\"retry_budget\":false,"
      "\"timeouts\":{\"connect_ms\":1500,"
      "\"first_token_ms\":400,\"idle_ms\":400,\"attempt_ms\":5000}},"
      "\"routes\":{\"two\":{\"targets\":[\"p0/m\",\"p1/m\"]},"
      "\"three\":{\"targets\":[\"p1/m\",\"p2/m\",\"p3/m\"]},"
      "\"restart\":{\"targets\":[\"p2/m\",\"p0/m\"],"
      "\"recovery\":\"restart\"},"
      "\"unary\":{\"targets\":[\"p3/m\",\"p2/m\"],"
      "\"upstream\":\"unary\"}}");
  /* So large that no call is refused. More spans wait than in a second come,
   * and few beside what else there is: a busy collector is no leak. */
  ADD(",\"budgets\":[{\"name\":\"all\",\"usd\":1000000},"
      "{\"name\":\"each\",\"per\":\"route\",\"tokens\":1000000000000}],"
      "\"budgets_file\":\"%s/spent\",\"telemetry\":{\"otlp\":{"
      "\"endpoint\":\"%s\",\"interval_ms\":1000,"
      "\"max_queue_bytes\":2097152}}}",
      providers_folder(all), collector_url(c));
  if (infer_config_from_json(&config, text, len, &error) != INFER_OK ||
      infer_config_set_telemetry(config, book_on_attempt, book_on_call, b) !=
          INFER_OK) {
    fprintf(stderr, "soak: %s\n", infer_error_message(error));
    abort();
  }
  return config;
}

static void
sleep_ms(unsigned ms)
{
  struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&wait, NULL);
}

static int64_t
number_at(json_object *json, const char *path)
{
  json_object *found = NULL;
  if (json_pointer_get(json, path, &found) != 0) {
    fprintf(stderr, "soak: no %s in the statistics\n", path);
    return -1;
  }
  return json_object_get_int64(found);
}

/* Of its limit, which it keeps to. */
static int64_t
telemetry_bytes(infer_client *client, soak_book *b)
{
  char *text;
  if (infer_client_stats(client, &text, NULL) != INFER_OK)
    abort();
  json_object *stats = json_tokener_parse(text);
  int64_t bytes = number_at(stats, "/telemetry/bytes");
  book_check(b, bytes <= number_at(stats, "/telemetry/max_bytes"), 0,
             "telemetry has more memory than it may");
  json_object_put(stats);
  infer_text_free(text);
  return bytes;
}

/* Until the last call has ended: looks at the memory, and gives the client its
 * configuration anew every second, under the calls. */
static void
watch(infer_client *client, const infer_config *config, soak_book *b, memory *m)
{
  enum { step_ms = 100 };
  uint32_t ended;
  unsigned steps = 0;
  while ((ended = atomic_load(&b->ended)) < b->call_count &&
         atomic_load(&b->wrong) == 0) {
    memory_sample(m, ended, b->call_count);
    if (m->telemetry_half == 0 && ended >= b->call_count / 2)
      m->telemetry_half = telemetry_bytes(client, b);
    if (++steps % (1000 / step_ms) == 0)
      book_check(b, infer_client_reload(client, config, NULL) == INFER_OK, 0,
                 "reload");
    if (steps % (30000 / step_ms) == 0) {
      printf("%u calls, %u s, %zu KiB\n", ended, steps * step_ms / 1000,
             resident_kib());
      fflush(stdout);
    }
    sleep_ms(step_ms);
  }
}

/* ---- What came of it ----------------------------------------------------- */

static void
print_classes(const soak_book *b, const ledger_attempt *attempts)
{
  for (size_t i = 0; i < 64; i++) {
    int32_t status = infer_status_at(i);
    size_t calls = 0, ended = 0;
    if (status == 1)
      break;
    for (uint32_t c = 0; c < b->call_count; c++)
      calls += b->calls[c].hooks > 0 && b->calls[c].hook_status == status;
    for (size_t a = 0; a < b->attempt_count; a++)
      ended += attempts[a].status == status;
    if (calls + ended > 0)
      printf("  %-28s %8zu calls %8zu attempts\n", infer_status_name(status),
             calls, ended);
  }
}

static void
print_result(const ledger_result *r)
{
#define FIGURE(name) (unsigned long long)r->name
  printf("calls: %llu = %llu succeeded + %llu failed\n", FIGURE(calls),
         FIGURE(succeeded), FIGURE(failed));
  printf("caller: %llu attempts = %llu answered + %llu unanswered + %llu not "
         "sent\n",
         FIGURE(attempts), FIGURE(answered), FIGURE(unanswered),
         FIGURE(unsent));
  printf("providers: %llu requests = %llu matched + %llu whose answer was not "
         "heard; %llu of them cut off by a kill\n",
         FIGURE(entries), FIGURE(matched), FIGURE(unread), FIGURE(unended));
  printf("sent and never seen whole by a provider: %llu\n", FIGURE(unseen));
  printf("completion tokens that both counted: %llu\n", FIGURE(tokens));
  printf("disagreements: %llu\n", FIGURE(wrong));
}

static bool
settle(soak_book *b, ledger_book *theirs)
{
  ledger_result result;
  ledger_attempt *attempts = book_attempts(b);
  print_classes(b, attempts);
  ledger_settle(b->calls, b->call_count, attempts, b->attempt_count,
                theirs->entries, theirs->count, &result);
  print_result(&result);
  free(attempts);
  free(theirs->entries);
  /* Providers that do nothing but fail would leave nothing to be settled. */
  return result.wrong == 0 && result.calls == b->call_count &&
         result.succeeded > b->call_count / 4 && result.tokens > 0;
}

/* ---- Budgets and telemetry ----------------------------------------------- */

/* What all accounts of that budget have there. */
static int64_t
sum_of(json_object *stats, const char *budget, const char *member)
{
  int64_t sum = 0;
  json_object *all = json_object_object_get(stats, "budgets");
  for (size_t i = 0; i < json_object_array_length(all); i++) {
    json_object *one = json_object_array_get_idx(all, i);
    json_object *name = json_object_object_get(one, "name");
    if (strcmp(json_object_get_string(name), budget) == 0)
      sum += json_object_get_int64(json_object_object_get(one, member));
  }
  return sum;
}

static int64_t
spans_of(const soak_book *b)
{
  int64_t spans = (int64_t)b->attempt_count;
  for (uint32_t i = 0; i < b->call_count; i++)
    spans += b->calls[i].hooks;
  return spans;
}

static int
month_now(void)
{
  time_t now = time(NULL);
  struct tm utc;
  return gmtime_r(&now, &utc) ? utc.tm_mon : -1;
}

/* With the client closed: nothing is under way. A month that begins meanwhile
 * has accounts of its own. */
static void
check_telemetry(infer_client *client, soak_book *b, int began_in_month)
{
  static const char *const budgets[] = {"all", "each"};
  char *text;
  if (infer_client_stats(client, &text, NULL) != INFER_OK)
    abort();
  json_object *stats = json_tokener_parse(text);
  for (size_t i = 0; i < sizeof budgets / sizeof budgets[0]; i++) {
    book_check(b,
               month_now() != began_in_month ||
                   sum_of(stats, budgets[i], "spent_nano_usd") == b->nano_usd,
               0, "a budget has not spent what the attempts cost");
    book_check(b, sum_of(stats, budgets[i], "reserved_nano_usd") == 0, 0,
               "something of a budget is still reserved");
    book_check(b, sum_of(stats, budgets[i], "refused") == 0, 0,
               "a budget has refused something");
  }
  int64_t asked = number_at(stats, "/telemetry/otlp/requests");
  int64_t sent = number_at(stats, "/telemetry/otlp/spans_sent");
  int64_t dropped = number_at(stats, "/telemetry/otlp/spans_dropped");
  printf("budgets: %lld nano-dollars; collector: %lld requests, %lld failed; "
         "%lld spans sent, %lld dropped, of %lld\n",
         (long long)b->nano_usd, (long long)asked,
         (long long)number_at(stats, "/telemetry/otlp/requests_failed"),
         (long long)sent, (long long)dropped, (long long)spans_of(b));
  book_check(b, sent + dropped == spans_of(b), 0, "spans are neither");
  /* A short run may have asked in the collector's bad moments alone. */
  book_check(b, sent > 0 || asked < 20, 0, "no span was sent");
  book_check(b, number_at(stats, "/telemetry/otlp/queued_bytes") == 0, 0,
             "spans are still queued");
  json_object_put(stats);
  infer_text_free(text);
}

static bool
run(const settings *s)
{
  soak_book mine;
  callers all;
  static memory m;
  ledger_book theirs = {0};
  infer_client *client;
  infer_error *error = NULL;
  int month = month_now();
  book_open(&mine, s->calls);
  providers *there = providers_start(s->seed);
  if (!there)
    return false;
  collector *listens = collector_start(s->seed);
  infer_config *config = make_config(there, listens, &mine, s->threads);
  if (infer_client_new(&client, config, &error) != INFER_OK) {
    fprintf(stderr, "soak: %s\n", infer_error_message(error));
    return false;
  }
  callers_start(&all, client, &mine, s->seed);
  providers_torment(there);
  watch(client, config, &mine, &m);
  callers_join(&all);
  memory_sample(&m, s->calls, s->calls);
  m.telemetry_end = telemetry_bytes(client, &mine);
  if (m.telemetry_half == 0) /* a short run */
    m.telemetry_half = m.telemetry_end;
  providers_comfort(there);
  collector_comfort(listens);
  printf("providers: %u kills, %u pauses\n", providers_kills(there),
         providers_pauses(there));
  book_check(&mine, infer_client_close(client, 10000) == INFER_OK, 0,
             "calls were still under way");
  check_telemetry(client, &mine, month);
  infer_client_free(client);
  infer_config_free(config);
  printf("collector: took %u requests\n", collector_stop(listens));
  bool good = providers_stop(there, &theirs);
  good = settle(&mine, &theirs) && good;
  good = memory_is_good(&m, s->calls) && good;
  good = atomic_load(&mine.wrong) == 0 && good;
  book_close(&mine);
  return good;
}

int
main(int argc, char **argv)
{
  const char *threads = getenv("WORLD_THREADS");
  settings s = {.calls = 20000,
                .seed = (uint64_t)time(NULL),
                .threads = threads ? threads : "1"};
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--calls") == 0)
      s.calls = (uint32_t)strtoul(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--seed") == 0)
      s.seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--threads") == 0)
      s.threads = argv[i + 1];
    else
      s.calls = 0;
  }
  if (argc % 2 == 0 || s.calls == 0) {
    fprintf(stderr, "usage: soak [--calls N] [--seed N] [--threads 0|1]\n");
    return 2;
  }
  /* One arena. With an arena for each thread malloc keeps what one thread has
   * allocated and another one freed, for the first one's next peak: the
   * resident size then follows the luck of the threads for as long as the
   * soak lasts, by more than the leaks that are looked for. */
  mallopt(M_ARENA_MAX, 1);
  printf("soak: --calls %u --seed %llu --threads %s\n", s.calls,
         (unsigned long long)s.seed, s.threads);
  fflush(stdout);
  bool good = run(&s);
  printf("soak: %s\n", good ? "all agree" : "FAILED");
  return good ? 0 : 1;
}
