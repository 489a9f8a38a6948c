/* SPDX-License-Identifier: MIT */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
an_answer_arrives(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 10, "Hello");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 10);
  assert_events(fake, "start a/m|text Hello|finish stop|usage|done OK");
  assert_request(fake, 0, "a", 0);
  assert_string_equal(fake->telemetry,
                      "attempt a/m first OK http=200 \ncall OK\n");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_arrives),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
