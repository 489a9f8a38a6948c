/* SPDX-License-Identifier: MIT */
/* Reading a script as a whole: defaults, rules, prices, periods. What a rule
 * may do is in sim_behaviour.c. */

#include "sim_script.h"

#include "sim_match.h"

#include "base/mem.h"

#include <math.h>

/* How deep JSON in a script may nest. */
#define SCRIPT_DEPTH 64

/* "3", "1-5", "2-", or every n-th: a star, a slash and n. */
static bool
parse_numbers(inf_sv text, inf_sim_numbers *numbers)
{
  long long first = 0, last = 0;
  *numbers = (inf_sim_numbers){true, 1, UINT64_MAX, 1};
  if (inf_sv_starts_with(text, INF_SV("*/"))) {
    bool ok = inf_sv_to_int64(inf_sv_of(text.ptr + 2, text.len - 2), &first);
    numbers->every = (uint64_t)first;
    return ok && first > 0;
  }
  size_t dash = inf_sv_find(text, '-');
  if (!inf_sv_to_int64(inf_sv_of(text.ptr, dash), &first) || first < 1) {
    return false;
  }
  numbers->first = (uint64_t)first;
  if (dash == text.len) {
    numbers->last = numbers->first;
    return true;
  }
  inf_sv rest = inf_sv_of(text.ptr + dash + 1, text.len - dash - 1);
  if (rest.len == 0) {
    return true;
  }
  bool ok = inf_sv_to_int64(rest, &last) && last >= first;
  numbers->last = (uint64_t)last;
  return ok;
}

static bool
read_numbers(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sv text = value;
  if (inf_json_is(value, INF_JSON_STRING) &&
      !inf_sim_read_string(reader, value, &text)) {
    return false;
  }
  if (!parse_numbers(text, to)) {
    return inf_sim_reader_fail(
        reader, "must be like \"3\", \"1-5\", \"2-\" or \"*/2\"");
  }
  return true;
}

#define WHEN(member) offsetof(inf_sim_when, member)

// clang-format off
static const inf_sim_field when_fields[] = {
    {"model", inf_sim_read_text, WHEN(model), NULL},
    {"key", inf_sim_read_text, WHEN(key), NULL},
    {"path", inf_sim_read_text, WHEN(path), NULL},
    {"header", inf_sim_read_pairs, WHEN(header), NULL},
    {"stream", inf_sim_read_tristate, WHEN(stream), NULL},
    {"prefill", inf_sim_read_tristate, WHEN(prefill), NULL},
    {"reused", inf_sim_read_tristate, WHEN(reused), NULL},
    {"requests", read_numbers, WHEN(requests), NULL},
    {"after_ms", inf_sim_read_opt, WHEN(after_ms), NULL},
    {"until_ms", inf_sim_read_opt, WHEN(until_ms), NULL},
    {"probability", inf_sim_read_probability, WHEN(probability), NULL},
};
// clang-format on

static bool
read_when(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  return inf_sim_read_fields(reader, value, to, when_fields,
                             sizeof(when_fields) / sizeof(when_fields[0]));
}

static const inf_sim_field rule_fields[] = {
    {"name", inf_sim_read_text, offsetof(inf_sim_rule, name), NULL},
    {"when", read_when, offsetof(inf_sim_rule, when), NULL},
    {"do", inf_sim_behaviour_read, offsetof(inf_sim_rule, behaviour), NULL},
};

static bool
read_rule(inf_sim_reader *reader, inf_sv value, inf_sim_rule *rule)
{
  rule->when.stream = rule->when.prefill = rule->when.reused = -1;
  rule->when.probability = 1;
  if (!inf_sim_read_fields(reader, value, rule, rule_fields,
                           sizeof(rule_fields) / sizeof(rule_fields[0]))) {
    return false;
  }
  if (rule->behaviour.reset == INF_SIM_RESET_ACCEPT &&
      !inf_sim_when_before_request(&rule->when)) {
    return inf_sim_reader_fail(
        reader, "\"reset\": \"accept\" happens before there is a request: only "
                "requests, after_ms, until_ms and probability can be asked");
  }
  return true;
}

