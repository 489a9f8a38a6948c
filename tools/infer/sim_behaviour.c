/* SPDX-License-Identifier: MIT */
/* The table of what a rule's `do` may say. */

#include "sim_behaviour.h"

#include <stdio.h>

/* Bounds that keep a typing error from filling the machine's memory. */
static const uint64_t tokens_range[2] = {0, 10000000};
static const uint64_t chunk_range[2] = {1, 60000};
static const uint64_t huge_range[2] = {1, 1 << 30};
static const uint64_t deep_range[2] = {1, 1 << 28};
static const uint64_t status_range[2] = {200, 599};
static const uint64_t write_range[2] = {1, 1 << 20};
static const uint64_t ms_range[2] = {1, 1000000000};
static const uint64_t us_range[2] = {0, 1000000000};
static const uint64_t rate_range[2] = {1, 100000000};

static const char *const reasoning_fields[] = {"reasoning_content", "reasoning",
                                               NULL};
static const char *const tool_indexes[] = {"normal", "absent", "shared", NULL};
static const char *const usage_chunks[] = {"empty_choices", "with_choices",
                                           "never", "always", NULL};
static const char *const role_chunks[] = {"normal", "null_content", "none",
                                          NULL};
static const char *const headers_whens[] = {"first_token", "immediate",
                                            "with_role", NULL};
static const char *const error_forms[] = {"data", "event", "field", NULL};
static const char *const framings[] = {"auto", "chunked", "close", NULL};
static const char *const prefills[] = {"honour", "reject", "ignore", "echo",
                                       NULL};
static const char *const prefill_bys[] = {"any", "assistant", "prefix",
                                          "continue_final_message", NULL};
static const char *const billings[] = {"stops", "full", NULL};
static const char *const limit_pers[] = {"key", "model", NULL};

static bool
read_arguments(inf_sim_reader *reader, inf_sv value, void *to,
               const void *param)
{
  if (inf_json_is(value, INF_JSON_STRING)) {
    return inf_sim_read_string(reader, value, to);
  }
  return inf_sim_read_json(reader, value, to, param);
}

static bool
read_sv(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  return inf_sim_read_string(reader, value, to);
}

static const inf_sim_field tool_fields[] = {
    {"id", read_sv, offsetof(inf_sim_tool, id), NULL},
    {"name", read_sv, offsetof(inf_sim_tool, name), NULL},
    {"arguments", read_arguments, offsetof(inf_sim_tool, arguments), NULL},
};

static bool
read_tool(inf_sim_reader *reader, inf_sv value, size_t index,
          inf_sim_tool *tool)
{
  char id[32];
  int len = snprintf(id, sizeof(id), "call_sim_%zu", index);
  tool->id = inf_sim_arena_copy(reader->arena, inf_sv_of(id, (size_t)len));
  tool->arguments = INF_SV("{}");
  if (!inf_sim_read_fields(reader, value, tool, tool_fields,
                           sizeof(tool_fields) / sizeof(tool_fields[0]))) {
    return false;
  }
  return tool->name.len > 0 || inf_sim_reader_fail(reader, "needs a name");
}

static bool
read_tools(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sim_tools *tools = to;
  *tools = (inf_sim_tools){0};
  if (inf_sim_is_off(value)) {
    return true;
  }
  size_t count = inf_json_count(value);
  if (!inf_json_is(value, INF_JSON_ARRAY) || count > 255) {
    return inf_sim_reader_fail(reader, "must be an array of at most 255");
  }
  inf_sim_tool *items =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*items));
  inf_json_iter it = inf_json_iter_of(value);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    size_t mark = inf_sim_reader_enter_at(reader, i);
    if (!read_tool(reader, it.value, i, &items[i])) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
  }
  *tools = (inf_sim_tools){items, count};
  return true;
}

typedef struct point_opts {
  inf_sim_opt bytes, tokens;
} point_opts;

static const inf_sim_field point_fields[] = {
    {"after_bytes", inf_sim_read_opt, offsetof(point_opts, bytes), NULL},
    {"after_tokens", inf_sim_read_opt, offsetof(point_opts, tokens), NULL},
};

static bool
read_point(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sim_point *point = to;
  *point = (inf_sim_point){0};
  if (inf_sim_is_off(value)) {
    return true;
  }
  point_opts opts = {0};
  if (!inf_sim_read_fields(reader, value, &opts, point_fields, 2)) {
    return false;
  }
  if (opts.bytes.set == opts.tokens.set) {
    return inf_sim_reader_fail(reader,
                               "needs either after_bytes or after_tokens");
  }
  point->set = true;
  point->tokens = opts.tokens.set;
  point->at = opts.tokens.set ? opts.tokens.value : opts.bytes.value;
  return true;
}

