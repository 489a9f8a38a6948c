/* SPDX-License-Identifier: MIT */
/* `infer models --catalogue`: what is known of models without asking anybody,
 * as a table that other programs can read too. */

#include "model_table.h"

#include "cmd.h"
#include "out.h"

#include "config/model_facts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct trait {
  char letter;
  const char *word;
} traits[] = {
    {'T', "tools"},         {'t', "no-tools"},
    {'V', "images"},        {'v', "no-images"},
    {'S', "schema"},        {'s', "no-schema"},
    {'R', "reasoning"},     {'P', "prefill"},
    {'p', "no-prefill"},    {'m', "max_completion_tokens"},
    {'k', "no-sampling"},   {'e', "sampling-without-effort"},
    {'g', "geography+10%"},
};

/* What is not known is a dash. */
static void
add_count(inf_buf *line, int32_t count)
{
  if (count > 0) {
    inf_buf_appendf(line, " %9d", (int)count);
  } else {
    inf_buf_appendf(line, " %9s", "-");
  }
}

/* Dollars for a million tokens, of micro-dollars. */
static void
add_price(inf_buf *line, int64_t price)
{
  char text[40];
  if (price < 0) {
    inf_buf_appendf(line, " %9s", "-");
    return;
  }
  int len =
      snprintf(text, sizeof text, "%lld.%06lld", (long long)(price / 1000000),
               (long long)(price % 1000000));
  while (len > 0 && text[len - 1] == '0') {
    text[--len] = '\0';
  }
  if (len > 0 && text[len - 1] == '.') {
    text[--len] = '\0';
  }
  inf_buf_appendf(line, " %9s", text);
}

static void
add_traits(inf_buf *line, const inf_model *model)
{
  const char *before = "  ";
  for (size_t i = 0; i < sizeof traits / sizeof traits[0]; i++) {
    if (inf_model_says(model, traits[i].letter)) {
      inf_buf_appendf(line, "%s%s", before, traits[i].word);
      before = ",";
    }
  }
  if (model->price_up_to_tokens > 0) {
    inf_buf_appendf(line, "%sprice-up-to-%d", before,
                    (int)model->price_up_to_tokens);
  }
}

static void
print_row(inf_out *out, const char *type, const inf_model *model)
{
  inf_buf line;
  inf_buf_init(&line, 4096);
  inf_buf_appendf(&line, "%-24s %-52s", type, model->name);
  add_count(&line, model->context_tokens);
  add_count(&line, model->output_tokens);
  add_price(&line, model->price.input);
  add_price(&line, model->price.output);
  add_price(&line, model->price.cache_read);
  add_price(&line, model->price.cache_write);
  add_traits(&line, model);
  inf_out_raw(out, inf_buf_cstr(&line));
  inf_out_raw(out, "\n");
  inf_buf_fini(&line);
}

static void
print_source(inf_out *out, const inf_model_source *source)
{
  inf_out_raw(out, "# Source: ");
  inf_out_raw(out, source->where);
  inf_out_raw(out, ", as of ");
  inf_out_raw(out, source->date);
  inf_out_raw(out, ". Dollars for a million tokens; - is not known.\n");
}

static void
print_head(inf_out *out)
{
  char line[200];
  snprintf(line, sizeof line, "%-24s %-52s %9s %9s %9s %9s %9s %9s  %s\n",
           "# TYPE", "MODEL", "CONTEXT", "OUTPUT", "$IN", "$OUT", "$CACHED",
           "$CACHING", "FLAGS");
  inf_out_raw(out, line);
}

static void
print_table(inf_out *out, const char *type, const inf_model_table *table)
{
  const char *first = table->kinds;
  char word[64];
  snprintf(word, sizeof word, "%.*s", (int)strcspn(first, " "), first);
  for (size_t i = 0; i < table->count; i++) {
    print_row(out, type ? type : word, &table->models[i]);
  }
}

static void
print_all(inf_out *out)
{
  const inf_model_table *table;
  const inf_model_source *told = NULL;
  for (size_t i = 0; (table = inf_model_table_at(i)) != NULL; i++) {
    if (table->source != told) {
      told = table->source;
      print_source(out, told);
    }
  }
  print_head(out);
  for (size_t i = 0; (table = inf_model_table_at(i)) != NULL; i++) {
    print_table(out, NULL, table);
  }
}

int
inf_print_model_table(const char *type)
{
  inf_out out;
  inf_out_init(&out, STDOUT_FILENO);
  if (type) {
    const inf_provider_kind *kind = inf_provider_kind_find(inf_sv_from(type));
    if (!kind) {
      inf_say("there is no type of provider \"%.64s\"", type);
      return EXIT_USAGE;
    }
    const inf_model_table *table = inf_model_table_of(kind);
    if (!table) {
      inf_say("of the models of type %s nothing is known", type);
      return 0;
    }
    print_source(&out, table->source);
    print_head(&out);
    print_table(&out, type, table);
  } else {
    print_all(&out);
  }
  return inf_out_result(&out);
}
