/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_LOOP_H
#define INF_TOOLS_SIM_LOOP_H

#include "base/heap.h"

/* An epoll loop on one thread: descriptors and alarms. */

/* Something with a descriptor. It stands inside its owner and must live until
 * the turn in which it was removed is over. */
typedef struct inf_sim_source {
  void (*on_ready)(struct inf_sim_source *source, uint32_t events,
                   uint64_t now_ns);
} inf_sim_source;

typedef struct inf_sim_alarm {
  inf_timer timer;
  void (*on_due)(struct inf_sim_alarm *alarm, uint64_t now_ns);
} inf_sim_alarm;

typedef struct inf_sim_loop {
  int epoll_fd;
  bool stop;
  inf_timer_heap alarms;
} inf_sim_loop;

void inf_sim_loop_init(inf_sim_loop *loop);
void inf_sim_loop_fini(inf_sim_loop *loop);

/* False with errno set if the descriptor cannot be watched. */
bool inf_sim_loop_add(inf_sim_loop *loop, int fd, inf_sim_source *source,
                      uint32_t events);
void inf_sim_loop_change(inf_sim_loop *loop, int fd, inf_sim_source *source,
                         uint32_t events);
void inf_sim_loop_remove(inf_sim_loop *loop, int fd);

void inf_sim_alarm_init(inf_sim_alarm *alarm,
                        void (*on_due)(inf_sim_alarm *, uint64_t now_ns));
void inf_sim_loop_set(inf_sim_loop *loop, inf_sim_alarm *alarm, uint64_t at_ns);
void inf_sim_loop_cancel(inf_sim_loop *loop, inf_sim_alarm *alarm);

/* Waits once and calls whoever is ready or due. */
void inf_sim_loop_turn(inf_sim_loop *loop);

/* CLOCK_MONOTONIC: what logs are dated with. */
uint64_t inf_sim_now_ns(void);

#endif
