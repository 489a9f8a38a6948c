/* SPDX-License-Identifier: MIT */
#include "support/h2_peer.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Frame types, flags and settings of RFC 9113, section 6. */
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4 };
enum { PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };
enum { MAX_CONCURRENT_STREAMS = 3, INITIAL_WINDOW_SIZE = 4 };
enum { frame_max = 16384, default_window = 65535 };

static int64_t
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
put32(unsigned char *out, uint32_t value)
{
  for (int i = 0; i < 4; i++)
    out[i] = (unsigned char)(value >> (24 - 8 * i));
}

static uint32_t
get32(const unsigned char *in)
{
  return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 |
         in[3];
}

static bool
send_frame(h2_peer *peer, int type, int flags, uint32_t stream,
           const void *payload, size_t len)
{
  unsigned char frame[9 + frame_max] = {
      (unsigned char)(len >> 16), (unsigned char)(len >> 8), (unsigned char)len,
      (unsigned char)type, (unsigned char)flags};
  put32(frame + 5, stream);
  if (len > 0)
    memcpy(frame + 9, payload, len);
  bool ok = tiny_write(peer->conn, (const char *)frame, 9 + len);
  peer->ended = peer->ended || !ok;
  return ok;
}

/* ---- What the client sends ----------------------------------------------- */

h2_stream *
h2_find(h2_peer *peer, uint32_t stream)
{
  for (int i = peer->count; i-- > 0;)
    if (peer->streams[i].id == stream)
      return &peer->streams[i];
  return NULL;
}

static bool
read_all(h2_peer *peer, unsigned char *out, size_t len)
{
  while (len > 0) {
    ssize_t n = tiny_read_some(peer->conn, (char *)out, len);
    if (n <= 0)
      return false;
    out += n;
    len -= (size_t)n;
  }
  return true;
}

static void
take_settings(h2_peer *peer, const unsigned char *payload, size_t len)
{
  for (size_t at = 0; at + 6 <= len; at += 6)
    if (payload[at + 1] == INITIAL_WINDOW_SIZE)
      peer->initial_window = get32(payload + at + 2);
  send_frame(peer, SETTINGS, ACK, 0, NULL, 0);
}

static void
note_request(h2_peer *peer, uint32_t id, bool begins, bool whole)
{
  if (begins && peer->count < h2_max_streams)
    peer->streams[peer->count++] =
        (h2_stream){.id = id, .window = peer->initial_window};
  h2_stream *stream = h2_find(peer, id);
  if (stream && whole)
    stream->whole = true;
}

static void
take_frame(h2_peer *peer, int type, int flags, uint32_t id,
           const unsigned char *payload, size_t len)
{
  h2_stream *stream = h2_find(peer, id);
  if (type == SETTINGS && !(flags & ACK)) {
    take_settings(peer, payload, len);
  } else if (type == PING && !(flags & ACK)) {
    send_frame(peer, PING, ACK, 0, payload, len);
  } else if (type == WINDOW_UPDATE && len == 4) {
    *(id == 0 || !stream ? &peer->window : &stream->window) += get32(payload);
  } else if (type == RST_STREAM && stream && len == 4) {
    stream->reset = true;
    stream->code = get32(payload);
  } else if (type == HEADERS || type == DATA) {
    note_request(peer, id, type == HEADERS, (flags & END_STREAM) != 0);
  }
}

/* Does a byte come within wait_ms? An interruption does not end the wait. */
static bool
wait_readable(const h2_peer *peer, int64_t wait_ms)
{
  struct pollfd ready = {.fd = peer->conn->fd, .events = POLLIN};
  int64_t until = now_ms() + (wait_ms > 0 ? wait_ms : 0);
  for (;;) {
    int64_t left = until - now_ms();
    int count = poll(&ready, 1, left > 0 ? (int)left : 0);
    if (count >= 0 || errno != EINTR)
      return count > 0;
  }
}

/* Takes in one frame, if one begins to come within wait_ms. */
static bool
read_frame(h2_peer *peer, int64_t wait_ms)
{
  unsigned char head[9], payload[frame_max];
  if (peer->ended ||
      (SSL_pending(peer->conn->ssl) == 0 && !wait_readable(peer, wait_ms)))
    return false;
  size_t len = 0;
  peer->ended = !read_all(peer, head, sizeof head);
  if (!peer->ended) {
    len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    peer->ended = len > sizeof payload || !read_all(peer, payload, len);
  }
  if (peer->ended)
    return false;
  take_frame(peer, head[3], head[4], get32(head + 5), payload, len);
  return true;
}

