/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "base/clock.h"
#include "base/mem.h"
#include "provider/token.h"

#define S_NS ((uint64_t)INF_NS_PER_S)
#define NOW  (1000 * S_NS)

static inf_rng dice;

static int32_t
take(inf_token *token, const char *text, int64_t life_s, uint64_t now_ns)
{
  return inf_token_take(token, inf_sv_from(text), life_s, now_ns, now_ns,
                        &dice);
}

static int
set_up(void **state)
{
  inf_token *token = calloc(1, sizeof *token);
  inf_rng_seed(&dice, 7);
  inf_token_init(token);
  *state = token;
  return 0;
}

static int
tear_down(void **state)
{
  inf_token_fini(*state);
  free(*state);
  return 0;
}

static void
test_it_is_renewed_ahead_of_its_end(void **state)
{
  inf_token *token = *state;
  assert_int_equal(inf_token_look(token, NOW), INF_TOKEN_ASK);
  token->asking = true;
  assert_int_equal(inf_token_look(token, NOW), INF_TOKEN_WAIT);
  assert_int_equal(take(token, "ya29.a", 3600, NOW), INFER_OK);
  assert_buf(&token->text, "ya29.a");
  assert_false(token->asking);
  assert_int_equal(inf_token_look(token, NOW), INF_TOKEN_USE);
  assert_int_equal(inf_token_look(token, NOW + 3270 * S_NS - 1), INF_TOKEN_USE);
  assert_int_equal(inf_token_look(token, NOW + 3300 * S_NS),
                   INF_TOKEN_USE_AND_ASK);
  assert_int_equal(inf_token_look(token, NOW + 3570 * S_NS - 1),
                   INF_TOKEN_USE_AND_ASK);
  assert_int_equal(inf_token_look(token, NOW + 3570 * S_NS), INF_TOKEN_ASK);
  token->asking = true;
  assert_int_equal(inf_token_look(token, NOW + 3300 * S_NS), INF_TOKEN_USE);
}

/* Not all processes that were started together ask together. */
static void
test_chance_spreads_the_renewals(void **state)
{
  inf_token *token = *state;
  uint64_t least = INF_NEVER, most = 0;
  for (int i = 0; i < 200; i++) {
    take(token, "a", 3600, NOW);
    least = token->refresh_ns < least ? token->refresh_ns : least;
    most = token->refresh_ns > most ? token->refresh_ns : most;
    assert_in_range(token->refresh_ns, NOW + 3270 * S_NS, NOW + 3300 * S_NS);
  }
  assert_true(most - least > 25 * S_NS);
}

static void
test_short_and_long_lives(void **state)
{
  inf_token *token = *state;
  take(token, "a", 100, NOW);
  assert_in_range(token->refresh_ns, NOW + 72 * S_NS, NOW + 75 * S_NS);
  assert_int_equal(token->end_ns, NOW + 75 * S_NS);
  take(token, "a", 2, NOW);
  assert_int_equal(token->end_ns, NOW + 2 * S_NS);
  take(token, "a", -5, NOW);
  assert_int_equal(token->end_ns, NOW + 45 * S_NS);
  take(token, "a", 99999999999, NOW);
  assert_int_equal(token->end_ns, NOW + (43200 - 30) * S_NS);
  take(token, "a", INF_TOKEN_NO_END, NOW);
  assert_int_equal(inf_token_look(token, INF_NEVER - 1), INF_TOKEN_USE);
}

static void
test_one_in_use_is_due_by_itself(void **state)
{
  inf_token *token = *state;
  assert_int_equal(inf_token_due_ns(token), INF_NEVER);
  take(token, "a", 3600, NOW);
  assert_int_equal(inf_token_due_ns(token), INF_NEVER);
  token->used = true;
  assert_int_equal(inf_token_due_ns(token), token->refresh_ns);
  token->asking = true;
  assert_int_equal(inf_token_due_ns(token), INF_NEVER);
  inf_token_fail(token, INFER_E_CONNECT, "x", NOW + 3400 * S_NS);
  assert_int_equal(inf_token_due_ns(token), NOW + 3401 * S_NS);
  /* Nobody has used the next one yet. */
  take(token, "b", 3600, NOW);
  assert_int_equal(inf_token_due_ns(token), INF_NEVER);
}

