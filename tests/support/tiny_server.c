/* SPDX-License-Identifier: MIT */
#include "support/tiny_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { max_connections = 4096 };

struct tiny_server {
  int listen_fd, port;
  tiny_handler handler;
  void *context;
  SSL_CTX *tls;
  pthread_t acceptor;
  pthread_mutex_t mutex;
  pthread_t threads[max_connections];
  int fds[max_connections]; /* -1 once closed */
  int count;
  atomic_int requests;
  atomic_bool stopping;
};

void
tiny_sleep_ms(int ms)
{
  struct timespec wait = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&wait, NULL);
}

/* ---- Connections --------------------------------------------------------- */

/* Was a call that gave n interrupted? Then it is to be made again. */
static bool
was_interrupted(const tiny_conn *conn, ssize_t n)
{
  if (!conn->ssl)
    return n < 0 && errno == EINTR;
  int why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(conn->ssl, (int)n);
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

ssize_t
tiny_read_some(tiny_conn *conn, char *out, size_t size)
{
  ssize_t n;
  do
    n = conn->ssl ? SSL_read(conn->ssl, out, (int)size)
                  : recv(conn->fd, out, size, 0);
  while (was_interrupted(conn, n));
  return n;
}

bool
tiny_write(tiny_conn *conn, const char *bytes, size_t len)
{
  while (len > 0) {
    ssize_t n = conn->ssl ? SSL_write(conn->ssl, bytes, (int)len)
                          : send(conn->fd, bytes, len, MSG_NOSIGNAL);
    if (was_interrupted(conn, n))
      continue;
    if (n <= 0)
      return false;
    bytes += n;
    len -= (size_t)n;
  }
  return true;
}

bool
tiny_puts(tiny_conn *conn, const char *text)
{
  return tiny_write(conn, text, strlen(text));
}

bool
tiny_answer(tiny_conn *conn, const char *body)
{
  char head[128];
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
           strlen(body));
  return tiny_puts(conn, head) && tiny_puts(conn, body);
}

bool
tiny_field(const tiny_conn *conn, const char *name, char *out, size_t size)
{
  size_t len = strlen(name);
  for (const char *at = conn->head; (at = strstr(at, "\r\n"));) {
    at += 2;
    if (strncasecmp(at, name, len) != 0 || at[len] != ':')
      continue;
    at += len + 1;
    at += strspn(at, " ");
    snprintf(out, size, "%.*s", (int)strcspn(at, "\r\n"), at);
    return true;
  }
  return false;
}

bool
tiny_read(tiny_conn *conn)
{
  size_t len = 0;
  char *end = NULL;
  while (!end) {
    if (len + 1 >= sizeof conn->head)
      return false;
    ssize_t n = tiny_read_some(conn, conn->head + len, 1);
    if (n <= 0)
      return false;
    conn->head[++len] = 0;
    if (len >= 4)
      end = memcmp(conn->head + len - 4, "\r\n\r\n", 4) == 0 ? conn->head + len
                                                             : NULL;
  }
  char value[32];
  size_t want = 0;
  if (tiny_field(conn, "content-length", value, sizeof value))
    want = (size_t)strtoull(value, NULL, 10);
  conn->body_len = 0;
  for (size_t got = 0; got < want;) {
    char piece[4096];
    size_t ask = want - got < sizeof piece ? want - got : sizeof piece;
    ssize_t n = tiny_read_some(conn, piece, ask);
    if (n <= 0)
      return false;
    got += (size_t)n;
    size_t room = sizeof conn->body - 1 - conn->body_len;
    size_t keep = (size_t)n < room ? (size_t)n : room;
    memcpy(conn->body + conn->body_len, piece, keep);
    conn->body_len += keep;
  }
  conn->body[conn->body_len] = '\0';
  atomic_fetch_add(&conn->server->requests, 1);
  return true;
}

void
tiny_wait_closed(tiny_conn *conn)
{
  char bytes[256];
  while (tiny_read_some(conn, bytes, sizeof bytes) > 0)
    continue;
}

