/* SPDX-License-Identifier: MIT */
#include "decode.h"

#include "base/error.h"
#include "base/mem.h"
#include "infer/infer.h"
#include "provider/dialect.h"
#include "wire/json_write.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  EXIT_DECODED = 0,
  EXIT_FAILED_ANSWER = 1,
  EXIT_USAGE = 2,
};

#define MAX_BODY_BYTES    ((size_t)64 << 20)
#define MAX_EVENT_BYTES   ((size_t)1 << 20)
#define MAX_DEPTH         128
#define MAX_HEADERS_BYTES ((size_t)1 << 20)
#define BLOCK_BYTES       65536

struct options {
  const inf_provider_kind *kind;
  int status;
  const char *headers_file;
  bool stream;
  size_t split; /* bytes per piece, 0: as read */
};

static int
usage(const char *trouble)
{
  fprintf(stderr,
          "infer decode: %s\n"
          "usage: infer decode --type TYPE --status N [--headers FILE] "
          "[--stream] [--split BYTES] < body\n",
          trouble);
  return EXIT_USAGE;
}

static bool
read_number(const char *text, long long low, long long high, long long *number)
{
  return inf_sv_to_int64(inf_sv_from(text), number) && *number >= low &&
         *number <= high;
}

static int
read_options(int argc, char **argv, struct options *options)
{
  static const struct option names[] = {
      {"type", required_argument, NULL, 't'},
      {"status", required_argument, NULL, 's'},
      {"headers", required_argument, NULL, 'H'},
      {"stream", no_argument, NULL, 'S'},
      {"split", required_argument, NULL, 'n'},
      {NULL, 0, NULL, 0},
  };
  int option;
  long long number;
  optind = 1;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    switch (option) {
    case 't':
      options->kind = inf_provider_kind_find(inf_sv_from(optarg));
      if (!options->kind)
        return usage("no such provider type");
      break;
    case 's':
      if (!read_number(optarg, 100, 599, &number))
        return usage("--status takes an HTTP status");
      options->status = (int)number;
      break;
    case 'H':
      options->headers_file = optarg;
      break;
    case 'S':
      options->stream = true;
      break;
    case 'n':
      if (!read_number(optarg, 1, INT32_MAX, &number))
        return usage("--split takes a number of bytes");
      options->split = (size_t)number;
      break;
    default:
      return usage("unknown option, or one without its value");
    }
  }
  if (optind < argc)
    return usage("the body is read from standard input");
  return options->kind ? EXIT_DECODED : usage("--type is missing");
}

static int
read_headers(const char *path, inf_headers *headers)
{
  char block[4096];
  size_t len;
  inf_buf text;
  FILE *file = fopen(path, "rb");
  if (!file)
    return usage("the headers file cannot be read");
  inf_buf_init(&text, MAX_HEADERS_BYTES);
  while ((len = fread(block, 1, sizeof(block), file)) > 0)
    inf_buf_append(&text, block, len);
  fclose(file);
  inf_sv rest = inf_buf_sv(&text);
  while (rest.len > 0) {
    size_t end = inf_sv_find(rest, '\n');
    inf_headers_add_line(headers, inf_sv_of(rest.ptr, end));
    end += end < rest.len;
    rest = inf_sv_of(rest.ptr + end, rest.len - end);
  }
  int32_t status = text.status;
  inf_buf_fini(&text);
  return status == INFER_OK ? EXIT_DECODED
                            : usage("the headers file is too large");
}

/* ---- Decoding ------------------------------------------------------------ */

static int32_t
feed(inf_decoder *decoder, const char *ptr, size_t len, size_t split)
{
  int32_t status = INFER_OK;
  while (len > 0 && status == INFER_OK) {
    size_t piece = split > 0 && split < len ? split : len;
    status = inf_decoder_feed(decoder, ptr, piece);
    ptr += piece;
    len -= piece;
  }
  return status;
}

/* After a failure the rest is still read: it may tell the usage. */
static int32_t
decode(inf_decoder *decoder, size_t split)
{
  static char block[BLOCK_BYTES];
  size_t len;
  while ((len = fread(block, 1, sizeof(block), stdin)) > 0) {
    if (feed(decoder, block, len, split) == INF_DECODER_DONE)
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
print(const inf_buf *out, int code)
{
  if (out->status != INFER_OK) {
    fprintf(stderr, "infer decode: %s\n", inf_status_find(out->status)->text);
    return EXIT_FAILED_ANSWER;
  }
  if (fwrite(inf_buf_cstr(out), 1, out->len, stdout) != out->len ||
      fflush(stdout) != 0) {
    fprintf(stderr, "infer decode: standard output cannot be written\n");
    return EXIT_FAILED_ANSWER;
  }
  return code;
}

static int
run(const struct options *options, const inf_headers *headers)
{
  inf_decoder_options how = {
      .kind = options->kind,
      .stream = options->stream,
      .choices = 1,
      .max_body_bytes = MAX_BODY_BYTES,
      .max_event_bytes = MAX_EVENT_BYTES,
      .max_depth = MAX_DEPTH,
  };
  inf_answer answer;
  inf_decoder decoder;
  inf_buf out;
  int code = EXIT_DECODED;
  inf_answer_init(&answer, MAX_BODY_BYTES);
  inf_buf_init(&out, SIZE_MAX);
  inf_decoder_init(&decoder, &how, &answer);
  inf_decoder_headers(&decoder, options->status, headers,
                      inf_clock_system()->wall_ns(NULL));
  if (decode(&decoder, options->split) == INFER_OK) {
    inf_answer_write_json(&answer, &out);
  } else {
    write_failure(&decoder, &out);
    code = EXIT_FAILED_ANSWER;
  }
  inf_buf_append_char(&out, '\n');
  code = print(&out, code);
  inf_buf_fini(&out);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  return code;
}

int
cmd_decode(int argc, char **argv)
{
  struct options options = {.status = 200};
  inf_headers headers;
  int code = read_options(argc, argv, &options);
  if (code != EXIT_DECODED)
    return code;
  inf_headers_init(&headers, MAX_HEADERS_BYTES);
  if (options.headers_file)
    code = read_headers(options.headers_file, &headers);
  if (code == EXIT_DECODED)
    code = run(&options, &headers);
  inf_headers_fini(&headers);
  return code;
}
