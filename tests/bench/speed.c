/* SPDX-License-Identifier: MIT */
/* The speed benchmark: what libinfer costs beside bare libcurl.
 *
 *   bench_speed PORT [TURNS]       all figures but those that the script
 *                                  tests/bench/run takes with other programs
 *   bench_speed --mode NAME PORT [FACTOR]
 *                                  one measurement in this process; FACTOR
 *                                  times as many transfers, for a profiler
 *   bench_speed --config NAME PORT the configuration of that measurement, for
 *                                  programs in other languages
 *
 * Measurements run in processes of their own, each in turn: one round measures
 * everything once, so that a slow minute of the machine meets both sides of a
 * ratio. A ratio is the median of the rounds' ratios. */
#include "bench/speed.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { turns_max = 25 };

/* ---- Helpers of the measurements ----------------------------------------- */

void
bench_fail(const char *what)
{
  fprintf(stderr, "bench: %s failed\n", what);
  exit(1);
}

static uint64_t
clock_ns(clockid_t clock)
{
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
bench_cpu_ns(void)
{
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t
bench_now_ns(void)
{
  return clock_ns(CLOCK_MONOTONIC);
}

static int
compare(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

double
bench_median(double *values, size_t count)
{
  qsort(values, count, sizeof *values, compare);
  return count % 2 ? values[count / 2]
                   : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double
bench_rss_bytes(void)
{
  unsigned long size, resident;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
    bench_fail("reading /proc/self/statm");
  fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static size_t
keep_text(char *ptr, size_t size, size_t count, void *context)
{
  snprintf(context, 128, "%.*s", (int)(size * count), ptr);
  return size * count;
}

unsigned long
bench_server_peak(unsigned port)
{
  char url[64], text[128] = "";
  unsigned long open, peak;
  snprintf(url, sizeof url, "http://127.0.0.1:%u/stats", port);
  CURL *easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_text);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, text);
  if (curl_easy_perform(easy) != CURLE_OK ||
      sscanf(text, "open %lu peak %lu", &open, &peak) != 2)
    bench_fail("asking the server");
  curl_easy_cleanup(easy);
  return peak;
}

/* ---- Measurements -------------------------------------------------------- */

enum { latency_calls = 8000 };

static const bench_job unary = {"unary", 20000, 0, true, true, 0};
static const bench_job assembled = {"s20", 15000, 20, true, true, 0};
static const bench_job bulk = {"bulk", 2400, 1000, true, false, 0};
static const bench_job bulk_driven = {"bulk", 2400, 1000, false, false, 0};
static const bench_job paced = {"paced", BENCH_CONCURRENCY, 2000, true, false,
                                0};
static const bench_job paced_driven = {
    "paced", BENCH_CONCURRENCY, 2000, false, false, 0};
static const bench_job paced_interval = {
    "paced", BENCH_CONCURRENCY, 2000, true, false, 5};

static double
latency_bare(unsigned port)
{
  return bare_latency_ns(port, latency_calls);
}

static double
latency_driven(unsigned port)
{
  return infer_latency_ns(port, latency_calls, false);
}

static double
latency_threaded(unsigned port)
{
  return infer_latency_ns(port, latency_calls, true);
}

static double
poll_empty(unsigned port)
{
  (void)port;
  return infer_poll_empty_ns();
}

/* Either a job for one of the two sides, or a function of its own. */
typedef struct measurement {
  const char *name;
  const bench_job *job;
  double (*cpu_ns)(unsigned port, const bench_job *job);
  double (*other)(unsigned port);
  bool once; /* does not vary: not in each round */
} measurement;

static const measurement measurements[] = {
    {"bare_unary", &unary, bare_cpu_ns, NULL, false},
    {"infer_unary", &unary, infer_cpu_ns, NULL, false},
    {"bare_assembled", &assembled, bare_cpu_ns, NULL, false},
    {"infer_assembled", &assembled, infer_cpu_ns, NULL, false},
    {"bare_bulk", &bulk, bare_cpu_ns, NULL, false},
    {"infer_bulk", &bulk, infer_cpu_ns, NULL, false},
    {"infer_bulk_driven", &bulk_driven, infer_cpu_ns, NULL, false},
    {"bare_paced", &paced, bare_cpu_ns, NULL, false},
    {"infer_paced_driven", &paced_driven, infer_cpu_ns, NULL, false},
    {"infer_paced", &paced, infer_cpu_ns, NULL, false},
    {"infer_paced_interval", &paced_interval, infer_cpu_ns, NULL, false},
    {"bare_latency", NULL, NULL, latency_bare, false},
    {"infer_latency_driven", NULL, NULL, latency_driven, false},
    {"infer_latency", NULL, NULL, latency_threaded, false},
    {"infer_poll_empty", NULL, NULL, poll_empty, false},
    {"bare_open", NULL, NULL, bare_open_bytes, true},
    {"infer_open", NULL, NULL, infer_open_bytes, true},
    {"infer_one_stream", NULL, NULL, infer_one_stream, true},
};
enum { measurement_count = sizeof measurements / sizeof measurements[0] };

static double values[measurement_count][turns_max];

static size_t
find(const char *name)
{
  for (size_t i = 0; i < measurement_count; i++)
    if (strcmp(measurements[i].name, name) == 0)
      return i;
  fprintf(stderr, "bench: no measurement \"%s\"\n", name);
  exit(2);
}

static int
measure_here(const char *name, unsigned port, unsigned factor)
{
  const measurement *what = &measurements[find(name)];
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (!what->job)
    return printf("%.3f\n", what->other(port)) < 0;
  bench_job job = *what->job;
  job.transfers *= factor;
  return printf("%.3f\n", what->cpu_ns(port, &job)) < 0;
}

/* The same in a process of its own. */
static double
measure(const char *self, size_t which, const char *port)
{
  int fds[2], status;
  double value;
  if (pipe(fds) != 0)
    bench_fail("pipe");
  pid_t child = fork();
  if (child == 0) {
    dup2(fds[1], STDOUT_FILENO);
    close(fds[0]);
    close(fds[1]);
    execl(self, self, "--mode", measurements[which].name, port, (char *)NULL);
    _exit(127);
  }
  close(fds[1]);
  FILE *from = fdopen(fds[0], "r");
  bool got = from && fscanf(from, "%lf", &value) == 1;
  if (from)
    fclose(from);
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0 || !got)
    bench_fail(measurements[which].name);
  return value;
}

static int
print_config(const char *name, unsigned port)
{
  const bench_job *job = measurements[find(name)].job;
  if (!job)
    return fprintf(stderr, "bench: \"%s\" is no job\n", name), 2;
  infer_print_config(port, job);
  return 0;
}

/* ---- Figures ------------------------------------------------------------- */

typedef struct figure {
  const char *name, *of, *to; /* of / to; to NULL: of itself */
  double target;
} figure;

static const figure figures[] = {
    {"unary_cpu_ratio", "infer_unary", "bare_unary", 1.25},
    {"unary_streamed_cpu_ratio", "infer_assembled", "bare_assembled", 1.4},
    {"bulk_stream_cpu_ratio", "infer_bulk", "bare_bulk", 1.5},
    {"bulk_stream_driven_cpu_ratio", "infer_bulk_driven", "bare_bulk", 1.25},
    {"paced_driven_cpu_ratio", "infer_paced_driven", "bare_paced", 1.15},
    {"paced_threaded_cpu_ratio", "infer_paced", "bare_paced", 2.0},
    {"paced_interval_cpu_ratio", "infer_paced_interval", "bare_paced", 1.3},
    {"added_p50_ratio_driven", "infer_latency_driven", "bare_latency", 1.10},
    {"added_p50_ratio_threaded", "infer_latency", "bare_latency", 1.45},
    {"queue_poll_empty_ns", "infer_poll_empty", NULL, 50},
};

static bool
print_figure(const char *name, double value, double target)
{
  bool ok = value <= target;
  printf("%s %.4g %g %s\n", name, value, target, ok ? "ok" : "short");
  return ok;
}

static bool
print_ratios(int turns)
{
  bool ok = true;
  for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
    const figure *what = &figures[i];
    const double *of = values[find(what->of)];
    const double *to = what->to ? values[find(what->to)] : NULL;
    double ratios[turns_max];
    for (int turn = 0; turn < turns; turn++)
      ratios[turn] = to ? of[turn] / to[turn] : of[turn];
    double median = bench_median(ratios, (size_t)turns);
    printf("# %s: %.4g to %.4g in %d rounds\n", what->name, ratios[0],
           ratios[turns - 1], turns);
    ok = print_figure(what->name, median, what->target) && ok;
  }
  return ok;
}

static void
print_medians(int turns)
{
  for (size_t i = 0; i < measurement_count; i++) {
    double sorted[turns_max];
    if (measurements[i].once)
      continue;
    memcpy(sorted, values[i], sizeof sorted);
    printf("# %s: median %.0f ns%s%s\n", measurements[i].name,
           bench_median(sorted, (size_t)turns),
           measurements[i].job ? " of CPU per answer, /" : "",
           measurements[i].job ? measurements[i].job->path : "");
  }
}

static bool
print_open(const char *self, const char *port_text, unsigned port)
{
  bench_server_peak(port);
  double bare = measure(self, find("bare_open"), port_text);
  unsigned long bare_peak = bench_server_peak(port);
  double subject = measure(self, find("infer_open"), port_text);
  unsigned long peak = bench_server_peak(port);
  printf("# an open stream: libcurl %.0f bytes, libinfer with it %.0f; the "
         "server saw %lu and %lu open at once\n",
         bare, subject, bare_peak, peak);
  if (bare_peak < 10000 || peak < 10000)
    bench_fail("opening 10,000 streams at once");
  return print_figure("stream_bytes", subject - bare, 8192);
}

int
main(int argc, char **argv)
{
  if (argc >= 4 && strcmp(argv[1], "--mode") == 0)
    return measure_here(argv[2], (unsigned)strtoul(argv[3], NULL, 10),
                        argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 1);
  if (argc == 4 && strcmp(argv[1], "--config") == 0)
    return print_config(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
  if (argc < 2)
    return fprintf(stderr, "usage: bench_speed PORT [TURNS]\n"), 2;
  int turns = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
  if (turns < 1 || turns > turns_max)
    return fprintf(stderr, "bench: 1 to %d turns\n", turns_max), 2;
  printf("# %s; concurrency %d; configuration %016llx\n", curl_version(),
         BENCH_CONCURRENCY, (unsigned long long)infer_config_hash());
  fflush(stdout);
  for (int turn = 0; turn < turns; turn++)
    for (size_t i = 0; i < measurement_count; i++)
      if (!measurements[i].once)
        values[i][turn] = measure(argv[0], i, argv[1]);
  print_medians(turns);
  bool ok = print_ratios(turns);
  fflush(stdout);
  ok = print_open(argv[0], argv[1], (unsigned)strtoul(argv[1], NULL, 10)) && ok;
  return ok ? 0 : 1;
}
