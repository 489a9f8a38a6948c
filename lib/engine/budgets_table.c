/* SPDX-License-Identifier: MIT */
/* The accounts of budgets: the table, what is told of them, and their text for
 * a store. */
#include "base/mem.h"
#include "config/hash.h"
#include "engine/budgets_state.h"
#include "wire/crc32.h"
#include "wire/date.h"
#include "wire/json_scan.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

#include <stdio.h>

/* A store with more is not ours. */
enum { stored_max = 4 * INF_RUNTIME_MAX, key_max_bytes = 16 << 10 };
enum { text_max_depth = 8 };

/* ---- The table ----------------------------------------------------------- */

void
inf_budgets_free(struct inf_budgets *budgets)
{
  for (size_t i = 0; budgets && i < INF_BUDGETS_BUCKETS; i++)
    for (inf_budget_entry *at = budgets->buckets[i], *next; at; at = next) {
      next = at->next;
      inf_free(at->text);
      inf_free(at);
    }
  inf_free(budgets);
}

const char *
inf_budget_period_name(int32_t period)
{
  return period == INF_BUDGET_DAY ? "day" : "month";
}

static size_t
bucket_of(const inf_budget_id *id)
{
  uint64_t hash = INF_FNV_START;
  hash = inf_fnv1a(hash, id->name);
  hash = inf_fnv1a(hash, id->key);
  return hash % INF_BUDGETS_BUCKETS;
}

static bool
is_same(const inf_budget_id *a, const inf_budget_id *b)
{
  return inf_sv_eq(a->name, b->name) && inf_sv_eq(a->per, b->per) &&
         inf_sv_eq(a->period, b->period) && inf_sv_eq(a->key, b->key);
}

static inf_budget_entry *
find(struct inf_budgets *budgets, const inf_budget_id *id)
{
  for (inf_budget_entry *at = budgets->buckets[bucket_of(id)]; at;
       at = at->next)
    if (is_same(&at->id, id))
      return at;
  return NULL;
}

/* Its period is over: of no use, unless the clock is set back. */
static bool
is_over(const inf_budget *budget, const inf_budget_id *id, int64_t now_s)
{
  inf_budget_rule rule = {.period = inf_sv_eq(id->period, INF_SV("day"))
                                        ? INF_BUDGET_DAY
                                        : INF_BUDGET_MONTH};
  int64_t latest = budget->latest.period;
  return latest > 0 && latest < inf_budget_period_at(&rule, now_s);
}

/* Looks through all of them once a second at most: as long as the table is full
 * this happens for each attempt of a further key. */
static bool
make_room(struct inf_budgets *budgets, int64_t now_s)
{
  if (budgets->full_at_s == now_s && now_s != 0)
    return false;
  for (size_t i = 0; i < INF_BUDGETS_BUCKETS; i++)
    for (inf_budget_entry **at = &budgets->buckets[i]; *at; at = &(*at)->next)
      if ((*at)->users == 0 && is_over(&(*at)->budget, &(*at)->id, now_s)) {
        inf_budget_entry *gone = *at;
        *at = gone->next;
        inf_free(gone->text);
        inf_free(gone);
        budgets->count--;
        return true;
      }
  budgets->full_at_s = now_s;
  return false;
}

/* Each part of the id has a NUL behind it. */
static inf_budget_entry *
entry_new(const inf_budget_id *id)
{
  const inf_sv parts[] = {id->name, id->per, id->period, id->key};
  size_t bytes = 0;
  inf_budget_entry *entry = inf_calloc(1, sizeof *entry);
  for (size_t i = 0; i < 4; i++)
    bytes += parts[i].len + 1;
  if (!entry || !(entry->text = inf_calloc(bytes, 1))) {
    inf_free(entry);
    return NULL;
  }
  inf_sv *const owns[] = {&entry->id.name, &entry->id.per, &entry->id.period,
                          &entry->id.key};
  char *to = entry->text;
  for (size_t i = 0; i < 4; i++) {
    if (parts[i].len > 0)
      memcpy(to, parts[i].ptr, parts[i].len);
    *owns[i] = inf_sv_of(to, parts[i].len);
    to += parts[i].len + 1;
  }
  entry->key = entry->id.key.ptr;
  return entry;
}

