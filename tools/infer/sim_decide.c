/* SPDX-License-Identifier: MIT */
/* What a call is answered with. When it is sent is decided in sim_answer.c.
 */

#include "sim_decide.h"

#include "sim_embed.h"

#include "sim_reply.h"

#define JSON_TYPE   INF_SV("application/json")
#define STREAM_TYPE INF_SV("text/event-stream; charset=utf-8")
#define HTML_TYPE   INF_SV("text/html; charset=UTF-8")
#define TEXT_TYPE   INF_SV("text/plain; charset=utf-8")

typedef struct decision {
  inf_sim_answer *answer;
  const inf_sim_call *call;
  const inf_sim_behaviour *behaviour;
  inf_sv content_type;
  inf_sv location;
} decision;

/* A step of the decision: true when it has decided. */
typedef bool (*decide_fn)(decision *d);

static bool
refuse(decision *d, unsigned status)
{
  d->answer->status = status;
  d->content_type = JSON_TYPE;
  return true;
}

static bool
decide_path(decision *d)
{
  if (d->call->kind == INF_SIM_NO_SUCH_METHOD) {
    inf_sim_put_status_error(&d->answer->body, 405);
    return refuse(d, 405);
  }
  if (d->call->kind == INF_SIM_NO_SUCH_PATH) {
    inf_sim_put_error(&d->answer->body, INF_SV("Unknown request URL."),
                      "invalid_request_error", NULL, "unknown_url");
    return refuse(d, 404);
  }
  return false;
}

static bool
decide_key(decision *d)
{
  const inf_sim_texts *keys = &d->behaviour->require_key;
  for (size_t i = 0; i < keys->count; i++) {
    if (inf_sv_eq(keys->items[i], d->call->key)) {
      return false;
    }
  }
  if (keys->count == 0) {
    return false;
  }
  inf_sim_put_status_error(&d->answer->body, 401);
  return refuse(d, 401);
}

static bool
decide_redirect(decision *d)
{
  if (!d->behaviour->redirect.set) {
    return false;
  }
  d->location = d->behaviour->redirect.sv;
  return refuse(d, 307);
}

/* What the request reserves: its prompt and what it may get at most, or, if
 * it does not say, what it will get. */
static uint64_t
reserved_tokens(const inf_sim_answer *answer)
{
  const inf_sim_request *request = &answer->request;
  uint64_t most = request->max_tokens_given ? request->max_tokens * request->n
                                            : answer->content.completion_tokens;
  return request->prompt_tokens + most;
}

static bool
decide_limit(decision *d)
{
  inf_sim_answer *answer = d->answer;
  const inf_sim_limit *limit = d->behaviour->limit;
  inf_sv model = inf_buf_sv(&answer->request.model);
  if (!limit || d->call->kind != INF_SIM_CHAT) {
    return false;
  }
  answer->verdict =
      inf_sim_limits_ask(&answer->script->limits, limit,
                         limit->per == INF_SIM_PER_MODEL ? model : d->call->key,
                         reserved_tokens(answer), d->call->now_ns);
  if (answer->verdict.admitted) {
    return false;
  }
  inf_sim_put_limit_error(&answer->body, &answer->verdict, model);
  return refuse(d, 429);
}

static bool
decide_given(decision *d)
{
  const inf_sim_behaviour *b = d->behaviour;
  inf_buf *body = &d->answer->body;
  if (!b->status.set && !b->body.set && !b->html_error) {
    return false;
  }
  unsigned status =
      b->status.set ? (unsigned)b->status.value : (b->html_error ? 502 : 200);
  if (b->body.set) {
    inf_buf_append_sv(body, b->body.sv);
    d->content_type = b->body_is_json ? JSON_TYPE : TEXT_TYPE;
  } else if (b->html_error) {
    inf_sim_put_html(body, status);
    d->content_type = HTML_TYPE;
  } else if (status == 200) {
    return false;
  } else {
    inf_sim_put_status_error(body, status);
    d->content_type = JSON_TYPE;
  }
  d->answer->status = status;
  return true;
}

