/* SPDX-License-Identifier: MIT */
/* Requests for embeddings, by dialect. The inputs go out as the caller's JSON
 * has them; see embed.h for the members. */
#include "provider/embed.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "provider/openai_send.h"
#include "provider/send.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

/* ---- Shared -------------------------------------------------------------- */

static inf_sv
inputs_of(const inf_send *send)
{
  return inf_buf_sv(&send->chat->messages);
}

static inf_sv
member_of(const inf_send *send, const char *name)
{
  return inf_chat_member(send->chat, inf_sv_from(name));
}

static void
put_inputs(const inf_send *send, inf_sv name, inf_buf *body)
{
  inf_json_key(body, name);
  inf_json_open(body, '[');
  inf_json_put_raw(body, inputs_of(send));
  inf_json_close(body, ']');
}

static void
put_renamed(const inf_send *send, const char *name, inf_sv to, inf_buf *body)
{
  inf_sv value = member_of(send, name);
  if (value.len > 0)
    inf_json_member_raw(body, to, value);
}

/* Token numbers mean something to the one tokenizer only. */
static int32_t
check_texts(const inf_send *send, inf_buf *why)
{
  inf_sv inputs = inputs_of(send);
  inf_json_iter it = {.at = inputs.ptr, .end = inputs.ptr + inputs.len};
  while (inf_json_next(&it)) {
    if (inf_json_is(it.value, INF_JSON_STRING))
      continue;
    inf_buf_append_cstr(why, "this provider takes texts, not token numbers");
    return INFER_E_UNSUPPORTED;
  }
  return INFER_OK;
}

static bool
is_one_of(const inf_json_iter *it, const char *const *names)
{
  for (; *names; names++)
    if (inf_json_key_is(it, inf_sv_from(*names)))
      return true;
  return false;
}

/* All members but those. */
static void
put_others(const inf_send *send, const char *const *but, inf_buf *body)
{
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&send->chat->members));
  while (inf_json_next(&it)) {
    if (is_one_of(&it, but))
      continue;
    inf_members_put_name(body, it.key);
    inf_json_put_raw(body, it.value);
  }
}

/* Those go nowhere, since the service has no place for them. */
static void
note_left_out(const inf_send *send, const char *names)
{
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&send->chat->members));
  while (inf_json_next(&it))
    if (inf_member_is_listed(&it, names))
      inf_member_note_dropped(send, &it);
}

/* ---- OpenAI -------------------------------------------------------------- */

/* The service itself, not one of those that speak its language under the same
 * type. */
static bool
is_openai(const inf_send *send)
{
  const inf_provider_kind *kind = send->kind;
  return kind->embed_base64 &&
         (!kind->base_url ||
          inf_sv_eq(send->base_url, inf_sv_from(kind->base_url)));
}

/* Beside the chat's address. */
static int32_t
openai_path(const inf_provider_kind *kind, inf_buf *path)
{
  const inf_sv chat = INF_SV("chat/completions");
  inf_sv whole = inf_sv_from(kind->chat_path);
  if (whole.len < chat.len ||
      !inf_sv_eq(inf_sv_of(whole.ptr + whole.len - chat.len, chat.len), chat))
    return INFER_E_UNSUPPORTED;
  inf_buf_append(path, whole.ptr, whole.len - chat.len);
  inf_buf_append_cstr(path, "embeddings");
  return path->status;
}

/* Vectors in base64 are a quarter as long as in digits, and exact; services
 * that are not known to send them are asked for what every one has. */
static void
write_openai_body(const inf_send *send, inf_buf *body)
{
  static const char *const ours[] = {"encoding_format", "input_type", NULL};
  static const char *const theirs[] = {"encoding_format", NULL};
  bool openai = is_openai(send);
  note_left_out(send, openai ? "input_type" : "");
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("model"), send->model);
  put_inputs(send, INF_SV("input"), body);
  if (openai)
    inf_json_member_string(body, INF_SV("encoding_format"), INF_SV("base64"));
  else
    put_renamed(send, "encoding_format", INF_SV("encoding_format"), body);
  put_others(send, openai ? ours : theirs, body);
  inf_json_close(body, '}');
}

int32_t
inf_openai_write_embed(const inf_send *send, inf_wire_request *out,
                       inf_buf *why)
{
  char memory[128];
  inf_buf path;
  inf_buf_init(&path, sizeof memory);
  inf_buf_lend(&path, memory, sizeof memory);
  int32_t status = openai_path(send->kind, &path);
  if (status == INFER_OK)
    status = inf_send_write_url(send, path.ptr, &out->url, why);
  inf_buf_fini(&path);
  if (status == INFER_OK)
    status = inf_openai_write_headers(send, true, false, &out->headers, why);
  if (status != INFER_OK)
    return status;
  write_openai_body(send, &out->body);
  return out->body.status;
}

/* ---- Cohere -------------------------------------------------------------- */

static const char *const cohere_own[] = {
    "dimensions", "encoding_format", "user",
    "input_type", "embedding_types", NULL};

/* Models from version 3 on want to know what a text is for; a text that is kept
 * to be found is the usual one. */
