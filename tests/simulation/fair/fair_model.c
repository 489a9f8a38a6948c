/* SPDX-License-Identifier: MIT */
/* How fairly 100 tenants share one limited provider: heavy ones, with ten
 * calls waiting at any time, and light ones with one, of weights 1 to 4, all
 * of which always wait. What a call costs is known only to a third, and
 * settled when it ends. The shipped waiting line is played beside first in,
 * first out and deficit round robin (Shreedhar and Varghese, 1995), over the
 * same calls.
 *
 *   fair_model [--seed N] [--minutes N]
 *
 * The figure is Jain's index of the service that the tenants got, divided by
 * their weights: 1 when all got the same, 1/n when one got all. After each
 * step the bound of line.h is checked; where it does not hold the program
 * says so and fails. */
#include "base/clock.h"
#include "base/rng.h"
#include "infer/infer.h"
#include "policy/line.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  tenants = 100,
  heavy_depth = 10,
  call_count = tenants / 2 * (heavy_depth + 1),
  flight_count = 4096, /* calls that are under way at most */
  tokens_per_minute = 600000,
  burst_tokens = 100000,
  check_every = 500, /* steps between two starting points of the check */
};

static const double wanted = 0.99;
static const double scale = 1024; /* of the line's counters */

/* A call that waits. */
typedef struct call {
  inf_line_entry entry; /* first */
  int tenant;
  uint64_t actual; /* what it will turn out to cost */
  uint64_t seq;    /* order of arrival */
} call;

/* A call under way. */
typedef struct flight {
  inf_timer end;
  int tenant;
  int64_t delta;
  struct flight *free;
} flight;

typedef struct model model;

typedef struct rule {
  const char *name;
  void (*push)(model *m, call *added);
  call *(*next)(model *m);
  void (*take)(model *m, call *taken);
  void (*settle)(model *m, int tenant, int64_t delta);
} rule;

struct model {
  const rule *rule;
  inf_rng rng;
  uint64_t now_ns;
  double tokens; /* in the provider's bucket */
  uint64_t seq;
  call calls[call_count];
  flight flights[flight_count], *free;
  inf_timer_heap ends;
  uint32_t weights[tenants];
  double service[tenants], before[tenants];
  double open[tenants]; /* corrections that are still to come, absolute */
  double greatest;      /* U: cost / weight of one call */
  double correction;    /* D: open / weight of one tenant */
  double widest;        /* difference of two counters that was seen */
  uint64_t steps;
  inf_line line;
  double deficit[tenants]; /* deficit round robin */
  int turn;
  bool topped_up;
};

/* ---- The rules ---------------------------------------------------------- */

static void
line_push(model *m, call *added)
{
  inf_line_entry *evicted;
  int32_t status =
      inf_line_push(&m->line, &added->entry, (uint64_t)added->tenant,
                    m->weights[added->tenant], m->now_ns, &evicted);
  if (status != INFER_OK || evicted)
    abort();
}

static call *
line_next(model *m)
{
  inf_line_walk walk;
  return (call *)(void *)inf_line_first(&m->line, &walk, INF_LINE_ANYWHERE);
}

static void
line_take(model *m, call *taken)
{
  inf_line_take(&m->line, &taken->entry);
}

static void
line_settle(model *m, int tenant, int64_t delta)
{
  inf_line_charge(&m->line, (uint64_t)tenant, m->weights[tenant], delta);
}

static void
plain_push(model *m, call *added)
{
  added->seq = m->seq++;
}

/* The call that came first, of one tenant or (-1) of all. */
static call *
oldest(model *m, int tenant)
{
  call *first = NULL;
  for (int i = 0; i < call_count; i++) {
    call *at = &m->calls[i];
    if ((tenant < 0 || at->tenant == tenant) &&
        (!first || at->seq < first->seq))
      first = at;
  }
  return first;
}

static call *
fifo_next(model *m)
{
  return oldest(m, -1);
}

static void
no_take(model *m, call *taken)
{
  (void)m;
  (void)taken;
}

static void
no_settle(model *m, int tenant, int64_t delta)
{
  (void)m;
  (void)tenant;
  (void)delta;
}

