/* SPDX-License-Identifier: MIT */
/* The file of a service account. Whatever it holds, it is read or refused with
 * one line that says why, and libcrypto's queue of errors stays empty. */
#include "fuzz/fuzz.h"

#include "provider/jwt.h"

#include <infer/infer.h>
#include <openssl/err.h>
#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *block = fuzz_block(inf_sv_of((const char *)data, size));
  inf_jwt_account account;
  char room[512];
  inf_buf why = {
      .ptr = room, .cap = sizeof(room), .max = sizeof(room) - 1, .lent = true};

  fuzz_memory_begin();
  int32_t status = inf_jwt_account_read(&account, inf_sv_of(block, size), &why);
  FUZZ_CHECK(status == INFER_OK || status == INFER_E_INVALID_ARGUMENT);
  FUZZ_CHECK(status != INFER_OK || account.private_key != NULL);
  FUZZ_CHECK((status == INFER_OK) == (why.len == 0));
  FUZZ_CHECK(why.status == INFER_OK);
  FUZZ_CHECK(!memchr(room, '\n', why.len));
  FUZZ_CHECK(ERR_peek_error() == 0);
  inf_jwt_account_fini(&account);
  fuzz_memory_end(4 * size + 4096);
  free(block);
  return 0;
}
