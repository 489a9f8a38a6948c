/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ABILITY_H
#define INF_ENGINE_ABILITY_H

#include "config/config.h"
#include "engine/request.h"

/* What a request needs of a target beyond labels: tools, vision, answers that
 * follow a JSON schema, room for its prompt, and a price below the route's
 * ceiling. Read off the request's JSON. Pure. */

/* As INF_LACKS_* bits. */
uint32_t inf_ability_needs(const struct infer_request *request);

/* Why the target may not serve the request: a static text that follows its
 * name ("takes no tools"); NULL: it may.
 *
 * A prompt counts as too long for a context when its estimate (prompt.h), less
 * a quarter, is longer: no estimate was ever so wrong, and what is refused here
 * has no second chance. What is a little too long is refused by the provider,
 * and then goes to a larger context. */
const char *inf_ability_lacking(const inf_target_config *target,
                                const inf_route_config *route,
                                const struct infer_request *request);

#endif
