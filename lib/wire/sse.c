/* SPDX-License-Identifier: MIT */
/* The parser of server-sent events.
 *
 * Bytes come in pieces that have nothing to do with lines. A line that lies
 * whole in one piece is read where it lies; only one that does not is put
 * together in sse->line. Likewise the fields of an event are views into the
 * piece until the piece ends (or a second data line comes): only then are
 * they copied. Comments are dropped as they come, whatever their length.
 *
 * Line ends are looked for with memchr(), first LF, then CR before it. Where
 * the next LF is, is remembered until the parser has passed it, so that each
 * byte is looked at twice, however the two are mixed. */
#include "wire/sse.h"

#include "base/place.h"

#include <infer/infer.h>

static const char bom[3] = {'\xef', '\xbb', '\xbf'};

void
inf_sse_init(inf_sse *sse, size_t max_event_bytes)
{
  *sse = (inf_sse){.max_event_bytes = max_event_bytes};
  inf_buf_init(&sse->line, max_event_bytes);
  inf_buf_init(&sse->data.copy, max_event_bytes);
  inf_buf_init(&sse->event.copy, max_event_bytes);
  inf_buf_init(&sse->error.copy, max_event_bytes);
}

void
inf_sse_fini(inf_sse *sse)
{
  inf_buf_fini(&sse->line);
  inf_buf_fini(&sse->data.copy);
  inf_buf_fini(&sse->event.copy);
  inf_buf_fini(&sse->error.copy);
}

void
inf_sse_reuse(inf_sse *sse, size_t max_event_bytes, size_t keep_bytes)
{
  inf_sse kept = *sse;
  inf_sse_init(sse, max_event_bytes);
  sse->line = kept.line;
  sse->data.copy = kept.data.copy;
  sse->event.copy = kept.event.copy;
  sse->error.copy = kept.error.copy;
  inf_buf_reuse(&sse->line, max_event_bytes, keep_bytes);
  inf_buf_reuse(&sse->data.copy, max_event_bytes, keep_bytes);
  inf_buf_reuse(&sse->event.copy, max_event_bytes, keep_bytes);
  inf_buf_reuse(&sse->error.copy, max_event_bytes, keep_bytes);
}

static bool
stop(inf_sse *sse, int32_t status)
{
  sse->stopped = true;
  sse->status = status;
  return false;
}

/* Fields --------------------------------------------------------------- */

static void
field_clear(inf_sse_field *field)
{
  field->present = false;
  field->value = INF_SV("");
  if (field->copy.len > 0)
    inf_buf_clear(&field->copy);
}

/* Makes the value outlive the bytes that it lies in. */
static bool
field_keep(inf_sse *sse, inf_sse_field *field)
{
  if (!field->present || field->copy.len > 0)
    return true;
  if (!inf_buf_append_sv(&field->copy, field->value))
    return stop(sse, field->copy.status);
  field->value = inf_buf_sv(&field->copy);
  return true;
}

/* Appends a further line: "data" lines are joined by LF. */
static bool
field_join(inf_sse *sse, inf_sse_field *field, inf_sv value)
{
  if (!field_keep(sse, field))
    return false;
  if (!inf_buf_append_char(&field->copy, '\n') ||
      !inf_buf_append_sv(&field->copy, value))
    return stop(sse, field->copy.status);
  field->value = inf_buf_sv(&field->copy);
  return true;
}

static bool
field_set(inf_sse_field *field, inf_sv value)
{
  field_clear(field);
  field->present = true;
  field->value = value;
  return true;
}

static bool
field_add(inf_sse *sse, inf_sse_field *field, inf_sv value)
{
  return field->present ? field_join(sse, field, value)
                        : field_set(field, value);
}

static bool
keep_fields(inf_sse *sse)
{
  return field_keep(sse, &sse->data) && field_keep(sse, &sse->event) &&
         field_keep(sse, &sse->error);
}

static void
clear_event(inf_sse *sse)
{
  field_clear(&sse->data);
  field_clear(&sse->event);
  field_clear(&sse->error);
  sse->event_bytes = 0;
}

/* Lines ---------------------------------------------------------------- */

static bool
dispatch(inf_sse *sse, inf_sse_fn fn, void *context)
{
  bool go_on = true;

  if (sse->data.present || sse->error.present) {
    inf_sse_event event = {sse->event.value, sse->data.value, sse->error.value};

    sse->delivered = true;
    go_on = fn(context, &event);
  }
  clear_event(sse);
  return go_on || stop(sse, INFER_OK);
}

/* Splits "name: value"; a line without colon is a name. */
static void
split_field(inf_sv line, inf_sv *name, inf_sv *value)
{
  size_t colon = inf_sv_find(line, ':'), start = colon + 1;

  *name = inf_sv_of(line.ptr, colon);
  *value = INF_SV("");
  if (colon == line.len)
    return;
  if (start < line.len && line.ptr[start] == ' ')
    start++;
  *value = inf_sv_of(line.ptr + start, line.len - start);
}

static bool
too_large(const inf_sse *sse, size_t line_bytes)
{
  return line_bytes > sse->max_event_bytes - sse->event_bytes;
}

/* A finished line that is no comment. `id` and `retry` mean nothing here, as
 * nobody reconnects, and unknown fields are ignored by the specification. */
static bool
take_line(inf_sse *sse, inf_sv line, inf_sse_fn fn, void *context)
{
  inf_sv name, value;

  if (line.len == 0)
    return dispatch(sse, fn, context);
  if (too_large(sse, line.len))
    return stop(sse, INFER_E_TOO_LARGE);
  sse->event_bytes += line.len;
  split_field(line, &name, &value);
  if (inf_sv_eq(name, INF_SV("data")))
    return field_add(sse, &sse->data, value);
  if (inf_sv_eq(name, INF_SV("event")))
    return field_set(&sse->event, value);
  if (inf_sv_eq(name, INF_SV("error")))
    return field_add(sse, &sse->error, value);
  return true;
}

