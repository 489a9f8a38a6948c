/* SPDX-License-Identifier: MIT */
/* The table of statuses, and the error object with its public accessors. */
#include "base/error.h"

#include "base/mem.h"
#include "base/text.h"
#include "infer/infer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

/* ---- Statuses ----------------------------------------------------------- */

// clang-format off
#define STATUS(name, text) {INFER_##name, "INFER_" #name, text}

static const inf_status_info statuses[] = {
    STATUS(OK, "success"),
    STATUS(E_INVALID_ARGUMENT, "invalid argument"),
    STATUS(E_NO_MEMORY, "out of memory"),
    STATUS(E_CONFIG, "configuration error"),
    STATUS(E_CLOSED, "closed"),
    STATUS(E_TIMEOUT, "the wait timed out"),
    STATUS(E_REENTRANT, "not allowed from a hook"),
    STATUS(E_FORKED, "the handle belongs to the parent process"),
    STATUS(E_UNSUPPORTED, "not supported"),
    STATUS(E_IO, "file error"),
    STATUS(E_INTERNAL, "internal error"),
    STATUS(E_RESOLVE, "host name not found"),
    STATUS(E_CONNECT, "connection failed"),
    STATUS(E_TLS, "TLS handshake failed"),
    STATUS(E_RESET, "connection broke"),
    STATUS(E_TLS_VERIFY, "certificate not trusted"),
    STATUS(E_FIRST_TOKEN_TIMEOUT, "first-token timeout"),
    STATUS(E_ATTEMPT_TIMEOUT, "attempt timeout"),
    STATUS(E_IDLE_TIMEOUT, "idle timeout"),
    STATUS(E_TRUNCATED, "answer truncated"),
    STATUS(E_OVERLOADED, "provider overloaded"),
    STATUS(E_SERVER, "provider error"),
    STATUS(E_RATE_LIMITED, "rate limited"),
    STATUS(E_QUOTA, "quota exhausted"),
    STATUS(E_AUTH, "key refused"),
    STATUS(E_NOT_FOUND, "model or URL not found"),
    STATUS(E_CONTEXT_LENGTH, "prompt too long for the model"),
    STATUS(E_REQUEST_TOO_LARGE, "request larger than the quota"),
    STATUS(E_CONTENT_FILTER, "content refused"),
    STATUS(E_BAD_REQUEST, "request rejected"),
    STATUS(E_PROTOCOL, "malformed answer"),
    STATUS(E_TOO_LARGE, "answer too large"),
    STATUS(E_TOO_DEEP, "answer nested too deeply"),
    STATUS(E_CANCELLED, "cancelled"),
    STATUS(E_DEADLINE, "deadline exceeded"),
    STATUS(E_BUDGET, "budget exhausted"),
    STATUS(E_NO_TARGET, "no target may serve the call"),
    STATUS(E_LIMIT, "limit reached"),
};
// clang-format on

/* 1 is no status: what infer_status_at() gives past the end. */
static const inf_status_info unknown_status = {1, "INFER_E_UNKNOWN",
                                               "unknown status"};

size_t
inf_status_count(void)
{
  return sizeof statuses / sizeof statuses[0];
}

const inf_status_info *
inf_status_at(size_t index)
{
  return index < inf_status_count() ? &statuses[index] : NULL;
}

const inf_status_info *
inf_status_find(int32_t status)
{
  for (size_t i = 0; i < inf_status_count(); i++)
    if (statuses[i].status == status)
      return &statuses[i];
  return &unknown_status;
}

const char *
infer_status_name(int32_t status)
{
  return inf_status_find(status)->name;
}

const char *
infer_status_text(int32_t status)
{
  return inf_status_find(status)->text;
}

int32_t
infer_status_at(size_t index)
{
  const inf_status_info *info = inf_status_at(index);
  return info ? info->status : unknown_status.status;
}

/* ---- Errors ------------------------------------------------------------- */

enum { message_bytes = 2048 };

/* The strings of an error, in the order of their place in the block. */
enum {
  MESSAGE,
  PROVIDER,
  TARGET,
  REQUEST_ID,
  PROVIDER_CODE,
  PROVIDER_TYPE,
  PROVIDER_PARAM,
  PROVIDER_MESSAGE,
  STRING_COUNT
};

struct infer_error {
  atomic_uint refs;
  bool immortal;
  int32_t status, http_status;
  bool retryable;
  int64_t retry_after_ms;
  const char *strings[STRING_COUNT];
  void *detail;
  void (*release)(void *detail);
};

