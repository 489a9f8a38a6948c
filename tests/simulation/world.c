/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "counted.h"
#include "engine/budgets.h"
#include "engine/client.h"
#include "engine/hedger.h"
#include "engine/meter_state.h"
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>

/* A network or a loop that does this much while no time passes does it for
 * ever. */
enum { turns_at_once_max = 50000 };
enum { batch = 64 };
enum { fast, slow, queues, own = queues };

/* 2026-01-01; the clock starts at one second. */
static const int64_t wall_start_ns = INT64_C(1767225600000000000);
static const uint64_t start_ns = INF_NS_PER_S;

/* What the caller holds of a call. */
typedef struct held_call {
  inf_timer timer; /* of its cancel */
  infer_call *call;
  uint64_t number;
} held_call;

typedef struct sim_world {
  swarm_run swarm;
  ledger books;
  sim_fleet fleet;
  inf_virtual_clock clock;
  infer_config *configs[fleet_generations]; /* the first, or all */
  uint32_t generation;                      /* of labels */
  uint64_t until_ns[fleet_generations];     /* when it was the present one */
  infer_client *client;
  infer_queue *queues[queues];
  held_call holds[ledger_slots];
  /* Calls that somebody waits for, and those of them that have just ended. */
  infer_call *waited[ledger_slots];
  uint64_t ended[ledger_slots];
  size_t ended_count;
  inf_timer_heap cancels;
  inf_rng rng;
  uint64_t calls_max, tries;
  uint64_t next_call_ns, next_read_ns, next_reload_ns, next_leave_ns;
  uint64_t just_cancelled; /* has to end in the next turn */
  uint64_t turns, turns_at_once;
  int64_t spent_nano; /* all attempts, probes included */
  world_result *result;
} sim_world;

/* ---- Hooks --------------------------------------------------------------- */

/* An answer that a fault has made to say that it was longer than it may be. */
static void
note_cost(sim_world *world, const infer_attempt *attempt)
{
  int64_t nano_usd = infer_attempt_cost_nano_usd(attempt);
  int64_t reserved_nano =
      INT64_C(1) * swarm_max_tokens * (swarm_dearest_price / 3) / 1000;
  int32_t reason = infer_attempt_reason(attempt);
  if (nano_usd < 0)
    ledger_violated(&world->books, "an attempt of unknown cost");
  world->spent_nano += nano_usd;
  if (nano_usd > reserved_nano)
    world->result->over_nano += (uint64_t)(nano_usd - reserved_nano);
  world->result->reasons[reason & 15]++;
  world->result->probes += reason == INFER_REASON_PROBE;
}

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  sim_world *world = user_data;
  if (world->swarm.kind == SWARM_BUDGETS)
    note_cost(world, attempt);
  if (!call) /* a probe, or a warm-up */
    return;
  const ledger_call *about =
      &world->books.calls[infer_call_tag(call) % ledger_slots];
  if (world->swarm.kind == SWARM_LABELS &&
      about->number == infer_call_tag(call) && about->labels)
    world->result->reasons[infer_attempt_reason(attempt) & 15]++;
  ledger_attempt_ended(&world->books, infer_call_tag(call), attempt,
                       world->clock.now_ns);
}

/* Whoever may go nowhere else waits for a model that is being loaded, as long
 * as the deadline allows, unless its last attempt came to something else (a
 * continuation that is refused ends as what broke off did): an eighth of what
 * is gone, at most 30 s, and the target's usual first token have to fit before
 * it. */