static bool
read_rules(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sim_script *script = to;
  if (!inf_json_is(value, INF_JSON_ARRAY)) {
    return inf_sim_reader_fail(reader, "must be an array");
  }
  size_t count = inf_json_count(value);
  script->rules =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*script->rules));
  inf_json_iter it = inf_json_iter_of(value);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    size_t mark = inf_sim_reader_enter_at(reader, i);
    script->rules[i].behaviour = script->defaults;
    if (!read_rule(reader, it.value, &script->rules[i])) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
    script->rule_count++;
  }
  return true;
}

/* Dollars for a million tokens, to whole nano-dollars. */
static bool
read_usd(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  double usd = 0;
  if (!inf_json_double(value, false, &usd) || !(usd >= 0) || usd > 1e6) {
    return inf_sim_reader_fail(reader, "must be dollars per million tokens");
  }
  *(uint64_t *)to = (uint64_t)llround(usd * 1e9);
  return true;
}

static const inf_sim_field price_fields[] = {
    {"input", read_usd, offsetof(inf_sim_price, input), NULL},
    {"output", read_usd, offsetof(inf_sim_price, output), NULL},
    {"cached", read_usd, offsetof(inf_sim_price, cached), NULL},
    {"reasoning", read_usd, offsetof(inf_sim_price, reasoning), NULL},
};

static bool
read_price(inf_sim_reader *reader, inf_sv value, inf_sim_price *price)
{
  price->cached = price->reasoning = UINT64_MAX;
  if (!inf_sim_read_fields(reader, value, price, price_fields,
                           sizeof(price_fields) / sizeof(price_fields[0]))) {
    return false;
  }
  /* Without a price of its own a token costs what any other does. */
  if (price->cached == UINT64_MAX) {
    price->cached = price->input;
  }
  if (price->reasoning == UINT64_MAX) {
    price->reasoning = price->output;
  }
  return true;
}

static bool
read_prices(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sim_script *script = to;
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    return inf_sim_reader_fail(reader, "must be an object");
  }
  size_t count = inf_json_count(value);
  inf_sim_price *prices =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*prices));
  inf_json_iter it = inf_json_iter_of(value);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    size_t mark = inf_sim_reader_enter(reader, it.key);
    prices[i].model = inf_sim_arena_copy(reader->arena, it.key);
    if (!read_price(reader, it.value, &prices[i])) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
  }
  script->prices = prices;
  script->price_count = count;
  return true;
}

static const inf_sim_field period_fields[] = {
    {"from_ms", inf_sim_read_count, offsetof(inf_sim_period, from_ms), NULL},
    {"until_ms", inf_sim_read_count, offsetof(inf_sim_period, until_ms), NULL},
};

static bool
read_period(inf_sim_reader *reader, inf_sv value, inf_sim_period *period,
            uint64_t earliest_ms)
{
  if (!inf_sim_read_fields(reader, value, period, period_fields, 2)) {
    return false;
  }
  if (period->from_ms < earliest_ms || period->until_ms <= period->from_ms) {
    return inf_sim_reader_fail(
        reader, "must end after it begins, and begin after the one before");
  }
  return true;
}

static bool
read_down(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)param;
  inf_sim_script *script = to;
  if (!inf_json_is(value, INF_JSON_ARRAY)) {
    return inf_sim_reader_fail(reader, "must be an array of periods");
  }
  size_t count = inf_json_count(value);
  inf_sim_period *periods =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*periods));
  uint64_t earliest_ms = 0;
  inf_json_iter it = inf_json_iter_of(value);
  for (size_t i = 0; i < count && inf_json_next(&it); i++) {
    size_t mark = inf_sim_reader_enter_at(reader, i);
    if (!read_period(reader, it.value, &periods[i], earliest_ms)) {
      return false;
    }
    inf_sim_reader_leave(reader, mark);
    earliest_ms = periods[i].until_ms;
  }
  script->down = periods;
  script->down_count = count;
  return true;
}

