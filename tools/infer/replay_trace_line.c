/* SPDX-License-Identifier: MIT */
/* Reads one line of a trace: fields of CSV (RFC 4180), or a JSON object. */

#include "replay_trace_line.h"

#include "replay_trace.h"

#include "config/hash.h"
#include "wire/date.h"
#include "wire/json_scan.h"
#include "wire/number.h"

#include <math.h>

enum { max_fields = 64, json_depth = 16 };

#define NS_PER_S  1e9
#define NS_PER_MS 1e6
/* Seconds: about the year 2255, as far as nanoseconds of 64 bits reach. */
#define MAX_TIME_S 9e9

void
inf_replay_trace_line_init(inf_replay_trace_line *line)
{
  *line = (inf_replay_trace_line){0};
  inf_buf_init(&line->tenant, INF_REPLAY_TRACE_MAX_NAME);
  inf_buf_init(&line->model, INF_REPLAY_TRACE_MAX_NAME);
  inf_buf_init(&line->prefix, INF_REPLAY_TRACE_MAX_PREFIX * sizeof(uint64_t));
}

void
inf_replay_trace_line_fini(inf_replay_trace_line *line)
{
  inf_buf_fini(&line->tenant);
  inf_buf_fini(&line->model);
  inf_buf_fini(&line->prefix);
}

static bool
fail(const char **why, const char *text)
{
  *why = text;
  return false;
}

/* ---- Values -------------------------------------------------------------- */

/* "2023-11-16 18:17:03.9799600", with a T or a blank, with a zone or in UTC. */
static bool
read_date(inf_sv text, int64_t *wall_ns)
{
  enum { day_bytes = 10, time_bytes = 19 };
  char copy[48];
  if (text.len < time_bytes || text.len + 2 > sizeof(copy)) {
    return false;
  }
  memcpy(copy, text.ptr, text.len);
  if (copy[day_bytes] == ' ') {
    copy[day_bytes] = 'T';
  }
  bool zone = memchr(copy + time_bytes, 'Z', text.len - time_bytes) ||
              memchr(copy + time_bytes, '+', text.len - time_bytes) ||
              memchr(copy + time_bytes, '-', text.len - time_bytes);
  size_t len = text.len;
  if (!zone) {
    copy[len++] = 'Z';
  }
  return inf_parse_rfc3339(inf_sv_of(copy, len), wall_ns);
}

static bool
read_number_time(inf_sv text, double unit_ns, int64_t *wall_ns)
{
  double number;
  if (!inf_number_to_double(text, &number) ||
      !(fabs(number) * unit_ns <= MAX_TIME_S * NS_PER_S)) {
    return false;
  }
  *wall_ns = llround(number * unit_ns);
  return true;
}

static bool
read_tokens(inf_sv text, uint32_t *tokens)
{
  int64_t number;
  if (!inf_number_to_int64(text, &number) || number < 0 ||
      number > INF_REPLAY_TRACE_MAX_TOKENS) {
    return false;
  }
  *tokens = (uint32_t)number;
  return true;
}

static bool
add_block(inf_replay_trace_line *line, inf_sv name)
{
  uint64_t number = inf_fnv1a(INF_FNV_START, name);
  return inf_buf_append(&line->prefix, &number, sizeof(number));
}

/* ---- CSV ----------------------------------------------------------------- */

/* Takes a field off the front of text; a quoted one is decoded into out.
 * False where its quotes are wrong. */
static bool
take_field(inf_sv *text, inf_buf *out)
{
  inf_buf_clear(out);
  size_t at = 0;
  if (text->len == 0 || text->ptr[0] != '"') {
    at = inf_sv_find(*text, ',');
    inf_buf_append_sv(out, inf_sv_trim(inf_sv_of(text->ptr, at)));
  } else {
    bool closed = false;
    for (at = 1; !closed && at < text->len; at++) {
      bool quote = text->ptr[at] == '"';
      if (quote && at + 1 < text->len && text->ptr[at + 1] == '"') {
        at++;
      } else if (quote) {
        closed = true;
        continue;
      }
      inf_buf_append_char(out, text->ptr[at]);
    }
    if (!closed || (at < text->len && text->ptr[at] != ',')) {
      return false;
    }
  }
  *text = at < text->len ? inf_sv_of(text->ptr + at + 1, text->len - at - 1)
                         : inf_sv_of(NULL, 0);
  return true;
}

