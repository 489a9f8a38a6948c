/* SPDX-License-Identifier: MIT */
#ifndef TEST_SHARED_SCENARIO_H
#define TEST_SHARED_SCENARIO_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* The shared scenarios, see README.md, for the runners of C and C++: all but
 * how a client is made and a call is answered. */

#define SCENARIO_WAIT_MS 30000 /* longest wait for an event of a call */

typedef struct scenario_binding {
  /* Makes a client of a configuration, a JSON text; NULL if it cannot, which
   * it tells on stderr. */
  void *(*open)(const char *config);
  void (*close)(void *client);
  /* Makes a call as its description says, and gives the account of it. */
  json_object *(*call)(void *client, json_object *description, bool stream);
} scenario_binding;

/* Runs the scenarios whose names contain one of the arguments, or all, and
 * prints what tests/run adds up. With "threads": 0 if the variable
 * WORLD_THREADS says so. Gives the exit code. */
int scenario_main(const scenario_binding *binding, int argc, char **argv);

/* ---- For those who describe and account ---------------------------------- */

/* A member of an object, or NULL. */
json_object *scenario_get(json_object *object, const char *member);
/* The same as a number, or if it is not there -1. */
long long scenario_number(json_object *object, const char *member);

void account_text(json_object *object, const char *member, const char *text,
                  size_t len);
void account_number(json_object *object, const char *member, long long value);
/* "OK", "RATE_LIMITED", ... */
void account_status(json_object *object, const char *member,
                    const char *status_name);
/* Adds "a/m first 503 OVERLOADED". */
void account_attempt(json_object *attempts, const char *target,
                     const char *reason, int http_status,
                     const char *status_name);

typedef struct account_event {
  const char *type;
  const char *text;
  size_t len;
  unsigned choice, epoch, tool;
  const char *tool_id, *tool_name; /* of a tool call, else NULL */
  const char *head;                /* JSON, of a start, else "" */
} account_event;

/* Adds an event to the array, with the pieces of a text joined, and without
 * what came before a restart. */
void account_add(json_object *events, const account_event *event);

unsigned long long scenario_now_ms(void);

#endif
