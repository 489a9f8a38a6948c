/* SPDX-License-Identifier: MIT */
/* The breaker. The mathematics are in the header. Constants:
 *
 * p0 = 0.02, p1 = 0.3, h = 10: notes on Wald's test of an outage against
 * everyday failures; measured by tests/simulation/breaker: 4 requests at 100 %
 * errors, 9.1 at 50 %, 34 at 20 %. Rounded to 1/65536 here and nowhere
 * computed, so that every compiler and library has the same bits.
 *
 * Growth of the threshold: with a fixed one, h = 11.8 has one false alarm per
 * million at 2 % failures, 14.3 at 3 %, some 21 at 5 % (found by trying). The
 * line from 1.2 % upwards gives 12.6, 15.8 and the bound, 20. The share of
 * failures is an average over some 4096 results, off by 0.15 % at 2 %.
 *
 * Probes, 2 s x 1.6 up to 30 s, +-20 %: gRPC's connection backoff has the same
 * factor and jitter (1 s x 1.6 up to 120 s); 30 s is Envoy's base ejection.
 * As a last resort 1.6 s, which the jitter only shortens: an outage of the only
 * target is known to be over after that time and two first contents, and 3 s
 * leave 0.7 s for each of them.
 */
#include "policy/breaker.h"

#include "base/clock.h"

const int64_t inf_breaker_unit = 65536;
const int64_t inf_breaker_failure = 177475; /* ln(0.3 / 0.02) */
const int64_t inf_breaker_success = 22051;  /* -ln(0.7 / 0.98) */

const inf_breaker_params inf_breaker_defaults = {
    .threshold = INT64_C(10) * 65536,
    .probe_first_ns = 2 * INF_NS_PER_S,
    .probe_cap_ns = 30 * INF_NS_PER_S,
    .last_resort_ns = 1600 * INF_NS_PER_MS,
    .give_up_low_ns = 2 * INF_NS_PER_S,
    .give_up_high_ns = 10 * INF_NS_PER_S,
};

enum {
  soft_percent = 50,  /* the failure table's weight of a timeout */
  young_divisor = 2,  /* of those that wait half are taken for successes */
  jitter_divisor = 5, /* 20 % */
  goods_to_return = 2,
  stage_count = 3,
};

static const int64_t base_one = (int64_t)1 << 30;
static const int64_t base_quiet = 12884902; /* 0.012 */
enum {
  base_memory = 4096, /* results */
  base_growth = 32,   /* of the threshold, for each 100 % of failures more */
};

static const uint8_t stage_percent[stage_count] = {10, 25, 50};
static const uint8_t stage_goods[stage_count] = {3, 5, 7};

/* The probe that follows a good one at once: one for each that the schedule
 * began, also when several that were given up speak at last. */
enum { follow_none, follow_due, follow_begun };

/* The phases of an attempt. */
enum { phase_none, phase_young, phase_late, phase_content };

static int64_t
weigh(uint8_t percent)
{
  return inf_breaker_failure * percent / 100;
}

static int64_t
at_least_zero(int64_t value)
{
  return value > 0 ? value : 0;
}

/* ---- What is learned of a target ----------------------------------------- */

static int64_t
threshold_now(const inf_breaker *breaker)
{
  int64_t threshold = breaker->params->threshold;
  if (breaker->base <= base_quiet)
    return threshold;
  int64_t more = (breaker->base - base_quiet) * base_growth;
  if (more > base_one)
    more = base_one;
  return threshold + threshold * (more / 1024) / (base_one / 1024);
}

/* What happens in other states is no good time. */
static void
learn_base(inf_breaker *breaker, uint8_t percent)
{
  if (breaker->state != INF_BREAKER_CLOSED)
    return;
  int64_t result = base_one * percent / 100;
  breaker->base += (result - breaker->base) / base_memory;
}

uint64_t
inf_breaker_late_ns(const inf_breaker *breaker)
{
  return inf_lateness_ns(&breaker->lateness);
}

static void
learn_time(inf_breaker *breaker, inf_breaker_attempt *attempt, uint64_t now_ns)
{
  if (attempt->learned)
    return;
  attempt->learned = true;
  bool slow =
      breaker->state == INF_BREAKER_OPEN && breaker->cause == INF_BREAKER_SLOW;
  inf_lateness_note(&breaker->lateness, now_ns - attempt->began_ns, slow);
}

/* ---- States -------------------------------------------------------------- */

