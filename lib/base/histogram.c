/* SPDX-License-Identifier: MIT */
#include "base/histogram.h"

#include <string.h>

enum { sub_buckets = 1 << INF_HISTOGRAM_SUB_BITS };

uint64_t
inf_histogram_lower(uint32_t index)
{
  if (index < 2 * sub_buckets)
    return (uint64_t)index << INF_HISTOGRAM_UNIT_BITS;
  uint32_t octave = (index >> INF_HISTOGRAM_SUB_BITS) - 1;
  uint64_t units = (uint64_t)(index - (octave << INF_HISTOGRAM_SUB_BITS));
  return units << (octave + INF_HISTOGRAM_UNIT_BITS);
}

uint64_t
inf_histogram_middle(uint32_t index)
{
  uint64_t lower = inf_histogram_lower(index);
  return lower + (inf_histogram_lower(index + 1) - lower) / 2;
}

uint64_t
inf_histogram_quantile(const inf_histogram *histogram, double share)
{
  if (histogram->total == 0)
    return 0;
  double wanted = share * (double)histogram->total;
  uint64_t seen = 0;
  uint32_t last = 0;
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    if (histogram->counts[i] == 0)
      continue;
    seen += histogram->counts[i];
    last = i;
    if ((double)seen >= wanted)
      break;
  }
  return inf_histogram_middle(last);
}

void
inf_histogram_merge(inf_histogram *into, const inf_histogram *from)
{
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    uint32_t room = UINT32_MAX - into->counts[i];
    uint32_t more = from->counts[i] < room ? from->counts[i] : room;
    into->counts[i] += more;
    into->total += more;
  }
}

void
inf_histogram_halve(inf_histogram *histogram)
{
  histogram->total = 0;
  for (uint32_t i = 0; i < INF_HISTOGRAM_BUCKETS; i++) {
    histogram->counts[i] /= 2;
    histogram->total += histogram->counts[i];
  }
}

void
inf_histogram_clear(inf_histogram *histogram)
{
  memset(histogram, 0, sizeof *histogram);
}
