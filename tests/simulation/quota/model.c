/* SPDX-License-Identifier: MIT */
#include "model.h"

#include "base/clock.h"
#include "base/rng.h"
#include "ideal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REQUESTS, TOKENS, DIMS };
enum { MAX_CLIENTS = 64, MAX_LINE = 1024 };

#define WARM_UP_S  120.0
#define RUN_S      1800.0
#define PATIENCE_S 30.0 /* so long a request may wait */

typedef struct request {
  int client, tries;
  double arrived, prompt, output, max_output;
  uint64_t units[DIMS];
  inf_quota_sent as_sent[DIMS];
  inf_quota_sight sight[DIMS];
  bool refused, has_headers;
  double hint_s;
  int next_free;
} request;

typedef enum event_type {
  EVENT_ARRIVAL,
  EVENT_TRACE,
  EVENT_COTENANT,
  EVENT_PROVIDER,
  EVENT_HEADERS,
  EVENT_END,
  EVENT_WAKE,
  EVENT_RETRY,
} event_type;

typedef struct event {
  double at;
  event_type type;
  int who;
} event;

typedef struct client {
  int line[MAX_LINE];
  size_t head, count;
  double wake_at;
  double mean_output;
  inf_quota quota[DIMS];
  bucket bucket[DIMS];
  double hold_until;
  double served;
  double joins;
} client;

typedef struct world {
  const scenario *scene;
  policy rule;
  inf_rng rng;
  double now, end;
  event *heap;
  size_t heap_count, heap_size;
  request *pool;
  int pool_count, free_request;
  client clients[MAX_CLIENTS];
  double level[DIMS], cap[DIMS], rate[DIMS], filled_at;
  size_t trace_at;    /* the trace's next request */
  double trace_round; /* when its present round began */
  double trace_speed;
  ideal ideal;
  /* What is measured, after the warm-up. */
  uint64_t sent, refused, cotenant_refused, offered, simulated;
  double used[DIMS], cotenant_used[DIMS], quota_given[DIMS];
  double lowest[DIMS], full_s[DIMS];
} world;

/* ---- Random -------------------------------------------------------------- */

static double
draw_exponential(inf_rng *rng, double mean)
{
  return -log(1 - inf_rng_double(rng)) * mean;
}

static double
draw_normal(inf_rng *rng)
{
  double u = 1 - inf_rng_double(rng), v = inf_rng_double(rng);
  return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* By mean, not by median. */
static double
draw_lognormal(inf_rng *rng, double mean, double sigma)
{
  return mean * exp(sigma * draw_normal(rng) - sigma * sigma / 2);
}

/* ---- Events -------------------------------------------------------------- */

static void
post(world *w, double at, event_type type, int who)
{
  if (w->heap_count == w->heap_size) {
    w->heap_size = w->heap_size ? w->heap_size * 2 : 1024;
    w->heap = realloc(w->heap, w->heap_size * sizeof *w->heap);
  }
  size_t i = w->heap_count++;
  for (; i > 0 && w->heap[(i - 1) / 2].at > at; i = (i - 1) / 2)
    w->heap[i] = w->heap[(i - 1) / 2];
  w->heap[i] = (event){at, type, who};
}

static event
take(world *w)
{
  event first = w->heap[0], last = w->heap[--w->heap_count];
  size_t i = 0;
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= w->heap_count)
      break;
    if (child + 1 < w->heap_count && w->heap[child + 1].at < w->heap[child].at)
      child++;
    if (w->heap[child].at >= last.at)
      break;
    w->heap[i] = w->heap[child];
    i = child;
  }
  w->heap[i] = last;
  return first;
}

static int
new_request(world *w)
{
  int id = w->free_request;
  if (id >= 0) {
    w->free_request = w->pool[id].next_free;
    return id;
  }
  if (w->pool_count % 1024 == 0)
    w->pool =
        realloc(w->pool, (size_t)(w->pool_count + 1024) * sizeof *w->pool);
  return w->pool_count++;
}

static void
drop_request(world *w, int id)
{
  w->pool[id].next_free = w->free_request;
  w->free_request = id;
}

static uint64_t
ns_of(double seconds)
{
  return (uint64_t)(seconds * 1e9) + 1;
}

