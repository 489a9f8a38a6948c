/* SPDX-License-Identifier: MIT */
#ifndef TOOLS_INFER_DECODE_H
#define TOOLS_INFER_DECODE_H

/* infer decode --type TYPE --status N [--headers FILE] [--stream] [--split N]
 * reads a response body from standard input, as it was received before, and
 * prints the answer as a chat.completion object: exit code 0. A failure is
 * printed as {"error": {...}}: exit code 1. Wrong usage: exit code 2.
 * argv[0] is "decode". */
int cmd_decode(int argc, char **argv);

#endif
