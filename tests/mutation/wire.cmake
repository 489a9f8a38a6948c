# SPDX-License-Identifier: MIT
# Bugs in lib/wire: bytes and events, JSON, numbers, headers, dates. See bugs.cmake.

infer_bug(9 wire/sse.c
  "unit/test_sse"
  "a CRLF that is split between two packets counts twice: events fall apart"
  [[    sse->after_cr = true;]]
  [[    sse->after_cr = false;]])

infer_bug(10 wire/sse.c
  "unit/test_sse"
  "an event's limit counts the whole stream: long answers break off"
  [[  field_clear(&sse->error);
  sse->event_bytes = 0;]]
  [[  field_clear(&sse->error);]])

infer_bug(11 wire/sse.c
  "unit/test_sse"
  "a comment split between two packets is taken for data"
  [[  return sse->in_comment || part.len == 0 || grow_line(sse, part);]]
  [[  sse->in_comment = false;
  return part.len == 0 || grow_line(sse, part);]])

infer_bug(12 wire/json_scan.c
  "unit/test_json_scan"
  "a thousand nested brackets pass: whoever reads them overflows its stack"
  [[  if (open->depth >= open->max) {]]
  [[  if (open->depth >= INF_JSON_MAX_DEPTH) {]])

infer_bug(13 wire/json_value.c
  "unit/test_json_value"
  "an emoji that is written as two escapes comes as two question marks"
  [[  if (first < 0xd800 || first > 0xdbff || !code_unit(*raw, &second) ||
      second < 0xdc00 || second > 0xdfff)
    return first;]]
  [[  if (first < 0xd800 || first > 0xdfff || !code_unit(*raw, &second) ||
      second < 0xd800 || second > 0xdbff)
    return first;]])

infer_bug(14 wire/json_value.c
  "unit/test_json_value"
  "of a member that stands twice the first counts, and the guard read the last"
  [[    if (inf_json_key_is(&it, name))
      found = it.value;]]
  [[    if (inf_json_key_is(&it, name))
      return it.value;]])

infer_bug(15 wire/number.c
  "unit/test_number"
  "under a German locale temperature 0.7 is read as 0"
  [[  *number = strtod_l(cstr, NULL, c_locale);]]
  [[  *number = strtod(cstr, NULL);]])

infer_bug(16 wire/number.c
  "unit/test_number"
  "under a German locale temperature 0.7 is sent as 0,7: HTTP 400"
  [[    if (part)
      text[len++] = *at;
    else if (len > 0 && text[len - 1] != '.')
      text[len++] = '.';]]
  [[    (void)part;
    text[len++] = *at;]])

infer_bug(17 wire/utf8.c
  "unit/test_utf8"
  "half a character at the end of a text is let through"
  [[    if (i == len || bytes[i] < low || bytes[i] > high)
      return i;]]
  [[    if (i == len)
      break;
    if (bytes[i] < low || bytes[i] > high)
      return i;]])

infer_bug(18 wire/header_values.c
  "unit/test_header_values"
  "a huge Retry-After wraps around to a short one: a retry storm"
  [[    if (value > limit / unit)
      return false;]]
  [[]])

infer_bug(19 wire/headers.c
  "unit/test_headers"
  "over HTTP/2, which writes names in lower case, headers are not found"
  [[        inf_sv_eq_nocase(inf_sv_of(rest.ptr, name.len), name)) {]]
  [[        inf_sv_eq(inf_sv_of(rest.ptr, name.len), name)) {]])

infer_bug(20 wire/headers.c
  "unit/test_headers"
  "a line feed in a header value writes a header of its own"
  [[    if ((c < 0x20 && c != '\t') || c == 0x7f)
      return false;]]
  [[    if (c == '\0' || c == 0x7f)
      return false;]])

infer_bug(21 wire/json_write.c
  "unit/test_json_write"
  "a control character in a prompt makes the body invalid JSON"
  [[  if (c < 0x20 && letters[c] != 0) {
    escape[1] = letters[c];
  } else if (c < 0x20) {]]
  [[  if (c < 0x20 && letters[c] != 0) {
    escape[1] = letters[c];
  } else if (c < 0x10) {]])

infer_bug(22 wire/date.c
  "unit/test_date"
  "a reset time with an offset from UTC is hours off"
  [[(west ? -1 : 1)]]
  [[(west ? 1 : -1)]])

infer_bug(187 wire/json_scan.c
  "unit/test_json_value"
  "what stands after a nested value is skipped"
  [[  index->open = entry->next;
  entry->end = (uint32_t)(at - index->text);
  entry->next = index->count;]]
  [[  entry->end = (uint32_t)(at - index->text);
  entry->next = index->open = index->count;]])

infer_bug(440 wire/ndjson.c
  "unit/test_ndjson"
  "the half line that a cut connection leaves behind is taken for a document"
  [[  if (rest.len > 0 && !is_whole(rest))
    stop(ndjson, INFER_E_TRUNCATED);
  else if (take_line]]
  [[  if (take_line]])

infer_bug(441 wire/ndjson.c
  "unit/test_ndjson"
  "a line over its limit passes when it comes in one piece"
  [[  if (line.len > ndjson->max_line_bytes)
    return stop(ndjson, INFER_E_TOO_LARGE);
]]
  [[]])

infer_bug(442 wire/json_array.c
  "unit/test_json_array"
  "a quote whose backslash ended the packet before ends its string"
  [[  array->escaped = c == '\\';]]
  [[  if (c == '\\' && in->at < end)
    in->at++;]])

infer_bug(443 wire/json_array.c
  "unit/test_json_array"
  "an answer that was cut between two elements passes for a whole one"
  [[inf_json_array_ended(array) ? INFER_OK]]
  [[array->element.len == 0 ? INFER_OK]])

infer_bug(444 wire/eventstream.c
  "unit/test_eventstream"
  "a flipped bit in a length swallows the rest of the stream"
  [[  if (inf_crc32(0, bytes.ptr, 8) != word_at(bytes, 8))
    return stop(stream, INFER_E_PROTOCOL, "a prelude's checksum is wrong");
]]
  [[]])

infer_bug(445 wire/eventstream.c
  "unit/test_eventstream"
  "a negative number in a header comes as a large one"
  [[(int64_t)((bits ^ sign) - sign)]]
  [[(int64_t)(bits & ~(sign & 0))]])

infer_bug(446 wire/eventstream.c
  "unit/test_eventstream"
  "a stream cut in the first bytes of a message passes for a whole one"
  [[  if (!stream->stopped && stream->message.len > 0)]]
  [[  if (!stream->stopped && stream->message.len > prelude_bytes)]])

infer_bug(447 wire/eventstream.c
  "unit/test_eventstream"
  "a header of an unknown type is read by a table that does not go so far"
  [[  if (type >= sizeof(value_bytes))]]
  [[  if (type > sizeof(value_bytes))]])

infer_bug(448 wire/base64.c
  "unit/test_base64"
  "an embedding's numbers come with their bytes reversed: all is noise"
  [[  for (int i = 3; i >= 0; i--)]]
  [[  for (int i = 0; i < 4; i++)]])

infer_bug(458 wire/eventstream.c
  "unit/test_eventstream"
  "sixteen mebibytes are set aside for a message of which little has come"
  [[  inf_sv part = *rest;

  if (part.len > missing)]]
  [[  inf_sv part = *rest;

  inf_buf_reserve(&stream->message, missing);
  if (part.len > missing)]])

infer_bug(459 wire/date.c
  "unit/test_date"
  "in January and February requests are signed for the year before: refused"
  [[  time.year = (int)(year + era * 400 + (time.month <= 2));]]
  [[  time.year = (int)(year + era * 400);]])

infer_bug(681 wire/json_names.c
  "unit/test_json_names unit/test_gemini_alike"
  "of a chunk that says more than a text the rest is lost, and of all that are like it"
  [[      alone = false;
      continue;]]
  [[      continue;]])

infer_bug(682 wire/json_names.c
  "unit/test_json_names"
  "of a member that comes twice the first stands, where other readers take the last"
  [[    values[at] = it.value;]]
  [[    values[at] = values[at].len > 0 ? values[at] : it.value;]])
