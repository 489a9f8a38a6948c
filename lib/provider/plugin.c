/* SPDX-License-Identifier: MIT */
#include "provider/plugin.h"

#include "base/mem.h"
#include "provider/plugin_reply.h"
#include "provider/plugin_request.h"
#include "provider/plugin_sink.h"
#include "provider/send.h"

#include <stdio.h>

#define TYPE_MAX_BYTES  64
#define TEXT_MAX_BYTES  4096
#define STATE_MAX_BYTES ((size_t)64 << 10)
#define ALL_ABILITIES                                     \
  (INFER_PROVIDER_CAN_TOOLS | INFER_PROVIDER_CAN_VISION | \
   INFER_PROVIDER_CAN_JSON_SCHEMA)
/* Up to the last of those that every plug-in must have: a descriptor may end
 * behind any member from there on. They are all pointers. */
#define LEAST_BYTES \
  (offsetof(infer_provider_descriptor, read_answer) + sizeof(void (*)(void)))

/* ---- Strings ------------------------------------------------------------- */

static bool
is_type(const char *text)
{
  size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz0123456789._-");
  return len > 0 && len <= TYPE_MAX_BYTES && text[len] == '\0';
}

/* No blanks, no control characters, nothing that ends an address. */
static bool
is_plain(const char *text)
{
  for (; *text; text++)
    if (*text <= ' ' || *text >= 0x7f || *text == '#')
      return false;
  return true;
}

static bool
is_path(const char *text)
{
  return text[0] == '/' && is_plain(text);
}

static bool
is_token(const char *text)
{
  return inf_header_name_valid(inf_sv_from(text));
}

static bool
is_scheme(const char *text)
{
  return text[0] == '\0' || is_token(text);
}

static bool
is_words(const char *text)
{
  for (; *text; text++)
    if (*text < ' ' || *text >= 0x7f)
      return false;
  return true;
}

#define MEMBER(name) offsetof(infer_provider_descriptor, name), #name

static const struct member {
  size_t offset;
  const char *name;
  bool (*is_valid)(const char *text);
  bool required;
} members[] = {
    {MEMBER(type), is_type, true},
    {MEMBER(base_url), is_plain, false},
    {MEMBER(chat_path), is_path, true},
    {MEMBER(stream_path), is_path, false},
    {MEMBER(models_path), is_path, false},
    {MEMBER(warm_path), is_path, false},
    {MEMBER(key_env), is_token, false},
    {MEMBER(auth_scheme), is_scheme, false},
    {MEMBER(key_header), is_token, false},
    {MEMBER(claims), is_words, false},
    {MEMBER(request_id_headers), is_words, false},
};

#define MEMBER_COUNT (sizeof members / sizeof members[0])

static const char **
text_at(infer_provider_descriptor *descriptor, size_t i)
{
  return (const char **)((char *)descriptor + members[i].offset);
}

/* ---- Checks -------------------------------------------------------------- */

static int32_t
refuse(char why[INF_PLUGIN_WHY_MAX], const char *name, const char *what)
{
  snprintf(why, INF_PLUGIN_WHY_MAX, "infer_provider_descriptor.%s: %s", name,
           what);
  return INFER_E_INVALID_ARGUMENT;
}

/* As much of it as both know. */
static int32_t
take_struct(const infer_provider_descriptor *given,
            infer_provider_descriptor *descriptor, char why[INF_PLUGIN_WHY_MAX])
{
  size_t size = given->struct_size;
  if (size < LEAST_BYTES || (size - LEAST_BYTES) % sizeof(void (*)(void)) != 0)
    return refuse(why, "struct_size", "expected the size of the struct");
  for (size_t i = sizeof *descriptor; i < size; i++)
    if (((const char *)given)[i] != 0) {
      refuse(why, "struct_size",
             "the plug-in uses members that this version does not know");
      return INFER_E_UNSUPPORTED;
    }
  *descriptor = (infer_provider_descriptor){0};
  memcpy(descriptor, given,
         size < sizeof *descriptor ? size : sizeof *descriptor);
  return INFER_OK;
}

