/* SPDX-License-Identifier: MIT */
/* A lottery by weighted rendezvous; see route_weighted.h. */
#include "policy/route_weighted.h"

#include "base/siphash.h"
#include "base/wide.h"

#include <stdbool.h>

enum { fraction_bits = 40 };

/* Keys of the hashes, one for each use: digits of pi. They are public, as the
 * names are: the shares have to be right, not secret. */
static const uint64_t id_key = 0x243f6a8885a308d3;
static const uint64_t who_key = 0x13198a2e03707344;
static const uint64_t draw_key = 0xa4093822299f31d0;

uint64_t
inf_route_id(inf_sv name)
{
  return inf_siphash(id_key, 0, name);
}

uint64_t
inf_route_sticky_key(inf_sv route, inf_sv who)
{
  return inf_siphash(who_key, inf_siphash(who_key, 0, route), who);
}

/* The bits of the logarithm one by one: to square a number doubles it, and what
 * passes 2 is a bit. Each squaring also doubles the error of 2^-63; that of the
 * last one is 2^-23 of a bit. */
uint64_t
inf_route_exponential(uint64_t hash)
{
  hash |= 1;
  int zeros = __builtin_clzll(hash);
  uint64_t mantissa = hash << zeros; /* 1 to 2, in 1/2^63 */
  uint64_t logarithm = (uint64_t)(63 - zeros);
  for (int i = 0; i < fraction_bits; i++) {
    inf_u128 square = (inf_u128)mantissa * mantissa >> 63;
    uint64_t bit = (uint64_t)(square >> 64);
    mantissa = (uint64_t)(square >> bit);
    logarithm = logarithm << 1 | bit;
  }
  return (UINT64_C(64) << fraction_bits) - logarithm;
}

typedef struct ticket {
  uint64_t exponential;
  uint32_t weight;
} ticket;

static ticket
draw(const inf_route_share *share, uint64_t key)
{
  uint64_t hash = inf_siphash(key, share->id ^ draw_key, INF_SV(""));
  return (ticket){inf_route_exponential(hash), share->weight};
}

/* Those of weight 0 are equal, and after all others. */
static bool
is_before(ticket a, ticket b)
{
  return (inf_u128)a.exponential * b.weight <
         (inf_u128)b.exponential * a.weight;
}

void
inf_route_weighted(const inf_route_share *shares, size_t count, uint64_t key,
                   size_t *order)
{
  ticket tickets[INF_ROUTE_MOST];
  for (size_t i = 0; i < count; i++) {
    ticket mine = draw(&shares[i], key);
    size_t at = i;
    for (; at > 0 && is_before(mine, tickets[at - 1]); at--) {
      order[at] = order[at - 1];
      tickets[at] = tickets[at - 1];
    }
    order[at] = i;
    tickets[at] = mine;
  }
}
