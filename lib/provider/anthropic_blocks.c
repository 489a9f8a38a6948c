/* SPDX-License-Identifier: MIT */
#include "provider/anthropic_blocks.h"

#include "infer/infer.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

/* ---- The log --------------------------------------------------------------
 */

/* At the front of the log. */
typedef struct log_head {
  bool open;      /* the last block has not ended */
  bool is_signed; /* and its signature came */
  bool special;   /* anthropic_content is needed */
  int rank;       /* of the last block, in the usual order */
  size_t last;    /* where the record of the last block stands */
} log_head;

/* How a block began, or what came of it; its JSON follows. */
typedef struct log_record {
  size_t len; /* of the JSON */
  bool begins;
  uint32_t index;
  size_t from, to; /* what it has of the answer's text, or reasoning */
} log_record;

static void
get(const inf_decoder *decoder, size_t at, void *to, size_t size)
{
  memcpy(to, decoder->carry.ptr + at, size);
}

static void
put(inf_decoder *decoder, size_t at, const void *from, size_t size)
{
  memcpy(decoder->carry.ptr + at, from, size);
}

/* False, with the decoder failed, if there is no room. */
static bool
append_record(inf_decoder *decoder, const log_record *record, inf_sv json)
{
  inf_buf *log = &decoder->carry;
  if (json.len > decoder->options.max_body_bytes ||
      log->len > decoder->options.max_body_bytes - json.len) {
    inf_decoder_fail(decoder, INFER_E_TOO_LARGE,
                     "the answer is larger than max_response_bytes");
    return false;
  }
  if (inf_buf_reserve(log, sizeof(*record) + json.len) &&
      inf_buf_append(log, record, sizeof(*record)) &&
      inf_buf_append_sv(log, json))
    return true;
  inf_decoder_fail(decoder, log->status, "");
  return false;
}

/* ---- Blocks ---------------------------------------------------------------
 */

static bool
is_type(inf_sv block, const char *type)
{
  return inf_json_equal(inf_json_get(block, INF_SV("type")), inf_sv_from(type));
}

/* Places in the usual order. */
enum { rank_none, rank_thinking, rank_text, rank_call };

static int
rank_of(inf_sv block)
{
  static const struct {
    const char *type;
    int rank;
  } ranks[] = {
      {"text", rank_text},
      {"tool_use", rank_call},
      {"thinking", rank_thinking},
      {"redacted_thinking", rank_thinking},
  };
  inf_sv type = inf_json_get(block, INF_SV("type"));
  for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
    if (inf_json_equal(type, inf_sv_from(ranks[i].type)))
      return ranks[i].rank;
  return rank_none;
}

/* Can the block, which has that rank, after one of another not be told
 * otherwise? */
static bool
is_special(inf_sv block, int rank, int rank_before)
{
  inf_sv caller = inf_json_get(block, INF_SV("caller"));
  return rank == rank_none || rank < rank_before ||
         inf_json_has_items(inf_json_get(block, INF_SV("citations"))) ||
         (inf_json_is(caller, INF_JSON_OBJECT) && !is_type(caller, "direct"));
}

const inf_tool_call *
inf_anthropic_call_of(const inf_answer *answer, uint32_t block)
{
  const inf_choice *choice = inf_answer_choice(answer, 0);
  for (size_t i = 0; choice && i < choice->tool_call_count; i++)
    if (choice->tool_calls[i].index == block)
      return &choice->tool_calls[i];
  return NULL;
}

/* What the block's text is a part of; NULL if it has none. */
static const inf_buf *
text_of(const inf_answer *answer, inf_sv block)
{
  const inf_choice *choice = inf_answer_choice(answer, 0);
  inf_sv type = inf_json_get(block, INF_SV("type"));
  if (!choice)
    return NULL;
  if (inf_json_equal(type, INF_SV("text")))
    return &choice->text;
  return inf_json_equal(type, INF_SV("thinking")) ? &choice->reasoning : NULL;
}

static size_t
text_length(const inf_answer *answer, inf_sv block)
{
  const inf_buf *text = text_of(answer, block);
  return text ? text->len : 0;
}

