/* SPDX-License-Identifier: MIT */
/* The log. Keys never stand in them: a key is known by its
 * last four characters, if it is long enough to keep the rest secret, and by
 * a hash. */

#include "sim_log.h"

#include "sim_request.h"

#include "base/mem.h"
#include "wire/json_write.h"

#include <inttypes.h>
#include <stdio.h>

/* Of a key shorter than this the end is not shown. */
#define KEY_SHOWN_MIN 8
/* Bodies above this are not kept in the log once the request has ended. */
#define BODY_KEPT_MAX ((size_t)1 << 20)
#define BYTES_MAX     ((size_t)256 << 20)

void
inf_sim_log_init(inf_sim_log *log, size_t count_max, uint64_t start_ns)
{
  *log = (inf_sim_log){
      .count_max = count_max, .bytes_max = BYTES_MAX, .start_ns = start_ns};
  inf_list_init(&log->entries);
}

static size_t
entry_bytes(const inf_sim_entry *entry)
{
  return sizeof(*entry) + entry->body_len + entry->headers.text.len;
}

static void
free_entry(inf_sim_entry *entry)
{
  inf_free(entry->method);
  inf_free(entry->path);
  inf_free(entry->body);
  inf_free(entry->model);
  inf_free((void *)(uintptr_t)entry->rule_name.sv.ptr);
  inf_headers_fini(&entry->headers);
  inf_free(entry);
}

static void
drop_entry(inf_sim_log *log, inf_sim_entry *entry)
{
  inf_list_remove(&entry->node);
  log->count--;
  if (entry->finished) {
    log->bytes -= entry_bytes(entry);
    free_entry(entry);
  } else {
    entry->detached = true;
  }
}

void
inf_sim_log_fini(inf_sim_log *log)
{
  while (!inf_list_empty(&log->entries)) {
    drop_entry(log, INF_CONTAINER_OF(log->entries.next, inf_sim_entry, node));
  }
}

void
inf_sim_log_clear(inf_sim_log *log, uint64_t start_ns)
{
  inf_sim_log_fini(log);
  inf_sim_log_init(log, log->count_max, start_ns);
}

inf_sim_entry *
inf_sim_log_add(inf_sim_log *log)
{
  inf_sim_entry *entry = inf_sim_alloc(sizeof(*entry));
  entry->log = log;
  entry->rule = -1;
  inf_headers_init(&entry->headers, 2 * (size_t)64 * 1024);
  inf_list_push_back(&log->entries, &entry->node);
  log->count++;
  while (log->count > log->count_max) {
    drop_entry(log, INF_CONTAINER_OF(log->entries.next, inf_sim_entry, node));
    log->dropped++;
  }
  return entry;
}

static void
sum_charge(inf_sim_log *log, const inf_sim_charge *charge)
{
  log->charged_requests += charge->charged ? 1 : 0;
  log->prompt_tokens += charge->prompt_tokens;
  log->cached_tokens += charge->cached_tokens;
  log->completion_tokens += charge->completion_tokens;
  log->reasoning_tokens += charge->reasoning_tokens;
  log->nano_usd += charge->nano_usd;
}

void
inf_sim_log_finish(inf_sim_entry *entry)
{
  inf_sim_log *log = entry->log;
  entry->finished = true;
  if (entry->detached) {
    free_entry(entry);
    return;
  }
  sum_charge(log, &entry->charge);
  if (entry->body_len > BODY_KEPT_MAX) {
    inf_free(entry->body);
    entry->body = NULL;
    entry->body_len = 0;
  }
  log->bytes += entry_bytes(entry);
  while (log->bytes > log->bytes_max) {
    inf_sim_entry *first =
        INF_CONTAINER_OF(log->entries.next, inf_sim_entry, node);
    drop_entry(log, first);
    log->dropped++;
  }
}

inf_sv
inf_sim_request_id(uint64_t number, char text[INF_SIM_REQUEST_ID_MAX])
{
  int len =
      snprintf(text, INF_SIM_REQUEST_ID_MAX, "req_sim%012" PRIu64, number);
  return inf_sv_of(text, (size_t)len);
}

