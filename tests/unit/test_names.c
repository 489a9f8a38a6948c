/* SPDX-License-Identifier: MIT */
/* When a name is looked up, how long its address is used, and which names
 * there are in URLs and proxies. */
#include "support/fail_alloc.h"
#include "transport/names.h"

#include <stdio.h>

#define S(n) ((uint64_t)(n)*INF_NS_PER_S)

static inf_names names;

static inf_name *
hold(const char *host, uint16_t port)
{
  return inf_names_hold(&names, inf_sv_from(host), port);
}

static int
set_up(void **state)
{
  (void)state;
  inf_names_init(&names);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  inf_names_fini(&names);
  return 0;
}

/* ---- What is looked up --------------------------------------------------- */

/* "host port", or "-" for nothing that is remembered. */
static const char *
parsed(const char *url, const char *proxy)
{
  static char text[512];
  inf_sv host;
  uint16_t port;
  if (!inf_names_parse(url, proxy, &host, &port))
    return "-";
  snprintf(text, sizeof text, "%.*s %u", (int)host.len, host.ptr,
           (unsigned)port);
  return text;
}

static void
test_urls(void **state)
{
  (void)state;
  static const struct {
    const char *url, *expected;
  } cases[] = {
      {"https://api.openai.com/v1/chat/completions", "api.openai.com 443"},
      {"http://house_1.internal", "house_1.internal 80"},
      {"http://a.test:8000/v1", "a.test 8000"},
      {"http://a.test:8000", "a.test 8000"},
      {"https://a.test?x=1", "a.test 443"},
      {"https://127.0.0.1/v1", "-"},
      {"https://127.1:80/v1", "-"},
      {"http://[::1]:8000/v1", "-"},
      {"https://a.test./v1", "-"},
      {"https://b\xc3\xbc"
       "cher.test/v1",
       "-"},
      {"https://user@a.test/v1", "-"},
      {"https://a%2Etest/v1", "-"},
      {"http://a.test:0/", "-"},
      {"http://a.test:65536/", "-"},
      {"http://a.test:80x/", "-"},
      {"http://a.test:/", "-"},
      {"http:///v1", "-"},
      {"ftp://a.test/", "-"},
      {"", "-"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    if (strcmp(parsed(cases[i].url, NULL), cases[i].expected) != 0)
      fail_msg("%s: %s", cases[i].url, parsed(cases[i].url, NULL));
  assert_string_equal(parsed(cases[0].url, ""), cases[0].expected);
}

static void
test_the_longest_host(void **state)
{
  (void)state;
  char url[512] = "https://";
  memset(url + 8, 'a', 253);
  inf_sv host;
  uint16_t port;
  assert_true(inf_names_parse(url, NULL, &host, &port));
  assert_int_equal(host.len, 253);
  url[8 + 253] = 'a';
  assert_false(inf_names_parse(url, NULL, &host, &port));
}

static void
test_a_proxy_is_what_is_looked_up(void **state)
{
  (void)state;
  static const struct {
    const char *proxy, *expected;
  } cases[] = {
      {"http://proxy.test:3128", "proxy.test 3128"},
      {"http://user:pass@proxy.test:3128/", "proxy.test 3128"},
      {"proxy.test:3128", "proxy.test 3128"},
      {"http://proxy.test", "proxy.test 1080"},
      {"https://proxy.test", "proxy.test 443"},
      {"http://10.0.0.1:3128", "-"},
      {"socks5://proxy.test:1080", "-"},
      {"socks5h://proxy.test:1080", "-"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    if (strcmp(parsed("https://a.test/", cases[i].proxy), cases[i].expected))
      fail_msg("%s: %s", cases[i].proxy,
               parsed("https://a.test/", cases[i].proxy));
}

/* ---- The table ----------------------------------------------------------- */

static void
test_a_name_is_found_again(void **state)
{
  (void)state;
  inf_name *a = hold("a.test", 443);
  assert_string_equal(a->host, "a.test");
  assert_ptr_equal(hold("A.Test", 443), a);
  assert_ptr_not_equal(hold("a.test", 80), a);
  assert_ptr_not_equal(hold("a.tes", 443), a);
  assert_int_equal(names.count, 3);
}

static void
make_many(size_t from, size_t count, bool keep)
{
  for (size_t i = from; i < from + count; i++) {
    char host[32];
    snprintf(host, sizeof host, "n%zu.test", i);
    inf_name *name = hold(host, 80);
    assert_non_null(name);
    if (!keep)
      inf_names_release(&names, name);
  }
}

static void
test_the_name_unused_for_longest_goes(void **state)
{
  (void)state;
  make_many(0, INF_NAMES_MAX, false);
  inf_name_met(hold("n0.test", 80), S(1)); /* used last, and held */
  inf_name_met(hold("n2.test", 80), S(1));
  make_many(INF_NAMES_MAX, 1, false);
  assert_int_equal(names.count, INF_NAMES_MAX);
  assert_int_equal(hold("n0.test", 80)->known_ns, S(1));
  assert_int_equal(hold("n2.test", 80)->known_ns, S(1));
  /* n1 went: as it may have had an address, that is dropped first. */
  inf_name *again = hold("n1.test", 80);
  assert_int_equal(inf_name_check(again, true, S(2)), INF_NAME_DROP);
  assert_int_equal(inf_name_check(again, true, S(2)), INF_NAME_GO_ON);
}

static void
test_held_names_stay(void **state)
{
  (void)state;
  make_many(0, INF_NAMES_MAX, true);
  assert_null(hold("one-more.test", 80));
  inf_names_release(&names, hold("n5.test", 80));
  assert_null(hold("one-more.test", 80)); /* still held once */
  inf_name *five = hold("n5.test", 80);
  inf_names_release(&names, five);
  inf_names_release(&names, five);
  assert_non_null(hold("one-more.test", 80));
}

/* ---- Life of an address -------------------------------------------------- */

static void
test_an_address_lives_for_a_minute(void **state)
{
  (void)state;
  inf_name *name = hold("a.test", 80);
  assert_int_equal(inf_name_check(name, true, S(100)), INF_NAME_GO_ON);
  inf_name_met(name, S(100));
  inf_name_met(name, S(130)); /* the same address again is not younger */
  assert_int_equal(inf_name_check(name, true, S(160) - 1), INF_NAME_GO_ON);
  assert_int_equal(inf_name_check(name, true, S(160)), INF_NAME_LOOK_UP);
}

static void
test_one_lookup_at_a_time(void **state)
{
  (void)state;
  inf_name *name = hold("a.test", 80);
  inf_name_met(name, S(100));
  assert_int_equal(inf_name_check(name, true, S(200)), INF_NAME_LOOK_UP);
  inf_name_looking(name);
  assert_int_equal(inf_name_check(name, true, S(201)), INF_NAME_GO_ON);
  inf_name_found(name, true, S(205));
  assert_int_equal(inf_name_check(name, true, S(265) - 1), INF_NAME_GO_ON);
  assert_int_equal(inf_name_check(name, true, S(265)), INF_NAME_LOOK_UP);
}

static void
test_a_lookup_that_finds_nothing_is_tried_again(void **state)
{
  (void)state;
  inf_name *name = hold("a.test", 80);
  inf_name_met(name, S(100));
  inf_name_looking(name);
  inf_name_found(name, false, S(200));
  assert_int_equal(inf_name_check(name, true, S(210) - 1), INF_NAME_GO_ON);
  assert_int_equal(inf_name_check(name, true, S(210)), INF_NAME_LOOK_UP);
  assert_int_equal(name->known_ns, S(100));
}

static void
test_ten_minutes_past_its_life_it_is_dropped(void **state)
{
  (void)state;
  inf_name *name = hold("a.test", 80);
  inf_name_met(name, S(100));
  assert_int_equal(inf_name_check(name, true, S(760) - 1), INF_NAME_LOOK_UP);
  assert_int_equal(inf_name_check(name, true, S(760)), INF_NAME_DROP);
  assert_int_equal(inf_name_check(name, true, S(761)), INF_NAME_GO_ON);
  inf_name_met(name, S(762));
  assert_int_equal(inf_name_check(name, true, S(763)), INF_NAME_GO_ON);
}

static void
test_an_address_that_fails_is_dropped(void **state)
{
  (void)state;
  inf_name *name = hold("a.test", 80);
  assert_false(inf_name_failed(name, S(90))); /* there is none */
  inf_name_met(name, S(100));
  assert_false(inf_name_failed(name, S(105) - 1)); /* found just now */
  assert_true(inf_name_failed(name, S(105)));
  assert_int_equal(name->known_ns, 0);
  assert_false(inf_name_failed(name, S(106)));
}

static void
test_an_address_that_would_go_is_looked_up_at_once(void **state)
{
  (void)state;
  inf_name *name = hold("proxy.test", 80);
  assert_int_equal(inf_name_check(name, false, S(100)), INF_NAME_GO_ON);
  inf_name_met(name, S(100));
  assert_int_equal(inf_name_check(name, false, S(101)), INF_NAME_LOOK_UP);
  inf_name_looking(name);
  inf_name_found(name, true, S(102));
  assert_int_equal(inf_name_check(name, false, S(103)), INF_NAME_GO_ON);
  assert_int_equal(inf_name_check(name, false, S(162)), INF_NAME_LOOK_UP);
}

static void
test_forgetting_all(void **state)
{
  (void)state;
  inf_name *name = hold("a.test", 80);
  inf_name_found(name, true, S(100));
  inf_names_forget(&names);
  assert_int_equal(name->known_ns, 0);
  assert_false(name->pinned);
  assert_int_equal(inf_name_check(name, true, S(900)), INF_NAME_GO_ON);
}

static void
fill_short_of_memory(void *arg)
{
  (void)arg;
  inf_names many;
  inf_names_init(&many);
  inf_name *name = inf_names_hold(&many, INF_SV("a.test"), 1);
  assert_true(name || fail_alloc_hits() > 0);
  if (name)
    assert_ptr_equal(inf_names_hold(&many, INF_SV("a.test"), 1), name);
  inf_names_fini(&many);
}

static void
test_memory_failure(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(fill_short_of_memory, NULL) > 0);
  fail_alloc_uninstall();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_urls),
      TEST(test_the_longest_host),
      TEST(test_a_proxy_is_what_is_looked_up),
      TEST(test_a_name_is_found_again),
      TEST(test_the_name_unused_for_longest_goes),
      TEST(test_held_names_stay),
      TEST(test_an_address_lives_for_a_minute),
      TEST(test_one_lookup_at_a_time),
      TEST(test_a_lookup_that_finds_nothing_is_tried_again),
      TEST(test_ten_minutes_past_its_life_it_is_dropped),
      TEST(test_an_address_that_fails_is_dropped),
      TEST(test_an_address_that_would_go_is_looked_up_at_once),
      TEST(test_forgetting_all),
      cmocka_unit_test(test_memory_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
