/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_OPTIONS_H
#define INF_TOOLS_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/* The options of a command. "help", or 'h', is among them. */
typedef struct inf_options {
  const char *command;       /* "infer help COMMAND" tells more */
  const char *letters;       /* as getopt_long() has them, ':' first */
  const struct option *list; /* as getopt_long() has them */
  /* Takes one, with its value or NULL. Returns 0 or an exit code, having said
   * why. */
  int (*take)(void *args, int option, const char *value);
} inf_options;

/* Takes the options of the command line, up to --help if that is among them:
 * then *help is true. What is no option begins at argv[optind]. Returns 0 or an
 * exit code, having said why. */
int inf_options_take(const inf_options *options, void *args, bool *help,
                     int argc, char **argv);
/* Says that what of the command is wrong, where value is shown, and where more
 * is told. Returns the exit code of wrong usage. */
int inf_options_wrong(const char *command, const char *what, const char *value);

#endif
