/* SPDX-License-Identifier: MIT */
/* The program `infer`: finds the subcommand and hands over. */

#include "cmd.h"
#include "out.h"

#include "infer/infer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct command_entry {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *text;
} command_entry;

static const command_entry commands[] = {
    {"chat", cmd_chat, "send a prompt, print the answer as it comes"},
    {"embed", cmd_embed, "turn lines of text into vectors"},
    {"models", cmd_models, "list the models of a provider"},
    {"compare", cmd_compare, "measure targets side by side"},
    {"config", cmd_config, "check or show a configuration; list all options"},
    {"decode", cmd_decode, "read a provider's recorded answer"},
    {"replay", cmd_replay, "tell what a trace of requests would have been"},
    {"sim", cmd_sim, "run a simulated provider, for tests"},
};

static const command_entry *
find_command(const char *name)
{
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (strcmp(commands[i].name, name) == 0) {
      return &commands[i];
    }
  }
  return NULL;
}

static int
print_help(FILE *to)
{
  fputs("usage: infer COMMAND [ARGUMENTS]\n\n", to);
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].text);
  }
  fputs("\n  infer help COMMAND   tells more about one of them\n"
        "  infer --version      tells the version and what is built in\n",
        to);
  return to == stdout ? EXIT_SUCCESS : EXIT_USAGE;
}

static int
print_version(void)
{
  printf("infer %s\nfeatures: %s\n", infer_version(), infer_features());
  return EXIT_SUCCESS;
}

static int
unknown_command(const char *name)
{
  inf_say("unknown command \"%s\" (infer help lists them)", name);
  return EXIT_USAGE;
}

static int
help(int argc, char **argv)
{
  if (argc < 2) {
    return print_help(stdout);
  }
  const command_entry *command = find_command(argv[1]);
  if (!command) {
    return unknown_command(argv[1]);
  }
  char option[] = "--help";
  char *args[] = {argv[1], option, NULL};
  return command->run(2, args);
}

static int
dispatch(int argc, char **argv)
{
  if (argc < 2) {
    return print_help(stderr);
  }
  const char *name = argv[1];
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
    return print_version();
  }
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    return print_help(stdout);
  }
  if (strcmp(name, "help") == 0) {
    return help(argc - 1, argv + 1);
  }
  const command_entry *command = find_command(name);
  return command ? command->run(argc - 1, argv + 1) : unknown_command(name);
}

int
main(int argc, char **argv)
{
  int code = dispatch(argc, argv);
  /* A full disk must not look like a success. */
  bool lost = ferror(stdout) != 0;
  if ((fflush(stdout) != 0 || lost) && code == EXIT_SUCCESS) {
    inf_say("cannot write to standard output: %s", strerror(errno));
    code = EXIT_CALL_FAILED;
  }
  return code;
}
