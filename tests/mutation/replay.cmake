# SPDX-License-Identifier: MIT
# Bugs in `infer replay`. See bugs.cmake.

infer_bug(595 tools/infer/replay_trace_line.c
  "replay/part_trace"
  "a trace whose times name their zone cannot be read"
  [[  bool zone = memchr(copy + time_bytes, 'Z', text.len - time_bytes) ||
              memchr(copy + time_bytes, '+', text.len - time_bytes) ||]]
  [[  bool zone = memchr(copy + time_bytes, 'Z', text.len - time_bytes) ||]])

infer_bug(596 tools/infer/replay_fit.c
  "replay/part_fit"
  "what a prompt's length does to the first token counts twice"
  [[    rest -= slope > 0 ? slope * answers[i]->prompt_tokens : 0;]]
  [[    rest -= 0;]])

infer_bug(597 tools/infer/replay_server.c
  "replay/part_run"
  "two configurations meet other weather, and their difference is chance"
  [[  seed ^= target->hash + facts->number * 0xd1b54a32d192ed03u;]]
  [[  seed ^= target->hash + exchange->ask.place * 0xd1b54a32d192ed03u;]])

infer_bug(598 tools/infer/replay_run.c
  "replay/part_run"
  "an answer that takes longer than it may be silent is given up"
  [[    if (quarter_ns > 0 && quarter_ns < gap_ns) {]]
  [[    if (quarter_ns > gap_ns) {]])

infer_bug(599 tools/infer/replay_quota.c
  "replay/part_quota"
  "a request that is refused for its tokens uses up the quota of requests"
  [[  if (*wait_ns > 0) {
    return false;
  }
  quota->requests -= by_requests ? unit : 0;]]
  [[  quota->requests -= by_requests ? unit : 0;
  if (*wait_ns > 0) {
    return false;
  }]])
