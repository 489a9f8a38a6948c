/* SPDX-License-Identifier: MIT */
/* An event stream in pieces. The first byte says where it is cut, the second
 * sets the limit of an event; the rest is the stream. Whole, byte by byte and
 * cut anywhere it must give the events, the status and the number of comments
 * that a plain reading of the specification gives, which has the whole text
 * before it and keeps no state. */
#include "fuzz/fuzz.h"

#include "wire/sse.h"

#include <infer/infer.h>
#include <stdlib.h>

#define MAX_EVENTS 64

typedef struct digest {
  uint64_t hash;
  size_t events, comments;
  int32_t status;
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
  return ++sum->events < MAX_EVENTS;
}

static digest
run(inf_sv stream, size_t max, uint32_t seed)
{
  fuzz_cuts cuts = {seed};
  digest sum = {0};
  inf_sse sse;

  inf_sse_init(&sse, max);
  while (stream.len > 0) {
    size_t n = fuzz_next_cut(&cuts, stream.len);
    char *piece = fuzz_block(inf_sv_of(stream.ptr, n));

    inf_sse_feed(&sse, piece, n, on_event, &sum);
    free(piece);
    stream = inf_sv_of(stream.ptr + n, stream.len - n);
  }
  sum.status = inf_sse_finish(&sse, on_event, &sum);
  sum.comments = sse.comments;
  inf_sse_fini(&sse);
  return sum;
}

/* The specification, read plainly -------------------------------------- */

typedef struct plain {
  char *data, *event, *error; /* each as large as the stream */
  size_t data_len, event_len, error_len;
  bool has_data, has_error, stopped;
  size_t bytes;
} plain;

static void
plain_join(char *text, size_t *len, bool *present, inf_sv value)
{
  if (*present)
    text[(*len)++] = '\n';
  if (value.len > 0)
    memcpy(text + *len, value.ptr, value.len);
  *len += value.len;
  *present = true;
}

static void
plain_dispatch(plain *p, digest *sum)
{
  inf_sse_event event = {inf_sv_of(p->event, p->event_len),
                         inf_sv_of(p->data, p->data_len),
                         inf_sv_of(p->error, p->error_len)};

  if (p->has_data || p->has_error)
    p->stopped = !on_event(sum, &event);
  p->data_len = p->event_len = p->error_len = 0;
  p->has_data = p->has_error = false;
  p->bytes = 0;
}

static void
plain_field(plain *p, inf_sv line)
{
  size_t colon = inf_sv_find(line, ':'), skip = colon;
  inf_sv name = inf_sv_of(line.ptr, colon), value;

  skip += skip < line.len;
  skip += skip < line.len && line.ptr[skip] == ' ';
  value = inf_sv_of(line.ptr + skip, line.len - skip);
  if (inf_sv_eq(name, INF_SV("data")))
    plain_join(p->data, &p->data_len, &p->has_data, value);
  if (inf_sv_eq(name, INF_SV("error")))
    plain_join(p->error, &p->error_len, &p->has_error, value);
  if (inf_sv_eq(name, INF_SV("event"))) {
    bool none = false;

    p->event_len = 0;
    plain_join(p->event, &p->event_len, &none, value);
  }
}

static void
plain_line(plain *p, inf_sv line, size_t max, digest *sum)
{
  if (line.len == 0) {
    plain_dispatch(p, sum);
  } else if (line.ptr[0] == ':') {
    sum->comments++;
  } else if (p->bytes + line.len > max) {
    sum->status = INFER_E_TOO_LARGE;
    p->stopped = true;
  } else {
    p->bytes += line.len;
    plain_field(p, line);
  }
}

/* Takes a line with its end: LF, CRLF, CR or the end of the stream. */
static inf_sv
plain_take_line(inf_sv *rest)
{
  inf_sv line = inf_sv_of(rest->ptr, 0);

  while (line.len < rest->len && line.ptr[line.len] != '\r' &&
         line.ptr[line.len] != '\n')
    line.len++;
  size_t end = line.len;
  if (end < rest->len)
    end += rest->ptr[end] == '\r' && end + 1 < rest->len &&
                   rest->ptr[end + 1] == '\n'
               ? 2
               : 1;
  *rest = inf_sv_of(rest->ptr + end, rest->len - end);
  return line;
}

static digest
run_plain(inf_sv stream, size_t max)
{
  digest sum = {0};
  plain p = {0};

  /* What ends within its mark is as good as empty. */
  size_t mark = stream.len < 3 ? stream.len : 3;
  if (mark > 0 && memcmp(stream.ptr, "\xef\xbb\xbf", mark) == 0)
    stream = inf_sv_of(stream.ptr + mark, stream.len - mark);
  p.data = malloc(stream.len + 1);
  p.event = malloc(stream.len + 1);
  p.error = malloc(stream.len + 1);
  if (!p.data || !p.event || !p.error)
    abort();
  while (stream.len > 0 && !p.stopped) {
    plain_line(&p, plain_take_line(&stream), max, &sum);
  }
  if (!p.stopped)
    plain_dispatch(&p, &sum);
  free(p.data);
  free(p.event);
  free(p.error);
  return sum;
}

static bool
same(digest a, digest b)
{
  return a.hash == b.hash && a.events == b.events && a.comments == b.comments &&
         a.status == b.status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv stream = inf_sv_of((const char *)data, size);
  uint32_t seed = fuzz_take(&stream) + 2u;
  size_t max = (size_t)fuzz_take(&stream) * 4;

  fuzz_memory_begin();
  digest plain_sum = run_plain(stream, max);
  FUZZ_CHECK(same(run(stream, max, FUZZ_WHOLE), plain_sum));
  FUZZ_CHECK(same(run(stream, max, FUZZ_BYTEWISE), plain_sum));
  FUZZ_CHECK(same(run(stream, max, seed), plain_sum));
  /* An unfinished line and three fields, each in a buffer that doubles. */
  fuzz_memory_end(8 * max + 1024);
  return 0;
}