static void
test_failures_are_tried_again_later_and_later(void **state)
{
  static const int waits_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
  inf_token *token = *state;
  uint64_t now = NOW;
  for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
    uint64_t wait = (uint64_t)waits_s[i] * S_NS;
    assert_int_equal(inf_token_look(token, now), INF_TOKEN_ASK);
    token->asking = true;
    inf_token_fail(token, INFER_E_OVERLOADED, "busy", now);
    assert_int_equal(inf_token_look(token, now + wait - 1), INF_TOKEN_FAILED);
    now += wait;
  }
  assert_int_equal(take(token, "a", 3600, now), INFER_OK);
  assert_int_equal(token->failures, 0);
  /* One that is still good is used meanwhile. */
  inf_token_fail(token, INFER_E_CONNECT, "no route", now);
  assert_buf(&token->failure.message, "no route");
  assert_int_equal(token->failure.status, INFER_E_CONNECT);
  assert_int_equal(inf_token_look(token, now), INF_TOKEN_USE);
}

static void
test_an_account_that_is_refused_rests_until_it_is_forgiven(void **state)
{
  inf_token *token = *state;
  inf_token_fail(token, INFER_E_AUTH, "no", NOW);
  assert_int_equal(inf_token_look(token, NOW + 60 * S_NS - 1),
                   INF_TOKEN_FAILED);
  assert_int_equal(inf_token_look(token, NOW + 60 * S_NS), INF_TOKEN_ASK);
  inf_token_forgive(token);
  assert_int_equal(inf_token_look(token, NOW), INF_TOKEN_ASK);
}

static void
test_short_memory_is_not_waited_for(void **state)
{
  inf_token *token = *state;
  inf_token_fail(token, INFER_E_NO_MEMORY, "", NOW);
  assert_int_equal(inf_token_look(token, NOW), INF_TOKEN_ASK);
}

static void
test_what_is_no_token(void **state)
{
  inf_token *token = *state;
  static char large[INF_TOKEN_MAX_BYTES + 2];
  memset(large, 'a', INF_TOKEN_MAX_BYTES + 1);
  const char *const texts[] = {"", " a", "a\r\nX: y", large};
  take(token, "good", 3600, NOW);
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    assert_int_equal(take(token, texts[i], 3600, NOW), INFER_E_PROTOCOL);
    assert_buf(&token->text, "good");
  }
  large[INF_TOKEN_MAX_BYTES] = '\0';
  assert_int_equal(take(token, large, 3600, NOW), INFER_OK);
}

static void
test_one_that_the_provider_refuses_is_dropped_once(void **state)
{
  inf_token *token = *state;
  take(token, "a", 3600, NOW);
  uint64_t first = token->serial;
  assert_true(inf_token_refused(token, first, NOW));
  assert_int_equal(inf_token_look(token, NOW), INF_TOKEN_ASK);
  /* Others that had it find another, or wait for it. */
  assert_true(inf_token_refused(token, first, NOW));
  take(token, "b", 3600, NOW);
  assert_true(inf_token_refused(token, first, NOW));
  assert_buf(&token->text, "b");
  /* The next is refused too: so would be all, for a minute. */
  assert_false(inf_token_refused(token, token->serial, NOW + 60 * S_NS - 1));
  assert_buf(&token->text, "b");
  assert_true(inf_token_refused(token, token->serial, NOW + 60 * S_NS));
}

static void
test_one_that_was_taken_before_is_worth_another(void **state)
{
  inf_token *token = *state;
  take(token, "a", 3600, NOW);
  assert_true(inf_token_refused(token, token->serial, NOW));
  take(token, "b", 3600, NOW);
  inf_token_accepted(token, token->serial - 1);
  assert_false(inf_token_refused(token, token->serial, NOW + S_NS));
  inf_token_accepted(token, token->serial);
  assert_true(inf_token_refused(token, token->serial, NOW + S_NS));
}

/* No text of it stays in memory. */
static void
test_old_texts_are_wiped(void **state)
{
  inf_token *token = *state;
  take(token, "a-long-secret", 3600, NOW);
  const char *memory = token->text.ptr;
  take(token, "b", 3600, NOW);
  assert_ptr_equal(token->text.ptr, memory);
  assert_null(memmem(memory, token->text.cap, "secret", 6));
  take(token, "c-secret", 3600, NOW);
  inf_token_wipe(token);
  assert_null(memmem(memory, token->text.cap, "secret", 6));
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      T(test_it_is_renewed_ahead_of_its_end),
      T(test_chance_spreads_the_renewals),
      T(test_short_and_long_lives),
      T(test_one_in_use_is_due_by_itself),
      T(test_failures_are_tried_again_later_and_later),
      T(test_an_account_that_is_refused_rests_until_it_is_forgiven),
      T(test_short_memory_is_not_waited_for),
      T(test_what_is_no_token),
      T(test_one_that_the_provider_refuses_is_dropped_once),
      T(test_one_that_was_taken_before_is_worth_another),
      T(test_old_texts_are_wiped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
