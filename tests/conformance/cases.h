/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_CASES_H
#define TESTS_CONFORMANCE_CASES_H

#include "base/buf.h"
#include "wire/headers.h"

#include <json-c/json.h>

/* A folder with one recorded or documented response per subfolder, as its
 * README describes: request.json, status, headers.txt, body.bin, meta.json,
 * expected.json, chunks.json. None of it is part of this project; tests read
 * it where it is present. */

typedef struct test_case {
  char *path, *name;
  int status;
  inf_headers headers;
  inf_buf body;
  json_object *meta;
  char *url;             /* the request's, "" if it is not recorded */
  json_object *request;  /* the request's body, or NULL */
  json_object *expected; /* or NULL */
  bool broken;           /* expected.json is there, and is no JSON */
  json_object *chunks;   /* sizes of the network reads, or NULL */
} test_case;

/* The folder `name` of the shared data: in $INFER_SHARED, else beside the
 * checkout, else within it. NULL if it is not there. Freed by free(). */
char *test_shared_folder(const char *name);

/* One case by its name; NULL if it is not there. Freed by test_case_free(). */
test_case *test_case_load(const char *folder, const char *name);
void test_case_free(test_case *test);

/* Calls fn for each case in the folder, by name. Returns how many there were,
 * or -1 if the folder cannot be read. */
typedef void (*test_case_fn)(const test_case *test, void *context);
long test_for_each_case(const char *folder, test_case_fn fn, void *context);

/* All cases of the folder at once, by name. Returns how many there are, or -1
 * if the folder cannot be read; then the list is empty. */
typedef struct test_case_list {
  test_case *cases;
  size_t count;
} test_case_list;

long test_cases_load(const char *folder, test_case_list *list);
void test_cases_free(test_case_list *list);

/* String member, "" if absent. */
const char *test_member(json_object *object, const char *name);

#endif