static void
check_loading(sim_world *world, uint64_t number, const infer_error *error)
{
  enum { far_s = 60 };
  const ledger_call *call = &world->books.calls[number % ledger_slots];
  if (call->number == number && !call->run_once && !world->books.closing &&
      call->deadline_ns > world->clock.now_ns + far_s * INF_NS_PER_S &&
      strstr(infer_error_message(error), "Loading model") && call->sends > 0 &&
      call->attempts[call->sends - 1].loading)
    ledger_violated(&world->books, "call %llu: did not wait for the model",
                    (unsigned long long)number);
}

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *user_data)
{
  sim_world *world = user_data;
  int32_t status = infer_error_status(error);
  /* An error without memory for itself is none at all to a hook. */
  if (!response && status == INFER_OK)
    ledger_violated(&world->books, "call %llu: ended without a result",
                    (unsigned long long)infer_call_tag(call));
  if (status == INFER_E_OVERLOADED)
    check_loading(world, infer_call_tag(call), error);
  if (world->waited[infer_call_tag(call) % ledger_slots])
    world->ended[world->ended_count++] = infer_call_tag(call);
  world->result->succeeded += status == INFER_OK;
  world->result->over_budget += status == INFER_E_BUDGET;
  ledger_call_ended(&world->books, infer_call_tag(call), status,
                    world->clock.now_ns);
}

static inf_transport *
new_transport(void *context, const inf_curl_options *options)
{
  (void)options;
  sim_world *world = context;
  return inf_virtual_transport_new(&world->clock, &world->fleet.server);
}

/* Warm-ups may go to what some route could ask, by a configuration of the last
 * 30 s: so long one may wait for its turn, and go on. */
static bool
may_warm_in(const sim_world *world, size_t provider, uint32_t generation)
{
  const swarm_run *swarm = &world->swarm;
  uint32_t labels = fleet_labels(&swarm->fleet[provider], generation);
  for (size_t i = 0; i < swarm->routes; i++) {
    const swarm_route *route = &swarm->route[i];
    size_t distance = provider + swarm->providers - route->first;
    if (distance % swarm->providers < route->targets &&
        !(route->labels & ~labels))
      return true;
  }
  return false;
}

static bool
may_warm(void *context, size_t provider)
{
  enum { patience_s = 30 };
  const sim_world *world = context;
  uint64_t from_ns = world->clock.now_ns - patience_s * INF_NS_PER_S;
  if (world->clock.now_ns < patience_s * INF_NS_PER_S)
    from_ns = 0;
  for (uint32_t i = 0; i < fleet_generations; i++)
    if ((i == world->generation ||
         (world->until_ns[i] > 0 && world->until_ns[i] >= from_ns)) &&
        may_warm_in(world, provider, i))
      return true;
  return false;
}

/* ---- Calls --------------------------------------------------------------- */

static const char filler[] =
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod "
    "tempor incididunt ut labore et dolore magna aliqua. Ut enim ad minim "
    "veniam, quis nostrud exercitation ullamco laboris.";

static infer_request *
make_request(sim_world *world, ledger_call *call, uint32_t route)
{
  char memory[512], model[3] = "r0";
  inf_buf text;
  inf_rng *rng = &world->rng;
  const swarm_route *about = &world->swarm.route[route];
  infer_request *request = NULL;
  uint32_t tokens = dice_between(rng, 1, world->swarm.prompt_tokens);
  uint32_t chars = tokens < sizeof filler ? tokens : sizeof filler - 1;
  uint32_t asked = 0;
  model[1] = (char)('0' + route);
  inf_buf_init(&text, sizeof memory);
  inf_buf_lend(&text, memory, sizeof memory);
  inf_buf_append(&text, "sim:", 4);
  inf_buf_append_uint(&text, call->number);
  inf_buf_append_char(&text, ':');
  inf_buf_append_uint(&text, tokens);
  call->labels = about->labels;
  if (world->swarm.kind == SWARM_LABELS) {
    if (dice_chance(rng, world->swarm.labelled))
      asked = 1u << dice_below(rng, fleet_label_count);
    if (dice_chance(rng, 200))
      asked |= 1u << dice_below(rng, fleet_label_count);
    call->labels |= asked;
    inf_buf_append_char(&text, ':');
    inf_buf_append_uint(&text, call->labels);
    inf_buf_append_char(&text, ':');
    inf_buf_append_uint(&text, world->generation);
  }
  inf_buf_append_char(&text, ';');
  inf_buf_append(&text, filler, chars);
  if (infer_request_new(&request, model) != INFER_OK)
    return NULL;
  call->deadline_ns = about->deadline_ns;
  int32_t status = infer_request_add_message(request, "user", text.ptr);
  if (status == INFER_OK && world->swarm.kind == SWARM_BUDGETS)
    status = infer_request_set_int(request, "max_tokens", swarm_max_tokens);
  if (dice_chance(rng, world->swarm.hurried)) {
    uint64_t ms = dice_log_between(rng, 1, 5000);
    call->deadline_ns = ms * INF_NS_PER_MS;
    infer_request_set_deadline_ms(request, (int64_t)ms);
  }
  if (dice_chance(rng, world->swarm.run_once)) {
    call->run_once = true;
    infer_request_set_run_once(request, 1);
  }
  if (world->swarm.kind == SWARM_ANYTHING &&
      dice_chance(rng, world->swarm.labelled)) {
    call->labels |= 1;
    asked = 1;
  }
  for (int bit = 0; status == INFER_OK && bit < fleet_label_count; bit++)
    if (asked >> bit & 1)
      status = infer_request_require_label(request, swarm_label(bit));
  if (status == INFER_OK)
    return request;
  infer_request_free(request);
  return NULL;
}