static call *
round_robin_next(model *m)
{
  const double quantum = 1000;
  for (;;) {
    if (!m->topped_up)
      m->deficit[m->turn] += quantum * m->weights[m->turn];
    m->topped_up = true;
    call *first = oldest(m, m->turn);
    if (m->deficit[m->turn] >= (double)first->entry.cost)
      return first;
    m->turn = (m->turn + 1) % tenants;
    m->topped_up = false;
  }
}

static void
round_robin_take(model *m, call *taken)
{
  m->deficit[taken->tenant] -= (double)taken->entry.cost;
}

/* As it knows of no settling, but could: the deficit pays the difference. */
static void
round_robin_settle(model *m, int tenant, int64_t delta)
{
  m->deficit[tenant] -= (double)delta;
}

static const rule rules[] = {
    {"virtual token counter", line_push, line_next, line_take, line_settle},
    {"first in, first out", plain_push, fifo_next, no_take, no_settle},
    {"deficit round robin", plain_push, round_robin_next, round_robin_take,
     round_robin_settle},
};

/* ---- The provider ------------------------------------------------------- */

static bool
is_heavy(int tenant)
{
  return tenant % 2 == 0;
}

/* Lengths about as in the public traces: log-normal, median 700, and the
 * heavy tenants' twice that. */
static void
draw_call(model *m, call *drawn)
{
  double normal = 0;
  for (int i = 0; i < 12; i++)
    normal += inf_rng_double(&m->rng);
  double cost = 700 * exp(normal - 6) * (is_heavy(drawn->tenant) ? 2 : 1);
  drawn->actual = cost > 20000 ? 20000 : (uint64_t)cost + 1;
  double error = 0.67 + 0.66 * inf_rng_double(&m->rng);
  drawn->entry.cost = (uint64_t)((double)drawn->actual * error) + 1;
  drawn->entry.where = INF_LINE_ANYWHERE;
  drawn->entry.deadline_ns = m->now_ns + 60 * INF_NS_PER_S;
  m->rule->push(m, drawn);
}

static void
settle(model *m, flight *ended)
{
  int tenant = ended->tenant;
  m->rule->settle(m, tenant, ended->delta);
  m->service[tenant] += (double)ended->delta;
  m->open[tenant] -= fabs((double)ended->delta);
  m->tokens -= (double)ended->delta;
  ended->free = m->free;
  m->free = ended;
}

static void
start(model *m, call *taken)
{
  int tenant = taken->tenant;
  double weight = m->weights[tenant];
  flight *begun = m->free;
  if (!begun)
    abort();
  m->free = begun->free;
  begun->tenant = tenant;
  begun->delta = (int64_t)taken->actual - (int64_t)taken->entry.cost;
  inf_timer_init(&begun->end);
  inf_timer_set(&m->ends, &begun->end,
                m->now_ns +
                    inf_rng_between(&m->rng, INF_NS_PER_S, 20 * INF_NS_PER_S));
  m->tokens -= (double)taken->entry.cost;
  m->service[tenant] += (double)taken->entry.cost;
  m->open[tenant] += fabs((double)begun->delta);
  m->greatest = fmax(m->greatest, (double)taken->entry.cost / weight);
  m->correction = fmax(m->correction, m->open[tenant] / weight);
}

static void
pass_time(model *m, uint64_t to_ns)
{
  m->tokens += (double)(to_ns - m->now_ns) / 60e9 * tokens_per_minute;
  m->tokens = fmin(m->tokens, burst_tokens);
  m->now_ns = to_ns;
}

/* To the next admission or end of a call. */
static void
step(model *m)
{
  call *next = m->rule->next(m);
  double missing = (double)next->entry.cost - m->tokens;
  uint64_t fits_ns =
      m->now_ns +
      (missing > 0 ? (uint64_t)ceil(missing / tokens_per_minute * 60e9) : 0);
  uint64_t end_ns = inf_timer_next_ns(&m->ends);
  if (end_ns <= fits_ns) {
    pass_time(m, end_ns);
    inf_timer *due = inf_timer_pop_due(&m->ends, end_ns);
    settle(m, INF_CONTAINER_OF(due, flight, end));
    return;
  }
  pass_time(m, fits_ns);
  m->rule->take(m, next);
  start(m, next);
  draw_call(m, next);
}