static void
put_cohere_members(const inf_send *send, inf_buf *body)
{
  inf_sv input_type = member_of(send, "input_type");
  note_left_out(send, "user embedding_types");
  put_inputs(send, INF_SV("texts"), body);
  inf_json_member_raw(body, INF_SV("input_type"),
                      input_type.len > 0 ? input_type
                                         : INF_SV("\"search_document\""));
  inf_json_member_raw(body, INF_SV("embedding_types"), INF_SV("[\"float\"]"));
  put_renamed(send, "dimensions", INF_SV("output_dimension"), body);
  put_others(send, cohere_own, body);
}

int32_t
inf_cohere_write_embed(const inf_send *send, inf_wire_request *out,
                       inf_buf *why)
{
  int32_t status = check_texts(send, why);
  if (status == INFER_OK)
    status =
        inf_send_write_head_to(send, "/v2/embed", INF_ACCEPT_JSON, out, why);
  if (status != INFER_OK)
    return status;
  inf_json_open(&out->body, '{');
  inf_json_member_string(&out->body, INF_SV("model"), send->model);
  put_cohere_members(send, &out->body);
  inf_json_close(&out->body, '}');
  return out->body.status;
}

/* ---- Gemini -------------------------------------------------------------- */

/* Cohere's words for what a text is for, as Gemini's. */
static inf_sv
task_of(inf_sv input_type)
{
  static const struct {
    const char *from, *to;
  } tasks[] = {
      {"search_document", "\"RETRIEVAL_DOCUMENT\""},
      {"search_query", "\"RETRIEVAL_QUERY\""},
      {"classification", "\"CLASSIFICATION\""},
      {"clustering", "\"CLUSTERING\""},
  };
  for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++)
    if (inf_json_equal(input_type, inf_sv_from(tasks[i].from)))
      return inf_sv_from(tasks[i].to);
  return input_type;
}

static int32_t
check_gemini_members(const inf_send *send, const char *const *known,
                     inf_buf *why)
{
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&send->chat->members));
  while (inf_json_next(&it)) {
    if (is_one_of(&it, known))
      continue;
    inf_buf_append_cstr(why, "Gemini's embeddings have nothing like \"");
    inf_buf_append_sv(why, it.key);
    inf_buf_append_char(why, '"');
    return INFER_E_UNSUPPORTED;
  }
  return INFER_OK;
}

static void
put_task(const inf_send *send, const char *name, inf_buf *body)
{
  inf_sv task = task_of(member_of(send, "input_type"));
  if (task.len > 0)
    inf_json_member_raw(body, inf_sv_from(name), task);
}

static void
put_content(inf_sv text, inf_buf *body)
{
  inf_json_key(body, INF_SV("content"));
  inf_json_open(body, '{');
  inf_json_key(body, INF_SV("parts"));
  inf_json_open(body, '[');
  inf_json_open(body, '{');
  inf_json_member_raw(body, INF_SV("text"), text);
  inf_json_close(body, '}');
  inf_json_close(body, ']');
  inf_json_close(body, '}');
}

/* Each input is a request of its own within the batch. */
static void
put_gemini_request(const inf_send *send, inf_sv text, inf_buf *body)
{
  inf_json_open(body, '{');
  inf_json_key(body, INF_SV("model"));
  inf_json_put_string(body, INF_SV("models/"));
  inf_buf_truncate(body, body->len - 1); /* the quote */
  inf_json_escape(body, send->model);
  inf_buf_append_char(body, '"');
  put_content(text, body);
  put_task(send, "taskType", body);
  put_renamed(send, "dimensions", INF_SV("outputDimensionality"), body);
  inf_json_close(body, '}');
}

static void
put_gemini_batch(const inf_send *send, inf_buf *body)
{
  inf_json_key(body, INF_SV("requests"));
  inf_json_open(body, '[');
  inf_sv inputs = inputs_of(send);
  inf_json_iter it = {.at = inputs.ptr, .end = inputs.ptr + inputs.len};
  while (inf_json_next(&it))
    put_gemini_request(send, it.value, body);
  inf_json_close(body, ']');
}

/* On Vertex AI models are asked as all of its models of former days are, except
 * Gemini's after the first. */
static void
put_vertex_prediction(const inf_send *send, inf_buf *body)
{
  inf_json_key(body, INF_SV("instances"));
  inf_json_open(body, '[');
  inf_sv inputs = inputs_of(send);
  inf_json_iter it = {.at = inputs.ptr, .end = inputs.ptr + inputs.len};
  while (inf_json_next(&it)) {
    inf_json_open(body, '{');
    inf_json_member_raw(body, INF_SV("content"), it.value);
    put_task(send, "task_type", body);
    inf_json_close(body, '}');
  }
  inf_json_close(body, ']');
  inf_json_key(body, INF_SV("parameters"));
  inf_json_open(body, '{');
  put_renamed(send, "dimensions", INF_SV("outputDimensionality"), body);
  put_renamed(send, "autoTruncate", INF_SV("autoTruncate"), body);
  inf_json_close(body, '}');
}

