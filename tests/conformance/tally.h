/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_TALLY_H
#define TESTS_CONFORMANCE_TALLY_H

#include "conformance/kinds.h"

#include <stdbool.h>
#include <stddef.h>

/* Counts cases by provider and prints the table that every conformance
 * program ends with. Zero-initialised it is empty. */

#define TALLY_MAX_PROVIDERS 128
#define TALLY_MAX_APIS      16

typedef struct tally_row {
  char provider[64];
  unsigned cases, passed, failed;
  char why[160]; /* the first failure: its case and the first difference */
} tally_row;

typedef struct case_tally {
  tally_row rows[TALLY_MAX_PROVIDERS];
  size_t row_count;
  unsigned cases, failed;
  unsigned without_oracle; /* expected.json is absent or says "skip" */
  unsigned not_yet;        /* of an API whose dialect there is not */
  /* Which those are; more than these are not told. */
  struct {
    char api[32];
    unsigned cases;
  } apis[TALLY_MAX_APIS];
} case_tally;

/* Is the case one to look at? If not it is counted as what it is; one whose
 * expected.json is broken has failed. kind: NULL
 * where it is of an API whose dialect there is not. */
bool tally_takes(case_tally *tally, const test_case *test,
                 const test_kind *kind);
/* why: a line for each difference; only read if the case failed. */
void tally_add(case_tally *tally, const test_case *test, bool passed,
               const char *why);
/* The table, and a line with the totals. */
void tally_print(const case_tally *tally);

#endif
