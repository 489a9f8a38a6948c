/* SPDX-License-Identifier: MIT */
/* An address that was known is used at once however slow the resolver is, and
 * what the resolver says in the end is followed. */
#include "infer/infer.h"
#include "support/exchange_probe.h"
#include "support/fail_alloc.h"
#include "support/tiny_server.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <time.h>

static tiny_server *server;
static inf_transport *transport;

/* ---- Resolver and clocks of the test ------------------------------------- */

static const char *_Atomic answer; /* "address,address"; NULL: no such name */
static atomic_int lookups, hanging;
static atomic_bool stalled;
static atomic_int passed_s; /* how far time was moved */

static int (*_Atomic real_lookup)(const char *, const char *,
                                  const struct addrinfo *, struct addrinfo **);

static int
look_up_all(const char *addresses, const char *service,
            const struct addrinfo *hints, struct addrinfo **result)
{
  struct addrinfo **end = result;
  char text[256], *rest = text;
  snprintf(text, sizeof text, "%s", addresses);
  for (char *at; (at = strsep(&rest, ","));) {
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST,
                               .ai_socktype = hints->ai_socktype};
    if (real_lookup(at, service, &numeric, end) != 0)
      return EAI_NONAME;
    while (*end)
      end = &(*end)->ai_next;
  }
  return 0;
}

/* Comes before libc's for libcurl too. */
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **result)
{
  if (!real_lookup) {
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy((void *)&real_lookup, &found, sizeof found);
  }
  if (!node || !strstr(node, "lookup.test"))
    return real_lookup(node, service, hints, result);
  atomic_fetch_add(&lookups, 1);
  atomic_fetch_add(&hanging, 1);
  for (int i = 0; i < 2000 && atomic_load(&stalled); i++)
    tiny_sleep_ms(5);
  const char *addresses = atomic_load(&answer);
  int status =
      addresses ? look_up_all(addresses, service, hints, result) : EAI_NONAME;
  atomic_fetch_sub(&hanging, 1);
  return status;
}

/* libcurl's name cache counts these seconds. */
__attribute__((visibility("default"))) time_t
time(time_t *to)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  time_t value = now.tv_sec + atomic_load(&passed_s);
  if (to)
    *to = value;
  return value;
}

static uint64_t
moved_now_ns(void *context)
{
  (void)context;
  return inf_clock_now(inf_clock_system()) +
         (uint64_t)(unsigned)atomic_load(&passed_s) * INF_NS_PER_S;
}

static int answered, unanswered;

static void
count_log(int32_t level, const char *message, void *user_data)
{
  (void)level;
  (void)user_data;
  if (strstr(message, "lookup.test: answered"))
    answered++;
  else if (strstr(message, "lookup.test: "))
    unanswered++;
}

/* ---- Set-up -------------------------------------------------------------- */

static void
serve(tiny_conn *conn)
{
  while (tiny_read(conn) && tiny_answer(conn, "ok"))
    ;
}

static inf_transport *
make_transport(void)
{
  static const inf_clock clock = {.now_ns = moved_now_ns};
  static const inf_log log = {.level = INFER_LOG_DEBUG, .fn = count_log};
  inf_curl_options options = {.clock = &clock,
                              .log = &log,
                              .max_header_bytes = 64 << 10,
                              .max_idle_connections = 10};
  return inf_curl_transport_new(&options);
}

static int
set_up(void **state)
{
  (void)state;
  atomic_store(&answer, "127.0.0.1");
  atomic_store(&stalled, false);
  atomic_store(&lookups, 0);
  atomic_store(&passed_s, 0);
  answered = unanswered = 0;
  server = tiny_start(serve, NULL, NULL);
  transport = make_transport();
  return server && transport ? 0 : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  probe_transport_free(transport);
  tiny_stop(server);
  atomic_store(&stalled, false);
  while (atomic_load(&hanging) > 0)
    tiny_sleep_ms(5);
  tiny_sleep_ms(20); /* their threads end, too */
  return 0;
}

/* One exchange over a connection of its own; how it ended. */
static inf_net
exchange_with(const inf_endpoint *endpoint)
{
  char url[64];
  probe p = {0};
  snprintf(url, sizeof url, "http://a.lookup.test:%d/", tiny_port(server));
  inf_http_request request = {.method = "GET",
                              .url = url,
                              .endpoint = endpoint,
                              .fresh_connection = true};
  probe_start_request(&p, transport, &request);
  assert_true(probe_run_until(transport, &p.done, 1));
  inf_net net = p.result.net;
  probe_finish(&p);
  return net;
}

static inf_net
exchange(void)
{
  inf_endpoint endpoint = probe_endpoint();
  return exchange_with(&endpoint);
}

/* Until so many lookups beside the exchanges have ended, and what they found
 * is in its place. */
