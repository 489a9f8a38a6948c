/* SPDX-License-Identifier: MIT */
/* The waiting line. Notes on the implementation:
 *
 * Counters are in 1/1024 virtual tokens, and what the division by the weight
 * leaves over is kept, so no rounding ever adds up. At a million tokens a
 * second they last for 500 years; at the end they stay there.
 *
 * The calls of a tenant stand in a sorted list. Calls of one kind mostly come
 * with growing deadlines, so the place is found from the end in one step; the
 * worst case are as many steps as calls may wait.
 *
 * Turn. A call's turn comes when the tenant's counter, plus the cost of its
 * calls before, is the least: so the place of a newcomer in the whole line is
 * known without playing it through. */
#include "policy/line.h"

#include "base/clock.h"
#include "base/mem.h"
#include "infer/infer.h"

#include <string.h>

struct inf_line_tenant {
  inf_heap_node order; /* in waiting or in idle; the key is the counter */
  inf_heap_node turn;  /* in a walk */
  inf_list busy;
  inf_list calls;
  size_t count;
  uint64_t id;
  uint32_t weight;
  uint64_t rest;         /* of the last division, below the weight */
  inf_line_tenant *next; /* in its bucket */
};

static const uint64_t counter_scale = 1024;
static const uint64_t output_weight = 2;

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 swide;

