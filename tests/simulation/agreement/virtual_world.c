/* SPDX-License-Identifier: MIT */
#include "worlds.h"

#include <stdio.h>

/* 2026-01-01. */
static const int64_t wall_start_ns = INT64_C(1767225600000000000);
static const uint64_t start_ns = INF_NS_PER_S;

typedef struct virtual_world {
  inf_virtual_clock clock;
  ledger books;
  sim_fleet fleet;
} virtual_world;

static inf_transport *
new_transport(void *context, const inf_curl_options *options)
{
  virtual_world *world = context;
  (void)options;
  return inf_virtual_transport_new(&world->clock, &world->fleet.server);
}

static void
drive_until(virtual_world *world, sim_run *run, uint64_t until_ns)
{
  while (world->clock.now_ns < until_ns && !world->books.violation[0]) {
    uint64_t now_ns = world->clock.now_ns;
    inf_client_drive(run->client, until_ns - now_ns);
  }
}

static void
play(virtual_world *world, sim_run *run)
{
  for (size_t i = 0; i < run->count; i++) {
    drive_until(world, run, start_ns + run->calls[i].due_ns);
    sim_run_submit(run, i);
  }
  uint64_t deadline_ns = run->scene->deadline_ms * INF_NS_PER_MS;
  uint64_t end_ns = world->clock.now_ns + deadline_ns + INF_NS_PER_S;
  while (atomic_load(&run->ended) < run->count &&
         world->clock.now_ns < end_ns && !world->books.violation[0])
    drive_until(world, run, world->clock.now_ns + INF_NS_PER_S / 100);
}

void
virtual_play(sim_run *run)
{
  static virtual_world world; /* large */
  const sim_scene *scene = run->scene;
  memset(&world, 0, sizeof world);
  inf_virtual_clock_init(&world.clock, start_ns, wall_start_ns);
  ledger_init(&world.books);
  run->start_ns = start_ns;
  run->clock = &world.clock.clock;
  run->books = &world.books;
  run->new_transport = new_transport;
  run->context = &world;
  world.fleet.client = &run->client;
  world.fleet.count = scene->targets;
  for (size_t i = 0; i < scene->targets; i++) {
    snprintf(run->hosts[i], sizeof run->hosts[i], "http://p%zu.sim/v1", i);
    scene_fill_fleet(scene, i, start_ns, &world.fleet.providers[i].params);
  }
  fleet_init(&world.fleet, &world.books, &world.clock, run->seed);
  if (sim_run_open(run, 0))
    play(&world, run);
  world.books.closing = true;
  sim_run_close(run);
  if (world.books.violation[0])
    snprintf(run->trouble, sizeof run->trouble, "%s", world.books.violation);
  run->books = NULL;
  fleet_fini(&world.fleet);
}
