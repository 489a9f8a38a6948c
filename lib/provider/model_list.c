/* SPDX-License-Identifier: MIT */
/* Lists of models in the forms of all dialects; see model_list.h. */
#include "provider/model_list.h"

#include <inttypes.h>

#include "infer/infer.h"
#include "provider/send.h"
#include "wire/json_value.h"

/* ---- The request --------------------------------------------------------- */

/* base_url up to what the list stands in place of, which is in its path. */
static inf_sv
base_of(const inf_send *send)
{
  const char *mark = send->kind->models_instead_of;
  inf_sv base = send->base_url;
  size_t at = inf_sv_find(base, ':') + 3; /* "://" */
  while (at < base.len && base.ptr[at] != '/')
    at++;
  for (; mark && at < base.len; at++)
    if (inf_sv_starts_with(inf_sv_of(base.ptr + at, base.len - at),
                           inf_sv_from(mark)))
      return inf_sv_of(base.ptr, at);
  return base;
}

int32_t
inf_model_list_write(const inf_send *send, inf_wire_request *out)
{
  const inf_provider_kind *kind = send->kind;
  if (!kind->models_path)
    return INFER_E_UNSUPPORTED;
  const char *path = send->page.len > 0 ? send->page.ptr : kind->models_path;
  inf_send list = *send;
  list.base_url = base_of(send);
  int32_t status = inf_send_write_url(&list, path, &out->url, NULL);
  if (status != INFER_OK || !kind->models_body)
    return status;
  inf_buf_append_cstr(&out->body, kind->models_body);
  return out->body.status;
}

/* ---- Pages --------------------------------------------------------------- */

/* RFC 3986: all but the unreserved. */
static void
put_encoded(inf_buf *page, inf_sv text)
{
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                 (c >= '0' && c <= '9') || (c != 0 && strchr("-._~", c));
    const char hex[] = {'%', digits[c >> 4], digits[c & 15]};
    inf_buf_append(page, plain ? &text.ptr[i] : hex, plain ? 1 : sizeof hex);
  }
}

/* path, where it leads so far, and the mark of the next page. */
static bool
put_page(const char *path, const char *parameter, inf_sv mark, inf_buf *page)
{
  inf_buf text;
  inf_buf_init(&text, (size_t)16 << 10);
  bool found = inf_json_string(mark, &text) && text.len > 0;
  if (found) {
    inf_buf_append_cstr(page, path);
    inf_buf_append_char(page, strchr(path, '?') ? '&' : '?');
    inf_buf_append_cstr(page, parameter);
    inf_buf_append_char(page, '=');
    put_encoded(page, inf_buf_sv(&text));
  }
  if (text.status != 0) /* or the list would end here unseen */
    page->status = text.status;
  inf_buf_fini(&text);
  return found && page->status == 0;
}

bool
inf_anthropic_next_models(const inf_send *send, inf_sv body, inf_buf *page)
{
  inf_sv more = inf_json_get(body, INF_SV("has_more"));
  return inf_json_is(more, INF_JSON_TRUE) &&
         put_page(send->kind->models_path, "after_id",
                  inf_json_get(body, INF_SV("last_id")), page);
}

bool
inf_gemini_next_models(const inf_send *send, inf_sv body, inf_buf *page)
{
  return put_page(send->kind->models_path, "pageToken",
                  inf_json_get(body, INF_SV("nextPageToken")), page);
}

bool
inf_cohere_next_models(const inf_send *send, inf_sv body, inf_buf *page)
{
  return put_page(send->kind->models_path, "page_token",
                  inf_json_get(body, INF_SV("next_page_token")), page);
}

/* A page tells its number and how many entries there are in all. */
bool
inf_cloudflare_next_models(const inf_send *send, inf_sv body, inf_buf *page)
{
  inf_sv info = inf_json_get(body, INF_SV("result_info"));
  int64_t number, size, total;
  if (!inf_json_int64(inf_json_get(info, INF_SV("page")), false, &number) ||
      !inf_json_int64(inf_json_get(info, INF_SV("per_page")), false, &size) ||
      !inf_json_int64(inf_json_get(info, INF_SV("total_count")), false,
                      &total) ||
      !inf_json_has_items(inf_json_get(body, INF_SV("result"))))
    return false;
  if (number < 1 || number >= INF_MODEL_LIST_MAX_PAGES || size < 1 ||
      total < 1 || number > (total - 1) / size)
    return false;
  inf_buf_appendf(page, "%s&page=%" PRId64, send->kind->models_path,
                  number + 1);
  return page->status == 0;
}

