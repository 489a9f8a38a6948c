/* SPDX-License-Identifier: MIT */
#ifndef TEST_JSON_COMPARE_H
#define TEST_JSON_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

/* Do two JSON texts mean the same, whatever the order of members? where gets
 * the path of the first difference. */
bool json_same(const char *a, const char *b, char *where, size_t size);

#endif
