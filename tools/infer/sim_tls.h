/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_TLS_H
#define INF_TOOLS_SIM_TLS_H

#include <openssl/ssl.h>

/* The server's TLS context: TLS 1.2 or newer, ALPN http/1.1. With client_ca
 * clients must show a certificate from it. Ends the program, saying why, if
 * a file cannot be used. */
SSL_CTX *inf_sim_tls_new(const char *cert_file, const char *key_file,
                         const char *client_ca_file);

/* Makes an authority, a server certificate for localhost, 127.0.0.1 and ::1,
 * and a client certificate in the directory, which is created if need be:
 * ca.pem, server.pem, server-key.pem, client.pem, client-key.pem. Ends the
 * program, saying why, if that fails. */
void inf_sim_make_certificates(const char *dir);

#endif
