/* SPDX-License-Identifier: MIT */
/* Error bodies, the list of models, and response heads. */

#include "sim_reply.h"

#include "sim_log.h"

#include "base/clock.h"
#include "wire/json_write.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct status_info {
  unsigned status;
  const char *reason, *type, *code, *message;
} status_info;

// clang-format off
static const status_info statuses[] = {
    {200, "OK", "", NULL, "OK"},
    {307, "Temporary Redirect", "", NULL, "Moved"},
    {400, "Bad Request", "invalid_request_error", NULL,
     "The request is not valid."},
    {401, "Unauthorized", "invalid_request_error", "invalid_api_key",
     "Incorrect API key provided. You can find your API key in your account "
     "settings."},
    {402, "Payment Required", "insufficient_quota", "insufficient_quota",
     "You have run out of credits."},
    {403, "Forbidden", "invalid_request_error", "forbidden",
     "You are not allowed to do this."},
    {404, "Not Found", "invalid_request_error", "model_not_found",
     "The model does not exist or you do not have access to it."},
    {405, "Method Not Allowed", "invalid_request_error", NULL,
     "Not allowed with this method."},
    {408, "Request Timeout", "timeout", "timeout", "Request timed out."},
    {409, "Conflict", "conflict_error", "conflict", "Conflict."},
    {413, "Payload Too Large", "invalid_request_error", NULL,
     "The request is too large."},
    {422, "Unprocessable Entity", "invalid_request_error", NULL,
     "The request cannot be processed."},
    {424, "Failed Dependency", "server_error", NULL,
     "Request failed during generation."},
    {429, "Too Many Requests", "requests", "rate_limit_exceeded",
     "Rate limit reached."},
    {431, "Request Header Fields Too Large", "invalid_request_error", NULL,
     "The header fields are too large."},
    {498, "Capacity Exceeded", "server_error", "capacity_exceeded",
     "No capacity."},
    {500, "Internal Server Error", "server_error", NULL,
     "The server had an error while processing your request. Sorry about "
     "that!"},
    {501, "Not Implemented", "invalid_request_error", NULL,
     "Not implemented."},
    {502, "Bad Gateway", "server_error", NULL, "Bad gateway."},
    {503, "Service Unavailable", "server_error", "overloaded",
     "The engine is currently overloaded, please try again later."},
    {504, "Gateway Timeout", "server_error", "timeout", "Gateway timeout."},
    {529, "Overloaded", "overloaded_error", "overloaded", "Overloaded."},
};
// clang-format on

static const status_info *
find_status(unsigned status)
{
  static const status_info client = {0, "Client Error", "invalid_request_error",
                                     NULL, "The request was refused."};
  static const status_info server = {0, "Server Error", "server_error", NULL,
                                     "The server failed."};
  static const status_info other = {0, "Other", "", NULL, "Other."};
  for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
    if (statuses[i].status == status) {
      return &statuses[i];
    }
  }
  return status >= 500 ? &server : status >= 400 ? &client : &other;
}

const char *
inf_sim_status_reason(unsigned status)
{
  return find_status(status)->reason;
}

static void
put_nullable(inf_buf *out, inf_sv key, const char *text)
{
  if (text) {
    inf_json_member_string(out, key, inf_sv_from(text));
  } else {
    inf_json_member_raw(out, key, INF_SV("null"));
  }
}

void
inf_sim_put_error(inf_buf *out, inf_sv message, const char *type,
                  const char *param, const char *code)
{
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("error"));
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("message"), message);
  inf_json_member_string(out, INF_SV("type"), inf_sv_from(type));
  put_nullable(out, INF_SV("param"), param);
  put_nullable(out, INF_SV("code"), code);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
  inf_sim_must(out);
}

void
inf_sim_put_status_error(inf_buf *out, unsigned status)
{
  const status_info *info = find_status(status);
  inf_sim_put_error(out, inf_sv_from(info->message), info->type, NULL,
                    info->code);
}

