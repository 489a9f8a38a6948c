/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_MEM_H
#define INF_TOOLS_SIM_MEM_H

#include "base/buf.h"

/* Memory of the simulator. A test tool that runs out of memory has nothing
 * better to do than to say so and end: the functions here never return NULL.
 */

/* The most that one buffer of the simulator may hold. */
#define INF_SIM_BUF_MAX ((size_t)2 << 30)

void inf_sim_die(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));
/* Zeroed. */
void *inf_sim_alloc(size_t size);
void *inf_sim_realloc(void *ptr, size_t size);
/* Ends the program if an append to the buffer failed. */
void inf_sim_must(const inf_buf *buf);

/* Memory that is freed all at once: what belongs to one script. */
typedef struct inf_sim_arena {
  struct inf_sim_block *blocks;
} inf_sim_arena;

void *inf_sim_arena_alloc(inf_sim_arena *arena, size_t size);
/* A copy with a NUL after it. */
inf_sv inf_sim_arena_copy(inf_sim_arena *arena, inf_sv text);
void inf_sim_arena_free(inf_sim_arena *arena);

#endif
