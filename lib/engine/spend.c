/* SPDX-License-Identifier: MIT */
/* What a client has spent; see spend.h. */
#include "engine/spend.h"

#include "base/mem.h"
#include "config/hash.h"
#include "engine/runtime_state.h"
#include "wire/json_write.h"

enum { bucket_count = 64 };

typedef enum kind { PROVIDERS, TARGETS, ROUTES, KINDS } kind;

static const char *const kind_names[KINDS] = {"providers", "targets", "routes"};

typedef struct account {
  struct account *next;
  char *name;
  inf_spend spend;
} account;

struct inf_spends {
  inf_spend total;
  account *accounts[KINDS][bucket_count];
  size_t count[KINDS];
};

void
inf_spends_free(struct inf_spends *spends)
{
  if (!spends)
    return;
  for (size_t i = 0; i < KINDS * (size_t)bucket_count; i++)
    for (account *at = spends->accounts[i / bucket_count][i % bucket_count],
                 *next;
         at; at = next) {
      next = at->next;
      inf_free(at->name);
      inf_free(at);
    }
  inf_free(spends);
}

/* NULL where there is none and none can be made. */
static inf_spend *
spend_of(struct inf_spends *spends, kind which, const char *name)
{
  uint64_t hash = inf_fnv1a(INF_FNV_START, inf_sv_from(name));
  account **bucket = &spends->accounts[which][hash % bucket_count];
  for (account *at = *bucket; at; at = at->next)
    if (strcmp(at->name, name) == 0)
      return &at->spend;
  if (spends->count[which] >= INF_RUNTIME_MAX)
    return NULL;
  account *made = inf_calloc(1, sizeof *made);
  if (!made)
    return NULL;
  made->name = inf_strndup(name, strlen(name));
  if (!made->name) {
    inf_free(made);
    return NULL;
  }
  made->next = *bucket;
  *bucket = made;
  spends->count[which]++;
  return &made->spend;
}

/* ---- Counting ------------------------------------------------------------ */

static void
add(int64_t *sum, int64_t nano)
{
  *sum = nano > INT64_MAX - *sum ? INT64_MAX : *sum + nano;
}

static void
note(inf_spend *spend, inf_cost cost, bool wasted)
{
  if (!spend)
    return;
  spend->attempts++;
  if (cost.kind == INFER_COST_UNKNOWN) {
    spend->unknown++;
    return;
  }
  add(cost.kind == INFER_COST_EXACT ? &spend->exact_nano
                                    : &spend->estimated_nano,
      cost.nano_usd);
  if (wasted)
    add(&spend->wasted_nano, cost.nano_usd);
}

/* NULL when memory is short. */
static struct inf_spends *
spends_locked(inf_runtime *runtime)
{
  if (!runtime->spends)
    runtime->spends = inf_calloc(1, sizeof *runtime->spends);
  return runtime->spends;
}

static void
note_attempt(struct inf_spends *spends, const struct infer_attempt *record,
             const char *route, bool wasted)
{
  inf_cost cost = inf_record_cost(record);
  note(&spends->total, cost, wasted);
  note(spend_of(spends, PROVIDERS, record->provider->name), cost, wasted);
  note(spend_of(spends, TARGETS, record->target), cost, wasted);
  if (route[0])
    note(spend_of(spends, ROUTES, route), cost, wasted);
}

void
inf_spend_note(inf_runtime *runtime, const inf_trail *trail,
               const struct infer_response *response)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_spends *spends = spends_locked(runtime);
  for (size_t i = 0; spends && i < trail->count; i++)
    note_attempt(spends, trail->records[i], trail->route->name,
                 !inf_response_has_part(response, trail->records[i]));
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_spend_note_stray(inf_runtime *runtime, const struct infer_attempt *record,
                     const char *route)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_spends *spends = spends_locked(runtime);
  if (spends)
    note_attempt(spends, record, route, true);
  pthread_mutex_unlock(&runtime->mutex);
}

inf_spend
inf_spend_total(inf_runtime *runtime)
{
  inf_spend total = {0};
  pthread_mutex_lock(&runtime->mutex);
  if (runtime->spends)
    total = runtime->spends->total;
  pthread_mutex_unlock(&runtime->mutex);
  return total;
}

/* ---- Telling ------------------------------------------------------------- */

static void
write_spend(const inf_spend *spend, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("exact_nano_usd"), spend->exact_nano);
  inf_json_member_int(out, INF_SV("estimated_nano_usd"), spend->estimated_nano);
  inf_json_member_int(out, INF_SV("wasted_nano_usd"), spend->wasted_nano);
  inf_json_member_int(out, INF_SV("attempts"), (int64_t)spend->attempts);
  inf_json_member_int(out, INF_SV("unknown_attempts"), (int64_t)spend->unknown);
  inf_json_close(out, '}');
}

static void
write_kind(const struct inf_spends *spends, kind which, inf_buf *out)
{
  inf_json_key(out, inf_sv_from(kind_names[which]));
  inf_json_open(out, '{');
  for (size_t i = 0; spends && i < bucket_count; i++)
    for (const account *at = spends->accounts[which][i]; at; at = at->next) {
      inf_json_key(out, inf_sv_from(at->name));
      write_spend(&at->spend, out);
    }
  inf_json_close(out, '}');
}

void
inf_spends_write_json(inf_runtime *runtime, inf_buf *out)
{
  static const inf_spend nothing;
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_spends *spends = runtime->spends;
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("total"));
  write_spend(spends ? &spends->total : &nothing, out);
  for (int which = 0; which < KINDS; which++)
    write_kind(spends, (kind)which, out);
  inf_json_close(out, '}');
  pthread_mutex_unlock(&runtime->mutex);
}
