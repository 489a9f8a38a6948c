/* SPDX-License-Identifier: MIT */
#include "policy/single_r.h"

#include "base/clock.h"

#include <stddef.h>

static const double thinnest = 1e-4;           /* rarer hedges are none */
static const double next_delay = 1 - 1.0 / 40; /* of 1 - F, to the next one */

typedef inf_single_r_point point;

/* The problem at one value of t. */
typedef struct solver {
  const inf_single_r_problem *problem;
  inf_single_r_work *work;
  double weights[INF_SINGLE_R_BUCKETS]; /* they add up to 1 */
  uint64_t t_ns;
} solver;

/* ---- One bucket ---------------------------------------------------------- */

/* Edge 0 stands for the least delay. */
static uint64_t
delay_of(const solver *at, uint32_t edge)
{
  return edge == 0 ? at->problem->min_delay_ns : inf_histogram_lower(edge);
}

/* The delays that are worth looking at, whatever t is, the shortest first. */
static void
list_edges(const solver *at, uint32_t index)
{
  const inf_survival *primary = at->problem->buckets[index].primary;
  uint64_t least_ns = at->problem->min_delay_ns;
  uint16_t *edges = at->work->edges[index];
  float *reach = at->work->reach[index];
  double last = inf_survival_beyond(primary, least_ns);
  uint32_t count = 1;
  edges[0] = 0;
  reach[0] = (float)last;
  for (uint32_t edge = primary->first + 1;
       edge <= primary->last && count < INF_SINGLE_R_DELAYS; edge++) {
    double here = (double)primary->at[edge];
    if (here < thinnest)
      break;
    if (here > last * next_delay || inf_histogram_lower(edge) <= least_ns)
      continue;
    last = here;
    edges[count] = (uint16_t)edge;
    reach[count++] = (float)here;
  }
  at->work->edge_counts[index] = count;
}

/* Writes the points of the delays below t, the longest first, so that costs
 * grow. */
static void
list_points(const solver *at, uint32_t index)
{
  const inf_single_r_bucket *bucket = &at->problem->buckets[index];
  const float *reach = at->work->reach[index];
  double late = inf_survival_beyond(bucket->primary, at->t_ns);
  double weight = at->weights[index];
  point *points = at->work->points[index];
  uint32_t count = 0;
  for (uint32_t i = at->work->edge_counts[index]; i-- > 0;) {
    uint32_t edge = at->work->edges[index][i];
    uint64_t delay_ns = delay_of(at, edge);
    if (delay_ns >= at->t_ns)
      continue;
    double saved = 1 - inf_survival_beyond(bucket->hedge, at->t_ns - delay_ns);
    points[count++] =
        (point){.cost = (float)(weight * bucket->cost * (double)reach[i]),
                .gain = (float)(weight * late * saved),
                .edge = edge};
  }
  at->work->counts[index] = count;
}

/* Whether the middle one lies on or below the line from a to b. */
static bool
is_below(point a, point middle, point b)
{
  double rise = (double)b.gain - (double)a.gain;
  double run = (double)b.cost - (double)a.cost;
  double part = (double)middle.cost - (double)a.cost;
  return ((double)middle.gain - (double)a.gain) * run <= rise * part;
}

/* Of the points those of the upper hull: from one to the next the gain for a
 * unit of cost falls. */
static void
find_hull(const solver *at, uint32_t index)
{
  const point *points = at->work->points[index];
  point *hull = at->work->hulls[index];
  uint32_t count = 0;
  for (uint32_t i = 0; i < at->work->counts[index]; i++) {
    point next = points[i];
    if (next.gain <= (count > 0 ? hull[count - 1].gain : 0))
      continue;
    while (count > 0 && is_below(count > 1 ? hull[count - 2] : (point){0},
                                 hull[count - 1], next))
      count--;
    hull[count++] = next;
  }
  at->work->hull_counts[index] = count;
}

