/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/url.h"

static void
base(const char *url, const char *wrong)
{
  const char *why = inf_url_check_base(inf_sv_from(url));
  if (!wrong && why)
    fail_msg("%s: %s", url, why);
  if (wrong)
    assert_string_equal(why ? why : "accepted", wrong);
}

static void
accepts_base_addresses(void **state)
{
  (void)state;
  base("https://api.openai.com/v1", NULL);
  base("http://localhost:8000", NULL);
  base("HTTP://h", NULL);
  base("http://[::1]:8080/v1", NULL);
  base("http://[fe80::1%25eth0]/v1", NULL);
  base("https://a_b.example.com:443/a%20b/c@d", NULL);
}

static void
refuses_base_addresses(void **state)
{
  (void)state;
  static const char host[] = "has a host with characters that no host has";
  static const char port[] = "has a port that is no number from 1 to 65535";
  static const char ipv6[] = "has a host in brackets that is no IPv6 address";
  static const char encode[] =
      "contains characters that must be percent-encoded";
  base("", "is empty");
  base("ftp://h", "must begin with https:// or http://");
  base("api.openai.com", "must begin with https:// or http://");
  base("http://", "has no host");
  base("http:///v1", "has no host");
  base("http://:80/", "has no host");
  base("http://h?a=b", "must have no query and no fragment (use query)");
  base("http://h/v1#f", "must have no query and no fragment (use query)");
  base("http://u:p@h/v1", "must name no user (use api_key or headers)");
  base("http://h:0/", port);
  base("http://h:65536/", port);
  base("http://h:+80/", port);
  base("http://h:/", port);
  base("http://h:80:80/", port);
  base("http://a b/", encode);
  base("http://h\\evil/", encode);
  base("http://h/\"", encode);
  base("http://h/\xc3\xa9", encode);
  base("http://h\r\nX: y", "contains control characters");
  base("http://h\x7f", "contains control characters");
  base("http://h*/", host);
  base("http://a%41/", host);
  base("http://[::1/v1", "has no \"]\" after its host");
  base("http://[12]/", ipv6);
  base("http://[g::1]/", ipv6);
  base("http://[:]/", ipv6);
  base("http://[1::2::3]/", ipv6);
  base("http://[fe80::1%]/", ipv6);
  base("http://[fe80::1%25]/", NULL); /* the zone "25", for libcurl too */
  base("http://[fe80::1%25a b]/", encode);
  base("http://[fe80::1%25a@b]/", "must name no user (use api_key or headers)");
  base("http://[fe80::1%25a!b]/", ipv6);
  base("http://[fe80::1%25fifteen-letters]/", NULL);
  base("http://[fe80::1%25sixteen--letters]/", ipv6);
  base("http://[::1]x/", port);
  assert_string_equal(inf_url_check_base(inf_sv_of("http://a\0b", 10)),
                      "contains control characters");
}

static void
refuses_very_long_addresses(void **state)
{
  (void)state;
  char url[INF_URL_MAX_BYTES + 1];
  memset(url, 'a', sizeof url);
  memcpy(url, "http://h/", 9);
  assert_null(inf_url_check_base(inf_sv_of(url, sizeof url - 1)));
  assert_string_equal(inf_url_check_base(inf_sv_of(url, sizeof url)),
                      "is too long");
}

static void
trims_slashes(void **state)
{
  (void)state;
  assert_true(
      inf_sv_eq(inf_url_trim(INF_SV("http://h/v1//")), INF_SV("http://h/v1")));
  assert_true(inf_sv_eq(inf_url_trim(INF_SV("//")), INF_SV("")));
  assert_true(inf_url_is_https(INF_SV("HTTPS://h")));
  assert_false(inf_url_is_https(INF_SV("http://h")));
  assert_false(inf_url_is_https(INF_SV("https:")));
}

static void
checks_proxies(void **state)
{
  (void)state;
  static const char *const good[] = {
      "http://proxy:3128",      "proxy:3128",  "proxy",
      "socks5h://10.0.0.1:1",   "HTTPS://p",   "http://u:p@h:1/",
      "http://u:p%40x@[::1]:1", "socks4a://h", "http://@h",
  };
  static const char *const bad[] = {
      "",          "ftp://h",      "http://",      "http://u:p@",
      "h:99999",   "a b",          "http://h\r\n", "://h",
      "xhttp://h", "http://a://b", "http://u@:80", "http://u:p@x@h",
  };
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    if (inf_url_check_proxy(inf_sv_from(good[i])))
      fail_msg("%s: %s", good[i], inf_url_check_proxy(inf_sv_from(good[i])));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (!inf_url_check_proxy(inf_sv_from(bad[i])))
      fail_msg("%s is accepted", bad[i]);
}

static void
user(const char *url, const char *wanted)
{
  inf_sv found = inf_url_userinfo(inf_sv_from(url));
  assert_true(inf_sv_eq(found, inf_sv_from(wanted)));
}

static void
finds_the_user(void **state)
{
  (void)state;
  user("http://u:p@h/", "u:p");
  user("http://u:p@x@h/a@b", "u:p@x");
  user("u:p@h:1", "u:p");
  user("http://h/a@b", "");
  user("http://h", "");
  user("", "");
}

static void
checks_fixed_addresses(void **state)
{
  (void)state;
  static const char *const good[] = {"api.example.com:443:127.0.0.1",
                                     "h:1:[::1]", "h:65535:::1",
                                     "h:80:10.0.0.1,10.0.0.2"};
  static const char *const bad[] = {"",
                                    "h",
                                    "h:80",
                                    "h:80:",
                                    ":80:1.2.3.4",
                                    "h:0:1.2.3.4",
                                    "h:x:1",
                                    "h:80:x",
                                    "-h:80:1",
                                    "+h:80:1.2.3.4",
                                    "h:80:1.2.3.4\n"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    if (inf_url_check_resolve(inf_sv_from(good[i])))
      fail_msg("%s: %s", good[i], inf_url_check_resolve(inf_sv_from(good[i])));
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (!inf_url_check_resolve(inf_sv_from(bad[i])))
      fail_msg("%s is accepted", bad[i]);
}

static void
encodes(void **state)
{
  (void)state;
  inf_buf out;
  inf_buf_init(&out, 100);
  assert_true(inf_url_encode(&out, inf_sv_of("aZ09-._~ &=+%/\xc3\xa9\0", 17)));
  assert_string_equal(inf_buf_cstr(&out),
                      "aZ09-._~%20%26%3D%2B%25%2F%C3%A9%00");
  inf_buf_fini(&out);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accepts_base_addresses),
      cmocka_unit_test(refuses_base_addresses),
      cmocka_unit_test(refuses_very_long_addresses),
      cmocka_unit_test(trims_slashes),
      cmocka_unit_test(checks_proxies),
      cmocka_unit_test(finds_the_user),
      cmocka_unit_test(checks_fixed_addresses),
      cmocka_unit_test(encodes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
