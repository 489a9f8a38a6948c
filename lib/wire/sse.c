/* SPDX-License-Identifier: MIT */
/* The event stream parser. Whole lines are taken from the bytes given; only a
 * line that is cut by the end of the bytes is gathered in `line`. An event of
 * one data line, by far the most common, is kept as a view (`single`) as long
 * as the bytes last, and copied only when they end before the event does. */
#include "wire/sse.h"

#include "infer/infer.h"

void
inf_sse_init(inf_sse *sse, size_t max_event_bytes)
{
  memset(sse, 0, sizeof *sse);
  inf_buf_init(&sse->line, max_event_bytes);
  inf_buf_init(&sse->data, max_event_bytes);
  inf_buf_init(&sse->event, max_event_bytes);
  inf_buf_init(&sse->error, max_event_bytes);
  sse->max_event_bytes = max_event_bytes;
}

void
inf_sse_fini(inf_sse *sse)
{
  inf_buf_fini(&sse->line);
  inf_buf_fini(&sse->data);
  inf_buf_fini(&sse->event);
  inf_buf_fini(&sse->error);
}

static int32_t
stop(inf_sse *sse, int32_t status)
{
  sse->stopped = true;
  sse->status = status;
  return status;
}

/* The blank line: the event is complete. */
static void
dispatch(inf_sse *sse, inf_sse_fn fn, void *context)
{
  if (sse->has_data || sse->has_error) {
    inf_sse_event event = {
        .event = inf_buf_sv(&sse->event),
        .data = sse->single.ptr ? sse->single : inf_buf_sv(&sse->data),
        .error = inf_buf_sv(&sse->error),
    };
    if (!fn(context, &event))
      sse->stopped = true;
  }
  inf_buf_clear(&sse->data);
  inf_buf_clear(&sse->event);
  inf_buf_clear(&sse->error);
  sse->single = (inf_sv){NULL, 0};
  sse->has_data = sse->has_error = false;
  sse->event_bytes = 0;
}

/* Another data line: the first stays a view if it can. */
static int32_t
add_data(inf_sse *sse, inf_sv value, bool lasting)
{
  if (!sse->has_data && lasting) {
    sse->single = value;
    sse->has_data = true;
    return INFER_OK;
  }
  if (sse->single.ptr) {
    inf_buf_append_sv(&sse->data, sse->single);
    sse->single = (inf_sv){NULL, 0};
  }
  if (sse->has_data)
    inf_buf_append_char(&sse->data, '\n');
  inf_buf_append_sv(&sse->data, value);
  sse->has_data = true;
  return sse->data.status;
}

static inf_sv
after_colon(inf_sv line, size_t colon)
{
  size_t skip = colon + 1;
  if (skip < line.len && line.ptr[skip] == ' ')
    skip++;
  return skip < line.len ? inf_sv_of(line.ptr + skip, line.len - skip)
                         : inf_sv_of(line.ptr + line.len, 0);
}

/* One line without its end. lasting: its bytes live until the feed returns. */
static int32_t
take_line(inf_sse *sse, inf_sv line, bool lasting, inf_sse_fn fn,
          void *context)
{
  if (line.len == 0) {
    dispatch(sse, fn, context);
    return INFER_OK;
  }
  if (line.ptr[0] == ':') {
    sse->comments++;
    return INFER_OK;
  }
  if (line.len > sse->max_event_bytes - sse->event_bytes)
    return INFER_E_TOO_LARGE;
  sse->event_bytes += line.len;
  size_t colon = inf_sv_find(line, ':');
  inf_sv name = inf_sv_of(line.ptr, colon);
  inf_sv value = colon < line.len ? after_colon(line, colon)
                                  : inf_sv_of(line.ptr + line.len, 0);
  if (inf_sv_eq(name, INF_SV("data")))
    return add_data(sse, value, lasting);
  if (inf_sv_eq(name, INF_SV("event"))) {
    inf_buf_clear(&sse->event);
    inf_buf_append_sv(&sse->event, value);
    return sse->event.status;
  }
  if (inf_sv_eq(name, INF_SV("error"))) {
    sse->has_error = true;
    inf_buf_append_sv(&sse->error, value);
    return sse->error.status;
  }
  return INFER_OK;
}

