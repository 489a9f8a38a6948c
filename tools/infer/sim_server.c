/* SPDX-License-Identifier: MIT */
/* The server: its script, its periods of being down, its counters. */

#include "sim_server.h"

#include "sim_conn.h"
#include "sim_exchange.h"
#include "sim_listen.h"
#include "sim_match.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/json_write.h"

static void on_down_alarm(inf_sim_alarm *alarm, uint64_t now_ns);

void
inf_sim_server_init(inf_sim_server *server, uint64_t seed, size_t log_max)
{
  *server = (inf_sim_server){.seed = seed};
  inf_sim_loop_init(&server->loop);
  inf_list_init(&server->conns);
  inf_list_init(&server->dead);
  inf_sim_alarm_init(&server->down_alarm, on_down_alarm);
  inf_sim_listen_init(server);
  server->ledger.fd = -1;
  inf_sim_log_init(&server->log, log_max, inf_sim_now_ns());
  inf_buf_init(&server->scratch, INF_SIM_BUF_MAX);
  server->read_buf = inf_sim_alloc(INF_SIM_READ_BYTES);
}

/* All connections are gone: those in use by a reset. Control connections stay
 * unless it is for good. */
static void
drop_connections(inf_sim_server *server, bool for_good, uint64_t now_ns)
{
  inf_list kept;
  inf_list_init(&kept);
  while (!inf_list_empty(&server->conns)) {
    inf_sim_conn *conn =
        INF_CONTAINER_OF(server->conns.next, inf_sim_conn, node);
    if (conn->control && !for_good) {
      inf_list_remove(&conn->node);
      inf_list_push_back(&kept, &conn->node);
      continue;
    }
    bool busy = conn->has_answer;
    inf_sim_exchange_end(conn, INF_SIM_END_SERVER_DOWN, now_ns);
    inf_sim_conn_close(conn, busy);
  }
  inf_list_splice_back(&server->conns, &kept);
}

void
inf_sim_server_fini(inf_sim_server *server)
{
  inf_sim_listen_close(server, true);
  drop_connections(server, true, inf_sim_now_ns());
  inf_sim_conn_reap(server);
  inf_sim_log_fini(&server->log);
  inf_sim_ledger_close(&server->ledger);
  inf_sim_script_unref(server->script);
  SSL_CTX_free(server->tls);
  inf_buf_fini(&server->scratch);
  inf_free(server->read_buf);
  inf_sim_loop_fini(&server->loop);
}

/* Is the server down now, and when does that change? */
static bool
down_at(const inf_sim_server *server, uint64_t now_ns, uint64_t *change_ns)
{
  const inf_sim_script *script = server->script;
  *change_ns = INF_NEVER;
  for (size_t i = 0; i < script->down_count; i++) {
    uint64_t from_ns =
        server->script_start_ns + script->down[i].from_ms * INF_NS_PER_MS;
    uint64_t until_ns =
        server->script_start_ns + script->down[i].until_ms * INF_NS_PER_MS;
    if (now_ns < from_ns) {
      *change_ns = from_ns;
      return false;
    }
    if (now_ns < until_ns) {
      *change_ns = until_ns;
      return true;
    }
  }
  return false;
}

static void
apply_down(inf_sim_server *server, uint64_t now_ns)
{
  uint64_t change_ns = INF_NEVER;
  bool down = down_at(server, now_ns, &change_ns);
  if (down && !server->is_down) {
    inf_sim_listen_close(server, false);
    drop_connections(server, false, now_ns);
  } else if (!down && server->is_down) {
    inf_sim_listen_open(server);
  }
  server->is_down = down;
  if (change_ns == INF_NEVER) {
    inf_sim_loop_cancel(&server->loop, &server->down_alarm);
  } else {
    inf_sim_loop_set(&server->loop, &server->down_alarm, change_ns);
  }
}

static void
on_down_alarm(inf_sim_alarm *alarm, uint64_t now_ns)
{
  apply_down(INF_CONTAINER_OF(alarm, inf_sim_server, down_alarm), now_ns);
}

/* The first look at the periods is left to the loop: the response to the
 * request that brought the script goes out before the server goes down. */
static void
restart_clock(inf_sim_server *server)
{
  server->script_start_ns = inf_sim_now_ns();
  inf_rng_seed(&server->rng, server->script->seed.set
                                 ? server->script->seed.value
                                 : server->seed);
  inf_sim_loop_set(&server->loop, &server->down_alarm, server->script_start_ns);
}

void
inf_sim_server_set_script(inf_sim_server *server, inf_sim_script *script)
{
  inf_sim_script_unref(server->script);
  server->script = script;
  restart_clock(server);
}

void
inf_sim_server_reset(inf_sim_server *server)
{
  inf_sim_log_clear(&server->log, inf_sim_now_ns());
  uint64_t connections = server->stats.open_connections;
  uint64_t streams = server->stats.open_streams;
  server->stats = (inf_sim_stats){.open_connections = connections,
                                  .open_streams = streams,
                                  .peak_open_streams = streams};
  server->next_request = 0;
  inf_sim_script_restart(server->script);
  restart_clock(server);
}

void
inf_sim_server_run(inf_sim_server *server)
{
  while (!server->loop.stop) {
    inf_sim_loop_turn(&server->loop);
    inf_sim_conn_reap(server);
  }
}

static void
put_count(inf_buf *out, const char *name, uint64_t count)
{
  inf_json_member_int(out, inf_sv_from(name), (int64_t)count);
}

void
inf_sim_server_put_stats(const inf_sim_server *server, inf_buf *out)
{
  const inf_sim_stats *stats = &server->stats;
  inf_json_open(out, '{');
  put_count(out, "requests", stats->requests);
  put_count(out, "connections_accepted", stats->connections_accepted);
  put_count(out, "accept_resets", stats->accept_resets);
  put_count(out, "open_connections", stats->open_connections);
  put_count(out, "open_streams", stats->open_streams);
  put_count(out, "peak_open_streams", stats->peak_open_streams);
  put_count(out, "bytes_in", stats->bytes_in);
  put_count(out, "bytes_out", stats->bytes_out);
  put_count(out, "log_dropped", server->log.dropped);
  put_count(out, "uptime_ns", inf_sim_now_ns() - server->log.start_ns);
  inf_json_close(out, '}');
  inf_sim_must(out);
}
