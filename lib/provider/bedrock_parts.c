/* SPDX-License-Identifier: MIT */
/* Implementation notes: the carry is an array of JSON that has no end yet: the
 * number of the block, its name, its pieces. A piece looks at the first two and
 * is put behind the others; one walk at the end joins them. */
#include "provider/bedrock_parts.h"

#include "infer/infer.h"

#include "wire/base64.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

/* All pieces of one block. */
typedef struct pieces {
  inf_members members, source; /* what has no place below */
  inf_buf bytes;               /* text of source.bytes, one after another */
  inf_buf blob;                /* what each of these texts stands for */
  inf_buf input;               /* text of a JSON value */
  inf_buf content;             /* an open list */
  inf_buf text;                /* one that could not be decoded in place */
  bool has_source, has_bytes, in_text;
  bool split; /* a text was no whole base64: they are pieces of one */
  int32_t status;
} pieces;

static void
pieces_init(pieces *all)
{
  *all = (pieces){0};
  inf_buf_init(&all->bytes, SIZE_MAX);
  inf_buf_init(&all->blob, SIZE_MAX);
  inf_buf_init(&all->input, SIZE_MAX);
  inf_buf_init(&all->content, SIZE_MAX);
  inf_buf_init(&all->text, SIZE_MAX);
}

static void
pieces_fini(pieces *all)
{
  inf_members_fini(&all->members);
  inf_members_fini(&all->source);
  inf_buf_fini(&all->bytes);
  inf_buf_fini(&all->blob);
  inf_buf_fini(&all->input);
  inf_buf_fini(&all->content);
  inf_buf_fini(&all->text);
}

static void
note(pieces *all, int32_t status)
{
  if (all->status == INFER_OK)
    all->status = status;
}

/* ---- Reading pieces ------------------------------------------------------ */

static void
add_bytes(pieces *all, inf_sv value)
{
  all->has_bytes = true;
  inf_buf_clear(&all->text);
  inf_json_string(value, &all->text);
  inf_buf_append_sv(&all->bytes, inf_buf_sv(&all->text));
  int32_t status = inf_base64_get(inf_buf_sv(&all->text), &all->blob);
  if (status == INFER_E_PROTOCOL)
    all->split = true;
  else
    note(all, status);
  note(all, all->text.status);
  note(all, all->bytes.status);
}

static void
add_source(pieces *all, inf_sv source)
{
  inf_json_iter it = inf_json_iter_of(source);
  all->has_source = true;
  while (inf_json_next(&it)) {
    if (inf_json_key_is(&it, INF_SV("bytes")) &&
        inf_json_is(it.value, INF_JSON_STRING))
      add_bytes(all, it.value);
    else
      note(all, inf_members_add_piece(&all->source, it.key, it.value));
  }
}

static void
end_text(pieces *all)
{
  if (!all->in_text)
    return;
  inf_buf_append_char(&all->content, '"');
  inf_json_close(&all->content, '}');
  all->in_text = false;
}

static void
begin_text(pieces *all)
{
  inf_json_open(&all->content, '{');
  inf_json_key(&all->content, INF_SV("text"));
  inf_buf_append_char(&all->content, '"');
  all->in_text = true;
}

/* Elements of a tool's result. Only the first may go on with a text. */
static void
add_content(pieces *all, inf_sv list)
{
  bool first = true;
  inf_json_iter it = inf_json_iter_of(list);
  if (all->content.len == 0)
    inf_json_open(&all->content, '[');
  for (; inf_json_next(&it); first = false) {
    inf_sv text = inf_json_get(it.value, INF_SV("text"));
    bool is_text =
        inf_json_is(text, INF_JSON_STRING) && inf_json_count(it.value) == 1;
    if (!first || !is_text)
      end_text(all);
    if (!is_text) {
      inf_json_put_raw(&all->content, it.value);
      continue;
    }
    if (!all->in_text)
      begin_text(all);
    inf_buf_append(&all->content, text.ptr + 1, text.len - 2);
  }
}

static void
add_value(pieces *all, inf_sv value)
{
  inf_json_iter it = inf_json_iter_of(value);
  if (inf_json_is(value, INF_JSON_ARRAY)) {
    add_content(all, value);
    return;
  }
  while (inf_json_next(&it)) {
    if (inf_json_key_is(&it, INF_SV("source")) &&
        inf_json_is(it.value, INF_JSON_OBJECT))
      add_source(all, it.value);
    else if (inf_json_key_is(&it, INF_SV("input")) &&
             inf_json_is(it.value, INF_JSON_STRING))
      inf_json_string(it.value, &all->input);
    else if (inf_json_key_is(&it, INF_SV("content")) &&
             inf_json_is(it.value, INF_JSON_ARRAY))
      add_content(all, it.value);
    else
      note(all, inf_members_add_piece(&all->members, it.key, it.value));
  }
}

/* ---- Writing the block --------------------------------------------------- */

