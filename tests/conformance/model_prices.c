/* SPDX-License-Identifier: MIT */
/* Holds the catalogue of models against a public list of prices:
 *
 *   model_prices [--check] FILE
 *
 * FILE is LiteLLM's model_prices_and_context_window.json; without one, that of
 * the shared data. Each model of the list that the catalogue finds, by its
 * name or as a snapshot or profile, must have the figures of the list, and each
 * row must stand in the list. What differs is printed; exit code 1 then, 77
 * without a file. What differs on purpose is told below, with the reason. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/model_facts.h"
#include "wire/json_scan.h"
#include "wire/json_value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Which services of the list are which kinds, and what stands before the name
 * of a model. */
static const struct service {
  const char *theirs, *kind, *before;
} services[] = {
    {"openai", "openai", ""},
    {"azure", "azure-openai", "azure/"},
    {"azure_ai", "azure-ai", "azure_ai/"},
    {"azure_ai", "azure-anthropic", "azure_ai/"},
    {"anthropic", "anthropic", ""},
    {"vertex_ai-anthropic_models", "vertex-anthropic", "vertex_ai/"},
    {"gemini", "gemini", "gemini/"},
    {"vertex_ai-language-models", "vertex", ""},
    {"bedrock", "bedrock", ""},
    {"bedrock_converse", "bedrock", ""},
    {"mistral", "mistral", "mistral/"},
    {"cohere_chat", "cohere", ""},
    {"deepseek", "deepseek", ""},
    {"xai", "xai", "xai/"},
    {"moonshot", "moonshot", "moonshot/"},
    {"zai", "zai", "zai/"},
    {"dashscope", "alibaba", "dashscope/"},
    {"minimax", "minimax", "minimax/"},
    {"perplexity", "perplexity", "perplexity/"},
    {"sambanova", "sambanova", "sambanova/"},
    {"groq", "groq", "groq/"},
    {"cerebras", "cerebras", "cerebras/"},
    {"together_ai", "together", "together_ai/"},
    {"fireworks_ai", "fireworks", "fireworks_ai/"},
    {"deepinfra", "deepinfra", "deepinfra/"},
    {"novita", "novita", "novita/"},
    {"nebius", "nebius", "nebius/"},
    {"openrouter", "openrouter", "openrouter/"},
    {"cloudflare", "cloudflare", "cloudflare/"},
    {"snowflake", "snowflake", "snowflake/"},
    {"databricks", "databricks", "databricks/"},
    {"vercel_ai_gateway", "vercel", "vercel_ai_gateway/"},
};

/* Figures of the list that are not taken over: patterns of fnmatch(3). */
#define NOT_A_LIMIT                                                           \
  "the list has contexts and defaults of servers for it; it would lower what" \
  " callers ask for"
static const struct reason {
  const char *kind, *name, *figure, *why;
} reasons[] = {
    {"azure-ai", "*", "output", NOT_A_LIMIT},
    {"sambanova", "*", "output", NOT_A_LIMIT},
    {"cerebras", "*", "output", NOT_A_LIMIT},
    {"together", "*", "output", NOT_A_LIMIT},
    {"fireworks", "*", "output", NOT_A_LIMIT},
    {"novita", "*", "output", NOT_A_LIMIT},
    {"openrouter", "*", "output", NOT_A_LIMIT},
    {"snowflake", "*", "output", NOT_A_LIMIT},
    {"databricks", "*", "output", NOT_A_LIMIT},
    {"vercel", "*", "output", NOT_A_LIMIT},
    {"minimax", "MiniMax-M2*", "output", NOT_A_LIMIT},
    {"zai", "glm-4.5*", "output", NOT_A_LIMIT},
    {"deepseek", "deepseek-v4-*", "output",
     "8192 is less than its other hosts have in the list: 384000"},
    {"vertex-anthropic", "claude-haiku-4-5*", "output",
     "8192 is less than at Anthropic and on Bedrock: 64000"},
    {"bedrock", "[b-z]*", "output", NOT_A_LIMIT},
    {"bedrock", "[b-z]*", "context",
     "128000 beside 8192 stands for many models whose makers say more"},
    {"bedrock", "moonshotai.kimi-k2.5", "price of output",
     "the list has it twice, with 3.00 and with 3.03 dollars"},
    {"azure-openai", "gpt-5.1-chat-*", "output",
     "its model has the context there, which is no limit"},
    {"bedrock", "anthropic.claude-sonnet-4-5-*", "output",
     "8192 stands for the government's regions alone"},
    {"mistral", "magistral-*", "context",
     "40000 is what the maker recommends, and no limit"},
};

