/* SPDX-License-Identifier: MIT */
/* The state is a path: a byte that tells whether its string is open, then its
 * steps, each a '.' with a name or a '[' with a number, and a NUL. */
#include "provider/gemini_args.h"

#include "infer/infer.h"

#include "wire/json_value.h"
#include "wire/json_write.h"

enum { CLOSED = '-', OPEN = '+' };

/* ---- Paths --------------------------------------------------------------- */

/* Takes ['name'] or ["name"] or [number] off the front of the path. */
static bool
take_bracket(inf_sv *path, inf_buf *steps)
{
  size_t at = 1, from = 1;
  char quote = path->len > 1 ? path->ptr[1] : '\0';
  bool quoted = quote == '\'' || quote == '"';
  if (quoted)
    at = from = 2;
  inf_buf_append_char(steps, quoted ? '.' : '[');
  while (at < path->len && path->ptr[at] != (quoted ? quote : ']')) {
    char c = path->ptr[at++];
    if (quoted && c == '\\' && at < path->len)
      c = path->ptr[at++];
    if (c == '\0' || (!quoted && (c < '0' || c > '9')))
      return false;
    inf_buf_append_char(steps, c);
  }
  bool empty = at == from && !quoted;
  at += quoted;
  if (empty || at >= path->len || path->ptr[at] != ']')
    return false;
  *path = inf_sv_of(path->ptr + at + 1, path->len - at - 1);
  return true;
}

static bool
take_name(inf_sv *path, inf_buf *steps)
{
  size_t len = 1;
  while (len < path->len && path->ptr[len] != '.' && path->ptr[len] != '[' &&
         path->ptr[len] != '\0')
    len++;
  inf_buf_append(steps, path->ptr, len);
  *path = inf_sv_of(path->ptr + len, path->len - len);
  return len > 1;
}

static bool
read_path(inf_sv path, inf_buf *steps)
{
  if (path.len < 2 || path.ptr[0] != '$')
    return false;
  path = inf_sv_of(path.ptr + 1, path.len - 1);
  while (path.len > 0) {
    bool taken = path.ptr[0] == '.'   ? take_name(&path, steps)
                 : path.ptr[0] == '[' ? take_bracket(&path, steps)
                                      : false;
    if (!taken)
      return false;
    inf_buf_append_char(steps, '\0');
  }
  return true;
}

/* The first step, which is taken off; empty at the end. */
static inf_sv
next_step(inf_sv *steps)
{
  inf_sv step = inf_sv_of(steps->ptr, inf_sv_find(*steps, '\0'));
  size_t len = step.len < steps->len ? step.len + 1 : step.len;
  *steps = inf_sv_of(steps->ptr + len, steps->len - len);
  return step;
}

static bool
index_of(inf_sv step, long long *index)
{
  return inf_sv_to_int64(inf_sv_of(step.ptr + 1, step.len - 1), index);
}

/* ---- Text ---------------------------------------------------------------- */

static void
put_key(inf_sv step, inf_buf *out)
{
  if (step.ptr[0] != '.')
    return;
  inf_buf_append_char(out, '"');
  inf_json_escape(out, inf_sv_of(step.ptr + 1, step.len - 1));
  inf_buf_append(out, "\":", 2);
}

static void
close_steps(inf_sv steps, inf_buf *out)
{
  /* The innermost, which is the last, is closed first. */
  size_t end = steps.len;
  while (end > 0) {
    size_t start = end - 1;
    while (start > 0 && steps.ptr[start - 1] != '\0')
      start--;
    inf_buf_append_char(out, steps.ptr[start] == '.' ? '}' : ']');
    end = start;
  }
}

/* Opens what the steps go into; lists begin with their first element. */
static bool
open_steps(inf_sv steps, inf_buf *out)
{
  while (steps.len > 0) {
    long long index = 0;
    inf_sv step = next_step(&steps);
    if (step.ptr[0] == '[' && (!index_of(step, &index) || index != 0))
      return false;
    inf_buf_append_char(out, step.ptr[0] == '.' ? '{' : '[');
    put_key(step, out);
  }
  return true;
}