static void
put_source(pieces *all, inf_buf *out)
{
  inf_json_key(out, INF_SV("source"));
  inf_json_open(out, '{');
  note(all, inf_members_write(&all->source, out));
  if (all->has_bytes && all->split) {
    inf_json_member_string(out, INF_SV("bytes"), inf_buf_sv(&all->bytes));
  } else if (all->has_bytes) {
    inf_json_key(out, INF_SV("bytes"));
    inf_buf_append_char(out, '"');
    inf_base64_put(out, inf_buf_sv(&all->blob));
    inf_buf_append_char(out, '"');
  }
  inf_json_close(out, '}');
}

/* Input that was cut is no JSON; then it is the text that came. */
static void
put_input(pieces *all, inf_buf *out)
{
  inf_sv value = INF_SV("");
  inf_sv text = inf_buf_sv(&all->input);
  if (inf_json_parse(text, INF_JSON_MAX_DEPTH, &value, NULL))
    inf_json_member_raw(out, INF_SV("input"), value);
  else
    inf_json_member_string(out, INF_SV("input"), text);
}

static void
put_value(pieces *all, inf_sv name, inf_buf *out)
{
  bool has_input = inf_members_has(&all->members, INF_SV("input"));
  inf_json_open(out, '{');
  note(all, inf_members_write(&all->members, out));
  if (!has_input && all->input.len > 0)
    put_input(all, out);
  else if (!has_input && inf_sv_eq(name, INF_SV("toolUse")))
    inf_json_member_raw(out, INF_SV("input"), INF_SV("{}"));
  if (all->has_source)
    put_source(all, out);
  if (all->content.len > 0) {
    end_text(all);
    inf_json_close(&all->content, ']');
    inf_json_member_raw(out, INF_SV("content"), inf_buf_sv(&all->content));
  }
  inf_json_close(out, '}');
}

static void
open_part(inf_buf *out, inf_sv name)
{
  inf_buf_init(out, SIZE_MAX);
  inf_json_open(out, '[');
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("type"));
  inf_buf_append_char(out, '"');
  inf_buf_append_sv(out, name);
  inf_buf_append_char(out, '"');
  inf_members_put_name(out, name);
}

static void
close_part(inf_decoder *decoder, inf_buf *out)
{
  inf_json_close(out, '}');
  inf_json_close(out, ']');
  if (out->status == INFER_OK)
    inf_answer_set_message_extra(decoder->answer, 0, INF_SV("content_parts"),
                                 inf_buf_sv(out), true);
  else
    inf_decoder_fail(decoder, out->status, "");
  inf_buf_fini(out);
}

void
inf_bedrock_keep_part(inf_decoder *decoder, inf_sv name, inf_sv value)
{
  inf_buf out;
  open_part(&out, name);
  inf_json_put_raw(&out, value);
  close_part(decoder, &out);
}

/* ---- The carry ----------------------------------------------------------- */

typedef struct open_block {
  int64_t index;
  inf_sv name;        /* raw */
  inf_json_iter next; /* its pieces */
} open_block;

/* False: none is open. */
static bool
find_open(const inf_decoder *decoder, open_block *block)
{
  const inf_buf *carry = &decoder->carry;
  if (carry->len == 0)
    return false;
  inf_json_iter it = {.at = carry->ptr + 1, .end = carry->ptr + carry->len};
  if (!inf_json_next(&it) || !inf_json_int64(it.value, false, &block->index) ||
      !inf_json_next(&it))
    return false;
  block->name = inf_sv_of(it.value.ptr + 1, it.value.len - 2);
  block->next = it;
  return true;
}

static void
open_carry(inf_buf *carry, uint32_t index, inf_sv name)
{
  inf_json_open(carry, '[');
  inf_json_put_int(carry, index);
  inf_json_put_raw(carry, INF_SV("\""));
  inf_buf_append_sv(carry, name);
  inf_buf_append_char(carry, '"');
}

void
inf_bedrock_add_piece(inf_decoder *decoder, uint32_t index, inf_sv name,
                      inf_sv value)
{
  open_block block;
  inf_buf *carry = &decoder->carry;
  if (find_open(decoder, &block) &&
      (block.index != index || !inf_sv_eq(block.name, name)))
    inf_bedrock_end_part(decoder);
  if (value.len > decoder->options.max_body_bytes ||
      carry->len > decoder->options.max_body_bytes - value.len) {
    inf_decoder_fail(decoder, INFER_E_TOO_LARGE,
                     "the answer is larger than max_response_bytes");
    return;
  }
  if (carry->len == 0)
    open_carry(carry, index, name);
  inf_json_put_raw(carry, value);
  if (carry->status != INFER_OK)
    inf_decoder_fail(decoder, carry->status, "");
}

void
inf_bedrock_end_part(inf_decoder *decoder)
{
  open_block block;
  inf_buf out;
  pieces all;
  if (decoder->failed || !find_open(decoder, &block))
    return;
  pieces_init(&all);
  while (inf_json_next(&block.next))
    add_value(&all, block.next.value);
  open_part(&out, block.name);
  put_value(&all, block.name, &out);
  note(&all, all.input.status);
  note(&all, all.content.status);
  if (out.status == INFER_OK)
    out.status = all.status;
  close_part(decoder, &out);
  pieces_fini(&all);
  inf_buf_clear(&decoder->carry);
}
