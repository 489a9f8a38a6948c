/* SPDX-License-Identifier: MIT */
#ifndef TEST_SIM_PROCESS_H
#define TEST_SIM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Runs `infer sim` as a child for a test and talks to its control endpoints.
 *
 *   sim_process *sim = sim_start("{\"defaults\":{\"text\":\"Hello\"}}", NULL);
 *   ... base URL: sim_url(sim), "http://127.0.0.1:43121/v1" ...
 *   char *log = sim_log(sim);
 *   free(log);
 *   sim_stop(sim);
 *
 * The program is the one in the environment variable INFER_TOOL, else the one
 * that was built with the tests (INFER_TOOL_PATH). Every wait is bounded.
 * Whatever goes wrong is told on stderr. The child ends when the test's
 * process does, however that ends. Not thread-safe: one sim, one thread. */

typedef struct sim_process sim_process;

/* Started with sim_start(script, args): more arguments for `infer sim`, NULL
 * at the end, or NULL for none. Without --listen or --unix among them it
 * listens at any port of 127.0.0.1. script is the text of the script, or NULL
 * for an empty one. NULL if it did not start within 10 s. */
sim_process *sim_start(const char *script, const char *const *args);
/* Ends the child and frees. True if it ended by itself, with exit code 0,
 * after SIGTERM: worth an assertion. NULL is harmless and true. */
bool sim_stop(sim_process *sim);
/* Kills it without notice, as a machine does that loses power. */
void sim_kill(sim_process *sim);

/* What it printed: "http://127.0.0.1:43121", "https://..." or "unix:/path" of
 * its first listener. */
const char *sim_origin(const sim_process *sim);
/* The same with "/v1": a base_url. For a Unix socket: "http://localhost/v1".
 */
const char *sim_url(const sim_process *sim);
uint16_t sim_port(const sim_process *sim); /* 0 for a Unix socket */
pid_t sim_pid(const sim_process *sim);

/* The control endpoints; text to be freed, or NULL. They go over a Unix
 * socket of their own, so they work with TLS and while the script has the
 * server down, and are in no count of connections. */
char *sim_log(sim_process *sim);     /* JSON array of requests */
char *sim_invoice(sim_process *sim); /* JSON object */
char *sim_stats(sim_process *sim);   /* JSON object */
/* The log once it holds at least count requests, all ended ("end" is neither
 * "open" nor "silent"); NULL after wait_ms. */
char *sim_wait_log(sim_process *sim, size_t count, unsigned wait_ms);
/* A new script, whose clock starts now. */
bool sim_set_script(sim_process *sim, const char *script);
/* Empties log, invoice and counters, starts the script again. */
bool sim_reset(sim_process *sim);

/* A raw connection to the first listener, blocking, with a receive timeout of
 * 10 s; -1 on failure. */
int sim_connect(const sim_process *sim);
/* Any request over a connection of its own: sends bytes as they are, and
 * gives all bytes of the answer up to the end of the connection (the bytes
 * should ask for "Connection: close"), NUL-terminated. NULL if it cannot
 * connect. With *was_reset (may be NULL) told whether it ended by a reset. */
char *sim_exchange(const sim_process *sim, const char *bytes, size_t len,
                   size_t *answer_len, bool *was_reset);

#endif
