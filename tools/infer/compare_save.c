/* SPDX-License-Identifier: MIT */
/* Keeps answers to read side by side. */

#include "compare_save.h"

#include "cmd.h"
#include "compare_file.h"
#include "compare_text.h"
#include "out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ANSWER_BYTES ((size_t)16 << 20)

int
inf_cmp_saver_init(inf_cmp_saver *saver, const char *path,
                   const inf_cmp_data *data, const inf_cmp_prompts *prompts)
{
  *saver = (inf_cmp_saver){.path = path, .data = data, .prompts = prompts};
  if (!path) {
    return 0;
  }
  if (mkdir(path, 0777) != 0 && errno != EEXIST) {
    inf_say("%s: %s", path, strerror(errno));
    return EXIT_USAGE;
  }
  size_t count = prompts->count * data->subject_count;
  saver->answers = calloc(count, sizeof(*saver->answers));
  if (!saver->answers) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  for (size_t i = 0; i < count; i++) {
    inf_buf_init(&saver->answers[i], MAX_ANSWER_BYTES);
  }
  return 0;
}

void
inf_cmp_saver_fini(inf_cmp_saver *saver)
{
  size_t count =
      saver->answers ? saver->prompts->count * saver->data->subject_count : 0;
  for (size_t i = 0; i < count; i++) {
    inf_buf_fini(&saver->answers[i]);
  }
  free(saver->answers);
  saver->answers = NULL;
}

/* A fence that is longer than any in the text, so that the text cannot end
 * it. */
static void
put_block(inf_buf *out, const char *text, size_t len)
{
  size_t longest = 2, run = 0;
  for (size_t i = 0; i < len; i++) {
    run = text[i] == '`' ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  for (int end = 0; end < 2; end++) {
    for (size_t i = 0; i <= longest; i++) {
      inf_buf_append_char(out, '`');
    }
    inf_buf_append_char(out, '\n');
    if (end == 0) {
      inf_buf_append(out, text, len);
      inf_buf_append_cstr(out, len > 0 && text[len - 1] == '\n' ? "" : "\n");
    }
  }
}

static void
put_answer(inf_buf *out, const infer_response *response)
{
  size_t len = 0;
  const char *text = infer_response_text(response, &len);
  if (len > 0) {
    put_block(out, text, len);
  }
  size_t calls = infer_response_tool_call_count(response, 0);
  for (size_t i = 0; i < calls; i++) {
    char name[200];
    text = infer_response_tool_call_arguments(response, 0, i, &len);
    inf_buf_appendf(
        out, "Calls %s with:\n",
        inf_cmp_clean(name, sizeof(name),
                      infer_response_tool_call_name(response, 0, i)));
    put_block(out, text, len);
  }
}

void
inf_cmp_saver_take(inf_cmp_saver *saver, const inf_cmp_sample *sample,
                   const infer_response *response, const infer_error *error)
{
  if (!saver->answers) {
    return;
  }
  inf_buf *out = &saver->answers[sample->prompt * saver->data->subject_count +
                                 sample->subject];
  if (out->len > 0 || sample->stopped) {
    return; /* the first one is kept */
  }
  char text[512];
  if (!response) {
    inf_buf_appendf(out, "%s\n", infer_status_name(sample->status));
    const char *message = infer_error_message(error);
    inf_buf_appendf(out, "%s\n", inf_cmp_clean(text, sizeof(text), message));
    return;
  }
  const char *target = infer_response_target(response);
  inf_buf_appendf(out, "From %s; ", inf_cmp_clean(text, sizeof(text), target));
  inf_buf_appendf(out, "first token %.0f ms, all %.0f ms; %lld tokens; ",
                  sample->ttft_ms, sample->total_ms,
                  (long long)sample->output_tokens);
  inf_buf_appendf(out, "finish reason %s.\n\n",
                  inf_cmp_clean(text, sizeof(text), sample->finish));
  put_answer(out, response);
}

static void
put_prompt(inf_buf *out, const inf_cmp_saver *saver, size_t prompt)
{
  const inf_cmp_prompt *entry = &saver->prompts->list[prompt];
  char name[300];
  const char *messages = json_object_to_json_string_ext(
      entry->messages,
      JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
  inf_buf_appendf(out, "# Prompt %s\n\n",
                  inf_cmp_clean(name, sizeof(name), entry->name));
  put_block(out, messages, strlen(messages));
  for (size_t i = 0; i < saver->data->subject_count; i++) {
    const inf_buf *answer =
        &saver->answers[prompt * saver->data->subject_count + i];
    inf_buf_appendf(
        out, "\n## %s\n\n%s",
        inf_cmp_clean(name, sizeof(name), saver->data->subjects[i].name),
        answer->len > 0 ? answer->ptr : "Not asked.\n");
  }
}

static bool
was_asked(const inf_cmp_saver *saver, size_t prompt)
{
  for (size_t i = 0; i < saver->data->subject_count; i++) {
    if (saver->answers[prompt * saver->data->subject_count + i].len > 0) {
      return true;
    }
  }
  return false;
}

int
inf_cmp_saver_write(const inf_cmp_saver *saver)
{
  int code = 0;
  size_t count = saver->answers ? saver->prompts->count : 0;
  size_t room = saver->path ? strlen(saver->path) + 32 : 0;
  char *path = malloc(room + 1);
  for (size_t i = 0; path && i < count && code == 0; i++) {
    if (!was_asked(saver, i)) {
      continue;
    }
    inf_buf text;
    inf_buf_init(&text, MAX_ANSWER_BYTES * 4);
    put_prompt(&text, saver, i);
    snprintf(path, room, "%s/%04zu.md", saver->path, i + 1);
    code = inf_cmp_file_write(path, &text);
    inf_buf_fini(&text);
  }
  free(path);
  return path || count == 0 ? code : EXIT_CALL_FAILED;
}
