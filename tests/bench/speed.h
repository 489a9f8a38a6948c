/* SPDX-License-Identifier: MIT */
#ifndef INF_TESTS_BENCH_SPEED_H
#define INF_TESTS_BENCH_SPEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the two sides of the speed benchmark share. Each measurement runs in a
 * process of its own, which gives one number for each slice of work that it is
 * asked for; whatever goes wrong ends it with a message and exit code 1, so
 * that no figure comes from half a run. */

/* Transfers that run at once. */
#define BENCH_CONCURRENCY 32
/* Calls of one slice of latency. */
#define BENCH_LATENCY_CALLS 400
/* The request that both sides send, member by member the same. */
#define BENCH_MODEL  "gpt-4o-mini"
#define BENCH_PROMPT "Summarize the ticket in two sentences, please."
#define BENCH_KEY    "sk-bench-0123456789abcdef0123456789abcdef"

typedef struct bench_job {
  const char *path;     /* first part of the server's path: "unary", ... */
  unsigned transfers;   /* of one slice */
  unsigned chunks;      /* content chunks of each answer; 0: no stream */
  bool threaded;        /* libinfer: with a loop thread */
  bool whole;           /* libinfer: only the terminal event */
  unsigned interval_ms; /* libinfer: delivery_interval_ms */
} bench_job;

void bench_fail(const char *what) __attribute__((noreturn));
uint64_t bench_cpu_ns(void); /* of this process, user and system */
uint64_t bench_now_ns(void);
double bench_median(double *values, size_t count); /* sorts them */
/* Resident bytes of this process. */
double bench_rss_bytes(void);
/* Lets the server count anew. Gives the peak of streams open at once. */
unsigned long bench_server_peak(unsigned port);

/* One side of a comparison: what it sets up once, the number that one slice of
 * the job gives, and the check at the end. There is one set of state for all,
 * so a process uses one side for one job. */
typedef struct bench_side {
  void (*begin)(unsigned port, const bench_job *job);
  double (*slice)(const bench_job *job);
  void (*end)(void);
} bench_side;

/* CPU nanoseconds per transfer. */
extern const bench_side bare_cpu, infer_cpu;
/* Median nanoseconds of one blocking call. */
extern const bench_side bare_latency, infer_latency;

/* Resident bytes that each further open stream costs, from 1,000 to
 * 10,000. */
double bare_open_bytes(unsigned port);
double infer_open_bytes(unsigned port);
double infer_poll_empty_ns(unsigned port);
/* Reads one paced stream and does nothing else, for callgrind; gives the number
 * of its chunks. */
double infer_one_stream(unsigned port);
/* Reads streams in bulk, for callgrind, with no hook or with all telemetry;
 * gives the number of their chunks. */
double infer_untold_bulk(unsigned port);
double infer_told_bulk(unsigned port);
/* What all libinfer measurements are configured with. */
uint64_t infer_config_hash(void);
void infer_print_config(unsigned port, const bench_job *job);

#endif
