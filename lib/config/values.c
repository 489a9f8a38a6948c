/* SPDX-License-Identifier: MIT */
/* Values of the document by the table of options: see values.h. */
#include "config/values.h"

#include "base/mem.h"
#include "config/suggest.h"

#include <inttypes.h>
#include <stdio.h>

/* Lists of texts are two fields in this order wherever the table points to
 * one. */
typedef struct texts {
  char **items;
  size_t count;
} texts;

_Static_assert(offsetof(inf_provider_config, label_count) ==
                   offsetof(inf_provider_config, labels) +
                       offsetof(texts, count),
               "labels and label_count are a list");
_Static_assert(offsetof(inf_route_config, require_label_count) ==
                   offsetof(inf_route_config, require_labels) +
                       offsetof(texts, count),
               "require_labels and require_label_count are a list");

bool
inf_has_control(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    if (c < 0x20 || c == 0x7f)
      return true;
  }
  return false;
}

void
inf_texts_free(char **items, size_t count)
{
  for (size_t i = 0; i < count; i++)
    inf_free(items[i]);
  inf_free(items);
}

/* ---- Defaults ------------------------------------------------------------ */

static void
set_number(const inf_option *option, void *field, int64_t number)
{
  if (option->type == INF_OPTION_BOOL)
    *(bool *)field = number != 0;
  else if (option->type == INF_OPTION_INT || option->type == INF_OPTION_DECIMAL)
    *(int64_t *)field = number;
  else if (option->type == INF_OPTION_ENUM)
    *(int32_t *)field = (int32_t)number;
}

void
inf_values_default(const inf_section *section)
{
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *option = inf_option_at(i);
    if (option->offset != INF_OPTION_APART &&
        strcmp(option->section, section->name) == 0)
      set_number(option, (char *)section->fields + option->offset,
                 option->default_number);
  }
}

/* ---- Complaints ---------------------------------------------------------- */

#define EXPECTED_MAX 192

static const char *
expected_choices(const inf_option *option, char *text)
{
  size_t len = 0;
  for (size_t i = 0;; i++) {
    inf_sv word = inf_option_choice(option, i);
    if (word.len == 0 || len + word.len + 8 > EXPECTED_MAX)
      return text;
    len += (size_t)snprintf(text + len, EXPECTED_MAX - len, "%s\"%.*s\"",
                            i == 0 ? "" : " or ", (int)word.len, word.ptr);
  }
}

static const char *
expected_by(const inf_option *option, char text[EXPECTED_MAX])
{
  char low[INF_DECIMAL_TEXT], high[INF_DECIMAL_TEXT];
  switch (option->type) {
  case INF_OPTION_BOOL:
    return "true or false";
  case INF_OPTION_INT:
    snprintf(text, EXPECTED_MAX, "a whole number from %" PRId64 " to %" PRId64,
             option->minimum, option->maximum);
    return text;
  case INF_OPTION_DECIMAL:
    snprintf(text, EXPECTED_MAX, "a number from %s to %s",
             inf_option_decimal(option->minimum, low),
             inf_option_decimal(option->maximum, high));
    return text;
  case INF_OPTION_ENUM:
    return expected_choices(option, text);
  case INF_OPTION_SECRET_LIST:
    return "a key or an array of keys";
  case INF_OPTION_STRING_LIST:
    return "an array of strings";
  case INF_OPTION_STRING_MAP:
    return "an object of strings";
  case INF_OPTION_JSON:
    return "an object";
  case INF_OPTION_TARGETS:
    return "an array of targets";
  case INF_OPTION_STRING:
  case INF_OPTION_SECRET:
    break;
  }
  return "a string";
}

/* What was found, in few words; a text only where it may be told. */
static inf_sv
got(const inf_node *node, bool tell_text)
{
  if (node->type == INF_JSON_OBJECT)
    return INF_SV("an object");
  if (node->type == INF_JSON_ARRAY)
    return INF_SV("an array");
  if (node->type == INF_JSON_STRING && !tell_text)
    return INF_SV("a string");
  return inf_sv_of(node->text.ptr, node->text.len < 40 ? node->text.len : 40);
}

int32_t
inf_value_wrong(const inf_option *option, const inf_node *node,
                const inf_place *place, infer_error **error)
{
  char expected[EXPECTED_MAX] = "";
  bool tell =
      option->type == INF_OPTION_BOOL || option->type == INF_OPTION_INT ||
      option->type == INF_OPTION_DECIMAL || option->type == INF_OPTION_ENUM;
  /* A number in the place of a key may be the key. */
  if (option->type == INF_OPTION_SECRET ||
      option->type == INF_OPTION_SECRET_LIST)
    return inf_place_error(place, error, "expected %s",
                           expected_by(option, expected));
  inf_sv found = got(node, tell);
  return inf_place_error(place, error, "expected %s, got %.*s",
                         expected_by(option, expected), (int)found.len,
                         found.ptr);
}

/* ---- Single values ------------------------------------------------------- */

