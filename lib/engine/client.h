/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_CLIENT_H
#define INF_ENGINE_CLIENT_H

#include "engine/engine.h"

/* A client: an engine, the thread that runs it (or the callers that drive
 * it), and the mailbox between that thread and all others.
 *
 * Lifetimes: app_refs counts the application's references; when it falls to 0
 * the client shuts down. refs counts everything that needs the memory: the
 * application (one, together), the loop, each call and each queue. */
struct infer_client {
  atomic_uint app_refs, refs;
  uint32_t fork_generation;
  inf_engine engine; /* touched by the loop only */
  inf_runtime *runtime;
  inf_config_hooks hooks;
  inf_log loop_log; /* the transport's; touched by the loop only */
  uint64_t export_seed;
  struct inf_budget_store *budget_store; /* or NULL */
  inf_list process_node;                 /* in the list of process.c */

  pthread_mutex_t mutex;
  pthread_cond_t cond;      /* a call ended; a driver left; the loop stopped */
  inf_config *config;       /* [client] for new calls */
  inf_list submitted;       /* [client] calls not yet seen by the loop */
  inf_list commands;        /* [client] calls to be cancelled or resumed */
  inf_list warm_asks;       /* [client] not yet seen by the loop */
  inf_list token_answers;   /* [client] likewise: token_request.h */
  atomic_bool mail;         /* something is in the lists above */
  atomic_uint wakers;       /* threads that are about to wake the loop */
  atomic_size_t live_count; /* accepted and not ending: at most max_calls, so
                             * that who has seen an end may submit again */
  atomic_size_t call_count; /* accepted, terminal event not yet shown; both
                             * rise under the mutex only */
  atomic_size_t room_bytes; /* that a response may need; the loop writes */
  size_t max_calls;
  atomic_bool closing;   /* refuses new calls; set under the mutex */
  atomic_bool exporting; /* telemetry may be sent still */
  bool cancel_all;       /* [client] */
  bool reloaded;         /* [client] options of the loop changed */
  bool look;             /* [client] whoever drives is to look at his reason */
  atomic_bool stop;      /* the loop is to end; set under the mutex */
  bool stopped;          /* [client] it has begun to end: not to be woken */
  bool ended;            /* [client] it has ended, the engine is gone */
  bool silent;           /* [client] the process exits: no hook runs */
  atomic_bool drained;   /* closing, and no call is left */
  inf_list queues;       /* [client] all queues */

  bool threaded;
  pthread_t thread; /* if threaded */
  bool joining;     /* [client] somebody waits for it, or nobody may */
  bool joined;      /* [client] */
  bool fd_watched;  /* [client] the application has asked for the fd */
  bool driving;     /* [client] not threaded: a thread is in a turn */
  atomic_uint_fast64_t turns; /* not threaded: how many have ended; rises
                               * under the mutex */
};

int32_t inf_client_new(struct infer_client **client,
                       const struct infer_config *config,
                       struct infer_error **error);

/* What a client runs on: the network, the time and the dice. */
typedef struct inf_client_parts {
  /* Makes the transport; NULL when memory is short. */
  inf_transport *(*new_transport)(void *context,
                                  const inf_curl_options *options);
  void *context;
  const inf_clock *clock;
  uint64_t seed;
} inf_client_parts;

/* The same on other parts than libcurl, the system's clock and its entropy. */
int32_t inf_client_new_with(struct infer_client **client,
                            const struct infer_config *config,
                            const inf_client_parts *parts,
                            struct infer_error **error);
void inf_client_ref(struct infer_client *client);
void inf_client_unref(struct infer_client *client);
/* Is this thread inside one of the client's hooks (or its loop)? */
bool inf_client_in_loop(const struct infer_client *client);

/* Hands the call to the loop, taking over a reference. INFER_E_CLOSED,
 * INFER_E_LIMIT: the reference stays the caller's. */
int32_t inf_client_submit(struct infer_client *client, struct infer_call *call);
/* Hands an answer to the loop, which takes it over. False: it has ended. */
bool inf_client_answer_token(struct infer_client *client,
                             struct infer_token_request *answer);
/* Asks the loop to look at the call again: cancel_requested or a resume. */
void inf_client_command(struct infer_client *client, struct infer_call *call);

/* The transport's fd, for an application that drives; -1 if there is none. From
 * then on each mail makes it readable. */
int inf_client_fd(struct infer_client *client);
/* Ends the present wait of whoever runs the loop; if nobody waits now, the next
 * one. */
void inf_client_wake(struct infer_client *client);

/* Lets a turn happen (not threaded), or waits until another thread's turn is
 * over; at most wait_ns. */
void inf_client_drive(struct infer_client *client, uint64_t wait_ns);
/* Waits until `ready(context)` holds, checked under the queue's mutex, or
 * until_ns (on the client's clock). False on timeout. Drives if need be. */
bool inf_client_wait(struct infer_client *client, struct infer_queue *queue,
                     bool (*ready)(void *context), void *context,
                     uint64_t until_ns);
int32_t inf_client_close(struct infer_client *client, uint64_t drain_ns);
int32_t inf_client_reload(struct infer_client *client,
                          const struct infer_config *config,
                          struct infer_error **error);
/* The application's last reference went: ends everything and drops it. */
void inf_client_shutdown(struct infer_client *client);
/* The process exits: ends everything, too, but calls no hook, waits at most
 * wait_ns, and drops no reference. */
void inf_client_end_at_exit(struct infer_client *client, uint64_t wait_ns);
/* The same in a forked child: closes what was inherited, wipes the keys, and
 * leaves everything else alone. */
void inf_client_abandon_forked(struct infer_client *client);

#endif
