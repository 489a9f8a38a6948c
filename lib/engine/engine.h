/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ENGINE_H
#define INF_ENGINE_ENGINE_H

#include "base/error.h"
#include "base/rng.h"
#include "engine/attempt.h"
#include "engine/credentials.h"
#include "engine/exporter.h"
#include "engine/waiting.h"
#include "engine/warmer.h"

/* The loop: calls, attempts and timers over a transport, a clock and a random
 * generator that are given to it. It starts no thread and takes no lock but
 * those of the queues that it delivers to, so that the same code runs under a
 * loop thread, under the caller, and under a virtual clock.
 *
 * One turn: timers that are due, delivery, a wait for the network, timers and
 * delivery again. Readers are woken at most once per turn and queue.
 *
 * The loop may be away for any time: the machine sleeps, the process is
 * stopped, a hook or the application that drives takes long. What that means:
 *   - A call's deadline goes on. It ends the call as soon as the loop is back.
 *   - The timers of an attempt measure how long the provider is silent. They
 *     are judged by heard_ns, up to which everything that came has been told,
 *     so that bytes which wait in a socket are read first; and after more than
 *     INF_CLOCK_JUMP_NS away they begin anew, at back_ns.
 *   - Times measured across such a gap are dropped (clock_jumps).
 *   - Idle connections are retired when the machine slept, or a wait took that
 *     much too long. An application that drives now and then keeps them. */

#define INF_CLOCK_JUMP_NS (5 * INF_NS_PER_S)
/* While there is a call no wait is longer, so that a gap in it stands out. The
 * kernel's own waits do not count a sleep of the machine. */
#define INF_LONGEST_WAIT_NS (1 * INF_NS_PER_S)

typedef struct inf_engine {
  inf_transport *transport;
  const inf_clock *clock;
  inf_rng rng;
  inf_runtime *runtime;
  const inf_config_hooks *hooks;
  uint64_t now_ns;   /* read at the start of a turn, after the wait, and after
                      * hooks */
  uint64_t heard_ns; /* what had come by then has been told */
  uint64_t listened_ns;  /* what had come by then will be, once the transport
                          * is not behind any more */
  uint64_t back_ns;      /* end of the latest gap */
  uint64_t asleep_ns;    /* of the machine, as last seen */
  inf_timer_heap timers; /* of calls: by now_ns */
  inf_timer_heap attempt_timers; /* by heard_ns */
  inf_list calls;                /* alive */
  inf_list attempts;             /* in flight or lingering */
  inf_list probes;               /* attempts of no call, see probe.h */
  inf_list pool;                 /* attempts to be used again */
  size_t pool_count;
  inf_list dirty;    /* calls with staged events */
  inf_list waking;   /* queues whose readers are to be woken; with references */
  inf_paused paused; /* calls that wait for their readers */
  inf_warmups warmups;
  inf_warmer warmer;
  inf_waiting waiting; /* calls that a limit holds back */
  inf_credentials credentials;
  /* Of the attempt that the gate has just let through. */
  inf_meter_pass pass;
  inf_budgets_pass budgets;
  size_t pass_key;
  uint64_t doubt_ns; /* race.c looks no sooner at all attempts again: 1 us for
                      * each, so that this never takes more than a tenth of the
                      * time */
  uint64_t delivery_interval_ns;
  uint64_t next_flush_ns;
  uint64_t clock_jumps;
  inf_skew skew; /* of our wall clock, told by who refused a signature's time */
  uint64_t waiting_ns; /* how long this turn means to wait */
  bool caller_woken;   /* a blocking call ended in this turn */
  /* Told just before and just after a call's terminal event is shown to its
   * reader; context is the client. */
  void (*on_call_ending)(void *context, struct infer_call *call);
  void (*on_call_ended)(void *context, struct infer_call *call);
  /* Told when there is no exporter any more. */
  void (*on_exported)(void *context);
  void *context;
  inf_exporter *exporter; /* NULL: telemetry goes to no collector */
} inf_engine;

