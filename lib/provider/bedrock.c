/* SPDX-License-Identifier: MIT */
/* Amazon Bedrock's Converse as a dialect: its address, its headers, and the
 * signature. bedrock_write.c has the body, bedrock_read.c the answers. And
 * its Chat Completions, which are OpenAI's, signed. */
#include "provider/aws.h"
#include "provider/bedrock_read.h"
#include "provider/bedrock_write.h"
#include "provider/openai_read.h"
#include "provider/send.h"

#include "infer/infer.h"

/* Of what follows from the account: see inf_aws_sign(). */
#define SIGNATURE_BYTES ((size_t)4 << 10)

/* For all headers at once, the signature's lines too, so that no growth leaves
 * a copy of a key behind. */
static void
make_room(const inf_send *send, inf_buf *headers)
{
  inf_buf_reserve(headers, SIGNATURE_BYTES + send->auth_scheme.len +
                               2 * send->key.len + 2 * send->headers.len);
}

static int32_t
write_headers(const inf_send *send, inf_buf *headers, inf_buf *why)
{
  inf_sigv4_account account;
  make_room(send, headers);
  inf_send_write_own(send, INF_SV("Content-Type: application/json"), headers);
  inf_send_write_own(send,
                     send->stream
                         ? INF_SV("Accept: application/vnd.amazon.eventstream")
                         : INF_SV("Accept: application/json"),
                     headers);
  inf_send_write_own(send, INF_SV("User-Agent: libinfer/" INFER_VERSION),
                     headers);
  inf_send_write_fixed(send, headers);
  int32_t status = headers->status;
  if (status == INFER_OK && !inf_aws_credentials(send->key, &account))
    status = inf_send_write_key(send, headers, why);
  if (status == INFER_OK)
    status = inf_send_write_extra(send, headers, why);
  return status;
}

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  int32_t status =
      inf_send_write_url(send, inf_send_chat_path(send), &out->url, why);
  if (status == INFER_OK)
    status = write_headers(send, &out->headers, why);
  if (status == INFER_OK)
    status = inf_bedrock_write_body(send, &out->body, why);
  return status;
}

/* The models are listed by another service, at another address. */
static int32_t
write_models(const inf_send *send, inf_wire_request *out)
{
  (void)send;
  (void)out;
  return INFER_E_UNSUPPORTED;
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

static void
read_failure(inf_failure *failure, int http_status, const inf_headers *headers,
             inf_sv body, int64_t wall_now_ns)
{
  inf_classify_failure(failure, inf_provider_kind_find(INF_SV("bedrock")),
                       http_status, headers, body, wall_now_ns);
}

const inf_dialect inf_dialect_bedrock = {
    .name = "bedrock",
    .framing = INF_FRAMING_EVENTSTREAM,
    .write_chat = write_chat,
    .write_models = write_models,
    .sign = sign,
    .secret_parts = secret_parts,
    .read_body = inf_bedrock_read_body,
    .read_event = inf_bedrock_read_event,
    .read_failure = read_failure,
};

/* ---- Chat Completions ---------------------------------------------------- */

static int32_t
write_completion(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  inf_sigv4_account account;
  inf_send keyless = *send;
  make_room(send, &out->headers);
  if (inf_aws_credentials(send->key, &account))
    keyless.key = INF_SV("");
  return inf_dialect_openai.write_chat(&keyless, out, why);
}

const inf_dialect inf_dialect_bedrock_openai = {
    .name = "bedrock-openai",
    .write_chat = write_completion,
    .write_models = write_models,
    .sign = sign,
    .secret_parts = secret_parts,
    .read_body = inf_openai_read_body,
    .read_event = inf_openai_read_event,
    .read_alike = inf_openai_read_alike,
    .read_failure = read_failure,
};