static inf_budget_entry *
add(struct inf_budgets *budgets, const inf_budget_id *id)
{
  inf_budget_entry *entry = entry_new(id);
  if (!entry)
    return NULL;
  size_t bucket = bucket_of(id);
  entry->next = budgets->buckets[bucket];
  budgets->buckets[bucket] = entry;
  budgets->count++;
  return entry;
}

static struct inf_budgets *
budgets_of(inf_runtime *runtime)
{
  if (!runtime->budgets)
    runtime->budgets = inf_calloc(1, sizeof *runtime->budgets);
  return runtime->budgets;
}

inf_budget_entry *
inf_budgets_entry_locked(inf_runtime *runtime, const inf_budget_id *id,
                         int64_t now_s)
{
  struct inf_budgets *budgets = budgets_of(runtime);
  inf_budget_id which = *id;
  if (!budgets)
    return NULL;
  inf_budget_entry *entry = find(budgets, &which);
  if (!entry && budgets->count >= INF_RUNTIME_MAX &&
      !make_room(budgets, now_s)) {
    which.key = INF_SV("*");
    entry = find(budgets, &which);
  }
  return entry ? entry : add(budgets, &which);
}

/* ---- Telling ------------------------------------------------------------- */

const char *
inf_budget_period_text(const inf_budget_rule *rule, int64_t period,
                       char text[INF_BUDGET_PERIOD_TEXT])
{
  char date[INF_BASIC_DATE_BYTES];
  int64_t local_s = inf_budget_period_start(rule, period) +
                    (int64_t)rule->offset_minutes * 60;
  inf_write_basic_date(local_s * (int64_t)INF_NS_PER_S, date);
  int len = snprintf(text, INF_BUDGET_PERIOD_TEXT, "%.4s-%.2s", date, date + 4);
  if (rule->period == INF_BUDGET_DAY)
    snprintf(text + len, INF_BUDGET_PERIOD_TEXT - (size_t)len, "-%.2s",
             date + 6);
  return text;
}

static void
put_limit(inf_buf *out, inf_sv name, int64_t limit)
{
  inf_json_key(out, name);
  if (limit < 0)
    inf_json_put_null(out);
  else
    inf_json_put_int(out, limit);
}

static void
put_id(inf_buf *out, const inf_budget_id *id)
{
  inf_json_member_string(out, INF_SV("name"), id->name);
  inf_json_member_string(out, INF_SV("per"), id->per);
  inf_json_member_string(out, INF_SV("key"), id->key);
}

static void
tell(const inf_budget_entry *entry, int64_t now_s, inf_buf *out)
{
  char period[INF_BUDGET_PERIOD_TEXT];
  const inf_budget_rule *rule = &entry->rule;
  inf_budget budget = entry->budget;
  const inf_budget_account *account = inf_budget_turn(&budget, rule, now_s);
  inf_json_open(out, '{');
  put_id(out, &entry->id);
  inf_budget_period_text(rule, account->period, period);
  inf_json_member_string(out, INF_SV("period"), inf_sv_from(period));
  inf_json_member_int(out, INF_SV("resets_at"),
                      inf_budget_period_start(rule, account->period + 1));
  inf_json_member_int(out, INF_SV("spent_nano_usd"), account->spent.nano_usd);
  inf_json_member_int(out, INF_SV("spent_tokens"), account->spent.tokens);
  inf_json_member_int(out, INF_SV("reserved_nano_usd"),
                      budget.reserved.nano_usd);
  inf_json_member_int(out, INF_SV("reserved_tokens"), budget.reserved.tokens);
  put_limit(out, INF_SV("limit_nano_usd"), rule->limit.nano_usd);
  put_limit(out, INF_SV("limit_tokens"), rule->limit.tokens);
  inf_json_member_bool(out, INF_SV("warned"), account->warned);
  inf_json_member_int(out, INF_SV("refused"), (int64_t)entry->refused);
  inf_json_close(out, '}');
}

