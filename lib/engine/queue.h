/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_QUEUE_H
#define INF_ENGINE_QUEUE_H

#include "base/buf.h"
#include "base/list.h"
#include "infer/infer.h"

#include <pthread.h>
#include <stdatomic.h>

/* The queue between the loop and the threads that read events.
 *
 * The loop appends events to calls, the calls that have any stand in the
 * queue's ready list. Everything marked [queue] below is guarded by the
 * queue's mutex, which is held for a few instructions only and never while
 * anything is called back.
 *
 * A call that was submitted without a queue has a small one of its own, so
 * that waiting for its end works in one way only. */

struct infer_event {
  inf_list node; /* in call->staged (loop) or call->pending [queue] */
  int32_t type;  /* INFER_EVENT_* */
  uint32_t epoch, choice, tool;
  uint64_t call_id, tag;
  inf_buf text;
  /* No event has both, and most have neither: one place keeps them small. */
  union {
    inf_buf tool_id; /* TOOL_CALL_* */
    inf_buf head;    /* START */
  };
  inf_buf tool_name;
  /* DONE and ATTEMPT: holds a reference. A DONE event stands inside its call;
   * an ATTEMPT event has its record right behind it. */
  struct infer_call *call;
  int32_t status;
  struct infer_response *response;
  struct infer_error *error;
};

struct infer_queue {
  atomic_uint refs;
  uint32_t fork_generation;
  struct infer_client *client; /* holds a reference */
  inf_list client_node;        /* [client] in client->queues */
  pthread_mutex_t mutex;
  pthread_cond_t cond;  /* events came, a call ended, or closed */
  inf_list ready;       /* [queue] calls with pending events */
  inf_list calls;       /* [queue] live calls of this queue */
  atomic_size_t events; /* [queue] to write: pending events of all calls */
  uint32_t pollers;     /* [queue] threads in a wait */
  bool freed;           /* [queue] by the application */
  int fd, write_fd;     /* [queue] -1 until asked for */
  bool fd_signalled;    /* [queue] */
  void (*wakeup)(void *user_data); /* [queue] */
  void *wakeup_user_data;          /* [queue] */
  bool waking;                     /* [queue] the loop is calling it */
  atomic_bool records;             /* attempts are told, too */
  bool wake_due;                   /* [loop] since the last wake */
  inf_list wake_node;              /* [loop] in engine->waking */
};

/* NULL when memory is short. */
struct infer_queue *inf_queue_new(struct infer_client *client);
void inf_queue_ref(struct infer_queue *queue);
void inf_queue_unref(struct infer_queue *queue);

/* Adds a call's staged events to what its reader sees, merging text with text
 * that still waits. Returns the bytes that now wait for this call, and sets
 * wake_due if somebody waits for what came. Loop only. */
size_t inf_queue_flush(struct infer_queue *queue, struct infer_call *call);
/* Wakes whoever waits: pollers, the fd and the hook, which runs before this
 * returns. Apart from the flush, so that a turn of the loop that flushes many
 * calls wakes their reader once, when all is there. The caller has a reference:
 * who wakes up may free the queue. Loop only. */
void inf_queue_wake(struct infer_queue *queue);

/* Sets the hook; true if events wait already. Once it returns the hook before
 * does not run any more, unless the caller is within it. */
bool inf_queue_set_wakeup(struct infer_queue *queue,
                          void (*fn)(void *user_data), void *user_data);

/* Takes up to capacity events. Does not wait. *freed (may be NULL) says whether
 * the application has freed the queue. */
size_t inf_queue_take(struct infer_queue *queue, struct infer_event **events,
                      size_t capacity, bool *freed);

/* Nobody reads any more (the hook has been removed): drops what waits, now and
 * from now on, and wakes whoever waits. */
void inf_queue_abandon(struct infer_queue *queue);
/* Takes one of the queue's live calls out of its list, with a reference; NULL
 * when none is left. */
struct infer_call *inf_queue_next_live(struct infer_queue *queue);

/* Closes the fds; for a forked child, which may do nothing else. */
void inf_queue_close_fds(struct infer_queue *queue);

/* The fd, made now if need be; -1 if none can be had. */
int inf_queue_fd(struct infer_queue *queue);

/* With room for a text of so many bytes, which may grow beyond. */
struct infer_event *inf_event_new(int32_t type, const struct infer_call *call,
                                  size_t text_bytes);
void inf_event_free(struct infer_event *event);
/* An ATTEMPT event with a copy of the record, since what was decided after the
 * attempt is noted there later; NULL when memory is short. */
struct infer_event *inf_event_new_record(struct infer_call *call,
                                         const struct infer_attempt *record);
/* What it tells; NULL for others. */
const struct infer_attempt *inf_event_record(const struct infer_event *event);

#endif