static bool used[COUNT(reasons)];
static size_t compared, excused, unpriced, wrong;

static bool
is_excused(const char *kind, const char *name, const char *figure)
{
  for (size_t i = 0; i < COUNT(reasons); i++)
    if (strcmp(reasons[i].kind, kind) == 0 &&
        strcmp(reasons[i].figure, figure) == 0 &&
        fnmatch(reasons[i].name, name, 0) == 0)
      return used[i] = true;
  return false;
}

/* ---- The list ------------------------------------------------------------ */

static inf_sv
text_of(inf_sv value)
{
  return value.len >= 2 ? inf_sv_of(value.ptr + 1, value.len - 2) : INF_SV("");
}

static bool
is_text(inf_sv entry, const char *member, const char *wanted)
{
  return inf_sv_eq(text_of(inf_json_get(entry, inf_sv_from(member))),
                   inf_sv_from(wanted));
}

static int64_t
whole(inf_sv entry, const char *member)
{
  double number;
  return inf_json_double(inf_json_get(entry, inf_sv_from(member)), false,
                         &number)
             ? (int64_t)number
             : 0;
}

/* Micro-dollars per million tokens, of a price in dollars per token. */
static int64_t
price(inf_sv entry, const char *member)
{
  double dollars;
  if (!inf_json_double(inf_json_get(entry, inf_sv_from(member)), false,
                       &dollars))
    return INF_PRICE_UNKNOWN;
  return (int64_t)(dollars * 1e12 + 0.4);
}

/* The prompt up to which the price holds: of the first step, or the least of
 * members like "input_cost_per_token_above_200k_tokens". */
static int64_t
holds_up_to(inf_sv entry, inf_sv tier)
{
  static const char before[] = "input_cost_per_token_above_";
  double number;
  int64_t least = 0;
  if (tier.len > 0 &&
      inf_json_double(inf_json_at(inf_json_get(tier, INF_SV("range")), 1),
                      false, &number))
    return (int64_t)number;
  inf_json_iter it = inf_json_iter_of(entry);
  while (inf_json_next(&it)) {
    inf_sv key = it.key;
    if (!inf_sv_starts_with(key, inf_sv_from(before)))
      continue;
    const char *at = key.ptr + sizeof before - 1;
    char *end;
    long thousands = strtol(at, &end, 10);
    if (key.ptr + key.len - end == 8 && memcmp(end, "k_tokens", 8) == 0 &&
        (least == 0 || thousands * 1000 < least))
      least = thousands * 1000;
  }
  return least;
}

static void
raise(double *most, inf_sv from, const char *member, double base)
{
  double number;
  if (base > 0 &&
      inf_json_double(inf_json_get(from, inf_sv_from(member)), false,
                      &number) &&
      number / base > *most)
    *most = number / base;
}

/* The most that input or output costs on a later step, or by members like
 * "input_cost_per_token_above_200k_tokens"; in times of the price, rounded up,
 * at least twice. */
static int64_t
times_beyond(inf_sv entry, inf_sv tier)
{
  static const char *const prices[] = {
      "input_cost_per_token", "output_cost_per_token",
      "cache_read_input_token_cost", "output_cost_per_reasoning_token"};
  double most = 2;
  for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
    double base;
    inf_sv name = inf_sv_from(prices[i]);
    if (!inf_json_double(inf_json_get(tier.len > 0 ? tier : entry, name), false,
                         &base))
      continue;
    inf_json_iter step =
        inf_json_iter_of(inf_json_get(entry, INF_SV("tiered_pricing")));
    while (tier.len > 0 && inf_json_next(&step))
      raise(&most, step.value, prices[i], base);
    inf_json_iter it = inf_json_iter_of(entry);
    while (tier.len == 0 && inf_json_next(&it)) {
      double number;
      if (inf_sv_starts_with(it.key, name) &&
          inf_sv_contains_nocase(it.key, INF_SV("_above_")) &&
          inf_sv_ends_with(it.key, INF_SV("k_tokens")) &&
          inf_json_double(it.value, false, &number) && number / base > most)
        most = number / base;
    }
  }
  int64_t whole = (int64_t)most;
  return most - (double)whole > 1e-6 ? whole + 1 : whole;
}

