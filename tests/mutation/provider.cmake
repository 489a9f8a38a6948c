# SPDX-License-Identifier: MIT
# Bugs in lib/provider: requests and answers, and what a failure means. See bugs.cmake.

infer_bug(23 provider/decoder.c
  "unit/test_decoder"
  "a stream that ends without finish reason is a success: silent truncation"
  [[  return inf_decoder_fail(decoder, INFER_E_TRUNCATED,
                          "the stream ended before the answer did");]]
  [[  return complete(decoder);]])

infer_bug(24 provider/decoder.c
  "unit/test_decoder"
  "an answer whose [DONE] alone is missing is thrown away and paid twice"
  [[  if (all_finished(decoder))
    return complete(decoder);]]
  [[]])

infer_bug(25 provider/decoder.c
  "unit/test_decoder"
  "of three choices one has ended: that the others were cut goes unnoticed"
  [[  return answer->choice_count >= decoder->options.choices;]]
  [[  return answer->choice_count > 0;]])

infer_bug(26 provider/decoder.c
  "unit/test_decoder"
  "an error inside a 200 is lost when its connection closes without blank line"
  [[                       ? inf_sse_finish(&decoder->sse, on_event, decoder)]]
  [[                       ? INFER_OK]])

infer_bug(27 provider/decoder.c
  "unit/test_decoder"
  "a whole body has no limit: a gzip bomb takes all memory"
  [[  decoder->body.max = body_limit(decoder);]]
  [[  decoder->body.max = SIZE_MAX;]])

infer_bug(28 provider/decoder.c
  "unit/test_decoder"
  "estimated usage is passed off as measured: the bill does not match"
  [[    inf_usage usage = {-1, -1, -1, -1, -1, -1, -1, -1, true};]]
  [[    inf_usage usage = {-1, -1, -1, -1, -1, -1, -1, -1, false};]])

infer_bug(29 provider/decoder.c
  "unit/test_decoder"
  "an error page longer than 64 KiB hides the error it tells of"
  [[    len = len < room ? len : room;]]
  [[    (void)room;]])

infer_bug(30 provider/decoder.c
  "unit/test_decoder"
  "an empty stream that says [DONE] is an answer"
  [[  if (!decoder->failed && decoder->answer->choice_count == 0)
    inf_decoder_fail(decoder, INFER_E_PROTOCOL, "the stream has no answer");]]
  [[]])

infer_bug(31 provider/answer.c
  "unit/test_answer"
  "an answer has no limit: one endless stream takes all memory"
  [[  if (len > answer->max_bytes - answer->bytes) {]]
  [[  if (len > answer->max_bytes) {]])

infer_bug(32 provider/answer.c
  "unit/test_answer"
  "an empty delta counts as content: a silent provider seems alive"
  [[  if (text.len > 0 && append(answer, &choice->text, text))]]
  [[  if (append(answer, &choice->text, text))]])

infer_bug(33 provider/answer.c
  "unit/test_answer"
  "tool arguments that come after the finish reason are executed cut"
  [[  if (arguments.len > 0)
    call->done = false;]]
  [[]])

infer_bug(34 provider/answer.c
  "unit/test_answer"
  "the pieces of two parallel tool calls are mixed up"
  [[    if (index != INF_TOOL_NO_INDEX && call->index != index)
      continue;]]
  [[]])

infer_bug(35 provider/answer.c
  "unit/test_answer"
  "a later chunk without figures wipes out the usage"
  [[  if (from >= 0)
    *to = from < INF_USAGE_MAX ? from : INF_USAGE_MAX;]]
  [[  *to = from < INF_USAGE_MAX ? from : INF_USAGE_MAX;]])

infer_bug(36 provider/guess.c
  "unit/test_guess"
  "a chunk that is like the last one but for its finish reason loses it"
  [[  if (rest.len < same || memcmp(rest.ptr, template + from, same) != 0)]]
  [[  if (rest.len < same)]])

infer_bug(37 provider/guess.c
  "unit/test_guess"
  "after a chunk that is no template the next is compared with a stale one"
  [[  guess->ready = false;
  guess->spoiled = chunk.len]]
  [[  guess->spoiled = chunk.len]])

infer_bug(38 provider/hint.c
  "unit/test_hint"
  "the hint of a success, meant for the next request, delays this one"
  [[  bool http_error = failure->http_status >= 300;]]
  [[  bool http_error = true;]])

infer_bug(39 provider/hint.c
  "unit/test_hint"
  "retry-after-ms: 0 beside a real retry-after: a retry storm"
  [[      inf_parse_millis(value, &ns) && ns > 0)]]
  [[      inf_parse_millis(value, &ns))]])