static int32_t
check_texts(infer_provider_descriptor *descriptor, char why[INF_PLUGIN_WHY_MAX])
{
  for (size_t i = 0; i < MEMBER_COUNT; i++) {
    const char *text = *text_at(descriptor, i);
    if (!text && members[i].required)
      return refuse(why, members[i].name, "missing");
    if (text && (strlen(text) > TEXT_MAX_BYTES || !members[i].is_valid(text)))
      return refuse(why, members[i].name, "not as provider.h says");
  }
  return INFER_OK;
}

static int32_t
check(infer_provider_descriptor *descriptor, char why[INF_PLUGIN_WHY_MAX])
{
  int32_t status = check_texts(descriptor, why);
  if (status != INFER_OK)
    return status;
  if (inf_provider_kind_find(inf_sv_from(descriptor->type)))
    return refuse(why, "type", "is a built-in one");
  if (descriptor->base_url && strchr(descriptor->base_url, '{'))
    return refuse(why, "base_url", "not as provider.h says");
  if (descriptor->framing < INFER_FRAMING_WHOLE ||
      descriptor->framing > INFER_FRAMING_CUSTOM)
    return refuse(why, "framing", "expected INFER_FRAMING_*");
  if (descriptor->abilities & ~ALL_ABILITIES)
    return refuse(why, "abilities", "expected INFER_PROVIDER_CAN_*");
  if (descriptor->state_bytes > STATE_MAX_BYTES)
    return refuse(why, "state_bytes", "more than 65536");
  if (!descriptor->write_request)
    return refuse(why, "write_request", "missing");
  if (!descriptor->read_answer)
    return refuse(why, "read_answer", "missing");
  if (descriptor->framing != INFER_FRAMING_WHOLE && !descriptor->read_event)
    return refuse(why, "read_event", "missing");
  if (descriptor->framing == INFER_FRAMING_CUSTOM && !descriptor->split)
    return refuse(why, "split", "missing");
  return INFER_OK;
}

/* ---- As a kind of provider ----------------------------------------------- */

static inf_framing
framing_of(int32_t framing)
{
  static const inf_framing ours[] = {
      [INFER_FRAMING_WHOLE] = INF_FRAMING_NONE,
      [INFER_FRAMING_SSE] = INF_FRAMING_SSE,
      [INFER_FRAMING_NDJSON] = INF_FRAMING_NDJSON,
      [INFER_FRAMING_JSON_ARRAY] = INF_FRAMING_JSON_ARRAY,
      [INFER_FRAMING_EVENTSTREAM] = INF_FRAMING_EVENTSTREAM,
      [INFER_FRAMING_CUSTOM] = INF_FRAMING_SPLIT,
  };
  return ours[framing];
}

static unsigned
abilities_of(uint32_t abilities)
{
  return (abilities & INFER_PROVIDER_CAN_TOOLS ? INF_CAN_TOOLS : 0u) |
         (abilities & INFER_PROVIDER_CAN_VISION ? INF_CAN_VISION : 0u) |
         (abilities & INFER_PROVIDER_CAN_JSON_SCHEMA ? INF_CAN_JSON_SCHEMA
                                                     : 0u);
}

static void
fill_kind(inf_plugin *plugin)
{
  const infer_provider_descriptor *descriptor = &plugin->descriptor;
  const char *scheme =
      descriptor->auth_scheme ? descriptor->auth_scheme : "Bearer";
  plugin->dialect = (inf_dialect){
      .name = descriptor->type,
      .hooks = descriptor,
      .framing = framing_of(descriptor->framing),
      .write_chat = inf_plugin_write_chat,
      .write_models = inf_send_write_models,
      .sign = descriptor->sign ? inf_plugin_sign : NULL,
      .read_body = inf_plugin_read_body,
      .read_event = inf_plugin_read_event,
      .split = descriptor->split ? inf_plugin_split : NULL,
      .classify = descriptor->classify ? inf_plugin_classify : NULL,
      .read_limits = descriptor->read_limits ? inf_plugin_read_limits : NULL,
  };
  plugin->kind = (inf_provider_kind){
      .type = descriptor->type,
      .title = descriptor->type,
      .dialect = &plugin->dialect,
      .base_url = descriptor->base_url,
      .key_env = descriptor->key_env,
      .key_required = descriptor->key_required != 0,
      .by_name_only = true,
      /* The header's name in place of a scheme: a bare key. */
      .auth_scheme = descriptor->key_header ? descriptor->key_header : scheme,
      .key_header = descriptor->key_header,
      .chat_path = descriptor->chat_path,
      .stream_path = descriptor->stream_path,
      .models_path = descriptor->models_path,
      .warm_path = descriptor->warm_path,
      .claims = descriptor->claims ? descriptor->claims : "",
      .prefill = INF_PREFILL_NONE,
      .limit_scope = INF_LIMIT_SCOPE_MODEL,
      .request_id_headers = descriptor->request_id_headers
                                ? descriptor->request_id_headers
                                : "x-request-id",
      .abilities = abilities_of(descriptor->abilities),
      .evidence = INF_EVIDENCE_DOCUMENTED,
      .source = "a plug-in",
  };
}

