/* SPDX-License-Identifier: MIT */
/* Headers, query parameters and body members that a provider adds to each
 * request: see compile_extras.h. */
#include "config/compile_extras.h"

#include "base/mem.h"
#include "config/secrets.h"
#include "config/url.h"
#include "config/values.h"

#define ENTRIES_MAX 64
#define TEXT_MAX    ((size_t)256 << 10)

/* Appends with the whole buffer moved by hand where it must grow, so that no
 * copy of a secret stays behind in freed memory. */
static bool
append_wiping(inf_buf *out, inf_sv text)
{
  if (out->cap > out->len + text.len)
    return inf_buf_append_sv(out, text);
  inf_buf larger;
  inf_buf_init(&larger, out->max);
  if (!inf_buf_reserve(&larger, 2 * out->len + text.len + 128) ||
      !inf_buf_append_sv(&larger, inf_buf_sv(out)) ||
      !inf_buf_append_sv(&larger, text)) {
    out->status = larger.status;
    inf_buf_fini_secret(&larger);
    return false;
  }
  inf_buf_fini_secret(out);
  *out = larger;
  return true;
}

/* The text of a header or parameter; that of one which carries a secret may
 * name where it is. */
static int32_t
read_text(const inf_node *node, const inf_place *place, inf_buf *out,
          infer_error **error)
{
  char *text = NULL;
  int32_t status = inf_value_text(node, place, "a string", &text, error);
  if (status != INFER_OK)
    return status;
  inf_sv spec = inf_sv_from(text);
  if (inf_secret_is_likely(node->name))
    status = inf_secret_read(spec, place, out, error);
  else if (!inf_buf_append_sv(out, spec))
    status = inf_place_no_memory(error);
  inf_free_secret(text, spec.len);
  return status;
}

static int32_t
add_to(inf_buf *out, inf_sv text, const inf_place *place, infer_error **error)
{
  if (append_wiping(out, text))
    return INFER_OK;
  if (out->status == INFER_E_NO_MEMORY)
    return inf_place_no_memory(error);
  return inf_place_error(place, error, "longer than %zu bytes together",
                         TEXT_MAX);
}

/* ---- Headers ------------------------------------------------------------- */

