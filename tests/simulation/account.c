/* SPDX-License-Identifier: MIT */
#include "account.h"

#include <stdlib.h>

void
account_free(sim_account *account)
{
  free(account->entries);
  *account = (sim_account){0};
}

static bool
counts(const account_entry *entry)
{
  return !entry->over || (entry->arrived && !entry->refused);
}

/* The excess at at_ns of what was excess at from_ns. */
static inf_i128
drained(inf_i128 excess, const account_limits *limits, uint64_t from_ns,
        uint64_t at_ns)
{
  excess -= (inf_i128)limits->requests * (at_ns - from_ns);
  return excess > 0 ? excess : 0;
}

static void
take(const account_limits *limits, const account_entry *entry, inf_i128 *excess,
     uint64_t *at_ns)
{
  *excess = drained(*excess, limits, *at_ns, entry->at_ns);
  *at_ns = entry->at_ns;
  if (counts(entry))
    *excess += limits->period_ns;
}

/* What came before the first that is under way stands. */
static void
sum_up(sim_account *account, const account_limits *limits)
{
  while (account->first < account->count &&
         account->entries[account->first].over)
    take(limits, &account->entries[account->first++], &account->excess,
         &account->excess_ns);
  if (account->first < account->count)
    return;
  account->first = account->count = 0;
}

static inf_i128
excess_at(const sim_account *account, const account_limits *limits,
          uint64_t now_ns)
{
  inf_i128 excess = account->excess;
  uint64_t at_ns = account->excess_ns;
  for (size_t i = account->first; i < account->count; i++)
    take(limits, &account->entries[i], &excess, &at_ns);
  return drained(excess, limits, at_ns, now_ns);
}

static void
add(sim_account *account, uint64_t mark, uint64_t now_ns)
{
  if (account->count == account->capacity) {
    account->capacity = account->capacity > 0 ? 2 * account->capacity : 64;
    account->entries =
        realloc(account->entries, account->capacity * sizeof *account->entries);
    if (!account->entries)
      abort();
  }
  account->entries[account->count++] =
      (account_entry){.at_ns = now_ns, .mark = mark};
  account->open++;
}

const char *
account_send(sim_account *account, const account_limits *limits, uint64_t mark,
             uint32_t whole, uint64_t now_ns)
{
  sum_up(account, limits);
  inf_i128 burst = (inf_i128)limits->requests * limits->period_ns;
  bool too_many =
      limits->requests > 0 &&
      excess_at(account, limits, now_ns) + limits->period_ns > burst;
  add(account, mark, now_ns);
  if (too_many)
    return "more requests than its limit";
  if (limits->concurrency > 0 && account->open > limits->concurrency + whole)
    return "more requests at a time than its limit";
  return NULL;
}

/* The latest of that mark that is under way. */
static account_entry *
find(sim_account *account, uint64_t mark)
{
  for (size_t i = account->count; i > account->first; i--)
    if (account->entries[i - 1].mark == mark && !account->entries[i - 1].over)
      return &account->entries[i - 1];
  return NULL;
}

void
account_arrive(sim_account *account, uint64_t mark, bool refused)
{
  account_entry *entry = find(account, mark);
  if (entry) {
    entry->arrived = true;
    entry->refused = refused;
  }
}

bool
account_over(sim_account *account, uint64_t mark)
{
  account_entry *entry = find(account, mark);
  if (!entry)
    return false;
  entry->over = true;
  account->open--;
  return true;
}