/* ---- Comparing ----------------------------------------------------------- */

typedef struct pair {
  const char *kind, *name;
  inf_model model;
} pair;

/* "bedrock/eu-west-1/" before the name tells a region. */
static inf_sv
take_region(inf_sv *key)
{
  const inf_sv before = INF_SV("bedrock/");
  if (!inf_sv_starts_with(*key, before))
    return INF_SV("");
  inf_sv rest = inf_sv_of(key->ptr + before.len, key->len - before.len);
  size_t len = inf_sv_find(rest, '/');
  if (len == rest.len) {
    *key = rest;
    return INF_SV("");
  }
  *key = inf_sv_of(rest.ptr + len + 1, rest.len - len - 1);
  return inf_sv_of(rest.ptr, len);
}

static void
compare(const pair *at, const char *figure, int64_t ours, int64_t theirs)
{
  compared++;
  if (ours == theirs)
    return;
  if (is_excused(at->kind, at->name, figure)) {
    excused++;
    return;
  }
  wrong++;
  printf("%s %s (row %s): %s is %lld, the list says %lld\n", at->kind, at->name,
         at->model.name, figure, (long long)ours, (long long)theirs);
}

/* Nothing for a part of what costs something is a gap of the list. */
static int64_t
part(inf_sv entry, const char *member, int64_t all)
{
  int64_t found = price(entry, member);
  return found == 0 && all != 0 ? INF_PRICE_UNKNOWN : found;
}

static void
compare_prices(const pair *at, inf_sv entry)
{
  inf_sv tier = inf_json_at(inf_json_get(entry, INF_SV("tiered_pricing")), 0);
  inf_sv from = tier.len > 0 ? tier : entry;
  const inf_price *ours = &at->model.price;
  int64_t in = price(from, "input_cost_per_token");
  int64_t out = price(from, "output_cost_per_token");
  int64_t think = price(from, "output_cost_per_reasoning_token");
  compare(at, "price of input", ours->input, in);
  compare(at, "price of output", ours->output, out);
  compare(at, "price of cached input", ours->cache_read,
          part(from, "cache_read_input_token_cost", in));
  compare(at, "price of a cache write", ours->cache_write,
          part(from, "cache_creation_input_token_cost", in));
  compare(at, "price of reasoning", ours->reasoning,
          think == out ? INF_PRICE_UNKNOWN : think);
  compare(at, "price of audio heard", ours->audio_input,
          price(entry, "input_cost_per_audio_token"));
  compare(at, "price of audio spoken", ours->audio_output,
          price(entry, "output_cost_per_audio_token"));
  compare(at, "length up to which the price holds",
          at->model.price_up_to_tokens, holds_up_to(entry, tier));
  if (at->model.price_up_to_tokens > 0)
    compare(at, "times that it may cost beyond",
            inf_model_times_beyond(&at->model), times_beyond(entry, tier));
}

static void
compare_all(const pair *at, inf_sv entry)
{
  int64_t context = whole(entry, "max_input_tokens");
  int64_t output = whole(entry, "max_output_tokens");
  compare(at, "context", at->model.context_tokens, context);
  /* As long as the context is no limit of its own. */
  compare(at, "output", at->model.output_tokens,
          context > 0 && output >= context ? 0 : output);
  /* Of some regions no price is known, and that is not hidden. */
  if (inf_price_is_known(&at->model.price))
    compare_prices(at, entry);
  else
    unpriced++;
}

/* Rows that were met by their own names. */
static bool met[2000];

