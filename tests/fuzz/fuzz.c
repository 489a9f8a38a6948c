/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

#include "base/mem.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_fail(const char *what, const char *file, int line)
{
  fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, what);
  abort();
}

/* ---- Input --------------------------------------------------------------- */

uint8_t
fuzz_take(inf_sv *input)
{
  if (input->len == 0)
    return 0;
  uint8_t byte = (uint8_t)input->ptr[0];
  *input = inf_sv_of(input->ptr + 1, input->len - 1);
  return byte;
}

inf_sv
fuzz_take_until(inf_sv *input, const char *mark)
{
  size_t len = strlen(mark);
  const char *found =
      input->len > 0 ? memmem(input->ptr, input->len, mark, len) : NULL;
  inf_sv front = *input;
  if (!found) {
    *input = INF_SV("");
    return front;
  }
  front.len = (size_t)(found - front.ptr);
  *input = inf_sv_of(found + len, input->len - front.len - len);
  return front;
}

char *
fuzz_block(inf_sv text)
{
  char *block = malloc(text.len > 0 ? text.len : 1);
  if (!block)
    abort();
  if (text.len > 0)
    memcpy(block, text.ptr, text.len);
  return block;
}

size_t
fuzz_next_cut(fuzz_cuts *cuts, size_t len)
{
  size_t cut = len;
  if (cuts->seed == FUZZ_BYTEWISE)
    cut = 1;
  if (cuts->seed > FUZZ_BYTEWISE) {
    cut = 1 + (cuts->seed >> 16) % 16;
    /* Never one of the two seeds that mean something else. */
    cuts->seed = (cuts->seed * 1664525u + 1013904223u) | 2u;
  }
  return cut < len ? cut : len;
}

/* ---- Memory -------------------------------------------------------------- */

static struct {
  size_t bytes, peak;
  size_t countdown; /* to the allocation that fails; 0: none does */
  bool installed;
} memory;

static bool
fails(void)
{
  return memory.countdown > 0 && --memory.countdown == 0;
}

static void
add_bytes(const void *ptr)
{
  memory.bytes += malloc_usable_size((void *)(uintptr_t)ptr);
  if (memory.bytes > memory.peak)
    memory.peak = memory.bytes;
}

static void *
count_malloc(size_t size, void *user_data)
{
  (void)user_data;
  void *ptr = fails() ? NULL : malloc(size);
  add_bytes(ptr);
  return ptr;
}

static void *
count_realloc(void *ptr, size_t size, void *user_data)
{
  (void)user_data;
  if (fails())
    return NULL;
  memory.bytes -= malloc_usable_size(ptr);
  void *grown = realloc(ptr, size);
  add_bytes(grown ? grown : ptr);
  return grown;
}

static void
count_free(void *ptr, void *user_data)
{
  (void)user_data;
  memory.bytes -= malloc_usable_size(ptr);
  free(ptr);
}

void
fuzz_memory_begin(void)
{
  if (!memory.installed)
    inf_mem_set_functions(count_malloc, count_realloc, count_free, NULL);
  memory.installed = true;
  memory.bytes = 0;
  memory.peak = 0;
}

void
fuzz_memory_fail(size_t n)
{
  memory.countdown = n;
}

void
fuzz_memory_end(size_t max_bytes)
{
  FUZZ_CHECK(memory.bytes == 0);
  FUZZ_CHECK(memory.peak <= max_bytes);
}
