/* SPDX-License-Identifier: MIT */
/* Life of a request object; its builders are the public functions. */
#include "engine/request.h"

#include "base/mem.h"

struct infer_request *
inf_request_new(void)
{
  struct infer_request *request = inf_calloc(1, sizeof *request);
  if (!request)
    return NULL;
  inf_chat_init(&request->chat);
  inf_buf_init(&request->headers, INF_REQUEST_MAX_HEADER_BYTES);
  return request;
}

void
inf_request_free(struct infer_request *request)
{
  if (!request)
    return;
  inf_chat_fini(&request->chat);
  inf_buf_fini_secret(&request->headers);
  for (size_t i = 0; i < request->label_count; i++)
    inf_free(request->labels[i]);
  for (size_t i = 0; i < request->tag_count; i++) {
    inf_free(request->tag_names[i]);
    inf_free(request->tag_values[i]);
  }
  inf_free(request->tenant);
  inf_free(request);
}

static char *
duplicate(const char *text)
{
  return inf_strndup(text, strlen(text));
}

/* Copies labels, tags and tenant; what was copied is counted, so that a
 * failure can be freed. */
static bool
copy_names(struct infer_request *to, const struct infer_request *from)
{
  for (; to->label_count < from->label_count; to->label_count++) {
    char *label = duplicate(from->labels[to->label_count]);
    if (!label)
      return false;
    to->labels[to->label_count] = label;
  }
  for (; to->tag_count < from->tag_count; to->tag_count++) {
    char *name = duplicate(from->tag_names[to->tag_count]);
    char *value = duplicate(from->tag_values[to->tag_count]);
    if (!name || !value) {
      inf_free(name);
      inf_free(value);
      return false;
    }
    to->tag_names[to->tag_count] = name;
    to->tag_values[to->tag_count] = value;
  }
  if (from->tenant && !(to->tenant = duplicate(from->tenant)))
    return false;
  return true;
}

struct infer_request *
inf_request_copy(const struct infer_request *request)
{
  struct infer_request *copy = inf_request_new();
  if (!copy)
    return NULL;
  copy->deadline_ms = request->deadline_ms;
  copy->run_once = request->run_once;
  copy->header_count = request->header_count;
  bool ok = inf_chat_copy(&copy->chat, &request->chat) == INFER_OK &&
            copy_names(copy, request);
  if (ok && request->headers.len > 0)
    ok = inf_buf_append_sv(&copy->headers, inf_buf_sv(&request->headers));
  if (!ok) {
    inf_request_free(copy);
    return NULL;
  }
  return copy;
}