static bool
measured(const world *w)
{
  return w->now >= WARM_UP_S + w->scene->joins_s;
}

/* ---- The provider -------------------------------------------------------- */

static void
fill(world *w)
{
  double dt = w->now - w->filled_at;
  for (int d = 0; d < DIMS; d++) {
    if (w->scene->window) {
      if (floor(w->now / 60) != floor(w->filled_at / 60))
        w->level[d] = w->rate[d] * 60;
      continue;
    }
    double level = w->level[d] + w->rate[d] * dt;
    if (level > w->cap[d]) {
      if (measured(w))
        w->full_s[d] += (level - w->cap[d]) / w->rate[d];
      level = w->cap[d];
    }
    w->level[d] = level;
  }
  w->filled_at = w->now;
}

/* Takes it if there is enough of everything; output may be paid later. */
static bool
admit(world *w, const double cost[DIMS])
{
  fill(w);
  for (int d = 0; d < DIMS; d++) {
    if (w->level[d] < cost[d])
      return false;
  }
  for (int d = 0; d < DIMS; d++) {
    w->level[d] -= cost[d];
    if (measured(w) && w->level[d] < w->lowest[d])
      w->lowest[d] = w->level[d];
  }
  return true;
}

static double
token_cost(const world *w, const request *r)
{
  switch (w->scene->charge) {
  case CHARGE_ARRIVAL:
    return r->prompt + r->output;
  case CHARGE_SPLIT:
    return r->prompt;
  case CHARGE_RESERVE:
    return r->prompt + r->max_output;
  }
  return 0;
}

static void
write_headers(world *w, request *r)
{
  const scenario *s = w->scene;
  r->has_headers = !s->no_headers && !(s->on_success_only && r->refused);
  for (int d = 0; d < DIMS; d++) {
    inf_quota_sight *sight = &r->sight[d];
    double level = w->level[d] > 0 ? w->level[d] : 0;
    double reset = (w->cap[d] - w->level[d]) / w->rate[d];
    *sight = (inf_quota_sight){0, (int64_t)(w->rate[d] * 60), (int64_t)level,
                               (int64_t)(reset * 1e3) * 1000000, false};
    if (s->offset)
      sight->remaining = (int64_t)(w->rate[d] * 60 - (w->cap[d] - level));
    if (s->scaled)
      sight->remaining = (int64_t)(level / w->cap[d] * w->rate[d] * 60);
    if (s->window)
      sight->reset_ns = (int64_t)((60 - fmod(w->now, 60)) * 1e9);
    if (s->coarse && d == TOKENS) {
      sight->remaining = (int64_t)(level / 1000 + 0.5) * 1000;
      sight->coarse = true;
    }
    if (s->no_limit || s->resets_only)
      sight->limit = INF_QUOTA_UNKNOWN;
    if (s->resets_only)
      sight->remaining = INF_QUOTA_UNKNOWN;
    if (s->no_reset)
      sight->reset_ns = INF_QUOTA_UNKNOWN;
    if (inf_rng_double(&w->rng) < s->nonsense) {
      int64_t what[] = {INF_QUOTA_UNKNOWN, 0, (int64_t)(w->rate[d] * 60)};
      sight->remaining = what[inf_rng_below(&w->rng, 3)];
    }
  }
}

static double
draw_ttft(world *w)
{
  double median = w->scene->ttft_s > 0 ? w->scene->ttft_s : 0.5;
  return median * exp(0.65 * draw_normal(&w->rng));
}

static void
serve(world *w, int id)
{
  request *r = &w->pool[id];
  double cost[DIMS] = {1, token_cost(w, r)};
  r->refused = !admit(w, cost);
  if (measured(w)) {
    w->sent++;
    w->refused += r->refused;
  }
  write_headers(w, r);
  if (r->refused) {
    r->hint_s = 0;
    for (int d = 0; d < DIMS; d++) {
      double wait = (cost[d] - w->level[d]) / w->rate[d];
      if (w->scene->window)
        wait = cost[d] > w->level[d] ? 60 - fmod(w->now, 60) : 0;
      r->hint_s = wait > r->hint_s ? wait : r->hint_s;
    }
    post(w, w->now + 0.03, EVENT_HEADERS, id);
    return;
  }
  double ttft = draw_ttft(w);
  if (measured(w)) {
    w->used[REQUESTS] += 1;
    w->used[TOKENS] += r->prompt + r->output;
    w->clients[r->client].served += r->prompt + r->output;
  }
  post(w, w->now + ttft, EVENT_HEADERS, id);
  post(w, w->now + ttft + r->output * 0.015, EVENT_END, id);
}

