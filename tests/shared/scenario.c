/* SPDX-License-Identifier: MIT */
/* Reads the scenarios, starts what they need, and holds accounts against what
 * is expected. It uses nothing of the library, so that the runners of C and
 * C++ can share it. */
#include "scenario.h"

#include "support/sim_process.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_PROVIDERS 4
#define LOG_WAIT_MS   5000

typedef struct world {
  const scenario_binding *binding;
  json_object *scenario; /* lent */
  sim_process *sims[MAX_PROVIDERS];
  char *config;
  void *client;
  const char *mode;
} world;

json_object *
scenario_get(json_object *object, const char *member)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, member, &value);
  return value;
}

long long
scenario_number(json_object *object, const char *member)
{
  json_object *value = scenario_get(object, member);
  return value ? json_object_get_int64(value) : -1;
}

unsigned long long
scenario_now_ms(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (unsigned long long)ts.tv_sec * 1000 +
         (unsigned long long)ts.tv_nsec / 1000000;
}

static const char *
string_of(json_object *object, const char *member)
{
  json_object *value = scenario_get(object, member);
  return value ? json_object_get_string(value) : "";
}

static bool
complain(const world *w, const char *format, ...)
{
  va_list args;
  fprintf(stderr, "%s (%s): ", string_of(w->scenario, "name"), w->mode);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
  fprintf(stderr, "\n");
  return false;
}

/* ---- Accounts ------------------------------------------------------------ */

void
account_text(json_object *object, const char *member, const char *text,
             size_t len)
{
  json_object_object_add(object, member,
                         json_object_new_string_len(text, (int)len));
}

void
account_number(json_object *object, const char *member, long long value)
{
  json_object_object_add(object, member, json_object_new_int64(value));
}

static const char *
short_name(const char *status_name)
{
  static const char *const prefixes[] = {"INFER_E_", "INFER_"};
  for (size_t i = 0; i < 2; i++)
    if (strncmp(status_name, prefixes[i], strlen(prefixes[i])) == 0)
      return status_name + strlen(prefixes[i]);
  return status_name;
}

void
account_status(json_object *object, const char *member, const char *status_name)
{
  const char *name = short_name(status_name);
  account_text(object, member, name, strlen(name));
}

void
account_attempt(json_object *attempts, const char *target, const char *reason,
                int http_status, const char *status_name)
{
  char line[256];
  snprintf(line, sizeof line, "%s %s %d %s", target, reason, http_status,
           short_name(status_name));
  json_object_array_add(attempts, json_object_new_string(line));
}

static bool
is_one_of(const char *text, const char *const *list)
{
  for (; *list; list++)
    if (strcmp(text, *list) == 0)
      return true;
  return false;
}

static bool
is_piece(const char *type)
{
  static const char *const pieces[] = {"text", "reasoning", "refusal",
                                       "tool_call_delta", NULL};
  return is_one_of(type, pieces);
}

/* The type of an event is the name of its first member. */
static const char *
type_of(json_object *event)
{
  struct lh_entry *first = lh_table_head(json_object_get_object(event));
  return (const char *)lh_entry_k(first);
}

/* The event that a piece goes on with, or NULL. */
static json_object *
find_begun(json_object *events, const account_event *piece)
{
  for (size_t i = json_object_array_length(events); i-- > 0;) {
    json_object *event = json_object_array_get_idx(events, i);
    if (!is_piece(type_of(event)))
      return NULL;
    if (strcmp(type_of(event), piece->type) == 0 &&
        scenario_number(event, "choice") == piece->choice &&
        scenario_number(event, "epoch") == piece->epoch &&
        (!piece->tool_id || scenario_number(event, "tool") == piece->tool))
      return event;
  }
  return NULL;
}

static void
join(json_object *event, const account_event *piece)
{
  json_object *begun = scenario_get(event, piece->type);
  size_t len = (size_t)json_object_get_string_len(begun);
  char *text = malloc(len + piece->len + 1);
  if (!text)
    abort();
  memcpy(text, json_object_get_string(begun), len);
  memcpy(text + len, piece->text, piece->len);
  json_object_set_string_len(begun, text, (int)(len + piece->len));
  free(text);
}

