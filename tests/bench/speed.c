/* SPDX-License-Identifier: MIT */
/* The speed benchmark: what libinfer costs beside bare libcurl.
 *
 *   bench_speed PORT [TURNS]       all figures but those that the script
 *                                  tests/bench/run takes with other programs
 *   bench_speed --mode NAME PORT [FACTOR]
 *                                  one measurement in this process, FACTOR
 *                                  turns; 0: a slice for each line of input
 *   bench_speed --config NAME PORT the configuration of that measurement, for
 *                                  programs in other languages
 *
 * Each measurement has a process of its own, which stays, warmed up, for the
 * whole run. One round asks each of them in turn for a slice of about 50 ms, so
 * that a slow moment of the machine meets both sides of a ratio; every other
 * round goes backwards, since what ran before a slice changes its time. There
 * are turn_slices such rounds in each of the TURNS. A ratio is the median of
 * the rounds' ratios. */
#include "bench/canned.h"
#include "bench/speed.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { turns_max = 25, turn_slices = 5, slices_max = turns_max * turn_slices };

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

static const bench_job unary = {"unary", 1500, 0, true, true, 0};
static const bench_job assembled = {"s20", 1200, 20, true, true, 0};
static const bench_job bulk = {"bulk", 384, 1000, true, false, 0};
static const bench_job bulk_driven = {"bulk", 384, 1000, false, false, 0};
static const bench_job paced = {
    "paced", BENCH_CONCURRENCY, CANNED_PACED_CHUNKS, true, false, 0};
static const bench_job paced_driven = {
    "paced", BENCH_CONCURRENCY, CANNED_PACED_CHUNKS, false, false, 0};
static const bench_job paced_interval = {
    "paced", BENCH_CONCURRENCY, CANNED_PACED_CHUNKS, true, false, 5};
static const bench_job latency_driven = {"unary", 0, 0, false, true, 0};
static const bench_job latency = {"unary", 0, 0, true, true, 0};

/* Either a job for one of the two sides, measured in each round, or a function
 * of its own, measured once. */
typedef struct measurement {
  const char *name;
  const bench_job *job;
  const bench_side *side;
  double (*once)(unsigned port);
} measurement;

static const measurement measurements[] = {
    {"bare_unary", &unary, &bare_cpu, NULL},
    {"infer_unary", &unary, &infer_cpu, NULL},
    {"bare_assembled", &assembled, &bare_cpu, NULL},
    {"infer_assembled", &assembled, &infer_cpu, NULL},
    {"infer_bulk", &bulk, &infer_cpu, NULL},
    {"bare_bulk", &bulk, &bare_cpu, NULL},
    {"infer_bulk_driven", &bulk_driven, &infer_cpu, NULL},
    {"infer_paced", &paced, &infer_cpu, NULL},
    {"infer_paced_driven", &paced_driven, &infer_cpu, NULL},
    {"bare_paced", &paced, &bare_cpu, NULL},
    {"infer_paced_interval", &paced_interval, &infer_cpu, NULL},
    {"infer_latency_driven", &latency_driven, &infer_latency, NULL},
    {"bare_latency", &latency, &bare_latency, NULL},
    {"infer_latency", &latency, &infer_latency, NULL},
    {"infer_poll_empty", NULL, NULL, infer_poll_empty_ns},
    {"bare_open", NULL, NULL, bare_open_bytes},
    {"infer_open", NULL, NULL, infer_open_bytes},
    {"infer_one_stream", NULL, NULL, infer_one_stream},
    {"infer_untold_bulk", NULL, NULL, infer_untold_bulk},
    {"infer_told_bulk", NULL, NULL, infer_told_bulk},
};
enum { measurement_count = sizeof measurements / sizeof measurements[0] };

static double values[measurement_count][slices_max];

static size_t
find(const char *name)
{
  for (size_t i = 0; i < measurement_count; i++)
    if (strcmp(measurements[i].name, name) == 0)
      return i;
  fprintf(stderr, "bench: no measurement \"%s\"\n", name);
  exit(2);
}

/* Answers each line of standard input with the number of one slice. The first
 * slice warms up and is not told. */
static void
serve_slices(const measurement *what, unsigned port)
{
  char line[8];
  what->side->begin(port, what->job);
  what->side->slice(what->job);
  while (fgets(line, sizeof line, stdin)) {
    printf("%.3f\n", what->side->slice(what->job));
    fflush(stdout);
  }
  what->side->end();
}

/* In this process, FACTOR times a turn's slices in one. */
static int
measure_here(const char *name, unsigned port, unsigned factor)
{
  const measurement *what = &measurements[find(name)];
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  if (what->once)
    return printf("%.3f\n", what->once(port)) < 0;
  if (factor == 0)
    return serve_slices(what, port), 0;
  double slices[slices_max];
  size_t count = 0;
  what->side->begin(port, what->job);
  what->side->slice(what->job);
  while (count < factor * turn_slices && count < slices_max)
    slices[count++] = what->side->slice(what->job);
  what->side->end();
  return printf("%.3f\n", bench_median(slices, count)) < 0;
}

