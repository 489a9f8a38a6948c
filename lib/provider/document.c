/* SPDX-License-Identifier: MIT */
#include "provider/document.h"

#include "infer/infer.h"

#include "provider/error_body.h"
#include "wire/json_scan.h"
#include "wire/utf8.h"

int32_t
inf_document_read(inf_decoder *decoder, inf_sv *text, inf_sv *value,
                  inf_json_index *index, inf_json_error *error)
{
  *error = (inf_json_error){0};
  inf_buf_clear(&decoder->scratch);
  if (!inf_utf8_valid(*text)) {
    inf_buf_clear(&decoder->repaired);
    if (!inf_utf8_append_lossy(&decoder->repaired, *text))
      return inf_decoder_fail(decoder, decoder->repaired.status, "");
    *text = inf_buf_sv(&decoder->repaired);
  }
  if (!inf_json_parse_index(*text, decoder->options.max_depth, value, index,
                            error))
    return INFER_E_PROTOCOL;
  /* A decoded string is never longer than its JSON. */
  inf_buf_reserve(&decoder->scratch, text->len);
  if (decoder->scratch.status != INFER_OK)
    return inf_decoder_fail(decoder, decoder->scratch.status, "");
  return INFER_OK;
}

static int32_t
begin(inf_decoder *decoder, inf_sv *text, inf_sv *object, inf_json_index *index,
      inf_json_error *error)
{
  int32_t status = inf_document_read(decoder, text, object, index, error);
  return status == INFER_OK && !inf_json_is(*object, INF_JSON_OBJECT)
             ? INFER_E_PROTOCOL
             : status;
}

int32_t
inf_document_begin(inf_decoder *decoder, inf_sv text, inf_sv *object,
                   inf_json_index *index)
{
  inf_json_error error;
  int32_t status = begin(decoder, &text, object, index, &error);
  if (status == INFER_E_PROTOCOL && error.status == INFER_E_TOO_DEEP)
    return inf_decoder_fail(decoder, error.status,
                            "an event is nested too deeply");
  return status;
}

int32_t
inf_document_refuse(inf_decoder *decoder, inf_sv body,
                    const inf_json_error *error)
{
  if (error->status == INFER_E_TOO_DEEP)
    return inf_decoder_fail(decoder, error->status,
                            "the answer is nested too deeply");
  if (inf_error_body_is_html(body))
    return inf_decoder_fail(decoder, INFER_E_PROTOCOL,
                            "an HTML page came instead of an answer");
  if (body.len > 0 && (body.ptr[0] == '{' || body.ptr[0] == '[') &&
      error->offset >= body.len)
    return inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                            "the answer ends before its end");
  return inf_decoder_fail(decoder, INFER_E_PROTOCOL, "the answer is not JSON");
}

int32_t
inf_document_body(inf_decoder *decoder, inf_sv body, inf_sv *object,
                  inf_json_index *index)
{
  inf_json_error error;
  body = inf_sv_trim(body);
  int32_t status = begin(decoder, &body, object, index, &error);
  if (status != INFER_E_PROTOCOL)
    return status;
  if (error.reason)
    return inf_document_refuse(decoder, body, &error);
  return inf_decoder_fail(decoder, status, "the answer is not a JSON object");
}

inf_sv
inf_document_text(inf_decoder *decoder, inf_sv value)
{
  inf_sv text;
  inf_buf *scratch = &decoder->scratch;
  if (inf_json_plain(value, &text))
    return text;
  size_t from = scratch->len;
  if (!inf_json_string(value, scratch))
    return INF_SV("");
  return inf_sv_of(scratch->ptr + from, scratch->len - from);
}

inf_sv
inf_document_member(inf_decoder *decoder, inf_sv object, const char *name)
{
  return inf_document_text(decoder, inf_json_get(object, inf_sv_from(name)));
}

int64_t
inf_document_number(inf_sv value)
{
  int64_t number;
  return inf_json_int64(value, true, &number) && number >= 0 ? number : -1;
}

int64_t
inf_document_figure(inf_sv object, const char *path)
{
  return inf_document_number(inf_json_path(object, path));
}

int64_t
inf_document_sum(int64_t a, int64_t b)
{
  if (a < 0 || b < 0)
    return a < 0 ? b : a;
  return a > INT64_MAX - b ? INT64_MAX : a + b;
}

int32_t
inf_document_fail(inf_decoder *decoder, inf_sv value)
{
  if (!inf_classify_value(&decoder->failure, decoder->options.kind,
                          decoder->http_status, &decoder->headers, value,
                          decoder->wall_now_ns))
    return inf_decoder_fail(decoder, INFER_E_SERVER,
                            "the provider ended the answer with an error");
  decoder->failed = true;
  return decoder->failure.status;
}
