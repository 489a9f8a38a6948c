/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_SAVE_H
#define INF_TOOLS_COMPARE_SAVE_H

#include "compare_data.h"
#include "compare_prompts.h"

#include "base/buf.h"

/* --save DIR: answers side by side, to read. One Markdown file for each prompt,
 * 0001.md and so on, with the question and the first answer of each subject.
 * Files that are there are overwritten, others are left alone. */
typedef struct inf_cmp_saver {
  const char *path;
  const inf_cmp_data *data;
  const inf_cmp_prompts *prompts;
  /* By prompt and subject: what is written about the answer; empty: none. */
  inf_buf *answers;
} inf_cmp_saver;

/* Makes the folder if it is not there. Returns 0 or an exit code, having said
 * why. Nothing is saved, and no memory taken, without a path. */
int inf_cmp_saver_init(inf_cmp_saver *saver, const char *path,
                       const inf_cmp_data *data,
                       const inf_cmp_prompts *prompts);
void inf_cmp_saver_take(inf_cmp_saver *saver, const inf_cmp_sample *sample,
                        const infer_response *response,
                        const infer_error *error);
/* Writes the files. Returns 0 or an exit code, having said why. */
int inf_cmp_saver_write(const inf_cmp_saver *saver);
void inf_cmp_saver_fini(inf_cmp_saver *saver);

#endif
