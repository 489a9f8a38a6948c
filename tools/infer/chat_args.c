/* SPDX-License-Identifier: MIT */
/* The command line of `infer chat`, and the request that it asks for. */

#include "chat_args.h"

#include "cmd.h"
#include "load.h"
#include "options.h"
#include "out.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PROMPT_BYTES ((size_t)64 << 20) /* that of a request */
#define MAX_SCHEMA_BYTES ((size_t)4 << 20)

enum {
  OPT_JSON = 1000,
  OPT_STREAM,
  OPT_NO_STREAM,
  OPT_MAX_TOKENS,
  OPT_TEMPERATURE,
  OPT_SCHEMA,
  OPT_SET,
  OPT_DEADLINE,
  OPT_LABEL,
  OPT_PLAN,
  OPT_REASONING,
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"model", required_argument, NULL, 'm'},
    {"system", required_argument, NULL, 's'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, OPT_JSON},
    {"stream", no_argument, NULL, OPT_STREAM},
    {"no-stream", no_argument, NULL, OPT_NO_STREAM},
    {"max-tokens", required_argument, NULL, OPT_MAX_TOKENS},
    {"temperature", required_argument, NULL, OPT_TEMPERATURE},
    {"schema", required_argument, NULL, OPT_SCHEMA},
    {"set", required_argument, NULL, OPT_SET},
    {"deadline", required_argument, NULL, OPT_DEADLINE},
    {"label", required_argument, NULL, OPT_LABEL},
    {"plan", no_argument, NULL, OPT_PLAN},
    {"reasoning", no_argument, NULL, OPT_REASONING},
    {NULL, 0, NULL, 0},
};

static int
usage(const char *what, const char *which)
{
  return inf_options_wrong("chat", what, which);
}

static void
take_flag(inf_chat_args *args, int option)
{
  switch (option) {
  case 'v':
    args->verbose++;
    break;
  case OPT_JSON:
    args->json = true;
    break;
  case OPT_STREAM:
    args->stream = true;
    break;
  case OPT_NO_STREAM:
    args->no_stream = true;
    break;
  case OPT_PLAN:
    args->plan = true;
    break;
  default:
    args->reasoning = true;
  }
}

static void
take_value(inf_chat_args *args, int option, const char *value)
{
  switch (option) {
  case 'c':
    args->config_path = value;
    break;
  case 'm':
    args->model = value;
    break;
  case 's':
    args->system = value;
    break;
  case OPT_MAX_TOKENS:
    args->max_tokens = value;
    break;
  case OPT_TEMPERATURE:
    args->temperature = value;
    break;
  case OPT_SCHEMA:
    args->schema_path = value;
    break;
  case OPT_DEADLINE:
    args->deadline = value;
    break;
  case OPT_SET:
    args->sets[args->set_count++] = value;
    break;
  default:
    args->labels[args->label_count++] = value;
  }
}

static int
take(void *args, int option, const char *value)
{
  if (value) {
    take_value(args, option, value);
  } else {
    take_flag(args, option);
  }
  return 0;
}

int
inf_chat_args_parse(inf_chat_args *args, int argc, char **argv)
{
  *args = (inf_chat_args){0};
  args->sets = calloc((size_t)argc, sizeof(*args->sets));
  args->labels = calloc((size_t)argc, sizeof(*args->labels));
  if (!args->sets || !args->labels) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  static const inf_options how = {"chat", ":c:m:s:vh", options, take};
  int code = inf_options_take(&how, args, &args->help, argc, argv);
  if (code != 0 || args->help) {
    return code;
  }
  if (args->stream && (args->no_stream || args->json)) {
    return usage("--stream does not go together with",
                 args->json ? "--json" : "--no-stream");
  }
  args->words = argv + optind;
  args->word_count = argc - optind;
  return 0;
}

void
inf_chat_args_fini(inf_chat_args *args)
{
  free((void *)args->sets);
  free((void *)args->labels);
}

/* ---- The prompt ---------------------------------------------------------- */

static bool
names_stdin(const inf_chat_args *args)
{
  for (int i = 0; i < args->word_count; i++) {
    if (strcmp(args->words[i], "-") == 0) {
      return true;
    }
  }
  return false;
}

static size_t
words_length(const inf_chat_args *args)
{
  size_t len = 0;
  for (int i = 0; i < args->word_count; i++) {
    len += strlen(args->words[i]) + 1;
  }
  return len;
}

/* The words of the command line with a space between them, without "-". */
static size_t
join_words(const inf_chat_args *args, char *to)
{
  size_t used = 0;
  for (int i = 0; i < args->word_count; i++) {
    const char *word = args->words[i];
    size_t len = strlen(word);
    if (strcmp(word, "-") == 0) {
      continue;
    }
    if (used > 0) {
      to[used++] = ' ';
    }
    memcpy(to + used, word, len);
    used += len;
  }
  return used;
}

