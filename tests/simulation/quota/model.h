/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_QUOTA_MODEL_H
#define TESTS_SIMULATION_QUOTA_MODEL_H

#include "rules.h"
#include "trace.h"

/* Clients on one quota of 600 requests and 600,000 tokens a minute, as events
 * on one core. Requests come as a Poisson process and have lognormal lengths.
 * 30 minutes are measured, after 2 of warm-up.
 *
 * Or arrivals and lengths are those of a trace, played over and over at the
 * speed that makes the same load on average; each seed begins at another place
 * of it, and clients take turns at random. Requests that are longer than all
 * that the bucket holds could never pass and are left out. A trace does not
 * always have something to send. Its utilisation is therefore
 *
 *     used / min(quota, what was offered and could have been used of it)
 *
 * where the second is what ideal.h says: it counts what came and had not
 * expired. While there is always work, as at the default load, the two are
 * equal, and so are the definitions. */

/* When the provider charges for a request. */
typedef enum charge {
  CHARGE_ARRIVAL, /* all of it when it comes */
  CHARGE_SPLIT,   /* output when it ends */
  CHARGE_RESERVE, /* max_tokens when it comes, the rest is given back */
} charge;

typedef struct scenario {
  const char *name;
  int clients;
  double cotenant; /* share of the quota that it asks for */
  double load;     /* of the binding dimension */
  double burst_s;
  double rate_scale; /* of 600 requests and 600k tokens per minute */
  charge charge;
  bool coarse, on_success_only, no_headers, no_limit, resets_only, no_reset;
  bool offset;        /* remaining is limit less what is missing */
  bool scaled;        /* remaining is a share of the limit */
  bool window;        /* the quota is refilled once a minute, all at once */
  bool per_request;   /* requests bind, not tokens */
  bool on_off;        /* all that comes, comes in 20 s of every minute */
  double nonsense;    /* share of headers */
  double change;      /* factor of the limit from half-time on */
  double joins_s;     /* the second half of the clients comes so much later */
  double ttft_s;      /* median; 0: 0.5 */
  const trace *trace; /* NULL: none */
} scenario;

typedef struct figures {
  /* Share of the quota that was used, of what the co-tenant left of it: of
   * the dimension that binds. Share of the requests sent that got a 429.
   * Jain's index of the clients' service. */
  double util, refused, jain;
  double usable; /* of a trace: share of the quota that could be used */
} figures;

figures model_play(const scenario *scene, policy rule, uint64_t seed);

/* The speed at which a trace makes the scenario's load: its time by ours. */
double model_trace_speed(const scenario *scene);
/* Requests that could never pass. */
size_t model_trace_too_long(const scenario *scene);

/* Over all runs. */
extern double model_simulated, model_cpu_s;

#endif
