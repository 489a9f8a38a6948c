/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_MEM_H
#define INF_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* The only door to the heap. Every own allocation of the library goes through
 * these functions, so that infer_set_allocator() sees all of them and the
 * memory-failure tests can fail each one. Memory is never zeroed except by
 * inf_calloc(). Safe from any thread. */

void *inf_malloc(size_t size);
void *inf_calloc(size_t count, size_t size);
void *inf_realloc(void *ptr, size_t size);
void inf_free(void *ptr);

/* A NUL-terminated copy of len bytes; NULL when memory is short. */
char *inf_strndup(const char *ptr, size_t len);

/* Wipes size bytes, then frees. For keys and what may hold one. */
void inf_free_secret(void *ptr, size_t size);
void inf_wipe(void *ptr, size_t size);

typedef void *(*inf_malloc_fn)(size_t size, void *user_data);
typedef void *(*inf_realloc_fn)(void *ptr, size_t size, void *user_data);
typedef void (*inf_free_fn)(void *ptr, void *user_data);

/* Replaces malloc, realloc and free. Only while nothing is allocated. */
void inf_mem_set_functions(inf_malloc_fn malloc_fn, inf_realloc_fn realloc_fn,
                           inf_free_fn free_fn, void *user_data);

#endif
