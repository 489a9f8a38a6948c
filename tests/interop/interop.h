/* SPDX-License-Identifier: MIT */
#ifndef TESTS_INTEROP_INTEROP_H
#define TESTS_INTEROP_INTEROP_H

#include "infer/infer.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the tests against foreign servers share. They use the public API only.
 * A helper fails the test by itself when it goes wrong. */

/* Calls end after this, whatever a foreign server does. */
#define INTEROP_DEADLINE_MS 60000

/* A client with two providers at base_url: "s", asked for streams, and "u",
 * asked for whole bodies, both without retries. key may be NULL. members: more
 * of the configuration, beginning with a comma, or "". */
infer_client *interop_client(const char *base_url, const char *key,
                             const char *members);
/* A request with one user message. model: "s/...", "u/..." or a route. */
infer_request *interop_request(const char *model, const char *prompt);

typedef struct interop_result {
  int32_t status;
  infer_response *response;
  infer_error *error;
  /* What the events of a streamed call told, of choice 0. */
  char *heard;
  size_t heard_len;
  unsigned text_events, tool_calls_done, finishes;
} interop_result;

/* Makes the call and frees the request: with events, or as a whole. */
interop_result interop_stream(infer_client *client, infer_request *request);
interop_result interop_chat(infer_client *client, infer_request *request);
/* Fails the test, with the error, unless the call succeeded; and unless what
 * a stream told is what the response holds. */
void interop_expect_ok(const interop_result *result);
void interop_result_free(interop_result *result);

int run_aimock_tests(void);
int run_live_tests(void);

#endif
