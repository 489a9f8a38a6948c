# SPDX-License-Identifier: MIT
# Where data may go, and models that are being loaded. See bugs.cmake.

infer_bug(630 engine/plan.c
  "simulation/labels scenario/test_privacy"
  "a prompt that may stay in the house only goes to any service"
  [[  for (size_t i = 0; i < request->label_count; i++)]]
  [[  for (size_t i = 1; i < request->label_count; i++)]])

infer_bug(631 engine/plan.c
  "simulation/labels scenario/test_privacy"
  "the last label that a route requires is not looked at"
  [[  for (size_t i = 0; i < route->require_label_count; i++)]]
  [[  for (size_t i = 0; i + 1 < route->require_label_count; i++)]])

infer_bug(632 engine/plan.c
  "unit/test_plan simulation/labels"
  "a provider whose label only begins like the one that is required gets the prompt"
  [[    if (strcmp(provider->labels[i], label) == 0)]]
  [[    if (strncmp(provider->labels[i], label, strlen(label)) == 0)]])

infer_bug(633 engine/attempt.c
  "unit/test_plan unit/test_refusals simulation/labels"
  "a failover counts in the list of the route, and comes to a target that labels keep out"
  [[  const inf_target_config *target = call->targets[call->next_target];
  const inf_client_options]]
  [[  const inf_target_config *target =
      &call->trail->route->targets[call->next_target];
  const inf_client_options]])

infer_bug(634 api/prewarm.c
  "scenario/test_privacy simulation/labels"
  "to warm a route connects to providers that no call of it may go to"
  [[      if (!inf_plan_missing_label(route->targets[i].provider, route, &any))
        choose]]
  [[        choose]])

infer_bug(635 engine/warmer.c
  "scenario/test_privacy simulation/labels"
  "a route that is kept warm connects to providers that no call of it may go to"
  [[  return !inf_plan_missing_label(target->provider, route, &any) &&
         inf_runtime_has_key(]]
  [[  (void)route, (void)any;
  return inf_runtime_has_key(]])

infer_bug(636 transport/curl_exchange.c
  "scenario/test_privacy unit/test_curl_result"
  "a provider sends its clients, and their prompts, wherever it likes"
  [[  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");]]
  [[  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);]])

infer_bug(637 engine/call.c
  "unit/test_refusals"
  "what labels keep out is counted only where nobody else serves"
  [[  if (call->target_count < route->target_count)
    note_refusals(]]
  [[  if (call->target_count == 0)
    note_refusals(]])

infer_bug(638 policy/retry.c
  "unit/test_loading scenario/test_own_hardware"
  "a machine that is cold in the morning fails each call after two retries"
  [[  decision.counted = false;
  decision.awaited = true;]]
  [[  decision.awaited = true;]])

infer_bug(639 provider/classify.c
  "unit/test_loading"
  "a model that cannot be loaded is waited for until the deadline"
  [[  if (inf_sv_contains_nocase(message, INF_SV("error loading")) ||]]
  [[  if (]])
