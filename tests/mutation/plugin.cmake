# SPDX-License-Identifier: MIT
# Bugs in what stands between plug-ins and the library. See bugs.cmake.

infer_bug(575 provider/plugin_sink.c
  "unit/test_plugin_sink"
  "a plug-in's text that is not UTF-8 reaches the application, whose JSON breaks"
  [[  return inf_utf8_valid(text) || refuse(sink, "gave text that is not UTF-8");]]
  [[  return sink && text.len < SIZE_MAX;]])

infer_bug(576 provider/plugin_sink.c
  "unit/test_plugin_sink"
  "a whole body that a plug-in did not read to its end is a success: cut"
  [[  bool whole = sink.ended || (is_whole(&sink) && !decoder->cut);]]
  [[  bool whole = sink.ended || is_whole(&sink) || !decoder->cut;]])

infer_bug(577 provider/plugin.c
  "unit/test_plugin"
  "a plug-in of a newer version is taken, and what it asks for silently left out"
  [[    if (((const char *)given)[i] != 0) {]]
  [[    if (((const char *)given)[i] != 0 && i > size) {]])

infer_bug(578 wire/split.c
  "unit/test_split"
  "a plug-in whose split counts wrong makes the library read past the bytes"
  [[    if (len < 0 || (uint64_t)len > rest.len)]]
  [[    if (len < 0)]])

infer_bug(579 config/compile.c
  "unit/test_plugin scenario/test_plugin"
  "a client whose configuration was freed calls hooks of a plug-in that is gone"
  [[      inf_plugins_copy(&shared->config.plugins, inf_config_plugins(source));]]
  [[      INFER_OK;
  shared->config.plugins = *inf_config_plugins(source);]])
