/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_CMD_H
#define INF_TOOLS_CMD_H

/* The subcommands of `infer`. Each is called with argv[0] being its own name,
 * understands --help, and returns the exit code of the program. */

int cmd_chat(int argc, char **argv);
int cmd_embed(int argc, char **argv);
int cmd_models(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_config(int argc, char **argv);
int cmd_sim(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_replay(int argc, char **argv);

#define EXIT_CALL_FAILED 1   /* the call failed, or something local did */
#define EXIT_USAGE       2   /* the command line is wrong */
#define EXIT_CONFIG      3   /* the configuration is wrong or unreadable */
#define EXIT_SIGNAL      128 /* plus the number of the signal */

#endif
