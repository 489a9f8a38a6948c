/* SPDX-License-Identifier: MIT */
/* Bodies and events in OpenAI's shape. A stream's events and the whole body
 * carry the same values: what differs is only where they stand. */

#include "sim_render.h"

#include "sim_shape.h"

#include "wire/json_write.h"

static bool
usage_is_announced(const inf_sim_render *render)
{
  int usage_chunk = render->behaviour->usage_chunk;
  return usage_chunk == INF_SIM_USAGE_EMPTY_CHOICES &&
         render->request->include_usage;
}

void
inf_sim_render_init(inf_sim_render *render, const inf_sim_behaviour *behaviour,
                    const inf_sim_request *request,
                    const inf_sim_content *content, uint64_t identity)
{
  *render = (inf_sim_render){.behaviour = behaviour,
                             .request = request,
                             .content = content,
                             .identity = identity};
  render->line_end = behaviour->crlf ? INF_SV("\r\n")
                     : behaviour->cr ? INF_SV("\r")
                                     : INF_SV("\n");
  /* OpenAI announces the usage to come by a null in every other event. */
  render->tail =
      usage_is_announced(render) ? INF_SV("],\"usage\":null}") : INF_SV("]}");
  inf_buf_init(&render->head, INF_SIM_BUF_MAX);
  inf_sim_put_shape_head(render, &render->head,
                         INF_SV("chat.completion.chunk"));
  inf_sim_must(&render->head);
}

void
inf_sim_render_fini(inf_sim_render *render)
{
  inf_buf_fini(&render->head);
}

/* The whole body. */

static void
put_string_or_null(inf_buf *out, inf_sv key, bool present, inf_sv text)
{
  if (present) {
    inf_json_member_string(out, key, text);
  } else {
    inf_json_member_raw(out, key, INF_SV("null"));
  }
}

static void
put_tool_call(const inf_sim_tool *tool, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("id"), tool->id);
  inf_json_member_string(out, INF_SV("type"), INF_SV("function"));
  inf_json_key(out, INF_SV("function"));
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("name"), tool->name);
  inf_json_member_string(out, INF_SV("arguments"), tool->arguments);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

static void
put_message(const inf_sim_render *render, const inf_sim_choice *choice,
            inf_buf *out)
{
  const inf_sim_behaviour *behaviour = render->behaviour;
  const char *text = choice->text.ptr;
  size_t refusal_at = choice->reasoning_len + choice->content_len;
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("role"), INF_SV("assistant"));
  put_string_or_null(out, INF_SV("content"), render->content->has_text,
                     inf_sv_of(text ? text + choice->reasoning_len : NULL,
                               choice->content_len));
  if (choice->reasoning_len > 0) {
    inf_json_member_string(out, inf_sim_reasoning_name(render),
                           inf_sv_of(text, choice->reasoning_len));
  }
  put_string_or_null(
      out, INF_SV("refusal"), behaviour->refusal.set,
      inf_sv_of(text ? text + refusal_at : NULL, choice->refusal_len));
  if (behaviour->tools.count > 0) {
    inf_json_key(out, INF_SV("tool_calls"));
    inf_json_open(out, '[');
    for (size_t i = 0; i < behaviour->tools.count; i++) {
      put_tool_call(&behaviour->tools.items[i], out);
    }
    inf_json_close(out, ']');
  }
  inf_json_close(out, '}');
}

static void
put_unary_choice(const inf_sim_render *render, size_t index, inf_buf *out)
{
  const inf_sim_choice *choice = &render->content->choices[index];
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("index"), (int64_t)index);
  inf_json_key(out, INF_SV("message"));
  put_message(render, choice, out);
  if (render->request->logprobs) {
    inf_sim_put_logprobs(render, choice, 0, choice->count, out);
  } else {
    inf_json_member_raw(out, INF_SV("logprobs"), INF_SV("null"));
  }
  inf_json_member_string(out, INF_SV("finish_reason"),
                         inf_sim_finish_reason(render, choice));
  inf_json_close(out, '}');
}

static void
put_repeated(inf_buf *out, char c, uint64_t count)
{
  inf_buf_reserve(out, count);
  for (uint64_t i = 0; i < count; i++) {
    inf_buf_append_char(out, c);
  }
}

static void
put_deep(inf_buf *out, uint64_t depth)
{
  put_repeated(out, '[', depth);
  put_repeated(out, ']', depth);
}