static uint64_t
jittered(uint64_t interval_ns, inf_rng *rng)
{
  uint64_t jitter_ns = interval_ns / jitter_divisor;
  return inf_rng_between(rng, interval_ns - jitter_ns,
                         inf_time_add(interval_ns, jitter_ns));
}

static void
schedule_probe(inf_breaker *breaker, uint64_t now_ns, inf_rng *rng)
{
  uint64_t pace_ns = breaker->params->last_resort_ns;
  breaker->next_probe_ns =
      inf_time_add(now_ns, jittered(breaker->interval_ns, rng));
  breaker->pace_probe_ns = inf_time_add(
      now_ns,
      inf_rng_between(rng, pace_ns - pace_ns / jitter_divisor, pace_ns));
}

/* What is in flight belongs to the past from now on. */
static void
begin_epoch(inf_breaker *breaker, inf_breaker_state state)
{
  breaker->epoch++;
  breaker->state = (uint8_t)state;
  breaker->evidence = 0;
  breaker->soft = 0;
  breaker->slow = 0;
  breaker->overdue = 0;
  breaker->young = 0;
  breaker->goods = 0;
  breaker->stage = 0;
  breaker->follow_up = follow_none;
  breaker->good_probe = 0;
  breaker->probing = false;
}

static void
open_for(inf_breaker *breaker, inf_breaker_cause cause, uint64_t now_ns,
         inf_rng *rng)
{
  begin_epoch(breaker, INF_BREAKER_OPEN);
  breaker->cause = (uint8_t)cause;
  breaker->opened++;
  breaker->opened_ns = now_ns;
  if (breaker->interval_ns == 0)
    breaker->interval_ns = breaker->params->probe_first_ns;
  schedule_probe(breaker, now_ns, rng);
}

static void
begin_return(inf_breaker *breaker)
{
  begin_epoch(breaker, INF_BREAKER_RETURNING);
  int64_t half = breaker->params->threshold / 2;
  breaker->evidence = threshold_now(breaker) - half;
  if (breaker->cause == INF_BREAKER_SLOW)
    breaker->slow = half;
}

static void
close_fully(inf_breaker *breaker)
{
  breaker->state = INF_BREAKER_CLOSED;
  breaker->cause = INF_BREAKER_NO_CAUSE;
  breaker->interval_ns = 0;
  breaker->closed++;
}

/* Open because of failures: then only probes count. */
static bool
only_probes_count(const inf_breaker *breaker)
{
  return breaker->state == INF_BREAKER_OPEN &&
         breaker->cause != INF_BREAKER_SLOW;
}

/* After evidence was added to the test for failures. */
static void
judge(inf_breaker *breaker, inf_breaker_cause cause, uint64_t now_ns,
      inf_rng *rng)
{
  int64_t hoped = breaker->young * inf_breaker_success / young_divisor;
  if (breaker->params->threshold <= 0 || only_probes_count(breaker) ||
      breaker->evidence - hoped < threshold_now(breaker))
    return;
  open_for(breaker, cause, now_ns, rng);
}

/* ---- Evidence ------------------------------------------------------------ */

/* Returns what it took away. */
static int64_t
count_success(inf_breaker *breaker)
{
  learn_base(breaker, 0);
  int64_t before = breaker->evidence;
  breaker->evidence = at_least_zero(before - inf_breaker_success);
  if (breaker->soft > breaker->evidence)
    breaker->soft = breaker->evidence;
  return before - breaker->evidence;
}

/* Takes an attempt from the overdue ones. Returns what is left of its part of
 * the evidence: successes have made it smaller. */
static int64_t
settle_overdue(inf_breaker *breaker, inf_breaker_attempt *attempt)
{
  int64_t part = breaker->soft / breaker->overdue;
  breaker->soft -= part;
  breaker->overdue--;
  attempt->overdue = false;
  return part;
}

static void
count_failure(inf_breaker *breaker, inf_breaker_attempt *attempt,
              uint8_t percent, uint64_t now_ns, inf_rng *rng)
{
  learn_base(breaker, percent);
  int64_t weight = weigh(percent);
  bool cut = attempt->phase == phase_content;
  if (attempt->overdue) {
    settle_overdue(breaker, attempt);
    weight = at_least_zero(weight - weigh(soft_percent));
  }
  breaker->evidence += weight + attempt->credit;
  if (breaker->state == INF_BREAKER_RETURNING) {
    breaker->stage = 0;
    breaker->goods = 0;
  }
  judge(breaker, cut ? INF_BREAKER_CUT : INF_BREAKER_FAILING, now_ns, rng);
}

