/* SPDX-License-Identifier: MIT */
#include "provider/members.h"

#include "infer/infer.h"

#include "base/mem.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/swar.h"

/* Objects within objects are merged down to here; below it the last value
 * stands. Nothing that is streamed today is more than three deep. */
#define MAX_MERGE_DEPTH 8

static int32_t write_merged(inf_sv name, inf_sv pieces, unsigned depth,
                            inf_buf *out);

/* Of a list that is emptied so many elements keep their buffers, unless these
 * are larger. */
enum { keep_members = 8, keep_bytes = 4 << 10 };

static void
member_fini(inf_member *member)
{
  inf_buf_fini(&member->name);
  inf_buf_fini(&member->pieces);
}

void
inf_members_fini(inf_members *members)
{
  for (size_t i = 0; i < members->made; i++)
    member_fini(&members->list[i]);
  inf_free(members->list);
  *members = (inf_members){0};
}

void
inf_members_clear(inf_members *members)
{
  while (members->made > keep_members)
    member_fini(&members->list[--members->made]);
  for (size_t i = 0; i < members->made; i++) {
    inf_buf_reuse(&members->list[i].name, SIZE_MAX, keep_bytes);
    inf_buf_reuse(&members->list[i].pieces, SIZE_MAX, keep_bytes);
  }
  members->count = 0;
}

static inf_member *
find(const inf_members *members, inf_sv name)
{
  for (size_t i = 0; i < members->count; i++) {
    const inf_buf *known = &members->list[i].name;
    if (known->len == name.len && inf_swar_same(known->ptr, name.ptr, name.len))
      return &members->list[i];
  }
  return NULL;
}

static bool
grow(inf_members *members)
{
  size_t cap = members->cap ? members->cap * 2 : 4;
  inf_member *list = inf_realloc(members->list, cap * sizeof(*list));
  if (!list)
    return false;
  members->list = list;
  members->cap = cap;
  return true;
}

static int32_t
find_or_add(inf_members *members, inf_sv name, inf_member **found)
{
  *found = find(members, name);
  if (*found)
    return INFER_OK;
  if (members->count == INF_MEMBERS_MAX)
    return INFER_E_TOO_LARGE;
  if (members->count == members->cap && !grow(members))
    return INFER_E_NO_MEMORY;
  inf_member *member = &members->list[members->count];
  if (members->count == members->made) {
    *member = (inf_member){0};
    inf_buf_init(&member->name, SIZE_MAX);
    inf_buf_init(&member->pieces, SIZE_MAX);
    members->made++;
  }
  member->count = 0;
  if (!inf_buf_append_sv(&member->name, name) ||
      !inf_buf_append(&member->pieces, "[]", 2)) {
    inf_buf_clear(&member->name);
    inf_buf_clear(&member->pieces);
    return INFER_E_NO_MEMORY;
  }
  members->count++;
  *found = member;
  return INFER_OK;
}

/* Adds to the array; it stays a valid one when memory is short. */
static int32_t
push_piece(inf_member *member, inf_sv json)
{
  inf_buf *pieces = &member->pieces;
  if (!inf_buf_reserve(pieces, json.len + 1)) {
    pieces->status = INFER_OK;
    return INFER_E_NO_MEMORY;
  }
  inf_buf_truncate(pieces, pieces->len - 1);
  if (member->count > 0)
    inf_buf_append_char(pieces, ',');
  inf_buf_append_sv(pieces, json);
  inf_buf_append_char(pieces, ']');
  member->count++;
  return INFER_OK;
}

int32_t
inf_members_set(inf_members *members, inf_sv name, inf_sv json)
{
  inf_member *member;
  if (inf_json_is(json, INF_JSON_NULL))
    return INFER_OK;
  if (inf_members_is(members, name, json))
    return INFER_OK;
  int32_t status = find_or_add(members, name, &member);
  if (status != INFER_OK)
    return status;
  inf_buf *pieces = &member->pieces;
  /* Room first, so that a failure leaves the old value. */
  if (!inf_buf_reserve(pieces, json.len + 2)) {
    pieces->status = INFER_OK;
    return INFER_E_NO_MEMORY;
  }
  inf_buf_truncate(pieces, 0);
  inf_buf_append_char(pieces, '[');
  inf_buf_append_sv(pieces, json);
  inf_buf_append_char(pieces, ']');
  member->count = 1;
  return INFER_OK;
}