/* From one place to the next: closes what is left, opens what is entered. */
static bool
move(inf_sv from, inf_sv to, inf_buf *out)
{
  inf_sv old = {0}, new = {0};
  if (from.len == 0)
    return to.ptr[0] == '.' && open_steps(to, out);
  do {
    old = next_step(&from);
    new = next_step(&to);
  } while (old.len > 0 && inf_sv_eq(old, new));
  long long before = 0, after = 0;
  if (old.len == 0 || new.len == 0 || old.ptr[0] != new.ptr[0])
    return false;
  if (new.ptr[0] == '[' && (!index_of(old, &before) || !index_of(new, &after) ||
                            after - before != 1))
    return false;
  close_steps(from, out);
  inf_buf_append_char(out, ',');
  put_key(new, out);
  return open_steps(to, out);
}

/* The text between the quotes goes out as it came. */
static bool
put_value(inf_sv piece, bool goes_on, inf_buf *out)
{
  inf_sv string = inf_json_get(piece, INF_SV("stringValue"));
  inf_sv number = inf_json_get(piece, INF_SV("numberValue"));
  inf_sv boolean = inf_json_get(piece, INF_SV("boolValue"));
  if (inf_json_is(string, INF_JSON_STRING)) {
    inf_buf_append_sv(out, string);
    if (goes_on)
      inf_buf_truncate(out, out->len - (out->status == INFER_OK));
    return true;
  }
  if (goes_on)
    return false;
  if (inf_json_is(number, INF_JSON_NUMBER))
    inf_buf_append_sv(out, number);
  else if (inf_json_is(boolean, INF_JSON_TRUE) ||
           inf_json_is(boolean, INF_JSON_FALSE))
    inf_buf_append_sv(out, boolean);
  else if (inf_json_get(piece, INF_SV("nullValue")).len > 0)
    inf_buf_append(out, "null", 4);
  else
    return false;
  return true;
}

/* More of the string that is open. */
static bool
put_more(inf_sv piece, bool goes_on, inf_buf *out)
{
  inf_sv string = inf_json_get(piece, INF_SV("stringValue"));
  if (inf_json_is(string, INF_JSON_STRING))
    inf_buf_append(out, string.ptr + 1, string.len - 2);
  else if (string.len > 0)
    return false;
  if (!goes_on)
    inf_buf_append_char(out, '"');
  return true;
}

static bool
put_piece(const inf_buf *state, inf_sv steps, inf_sv piece, bool goes_on,
          inf_buf *out)
{
  bool open = state->len > 0 && state->ptr[0] == OPEN;
  inf_sv before =
      state->len > 0 ? inf_sv_of(state->ptr + 1, state->len - 1) : (inf_sv){0};
  if (open && inf_sv_eq(before, steps))
    return put_more(piece, goes_on, out);
  if (open)
    inf_buf_append_char(out, '"');
  return move(before, steps, out) && put_value(piece, goes_on, out);
}

int32_t
inf_gemini_args_piece(inf_buf *state, inf_sv piece, inf_buf *out)
{
  inf_buf path, steps;
  size_t start = out->len;
  int32_t status = INFER_E_PROTOCOL;
  bool goes_on =
      inf_json_is(inf_json_get(piece, INF_SV("willContinue")), INF_JSON_TRUE);
  inf_buf_init(&path, SIZE_MAX);
  inf_buf_init(&steps, SIZE_MAX);
  if (inf_json_string(inf_json_get(piece, INF_SV("jsonPath")), &path) &&
      read_path(inf_buf_sv(&path), &steps) && steps.status == INFER_OK &&
      put_piece(state, inf_buf_sv(&steps), piece, goes_on, out))
    status = INFER_OK;
  if (path.status != INFER_OK || steps.status != INFER_OK)
    status = INFER_E_NO_MEMORY;
  if (status == INFER_OK) {
    inf_buf_truncate(state, 0);
    inf_buf_append_char(state, goes_on ? OPEN : CLOSED);
    inf_buf_append_sv(state, inf_buf_sv(&steps));
    status = state->status != INFER_OK ? state->status : out->status;
  }
  if (status != INFER_OK)
    inf_buf_truncate(out, start);
  inf_buf_fini(&path);
  inf_buf_fini(&steps);
  return status;
}

int32_t
inf_gemini_args_end(inf_buf *state, inf_buf *out)
{
  if (state->len == 0) {
    inf_buf_append(out, "{}", 2);
    return out->status;
  }
  if (state->ptr[0] == OPEN)
    inf_buf_append_char(out, '"');
  close_steps(inf_sv_of(state->ptr + 1, state->len - 1), out);
  inf_buf_clear(state);
  return out->status;
}
