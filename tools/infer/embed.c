/* SPDX-License-Identifier: MIT */
/* `infer embed`: texts in, vectors out. */

#include "cmd.h"
#include "load.h"
#include "options.h"
#include "out.h"

#include "infer/infer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BYTES ((size_t)64 << 20)

static const char manual[] =
    "usage: infer embed [OPTIONS] MODEL [TEXT...]\n"
    "\n"
    "Prints the vector of each text, a JSON array a line, in the order of the\n"
    "texts. Without TEXT each line of standard input is one; empty ones are\n"
    "refused, for a line would be missing.\n"
    "\n"
    "  -c, --config FILE    configuration (as for infer chat)\n"
    "  -d, --dimensions N   ask for vectors of N numbers\n"
    "  -t, --input-type T   what the texts are for: search_document,\n"
    "                       search_query, classification, clustering\n"
    "      --timeout MS     deadline of the call\n"
    "      --label LABEL    only providers with this label; repeatable\n"
    "      --json           one OpenAI embeddings object instead\n"
    "      --base64         vectors as base64 of little-endian floats\n"
    "  -v, --verbose        attempts and usage, on standard error\n"
    "  -h, --help\n"
    "\n"
    "Exit codes: 0 success, 1 the call failed, 2 wrong usage, 3 wrong\n"
    "configuration.\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"dimensions", required_argument, NULL, 'd'},
    {"input-type", required_argument, NULL, 't'},
    {"timeout", required_argument, NULL, 'm'},
    {"label", required_argument, NULL, 'l'},
    {"json", no_argument, NULL, 'j'},
    {"base64", no_argument, NULL, 'b'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct arguments {
  const char *config_path, *model, *input_type;
  long long dimensions, timeout_ms;
  const char **labels; /* room for as many as there are arguments */
  size_t label_count;
  char **texts;
  int text_count;
  bool json, base64, verbose, help;
} arguments;

static bool
read_number(const char *text, long long *number)
{
  char *end;
  errno = 0;
  *number = strtoll(text, &end, 10);
  return errno == 0 && *end == '\0' && end != text && *number > 0;
}

static int
wrong(const char *what)
{
  return inf_options_wrong("embed", "wrong", what);
}

static int
take_option(void *to, int option, const char *value)
{
  arguments *args = to;
  switch (option) {
  case 'c':
    args->config_path = value;
    return 0;
  case 'd':
    return read_number(value, &args->dimensions) ? 0 : wrong("--dimensions");
  case 't':
    args->input_type = value;
    return 0;
  case 'm':
    return read_number(value, &args->timeout_ms) ? 0 : wrong("--timeout");
  case 'l':
    args->labels[args->label_count++] = value;
    return 0;
  case 'j':
    args->json = true;
    return 0;
  case 'b':
    args->base64 = true;
    return 0;
  default:
    args->verbose = true;
    return 0;
  }
}

static int
parse(arguments *args, int argc, char **argv)
{
  args->labels = (const char **)calloc((size_t)argc, sizeof(*args->labels));
  if (!args->labels) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  static const inf_options how = {"embed", "+:c:d:t:vh", options, take_option};
  int code = inf_options_take(&how, args, &args->help, argc, argv);
  if (code != 0 || args->help) {
    return code;
  }
  if (optind == argc) {
    inf_say("a model is needed (see infer help embed)");
    return EXIT_USAGE;
  }
  args->model = argv[optind];
  args->texts = argv + optind + 1;
  args->text_count = argc - optind - 1;
  return 0;
}

/* ---- The request --------------------------------------------------------- */

static int
add_text(infer_request *request, const char *text, size_t len)
{
  if (len == 0) {
    inf_say("a text is empty");
    return EXIT_USAGE;
  }
  if (infer_request_add_input_n(request, text, len) != INFER_OK) {
    inf_say("the texts are not UTF-8, or more than 64 MiB");
    return EXIT_USAGE;
  }
  return 0;
}

static int
add_lines(infer_request *request)
{
  size_t len;
  char *text = inf_load_file("-", MAX_BYTES, &len);
  int code = text ? 0 : EXIT_CALL_FAILED;
  for (size_t at = 0; code == 0 && at < len;) {
    const char *line = text + at;
    const char *end = memchr(line, '\n', len - at);
    size_t line_len = end ? (size_t)(end - line) : len - at;
    at += line_len + 1;
    if (line_len > 0 && line[line_len - 1] == '\r') {
      line_len--;
    }
    code = add_text(request, line, line_len);
  }
  free(text);
  return code;
}

static int
make_request(const arguments *args, infer_request **out)
{
  infer_request *request;
  if (infer_request_new(&request, args->model) != INFER_OK) {
    inf_say("the model's name is not valid");
    return EXIT_USAGE;
  }
  *out = request;
  int code = 0;
  if (args->dimensions > 0) {
    infer_request_set_int(request, "dimensions", args->dimensions);
  }
  if (args->input_type) {
    infer_request_set_string(request, "input_type", args->input_type);
  }
  if (args->timeout_ms > 0 &&
      infer_request_set_deadline_ms(request, args->timeout_ms) != INFER_OK) {
    code = wrong("--timeout");
  }
  for (size_t i = 0; code == 0 && i < args->label_count; i++) {
    if (infer_request_require_label(request, args->labels[i]) != INFER_OK) {
      code = wrong("--label");
    }
  }
  for (int i = 0; code == 0 && i < args->text_count; i++) {
    code = add_text(request, args->texts[i], strlen(args->texts[i]));
  }
  if (code == 0 && args->text_count == 0) {
    code = add_lines(request);
  }
  return code;
}

/* ---- The answer ---------------------------------------------------------- */

/* Each element of "data" has its vector last: from there to the bracket. */
static void
print_lines(inf_out *out, const char *json)
{
  static const char name[] = "\"embedding\":";
  while ((json = strstr(json, name)) != NULL) {
    json += sizeof name - 1;
    size_t len = strcspn(json, "}");
    inf_out_text(out, json, len);
    inf_out_raw(out, "\n");
    json += len;
  }
}

static void
tell(const infer_embeddings *embeddings)
{
  const infer_response *response = infer_embeddings_response(embeddings);
  for (size_t i = 0; i < infer_response_attempt_count(response); i++) {
    const infer_attempt *attempt = infer_response_attempt(response, i);
    inf_note("%s %s %s", infer_attempt_target(attempt),
             infer_attempt_reason_name(attempt),
             infer_status_name(infer_attempt_status(attempt)));
  }
  inf_note("%zu vectors of %zu numbers, %lld tokens",
           infer_embeddings_count(embeddings),
           infer_embeddings_dimensions(embeddings),
           (long long)infer_response_usage(response, INFER_USAGE_INPUT));
}

static int
print(const arguments *args, const infer_embeddings *embeddings)
{
  char *json;
  size_t len;
  if (args->verbose) {
    tell(embeddings);
  }
  int32_t status =
      infer_embeddings_json(embeddings, args->base64 ? 1 : 0, &json, &len);
  if (status != INFER_OK) {
    inf_say("%s", infer_status_text(status));
    return EXIT_CALL_FAILED;
  }
  inf_out out;
  inf_out_init(&out, STDOUT_FILENO);
  if (args->json) {
    inf_out_text(&out, json, len);
    inf_out_end(&out);
  } else {
    print_lines(&out, json);
  }
  infer_text_free(json);
  return inf_out_result(&out);
}

static int
embed(const arguments *args, infer_client *client, const infer_request *request)
{
  infer_embeddings *embeddings = NULL;
  infer_error *error = NULL;
  int32_t status = infer_embed(client, request, &embeddings, &error);
  if (status != INFER_OK) {
    return inf_load_failed(error, status);
  }
  int code = print(args, embeddings);
  infer_embeddings_free(embeddings);
  return code;
}

static int
run(const arguments *args)
{
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_request *request = NULL;
  int code = make_request(args, &request);
  if (code == 0) {
    code = inf_load_config(args->config_path, &config);
  }
  if (code == 0) {
    code = inf_load_client(config, &client);
  }
  if (code == 0) {
    code = embed(args, client, request);
  }
  infer_request_free(request);
  infer_client_free(client);
  infer_config_free(config);
  return code;
}

int
cmd_embed(int argc, char **argv)
{
  arguments args = {0};
  int code = parse(&args, argc, argv);
  if (code == 0 && args.help) {
    fputs(manual, stdout);
  } else if (code == 0) {
    code = run(&args);
  }
  free((void *)args.labels);
  return code;
}