void
inf_sim_put_html(inf_buf *out, unsigned status)
{
  inf_buf_appendf(out,
                  "<!DOCTYPE html>\n<html>\n<head><title>%u %s</title></head>"
                  "\n<body>\n<center><h1>%u %s</h1></center>\n<hr>\n"
                  "</body>\n</html>\n",
                  status, inf_sim_status_reason(status), status,
                  inf_sim_status_reason(status));
  inf_sim_must(out);
}

static void
put_limit_message(inf_buf *text, const inf_sim_verdict *verdict, inf_sv model)
{
  const char *unit =
      verdict->by_tokens ? "tokens per min (TPM)" : "requests per min (RPM)";
  uint64_t limit = verdict->by_tokens ? verdict->tokens : verdict->requests;
  uint64_t left =
      verdict->by_tokens ? verdict->tokens_left : verdict->requests_left;
  uint64_t needed = verdict->by_tokens ? verdict->needed_tokens : 1;
  inf_buf_append_cstr(text, verdict->too_large ? "Request too large for "
                                               : "Rate limit reached for ");
  inf_buf_append_sv(text, model);
  inf_buf_appendf(text,
                  " in organization org-sim on %s: Limit %" PRIu64
                  ", Used %" PRIu64 ", Requested %" PRIu64 ".",
                  unit, limit, limit > left ? limit - left : 0, needed);
  if (verdict->too_large) {
    inf_buf_append_cstr(text, " The input or output tokens must be reduced in "
                              "order to run successfully.");
  } else {
    inf_buf_append_cstr(text, " Please try again in ");
    inf_sim_put_go_duration(text, verdict->wait_ns);
    inf_buf_append_char(text, '.');
  }
}

void
inf_sim_put_limit_error(inf_buf *out, const inf_sim_verdict *verdict,
                        inf_sv model)
{
  inf_buf text;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  put_limit_message(&text, verdict, model);
  inf_sim_put_error(out, inf_buf_sv(&text),
                    verdict->by_tokens ? "tokens" : "requests", NULL,
                    "rate_limit_exceeded");
  inf_buf_fini(&text);
}

static void
put_model(inf_buf *out, inf_sv id)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("id"), id);
  inf_json_member_string(out, INF_SV("object"), INF_SV("model"));
  inf_json_member_int(out, INF_SV("created"), 1700000000);
  inf_json_member_string(out, INF_SV("owned_by"), INF_SV("infer-sim"));
  inf_json_close(out, '}');
}

/* A rule's model counts when it is a name, not a pattern, and is the first of
 * that name. */
static bool
names_new_model(const inf_sim_script *script, size_t at)
{
  const inf_sim_text *model = &script->rules[at].when.model;
  if (!model->set || inf_sv_find(model->sv, '*') < model->sv.len) {
    return false;
  }
  for (size_t i = 0; i < at; i++) {
    const inf_sim_text *earlier = &script->rules[i].when.model;
    if (earlier->set && inf_sv_eq(earlier->sv, model->sv)) {
      return false;
    }
  }
  return true;
}

void
inf_sim_put_models(inf_buf *out, const inf_sim_script *script)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("object"), INF_SV("list"));
  inf_json_key(out, INF_SV("data"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < script->models.count; i++) {
    put_model(out, script->models.items[i]);
  }
  for (size_t i = 0; i < script->rule_count; i++) {
    if (script->models.count == 0 && names_new_model(script, i)) {
      put_model(out, script->rules[i].when.model.sv);
    }
  }
  inf_json_close(out, ']');
  inf_json_close(out, '}');
  inf_sim_must(out);
}

/* Heads. */

static bool
is_replaced(const inf_sim_head *head, const char *name)
{
  for (size_t i = 0; head->fields && i < head->fields->count; i++) {
    if (inf_sv_eq_nocase(head->fields->items[i].name, inf_sv_from(name))) {
      return true;
    }
  }
  return false;
}