static void
count_speed(inf_breaker *breaker, bool late, uint64_t now_ns, inf_rng *rng)
{
  int64_t step = late ? weigh(soft_percent) : -inf_breaker_success;
  breaker->slow = at_least_zero(breaker->slow + step);
  if (breaker->params->threshold > 0 &&
      breaker->slow >= breaker->params->threshold &&
      breaker->state != INF_BREAKER_OPEN)
    open_for(breaker, INF_BREAKER_SLOW, now_ns, rng);
}

/* ---- Probes and the return ----------------------------------------------- */

static void
end_probe(inf_breaker *breaker, const inf_breaker_attempt *attempt)
{
  if (attempt->probe == breaker->probe_number)
    breaker->probing = false;
}

/* The probe in flight has had the time that it gets. */
static bool
given_up(const inf_breaker *breaker, bool last_resort, uint64_t now_ns)
{
  return now_ns >= breaker->give_up_ns ||
         (last_resort && now_ns >= breaker->pace_probe_ns);
}

static void
count_good_probe(inf_breaker *breaker, const inf_breaker_attempt *attempt,
                 uint64_t now_ns)
{
  if (breaker->goods == 0)
    breaker->good_probe = attempt->probe;
  if (++breaker->goods >= goods_to_return) {
    begin_return(breaker);
    return;
  }
  if (breaker->follow_up != follow_none)
    return;
  breaker->follow_up = follow_due;
  breaker->next_probe_ns = now_ns;
  breaker->pace_probe_ns = now_ns;
}

static void
count_good_return(inf_breaker *breaker)
{
  if (++breaker->goods < stage_goods[breaker->stage])
    return;
  breaker->goods = 0;
  if (++breaker->stage == stage_count)
    close_fully(breaker);
}

/* Something good of an attempt of the present epoch: its first content, or its
 * proper end. */
static void
count_good(inf_breaker *breaker, const inf_breaker_attempt *attempt, bool late,
           bool ended, uint64_t now_ns)
{
  bool at_end = breaker->cause == INF_BREAKER_CUT;
  switch ((inf_breaker_state)breaker->state) {
  case INF_BREAKER_CLOSED:
    return;
  case INF_BREAKER_OPEN:
    if (attempt->probe == 0 && only_probes_count(breaker))
      return;
    end_probe(breaker, attempt);
    if (ended != at_end)
      return;
    if (breaker->cause == INF_BREAKER_SLOW && late)
      breaker->goods = 0;
    else
      count_good_probe(breaker, attempt, now_ns);
    return;
  case INF_BREAKER_RETURNING:
    if (ended == at_end)
      count_good_return(breaker);
    return;
  }
}

/* ---- Admission ----------------------------------------------------------- */

static inf_breaker_verdict
verdict(inf_breaker_action action, uint64_t retry_at_ns, const char *why)
{
  return (inf_breaker_verdict){action, retry_at_ns, why};
}

static const char *
why_open(inf_breaker_cause cause)
{
  switch (cause) {
  case INF_BREAKER_SLOW:
    return "breaker open: first tokens come late";
  case INF_BREAKER_CUT:
    return "breaker open: answers break off";
  case INF_BREAKER_FAILING:
  case INF_BREAKER_NO_CAUSE:
    break;
  }
  return "breaker open: attempts fail";
}

/* When the next probe may begin. */
static uint64_t
probe_due_ns(const inf_breaker *breaker, bool last_resort, uint64_t now_ns)
{
  uint64_t due_ns = breaker->next_probe_ns;
  if (last_resort && breaker->pace_probe_ns < due_ns)
    due_ns = breaker->pace_probe_ns;
  if (!breaker->probing || given_up(breaker, last_resort, now_ns))
    return due_ns;
  uint64_t free_ns = breaker->give_up_ns;
  if (last_resort && breaker->pace_probe_ns < free_ns)
    free_ns = breaker->pace_probe_ns;
  return due_ns > free_ns ? due_ns : free_ns;
}

static inf_breaker_verdict
admit_open(const inf_breaker *breaker, bool last_resort, uint64_t now_ns)
{
  inf_breaker_cause cause = (inf_breaker_cause)breaker->cause;
  if (last_resort && cause == INF_BREAKER_SLOW)
    return verdict(INF_BREAKER_PASS, now_ns,
                   "slow, but no other target is left");
  uint64_t due_ns = probe_due_ns(breaker, last_resort, now_ns);
  if (now_ns < due_ns)
    return verdict(INF_BREAKER_DENY, due_ns, why_open(cause));
  return verdict(INF_BREAKER_PROBE_DUE, now_ns,
                 last_resort ? "breaker open: tried as the last resort"
                             : "breaker open: a probe is due");
}

