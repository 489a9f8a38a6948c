/* SPDX-License-Identifier: MIT */
#include "conformance/replay_server.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_HEAD_BYTES ((size_t)64 << 10)

/* ---- The answer ---------------------------------------------------------- */

/* These describe the connection of the recording, not the response. */
static bool
is_of_connection(inf_sv name)
{
  static const char *const names[] = {"content-length", "transfer-encoding",
                                      "content-encoding", "connection",
                                      "keep-alive"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (inf_sv_eq_nocase(name, inf_sv_from(names[i])))
      return true;
  }
  return false;
}

static bool
send_head(tiny_conn *conn, const replay_job *job)
{
  inf_buf head;
  inf_sv name, value;
  const test_case *test = job->test;
  inf_buf_init(&head, MAX_HEAD_BYTES);
  inf_buf_appendf(&head, "HTTP/1.1 %d Recorded\r\n", test->status);
  for (size_t i = 0; inf_headers_at(&test->headers, i, &name, &value); i++) {
    /* By a date of long ago our clock would be wrong, and a signature be made
     * once more. */
    if (is_of_connection(name) || inf_sv_eq_nocase(name, INF_SV("date")))
      continue;
    inf_buf_append_sv(&head, name);
    inf_buf_append_cstr(&head, ": ");
    inf_buf_append_sv(&head, value);
    inf_buf_append_cstr(&head, "\r\n");
  }
  if (job->way == REPLAY_WHOLE)
    inf_buf_appendf(&head, "Content-Length: %zu\r\n\r\n", test->body.len);
  else
    inf_buf_append_cstr(&head, "Transfer-Encoding: chunked\r\n\r\n");
  bool sent = head.status == 0 && tiny_write(conn, head.ptr, head.len);
  inf_buf_fini(&head);
  return sent;
}

static size_t
chunk_length(const replay_job *job, size_t number, size_t left)
{
  json_object *sizes = job->test->chunks;
  if (job->way == REPLAY_BYTES)
    return 1;
  if (number >= json_object_array_length(sizes))
    return left;
  json_object *size = json_object_array_get_idx(sizes, number);
  size_t len = (size_t)json_object_get_int64(size);
  return len < left ? len : left;
}

static bool
send_chunked(tiny_conn *conn, const replay_job *job)
{
  inf_buf out;
  bool sent = true;
  inf_sv rest = inf_buf_sv(&job->test->body);
  size_t per_write =
      job->way == REPLAY_BYTES && rest.len > REPLAY_SINGLE_WRITE_BYTES
          ? REPLAY_CHUNKS_PER_WRITE
          : 1;
  inf_buf_init(&out, SIZE_MAX);
  for (size_t i = 0; sent && rest.len > 0; i++) {
    size_t len = chunk_length(job, i, rest.len);
    if (len > 0) { /* a chunk without bytes would be the last */
      inf_buf_appendf(&out, "%zx\r\n", len);
      inf_buf_append(&out, rest.ptr, len);
      inf_buf_append_cstr(&out, "\r\n");
    }
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
    if ((i + 1) % per_write == 0 || rest.len == 0) {
      sent = tiny_write(conn, out.ptr, out.len);
      inf_buf_clear(&out);
    }
  }
  inf_buf_fini(&out);
  return sent && tiny_puts(conn, "0\r\n\r\n");
}

static bool
send_answer(tiny_conn *conn, const replay_job *job)
{
  if (!send_head(conn, job))
    return false;
  if (job->way == REPLAY_WHOLE)
    return tiny_write(conn, job->test->body.ptr, job->test->body.len);
  return send_chunked(conn, job);
}

/* ---- The server ---------------------------------------------------------- */

static const replay_job *
note_request(replay_server *server, const tiny_conn *conn)
{
  char field[32] = "";
  tiny_field(conn, REPLAY_FIELD, field, sizeof(field));
  unsigned long long number = strtoull(field, NULL, 10);
  if (field[0] == '\0' || number >= server->count)
    return NULL;
  replay_job *job = &server->jobs[number];
  pthread_mutex_lock(&server->mutex);
  job->requests++;
  inf_buf_clear(&job->body);
  inf_buf_append(&job->body, conn->body, conn->body_len);
  pthread_mutex_unlock(&server->mutex);
  return job;
}

static void
serve(tiny_conn *conn)
{
  const replay_job *job;
  do {
    if (!tiny_read(conn))
      return;
    job = note_request(conn->context, conn);
  } while (job && send_answer(conn, job));
}

bool
replay_server_start(replay_server *server, replay_job *jobs, size_t count)
{
  *server = (replay_server){.jobs = jobs, .count = count};
  for (size_t i = 0; i < count; i++)
    inf_buf_init(&jobs[i].body, SIZE_MAX);
  pthread_mutex_init(&server->mutex, NULL);
  server->tiny = tiny_start(serve, server, NULL);
  return server->tiny != NULL;
}

void
replay_server_stop(replay_server *server)
{
  if (server->tiny)
    tiny_stop(server->tiny);
  for (size_t i = 0; i < server->count; i++)
    inf_buf_fini(&server->jobs[i].body);
  pthread_mutex_destroy(&server->mutex);
}

unsigned
replay_server_seen(replay_server *server, size_t job, inf_buf *body)
{
  inf_buf_clear(body);
  pthread_mutex_lock(&server->mutex);
  unsigned requests = server->jobs[job].requests;
  inf_buf_append_sv(body, inf_buf_sv(&server->jobs[job].body));
  pthread_mutex_unlock(&server->mutex);
  return requests;
}