static void
free_texts(inf_plugin *plugin)
{
  for (size_t i = 0; i < MEMBER_COUNT; i++)
    inf_free((void *)*text_at(&plugin->descriptor, i));
}

static bool
copy_texts(inf_plugin *plugin, infer_provider_descriptor *from)
{
  bool copied = true;
  for (size_t i = 0; i < MEMBER_COUNT; i++) {
    const char *text = *text_at(from, i);
    const char **copy = text_at(&plugin->descriptor, i);
    *copy = text ? inf_strndup(text, strlen(text)) : NULL;
    copied = copied && (*copy || !text);
  }
  return copied;
}

bool
inf_plugin_is(const inf_provider_kind *kind)
{
  return kind->dialect->write_chat == inf_plugin_write_chat;
}

int32_t
inf_plugin_new(const infer_provider_descriptor *given, inf_plugin **out,
               char why[INF_PLUGIN_WHY_MAX])
{
  infer_provider_descriptor descriptor;
  *out = NULL;
  int32_t status = take_struct(given, &descriptor, why);
  if (status == INFER_OK)
    status = check(&descriptor, why);
  if (status != INFER_OK)
    return status;
  inf_plugin *plugin = inf_calloc(1, sizeof *plugin);
  if (!plugin)
    return INFER_E_NO_MEMORY;
  plugin->descriptor = descriptor;
  if (!copy_texts(plugin, &descriptor)) {
    free_texts(plugin);
    inf_free(plugin);
    return INFER_E_NO_MEMORY;
  }
  atomic_init(&plugin->references, 1);
  fill_kind(plugin);
  *out = plugin;
  return INFER_OK;
}

inf_plugin *
inf_plugin_ref(inf_plugin *plugin)
{
  atomic_fetch_add_explicit(&plugin->references, 1, memory_order_relaxed);
  return plugin;
}

void
inf_plugin_unref(inf_plugin *plugin)
{
  /* Release and acquire: who frees sees all that others did before. */
  if (!plugin || atomic_fetch_sub_explicit(&plugin->references, 1,
                                           memory_order_acq_rel) != 1)
    return;
  infer_provider_descriptor *descriptor = &plugin->descriptor;
  if (descriptor->free_user_data)
    descriptor->free_user_data(descriptor->user_data);
  free_texts(plugin);
  inf_free(plugin);
}

/* ---- Of a configuration -------------------------------------------------- */

int32_t
inf_plugins_add(inf_plugins *plugins, inf_plugin *plugin)
{
  inf_plugin **items = inf_realloc(plugins->items, (plugins->count + 1) *
                                                       sizeof *plugins->items);
  if (!items) {
    inf_plugin_unref(plugin);
    return INFER_E_NO_MEMORY;
  }
  plugins->items = items;
  plugins->items[plugins->count++] = plugin;
  return INFER_OK;
}

int32_t
inf_plugins_copy(inf_plugins *to, const inf_plugins *from)
{
  int32_t status = INFER_OK;
  for (size_t i = 0; i < from->count && status == INFER_OK; i++)
    status = inf_plugins_add(to, inf_plugin_ref(from->items[i]));
  return status;
}

void
inf_plugins_fini(inf_plugins *plugins)
{
  for (size_t i = 0; i < plugins->count; i++)
    inf_plugin_unref(plugins->items[i]);
  inf_free(plugins->items);
  *plugins = (inf_plugins){0};
}

const inf_provider_kind *
inf_plugins_find(const inf_plugins *plugins, inf_sv type)
{
  for (size_t i = 0; plugins && i < plugins->count; i++)
    if (inf_sv_eq(inf_sv_from(plugins->items[i]->kind.type), type))
      return &plugins->items[i]->kind;
  return inf_provider_kind_find(type);
}