int32_t
inf_value_text(const inf_node *node, const inf_place *place,
               const char *expected, char **out, infer_error **error)
{
  inf_buf text;
  int32_t status = INFER_OK;
  if (node->type != INF_JSON_STRING) {
    inf_sv found = got(node, false);
    return inf_place_error(place, error, "expected %s, got %.*s", expected,
                           (int)found.len, found.ptr);
  }
  if (node->text.len > INF_VALUE_MAX_BYTES)
    return inf_place_error(place, error, "longer than %zu bytes",
                           INF_VALUE_MAX_BYTES);
  inf_buf_init(&text, INF_VALUE_MAX_BYTES);
  char *copy = NULL;
  if (!inf_node_string(node, &text))
    status = inf_place_no_memory(error);
  else if (inf_has_control(inf_buf_sv(&text)))
    status = inf_place_error(place, error, "contains control characters");
  else if (!(copy = inf_strndup(inf_buf_cstr(&text), text.len)))
    status = inf_place_no_memory(error);
  /* A header's value may be a secret. */
  inf_buf_fini_secret(&text);
  if (status == INFER_OK) {
    inf_free(*out);
    *out = copy;
  }
  return status;
}

int32_t
inf_value_texts(const inf_node *node, const inf_place *place, char ***items,
                size_t *count, infer_error **error)
{
  size_t wanted = inf_node_count(node), i = 0;
  int32_t status = INFER_OK;
  if (node->type != INF_JSON_ARRAY) {
    inf_sv found = got(node, false);
    return inf_place_error(place, error,
                           "expected an array of strings, got %.*s",
                           (int)found.len, found.ptr);
  }
  if (wanted > INF_VALUE_MAX_ITEMS)
    return inf_place_error(place, error, "more than %zu elements",
                           INF_VALUE_MAX_ITEMS);
  char **list = inf_calloc(wanted + 1, sizeof *list);
  if (!list)
    return inf_place_no_memory(error);
  for (const inf_node *item = node->first; item && status == INFER_OK;
       item = item->next, i++) {
    inf_place here = inf_place_element(place, i);
    status = inf_value_text(item, &here, "a string", &list[i], error);
    if (status == INFER_OK && !list[i][0])
      status = inf_place_error(&here, error, "is empty");
  }
  if (status != INFER_OK) {
    inf_texts_free(list, wanted);
    return status;
  }
  *items = list;
  *count = wanted;
  return INFER_OK;
}

int32_t
inf_value_enum(const inf_option *option, const inf_node *node,
               const inf_place *place, int32_t *index, infer_error **error)
{
  inf_sv word;
  int32_t found = -1;
  if (node->type == INF_JSON_STRING && inf_json_plain(node->text, &word))
    found = inf_option_choice_index(option, word);
  if (found < 0)
    return inf_value_wrong(option, node, place, error);
  *index = found;
  return INFER_OK;
}

static int32_t
read_int(const inf_option *option, const inf_node *node, const inf_place *place,
         int64_t *out, infer_error **error)
{
  int64_t number;
  if (node->type != INF_JSON_NUMBER ||
      !inf_json_int64(node->text, false, &number) || number < option->minimum ||
      number > option->maximum)
    return inf_value_wrong(option, node, place, error);
  *out = number;
  return INFER_OK;
}

/* To the nearest millionth; 99.9 is not quite 99.9 in binary. */
static int32_t
read_decimal(const inf_option *option, const inf_node *node,
             const inf_place *place, int64_t *out, infer_error **error)
{
  double number;
  if (node->type != INF_JSON_NUMBER ||
      !inf_json_double(node->text, false, &number) ||
      number * 1e6 <= (double)option->minimum - 0.5 ||
      number * 1e6 >= (double)option->maximum + 0.5)
    return inf_value_wrong(option, node, place, error);
  *out = (int64_t)(number * 1e6 + 0.5);
  return INFER_OK;
}

static int32_t
read_bool(const inf_option *option, const inf_node *node,
          const inf_place *place, bool *out, infer_error **error)
{
  if (node->type != INF_JSON_TRUE && node->type != INF_JSON_FALSE)
    return inf_value_wrong(option, node, place, error);
  *out = node->type == INF_JSON_TRUE;
  return INFER_OK;
}

/* The field may be a `char *` or a `const char *`, so it is copied as bytes. */
static int32_t
read_string(const inf_node *node, const inf_place *place, void *field,
            infer_error **error)
{
  char *text;
  memcpy(&text, field, sizeof text);
  int32_t status = inf_value_text(node, place, "a string", &text, error);
  if (status == INFER_OK && !text[0])
    status = inf_place_error(place, error, "is empty");
  memcpy(field, &text, sizeof text);
  return status;
}

static int32_t
read_value(const inf_option *option, const inf_node *node,
           const inf_place *place, void *fields, infer_error **error)
{
  void *field = (char *)fields + option->offset;
  switch (option->type) {
  case INF_OPTION_BOOL:
    return read_bool(option, node, place, field, error);
  case INF_OPTION_INT:
    return read_int(option, node, place, field, error);
  case INF_OPTION_DECIMAL:
    return read_decimal(option, node, place, field, error);
  case INF_OPTION_ENUM:
    return inf_value_enum(option, node, place, field, error);
  case INF_OPTION_STRING:
    return read_string(node, place, field, error);
  case INF_OPTION_STRING_LIST: {
    texts *list = field;
    return inf_value_texts(node, place, &list->items, &list->count, error);
  }
  default: /* the table has no offset for the others */
    return INFER_OK;
  }
}