void
inf_budgets_write_json(inf_runtime *runtime, int64_t wall_ns, inf_buf *out)
{
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_budgets *budgets = runtime->budgets;
  inf_json_open(out, '[');
  for (size_t i = 0; budgets && i < INF_BUDGETS_BUCKETS; i++)
    for (const inf_budget_entry *at = budgets->buckets[i]; at; at = at->next)
      if (at->asked)
        tell(at, wall_ns / (int64_t)INF_NS_PER_S, out);
  inf_json_close(out, ']');
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_budgets_each(inf_runtime *runtime, int64_t wall_ns,
                 void (*see)(void *context, const inf_budgets_view *view),
                 void *context)
{
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_budgets *budgets = runtime->budgets;
  for (size_t i = 0; budgets && i < INF_BUDGETS_BUCKETS; i++)
    for (const inf_budget_entry *at = budgets->buckets[i]; at; at = at->next) {
      inf_budget budget = at->budget;
      const inf_budget_account *account =
          inf_budget_turn(&budget, &at->rule, wall_ns / (int64_t)INF_NS_PER_S);
      inf_budgets_view view = {
          at->id.name.ptr, at->id.per.ptr,  at->id.period.ptr, at->key,
          account->spent,  budget.reserved, at->rule.limit,    at->refused};
      if (at->asked)
        see(context, &view);
    }
  pthread_mutex_unlock(&runtime->mutex);
}

/* ---- The text of the store ----------------------------------------------- */

/* One line of JSON, and one with its checksum. A text that was cut anywhere, or
 * of which a byte is wrong, does not have that. */
static const char last_line[] = "crc32 ";
enum { checksum_digits = 8 };

static void
put_account(inf_buf *out, inf_sv name, const inf_budget_account *account)
{
  inf_json_key(out, name);
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("number"), account->period);
  inf_json_member_int(out, INF_SV("nano_usd"), account->writing.nano_usd);
  inf_json_member_int(out, INF_SV("tokens"), account->writing.tokens);
  inf_json_member_bool(out, INF_SV("warned"), account->warned);
  inf_json_close(out, '}');
}

static void
put_entry(inf_buf *out, inf_budget_entry *entry)
{
  inf_budget *budget = &entry->budget;
  budget->latest.writing = budget->latest.spent;
  budget->before.writing = budget->before.spent;
  inf_json_open(out, '{');
  put_id(out, &entry->id);
  inf_json_member_string(out, INF_SV("period"), entry->id.period);
  put_account(out, INF_SV("latest"), &budget->latest);
  put_account(out, INF_SV("before"), &budget->before);
  inf_json_close(out, '}');
}

void
inf_budgets_write(inf_runtime *runtime, inf_buf *out)
{
  size_t from = out->len;
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_budgets *budgets = runtime->budgets;
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("version"), 1);
  inf_json_key(out, INF_SV("budgets"));
  inf_json_open(out, '[');
  for (size_t i = 0; budgets && i < INF_BUDGETS_BUCKETS; i++)
    for (inf_budget_entry *at = budgets->buckets[i]; at; at = at->next)
      if (at->budget.latest.period > 0)
        put_entry(out, at);
  inf_json_close(out, ']');
  inf_json_close(out, '}');
  pthread_mutex_unlock(&runtime->mutex);
  inf_buf_append_char(out, '\n');
  if (out->status == INFER_OK)
    inf_buf_appendf(out, "%s%08x\n", last_line,
                    inf_crc32(0, out->ptr + from, out->len - from));
}

/* Is it whole? *json becomes what is before the last line. */
static bool
open_text(inf_sv text, inf_sv *json)
{
  char line[sizeof last_line + checksum_digits + 1];
  const size_t len = sizeof line - 1;
  if (text.len <= len)
    return false;
  *json = inf_sv_of(text.ptr, text.len - len);
  snprintf(line, sizeof line, "%s%08x\n", last_line,
           inf_crc32(0, json->ptr, json->len));
  return memcmp(line, text.ptr + json->len, len) == 0;
}