void
tiny_reset(tiny_conn *conn)
{
  struct linger linger = {1, 0};
  setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void *
serve(void *argument)
{
  tiny_conn *conn = argument;
  tiny_server *server = conn->server;
  bool ok = true;
  if (server->tls) {
    conn->ssl = SSL_new(server->tls);
    SSL_set_fd(conn->ssl, conn->fd);
    int n;
    do
      n = SSL_accept(conn->ssl);
    while (was_interrupted(conn, n));
    ok = n == 1;
  }
  if (ok)
    server->handler(conn);
  if (conn->ssl) {
    if (ok)
      SSL_shutdown(conn->ssl);
    SSL_free(conn->ssl);
  }
  ERR_clear_error();
  pthread_mutex_lock(&server->mutex);
  server->fds[conn->number - 1] = -1;
  close(conn->fd);
  pthread_mutex_unlock(&server->mutex);
  free(conn);
  return NULL;
}

/* ---- The server ---------------------------------------------------------- */

/* With all signals blocked: a SIGPIPE of this server's SSL_write() must not
 * hide one of the library's. */
static void
start_thread(pthread_t *thread, void *(*fn)(void *), void *argument)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_create(thread, NULL, fn, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *
accept_all(void *argument)
{
  tiny_server *server = argument;
  while (!atomic_load(&server->stopping)) {
    struct pollfd ready = {.fd = server->listen_fd, .events = POLLIN};
    if (poll(&ready, 1, 20) <= 0)
      continue;
    int fd = accept(server->listen_fd, NULL, NULL);
    if (fd < 0)
      continue;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tiny_conn *conn = calloc(1, sizeof *conn);
    pthread_mutex_lock(&server->mutex);
    if (!conn || server->count == max_connections) {
      close(fd);
      free(conn);
    } else {
      conn->server = server;
      conn->context = server->context;
      conn->fd = fd;
      server->fds[server->count] = fd;
      conn->number = ++server->count;
      start_thread(&server->threads[conn->number - 1], serve, conn);
    }
    pthread_mutex_unlock(&server->mutex);
  }
  return NULL;
}

static int
listen_on(const tiny_options *options, int *port)
{
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
  } address;
  memset(&address, 0, sizeof address);
  socklen_t len;
  if (options->unix_path) {
    address.local.sun_family = AF_UNIX;
    snprintf(address.local.sun_path, sizeof address.local.sun_path, "%s",
             options->unix_path);
    unlink(options->unix_path);
    len = sizeof address.local;
  } else if (options->ipv6) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_addr = in6addr_loopback;
    len = sizeof address.v6;
  } else {
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof address.v4;
  }
  int fd = socket(address.any.sa_family, SOCK_STREAM, 0);
  if (fd < 0)
    return -1;
  if (bind(fd, &address.any, len) != 0 || listen(fd, 1024) != 0 ||
      getsockname(fd, &address.any, &len) != 0) {
    close(fd);
    return -1;
  }
  *port = options->unix_path ? 0
          : options->ipv6    ? ntohs(address.v6.sin6_port)
                             : ntohs(address.v4.sin_port);
  return fd;
}

static int
choose_http2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
             const unsigned char *in, unsigned in_len, void *context)
{
  static const unsigned char ours[] = "\x02h2\x08http/1.1";
  (void)ssl;
  (void)context;
  unsigned char *chosen;
  if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in,
                            in_len) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
make_tls(const tiny_options *options)
{
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  bool ok = SSL_CTX_use_certificate_chain_file(tls, options->cert_file) == 1 &&
            SSL_CTX_use_PrivateKey_file(tls, options->key_file,
                                        SSL_FILETYPE_PEM) == 1;
  if (ok && options->client_ca_file) {
    ok = SSL_CTX_load_verify_locations(tls, options->client_ca_file, NULL) == 1;
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
  }
  SSL_CTX_set_session_id_context(tls, (const unsigned char *)"tiny", 4);
  if (options->http2)
    SSL_CTX_set_alpn_select_cb(tls, choose_http2, NULL);
  if (ok)
    return tls;
  SSL_CTX_free(tls);
  return NULL;
}