static void
wait_for(const int *count, int wanted)
{
  double until_ms = probe_now_ms() + 10000;
  while (*count < wanted) {
    assert_true(probe_now_ms() < until_ms);
    probe_run(transport, 10);
  }
  for (int i = 0; i < 3; i++)
    probe_run(transport, 1);
}

static void
pass_s(int seconds)
{
  atomic_fetch_add(&passed_s, seconds);
}

#define assert_lookups(n) assert_int_equal(atomic_load(&lookups), n)

/* A lookup hangs, on a thread that may have only just been made. */
static void
assert_one_hangs(void)
{
  for (int i = 0; i < 10000 && atomic_load(&hanging) == 0; i++)
    tiny_sleep_ms(1);
  assert_int_equal(atomic_load(&hanging), 1);
}

/* ---- Tests --------------------------------------------------------------- */

static void
test_an_old_address_is_used_while_the_resolver_stalls(void **state)
{
  (void)state;
  assert_int_equal(exchange(), INF_NET_OK);
  assert_lookups(1);
  pass_s(50);
  assert_int_equal(exchange(), INF_NET_OK);
  assert_lookups(1);
  pass_s(50);
  atomic_store(&stalled, true);
  for (int i = 0; i < 3; i++)
    assert_int_equal(exchange(), INF_NET_OK); /* and the lookup still hangs: */
  assert_one_hangs();
  assert_lookups(2);
  assert_int_equal(answered, 0);
  atomic_store(&stalled, false);
  wait_for(&answered, 1);
  pass_s(50);
  assert_int_equal(exchange(), INF_NET_OK);
  assert_lookups(2);
  assert_int_equal(tiny_connections(server), 6);
}

/* Nobody listens on 127.0.0.2: who tries it has followed the change. */
static void
test_a_changed_address_is_followed(void **state)
{
  (void)state;
  assert_int_equal(exchange(), INF_NET_OK);
  pass_s(61);
  atomic_store(&answer, "127.0.0.2");
  assert_int_equal(exchange(), INF_NET_OK); /* with the old one */
  wait_for(&answered, 1);
  assert_int_equal(exchange(), INF_NET_CONNECT);
  assert_lookups(2);
}

static void
test_all_addresses_are_taken_up(void **state)
{
  (void)state;
  assert_int_equal(exchange(), INF_NET_OK);
  static const char *const sets[] = {"127.0.0.2,127.0.0.1", "::1,127.0.0.1",
                                     "127.0.0.3,::1,127.0.0.1"};
  for (int i = 0; i < 3; i++) {
    atomic_store(&answer, sets[i]);
    pass_s(61);
    assert_int_equal(exchange(), INF_NET_OK);
    wait_for(&answered, i + 1);
    assert_int_equal(exchange(), INF_NET_OK);
  }
  assert_lookups(4);
}

static void
test_a_first_lookup_that_fails_is_told(void **state)
{
  (void)state;
  atomic_store(&answer, NULL);
  assert_int_equal(exchange(), INF_NET_RESOLVE);
  assert_int_equal(exchange(), INF_NET_RESOLVE);
  assert_lookups(2);
}

static void
test_a_later_lookup_that_fails_changes_nothing(void **state)
{
  (void)state;
  assert_int_equal(exchange(), INF_NET_OK);
  pass_s(61);
  atomic_store(&answer, NULL);
  assert_int_equal(exchange(), INF_NET_OK);
  wait_for(&unanswered, 1);
  assert_int_equal(exchange(), INF_NET_OK);
  assert_lookups(2); /* not again so soon */
  pass_s(11);
  assert_int_equal(exchange(), INF_NET_OK);
  wait_for(&unanswered, 2);
  assert_lookups(3);
}

static void
test_an_address_that_is_too_old_is_not_used(void **state)
{
  (void)state;
  assert_int_equal(exchange(), INF_NET_OK);
  pass_s(661);
  atomic_store(&answer, "127.0.0.2");
  assert_int_equal(exchange(), INF_NET_CONNECT);
  assert_lookups(2);
}

static void
test_an_address_that_does_not_connect_is_looked_up_anew(void **state)
{
  (void)state;
  atomic_store(&answer, "127.0.0.2");
  assert_int_equal(exchange(), INF_NET_CONNECT);
  atomic_store(&answer, "127.0.0.1");
  assert_int_equal(exchange(), INF_NET_CONNECT); /* it is young */
  assert_lookups(1);
  pass_s(6);
  assert_int_equal(exchange(), INF_NET_CONNECT);
  probe_run(transport, 1);
  assert_int_equal(exchange(), INF_NET_OK);
  assert_lookups(2);
}

/* The server does not speak TLS and waits for a request, so that the handshake
 * hangs; what the engine does then is to cancel. */
