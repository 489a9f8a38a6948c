/* SPDX-License-Identifier: MIT */
/* What a recorded error is, written down apart from the library's own rules.
 * Mostly its status tells; the rows are what providers report under a status
 * that means something else. They go by what is said, never by which recording
 * it is: those that nobody has at hand are judged by the same rows. */
#include "conformance/classes.h"

#include "infer/infer.h"
#include "provider/dialect.h"

#include <stdio.h>
#include <string.h>

/* Statuses under which a row holds; 200 is an error inside one that gives no
 * status of its own. */
#define ANYWHERE  ""
#define OUR_FAULT "200 400 413 422"
#define NO_MONEY  "200 400 401 402 403 412 422 429"
#define FILTERED  "200 400 401 403 422"
#define BUSY      "200 408 409 424 429 498 500 502 503 504 520 529"
#define THEIRS    "200 408 409 424 498 500 502 503 504 520 529"

typedef struct row {
  int32_t class;
  const char *statuses;
  bool word; /* all of a code or type; else a part of what is said */
  const char *text;
} row;

/* The first that fits. */
static const row rows[] = {
    {INFER_E_RATE_LIMITED, "200 429", true, "RESOURCE_EXHAUSTED"},

    {INFER_E_QUOTA, ANYWHERE, true, "insufficient_quota"},
    {INFER_E_QUOTA, ANYWHERE, true, "enforced_spend_limit_reached"},
    {INFER_E_QUOTA, ANYWHERE, true, "billing_hard_limit_reached"},
    {INFER_E_QUOTA, ANYWHERE, true, "billing_not_active"},
    {INFER_E_QUOTA, ANYWHERE, true, "billing_error"},
    {INFER_E_QUOTA, ANYWHERE, true, "insufficient_credits"},
    {INFER_E_QUOTA, ANYWHERE, true, "exceeded_current_quota_error"},
    {INFER_E_QUOTA, ANYWHERE, true, "Arrearage"},
    {INFER_E_QUOTA, NO_MONEY, false, "exceeded your current quota"},
    {INFER_E_QUOTA, NO_MONEY, false, "insufficient balance"},
    {INFER_E_QUOTA, NO_MONEY, false, "insufficient credit"},
    {INFER_E_QUOTA, NO_MONEY, false, "credit balance is too low"},
    {INFER_E_QUOTA, NO_MONEY, false, "spend limit"},
    {INFER_E_QUOTA, NO_MONEY, false, "spending limit"},
    {INFER_E_QUOTA, NO_MONEY, false, "billing hard limit"},

    {INFER_E_CONTEXT_LENGTH, ANYWHERE, true, "context_length_exceeded"},
    {INFER_E_CONTEXT_LENGTH, ANYWHERE, true, "context_window_exceeded"},
    {INFER_E_CONTEXT_LENGTH, ANYWHERE, true, "exceed_context_size_error"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, true, "TOO_MANY_TOKENS"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT " 500", false, "maximum context length"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "context length"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "context window"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "available context size"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "exceed context limit"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "maximum prompt length"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "prompt is too long"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "input is too long"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "too many tokens"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false, "input tokens exceeded"},
    {INFER_E_CONTEXT_LENGTH, OUR_FAULT, false,
     "exceeds the maximum number of tokens"},

    {INFER_E_REQUEST_TOO_LARGE, OUR_FAULT " 429", false, "request too large"},
    {INFER_E_REQUEST_TOO_LARGE, OUR_FAULT " 429", true, "request_too_large"},

    {INFER_E_CONTENT_FILTER, FILTERED, true, "content_filter"},
    {INFER_E_CONTENT_FILTER, FILTERED, true, "content_policy_violation"},
    {INFER_E_CONTENT_FILTER, FILTERED, true, "ResponsibleAIPolicyViolation"},
    {INFER_E_CONTENT_FILTER, FILTERED, true, "data_inspection_failed"},
    {INFER_E_CONTENT_FILTER, FILTERED, true, "DataInspectionFailed"},
    {INFER_E_CONTENT_FILTER, FILTERED, false, "content management policy"},
    {INFER_E_CONTENT_FILTER, FILTERED, false, "content policy"},
    {INFER_E_CONTENT_FILTER, FILTERED, false, "safety system"},
    {INFER_E_CONTENT_FILTER, FILTERED, false, "requires moderation"},
    {INFER_E_CONTENT_FILTER, FILTERED, false, "was flagged"},

    /* Bedrock's 503. */
    {INFER_E_RATE_LIMITED, THEIRS, false, "throttl"},

    {INFER_E_OVERLOADED, BUSY, false, "overloaded"},
    {INFER_E_OVERLOADED, BUSY, true, "slow_down"},
    {INFER_E_OVERLOADED, BUSY, true, "capacity_exceeded"},
    {INFER_E_OVERLOADED, BUSY, true, "unavailable_error"},
    {INFER_E_OVERLOADED, THEIRS, true, "UNAVAILABLE"},
    {INFER_E_OVERLOADED, THEIRS, true, "service_unavailable"},
    {INFER_E_OVERLOADED, BUSY, true, "ModelNotReadyException"},
    {INFER_E_OVERLOADED, THEIRS, false, "loading model"},
    {INFER_E_OVERLOADED, BUSY, false, "tier capacity"},
    {INFER_E_OVERLOADED, BUSY, false, "capacity exceeded"},
    {INFER_E_OVERLOADED, THEIRS, false, "capacity"},

    /* A wrong key or model as a bad request. */
    {INFER_E_AUTH, OUR_FAULT, true, "invalid_api_key"},
    {INFER_E_AUTH, OUR_FAULT, true, "API_KEY_INVALID"},
    {INFER_E_AUTH, OUR_FAULT, true, "authentication_error"},
    {INFER_E_AUTH, OUR_FAULT, true, "UNAUTHENTICATED"},
    {INFER_E_AUTH, OUR_FAULT, true, "permission_error"},
    {INFER_E_AUTH, OUR_FAULT, true, "PERMISSION_DENIED"},
    {INFER_E_AUTH, OUR_FAULT, false, "API key not valid"},
    {INFER_E_AUTH, OUR_FAULT, false, "incorrect API key"},
    {INFER_E_AUTH, OUR_FAULT, false, "invalid API key"},
    {INFER_E_AUTH, OUR_FAULT, false, "API key expired"},
    {INFER_E_AUTH, OUR_FAULT, false, "no API key"},
    {INFER_E_NOT_FOUND, OUR_FAULT, true, "model_not_found"},
    {INFER_E_NOT_FOUND, OUR_FAULT, true, "model_decommissioned"},
    {INFER_E_NOT_FOUND, OUR_FAULT, true, "not_found_error"},
    {INFER_E_NOT_FOUND, OUR_FAULT, true, "NOT_FOUND"},
    {INFER_E_NOT_FOUND, OUR_FAULT, true, "DeploymentNotFound"},
    {INFER_E_NOT_FOUND, OUR_FAULT, false, "model not found"},
    {INFER_E_NOT_FOUND, OUR_FAULT, false, "is not a valid model"},

    /* Of what has no status. */
    {INFER_E_RATE_LIMITED, "200", true, "rate_limit_exceeded"},
    {INFER_E_RATE_LIMITED, "200", true, "rate_limit_error"},
    {INFER_E_RATE_LIMITED, "200", true, "rate_limited"},
    {INFER_E_RATE_LIMITED, "200", true, "too_many_requests"},
    {INFER_E_RATE_LIMITED, "200", false, "rate limit"},
    {INFER_E_RATE_LIMITED, "200", false, "too many requests"},
    {INFER_E_BAD_REQUEST, "200", true, "invalid_request_error"},
    {INFER_E_BAD_REQUEST, "200", true, "BadRequestError"},
    {INFER_E_BAD_REQUEST, "200", true, "INVALID_ARGUMENT"},
    {INFER_E_BAD_REQUEST, "200", true, "validation"},
};

