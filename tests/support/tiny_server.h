/* SPDX-License-Identifier: MIT */
#ifndef TEST_TINY_SERVER_H
#define TEST_TINY_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A raw server for transport tests: it accepts on a loopback or Unix socket
 * and runs one handler, on a thread of its own, for each connection. The
 * handler reads requests and writes whatever bytes the test wants to see
 * misunderstood. No HTTP library: what goes out is what the test wrote. */
typedef struct tiny_server tiny_server;

typedef struct tiny_conn {
  tiny_server *server;
  void *context;
  int fd;
  void *ssl;  /* SSL *, or NULL */
  int number; /* connections are counted from 1 */
  /* The last request read. */
  char head[16384]; /* request line and fields, NUL-terminated */
  char body[65536]; /* what fits of the body */
  size_t body_len;
} tiny_conn;

typedef void (*tiny_handler)(tiny_conn *conn);

typedef struct tiny_options {
  const char *unix_path; /* instead of TCP */
  bool ipv6;
  const char *cert_file, *key_file; /* TLS with this identity */
  const char *client_ca_file;       /* and clients must prove theirs */
  bool http2; /* ALPN "h2" preferred; the frames are the handler's */
} tiny_options;

/* NULL if it cannot listen (no IPv6, say). options may be NULL. */
tiny_server *tiny_start(tiny_handler handler, void *context,
                        const tiny_options *options);
/* Ends all connections and threads. */
void tiny_stop(tiny_server *server);
int tiny_port(const tiny_server *server);
int tiny_connections(const tiny_server *server); /* accepted so far */
int tiny_requests(const tiny_server *server);    /* read whole so far */

/* Reads one request; false at the end of the connection. */
bool tiny_read(tiny_conn *conn);
/* What has come, waiting for at least a byte; goes on when it is interrupted.
 * 0 or less at the end. */
ssize_t tiny_read_some(tiny_conn *conn, char *out, size_t size);
bool tiny_write(tiny_conn *conn, const char *bytes, size_t len);
bool tiny_puts(tiny_conn *conn, const char *text);
/* Status 200 with a content-length. */
bool tiny_answer(tiny_conn *conn, const char *body);
/* Value of a field of the last request into out; false if absent. */
bool tiny_field(const tiny_conn *conn, const char *name, char *out,
                size_t size);
/* Reads and drops what comes until the client ends the connection. */
void tiny_wait_closed(tiny_conn *conn);
/* Closes with a TCP reset. The handler must return after it. */
void tiny_reset(tiny_conn *conn);
void tiny_sleep_ms(int ms);

/* Writes a CA (ca.pem), a server certificate for localhost, 127.0.0.1 and ::1
 * (server.pem, server.key), a client one (client.pem, client.key) and a CA
 * that signed neither (other.pem) into dir. */
bool tiny_make_certificates(const char *dir);

#endif
