/* SPDX-License-Identifier: MIT */
/* `infer decode`: reads a response body that was received before, and prints
 * what the library makes of it. It runs the decoder alone, without a client,
 * so it needs no network, key or configuration. */

#include "cmd.h"
#include "options.h"
#include "out.h"

#include "base/clock.h"
#include "base/error.h"
#include "infer/infer.h"
#include "provider/dialect.h"
#include "wire/json_write.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_BODY_BYTES    ((size_t)64 << 20)
#define MAX_EVENT_BYTES   ((size_t)1 << 20)
#define MAX_DEPTH         128
#define MAX_HEADERS_BYTES ((size_t)1 << 20)
#define BLOCK_BYTES       65536

static const char manual[] =
    "usage: infer decode --type TYPE [OPTIONS] < body\n"
    "\n"
    "Reads a provider's response body from standard input and prints the\n"
    "answer as a chat.completion object. A failure is printed as an object\n"
    "{\"error\": {\"class\", \"message\", \"type\", \"code\", \"param\",\n"
    "\"http_status\", \"retry_after_ms\", \"request_id\", \"partial\"}}.\n"
    "\n"
    "      --type TYPE     type of provider, as in a configuration\n"
    "      --status N      HTTP status of the response (default 200)\n"
    "      --headers FILE  its header lines\n"
    "      --stream        a stream was asked for\n"
    "      --choices N     how many choices were asked for (default 1)\n"
    "      --split BYTES   decode in pieces of so many bytes\n"
    "  -h, --help\n"
    "\n"
    "Exit codes: 0 an answer, 1 a failure, 2 wrong usage.\n";