typedef struct column_name {
  const char *name;
  inf_replay_trace_column column;
} column_name;

static const column_name column_names[] = {
    {"time", INF_REPLAY_TRACE_TIME},
    {"timestamp", INF_REPLAY_TRACE_TIME},
    {"prompt_tokens", INF_REPLAY_TRACE_PROMPT},
    {"contexttokens", INF_REPLAY_TRACE_PROMPT},
    {"input_length", INF_REPLAY_TRACE_PROMPT},
    {"answer_tokens", INF_REPLAY_TRACE_ANSWER},
    {"generatedtokens", INF_REPLAY_TRACE_ANSWER},
    {"output_tokens", INF_REPLAY_TRACE_ANSWER},
    {"output_length", INF_REPLAY_TRACE_ANSWER},
    {"tenant", INF_REPLAY_TRACE_TENANT},
    {"prefix", INF_REPLAY_TRACE_PREFIX},
    {"hash_ids", INF_REPLAY_TRACE_PREFIX},
    {"model", INF_REPLAY_TRACE_MODEL},
};

static void
note_column(inf_replay_trace_columns *columns, inf_sv name, int index)
{
  for (size_t i = 0; i < sizeof(column_names) / sizeof(column_names[0]); i++) {
    int *at = &columns->at[column_names[i].column];
    if (*at < 0 && inf_sv_eq_nocase(name, inf_sv_from(column_names[i].name))) {
      *at = index;
    }
  }
}

static bool
read_header(inf_replay_trace_columns *columns, inf_sv text, const char **why)
{
  inf_buf field;
  inf_buf_init(&field, INF_REPLAY_TRACE_MAX_LINE);
  bool quotes = true;
  for (int i = 0; quotes && text.len > 0 && i < max_fields; i++) {
    quotes = take_field(&text, &field);
    note_column(columns, inf_buf_sv(&field), i);
  }
  inf_buf_fini(&field);
  columns->header = true;
  if (!quotes) {
    return fail(why, "a quoted field does not end");
  }
  if (columns->at[INF_REPLAY_TRACE_TIME] < 0 ||
      columns->at[INF_REPLAY_TRACE_PROMPT] < 0 ||
      columns->at[INF_REPLAY_TRACE_ANSWER] < 0) {
    return fail(why, "the header must have time, prompt_tokens and "
                     "answer_tokens (or the names of the Azure traces)");
  }
  return true;
}

bool
inf_replay_trace_columns_read(inf_replay_trace_columns *columns, inf_sv text,
                              const char **why)
{
  *columns = (inf_replay_trace_columns){.json = text.ptr[0] == '{'};
  for (int i = 0; i < INF_REPLAY_TRACE_COLUMNS; i++) {
    columns->at[i] = -1;
  }
  char first = text.ptr[0];
  if (columns->json) {
    return true;
  }
  if ((first >= '0' && first <= '9') || first == '.' || first == '-') {
    for (int i = 0; i <= INF_REPLAY_TRACE_PREFIX; i++) {
      columns->at[i] = i;
    }
    return true;
  }
  return read_header(columns, text, why);
}

static bool
read_blocks(inf_replay_trace_line *line, inf_sv text)
{
  bool ok = true;
  while (ok && text.len > 0) {
    size_t len = inf_sv_find(text, ' ');
    if (len > 0) {
      ok = add_block(line, inf_sv_of(text.ptr, len));
    }
    len = len < text.len ? len + 1 : len;
    text = inf_sv_of(text.ptr + len, text.len - len);
  }
  return ok;
}

static bool
read_field(inf_replay_trace_line *line, inf_replay_trace_column column,
           inf_sv text, const char **why)
{
  switch (column) {
  case INF_REPLAY_TRACE_TIME:
    return read_number_time(text, NS_PER_S, &line->wall_ns) ||
           read_date(text, &line->wall_ns) ||
           fail(why, "the time must be seconds or a date like "
                     "2023-11-16 18:17:03.97");
  case INF_REPLAY_TRACE_PROMPT:
    return read_tokens(text, &line->prompt_tokens) ||
           fail(why, "the prompt's tokens must be a number from 0 to 4000000");
  case INF_REPLAY_TRACE_ANSWER:
    return read_tokens(text, &line->answer_tokens) ||
           fail(why, "the answer's tokens must be a number from 0 to 4000000");
  case INF_REPLAY_TRACE_TENANT:
    return inf_buf_append_sv(&line->tenant, text) ||
           fail(why, "the tenant's name is longer than 256 bytes");
  case INF_REPLAY_TRACE_MODEL:
    return inf_buf_append_sv(&line->model, text) ||
           fail(why, "the model's name is longer than 256 bytes");
  default:
    return read_blocks(line, text) ||
           fail(why, "the prefix has more than 65536 blocks");
  }
}

