/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_READ_H
#define INF_TOOLS_SIM_READ_H

#include "sim_dist.h"
#include "sim_mem.h"

#include "wire/json_scan.h"

/* Reading a script: a table of fields for each kind of object, values of the
 * few types that there are, and errors that name the path of the member:
 * "rules[2].do.first_token_ms: must be a number or a distribution". */
typedef struct inf_sim_reader {
  inf_sim_arena *arena; /* what is read lives here */
  inf_buf path;         /* of the member being read */
  inf_buf error;        /* the first error; empty: none */
} inf_sim_reader;

void inf_sim_reader_init(inf_sim_reader *reader, inf_sim_arena *arena);
void inf_sim_reader_fini(inf_sim_reader *reader);
/* Notes the error with the path before it, and returns false. */
bool inf_sim_reader_fail(inf_sim_reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Goes down to a member or an element; leave() with what they return. */
size_t inf_sim_reader_enter(inf_sim_reader *reader, inf_sv name);
size_t inf_sim_reader_enter_at(inf_sim_reader *reader, size_t index);
void inf_sim_reader_leave(inf_sim_reader *reader, size_t mark);

/* Reads a value into *to. param is the reader's own. */
typedef bool (*inf_sim_read_fn)(inf_sim_reader *reader, inf_sv value, void *to,
                                const void *param);

typedef struct inf_sim_field {
  const char *name;
  inf_sim_read_fn read;
  size_t offset;
  const void *param;
} inf_sim_field;

#define INF_SIM_FIELDS_MAX 128

/* Reads an object by its table: at most INF_SIM_FIELDS_MAX fields. Unknown and
 * repeated members are errors; names that begin with "x-" are the user's own.
 */
bool inf_sim_read_fields(inf_sim_reader *reader, inf_sv value, void *to,
                         const inf_sim_field *fields, size_t count);

/* A count or text that may be absent. null and false take it away again,
 * where a rule undoes what the defaults say. */
typedef struct inf_sim_opt {
  bool set;
  uint64_t value;
} inf_sim_opt;

typedef struct inf_sim_text {
  bool set;
  inf_sv sv; /* NUL-terminated */
} inf_sim_text;

typedef struct inf_sim_opt_dist {
  bool set;
  inf_sim_dist dist;
} inf_sim_opt_dist;

/* The types. In brackets what `to` points to. */

bool inf_sim_read_bool(inf_sim_reader *reader, inf_sv value, void *to,
                       const void *param); /* [bool] */
/* [int8_t]: 0 or 1, for what is -1 when absent */
bool inf_sim_read_tristate(inf_sim_reader *reader, inf_sv value, void *to,
                           const void *param);
/* [uint64_t]; param: const uint64_t[2], least and greatest, or NULL */
bool inf_sim_read_count(inf_sim_reader *reader, inf_sv value, void *to,
                        const void *param);
bool inf_sim_read_opt(inf_sim_reader *reader, inf_sv value, void *to,
                      const void *param); /* [inf_sim_opt], param as above */
/* [double] from 0 to 1 */
bool inf_sim_read_probability(inf_sim_reader *reader, inf_sv value, void *to,
                              const void *param);
bool inf_sim_read_text(inf_sim_reader *reader, inf_sv value, void *to,
                       const void *param); /* [inf_sim_text] */
/* [int]; param: NULL-terminated names */
bool inf_sim_read_enum(inf_sim_reader *reader, inf_sv value, void *to,
                       const void *param);
bool inf_sim_read_dist(inf_sim_reader *reader, inf_sv value, void *to,
                       const void *param); /* [inf_sim_dist] */
bool inf_sim_read_opt_dist(inf_sim_reader *reader, inf_sv value, void *to,
                           const void *param); /* [inf_sim_opt_dist] */
/* [inf_sv] any value as JSON text without whitespace: one line */
bool inf_sim_read_json(inf_sim_reader *reader, inf_sv value, void *to,
                       const void *param);
/* [inf_sv] the same of an object; null and false: the empty view */
bool inf_sim_read_raw_object(inf_sim_reader *reader, inf_sv value, void *to,
                             const void *param);

/* The decoded text of a string, in the arena. */
bool inf_sim_read_string(inf_sim_reader *reader, inf_sv value, inf_sv *text);

typedef struct inf_sim_pair {
  inf_sv name, value; /* NUL-terminated */
} inf_sim_pair;

typedef struct inf_sim_pairs {
  const inf_sim_pair *items;
  size_t count;
} inf_sim_pairs;

/* [inf_sim_pairs] an object whose values are strings, numbers or booleans */
bool inf_sim_read_pairs(inf_sim_reader *reader, inf_sv value, void *to,
                        const void *param);

typedef struct inf_sim_texts {
  const inf_sv *items;
  size_t count;
} inf_sim_texts;

/* [inf_sim_texts] a string or an array of strings; null and false: none */
bool inf_sim_read_texts(inf_sim_reader *reader, inf_sv value, void *to,
                        const void *param);

/* Appends valid JSON without the whitespace between its tokens. */
void inf_sim_put_compact(inf_buf *out, inf_sv json);

/* Does value say "take it away": null or false? */
bool inf_sim_is_off(inf_sv value);

#endif
