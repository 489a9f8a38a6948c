/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_KEYS_H
#define INF_POLICY_KEYS_H

#include "policy/failure_table.h"

#include <stddef.h>

/* A provider's pool of keys: which one the next attempt uses, and which are
 * set aside after what the provider said of them.
 *
 * Keys are used in turn, so that their quotas are used evenly. One that was
 * rate limited is passed over while another is free, until the hint's end:
 * that is a preference, never a refusal. One without credit rests for the
 * hint or 5 minutes; a refused one until the configuration is reloaded (both
 * by the failure table). */
typedef struct inf_key_state {
  uint64_t limited_until_ns; /* soft */
  uint64_t aside_until_ns;   /* hard; INF_NEVER: until reload */
  int32_t aside_status;      /* why: INFER_E_QUOTA or INFER_E_AUTH */
} inf_key_state;

#define INF_KEY_NONE SIZE_MAX

/* The key to use, starting the search after `last` (INF_KEY_NONE: from the
 * first), or INF_KEY_NONE if all are set aside. */
size_t inf_keys_pick(const inf_key_state *keys, size_t count, size_t last,
                     uint64_t now_ns);
/* Notes what a failure says about a key. hint_ns is -1 for none. */
void inf_keys_note(inf_key_state *key, int32_t status, int64_t hint_ns,
                   uint64_t now_ns);
/* Is another key than `used` neither limited nor set aside? */
bool inf_keys_other_free(const inf_key_state *keys, size_t count, size_t used,
                         uint64_t now_ns);

#endif