void
inf_sim_render_unary(const inf_sim_render *render, inf_buf *out)
{
  inf_sim_put_shape_head(render, out, INF_SV("chat.completion"));
  for (size_t i = 0; i < render->content->count; i++) {
    put_unary_choice(render, i, out);
  }
  inf_json_close(out, ']');
  if (render->behaviour->usage_chunk != INF_SIM_USAGE_NEVER) {
    inf_json_key(out, INF_SV("usage"));
    inf_sim_put_usage(render, out);
  }
  if (render->behaviour->deep.set) {
    inf_json_key(out, INF_SV("deep"));
    put_deep(out, render->behaviour->deep.value);
  }
  inf_json_close(out, '}');
  inf_sim_must(out);
}

/* Events. */

static bool
has_logprobs(const inf_sim_render *render, const inf_sim_piece *piece)
{
  return render->request->logprobs &&
         (piece->kind == INF_SIM_TEXT || piece->kind == INF_SIM_REFUSAL);
}

static void
end_event(const inf_sim_render *render, inf_buf *out)
{
  inf_buf_append_sv(out, render->line_end);
  inf_buf_append_sv(out, render->line_end);
  inf_sim_must(out);
}

static void
begin_event(const inf_sim_render *render, inf_buf *out)
{
  inf_buf_append(out, "data: ", 6);
  inf_buf_append_sv(out, inf_buf_sv(&render->head));
}

static void
begin_delta(const inf_sim_render *render, size_t choice, inf_buf *out)
{
  begin_event(render, out);
  inf_buf_append(out, "{\"index\":", 9);
  inf_buf_append_uint(out, choice);
  inf_buf_append(out, ",\"delta\":{", 10);
}

static void
end_delta(const inf_sim_render *render, inf_sv members, inf_buf *out)
{
  inf_buf_append_sv(out, members);
  inf_buf_append_sv(out, render->tail);
  end_event(render, out);
}

#define NOTHING_MORE INF_SV("},\"logprobs\":null,\"finish_reason\":null}")

void
inf_sim_render_role(const inf_sim_render *render, size_t choice, inf_buf *out)
{
  if (render->behaviour->role_chunk == INF_SIM_ROLE_NONE) {
    return;
  }
  bool empty = render->behaviour->role_chunk == INF_SIM_ROLE_NORMAL &&
               render->content->has_text;
  begin_delta(render, choice, out);
  inf_buf_append_cstr(out, "\"role\":\"assistant\",\"content\":");
  inf_buf_append_cstr(out, empty ? "\"\"" : "null");
  inf_buf_append_cstr(out, ",\"refusal\":null");
  end_delta(render, NOTHING_MORE, out);
}

static inf_sv
delta_name(const inf_sim_render *render, uint8_t kind)
{
  switch (kind) {
  case INF_SIM_REASONING:
    return inf_sim_reasoning_name(render);
  case INF_SIM_REFUSAL:
    return INF_SV("refusal");
  default:
    return INF_SV("content");
  }
}

static void
put_tool_index(const inf_sim_render *render, uint8_t tool, inf_buf *out)
{
  int form = render->behaviour->tool_index;
  if (form != INF_SIM_INDEX_ABSENT) {
    inf_buf_appendf(out, "\"index\":%u,",
                    form == INF_SIM_INDEX_SHARED ? 0u : tool);
  }
}

static void
put_tool_delta(const inf_sim_render *render, const inf_sim_choice *choice,
               const inf_sim_piece *piece, inf_buf *out)
{
  const inf_sim_tool *tool = &render->behaviour->tools.items[piece->tool];
  inf_buf_append_cstr(out, "\"tool_calls\":[{");
  put_tool_index(render, piece->tool, out);
  if (piece->kind == INF_SIM_TOOL_HEAD) {
    inf_buf_append_cstr(out, "\"id\":\"");
    inf_json_escape(out, tool->id);
    inf_buf_append_cstr(out,
                        "\",\"type\":\"function\",\"function\":{\"name\":\"");
    inf_json_escape(out, tool->name);
    inf_buf_append_cstr(out, "\",\"arguments\":\"\"}}]");
  } else {
    inf_buf_append_cstr(out, "\"function\":{\"arguments\":\"");
    inf_json_escape(out, inf_sim_piece_text(choice, piece, render->behaviour));
    inf_buf_append_cstr(out, "\"}}]");
  }
}