/* Is the partial answer given in the way that the model wants it? */
static bool
prefill_fits(const inf_sim_request *request, int by)
{
  switch (by) {
  case INF_SIM_PREFILL_BY_ASSISTANT:
    return !request->prefix && !request->continue_final_message;
  case INF_SIM_PREFILL_BY_PREFIX:
    return request->prefix && !request->continue_final_message;
  case INF_SIM_PREFILL_BY_CONTINUE:
    return !request->prefix && request->continue_final_message;
  default:
    return true;
  }
}

static bool
decide_request(decision *d)
{
  const inf_sim_request *request = &d->answer->request;
  bool rejected =
      request->prefilled && (d->behaviour->prefill == INF_SIM_PREFILL_REJECT ||
                             !prefill_fits(request, d->behaviour->prefill_by));
  const char *message =
      d->call->request_error ? d->call->request_error
      : rejected ? "This model does not support assistant message prefill. "
                   "The conversation must end with a user message."
                 : NULL;
  if (!message) {
    return false;
  }
  inf_sim_put_error(&d->answer->body, inf_sv_from(message),
                    "invalid_request_error", rejected ? "messages" : NULL,
                    NULL);
  return refuse(d, 400);
}

static bool
decide_models(decision *d)
{
  if (d->call->kind != INF_SIM_MODELS) {
    return false;
  }
  inf_sim_put_models(&d->answer->body, d->answer->script);
  return refuse(d, 200);
}

static bool
decide_error_in_200(decision *d)
{
  if (d->behaviour->error_in_200.len == 0 || d->answer->request.stream) {
    return false;
  }
  inf_sim_render_error_body(d->behaviour->error_in_200, &d->answer->body);
  return refuse(d, 200);
}

static bool
decide_vectors(decision *d)
{
  if (d->call->kind != INF_SIM_EMBED) {
    return false;
  }
  inf_sim_put_embeddings(&d->answer->body, &d->answer->request);
  return refuse(d, 200);
}

static bool
decide_completion(decision *d)
{
  inf_sim_answer *answer = d->answer;
  answer->status = 200;
  answer->completion = true;
  answer->streaming = answer->request.stream;
  d->content_type = answer->streaming ? STREAM_TYPE : JSON_TYPE;
  if (!answer->streaming) {
    inf_sim_render_unary(&answer->render, &answer->body);
  }
  return true;
}

static void
make_content(decision *d)
{
  inf_sim_answer *answer = d->answer;
  uint64_t identity = answer->request.hash ^ d->call->seed;
  inf_sim_content_make(&answer->content, d->behaviour, &answer->request,
                       identity);
  inf_sim_render_init(&answer->render, d->behaviour, &answer->request,
                      &answer->content, identity);
}

/* Blank bytes before the body and a body broken on purpose. */
static void
spoil_body(decision *d)
{
  inf_sim_answer *answer = d->answer;
  const inf_sim_opt *blank = &d->behaviour->whitespace_before_body;
  if (answer->completion && d->behaviour->malformed_event.set) {
    inf_buf_truncate(&answer->body, answer->body.len - 1);
  }
  if (!blank->set) {
    return;
  }
  inf_buf padded;
  inf_buf_init(&padded, INF_SIM_BUF_MAX);
  inf_buf_reserve(&padded, blank->value + answer->body.len);
  for (uint64_t i = 0; i < blank->value; i++) {
    inf_buf_append_char(&padded, i % 2 ? ' ' : '\n');
  }
  inf_buf_append_sv(&padded, inf_buf_sv(&answer->body));
  inf_sim_must(&padded);
  inf_buf_fini(&answer->body);
  answer->body = padded;
}

static inf_sv
final_content_type(const decision *d)
{
  if (d->behaviour->content_type.set) {
    return d->behaviour->content_type.sv;
  }
  return d->behaviour->wrong_content_type ? TEXT_TYPE : d->content_type;
}

/* After so many tokens, or bytes, as a number of bytes of the body; of a
 * stream of events tokens are counted one by one instead. */