static void
note_accepted(sim_world *world, ledger_call *call, infer_call *handle)
{
  inf_rng *rng = &world->rng;
  if (call->queue == own) {
    world->waited[call->number % ledger_slots] = handle;
    inf_call_ref(handle);
  }
  call->allowance = inf_retry_allowance(handle->params, handle->target_count);
  ledger_begin(&world->books, call, world->clock.now_ns);
  if (!dice_chance(rng, world->swarm.cancelled)) {
    infer_call_free(handle);
    return;
  }
  held_call *hold = &world->holds[call->number % ledger_slots];
  if (hold->call) { /* still that of an earlier one */
    inf_timer_cancel(&world->cancels, &hold->timer);
    infer_call_free(hold->call);
  }
  hold->call = handle;
  hold->number = call->number;
  inf_timer_set(&world->cancels, &hold->timer,
                world->clock.now_ns +
                    dice_exponential(rng, world->swarm.cancel_ns));
}

static void
submit(sim_world *world)
{
  inf_rng *rng = &world->rng;
  ledger_call *call = ledger_place(&world->books);
  world->tries++;
  if (!call)
    return;
  uint32_t route = dice_below(rng, (uint32_t)world->swarm.routes);
  const swarm_route *about = &world->swarm.route[route];
  infer_call *handle = NULL;
  infer_request *request = make_request(world, call, route);
  if (!request)
    return;
  call->stream = !dice_chance(rng, world->swarm.whole);
  call->continues = about->continues;
  call->hedges = about->hedges;
  call->queue = dice_chance(rng, world->swarm.slow_readers) ? slow : fast;
  if (dice_chance(rng, world->swarm.waited_for)) {
    call->queue = own;
    call->stream = false;
  }
  call->attempt_max_ns = about->attempt_ns;
  call->deadline_ns += world->clock.now_ns;
  int32_t status =
      infer_submit(world->client, request,
                   call->stream ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE,
                   call->queue == own ? NULL : world->queues[call->queue],
                   call->number, &handle, NULL);
  infer_request_free(request);
  if (status == INFER_OK) {
    note_accepted(world, call, handle);
    return;
  }
  world->result->refused++;
  ledger_trace(&world->books, world->clock.now_ns, LEDGER_REFUSE, call->number,
               (uint64_t)(int64_t)status, 0);
}

static void
cancel_due(sim_world *world)
{
  inf_timer *timer = inf_timer_pop_due(&world->cancels, world->clock.now_ns);
  if (!timer)
    return;
  held_call *held = INF_CONTAINER_OF(timer, held_call, timer);
  ledger_call *call = &world->books.calls[held->number % ledger_slots];
  ledger_trace(&world->books, world->clock.now_ns, LEDGER_CANCEL, held->number,
               0, 0);
  if (call->number == held->number && call->ended_ns == 0) {
    call->cancelled = true;
    world->just_cancelled = held->number;
  }
  infer_call_cancel(held->call);
  infer_call_free(held->call);
  held->call = NULL;
}

/* ---- Readers ------------------------------------------------------------- */