static bool
read_account(inf_sv json, inf_budget_account *account)
{
  struct {
    const char *name;
    int64_t *number;
  } const members[] = {
      {"number", &account->period},
      {"nano_usd", &account->spent.nano_usd},
      {"tokens", &account->spent.tokens},
  };
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
    if (!inf_json_int64(inf_json_get(json, inf_sv_from(members[i].name)), false,
                        members[i].number) ||
        *members[i].number < 0)
      return false;
  account->warned =
      inf_json_is(inf_json_get(json, INF_SV("warned")), INF_JSON_TRUE);
  return true;
}

/* Others than ours are taken over too, so that they are not lost. Where there
 * are many, those that are over have no use; and there is an end to all: then
 * it is NULL. */
static int32_t
entry_for(inf_runtime *runtime, const inf_budget_id *id,
          const inf_budget *stored, int64_t now_s, inf_budget_entry **out)
{
  struct inf_budgets *budgets = budgets_of(runtime);
  *out = budgets ? find(budgets, id) : NULL;
  if (!budgets)
    return INFER_E_NO_MEMORY;
  if (*out || budgets->count >= stored_max ||
      (budgets->count >= INF_RUNTIME_MAX && is_over(stored, id, now_s)))
    return INFER_OK;
  *out = add(budgets, id);
  return *out ? INFER_OK : INFER_E_NO_MEMORY;
}

/* An account that nobody can have written is passed over. */
static int32_t
merge_entry(inf_runtime *runtime, inf_sv json, int64_t now_s)
{
  static const char *const names[] = {"name", "per", "period", "key"};
  inf_budget stored = {0};
  inf_buf text[4];
  int32_t status = INFER_OK;
  bool good =
      read_account(inf_json_get(json, INF_SV("latest")), &stored.latest) &&
      read_account(inf_json_get(json, INF_SV("before")), &stored.before);
  for (size_t i = 0; i < 4; i++) {
    inf_buf_init(&text[i], key_max_bytes);
    good &=
        inf_json_string(inf_json_get(json, inf_sv_from(names[i])), &text[i]);
    if (text[i].status == INFER_E_NO_MEMORY)
      status = INFER_E_NO_MEMORY;
  }
  if (good) {
    const inf_budget_id id = {inf_buf_sv(&text[0]), inf_buf_sv(&text[1]),
                              inf_buf_sv(&text[2]), inf_buf_sv(&text[3])};
    inf_budget_entry *entry;
    status = entry_for(runtime, &id, &stored, now_s, &entry);
    if (entry)
      inf_budget_merge(&entry->budget, &stored);
  }
  for (size_t i = 0; i < 4; i++)
    inf_buf_fini(&text[i]);
  return status;
}

int32_t
inf_budgets_merge(inf_runtime *runtime, inf_sv text, int64_t wall_ns)
{
  inf_sv json, value;
  int64_t version;
  int32_t status = INFER_OK;
  if (text.len == 0)
    return INFER_OK;
  if (!open_text(text, &json) ||
      !inf_json_parse(json, text_max_depth, &value, NULL) ||
      !inf_json_int64(inf_json_get(value, INF_SV("version")), false,
                      &version) ||
      version != 1)
    return INFER_E_PROTOCOL;
  inf_json_iter it = inf_json_iter_of(inf_json_get(value, INF_SV("budgets")));
  pthread_mutex_lock(&runtime->mutex);
  while (status == INFER_OK && inf_json_next(&it))
    status = merge_entry(runtime, it.value, wall_ns / (int64_t)INF_NS_PER_S);
  pthread_mutex_unlock(&runtime->mutex);
  return status;
}

void
inf_budgets_stored(inf_runtime *runtime)
{
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_budgets *budgets = runtime->budgets;
  for (size_t i = 0; budgets && i < INF_BUDGETS_BUCKETS; i++)
    for (inf_budget_entry *at = budgets->buckets[i]; at; at = at->next)
      inf_budget_stored(&at->budget);
  pthread_mutex_unlock(&runtime->mutex);
}

bool
inf_budgets_watch(inf_runtime *runtime, void (*changed)(void *context),
                  void *context)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_budgets *budgets = budgets_of(runtime);
  if (budgets) {
    budgets->changed = changed;
    budgets->context = context;
  }
  pthread_mutex_unlock(&runtime->mutex);
  return budgets != NULL;
}
