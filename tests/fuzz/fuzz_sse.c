/* SPDX-License-Identifier: MIT */
/* An event stream in pieces: the first byte seeds where it is cut, the second
 * sets the limit. The pieces must give the events, the status and the number
 * of comments that the whole gives. */
#include "wire/sse.h"

#include <infer/infer.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct digest {
  uint64_t hash;
  size_t events;
} digest;

static void
mix(digest *sum, inf_sv text)
{
  for (size_t i = 0; i < text.len; i++)
    sum->hash = (sum->hash ^ (unsigned char)text.ptr[i]) * 1099511628211u;
  sum->hash = (sum->hash ^ text.len) * 1099511628211u;
}

static bool
on_event(void *context, const inf_sse_event *event)
{
  digest *sum = context;

  mix(sum, event->event);
  mix(sum, event->data);
  mix(sum, event->error);
  return ++sum->events < 64;
}

static void
feed(inf_sse *sse, const uint8_t *data, size_t size, digest *sum)
{
  char *piece = malloc(size ? size : 1);

  if (!piece)
    abort();
  memcpy(piece, data, size);
  inf_sse_feed(sse, piece, size, on_event, sum);
  free(piece);
}

static int32_t
run(const uint8_t *data, size_t size, size_t max, uint32_t seed, digest *sum,
    size_t *comments)
{
  inf_sse sse;
  int32_t status;

  *sum = (digest){0};
  inf_sse_init(&sse, max);
  while (size > 0) {
    size_t n = seed == 0 ? size : 1 + seed % 13;

    if (n > size)
      n = size;
    feed(&sse, data, n, sum);
    data += n;
    size -= n;
    seed = seed ? seed * 1664525u + 1013904223u : 0;
  }
  status = inf_sse_finish(&sse, on_event, sum);
  *comments = sse.comments;
  inf_sse_fini(&sse);
  return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  digest whole, cut;
  size_t comments, comments_cut, max;
  int32_t status;

  if (size < 2)
    return 0;
  max = (size_t)data[1] * 4;
  status = run(data + 2, size - 2, max, 0, &whole, &comments);
  if (run(data + 2, size - 2, max, data[0] + 1u, &cut, &comments_cut) !=
          status ||
      whole.hash != cut.hash || whole.events != cut.events ||
      comments != comments_cut)
    abort();
  return 0;
}
