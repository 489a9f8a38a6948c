/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TOKEN_SUPPORT_H
#define TESTS_UNIT_TOKEN_SUPPORT_H

/* Clients whose provider "a" has a service account, under a clock that the test
 * moves. */
#include "support/fake_client.h"
#include "support/token_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define TOKEN_URI "http://127.0.0.1:1/token"
#define TOKEN(name)                                                    \
  "{\"access_token\":\"" name "\",\"expires_in\":3600,\"token_type\":" \
  "\"Bearer\"}"

static char folder[64], account[160];

static inline int
tokens_set_up(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-tokens-XXXXXX");
  assert_non_null(mkdtemp(folder));
  token_write_account(TOKEN_URI, folder, "sa");
  snprintf(account, sizeof account, "'file:%s/sa.json'", folder);
  return 0;
}

static inline int
tokens_tear_down(void **state)
{
  (void)state;
  char path[128];
  snprintf(path, sizeof path, "%s/sa.json", folder);
  unlink(path);
  snprintf(path, sizeof path, "%s/sa.pub", folder);
  unlink(path);
  return rmdir(folder);
}

#define GOOGLE \
  "providers.a.api_key", "null", "providers.a.google_credentials", account

static inline fake_script *
token_server(fake_client *fake)
{
  return fake_script_for(&fake->net, TOKEN_URI);
}

static inline void
let_a_answer(fake_client *fake)
{
  fake_stream_all(fake_script_for(&fake->net, "http://a.test"), 1, "hi");
}

static inline size_t
requests_to(const fake_client *fake, const char *url)
{
  size_t count = 0;
  for (size_t i = 0; i < fake->net.request_count; i++)
    count += strncmp(fake->net.requests[i].url, url, strlen(url)) == 0;
  return count;
}

static inline int32_t
run_call(fake_client *fake, uint64_t ms)
{
  infer_call *call = fake_submit_model(fake, "a/m");
  fake_run_ms(fake, ms);
  int32_t status = fake_status(call);
  infer_call_free(call);
  return status;
}

#endif
