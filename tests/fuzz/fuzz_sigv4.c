/* SPDX-License-Identifier: MIT */
/* A request to be signed: path, query and body are a line each, what follows
 * are header lines. The canonical path and query hold none but the characters
 * they may, a canonical query is its own canonical query, and what is signed
 * twice is signed alike, in lines without control characters. */
#include "fuzz/fuzz.h"

#include "provider/sigv4.h"
#include "provider/sigv4_canonical.h"

#include <infer/infer.h>
#include <stdlib.h>

static void
check_characters(inf_sv text, const char *more)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

    bool other = c != '\0' && (strchr("-._~%", c) || strchr(more, c));

    FUZZ_CHECK(letter || (c >= '0' && c <= '9') || other);
  }
}

static void
check_path(inf_sv path)
{
  inf_buf out;

  inf_buf_init(&out, 4 * path.len + 4);
  inf_sigv4_path(path, false, &out);
  FUZZ_CHECK(out.status == INFER_OK && out.len > 0 && out.ptr[0] == '/');
  check_characters(inf_buf_sv(&out), "/");
  FUZZ_CHECK(!strstr(out.ptr, "//") && !strstr(out.ptr, "/./"));
  FUZZ_CHECK(!strstr(out.ptr, "/../"));
  inf_buf_fini(&out);
}

static void
check_query(inf_sv query)
{
  inf_buf once, twice;

  inf_buf_init(&once, 4 * query.len + 200);
  inf_buf_init(&twice, 4 * query.len + 200);
  if (inf_sigv4_query(query, &once) == INFER_OK) {
    check_characters(inf_buf_sv(&once), "&=");
    FUZZ_CHECK(inf_sigv4_query(inf_buf_sv(&once), &twice) == INFER_OK);
    FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&once), inf_buf_sv(&twice)));
  }
  inf_buf_fini(&once);
  inf_buf_fini(&twice);
}

static void
check_signature(const inf_sigv4_request *request)
{
  inf_sigv4_account account = {INF_SV("AKIDEXAMPLE"), INF_SV("secret"),
                               INF_SV("token"), INF_SV("us-east-1"),
                               INF_SV("bedrock")};
  inf_buf once, twice;

  inf_buf_init(&once, 1 << 20);
  inf_buf_init(&twice, 1 << 20);
  int32_t status = inf_sigv4_sign(&account, request, 0, &once, NULL);
  FUZZ_CHECK(inf_sigv4_sign(&account, request, 0, &twice, NULL) == status);
  FUZZ_CHECK(status == INFER_OK || status == INFER_E_TOO_LARGE);
  FUZZ_CHECK(inf_sv_eq(inf_buf_sv(&once), inf_buf_sv(&twice)));
  FUZZ_CHECK((once.len > 0) == (status == INFER_OK));
  inf_buf_fini(&once);
  inf_buf_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *block = fuzz_block(inf_sv_of((const char *)data, size));
  inf_sv rest = inf_sv_of(block, size);
  inf_sigv4_request request = {.method = INF_SV("POST"), .host = INF_SV("h")};

  request.path = fuzz_take_until(&rest, "\n");
  request.query = fuzz_take_until(&rest, "\n");
  request.body = fuzz_take_until(&rest, "\n");
  request.headers = rest;
  for (size_t i = 0; i < size; i++) /* lines end with a NUL */
    if (block[i] == '\n')
      block[i] = '\0';
  fuzz_memory_begin();
  check_path(request.path);
  check_query(request.query);
  check_signature(&request);
  fuzz_memory_end(32 * size + 8192);
  free(block);
  return 0;
}