static bool
read_csv(inf_replay_trace_line *line, const inf_replay_trace_columns *columns,
         inf_sv text, const char **why)
{
  inf_buf field;
  inf_buf_init(&field, INF_REPLAY_TRACE_MAX_LINE);
  unsigned seen = 0;
  bool ok = true;
  for (int i = 0; ok && text.ptr && i < max_fields; i++) {
    ok = take_field(&text, &field) || fail(why, "a quoted field does not end");
    for (int column = 0; ok && column < INF_REPLAY_TRACE_COLUMNS; column++) {
      if (columns->at[column] == i) {
        seen |= 1u << column;
        ok = read_field(line, (inf_replay_trace_column)column,
                        inf_buf_sv(&field), why);
      }
    }
  }
  inf_buf_fini(&field);
  const unsigned needed = 1u << INF_REPLAY_TRACE_TIME |
                          1u << INF_REPLAY_TRACE_PROMPT |
                          1u << INF_REPLAY_TRACE_ANSWER;
  if (ok && (seen & needed) != needed) {
    return fail(why, "too few fields: a time, the prompt's tokens and the "
                     "answer's are needed");
  }
  return ok;
}

/* ---- JSON ---------------------------------------------------------------- */

static bool
read_json_name(inf_sv value, inf_buf *name)
{
  return value.len == 0 || inf_json_is(value, INF_JSON_NULL) ||
         inf_json_string(value, name);
}

static bool
read_json_blocks(inf_replay_trace_line *line, inf_sv value)
{
  bool ok = value.len == 0 || inf_json_is(value, INF_JSON_ARRAY);
  inf_json_iter it = inf_json_iter_of(value);
  while (ok && inf_json_next(&it)) {
    ok = add_block(line, it.value);
  }
  return ok;
}

static bool
read_json(inf_replay_trace_line *line, inf_sv text, const char **why)
{
  inf_sv value;
  inf_json_error error;
  if (!inf_json_parse(text, json_depth, &value, &error)) {
    return fail(why, error.reason);
  }
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    return fail(why, "must be a JSON object");
  }
  if (!read_number_time(inf_json_get(value, INF_SV("timestamp")), NS_PER_MS,
                        &line->wall_ns)) {
    return fail(why, "\"timestamp\" must be a number of milliseconds");
  }
  if (!read_tokens(inf_json_get(value, INF_SV("input_length")),
                   &line->prompt_tokens)) {
    return fail(why, "\"input_length\" must be a number from 0 to 4000000");
  }
  if (!read_tokens(inf_json_get(value, INF_SV("output_length")),
                   &line->answer_tokens)) {
    return fail(why, "\"output_length\" must be a number from 0 to 4000000");
  }
  if (!read_json_name(inf_json_get(value, INF_SV("tenant")), &line->tenant) ||
      !read_json_name(inf_json_get(value, INF_SV("model")), &line->model)) {
    return fail(why, "\"tenant\" and \"model\" must be texts of at most 256 "
                     "bytes");
  }
  return read_json_blocks(line, inf_json_get(value, INF_SV("hash_ids"))) ||
         fail(why, "\"hash_ids\" must be an array of at most 65536 elements");
}

bool
inf_replay_trace_line_read(inf_replay_trace_line *line,
                           const inf_replay_trace_columns *columns, inf_sv text,
                           const char **why)
{
  inf_buf_clear(&line->tenant);
  inf_buf_clear(&line->model);
  inf_buf_clear(&line->prefix);
  bool ok = columns->json ? read_json(line, text, why)
                          : read_csv(line, columns, text, why);
  if (!ok) {
    return false;
  }
  /* Names are C strings from here on. */
  if (memchr(inf_buf_cstr(&line->tenant), '\0', line->tenant.len) ||
      memchr(inf_buf_cstr(&line->model), '\0', line->model.len)) {
    return fail(why, "a name contains a NUL");
  }
  return true;
}
