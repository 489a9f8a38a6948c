/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_ERROR_H
#define INF_BASE_ERROR_H

#include "base/sv.h"

#include <stdbool.h>
#include <stdint.h>

/* The rich error of the public API. It is reference counted so that a call,
 * its terminal event and a telemetry hook can share one.
 *
 * What hangs on it from higher floors (the attempts trail, the partial
 * answer) is one reference-counted object behind `detail`, with its own
 * release function: base knows nothing of it. */
struct infer_error;

typedef struct inf_error_fields {
  int32_t status;
  int32_t http_status;
  bool retryable;
  int64_t retry_after_ms; /* -1: none */
  /* All copied; NULL means "". */
  const char *provider, *target, *request_id;
  const char *provider_code, *provider_type, *provider_param;
  const char *provider_message;
} inf_error_fields;

/* Makes an error with a formatted message (cut at 2 KiB, control characters
 * become spaces) into *error, if error is not NULL, and returns status: so
 * `return inf_error_set(error, INFER_E_CONFIG, "...", ...)`. When memory is
 * short *error becomes the static out-of-memory error and INFER_E_NO_MEMORY is
 * returned. An error already in *error is left alone: the first one stands. */
int32_t inf_error_set(struct infer_error **error, int32_t status,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As above with all fields; NULL when memory is short is never returned: it
 * gives the static error. */
struct infer_error *inf_error_new(const inf_error_fields *fields,
                                  const char *message);
struct infer_error *inf_error_no_memory(void);
struct infer_error *inf_error_ref(struct infer_error *error);

/* Hangs detail on the error (not on the static one, where release is called
 * at once). */
void inf_error_set_detail(struct infer_error *error, void *detail,
                          void (*release)(void *detail));
void *inf_error_detail(const struct infer_error *error);

/* Status names, texts and the table behind infer_status_at(); text: "rate
 * limited". */
typedef struct inf_status_info {
  int32_t status;
  const char *name;
  const char *text;
} inf_status_info;

const inf_status_info *inf_status_find(int32_t status); /* never NULL */
size_t inf_status_count(void);
const inf_status_info *inf_status_at(size_t index);

#endif