static json_object *
new_event(const account_event *event)
{
  static const char *const of_json[] = {"usage", "logprobs", "extra", NULL};
  json_object *object = json_object_new_object();
  if (is_one_of(event->type, of_json))
    json_object_object_add(object, event->type,
                           json_tokener_parse(event->text));
  else
    account_text(object, event->type, event->text, event->len);
  account_number(object, "choice", event->choice);
  account_number(object, "epoch", event->epoch);
  if (event->tool_id) {
    account_number(object, "tool", event->tool);
    account_text(object, "id", event->tool_id, strlen(event->tool_id));
    account_text(object, "name", event->tool_name, strlen(event->tool_name));
  }
  if (event->head[0])
    json_object_object_add(object, "head", json_tokener_parse(event->head));
  return object;
}

void
account_add(json_object *events, const account_event *event)
{
  if (strcmp(event->type, "restart") == 0)
    json_object_array_del_idx(events, 0, json_object_array_length(events));
  json_object *begun = is_piece(event->type) ? find_begun(events, event) : NULL;
  if (begun)
    join(begun, event);
  else
    json_object_array_add(events, new_event(event));
}

/* ---- Matching ------------------------------------------------------------ */

static bool matches(const world *w, json_object *want, json_object *got,
                    const char *path);

static bool
differs(const world *w, const char *path, json_object *want, json_object *got)
{
  return complain(w, "%s is %s, not %s", path, json_object_to_json_string(got),
                  json_object_to_json_string(want));
}

static bool
has_text(json_object *want, json_object *got)
{
  if (!json_object_is_type(got, json_type_string))
    return false;
  if (json_object_is_type(want, json_type_string))
    return strstr(json_object_get_string(got), json_object_get_string(want));
  for (size_t i = 0; i < json_object_array_length(want); i++)
    if (!has_text(json_object_array_get_idx(want, i), got))
      return false;
  return true;
}

static bool
is_number(json_object *value)
{
  return json_object_is_type(value, json_type_int) ||
         json_object_is_type(value, json_type_double);
}

static bool
passes(const char *test, json_object *want, json_object *got)
{
  if (strcmp(test, "$has") == 0)
    return has_text(want, got);
  if (strcmp(test, "$lacks") == 0)
    return json_object_is_type(got, json_type_string) && !has_text(want, got);
  if (strcmp(test, "$at_least") == 0)
    return is_number(got) &&
           json_object_get_double(got) >= json_object_get_double(want);
  if (strcmp(test, "$at_most") == 0)
    return is_number(got) &&
           json_object_get_double(got) <= json_object_get_double(want);
  return false; /* README.md names no other */
}

static bool
matches_member(const world *w, const char *name, json_object *want,
               json_object *got, const char *path)
{
  char place[256];
  json_object *value;
  snprintf(place, sizeof place, "%s.%s", path, name);
  if (!json_object_object_get_ex(got, name, &value))
    return scenario_get(want, "$absent") ||
           complain(w, "%s is not there", place);
  return matches(w, want, value, place);
}

static bool
matches_object(const world *w, json_object *want, json_object *got,
               const char *path)
{
  bool ok = true;
  json_object_object_foreach(want, name, value)
  {
    if (name[0] == '$')
      ok = (passes(name, value, got) || differs(w, path, want, got)) && ok;
    else if (!json_object_is_type(got, json_type_object))
      return differs(w, path, want, got);
    else
      ok = matches_member(w, name, value, got, path) && ok;
  }
  return ok;
}

static bool
matches_array(const world *w, json_object *want, json_object *got,
              const char *path)
{
  bool ok = true;
  size_t count = json_object_array_length(want);
  if (!json_object_is_type(got, json_type_array) ||
      json_object_array_length(got) != count)
    return differs(w, path, want, got);
  for (size_t i = 0; i < count; i++) {
    char place[256];
    snprintf(place, sizeof place, "%s[%zu]", path, i);
    ok = matches(w, json_object_array_get_idx(want, i),
                 json_object_array_get_idx(got, i), place) &&
         ok;
  }
  return ok;
}

