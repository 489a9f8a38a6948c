/* SPDX-License-Identifier: MIT */
/* Walks the bodies of recorded traffic, which is not part of the project and
 * may be missing. Looked for in the folder that INFER_SHARED names, else in
 * ../shared and shared beside the working directory and the sources. */
#ifndef TESTS_SUPPORT_RECORDINGS_H
#define TESTS_SUPPORT_RECORDINGS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool
recordings_open_at(DIR **dir, char *root, size_t size, const char *base,
                   const char *folder)
{
  snprintf(root, size, "%s%s/data/recordings", base, folder);
  *dir = opendir(root);
  return *dir != NULL;
}

static inline DIR *
recordings_open(char *root, size_t size)
{
  static const char *const bases[] = {"", __FILE__ "/../../../"};
  const char *shared = getenv("INFER_SHARED");
  DIR *dir = NULL;

  if (shared) {
    recordings_open_at(&dir, root, size, shared, "");
    return dir;
  }
  for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
    char base[1024];
    char *file;

    /* The path of this file is taken back to the folder of the sources. */
    snprintf(base, sizeof(base), "%s", bases[i]);
    file = strstr(base, "tests/support/recordings.h");
    if (file)
      *file = '\0';
    if (recordings_open_at(&dir, root, size, base, "../shared") ||
        recordings_open_at(&dir, root, size, base, "shared"))
      return dir;
  }
  return NULL;
}

/* A whole file in memory from malloc(), or NULL. */
static inline char *
recordings_read(const char *path, size_t *len)
{
  FILE *file = fopen(path, "rb");
  char *bytes = NULL;
  long size;

  if (!file)
    return NULL;
  if (fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
      fseek(file, 0, SEEK_SET) == 0 && (bytes = malloc((size_t)size + 1))) {
    *len = fread(bytes, 1, (size_t)size, file);
    bytes[*len] = '\0';
  }
  fclose(file);
  return bytes;
}

typedef void (*recordings_fn)(void *context, const char *name, const char *body,
                              size_t len);

/* Calls fn with the body of each case whose name contains kind ("-stream-",
 * "-unary-", "-error-", ""), and gives how many there were; 0 if there are no
 * recordings. */
static inline size_t
recordings_each(const char *kind, recordings_fn fn, void *context)
{
  char root[2048];
  DIR *dir = recordings_open(root, sizeof(root));
  struct dirent *entry;
  size_t count = 0;

  while (dir && (entry = readdir(dir))) {
    char path[4096];
    char *body;
    size_t len = 0;

    if (!strstr(entry->d_name, kind))
      continue;
    snprintf(path, sizeof(path), "%s/%s/body.bin", root, entry->d_name);
    body = recordings_read(path, &len);
    if (!body)
      continue;
    fn(context, entry->d_name, body, len);
    free(body);
    count++;
  }
  if (dir)
    closedir(dir);
  return count;
}

#endif