static void
draw_sizes(world *w, request *r)
{
  double scale = w->scene->per_request ? 0.5 : 1;
  r->prompt = ceil(draw_lognormal(&w->rng, 1000 * scale, 0.8));
  r->output = ceil(draw_lognormal(&w->rng, 250 * scale, 0.9));
  if (r->prompt > 20000)
    r->prompt = 20000;
  if (r->output > 4000)
    r->output = 4000;
  r->max_output = 1000 > r->output ? 1000 : r->output;
}

/* ---- A client ------------------------------------------------------------ */

static double
wait_of(world *w, client *c, const request *r)
{
  double wait = c->hold_until > w->now ? c->hold_until - w->now : 0;
  if (w->rule == POLICY_RETRY)
    return 0;
  for (int d = 0; d < DIMS; d++) {
    double units = (double)r->units[d], more = 0;
    if (w->rule != POLICY_LAW) {
      more = bucket_wait(w->rule, &c->bucket[d], units, w->now);
    } else {
      inf_quota_now q = inf_quota_read(&c->quota[d], units, ns_of(w->now));
      if (q.limited && q.not_ns > ns_of(w->now))
        more = (double)(q.not_ns - ns_of(w->now)) * 1e-9;
      else if (q.limited && q.level < units)
        more = fmax(1e-3, fmin((units - q.level) / (q.pace + 1e-9), 0.25));
    }
    wait = more > wait ? more : wait;
  }
  return wait;
}

static void
send_request(world *w, client *c, int id)
{
  request *r = &w->pool[id];
  for (int d = 0; d < DIMS; d++) {
    uint64_t units = r->units[d];
    if (w->rule == POLICY_LAW) {
      r->as_sent[d] = inf_quota_spend(&c->quota[d], units, ns_of(w->now));
    } else {
      c->bucket[d].level -= (double)units;
      c->bucket[d].spent += units;
      r->as_sent[d] =
          (inf_quota_sent){c->bucket[d].spent, units, ns_of(w->now)};
    }
  }
  post(w, w->now + 0.01 + 0.02 * inf_rng_double(&w->rng), EVENT_PROVIDER, id);
}

static void
run_line(world *w, int who)
{
  client *c = &w->clients[who];
  while (c->count > 0) {
    int id = c->line[c->head];
    if (w->now - w->pool[id].arrived > PATIENCE_S) {
      drop_request(w, id);
    } else {
      double wait = wait_of(w, c, &w->pool[id]);
      if (wait > 0) {
        if (c->wake_at <= w->now || w->now + wait < c->wake_at) {
          c->wake_at = w->now + wait;
          post(w, c->wake_at, EVENT_WAKE, who);
        }
        return;
      }
      send_request(w, c, id);
    }
    c->head = (c->head + 1) % MAX_LINE;
    c->count--;
  }
}

static void
enqueue(world *w, int who, int id, bool front)
{
  client *c = &w->clients[who];
  if (c->count == MAX_LINE) {
    drop_request(w, id);
    return;
  }
  if (front)
    c->head = (c->head + MAX_LINE - 1) % MAX_LINE;
  c->line[(c->head + (front ? 0 : c->count)) % MAX_LINE] = id;
  c->count++;
}

static void
post_next_arrival(world *w, int who)
{
  const scenario *s = w->scene;
  double mean = s->per_request ? 10.0 : 8.0; /* 600k tokens / 1250 / 60 s */
  double rate = mean * s->rate_scale * s->load / s->clients;
  double next = w->now + draw_exponential(&w->rng, 1 / rate);
  if (s->on_off) {
    next = w->now + (next - w->now) / 3;
    if (fmod(next, 60) > 20)
      next = floor(next / 60) * 60 + 60;
  }
  post(w, next, EVENT_ARRIVAL, who);
}