static void
test_an_address_that_is_silent_is_looked_up_anew(void **state)
{
  (void)state;
  inf_endpoint endpoint = probe_endpoint();
  for (int i = 0; i < 2; i++) {
    probe p = {0};
    probe_start(&p, transport, &endpoint, NULL, "https://a.lookup.test:%d/",
                tiny_port(server));
    double until_ms = probe_now_ms() + 10000;
    while (tiny_connections(server) < i + 1) {
      assert_true(probe_now_ms() < until_ms);
      probe_run(transport, 10);
    }
    if (i == 1)
      pass_s(6);
    probe_cancel(&p); /* the first time at once: it was not the address */
    probe_run(transport, 1);
    assert_lookups(1);
  }
  assert_int_equal(exchange(), INF_NET_OK);
  assert_lookups(2);
}

static void
test_the_proxys_name_is_looked_up(void **state)
{
  (void)state;
  char proxy[64];
  snprintf(proxy, sizeof proxy, "http://proxy.lookup.test:%d",
           tiny_port(server));
  inf_endpoint endpoint = probe_endpoint();
  endpoint.proxy = proxy;
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  pass_s(61);
  atomic_store(&stalled, true);
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  assert_one_hangs();
  assert_int_equal(tiny_requests(server), 2);
}

/* With hosts that bypass it, libcurl's own limit holds until the proxy's
 * address came from a lookup of ours, which is begun at once. */
static void
test_a_proxy_that_some_hosts_bypass(void **state)
{
  (void)state;
  char proxy[64];
  snprintf(proxy, sizeof proxy, "http://proxy.lookup.test:%d",
           tiny_port(server));
  inf_endpoint endpoint = probe_endpoint();
  endpoint.proxy = proxy;
  endpoint.no_proxy = "other.lookup.test";
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  assert_lookups(1);
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  wait_for(&answered, 1);
  assert_lookups(2);
  pass_s(61);
  atomic_store(&stalled, true);
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  assert_one_hangs();
  assert_lookups(3);
}

static void
test_retiring_forgets_addresses(void **state)
{
  (void)state;
  assert_int_equal(exchange(), INF_NET_OK);
  pass_s(61);
  atomic_store(&stalled, true);
  assert_int_equal(exchange(), INF_NET_OK);
  transport->ops->retire_idle(transport); /* while the lookup hangs */
  atomic_store(&stalled, false);
  atomic_store(&answer, "127.0.0.2");
  assert_int_equal(exchange(), INF_NET_CONNECT);
  assert_int_equal(answered, 0);
}

static void
test_fixed_addresses_are_left_alone(void **state)
{
  (void)state;
  char pin[64];
  snprintf(pin, sizeof pin, "a.lookup.test:%d:127.0.0.1", tiny_port(server));
  const char *pins[] = {pin, NULL};
  inf_endpoint endpoint = probe_endpoint();
  endpoint.resolve = pins;
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  pass_s(61);
  assert_int_equal(exchange_with(&endpoint), INF_NET_OK);
  assert_lookups(0);
}

/* Without memory for the lookup or for the change the exchanges go on. */
static void
look_up_short_of_memory(void *arg)
{
  (void)arg;
  inf_transport *own = make_transport();
  if (!own)
    return;
  for (int i = 0; i < 3; i++) {
    probe p = {0};
    inf_endpoint endpoint = probe_endpoint();
    char url[64];
    snprintf(url, sizeof url, "http://a.lookup.test:%d/", tiny_port(server));
    inf_http_request request = {
        .method = "GET", .url = url, .endpoint = &endpoint};
    probe_start_request(&p, own, &request);
    if (p.exchange)
      probe_finish(&p);
    if (fail_alloc_hits() == 0)
      assert_true(p.done == 1 && p.result.net == INF_NET_OK);
    pass_s(i == 0 ? 61 : 700); /* a lookup, and dropping */
    for (int n = 0; n < 5; n++)
      probe_run(own, 2);
  }
  own->ops->free(own);
}

static void
test_memory_failure(void **state)
{
  (void)state;
  probe_transport_free(transport);
  fail_alloc_install();
  assert_true(fail_alloc_sweep(look_up_short_of_memory, NULL) > 0);
  fail_alloc_uninstall();
  transport = make_transport();
  assert_non_null(transport);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_an_old_address_is_used_while_the_resolver_stalls),
      TEST(test_a_changed_address_is_followed),
      TEST(test_all_addresses_are_taken_up),
      TEST(test_a_first_lookup_that_fails_is_told),
      TEST(test_a_later_lookup_that_fails_changes_nothing),
      TEST(test_an_address_that_is_too_old_is_not_used),
      TEST(test_an_address_that_does_not_connect_is_looked_up_anew),
      TEST(test_an_address_that_is_silent_is_looked_up_anew),
      TEST(test_the_proxys_name_is_looked_up),
      TEST(test_a_proxy_that_some_hosts_bypass),
      TEST(test_retiring_forgets_addresses),
      TEST(test_fixed_addresses_are_left_alone),
      TEST(test_memory_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