static struct infer_error no_memory_error = {
    .immortal = true,
    .status = INFER_E_NO_MEMORY,
    .retry_after_ms = -1,
    .strings = {"out of memory", "", "", "", "", "", "", ""},
};

struct infer_error *
inf_error_no_memory(void)
{
  return &no_memory_error;
}

/* One block holds the error and all its strings. */
struct infer_error *
inf_error_new(const inf_error_fields *fields, const char *message)
{
  const char *from[STRING_COUNT] = {
      [MESSAGE] = message,
      [PROVIDER] = fields->provider,
      [TARGET] = fields->target,
      [REQUEST_ID] = fields->request_id,
      [PROVIDER_CODE] = fields->provider_code,
      [PROVIDER_TYPE] = fields->provider_type,
      [PROVIDER_PARAM] = fields->provider_param,
      [PROVIDER_MESSAGE] = fields->provider_message,
  };
  size_t lens[STRING_COUNT], bytes = 0;
  for (int i = 0; i < STRING_COUNT; i++) {
    lens[i] = from[i] ? strlen(from[i]) : 0;
    if (i == MESSAGE && lens[i] > message_bytes)
      lens[i] = message_bytes;
    bytes += lens[i] + 1;
  }
  struct infer_error *error = inf_calloc(1, sizeof *error + bytes);
  if (!error)
    return &no_memory_error;
  atomic_init(&error->refs, 1);
  error->status = fields->status;
  error->http_status = fields->http_status;
  error->retryable = fields->retryable;
  error->retry_after_ms = fields->retry_after_ms;
  char *at = (char *)(error + 1);
  for (int i = 0; i < STRING_COUNT; i++) {
    if (lens[i] > 0)
      memcpy(at, from[i], lens[i]);
    error->strings[i] = at;
    at += lens[i] + 1;
  }
  inf_text_clean((char *)(error + 1), lens[MESSAGE]);
  return error;
}

int32_t
inf_error_set(struct infer_error **error, int32_t status, const char *format,
              ...)
{
  if (!error || *error)
    return status;
  char message[message_bytes + 1] = "";
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  inf_error_fields fields = {.status = status, .retry_after_ms = -1};
  *error = inf_error_new(&fields, message);
  return (*error)->status;
}

struct infer_error *
inf_error_ref(struct infer_error *error)
{
  if (error && !error->immortal)
    atomic_fetch_add_explicit(&error->refs, 1, memory_order_relaxed);
  return error;
}

void
infer_error_free(infer_error *error)
{
  if (!error || error->immortal ||
      atomic_fetch_sub_explicit(&error->refs, 1, memory_order_acq_rel) != 1)
    return;
  if (error->release)
    error->release(error->detail);
  inf_free(error);
}

void
inf_error_set_detail(struct infer_error *error, void *detail,
                     void (*release)(void *detail))
{
  if (error->immortal) {
    release(detail);
    return;
  }
  if (error->release)
    error->release(error->detail);
  error->detail = detail;
  error->release = release;
}

void *
inf_error_detail(const struct infer_error *error)
{
  return error ? error->detail : NULL;
}

/* ---- Accessors ---------------------------------------------------------- */

int32_t
infer_error_status(const infer_error *error)
{
  return error ? error->status : INFER_OK;
}

int32_t
infer_error_http_status(const infer_error *error)
{
  return error ? error->http_status : 0;
}

int32_t
infer_error_retryable(const infer_error *error)
{
  return error && error->retryable;
}

int64_t
infer_error_retry_after_ms(const infer_error *error)
{
  return error ? error->retry_after_ms : -1;
}

static const char *
string_of(const infer_error *error, int which)
{
  return error ? error->strings[which] : "";
}

const char *
infer_error_message(const infer_error *error)
{
  return string_of(error, MESSAGE);
}

const char *
infer_error_provider(const infer_error *error)
{
  return string_of(error, PROVIDER);
}

const char *
infer_error_target(const infer_error *error)
{
  return string_of(error, TARGET);
}

const char *
infer_error_request_id(const infer_error *error)
{
  return string_of(error, REQUEST_ID);
}

const char *
infer_error_provider_code(const infer_error *error)
{
  return string_of(error, PROVIDER_CODE);
}

const char *
infer_error_provider_type(const infer_error *error)
{
  return string_of(error, PROVIDER_TYPE);
}

const char *
infer_error_provider_param(const infer_error *error)
{
  return string_of(error, PROVIDER_PARAM);
}

const char *
infer_error_provider_message(const infer_error *error)
{
  return string_of(error, PROVIDER_MESSAGE);
}
