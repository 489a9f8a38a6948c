# SPDX-License-Identifier: MIT
# Bad luck between a provider and a client, and what of a conversation goes to
# whom. See bugs.cmake.

infer_bug(620 provider/conversation.c
  "unit/test_conversation"
  "a conversation that began elsewhere is a 400 at every service that refuses unknown members"
  [[  return inf_member_rule(w->foreign, it, to);]]
  [[  return INF_MEMBER_AS_IS;]])

infer_bug(621 provider/document.c
  "unit/test_bad_luck"
  "a gateway that writes figures as strings makes all answers free"
  [[inf_json_int64(value, true, &number)]]
  [[inf_json_int64(value, false, &number)]])

infer_bug(622 wire/json_scan.c
  "unit/test_bad_luck"
  "an answer cut within a word is the provider's mistake, and not asked for again elsewhere as a cut one"
  [[  bool cut = rest < len && memcmp(at, word, rest) == 0;]]
  [[  bool cut = false;]])

infer_bug(623 provider/ollama.c
  "unit/test_ollama"
  "a conversation with a picture that a model made is refused by Ollama"
  [[         inf_json_is(inf_json_at(it->value, 0), INF_JSON_OBJECT);]]
  [[         inf_json_is(inf_json_at(it->value, 0), INF_JSON_STRING);]])

infer_bug(624 provider/guess.c
  "unit/test_guess"
  "a figure with another character in it passes for a number: the bill is garbage"
  [[  memset(layout->span + at, 9, width);]]
  [[  memset(layout->span + at, 10, width);]])

infer_bug(683 provider/guess.c
  "unit/test_guess"
  "eight digits are read as they stand, and nine where they cannot be"
  [[  if (hole->kind != INF_HOLE_NUMBER || width > widest ||]]
  [[  if (hole->kind != INF_HOLE_NUMBER ||]])
