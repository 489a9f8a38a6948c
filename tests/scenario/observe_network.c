/* SPDX-License-Identifier: MIT */
/* Options of a provider about the way to it: see observe.h. */
#include "observe.h"

#include "support/tiny_server.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One call of a client made for it: the class that it ends with. */
static int32_t
try_client(world *w, const char *config)
{
  world_client(w, config);
  outcome o = world_chat(w, "p/m");
  int32_t status = o.status;
  outcome_end(&o);
  infer_client_free(w->client);
  w->client = NULL;
  return status;
}

#define NO_RETRY ",'defaults':{'retries':0}"
#define ANSWER                                                      \
  "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," \
  "\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}"

static char proxied[256];

static void
serve_as_proxy(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    snprintf(proxied, sizeof proxied, "%.*s", (int)strcspn(conn->head, "\r\n"),
             conn->head);
    tiny_answer(conn, ANSWER);
  }
}

void
observe_proxy(void **state)
{
  (void)state;
  world w = {0};
  tiny_server *proxy = tiny_start(serve_as_proxy, NULL, NULL);
  char config[512];
#define THROUGH                                           \
  "{'providers':[{'name':'p','type':'openai','base_url':" \
  "'http://model.invalid/v1','upstream':'unary'%s}]" NO_RETRY "}"
  snprintf(config, sizeof config, THROUGH, "");
  assert_int_equal(try_client(&w, config), INFER_E_RESOLVE);
  char option[128];
  snprintf(option, sizeof option, ",'proxy':'http://127.0.0.1:%d'",
           tiny_port(proxy));
  snprintf(config, sizeof config, THROUGH, option);
  assert_int_equal(try_client(&w, config), INFER_OK);
  tiny_stop(proxy);
  assert_string_equal(proxied,
                      "POST http://model.invalid/v1/chat/completions HTTP/1.1");
  world_end(&w);
}

void
observe_ca_file(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  assert_int_equal(try_client(&w, ONE(",'ca_file':'$DIR/ca.pem'", NO_RETRY)),
                   INFER_OK);
  assert_int_equal(try_client(&w, ONE("", NO_RETRY)), INFER_E_TLS_VERIFY);
  assert_int_equal(world_requests(&w, 1), 1);
  world_end(&w);
}

void
observe_ca_pem(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  assert_int_equal(
      try_client(&w, ONE(",'ca_pem':'file:$DIR/ca.pem'", NO_RETRY)), INFER_OK);
  assert_int_equal(try_client(&w, ONE("", NO_RETRY)), INFER_E_TLS_VERIFY);
  assert_int_equal(world_requests(&w, 1), 1);
  world_end(&w);
}

void
observe_tls_verify(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, false);
  assert_int_equal(try_client(&w, ONE(",'tls_verify':false", NO_RETRY)),
                   INFER_OK);
  assert_int_equal(try_client(&w, ONE("", NO_RETRY)), INFER_E_TLS_VERIFY);
  world_end(&w);
}

/* Both files in one, as client_cert takes it without client_key. */
static void
join_files(const world *w)
{
  static const char *const parts[] = {"client.pem", "client-key.pem"};
  char path[128], bytes[8192];
  snprintf(path, sizeof path, "%s/both.pem", w->folder);
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", w->folder, parts[i]);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t len = fread(bytes, 1, sizeof bytes, in);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(in);
  }
  fclose(out);
}

#define TRUSTED ",'ca_file':'$DIR/ca.pem'"

void
observe_client_cert(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, true);
  join_files(&w);
  assert_int_not_equal(try_client(&w, ONE(TRUSTED, NO_RETRY)), INFER_OK);
  assert_int_equal(world_requests(&w, 1), 0);
  assert_int_equal(
      try_client(&w, ONE(TRUSTED ",'client_cert':'$DIR/both.pem'", NO_RETRY)),
      INFER_OK);
  world_end(&w);
}

void
observe_client_key(void **state)
{
  (void)state;
  world w = {0};
  world_tls_sim(&w, 1, OK_SCRIPT, true);
#define CERTIFIED TRUSTED ",'client_cert':'$DIR/client.pem'"
  assert_int_not_equal(try_client(&w, ONE(CERTIFIED, NO_RETRY)), INFER_OK);
  assert_int_equal(world_requests(&w, 1), 0);
  assert_int_equal(
      try_client(
          &w, ONE(CERTIFIED ",'client_key':'$DIR/client-key.pem'", NO_RETRY)),
      INFER_OK);
  world_end(&w);
}

