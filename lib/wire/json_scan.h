/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_SCAN_H
#define INF_WIRE_JSON_SCAN_H

#include "wire/json_value.h"

/* Reading JSON (RFC 8259) in place: no tree, no allocation, the bytes as they
 * came. A value is a view of its text; numbers keep every digit and unknown
 * members every byte.
 *
 * inf_json_parse() checks a whole text once. The readers in json_value.h take
 * only values that come from a checked text (or from inf_json_scan()), so they
 * need no error path. Duplicate member names are legal JSON: inf_json_get()
 * gives the last, as most parsers do; who must refuse them walks the object
 * with an iterator. */

/* A larger max_depth counts as this one. */
#define INF_JSON_MAX_DEPTH 512

typedef struct inf_json_error {
  size_t offset;       /* where */
  size_t line, column; /* from 1; the column counts bytes */
  const char *reason;  /* static text: "expected ',' or '}'" */
  int32_t status;      /* INFER_E_INVALID_ARGUMENT, or INFER_E_TOO_DEEP */
} inf_json_error;

/* Checks that text is one JSON value with nothing but whitespace around it,
 * nested at most max_depth deep ("[]" is 1 deep), strings valid UTF-8. Gives
 * the value without the whitespace. False with *error (may be NULL) filled
 * in otherwise. */
bool inf_json_parse(inf_sv text, unsigned max_depth, inf_sv *value,
                    inf_json_error *error);

/* The same, and fills the index. */
bool inf_json_parse_index(inf_sv text, unsigned max_depth, inf_sv *value,
                          inf_json_index *index, inf_json_error *error);

/* Checks one value at the start of text (leading whitespace skipped) and
 * gives it; what follows is not looked at. Invalid UTF-8 within strings is
 * let through: inf_json_string() replaces it. This is for what providers
 * send; inf_json_parse() for what callers give. */
bool inf_json_scan(inf_sv text, unsigned max_depth, inf_sv *value,
                   inf_json_error *error);
/* The same, and fills the index. */
bool inf_json_scan_index(inf_sv text, unsigned max_depth, inf_sv *value,
                         inf_json_index *index, inf_json_error *error);
/* The same of an object whose beginning was checked before: from its bracket,
 * which is the first byte of the text, to where the value of a member begins,
 * whose name that is (not empty). The index has that member and those after
 * it. max_depth is at least 1. */
bool inf_json_scan_rest(inf_sv text, size_t known, inf_sv name,
                        unsigned max_depth, inf_sv *value,
                        inf_json_index *index, inf_json_error *error);

#endif