/* The first end of a line in the bytes, or end. CR is rare: it is looked for
 * only before the LF that was found. */
static const char *
line_end(const char *at, const char *end)
{
  const char *lf = memchr(at, '\n', (size_t)(end - at));
  const char *stop_at = lf ? lf : end;
  const char *cr = memchr(at, '\r', (size_t)(stop_at - at));
  return cr ? cr : stop_at;
}

/* A piece of a line whose end has not come. Of a comment only the colon is
 * kept: it may be of any length. */
static int32_t
keep_partial(inf_sse *sse, const char *at, size_t len)
{
  if (len == 0)
    return INFER_OK;
  if (sse->line.len > 0 && sse->line.ptr[0] == ':')
    return INFER_OK;
  if (sse->line.len == 0 && at[0] == ':')
    len = 1;
  if (len > sse->max_event_bytes - sse->event_bytes - sse->line.len)
    return INFER_E_TOO_LARGE;
  inf_buf_append(&sse->line, at, len);
  return sse->line.status;
}

/* Drops a BOM at the very start, which may come in pieces. */
static size_t
skip_bom(inf_sse *sse, const char *ptr, size_t len, int32_t *status)
{
  static const char bom[] = "\xef\xbb\xbf";
  size_t used = 0;
  while (sse->bom < 3 && used < len) {
    if (ptr[used] != bom[sse->bom]) {
      /* No BOM after all: what looked like one belongs to the first line. */
      *status = keep_partial(sse, bom, sse->bom);
      sse->bom = 3;
      break;
    }
    sse->bom++;
    used++;
  }
  return used;
}

/* The view of a data line does not outlive the bytes. */
static int32_t
settle_single(inf_sse *sse)
{
  if (!sse->single.ptr)
    return INFER_OK;
  inf_buf_append_sv(&sse->data, sse->single);
  sse->single = (inf_sv){NULL, 0};
  return sse->data.status;
}

int32_t
inf_sse_feed(inf_sse *sse, const char *ptr, size_t len, inf_sse_fn fn,
             void *context)
{
  if (sse->stopped)
    return sse->status;
  int32_t status = INFER_OK;
  const char *at = ptr + skip_bom(sse, ptr, len, &status), *end = ptr + len;
  while (at < end && status == INFER_OK && !sse->stopped) {
    if (sse->after_cr) {
      sse->after_cr = false;
      if (*at == '\n') {
        at++;
        continue;
      }
    }
    const char *behind = line_end(at, end);
    if (behind == end) {
      status = keep_partial(sse, at, (size_t)(end - at));
      break;
    }
    inf_sv line = inf_sv_of(at, (size_t)(behind - at));
    bool lasting = sse->line.len == 0;
    if (!lasting) {
      status = keep_partial(sse, at, line.len);
      line = inf_buf_sv(&sse->line);
    }
    if (status == INFER_OK)
      status = take_line(sse, line, lasting, fn, context);
    inf_buf_clear(&sse->line);
    sse->after_cr = *behind == '\r';
    at = behind + 1;
  }
  if (status == INFER_OK)
    status = settle_single(sse);
  return status == INFER_OK ? INFER_OK : stop(sse, status);
}

int32_t
inf_sse_finish(inf_sse *sse, inf_sse_fn fn, void *context)
{
  if (sse->stopped)
    return sse->status;
  int32_t status = INFER_OK;
  if (sse->bom > 0 && sse->bom < 3)
    status = keep_partial(sse, "\xef\xbb\xbf", sse->bom);
  sse->bom = 3;
  if (status == INFER_OK && sse->line.len > 0)
    status = take_line(sse, inf_buf_sv(&sse->line), false, fn, context);
  inf_buf_clear(&sse->line);
  if (status != INFER_OK)
    return stop(sse, status);
  dispatch(sse, fn, context);
  sse->stopped = true;
  return INFER_OK;
}