static bool
read_some(sim_world *world, infer_queue *queue, size_t most)
{
  infer_event *events[batch];
  size_t count = inf_queue_take(queue, events, most, NULL);
  for (size_t i = 0; i < count; i++) {
    ledger_event(&world->books, events[i], world->clock.now_ns);
    infer_event_free(events[i]);
  }
  world->result->events += count;
  return count == most;
}

/* Who waited for a call that has ended gets its outcome. */
static void
take_outcomes(sim_world *world)
{
  while (world->ended_count > 0) {
    uint64_t number = world->ended[--world->ended_count];
    infer_call **call = &world->waited[number % ledger_slots];
    infer_response *response;
    infer_error *error;
    int32_t status = infer_call_wait(*call, 0, &response, &error);
    ledger_done(&world->books, number, status, response, error);
    infer_response_free(response);
    infer_error_free(error);
    infer_call_free(*call);
    *call = NULL;
  }
}

static void
read_due(sim_world *world)
{
  while (atomic_load(&world->queues[fast]->events) > 0)
    read_some(world, world->queues[fast], batch);
  if (world->clock.now_ns < world->next_read_ns)
    return;
  read_some(world, world->queues[slow], dice_between(&world->rng, 1, batch));
  world->next_read_ns = world->clock.now_ns + 1 +
                        dice_exponential(&world->rng, world->swarm.slow_ns);
}

/* ---- The course of events ------------------------------------------------ */

static bool
is_over(const sim_world *world)
{
  bool made = world->tries >= world->calls_max;
  return made && (world->swarm.end_ms == 0 || world->books.unread == 0);
}

static uint64_t
next_ns(const sim_world *world)
{
  uint64_t others_ns[] = {
      inf_timer_next_ns(&world->cancels),
      world->next_leave_ns,
      world->swarm.slow_readers > 0 ? world->next_read_ns : INF_NEVER,
      world->tries < world->calls_max ? world->next_call_ns : INF_NEVER,
  };
  uint64_t next_ns = world->next_reload_ns;
  for (size_t i = 0; i < sizeof others_ns / sizeof others_ns[0]; i++)
    if (others_ns[i] < next_ns)
      next_ns = others_ns[i];
  return next_ns;
}

static void
turn(sim_world *world, uint64_t until_ns)
{
  uint64_t now_ns = world->clock.now_ns;
  inf_client_drive(world->client, until_ns > now_ns ? until_ns - now_ns : 0);
  world->turns++;
  world->turns_at_once++;
  if (world->clock.now_ns > now_ns)
    world->turns_at_once = 0;
  if (world->turns_at_once > turns_at_once_max)
    ledger_violated(&world->books, "%d turns and no time passes",
                    turns_at_once_max);
}

/* What was asked to end before the turn has ended in it. */
static void
check_cancelled(sim_world *world)
{
  uint64_t number = world->just_cancelled;
  const ledger_call *call = &world->books.calls[number % ledger_slots];
  world->just_cancelled = 0;
  if (number > 0 && call->number == number && call->ended_ns == 0)
    ledger_violated(&world->books, "call %llu: its cancel was lost",
                    (unsigned long long)number);
}

static bool
all_is_read(const sim_world *world)
{
  return atomic_load(&world->queues[fast]->events) == 0 &&
         atomic_load(&world->queues[slow]->events) == 0;
}

/* Who had read everything before the turn holds nobody up after it. */
static void
check_resumed(sim_world *world, bool was_read)
{
  if (was_read && all_is_read(world) && world->client->engine.paused.count > 0)
    ledger_violated(&world->books, "%zu calls wait for readers who have read",
                    world->client->engine.paused.count);
}

static void
reload(sim_world *world)
{
  uint32_t next = world->generation;
  if (world->swarm.kind == SWARM_LABELS)
    next = dice_below(&world->rng, fleet_generations);
  if (infer_client_reload(world->client, world->configs[next], NULL) ==
      INFER_OK) {
    world->until_ns[world->generation] = world->clock.now_ns;
    world->generation = next;
  }
  world->result->reloads++;
  world->next_reload_ns = world->clock.now_ns + world->swarm.reload_ns;
}

