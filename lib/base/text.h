/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_TEXT_H
#define INF_BASE_TEXT_H

#include <stddef.h>

/* Makes len bytes fit to be shown as one line of UTF-8, whatever a server, a
 * file name or a cut in the middle of a character left in them: control
 * characters and line separators become spaces, bytes that are not UTF-8
 * become '?', and an unfinished character at the end is dropped. Writes the
 * NUL at the new end, so text has room for len + 1 bytes. Returns the new
 * length, which is at most len. */
size_t inf_text_clean(char *text, size_t len);

#endif
