# SPDX-License-Identifier: MIT
# Bugs in lib/config: keys, addresses, names. See bugs.cmake.

infer_bug(101 config/compile_keys.c
  "unit/test_compile_keys"
  "OPENAI_API_KEY is sent to whatever address a configuration names"
  [[  if (own_address && !provider->from_environment)
    return INFER_OK;]]
  [[]])

infer_bug(102 config/compile_keys.c
  "unit/test_key_memory"
  "keys stay in freed memory when a configuration goes"
  [[    inf_free_secret(keys[i].secret, keys[i].secret_len);]]
  [[    inf_free(keys[i].secret);]])

infer_bug(103 config/compile_keys.c
  "unit/test_key_memory"
  "a copy of the key stays in freed memory while it is read"
  [[    status = store_secret(key, inf_buf_sv(&text), place, error);
  inf_buf_fini_secret(&text);]]
  [[    status = store_secret(key, inf_buf_sv(&text), place, error);
  inf_buf_fini(&text);]])

infer_bug(104 config/redact.c
  "unit/test_redact"
  "the configuration that is shown for a bug report shows the keys"
  [[  if (option->type == INF_OPTION_SECRET)
    write_hidden(node, out);
  else if (option->type == INF_OPTION_SECRET_LIST)]]
  [[  if (option->type == INF_OPTION_SECRET)
    inf_node_write(node, out);
  else if (option->type == INF_OPTION_SECRET_LIST)]])

infer_bug(105 config/url.c
  "unit/test_url unit/test_redact"
  "of a proxy's password that has an @ in it the end is shown"
  [[  for (size_t len = authority.len; len > 0; len--)
    if (authority.ptr[len - 1] == '@')]]
  [[  for (size_t len = 1; len <= authority.len; len++)
    if (authority.ptr[len - 1] == '@')]])

infer_bug(106 config/secrets.c
  "unit/test_secrets"
  "the line feed at the end of a key file is sent along: HTTP 401"
  [[  inf_buf_truncate(out, len);]]
  [[]])

infer_bug(107 config/environment.c
  "unit/test_environment"
  "no_proxy is not heard: prompts for the house go out to the proxy"
  [[  if (status == INFER_OK && hosts.len > 0)]]
  [[  if (status == INFER_OK && hosts.len == 0)]])

infer_bug(108 config/compile_route.c
  "unit/test_compile_route"
  "a route that names one failure class to go on for keeps the others too"
  [[  params->failover_content_filter = params->failover_tls_verify = false;]]
  [[]])

infer_bug(109 config/resolve.c
  "unit/test_resolve"
  "a bare model that two providers have goes to the one that stands first"
  [[  if (count > 1)
    return too_much_fits(config, count, model, error);]]
  [[]])