bool
h2_open(h2_peer *peer, tiny_conn *conn, int max_streams)
{
  unsigned char preface[24], setting[6] = {0, MAX_CONCURRENT_STREAMS};
  memset(peer, 0, sizeof *peer);
  peer->conn = conn;
  peer->window = peer->initial_window = default_window;
  if (!read_all(peer, preface, sizeof preface))
    return false;
  if (max_streams != H2_NO_LIMIT)
    put32(setting + 2, (uint32_t)max_streams);
  return send_frame(peer, SETTINGS, 0, 0, setting,
                    max_streams == H2_NO_LIMIT ? 0 : sizeof setting);
}

uint32_t
h2_request(h2_peer *peer, int wait_ms)
{
  int64_t until_ms = now_ms() + wait_ms;
  for (;;) {
    for (int i = 0; i < peer->count; i++)
      if (peer->streams[i].whole && !peer->streams[i].given) {
        peer->streams[i].given = true;
        return peer->streams[i].id;
      }
    if (!read_frame(peer, until_ms - now_ms()))
      return 0;
  }
}

bool
h2_wait_reset(h2_peer *peer, uint32_t stream, int wait_ms)
{
  int64_t until_ms = now_ms() + wait_ms;
  const h2_stream *found = h2_find(peer, stream);
  while (found && !found->reset && read_frame(peer, until_ms - now_ms()))
    ;
  return found && found->reset;
}

void
h2_linger(h2_peer *peer, int wait_ms)
{
  int64_t until_ms = now_ms() + wait_ms;
  while (read_frame(peer, until_ms - now_ms()))
    ;
}

/* ---- What the server sends ----------------------------------------------- */

bool
h2_head(h2_peer *peer, uint32_t stream, int status, bool end)
{
  /* HPACK without its tables: a literal field has a byte 0, then name and
   * value, each after its length; 8 is the index of ":status", 31 that of
   * "content-type" (15 and a second byte of 16). */
  unsigned char block[64];
  int len = snprintf((char *)block, sizeof block, "\x08\x03%03d", status);
  if (status == 200) {
    static const char type[] = "\x0f\x10\x11"
                               "text/event-stream";
    memcpy(block + len, type, sizeof type - 1);
    len += (int)sizeof type - 1;
  }
  return send_frame(peer, HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream,
                    block, (size_t)len);
}

bool
h2_data(h2_peer *peer, uint32_t id, const char *bytes, size_t len, bool end)
{
  do {
    size_t piece = len < frame_max ? len : frame_max;
    bool last = end && piece == len;
    if (!send_frame(peer, DATA, last ? END_STREAM : 0, id, bytes, piece))
      return false;
    peer->window -= (int64_t)piece;
    h2_stream *stream = h2_find(peer, id);
    if (stream)
      stream->window -= (int64_t)piece;
    bytes += piece;
    len -= piece;
  } while (len > 0);
  return true;
}

size_t
h2_data_in_window(h2_peer *peer, uint32_t id, const char *bytes, size_t len,
                  int wait_ms)
{
  h2_stream *stream = h2_find(peer, id);
  size_t sent = 0;
  while (stream && sent < len && !peer->ended) {
    while (read_frame(peer, 0))
      ;
    int64_t room =
        stream->window < peer->window ? stream->window : peer->window;
    if (room <= 0) {
      if (!read_frame(peer, wait_ms))
        break;
      continue;
    }
    size_t piece = len - sent < frame_max ? len - sent : frame_max;
    piece = piece < (size_t)room ? piece : (size_t)room;
    if (!h2_data(peer, id, bytes + sent, piece, false))
      break;
    sent += piece;
  }
  return sent;
}

bool
h2_reset(h2_peer *peer, uint32_t stream, uint32_t code)
{
  unsigned char payload[4];
  put32(payload, code);
  return send_frame(peer, RST_STREAM, 0, stream, payload, sizeof payload);
}

bool
h2_goaway(h2_peer *peer, uint32_t last_stream, uint32_t code)
{
  unsigned char payload[8];
  put32(payload, last_stream);
  put32(payload + 4, code);
  return send_frame(peer, GOAWAY, 0, 0, payload, sizeof payload);
}