static char *
read_prompt(const inf_chat_args *args, size_t *len)
{
  char *piped = NULL;
  size_t piped_len = 0;
  if (names_stdin(args) || !isatty(STDIN_FILENO)) {
    piped = inf_load_file("-", MAX_PROMPT_BYTES, &piped_len);
    if (!piped) {
      return NULL;
    }
  }
  char *prompt = malloc(words_length(args) + piped_len + 3);
  if (!prompt) {
    inf_say("out of memory");
    free(piped);
    return NULL;
  }
  *len = join_words(args, prompt);
  if (*len > 0 && piped_len > 0) {
    memcpy(prompt + *len, "\n\n", 2);
    *len += 2;
  }
  if (piped_len > 0) {
    memcpy(prompt + *len, piped, piped_len);
    *len += piped_len;
  }
  free(piped);
  return prompt;
}

int
inf_chat_args_prompt(const inf_chat_args *args, infer_request *request)
{
  size_t len = 0;
  char *prompt = read_prompt(args, &len);
  if (!prompt) {
    return EXIT_USAGE;
  }
  int code = 0;
  if (len == 0) {
    code = usage("no prompt: give it as an argument", "or on standard input");
  } else if (infer_request_add_message_n(request, "user", prompt, len) !=
             INFER_OK) {
    inf_say("the prompt is not UTF-8 text, or larger than 64 MiB");
    code = EXIT_USAGE;
  }
  free(prompt);
  return code;
}

/* ---- The rest of the request --------------------------------------------- */

static int
set_number(infer_request *request, const char *member, const char *text)
{
  char *end = NULL;
  errno = 0;
  double value = strtod(text, &end);
  if (end == text || *end != '\0' || errno != 0 || !isfinite(value)) {
    return usage("not a number:", text);
  }
  return infer_request_set_double(request, member, value) == INFER_OK
             ? 0
             : usage("not possible:", text);
}

static int
set_count(infer_request *request, const char *member, const char *text)
{
  char *end = NULL;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || value < 1) {
    return usage("not a whole number above 0:", text);
  }
  return infer_request_set_int(request, member, value) == INFER_OK
             ? 0
             : usage("not possible:", text);
}

static int
set_deadline(infer_request *request, const char *text)
{
  char *end = NULL;
  double seconds = strtod(text, &end);
  if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= 86400) ||
      infer_request_set_deadline_ms(request, (int64_t)(seconds * 1000)) !=
          INFER_OK) {
    return usage("--deadline takes 0.001 to 86400 seconds, not", text);
  }
  return 0;
}

static int
set_schema(infer_request *request, const char *path)
{
  size_t len = 0;
  char *schema = inf_load_file(path, MAX_SCHEMA_BYTES, &len);
  if (!schema) {
    return EXIT_USAGE;
  }
  infer_error *error = NULL;
  int32_t status =
      infer_request_set_json_schema(request, "answer", schema, &error);
  free(schema);
  return status == INFER_OK ? 0 : inf_load_failed(error, status);
}

static int
set_member(infer_request *request, const char *assignment)
{
  const char *equals = strchr(assignment, '=');
  if (!equals || equals == assignment) {
    return usage("--set takes member=JSON, not", assignment);
  }
  char *member = strndup(assignment, (size_t)(equals - assignment));
  if (!member) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  infer_error *error = NULL;
  int32_t status = infer_request_set_json(request, member, equals + 1,
                                          INFER_NUL_TERMINATED, &error);
  bool known = strcmp(member, "model") != 0 && strcmp(member, "messages") != 0;
  free(member);
  if (status == INFER_E_INVALID_ARGUMENT && known) {
    inf_say("--set %s (the value is JSON: a text needs \"quotes\")",
            infer_error_message(error));
    infer_error_free(error);
    return EXIT_USAGE;
  }
  return status == INFER_OK ? 0 : inf_load_failed(error, status);
}

static int
set_lists(const inf_chat_args *args, infer_request *request)
{
  int code = 0;
  for (size_t i = 0; i < args->set_count && code == 0; i++) {
    code = set_member(request, args->sets[i]);
  }
  for (size_t i = 0; i < args->label_count && code == 0; i++) {
    if (infer_request_require_label(request, args->labels[i]) != INFER_OK) {
      code = usage("not a label, or more than 16:", args->labels[i]);
    }
  }
  return code;
}

static int
fill(const inf_chat_args *args, infer_request *request)
{
  int code = 0;
  if (args->system &&
      infer_request_add_message(request, "system", args->system) != INFER_OK) {
    return usage("not UTF-8 text:", "--system");
  }
  if (args->max_tokens) {
    code = set_count(request, "max_tokens", args->max_tokens);
  }
  if (code == 0 && args->temperature) {
    code = set_number(request, "temperature", args->temperature);
  }
  if (code == 0 && args->deadline) {
    code = set_deadline(request, args->deadline);
  }
  if (code == 0 && args->schema_path) {
    code = set_schema(request, args->schema_path);
  }
  return code == 0 ? set_lists(args, request) : code;
}

int
inf_chat_args_request(const inf_chat_args *args, const char *model,
                      infer_request **request)
{
  if (infer_request_new(request, model) != INFER_OK) {
    return usage("not a model's name:", model);
  }
  int code = fill(args, *request);
  if (code != 0) {
    infer_request_free(*request);
    *request = NULL;
  }
  return code;
}
