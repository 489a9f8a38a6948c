/* SPDX-License-Identifier: MIT */
/* The rich error and the table of statuses.
 *
 * An error is one block: the struct and, behind it, all of its texts. So
 * there is one allocation that can fail, and then the static out-of-memory
 * error takes its place. Nothing but the reference count changes once an
 * error is shared, and that is atomic: errors cross threads freely. */
#include "base/error.h"

#include "base/mem.h"
#include "base/text.h"
#include "infer/infer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#define MAX_MESSAGE_BYTES 2048

enum {
  TEXT_MESSAGE,
  TEXT_PROVIDER,
  TEXT_TARGET,
  TEXT_REQUEST_ID,
  TEXT_PROVIDER_CODE,
  TEXT_PROVIDER_TYPE,
  TEXT_PROVIDER_PARAM,
  TEXT_PROVIDER_MESSAGE,
  TEXT_COUNT
};

struct infer_error {
  atomic_uint refs;
  int32_t status;
  int32_t http_status;
  bool retryable;
  int64_t retry_after_ms;
  void *detail;
  void (*release_detail)(void *detail);
  const char *text[TEXT_COUNT];
  char bytes[]; /* where text[] points */
};

/* Immortal: what memory pressure makes must not need memory to be freed. */
static struct infer_error no_memory = {
    .status = INFER_E_NO_MEMORY,
    .retry_after_ms = -1,
    .text = {"out of memory", "", "", "", "", "", "", ""},
};

/* ---- Making errors ------------------------------------------------------- */

/* Copies len bytes and a NUL to *at, which moves behind them. */
static const char *store(char **at, const char *text, size_t len)
{
  char *copy = *at;
  memcpy(copy, text, len);
  copy[len] = '\0';
  *at = copy + len + 1;
  return copy;
}

struct infer_error *inf_error_new(const inf_error_fields *fields,
                                  const char *message)
{
  const char *text[TEXT_COUNT] = {
      message,
      fields->provider,
      fields->target,
      fields->request_id,
      fields->provider_code,
      fields->provider_type,
      fields->provider_param,
      fields->provider_message,
  };
  size_t len[TEXT_COUNT];
  size_t size = sizeof(struct infer_error);
  for (int i = 0; i < TEXT_COUNT; i++) {
    if (!text[i])
      text[i] = "";
    len[i] = strnlen(text[i], i == TEXT_MESSAGE ? MAX_MESSAGE_BYTES : SIZE_MAX);
    size += len[i] + 1;
  }
  struct infer_error *error = inf_malloc(size);
  if (!error)
    return &no_memory;
  *error = (struct infer_error){
      .status = fields->status,
      .http_status = fields->http_status,
      .retryable = fields->retryable,
      .retry_after_ms = fields->retry_after_ms,
  };
  atomic_init(&error->refs, 1);
  char *at = error->bytes;
  for (int i = 0; i < TEXT_COUNT; i++)
    error->text[i] = store(&at, text[i], len[i]);
  (void)inf_text_clean(error->bytes, len[TEXT_MESSAGE]);
  return error;
}

int32_t inf_error_set(struct infer_error **error, int32_t status,
                      const char *format, ...)
{
  if (!error || *error)
    return status;
  char message[MAX_MESSAGE_BYTES + 1];
  va_list args;
  va_start(args, format);
  int len = vsnprintf(message, sizeof message, format, args);
  va_end(args);
  inf_error_fields fields = {.status = status, .retry_after_ms = -1};
  *error = inf_error_new(&fields, len < 0 ? format : message);
  return (*error)->status;
}

struct infer_error *inf_error_no_memory(void)
{
  return &no_memory;
}

struct infer_error *inf_error_ref(struct infer_error *error)
{
  if (error && error != &no_memory)
    atomic_fetch_add_explicit(&error->refs, 1, memory_order_relaxed);
  return error;
}

static void release_detail(struct infer_error *error)
{
  if (error->detail && error->release_detail)
    error->release_detail(error->detail);
  error->detail = NULL;
}

void infer_error_free(struct infer_error *error)
{
  if (!error || error == &no_memory)
    return;
  if (atomic_fetch_sub_explicit(&error->refs, 1, memory_order_acq_rel) != 1)
    return;
  release_detail(error);
  inf_free(error);
}

void inf_error_set_detail(struct infer_error *error, void *detail,
                          void (*release)(void *detail))
{
  if (!error || error == &no_memory) {
    if (detail && release)
      release(detail);
    return;
  }
  release_detail(error);
  error->detail = detail;
  error->release_detail = release;
}

void *inf_error_detail(const struct infer_error *error)
{
  return error ? error->detail : NULL;
}

/* ---- Reading errors ------------------------------------------------------ */

static const char *text_of(const infer_error *error, int which)
{
  return error ? error->text[which] : "";
}

int32_t infer_error_status(const infer_error *error)
{
  return error ? error->status : INFER_OK;
}

const char *infer_error_message(const infer_error *error)
{
  return text_of(error, TEXT_MESSAGE);
}

