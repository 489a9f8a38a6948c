/* SPDX-License-Identifier: MIT */
#ifndef INF_API_GUARD_H
#define INF_API_GUARD_H

#include "base/error.h"
#include "base/thread.h"
#include "engine/client.h"

/* The checks at the door of the public functions. Each returns the status to
 * give back, or INFER_OK. */

static inline int32_t
inf_guard_client(const struct infer_client *client, struct infer_error **error)
{
  if (!client)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "client is NULL");
  if (client->fork_generation != inf_fork_generation())
    return inf_error_set(error, INFER_E_FORKED,
                         "the client was made before a fork: make a new one "
                         "in the child");
  return INFER_OK;
}

/* For functions that wait: not from a hook. */
static inline int32_t
inf_guard_wait(const struct infer_client *client, struct infer_error **error)
{
  if (inf_client_in_loop(client))
    return inf_error_set(error, INFER_E_REENTRANT,
                         "this function waits and may not be called from a "
                         "hook");
  return INFER_OK;
}

/* A length parameter as a view; INFER_NUL_TERMINATED is measured. */
static inline inf_sv
inf_text(const char *text, size_t len)
{
  return len == INFER_NUL_TERMINATED ? inf_sv_from(text) : inf_sv_of(text, len);
}

static inline void
inf_clear_error(struct infer_error **error)
{
  if (error)
    *error = NULL;
}

/* Milliseconds of a caller as nanoseconds; negative: without limit. */
static inline uint64_t
inf_wait_ns(int64_t ms)
{
  if (ms < 0 || (uint64_t)ms > INF_NEVER / INF_NS_PER_MS)
    return INF_NEVER;
  return (uint64_t)ms * INF_NS_PER_MS;
}

#endif
