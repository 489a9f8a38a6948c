/* SPDX-License-Identifier: MIT */
#include "provider/openai_reader.h"

#include "infer/infer.h"

void
inf_openai_fail(inf_openai_reader *reader, int32_t status)
{
  if (reader->answer->status == INFER_OK)
    reader->answer->status = status;
}

void
inf_openai_spoil(inf_openai_reader *reader)
{
  if (reader->guess)
    inf_guess_spoil(reader->guess);
}

void
inf_openai_hole(inf_openai_reader *reader, inf_hole_kind kind, inf_sv value,
                const char *name)
{
  if (reader->guess)
    inf_guess_hole(reader->guess, kind, value, name);
}

bool
inf_openai_says(const inf_openai_reader *reader, inf_sv value, inf_sv text)
{
  if (inf_json_index_may_escape(reader->index, value))
    return inf_json_equal(value, text);
  return inf_openai_is_string(value) && value.len == text.len + 2 &&
         inf_swar_same(value.ptr + 1, text.ptr, text.len);
}

/* Decoded text is never longer than what it was decoded from, and each value
 * is decoded once: so one reservation holds all texts of an event, and they
 * stay where they are. */
inf_sv
inf_openai_decoded(inf_openai_reader *reader, inf_sv value)
{
  inf_buf *scratch = &reader->decoder->scratch;
  inf_sv text;
  if (reader->valid ? inf_json_plain_in_valid(value, &text)
                    : inf_json_plain(value, &text))
    return text;
  if (scratch->len == 0)
    inf_buf_reserve(scratch, reader->text.len);
  size_t start = scratch->len;
  if (scratch->status != INFER_OK || !inf_json_string(value, scratch)) {
    inf_openai_fail(reader, INFER_E_NO_MEMORY);
    return INF_SV("");
  }
  return inf_sv_of(scratch->ptr + start, scratch->len - start);
}
