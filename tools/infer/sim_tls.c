/* SPDX-License-Identifier: MIT */
/* TLS for the simulator: the context, and certificates for tests. */

#include "sim_tls.h"

#include "sim_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALID_DAYS   30
#define DAY_SECONDS  86400L
#define SERIAL_BYTES 16

static void
die_tls(const char *what, const char *which)
{
  char reason[256];
  ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
  inf_sim_die("%s %s: %s", what, which, reason);
}

static int
choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len,
                const unsigned char *offered, unsigned offered_len, void *arg)
{
  static const unsigned char ours[] = "\x08http/1.1";
  (void)ssl;
  (void)arg;
  unsigned char *found = NULL;
  int result = SSL_select_next_proto(&found, len, ours, sizeof(ours) - 1,
                                     offered, offered_len);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                          : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX *
inf_sim_tls_new(const char *cert_file, const char *key_file,
                const char *client_ca_file)
{
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (!tls) {
    die_tls("cannot set up", "TLS");
  }
  SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
  SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
  if (SSL_CTX_use_certificate_chain_file(tls, cert_file) != 1) {
    die_tls("cannot use certificate", cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(tls) != 1) {
    die_tls("cannot use key", key_file);
  }
  if (client_ca_file) {
    if (SSL_CTX_load_verify_locations(tls, client_ca_file, NULL) != 1) {
      die_tls("cannot use client CA", client_ca_file);
    }
    SSL_CTX_set_client_CA_list(tls, SSL_load_client_CA_file(client_ca_file));
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       NULL);
  }
  return tls;
}

/* Certificates. */

typedef struct identity {
  X509 *cert;
  EVP_PKEY *key;
} identity;

static void
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
  if (!extension || X509_add_ext(cert, extension, -1) != 1) {
    die_tls("cannot make certificate:", value);
  }
  X509_EXTENSION_free(extension);
}

static void
set_serial(X509 *cert)
{
  unsigned char bytes[SERIAL_BYTES];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
    die_tls("cannot make", "serial number");
  }
  bytes[0] &= 0x7f;
  BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
  BN_free(number);
}

static X509 *
new_certificate(EVP_PKEY *key, const char *name, const X509 *issuer)
{
  X509 *cert = X509_new();
  if (!cert) {
    die_tls("cannot make certificate", name);
  }
  X509_set_version(cert, 2);
  set_serial(cert);
  X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_SECONDS);
  X509_gmtime_adj(X509_getm_notAfter(cert), VALID_DAYS * DAY_SECONDS);
  X509_set_pubkey(cert, key);
  X509_NAME *subject = X509_get_subject_name(cert);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             (const unsigned char *)name, -1, -1, 0);
  X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
  return cert;
}

static void
sign(X509 *cert, EVP_PKEY *key)
{
  if (X509_sign(cert, key, EVP_sha256()) == 0) {
    die_tls("cannot sign", "certificate");
  }
}

static identity
make_authority(void)
{
  identity ca = {.key = EVP_EC_gen("P-256")};
  if (!ca.key) {
    die_tls("cannot make", "key");
  }
  ca.cert = new_certificate(ca.key, "infer sim CA", NULL);
  add_extension(ca.cert, ca.cert, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca.cert, ca.cert, NID_key_usage,
                "critical,keyCertSign,cRLSign");
  add_extension(ca.cert, ca.cert, NID_subject_key_identifier, "hash");
  sign(ca.cert, ca.key);
  return ca;
}

static identity
make_leaf(const identity *ca, const char *name, const char *usage,
          const char *alt_names)
{
  identity leaf = {.key = EVP_EC_gen("P-256")};
  if (!leaf.key) {
    die_tls("cannot make", "key");
  }
  leaf.cert = new_certificate(leaf.key, name, ca->cert);
  add_extension(leaf.cert, ca->cert, NID_basic_constraints,
                "critical,CA:FALSE");
  add_extension(leaf.cert, ca->cert, NID_key_usage,
                "critical,digitalSignature");
  add_extension(leaf.cert, ca->cert, NID_ext_key_usage, usage);
  add_extension(leaf.cert, ca->cert, NID_subject_alt_name, alt_names);
  add_extension(leaf.cert, ca->cert, NID_authority_key_identifier, "keyid");
  sign(leaf.cert, ca->key);
  return leaf;
}

/* Keys are for nobody else to read. */
static FILE *
open_file(const char *dir, const char *name, mode_t mode)
{
  char path[4096];
  int len = snprintf(path, sizeof(path), "%s/%s", dir, name);
  if (len < 0 || (size_t)len >= sizeof(path)) {
    inf_sim_die("path too long: %s", dir);
  }
  unlink(path);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  if (!file) {
    inf_sim_die("cannot write %s: %s", path, strerror(errno));
  }
  return file;
}

static void
close_file(FILE *file, const char *name)
{
  if (fclose(file) != 0) {
    inf_sim_die("cannot write %s: %s", name, strerror(errno));
  }
}

static void
write_cert(const char *dir, const char *name, X509 *cert)
{
  FILE *file = open_file(dir, name, 0644);
  if (PEM_write_X509(file, cert) != 1) {
    die_tls("cannot write", name);
  }
  close_file(file, name);
}

static void
write_key(const char *dir, const char *name, EVP_PKEY *key)
{
  FILE *file = open_file(dir, name, 0600);
  if (PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1) {
    die_tls("cannot write", name);
  }
  close_file(file, name);
}

static void
free_identity(identity *id)
{
  X509_free(id->cert);
  EVP_PKEY_free(id->key);
}

void
inf_sim_make_certificates(const char *dir)
{
  if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
    inf_sim_die("cannot create %s: %s", dir, strerror(errno));
  }
  identity ca = make_authority();
  identity server = make_leaf(&ca, "localhost", "serverAuth",
                              "DNS:localhost,IP:127.0.0.1,IP:::1");
  identity client =
      make_leaf(&ca, "infer sim client", "clientAuth", "DNS:client.localhost");
  write_cert(dir, "ca.pem", ca.cert);
  write_cert(dir, "server.pem", server.cert);
  write_key(dir, "server-key.pem", server.key);
  write_cert(dir, "client.pem", client.cert);
  write_key(dir, "client-key.pem", client.key);
  free_identity(&client);
  free_identity(&server);
  free_identity(&ca);
}
