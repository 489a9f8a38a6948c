/* SPDX-License-Identifier: MIT */
/* The manual of all options, from the table: what stands in docs/options.md
 * and what `infer config options` prints. */
#include "base/buf.h"
#include "config/options.h"

#include <inttypes.h>

#define MANUAL_MAX_BYTES ((size_t)256 << 10)

static const char head[] =
    "# Options\n"
    "\n"
    "A configuration is one JSON document: a file, a string, or built option "
    "by option.\n"
    "This page is made from the table of options in the library "
    "(`infer config options`).\n"
    "\n"
    "An unknown option is an error that names its path. Members that begin "
    "with `x-` are\n"
    "yours, on every level. An option is named by its path: `threads`,\n"
    "`providers.house.base_url`, `routes.fast.timeouts.connect_ms`; names "
    "with dots go in\n"
    "quotes, as in `providers.\"my.house\".base_url`.\n"
    "\n"
    "Secrets are named, not written: `\"env:NAME\"` is a variable of the "
    "environment,\n"
    "`\"file:PATH\"` a file of at most 64 KiB, of which trailing line "
    "ends are dropped. A\n"
    "literal works too; it is never shown again.\n";

typedef struct chapter {
  const char *section, *title, *text;
} chapter;

static const chapter chapters[] = {
    {"client", "Client", "Members of the document itself."},
    {"budget", "Budgets", "Elements of the array `budgets`."},
    {"provider", "Providers",
     "Elements of the array `providers`. Without providers the environment "
     "is looked at: each\n"
     "kind of the catalogue whose key variable is set becomes a provider "
     "that is named like\n"
     "its kind; `OPENAI_BASE_URL` is the `base_url` of `openai`."},
    {"key", "Keys", "Elements of `api_key` that are objects."},
    {"route", "Routes",
     "Members of the object `routes`: name of the route -> object. Names "
     "contain no `/`. A\n"
     "route also takes the options of Policy."},
    {"target", "Targets", "Elements of `targets` that are objects."},
    {"policy", "Policy",
     "Members of a route, or of the object `defaults`, which holds for every "
     "route that does\n"
     "not say otherwise and for requests that name a provider and model "
     "directly."},
};

static void
put_bytes(inf_buf *out, int64_t bytes)
{
  static const char *const units[] = {" B", " KiB", " MiB", " GiB"};
  size_t unit = 0;
  while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    unit++;
  }
  inf_buf_append_int(out, bytes);
  inf_buf_append_cstr(out, units[unit]);
}

static void
put_number(inf_buf *out, const inf_option *option, int64_t number)
{
  if (strcmp(option->unit, "bytes") == 0)
    put_bytes(out, number);
  else
    inf_buf_append_int(out, number);
}

static void
put_choices(inf_buf *out, const inf_option *option)
{
  for (size_t i = 0; inf_option_choice(option, i).len > 0; i++) {
    inf_sv word = inf_option_choice(option, i);
    inf_buf_appendf(out, "%s`\"%.*s\"`", i == 0 ? "" : " or ", (int)word.len,
                    word.ptr);
  }
}

static void
put_decimal(inf_buf *out, int64_t millionths)
{
  char text[INF_DECIMAL_TEXT];
  inf_buf_append_cstr(out, inf_option_decimal(millionths, text));
}

static void
put_type(inf_buf *out, const inf_option *option)
{
  static const char *const names[] = {
      [INF_OPTION_BOOL] = "true or false",
      [INF_OPTION_STRING] = "string",
      [INF_OPTION_SECRET] = "secret",
      [INF_OPTION_SECRET_LIST] = "secret, or array",
      [INF_OPTION_STRING_LIST] = "array of strings",
      [INF_OPTION_STRING_MAP] = "object of strings",
      [INF_OPTION_JSON] = "object",
      [INF_OPTION_TARGETS] = "array",
  };
  if (option->type == INF_OPTION_INT) {
    put_number(out, option, option->minimum);
    inf_buf_append_cstr(out, " to ");
    put_number(out, option, option->maximum);
    if (option->unit[0] && strcmp(option->unit, "bytes") != 0)
      inf_buf_appendf(out, " %s", option->unit);
    return;
  }
  if (option->type == INF_OPTION_DECIMAL) {
    put_decimal(out, option->minimum);
    inf_buf_append_cstr(out, " to ");
    put_decimal(out, option->maximum);
    return;
  }
  if (option->type == INF_OPTION_ENUM) {
    put_choices(out, option);
    return;
  }
  inf_buf_append_cstr(out, names[option->type]);
  if (option->choices[0]) {
    inf_buf_append_cstr(out, ": ");
    put_choices(out, option);
  }
}

static void
put_default(inf_buf *out, const inf_option *option)
{
  inf_sv word;
  if (option->type == INF_OPTION_INT && !option->default_text[0]) {
    put_number(out, option, option->default_number);
  } else if (option->type == INF_OPTION_DECIMAL && !option->default_text[0]) {
    put_decimal(out, option->default_number);
  } else if (option->type == INF_OPTION_BOOL) {
    inf_buf_append_cstr(out, option->default_number ? "true" : "false");
  } else if (option->type == INF_OPTION_ENUM) {
    word = inf_option_choice(option, (size_t)option->default_number);
    inf_buf_appendf(out, "`\"%.*s\"`", (int)word.len, word.ptr);
  } else {
    inf_buf_append_cstr(out, option->default_text[0] ? option->default_text
                                                     : "none");
  }
}

static void
put_option(inf_buf *out, const inf_option *option)
{
  inf_buf_appendf(out, "| `%s` | ", option->name);
  put_type(out, option);
  inf_buf_append_cstr(out, " | ");
  put_default(out, option);
  inf_buf_appendf(out, " | %s |\n", option->text);
}

static void
put_chapter(inf_buf *out, const struct chapter *part)
{
  inf_buf_appendf(out, "\n## %s\n\n%s\n\n", part->title, part->text);
  inf_buf_append_cstr(out, "| option | value | default | meaning |\n"
                           "|---|---|---|---|\n");
  for (size_t i = 0; i < inf_option_count(); i++)
    if (strcmp(inf_option_at(i)->section, part->section) == 0)
      put_option(out, inf_option_at(i));
}

int32_t
infer_options_manual(char **markdown, size_t *len)
{
  inf_buf out;
  if (!markdown)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf_init(&out, MANUAL_MAX_BYTES);
  inf_buf_append_cstr(&out, head);
  for (size_t i = 0; i < sizeof chapters / sizeof chapters[0]; i++)
    put_chapter(&out, &chapters[i]);
  int32_t status = out.status;
  *markdown = status == INFER_OK ? inf_buf_take(&out, len) : NULL;
  inf_buf_fini(&out);
  if (status == INFER_OK && !*markdown)
    status = INFER_E_NO_MEMORY;
  return status;
}
