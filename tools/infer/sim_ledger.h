/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_LEDGER_H
#define INF_TOOLS_SIM_LEDGER_H

#include "sim_log.h"

/* A file that tells of every request, and can be trusted after a SIGKILL. A
 * line is written
 *
 *   request SEQ ID                        when the request is whole, before
 *                                         the first byte of its answer
 *   end SEQ STATUS END PROMPT COMPLETION  when its answer has ended: status,
 *                                         how it ended, and tokens charged
 *
 * each by one write of its own, and what was written is the system's. So
 * whoever got a byte of an answer finds the request in the file, and no line
 * is missing but the last ones of a simulator that was killed. The kill may
 * cut the last line: it then has no line end, and is to be thrown away. */
typedef struct inf_sim_ledger {
  int fd; /* -1: there is none */
} inf_sim_ledger;

/* Empties the file or makes it; NULL: no ledger. Ends the program if it
 * cannot. */
void inf_sim_ledger_open(inf_sim_ledger *ledger, const char *path);
void inf_sim_ledger_close(inf_sim_ledger *ledger);
/* ID is the field x-client-request-id of the request, "-" without one. */
void inf_sim_ledger_request(const inf_sim_ledger *ledger,
                            const inf_sim_entry *entry);
void inf_sim_ledger_end(const inf_sim_ledger *ledger,
                        const inf_sim_entry *entry);

#endif
