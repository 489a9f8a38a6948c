/* SPDX-License-Identifier: MIT */
#include "compare.h"

#include <math.h>
#include <stdio.h>

static const double share_tolerance = 0.005, value_tolerance = 0.05;

/* One figure of one seed's run in both worlds. */
typedef struct figure_pair {
  double simulated, real;
} figure_pair;

/* By how much the real one is larger: in itself for a share, else as a share
 * of the simulated one. */
static double
apart(figure_kind kind, const figure_pair *pair)
{
  double more = pair->real - pair->simulated;
  if (kind == FIGURE_SHARE || more == 0)
    return more;
  return more / fabs(pair->simulated);
}

static bool
agree(figure_kind kind, const figure_pair *pair)
{
  double most = kind == FIGURE_SHARE ? share_tolerance : value_tolerance;
  return fabs(apart(kind, pair)) <= most;
}

/* Of the seeds' pairs that with the median difference. */
static figure_pair
middle_pair(const scene_runs *simulated, const scene_runs *real, size_t figure)
{
  figure_kind kind = simulated->runs[0].at[figure].kind;
  figure_pair pairs[compare_max_runs];
  size_t count = 0;
  for (size_t i = 0; i < simulated->count; i++) {
    figure_pair pair = {simulated->runs[i].at[figure].value,
                        real->runs[i].at[figure].value};
    size_t at = count++;
    for (; at > 0 && apart(kind, &pairs[at - 1]) > apart(kind, &pair); at--)
      pairs[at] = pairs[at - 1];
    pairs[at] = pair;
  }
  return pairs[count / 2];
}

static void
print_runs(const scene_runs *played, size_t figure)
{
  printf("#  ");
  for (size_t i = 0; i < played->count; i++)
    printf(" %.4f", played->runs[i].at[figure].value);
  printf("\n");
}

size_t
compare_runs(const scene_runs *simulated, const scene_runs *real, bool quiet,
             bool verbose)
{
  size_t differ = 0;
  for (size_t i = 0; i < simulated->runs[0].count; i++) {
    figure_pair pair = middle_pair(simulated, real, i);
    bool ok = agree(simulated->runs[0].at[i].kind, &pair);
    differ += !ok;
    if (!quiet)
      printf("%s: %-24s %10.4f %10.4f %s\n", simulated->scene->name,
             simulated->runs[0].at[i].name, pair.simulated, pair.real,
             ok ? "ok" : "DIFFERS");
    if (verbose) {
      print_runs(simulated, i);
      print_runs(real, i);
    }
  }
  return differ;
}