static inf_breaker_verdict
admit(const inf_breaker *breaker, bool last_resort, uint64_t draw,
      uint64_t now_ns)
{
  if (breaker->params->threshold <= 0)
    return verdict(INF_BREAKER_PASS, now_ns, "the breaker is off");
  switch ((inf_breaker_state)breaker->state) {
  case INF_BREAKER_CLOSED:
    break;
  case INF_BREAKER_OPEN:
    return admit_open(breaker, last_resort, now_ns);
  case INF_BREAKER_RETURNING:
    if (last_resort || draw < stage_percent[breaker->stage])
      return verdict(INF_BREAKER_PASS, now_ns, "returning: admitted");
    return verdict(INF_BREAKER_DENY, now_ns,
                   "returning: a part of the requests is admitted");
  }
  return verdict(INF_BREAKER_PASS, now_ns, "closed");
}

inf_breaker_verdict
inf_breaker_admit(inf_breaker *breaker, bool last_resort, uint64_t now_ns,
                  inf_rng *rng)
{
  bool draws = breaker->state == INF_BREAKER_RETURNING && !last_resort;
  uint64_t draw = draws ? inf_rng_below(rng, 100) : 0;
  inf_breaker_verdict result = admit(breaker, last_resort, draw, now_ns);
  if (result.action == INF_BREAKER_DENY)
    breaker->denied++;
  return result;
}

/* ---- Attempts ------------------------------------------------------------ */

static uint64_t
patience_ns(const inf_breaker *breaker, uint64_t late_ns)
{
  const inf_breaker_params *params = breaker->params;
  if (late_ns == 0 || late_ns > params->give_up_high_ns)
    return params->give_up_high_ns;
  return late_ns < params->give_up_low_ns ? params->give_up_low_ns : late_ns;
}

static void
begin_probe(inf_breaker *breaker, inf_breaker_attempt *attempt,
            uint64_t late_ns, uint64_t now_ns, inf_rng *rng)
{
  if (breaker->probing) /* given up, else none would have been due */
    breaker->goods = 0;
  breaker->follow_up =
      breaker->follow_up == follow_due ? follow_begun : follow_none;
  attempt->probe = ++breaker->probe_number;
  breaker->probing = true;
  breaker->probes++;
  breaker->give_up_ns = inf_time_add(now_ns, patience_ns(breaker, late_ns));
  uint64_t cap_ns = breaker->params->probe_cap_ns;
  uint64_t longer_ns = breaker->interval_ns + breaker->interval_ns / 5 * 3;
  breaker->interval_ns = longer_ns < cap_ns ? longer_ns : cap_ns;
  schedule_probe(breaker, now_ns, rng);
}

bool
inf_breaker_begin(inf_breaker *breaker, inf_breaker_attempt *attempt,
                  bool probe, uint64_t late_ns, uint64_t now_ns, inf_rng *rng)
{
  *attempt = (inf_breaker_attempt){0};
  if (probe && (breaker->state != INF_BREAKER_OPEN ||
                now_ns < probe_due_ns(breaker, true, now_ns)))
    return false;
  if (late_ns == 0)
    late_ns = inf_breaker_late_ns(breaker);
  uint64_t young_ns = late_ns ? late_ns : breaker->params->give_up_high_ns;
  *attempt = (inf_breaker_attempt){
      .epoch = breaker->epoch,
      .began_ns = now_ns,
      .late_at_ns = inf_time_add(now_ns, young_ns),
      .phase = phase_young,
      .known = late_ns > 0,
  };
  breaker->young++;
  if (probe)
    begin_probe(breaker, attempt, late_ns, now_ns, rng);
  return true;
}

void
inf_breaker_untimed(inf_breaker_attempt *attempt)
{
  attempt->known = false;
  attempt->learned = true;
}

/* Does what happens to it mean nothing any more? */
static bool
is_stale(inf_breaker *breaker, inf_breaker_attempt *attempt)
{
  if (attempt->phase == phase_none)
    return true;
  if (attempt->epoch == breaker->epoch)
    return false;
  breaker->stale++;
  attempt->phase = phase_none;
  return true;
}

static void
leave_young(inf_breaker *breaker, const inf_breaker_attempt *attempt)
{
  if (attempt->phase == phase_young)
    breaker->young--;
}

