/* SPDX-License-Identifier: MIT */
/* Finding what is known of a model; see model_facts.h. */
#include "config/model_facts.h"

#include "config/model_facts_row.h"

const inf_model_source inf_model_source_list = {
    "litellm",
    "github.com/BerriAI/litellm model_prices_and_context_window.json",
    "2026-08-01",
};

/* ---- Tables -------------------------------------------------------------- */

const inf_model_table *
inf_model_table_at(size_t index)
{
  const struct {
    const inf_model_table *tables;
    size_t count;
  } groups[] = {
      {inf_models_openai, inf_models_openai_count},
      {inf_models_makers, inf_models_makers_count},
      {inf_models_bedrock, inf_models_bedrock_count},
      {inf_models_services, inf_models_services_count},
      {inf_models_hosts, inf_models_hosts_count},
      {inf_models_gateways, inf_models_gateways_count},
  };
  for (size_t i = 0; i < COUNT_OF(groups); i++) {
    if (index < groups[i].count)
      return &groups[i].tables[index];
    index -= groups[i].count;
  }
  return NULL;
}

static bool
has_word(const char *words, inf_sv wanted)
{
  inf_sv rest = inf_sv_from(words);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, ' ');
    if (inf_sv_eq(inf_sv_of(rest.ptr, len), wanted))
      return true;
    rest = inf_sv_trim(inf_sv_of(rest.ptr + len, rest.len - len));
  }
  return false;
}

const inf_model_table *
inf_model_table_of(const inf_provider_kind *kind)
{
  const inf_model_table *table;
  for (size_t i = 0; (table = inf_model_table_at(i)) != NULL; i++)
    if (has_word(table->kinds, inf_sv_from(kind->type)))
      return table;
  return NULL;
}

/* ---- Rows ---------------------------------------------------------------- */

static int
compare(inf_sv name, const char *other)
{
  inf_sv b = inf_sv_from(other);
  size_t len = name.len < b.len ? name.len : b.len;
  int order = memcmp(name.ptr, b.ptr, len);
  if (order != 0 || name.len == b.len)
    return order;
  return name.len < b.len ? -1 : 1;
}

static const inf_model *
find_row(const inf_model_table *table, inf_sv name)
{
  size_t low = 0, high = table->count;
  while (name.len > 0 && low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare(name, table->models[middle].name);
    if (order == 0)
      return &table->models[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

/* ---- Names --------------------------------------------------------------- */

/* Does the name end so? '0' stands for any digit, '2' for itself. */
static bool
ends_like(inf_sv name, inf_sv pattern)
{
  if (name.len <= pattern.len)
    return false;
  const char *end = name.ptr + name.len - pattern.len;
  for (size_t i = 0; i < pattern.len; i++) {
    bool digit = end[i] >= '0' && end[i] <= '9';
    if (pattern.ptr[i] == '0' ? !digit : end[i] != pattern.ptr[i])
      return false;
  }
  return true;
}

/* The name without the date of a snapshot; as it is where it has none. */
static inf_sv
undated(inf_sv name)
{
  static const char *const dates[] = {"-2000-00-00", "-20000000", "@20000000",
                                      "@default"};
  for (size_t i = 0; i < COUNT_OF(dates); i++) {
    inf_sv date = inf_sv_from(dates[i]);
    if (ends_like(name, date))
      return inf_sv_of(name.ptr, name.len - date.len);
  }
  return name;
}

static const inf_model *
find_plain(const inf_model_table *table, inf_sv name)
{
  const inf_model *model = find_row(table, name);
  return model ? model : find_row(table, undated(name));
}

/* ---- Geographies of Bedrock ---------------------------------------------- */

/* Source: AWS, Bedrock user guide, "Supported Regions and models for inference
 * profiles". */
static const struct geography {
  const char *prefix;
  /* Of a model with the trait g ten percent is added; of one without it the
   * price is that of the row, or not known. */
  bool regional, known;
} geographies[] = {
    {"global.", false, true}, {"us.", true, true},  {"eu.", true, false},
    {"apac.", true, false},   {"jp.", true, false}, {"au.", true, false},
    {"ca.", true, false},     {"sa.", true, false}, {"us-gov.", false, false},
};

static const struct geography *
geography_of(inf_sv name)
{
  for (size_t i = 0; i < COUNT_OF(geographies); i++)
    if (inf_sv_starts_with(name, inf_sv_from(geographies[i].prefix)))
      return &geographies[i];
  return NULL;
}

static int64_t
dearer(int64_t price)
{
  return price < 0 ? price : price + price / 10;
}

static void
add_tenth(inf_price *price)
{
  int64_t *const parts[] = {&price->input,       &price->output,
                            &price->cache_read,  &price->cache_write,
                            &price->reasoning,   &price->audio_input,
                            &price->audio_output};
  for (size_t i = 0; i < COUNT_OF(parts); i++)
    *parts[i] = dearer(*parts[i]);
}

static bool
is_in_the_states(inf_sv region)
{
  return region.len == 0 || (inf_sv_starts_with(region, INF_SV("us-")) &&
                             !inf_sv_starts_with(region, INF_SV("us-gov-")));
}

/* where NULL: it is asked without a profile. */
static void
reprice(inf_model *model, const struct geography *where, inf_sv region)
{
  bool g = inf_model_says(model, 'g');
  if (where ? !where->known && !(g && where->regional)
            : !is_in_the_states(region))
    model->price = (inf_price)INF_PRICE_NONE;
  else if (where && where->regional && g)
    add_tenth(&model->price);
}

static bool
find_profile(const inf_model_table *table, inf_sv name, inf_sv region,
             inf_model *out)
{
  size_t start = name.len;
  while (start > 0 && name.ptr[start - 1] != '/')
    start--;
  name = inf_sv_of(name.ptr + start, name.len - start);
  const struct geography *where = geography_of(name);
  const inf_model *model = find_plain(table, name);
  if (model && where) { /* a row of its own */
    *out = *model;
    return true;
  }
  if (where) {
    size_t len = strlen(where->prefix);
    model = find_plain(table, inf_sv_of(name.ptr + len, name.len - len));
  }
  if (!model)
    return false;
  *out = *model;
  reprice(out, where, region);
  return true;
}

bool
inf_model_find(const inf_model_table *table, inf_sv name, inf_sv region,
               inf_model *out)
{
  if (table->models == inf_models_bedrock->models)
    return find_profile(table, name, region, out);
  const inf_model *model = find_plain(table, name);
  if (model)
    *out = *model;
  return model != NULL;
}

int32_t
inf_model_times_beyond(const inf_model *model)
{
  const char *digits = strpbrk(model->traits, "0123456789");
  int32_t times = 0;
  if (model->price_up_to_tokens == 0)
    return 1;
  for (; digits && *digits >= '0' && *digits <= '9'; digits++)
    times = times * 10 + (*digits - '0');
  return times > 0 ? times : 2;
}
