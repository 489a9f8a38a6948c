/* SPDX-License-Identifier: MIT */
/* Amazon Bedrock's Converse as a dialect: its address, its headers, and the
 * signature. bedrock_write.c has the body, bedrock_read.c the answers. And
 * its Chat Completions, which are OpenAI's, signed. */
#include "provider/aws.h"
#include "provider/bedrock_read.h"
#include "provider/bedrock_write.h"
#include "provider/embed.h"
#include "provider/model_list.h"
#include "provider/openai_read.h"
#include "provider/send.h"

#include "infer/infer.h"

/* Of what follows from the account: see inf_aws_sign(). */
#define SIGNATURE_BYTES ((size_t)4 << 10)

/* The same without a key that signs and does not go out. All headers get their
 * memory at once, the signature's lines too, so that no growth leaves a copy of
 * a key behind. */
static inf_send
begin(const inf_send *given, inf_buf *headers)
{
  inf_send send = *given;
  inf_sigv4_account account;
  inf_buf_reserve(headers, SIGNATURE_BYTES + send.auth_scheme.len +
                               2 * send.key.len + 2 * send.headers.len);
  if (inf_aws_credentials(send.key, &account))
    send.key = INF_SV("");
  return send;
}

static int32_t
write_chat(const inf_send *given, inf_wire_request *out, inf_buf *why)
{
  inf_send send = begin(given, &out->headers);
  inf_sv accept = send.stream
                      ? INF_SV("Accept: application/vnd.amazon.eventstream")
                      : INF_ACCEPT_JSON;
  int32_t status = inf_send_write_head(&send, accept, out, why);
  if (status == INFER_OK)
    status = inf_bedrock_write_body(&send, &out->body, why);
  return status;
}

static int32_t
write_embed(const inf_send *given, inf_wire_request *out, inf_buf *why)
{
  inf_send send = begin(given, &out->headers);
  int32_t status = inf_send_write_head_to(&send, "/model/{model}/invoke",
                                          INF_ACCEPT_JSON, out, why);
  if (status == INFER_OK)
    status = inf_bedrock_write_embed_body(&send, &out->body, why);
  return status;
}

/* Models are listed by another host than that which runs them. */
static int32_t
write_models(const inf_send *given, inf_wire_request *out)
{
  inf_buf base;
  inf_send send = begin(given, &out->headers);
  inf_buf_init(&base, send.base_url.len + 1);
  inf_bedrock_list_base(send.base_url, &base);
  send.base_url = inf_buf_sv(&base);
  int32_t status = base.status;
  if (status == INFER_OK)
    status = inf_send_write_models(&send, out);
  inf_buf_fini(&base);
  return status;
}

static int32_t
sign(const inf_send *send, inf_wire_request *request, int64_t wall_now_ns,
     inf_buf *why)
{
  inf_sigv4_account account = {.service = INF_SV("bedrock"),
                               .region = send->region};
  if (!inf_aws_credentials(send->key, &account))
    return INFER_OK;
  return inf_aws_sign(&account, inf_buf_sv(&request->url),
                      inf_buf_sv(&request->body), wall_now_ns,
                      &request->headers, why);
}

/* AWS explains a refused signature by all that should have been signed, the
 * token among it. */
static size_t
secret_parts(inf_sv key, inf_sv parts[INF_SECRET_PARTS_MAX])
{
  inf_sigv4_account account;
  if (!inf_aws_credentials(key, &account))
    return 0;
  parts[0] = account.secret_access_key;
  parts[1] = account.session_token;
  return 2;
}

const inf_dialect inf_dialect_bedrock = {
    .name = "bedrock",
    .framing = INF_FRAMING_EVENTSTREAM,
    .write_chat = write_chat,
    .write_models = write_models,
    .next_models = inf_bedrock_next_models,
    .write_embed = write_embed,
    .read_embed = inf_bedrock_read_embed,
    .sign = sign,
    .secret_parts = secret_parts,
    .read_body = inf_bedrock_read_body,
    .read_event = inf_bedrock_read_event,
};

/* ---- Chat Completions ---------------------------------------------------- */

static int32_t
write_completion(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  inf_send keyless = begin(send, &out->headers);
  return inf_dialect_openai.write_chat(&keyless, out, why);
}

const inf_dialect inf_dialect_bedrock_openai = {
    .name = "bedrock-openai",
    .write_chat = write_completion,
    .write_models = write_models,
    .next_models = inf_bedrock_next_models,
    .sign = sign,
    .secret_parts = secret_parts,
    .read_body = inf_openai_read_body,
    .read_event = inf_openai_read_event,
    .read_alike = inf_openai_read_alike,
};
