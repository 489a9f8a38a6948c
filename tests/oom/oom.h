/* SPDX-License-Identifier: MIT */
#ifndef TESTS_OOM_H
#define TESTS_OOM_H

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* Each own allocation failed, one at a time and from there on: every function
 * then gives INFER_E_NO_MEMORY or does what it does, every accepted call has
 * exactly one terminal event, nothing leaks, and the client works afterwards.
 * What json-c, libcurl and OpenSSL do without memory is not looked at.
 *
 * A scenario is run again and again, with another allocation failing each
 * time; it must stand any failure, and free what it made. */
typedef struct oom_scenario {
  const char *name;
  void (*run)(void *arg);
  const char *arg;
} oom_scenario;

struct fake_net;

typedef struct oom_suite {
  const oom_scenario *scenarios;
  size_t count;
} oom_suite;

extern const oom_suite oom_calls;    /* calls over a fake network */
extern const oom_suite oom_config;   /* configurations in all their forms */
extern const oom_suite oom_requests; /* requests, responses, lists */
extern const oom_suite oom_network;  /* calls over libcurl and real sockets */

extern const oom_suite oom_tokens;  /* calls that need a token */
extern const oom_suite oom_budgets; /* calls with budgets and a collector */

/* Stops the servers of oom_network. */
void oom_network_end(void);
/* Removes the account of oom_tokens. */
void oom_tokens_end(void);
/* Removes the file of oom_budgets. */
void oom_budgets_end(void);

#define OOM_SUITE(scenarios)                              \
  {                                                       \
    scenarios, sizeof(scenarios) / sizeof((scenarios)[0]) \
  }

/* How many allocations have failed in this run. */
size_t oom_hits(void);
/* Memory is there again; what was counted stays. */
void oom_end_shortage(void);
/* INFER_OK, or INFER_E_NO_MEMORY when an allocation has failed: else the test
 * fails. Frees the error; error may be NULL. True for INFER_OK. */
bool oom_is_ok(int32_t status, infer_error **error);
/* The same, where without a shortage the function fails as expected. */
void oom_fails(int32_t status, infer_error **error, int32_t expected);

/* JSON written with ' for ". The caller frees. */
char *oom_json(const char *text);
/* A configuration of such a text with "threads" set; NULL: out of memory. */
infer_config *oom_config_of(const char *text, const char *threads);
/* A client of the configuration over the fake network; NULL: out of memory. */
infer_client *oom_client_over(struct fake_net *net, const infer_config *config);
/* The same, and frees the configuration; NULL also where that is NULL. */
infer_client *oom_client_of(struct fake_net *net, infer_config *config);

#endif
