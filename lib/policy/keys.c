/* SPDX-License-Identifier: MIT */
#include "policy/keys.h"

#include "base/clock.h"
#include "infer/infer.h"

/* A spent key's rest where the provider names none (failure table). */
static const uint64_t quota_rest_ns = 300 * INF_NS_PER_S;
/* No key rests longer than a day on a provider's word: that is the longest
 * quota period in use, and a wrong number must not cost a key for ever. */
static const uint64_t rest_cap_ns = 86400 * INF_NS_PER_S;
/* A limited key's rest where the provider names none: providers refill
 * continuously, so one second shows whether there is room again. */
static const uint64_t limited_rest_ns = 1 * INF_NS_PER_S;

size_t
inf_keys_pick(const inf_key_state *keys, size_t count, size_t last,
              uint64_t now_ns)
{
  size_t fallback = INF_KEY_NONE;
  size_t first = last == INF_KEY_NONE ? 0 : last + 1;
  for (size_t i = 0; i < count; i++) {
    size_t at = (first + i) % count;
    const inf_key_state *key = &keys[at];
    if (key->aside_until_ns > now_ns)
      continue;
    if (key->limited_until_ns <= now_ns)
      return at;
    if (fallback == INF_KEY_NONE ||
        key->limited_until_ns < keys[fallback].limited_until_ns)
      fallback = at;
  }
  return fallback;
}

void
inf_keys_note(inf_key_state *key, int32_t status, int64_t hint_ns,
              uint64_t now_ns)
{
  uint64_t hint = hint_ns > 0 ? (uint64_t)hint_ns : 0;
  if (hint > rest_cap_ns)
    hint = rest_cap_ns;
  uint64_t until_ns;
  switch (inf_failure_rule_of(status)->key_fate) {
  case INF_KEY_REST:
    until_ns = inf_time_add(now_ns, hint ? hint : quota_rest_ns);
    if (until_ns > key->aside_until_ns) {
      key->aside_until_ns = until_ns;
      key->aside_status = status;
    }
    break;
  case INF_KEY_REFUSE:
    key->aside_until_ns = INF_NEVER;
    key->aside_status = status;
    break;
  default:
    if (status != INFER_E_RATE_LIMITED)
      break;
    until_ns = inf_time_add(now_ns, hint ? hint : limited_rest_ns);
    if (until_ns > key->limited_until_ns)
      key->limited_until_ns = until_ns;
  }
}

bool
inf_keys_other_free(const inf_key_state *keys, size_t count, size_t used,
                    uint64_t now_ns)
{
  for (size_t i = 0; i < count; i++)
    if (i != used && keys[i].aside_until_ns <= now_ns &&
        keys[i].limited_until_ns <= now_ns)
      return true;
  return false;
}