/* A request with these lengths comes to a client. */
static void
offer(world *w, int who, const request *sizes)
{
  client *c = &w->clients[who];
  int id = new_request(w);
  request *r = &w->pool[id];
  *r = *sizes;
  r->client = who;
  r->arrived = w->now;
  double guess = r->prompt * (0.95 + 0.1 * inf_rng_double(&w->rng));
  r->units[REQUESTS] = 1;
  r->units[TOKENS] = (uint64_t)(guess + c->mean_output);
  if (measured(w))
    w->offered++;
  w->simulated++;
  enqueue(w, who, id, false);
  if (c->count == 1) /* else the first in line has been told when */
    run_line(w, who);
}

static void
arrive(world *w, int who)
{
  request sizes = {0};
  post_next_arrival(w, who);
  draw_sizes(w, &sizes);
  offer(w, who, &sizes);
}

/* ---- A trace ------------------------------------------------------------- */

/* The lengths of a trace's request; false if it could never pass. */
static bool
trace_sizes(const scenario *s, const trace_request *of, request *sizes)
{
  double prompt = fmax(of->prompt, 1);
  *sizes = (request){.prompt = prompt,
                     .output = of->output,
                     .max_output = fmax(of->output, 1000)};
  return prompt + sizes->max_output <= 10000 * s->rate_scale * s->burst_s;
}

size_t
model_trace_too_long(const scenario *s)
{
  size_t count = 0;
  request sizes;
  for (size_t i = 0; i < s->trace->count; i++)
    count += !trace_sizes(s, &s->trace->requests[i], &sizes);
  return count;
}

double
model_trace_speed(const scenario *s)
{
  double requests = 0, tokens = 0;
  request sizes;
  for (size_t i = 0; i < s->trace->count; i++) {
    if (!trace_sizes(s, &s->trace->requests[i], &sizes))
      continue;
    requests++;
    tokens += sizes.prompt + sizes.output;
  }
  /* The seconds of quota that all of it asks for, of what binds. */
  double seconds = fmax(requests / 10, tokens / 10000) / s->rate_scale;
  return s->trace->period * s->load / seconds;
}

static void
post_trace_arrival(world *w)
{
  const trace *t = w->scene->trace;
  double at = t->requests[w->trace_at].at / w->trace_speed;
  post(w, w->trace_round + at, EVENT_TRACE, 0);
}

static void
begin_trace(world *w)
{
  const trace *t = w->scene->trace;
  w->trace_speed = model_trace_speed(w->scene);
  w->trace_at = (size_t)(inf_rng_double(&w->rng) * (double)t->count);
  w->trace_round = -t->requests[w->trace_at].at / w->trace_speed;
  ideal_init(&w->ideal, w->rate, w->cap, WARM_UP_S + w->scene->joins_s);
  post_trace_arrival(w);
}

static void
arrive_from_trace(world *w)
{
  const scenario *s = w->scene;
  request sizes;
  bool fits = trace_sizes(s, &s->trace->requests[w->trace_at], &sizes);
  if (++w->trace_at == s->trace->count) {
    w->trace_at = 0;
    w->trace_round += s->trace->period / w->trace_speed;
  }
  post_trace_arrival(w);
  if (!fits)
    return;
  int here = 0;
  while (here < s->clients && w->clients[here].joins <= w->now)
    here++;
  double units[DIMS] = {1, sizes.prompt + sizes.output};
  ideal_offer(&w->ideal, w->now, w->now + PATIENCE_S, units);
  offer(w, (int)inf_rng_below(&w->rng, (uint64_t)here), &sizes);
}

static void
hear_headers(world *w, client *c, request *r)
{
  for (int d = 0; d < DIMS; d++) {
    if (w->rule == POLICY_LAW)
      inf_quota_observe(&c->quota[d], &r->sight[d], &r->as_sent[d],
                        ns_of(w->now));
    else if (w->rule >= POLICY_MIN)
      bucket_observe(w->rule, &c->bucket[d], &r->sight[d], &r->as_sent[d],
                     w->now);
  }
}

