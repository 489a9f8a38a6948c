/* SPDX-License-Identifier: MIT */
/* Vectors that are made up, and always the same. */

#include "sim_embed.h"

#include "base/rng.h"
#include "wire/base64.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/number.h"

#include <math.h>

#define BODY_DEPTH     16
#define MAX_DIMENSIONS 4096

/* ---- The request --------------------------------------------------------- */

static size_t
count_inputs(inf_sv input)
{
  inf_sv first = inf_json_at(input, 0);
  if (!inf_json_is(input, INF_JSON_ARRAY) ||
      inf_json_is(first, INF_JSON_NUMBER)) {
    return 1; /* a text, or the numbers of one */
  }
  return inf_json_count(input);
}

static const char *
read_dimensions(inf_sim_request *request, inf_sv value)
{
  int64_t number = INF_SIM_EMBED_DIMENSIONS;
  if (value.len > 0 && (!inf_json_int64(value, false, &number) || number < 1 ||
                        number > MAX_DIMENSIONS)) {
    return "Invalid 'dimensions'";
  }
  request->dimensions = (uint64_t)number;
  return NULL;
}

const char *
inf_sim_embed_read(inf_sim_request *request, inf_sv body)
{
  inf_sv value;
  if (!inf_json_parse(body, BODY_DEPTH, &value, NULL) ||
      !inf_json_is(value, INF_JSON_OBJECT)) {
    return "We could not parse the JSON body of your request.";
  }
  if (!inf_json_string(inf_json_get(value, INF_SV("model")), &request->model)) {
    return "you must provide a model parameter";
  }
  inf_sv input = inf_json_get(value, INF_SV("input"));
  size_t count = count_inputs(input);
  if (input.len <= 2 || count == 0) {
    return "'input' cannot be an empty string or array.";
  }
  if (count > INF_SIM_EMBED_INPUTS) {
    return "'input' must have at most 2048 elements.";
  }
  inf_buf_append_sv(&request->input, input);
  request->base64 = inf_json_equal(
      inf_json_get(value, INF_SV("encoding_format")), INF_SV("base64"));
  request->prompt_tokens = input.len / 4 + 1;
  return read_dimensions(request, inf_json_get(value, INF_SV("dimensions")));
}

/* ---- The answer ---------------------------------------------------------- */

static void
make_vector(const inf_sim_request *request, inf_sv input, float *numbers)
{
  inf_rng rng;
  double length = 0;
  uint64_t hash = inf_sim_hash(INF_SIM_HASH_START, inf_buf_sv(&request->model));
  inf_rng_seed(&rng, inf_sim_hash(hash, input));
  for (size_t i = 0; i < request->dimensions; i++) {
    double number = inf_rng_double(&rng) * 2 - 1;
    numbers[i] = (float)number;
    length += number * number;
  }
  for (size_t i = 0; i < request->dimensions; i++) {
    numbers[i] = (float)(numbers[i] / sqrt(length));
  }
}

static void
put_vector(inf_buf *out, const inf_sim_request *request, inf_sv input)
{
  float numbers[MAX_DIMENSIONS];
  make_vector(request, input, numbers);
  if (request->base64) {
    inf_buf text;
    inf_buf_init(&text, INF_SIM_BUF_MAX);
    inf_base64_put_floats(&text, numbers, request->dimensions);
    inf_json_put_string(out, inf_buf_sv(&text));
    inf_buf_fini(&text);
    return;
  }
  inf_json_open(out, '[');
  for (size_t i = 0; i < request->dimensions; i++) {
    char text[INF_NUMBER_MAX_BYTES];
    inf_json_put_raw(out,
                     inf_sv_of(text, inf_number_from_float(numbers[i], text)));
  }
  inf_json_close(out, ']');
}

static void
put_item(inf_buf *out, const inf_sim_request *request, size_t index,
         inf_sv input)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("object"), INF_SV("embedding"));
  inf_json_member_int(out, INF_SV("index"), (int64_t)index);
  inf_json_key(out, INF_SV("embedding"));
  put_vector(out, request, input);
  inf_json_close(out, '}');
}

void
inf_sim_put_embeddings(inf_buf *out, const inf_sim_request *request)
{
  inf_sv input = inf_buf_sv(&request->input);
  int64_t tokens = (int64_t)request->prompt_tokens;
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("object"), INF_SV("list"));
  inf_json_key(out, INF_SV("data"));
  inf_json_open(out, '[');
  if (count_inputs(input) == 1 &&
      !inf_json_is(inf_json_at(input, 0), INF_JSON_STRING)) {
    put_item(out, request, 0, input);
  } else {
    inf_json_iter it = inf_json_iter_of(input);
    for (size_t i = 0; inf_json_next(&it); i++) {
      put_item(out, request, i, it.value);
    }
  }
  inf_json_close(out, ']');
  inf_json_member_string(out, INF_SV("model"), inf_buf_sv(&request->model));
  inf_json_key(out, INF_SV("usage"));
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("prompt_tokens"), tokens);
  inf_json_member_int(out, INF_SV("total_tokens"), tokens);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
  inf_sim_must(out);
}
