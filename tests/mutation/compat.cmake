# SPDX-License-Identifier: MIT
# Bugs in the dialects and rows of compatible services. See bugs.cmake.

infer_bug(425 provider/cohere_read.c
  "unit/test_cohere_read"
  "an answer that Cohere broke off with an error is a success"
  [[  if (inf_sv_starts_with(native, INF_SV("ERROR")) &&]]
  [[  if (inf_sv_starts_with(native, INF_SV("ERROR!")) &&]])

infer_bug(426 provider/cohere.c
  "unit/test_cohere"
  "the result of a call that came without an id names no call: Cohere refuses the conversation"
  [[  inf_tool_ids_of_result(&w->ids, message, place, &id);]]
  [[  inf_tool_ids_of_result(&w->ids, message, place ? SIZE_MAX : SIZE_MAX, &id);]])

infer_bug(427 provider/ollama_read.c
  "unit/test_ollama_read"
  "one line of a stream that was not asked for is taken for the whole answer: silent truncation"
  [[  if (is_done(object))
    read_end(sink, object);]]
  [[  read_end(sink, object);]])

infer_bug(428 provider/ollama.c
  "unit/test_ollama"
  "an option that stands in \"options\" is overridden by another of the same meaning"
  [[        inf_json_get(own, inf_sv_from(option->ours)).len > 0)]]
  [[        inf_json_get(own, inf_sv_from(option->ours)).len > SIZE_MAX - 1)]])

infer_bug(429 provider/member_rules.c
  "unit/test_member_rules unit/test_cohere unit/test_ollama"
  "what the caller asked for and a service cannot do is dropped in silence"
  [[    return INF_MEMBER_REFUSED;]]
  [[    return INF_MEMBER_LEFT_OUT;]])

infer_bug(430 provider/tool_ids.c
  "unit/test_tool_ids"
  "a call gets the id that Mistral takes and its result keeps the old one: every conversation that moves there fails"
  [[    append_id(ids, id, 0, out);]]
  [[    inf_json_string(id, out);]])

infer_bug(431 config/environment.c
  "unit/test_environment"
  "a GITHUB_TOKEN makes a provider: prompts go where nobody said that they may"
  [[  return kind->key_env && kind->base_url && !kind->by_name_only;]]
  [[  return kind->key_env && kind->base_url;]])

infer_bug(432 provider/send.c
  "unit/test_catalogue"
  "two api-version stand in the address where base_url has one"
  [[  if (own.len == 0 && query.len == 0 && send->kind->query)]]
  [[  if (query.len == 0 && send->kind->query)]])
