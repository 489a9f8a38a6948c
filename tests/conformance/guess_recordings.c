/* SPDX-License-Identifier: MIT */
/* guess_recordings [VARIANTS [SEED]]: decodes every recorded stream whose
 * dialect has a short way for chunks that are alike, and so many mutated
 * variants of each, with that and without. Exit code 1 if one differs, 77
 * without recordings. */
#include "conformance/both_ways.h"
#include "conformance/kinds.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Long streams say no more than their beginning does. */
#define MAX_VARIANT_BYTES 20000

typedef struct work {
  inf_rng rng;
  uint64_t seed;
  long variants;
  unsigned long runs, failed;
} work;

static void
compare(work *context, const test_case *test, inf_sv body, size_t step)
{
  const char *difference = both_compare(body, step);
  context->runs++;
  if (!difference)
    return;
  printf("FAIL %s: %s differs (seed %" PRIu64 ", run %lu)\n", test->name,
         difference, context->seed, context->runs);
  context->failed++;
}

static void
on_case(const test_case *test, void *context)
{
  work *todo = context;
  inf_buf variant;
  const test_kind *kind = test_kind_of(test);
  both_kind = kind ? test_provider_kind(kind) : NULL;
  if (!both_kind || !both_kind->dialect->read_alike ||
      strcmp(test_member(test->meta, "kind"), "stream") != 0)
    return;
  inf_sv body = inf_buf_sv(&test->body);
  compare(todo, test, body, 0);
  compare(todo, test, body, 1);
  if (body.len > MAX_VARIANT_BYTES)
    body.len = MAX_VARIANT_BYTES;
  inf_buf_init(&variant, SIZE_MAX);
  for (long i = 0; i < todo->variants; i++) {
    both_mutate(&todo->rng, body, &variant);
    compare(todo, test, inf_buf_sv(&variant),
            (size_t)inf_rng_below(&todo->rng, 3) * 700);
  }
  inf_buf_fini(&variant);
}

int
main(int argc, char **argv)
{
  work todo = {.variants = 20, .seed = 1};
  char *folder = test_shared_folder("data/recordings");
  if (argc > 1)
    todo.variants = strtol(argv[1], NULL, 10);
  if (argc > 2)
    todo.seed = strtoull(argv[2], NULL, 10);
  if (!folder) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  inf_rng_seed(&todo.rng, todo.seed);
  test_for_each_case(folder, on_case, &todo);
  free(folder);
  printf("%lu streams compared, %lu differ\n", todo.runs, todo.failed);
  return todo.failed > 0 || todo.runs == 0;
}