infer_bug(40 provider/hint.c
  "unit/test_hint"
  "the reset of a bucket that is not empty is waited for: minutes for nothing"
  [[    else if (is_zero(left))]]
  [[    else]])

infer_bug(41 provider/classify.c
  "unit/test_classify"
  "408, 409 and 425 end the call instead of being tried again"
  [[    {408, 409, INFER_E_SERVER},]]
  [[]])

infer_bug(42 provider/classify.c
  "unit/test_classify"
  "a spent account's 429 is waited for again and again"
  [[  {INFER_E_QUOTA, ANY, WORD, "insufficient_quota"},]]
  [[]])

infer_bug(43 provider/openai_read.c
  "unit/test_openai_read"
  "the usage of the last chunk, which has no choices, is lost"
  [[  inf_openai_usage(reader, values[USAGE]);]]
  [[  if (inf_json_count(values[CHOICES]) > 0)
    inf_openai_usage(reader, values[USAGE]);]])

infer_bug(44 provider/openai_read.c
  "unit/test_openai_read"
  "invalid UTF-8 of a provider reaches the application"
  [[  if (inf_utf8_valid(*text))
    return INFER_OK;]]
  [[  if (text->len > 0)
    return INFER_OK;]])

infer_bug(45 provider/openai_read.c
  "unit/test_openai_read"
  "an error beside choices is overlooked: the cut answer is a success"
  [[  if ((alone || told) && fail_by_value(reader, object))]]
  [[  (void)told;
  if (alone && fail_by_value(reader, object))]])

infer_bug(46 provider/openai_read.c
  "unit/test_decoder"
  "an event nested too deeply is skipped: text is missing from the answer"
  [[    if (error.status == INFER_E_TOO_DEEP)
      return inf_decoder_fail(decoder, error.status,
                              "an event is nested too deeply");]]
  [[]])

infer_bug(47 provider/openai.c
  "unit/test_openai"
  "usage is not asked for in a stream: no figures, no cost"
  [[  inf_json_member_bool(body, INF_SV("include_usage"), true);]]
  [[]])

infer_bug(48 provider/member_rules.c
  "unit/test_openai unit/test_member_rules"
  "a member of the account's stands twice where the request has its own"
  [[               (!walk->of_account || !is_overridden(walk))) {]]
  [[               (!walk->of_account || true || is_overridden(walk))) {]])

