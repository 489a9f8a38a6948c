/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_EXPECT_H
#define TESTS_CONFORMANCE_EXPECT_H

#include "base/buf.h"
#include "infer/infer.h"

#include <json-c/json.h>

/* Compares what came out with an expected.json. It does not care how it came
 * out: from the decoder alone or, over a socket, through the public API. */

typedef struct expect_actual {
  inf_sv body; /* of the response, as recorded */
  /* The assembled chat.completion, also of a cut answer; "" if none. */
  inf_sv json;
  /* The same, as the accessors give it. */
  inf_sv text, reasoning, refusal, native_finish_reason;
  size_t tool_calls, choices;
  /* There is no answer to ask, because of an error before anything was said:
   * its choices and their end are not compared. */
  bool no_answer;
  int64_t usage[INFER_USAGE_COUNT]; /* in the order of INFER_USAGE_* */
  bool usage_estimated;
  int32_t status; /* INFER_OK or the class */
  int http_status;
  int body_status; /* -1: not known */
  inf_sv type, code, param, message;
  const char *end; /* as expected.json has it; NULL: not known */
} expect_actual;

/* How many texts of an error are cut. */
#define EXPECT_MAX_MESSAGE 4096
#define EXPECT_MAX_WORD    256

/* Appends a line to why for each difference; true if there is none. */
bool expect_compare(json_object *expected, const expect_actual *actual,
                    inf_buf *why);

#endif
