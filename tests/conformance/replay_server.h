/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_REPLAY_SERVER_H
#define TESTS_CONFORMANCE_REPLAY_SERVER_H

#include "conformance/cases.h"
#include "support/tiny_server.h"

#include <pthread.h>

/* A server that answers each request with a recorded response: its status,
 * its headers without those that describe the recorded connection, and its
 * body. Which one is said by the request's header field REPLAY_FIELD. */

#define REPLAY_FIELD "x-replay-job"

typedef enum replay_way {
  REPLAY_WHOLE,    /* with a content-length, in one write */
  REPLAY_BYTES,    /* chunked, each byte in an HTTP chunk of its own */
  REPLAY_RECORDED, /* chunked, an HTTP chunk for each recorded read */
  REPLAY_WAYS
} replay_way;

/* Up to here each byte is also a write of its own; in longer bodies a write
 * has REPLAY_CHUNKS_PER_WRITE of the one-byte chunks, to save time. The client
 * is handed one byte at a time in either case: its HTTP parser gives out each
 * chunk alone. */
#define REPLAY_SINGLE_WRITE_BYTES ((size_t)64 << 10)
#define REPLAY_CHUNKS_PER_WRITE   7

typedef struct replay_job {
  const test_case *test;
  replay_way way;
  bool stream; /* how the client is to ask */
  /* What came; guarded by the server's mutex. */
  unsigned requests;
  inf_buf body; /* of the last request */
} replay_job;

typedef struct replay_server {
  tiny_server *tiny;
  replay_job *jobs;
  size_t count;
  pthread_mutex_t mutex;
} replay_server;

/* The jobs stay where they are until the server is stopped. */
bool replay_server_start(replay_server *server, replay_job *jobs, size_t count);
void replay_server_stop(replay_server *server);
/* Replaces body by that of the job's last request; returns how many came. */
unsigned replay_server_seen(replay_server *server, size_t job, inf_buf *body);

#endif