static size_t
number_of(const inf_model_table *wanted, const char *name)
{
  const inf_model_table *table;
  size_t before = 0;
  for (size_t t = 0; (table = inf_model_table_at(t)) != NULL; t++) {
    for (size_t i = 0; table == wanted && i < table->count; i++)
      if (strcmp(table->models[i].name, name) == 0)
        return before + i;
    before += table->count;
  }
  abort();
}

/* Is it still sold, on the day of the rows? */
static bool
is_sold(inf_sv entry, const char *date)
{
  inf_sv end = text_of(inf_json_get(entry, INF_SV("deprecation_date")));
  return end.len != 10 || memcmp(end.ptr, date, 10) > 0;
}

static void
look_up(const struct service *service, inf_sv key, inf_sv entry)
{
  char name[200];
  inf_sv before = inf_sv_from(service->before);
  if (!is_text(entry, "litellm_provider", service->theirs) ||
      !inf_sv_starts_with(key, before))
    return;
  const inf_provider_kind *kind =
      inf_provider_kind_find(inf_sv_from(service->kind));
  const inf_model_table *table = inf_model_table_of(kind);
  inf_sv region = take_region(&key);
  pair at = {.kind = service->kind, .name = name};
  snprintf(name, sizeof name, "%.*s", (int)(key.len - before.len),
           key.ptr + before.len);
  if (!is_sold(entry, table->source->date) ||
      !inf_model_find(table, inf_sv_from(name), region, &at.model))
    return;
  if (strcmp(at.model.name, name) == 0)
    met[number_of(table, name)] = true;
  compare_all(&at, entry);
}

static void
read_list(inf_sv list)
{
  inf_json_iter it = inf_json_iter_of(list);
  while (inf_json_next(&it)) {
    if (!is_text(it.value, "mode", "chat") &&
        !is_text(it.value, "mode", "responses"))
      continue;
    for (size_t i = 0; i < COUNT(services); i++)
      look_up(&services[i], it.key, it.value);
  }
}

static size_t
tell_unmet(void)
{
  const inf_model_table *table;
  size_t rows = 0;
  for (size_t t = 0; (table = inf_model_table_at(t)) != NULL; t++)
    for (size_t i = 0; i < table->count; i++)
      if (!met[rows++]) {
        wrong++;
        printf("%s %s is not in the list\n", table->kinds,
               table->models[i].name);
      }
  return rows;
}

/* A reason for nothing is one that is wrong. */
static void
tell_unused(void)
{
  for (size_t i = 0; i < COUNT(reasons); i++)
    if (!used[i]) {
      wrong++;
      printf("%s %s: no %s differs\n", reasons[i].kind, reasons[i].name,
             reasons[i].figure);
    }
}

/* ---- The program --------------------------------------------------------- */

static bool
read_file(const char *path, inf_buf *out)
{
  char block[65536];
  size_t len;
  FILE *file = fopen(path, "rb");
  if (!file)
    return false;
  while ((len = fread(block, 1, sizeof block, file)) > 0)
    inf_buf_append(out, block, len);
  bool read = !ferror(file);
  fclose(file);
  return read && out->status == 0;
}

int
main(int argc, char **argv)
{
  char path[4096] = "";
  inf_buf text;
  inf_sv list;
  const char *shared = getenv("INFER_SHARED");
  if (argc > 1)
    snprintf(path, sizeof path, "%s", argv[argc - 1]);
  else if (shared)
    snprintf(path, sizeof path, "%s/data/prices/model_prices.json", shared);
  inf_buf_init(&text, (size_t)64 << 20);
  if (!read_file(path, &text)) {
    inf_buf_fini(&text);
    printf("skipped: no list of prices (%s)\n", strerror(errno));
    return argc > 1 ? 1 : 77;
  }
  if (!inf_json_parse(inf_buf_sv(&text), 64, &list, NULL)) {
    inf_buf_fini(&text);
    printf("%s is not JSON\n", path);
    return 1;
  }
  read_list(list);
  size_t rows = tell_unmet();
  tell_unused();
  printf("%zu rows; %zu figures compared, %zu left out with a reason, %zu "
         "entries without a price, %zu wrong\n",
         rows, compared, excused, unpriced, wrong);
  inf_buf_fini(&text);
  return wrong > 0 || compared < rows;
}
