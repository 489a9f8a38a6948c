/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ERROR_BODY_H
#define INF_PROVIDER_ERROR_BODY_H

#include "base/sv.h"

#include <stdint.h>

/* What an error body says, whatever its shape: providers agree on none. Read
 * are, in this order:
 *
 *   {"error": {"message", "type", "code", "param", "status", "details", ...}}
 *   {"error": "text", "error_type"}  and  {"code": "text", "error": "text"}
 *   {"message" or "Message", "type", "code", "param"}
 *   {"__type": "namespace#Type", "message" or "Message"}   (AWS)
 *   {"detail": "text" or [{"msg"}, ...]}           (FastAPI)
 *   {"status": {"code", "description", "details"}} (Clarifai)
 *   {"base_resp": {"status_code", "status_msg"}}   (MiniMax)
 *   {"success": false, "errors": [{"code", "message"}, ...]} (Cloudflare)
 *   any of these in an array of one                (Google)
 *   HTML: its title; any other text: all of it
 *
 * Members are views of JSON values within the body, empty where absent. */
typedef struct inf_error_body {
  inf_sv message;      /* string; a FastAPI list stands in `list` instead */
  inf_sv message_more; /* Clarifai's "details" beside its "description" */
  inf_sv list;
  inf_sv type, code, param; /* string or number */
  inf_sv detail_code;       /* a more precise code within "details" */
  inf_sv raw;         /* what a gateway (OpenRouter) repeats of its upstream */
  inf_sv aws_type;    /* "__type", as it came */
  inf_sv retry_delay; /* google.rpc.RetryInfo: "48s" */
  inf_sv load_time;   /* seconds until a model is loaded (Hugging Face) */
  inf_sv reset;       /* rate-limit reset header repeated in the body */
  inf_sv request_id;
  inf_sv text;         /* no JSON: the text, or the title of an HTML page */
  bool clarifai;       /* it is Clarifai's "status" */
  bool minimax;        /* it is MiniMax's "base_resp" */
  int32_t body_status; /* a number from 100 to 599 that it gives, or 0 */
} inf_error_body;

/* False if the body is empty or JSON that has none of these shapes. */
bool inf_error_body_read(inf_sv body, inf_error_body *error);
/* The same for a JSON value that is already checked: an object in a stream or
 * a 200 answer. False also for one that reports no error: "error" null,
 * false, "" or {}, or a status of Clarifai or MiniMax that means success. */
bool inf_error_body_of(inf_sv value, inf_error_body *error);
/* Is it an HTML page? */
bool inf_error_body_is_html(inf_sv body);

#endif
