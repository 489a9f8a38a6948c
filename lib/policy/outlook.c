/* SPDX-License-Identifier: MIT */
/* The expected time to the first content; see outlook.h.
 *
 * IMPLEMENTATION NOTES
 *
 * Values:
 * - 10 s of memory: Finagle's decay time of its peak-EWMA. As a half-life 7 s.
 * - 3 usual attempts in front: with few calls one long answer alone is no
 *   verdict; with 2 and 4 the simulated fleet does nearly as well.
 * - 25 s for half of the peak: simulated, 15 and 40 s are nearly as good.
 * - a failure weighs 8 lengths: as much as a straggler, so that two in a row
 *   send the next calls elsewhere long before the breaker's four.
 * - 64 lengths at most from one attempt: one timeout of 30 s says that the
 *   target is dead, not for how long.
 *
 * Attempts under way: with a rate r = 1/usual each they have waited
 * sum(r (now - start)) = now * sum(r) - sum(r * start), so two sums do. */
#include "policy/outlook.h"

#include "base/clock.h"

#include <stddef.h>

enum { unit = 65536, most_contents = 512, learned = 16 };

static const uint64_t half_life_ns = 7 * INF_NS_PER_S;
static const uint64_t peak_half_life_ns = 25 * INF_NS_PER_S;
static const uint64_t step_ns = UINT64_C(1) << 20; /* about a millisecond */
static const uint64_t prior = UINT64_C(3) * unit;
static const uint64_t penalty = UINT64_C(8) * unit;
static const uint64_t most_lengths = UINT64_C(64) * unit;
static const uint64_t shortest_ns = 1000;

/* ---- The past ------------------------------------------------------------ */

/* 2^-(part / half_life) in 1/2^32; part < half_life. A cubic with the slope of
 * the true one at 0 and the value at 1; in between off by 0.1 % at most. */
static uint64_t
fading(uint64_t part_ns, uint64_t half_ns)
{
  int64_t f = (int64_t)((inf_u128)part_ns * (UINT64_C(1) << 31) / half_ns);
  int64_t value = 91591873;               /* 0.04265 */
  value = 506376644 - (value * f >> 31);  /* 0.2358 */
  value = 1488522236 - (value * f >> 31); /* 0.693147 */
  return (UINT64_C(1) << 32) - ((uint64_t)(value * f >> 31) << 1);
}

static uint64_t
faded(uint64_t value, uint64_t age_ns, uint64_t half_ns)
{
  uint64_t halves = age_ns / half_ns;
  if (halves > 60)
    return 0;
  inf_u128 part = (inf_u128)value * fading(age_ns % half_ns, half_ns);
  return (uint64_t)(part >> 32) >> halves;
}

/* In whole steps, so that often does not mean rounded away. */
static void
age(inf_outlook *outlook, uint64_t now_ns)
{
  if (now_ns < outlook->aged_ns + step_ns)
    return;
  uint64_t by_ns = (now_ns - outlook->aged_ns) / step_ns * step_ns;
  outlook->lengths = faded(outlook->lengths, by_ns, half_life_ns);
  outlook->contents = faded(outlook->contents, by_ns, half_life_ns);
  outlook->excess = faded(outlook->excess, by_ns, peak_half_life_ns);
  outlook->aged_ns += by_ns;
}

/* ---- The usual ----------------------------------------------------------- */

static const inf_outlook_usual *
nearest(const inf_outlook *outlook, uint32_t bucket)
{
  for (uint32_t off = 0; off < INF_OUTLOOK_BUCKETS; off++) {
    if (bucket >= off && outlook->usual[bucket - off].contents > 0)
      return &outlook->usual[bucket - off];
    if (bucket + off < INF_OUTLOOK_BUCKETS &&
        outlook->usual[bucket + off].contents > 0)
      return &outlook->usual[bucket + off];
  }
  return NULL;
}

static uint64_t
mean_of(const inf_outlook_usual *usual)
{
  uint64_t mean_ns = usual->waited_ns / usual->contents;
  return mean_ns > shortest_ns ? mean_ns : shortest_ns;
}