static void
settle(world *w, client *c, const request *r, int d, double actual)
{
  if (w->rule == POLICY_LAW)
    inf_quota_settle(&c->quota[d], &r->as_sent[d], (uint64_t)actual,
                     ns_of(w->now));
  else
    c->bucket[d].level += (double)r->units[d] - actual;
}

static void
hear_refusal(world *w, client *c, int id)
{
  request *r = &w->pool[id];
  uint64_t now_ns = ns_of(w->now);
  inf_quota *quotas[DIMS] = {&c->quota[REQUESTS], &c->quota[TOKENS]};
  size_t blamed = w->rule == POLICY_LAW
                      ? inf_quota_emptiest(quotas, DIMS, now_ns)
                      : (size_t)TOKENS;
  for (int d = 0; d < DIMS; d++)
    settle(w, c, r, d, 0);
  if (w->rule == POLICY_LAW && blamed < DIMS)
    inf_quota_refuse(&c->quota[blamed], &r->as_sent[blamed],
                     (int64_t)(r->hint_s * 1e9), now_ns);
  else if (w->rule != POLICY_RETRY)
    bucket_refused(w->rule, &c->bucket[blamed], w->now);
  if (w->rule != POLICY_RETRY) {
    if (w->rule != POLICY_LAW)
      c->hold_until = fmax(c->hold_until, w->now + r->hint_s);
    enqueue(w, r->client, id, true);
    return;
  }
  double wait = fmin(8, 0.5 * pow(2, r->tries)) * inf_rng_double(&w->rng);
  if (++r->tries > 5 || w->now + wait - r->arrived > PATIENCE_S)
    drop_request(w, id);
  else
    post(w, w->now + wait, EVENT_RETRY, id);
}

static void
hear(world *w, int id)
{
  request *r = &w->pool[id];
  int who = r->client;
  client *c = &w->clients[who];
  if (r->has_headers)
    hear_headers(w, c, r);
  if (r->refused)
    hear_refusal(w, c, id);
  run_line(w, who);
}

static void
finish(world *w, int id)
{
  request *r = &w->pool[id];
  int who = r->client;
  client *c = &w->clients[who];
  fill(w);
  if (w->scene->charge == CHARGE_SPLIT)
    w->level[TOKENS] -= r->output;
  if (w->scene->charge == CHARGE_RESERVE)
    w->level[TOKENS] =
        fmin(w->cap[TOKENS], w->level[TOKENS] + r->max_output - r->output);
  settle(w, c, r, TOKENS, r->prompt + r->output);
  c->mean_output += (r->output - c->mean_output) / 64;
  drop_request(w, id);
  run_line(w, who);
}

static void
cotenant(world *w)
{
  request r;
  double mean = (w->scene->per_request ? 10.0 : 8.0) * w->scene->cotenant *
                w->scene->rate_scale;
  post(w, w->now + draw_exponential(&w->rng, 1 / mean), EVENT_COTENANT, 0);
  draw_sizes(w, &r);
  double cost[DIMS] = {1, r.prompt + r.output};
  bool served = admit(w, cost);
  w->simulated++;
  if (served && w->scene->trace)
    ideal_taken(&w->ideal, w->now, cost);
  if (!measured(w))
    return;
  w->cotenant_refused += !served;
  for (int d = 0; d < DIMS && served; d++)
    w->cotenant_used[d] += cost[d];
}

/* ---- A run --------------------------------------------------------------- */

static void
set_rates(world *w, double factor)
{
  w->rate[REQUESTS] = 10 * w->scene->rate_scale * factor;
  w->rate[TOKENS] = 10000 * w->scene->rate_scale * factor;
  for (int d = 0; d < DIMS; d++) {
    w->cap[d] = w->rate[d] * w->scene->burst_s;
    w->level[d] = fmin(w->level[d], w->cap[d]);
  }
}