bool
inf_model_list_next(const inf_send *send, inf_sv body, inf_buf *page)
{
  inf_next_models *next = send->kind->next_models;
  if (!next)
    next = send->kind->dialect->next_models;
  return next && next(send, body, page);
}

/* ---- Bedrock ------------------------------------------------------------- */

static const char profiles_path[] = "/inference-profiles?maxResults=1000";

bool
inf_bedrock_next_models(const inf_send *send, inf_sv body, inf_buf *page)
{
  if (send->page.len > 0)
    return put_page(profiles_path, "nextToken",
                    inf_json_get(body, INF_SV("nextToken")), page);
  return inf_buf_append_cstr(page, profiles_path);
}

void
inf_bedrock_list_base(inf_sv base_url, inf_buf *out)
{
  const inf_sv runtime = INF_SV("//bedrock-runtime.");
  const inf_sv tail = INF_SV("/openai/v1");
  inf_sv rest = base_url;
  if (inf_sv_ends_with(rest, tail))
    rest.len -= tail.len;
  size_t slash = inf_sv_find(rest, '/');
  inf_sv host = inf_sv_of(rest.ptr + slash, rest.len - slash);
  if (inf_sv_starts_with(host, runtime)) {
    inf_buf_append(out, rest.ptr, slash);
    inf_buf_append_cstr(out, "//bedrock.");
    rest = inf_sv_of(host.ptr + runtime.len, host.len - runtime.len);
  }
  inf_buf_append_sv(out, rest);
}

/* ---- Entries ------------------------------------------------------------- */

inf_sv
inf_model_list_entries(inf_sv body)
{
  /* OpenAI and Anthropic; Gemini, Cohere, Ollama and Snowflake; Bedrock; Vertex
   * AI; Databricks; Cloudflare. */
  static const char *const names[] = {"data",
                                      "models",
                                      "modelSummaries",
                                      "inferenceProfileSummaries",
                                      "publisherModels",
                                      "endpoints",
                                      "result"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    inf_sv list = inf_json_get(body, inf_sv_from(names[i]));
    if (inf_json_is(list, INF_JSON_ARRAY))
      return list;
  }
  return inf_json_is(body, INF_JSON_ARRAY) ? body : inf_sv_of("", 0);
}

/* Google's names are paths, "models/M" and "publishers/P/models/M"; a request
 * names M. */
static void
strip_path(inf_buf *name)
{
  const inf_sv publisher = INF_SV("publishers/"), models = INF_SV("models/");
  inf_sv rest = inf_buf_sv(name);
  if (inf_sv_starts_with(rest, publisher)) {
    rest = inf_sv_of(rest.ptr + publisher.len, rest.len - publisher.len);
    size_t slash = inf_sv_find(rest, '/');
    if (slash < rest.len)
      rest = inf_sv_of(rest.ptr + slash + 1, rest.len - slash - 1);
  }
  if (inf_sv_starts_with(rest, models))
    inf_buf_consume(name, name->len - rest.len + models.len);
}

void
inf_model_list_name(const inf_provider_kind *kind, inf_sv entry, inf_buf *name)
{
  static const char *const members[] = {"id", "modelId", "inferenceProfileId",
                                        "name"};
  inf_sv value = entry; /* Snowflake's entries are names */
  if (kind->models_name)
    value = inf_json_get(entry, inf_sv_from(kind->models_name));
  for (size_t i = 0; i < sizeof members / sizeof members[0] &&
                     !inf_json_is(value, INF_JSON_STRING);
       i++)
    value = inf_json_get(entry, inf_sv_from(members[i]));
  if (!inf_json_is(value, INF_JSON_STRING))
    return;
  inf_json_string(value, name);
  strip_path(name);
}
