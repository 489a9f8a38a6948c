/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_INTERRUPT_H
#define INF_TOOLS_INTERRUPT_H

#include <signal.h>

/* SIGINT, SIGTERM and SIGHUP, for a program that waits in poll(). */

/* The number of the signal that came; 0: none. */
extern volatile sig_atomic_t inf_interrupted;

/* From now on the first signal of a kind sets inf_interrupted and makes the
 * descriptor readable; the second one ends the program as it would without us.
 * What is ignored stays ignored (nohup), and SIGPIPE is ignored too. Returns 0
 * or an exit code, having said why. */
int inf_interrupt_catch(void);
int inf_interrupt_fd(void);

#endif
