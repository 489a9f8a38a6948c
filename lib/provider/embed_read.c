/* SPDX-License-Identifier: MIT */
/* Answers of embeddings, by dialect: which vector is which input's, and what
 * they cost. See embed.h. */
#include "provider/embed.h"

#include "infer/infer.h"

#include "wire/json_value.h"

/* ---- Shared -------------------------------------------------------------- */

static int32_t
no_list(inf_buf *why)
{
  inf_buf_append_cstr(why, "the answer has no list of vectors");
  return INFER_E_PROTOCOL;
}

static void
read_text(inf_answer *answer, inf_sv value,
          void (*set)(inf_answer *answer, inf_sv text))
{
  inf_sv text;
  if (inf_json_plain(value, &text))
    set(answer, text);
}

static void
read_usage(inf_answer *answer, inf_sv input, inf_sv total)
{
  inf_usage usage = {-1, -1, -1, -1, -1, -1, -1, -1, false};
  int64_t number;
  if (inf_json_int64(input, true, &number) && number >= 0)
    usage.input = number;
  if (inf_json_int64(total, true, &number) && number >= 0)
    usage.total = number;
  inf_answer_set_usage(answer, &usage, INF_SV(""));
}

/* A list whose n-th vector is the n-th input's; member: where in an element the
 * vector is, NULL: the element itself. */
static int32_t
read_in_order(inf_sv list, const char *member, inf_vectors *vectors,
              inf_buf *why)
{
  size_t index = 0;
  int32_t status = INFER_OK;
  if (!inf_json_is(list, INF_JSON_ARRAY))
    return no_list(why);
  inf_json_iter it = inf_json_iter_of(list);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_sv vector =
        member ? inf_json_get(it.value, inf_sv_from(member)) : it.value;
    status = inf_vectors_put(vectors, index++, vector, why);
  }
  return status;
}

/* ---- OpenAI -------------------------------------------------------------- */

/* An element says by its index which input it is of. */
static int32_t
read_element(inf_sv element, inf_vectors *vectors, inf_buf *why)
{
  int64_t index;
  inf_sv place = inf_json_get(element, INF_SV("index"));
  if (!inf_json_int64(place, false, &index) || index < 0) {
    inf_buf_append_cstr(why, "a vector does not say which input it is of");
    return INFER_E_PROTOCOL;
  }
  return inf_vectors_put(vectors, (size_t)index,
                         inf_json_get(element, INF_SV("embedding")), why);
}

int32_t
inf_openai_read_embed(inf_sv body, inf_vectors *vectors, inf_answer *answer,
                      inf_buf *why)
{
  int32_t status = INFER_OK;
  inf_sv data = inf_json_get(body, INF_SV("data"));
  inf_sv usage = inf_json_get(body, INF_SV("usage"));
  if (!inf_json_is(data, INF_JSON_ARRAY))
    return no_list(why);
  inf_json_iter it = inf_json_iter_of(data);
  while (status == INFER_OK && inf_json_next(&it))
    status = read_element(it.value, vectors, why);
  read_text(answer, inf_json_get(body, INF_SV("id")), inf_answer_set_id);
  read_text(answer, inf_json_get(body, INF_SV("model")), inf_answer_set_model);
  read_usage(answer, inf_json_get(usage, INF_SV("prompt_tokens")),
             inf_json_get(usage, INF_SV("total_tokens")));
  return status;
}

/* ---- Cohere -------------------------------------------------------------- */

/* By type, or (Bedrock, and Cohere's first version) as the one list of
 * floats. */
int32_t
inf_cohere_read_embed(inf_sv body, inf_vectors *vectors, inf_answer *answer,
                      inf_buf *why)
{
  inf_sv list = inf_json_get(body, INF_SV("embeddings"));
  inf_sv typed = inf_json_get(list, INF_SV("float"));
  if (typed.len == 0)
    typed = inf_json_get(list, INF_SV("base64"));
  read_text(answer, inf_json_get(body, INF_SV("id")), inf_answer_set_id);
  read_usage(answer, inf_json_path(body, "meta.billed_units.input_tokens"),
             INF_SV(""));
  return read_in_order(typed.len > 0 ? typed : list, NULL, vectors, why);
}

/* ---- Gemini -------------------------------------------------------------- */

/* Vertex AI's answer to :predict. Its tokens are told for each text. */
static int32_t
read_predictions(inf_sv list, inf_vectors *vectors, inf_answer *answer,
                 inf_buf *why)
{
  inf_usage usage = {-1, -1, -1, -1, -1, -1, -1, -1, false};
  int64_t sum = 0, tokens;
  bool all = true;
  size_t index = 0;
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(list);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_sv one = inf_json_get(it.value, INF_SV("embeddings"));
    status = inf_vectors_put(vectors, index++,
                             inf_json_get(one, INF_SV("values")), why);
    all = all &&
          inf_json_int64(inf_json_path(one, "statistics.token_count"), true,
                         &tokens) &&
          tokens >= 0 && tokens <= INT64_MAX - sum;
    if (all)
      sum += tokens;
  }
  if (all && index > 0)
    usage.input = sum;
  inf_answer_set_usage(answer, &usage, INF_SV(""));
  return status;
}

int32_t
inf_gemini_read_embed(inf_sv body, inf_vectors *vectors, inf_answer *answer,
                      inf_buf *why)
{
  inf_sv predictions = inf_json_get(body, INF_SV("predictions"));
  if (inf_json_is(predictions, INF_JSON_ARRAY))
    return read_predictions(predictions, vectors, answer, why);
  inf_sv usage = inf_json_get(body, INF_SV("usageMetadata"));
  inf_sv one = inf_json_get(body, INF_SV("embedding")); /* :embedContent */
  read_usage(answer, inf_json_get(usage, INF_SV("promptTokenCount")),
             inf_json_get(usage, INF_SV("totalTokenCount")));
  if (inf_json_is(one, INF_JSON_OBJECT))
    return inf_vectors_put(vectors, 0, inf_json_get(one, INF_SV("values")),
                           why);
  return read_in_order(inf_json_get(body, INF_SV("embeddings")), "values",
                       vectors, why);
}

/* ---- Ollama -------------------------------------------------------------- */

int32_t
inf_ollama_read_embed(inf_sv body, inf_vectors *vectors, inf_answer *answer,
                      inf_buf *why)
{
  read_text(answer, inf_json_get(body, INF_SV("model")), inf_answer_set_model);
  read_usage(answer, inf_json_get(body, INF_SV("prompt_eval_count")),
             INF_SV(""));
  return read_in_order(inf_json_get(body, INF_SV("embeddings")), NULL, vectors,
                       why);
}

/* ---- Bedrock ------------------------------------------------------------- */

int32_t
inf_bedrock_read_embed(inf_sv body, inf_vectors *vectors, inf_answer *answer,
                       inf_buf *why)
{
  inf_sv titan = inf_json_get(body, INF_SV("embedding"));
  if (titan.len == 0)
    return inf_cohere_read_embed(body, vectors, answer, why);
  read_usage(answer, inf_json_get(body, INF_SV("inputTextTokenCount")),
             INF_SV(""));
  return inf_vectors_put(vectors, 0, titan, why);
}