static inf_sv
text_between(const inf_answer *answer, inf_sv block, const log_record *record)
{
  const inf_buf *text = text_of(answer, block);
  if (!text || record->to > text->len || record->from >= record->to)
    return INF_SV("");
  return inf_sv_of(text->ptr + record->from, record->to - record->from);
}

/* ---- reasoning_details ----------------------------------------------------
 */

static void
open_detail(inf_buf *out, const char *type, uint32_t index)
{
  inf_buf_init(out, SIZE_MAX);
  inf_json_open(out, '[');
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("type"), inf_sv_from(type));
  inf_json_member_int(out, INF_SV("index"), index);
  inf_json_member_string(out, INF_SV("format"), INF_SV("anthropic-claude-v1"));
}

/* A list that is a member of the message. */
static void
add_list(inf_decoder *decoder, const char *name, inf_buf *list)
{
  inf_answer *answer = decoder->answer;
  if (list->status == INFER_OK)
    inf_answer_set_message_extra(answer, 0, inf_sv_from(name), inf_buf_sv(list),
                                 true);
  else if (answer->status == INFER_OK)
    answer->status = list->status;
  inf_buf_fini(list);
}

static void
close_detail(inf_decoder *decoder, inf_buf *out)
{
  inf_json_close(out, '}');
  inf_json_close(out, ']');
  add_list(decoder, "reasoning_details", out);
}

static bool
has_text(inf_sv value)
{
  return inf_json_is(value, INF_JSON_STRING) && value.len > 2;
}

/* A member of a block as a member of its element. */
static void
add_detail(inf_decoder *decoder, uint32_t index, const char *type, inf_sv name,
           inf_sv json)
{
  inf_buf out;
  if (!has_text(json))
    return;
  open_detail(&out, type, index);
  inf_json_member_raw(&out, name, json);
  close_detail(decoder, &out);
}

/* What a block of thinking has that is signed, when it begins or is whole. */
static void
add_signed(inf_decoder *decoder, uint32_t index, inf_sv block)
{
  inf_sv signature = inf_json_get(block, INF_SV("signature"));
  inf_sv text = inf_json_get(block, INF_SV("thinking"));
  if (is_type(block, "redacted_thinking")) {
    add_detail(decoder, index, "reasoning.encrypted", INF_SV("data"),
               inf_json_get(block, INF_SV("data")));
  } else if (is_type(block, "thinking") && has_text(signature)) {
    add_detail(decoder, index, "reasoning.text", INF_SV("text"), text);
    add_detail(decoder, index, "reasoning.text", INF_SV("signature"),
               signature);
  }
}

/* ---- A stream's blocks ----------------------------------------------------
 */

/* The head, made when there is none; false if there is no memory. */
static bool
take_head(inf_decoder *decoder, log_head *head)
{
  static const log_head none;
  inf_buf *log = &decoder->carry;
  if (log->len == 0 && !inf_buf_append(log, &none, sizeof(none))) {
    inf_decoder_fail(decoder, log->status, "");
    return false;
  }
  get(decoder, 0, head, sizeof(*head));
  return true;
}

void
inf_anthropic_open_block(inf_decoder *decoder, uint32_t index, inf_sv block)
{
  log_head head;
  inf_anthropic_close_block(decoder);
  if (!inf_json_is(block, INF_JSON_OBJECT) || !take_head(decoder, &head))
    return;
  size_t from = text_length(decoder->answer, block);
  log_record record = {block.len, true, index, from, from};
  head.last = decoder->carry.len;
  if (!append_record(decoder, &record, block))
    return;
  int rank = rank_of(block);
  head.special |= is_special(block, rank, head.rank);
  head.rank = rank;
  head.open = true;
  head.is_signed = has_text(inf_json_get(block, INF_SV("signature")));
  put(decoder, 0, &head, sizeof(head));
  if (is_type(block, "redacted_thinking"))
    add_signed(decoder, index, block);
}