static bool
matches(const world *w, json_object *want, json_object *got, const char *path)
{
  if (json_object_is_type(want, json_type_object))
    return matches_object(w, want, got, path);
  if (json_object_is_type(want, json_type_array))
    return matches_array(w, want, got, path);
  bool same =
      is_number(want) && is_number(got)
          ? !(json_object_get_double(want) < json_object_get_double(got)) &&
                !(json_object_get_double(want) > json_object_get_double(got))
          : json_object_equal(want, got);
  return same || differs(w, path, want, got);
}

/* Has the object these members, of which required must be there (the first
 * ones), and no others? */
static bool
has_members(const world *w, json_object *object, const char *const *names,
            size_t required)
{
  for (size_t i = 0; i < required; i++)
    if (!scenario_get(object, names[i]))
      return complain(w, "no member \"%s\"", names[i]);
  json_object_object_foreach(object, name, value)
  {
    (void)value;
    if (!is_one_of(name, names))
      return complain(w, "unknown member \"%s\"", name);
  }
  return true;
}

/* ---- The world of a scenario --------------------------------------------- */

/* Takes "sim" out of the provider, starts it, and leads there. */
static bool
start_provider(world *w, size_t index, json_object *provider)
{
  json_object *script = scenario_get(provider, "sim");
  if (!scenario_get(provider, "type"))
    account_text(provider, "type", "openai", 6);
  if (!scenario_get(provider, "proxy"))
    account_text(provider, "proxy", "none", 4);
  if (!script)
    return true;
  w->sims[index] = sim_start(json_object_to_json_string(script), NULL);
  if (!w->sims[index])
    return complain(w, "provider %zu does not start", index);
  const char *url = sim_url(w->sims[index]);
  account_text(provider, "base_url", url, strlen(url));
  json_object_object_del(provider, "sim");
  return true;
}

static bool
start(world *w)
{
  json_object *config = NULL, *providers = NULL;
  json_object *given = scenario_get(w->scenario, "config");
  if (given)
    json_object_deep_copy(given, &config, NULL);
  else
    config = json_object_new_object();
  json_object_deep_copy(scenario_get(w->scenario, "providers"), &providers,
                        NULL);
  json_object_object_add(config, "providers", providers);
  const char *threads = getenv("WORLD_THREADS");
  if (threads)
    account_number(config, "threads", threads[0] - '0');
  bool ok = json_object_array_length(providers) <= MAX_PROVIDERS;
  for (size_t i = 0; ok && i < json_object_array_length(providers); i++)
    ok = start_provider(w, i, json_object_array_get_idx(providers, i));
  if (ok)
    w->client = w->binding->open(json_object_to_json_string(config));
  json_object_put(config);
  return w->client || complain(w, "there is no client");
}

static bool
stop(world *w)
{
  bool ok = true;
  if (w->client)
    w->binding->close(w->client);
  for (size_t i = 0; i < MAX_PROVIDERS; i++)
    ok = sim_stop(w->sims[i]) && ok;
  return ok || complain(w, "a simulated provider ended badly");
}

/* ---- What the providers have seen ---------------------------------------- */

static int
by_arrival(const void *a, const void *b)
{
  json_object *const *left = a, *const *right = b;
  long long at = scenario_number(*left, "received_monotonic_ns");
  long long other = scenario_number(*right, "received_monotonic_ns");
  return (at > other) - (at < other);
}

static size_t
count_of(json_object *seen, const char *provider)
{
  size_t count = 0;
  for (size_t i = 0; i < json_object_array_length(seen); i++)
    count += strcmp(string_of(json_object_array_get_idx(seen, i), "provider"),
                    provider) == 0;
  return count;
}

/* Adds what a provider has seen, once count requests have ended. */
static void
add_log(json_object *log, sim_process *sim, const char *provider, size_t count)
{
  char *text = sim_wait_log(sim, count, LOG_WAIT_MS);
  if (!text) /* matching says what is not as it should be */
    text = sim_log(sim);
  json_object *entries = text ? json_tokener_parse(text) : NULL;
  free(text);
  for (size_t i = 0; entries && i < json_object_array_length(entries); i++) {
    json_object *entry = json_object_array_get_idx(entries, i);
    account_text(entry, "provider", provider, strlen(provider));
    json_object_array_add(log, json_object_get(entry));
  }
  json_object_put(entries);
}

