/* SPDX-License-Identifier: MIT */
/* Providers of which nothing is drawn, as a script for `infer sim` may have
 * them. */
#include "fleet.h"

static const char limited_body[] =
    "{\"error\":{\"message\":\"Rate limit reached\",\"type\":\"requests\","
    "\"param\":null,\"code\":\"rate_limit_exceeded\"}}";
static const char busy_body[] =
    "{\"error\":{\"message\":\"The engine is currently overloaded\",\"type\":"
    "\"server_error\",\"param\":null,\"code\":null}}";

fleet_regime
fleet_exact_regime(fleet_provider *provider, uint64_t now_ns)
{
  const fleet_params *params = &provider->params;
  bool troubled =
      now_ns >= params->trouble_from_ns && now_ns < params->trouble_until_ns;
  provider->regime = troubled ? params->trouble : FLEET_NORMAL;
  return provider->regime;
}

static void
write_error(int status, const char *body, uint64_t at_ns,
            inf_virtual_answer *answer)
{
  answer->status = status;
  answer->headers_ns = answer->end_ns = at_ns;
  inf_headers_add_line(&answer->headers,
                       INF_SV("Content-Type: application/json"));
  inf_buf_append_cstr(&answer->body, body);
  inf_virtual_piece_at(answer, at_ns, answer->body.len);
}

/* What has not begun when its provider goes down never comes: the connection
 * is reset then. */
static void
lose_to_outage(const fleet_params *params, uint64_t now_ns,
               ledger_attempt *entry, inf_virtual_answer *answer)
{
  uint64_t down_ns = params->trouble_from_ns;
  if (params->trouble != FLEET_DOWN || now_ns >= down_ns ||
      now_ns + answer->headers_ns < down_ns)
    return;
  answer->status = 0;
  answer->end = INF_VIRTUAL_RESET;
  answer->end_ns = down_ns - now_ns;
  inf_buf_clear(&answer->body);
  inf_buf_clear(&answer->pieces);
  entry->whole = false;
}

static void
write_silence(inf_virtual_answer *answer)
{
  answer->status = 0;
  answer->headers_ns = answer->end_ns = 1000 * INF_NS_PER_S;
}

void
fleet_exact_answer(sim_fleet *fleet, fleet_provider *provider,
                   const fleet_ask *ask, uint64_t now_ns, ledger_attempt *entry,
                   inf_virtual_answer *answer)
{
  const fleet_params *params = &provider->params;
  int64_t wall_ns = fleet->clock->wall_start_ns + (int64_t)now_ns;
  fleet_regime regime = fleet_exact_regime(provider, now_ns);
  bool passes = fleet_take(provider, ask->prompt_tokens, now_ns);
  fleet_write_limits(provider, !passes, wall_ns, &answer->headers);
  if (!passes)
    write_error(429, limited_body, params->first_ns, answer);
  else if (regime == FLEET_BLACK_HOLE)
    write_silence(answer);
  else if (regime == FLEET_ERRORS)
    write_error(503, busy_body, params->error_ns, answer);
  else
    fleet_write_answer(provider, ask, entry, answer);
  lose_to_outage(params, now_ns, entry, answer);
}