void
inf_anthropic_log_delta(inf_decoder *decoder, uint32_t index, inf_sv delta)
{
  log_head head;
  log_record last;
  if (decoder->carry.len == 0 || !take_head(decoder, &head) || !head.open)
    return;
  get(decoder, head.last, &last, sizeof(last));
  log_record record = {.len = delta.len, .index = index};
  if (last.index != index || !append_record(decoder, &record, delta))
    return;
  inf_sv signature = inf_json_get(delta, INF_SV("signature"));
  if (is_type(delta, "signature_delta") && has_text(signature)) {
    head.is_signed = true;
    add_detail(decoder, index, "reasoning.text", INF_SV("signature"),
               signature);
  }
  head.special |= is_type(delta, "citations_delta");
  put(decoder, 0, &head, sizeof(head));
}

/* The text of signed thinking, when all of it is there. */
static void
add_text(inf_decoder *decoder, const log_record *record, inf_sv block)
{
  inf_buf out;
  inf_sv text = text_between(decoder->answer, block, record);
  if (text.len == 0)
    return;
  open_detail(&out, "reasoning.text", record->index);
  inf_json_member_string(&out, INF_SV("text"), text);
  close_detail(decoder, &out);
}

inf_sv
inf_anthropic_close_block(inf_decoder *decoder)
{
  log_head head;
  log_record record;
  if (decoder->carry.len == 0)
    return INF_SV("");
  get(decoder, 0, &head, sizeof(head));
  if (!head.open)
    return INF_SV("");
  head.open = false;
  put(decoder, 0, &head, sizeof(head));
  get(decoder, head.last, &record, sizeof(record));
  inf_sv block =
      inf_sv_of(decoder->carry.ptr + head.last + sizeof(record), record.len);
  record.to = text_length(decoder->answer, block);
  put(decoder, head.last, &record, sizeof(record));
  if (head.is_signed && is_type(block, "thinking")) {
    add_detail(decoder, record.index, "reasoning.text", INF_SV("signature"),
               inf_json_get(block, INF_SV("signature")));
    add_text(decoder, &record, block);
  }
  return block;
}

/* ---- The whole from the log -----------------------------------------------
 */

/* All pieces of one block, which stand one after another. */
typedef struct pieces {
  inf_members members; /* those that are joined */
  inf_buf input;       /* text of a JSON value */
  inf_buf citations;   /* an open list */
} pieces;

static void
note_status(inf_decoder *decoder, int32_t status)
{
  if (decoder->answer->status == INFER_OK)
    decoder->answer->status = status;
}

/* What the log has of it: a block's own members, or a delta's. */
static void
add_members(inf_decoder *decoder, pieces *all, inf_sv json, bool begins)
{
  inf_json_iter it = inf_json_iter_of(json);
  int32_t status = INFER_OK;
  while (status == INFER_OK && inf_json_next(&it)) {
    if (!begins && inf_json_key_is(&it, INF_SV("type")))
      continue;
    if (inf_json_key_is(&it, INF_SV("partial_json")))
      inf_json_string(it.value, &all->input);
    else if (inf_json_key_is(&it, INF_SV("citation")))
      inf_json_put_raw(&all->citations, it.value);
    else
      status = inf_members_add_piece(&all->members, it.key, it.value);
  }
  note_status(decoder, status);
}

/* "input" of a tool: what came in pieces, else what it began with. */
static void
put_input(const pieces *all, inf_sv arguments, inf_buf *out)
{
  inf_sv value = INF_SV("");
  inf_json_key(out, INF_SV("input"));
  if (inf_json_parse(arguments, INF_JSON_MAX_DEPTH, &value, NULL))
    inf_json_put_raw(out, value);
  else if (inf_members_has(&all->members, INF_SV("input")))
    inf_members_write_value(&all->members, INF_SV("input"), out);
  else
    inf_json_put_raw(out, INF_SV("{}"));
}

/* Members whose pieces are not those of the log. */
static bool
is_apart(const pieces *all, inf_sv block, inf_sv name)
{
  return (is_type(block, "text") && inf_sv_eq(name, INF_SV("text"))) ||
         (is_type(block, "thinking") && inf_sv_eq(name, INF_SV("thinking"))) ||
         inf_sv_eq(name, INF_SV("input")) ||
         (all->citations.len > 1 && inf_sv_eq(name, INF_SV("citations")));
}

