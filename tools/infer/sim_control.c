/* SPDX-License-Identifier: MIT */
/* /_sim/log, /_sim/invoice, /_sim/stats, /_sim/script, /_sim/reset and
 * /_sim/shutdown. */

#include "sim_control.h"

#include "sim_reply.h"

#define PREFIX INF_SV("/_sim/")

typedef struct reply {
  unsigned status;
  inf_sv content_type;
  inf_buf body;
} reply;

typedef struct endpoint {
  const char *method, *name;
  void (*serve)(inf_sim_server *server, const inf_sim_http *http,
                reply *answer);
} endpoint;

bool
inf_sim_is_control(inf_sv target)
{
  return inf_sv_starts_with(target, PREFIX);
}

/* The value of a query parameter, "" if it is not there. */
static inf_sv
find_query(inf_sv target, inf_sv name)
{
  size_t at = inf_sv_find(target, '?');
  while (at < target.len) {
    inf_sv rest = inf_sv_of(target.ptr + at + 1, target.len - at - 1);
    inf_sv item = inf_sv_of(rest.ptr, inf_sv_find(rest, '&'));
    size_t equals = inf_sv_find(item, '=');
    if (equals < item.len && inf_sv_eq(inf_sv_of(item.ptr, equals), name)) {
      return inf_sv_of(item.ptr + equals + 1, item.len - equals - 1);
    }
    at += 1 + item.len;
  }
  return INF_SV("");
}

static void
serve_log(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  inf_sv target = inf_buf_sv(&http->target);
  inf_sv accept = {0};
  inf_headers_get(&http->headers, INF_SV("accept"), &accept);
  bool lines =
      inf_sv_eq(find_query(target, INF_SV("format")), INF_SV("ndjson")) ||
      inf_sim_http_lists(accept, INF_SV("application/x-ndjson"));
  long long since = 0;
  inf_sv_to_int64(find_query(target, INF_SV("since")), &since);
  answer->content_type =
      lines ? INF_SV("application/x-ndjson") : answer->content_type;
  inf_sim_log_put(&server->log, since > 0 ? (uint64_t)since : 0, lines,
                  &answer->body);
}

static void
serve_invoice(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  (void)http;
  inf_sim_log_put_invoice(&server->log, &answer->body);
}

static void
serve_stats(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  (void)http;
  inf_sim_server_put_stats(server, &answer->body);
}

static void
serve_script(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  inf_buf error;
  inf_buf_init(&error, INF_SIM_BUF_MAX);
  inf_sim_script *script = inf_sim_script_read(inf_buf_sv(&http->body), &error);
  if (script) {
    inf_sim_server_set_script(server, script);
    inf_buf_append_cstr(&answer->body, "{\"ok\":true}");
  } else {
    answer->status = 400;
    inf_sim_put_error(&answer->body, inf_buf_sv(&error), "script_error", NULL,
                      NULL);
  }
  inf_buf_fini(&error);
}

static void
serve_reset(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  (void)http;
  inf_sim_server_reset(server);
  inf_buf_append_cstr(&answer->body, "{\"ok\":true}");
}

static void
serve_shutdown(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  (void)http;
  server->loop.stop = true;
  inf_buf_append_cstr(&answer->body, "{\"ok\":true}");
}

static const endpoint endpoints[] = {
    {"GET", "log", serve_log},      {"GET", "invoice", serve_invoice},
    {"GET", "stats", serve_stats},  {"POST", "script", serve_script},
    {"POST", "reset", serve_reset}, {"POST", "shutdown", serve_shutdown},
};

static void
serve(inf_sim_server *server, const inf_sim_http *http, reply *answer)
{
  inf_sv target = inf_buf_sv(&http->target);
  inf_sv name = inf_sv_of(target.ptr, inf_sv_find(target, '?'));
  name = inf_sv_of(name.ptr + PREFIX.len, name.len - PREFIX.len);
  answer->status = 404;
  for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
    if (!inf_sv_eq(name, inf_sv_from(endpoints[i].name))) {
      continue;
    }
    answer->status = 405;
    if (inf_sv_eq(inf_buf_sv(&http->method),
                  inf_sv_from(endpoints[i].method))) {
      answer->status = 200;
      endpoints[i].serve(server, http, answer);
      return;
    }
  }
  inf_sim_put_status_error(&answer->body, answer->status);
}

void
inf_sim_control(inf_sim_server *server, const inf_sim_http *http, bool close,
                inf_buf *out)
{
  reply answer = {.content_type = INF_SV("application/json")};
  inf_buf_init(&answer.body, INF_SIM_BUF_MAX);
  serve(server, http, &answer);
  inf_sim_put_head(out, &(inf_sim_head){.status = answer.status,
                                        .content_type = answer.content_type,
                                        .length = answer.body.len,
                                        .close = close});
  inf_buf_append_sv(out, inf_buf_sv(&answer.body));
  inf_sim_must(out);
  inf_buf_fini(&answer.body);
}
