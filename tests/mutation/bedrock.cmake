# SPDX-License-Identifier: MIT
# Bugs in Bedrock's dialect: framing, reading, writing, signing. See bugs.cmake.

infer_bug(420 provider/frames.c
  "unit/test_frames unit/test_bedrock_read"
  "an exception within a stream is passed over: throttling looks like silence"
  [[  if (inf_sv_eq(kind, INF_SV("exception")) ||
      inf_sv_eq(kind, INF_SV("error"))) {]]
  [[  if (inf_sv_eq(kind, INF_SV("error"))) {]])

infer_bug(421 provider/bedrock_read.c
  "unit/test_bedrock_read"
  "the answer is over before its usage came: every bill is a guess"
  [[    read_rest(decoder->answer, value);
    read_stop(decoder, value);
  } else {]]
  [[    read_rest(decoder->answer, value);
    read_stop(decoder, value);
    return INF_DECODER_DONE;
  } else {]])

infer_bug(422 provider/aws.c
  "unit/test_aws unit/test_bedrock"
  "temporary credentials are sent without their token, and refused"
  [[  account->session_token = token;]]
  [[  account->session_token = INF_SV("");]])

infer_bug(423 engine/attempt.c
  "unit/test_attempt_request"
  "a clock that is wrong takes every key out until the next reload"
  [[  attempt->clock_corrected = corrects_clock(attempt, status);]]
  [[  corrects_clock(attempt, status);]])

infer_bug(424 provider/bedrock_message.c
  "unit/test_bedrock_message"
  "results of tools that ran side by side go out as messages of one side in a row, which Bedrock refuses"
  [[  if (!role || role == writer->role)
    return;]]
  [[  if (!role)
    return;]])

infer_bug(680 provider/bedrock_parts.c
  "unit/test_bedrock_read"
  "an image that came in pieces has the padding of each in its middle, and cannot be decoded"
  [[  if (all->has_bytes && all->split) {]]
  [[  if (all->has_bytes) {]])
