/* SPDX-License-Identifier: MIT */
/* Reads traces of requests: see replay_trace.h. */

#include "replay_trace.h"

#include "replay_trace_line.h"
#include "sim_mem.h"

#include "base/heap.h"
#include "base/list.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>

/* A request that waits for those that are earlier. */
typedef struct held_request {
  inf_heap_node node; /* by time */
  inf_list spare;     /* for another one */
  inf_replay_trace_line line;
  uint64_t number; /* of its line */
} held_request;

struct inf_replay_trace {
  FILE *file;
  const char *name;
  inf_buf text; /* of the line at hand */
  inf_replay_trace_columns columns;
  bool known; /* the columns are */
  bool ended;
  uint64_t line; /* read so far */
  inf_heap held;
  size_t held_count;
  inf_list spares;
  held_request *given;
  bool begun;
  int64_t first_ns, last_ns; /* times of the first and the last one given */
};

inf_replay_trace *
inf_replay_trace_open(const char *path, inf_buf *error)
{
  bool is_stdin = strcmp(path, "-") == 0;
  FILE *file = is_stdin ? stdin : fopen(path, "re");
  if (!file) {
    inf_buf_appendf(error, "%s: %s", path, strerror(errno));
    return NULL;
  }
  inf_replay_trace *trace = inf_sim_alloc(sizeof(*trace));
  trace->file = file;
  trace->name = is_stdin ? "standard input" : path;
  inf_buf_init(&trace->text, INF_REPLAY_TRACE_MAX_LINE);
  inf_list_init(&trace->spares);
  return trace;
}

static int
fail(const inf_replay_trace *trace, uint64_t line, const char *why,
     inf_buf *error)
{
  inf_buf_appendf(error, "%s:%llu: %s", trace->name, (unsigned long long)line,
                  why);
  return -1;
}

/* ---- Lines --------------------------------------------------------------- */

/* The next line without its end; as inf_replay_trace_next(). */
static int
read_text(inf_replay_trace *trace, inf_buf *error)
{
  int c = 0;
  bool any = false, nul = false;
  inf_buf_clear(&trace->text);
  while (c != '\n' && (c = getc_unlocked(trace->file)) != EOF) {
    any = true;
    nul |= c == '\0';
    inf_buf_append_char(&trace->text, (char)c);
  }
  trace->line += any;
  if (ferror(trace->file) && errno == EINTR) {
    return 0; /* by a signal that ends the replay: no more is read */
  }
  if (ferror(trace->file)) {
    return fail(trace, trace->line + 1, strerror(errno), error);
  }
  if (nul) {
    return fail(trace, trace->line, "contains a NUL byte (is it UTF-8?)",
                error);
  }
  if (trace->text.status != 0) {
    return fail(trace, trace->line, "the line is longer than 1 MiB", error);
  }
  return any;
}

static held_request *
spare_request(inf_replay_trace *trace)
{
  inf_list *node = inf_list_pop_front(&trace->spares);
  if (node) {
    return INF_CONTAINER_OF(node, held_request, spare);
  }
  held_request *held = inf_sim_alloc(sizeof(*held));
  inf_heap_node_init(&held->node);
  inf_list_init(&held->spare);
  inf_replay_trace_line_init(&held->line);
  return held;
}

/* Reads one more request; as inf_replay_trace_next(). */
static int
hold_next(inf_replay_trace *trace, inf_buf *error)
{
  const char *why = NULL;
  inf_sv text;
  do {
    int got = read_text(trace, error);
    if (got != 1) {
      return got;
    }
    text = inf_sv_trim(inf_buf_sv(&trace->text));
    if (trace->line == 1 && inf_sv_starts_with(text, INF_SV("\xEF\xBB\xBF"))) {
      text = inf_sv_trim(inf_sv_of(text.ptr + 3, text.len - 3));
    }
    if (!trace->known && text.len > 0 && text.ptr[0] != '#') {
      trace->known = true;
      if (!inf_replay_trace_columns_read(&trace->columns, text, &why)) {
        return fail(trace, trace->line, why, error);
      }
      if (trace->columns.header) {
        text.len = 0;
      }
    }
  } while (text.len == 0 || text.ptr[0] == '#');
  held_request *held = spare_request(trace);
  held->number = trace->line;
  if (!inf_replay_trace_line_read(&held->line, &trace->columns, text, &why)) {
    inf_list_push_back(&trace->spares, &held->spare);
    return fail(trace, trace->line, why, error);
  }
  /* From signed to the order of unsigned numbers. */
  inf_heap_set(&trace->held, &held->node,
               (uint64_t)held->line.wall_ns ^ (uint64_t)1 << 63);
  trace->held_count++;
  return 1;
}

/* ---- Requests ------------------------------------------------------------ */

static int
give(inf_replay_trace *trace, held_request *held,
     inf_replay_trace_request *request, inf_buf *error)
{
  const inf_replay_trace_line *line = &held->line;
  if (!trace->begun) {
    trace->begun = true;
    trace->first_ns = trace->last_ns = line->wall_ns;
  }
  if (line->wall_ns < trace->last_ns) {
    return fail(trace, held->number,
                "earlier than requests of more than 1024 lines before it "
                "(sort the trace by time)",
                error);
  }
  trace->last_ns = line->wall_ns;
  *request = (inf_replay_trace_request){
      .at_ns = (uint64_t)(line->wall_ns - trace->first_ns),
      .prompt_tokens = line->prompt_tokens,
      .answer_tokens = line->answer_tokens,
      .tenant = inf_buf_cstr(&line->tenant),
      .model = inf_buf_cstr(&line->model),
      .prefix = (const uint64_t *)(const void *)line->prefix.ptr,
      .prefix_count = line->prefix.len / sizeof(uint64_t),
      .line = held->number,
  };
  return 1;
}

int
inf_replay_trace_next(inf_replay_trace *trace,
                      inf_replay_trace_request *request, inf_buf *error)
{
  if (trace->given) {
    inf_list_push_back(&trace->spares, &trace->given->spare);
    trace->given = NULL;
  }
  while (!trace->ended && trace->held_count <= INF_REPLAY_TRACE_WINDOW) {
    int got = hold_next(trace, error);
    if (got < 0) {
      return -1;
    }
    trace->ended = got == 0;
  }
  inf_heap_node *node = inf_heap_min(&trace->held);
  if (!node) {
    return 0;
  }
  inf_heap_remove(&trace->held, node);
  trace->held_count--;
  trace->given = INF_CONTAINER_OF(node, held_request, node);
  return give(trace, trace->given, request, error);
}

static void
request_free(held_request *held)
{
  inf_replay_trace_line_fini(&held->line);
  inf_free(held);
}

void
inf_replay_trace_close(inf_replay_trace *trace)
{
  inf_list *spare;
  inf_heap_node *node;
  if (!trace) {
    return;
  }
  while ((spare = inf_list_pop_front(&trace->spares))) {
    request_free(INF_CONTAINER_OF(spare, held_request, spare));
  }
  while ((node = inf_heap_min(&trace->held))) {
    inf_heap_remove(&trace->held, node);
    request_free(INF_CONTAINER_OF(node, held_request, node));
  }
  if (trace->given) {
    request_free(trace->given);
  }
  if (trace->file != stdin) {
    fclose(trace->file);
  }
  inf_buf_fini(&trace->text);
  inf_free(trace);
}