static bool
read_reset_word(inf_sim_reader *reader, inf_sv value,
                inf_sim_behaviour *behaviour)
{
  static const char *const words[] = {"none", "accept", "before_headers",
                                      "after_headers", NULL};
  int word = 0;
  if (!inf_sim_read_enum(reader, value, &word, words)) {
    return false;
  }
  behaviour->reset = word;
  if (word == INF_SIM_RESET_AT_POINT) { /* after_headers: no byte of a body */
    behaviour->reset_at = (inf_sim_point){.set = true};
  }
  return true;
}

/* Stands at offset 0 of the table: two members are set. */
static bool
read_reset(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  inf_sim_behaviour *behaviour = to;
  behaviour->reset = INF_SIM_RESET_NONE;
  behaviour->reset_at = (inf_sim_point){0};
  if (inf_json_is(value, INF_JSON_STRING)) {
    return read_reset_word(reader, value, behaviour);
  }
  if (!read_point(reader, value, &behaviour->reset_at, param)) {
    return false;
  }
  if (behaviour->reset_at.set) {
    behaviour->reset = INF_SIM_RESET_AT_POINT;
  }
  return true;
}

/* Offset 0 again: body and whether it is JSON. */
static bool
read_body(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  inf_sim_behaviour *behaviour = to;
  behaviour->body_is_json = false;
  if (inf_sim_is_off(value) || inf_json_is(value, INF_JSON_STRING)) {
    return inf_sim_read_text(reader, value, &behaviour->body, param);
  }
  behaviour->body_is_json = true;
  behaviour->body.set = true;
  return inf_sim_read_json(reader, value, &behaviour->body.sv, param);
}

/* Offset 0: an object gives fields, a word says when they are sent. */
static bool
read_headers(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  inf_sim_behaviour *behaviour = to;
  if (inf_json_is(value, INF_JSON_STRING)) {
    return inf_sim_read_enum(reader, value, &behaviour->headers_when,
                             headers_whens);
  }
  return inf_sim_read_pairs(reader, value, &behaviour->fields, param);
}

static const inf_sim_field limit_fields[] = {
    {"requests_per_minute", inf_sim_read_count,
     offsetof(inf_sim_limit, requests), rate_range},
    {"tokens_per_minute", inf_sim_read_count, offsetof(inf_sim_limit, tokens),
     rate_range},
    {"burst", inf_sim_read_count, offsetof(inf_sim_limit, burst), rate_range},
    {"burst_tokens", inf_sim_read_count, offsetof(inf_sim_limit, burst_tokens),
     rate_range},
    {"others_requests_per_minute", inf_sim_read_count,
     offsetof(inf_sim_limit, others_requests), rate_range},
    {"others_tokens_per_minute", inf_sim_read_count,
     offsetof(inf_sim_limit, others_tokens), rate_range},
    {"per", inf_sim_read_enum, offsetof(inf_sim_limit, per), limit_pers},
};

static bool
read_limit(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  if (inf_sim_is_off(value)) {
    *(const inf_sim_limit **)to = NULL;
    return true;
  }
  inf_sim_limit *limit = inf_sim_arena_alloc(reader->arena, sizeof(*limit));
  if (!inf_sim_read_fields(reader, value, limit, limit_fields,
                           sizeof(limit_fields) / sizeof(limit_fields[0]))) {
    return false;
  }
  if (limit->requests == 0 && limit->tokens == 0) {
    return inf_sim_reader_fail(
        reader, "needs requests_per_minute or tokens_per_minute");
  }
  if ((limit->requests > 0 && limit->others_requests >= limit->requests) ||
      (limit->tokens > 0 && limit->others_tokens >= limit->tokens)) {
    return inf_sim_reader_fail(reader, "leaves nothing: others take it all");
  }
  limit->burst = limit->burst ? limit->burst : limit->requests;
  limit->burst_tokens =
      limit->burst_tokens ? limit->burst_tokens : limit->tokens;
  *(const inf_sim_limit **)to = limit;
  return true;
}

#define AT(member) offsetof(inf_sim_behaviour, member)