static uint64_t
point_bytes(const inf_sim_answer *answer, bool tokens, uint64_t at)
{
  uint64_t total = answer->content.completion_tokens;
  if (!tokens) {
    return at;
  }
  if (answer->streaming || at > total || !answer->completion) {
    return UINT64_MAX;
  }
  return total > 0 ? answer->body.len * at / total : 0;
}

static uint64_t
find_limit(inf_sim_answer *answer, const inf_sim_behaviour *behaviour)
{
  const inf_sim_point *point = NULL;
  if (behaviour->reset == INF_SIM_RESET_AT_POINT) {
    answer->end = INF_SIM_RESET;
    point = &behaviour->reset_at;
  } else if (behaviour->cut.set) {
    answer->end = behaviour->cut_clean ? INF_SIM_DONE : INF_SIM_CUT;
    point = &behaviour->cut;
  }
  return point ? point_bytes(answer, point->tokens, point->at) : UINT64_MAX;
}

static void
find_stall(inf_sim_answer *answer, const inf_sim_behaviour *behaviour)
{
  uint64_t at = UINT64_MAX;
  if (behaviour->stall_after_tokens.set && answer->completion) {
    at = point_bytes(answer, true, behaviour->stall_after_tokens.value);
  }
  answer->stall_at = at < SIZE_MAX ? (size_t)at : SIZE_MAX;
}

/* Does the script tell another length, or another coding, than we would? */
static bool
lies_about_length(const inf_sim_pairs *fields)
{
  for (size_t i = 0; i < fields->count; i++) {
    inf_sv name = fields->items[i].name;
    if (inf_sv_eq_nocase(name, INF_SV("content-length")) ||
        inf_sv_eq_nocase(name, INF_SV("transfer-encoding"))) {
      return true;
    }
  }
  return false;
}

static void
make_frame(decision *d, bool chunked, bool gzip)
{
  inf_sim_answer *answer = d->answer;
  uint64_t limit = find_limit(answer, d->behaviour);
  inf_sim_frame_init(&answer->frame, chunked, gzip, limit);
  /* Without chunks a body that ends early can end only with the connection.
   */
  if (answer->end == INF_SIM_DONE && !chunked) {
    answer->end = INF_SIM_CUT;
  }
}

static void
make_head(decision *d)
{
  inf_sim_answer *answer = d->answer;
  const inf_sim_behaviour *b = d->behaviour;
  bool gzip = b->gzip && d->call->accepts_gzip;
  bool open_end = answer->streaming || b->framing != INF_SIM_FRAMING_AUTO;
  bool by_close =
      open_end && (d->call->http_1_0 || b->framing == INF_SIM_FRAMING_CLOSE);
  if (gzip && !answer->streaming) {
    inf_sim_gzip(&answer->body);
  }
  answer->close_after =
      by_close || !d->call->keep_alive || b->close_after_response;
  find_stall(answer, b);
  make_frame(d, open_end && !by_close, gzip && answer->streaming);
  inf_sim_put_head(
      &answer->head,
      &(inf_sim_head){
          .status = answer->status,
          .content_type = final_content_type(d),
          .length = open_end ? INF_SIM_LENGTH_UNKNOWN : answer->body.len,
          .chunked = answer->frame.chunked,
          .gzip = gzip,
          .close = answer->close_after,
          .request_number = d->call->number,
          .location = d->location,
          .verdict = answer->verdict.limited ? &answer->verdict : NULL,
          .fields = &b->fields,
      });
  answer->close_after |= lies_about_length(&b->fields);
}

void
inf_sim_decide(inf_sim_answer *answer, const inf_sim_call *call)
{
  static const decide_fn steps[] = {
      decide_path,    decide_key,        decide_redirect, decide_limit,
      decide_given,   decide_request,    decide_models,   decide_error_in_200,
      decide_vectors, decide_completion,
  };
  decision d = {.answer = answer, .call = call, .behaviour = answer->behaviour};
  make_content(&d);
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    if (steps[i](&d)) {
      break;
    }
  }
  if (!answer->streaming) {
    spoil_body(&d);
  }
  make_head(&d);
}