static uint64_t
narrow(wide value)
{
  return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

uint64_t
inf_line_cost(uint64_t input_tokens, uint64_t output_tokens, uint64_t request)
{
  wide cost = (wide)input_tokens + (wide)output_tokens * output_weight;
  cost += request;
  if (cost > INF_LINE_COST_MAX)
    return INF_LINE_COST_MAX;
  return cost == 0 ? 1 : (uint64_t)cost;
}

/* ---- Tenants ------------------------------------------------------------ */

static inf_line_tenant *
tenant_of_order(inf_heap_node *node)
{
  return node ? INF_CONTAINER_OF(node, inf_line_tenant, order) : NULL;
}

static inf_line_tenant *
tenant_of_turn(inf_heap_node *node)
{
  return node ? INF_CONTAINER_OF(node, inf_line_tenant, turn) : NULL;
}

static inf_line_entry *
entry_of(inf_list *node)
{
  return INF_CONTAINER_OF(node, inf_line_entry, node);
}

static size_t
bucket_of(uint64_t id)
{
  return (size_t)((id * 0x9e3779b97f4a7c15u) >> 56); /* Fibonacci hashing */
}

static inf_line_tenant *
find(const inf_line *line, uint64_t id)
{
  inf_line_tenant *at = line->tenants[bucket_of(id)];
  while (at && at->id != id)
    at = at->next;
  return at;
}

static uint32_t
clamp_weight(uint32_t weight)
{
  if (weight == 0)
    return 1;
  return weight > INF_LINE_WEIGHT_MAX ? INF_LINE_WEIGHT_MAX : weight;
}

static void
set_weight(inf_line_tenant *tenant, uint32_t weight)
{
  if (tenant->weight == clamp_weight(weight))
    return;
  tenant->weight = clamp_weight(weight);
  tenant->rest = 0;
}

/* To what a tenant that begins to wait is lifted. */
static uint64_t
least_counter(const inf_line *line)
{
  const inf_heap_node *least = inf_heap_min(&line->waiting);
  return least ? least->key : line->left_counter;
}

/* A new one stands in no heap yet. NULL: memory is short. */
static inf_line_tenant *
find_or_add(inf_line *line, uint64_t id, uint32_t weight)
{
  inf_line_tenant *tenant = find(line, id);
  if (!tenant) {
    tenant = inf_calloc(1, sizeof *tenant);
    if (!tenant)
      return NULL;
    inf_list_init(&tenant->calls);
    inf_list_init(&tenant->busy);
    tenant->id = id;
    tenant->order.key = least_counter(line);
    tenant->next = line->tenants[bucket_of(id)];
    line->tenants[bucket_of(id)] = tenant;
  }
  set_weight(tenant, weight);
  return tenant;
}

static void
forget(inf_line *line, inf_line_tenant *tenant)
{
  inf_line_tenant **at = &line->tenants[bucket_of(tenant->id)];
  while (*at != tenant)
    at = &(*at)->next;
  *at = tenant->next;
  inf_heap_remove(&line->idle, &tenant->order);
  line->idle_count--;
  inf_free(tenant);
}

/* Forgets those who lose nothing by it, and the least debtors beyond the
 * number that is remembered. */
static void
forget_idle(inf_line *line)
{
  for (;;) {
    inf_line_tenant *tenant = tenant_of_order(inf_heap_min(&line->idle));
    if (!tenant || (tenant->order.key > least_counter(line) &&
                    line->idle_count <= INF_LINE_IDLE_MAX))
      return;
    forget(line, tenant);
  }
}

static void
begin_to_wait(inf_line *line, inf_line_tenant *tenant)
{
  uint64_t counter = tenant->order.key;
  if (counter < least_counter(line))
    counter = least_counter(line);
  if (tenant->order.queued) {
    inf_heap_remove(&line->idle, &tenant->order);
    line->idle_count--;
  }
  inf_heap_set(&line->waiting, &tenant->order, counter);
  inf_list_push_back(&line->busy, &tenant->busy);
}

static void
end_to_wait(inf_line *line, inf_line_tenant *tenant)
{
  uint64_t counter = tenant->order.key;
  inf_heap_remove(&line->waiting, &tenant->order);
  inf_list_remove(&tenant->busy);
  if (!inf_heap_min(&line->waiting))
    line->left_counter = counter;
  inf_heap_set(&line->idle, &tenant->order, counter);
  line->idle_count++;
}

/* The tenant's counter after so many more virtual tokens. rest is what is
 * left over. */
static uint64_t
counter_after(const inf_line_tenant *tenant, swide tokens, uint64_t *rest)
{
  swide parts = tokens * (swide)counter_scale + (swide)tenant->rest;
  swide steps = parts / (swide)tenant->weight;
  if (steps * (swide)tenant->weight > parts) /* division rounds towards 0 */
    steps--;
  *rest = (uint64_t)(parts - steps * (swide)tenant->weight);
  swide counter = (swide)tenant->order.key + steps;
  if (counter < 0)
    return 0;
  return narrow((wide)counter);
}

static void
charge(inf_line *line, inf_line_tenant *tenant, int64_t tokens)
{
  uint64_t counter = counter_after(tenant, tokens, &tenant->rest);
  bool waits = tenant->count > 0;
  inf_heap_set(waits ? &line->waiting : &line->idle, &tenant->order, counter);
}

/* ---- Coming and going --------------------------------------------------- */

void
inf_line_init(inf_line *line, size_t count_max)
{
  memset(line, 0, sizeof *line);
  inf_list_init(&line->busy);
  line->count_max = count_max > 0 ? count_max : INF_LINE_CALLS_MAX;
}

void
inf_line_fini(inf_line *line)
{
  for (size_t i = 0; i < sizeof line->tenants / sizeof *line->tenants; i++) {
    inf_line_tenant *tenant = line->tenants[i];
    while (tenant) {
      inf_line_tenant *next = tenant->next;
      for (inf_list *node; (node = inf_list_pop_front(&tenant->calls));)
        entry_of(node)->tenant = NULL;
      inf_free(tenant);
      tenant = next;
    }
  }
  inf_line_init(line, line->count_max);
}

static uint64_t
due_ns(uint64_t deadline_ns, uint64_t now_ns)
{
  uint64_t patience_ns = inf_time_add(now_ns, INF_LINE_PATIENCE_NS);
  return deadline_ns < patience_ns ? deadline_ns : patience_ns;
}

static void
insert(inf_line *line, inf_line_tenant *tenant, inf_line_entry *entry)
{
  inf_list *after = tenant->calls.prev;
  while (after != &tenant->calls && entry_of(after)->due_ns > entry->due_ns)
    after = after->prev;
  inf_list_push_front(after, &entry->node);
  entry->tenant = tenant;
  line->count++;
  if (tenant->count++ == 0)
    begin_to_wait(line, tenant);
}

static void
detach(inf_line *line, inf_line_entry *entry)
{
  inf_line_tenant *tenant = entry->tenant;
  inf_list_remove(&entry->node);
  entry->tenant = NULL;
  line->count--;
  if (--tenant->count == 0)
    end_to_wait(line, tenant);
}

/* The tenant with the most places for its weight. */
static inf_line_tenant *
largest(const inf_line *line)
{
  inf_line_tenant *most = NULL;
  for (inf_list *at = line->busy.next; at != &line->busy; at = at->next) {
    inf_line_tenant *tenant = INF_CONTAINER_OF(at, inf_line_tenant, busy);
    if (!most || tenant->count * most->weight > most->count * tenant->weight)
      most = tenant;
  }
  return most;
}

/* Who has to give up a place for one more of this tenant; NULL: nobody. */
static inf_line_tenant *
victim(const inf_line *line, uint64_t id, uint32_t weight)
{
  const inf_line_tenant *tenant = find(line, id);
  size_t places = (tenant ? tenant->count : 0) + 1;
  inf_line_tenant *most = largest(line);
  if (!most || most == tenant)
    return NULL;
  return (most->count - 1) * clamp_weight(weight) >= places * most->weight
             ? most
             : NULL;
}

int32_t
inf_line_push(inf_line *line, inf_line_entry *entry, uint64_t id,
              uint32_t weight, uint64_t now_ns, inf_line_entry **evicted)
{
  inf_line_tenant *most = NULL;
  *evicted = NULL;
  if (line->count >= line->count_max) {
    most = victim(line, id, weight);
    if (!most)
      return INFER_E_LIMIT;
  }
  inf_line_tenant *tenant = find_or_add(line, id, weight);
  if (!tenant)
    return INFER_E_NO_MEMORY;
  entry->due_ns = due_ns(entry->deadline_ns, now_ns);
  entry->cost = inf_line_cost(entry->cost, 0, 0);
  insert(line, tenant, entry);
  if (most) {
    *evicted = entry_of(most->calls.prev);
    inf_line_remove(line, *evicted);
  }
  return INFER_OK;
}

void
inf_line_remove(inf_line *line, inf_line_entry *entry)
{
  if (!entry->tenant)
    return;
  detach(line, entry);
  forget_idle(line);
}

void
inf_line_take(inf_line *line, inf_line_entry *entry)
{
  charge(line, entry->tenant, (int64_t)entry->cost);
  detach(line, entry);
  forget_idle(line);
}

void
inf_line_serve(inf_line *line, uint64_t id, uint32_t weight, uint64_t cost)
{
  inf_line_tenant *tenant = find_or_add(line, id, weight);
  if (!tenant)
    return; /* a favour, rather than a failure of the call */
  if (tenant->count++ == 0)
    begin_to_wait(line, tenant);
  charge(line, tenant, (int64_t)inf_line_cost(cost, 0, 0));
  if (--tenant->count == 0)
    end_to_wait(line, tenant);
  forget_idle(line);
}

void
inf_line_charge(inf_line *line, uint64_t id, uint32_t weight, int64_t delta)
{
  const int64_t most = (int64_t)INF_LINE_COST_MAX;
  if (delta > most || delta < -most)
    delta = delta > 0 ? most : -most;
  inf_line_tenant *tenant = find(line, id);
  if (!tenant) {
    /* It was forgotten, or never seen: it would be lifted at its return
     * anyway, so only what it had above that has to be remembered. */
    tenant = delta > 0 ? find_or_add(line, id, weight) : NULL;
    if (!tenant)
      return;
    inf_heap_set(&line->idle, &tenant->order, tenant->order.key);
    line->idle_count++;
  }
  charge(line, tenant, delta);
  forget_idle(line);
}

/* ---- Who is next -------------------------------------------------------- */

static inf_line_entry *
first_call(const inf_line_tenant *tenant)
{
  return entry_of(tenant->calls.next);
}

static void
begin_walk(inf_line *line, inf_line_walk *walk)
{
  walk->begun = true;
  walk->heap = (inf_heap){0};
  /* That of the head first: it stays the least among equals. */
  inf_line_tenant *head = walk->at->tenant;
  inf_heap_node_init(&head->turn);
  inf_heap_set(&walk->heap, &head->turn, head->order.key);
  for (inf_list *at = line->busy.next; at != &line->busy; at = at->next) {
    inf_line_tenant *tenant = INF_CONTAINER_OF(at, inf_line_tenant, busy);
    if (tenant == head)
      continue;
    inf_heap_node_init(&tenant->turn);
    inf_heap_set(&walk->heap, &tenant->turn, tenant->order.key);
  }
}

/* One call on: the next of the same tenant, or the first of the next one. A
 * call that is passed over costs its tenant nothing, so it keeps its turn. */
static void
step(inf_line *line, inf_line_walk *walk)
{
  if (!walk->begun)
    begin_walk(line, walk);
  inf_line_tenant *tenant = walk->at->tenant;
  inf_list *next = walk->at->node.next;
  if (next != &tenant->calls) {
    walk->at = entry_of(next);
    return;
  }
  inf_heap_remove(&walk->heap, &tenant->turn);
  tenant = tenant_of_turn(inf_heap_min(&walk->heap));
  walk->at = tenant ? first_call(tenant) : NULL;
}

/* From the call that the walk is at, this included, to one that may run at an
 * open place. */
static inf_line_entry *
find_open(inf_line *line, inf_line_walk *walk)
{
  if (walk->open == 0)
    walk->at = NULL;
  while (walk->at && !(walk->at->where & walk->open))
    step(line, walk);
  return walk->at;
}

inf_line_entry *
inf_line_first(inf_line *line, inf_line_walk *walk, uint64_t open)
{
  inf_line_tenant *tenant = tenant_of_order(inf_heap_min(&line->waiting));
  *walk = (inf_line_walk){.open = open};
  walk->at = tenant ? first_call(tenant) : NULL;
  return find_open(line, walk);
}

inf_line_entry *
inf_line_pass(inf_line *line, inf_line_walk *walk, uint64_t reserve)
{
  uint64_t places = walk->at->where & walk->open;
  /* Without a reservation it might starve, so it gets at least one. */
  walk->open &= ~((reserve & places) != 0 ? reserve & places : places);
  if (walk->open == 0) {
    walk->at = NULL;
    return NULL;
  }
  step(line, walk);
  return find_open(line, walk);
}

/* ---- When would it start ------------------------------------------------ */

static uint64_t
add(uint64_t a, uint64_t b)
{
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void
add_ahead(inf_line_ahead *ahead, const inf_line_entry *entry)
{
  ahead->calls++;
  ahead->input_tokens = add(ahead->input_tokens, entry->input_tokens);
  ahead->output_tokens = add(ahead->output_tokens, entry->output_tokens);
}

static bool
competes(const inf_line_entry *other, const inf_line_entry *entry)
{
  return (other->where & ~entry->where) == 0;
}

/* The tenant's own calls that come first. Returns their cost. */
static uint64_t
look_at_own(const inf_line_tenant *tenant, const inf_line_entry *entry,
            uint64_t due, inf_line_ahead *ahead)
{
  uint64_t cost = 0;
  for (inf_list *at = tenant->calls.next; at != &tenant->calls; at = at->next) {
    const inf_line_entry *other = entry_of(at);
    if (other->due_ns > due)
      break;
    if (!competes(other, entry))
      continue;
    cost += other->cost;
    add_ahead(ahead, other);
  }
  return cost;
}

/* Those of another tenant that have their turn before the counter `turn`: the
 * k-th has it when the counter and the cost of the k - 1 before it are the
 * least. */
static void
look_at_other(const inf_line_tenant *tenant, const inf_line_entry *entry,
              uint64_t turn, inf_line_ahead *ahead)
{
  if (tenant->order.key >= turn)
    return;
  /* counter + (before * scale + rest) / weight < turn */
  wide last = (wide)(turn - tenant->order.key) * tenant->weight;
  wide before = tenant->rest;
  for (inf_list *at = tenant->calls.next; at != &tenant->calls; at = at->next) {
    const inf_line_entry *other = entry_of(at);
    if (before >= last)
      return;
    before += (wide)other->cost * counter_scale;
    if (competes(other, entry))
      add_ahead(ahead, other);
  }
}

inf_line_ahead
inf_line_look(const inf_line *line, const inf_line_entry *entry, uint64_t id,
              uint32_t weight, uint64_t now_ns)
{
  inf_line_ahead ahead = {0};
  const inf_line_tenant *known = find(line, id);
  /* As it would stand after the push. */
  inf_line_tenant own = {.order.key = least_counter(line)};
  own.weight = clamp_weight(weight);
  if (known && known->order.key > own.order.key)
    own.order.key = known->order.key;
  if (known && known->count > 0)
    own.order.key = known->order.key;
  uint64_t cost = 0, rest;
  if (known)
    cost =
        look_at_own(known, entry, due_ns(entry->deadline_ns, now_ns), &ahead);
  uint64_t turn = counter_after(&own, (swide)cost, &rest);
  /* Who begins to wait stands behind those whose turn is equal. */
  if (!known || known->count == 0)
    turn = add(turn, 1);
  /* A list is closed in itself. */
  /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
  for (inf_list *at = line->busy.next; at != &line->busy; at = at->next) {
    const inf_line_tenant *other = INF_CONTAINER_OF(at, inf_line_tenant, busy);
    if (other != known)
      look_at_other(other, entry, turn, &ahead);
  }
  return ahead;
}

/* start + units * period / units of the limit, rounded up. */
static uint64_t
limit_start_ns(const inf_line_limit *limit, wide units)
{
  if (limit->units == 0)
    return 0;
  if (units > UINT64_MAX)
    return INF_NEVER;
  wide ns = (units * limit->period_ns + limit->units - 1) / limit->units;
  if (ns > INT64_MAX)
    return INF_NEVER;
  swide at_ns = (swide)limit->start_ns + (swide)ns;
  return at_ns < 0 ? 0 : narrow((wide)at_ns);
}

uint64_t
inf_line_start_ns(const inf_line_ahead *ahead, const inf_line_entry *entry,
                  const inf_line_pace *pace, uint64_t now_ns)
{
  wide input = (wide)ahead->input_tokens + entry->input_tokens;
  wide output = (wide)ahead->output_tokens + entry->output_tokens;
  const uint64_t starts_ns[] = {
      limit_start_ns(&pace->requests, (wide)ahead->calls + 1),
      limit_start_ns(&pace->tokens, input + output),
      limit_start_ns(&pace->input_tokens, input),
      limit_start_ns(&pace->output_tokens, output),
  };
  uint64_t at_ns = now_ns;
  for (size_t i = 0; i < sizeof starts_ns / sizeof *starts_ns; i++)
    if (starts_ns[i] > at_ns)
      at_ns = starts_ns[i];
  return at_ns;
}

/* ---- For the trail and the tests ---------------------------------------- */

uint64_t
inf_line_counter(const inf_line *line, uint64_t id)
{
  const inf_line_tenant *tenant = find(line, id);
  return tenant ? tenant->order.key : 0;
}

size_t
inf_line_tenants(const inf_line *line)
{
  size_t count = 0;
  for (size_t i = 0; i < sizeof line->tenants / sizeof *line->tenants; i++)
    for (inf_line_tenant *at = line->tenants[i]; at; at = at->next)
      count++;
  return count;
}
