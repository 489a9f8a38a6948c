/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_JSON_REFERENCE_H
#define TESTS_SUPPORT_JSON_REFERENCE_H

#include "wire/json_scan.h"

/* The checker and the readers of JSON, held against json-c. */
typedef enum json_verdict {
  JSON_SAME,        /* both accept it and read the same */
  JSON_BOTH_REFUSE, /* neither accepts it */
  JSON_LAX,         /* json-c accepts what is no JSON, as it is known to do */
  JSON_KNOWN,       /* json-c reads it wrong, as it is known to do */
  /* One of us is wrong. */
  JSON_ONLY_OURS,
  JSON_ONLY_THEIRS,
  JSON_DIFFERENT,
} json_verdict;

/* *why is the reason why we refuse it, "" if we do not. Aborts when memory is
 * short. */
json_verdict json_judge(inf_sv text, unsigned max_depth, const char **why);

#endif
