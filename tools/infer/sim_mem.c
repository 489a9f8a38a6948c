/* SPDX-License-Identifier: MIT */
/* Memory of the simulator: allocation that ends the program when there is
 * none, and arenas for scripts. */

#include "sim_mem.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Each allocation is a block of its own: a script has a few hundred. */
typedef struct inf_sim_block {
  struct inf_sim_block *next;
  max_align_t data[];
} inf_sim_block;

void
inf_sim_die(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  fputs("infer sim: ", stderr);
  vfprintf(stderr, format, args);
  fputc('\n', stderr);
  va_end(args);
  exit(EXIT_FAILURE);
}

void *
inf_sim_alloc(size_t size)
{
  void *ptr = inf_calloc(1, size ? size : 1);
  if (!ptr) {
    inf_sim_die("out of memory");
  }
  return ptr;
}

void *
inf_sim_realloc(void *ptr, size_t size)
{
  void *moved = inf_realloc(ptr, size);
  if (!moved) {
    inf_sim_die("out of memory");
  }
  return moved;
}

void
inf_sim_must(const inf_buf *buf)
{
  if (buf->status != 0) {
    inf_sim_die("out of memory");
  }
}

void *
inf_sim_arena_alloc(inf_sim_arena *arena, size_t size)
{
  inf_sim_block *block = inf_sim_alloc(sizeof(*block) + size);
  block->next = arena->blocks;
  arena->blocks = block;
  return block->data;
}

inf_sv
inf_sim_arena_copy(inf_sim_arena *arena, inf_sv text)
{
  char *copy = inf_sim_arena_alloc(arena, text.len + 1);
  if (text.len > 0) {
    memcpy(copy, text.ptr, text.len);
  }
  return inf_sv_of(copy, text.len);
}

void
inf_sim_arena_free(inf_sim_arena *arena)
{
  while (arena->blocks) {
    inf_sim_block *next = arena->blocks->next;
    inf_free(arena->blocks);
    arena->blocks = next;
  }
}
