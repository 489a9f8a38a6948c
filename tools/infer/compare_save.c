/* SPDX-License-Identifier: MIT */
/* Keeps answers to read side by side. */

#include "compare_save.h"

#include "cmd.h"
#include "compare_text.h"
#include "out.h"
#include "report_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_ANSWER_BYTES ((size_t)16 << 20)

/* The name of a prompt's file, to be freed; NULL if memory is short. */
static char *
path_of(const inf_cmp_saver *saver, size_t prompt)
{
  size_t size = strlen(saver->path) + 32;
  char *path = malloc(size);
  if (path) {
    snprintf(path, size, "%s/%04zu.md", saver->path, prompt + 1);
  }
  return path;
}

/* Makes the folder, and looks whether it takes files. 0 or an exit code. */
static int
make_folder(const inf_cmp_saver *saver)
{
  if (mkdir(saver->path, 0777) != 0 && errno != EEXIST) {
    inf_say("%s: %s", saver->path, strerror(errno));
    return EXIT_USAGE;
  }
  char *path = path_of(saver, 0);
  bool ok = path && inf_report_check(path);
  free(path);
  return ok ? 0 : EXIT_USAGE;
}

int
inf_cmp_saver_init(inf_cmp_saver *saver, const char *path,
                   const inf_cmp_data *data, const inf_cmp_prompts *prompts)
{
  *saver = (inf_cmp_saver){.path = path, .data = data, .prompts = prompts};
  if (!path) {
    return 0;
  }
  int code = make_folder(saver);
  if (code != 0) {
    return code;
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

/* A name within a line of Markdown: nothing in it is markup. */
static void
put_name(inf_buf *out, const char *name)
{
  char clean[512];
  inf_cmp_clean(clean, sizeof(clean), name);
  for (const char *c = clean; *c; c++) {
    if (strchr("\\`*<&[]", *c)) {
      inf_buf_append_char(out, '\\');
    }
    inf_buf_append_char(out, *c);
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
    text = infer_response_tool_call_arguments(response, 0, i, &len);
    inf_buf_append_cstr(out, "Calls ");
    put_name(out, infer_response_tool_call_name(response, 0, i));
    inf_buf_append_cstr(out, " with:\n");
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
  if (!response) {
    inf_buf_appendf(out, "%s\n", infer_status_name(sample->status));
    put_name(out, infer_error_message(error));
    inf_buf_append_char(out, '\n');
    return;
  }
  inf_buf_append_cstr(out, "From ");
  put_name(out, infer_response_target(response));
  inf_buf_appendf(
      out, "; first token %.0f ms, all %.0f ms; %lld tokens; finish reason ",
      sample->ttft_ms, sample->total_ms, (long long)sample->output_tokens);
  put_name(out, sample->finish);
  inf_buf_append_cstr(out, ".\n\n");
  put_answer(out, response);
}

static void
put_prompt(inf_buf *out, const inf_cmp_saver *saver, size_t prompt)
{
  const inf_cmp_prompt *entry = &saver->prompts->list[prompt];
  const char *messages = json_object_to_json_string_ext(
      entry->messages,
      JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
  inf_buf_append_cstr(out, "# Prompt ");
  put_name(out, entry->name);
  inf_buf_append_cstr(out, "\n\n");
  put_block(out, messages, strlen(messages));
  for (size_t i = 0; i < saver->data->subject_count; i++) {
    const inf_buf *answer =
        &saver->answers[prompt * saver->data->subject_count + i];
    inf_buf_append_cstr(out, "\n## ");
    put_name(out, saver->data->subjects[i].name);
    inf_buf_append_cstr(out, "\n\n");
    inf_buf_append_sv(out, answer->len > 0 ? inf_buf_sv(answer)
                                           : INF_SV("Not asked.\n"));
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

static bool
write_prompt(const inf_cmp_saver *saver, size_t prompt)
{
  inf_buf text;
  inf_buf_init(&text, MAX_ANSWER_BYTES * 4);
  put_prompt(&text, saver, prompt);
  char *path = path_of(saver, prompt);
  bool ok = path && inf_report_write(path, &text);
  free(path);
  inf_buf_fini(&text);
  return ok;
}

int
inf_cmp_saver_write(const inf_cmp_saver *saver)
{
  bool ok = true;
  size_t count = saver->answers ? saver->prompts->count : 0;
  for (size_t i = 0; ok && i < count; i++) {
    ok = !was_asked(saver, i) || write_prompt(saver, i);
  }
  return ok ? 0 : EXIT_CALL_FAILED;
}
