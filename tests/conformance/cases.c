/* SPDX-License-Identifier: MIT */
#include "conformance/cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#ifndef INFER_SOURCE_ROOT
#define INFER_SOURCE_ROOT "."
#endif

#define MAX_FILE_BYTES ((size_t)256 << 20)
#define MAX_PATH_BYTES 4096

static char *
join(const char *folder, const char *name)
{
  char path[MAX_PATH_BYTES];
  int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
  return len > 0 && (size_t)len < sizeof(path) ? strdup(path) : NULL;
}

char *
test_shared_folder(const char *name)
{
  const char *given = getenv("INFER_SHARED");
  const char *roots[] = {given, INFER_SOURCE_ROOT "/../shared",
                         INFER_SOURCE_ROOT "/shared"};
  for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
    struct stat info;
    if (!roots[i] || !*roots[i])
      continue;
    char *path = join(roots[i], name);
    if (path && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
      return path;
    free(path);
    if (roots[i] == given)
      return NULL;
  }
  return NULL;
}

const char *
test_member(json_object *object, const char *name)
{
  json_object *value = NULL;
  if (!object || !json_object_object_get_ex(object, name, &value) || !value)
    return "";
  return json_object_get_string(value);
}

static bool
read_file(const char *folder, const char *name, inf_buf *out)
{
  char block[65536];
  size_t len;
  char *path = join(folder, name);
  FILE *file = path ? fopen(path, "rb") : NULL;
  free(path);
  inf_buf_init(out, MAX_FILE_BYTES);
  if (!file)
    return false;
  while ((len = fread(block, 1, sizeof(block), file)) > 0)
    inf_buf_append(out, block, len);
  fclose(file);
  return out->status == 0;
}

/* *broken: the file is there, and is no JSON. */
static json_object *
read_json(const char *folder, const char *name, bool *broken)
{
  inf_buf text;
  json_object *value = NULL;
  *broken = false;
  if (read_file(folder, name, &text)) {
    value = json_tokener_parse(inf_buf_cstr(&text));
    *broken = !value;
  }
  inf_buf_fini(&text);
  return value;
}

static int
read_status(const char *folder)
{
  inf_buf text;
  long status = 0;
  if (read_file(folder, "status", &text))
    status = strtol(inf_buf_cstr(&text), NULL, 10);
  inf_buf_fini(&text);
  return (int)status;
}

static void
read_headers(const char *folder, inf_headers *headers)
{
  inf_buf text;
  inf_headers_init(headers, (size_t)1 << 20);
  read_file(folder, "headers.txt", &text);
  inf_sv rest = inf_buf_sv(&text);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, '\n');
    inf_headers_add_line(headers, inf_sv_of(rest.ptr, len));
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  inf_buf_fini(&text);
}

static void
load(test_case *test, const char *folder, const char *name)
{
  bool broken;
  *test = (test_case){.path = join(folder, name), .name = strdup(name)};
  test->status = read_status(test->path);
  read_headers(test->path, &test->headers);
  read_file(test->path, "body.bin", &test->body);
  test->meta = read_json(test->path, "meta.json", &broken);
  if (broken)
    fprintf(stderr, "%s: meta.json is no JSON, so this is no case\n", name);
  test->expected = read_json(test->path, "expected.json", &test->broken);
  test->chunks = read_json(test->path, "chunks.json", &broken);
  json_object *request = read_json(test->path, "request.json", &broken);
  json_object *body = NULL;
  if (request)
    json_object_object_get_ex(request, "body", &body);
  test->request = json_object_get(body);
  test->url = strdup(test_member(request, "url"));
  json_object_put(request);
}

static void
unload(test_case *test)
{
  free(test->path);
  free(test->name);
  free(test->url);
  inf_headers_fini(&test->headers);
  inf_buf_fini(&test->body);
  json_object_put(test->meta);
  json_object_put(test->expected);
  json_object_put(test->chunks);
  json_object_put(test->request);
}

test_case *
test_case_load(const char *folder, const char *name)
{
  test_case *test = malloc(sizeof(*test));
  if (!test)
    return NULL;
  load(test, folder, name);
  if (test->meta)
    return test;
  test_case_free(test);
  return NULL;
}

void
test_case_free(test_case *test)
{
  if (test)
    unload(test);
  free(test);
}

static int
is_case(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

long
test_for_each_case(const char *folder, test_case_fn fn, void *context)
{
  struct dirent **entries;
  long count = 0;
  int found = scandir(folder, &entries, is_case, alphasort);
  if (found < 0)
    return -1;
  for (int i = 0; i < found; i++) {
    test_case test;
    load(&test, folder, entries[i]->d_name);
    if (test.meta) {
      fn(&test, context);
      count++;
    }
    unload(&test);
    free(entries[i]);
  }
  free(entries);
  return count;
}

long
test_cases_load(const char *folder, test_case_list *list)
{
  struct dirent **entries;
  *list = (test_case_list){0};
  int found = scandir(folder, &entries, is_case, alphasort);
  if (found < 0)
    return -1;
  list->cases = calloc((size_t)found + 1, sizeof(*list->cases));
  for (int i = 0; i < found; i++) {
    if (list->cases) {
      test_case *test = &list->cases[list->count];
      load(test, folder, entries[i]->d_name);
      if (test->meta)
        list->count++;
      else
        unload(test);
    }
    free(entries[i]);
  }
  free(entries);
  return list->cases ? (long)list->count : -1;
}

void
test_cases_free(test_case_list *list)
{
  for (size_t i = 0; i < list->count; i++)
    unload(&list->cases[i]);
  free(list->cases);
  *list = (test_case_list){0};
}
