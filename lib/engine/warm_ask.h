/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_WARM_ASK_H
#define INF_ENGINE_WARM_ASK_H

#include "config/config.h"
#include "base/list.h"

#include <stdatomic.h>

/* What a thread wants to have warm, and the report that it gets: the part of
 * infer_client_prewarm() that two threads share. */

struct infer_client;
struct infer_queue;

enum { INF_WARM_REASON_BYTES = 256, INF_WARM_NAME_BYTES = 72 };

typedef struct inf_warm_row {
  char provider[INF_WARM_NAME_BYTES];
  int32_t status;       /* INFER_OK or the class of what failed */
  int32_t reached;      /* INFER_WARM_* */
  const char *protocol; /* constant text; "" if not known */
  int64_t took_ns;
  char reason[INF_WARM_REASON_BYTES];
} inf_warm_row;

struct infer_warm_report {
  size_t count;
  inf_warm_row rows[];
};

/* [queue]: guarded by the queue's mutex. The queue serves for the wait, and
 * never carries an event. */
typedef struct inf_warm_ask {
  atomic_uint refs; /* of the asking thread, the mailbox and each warm-up */
  inf_list node;    /* [client] in client->warm_asks */
  struct infer_queue *queue;
  inf_config *config;
  const inf_provider_config **providers;
  size_t count;
  uint64_t until_ns;                /* of the wait */
  uint64_t end_ns;                  /* of the warm-ups */
  struct infer_warm_report *report; /* [queue] NULL: nobody waits any more */
  size_t pending;                   /* [queue] rows that are to come */
} inf_warm_ask;

/* For count providers of the configuration, of which it takes a reference.
 * wait_ns 0: warm-ups go on behind the caller's back; else they end shortly
 * before the wait, so that the report can tell how far they came. NULL when
 * memory is short. Any thread. */
inf_warm_ask *inf_warm_ask_new(struct infer_client *client, inf_config *config,
                               const inf_provider_config *const *providers,
                               size_t count, uint64_t wait_ns);
void inf_warm_ask_ref(inf_warm_ask *ask);
void inf_warm_ask_unref(inf_warm_ask *ask);
/* Hands it to the loop, waits until all rows are there or the time is up, and
 * gives the report. INFER_OK, INFER_E_TIMEOUT (with the report so far),
 * INFER_E_CLOSED. Any thread but the loop. */
int32_t inf_warm_ask_run(struct infer_client *client, inf_warm_ask *ask,
                         struct infer_warm_report **report);
/* Fills one row, its name apart, and wakes the asking thread. Loop only. */
void inf_warm_ask_put(inf_warm_ask *ask, size_t index, const inf_warm_row *row);

#endif
