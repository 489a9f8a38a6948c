/* SPDX-License-Identifier: MIT */
/* `infer config`: checks and shows configurations, lists all options. */

#include "cmd.h"
#include "load.h"
#include "out.h"

#include "infer/infer.h"

#include <stdio.h>
#include <string.h>

static const char manual[] =
    "usage: infer config check FILE   check a configuration\n"
    "       infer config show FILE    print it, written-out secrets as ***\n"
    "       infer config options      print the manual of all options\n"
    "\n"
    "Nothing is sent to anybody. check also looks whether the variables and\n"
    "files that the configuration names are there.\n"
    "\n"
    "Exit codes: 0 it is right, 2 wrong usage, 3 it is wrong or cannot be\n"
    "read; the message names the option's path and the remedy.\n";

static int
say_wrong(const char *path, infer_error *error, int32_t status)
{
  const char *message = infer_error_message(error);
  if (message[0] == '\0') {
    message = infer_status_text(status);
  }
  if (strstr(message, path)) {
    inf_say("%s", message);
  } else {
    inf_say("%s: %s", path, message);
  }
  infer_error_free(error);
  return EXIT_CONFIG;
}

static int
check(const char *path, const infer_config *config)
{
  infer_error *error = NULL;
  int32_t status = infer_config_check(config, &error);
  if (status != INFER_OK) {
    return say_wrong(path, error, status);
  }
  printf("%s: right\n", path);
  return 0;
}

/* The document as it was written is not checked: it may be shown to find out
 * what is wrong with it. */
static int
show(const char *path, const infer_config *config)
{
  char *json = NULL;
  size_t len = 0;
  int32_t status = infer_config_json(config, &json, &len);
  if (status != INFER_OK) {
    return say_wrong(path, NULL, status);
  }
  fwrite(json, 1, len, stdout);
  if (len == 0 || json[len - 1] != '\n') {
    putchar('\n');
  }
  infer_text_free(json);
  return 0;
}

static int
print_options(void)
{
  char *text = NULL;
  size_t len = 0;
  int32_t status = infer_options_manual(&text, &len);
  if (status != INFER_OK) {
    return inf_load_failed(NULL, status);
  }
  fwrite(text, 1, len, stdout);
  infer_text_free(text);
  return 0;
}

static int
with_file(const char *path,
          int (*use)(const char *path, const infer_config *config))
{
  infer_config *config = NULL;
  infer_error *error = NULL;
  int32_t status = infer_config_from_file(&config, path, &error);
  if (status != INFER_OK) {
    return say_wrong(path, error, status);
  }
  int code = use(path, config);
  infer_config_free(config);
  return code;
}

int
cmd_config(int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
    fputs(manual, stdout);
    return 0;
  }
  if (argc == 2 && strcmp(what, "options") == 0) {
    return print_options();
  }
  if (argc == 3 && strcmp(what, "check") == 0) {
    return with_file(argv[2], check);
  }
  if (argc == 3 && strcmp(what, "show") == 0) {
    return with_file(argv[2], show);
  }
  inf_say("usage: infer config check FILE | show FILE | options");
  return EXIT_USAGE;
}