static void
begin(world *w)
{
  const scenario *s = w->scene;
  w->free_request = -1;
  set_rates(w, 1);
  for (int i = 0; i < s->clients; i++) {
    client *c = &w->clients[i];
    c->mean_output = 250;
    c->joins = i > 0 && i >= s->clients / 2 ? s->joins_s : 0;
    for (int d = 0; d < DIMS; d++) {
      w->level[d] = w->cap[d];
      bool told = s->no_headers || s->no_limit || s->resets_only ||
                  w->rule != POLICY_LAW;
      inf_quota_init(&c->quota[d], told ? w->rate[d] * 60 : 0, 0, 1);
      c->bucket[d] = (bucket){
          .level = w->cap[d], .rate = w->rate[d], .cap = w->rate[d] * 10};
    }
    if (!s->trace)
      post(w, c->joins + 0.001 * i, EVENT_ARRIVAL, i);
  }
  if (s->trace)
    begin_trace(w);
  if (s->cotenant > 0)
    post(w, 0.0005, EVENT_COTENANT, 0);
}

static void
handle(world *w, event e)
{
  switch (e.type) {
  case EVENT_ARRIVAL:
    arrive(w, e.who);
    break;
  case EVENT_TRACE:
    arrive_from_trace(w);
    break;
  case EVENT_COTENANT:
    cotenant(w);
    break;
  case EVENT_PROVIDER:
    serve(w, e.who);
    break;
  case EVENT_HEADERS:
    hear(w, e.who);
    break;
  case EVENT_END:
    finish(w, e.who);
    break;
  case EVENT_WAKE:
    if (e.at == w->clients[e.who].wake_at)
      run_line(w, e.who);
    break;
  case EVENT_RETRY:
    send_request(w, &w->clients[w->pool[e.who].client], e.who);
    break;
  }
}

double model_simulated, model_cpu_s;

/* Of the dimension that binds: where no trace is played it is the one of which
 * the larger share is used. */
static void
measure_use(const world *w, figures *f)
{
  for (int d = 0; d < DIMS; d++) {
    double given = w->quota_given[d] - w->cotenant_used[d];
    double usable = w->ideal.used[d] / given;
    if (!w->scene->trace) {
      f->util = fmax(f->util, w->used[d] / given);
    } else if (usable > f->usable) {
      f->usable = usable;
      f->util = w->used[d] / given / fmin(1, usable);
    }
  }
}

static figures
measure(const world *w)
{
  figures f = {.jain = 1};
  double total = 0, squares = 0;
  measure_use(w, &f);
  f.refused = w->sent ? (double)w->refused / (double)w->sent : 0;
  for (int i = 0; i < w->scene->clients; i++) {
    total += w->clients[i].served;
    squares += w->clients[i].served * w->clients[i].served;
  }
  f.jain = total * total / (squares * w->scene->clients);
  return f;
}

figures
model_play(const scenario *scene, policy rule, uint64_t seed)
{
  static world w;
  event *heap = w.heap;
  size_t heap_size = w.heap_size;
  memset(&w, 0, sizeof w);
  w.heap = heap;
  w.heap_size = heap_size;
  w.scene = scene;
  w.rule = rule;
  w.lowest[0] = w.lowest[1] = 1e18;
  w.end = WARM_UP_S + scene->joins_s + RUN_S;
  inf_rng_seed(&w.rng, seed);
  clock_t start = clock();
  begin(&w);
  bool changed = false;
  while (w.heap_count > 0) {
    event e = take(&w);
    if (e.at > w.end)
      break;
    w.now = e.at;
    if (scene->change > 0 && !changed && w.now > WARM_UP_S + RUN_S / 2) {
      fill(&w);
      set_rates(&w, scene->change);
      if (scene->trace)
        ideal_change(&w.ideal, w.now, w.rate, w.cap);
      changed = true;
    }
    handle(&w, e);
  }
  for (int d = 0; d < DIMS; d++) {
    double factor = scene->change > 0 ? (1 + scene->change) / 2 : 1;
    double first = (d ? 10000 : 10) * scene->rate_scale;
    w.quota_given[d] = first * factor * RUN_S;
  }
  model_simulated += (double)w.simulated;
  model_cpu_s += (double)(clock() - start) / CLOCKS_PER_SEC;
  if (scene->trace)
    ideal_advance(&w.ideal, w.end);
  figures f = measure(&w);
  ideal_fini(&w.ideal);
  free(w.pool);
  w.pool = NULL;
  return f;
}
