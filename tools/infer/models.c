/* SPDX-License-Identifier: MIT */
/* `infer models`: what a provider lists, or what the library knows. */

#include "cmd.h"
#include "load.h"
#include "model_table.h"
#include "options.h"
#include "out.h"

#include "infer/infer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MS 30000

static const char manual[] =
    "usage: infer models [OPTIONS] PROVIDER\n"
    "       infer models --catalogue [TYPE]\n"
    "\n"
    "Prints the names of the models that the provider lists now, one a line.\n"
    "With --catalogue, and without asking anybody, what the library knows of\n"
    "the models of that type of provider, or of all: see docs/models.md.\n"
    "\n"
    "  -c, --config FILE  configuration (as for infer chat)\n"
    "      --json         print the provider's entries, as a JSON array\n"
    "      --catalogue    print contexts, limits, prices and abilities\n"
    "  -h, --help\n"
    "\n"
    "Exit codes: 0 success, 1 the call failed, 2 wrong usage, 3 wrong\n"
    "configuration. It waits at most 30 seconds.\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, 'j'},
    {"catalogue", no_argument, NULL, 'k'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct arguments {
  const char *config_path, *provider;
  bool json, catalogue, help;
} arguments;

static int
take_option(void *to, int option, const char *value)
{
  arguments *args = to;
  switch (option) {
  case 'c':
    args->config_path = value;
    return 0;
  case 'j':
    args->json = true;
    return 0;
  default:
    args->catalogue = true;
    return 0;
  }
}

static int
parse(arguments *args, int argc, char **argv)
{
  static const inf_options how = {"models", ":c:h", options, take_option};
  int code = inf_options_take(&how, args, &args->help, argc, argv);
  if (code != 0 || args->help) {
    return code;
  }
  if (args->catalogue && argc - optind <= 1) {
    args->provider = argv[optind]; /* may be NULL */
    return 0;
  }
  if (argc - optind != 1) {
    inf_say("one provider is needed (see infer help models)");
    return EXIT_USAGE;
  }
  args->provider = argv[optind];
  return 0;
}

static void
print_json(inf_out *out, const infer_model_list *models)
{
  size_t count = infer_model_list_count(models);
  inf_out_raw(out, "[");
  for (size_t i = 0; i < count; i++) {
    size_t len = 0;
    const char *json = infer_model_list_json(models, i, &len);
    inf_out_raw(out, i ? ",\n " : "\n ");
    inf_out_text(out, json, len);
  }
  inf_out_raw(out, "\n]\n");
}

static void
print_names(inf_out *out, const infer_model_list *models)
{
  for (size_t i = 0; i < infer_model_list_count(models); i++) {
    const char *id = infer_model_list_id(models, i);
    inf_out_text(out, id, strlen(id));
    inf_out_end(out);
  }
}

static int
list(const arguments *args, infer_client *client)
{
  infer_model_list *models = NULL;
  infer_error *error = NULL;
  int32_t status =
      infer_models(client, args->provider, TIMEOUT_MS, &models, &error);
  if (status != INFER_OK) {
    return inf_load_failed(error, status);
  }
  inf_out out;
  inf_out_init(&out, STDOUT_FILENO);
  if (args->json) {
    print_json(&out, models);
  } else {
    print_names(&out, models);
  }
  infer_model_list_free(models);
  return inf_out_result(&out);
}

int
cmd_models(int argc, char **argv)
{
  arguments args = {0};
  infer_config *config = NULL;
  infer_client *client = NULL;
  int code = parse(&args, argc, argv);
  if (code == 0 && args.help) {
    fputs(manual, stdout);
    return 0;
  }
  if (code == 0 && args.catalogue) {
    return inf_print_model_table(args.provider);
  }
  if (code == 0) {
    code = inf_load_config(args.config_path, &config);
  }
  if (code == 0) {
    code = inf_load_client(config, &client);
  }
  if (code == 0) {
    code = list(&args, client);
  }
  infer_client_free(client);
  infer_config_free(config);
  return code;
}
