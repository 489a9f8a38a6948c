/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_PROVIDERS_H
#define TEST_SOAK_PROVIDERS_H

#include "ledger.h"

/* Simulated providers that misbehave by their scripts, and somebody who kills
 * them, lets them be dead for a while, starts them again at the same port, and
 * stops them in mid-sentence. */

enum { provider_count = 4 }; /* the last one speaks TLS */

typedef struct providers providers;

/* Makes a folder and starts them. NULL, having said why, if they do not
 * start. */
providers *providers_start(uint64_t seed);
/* "http://127.0.0.1:23456/v1" */
const char *providers_url(const providers *all, int index);
/* The CA to trust for the last one. */
const char *providers_ca_file(const providers *all);
/* Of temporary files, which go with them. */
const char *providers_folder(const providers *all);
/* From now on they are killed and stopped at random. */
void providers_torment(providers *all);
/* The torment ends; all of them live afterwards. */
void providers_comfort(providers *all);
unsigned providers_kills(const providers *all);
unsigned providers_pauses(const providers *all);
/* Ends them in order, reads what their ledgers say, and removes the folder.
 * False, having said why, if one did not end well or left no good ledger. */
bool providers_stop(providers *all, ledger_book *book);

#endif
