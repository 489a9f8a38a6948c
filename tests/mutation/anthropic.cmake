# SPDX-License-Identifier: MIT
# Bugs in lib/provider/anthropic*: Anthropic's Messages. See bugs.cmake.

infer_bug(410 provider/anthropic_message.c
  "unit/test_anthropic_message"
  "ids of servers that number their calls come twice: every second turn of a moved conversation is a 400"
  [[  if (id.len < ID_MIN_BYTES)
    inf_buf_appendf(&out, "call_%zu_%zu", message, call);]]
  [[  if (id.len == 0)
    inf_buf_appendf(&out, "call_%zu_%zu", message, call);]])

infer_bug(411 provider/anthropic_blocks.c
  "unit/test_anthropic_blocks"
  "the second thought goes back with the text of both: its signature does not fit, and an agent's turn ends in a 400"
  [[  size_t from = text_length(decoder->answer, block);]]
  [[  size_t from = 0;]])

infer_bug(412 provider/anthropic_read.c
  "unit/test_anthropic_read"
  "a call whose input came with its start is made without arguments: the tool does something else than was meant"
  [[                  inf_json_has_items(input) ? input : INF_SV("{}"));]]
  [[                  INF_SV("{}"));]])

infer_bug(413 provider/anthropic_read.c
  "unit/test_anthropic_read"
  "what came from the cache is not counted as input: limits are passed and the bill is a surprise"
  [[    usage.input = inf_document_sum(inf_document_sum(fresh, usage.cache_read),
                                   usage.cache_write);]]
  [[    usage.input = fresh;]])

infer_bug(414 provider/anthropic_think.c
  "unit/test_anthropic_think"
  "a conversation that moved here in the midst of tool use is asked to think by a budget: a 400 until it ends"
  [[  } else if (is_unsigned_tool_turn(writer->send->chat)) {]]
  [[  } else if (writer->send->chat->message_count == 0) {]])