static void
learn(inf_outlook_usual *usual, uint64_t took_ns, bool content)
{
  if (usual->contents >= learned && took_ns > 4 * mean_of(usual))
    took_ns = 4 * mean_of(usual);
  if (usual->contents == 0 && !content)
    return; /* time without an event is no mean */
  usual->waited_ns += took_ns;
  usual->contents += content;
  if (usual->contents < most_contents)
    return;
  usual->waited_ns /= 2;
  usual->contents /= 2;
}

/* ---- The present --------------------------------------------------------- */

static uint64_t
lengths_in(inf_u128 rate_times_ns)
{
  return (uint64_t)(rate_times_ns >> 32);
}

/* In 1/65536; the outlook is aged. */
static uint64_t
present_of(const inf_outlook *outlook, uint64_t now_ns)
{
  uint64_t waited =
      lengths_in((inf_u128)outlook->rate * now_ns - outlook->starts);
  return (uint64_t)((inf_u128)(outlook->lengths + waited + prior) * unit /
                    (outlook->contents + prior));
}

/* ---- Attempts ------------------------------------------------------------ */

void
inf_outlook_begin(inf_outlook *outlook, inf_outlook_attempt *attempt,
                  uint32_t bucket, uint64_t now_ns)
{
  const inf_outlook_usual *usual = nearest(outlook, bucket);
  *attempt = (inf_outlook_attempt){
      .began_ns = now_ns, .bucket = (uint8_t)bucket, .waiting = true};
  attempt->rate = usual ? (UINT64_C(1) << 48) / mean_of(usual) : 0;
  outlook->rate += attempt->rate;
  outlook->starts += (inf_u128)attempt->rate * now_ns;
  outlook->waiting++;
  outlook->asked_ns = now_ns;
}

void
inf_outlook_forget(inf_outlook *outlook, inf_outlook_attempt *attempt)
{
  if (!attempt->waiting)
    return;
  outlook->rate -= attempt->rate;
  outlook->starts -= (inf_u128)attempt->rate * attempt->began_ns;
  outlook->waiting--;
  attempt->waiting = false;
}

void
inf_outlook_end(inf_outlook *outlook, inf_outlook_attempt *attempt,
                inf_outlook_end_kind how, uint64_t now_ns)
{
  if (!attempt->waiting)
    return;
  age(outlook, now_ns);
  inf_outlook_forget(outlook, attempt);
  uint64_t took_ns = now_ns - attempt->began_ns;
  uint64_t lengths = lengths_in((inf_u128)attempt->rate * took_ns);
  bool content = how == INF_OUTLOOK_CONTENT;
  if (attempt->rate == 0 && content) /* the first one: as it is, so is usual */
    lengths = unit;
  if (how == INF_OUTLOOK_FAILED)
    lengths += penalty;
  outlook->lengths += lengths < most_lengths ? lengths : most_lengths;
  outlook->contents += content ? unit : 0;
  if (how != INF_OUTLOOK_FAILED)
    learn(&outlook->usual[attempt->bucket], took_ns, content);
}

void
inf_outlook_note(inf_outlook *outlook, uint64_t now_ns)
{
  age(outlook, now_ns);
  uint64_t present = present_of(outlook, now_ns);
  if (present > unit + outlook->excess)
    outlook->excess = present - unit;
}

void
inf_outlook_choose(inf_outlook *outlook, uint64_t now_ns)
{
  outlook->asked_ns = now_ns;
}

uint64_t
inf_outlook_ns(const inf_outlook *outlook, uint32_t bucket, uint64_t now_ns)
{
  const inf_outlook_usual *usual = nearest(outlook, bucket);
  if (usual == NULL)
    return 0;
  inf_outlook now = *outlook;
  age(&now, now_ns);
  uint64_t present = present_of(&now, now_ns);
  if (now.excess > 0 && present < unit + now.excess)
    present = unit + now.excess;
  return (uint64_t)((inf_u128)mean_of(usual) * present / unit);
}
