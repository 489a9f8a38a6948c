/* SPDX-License-Identifier: MIT */
/* What a whole answer and the events of a stream have in common: their first
 * members, usage, log probabilities and the names of things. */

#include "sim_shape.h"

#include "wire/json_write.h"

#include <inttypes.h>
#include <stdio.h>

/* Answers are dated within 2023-11-14 and 2024-03-09, by their identity: a
 * date that moves would make two equal answers differ. */
#define CREATED_BASE 1700000000
#define CREATED_SPAN 10000000

static void
put_member(inf_buf *out, inf_sv key, const inf_sim_text *text)
{
  if (text->set) {
    inf_json_member_string(out, key, text->sv);
  }
}

/* Members of an object, without its braces. */
static void
put_extra(inf_buf *out, inf_sv object)
{
  inf_json_iter it = inf_json_iter_of(object);
  while (inf_json_next(&it)) {
    if (out->ptr[out->len - 1] != '{') {
      inf_buf_append_char(out, ',');
    }
    inf_buf_append_char(out, '"');
    inf_buf_append_sv(out, it.key);
    inf_buf_append_cstr(out, "\":");
    inf_buf_append_sv(out, it.value);
  }
}

void
inf_sim_put_shape_head(const inf_sim_render *render, inf_buf *out,
                       inf_sv object)
{
  const inf_sim_behaviour *behaviour = render->behaviour;
  char id[40];
  int len =
      snprintf(id, sizeof(id), "chatcmpl-sim%016" PRIx64, render->identity);
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("id"), inf_sv_of(id, (size_t)len));
  inf_json_member_string(out, INF_SV("object"), object);
  inf_json_member_int(
      out, INF_SV("created"),
      (int64_t)(CREATED_BASE + render->identity % CREATED_SPAN));
  inf_json_member_string(out, INF_SV("model"),
                         behaviour->answer_model.set
                             ? behaviour->answer_model.sv
                             : inf_buf_sv(&render->request->model));
  put_member(out, INF_SV("service_tier"), &behaviour->service_tier);
  inf_json_member_string(out, INF_SV("system_fingerprint"),
                         behaviour->system_fingerprint.set
                             ? behaviour->system_fingerprint.sv
                             : INF_SV("fp_sim"));
  put_extra(out, behaviour->extra);
  inf_json_key(out, INF_SV("choices"));
  inf_json_open(out, '[');
}

void
inf_sim_put_usage(const inf_sim_render *render, inf_buf *out)
{
  const inf_sim_content *content = render->content;
  if (render->behaviour->usage.len > 0) {
    inf_buf_append_sv(out, render->behaviour->usage);
    return;
  }
  inf_buf_appendf(
      out,
      "{\"prompt_tokens\":%" PRIu64 ",\"completion_tokens\":%" PRIu64
      ",\"total_tokens\":%" PRIu64
      ",\"prompt_tokens_details\":{\"cached_tokens\":%" PRIu64
      ",\"audio_tokens\":0},\"completion_tokens_details\":"
      "{\"reasoning_tokens\":%" PRIu64 ",\"audio_tokens\":0,"
      "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}",
      content->prompt_tokens, content->completion_tokens,
      content->prompt_tokens + content->completion_tokens,
      content->cached_tokens, content->reasoning_tokens);
}

/* A logarithm that depends on the token only, from -2.999 to 0. */
static void
put_logprob(inf_buf *out, inf_sv token, unsigned rank)
{
  uint64_t value =
      inf_sim_hash(INF_SIM_HASH_START, token) % 1000 + (uint64_t)rank * 1000;
  inf_buf_appendf(out, "-%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
}

static void
put_token(inf_buf *out, inf_sv token, inf_sv suffix, unsigned rank)
{
  inf_buf_append_cstr(out, "{\"token\":\"");
  inf_json_escape(out, token);
  inf_buf_append_sv(out, suffix);
  inf_buf_append_cstr(out, "\",\"logprob\":");
  put_logprob(out, token, rank);
  inf_buf_append_cstr(out, ",\"bytes\":[");
  for (size_t i = 0; i < token.len + suffix.len; i++) {
    unsigned char byte =
        (unsigned char)(i < token.len ? token.ptr[i]
                                      : suffix.ptr[i - token.len]);
    inf_buf_appendf(out, "%s%u", i ? "," : "", byte);
  }
  inf_buf_append_char(out, ']');
}

static void
put_token_logprob(const inf_sim_render *render, inf_sv token, inf_buf *out)
{
  put_token(out, token, INF_SV(""), 0);
  inf_buf_append_cstr(out, ",\"top_logprobs\":[");
  for (unsigned i = 0; i < render->request->top_logprobs; i++) {
    char suffix[8];
    int len = i ? snprintf(suffix, sizeof(suffix), "~%u", i) : 0;
    inf_buf_append_cstr(out, i ? "," : "");
    put_token(out, token, inf_sv_of(suffix, (size_t)len), i);
    inf_buf_append_char(out, '}');
  }
  inf_buf_append_cstr(out, "]}");
}

/* The entries of all pieces of a kind in [from, to). */
static void
put_logprob_list(const inf_sim_render *render, const inf_sim_choice *choice,
                 size_t from, size_t to, uint8_t kind, inf_buf *out)
{
  bool any = false;
  for (size_t i = from; i < to; i++) {
    const inf_sim_piece *piece = &choice->pieces[i];
    if (piece->kind != kind) {
      continue;
    }
    inf_buf_append_char(out, any ? ',' : '[');
    any = true;
    put_token_logprob(
        render, inf_sim_piece_text(choice, piece, render->behaviour), out);
  }
  inf_buf_append_cstr(out, any ? "]" : "null");
}

void
inf_sim_put_logprobs(const inf_sim_render *render, const inf_sim_choice *choice,
                     size_t from, size_t to, inf_buf *out)
{
  inf_buf_append_cstr(out, ",\"logprobs\":{\"content\":");
  put_logprob_list(render, choice, from, to, INF_SIM_TEXT, out);
  inf_buf_append_cstr(out, ",\"refusal\":");
  put_logprob_list(render, choice, from, to, INF_SIM_REFUSAL, out);
  inf_buf_append_char(out, '}');
}

inf_sv
inf_sim_reasoning_name(const inf_sim_render *render)
{
  return render->behaviour->reasoning_field ? INF_SV("reasoning")
                                            : INF_SV("reasoning_content");
}

inf_sv
inf_sim_finish_reason(const inf_sim_render *render,
                      const inf_sim_choice *choice)
{
  return render->behaviour->finish_reason.set
             ? render->behaviour->finish_reason.sv
             : inf_sv_from(choice->finish_reason);
}