/* ---- Measurements in processes of their own ------------------------------ */

typedef struct worker {
  pid_t pid;
  FILE *to, *from;
} worker;

static worker workers[measurement_count];

static void
worker_start(const char *self, size_t which, const char *port)
{
  int in[2], out[2];
  worker *one = &workers[which];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
    bench_fail("pipe");
  one->pid = fork();
  if (one->pid == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl(self, self, "--mode", measurements[which].name, port, "0",
          (char *)NULL);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  one->to = fdopen(in[1], "w");
  one->from = fdopen(out[0], "r");
  if (one->pid < 0 || !one->to || !one->from)
    bench_fail("starting a measurement");
}

static double
worker_read(size_t which)
{
  double value;
  if (fscanf(workers[which].from, "%lf", &value) != 1)
    bench_fail(measurements[which].name);
  return value;
}

static double
worker_slice(size_t which)
{
  fputs("\n", workers[which].to);
  fflush(workers[which].to);
  return worker_read(which);
}

static void
worker_end(size_t which)
{
  int status;
  fclose(workers[which].to);
  if (waitpid(workers[which].pid, &status, 0) != workers[which].pid ||
      status != 0)
    bench_fail(measurements[which].name);
  fclose(workers[which].from);
}

static double
measure_once(const char *self, const char *name, const char *port)
{
  size_t which = find(name);
  worker_start(self, which, port);
  double value = worker_read(which);
  worker_end(which);
  return value;
}

static bool
is_measured(size_t which, bool busy)
{
  const bench_job *job = measurements[which].job;
  return job && (job->transfers > 0 && strcmp(job->path, "paced") != 0) == busy;
}

/* The rounds of what keeps the processors busy, or those of what mostly waits:
 * after such a wait everything is slower for a while.
 * Every job's worker warms up while it alone has the machine: it has answered
 * once, unrecorded, before the next begins. */
static void
measure_rounds(const char *self, const char *port, size_t rounds, bool busy)
{
  for (size_t i = 0; i < measurement_count; i++)
    if (is_measured(i, busy)) {
      worker_start(self, i, port);
      worker_slice(i);
    }
  for (size_t round = 0; round < rounds; round++)
    for (size_t n = 0; n < measurement_count; n++) {
      size_t i = round % 2 == 0 ? n : measurement_count - 1 - n;
      if (is_measured(i, busy))
        values[i][round] = worker_slice(i);
    }
  for (size_t i = 0; i < measurement_count; i++)
    if (is_measured(i, busy))
      worker_end(i);
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
  const char *name, *of, *to; /* of / to */
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
};

static bool
print_figure(const char *name, double value, double target)
{
  bool ok = value <= target;
  printf("%s %.4g %g %s\n", name, value, target, ok ? "ok" : "short");
  return ok;
}

static bool
print_ratios(size_t rounds)
{
  bool ok = true;
  for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
    const figure *what = &figures[i];
    const double *of = values[find(what->of)], *to = values[find(what->to)];
    double ratios[slices_max];
    for (size_t round = 0; round < rounds; round++)
      ratios[round] = of[round] / to[round];
    double median = bench_median(ratios, rounds);
    printf("# %s: middle half of %zu rounds from %.4g to %.4g\n", what->name,
           rounds, ratios[rounds / 4], ratios[rounds * 3 / 4]);
    ok = print_figure(what->name, median, what->target) && ok;
  }
  return ok;
}

static void
print_medians(size_t rounds)
{
  for (size_t i = 0; i < measurement_count; i++) {
    double sorted[slices_max];
    if (!measurements[i].job)
      continue;
    memcpy(sorted, values[i], sizeof sorted);
    printf("# %s: median %.0f ns %s, /%s\n", measurements[i].name,
           bench_median(sorted, rounds),
           measurements[i].job->transfers ? "of CPU per answer" : "for a call",
           measurements[i].job->path);
  }
}

static bool
print_open(const char *self, const char *port_text, unsigned port)
{
  bench_server_peak(port);
  double bare = measure_once(self, "bare_open", port_text);
  unsigned long bare_peak = bench_server_peak(port);
  double subject = measure_once(self, "infer_open", port_text);
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
  size_t rounds = (size_t)turns * turn_slices;
  measure_rounds(argv[0], argv[1], rounds, true);
  measure_rounds(argv[0], argv[1], rounds, false);
  print_medians(rounds);
  bool ok = print_ratios(rounds);
  ok = print_figure("queue_poll_empty_ns",
                    measure_once(argv[0], "infer_poll_empty", argv[1]), 50) &&
       ok;
  fflush(stdout);
  ok = print_open(argv[0], argv[1], (unsigned)strtoul(argv[1], NULL, 10)) && ok;
  return ok ? 0 : 1;
}