// clang-format off
static const inf_sim_field fields[] = {
    {"text", inf_sim_read_text, AT(text), NULL},
    {"echo", inf_sim_read_bool, AT(echo), NULL},
    {"tokens", inf_sim_read_dist, AT(tokens), NULL},
    {"chunk_tokens", inf_sim_read_count, AT(chunk_tokens), chunk_range},
    {"reasoning", inf_sim_read_text, AT(reasoning), NULL},
    {"reasoning_tokens", inf_sim_read_opt_dist, AT(reasoning_tokens), NULL},
    {"reasoning_field", inf_sim_read_enum, AT(reasoning_field),
     reasoning_fields},
    {"tool_calls", read_tools, AT(tools), NULL},
    {"tool_index", inf_sim_read_enum, AT(tool_index), tool_indexes},
    {"tool_piece_bytes", inf_sim_read_count, AT(tool_piece_bytes),
     chunk_range},
    {"refusal", inf_sim_read_text, AT(refusal), NULL},
    {"finish_reason", inf_sim_read_text, AT(finish_reason), NULL},
    {"usage", inf_sim_read_raw_object, AT(usage), NULL},
    {"cached_tokens", inf_sim_read_count, AT(cached_tokens), tokens_range},
    {"usage_chunk", inf_sim_read_enum, AT(usage_chunk), usage_chunks},
    {"role_chunk", inf_sim_read_enum, AT(role_chunk), role_chunks},
    {"answer_model", inf_sim_read_text, AT(answer_model), NULL},
    {"service_tier", inf_sim_read_text, AT(service_tier), NULL},
    {"system_fingerprint", inf_sim_read_text, AT(system_fingerprint), NULL},
    {"extra", inf_sim_read_raw_object, AT(extra), NULL},
    {"prefill", inf_sim_read_enum, AT(prefill), prefills},
    {"prefill_by", inf_sim_read_enum, AT(prefill_by), prefill_bys},

    {"first_token_ms", inf_sim_read_dist, AT(first_token_ms), NULL},
    {"inter_token_ms", inf_sim_read_dist, AT(inter_token_ms), NULL},
    {"headers_ms", inf_sim_read_opt_dist, AT(headers_ms), NULL},
    {"headers_sent", inf_sim_read_enum, AT(headers_when), headers_whens},
    {"stall_after_tokens", inf_sim_read_opt, AT(stall_after_tokens), NULL},
    {"stall_ms", inf_sim_read_opt_dist, AT(stall_ms), NULL},

    {"status", inf_sim_read_opt, AT(status), status_range},
    {"body", read_body, 0, NULL},
    {"html_error", inf_sim_read_bool, AT(html_error), NULL},
    {"redirect", inf_sim_read_text, AT(redirect), NULL},
    {"content_type", inf_sim_read_text, AT(content_type), NULL},
    {"wrong_content_type", inf_sim_read_bool, AT(wrong_content_type), NULL},
    {"headers", read_headers, 0, NULL},

    {"error_in_200", inf_sim_read_raw_object, AT(error_in_200), NULL},
    {"after_tokens", inf_sim_read_count, AT(after_tokens), tokens_range},
    {"error_form", inf_sim_read_enum, AT(error_form), error_forms},
    {"error_done", inf_sim_read_bool, AT(error_done), NULL},

    {"reset", read_reset, 0, NULL},
    {"cut", read_point, AT(cut), NULL},
    {"cut_clean", inf_sim_read_bool, AT(cut_clean), NULL},
    {"silence", inf_sim_read_bool, AT(silence), NULL},
    {"malformed_event", inf_sim_read_opt, AT(malformed_event), tokens_range},
    {"missing_done", inf_sim_read_bool, AT(missing_done), NULL},
    {"missing_finish", inf_sim_read_bool, AT(missing_finish), NULL},
    {"huge_line", inf_sim_read_opt, AT(huge_line), huge_range},
    {"huge_body", inf_sim_read_opt, AT(huge_body), huge_range},
    {"deep", inf_sim_read_opt, AT(deep), deep_range},
    {"whitespace_before_body", inf_sim_read_opt, AT(whitespace_before_body),
     huge_range},
    {"framing", inf_sim_read_enum, AT(framing), framings},
    {"comments", inf_sim_read_bool, AT(comments), NULL},
    {"comment_ms", inf_sim_read_opt, AT(comment_ms), ms_range},
    {"crlf", inf_sim_read_bool, AT(crlf), NULL},
    {"cr", inf_sim_read_bool, AT(cr), NULL},
    {"bom", inf_sim_read_bool, AT(bom), NULL},
    {"gzip", inf_sim_read_bool, AT(gzip), NULL},
    {"write_bytes", inf_sim_read_opt, AT(write_bytes), write_range},
    {"write_delay_us", inf_sim_read_count, AT(write_delay_us), us_range},
    {"close_after_response", inf_sim_read_bool, AT(close_after_response),
     NULL},
    {"keepalive_idle_ms", inf_sim_read_opt, AT(keepalive_idle_ms), ms_range},
    {"require_key", inf_sim_read_texts, AT(require_key), NULL},
    {"limit", read_limit, AT(limit), NULL},
    {"cancel_billing", inf_sim_read_enum, AT(cancel_billing), billings},
};
// clang-format on

_Static_assert(sizeof(fields) / sizeof(fields[0]) <= INF_SIM_FIELDS_MAX,
               "the reader's mask of seen members is too small");

void
inf_sim_behaviour_init(inf_sim_behaviour *behaviour)
{
  *behaviour = (inf_sim_behaviour){
      .tokens = inf_sim_dist_constant(16),
      .chunk_tokens = 1,
      .tool_piece_bytes = 8,
  };
}

bool
inf_sim_behaviour_read(inf_sim_reader *reader, inf_sv value, void *to,
                       const void *param)
{
  (void)param;
  return inf_sim_read_fields(reader, value, to, fields,
                             sizeof(fields) / sizeof(fields[0]));
}
