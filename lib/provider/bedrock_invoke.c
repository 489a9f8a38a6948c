/* SPDX-License-Identifier: MIT */
/* Anthropic's events within Bedrock's messages. */
#include "provider/bedrock_invoke.h"

#include "infer/infer.h"

#include "provider/anthropic_read.h"
#include "provider/bedrock_read.h"
#include "wire/base64.h"
#include "wire/json_scan.h"

/* The event that the payload holds. INFER_E_PROTOCOL: none. */
static int32_t
unpack(const inf_decoder *decoder, inf_sv payload, inf_buf *out)
{
  inf_sv value, bytes;
  if (!inf_json_scan(payload, decoder->options.max_depth, &value, NULL) ||
      !inf_json_plain(inf_json_get(value, INF_SV("bytes")), &bytes))
    return INFER_E_PROTOCOL;
  return inf_base64_get(bytes, out);
}

int32_t
inf_bedrock_invoke_read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  inf_buf text;
  if (event->error.len > 0)
    return inf_bedrock_read_event(decoder, event);
  if (!inf_sv_eq(event->event, INF_SV("chunk")))
    return INFER_OK;
  inf_buf_init(&text, SIZE_MAX);
  int32_t status = unpack(decoder, event->data, &text);
  if (status == INFER_OK) {
    const inf_sse_event inner = {INF_SV(""), inf_buf_sv(&text), INF_SV("")};
    status = inf_anthropic_read_event(decoder, &inner);
  } else if (status != INFER_E_PROTOCOL) {
    status = inf_decoder_fail(decoder, status, "");
  }
  inf_buf_fini(&text);
  return status;
}