void
inf_sim_render_piece(const inf_sim_render *render, size_t index, size_t at,
                     inf_buf *out)
{
  const inf_sim_choice *choice = &render->content->choices[index];
  const inf_sim_piece *piece = &choice->pieces[at];
  begin_delta(render, index, out);
  if (piece->kind >= INF_SIM_TOOL_HEAD) {
    put_tool_delta(render, choice, piece, out);
  } else {
    inf_buf_append_char(out, '"');
    inf_buf_append_sv(out, delta_name(render, piece->kind));
    inf_buf_append(out, "\":\"", 3);
    inf_json_escape(out, inf_sim_piece_text(choice, piece, render->behaviour));
    inf_buf_append_char(out, '"');
  }
  if (has_logprobs(render, piece)) {
    inf_buf_append_char(out, '}');
    inf_sim_put_logprobs(render, choice, at, at + 1, out);
    end_delta(render, INF_SV(",\"finish_reason\":null}"), out);
  } else {
    end_delta(render, NOTHING_MORE, out);
  }
}

void
inf_sim_render_finish(const inf_sim_render *render, size_t index,
                      bool with_usage, inf_buf *out)
{
  const inf_sim_choice *choice = &render->content->choices[index];
  begin_delta(render, index, out);
  inf_buf_append_cstr(out, "},\"logprobs\":null,\"finish_reason\":\"");
  inf_json_escape(out, inf_sim_finish_reason(render, choice));
  inf_buf_append_cstr(out, "\"}");
  if (with_usage) {
    inf_buf_append_cstr(out, "],\"usage\":");
    inf_sim_put_usage(render, out);
    inf_buf_append_char(out, '}');
    end_event(render, out);
  } else {
    end_delta(render, INF_SV(""), out);
  }
}

void
inf_sim_render_usage(const inf_sim_render *render, inf_buf *out)
{
  begin_event(render, out);
  inf_buf_append_cstr(out, "],\"usage\":");
  inf_sim_put_usage(render, out);
  inf_buf_append_char(out, '}');
  end_event(render, out);
}

void
inf_sim_render_done(const inf_sim_render *render, inf_buf *out)
{
  inf_buf_append_cstr(out, "data: [DONE]");
  end_event(render, out);
}

void
inf_sim_render_comment(const inf_sim_render *render, inf_buf *out)
{
  inf_buf_append_cstr(out, ": OPENROUTER PROCESSING");
  end_event(render, out);
}

void
inf_sim_render_error_body(inf_sv error, inf_buf *out)
{
  bool whole = inf_json_get(error, INF_SV("error")).len > 0 ||
               inf_json_get(error, INF_SV("status")).len > 0;
  inf_buf_append_cstr(out, whole ? "" : "{\"error\":");
  inf_buf_append_sv(out, error);
  inf_buf_append_cstr(out, whole ? "" : "}");
  inf_sim_must(out);
}

void
inf_sim_render_error(const inf_sim_render *render, inf_buf *out)
{
  int form = render->behaviour->error_form;
  if (form == INF_SIM_ERROR_EVENT) {
    inf_buf_append_cstr(out, "event: error");
    inf_buf_append_sv(out, render->line_end);
  }
  inf_buf_append_cstr(out, form == INF_SIM_ERROR_FIELD ? "error: " : "data: ");
  inf_sim_render_error_body(render->behaviour->error_in_200, out);
  end_event(render, out);
}

void
inf_sim_render_malformed(const inf_sim_render *render, inf_buf *out)
{
  begin_event(render, out);
  inf_buf_append_cstr(out, "{\"index\":0,\"delta\":{\"content\":\"brok");
  end_event(render, out);
}

void
inf_sim_render_huge_line(const inf_sim_render *render, uint64_t bytes,
                         inf_buf *out)
{
  size_t start = out->len;
  begin_event(render, out);
  inf_buf_append_cstr(out, "],\"filler\":\"");
  size_t used = out->len - start + 2;
  put_repeated(out, 'x', bytes > used ? bytes - used : 0);
  inf_buf_append_cstr(out, "\"}");
  end_event(render, out);
}

void
inf_sim_render_deep(const inf_sim_render *render, uint64_t depth, inf_buf *out)
{
  begin_event(render, out);
  inf_buf_append_cstr(out, "],\"deep\":");
  put_deep(out, depth);
  inf_buf_append_char(out, '}');
  end_event(render, out);
}
