/* SPDX-License-Identifier: MIT */
/* The document without its secrets: see redact.h. The table of options says
 * what is one; what the table does not know is taken for one. */
#include "config/redact.h"

#include "config/options.h"
#include "config/secrets.h"
#include "config/url.h"
#include "infer/infer.h"
#include "wire/json_write.h"

typedef void (*write_fn)(const inf_node *node, inf_buf *out);

/* Each child of a container, by write. */
static void
write_children(const inf_node *node, inf_buf *out, write_fn write)
{
  bool object = node->type == INF_JSON_OBJECT;
  inf_json_open(out, object ? '{' : '[');
  for (const inf_node *child = node->first; child; child = child->next) {
    if (object)
      inf_json_key(out, child->name);
    write(child, out);
  }
  inf_json_close(out, object ? '}' : ']');
}

static bool
is_container(const inf_node *node)
{
  return node->type == INF_JSON_OBJECT || node->type == INF_JSON_ARRAY;
}

/* A string that begins with an escape is no reference in this form either:
 * it is hidden, which is never wrong. */
static bool
is_reference(const inf_node *node)
{
  inf_sv text;
  return node->type == INF_JSON_STRING && inf_json_plain(node->text, &text) &&
         inf_secret_is_reference(text);
}

static void
write_hidden(const inf_node *node, inf_buf *out)
{
  if (is_container(node))
    write_children(node, out, write_hidden);
  else if (is_reference(node) || node->type == INF_JSON_NULL)
    inf_json_put_raw(out, node->text);
  else
    inf_json_put_string(out, INF_SV("***"));
}

static void
write_map_value(const inf_node *node, inf_buf *out)
{
  if (inf_secret_is_likely(node->name))
    write_hidden(node, out);
  else
    inf_node_write(node, out);
}

/* An address with a user: the rest of it stays readable. The value follows a
 * member's name, so no comma is due before it. */
static void
write_url(const inf_node *node, inf_buf *out)
{
  inf_buf text;
  inf_buf_init(&text, node->text.len);
  if (!inf_node_string(node, &text)) {
    if (text.status != INFER_OK)
      out->status = text.status;
    write_hidden(node, out);
  } else {
    inf_sv url = inf_buf_sv(&text), user = inf_url_userinfo(url);
    size_t before = user.len > 0 ? (size_t)(user.ptr - url.ptr) : url.len;
    inf_buf_append_char(out, '"');
    inf_json_escape(out, inf_sv_of(url.ptr, before));
    if (user.len > 0) {
      inf_buf_append_cstr(out, "***");
      inf_json_escape(
          out, inf_sv_of(user.ptr + user.len, url.len - before - user.len));
    }
    inf_buf_append_char(out, '"');
  }
  inf_buf_fini_secret(&text);
}

static void write_key_member(const inf_node *node, inf_buf *out);

/* One key, or an array of keys and objects. */
static void
write_keys(const inf_node *node, inf_buf *out)
{
  if (node->type == INF_JSON_ARRAY)
    write_children(node, out, write_keys);
  else if (node->type == INF_JSON_OBJECT)
    write_children(node, out, write_key_member);
  else
    write_hidden(node, out);
}

static void
write_option(const inf_option *option, const inf_node *node, inf_buf *out)
{
  if (option->type == INF_OPTION_SECRET)
    write_hidden(node, out);
  else if (option->type == INF_OPTION_SECRET_LIST)
    write_keys(node, out);
  else if (option->type == INF_OPTION_STRING_MAP &&
           node->type == INF_JSON_OBJECT)
    write_children(node, out, write_map_value);
  else if (strcmp(option->name, "proxy") == 0 ||
           strcmp(option->name, "base_url") == 0 ||
           strcmp(option->name, "telemetry.otlp.endpoint") == 0)
    write_url(node, out);
  else
    inf_node_write(node, out);
}

static void
write_member(const char *section, const inf_node *node, inf_buf *out)
{
  const inf_option *option = inf_option_find(section, INF_SV(""), node->name);
  if (option)
    write_option(option, node, out);
  else if (inf_option_is_private(node->name))
    inf_node_write(node, out);
  else
    write_hidden(node, out);
}

static void
write_key_member(const inf_node *node, inf_buf *out)
{
  write_member("key", node, out);
}

static void
write_provider_member(const inf_node *node, inf_buf *out)
{
  write_member("provider", node, out);
}

static void
write_provider(const inf_node *node, inf_buf *out)
{
  if (node->type == INF_JSON_OBJECT)
    write_children(node, out, write_provider_member);
  else
    write_hidden(node, out);
}

/* Groups hold numbers only: nothing is hidden in them but what is unknown. */
static void
write_policy_member(const inf_node *node, inf_buf *out)
{
  if (inf_option_is_group("policy", node->name))
    inf_node_write(node, out);
  else if (inf_option_find("route", INF_SV(""), node->name))
    inf_node_write(node, out);
  else
    write_member("policy", node, out);
}

static void
write_policy(const inf_node *node, inf_buf *out)
{
  if (node->type == INF_JSON_OBJECT)
    write_children(node, out, write_policy_member);
  else
    write_hidden(node, out);
}

/* ---- Telemetry ----------------------------------------------------------- */

static void
write_otlp_member(const inf_node *node, inf_buf *out)
{
  const inf_option *option =
      inf_option_find("client", INF_SV("telemetry.otlp"), node->name);
  if (option)
    write_option(option, node, out);
  else if (inf_option_is_private(node->name))
    inf_node_write(node, out);
  else
    write_hidden(node, out);
}

static void
write_telemetry_member(const inf_node *node, inf_buf *out)
{
  if (inf_sv_eq(node->name, INF_SV("otlp")) && node->type == INF_JSON_OBJECT)
    write_children(node, out, write_otlp_member);
  else if (inf_option_is_private(node->name))
    inf_node_write(node, out);
  else
    write_hidden(node, out);
}

static void
write_top_member(const inf_node *node, inf_buf *out)
{
  if (inf_sv_eq(node->name, INF_SV("providers")) && is_container(node))
    write_children(node, out, write_provider);
  else if (inf_sv_eq(node->name, INF_SV("routes")) && is_container(node))
    write_children(node, out, write_policy);
  else if (inf_sv_eq(node->name, INF_SV("defaults")))
    write_policy(node, out);
  else if (inf_sv_eq(node->name, INF_SV("telemetry")) &&
           node->type == INF_JSON_OBJECT)
    write_children(node, out, write_telemetry_member);
  else
    write_member("client", node, out);
}

void
inf_redact_write(const inf_node *document, inf_buf *out)
{
  if (is_container(document))
    write_children(document, out, write_top_member);
  else
    write_hidden(document, out);
}