/* ---- All buckets --------------------------------------------------------- */

typedef struct share_out {
  uint32_t taken[INF_SINGLE_R_BUCKETS]; /* how far up each hull */
  uint32_t marginal;                    /* where the budget ended */
  double left;                          /* for that bucket, in all */
  double gain;
} share_out;

static point
top_of(const solver *at, const share_out *shares, uint32_t index)
{
  uint32_t taken = shares->taken[index];
  return taken > 0 ? at->work->hulls[index][taken - 1] : (point){0};
}

static double
ratio(double gain, double cost)
{
  return cost > 0 ? gain / cost : gain * 1e30;
}

/* Returns the bucket whose next piece of the hull is the steepest; count if
 * there is none. */
static uint32_t
steepest(const solver *at, const share_out *shares)
{
  uint32_t best = at->problem->count;
  double best_slope = 0;
  for (uint32_t i = 0; i < at->problem->count; i++) {
    if (shares->taken[i] == at->work->hull_counts[i])
      continue;
    point from = top_of(at, shares, i);
    point to = at->work->hulls[i][shares->taken[i]];
    double slope = ratio((double)to.gain - (double)from.gain,
                         (double)to.cost - (double)from.cost);
    if (slope <= best_slope)
      continue;
    best_slope = slope;
    best = i;
  }
  return best;
}

static double
fraction(point at, double budget)
{
  double cost = (double)at.cost;
  return cost > budget ? budget / cost : 1;
}

/* The single delay that gains most for this cost. */
static point
best_single(const solver *at, uint32_t index, double budget)
{
  const point *points = at->work->points[index];
  point best = {0};
  double best_gain = 0;
  for (uint32_t i = 0; i < at->work->counts[index]; i++) {
    double gain = (double)points[i].gain * fraction(points[i], budget);
    if (gain <= best_gain)
      continue;
    best_gain = gain;
    best = points[i];
  }
  return best;
}

/* Spends the budget as well as it can be for P(T <= t). */
static share_out
share_budget(const solver *at)
{
  share_out shares = {.marginal = at->problem->count};
  double left = at->problem->budget;
  uint32_t next;
  while ((next = steepest(at, &shares)) < at->problem->count) {
    point from = top_of(at, &shares, next);
    point to = at->work->hulls[next][shares.taken[next]];
    double price = (double)to.cost - (double)from.cost;
    if (price > left) {
      shares.marginal = next;
      shares.left = left + (double)from.cost;
      break;
    }
    left -= price;
    shares.taken[next]++;
  }
  for (uint32_t i = 0; i < at->problem->count; i++) {
    if (i != shares.marginal) {
      shares.gain += (double)top_of(at, &shares, i).gain;
      continue;
    }
    point best = best_single(at, i, shares.left);
    shares.gain += (double)best.gain * fraction(best, shares.left);
  }
  return shares;
}

static double
alone(const solver *at, uint64_t ns)
{
  double reached = 0;
  for (uint32_t i = 0; i < at->problem->count; i++)
    reached += at->weights[i] *
               (1 - inf_survival_beyond(at->problem->buckets[i].primary, ns));
  return reached;
}

static share_out
look_at(solver *at, uint64_t t_ns)
{
  at->t_ns = t_ns;
  for (uint32_t i = 0; i < at->problem->count; i++) {
    list_points(at, i);
    find_hull(at, i);
  }
  return share_budget(at);
}

/* ---- The plan ------------------------------------------------------------ */

static void
set_weights(solver *at)
{
  double sum = 0;
  for (uint32_t i = 0; i < at->problem->count; i++)
    sum += at->problem->buckets[i].weight;
  for (uint32_t i = 0; i < at->problem->count; i++)
    at->weights[i] = sum > 0 ? at->problem->buckets[i].weight / sum : 0;
}

static inf_single_r_choice
choice_of(const solver *at, point taken, double probability)
{
  if (taken.gain <= 0 || probability <= 0)
    return (inf_single_r_choice){INF_NEVER, 0};
  return (inf_single_r_choice){delay_of(at, taken.edge), probability};
}