static void
put_field(inf_buf *out, const inf_sim_head *head, const char *name,
          inf_sv value)
{
  if (value.len > 0 && !is_replaced(head, name)) {
    inf_buf_append_cstr(out, name);
    inf_buf_append(out, ": ", 2);
    inf_buf_append_sv(out, value);
    inf_buf_append(out, "\r\n", 2);
  }
}

static void
put_number_field(inf_buf *out, const inf_sim_head *head, const char *name,
                 uint64_t value)
{
  char text[24];
  int len = snprintf(text, sizeof(text), "%" PRIu64, value);
  put_field(out, head, name, inf_sv_of(text, (size_t)len));
}

static void
put_duration_field(inf_buf *out, const inf_sim_head *head, const char *name,
                   uint64_t ns)
{
  inf_buf text;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  inf_sim_put_go_duration(&text, ns);
  put_field(out, head, name, inf_buf_sv(&text));
  inf_buf_fini(&text);
}

static void
put_limit_fields(inf_buf *out, const inf_sim_head *head)
{
  const inf_sim_verdict *verdict = head->verdict;
  if (verdict->requests > 0) {
    put_number_field(out, head, "x-ratelimit-limit-requests",
                     verdict->requests);
    put_number_field(out, head, "x-ratelimit-remaining-requests",
                     verdict->requests_left);
    put_duration_field(out, head, "x-ratelimit-reset-requests",
                       verdict->requests_full_ns);
  }
  if (verdict->tokens > 0) {
    put_number_field(out, head, "x-ratelimit-limit-tokens", verdict->tokens);
    put_number_field(out, head, "x-ratelimit-remaining-tokens",
                     verdict->tokens_left);
    put_duration_field(out, head, "x-ratelimit-reset-tokens",
                       verdict->tokens_full_ns);
  }
  if (!verdict->admitted && !verdict->too_large) {
    uint64_t ns = verdict->wait_ns;
    put_number_field(out, head, "retry-after-ms",
                     ns / INF_NS_PER_MS + (ns % INF_NS_PER_MS != 0));
    put_number_field(out, head, "retry-after",
                     ns / INF_NS_PER_S + (ns % INF_NS_PER_S != 0));
  }
}

static void
put_framing_fields(inf_buf *out, const inf_sim_head *head)
{
  if (head->gzip) {
    put_field(out, head, "content-encoding", INF_SV("gzip"));
  }
  if (head->chunked) {
    put_field(out, head, "transfer-encoding", INF_SV("chunked"));
  } else if (head->length != INF_SIM_LENGTH_UNKNOWN) {
    put_number_field(out, head, "content-length", head->length);
  }
  if (head->close) {
    put_field(out, head, "connection", INF_SV("close"));
  }
}

void
inf_sim_put_head(inf_buf *out, const inf_sim_head *head)
{
  char id[INF_SIM_REQUEST_ID_MAX];
  inf_buf_appendf(out, "HTTP/1.1 %u %s\r\n", head->status,
                  inf_sim_status_reason(head->status));
  put_field(out, head, "server", INF_SV("infer-sim"));
  put_field(out, head, "content-type", head->content_type);
  put_field(out, head, "x-request-id",
            inf_sim_request_id(head->request_number, id));
  put_field(out, head, "location", head->location);
  if (head->verdict) {
    put_limit_fields(out, head);
  }
  for (size_t i = 0; head->fields && i < head->fields->count; i++) {
    const inf_sim_pair *field = &head->fields->items[i];
    inf_buf_append_sv(out, field->name);
    inf_buf_append(out, ": ", 2);
    inf_buf_append_sv(out, field->value);
    inf_buf_append(out, "\r\n", 2);
  }
  put_framing_fields(out, head);
  inf_buf_append(out, "\r\n", 2);
  inf_sim_must(out);
}
