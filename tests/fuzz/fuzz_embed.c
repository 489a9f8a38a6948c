/* SPDX-License-Identifier: MIT */
/* Answers with embeddings, in any dialect: a success has a vector of finite
 * numbers for each input, and anything else says why it is none. First byte:
 * the dialect; second: how many inputs, from '0'. */
#include "fuzz/fuzz.h"

#include "provider/embed.h"

#include <infer/infer.h>
#include <math.h>
#include <stdlib.h>

static void
check_vectors(const inf_vectors *vectors)
{
  FUZZ_CHECK(vectors->dimensions > 0 || vectors->count == 0);
  for (size_t i = 0; i < vectors->count; i++)
    for (size_t k = 0; k < vectors->dimensions; k++)
      FUZZ_CHECK(isfinite(inf_vectors_at(vectors, i)[k]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const char *const types[] = {"openai", "cohere", "gemini", "ollama",
                                      "bedrock"};
  inf_sv input = inf_sv_of((const char *)data, size);
  const char *type = types[fuzz_take(&input) % 5];
  size_t count = 1 + fuzz_take(&input) % 8;
  char *block = fuzz_block(input);
  inf_answer answer;
  inf_buf why;

  fuzz_memory_begin();
  inf_vectors *vectors = inf_vectors_new(count, 0);
  inf_answer_init(&answer, 1 << 16);
  inf_buf_init(&why, 1024);
  int32_t status = inf_embed_read(inf_provider_kind_find(inf_sv_from(type)),
                                  inf_sv_of(block, input.len), 64, input.len,
                                  vectors, &answer, &why);
  FUZZ_CHECK(status == INFER_OK || status == INFER_E_PROTOCOL ||
             status == INFER_E_TRUNCATED || status == INFER_E_TOO_DEEP ||
             status == INFER_E_TOO_LARGE);
  FUZZ_CHECK((status == INFER_E_PROTOCOL || status == INFER_E_TRUNCATED) ==
             (why.len > 0));
  if (status == INFER_OK) {
    FUZZ_CHECK(answer.usage.input >= 0);
    check_vectors(vectors);
  }
  inf_answer_fini(&answer);
  inf_buf_fini(&why);
  inf_vectors_unref(vectors);
  /* A vector has room for all inputs. */
  fuzz_memory_end(16 * 8 * size + (1 << 17));
  free(block);
  return 0;
}
