/* SPDX-License-Identifier: MIT */
/* The only door to the heap. The functions behind it are plain variables: they
 * are replaced before the library is used, never while it runs, so reading
 * them needs no lock. */
#include "base/mem.h"
#include "base/place.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

INF_HOT static void *
default_malloc(size_t size, void *user_data)
{
  (void)user_data;
  return malloc(size);
}

static void *
default_realloc(void *ptr, size_t size, void *user_data)
{
  (void)user_data;
  return realloc(ptr, size);
}

INF_HOT static void
default_free(void *ptr, void *user_data)
{
  (void)user_data;
  free(ptr);
}

static struct {
  inf_malloc_fn malloc_fn;
  inf_realloc_fn realloc_fn;
  inf_free_fn free_fn;
  void *user_data;
} door = {default_malloc, default_realloc, default_free, NULL};

void
inf_mem_set_functions(inf_malloc_fn malloc_fn, inf_realloc_fn realloc_fn,
                      inf_free_fn free_fn, void *user_data)
{
  bool all = malloc_fn && realloc_fn && free_fn;
  door.malloc_fn = all ? malloc_fn : default_malloc;
  door.realloc_fn = all ? realloc_fn : default_realloc;
  door.free_fn = all ? free_fn : default_free;
  door.user_data = all ? user_data : NULL;
}

INF_HOT void *
inf_malloc(size_t size)
{
  return door.malloc_fn(size ? size : 1, door.user_data);
}

void *
inf_calloc(size_t count, size_t size)
{
  if (size != 0 && count > SIZE_MAX / size)
    return NULL;
  void *ptr = inf_malloc(count * size);
  if (ptr)
    memset(ptr, 0, count * size);
  return ptr;
}

void *
inf_realloc(void *ptr, size_t size)
{
  return ptr ? door.realloc_fn(ptr, size ? size : 1, door.user_data)
             : inf_malloc(size);
}

INF_HOT void
inf_free(void *ptr)
{
  if (ptr)
    door.free_fn(ptr, door.user_data);
}

char *
inf_strndup(const char *ptr, size_t len)
{
  char *copy = len < SIZE_MAX ? inf_malloc(len + 1) : NULL;
  if (!copy)
    return NULL;
  if (len > 0)
    memcpy(copy, ptr, len);
  copy[len] = '\0';
  return copy;
}

/* memset() before free() is dead code to a compiler; neither of these is. */
void
inf_wipe(void *ptr, size_t size)
{
  if (size == 0)
    return;
#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__)
  explicit_bzero(ptr, size);
#else
  volatile unsigned char *at = ptr;
  while (size-- > 0)
    *at++ = 0;
#endif
}

void
inf_free_secret(void *ptr, size_t size)
{
  if (ptr)
    inf_wipe(ptr, size);
  inf_free(ptr);
}
