# SPDX-License-Identifier: MIT
# Bugs in lib/transport: connections, certificates, wake-ups. See bugs.cmake.

infer_bug(77 transport/poller.c
  "unit/test_poller_poll"
  "a wait ends before its time: a timer is waited for in a busy loop"
  [[  return (int)((wait_ns + INF_NS_PER_MS - 1) / INF_NS_PER_MS);]]
  [[  return (int)(wait_ns / INF_NS_PER_MS);]])

infer_bug(78 transport/curl_exchange.c
  "unit/test_curl_result"
  "a redirect is followed, and the key goes along"
  [[    {CURLOPT_TCP_NODELAY, 1},]]
  [[    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_FOLLOWLOCATION, 1},
    {CURLOPT_UNRESTRICTED_AUTH, 1},]])

infer_bug(79 transport/curl_endpoint.c
  "unit/test_curl_endpoint unit/test_curl"
  "a certificate for any other host is accepted"
  [[CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L]]
  [[CURLOPT_SSL_VERIFYHOST, 0L]])

infer_bug(80 transport/curl_endpoint.c
  "unit/test_curl_endpoint unit/test_curl"
  "no certificate is looked at"
  [[CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L]]
  [[CURLOPT_SSL_VERIFYPEER, 0L]])

infer_bug(81 transport/curl_exchange.c
  "unit/test_curl_endpoint"
  "one provider's proxy or client certificate serves another's request too"
  [[  if (exchange->peculiar) {
    curl_easy_reset(easy);]]
  [[  if (false) {
    curl_easy_reset(easy);]])

infer_bug(82 transport/curl_exchange.c
  "unit/test_curl_exchange"
  "a large request is sent with the body of an earlier, small one"
  [[  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);]]
  [[]])

infer_bug(83 transport/curl_exchange.c
  "unit/test_curl"
  "after one resend a handle never uses a warm connection again"
  [[  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
                   request->fresh_connection ? 1L : 0L);]]
  [[  if (request->fresh_connection)
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);]])

infer_bug(84 transport/curl_exchange.c
  "unit/test_curl_exchange"
  "a large request waits a second for leave to be sent"
  [[no_expect[] = "Expect:"]]
  [[no_expect[] = "X-Unused:"]])

infer_bug(85 transport/curl_exchange.c
  "unit/test_curl_endpoint"
  "a proxy that stands in the environment is used unasked, and sees the key"
  [[    code = curl_easy_setopt(easy, CURLOPT_PROXY, "");]]
  [[    code = CURLE_OK;]])

infer_bug(86 transport/curl_exchange.c
  "unit/test_curl"
  "a paused transfer goes on only when libcurl happens to look at it"
  [[  if (!paused) /* unpausing delivers bytes, which is for run() to do */
    inf_list_push_back(]]
  [[  if (false)
    inf_list_push_back(]])

infer_bug(87 transport/curl_exchange.c
  "unit/test_curl_exchange"
  "memory of a cancelled request is read while its connection is being made"
  [[  exchange->state = INF_EXCHANGE_DEAD;
  inf_list_remove(&exchange->resume_node);]]
  [[  inf_list_remove(&exchange->resume_node);]])

infer_bug(88 transport/curl_callbacks.c
  "unit/test_curl"
  "libcurl sends a request again by itself: paid twice, and nobody is told"
  [[  exchange->sent = true;]]
  [[]])

infer_bug(89 transport/curl_callbacks.c
  "unit/test_curl_exchange unit/test_curl"
  "headers of an interim answer are taken for those of the answer"
  [[    inf_headers_clear(&exchange->headers);]]
  [[]])

infer_bug(90 transport/curl_result.c
  "unit/test_curl"
  "a reset of a used connection is told as refused: a run-once call runs twice"
  [[    return exchange->reused && !exchange->wants_http1 ? INF_NET_RESET]]
  [[    return false ? INF_NET_RESET]])

infer_bug(91 transport/curl_result.c
  "unit/test_curl_result"
  "an error text quotes the proxy's password"
  [[      (proxy && proxy[0] && error_has(exchange, proxy)))]]
  [[      (proxy && !proxy[0] && error_has(exchange, proxy)))]])

