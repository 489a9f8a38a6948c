/* SPDX-License-Identifier: MIT */
#ifndef TEST_H2_PEER_H
#define TEST_H2_PEER_H

#include "support/tiny_server.h"

#include <stdint.h>

/* A scripted HTTP/2 server: the frames of one connection of a tiny_server,
 * sent by hand, so that a test can send any of them at any moment, also what
 * no proper server sends. Its handler reads like the script that it is:
 *
 *   h2_peer peer;
 *   uint32_t stream;
 *   if (!h2_open(&peer, conn, H2_NO_LIMIT)) return;
 *   while ((stream = h2_request(&peer, 5000))) {
 *     h2_head(&peer, stream, 200, false);
 *     h2_data(&peer, stream, "hello", 5, true);
 *   }
 *
 * Not thread-safe: a peer belongs to its connection's thread. */

enum { h2_max_streams = 512 };
#define H2_NO_LIMIT (-1)

/* Error codes of RFC 9113, section 7. */
enum {
  H2_NO_ERROR = 0,
  H2_INTERNAL_ERROR = 2,
  H2_STREAM_CLOSED = 5,
  H2_REFUSED_STREAM = 7,
  H2_CANCEL = 8,
  H2_ENHANCE_YOUR_CALM = 11,
  H2_HTTP_1_1_REQUIRED = 13,
};

typedef struct h2_stream {
  uint32_t id;
  bool whole;     /* the request is complete */
  bool given;     /* by h2_request() */
  bool reset;     /* by the client */
  uint32_t code;  /* of that reset */
  int64_t window; /* bytes that the client still takes */
} h2_stream;

typedef struct h2_peer {
  tiny_conn *conn;
  h2_stream streams[h2_max_streams];
  int count;
  int64_t window; /* bytes that the client still takes, all streams together */
  int64_t initial_window;
  bool ended; /* the connection is over */
} h2_peer;

/* Preface and SETTINGS, with SETTINGS_MAX_CONCURRENT_STREAMS unless
 * max_streams is H2_NO_LIMIT. */
bool h2_open(h2_peer *peer, tiny_conn *conn, int max_streams);
/* The next whole request that was not given yet; 0 when none comes within
 * wait_ms, or at the end of the connection. */
uint32_t h2_request(h2_peer *peer, int wait_ms);
h2_stream *h2_find(h2_peer *peer, uint32_t stream);
/* Takes in what the client sends until it resets the stream. */
bool h2_wait_reset(h2_peer *peer, uint32_t stream, int wait_ms);
/* The same until the connection ends, but for so long at most. */
void h2_linger(h2_peer *peer, int wait_ms);

/* The head of an answer: a status and, for 200, the type of an event
 * stream. */
bool h2_head(h2_peer *peer, uint32_t stream, int status, bool end);
/* Sends at once, in frames of 16 KiB at most, whatever the window says. */
bool h2_data(h2_peer *peer, uint32_t stream, const char *bytes, size_t len,
             bool end);
/* Sends as the window allows, and waits for more of it. The number of bytes
 * sent, less than len only if none was allowed for wait_ms. */
size_t h2_data_in_window(h2_peer *peer, uint32_t stream, const char *bytes,
                         size_t len, int wait_ms);
bool h2_reset(h2_peer *peer, uint32_t stream, uint32_t code);
bool h2_goaway(h2_peer *peer, uint32_t last_stream, uint32_t code);

#endif