static int32_t
put_vertex_content(const inf_send *send, inf_buf *body, inf_buf *why)
{
  if (send->chat->message_count > 1) {
    inf_buf_append_cstr(why, "this model takes one text at a time (set "
                             "embed_inputs to 1)");
    return INFER_E_UNSUPPORTED;
  }
  put_content(inputs_of(send), body);
  inf_json_key(body, INF_SV("embedContentConfig"));
  inf_json_open(body, '{');
  put_task(send, "taskType", body);
  put_renamed(send, "dimensions", INF_SV("outputDimensionality"), body);
  put_renamed(send, "autoTruncate", INF_SV("autoTruncate"), body);
  inf_json_close(body, '}');
  return INFER_OK;
}

static bool
is_embed_content(inf_sv model)
{
  const inf_sv gemini = INF_SV("gemini"),
               first = INF_SV("gemini-embedding-001");
  return inf_sv_starts_with(model, gemini) && !inf_sv_eq(model, first);
}

static int32_t
write_vertex_embed(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  static const char *const known[] = {"dimensions", "encoding_format", "user",
                                      "input_type", "autoTruncate",    NULL};
  bool content = is_embed_content(send->model);
  const char *path = content ? "/publishers/google/models/{model}:embedContent"
                             : "/publishers/google/models/{model}:predict";
  int32_t status = check_gemini_members(send, known, why);
  if (status == INFER_OK)
    status = inf_send_write_head_to(send, path, INF_ACCEPT_JSON, out, why);
  if (status != INFER_OK)
    return status;
  note_left_out(send, "user");
  inf_json_open(&out->body, '{');
  if (content)
    status = put_vertex_content(send, &out->body, why);
  else
    put_vertex_prediction(send, &out->body);
  inf_json_close(&out->body, '}');
  return status == INFER_OK ? out->body.status : status;
}

int32_t
inf_gemini_write_embed(const inf_send *given, inf_wire_request *out,
                       inf_buf *why)
{
  static const char *const known[] = {"dimensions", "encoding_format", "user",
                                      "input_type", NULL};
  inf_send send = *given;
  const inf_sv prefix = INF_SV("models/");
  if (inf_sv_starts_with(send.model, prefix))
    send.model =
        inf_sv_of(send.model.ptr + prefix.len, send.model.len - prefix.len);
  int32_t status = check_texts(&send, why);
  if (status == INFER_OK && send.kind->embed_predict)
    return write_vertex_embed(&send, out, why);
  if (status == INFER_OK)
    status = check_gemini_members(&send, known, why);
  if (status == INFER_OK)
    status = inf_send_write_head_to(&send, "/models/{model}:batchEmbedContents",
                                    INF_ACCEPT_JSON, out, why);
  if (status != INFER_OK)
    return status;
  note_left_out(&send, "user");
  inf_json_open(&out->body, '{');
  put_gemini_batch(&send, &out->body);
  inf_json_close(&out->body, '}');
  return out->body.status;
}

/* ---- Ollama -------------------------------------------------------------- */

int32_t
inf_ollama_write_embed(const inf_send *send, inf_wire_request *out,
                       inf_buf *why)
{
  static const char *const own[] = {"encoding_format", "user", "input_type",
                                    NULL};
  int32_t status = check_texts(send, why);
  if (status == INFER_OK)
    status =
        inf_send_write_head_to(send, "/api/embed", INF_ACCEPT_JSON, out, why);
  if (status != INFER_OK)
    return status;
  note_left_out(send, "user input_type");
  inf_json_open(&out->body, '{');
  inf_json_member_string(&out->body, INF_SV("model"), send->model);
  put_inputs(send, INF_SV("input"), &out->body);
  put_others(send, own, &out->body);
  inf_json_close(&out->body, '}');
  return out->body.status;
}

/* ---- Bedrock ------------------------------------------------------------- */

/* The first version has neither dimensions nor anything else to choose: the
 * service says so itself. */
static void
put_titan(const inf_send *send, inf_buf *body)
{
  static const char *const own[] = {"encoding_format", "user", "input_type",
                                    NULL};
  note_left_out(send, "user input_type");
  inf_json_member_raw(body, INF_SV("inputText"), inputs_of(send));
  put_others(send, own, body);
}

int32_t
inf_bedrock_write_embed_body(const inf_send *send, inf_buf *body, inf_buf *why)
{
  bool titan = inf_sv_contains_nocase(send->model, INF_SV("titan-embed"));
  bool cohere = inf_sv_contains_nocase(send->model, INF_SV("cohere."));
  int32_t status = check_texts(send, why);
  if (status != INFER_OK)
    return status;
  if (!titan && !cohere) {
    inf_buf_append_cstr(why, "of Bedrock's models those of Amazon Titan and "
                             "Cohere are known to make embeddings");
    return INFER_E_UNSUPPORTED;
  }
  inf_json_open(body, '{');
  if (titan)
    put_titan(send, body);
  else
    put_cohere_members(send, body);
  inf_json_close(body, '}');
  return body->status;
}
