/* SPDX-License-Identifier: MIT */
/* Accessors of events. */
#include "api/guard.h"

#include "base/place.h"

/* NULL is told of like an event of no type. */
static const struct infer_event *
or_none(const infer_event *event)
{
  static const struct infer_event none;
  return event ? event : &none;
}

INF_HOT int32_t
infer_event_type(const infer_event *event)
{
  return or_none(event)->type;
}

static const char *const type_names[] = {
    "unknown",         "start",          "text",     "reasoning", "refusal",
    "tool_call_delta", "tool_call_done", "logprobs", "extra",     "finish",
    "usage",           "restart",        "done",     "attempt",
};

const char *
infer_event_type_name(const infer_event *event)
{
  size_t count = sizeof type_names / sizeof type_names[0];
  int32_t type = or_none(event)->type;
  return type_names[type > 0 && (size_t)type < count ? type : 0];
}

uint64_t
infer_event_call_id(const infer_event *event)
{
  return or_none(event)->call_id;
}

INF_HOT uint64_t
infer_event_tag(const infer_event *event)
{
  return or_none(event)->tag;
}

uint32_t
infer_event_epoch(const infer_event *event)
{
  return or_none(event)->epoch;
}

uint32_t
infer_event_choice(const infer_event *event)
{
  return or_none(event)->choice;
}

INF_HOT const char *
infer_event_text(const infer_event *event, size_t *len)
{
  if (len)
    *len = or_none(event)->text.len;
  return inf_buf_cstr(&or_none(event)->text);
}

const char *
infer_event_head(const infer_event *event, size_t *len)
{
  static const inf_buf none = {0};
  bool has_one = event && event->type == INFER_EVENT_START;
  const inf_buf *head = has_one ? &event->head : &none;
  if (len)
    *len = head->len;
  return inf_buf_cstr(head);
}

uint32_t
infer_event_tool_index(const infer_event *event)
{
  return or_none(event)->tool;
}

const char *
infer_event_tool_id(const infer_event *event)
{
  if (!event ||
      event->type == INFER_EVENT_START) /* its head is in that place */
    return "";
  return inf_buf_cstr(&event->tool_id);
}

const char *
infer_event_tool_name(const infer_event *event)
{
  return inf_buf_cstr(&or_none(event)->tool_name);
}

int32_t
infer_event_status(const infer_event *event)
{
  return or_none(event)->status;
}

const infer_response *
infer_event_response(const infer_event *event)
{
  return or_none(event)->response;
}

const infer_error *
infer_event_error(const infer_event *event)
{
  return or_none(event)->error;
}

infer_response *
infer_event_take_response(infer_event *event)
{
  if (!event)
    return NULL;
  infer_response *response = event->response;
  event->response = NULL;
  return response;
}

infer_error *
infer_event_take_error(infer_event *event)
{
  if (!event)
    return NULL;
  infer_error *error = event->error;
  event->error = NULL;
  return error;
}

INF_HOT void
infer_event_free(infer_event *event)
{
  if (!event)
    return;
  /* In a forked child the call behind an event, its queue and its client
   * are the parent's: their locks may be held for ever. */
  if (event->call &&
      event->call->client->fork_generation != inf_fork_generation())
    return;
  inf_event_free(event);
}
