# SPDX-License-Identifier: MIT
# Bugs in credentials that expire: tokens, the questions for them, what calls
# see of it. See bugs.cmake.

infer_bug(580 provider/token.c
  "unit/test_token"
  "no token is renewed ahead of its end: once an hour all calls wait"
  [[    return now_ns >= token->refresh_ns && may_ask ? INF_TOKEN_USE_AND_ASK
                                                  : INF_TOKEN_USE;]]
  [[    return INF_TOKEN_USE;]])

infer_bug(581 provider/token.c
  "unit/test_token scenario/test_credentials"
  "a provider that refuses all makes each call ask the token server"
  [[  if (token->refused_ns > 0 && !token->accepted && now_ns < again_ns)
    return false;]]
  [[  (void)again_ns;]])

infer_bug(582 provider/token.c
  "unit/test_token"
  "while a token is renewed each call asks for another one"
  [[  bool may_ask = !token->asking && now_ns >= token->retry_ns;]]
  [[  bool may_ask = now_ns >= token->retry_ns;]])

infer_bug(583 policy/retry.c
  "unit/test_retry scenario/test_credentials"
  "a token that has expired costs an attempt, and where nothing is retried the call"
  [[  if (failure->renewed) {
    inf_retry_decision again =]]
  [[  if (failure->renewed && !failure->keyed &&
      call->attempts < inf_retry_allowance(call->params, call->target_count)) {
    inf_retry_decision again =]])

infer_bug(584 engine/runtime.c
  "scenario/test_credentials"
  "a token server that is wrong for a minute takes the provider out until the next reload"
  [[  if (status == INFER_E_AUTH && provider->keys[key].source != INF_KEY_GIVEN)
    return;]]
  [[]])

infer_bug(585 engine/credential.c
  "unit/test_credential"
  "a server whose date runs away is asked for a token again and again"
  [[    it->corrected = true;]]
  [[]])

infer_bug(586 config/compile_provider.c
  "unit/test_compile_credentials"
  "the assertion of a service account goes into the provider's own socket"
  [[  provider->token_endpoint.unix_socket = NULL;]]
  [[]])

infer_bug(587 engine/attempt_record.c
  "scenario/test_credentials"
  "an error message shows the token that the provider quotes"
  [[  if (attempt->token.len > 0)
    return inf_buf_sv(&attempt->token);]]
  [[]])

infer_bug(588 engine/credential.c
  "unit/test_credential"
  "an answer from long ago fails the calls that wait for the present one"
  [[  } else if (it->token.asking && answer->number == it->number) {]]
  [[  } else if (it->token.asking) {]])

infer_bug(589 config/compile_provider.c
  "unit/test_compile_credentials scenario/test_token_source"
  "Azure gets Entra's token in the header for keys, and refuses it"
  [[  inf_sv usual = provider->key_count > 0 && provider->kind->key_header]]
  [[  inf_sv usual = provider->key_count > 1 && provider->kind->key_header]])
