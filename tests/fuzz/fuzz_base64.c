/* SPDX-License-Identifier: MIT */
/* Base64. Any bytes survive the way there and back; and any text that is read
 * is written again as it was, so that no two texts mean the same. */
#include "fuzz/fuzz.h"

#include "wire/base64.h"

#include <infer/infer.h>
#include <stdlib.h>

static void
check_there_and_back(inf_sv bytes)
{
  inf_buf text, back;

  inf_buf_init(&text, 2 * bytes.len + 4);
  inf_buf_init(&back, bytes.len);
  FUZZ_CHECK(inf_base64_put(&text, bytes));
  FUZZ_CHECK(inf_base64_size(inf_buf_sv(&text)) == bytes.len);
  FUZZ_CHECK(inf_base64_get(inf_buf_sv(&text), &back) == INFER_OK);
  FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&back), bytes));
  inf_buf_fini(&text);
  inf_buf_fini(&back);
}

static void
check_text(inf_sv text)
{
  inf_buf bytes, again;

  inf_buf_init(&bytes, text.len);
  inf_buf_init(&again, text.len);
  if (inf_base64_get(text, &bytes) == INFER_OK) {
    FUZZ_CHECK(bytes.len == inf_base64_size(text));
    FUZZ_CHECK(inf_base64_put(&again, inf_buf_sv(&bytes)));
    FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&again), text));
  } else {
    FUZZ_CHECK(bytes.len == 0);
  }
  inf_buf_fini(&bytes);
  inf_buf_fini(&again);
}

static void
check_floats(inf_sv text)
{
  size_t room = text.len / 8, count, size = inf_base64_size(text);
  float *numbers = malloc((room + 1) * sizeof(*numbers));

  if (!numbers)
    abort();
  int32_t status = inf_base64_get_floats(text, numbers, room, &count);
  FUZZ_CHECK(count <= room);
  if (status == INFER_OK)
    FUZZ_CHECK(count == size / 4 && size % 4 == 0);
  else
    FUZZ_CHECK(status == INFER_E_PROTOCOL || status == INFER_E_TOO_LARGE);
  free(numbers);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *block = fuzz_block(inf_sv_of((const char *)data, size));
  inf_sv text = inf_sv_of(block, size);

  fuzz_memory_begin();
  check_there_and_back(text);
  check_text(text);
  check_floats(text);
  fuzz_memory_end(4 * size + 256);
  free(block);
  return 0;
}
