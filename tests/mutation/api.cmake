# SPDX-License-Identifier: MIT
# Bugs in lib/api: the public functions. See bugs.cmake.

infer_bug(174 api/event.c
  "unit/test_event"
  "a NUL character in a streamed text cuts it"
  [[    *len = or_none(event)->text.len;]]
  [[    *len = strlen(inf_buf_cstr(&or_none(event)->text));]])

infer_bug(175 api/response.c
  "unit/test_response"
  "a NUL character in an answer cuts it"
  [[    *len = text ? text->len : 0;]]
  [[    *len = text ? strlen(inf_buf_cstr(text)) : 0;]])

infer_bug(176 api/response.c
  "unit/test_response"
  "the bill counts the winner only"
  [[    total = tokens > INT64_MAX - total ? INT64_MAX : total + tokens;]]
  [[    total = tokens;]])

infer_bug(177 api/call.c
  "unit/test_queue scenario/test_async"
  "a callback that said stop is called again"
  [[      if (!stopped && on_event &&]]
  [[      if (on_event &&]])

infer_bug(178 api/call.c
  "unit/test_queue"
  "freeing a queue leaves its calls running, and paying"
  [[    infer_call_cancel(call);
    inf_call_unref(call);]]
  [[    inf_call_unref(call);]])

infer_bug(179 api/call.c
  "unit/test_queue unit/test_client"
  "what came at the last moment before a close is not read"
  [[    if (*count > 0)
      return INFER_OK;
    if (freed || drained)
      return INFER_E_CLOSED;]]
  [[    if (freed || drained)
      return INFER_E_CLOSED;
    if (*count > 0)
      return INFER_OK;]])

infer_bug(180 api/call.c
  "unit/test_client"
  "a request goes to a queue of another client: two threads, one list"
  [[  if (queue && queue->client != client)]]
  [[  if (queue && !queue->client)]])

infer_bug(181 api/call.c
  "unit/test_client unit/test_call"
  "a hook that waits for its own loop stops everything"
  [[  if (inf_client_in_loop(client))
    return INFER_E_REENTRANT;
  uint64_t until_ns = 0;]]
  [[  uint64_t until_ns = 0;]])

infer_bug(182 api/request.c
  "unit/test_api_request"
  "a request's own header replaces the key"
  [[      is_reserved(inf_sv_from(name)) ||]]
  [[]])

infer_bug(183 api/client.c
  "unit/test_client"
  "a program with an event loop of its own never drives: nothing moves"
  [[  if (atomic_load(&client->mail))
    return 0;]]
  [[]])

infer_bug(202 api/request.c
  "unit/test_api_request"
  "a number of the policy lands in the place of a word: memory is overwritten"
  [[
        option->type == INF_OPTION_INT && strcmp]]
  [[
        strcmp]])