const char *infer_error_provider(const infer_error *error)
{
  return text_of(error, TEXT_PROVIDER);
}

const char *infer_error_target(const infer_error *error)
{
  return text_of(error, TEXT_TARGET);
}

int32_t infer_error_http_status(const infer_error *error)
{
  return error ? error->http_status : 0;
}

const char *infer_error_request_id(const infer_error *error)
{
  return text_of(error, TEXT_REQUEST_ID);
}

const char *infer_error_provider_code(const infer_error *error)
{
  return text_of(error, TEXT_PROVIDER_CODE);
}

const char *infer_error_provider_type(const infer_error *error)
{
  return text_of(error, TEXT_PROVIDER_TYPE);
}

const char *infer_error_provider_param(const infer_error *error)
{
  return text_of(error, TEXT_PROVIDER_PARAM);
}

const char *infer_error_provider_message(const infer_error *error)
{
  return text_of(error, TEXT_PROVIDER_MESSAGE);
}

int32_t infer_error_retryable(const infer_error *error)
{
  return error && error->retryable;
}

int64_t infer_error_retry_after_ms(const infer_error *error)
{
  return error ? error->retry_after_ms : -1;
}

/* ---- Statuses ------------------------------------------------------------ */

// clang-format off
#define STATUS(name, text) {name, #name, text}

static const inf_status_info statuses[] = {
    STATUS(INFER_OK, "ok"),
    STATUS(INFER_E_INVALID_ARGUMENT, "invalid argument"),
    STATUS(INFER_E_NO_MEMORY, "out of memory"),
    STATUS(INFER_E_CONFIG, "invalid configuration"),
    STATUS(INFER_E_CLOSED, "closed"),
    STATUS(INFER_E_TIMEOUT, "wait timed out"),
    STATUS(INFER_E_REENTRANT, "not allowed from a hook"),
    STATUS(INFER_E_FORKED, "handle belongs to the parent process"),
    STATUS(INFER_E_UNSUPPORTED, "not supported"),
    STATUS(INFER_E_IO, "file could not be read"),
    STATUS(INFER_E_INTERNAL, "internal error"),
    STATUS(INFER_E_RESOLVE, "host name not found"),
    STATUS(INFER_E_CONNECT, "connection failed"),
    STATUS(INFER_E_TLS, "TLS handshake failed"),
    STATUS(INFER_E_RESET, "connection reset"),
    STATUS(INFER_E_TLS_VERIFY, "certificate not trusted"),
    STATUS(INFER_E_FIRST_TOKEN_TIMEOUT, "first token timed out"),
    STATUS(INFER_E_ATTEMPT_TIMEOUT, "attempt timed out"),
    STATUS(INFER_E_IDLE_TIMEOUT, "answer stalled"),
    STATUS(INFER_E_TRUNCATED, "answer truncated"),
    STATUS(INFER_E_OVERLOADED, "provider overloaded"),
    STATUS(INFER_E_SERVER, "provider failed"),
    STATUS(INFER_E_RATE_LIMITED, "rate limited"),
    STATUS(INFER_E_QUOTA, "quota exhausted"),
    STATUS(INFER_E_AUTH, "key refused"),
    STATUS(INFER_E_NOT_FOUND, "model or URL not found"),
    STATUS(INFER_E_CONTEXT_LENGTH, "prompt too long for the model"),
    STATUS(INFER_E_REQUEST_TOO_LARGE, "request larger than the quota"),
    STATUS(INFER_E_CONTENT_FILTER, "content refused"),
    STATUS(INFER_E_BAD_REQUEST, "request rejected"),
    STATUS(INFER_E_PROTOCOL, "malformed answer"),
    STATUS(INFER_E_TOO_LARGE, "answer too large"),
    STATUS(INFER_E_TOO_DEEP, "JSON nested too deeply"),
    STATUS(INFER_E_CANCELLED, "cancelled"),
    STATUS(INFER_E_DEADLINE, "deadline passed"),
    STATUS(INFER_E_BUDGET, "budget exhausted"),
    STATUS(INFER_E_NO_TARGET, "no target available"),
    STATUS(INFER_E_LIMIT, "client limit reached"),
};
// clang-format on

#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

/* 1 is no status: what infer_status_at() gives past the end. */
static const inf_status_info unknown = {1, "INFER_E_UNKNOWN", "unknown status"};

const inf_status_info *inf_status_find(int32_t status)
{
  for (size_t i = 0; i < STATUS_COUNT; i++)
    if (statuses[i].status == status)
      return &statuses[i];
  return &unknown;
}

size_t inf_status_count(void)
{
  return STATUS_COUNT;
}

const inf_status_info *inf_status_at(size_t index)
{
  return index < STATUS_COUNT ? &statuses[index] : &unknown;
}

const char *infer_status_name(int32_t status)
{
  return inf_status_find(status)->name;
}

const char *infer_status_text(int32_t status)
{
  return inf_status_find(status)->text;
}

int32_t infer_status_at(size_t index)
{
  return inf_status_at(index)->status;
}