/* ---- Sections ------------------------------------------------------------ */

typedef struct section_reader {
  const inf_section *sections;
  size_t count;
  const char *known;
  infer_error **error;
} section_reader;

static bool
is_known(const char *known, inf_sv name)
{
  inf_option words = {.choices = known};
  return inf_option_choice_index(&words, name) >= 0;
}

/* The option's own name within its group; empty if it is in another. */
static inf_sv
name_in_group(const inf_option *option, inf_sv group)
{
  inf_sv path = inf_sv_from(option->name);
  if (group.len > 0) {
    if (path.len <= group.len || path.ptr[group.len] != '.' ||
        !inf_sv_starts_with(path, group))
      return INF_SV("");
    path = inf_sv_of(path.ptr + group.len + 1, path.len - group.len - 1);
  }
  return inf_sv_of(path.ptr, inf_sv_find(path, '.'));
}

static int32_t
unknown(const section_reader *reader, inf_sv group, const inf_node *node,
        const inf_place *place)
{
  char hint[INF_SUGGEST_TEXT_MAX];
  inf_suggestion nearest;
  inf_suggest_init(&nearest, node->name);
  for (size_t s = 0; s < reader->count; s++)
    for (size_t i = 0; i < inf_option_count(); i++)
      if (strcmp(inf_option_at(i)->section, reader->sections[s].name) == 0)
        inf_suggest_offer(&nearest, name_in_group(inf_option_at(i), group));
  inf_option words = {.choices = group.len > 0 ? "" : reader->known};
  for (size_t i = 0; inf_option_choice(&words, i).len > 0; i++)
    inf_suggest_offer(&nearest, inf_option_choice(&words, i));
  return inf_place_error(place, reader->error, "unknown option%s",
                         inf_suggest_text(&nearest, hint));
}

enum { GROUP_MAX = 64 };

static int32_t read_members(const section_reader *reader,
                            const inf_node *object, inf_sv group,
                            const inf_place *place);

/* The path of a group within a group: "telemetry.otlp". Empty for what cannot
 * be one. */
static inf_sv
subgroup(inf_sv group, inf_sv name, char room[GROUP_MAX])
{
  if (inf_sv_find(name, '.') < name.len)
    return INF_SV("");
  if (group.len == 0)
    return name;
  if (group.len + name.len + 1 > GROUP_MAX)
    return INF_SV("");
  memcpy(room, group.ptr, group.len);
  room[group.len] = '.';
  memcpy(room + group.len + 1, name.ptr, name.len);
  return inf_sv_of(room, group.len + name.len + 1);
}

static int32_t
read_member(const section_reader *reader, const inf_node *node, inf_sv group,
            const inf_place *place)
{
  char room[GROUP_MAX];
  inf_sv path = subgroup(group, node->name, room);
  for (size_t s = 0; s < reader->count; s++) {
    const inf_section *section = &reader->sections[s];
    const inf_option *option =
        inf_option_find(section->name, group, node->name);
    if (option)
      return option->offset == INF_OPTION_APART
                 ? INFER_OK
                 : read_value(option, node, place, section->fields,
                              reader->error);
    if (path.len == 0 || !inf_option_is_group(section->name, path))
      continue;
    if (node->type != INF_JSON_OBJECT)
      return inf_place_error(place, reader->error, "expected an object");
    return read_members(reader, node, path, place);
  }
  return unknown(reader, group, node, place);
}

static int32_t
read_members(const section_reader *reader, const inf_node *object, inf_sv group,
             const inf_place *place)
{
  int32_t status = INFER_OK;
  for (const inf_node *node = object->first; node && status == INFER_OK;
       node = node->next) {
    if (inf_option_is_private(node->name) ||
        (group.len == 0 && is_known(reader->known, node->name)))
      continue;
    inf_place here = inf_place_member(place, node->name);
    status = read_member(reader, node, group, &here);
  }
  return status;
}

static int32_t
read_object(const section_reader *reader, const inf_node *object, inf_sv group,
            const inf_place *place)
{
  if (object->type != INF_JSON_OBJECT) {
    inf_sv found = got(object, false);
    return inf_place_error(place, reader->error, "expected an object, got %.*s",
                           (int)found.len, found.ptr);
  }
  return read_members(reader, object, group, place);
}

int32_t
inf_values_read(const inf_node *object, const inf_place *place,
                const inf_section *sections, size_t section_count,
                const char *known, infer_error **error)
{
  section_reader reader = {sections, section_count, known, error};
  return read_object(&reader, object, INF_SV(""), place);
}

int32_t
inf_values_read_group(const inf_node *object, const inf_place *place,
                      const inf_section *section, inf_sv group,
                      infer_error **error)
{
  section_reader reader = {section, 1, "", error};
  return read_object(&reader, object, group, place);
}
