/* SPDX-License-Identifier: MIT */
/* The event loop of the simulator. Waits have nanosecond resolution where the
 * kernel has epoll_pwait2(): the times that a script asks for are kept to
 * within tens of microseconds. */

#include "sim_loop.h"

#include "sim_mem.h"

#include "base/clock.h"
#include "base/list.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_MAX 256

uint64_t
inf_sim_now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * INF_NS_PER_S + (uint64_t)now.tv_nsec;
}

void
inf_sim_loop_init(inf_sim_loop *loop)
{
  *loop = (inf_sim_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
  if (loop->epoll_fd < 0) {
    inf_sim_die("epoll_create1: %s", strerror(errno));
  }
  /* The default slack of 50 us would be added to every wait. */
  prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
}

void
inf_sim_loop_fini(inf_sim_loop *loop)
{
  close(loop->epoll_fd);
}

static bool
control(inf_sim_loop *loop, int operation, int fd, inf_sim_source *source,
        uint32_t events)
{
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(loop->epoll_fd, operation, fd, &event) == 0;
}

bool
inf_sim_loop_add(inf_sim_loop *loop, int fd, inf_sim_source *source,
                 uint32_t events)
{
  return control(loop, EPOLL_CTL_ADD, fd, source, events);
}

void
inf_sim_loop_change(inf_sim_loop *loop, int fd, inf_sim_source *source,
                    uint32_t events)
{
  control(loop, EPOLL_CTL_MOD, fd, source, events);
}

void
inf_sim_loop_remove(inf_sim_loop *loop, int fd)
{
  control(loop, EPOLL_CTL_DEL, fd, NULL, 0);
}

void
inf_sim_alarm_init(inf_sim_alarm *alarm,
                   void (*on_due)(inf_sim_alarm *, uint64_t now_ns))
{
  inf_timer_init(&alarm->timer);
  alarm->on_due = on_due;
}

void
inf_sim_loop_set(inf_sim_loop *loop, inf_sim_alarm *alarm, uint64_t at_ns)
{
  inf_timer_set(&loop->alarms, &alarm->timer, at_ns);
}

void
inf_sim_loop_cancel(inf_sim_loop *loop, inf_sim_alarm *alarm)
{
  inf_timer_cancel(&loop->alarms, &alarm->timer);
}

static int
wait_ns(inf_sim_loop *loop, struct epoll_event *events, uint64_t wait)
{
  struct timespec limit = {.tv_sec = (time_t)(wait / INF_NS_PER_S),
                           .tv_nsec = (long)(wait % INF_NS_PER_S)};
  bool forever = wait == INF_NEVER;
  int count = epoll_pwait2(loop->epoll_fd, events, EVENTS_MAX,
                           forever ? NULL : &limit, NULL);
  if (count < 0 && errno == ENOSYS) {
    uint64_t ms = wait / INF_NS_PER_MS + 1;
    int whole = ms > 60000 ? 60000 : (int)ms;
    count =
        epoll_wait(loop->epoll_fd, events, EVENTS_MAX, forever ? -1 : whole);
  }
  return count;
}

static uint64_t
time_to_next(const inf_sim_loop *loop)
{
  uint64_t next_ns = inf_timer_next_ns(&loop->alarms);
  if (next_ns == INF_NEVER) {
    return INF_NEVER;
  }
  uint64_t now_ns = inf_sim_now_ns();
  return next_ns > now_ns ? next_ns - now_ns : 0;
}

void
inf_sim_loop_turn(inf_sim_loop *loop)
{
  struct epoll_event events[EVENTS_MAX];
  int count = wait_ns(loop, events, time_to_next(loop));
  for (int i = 0; i < count; i++) {
    inf_sim_source *source = events[i].data.ptr;
    source->on_ready(source, events[i].events, inf_sim_now_ns());
  }
  uint64_t now_ns = inf_sim_now_ns();
  inf_timer *timer;
  while ((timer = inf_timer_pop_due(&loop->alarms, now_ns)) != NULL) {
    inf_sim_alarm *alarm = INF_CONTAINER_OF(timer, inf_sim_alarm, timer);
    alarm->on_due(alarm, now_ns);
  }
}