/* The line put together in sse->line is finished. */
static bool
take_assembled(inf_sse *sse, inf_sse_fn fn, void *context)
{
  bool go_on =
      take_line(sse, inf_buf_sv(&sse->line), fn, context) && keep_fields(sse);

  inf_buf_clear(&sse->line);
  return go_on;
}

static bool
grow_line(inf_sse *sse, inf_sv part)
{
  if (too_large(sse, sse->line.len + part.len))
    return stop(sse, INFER_E_TOO_LARGE);
  if (!inf_buf_append_sv(&sse->line, part))
    return stop(sse, sse->line.status);
  return true;
}

/* A comment begins with its colon at the start of a line. */
static void
look_for_comment(inf_sse *sse, inf_sv part)
{
  if (sse->in_comment || sse->line.len > 0 || part.len == 0 ||
      part.ptr[0] != ':')
    return;
  sse->in_comment = true;
  sse->comments++;
}

/* A piece of a line that ends the bytes, but not the line. */
static bool
take_part(inf_sse *sse, inf_sv part)
{
  look_for_comment(sse, part);
  return sse->in_comment || part.len == 0 || grow_line(sse, part);
}

/* The rest of a line, up to its end. */
static bool
take_line_end(inf_sse *sse, inf_sv part, inf_sse_fn fn, void *context)
{
  look_for_comment(sse, part);
  if (sse->in_comment) {
    sse->in_comment = false;
    return true;
  }
  if (sse->line.len == 0)
    return take_line(sse, part, fn, context);
  return grow_line(sse, part) && take_assembled(sse, fn, context);
}

/* Bytes ---------------------------------------------------------------- */

typedef struct cursor {
  const char *at, *end;
  const char *lf; /* the next at or after at, or end */
} cursor;

static const char *
find(const char *at, const char *end, char c)
{
  const char *found = memchr(at, c, (size_t)(end - at));

  return found ? found : end;
}

static const char *
line_end(cursor *in)
{
  if (in->lf < in->at)
    in->lf = find(in->at, in->end, '\n');
  return find(in->at, in->lf, '\r');
}

/* Past the line end at in->at, of which CRLF may yet lack its LF. */
static void
skip_line_end(inf_sse *sse, cursor *in)
{
  bool cr = *in->at++ == '\r';

  if (!cr)
    return;
  if (in->at == in->end)
    sse->after_cr = true;
  else if (*in->at == '\n')
    in->at++;
}

static bool
take_lines(inf_sse *sse, cursor *in, inf_sse_fn fn, void *context)
{
  while (in->at < in->end) {
    const char *start = in->at, *stop_at = line_end(in);
    inf_sv part = inf_sv_of(start, (size_t)(stop_at - start));

    in->at = stop_at;
    if (stop_at == in->end)
      return take_part(sse, part);
    /* Moved on first: the function may stop the parser for good. */
    skip_line_end(sse, in);
    if (!take_line_end(sse, part, fn, context))
      return false;
    if (sse->pausing && sse->delivered)
      return true;
  }
  return true;
}

/* Drops a byte order mark. What only began like one is given to the line. */
static bool
skip_bom(inf_sse *sse, cursor *in)
{
  while (sse->bom < sizeof(bom)) {
    if (in->at == in->end)
      return true;
    if (*in->at != bom[sse->bom]) {
      inf_sv part = inf_sv_of(bom, sse->bom);

      sse->bom = sizeof(bom);
      return take_part(sse, part);
    }
    in->at++;
    sse->bom++;
  }
  return true;
}

/* Gives the number of bytes taken: all, unless the parser was stopped or
 * paused. */
static size_t
feed(inf_sse *sse, const char *ptr, size_t len, inf_sse_fn fn, void *context)
{
  cursor in = {.at = ptr};

  if (sse->stopped || len == 0)
    return 0;
  in.end = ptr + len;
  if (!skip_bom(sse, &in))
    return 0;
  if (sse->after_cr && in.at < in.end) {
    in.at += *in.at == '\n';
    sse->after_cr = false;
  }
  if (in.at == in.end)
    return len;
  in.lf = find(in.at, in.end, '\n');
  if (take_lines(sse, &in, fn, context))
    keep_fields(sse);
  return (size_t)(in.at - ptr);
}

int32_t
inf_sse_feed(inf_sse *sse, const char *ptr, size_t len, inf_sse_fn fn,
             void *context)
{
  feed(sse, ptr, len, fn, context);
  return sse->status;
}

size_t
inf_sse_feed_event(inf_sse *sse, const char *ptr, size_t len, inf_sse_fn fn,
                   void *context)
{
  sse->pausing = true;
  sse->delivered = false;
  size_t taken = feed(sse, ptr, len, fn, context);
  sse->pausing = false;
  return taken;
}

INF_HOT bool
inf_sse_between_events(const inf_sse *sse)
{
  return sse->bom == sizeof(bom) && !sse->after_cr && !sse->in_comment &&
         !sse->stopped && sse->line.len == 0 && !sse->data.present &&
         !sse->event.present && !sse->error.present && sse->event_bytes == 0;
}

int32_t
inf_sse_finish(inf_sse *sse, inf_sse_fn fn, void *context)
{
  if (!sse->stopped &&
      (sse->line.len == 0 || take_assembled(sse, fn, context)) &&
      dispatch(sse, fn, context))
    stop(sse, INFER_OK);
  return sse->status;
}