static int32_t
add_any_piece(inf_members *members, inf_sv name, inf_sv json)
{
  inf_member *member;
  int32_t status = find_or_add(members, name, &member);
  return status == INFER_OK ? push_piece(member, json) : status;
}

int32_t
inf_members_add_piece(inf_members *members, inf_sv name, inf_sv json)
{
  if (inf_json_is(json, INF_JSON_NULL))
    return INFER_OK;
  return add_any_piece(members, name, json);
}

size_t
inf_members_size(const inf_members *members, inf_sv name)
{
  const inf_member *member = find(members, name);
  return member ? member->pieces.len : 0;
}

bool
inf_members_is(const inf_members *members, inf_sv name, inf_sv json)
{
  const inf_member *member = find(members, name);
  return member && member->pieces.len == json.len + 2 &&
         inf_swar_same(member->pieces.ptr + 1, json.ptr, json.len);
}

bool
inf_members_has(const inf_members *members, inf_sv name)
{
  return find(members, name) != NULL;
}

void
inf_members_put_name(inf_buf *out, inf_sv raw_name)
{
  inf_json_put_raw(out, INF_SV("\""));
  inf_buf_append_sv(out, raw_name);
  inf_buf_append(out, "\":", 2);
}

/* ---- Merging ------------------------------------------------------------- */

/* Strings under these names come whole, perhaps with every piece. */
bool
inf_members_is_label(inf_sv name)
{
  static const char *const labels[] = {
      "id",        "type",      "name",       "format", "role",
      "channel",   "object",    "status",     "model",  "source",
      "recipient", "mime_type", "media_type",
  };
  for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
    if (inf_sv_eq(name, inf_sv_from(labels[i])))
      return true;
  }
  return false;
}

static int32_t
join_strings(inf_sv pieces, inf_buf *out)
{
  inf_json_put_raw(out, INF_SV("\""));
  inf_json_iter it = inf_json_iter_of(pieces);
  while (inf_json_next(&it)) {
    if (it.value.len >= 2 && it.value.ptr[0] == '"')
      inf_buf_append(out, it.value.ptr + 1, it.value.len - 2);
  }
  inf_buf_append_char(out, '"');
  return out->status;
}

/* More names than are matched with one another: all members in a row. */
static int32_t
chain_objects(inf_sv pieces, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_iter it = inf_json_iter_of(pieces);
  while (inf_json_next(&it)) {
    inf_json_iter member = inf_json_iter_of(it.value);
    while (inf_json_next(&member)) {
      inf_members_put_name(out, member.key);
      inf_json_put_raw(out, member.value);
    }
  }
  inf_json_close(out, '}');
  return out->status;
}

static int32_t
merge_objects(inf_sv pieces, unsigned depth, inf_buf *out)
{
  inf_members merged = {0};
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(pieces);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_json_iter member = inf_json_iter_of(it.value);
    while (status == INFER_OK && inf_json_next(&member))
      status = add_any_piece(&merged, member.key, member.value);
  }
  if (status == INFER_E_TOO_LARGE) {
    inf_members_fini(&merged);
    return chain_objects(pieces, out);
  }
  inf_json_open(out, '{');
  for (size_t i = 0; status == INFER_OK && i < merged.count; i++) {
    inf_sv name = inf_buf_sv(&merged.list[i].name);
    inf_members_put_name(out, name);
    status =
        write_merged(name, inf_buf_sv(&merged.list[i].pieces), depth + 1, out);
  }
  inf_json_close(out, '}');
  inf_members_fini(&merged);
  return status;
}

static int32_t
extend_arrays(inf_sv pieces, inf_buf *out)
{
  inf_json_open(out, '[');
  inf_json_iter it = inf_json_iter_of(pieces);
  while (inf_json_next(&it)) {
    inf_json_iter element = inf_json_iter_of(it.value);
    while (inf_json_next(&element))
      inf_json_put_raw(out, element.value);
  }
  inf_json_close(out, ']');
  return out->status;
}

