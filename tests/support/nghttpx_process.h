/* SPDX-License-Identifier: MIT */
#ifndef TEST_NGHTTPX_PROCESS_H
#define TEST_NGHTTPX_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Runs nghttpx (Debian's nghttp2-proxy) as a child: TLS and HTTP/2 in front of
 * a server that speaks HTTP/1.1 on a port of 127.0.0.1.
 *
 * The child ends when the test's process does, however that ends. Every wait
 * is bounded, and what goes wrong is told on stderr. */

typedef struct nghttpx_process nghttpx_process;

/* False where the program is not installed: the test is to be skipped. */
bool nghttpx_available(void);
/* With the identity that tiny_make_certificates() wrote into dir, where its
 * access log goes, too. args: more arguments, NULL at the end, or NULL for
 * none. NULL if it does not listen within 10 s. */
nghttpx_process *nghttpx_start(uint16_t backend_port, const char *dir,
                               const char *const *args);
uint16_t nghttpx_port(const nghttpx_process *proxy);
/* Asks for a graceful end: GOAWAY to its clients, running streams finish. */
void nghttpx_quit(nghttpx_process *proxy);
/* True once it has ended, waiting for so long at most. */
bool nghttpx_ended(nghttpx_process *proxy, unsigned wait_ms);
/* Kills it, as a machine does that loses power, and frees. NULL is harmless. */
void nghttpx_kill(nghttpx_process *proxy);

/* What its access log says of the requests that have ended. */
typedef struct nghttpx_counts {
  size_t requests;
  size_t connections; /* that these came over */
  size_t http2;       /* requests over HTTP/2 */
} nghttpx_counts;

/* The counts once there are so many requests; those there are after wait_ms. */
nghttpx_counts nghttpx_wait_counts(const nghttpx_process *proxy,
                                   size_t requests, unsigned wait_ms);

#endif