void
observe_unix_socket(void **state)
{
  (void)state;
  world w = {0};
  char path[128];
  world_folder(&w);
  snprintf(path, sizeof path, "%s/socket", w.folder);
  world_sim_with(&w, 1, OK_SCRIPT, (const char *const[]){"--unix", path, NULL});
#define NOWHERE "'base_url':'http://127.0.0.1:1/v1'"
  assert_int_equal(
      try_client(&w, "{'providers':[{'name':'p','type':'openai'," NOWHERE
                     ",'unix_socket':'$DIR/socket'}]}"),
      INFER_OK);
  assert_int_equal(world_requests(&w, 1), 1);
  assert_int_equal(
      try_client(&w, "{'providers':[{'name':'p','type':'openai'," NOWHERE
                     "}]" NO_RETRY "}"),
      INFER_E_CONNECT);
  world_end(&w);
}

void
observe_resolve(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  char config[512];
#define NAMED                                             \
  "{'providers':[{'name':'p','type':'openai','base_url':" \
  "'http://model.invalid:%d/v1','resolve':[%s]}]" NO_RETRY "}"
  char pin[64];
  snprintf(pin, sizeof pin, "'model.invalid:%d:127.0.0.1'",
           sim_port(w.sims[0]));
  snprintf(config, sizeof config, NAMED, sim_port(w.sims[0]), pin);
  assert_int_equal(try_client(&w, config), INFER_OK);
  snprintf(config, sizeof config, NAMED, sim_port(w.sims[0]), "");
  assert_int_equal(try_client(&w, config), INFER_E_RESOLVE);
  json_object *log = world_log(&w, 1, 1);
  assert_non_null(strstr(log_header(log, 0, "host"), "model.invalid:"));
  json_object_put(log);
  world_end(&w);
}

/* ---- HTTP version -------------------------------------------------------- */

static char agreed[16];

/* Says what was agreed on; HTTP/2 itself is not spoken here. */
static void
serve_and_tell_alpn(tiny_conn *conn)
{
  const unsigned char *name = NULL;
  unsigned len = 0;
  SSL_get0_alpn_selected(conn->ssl, &name, &len);
  snprintf(agreed, sizeof agreed, "%.*s", (int)len, (const char *)name);
  if (strcmp(agreed, "h2") != 0 && tiny_read(conn))
    tiny_answer(conn, ANSWER);
}

static int32_t
try_version(world *w, const char *member)
{
  char file[3][128], config[512];
  snprintf(file[0], sizeof file[0], "%s/server.pem", w->folder);
  snprintf(file[1], sizeof file[1], "%s/server.key", w->folder);
  tiny_options options = {
      .cert_file = file[0], .key_file = file[1], .http2 = true};
  tiny_server *server = tiny_start(serve_and_tell_alpn, NULL, &options);
  assert_non_null(server);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','upstream':'unary',"
           "'base_url':'https://127.0.0.1:%d/v1'" TRUSTED "%s}]" NO_RETRY "}",
           tiny_port(server), member);
  int32_t status = try_client(w, config);
  tiny_stop(server);
  return status;
}

void
observe_http_version(void **state)
{
  (void)state;
  world w = {0};
  world_folder(&w);
  assert_true(tiny_make_certificates(w.folder));
  assert_int_equal(try_version(&w, ",'http_version':'1.1'"), INFER_OK);
  assert_string_equal(agreed, "http/1.1");
  assert_int_not_equal(try_version(&w, ""), INFER_OK);
  assert_string_equal(agreed, "h2");
  world_end(&w);
}

/* ---- Warm connections ---------------------------------------------------- */

void
observe_warm_path(void **state)
{
  (void)state;
  static const char *const members[] = {"", ",'warm_path':'/v1/models'"};
  for (int i = 0; i < 2; i++) {
    char config[256];
    snprintf(config, sizeof config, ONE("%s", ""), members[i]);
    world w = observe_world(OK_SCRIPT, config);
    infer_warm_report *report;
    assert_int_equal(infer_client_prewarm(w.client, "p", 5000, &report, NULL),
                     INFER_OK);
    assert_int_equal(infer_warm_report_ready(report, 0), i);
    infer_warm_report_free(report);
    assert_int_equal(world_requests(&w, 1), i);
    world_end(&w);
  }
}