inf_sv
inf_sim_key_of(const inf_headers *headers)
{
  inf_sv value;
  if (!inf_headers_get(headers, INF_SV("authorization"), &value)) {
    return INF_SV("");
  }
  size_t space = inf_sv_find(value, ' ');
  if (space == value.len) {
    return value;
  }
  return inf_sv_trim(inf_sv_of(value.ptr + space, value.len - space));
}

/* Writing. */

static bool
is_secret(inf_sv name)
{
  static const char *const names[] = {"authorization",  "proxy-authorization",
                                      "api-key",        "x-api-key",
                                      "x-goog-api-key", "cookie"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    if (inf_sv_eq_nocase(name, inf_sv_from(names[i]))) {
      return true;
    }
  }
  return false;
}

/* "Bearer ***": the scheme may be seen. */
static void
put_masked(inf_buf *out, inf_sv value)
{
  char text[64];
  size_t space = inf_sv_find(value, ' ');
  int scheme = space < value.len && space < 32 ? (int)space : 0;
  int len = snprintf(text, sizeof(text), "%.*s%s***", scheme, value.ptr,
                     scheme ? " " : "");
  inf_json_put_string(out, inf_sv_of(text, (size_t)len));
}

static void
put_lower_key(inf_buf *out, inf_sv name)
{
  char lower[256];
  size_t len = name.len < sizeof(lower) ? name.len : sizeof(lower);
  for (size_t i = 0; i < len; i++) {
    char c = name.ptr[i];
    lower[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
  }
  inf_json_key(out, inf_sv_of(lower, len));
}

static bool
came_before(const inf_headers *headers, size_t index, inf_sv name)
{
  inf_sv other, value;
  for (size_t i = 0; i < index && inf_headers_at(headers, i, &other, &value);
       i++) {
    if (inf_sv_eq_nocase(other, name)) {
      return true;
    }
  }
  return false;
}

/* Values of equal names are joined by ", ", as RFC 9110 5.3 allows. */
static void
put_joined(inf_buf *out, const inf_headers *headers, inf_sv name)
{
  inf_buf joined;
  inf_buf_init(&joined, INF_SIM_BUF_MAX);
  inf_sv other, value;
  for (size_t i = 0; inf_headers_at(headers, i, &other, &value); i++) {
    if (inf_sv_eq_nocase(other, name)) {
      inf_buf_append_cstr(&joined, joined.len > 0 ? ", " : "");
      inf_buf_append_sv(&joined, value);
    }
  }
  inf_json_put_string(out, inf_buf_sv(&joined));
  inf_buf_fini(&joined);
}

static void
put_headers(inf_buf *out, const inf_headers *headers)
{
  inf_sv name, value;
  inf_json_key(out, INF_SV("headers"));
  inf_json_open(out, '{');
  for (size_t i = 0; inf_headers_at(headers, i, &name, &value); i++) {
    if (came_before(headers, i, name)) {
      continue;
    }
    put_lower_key(out, name);
    if (is_secret(name)) {
      put_masked(out, value);
    } else {
      put_joined(out, headers, name);
    }
  }
  inf_json_close(out, '}');
}

void
inf_sim_log_put_key(inf_buf *out, const inf_headers *headers)
{
  inf_sv key = inf_sim_key_of(headers);
  char hash[20];
  if (key.len == 0) {
    inf_json_member_raw(out, INF_SV("key"), INF_SV("null"));
    return;
  }
  inf_sv shown = key.len >= KEY_SHOWN_MIN ? inf_sv_of(key.ptr + key.len - 4, 4)
                                          : INF_SV("****");
  int len = snprintf(hash, sizeof(hash), "%016" PRIx64,
                     inf_sim_hash(INF_SIM_HASH_START, key));
  inf_json_member_string(out, INF_SV("key"), shown);
  inf_json_member_string(out, INF_SV("key_hash"), inf_sv_of(hash, (size_t)len));
}

static void
put_time(const inf_sim_log *log, inf_buf *out, inf_sv key, uint64_t at_ns)
{
  if (at_ns == 0) {
    inf_json_member_raw(out, key, INF_SV("null"));
  } else {
    inf_json_member_int(out, key, (int64_t)(at_ns - log->start_ns));
  }
}

static void
put_body(inf_buf *out, const inf_sim_entry *entry)
{
  inf_sv body = inf_sv_of(entry->body, entry->body_len);
  inf_json_key(out, INF_SV("body"));
  if (entry->body_is_json && body.len > 0) {
    inf_sim_put_compact(out, body);
  } else {
    inf_buf_append_cstr(out, "null");
  }
  if (!entry->body_is_json && body.len > 0) {
    inf_json_member_string(out, INF_SV("body_text"), body);
  }
}

const char *
inf_sim_end_name(int end)
{
  static const char *const names[] = {"open",          "silent", "complete",
                                      "client_closed", "reset",  "cut",
                                      "server_down"};
  return names[end];
}

static void
put_request(inf_buf *out, const inf_sim_entry *entry)
{
  inf_json_member_string(out, INF_SV("method"), inf_sv_from(entry->method));
  inf_json_member_string(out, INF_SV("path"), inf_sv_from(entry->path));
  put_headers(out, &entry->headers);
  inf_sim_log_put_key(out, &entry->headers);
  inf_json_member_string(out, INF_SV("model"), inf_sv_from(entry->model));
  inf_json_member_bool(out, INF_SV("stream"), entry->stream);
  put_body(out, entry);
}

static void
put_entry(const inf_sim_log *log, const inf_sim_entry *entry, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("seq"), (int64_t)entry->number);
  put_time(log, out, INF_SV("received_ns"), entry->received_ns);
  inf_json_member_int(out, INF_SV("received_monotonic_ns"),
                      (int64_t)entry->received_ns);
  inf_json_member_int(out, INF_SV("connection"), (int64_t)entry->connection);
  inf_json_member_int(out, INF_SV("reuse"), (int64_t)entry->reuse);
  inf_json_member_bool(out, INF_SV("tls"), entry->tls);
  put_request(out, entry);
  inf_json_member_int(out, INF_SV("rule"), entry->rule);
  if (entry->rule_name.set) {
    inf_json_member_string(out, INF_SV("rule_name"), entry->rule_name.sv);
  }
  inf_json_member_int(out, INF_SV("status"), (int64_t)entry->status);
  put_time(log, out, INF_SV("headers_ns"), entry->head_sent_ns);
  put_time(log, out, INF_SV("first_token_ns"), entry->first_token_ns);
  put_time(log, out, INF_SV("ended_ns"), entry->ended_ns);
  inf_json_member_int(out, INF_SV("bytes_sent"), (int64_t)entry->bytes_sent);
  inf_json_member_int(out, INF_SV("tokens"), (int64_t)entry->tokens);
  inf_json_member_string(out, INF_SV("end"),
                         inf_sv_from(inf_sim_end_name(entry->end)));
  inf_json_close(out, '}');
}

/* Each line is written apart: the writer would put a comma between two. */
static void
put_line(const inf_sim_log *log, const inf_sim_entry *entry, inf_buf *out)
{
  inf_buf line;
  inf_buf_init(&line, INF_SIM_BUF_MAX);
  put_entry(log, entry, &line);
  inf_buf_append_char(&line, '\n');
  inf_sim_must(&line);
  inf_buf_append_sv(out, inf_buf_sv(&line));
  inf_buf_fini(&line);
}

void
inf_sim_log_put(const inf_sim_log *log, uint64_t since, bool lines,
                inf_buf *out)
{
  inf_buf_append_cstr(out, lines ? "" : "[");
  for (const inf_list *node = log->entries.next; node != &log->entries;
       node = node->next) {
    const inf_sim_entry *entry = INF_CONTAINER_OF(node, inf_sim_entry, node);
    if (entry->number <= since) {
      continue;
    }
    if (lines) {
      put_line(log, entry, out);
    } else {
      put_entry(log, entry, out);
    }
  }
  inf_buf_append_cstr(out, lines ? "" : "]");
  inf_sim_must(out);
}