tiny_server *
tiny_start(tiny_handler handler, void *context, const tiny_options *options)
{
  static const tiny_options plain;
  if (!options)
    options = &plain;
  tiny_server *server = calloc(1, sizeof *server);
  if (!server)
    return NULL;
  server->handler = handler;
  server->context = context;
  server->listen_fd = listen_on(options, &server->port);
  if (server->listen_fd >= 0 && options->cert_file)
    server->tls = make_tls(options);
  if (server->listen_fd < 0 || (options->cert_file && !server->tls)) {
    free(server);
    return NULL;
  }
  pthread_mutex_init(&server->mutex, NULL);
  start_thread(&server->acceptor, accept_all, server);
  return server;
}

void
tiny_stop(tiny_server *server)
{
  if (!server)
    return;
  atomic_store(&server->stopping, true);
  pthread_join(server->acceptor, NULL);
  pthread_mutex_lock(&server->mutex);
  for (int i = 0; i < server->count; i++)
    if (server->fds[i] >= 0)
      shutdown(server->fds[i], SHUT_RDWR);
  pthread_mutex_unlock(&server->mutex);
  for (int i = 0; i < server->count; i++)
    pthread_join(server->threads[i], NULL);
  close(server->listen_fd);
  SSL_CTX_free(server->tls);
  pthread_mutex_destroy(&server->mutex);
  free(server);
}

int
tiny_port(const tiny_server *server)
{
  return server->port;
}

int
tiny_connections(const tiny_server *server)
{
  pthread_mutex_t *mutex = (pthread_mutex_t *)&server->mutex;
  pthread_mutex_lock(mutex);
  int count = server->count;
  pthread_mutex_unlock(mutex);
  return count;
}

int
tiny_requests(const tiny_server *server)
{
  return atomic_load(&server->requests);
}

/* ---- Certificates -------------------------------------------------------- */

static bool
add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  bool ok = extension && X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return ok;
}

static bool
save(const char *dir, const char *name, X509 *certificate, EVP_PKEY *key)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  FILE *file = fopen(path, "w");
  if (!file)
    return false;
  bool ok = certificate
                ? PEM_write_X509(file, certificate) == 1
                : PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
  return fclose(file) == 0 && ok;
}

/* Signed by issuer, or by itself. */
static X509 *
make_certificate(const char *name, EVP_PKEY *key, X509 *issuer,
                 EVP_PKEY *issuer_key)
{
  static long serial = 1;
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME *subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             (const unsigned char *)name, -1, -1, 0);
  X509 *signer = issuer ? issuer : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  if (issuer)
    add_extension(certificate, signer, NID_subject_alt_name,
                  "DNS:localhost,IP:127.0.0.1,IP:::1");
  else
    add_extension(certificate, signer, NID_basic_constraints,
                  "critical,CA:TRUE");
  X509_sign(certificate, issuer_key, EVP_sha256());
  return certificate;
}

bool
tiny_make_certificates(const char *dir)
{
  EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
  EVP_PKEY *other_key = EVP_EC_gen("P-256");
  X509 *ca = make_certificate("test CA", ca_key, NULL, ca_key);
  X509 *other = make_certificate("other CA", other_key, NULL, other_key);
  X509 *server = make_certificate("localhost", key, ca, ca_key);
  X509 *client = make_certificate("client", key, ca, ca_key);
  bool ok = save(dir, "ca.pem", ca, NULL) &&
            save(dir, "other.pem", other, NULL) &&
            save(dir, "server.pem", server, NULL) &&
            save(dir, "server.key", NULL, key) &&
            save(dir, "client.pem", client, NULL) &&
            save(dir, "client.key", NULL, key);
  X509_free(ca);
  X509_free(other);
  X509_free(server);
  X509_free(client);
  EVP_PKEY_free(ca_key);
  EVP_PKEY_free(other_key);
  EVP_PKEY_free(key);
  return ok;
}