infer_bug(49 provider/send.c
  "unit/test_key_memory"
  "the buffer of the headers grows and leaves a copy of the key in freed memory"
  [[  inf_buf_reserve(headers, own_bytes + fixed_bytes(send->kind) +]]
  [[  inf_buf_reserve(headers, 0 * (own_bytes + fixed_bytes(send->kind)) +]])

infer_bug(50 provider/send.c
  "unit/test_send"
  "an Authorization of the provider's own stands beside the key: two of them"
  [[  if (send->key.len == 0 || send->auth_scheme.len == 0 || has_extra(send, name))]]
  [[  if (send->key.len == 0 || send->auth_scheme.len == 0)]])

infer_bug(51 provider/send.c
  "unit/test_key_memory"
  "the headers of a request, with its key, stay in memory after it"
  [[  inf_wipe(request->url.ptr, request->url.len); /* a query may hold a key */
  inf_buf_clear(&request->url);
  if (request->headers.cap > KEEP_HEADERS_BYTES)
    inf_buf_fini_secret(&request->headers);
  inf_wipe(request->headers.ptr, request->headers.len);]]
  [[  inf_buf_clear(&request->url);
  if (request->headers.cap > KEEP_HEADERS_BYTES)
    inf_buf_fini(&request->headers);]])

infer_bug(52 provider/chat.c
  "unit/test_chat"
  "a request whose member stands twice passes: a guard reads one, they another"
  [[    else if (stands_before(&names, ends, count))
      status = refuse_at(reason, "duplicate member", offset, at);]]
  [[]])

infer_bug(53 provider/answer_join.c
  "unit/test_answer_join"
  "a server that repeats the beginning has it stand there twice"
  [[  answer->echo = text.len >= echo_min_bytes ? text : (inf_sv){0};]]
  [[  (void)echo_min_bytes;
  answer->echo = (inf_sv){0};]])

infer_bug(54 provider/answer_join.c
  "unit/test_answer_join"
  "an answer that only begins like the beginning loses its first words"
  [[    inf_answer_add_text(answer, 0, held);]]
  [[    (void)held;]])

infer_bug(55 provider/prefill.c
  "unit/test_prefill"
  "an answer in a JSON schema is continued by a model that does not see it"
  [[  if (!inf_json_is_nothing(format) &&]]
  [[  if (false && !inf_json_is_nothing(format) &&]])

infer_bug(188 provider/openai_read.c
  "unit/test_guess"
  "a chunk that ends the answer is taken for one with text only"
  [[memcmp(quote, tail, tail_len) != 0 ||]]
  [[]])

infer_bug(189 provider/openai_read.c
  "unit/test_guess"
  "an answer grows over max_response_bytes while its chunks are alike"
  [[ || len > room - run->len ||]]
  [[ ||]])

infer_bug(190 provider/openai_read.c
  "unit/test_guess"
  "an event over max_event_bytes passes while chunks are alike"
  [[        field + head_len + len + tail_len > max_bytes)]]
  [[        max_bytes == 0)]])

infer_bug(204 provider/decoder.c
  "unit/test_attempt_record"
  "the id of a request that hangs or is cancelled is lost"
  [[  decoder->headers.count = headers->count;
  if (inf_find_request_id(decoder->options.kind, &decoder->headers, &id))
    inf_failure_set_text(&decoder->failure.request_id, id);]]
  [[  decoder->headers.count = headers->count;
  (void)id;]])

infer_bug(205 provider/decoder.c
  "unit/test_attempt_record"
  "a request that never arrived has the id of an earlier one"
  [[  memset((char *)decoder + kept, 0, sizeof *decoder - kept);
  inf_failure_clear(&decoder->failure);]]
  [[  memset((char *)decoder + kept, 0, sizeof *decoder - kept);]])

infer_bug(449 provider/sigv4_canonical.c
  "unit/test_sigv4"
  "every request to a model with a colon in its name is refused: signed as sent"
  [[    put_encoded(out, segment.ptr[i]);]]
  [[    inf_buf_append_char(out, segment.ptr[i]);]])

infer_bug(450 provider/sigv4_canonical.c
  "unit/test_sigv4"
  "a query that has one name twice is refused now and then"
  [[  return order != 0 ? order : compare(a->value, b->value);]]
  [[  return order;]])

infer_bug(451 provider/sigv4_canonical.c
  "unit/test_sigv4"
  "the values of a header that stands twice are signed in reverse: refused"
  [[compare_names(items[at - 1].name, name) > 0)]]
  [[compare_names(items[at - 1].name, name) >= 0)]])