/* Somebody wants connections ready for a route. */
static void
prewarm_due(sim_world *world)
{
  char name[3] = "r0";
  infer_warm_report *report = NULL;
  if (world->swarm.kind != SWARM_LABELS || !dice_chance(&world->rng, 2))
    return;
  name[1] =
      (char)('0' + dice_below(&world->rng, (uint32_t)world->swarm.routes));
  infer_client_prewarm(world->client, name, 0, &report, NULL);
  infer_warm_report_free(report);
}

/* The slow reader leaves, and another one comes. */
static void
leave_due(sim_world *world)
{
  infer_queue *queue;
  if (world->clock.now_ns < world->next_leave_ns ||
      infer_queue_new(&queue, world->client) != INFER_OK)
    return;
  infer_queue_free(world->queues[slow]);
  world->queues[slow] = queue;
  ledger_abandon(&world->books, slow);
  world->next_leave_ns = world->clock.now_ns + 1 +
                         dice_exponential(&world->rng, world->swarm.leave_ns);
}

/* ---- Budgets ------------------------------------------------------------- */

/* Never is more spent and reserved than a limit, but for what attempts cost
 * more than their longest answer. */
static void
check_account(void *context, const inf_budgets_view *view)
{
  sim_world *world = context;
  int64_t used = view->spent.nano_usd + view->reserved.nano_usd;
  if (used > view->limit.nano_usd + (int64_t)world->result->over_nano)
    ledger_violated(
        &world->books, "budget %s %s: %lld of %lld nano-dollars, %lld reserved",
        view->name, view->key, (long long)view->spent.nano_usd,
        (long long)view->limit.nano_usd, (long long)view->reserved.nano_usd);
}

static void
check_budgets(sim_world *world)
{
  if (world->swarm.kind == SWARM_BUDGETS)
    inf_budgets_each(world->client->runtime,
                     world->clock.clock.wall_ns(world->clock.clock.context),
                     check_account, world);
}

/* When all have ended but probes, these alone have reserved something; and what
 * the attempts cost was spent. */
static void
check_settled(void *context, const inf_budgets_view *view)
{
  sim_world *world = context;
  int64_t held = 0;
  const inf_list *probes = &world->client->engine.probes;
  if (strcmp(view->name, "all") != 0)
    return;
  for (const inf_list *node = probes->next; node != probes; node = node->next)
    held +=
        INF_CONTAINER_OF(node, inf_attempt, node)->budgets.reserved.nano_usd;
  if (view->reserved.nano_usd != held)
    ledger_violated(&world->books, "%lld nano-dollars are reserved, not %lld",
                    (long long)view->reserved.nano_usd, (long long)held);
  if (view->spent.nano_usd != world->spent_nano)
    ledger_violated(
        &world->books, "%lld nano-dollars are spent, attempts cost %lld",
        (long long)view->spent.nano_usd, (long long)world->spent_nano);
}

static void
check_all_settled(sim_world *world)
{
  if (world->swarm.kind == SWARM_BUDGETS)
    inf_budgets_each(world->client->runtime,
                     world->clock.clock.wall_ns(world->clock.clock.context),
                     check_settled, world);
}

/* ---- The application ----------------------------------------------------- */

/* The application is busy with other things. */
static void
stay_away(sim_world *world)
{
  if (dice_chance(&world->rng, world->swarm.absences))
    world->clock.now_ns +=
        dice_exponential(&world->rng, world->swarm.absent_ns);
}

static void
take_turns(sim_world *world)
{
  while (!is_over(world) && !world->books.violation[0]) {
    bool was_read = all_is_read(world);
    turn(world, next_ns(world));
    check_resumed(world, was_read);
    check_budgets(world);
    stay_away(world);
    check_cancelled(world);
    take_outcomes(world);
    read_due(world);
    leave_due(world);
    prewarm_due(world);
    cancel_due(world);
    if (world->clock.now_ns >= world->next_reload_ns)
      reload(world);
    if (world->clock.now_ns < world->next_call_ns ||
        world->tries >= world->calls_max)
      continue;
    uint32_t burst = dice_between(&world->rng, 1, world->swarm.burst);
    while (burst-- > 0 && world->books.live < world->swarm.in_flight_max)
      submit(world);
    world->next_call_ns = world->clock.now_ns +
                          dice_exponential(&world->rng, world->swarm.gap_ns);
  }
}