static const struct option options[] = {
    {"type", required_argument, NULL, 't'},
    {"status", required_argument, NULL, 's'},
    {"headers", required_argument, NULL, 'H'},
    {"stream", no_argument, NULL, 'S'},
    {"choices", required_argument, NULL, 'n'},
    {"split", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct arguments {
  const inf_provider_kind *kind;
  const char *headers_path;
  long long status, choices;
  long long split; /* bytes per piece, 0: as read */
  bool stream, help;
} arguments;

static int
parse_number(const char *text, long long low, long long high,
             const char *option, long long *number)
{
  if (inf_sv_to_int64(inf_sv_from(text), number) && *number >= low &&
      *number <= high)
    return 0;
  inf_say("%s takes a number from %lld to %lld", option, low, high);
  return EXIT_USAGE;
}

static int
parse_type(arguments *args, const char *type)
{
  args->kind = inf_provider_kind_find(inf_sv_from(type));
  if (args->kind)
    return 0;
  inf_say("no provider type \"%s\"; there are:", type);
  for (size_t i = 0; i < inf_provider_kind_count(); i++)
    inf_note("  %s", inf_provider_kind_at(i)->type);
  return EXIT_USAGE;
}

static int
take_option(void *to, int option, const char *value)
{
  arguments *args = to;
  switch (option) {
  case 't':
    return parse_type(args, value);
  case 's':
    return parse_number(value, 100, 599, "--status", &args->status);
  case 'H':
    args->headers_path = value;
    return 0;
  case 'n':
    return parse_number(value, 1, INF_ANSWER_MAX_CHOICES, "--choices",
                        &args->choices);
  case 'p':
    return parse_number(value, 1, INT32_MAX, "--split", &args->split);
  default:
    args->stream = true;
    return 0;
  }
}

static int
parse(arguments *args, int argc, char **argv)
{
  static const inf_options how = {"decode", ":h", options, take_option};
  int code = inf_options_take(&how, args, &args->help, argc, argv);
  if (code != 0 || args->help)
    return code;
  if (optind < argc) {
    inf_say("the body is read from standard input (see infer help decode)");
    return EXIT_USAGE;
  }
  if (!args->kind) {
    inf_say("--type is missing (see infer help decode)");
    return EXIT_USAGE;
  }
  return 0;
}

static int
read_headers(const char *path, inf_headers *headers)
{
  char line[8192];
  FILE *file = fopen(path, "rb");
  if (!file) {
    inf_say("cannot read %s: %s", path, strerror(errno));
    return EXIT_USAGE;
  }
  int32_t status = INFER_OK;
  while (status == INFER_OK && fgets(line, sizeof(line), file))
    status = inf_headers_add_line(headers, inf_sv_from(line));
  bool failed = ferror(file) || status != INFER_OK;
  fclose(file);
  if (failed)
    inf_say("%s cannot be read as header lines", path);
  return failed ? EXIT_USAGE : 0;
}

/* ---- Decoding ------------------------------------------------------------ */

/* After a failure the rest is still fed: it may tell the usage. */
static bool
feed(inf_decoder *decoder, const char *ptr, size_t len, size_t split)
{
  while (len > 0) {
    size_t piece = split > 0 && split < len ? split : len;
    if (inf_decoder_feed(decoder, ptr, piece) == INF_DECODER_DONE)
      return false;
    ptr += piece;
    len -= piece;
  }
  return true;
}

static int32_t
decode(inf_decoder *decoder, size_t split)
{
  static char block[BLOCK_BYTES];
  size_t len;
  while ((len = fread(block, 1, sizeof(block), stdin)) > 0) {
    if (!feed(decoder, block, len, split))
      break;
  }
  return inf_decoder_end(decoder, !ferror(stdin));
}

static void
text_or_null(inf_buf *out, inf_sv key, const inf_buf *text)
{
  if (text->len > 0)
    inf_json_member_string(out, key, inf_buf_sv(text));
  else
    inf_json_member_raw(out, key, INF_SV("null"));
}

static void
write_failure(const inf_decoder *decoder, inf_buf *out)
{
  const inf_failure *failure = &decoder->failure;
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("error"));
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("class"),
                         inf_sv_from(inf_status_find(failure->status)->name));
  text_or_null(out, INF_SV("message"), &failure->message);
  text_or_null(out, INF_SV("type"), &failure->type);
  text_or_null(out, INF_SV("code"), &failure->code);
  text_or_null(out, INF_SV("param"), &failure->param);
  inf_json_member_int(out, INF_SV("http_status"), failure->http_status);
  inf_json_member_int(out, INF_SV("retry_after_ms"),
                      failure->hint_ns < 0 ? -1 : failure->hint_ns / 1000000);
  text_or_null(out, INF_SV("request_id"), &failure->request_id);
  inf_json_key(out, INF_SV("partial"));
  if (decoder->answer->choice_count > 0)
    inf_answer_write_json(decoder->answer, out);
  else
    inf_json_put_null(out);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

static int
print(const inf_buf *text, int code)
{
  inf_out out;
  if (text->status != INFER_OK) {
    inf_say("%s", inf_status_find(text->status)->text);
    return EXIT_CALL_FAILED;
  }
  inf_out_init(&out, STDOUT_FILENO);
  inf_out_text(&out, text->ptr, text->len);
  inf_out_end(&out);
  int failed = inf_out_result(&out);
  return failed ? failed : code;
}

static int
run(const arguments *args, const inf_headers *headers)
{
  inf_decoder_options how = {
      .kind = args->kind,
      .stream = args->stream,
      .choices = (uint32_t)args->choices,
      .max_body_bytes = MAX_BODY_BYTES,
      .max_event_bytes = MAX_EVENT_BYTES,
      .max_depth = MAX_DEPTH,
  };
  inf_answer answer;
  inf_decoder decoder;
  inf_buf text;
  int code = EXIT_SUCCESS;
  inf_answer_init(&answer, MAX_BODY_BYTES);
  inf_buf_init(&text, SIZE_MAX);
  inf_decoder_init(&decoder, &how, &answer);
  inf_decoder_headers(&decoder, (int)args->status, headers,
                      inf_clock_system()->wall_ns(NULL));
  if (decode(&decoder, (size_t)args->split) == INFER_OK) {
    inf_answer_write_json(&answer, &text);
  } else {
    write_failure(&decoder, &text);
    code = EXIT_CALL_FAILED;
  }
  code = print(&text, code);
  inf_buf_fini(&text);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  return code;
}

int
cmd_decode(int argc, char **argv)
{
  arguments args = {.status = 200, .choices = 1};
  inf_headers headers;
  int code = parse(&args, argc, argv);
  if (code != 0)
    return code;
  if (args.help) {
    fputs(manual, stdout);
    return EXIT_SUCCESS;
  }
  inf_headers_init(&headers, MAX_HEADERS_BYTES);
  if (args.headers_path)
    code = read_headers(args.headers_path, &headers);
  if (code == 0)
    code = run(&args, &headers);
  inf_headers_fini(&headers);
  return code;
}