/* A name for the element that an item of reasoning_details belongs to: its
 * index and type, for an item without an index its own number. */
static void
detail_name(inf_sv item, size_t number, inf_buf *name)
{
  inf_sv index = inf_json_get(item, INF_SV("index"));
  inf_sv type = inf_json_get(item, INF_SV("type"));
  inf_buf_clear(name);
  if (inf_json_is(index, INF_JSON_NUMBER)) {
    inf_buf_append_sv(name, index);
    inf_buf_append_sv(name, type);
  } else {
    inf_buf_append_char(name, '#');
    inf_buf_append_uint(name, number);
  }
}

static int32_t
group_details(inf_sv pieces, inf_members *groups)
{
  inf_buf name;
  int32_t status = INFER_OK;
  size_t number = 0;
  inf_buf_init(&name, SIZE_MAX);
  inf_json_iter it = inf_json_iter_of(pieces);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_json_iter item = inf_json_iter_of(it.value);
    while (status == INFER_OK && inf_json_next(&item)) {
      detail_name(item.value, number++, &name);
      status = name.status;
      if (status == INFER_OK)
        status = inf_members_add_piece(groups, inf_buf_sv(&name), item.value);
    }
  }
  inf_buf_fini(&name);
  return status;
}

static int32_t
merge_details(inf_sv pieces, unsigned depth, inf_buf *out)
{
  inf_members groups = {0};
  int32_t status = group_details(pieces, &groups);
  if (status == INFER_E_TOO_LARGE) {
    inf_members_fini(&groups);
    return extend_arrays(pieces, out);
  }
  inf_json_open(out, '[');
  for (size_t i = 0; status == INFER_OK && i < groups.count; i++) {
    status = write_merged(INF_SV(""), inf_buf_sv(&groups.list[i].pieces),
                          depth + 1, out);
  }
  inf_json_close(out, ']');
  inf_members_fini(&groups);
  return status;
}

/* Writes the one value that the pieces make; nulls among them say nothing.
 * The last piece tells the type; where the types differ it stands alone. */
static int32_t
write_merged(inf_sv name, inf_sv pieces, unsigned depth, inf_buf *out)
{
  inf_sv last = {0};
  inf_json_type type = INF_JSON_NONE;
  size_t count = 0;
  bool same = true;
  inf_json_iter it = inf_json_iter_of(pieces);
  while (inf_json_next(&it)) {
    inf_json_type next = inf_json_type_of(it.value);
    if (next == INF_JSON_NULL)
      continue;
    same = same && (count == 0 || next == type);
    type = next;
    count++;
    /* A label that comes again empty has not changed. */
    if (it.value.len > 2 || type != INF_JSON_STRING || last.len == 0)
      last = it.value;
  }
  if (count == 0)
    inf_json_put_null(out);
  else if (count > 1 && same && type == INF_JSON_STRING &&
           !inf_members_is_label(name))
    return join_strings(pieces, out);
  else if (count > 1 && same && type == INF_JSON_OBJECT &&
           depth < MAX_MERGE_DEPTH)
    return merge_objects(pieces, depth, out);
  else if (count > 1 && same && type == INF_JSON_ARRAY)
    return inf_sv_eq(name, INF_SV("reasoning_details")) &&
                   depth < MAX_MERGE_DEPTH
               ? merge_details(pieces, depth, out)
               : extend_arrays(pieces, out);
  else
    inf_json_put_raw(out, last);
  return out->status;
}

int32_t
inf_members_write_value(const inf_members *members, inf_sv name, inf_buf *out)
{
  const inf_member *member = find(members, name);
  return write_merged(name, member ? inf_buf_sv(&member->pieces) : INF_SV("[]"),
                      0, out);
}

int32_t
inf_members_write(const inf_members *members, inf_buf *out)
{
  int32_t status = out->status;
  for (size_t i = 0; status == INFER_OK && i < members->count; i++) {
    const inf_member *member = &members->list[i];
    inf_members_put_name(out, inf_buf_sv(&member->name));
    status = write_merged(inf_buf_sv(&member->name),
                          inf_buf_sv(&member->pieces), 0, out);
  }
  return status;
}
