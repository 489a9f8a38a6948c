/* SPDX-License-Identifier: MIT */
/* The parser of JSON lines. A line that lies whole in the bytes fed is read
 * where it lies; only one that does not is put together in ndjson->line. */
#include "wire/ndjson.h"

#include "wire/json_scan.h"

#include <infer/infer.h>

void
inf_ndjson_init(inf_ndjson *ndjson, size_t max_line_bytes)
{
  *ndjson = (inf_ndjson){.max_line_bytes = max_line_bytes};
  inf_buf_init(&ndjson->line, max_line_bytes);
}

void
inf_ndjson_fini(inf_ndjson *ndjson)
{
  inf_buf_fini(&ndjson->line);
}

void
inf_ndjson_reuse(inf_ndjson *ndjson, size_t max_line_bytes, size_t keep_bytes)
{
  inf_buf line = ndjson->line;

  inf_ndjson_init(ndjson, max_line_bytes);
  ndjson->line = line;
  inf_buf_reuse(&ndjson->line, max_line_bytes, keep_bytes);
}

static bool
stop(inf_ndjson *ndjson, int32_t status)
{
  ndjson->stopped = true;
  ndjson->status = status;
  return false;
}

static bool
take_line(inf_ndjson *ndjson, inf_sv line, inf_ndjson_fn fn, void *context)
{
  inf_sv document = inf_sv_trim(line);

  if (line.len > ndjson->max_line_bytes)
    return stop(ndjson, INFER_E_TOO_LARGE);
  if (document.len == 0)
    return true;
  ndjson->delivered = true;
  return fn(context, document) || stop(ndjson, INFER_OK);
}

static bool
grow_line(inf_ndjson *ndjson, inf_sv part)
{
  return inf_buf_append_sv(&ndjson->line, part) ||
         stop(ndjson, ndjson->line.status);
}

/* The rest of a line, up to its end. */
static bool
take_line_end(inf_ndjson *ndjson, inf_sv part, inf_ndjson_fn fn, void *context)
{
  bool go_on;

  if (ndjson->line.len == 0)
    return take_line(ndjson, part, fn, context);
  go_on = grow_line(ndjson, part) &&
          take_line(ndjson, inf_buf_sv(&ndjson->line), fn, context);
  inf_buf_clear(&ndjson->line);
  return go_on;
}

/* Gives the number of bytes taken: all, unless the parser was stopped or
 * paused. */
static size_t
feed(inf_ndjson *ndjson, const char *ptr, size_t len, inf_ndjson_fn fn,
     void *context)
{
  size_t at = 0;

  while (at < len && !ndjson->stopped &&
         !(ndjson->pausing && ndjson->delivered)) {
    inf_sv rest = inf_sv_of(ptr + at, len - at);
    inf_sv part = inf_sv_of(rest.ptr, inf_sv_find(rest, '\n'));

    if (part.len < rest.len) {
      at += part.len + 1;
      take_line_end(ndjson, part, fn, context);
    } else {
      at = len;
      grow_line(ndjson, part);
    }
  }
  return at;
}

int32_t
inf_ndjson_feed(inf_ndjson *ndjson, const char *ptr, size_t len,
                inf_ndjson_fn fn, void *context)
{
  feed(ndjson, ptr, len, fn, context);
  return ndjson->status;
}

size_t
inf_ndjson_feed_document(inf_ndjson *ndjson, const char *ptr, size_t len,
                         inf_ndjson_fn fn, void *context)
{
  ndjson->pausing = true;
  ndjson->delivered = false;
  size_t taken = feed(ndjson, ptr, len, fn, context);
  ndjson->pausing = false;
  return taken;
}

/* One value and nothing else. A number is none: more digits may be missing. */
static bool
is_whole(inf_sv document)
{
  inf_sv value;

  return inf_json_scan(document, INF_JSON_MAX_DEPTH, &value, NULL) &&
         value.len == document.len && !inf_json_is(value, INF_JSON_NUMBER);
}

int32_t
inf_ndjson_finish(inf_ndjson *ndjson, inf_ndjson_fn fn, void *context)
{
  inf_sv line = inf_buf_sv(&ndjson->line), rest = inf_sv_trim(line);

  if (ndjson->stopped)
    return ndjson->status;
  if (rest.len > 0 && !is_whole(rest))
    stop(ndjson, INFER_E_TRUNCATED);
  else if (take_line(ndjson, line, fn, context))
    stop(ndjson, INFER_OK);
  return ndjson->status;
}