void
inf_breaker_age(inf_breaker *breaker, inf_breaker_attempt *attempt,
                uint64_t now_ns, inf_rng *rng)
{
  if (attempt->phase != phase_young || now_ns < attempt->late_at_ns ||
      is_stale(breaker, attempt))
    return;
  leave_young(breaker, attempt);
  attempt->phase = phase_late;
  if (!attempt->known)
    return;
  learn_time(breaker, attempt, now_ns);
  if (only_probes_count(breaker))
    return;
  attempt->overdue = true;
  breaker->overdue++;
  breaker->evidence += weigh(soft_percent);
  breaker->soft += weigh(soft_percent);
  judge(breaker, INF_BREAKER_FAILING, now_ns, rng);
}

void
inf_breaker_content(inf_breaker *breaker, inf_breaker_attempt *attempt,
                    uint64_t now_ns, inf_rng *rng)
{
  if (attempt->phase == phase_content || is_stale(breaker, attempt))
    return;
  bool late = attempt->known && now_ns >= attempt->late_at_ns;
  leave_young(breaker, attempt);
  attempt->phase = phase_content;
  learn_time(breaker, attempt, now_ns);
  if (attempt->overdue)
    breaker->evidence -= settle_overdue(breaker, attempt);
  if (!only_probes_count(breaker))
    attempt->credit = count_success(breaker);
  count_good(breaker, attempt, late, false, now_ns);
  if (attempt->known && attempt->epoch == breaker->epoch)
    count_speed(breaker, late, now_ns, rng);
}

static void
end_failed(inf_breaker *breaker, inf_breaker_attempt *attempt, uint8_t percent,
           uint64_t now_ns, inf_rng *rng)
{
  if (percent == 0) {
    if (attempt->overdue)
      breaker->evidence -= settle_overdue(breaker, attempt);
    return;
  }
  /* That one from before the good one fails is no news. */
  if (breaker->state == INF_BREAKER_OPEN && attempt->probe > 0 &&
      attempt->probe >= breaker->good_probe)
    breaker->goods = 0;
  if (!only_probes_count(breaker))
    count_failure(breaker, attempt, percent, now_ns, rng);
}

void
inf_breaker_end(inf_breaker *breaker, inf_breaker_attempt *attempt,
                inf_breaker_outcome outcome, uint8_t percent, uint64_t now_ns,
                inf_rng *rng)
{
  if (outcome == INF_BREAKER_OK)
    inf_breaker_content(breaker, attempt, now_ns, rng);
  if (is_stale(breaker, attempt))
    return;
  leave_young(breaker, attempt);
  end_probe(breaker, attempt);
  switch (outcome) {
  case INF_BREAKER_OK:
    count_good(breaker, attempt, false, true, now_ns);
    break;
  case INF_BREAKER_FAILED:
    end_failed(breaker, attempt, percent, now_ns, rng);
    break;
  case INF_BREAKER_ENDED_BY_US:
    if (attempt->overdue)
      settle_overdue(breaker, attempt);
    break;
  }
  attempt->phase = phase_none;
}

void
inf_breaker_forgive(inf_breaker *breaker)
{
  if (breaker->state == INF_BREAKER_CLOSED)
    return;
  begin_epoch(breaker, INF_BREAKER_CLOSED);
  close_fully(breaker);
}

/* ---- What is known ------------------------------------------------------- */

static int64_t
percent_of(int64_t evidence, int64_t threshold)
{
  if (threshold <= 0)
    return 0;
  return evidence >= threshold ? 100 : evidence * 100 / threshold;
}

inf_breaker_view
inf_breaker_look(const inf_breaker *breaker, bool last_resort, uint64_t now_ns)
{
  int64_t failing = percent_of(breaker->evidence, threshold_now(breaker));
  int64_t slow = percent_of(breaker->slow, breaker->params->threshold);
  bool open = breaker->state == INF_BREAKER_OPEN;
  inf_breaker_view view = {
      .state = (inf_breaker_state)breaker->state,
      .cause = (inf_breaker_cause)breaker->cause,
      .evidence_percent = (uint32_t)(failing > slow ? failing : slow),
      .share_percent = 100,
      .next_probe_ns = INF_NEVER,
      .late_ns = inf_breaker_late_ns(breaker),
      .probing = breaker->probing && !given_up(breaker, last_resort, now_ns),
      .why = admit(breaker, last_resort, 0, now_ns).why,
  };
  if (open) {
    view.evidence_percent = 100;
    view.share_percent = 0;
    view.next_probe_ns = probe_due_ns(breaker, last_resort, now_ns);
  } else if (breaker->state == INF_BREAKER_RETURNING) {
    view.share_percent = stage_percent[breaker->stage];
  }
  return view;
}