infer_bug(452 provider/sigv4.c
  "unit/test_sigv4"
  "temporary credentials are refused: their token is sent, but not signed"
  [[         (account->session_token.len == 0 ||]]
  [[         (account->session_token.len > 0 ||]])

infer_bug(453 provider/skew.c
  "unit/test_skew"
  "a refusal that has nothing to do with the clock is tried again and again"
  [[  if (theirs - ours <= LEAST_NS && ours - theirs <= LEAST_NS)
    return false;
]]
  [[]])

infer_bug(454 provider/jwt.c
  "unit/test_jwt"
  "Google refuses every assertion: its times are in milliseconds"
  [[wall_ns / (int64_t)INF_NS_PER_S]]
  [[wall_ns / (int64_t)INF_NS_PER_MS]])

infer_bug(455 provider/jwt.c
  "unit/test_jwt"
  "a plus sign in a signature comes as a blank: a token is refused now and then"
  [[  inf_base64_put_url(out, inf_sv_of((const char *)signature, len));]]
  [[  inf_base64_put(out, inf_sv_of((const char *)signature, len));]])

infer_bug(456 provider/jwt.c
  "unit/test_jwt"
  "http://localhost:x@evil.example/ is taken for this machine: the key leaks"
  [[uri.ptr[i] < 0x7f && uri.ptr[i] != '@';]]
  [[uri.ptr[i] < 0x7f;]])

infer_bug(457 provider/jwt.c
  "unit/test_jwt"
  "the application finds our errors in its thread's queue of libcrypto"
  [[    status = parse_key(&pem, key, why);
    ERR_pop_to_mark();]]
  [[    status = parse_key(&pem, key, why);
    ERR_clear_last_mark();]])

infer_bug(415 provider/gemini_read.c
  "unit/test_gemini_read conformance/decode_recordings"
  "tools are never called: an answer with calls says that it has stopped"
  [[  if (inf_sv_eq(found, INF_SV("stop")) && choice && choice->tool_call_count > 0)
    return INF_SV("tool_calls");
]]
  [[]])

infer_bug(416 provider/gemini_contents.c
  "unit/test_gemini_contents"
  "the second turn with tools is refused: signatures stay with nobody"
  [[  if (signature.len > 0)
    inf_json_member_raw(out, INF_SV("thoughtSignature"), signature);
]]
  [[]])

infer_bug(417 provider/gemini_read.c
  "unit/test_gemini_read conformance/decode_recordings"
  "thinking is free in the books: its tokens are not among the output's"
  [[inf_document_number(at[CANDIDATES_COUNT]),
                                  usage.reasoning);]]
  [[inf_document_number(at[CANDIDATES_COUNT]),
                                  0);]])

infer_bug(418 provider/gemini_alike.c
  "unit/test_gemini_alike"
  "the cost of a stream that was cut is that of its first words"
  [[    last = quote;]]
  [[    last = last ? last : quote;]])

infer_bug(419 provider/gemini_read.c
  "unit/test_gemini_read"
  "a blocked prompt is taken for a broken server, and sent again and again"
  [[    if (reason.len > 0)
      return fail_blocked(decoder, reason);]]
  [[    if (reason.len > 0)
      return INFER_E_PROTOCOL;]])

infer_bug(684 provider/gemini_config.c
  "unit/test_attempt_request"
  "calls no longer fit their schema with another provider, and nothing tells why"
  [[      inf_member_note_within(request->send, "tools.function", &it);
]]
  [[]])

infer_bug(686 provider/message_taken.c
  "unit/test_message_taken"
  "each turn that is sent back is said to lose its thoughts, which go out signed"
  [[!(told && inf_message_is_reasoning(&it))]]
  [[true]])

infer_bug(687 provider/conversation.c
  "unit/test_attempt_request"
  "what Groq refuses of a message is left out without a word"
  [[    if (!inf_message_is_reasoning(it) || reasoning_of(w, message).len == 0)
      inf_member_note_within(w->send, "messages", it);
]]
  [[]])

infer_bug(688 provider/anthropic_message.c
  "unit/test_attempt_request"
  "a call in the old way (function_call) is left out: the conversation has a hole"
  [[    inf_anthropic_refuse(writer, "function_call", ": send tool_calls instead");]]
  [[    ;]])

infer_bug(689 provider/member_rules.c
  "unit/test_member_rules"
  "a request with many members that go nowhere is said to lose only the first"
  [[    name = more;]]
  [[    return;]])

infer_bug(690 provider/embed_write.c
  "unit/test_attempt_request"
  "what a text is for is not told to a server of its own, and nobody is told that"
  [[  note_left_out(send, "user input_type");
  inf_json_open(&out->body, '{');]]
  [[  inf_json_open(&out->body, '{');]])
