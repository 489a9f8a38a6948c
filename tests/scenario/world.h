/* SPDX-License-Identifier: MIT */
#ifndef TEST_SCENARIO_WORLD_H
#define TEST_SCENARIO_WORLD_H

#include "support/sim_process.h"

#include "infer/infer.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What every scenario needs: simulated providers, a client, a call, and both
 * sides' account of it. Everything here fails the test by itself when it goes
 * wrong. */

#define WORLD_MAX_SIMS 3

typedef struct world {
  sim_process *sims[WORLD_MAX_SIMS];
  infer_client *client;
  char folder[64]; /* for certificates and sockets, or "" */
} world;

/* JSON is written with ' for ", so that it can be read; $1, $2, $3 become the
 * base URLs of the simulated providers, $DEAD that of a port where nobody
 * listens, $DIR the world's folder. The caller frees. */
char *world_text(const world *w, const char *json);

/* Starts the index-th simulated provider with a script in that notation. */
void world_sim(world *w, int index, const char *script);
/* The same with more arguments for `infer sim`, NULL at the end. */
void world_sim_with(world *w, int index, const char *script,
                    const char *const *args);
/* Makes the world's folder, which goes with the world. */
void world_folder(world *w);
/* One with TLS: its certificates lie in $DIR. client_ca: it demands a
 * certificate of its clients. */
void world_tls_sim(world *w, int index, const char *script, bool client_ca);
/* Makes the client. "threads" is set to 0 if the variable WORLD_THREADS says
 * so: the whole suite runs both ways. */
void world_client(world *w, const char *config);
/* The usual client: providers a, b, c over the simulated ones, and the
 * members given ("'routes':{...}", or ""). */
void world_usual(world *w, const char *members);
/* Forgets the proxy variables of the environment that the test runs in. */
void world_forget_proxies(void);
/* A client that must not come to be; gives its error message. */
char *world_refused(const char *config);
void world_end(world *w);

/* ---- One call ------------------------------------------------------------ */

#define OUTCOME_MAX_EVENTS 4096

typedef struct outcome {
  int32_t status;
  infer_response *response;
  infer_error *error;
  uint64_t took_ms;
  /* What a reader of the stream saw; text is forgotten at a RESTART. */
  char *text;
  int starts, restarts, finishes, dones, after_done, tools_done;
  uint32_t epoch;
} outcome;

infer_request *world_request(const char *model, const char *prompt);
outcome world_chat(world *w, const char *model);
outcome world_stream(world *w, const char *model);
outcome world_run(world *w, const infer_request *request, bool stream);
void outcome_end(outcome *o);

size_t outcome_attempts(const outcome *o);
const infer_attempt *outcome_attempt(const outcome *o, size_t index);
/* "a/m first RATE_LIMITED, b/m failover OK": the trail in one line. */
const char *outcome_trail(const outcome *o);

/* ---- The provider's side ------------------------------------------------- */

/* Its log once count requests have ended; the caller puts it. */
json_object *world_log(world *w, int sim, size_t count);
/* Number of requests that it has seen. */
size_t world_requests(world *w, int sim);
const char *log_text(json_object *log, size_t index, const char *member);
int64_t log_int(json_object *log, size_t index, const char *member);
/* A field of the request's headers, "" if absent. */
const char *log_header(json_object *log, size_t index, const char *name);
json_object *log_body(json_object *log, size_t index);

uint64_t world_now_ms(void);
void world_sleep_ms(unsigned ms);

#endif