/* ---- The bound ---------------------------------------------------------- */

static double
spread(const double *values)
{
  double least = values[0], most = values[0];
  for (int i = 1; i < tenants; i++) {
    least = fmin(least, values[i]);
    most = fmax(most, values[i]);
  }
  return most - least;
}

/* Counters: U, and what corrections may have moved them in both directions.
 * Services since the last starting point: twice that. */
static bool
check_bound(model *m)
{
  double counters[tenants], since[tenants];
  double bound = m->greatest + 2 * m->correction + 1;
  for (int i = 0; i < tenants; i++) {
    counters[i] = (double)inf_line_counter(&m->line, (uint64_t)i) / scale;
    since[i] = (m->service[i] - m->before[i]) / m->weights[i];
  }
  m->widest = fmax(m->widest, spread(counters));
  if (spread(counters) > bound || spread(since) > 2 * bound) {
    printf("# step %" PRIu64 ": counters differ by %.0f, services by %.0f, "
           "the bound is %.0f\n",
           m->steps, spread(counters), spread(since), bound);
    return false;
  }
  if (m->steps % check_every == 0)
    memcpy(m->before, m->service, sizeof m->before);
  return true;
}

/* ---- A run -------------------------------------------------------------- */

static void
prepare(model *m, const rule *played, uint64_t seed)
{
  memset(m, 0, sizeof *m);
  m->rule = played;
  m->now_ns = INF_NS_PER_S;
  inf_rng_seed(&m->rng, seed);
  inf_line_init(&m->line, 0);
  for (int i = 0; i < flight_count; i++) {
    m->flights[i].free = m->free;
    m->free = &m->flights[i];
  }
  int next = 0;
  for (int tenant = 0; tenant < tenants; tenant++) {
    m->weights[tenant] = 1 + (uint32_t)inf_rng_below(&m->rng, 4);
    for (int i = 0; i < (is_heavy(tenant) ? heavy_depth : 1); i++) {
      m->calls[next].tenant = tenant;
      draw_call(m, &m->calls[next++]);
    }
  }
}

static double
jain(const model *m)
{
  double sum = 0, squares = 0;
  for (int i = 0; i < tenants; i++) {
    double share = m->service[i] / m->weights[i];
    sum += share;
    squares += share * share;
  }
  return sum * sum / (tenants * squares);
}

/* Jain's index; negative: the bound did not hold. */
static double
play(model *m, const rule *played, uint64_t seed, uint64_t minutes)
{
  prepare(m, played, seed);
  uint64_t end_ns = m->now_ns + minutes * 60 * INF_NS_PER_S;
  bool held = true;
  for (; m->now_ns < end_ns && held; m->steps++) {
    step(m);
    if (played == rules)
      held = check_bound(m);
  }
  inf_line_fini(&m->line);
  return held ? jain(m) : -1;
}

int
main(int argc, char **argv)
{
  uint64_t seed = 1, minutes = 60;
  for (int i = 1; i + 1 < argc; i += 2) {
    uint64_t value = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--seed") == 0)
      seed = value;
    else if (strcmp(argv[i], "--minutes") == 0)
      minutes = value;
  }
  model *m = malloc(sizeof *m);
  if (!m)
    return 1;
  double figure = play(m, &rules[0], seed, minutes);
  printf("fair_jain_100_tenants %.4f %.2f %s\n", figure, wanted,
         figure >= wanted ? "ok" : "short");
  printf("# in virtual tokens / weight: greatest call %.0f, corrections under "
         "way %.0f, widest difference of counters %.0f; %" PRIu64 " steps\n",
         m->greatest, m->correction, m->widest, m->steps);
  for (size_t i = 1; i < sizeof rules / sizeof *rules; i++)
    printf("# %s: %.4f\n", rules[i].name, play(m, &rules[i], seed, minutes));
  free(m);
  return figure >= wanted ? 0 : 1;
}