infer_bug(92 transport/curl_result.c
  "unit/test_curl_result"
  "a connection that breaks amid the answer's headers ends as a success"
  [[    return !exchange->headers_told;]]
  [[    return false;]])

infer_bug(93 transport/curl_generation.c
  "unit/test_curl_exchange"
  "a program that the application starts inherits the connections"
  [[  type |= SOCK_CLOEXEC;]]
  [[]])

infer_bug(94 transport/curl_generation.c
  "unit/test_curl"
  "connections that died while the machine slept are used"
  [[  transport->retire_wanted = !inf_generation_add(transport);]]
  [[  transport->retire_wanted = false;]])

infer_bug(95 transport/names.c
  "unit/test_names"
  "an address is used for ever: a provider that moved is not found"
  [[  if (age_ns >= LIFE_NS + STALE_NS) {
    drop(name);
    return INF_NAME_DROP;
  }]]
  [[]])

infer_bug(96 transport/names.c
  "unit/test_names"
  "a name that cannot be found is looked up with every request"
  [[    name->retry_ns = inf_time_add(now_ns, RETRY_NS);]]
  [[]])

infer_bug(97 transport/curl_callbacks.c
  "scenario/test_warm"
  "making a connection ready sends a request, which is paid"
  [[  if (exchange->warm_up == INF_WARM_UP_CONNECT)
    return CURL_PREREQFUNC_ABORT;]]
  [[]])

infer_bug(98 transport/curl_multiplex.c
  "unit/test_curl_multiplex scenario/test_http2"
  "a stream that is given up goes on at the provider, and is paid"
  [[  if (exchange->origin == 0 || !exchange->sent ||]]
  [[  if (true || !exchange->sent ||]])

infer_bug(99 transport/curl_multiplex.c
  "unit/test_curl_multiplex"
  "while one connection is being made in vain all calls to its server wait"
  [[    if (leader->lead_until_ns <= now_ns)]]
  [[    if (leader->lead_until_ns == 0)]])

infer_bug(100 transport/curl_multiplex.c
  "unit/test_curl_multiplex scenario/test_http2"
  "a server that takes a hundred streams gets all at once, and refuses most"
  [[      [INF_LEAVE_SENT] = streams_at_first - 1,]]
  [[      [INF_LEAVE_SENT] = streams_at_first * 100,]])

infer_bug(184 transport/poller.c
  "unit/test_poller"
  "the second wake-up and all after it are not written: the loop sleeps on"
  [[#endif
  atomic_exchange(&poller->woken, false);]]
  [[#endif]])

infer_bug(185 transport/poller.c
  "unit/test_poller"
  "a wake-up is told for ever: the loop turns without a rest"
  [[                 (fd == poller->wake_read ? (uint32_t)EPOLLET : 0u);]]
  [[                 0u;]])

infer_bug(198 transport/poller.c
  "unit/test_poller"
  "a single slow stream costs twice the CPU: every wait begins with a look"
  [[  poller->was_short = now_ns() - begin_ns < look_ns;]]
  [[  poller->was_short = true;]])

infer_bug(200 transport/poller.c
  "unit/test_poller unit/test_curl_exchange"
  "a timeout is late: the loop takes itself to be behind without a socket"
  [[inf_poller_count(poller) == 0 && !poller->left_out &&
         !atomic_load(&poller->woken);]]
  [[inf_poller_count(poller) == 0 &&
         !atomic_load(&poller->woken);]])

infer_bug(201 transport/poller.c
  "unit/test_poller"
  "a wake-up is taken late: a loop that has timers to serve does not look"
  [[ && !poller->left_out &&
         !atomic_load(&poller->woken);]]
  [[ && !poller->left_out;]])

infer_bug(206 transport/poller.c
  "unit/test_poller"
  "every timer of a single call fires late by the time of a look"
  [[    wait_ns -= wait_ns < UINT64_MAX ? look_ns : 0;]]
  [[]])
