/* SPDX-License-Identifier: MIT */
#include "telemetry/buckets.h"

#define MS UINT64_C(1000000)

const inf_bucket_bounds inf_bounds_durations = {
    .upper = {10 * MS, 20 * MS, 40 * MS, 80 * MS, 160 * MS, 320 * MS, 640 * MS,
              1280 * MS, 2560 * MS, 5120 * MS, 10240 * MS, 20480 * MS,
              40960 * MS, 81920 * MS},
    .count = 14,
    .unit = 1e9,
};

const inf_bucket_bounds inf_bounds_per_token = {
    .upper = {10 * MS, 25 * MS, 50 * MS, 75 * MS, 100 * MS, 150 * MS, 200 * MS,
              300 * MS, 400 * MS, 500 * MS, 750 * MS, 1000 * MS, 2500 * MS},
    .count = 13,
    .unit = 1e9,
};

const inf_bucket_bounds inf_bounds_tokens = {
    .upper = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576,
              4194304, 16777216, 67108864},
    .count = 14,
    .unit = 1,
};

void
inf_buckets_add(inf_buckets *buckets, const inf_bucket_bounds *bounds,
                uint64_t value)
{
  size_t i = 0;
  while (i < bounds->count && value > bounds->upper[i])
    i++;
  buckets->counts[i == bounds->count ? INF_BUCKETS_MAX : i]++;
  buckets->sum += value;
}

uint64_t
inf_buckets_total(const inf_buckets *buckets)
{
  uint64_t total = 0;
  for (size_t i = 0; i <= INF_BUCKETS_MAX; i++)
    total += buckets->counts[i];
  return total;
}