static inf_sv
member(json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, name, &value);
  return inf_sv_from(value ? json_object_get_string(value) : "");
}

static int
number(json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, name, &value);
  return json_object_get_int(value);
}

static bool
is_among(int status, const char *statuses)
{
  char text[16];
  snprintf(text, sizeof text, "%d", status);
  return statuses[0] == '\0' || strstr(statuses, text) != NULL;
}

static bool
says(const row *rule, json_object *error, inf_sv body)
{
  char quoted[64];
  inf_sv text = inf_sv_from(rule->text);
  if (!rule->word)
    return inf_sv_contains_nocase(member(error, "message"), text) ||
           inf_sv_contains_nocase(body, text);
  int len = snprintf(quoted, sizeof quoted, "\"%s\"", rule->text);
  return inf_sv_eq_nocase(member(error, "type"), text) ||
         inf_sv_eq_nocase(member(error, "code"), text) ||
         inf_sv_contains_nocase(body, inf_sv_of(quoted, (size_t)len));
}

int32_t
test_class_of(json_object *error, inf_sv body)
{
  int status = number(error, "status"), told = number(error, "body_status");
  if (status < 300 && told >= 300)
    status = told;
  /* A stream's body is an answer too. */
  if (inf_sv_eq(member(error, "where"), INF_SV("stream")))
    body = INF_SV("");
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (is_among(status, rows[i].statuses) && says(&rows[i], error, body))
      return rows[i].class;
  int32_t class = inf_class_of_http_status(status);
  return class == INFER_OK ? INFER_E_SERVER : class;
}
