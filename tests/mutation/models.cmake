# SPDX-License-Identifier: MIT
# Bugs in the catalogue of models and what is made of it. See bugs.cmake.

infer_bug(550 config/model_facts.c
  "unit/test_model_facts"
  "what is run in Europe on Bedrock is counted ten percent too cheap"
  [[  else if (where && where->regional && g)]]
  [[  else if (where && where->regional && !g)]])

infer_bug(551 config/compile_provider.c
  "unit/test_compile_target scenario/test_options"
  "the model on one's own server costs what OpenAI's of that name costs"
  [[  if (at_home || provider->catalogue == INF_CATALOGUE_ON)]]
  [[  if (at_home || provider->catalogue != INF_CATALOGUE_OFF)]])

infer_bug(552 config/compile_target.c
  "unit/test_compile_target"
  "a price that was agreed on is mixed with that of the list"
  [[  if (!says_price(&target->price)) {]]
  [[  if (target->price.input < 0) {]])

infer_bug(553 engine/fit.c
  "unit/test_fit scenario/test_options"
  "who asks for ten tokens gets, and pays, as many as the model can write"
  [[         *tokens > target->output_tokens;]]
  [[         *tokens != target->output_tokens;]])

infer_bug(554 engine/fit.c
  "unit/test_fit"
  "the temperature is dropped, and no log tells of it"
  [[    if (!is_usual(&samplings[i], value))]]
  [[    if (is_usual(&samplings[i], value))]])