void inf_engine_init(inf_engine *engine, inf_transport *transport,
                     const inf_clock *clock, uint64_t seed,
                     inf_runtime *runtime, const inf_config_hooks *hooks);
/* No call may be alive. */
void inf_engine_fini(inf_engine *engine);

/* Reads the clock, and notices a gap. waited_ns is how long the turn meant to
 * wait since the last reading; INF_NEVER: as long as it takes, or the time was
 * somebody else's. */
void inf_engine_update_time(inf_engine *engine, uint64_t waited_ns);
/* Takes over the caller's reference to the call. */
void inf_engine_begin(inf_engine *engine, struct infer_call *call);
void inf_engine_cancel(inf_engine *engine, struct infer_call *call,
                       const char *why);
void inf_engine_cancel_all(inf_engine *engine, const char *why);
/* The reader has caught up: a paused call goes on. */
void inf_engine_resume(inf_engine *engine, struct infer_call *call);
/* One turn that waits at most wait_ns. */
void inf_engine_turn(inf_engine *engine, uint64_t wait_ns);
/* Absolute time by which a turn is due even if nothing happens. */
uint64_t inf_engine_next_ns(inf_engine *engine);

/* ---- Within the engine --------------------------------------------------- */

/* call.c */
void inf_call_on_timer(inf_engine *engine, struct infer_call *call);
void inf_call_attempt_succeeded(inf_attempt *attempt);
void inf_call_attempt_failed(inf_attempt *attempt, int32_t status);
void inf_call_end_cancelled(inf_engine *engine, struct infer_call *call,
                            int32_t status, const char *why);
/* An attempt has failed beside another that goes on: what that says of its key
 * and its target. */
void inf_call_note_failure(inf_attempt *attempt, int32_t status);
/* The next attempt is not made before at_ns, and one of the allowance is used
 * up. */
void inf_call_put_off(inf_engine *engine, struct infer_call *call,
                      uint64_t at_ns);
/* The next attempt begins the answer anew. False: no memory, the call has
 * ended. */
bool inf_call_start_over(inf_engine *engine, struct infer_call *call);
/* Ends a call whose next attempt, to next_target, is not made. */
void inf_call_end_unsent(inf_engine *engine, struct infer_call *call,
                         int32_t status, uint64_t retry_after_ns,
                         const char *why);
/* The one end of a call. Takes over response or error, one of which there
 * is. */
void inf_call_end(inf_engine *engine, struct infer_call *call,
                  struct infer_response *response, struct infer_error *error);
/* The gate has let its next attempt through. */
void inf_call_start(inf_engine *engine, struct infer_call *call);
/* The wait for a token is over: it comes to the gate again. */
void inf_call_start_now(inf_engine *engine, struct infer_call *call);
/* Something else was decided than the record of the latest attempt, if there
 * is one, tells. why is static. */
void inf_call_note_decision(struct infer_call *call, const char *why);

/* deliver.c: turns the answer's deltas into staged events, and hands those to
 * the queues. */
void inf_deliver_delta(inf_attempt *attempt, const inf_delta *delta);
/* Frees events of an attempt that were held back. */
void inf_deliver_drop(inf_list *list);
/* Or hands them on. */
void inf_deliver_release(inf_engine *engine, struct infer_call *call,
                         inf_list *held);
bool inf_deliver_restart(inf_engine *engine, struct infer_call *call,
                         const char *why); /* false: no memory */
/* Drops what was staged for an attempt that failed unseen. */
void inf_deliver_discard(struct infer_call *call);
void inf_deliver_done(inf_engine *engine, struct infer_call *call,
                      int32_t status, struct infer_response *response,
                      struct infer_error *error);
/* An attempt has ended: an event, if the queue wants such. False: it is lost
 * for want of memory. */
bool inf_deliver_record(inf_engine *engine, struct infer_call *call,
                        const struct infer_attempt *record);
/* True if a reader was shown anything. */
bool inf_deliver_flush(inf_engine *engine);

#endif
