/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_OPTIONS_H
#define INF_CONFIG_OPTIONS_H

#include "config/config.h"

/* Looking things up in the table of options. */

/* In place of an offset: the section's own code reads this option, because
 * what it becomes is no plain field. */
#define INF_OPTION_APART ((size_t)-1)

/* The option `name` of the section, or `group.name` where group is not empty.
 * NULL if there is none. */
const inf_option *inf_option_find(const char *section, inf_sv group,
                                  inf_sv name);
/* Is there an option "name.something" in the section? */
bool inf_option_is_group(const char *section, inf_sv name);
/* A number kept in millionths, as people write it; the application's locale has
 * no say. Returns text. */
#define INF_DECIMAL_TEXT 24
const char *inf_option_decimal(int64_t millionths, char text[INF_DECIMAL_TEXT]);
/* The index-th word of the option's choices; the empty view past the end. */
inf_sv inf_option_choice(const inf_option *option, size_t index);
/* Index of the word, or -1. */
int32_t inf_option_choice_index(const inf_option *option, inf_sv word);
/* Is the member the user's own ("x-...")? */
bool inf_option_is_private(inf_sv name);

#endif