/* ---- Beginning and end --------------------------------------------------- */

static bool
make_configs(sim_world *world, swarm_kind kind, uint64_t seed,
             infer_error **error)
{
  uint32_t count = kind == SWARM_LABELS ? fleet_generations : 1;
  int32_t status = INFER_OK;
  for (uint32_t i = 0; status == INFER_OK && i < count; i++) {
    inf_buf text;
    inf_buf_init(&text, 1 << 20);
    swarm_draw(&world->swarm, kind, seed, i, &text);
    if (ledger_tracing())
      fprintf(stderr, "%s\n", inf_buf_cstr(&text));
    status =
        infer_config_from_json(&world->configs[i], text.ptr, text.len, error);
    if (status != INFER_OK)
      fprintf(stderr, "simulation: %s\n%s\n", infer_error_message(*error),
              inf_buf_cstr(&text));
    inf_buf_fini(&text);
  }
  return status == INFER_OK;
}

static bool
make_client(sim_world *world, swarm_kind kind, uint64_t seed)
{
  infer_error *error = NULL;
  int32_t status = INFER_E_CONFIG;
  bool made = make_configs(world, kind, seed, &error);
  world->fleet.client = &world->client;
  world->fleet.count = world->swarm.providers;
  for (size_t i = 0; i < world->fleet.count; i++)
    world->fleet.providers[i].params = world->swarm.fleet[i];
  fleet_init(&world->fleet, &world->books, &world->clock, seed);
  const inf_client_parts parts = {new_transport, world, &world->clock.clock,
                                  seed};
  if (kind == SWARM_LABELS)
    world->fleet.may_warm = may_warm;
  world->fleet.context = world;
  if (made) {
    infer_config_set_telemetry(world->configs[0], on_attempt, on_call, world);
    status =
        inf_client_new_with(&world->client, world->configs[0], &parts, &error);
  }
  for (int i = 0; i < queues && status == INFER_OK; i++)
    status = infer_queue_new(&world->queues[i], world->client);
  if (made && status != INFER_OK)
    fprintf(stderr, "simulation: %s\n", infer_error_message(error));
  infer_error_free(error);
  return status == INFER_OK;
}

/* Probes live on until the client is freed. */
static uint32_t
held_by_probes(const struct infer_client *client, const inf_meter *meter)
{
  uint32_t count = 0;
  const inf_list *probes = &client->engine.probes;
  for (const inf_list *node = probes->next; node != probes; node = node->next) {
    const inf_meter_pass *pass =
        &INF_CONTAINER_OF(node, inf_attempt, node)->pass;
    count += pass->meter == meter && pass->reservation.open;
  }
  return count;
}

/* With the last call the last reservation goes. */
static void
check_limits(sim_world *world)
{
  const struct infer_client *client = world->client;
  for (size_t i = 0; i < INF_RUNTIME_BUCKETS; i++)
    for (const inf_meter *meter = client->runtime->meters[i]; meter;
         meter = meter->next)
      if (meter->limiter &&
          meter->limiter->open > held_by_probes(client, meter))
        ledger_violated(&world->books, "%u reservations of %s are left",
                        (unsigned)meter->limiter->open, meter->provider);
  if (client->engine.waiting.line.count > 0)
    ledger_violated(&world->books, "the line is not empty");
}

/* So does the last attempt that a breaker waits for. */
static void
check_breakers(sim_world *world)
{
  const struct infer_client *client = world->client;
  size_t probes = 0;
  for (const inf_list *node = client->engine.probes.next;
       node != &client->engine.probes; node = node->next)
    probes++;
  for (size_t i = 0; i < INF_RUNTIME_BUCKETS; i++)
    for (const inf_target_state *state = client->runtime->targets[i]; state;
         state = state->next)
      if (state->breaker.young > probes)
        ledger_violated(&world->books, "%u attempts at %s are left",
                        (unsigned)state->breaker.young, state->name);
}

/* Hedges have cost no more than their share, but for single losers that were
 * dearer than was thought. */