/* What the library or HTTP itself decides. */
static bool
is_reserved(inf_sv name)
{
  static const char *const names[] = {
      "host",
      "content-length",
      "transfer-encoding",
      "connection",
      "expect",
      "content-type",
      "accept-encoding",
      "proxy-connection",
      "keep-alive",
      "upgrade",
      "te",
      "trailer",
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (inf_sv_eq_nocase(name, inf_sv_from(names[i])))
      return true;
  return false;
}

static const char *
wrong_header_name(const inf_node *headers, const inf_node *node,
                  const inf_provider_config *provider)
{
  if (!inf_header_name_valid(node->name))
    return "is no name of an HTTP header";
  if (is_reserved(node->name))
    return "is set by the library and cannot be given";
  if (inf_sv_eq_nocase(node->name, INF_SV("authorization")) &&
      provider->auth_scheme[0])
    return "is made of api_key (set auth_scheme to \"none\" to give it here)";
  for (const inf_node *other = headers->first; other != node;
       other = other->next)
    if (inf_sv_eq_nocase(other->name, node->name))
      return "given twice (names of headers ignore case)";
  return NULL;
}

static int32_t
add_header(const inf_node *node, const inf_place *place, inf_buf *out,
           infer_error **error)
{
  inf_buf text;
  inf_buf_init(&text, TEXT_MAX);
  int32_t status = read_text(node, place, &text, error);
  inf_sv value = inf_buf_sv(&text);
  if (status == INFER_OK && value.len == 0)
    status = inf_place_error(place, error, "is empty");
  if (status == INFER_OK &&
      (!inf_header_value_valid(value) || inf_sv_trim(value).len != value.len))
    status = inf_place_error(place, error, "is no value of an HTTP header");
  if (status == INFER_OK)
    status = add_to(out, node->name, place, error);
  if (status == INFER_OK)
    status = add_to(out, INF_SV(": "), place, error);
  if (status == INFER_OK)
    status = add_to(out, value, place, error);
  if (status == INFER_OK)
    status = add_to(out, inf_sv_of("", 1), place, error);
  inf_buf_fini_secret(&text);
  return status;
}

static int32_t
check_map(const inf_node *map, const char *name, const inf_place *place,
          infer_error **error)
{
  if (map->type != INF_JSON_OBJECT)
    return inf_value_wrong(
        inf_option_find("provider", INF_SV(""), inf_sv_from(name)), map, place,
        error);
  if (inf_node_count(map) > ENTRIES_MAX)
    return inf_place_error(place, error, "more than %d entries", ENTRIES_MAX);
  return INFER_OK;
}

static int32_t
read_headers(const inf_node *headers, const inf_place *place,
             inf_provider_config *provider, infer_error **error)
{
  int32_t status = check_map(headers, "headers", place, error);
  for (const inf_node *node = headers->first; node && status == INFER_OK;
       node = node->next) {
    inf_place here = inf_place_member(place, node->name);
    const char *why = wrong_header_name(headers, node, provider);
    status = why ? inf_place_error(&here, error, "%s", why)
                 : add_header(node, &here, &provider->headers, error);
  }
  return status;
}

/* ---- Query --------------------------------------------------------------- */

static int32_t
add_parameter(const inf_node *node, const inf_place *place, inf_buf *out,
              infer_error **error)
{
  inf_buf text, piece;
  inf_buf_init(&text, TEXT_MAX);
  inf_buf_init(&piece, 3 * TEXT_MAX);
  if (node->name.len == 0 || inf_has_control(node->name))
    return inf_place_error(place, error, "is no name of a query parameter");
  int32_t status = read_text(node, place, &text, error);
  if (status == INFER_OK) {
    /* Room for all of it at once, because it may hold a secret. */
    inf_buf_reserve(&piece, 3 * (node->name.len + text.len) + 2);
    if (out->len > 0)
      inf_buf_append_char(&piece, '&');
    inf_url_encode(&piece, node->name);
    inf_buf_append_char(&piece, '=');
    inf_url_encode(&piece, inf_buf_sv(&text));
    status = piece.status == INFER_OK
                 ? add_to(out, inf_buf_sv(&piece), place, error)
                 : inf_place_no_memory(error);
  }
  inf_buf_fini_secret(&text);
  inf_buf_fini_secret(&piece);
  return status;
}

static int32_t
read_query(const inf_node *query, const inf_place *place,
           inf_provider_config *provider, infer_error **error)
{
  int32_t status = check_map(query, "query", place, error);
  for (const inf_node *node = query->first; node && status == INFER_OK;
       node = node->next) {
    inf_place here = inf_place_member(place, node->name);
    status = add_parameter(node, &here, &provider->query, error);
  }
  return status;
}

/* ---- Body ---------------------------------------------------------------- */

/* own: the request's, up to NULL. */
static int32_t
read_members(const inf_node *body, const char *option, const char *const *own,
             const inf_place *place, inf_buf *out, infer_error **error)
{
  if (body->type != INF_JSON_OBJECT)
    return inf_value_wrong(
        inf_option_find("provider", INF_SV(""), inf_sv_from(option)), body,
        place, error);
  for (; *own; own++) {
    inf_place here = inf_place_member(place, inf_sv_from(*own));
    if (inf_node_get(body, inf_sv_from(*own)))
      return inf_place_error(&here, error,
                             "belongs to the request and cannot be given");
  }
  if (!body->first)
    return INFER_OK;
  inf_node_write(body, out);
  if (out->status == INFER_E_NO_MEMORY)
    return inf_place_no_memory(error);
  if (out->status != INFER_OK)
    return inf_place_error(place, error, "longer than %zu bytes", TEXT_MAX);
  return INFER_OK;
}

static int32_t
read_body(const inf_node *body, const inf_place *place,
          inf_provider_config *provider, infer_error **error)
{
  static const char *const own[] = {"model", "messages", "stream", NULL};
  return read_members(body, "body", own, place, &provider->body, error);
}

/* Vectors of another length than the call asks for are a target's affair. */
static int32_t
read_embed_body(const inf_node *body, const inf_place *place,
                inf_provider_config *provider, infer_error **error)
{
  static const char *const own[] = {"model", "input", "encoding_format",
                                    "dimensions", NULL};
  return read_members(body, "embed_body", own, place, &provider->embed_body,
                      error);
}

/* ---- All ----------------------------------------------------------------- */

int32_t
inf_compile_extras(const inf_node *node, const inf_place *place,
                   inf_provider_config *provider, infer_error **error)
{
  static const struct {
    const char *name;
    int32_t (*read)(const inf_node *node, const inf_place *place,
                    inf_provider_config *provider, infer_error **error);
  } parts[] = {{"headers", read_headers},
               {"query", read_query},
               {"body", read_body},
               {"embed_body", read_embed_body}};
  int32_t status = INFER_OK;
  inf_buf_init(&provider->headers, TEXT_MAX);
  inf_buf_init(&provider->query, TEXT_MAX);
  inf_buf_init(&provider->body, TEXT_MAX);
  inf_buf_init(&provider->embed_body, TEXT_MAX);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == INFER_OK;
       i++) {
    inf_sv name = inf_sv_from(parts[i].name);
    const inf_node *part = inf_node_get(node, name);
    inf_place here = inf_place_member(place, name);
    if (part)
      status = parts[i].read(part, &here, provider, error);
  }
  return status;
}