static bool
have_seen(const world *w)
{
  json_object *seen = scenario_get(w->scenario, "seen");
  json_object *providers = scenario_get(w->scenario, "providers");
  json_object *log = json_object_new_array();
  for (size_t i = 0; i < json_object_array_length(providers); i++) {
    json_object *provider = json_object_array_get_idx(providers, i);
    const char *name = string_of(provider, "name");
    if (w->sims[i])
      add_log(log, w->sims[i], name, count_of(seen, name));
  }
  json_object_array_sort(log, by_arrival);
  bool ok = matches(w, seen, log, "seen");
  json_object_put(log);
  return ok;
}

/* ---- Running them -------------------------------------------------------- */

static bool
run_call(const world *w, json_object *call, bool stream)
{
  static const char *const members[] = {"request", "expect",  "deadline_ms",
                                        "labels",  "headers", "policy",
                                        "run_once", "cancel", NULL};
  static const char *const ways[] = {"at", "after_ms", NULL};
  json_object *cancel = scenario_get(call, "cancel");
  if (!has_members(w, call, members, 2) ||
      (cancel && !has_members(w, cancel, ways, 0)))
    return false;
  json_object *expect = NULL;
  json_object_deep_copy(scenario_get(call, "expect"), &expect, NULL);
  bool ok = true;
  if (stream && !scenario_get(expect, "events"))
    ok = complain(w, "a streamed call without expected events");
  if (!stream)
    json_object_object_del(expect, "events");
  json_object *account = w->binding->call(w->client, call, stream);
  ok = matches(w, expect, account, "call") && ok;
  json_object_put(account);
  json_object_put(expect);
  return ok;
}

static bool
run(const scenario_binding *binding, json_object *scenario, const char *mode)
{
  static const char *const members[] = {"name",  "providers", "calls", "seen",
                                        "modes", "config",    NULL};
  world w = {.binding = binding, .scenario = scenario, .mode = mode};
  bool stream = strcmp(mode, "stream") == 0;
  if (!stream && strcmp(mode, "whole") != 0)
    return complain(&w, "there is no such mode");
  if (!has_members(&w, scenario, members, 4))
    return false;
  json_object *calls = scenario_get(scenario, "calls");
  bool ok = start(&w);
  for (size_t i = 0; ok && i < json_object_array_length(calls); i++)
    ok = run_call(&w, json_object_array_get_idx(calls, i), stream);
  if (w.client)
    ok = have_seen(&w) && ok;
  return stop(&w) && ok;
}

static bool
run_modes(const scenario_binding *binding, json_object *scenario)
{
  json_object *modes = scenario_get(scenario, "modes");
  if (!modes) {
    bool ok = run(binding, scenario, "whole");
    return run(binding, scenario, "stream") && ok;
  }
  bool ok = json_object_array_length(modes) > 0;
  for (size_t i = 0; i < json_object_array_length(modes); i++) {
    json_object *mode = json_object_array_get_idx(modes, i);
    ok = run(binding, scenario, json_object_get_string(mode)) && ok;
  }
  return ok;
}

static bool
is_wanted(json_object *scenario, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (strstr(string_of(scenario, "name"), argv[i]))
      return true;
  return argc < 2;
}

int
scenario_main(const scenario_binding *binding, int argc, char **argv)
{
  glob_t files;
  int passed = 0, failed = 0;
  if (glob(INFER_SOURCE_DIR "/tests/shared/*.json", 0, NULL, &files) != 0)
    return fprintf(stderr, "no scenarios\n"), 1;
  for (size_t i = 0; i < files.gl_pathc; i++) {
    json_object *scenarios = json_object_from_file(files.gl_pathv[i]);
    if (!scenarios) {
      fprintf(stderr, "%s\n", json_util_get_last_err());
      failed++;
    }
    size_t count = scenarios ? json_object_array_length(scenarios) : 0;
    for (size_t k = 0; k < count; k++) {
      json_object *scenario = json_object_array_get_idx(scenarios, k);
      if (is_wanted(scenario, argc, argv))
        (run_modes(binding, scenario) ? passed++ : failed++);
    }
    json_object_put(scenarios);
  }
  globfree(&files);
  printf("[  PASSED  ] %d test(s).\n", passed);
  if (failed > 0)
    printf("[  FAILED  ] %d test(s).\n", failed);
  return passed > 0 && failed == 0 ? 0 : 1;
}
