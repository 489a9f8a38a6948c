/* SPDX-License-Identifier: MIT */
/* What is charged: one request, and all of them. */

#include "sim_log.h"

#include "wire/json_write.h"

/* tokens * nano-dollars per million, summed before the one rounding. */
void
inf_sim_charge_price(inf_sim_charge *charge, const inf_sim_script *script,
                     inf_sv model)
{
  const inf_sim_price *price = inf_sim_script_price(script, model);
  if (!price || !charge->charged) {
    return;
  }
  uint64_t fresh = charge->prompt_tokens - charge->cached_tokens;
  __extension__ typedef unsigned __int128 wide;
  wide sum = (wide)fresh * price->input +
             (wide)charge->cached_tokens * price->cached +
             (wide)(charge->completion_tokens - charge->reasoning_tokens) *
                 price->output +
             (wide)charge->reasoning_tokens * price->reasoning;
  charge->nano_usd = (uint64_t)((sum + 500000) / 1000000);
}

static void
put_tokens(const inf_sim_charge *charge, inf_buf *out)
{
  inf_json_member_int(out, INF_SV("prompt_tokens"),
                      (int64_t)charge->prompt_tokens);
  inf_json_member_int(out, INF_SV("cached_tokens"),
                      (int64_t)charge->cached_tokens);
  inf_json_member_int(out, INF_SV("completion_tokens"),
                      (int64_t)charge->completion_tokens);
  inf_json_member_int(out, INF_SV("reasoning_tokens"),
                      (int64_t)charge->reasoning_tokens);
  inf_json_member_int(out, INF_SV("cost_nano_usd"), (int64_t)charge->nano_usd);
}

static void
put_charge(const inf_sim_entry *entry, inf_buf *out)
{
  const inf_sim_charge *charge = &entry->charge;
  char id[INF_SIM_REQUEST_ID_MAX];
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("seq"), (int64_t)entry->number);
  inf_json_member_string(out, INF_SV("request_id"),
                         inf_sim_request_id(entry->number, id));
  inf_json_member_string(out, INF_SV("model"), inf_sv_from(entry->model));
  inf_sim_log_put_key(out, &entry->headers);
  inf_json_member_bool(out, INF_SV("charged"), charge->charged);
  inf_json_member_bool(out, INF_SV("usage_sent"), charge->usage_sent);
  put_tokens(charge, out);
  inf_json_member_string(out, INF_SV("end"),
                         inf_sv_from(inf_sim_end_name(entry->end)));
  inf_json_close(out, '}');
}

static bool
is_billed(const inf_sim_entry *entry)
{
  return entry->finished && entry->chat && entry->charge.charged;
}

static bool
is_same_account(const inf_sim_entry *a, const inf_sim_entry *b)
{
  return strcmp(a->model, b->model) == 0 &&
         inf_sv_eq(inf_sim_key_of(&a->headers), inf_sim_key_of(&b->headers));
}

/* Does an earlier one open this one's account? */
static bool
has_account(const inf_sim_log *log, const inf_sim_entry *wanted)
{
  for (const inf_list *node = log->entries.next; node != &wanted->node;
       node = node->next) {
    const inf_sim_entry *entry = INF_CONTAINER_OF(node, inf_sim_entry, node);
    if (is_billed(entry) && is_same_account(entry, wanted)) {
      return true;
    }
  }
  return false;
}

static void
put_account(const inf_sim_entry *first, const inf_list *end, inf_buf *out)
{
  inf_sim_charge sum = {0};
  int64_t requests = 0;
  for (const inf_list *node = &first->node; node != end; node = node->next) {
    const inf_sim_entry *entry = INF_CONTAINER_OF(node, inf_sim_entry, node);
    if (!is_billed(entry) || !is_same_account(entry, first)) {
      continue;
    }
    requests++;
    sum.prompt_tokens += entry->charge.prompt_tokens;
    sum.cached_tokens += entry->charge.cached_tokens;
    sum.completion_tokens += entry->charge.completion_tokens;
    sum.reasoning_tokens += entry->charge.reasoning_tokens;
    sum.nano_usd += entry->charge.nano_usd;
  }
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("model"), inf_sv_from(first->model));
  inf_sim_log_put_key(out, &first->headers);
  inf_json_member_int(out, INF_SV("requests"), requests);
  put_tokens(&sum, out);
  inf_json_close(out, '}');
}

/* For each model and key. There are few of them. */
static void
put_accounts(const inf_sim_log *log, inf_buf *out)
{
  inf_json_key(out, INF_SV("accounts"));
  inf_json_open(out, '[');
  for (const inf_list *node = log->entries.next; node != &log->entries;
       node = node->next) {
    const inf_sim_entry *entry = INF_CONTAINER_OF(node, inf_sim_entry, node);
    if (is_billed(entry) && !has_account(log, entry)) {
      put_account(entry, &log->entries, out);
    }
  }
  inf_json_close(out, ']');
}

void
inf_sim_log_put_invoice(const inf_sim_log *log, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("requests"));
  inf_json_open(out, '[');
  for (const inf_list *node = log->entries.next; node != &log->entries;
       node = node->next) {
    const inf_sim_entry *entry = INF_CONTAINER_OF(node, inf_sim_entry, node);
    if (entry->finished && entry->chat) {
      put_charge(entry, out);
    }
  }
  inf_json_close(out, ']');
  put_accounts(log, out);
  inf_json_key(out, INF_SV("total"));
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("requests"), (int64_t)log->charged_requests);
  inf_json_member_int(out, INF_SV("prompt_tokens"),
                      (int64_t)log->prompt_tokens);
  inf_json_member_int(out, INF_SV("cached_tokens"),
                      (int64_t)log->cached_tokens);
  inf_json_member_int(out, INF_SV("completion_tokens"),
                      (int64_t)log->completion_tokens);
  inf_json_member_int(out, INF_SV("reasoning_tokens"),
                      (int64_t)log->reasoning_tokens);
  inf_json_member_int(out, INF_SV("cost_nano_usd"), (int64_t)log->nano_usd);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
  inf_sim_must(out);
}
