/* SPDX-License-Identifier: MIT */
#include "provider/failure.h"

#include "infer/infer.h"

#include "wire/utf8.h"

#define MAX_MESSAGE_BYTES 4096
#define MAX_WORD_BYTES    256

void
inf_failure_init(inf_failure *failure)
{
  *failure = (inf_failure){.hint_ns = -1, .should_retry = -1};
  inf_buf_init(&failure->message, MAX_MESSAGE_BYTES);
  inf_buf_init(&failure->type, MAX_WORD_BYTES);
  inf_buf_init(&failure->code, MAX_WORD_BYTES);
  inf_buf_init(&failure->param, MAX_WORD_BYTES);
  inf_buf_init(&failure->request_id, MAX_WORD_BYTES);
}

void
inf_failure_fini(inf_failure *failure)
{
  inf_buf_fini(&failure->message);
  inf_buf_fini(&failure->type);
  inf_buf_fini(&failure->code);
  inf_buf_fini(&failure->param);
  inf_buf_fini(&failure->request_id);
}

void
inf_failure_clear(inf_failure *failure)
{
  failure->status = INFER_OK;
  failure->http_status = 0;
  failure->body_status = 0;
  failure->hint_ns = -1;
  failure->should_retry = -1;
  failure->loading = false;
  inf_buf_clear(&failure->message);
  inf_buf_clear(&failure->type);
  inf_buf_clear(&failure->code);
  inf_buf_clear(&failure->param);
  inf_buf_clear(&failure->request_id);
}

/* The last byte of the buffer that begins a UTF-8 sequence, when the sequence
 * is cut there; the length otherwise. */
static size_t
whole_characters(inf_sv text)
{
  size_t len = text.len;
  size_t back = 0;
  while (back < 3 && back < len &&
         ((unsigned char)text.ptr[len - 1 - back] & 0xC0) == 0x80)
    back++;
  if (back == len)
    return len;
  unsigned char lead = (unsigned char)text.ptr[len - 1 - back];
  size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return need > back + 1 ? len - 1 - back : len;
}

static inf_sv
cut(inf_sv text, size_t max_bytes)
{
  if (text.len <= max_bytes)
    return text;
  inf_sv front = inf_sv_of(text.ptr, max_bytes);
  return inf_sv_of(text.ptr, whole_characters(front));
}

void
inf_failure_set_text(inf_buf *buf, inf_sv text)
{
  inf_buf repaired;
  inf_buf_clear(buf);
  text = cut(text, buf->max);
  if (inf_utf8_valid(text)) {
    inf_buf_append_sv(buf, text);
    return;
  }
  inf_buf_init(&repaired, SIZE_MAX);
  if (inf_utf8_append_lossy(&repaired, text))
    inf_buf_append_sv(buf, cut(inf_buf_sv(&repaired), buf->max));
  inf_buf_fini(&repaired);
}