static void
choose(const solver *at, const share_out *shares, inf_single_r_plan *plan)
{
  for (uint32_t i = 0; i < at->problem->count; i++) {
    point taken = top_of(at, shares, i);
    double probability = 1;
    if (i == shares->marginal) {
      taken = best_single(at, i, shares->left);
      probability = fraction(taken, shares->left);
    }
    plan->buckets[i] = choice_of(at, taken, probability);
    if (plan->buckets[i].probability > 0)
      plan->cost += (double)taken.cost * probability;
  }
}

static double
reached_by(const solver *at, const inf_single_r_choice *choices, uint64_t ns)
{
  double sum = 0;
  for (uint32_t i = 0; i < at->problem->count; i++) {
    const inf_single_r_bucket *bucket = &at->problem->buckets[i];
    double late = inf_survival_beyond(bucket->primary, ns), saved = 0;
    if (choices && choices[i].probability > 0 && choices[i].delay_ns < ns)
      saved =
          choices[i].probability *
          (1 - inf_survival_beyond(bucket->hedge, ns - choices[i].delay_ns));
    sum += at->weights[i] * (1 - late * (1 - saved));
  }
  return sum;
}

double
inf_single_r_reached(const inf_single_r_problem *problem,
                     const inf_single_r_choice *choices, uint64_t ns)
{
  solver at = {.problem = problem};
  set_weights(&at);
  return reached_by(&at, choices, ns);
}

/* The percentile under these choices, to 1 part in 2^16. */
static uint64_t
percentile(const solver *at, const inf_single_r_choice *choices)
{
  uint64_t low = 0, high = inf_histogram_lower(INF_HISTOGRAM_BUCKETS);
  if (reached_by(at, choices, high) < at->problem->share)
    return INF_NEVER;
  while (high - low > (high >> 16) + 1) {
    uint64_t middle = low + (high - low) / 2;
    if (reached_by(at, choices, middle) < at->problem->share)
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* The first edge at which the percentile is reached without hedges. */
static uint32_t
first_alone(const solver *at)
{
  uint32_t low = 1, high = INF_HISTOGRAM_BUCKETS;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (alone(at, inf_histogram_lower(middle)) < at->problem->share)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The first edge of a bucket at which the percentile can be reached. */
static uint32_t
first_reached(solver *at)
{
  uint32_t low = 1, high = first_alone(at);
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    uint64_t t_ns = inf_histogram_lower(middle);
    if (alone(at, t_ns) + look_at(at, t_ns).gain < at->problem->share)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool
is_worth_it(const inf_single_r_problem *problem, const inf_single_r_plan *plan)
{
  if (plan->before_ns == INF_NEVER)
    return plan->after_ns != INF_NEVER;
  double least = (double)plan->before_ns * (1 - problem->min_gain);
  return (double)plan->after_ns < least;
}

void
inf_single_r_solve(const inf_single_r_problem *problem, inf_single_r_work *work,
                   inf_single_r_plan *plan)
{
  solver at = {.problem = problem, .work = work};
  *plan = (inf_single_r_plan){0};
  set_weights(&at);
  for (uint32_t i = 0; i < problem->count; i++)
    list_edges(&at, i);
  uint64_t t_ns = inf_histogram_lower(first_reached(&at));
  share_out shares = look_at(&at, t_ns);
  choose(&at, &shares, plan);
  plan->before_ns = percentile(&at, NULL);
  plan->after_ns = percentile(&at, plan->buckets);
  plan->hedges = is_worth_it(problem, plan);
  if (plan->hedges)
    return;
  for (uint32_t i = 0; i < problem->count; i++)
    plan->buckets[i] = (inf_single_r_choice){INF_NEVER, 0};
  plan->cost = 0;
  plan->after_ns = plan->before_ns;
}