static void
check_hedges(void *context, const inf_hedge_totals *totals)
{
  enum { dearest_tokens = 25000, weight = 4 };
  sim_world *world = context;
  double each = world->swarm.priced ? swarm_dearest_price : weight;
  double dearest = dearest_tokens * each;
  double share = (double)totals->share_ppm / 1e6;
  if ((double)totals->losers_cost >
      share * (double)totals->calls_cost + dearest)
    ledger_violated(&world->books, "hedges of %s cost %lld of %lld",
                    totals->route, (long long)totals->losers_cost,
                    (long long)totals->calls_cost);
  world->result->hedges += totals->sent;
  world->result->rescues += totals->rescues;
}

/* Closes the client, with calls in flight or without, and reads the rest. */
static void
end(sim_world *world)
{
  world->books.closing = true;
  infer_client_close(world->client, 0);
  take_outcomes(world);
  for (int i = 0; i < queues; i++) {
    while (read_some(world, world->queues[i], batch))
      ;
    infer_queue_free(world->queues[i]);
  }
  if (!world->books.violation[0])
    check_limits(world);
  if (!world->books.violation[0])
    check_breakers(world);
  inf_hedgers_each(world->client->runtime, check_hedges, world);
  check_all_settled(world);
  if (!world->books.violation[0] && world->books.unread > 0)
    ledger_violated(&world->books, "%llu calls never ended",
                    (unsigned long long)world->books.unread);
  for (size_t i = 0; i < ledger_slots; i++)
    infer_call_free(world->holds[i].call);
}

static void
fill_result(sim_world *world)
{
  world_result *result = world->result;
  result->calls = world->books.begun;
  result->attempts = world->books.sends;
  result->sent = world->books.sent;
  result->bytes = world->books.bytes;
  result->turns = world->turns;
  result->labelled = world->fleet.labelled_calls;
  result->labelled_requests = world->fleet.labelled_requests;
  result->labelled_probes = world->fleet.labelled_probes;
  result->warm_ups = world->fleet.warm_ups;
  result->virtual_ns = world->clock.now_ns - start_ns;
  result->hash = world->books.hash;
  snprintf(result->violation, sizeof result->violation, "%s",
           world->books.violation);
}

static void
check_nothing_left(sim_world *world, size_t blocks, size_t bytes)
{
  if (world->fleet.open > 0)
    ledger_violated(&world->books, "%llu exchanges are left",
                    (unsigned long long)world->fleet.open);
  if (counted_blocks() != blocks || counted_bytes() != bytes)
    ledger_violated(&world->books, "%zu bytes in %zu blocks are left",
                    counted_bytes() - bytes, counted_blocks() - blocks);
}

bool
world_run(uint64_t seed, swarm_kind kind, uint64_t calls, world_result *result)
{
  static sim_world world; /* large, and one at a time */
  size_t blocks = counted_blocks(), bytes = counted_bytes();
  memset(&world, 0, sizeof world);
  memset(result, 0, sizeof *result);
  world.result = result;
  world.calls_max = calls;
  inf_virtual_clock_init(&world.clock, start_ns, wall_start_ns);
  inf_rng_seed(&world.rng, seed * 2 + 1);
  ledger_init(&world.books);
  bool made = make_client(&world, kind, seed);
  if (made) {
    world.next_call_ns = world.next_read_ns = start_ns;
    world.next_reload_ns =
        world.swarm.reload_ns > 0 ? world.swarm.reload_ns : INF_NEVER;
    world.next_leave_ns = world.swarm.leave_ns > 0 ? start_ns : INF_NEVER;
    world.books.priced = world.swarm.priced;
    world.books.memory_fails = world.swarm.memory_fails_one_in > 0;
    world.books.may_be_late = world.swarm.absences > 0;
    world.books.may_waste =
        world.books.memory_fails || world.swarm.small_answers;
    counted_fail(world.swarm.memory_fails_one_in, seed);
    take_turns(&world);
    end(&world);
    counted_fail(0, 0);
    infer_client_free(world.client);
  }
  for (size_t i = 0; i < fleet_generations; i++)
    infer_config_free(world.configs[i]);
  fleet_fini(&world.fleet);
  if (made)
    check_nothing_left(&world, blocks, bytes);
  fill_result(&world);
  return made;
}