static void
put_block(inf_decoder *decoder, const log_record *record, inf_sv block,
          pieces *all, inf_buf *out)
{
  const inf_answer *answer = decoder->answer;
  const inf_tool_call *call = inf_anthropic_call_of(answer, record->index);
  inf_sv arguments = inf_buf_sv(&all->input);
  inf_json_open(out, '{');
  for (size_t i = 0; i < all->members.count; i++) {
    inf_sv name = inf_buf_sv(&all->members.list[i].name);
    if (is_apart(all, block, name))
      continue;
    inf_members_put_name(out, name);
    note_status(decoder, inf_members_write_value(&all->members, name, out));
  }
  if (is_type(block, "text") || is_type(block, "thinking"))
    inf_json_member_string(
        out, inf_sv_from(is_type(block, "text") ? "text" : "thinking"),
        text_between(answer, block, record));
  if (is_type(block, "tool_use") && call)
    arguments = inf_buf_sv(&call->arguments);
  if (arguments.len > 0 || inf_members_has(&all->members, INF_SV("input")))
    put_input(all, arguments, out);
  if (all->citations.len > 1) {
    inf_json_key(out, INF_SV("citations"));
    inf_json_close(&all->citations, ']');
    inf_json_put_raw(out, inf_buf_sv(&all->citations));
  }
  inf_json_close(out, '}');
}

static log_record
record_at(const inf_decoder *decoder, size_t at, inf_sv *json)
{
  log_record record;
  get(decoder, at, &record, sizeof(record));
  *json = inf_sv_of(decoder->carry.ptr + at + sizeof(record), record.len);
  return record;
}

/* The block whose record stands there; gives where the next one's does. */
static size_t
compose_block(inf_decoder *decoder, size_t at, inf_buf *out)
{
  inf_sv block, json;
  pieces all = {0};
  log_record first = record_at(decoder, at, &block), record = first;
  inf_buf_init(&all.input, SIZE_MAX);
  inf_buf_init(&all.citations, SIZE_MAX);
  inf_json_open(&all.citations, '[');
  json = block;
  do {
    add_members(decoder, &all, json, record.begins);
    at += sizeof(record) + record.len;
    if (at < decoder->carry.len)
      record = record_at(decoder, at, &json);
  } while (at < decoder->carry.len && !record.begins);
  put_block(decoder, &first, block, &all, out);
  note_status(decoder, all.input.status);
  note_status(decoder, all.citations.status);
  inf_members_fini(&all.members);
  inf_buf_fini(&all.input);
  inf_buf_fini(&all.citations);
  return at;
}

/* An answer that goes on where another ended has not all of the content. */
void
inf_anthropic_end_blocks(inf_decoder *decoder)
{
  log_head head;
  inf_buf out;
  size_t at = sizeof(head);
  if (decoder->carry.len == 0)
    return;
  inf_anthropic_close_block(decoder);
  get(decoder, 0, &head, sizeof(head));
  if (!head.special || decoder->answer->prior_tokens > 0 ||
      decoder->answer->status != INFER_OK)
    return;
  inf_buf_init(&out, SIZE_MAX);
  inf_json_open(&out, '[');
  while (at < decoder->carry.len)
    at = compose_block(decoder, at, &out);
  inf_json_close(&out, ']');
  add_list(decoder, "anthropic_content", &out);
  inf_buf_clear(&decoder->carry); /* a second end has nothing to add */
}

/* ---- Content that came whole ----------------------------------------------
 */

void
inf_anthropic_keep_content(inf_decoder *decoder, inf_sv content)
{
  bool special = false;
  int rank = 0;
  uint32_t index = 0;
  inf_json_iter it = inf_json_iter_of(content);
  for (; inf_json_next(&it); index++) {
    int before = rank;
    rank = rank_of(it.value);
    special |= is_special(it.value, rank, before);
    add_signed(decoder, index, it.value);
  }
  if (special)
    inf_answer_set_message_extra(decoder->answer, 0,
                                 INF_SV("anthropic_content"), content, true);
}
