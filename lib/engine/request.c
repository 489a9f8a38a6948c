/* SPDX-License-Identifier: MIT */
/* Life of a request object; its builders are the public functions. */
#include "engine/request.h"

#include "base/mem.h"

/* One that can be changed. */
typedef struct whole {
  struct infer_request request;
  inf_request_policy policy[INF_REQUEST_MAX_POLICY];
  inf_request_tag tags[INF_REQUEST_MAX_TAGS];
  char *labels[INF_REQUEST_MAX_LABELS];
} whole;

struct infer_request *
inf_request_new(void)
{
  whole *made = inf_calloc(1, sizeof *made);
  if (!made)
    return NULL;
  struct infer_request *request = &made->request;
  inf_chat_init(&request->chat);
  inf_buf_init(&request->headers, INF_REQUEST_MAX_HEADER_BYTES);
  request->policy = made->policy;
  request->tags = made->tags;
  request->labels = made->labels;
  return request;
}

void
inf_request_free(struct infer_request *request)
{
  if (!request)
    return;
  if (request->packed) {
    inf_wipe(request->headers.ptr, request->headers.len);
    inf_free(request);
    return;
  }
  inf_chat_fini(&request->chat);
  inf_buf_fini_secret(&request->headers);
  for (size_t i = 0; i < request->label_count; i++)
    inf_free(request->labels[i]);
  for (size_t i = 0; i < request->tag_count; i++) {
    inf_free(request->tags[i].name);
    inf_free(request->tags[i].value);
  }
  inf_free(request->tenant);
  inf_free(request);
}

/* ---- Copies -------------------------------------------------------------- */

/* Hands out the memory behind a copy; without any, counts what is needed. */
typedef struct packer {
  char *at;
  size_t bytes;
} packer;

static char *
pack(packer *to, const char *text, size_t len)
{
  char *place = to->at;
  to->bytes += len + 1;
  if (!place)
    return NULL;
  memcpy(place, text, len);
  place[len] = '\0';
  to->at += len + 1;
  return place;
}

static void
pack_buf(packer *to, inf_buf *buf)
{
  if (buf->len == 0)
    *buf = (inf_buf){.max = buf->max};
  else
    buf->ptr = pack(to, buf->ptr, buf->len);
  buf->cap = buf->len > 0 ? buf->len + 1 : 0;
}

static void
pack_name(packer *to, char **name)
{
  if (*name)
    *name = pack(to, *name, strlen(*name));
}

/* The request is itself a copy, whose pointers still lead to the original. */
static void
pack_request(packer *to, struct infer_request *request)
{
  pack_buf(to, &request->chat.model);
  pack_buf(to, &request->chat.messages);
  pack_buf(to, &request->chat.members);
  pack_buf(to, &request->headers);
  for (size_t i = 0; i < request->label_count; i++)
    pack_name(to, &request->labels[i]);
  for (size_t i = 0; i < request->tag_count; i++) {
    pack_name(to, &request->tags[i].name);
    pack_name(to, &request->tags[i].value);
  }
  pack_name(to, &request->tenant);
}

/* Gives the copy lists of its own: they lie behind it, in this order, for none
 * needs a stricter alignment than the one before. Returns their end. */
static void *
copy_lists(struct infer_request *copy, const struct infer_request *request)
{
  copy->policy = (inf_request_policy *)(copy + 1);
  copy->tags = (inf_request_tag *)(copy->policy + copy->policy_count);
  copy->labels = (char **)(copy->tags + copy->tag_count);
  for (size_t i = 0; i < copy->policy_count; i++)
    copy->policy[i] = request->policy[i];
  for (size_t i = 0; i < copy->tag_count; i++)
    copy->tags[i] = request->tags[i];
  for (size_t i = 0; i < copy->label_count; i++)
    copy->labels[i] = request->labels[i];
  return copy->labels + copy->label_count;
}

static struct infer_request *
copy_with(const struct infer_request *request, const inf_buf *messages,
          size_t message_count)
{
  whole counted = {.request = *request};
  packer count = {0};
  counted.request.chat.messages = *messages;
  char *end = copy_lists(&counted.request, request);
  size_t bytes = (size_t)(end - (char *)&counted);
  pack_request(&count, &counted.request);
  struct infer_request *copy = inf_malloc(bytes + count.bytes);
  if (!copy)
    return NULL;
  *copy = *request;
  copy->chat.messages = *messages;
  copy->chat.message_count = message_count;
  copy->packed = true;
  packer to = {.at = copy_lists(copy, request)};
  pack_request(&to, copy);
  return copy;
}

struct infer_request *
inf_request_copy(const struct infer_request *request)
{
  return copy_with(request, &request->chat.messages,
                   request->chat.message_count);
}

struct infer_request *
inf_request_copy_part(const struct infer_request *request, inf_sv inputs,
                      size_t count)
{
  const inf_buf messages = {.ptr = (char *)inputs.ptr,
                            .len = inputs.len,
                            .cap = inputs.len,
                            .max = request->chat.messages.max};
  return copy_with(request, &messages, count);
}
