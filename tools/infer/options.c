/* SPDX-License-Identifier: MIT */
/* Takes options off a command line. */

#include "options.h"

#include "cmd.h"
#include "out.h"

int
inf_options_wrong(const char *command, const char *what, const char *value)
{
  inf_say("%s %s (see infer help %s)", what, value, command);
  return EXIT_USAGE;
}

int
inf_options_take(const inf_options *options, void *args, bool *help, int argc,
                 char **argv)
{
  int option, code = 0;
  *help = false;
  optind = 1;
  opterr = 0;
  while (code == 0 && !*help &&
         (option = getopt_long(argc, argv, options->letters, options->list,
                               NULL)) != -1) {
    if (option == ':') {
      code = inf_options_wrong(options->command, "a value is missing after",
                               argv[optind - 1]);
    } else if (option == '?') {
      code = inf_options_wrong(options->command, "unknown or ambiguous option",
                               argv[optind - 1]);
    } else if (option == 'h') {
      *help = true;
    } else {
      code = options->take(args, option, optarg);
    }
  }
  return code;
}
