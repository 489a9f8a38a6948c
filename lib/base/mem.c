/* SPDX-License-Identifier: MIT */
/* The only door to the heap. The three functions behind it are plain
 * variables: they are replaced before the library is used, never while it
 * runs, so that reading them needs no lock and no atomic. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *default_malloc(size_t size, void *user_data)
{
  (void)user_data;
  return malloc(size);
}

static void *default_realloc(void *ptr, size_t size, void *user_data)
{
  (void)user_data;
  return realloc(ptr, size);
}

static void default_free(void *ptr, void *user_data)
{
  (void)user_data;
  free(ptr);
}

static struct {
  inf_malloc_fn malloc_fn;
  inf_realloc_fn realloc_fn;
  inf_free_fn free_fn;
  void *user_data;
} mem = {default_malloc, default_realloc, default_free, NULL};

void inf_mem_set_functions(inf_malloc_fn malloc_fn, inf_realloc_fn realloc_fn,
                           inf_free_fn free_fn, void *user_data)
{
  mem.malloc_fn = malloc_fn ? malloc_fn : default_malloc;
  mem.realloc_fn = realloc_fn ? realloc_fn : default_realloc;
  mem.free_fn = free_fn ? free_fn : default_free;
  mem.user_data = user_data;
}

/* Allocators differ on size 0; one byte is the same everywhere. */
void *inf_malloc(size_t size)
{
  return mem.malloc_fn(size ? size : 1, mem.user_data);
}

void *inf_calloc(size_t count, size_t size)
{
  if (size && count > SIZE_MAX / size)
    return NULL;
  void *ptr = inf_malloc(count * size);
  if (ptr)
    memset(ptr, 0, count * size);
  return ptr;
}

void *inf_realloc(void *ptr, size_t size)
{
  if (!ptr)
    return inf_malloc(size);
  return mem.realloc_fn(ptr, size ? size : 1, mem.user_data);
}

void inf_free(void *ptr)
{
  if (ptr)
    mem.free_fn(ptr, mem.user_data);
}

char *inf_strndup(const char *ptr, size_t len)
{
  if (len == SIZE_MAX)
    return NULL;
  char *copy = inf_malloc(len + 1);
  if (!copy)
    return NULL;
  if (len)
    memcpy(copy, ptr, len);
  copy[len] = '\0';
  return copy;
}

void inf_free_secret(void *ptr, size_t size)
{
  inf_wipe(ptr, size);
  inf_free(ptr);
}

/* A memset() before a free() is dead code to the compiler; neither of these
 * is. */
void inf_wipe(void *ptr, size_t size)
{
  if (!ptr || !size)
    return;
#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__)
  explicit_bzero(ptr, size);
#else
  volatile unsigned char *bytes = ptr;
  while (size--)
    *bytes++ = 0;
#endif
}
