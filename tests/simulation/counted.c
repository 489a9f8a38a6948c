/* SPDX-License-Identifier: MIT */
#include "counted.h"

#include "dice.h"
#include "infer/infer.h"

#include <stdalign.h>
#include <stdlib.h>

/* Before each block stands its size. */
enum { head_bytes = 16 };

static struct {
  size_t blocks, bytes, peak;
  uint64_t fail_one_in;
  inf_rng rng;
} all;

static bool
fails(void)
{
  return all.fail_one_in > 0 &&
         dice_below(&all.rng, (uint32_t)all.fail_one_in) == 0;
}

static void *
note(char *head, size_t size)
{
  if (!head)
    return NULL;
  *(size_t *)(void *)head = size;
  all.blocks++;
  all.bytes += size;
  if (all.bytes > all.peak)
    all.peak = all.bytes;
  return head + head_bytes;
}

static void
forget(const char *head)
{
  all.blocks--;
  all.bytes -= *(const size_t *)(const void *)head;
}

static void *
counted_malloc(size_t size, void *user_data)
{
  (void)user_data;
  return fails() ? NULL : note(malloc(head_bytes + size), size);
}

static void *
counted_realloc(void *ptr, size_t size, void *user_data)
{
  (void)user_data;
  if (fails())
    return NULL;
  char *head = (char *)ptr - head_bytes;
  size_t before = *(size_t *)(void *)head;
  char *moved = realloc(head, head_bytes + size);
  if (!moved)
    return NULL;
  all.blocks--;
  all.bytes -= before;
  return note(moved, size);
}

static void
counted_free(void *ptr, void *user_data)
{
  (void)user_data;
  char *head = (char *)ptr - head_bytes;
  forget(head);
  free(head);
}

void
counted_install(void)
{
  infer_set_allocator(counted_malloc, counted_realloc, counted_free, NULL);
}

size_t
counted_blocks(void)
{
  return all.blocks;
}

size_t
counted_bytes(void)
{
  return all.bytes;
}

size_t
counted_peak_bytes(void)
{
  return all.peak;
}

void
counted_fail(uint64_t one_in, uint64_t seed)
{
  all.fail_one_in = one_in;
  inf_rng_seed(&all.rng, seed);
}
