/* SPDX-License-Identifier: MIT */
#include "few_bytes.h"

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  (void)why;
  inf_wire_request_clear(out);
  inf_buf_append_sv(&out->url, send->base_url);
  inf_buf_append_sv(&out->body, inf_buf_sv(&send->chat->messages));
  return out->url.status == INFER_OK ? out->body.status : out->url.status;
}

static int32_t
write_models(const inf_send *send, inf_wire_request *out)
{
  (void)send;
  (void)out;
  return INFER_E_UNSUPPORTED;
}

static int32_t
read_body(inf_decoder *decoder, inf_sv body)
{
  (void)body;
  return inf_decoder_fail(decoder, INFER_E_PROTOCOL, "not a stream");
}

static int32_t
read_event(inf_decoder *decoder, const inf_sse_event *event)
{
  const inf_sv stop = INF_SV("stop");
  if (event->data.len != 1)
    return INFER_E_PROTOCOL;
  if (event->data.ptr[0] != '.') {
    inf_answer_add_text(decoder->answer, 0, event->data);
    return INFER_OK;
  }
  const inf_usage usage = {1, 1, -1, -1, -1, 2, -1, -1, false};
  inf_answer_finish(decoder->answer, 0, stop, stop);
  inf_answer_set_usage(decoder->answer, &usage, INF_SV("{}"));
  return INF_DECODER_DONE;
}

static const inf_dialect few_bytes = {
    .name = "few bytes",
    .write_chat = write_chat,
    .write_models = write_models,
    .read_body = read_body,
    .read_event = read_event,
};

void
few_bytes_speak(infer_client *client)
{
  static inf_provider_kind kind;
  kind = *inf_provider_kind_find(INF_SV("openai"));
  kind.dialect = &few_bytes;
  kind.request_id_headers = "";
  for (size_t i = 0; i < client->config->provider_count; i++)
    client->config->providers[i].kind = &kind;
}
