/* SPDX-License-Identifier: MIT */
/* Which label kept which target out; see refusals.h. One list, looked through
 * from its beginning: it has an entry for each target of a configuration that
 * lacks a label which somebody asks for, which are few, and only calls that
 * require a label come here. */
#include "engine/refusals.h"

#include "base/mem.h"
#include "engine/runtime_state.h"
#include "infer/infer.h"
#include "wire/json_write.h"

#include <string.h>

typedef struct entry {
  char *target, *label;
  uint64_t count, told; /* told: the count of the last line */
} entry;

struct inf_refusals {
  entry entries[INF_REFUSALS_MAX];
  size_t count;
  entry rest; /* its names are NULL */
};

void
inf_refusals_free(inf_refusals *refusals)
{
  for (size_t i = 0; refusals && i < refusals->count; i++) {
    inf_free(refusals->entries[i].target);
    inf_free(refusals->entries[i].label);
  }
  inf_free(refusals);
}

static entry *
add_locked(inf_refusals *refusals, const char *target, const char *label)
{
  if (refusals->count == INF_REFUSALS_MAX)
    return &refusals->rest;
  entry added = {.target = inf_strndup(target, strlen(target)),
                 .label = inf_strndup(label, strlen(label))};
  if (!added.target || !added.label) {
    inf_free(added.target);
    inf_free(added.label);
    return &refusals->rest;
  }
  refusals->entries[refusals->count] = added;
  return &refusals->entries[refusals->count++];
}

static entry *
find_locked(inf_refusals *refusals, const char *target, const char *label)
{
  for (size_t i = 0; i < refusals->count; i++) {
    entry *at = &refusals->entries[i];
    if (strcmp(at->target, target) == 0 && strcmp(at->label, label) == 0)
      return at;
  }
  return add_locked(refusals, target, label);
}

/* Is this the 1st, 2nd, 4th, 8th, ...? */
static bool
is_told(uint64_t count)
{
  return (count & (count - 1)) == 0;
}

bool
inf_refusals_note(inf_runtime *runtime, const char *target, const char *label)
{
  bool told = false;
  pthread_mutex_lock(&runtime->mutex);
  if (!runtime->refusals)
    runtime->refusals = inf_calloc(1, sizeof *runtime->refusals);
  if (runtime->refusals)
    told = is_told(++find_locked(runtime->refusals, target, label)->count);
  pthread_mutex_unlock(&runtime->mutex);
  if (told)
    atomic_store(&runtime->refusals_untold, true);
  return told;
}

/* The next entry from *at on that has a line, copied, for the hook is called
 * without the mutex. False: none has. */
static bool
next_line(inf_runtime *runtime, size_t *at, inf_buf *line)
{
  bool found = false;
  pthread_mutex_lock(&runtime->mutex);
  inf_refusals *refusals = runtime->refusals;
  for (; refusals && !found && *at <= refusals->count; (*at)++) {
    bool rest = *at == refusals->count;
    entry *one = rest ? &refusals->rest : &refusals->entries[*at];
    uint64_t upto = one->count;
    while (!is_told(upto)) /* the last that is told: its highest bit */
      upto &= upto - 1;
    if (upto <= one->told)
      continue;
    one->told = upto;
    found = true;
    if (rest)
      inf_buf_append_cstr(line, "more targets are kept out for want of labels");
    else
      inf_buf_appendf(line,
                      "%s is kept out: its provider does not have the required "
                      "label \"%s\"",
                      one->target, one->label);
    inf_buf_appendf(line, " (%llu calls so far)",
                    (unsigned long long)one->count);
  }
  pthread_mutex_unlock(&runtime->mutex);
  return found;
}

void
inf_refusals_tell(inf_runtime *runtime, const inf_log *log)
{
  if (!atomic_load_explicit(&runtime->refusals_untold, memory_order_relaxed) ||
      !atomic_exchange(&runtime->refusals_untold, false))
    return;
  char memory[1024];
  inf_buf line;
  inf_buf_init(&line, sizeof memory);
  inf_buf_lend(&line, memory, sizeof memory);
  for (size_t at = 0; next_line(runtime, &at, &line); inf_buf_clear(&line))
    inf_logf(log, INFER_LOG_INFO, "%s", inf_buf_cstr(&line));
  inf_buf_fini(&line);
}

void
inf_refusals_each(inf_runtime *runtime, inf_refusals_fn *fn, void *context)
{
  pthread_mutex_lock(&runtime->mutex);
  const inf_refusals *refusals = runtime->refusals;
  for (size_t i = 0; refusals && i < refusals->count; i++)
    fn(context, refusals->entries[i].target, refusals->entries[i].label,
       refusals->entries[i].count);
  if (refusals && refusals->rest.count > 0)
    fn(context, "", NULL, refusals->rest.count);
  pthread_mutex_unlock(&runtime->mutex);
}

/* The list is opened with its first entry. */
typedef struct writing {
  inf_buf *out;
  bool begun;
} writing;

static void
write_one(void *context, const char *target, const char *label, uint64_t count)
{
  writing *w = context;
  if (!w->begun) {
    inf_json_key(w->out, INF_SV("refusals"));
    inf_json_open(w->out, '[');
    w->begun = true;
  }
  inf_json_open(w->out, '{');
  inf_json_key(w->out, INF_SV("target"));
  if (label)
    inf_json_put_string(w->out, inf_sv_from(target));
  else
    inf_json_put_null(w->out);
  inf_json_key(w->out, INF_SV("label"));
  if (label)
    inf_json_put_string(w->out, inf_sv_from(label));
  else
    inf_json_put_null(w->out);
  inf_json_member_int(w->out, INF_SV("calls"), (int64_t)count);
  inf_json_close(w->out, '}');
}

void
inf_refusals_write_json(inf_runtime *runtime, inf_buf *out)
{
  writing w = {out, false};
  inf_refusals_each(runtime, write_one, &w);
  if (w.begun)
    inf_json_close(out, ']');
}
