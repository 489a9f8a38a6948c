/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_REQUEST_H
#define INF_ENGINE_REQUEST_H

#include "infer/infer.h"
#include "provider/chat.h"

/* A request: what is asked, and how the call is to be made. */
#define INF_REQUEST_MAX_LABELS       16
#define INF_REQUEST_MAX_POLICY       8 /* as many as there are numbers */
#define INF_REQUEST_MAX_TAGS         32
#define INF_REQUEST_MAX_HEADERS      64
#define INF_REQUEST_MAX_HEADER_BYTES ((size_t)64 << 10)
#define INF_REQUEST_MAX_NAME_BYTES   256

/* A number of the route's parameters that this call has otherwise. */
typedef struct inf_request_policy {
  size_t offset; /* in inf_route_params */
  int64_t value;
} inf_request_policy;

typedef struct inf_request_tag {
  char *name, *value;
} inf_request_tag;

struct infer_request {
  inf_chat chat;
  int64_t deadline_ms; /* 0: the route's */
  inf_buf headers;     /* "Name: value" lines, each NUL-terminated */
  size_t header_count;
  /* Room for as many as there may be; of a copy, for those that there are. */
  inf_request_policy *policy;
  inf_request_tag *tags;
  char **labels;
  uint32_t policy_count, tag_count, label_count;
  char *tenant; /* or NULL */
  bool run_once;
  bool packed; /* a copy: all that it points to lies behind it */
};

/* NULL when memory is short. */
struct infer_request *inf_request_new(void);
/* A copy to be read, not to be changed: it is one block of memory, which may be
 * smaller than the struct. */
struct infer_request *inf_request_copy(const struct infer_request *request);
/* The same with some of its inputs only, given as chat.messages has them. */
struct infer_request *inf_request_copy_part(const struct infer_request *request,
                                            inf_sv inputs, size_t count);
void inf_request_free(struct infer_request *request);

#endif