/* The defaults are read before, because the rules are laid over them. */
static bool
skip(inf_sim_reader *reader, inf_sv value, void *to, const void *param)
{
  (void)reader;
  (void)value;
  (void)to;
  (void)param;
  return true;
}

// clang-format off
static const inf_sim_field script_fields[] = {
    {"defaults", skip, 0, NULL},
    {"rules", read_rules, 0, NULL},
    {"prices", read_prices, 0, NULL},
    {"down", read_down, 0, NULL},
    {"models", inf_sim_read_texts, offsetof(inf_sim_script, models), NULL},
    {"seed", inf_sim_read_opt, offsetof(inf_sim_script, seed), NULL},
};
// clang-format on

static bool
read_script(inf_sim_reader *reader, inf_sv value, inf_sim_script *script)
{
  inf_sv defaults = inf_json_get(value, INF_SV("defaults"));
  if (defaults.len > 0) {
    size_t mark = inf_sim_reader_enter(reader, INF_SV("defaults"));
    if (!inf_sim_behaviour_read(reader, defaults, &script->defaults, NULL)) {
      return false;
    }
    if (script->defaults.reset == INF_SIM_RESET_ACCEPT) {
      return inf_sim_reader_fail(reader,
                                 "\"reset\": \"accept\" belongs in a rule");
    }
    inf_sim_reader_leave(reader, mark);
  }
  script->plain.require_key = script->defaults.require_key;
  return inf_sim_read_fields(reader, value, script, script_fields,
                             sizeof(script_fields) / sizeof(script_fields[0]));
}

static bool
parse_script(inf_sv text, inf_sim_script *script, inf_buf *error)
{
  inf_sv value;
  inf_json_error json_error;
  if (!inf_json_parse(text, SCRIPT_DEPTH, &value, &json_error)) {
    inf_buf_appendf(error, "line %zu, column %zu: %s", json_error.line,
                    json_error.column, json_error.reason);
    return false;
  }
  inf_sim_reader reader;
  inf_sim_reader_init(&reader, &script->arena);
  bool ok = read_script(&reader, value, script);
  inf_buf_append_sv(error, inf_buf_sv(&reader.error));
  inf_sim_reader_fini(&reader);
  return ok;
}

inf_sim_script *
inf_sim_script_read(inf_sv text, inf_buf *error)
{
  inf_sim_script *script = inf_sim_alloc(sizeof(*script));
  script->references = 1;
  inf_sim_behaviour_init(&script->defaults);
  inf_sim_behaviour_init(&script->plain);
  if (inf_sv_trim(text).len == 0) {
    text = INF_SV("{}");
  }
  if (!parse_script(text, script, error)) {
    inf_sim_script_unref(script);
    return NULL;
  }
  return script;
}

inf_sim_script *
inf_sim_script_ref(inf_sim_script *script)
{
  script->references++;
  return script;
}

void
inf_sim_script_unref(inf_sim_script *script)
{
  if (!script || --script->references > 0) {
    return;
  }
  inf_sim_limits_fini(&script->limits);
  inf_sim_arena_free(&script->arena);
  inf_free(script);
}

void
inf_sim_script_restart(inf_sim_script *script)
{
  for (size_t i = 0; i < script->rule_count; i++) {
    script->rules[i].seen = 0;
  }
  inf_sim_limits_fini(&script->limits);
}

const inf_sim_price *
inf_sim_script_price(const inf_sim_script *script, inf_sv model)
{
  for (size_t i = 0; i < script->price_count; i++) {
    if (inf_sim_glob(script->prices[i].model, model)) {
      return &script->prices[i];
    }
  }
  return NULL;
}
