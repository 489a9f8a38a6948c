/* SPDX-License-Identifier: MIT */
/* bench_dialects [ROUNDS]: CPU of one chunk of a stream, by dialect, beside
 * OpenAI's. The same text, in the same pieces, is written in the language of
 * each and read by the decoder: all at once in reads of 16 KiB, and chunk by
 * chunk. Prints "NAME VALUE" for each figure, the larger ratio of the two;
 * exit code 1 if an answer is not the text. */
#include "infer/infer.h"
#include "provider/dialect.h"
#include "wire/json_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A stream that stays in a processor's own cache, as what comes from the
 * network does: of longer ones the neighbours of a shared cache decide. */
enum { chunk_count = 2000, read_bytes = 16 << 10, max_rounds = 101 };

/* ---- Languages ----------------------------------------------------------- */

struct language {
  const char *type;   /* of the catalogue */
  const char *figure; /* NULL: the one that others are held against */
  const char *opening, *closing;
  const char *before, *middle, *after; /* a chunk around the text */
  bool padded; /* up to 14 spaces between the last two */
  /* Between the last two: how many tokens there are so far, what stands before
   * their total, and that; NULL: nothing of it. */
  const char *total;
};

/* The members are those that the services send today. */
static const struct language languages[] = {
    {
        .type = "openai",
        .opening = "data: {\"id\":\"chatcmpl-Bz0123456789abcdefghijklmnop\","
                   "\"object\":\"chat.completion.chunk\",\"created\":"
                   "1760000000,\"model\":\"gpt-4o-mini-2024-07-18\","
                   "\"service_tier\":\"default\",\"system_fingerprint\":"
                   "\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{"
                   "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"
                   "\"logprobs\":null,\"finish_reason\":null}]}\n\n",
        .before = "data: {\"id\":\"chatcmpl-Bz0123456789abcdefghijklmnop\","
                  "\"object\":\"chat.completion.chunk\",\"created\":"
                  "1760000000,\"model\":\"gpt-4o-mini-2024-07-18\","
                  "\"service_tier\":\"default\",\"system_fingerprint\":"
                  "\"fp_0123456789\",\"choices\":[{\"index\":0,\"delta\":{"
                  "\"content\":\"",
        .middle = "",
        .after = "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
        .closing = "data: {\"id\":\"chatcmpl-Bz0123456789abcdefghijklmnop\","
                   "\"object\":\"chat.completion.chunk\",\"created\":"
                   "1760000000,\"model\":\"gpt-4o-mini-2024-07-18\","
                   "\"choices\":[{\"index\":0,\"delta\":{},"
                   "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    },
    {
        .type = "anthropic",
        .figure = "anthropic_chunk_ratio",
        .opening =
            "event: message_start\ndata: {\"type\":\"message_start\","
            "\"message\":{\"id\":\"msg_0123456789\",\"type\":\"message\","
            "\"role\":\"assistant\",\"model\":\"claude-sonnet-4-5-20250929\","
            "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
            "\"usage\":{\"input_tokens\":10,\"output_tokens\":1}}}\n\n"
            "event: content_block_start\ndata: {\"type\":"
            "\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
            "\"text\",\"text\":\"\"}}\n\n"
            "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        .before = "event: content_block_delta\ndata: {\"type\":"
                  "\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
                  "\"text_delta\",\"text\":\"",
        .middle = "\"}",
        .after = "}\n\n",
        .padded = true, /* as recorded */
        .closing = "event: content_block_stop\ndata: {\"type\":"
                   "\"content_block_stop\",\"index\":0}\n\n"
                   "event: message_delta\ndata: {\"type\":\"message_delta\","
                   "\"delta\":{\"stop_reason\":\"end_turn\","
                   "\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}"
                   "\n\nevent: message_stop\ndata: {\"type\":"
                   "\"message_stop\"}\n\n",
    },
    {
        .type = "gemini",
        .figure = "gemini_chunk_ratio",
        .opening = "",
        .before = "data: {\"candidates\": [{\"content\": {\"parts\": [{"
                  "\"text\": \"",
        .middle = "\"}],\"role\": \"model\"},\"index\": 0}],"
                  "\"usageMetadata\": {\"promptTokenCount\": 277,"
                  "\"candidatesTokenCount\": ",
        .total = ",\"totalTokenCount\": ",
        .after = ",\"promptTokensDetails\": [{\"modality\": \"TEXT\","
                 "\"tokenCount\": 277}],\"thoughtsTokenCount\": 570,"
                 "\"serviceTier\": \"standard\"},\"modelVersion\": "
                 "\"gemini-2.5-flash\",\"responseId\": "
                 "\"StkEarfIJY6_qtsP9tjeuQs\"}\r\n\r\n",
        .closing = "data: {\"candidates\": [{\"content\": {\"parts\": [{"
                   "\"text\": \"\"}],\"role\": \"model\"},"
                   "\"finishReason\": \"STOP\",\"index\": 0}],"
                   "\"modelVersion\": \"gemini-2.5-flash\"}\r\n\r\n",
    },
};

enum { language_count = sizeof(languages) / sizeof(languages[0]) };

/* ---- A stream ------------------------------------------------------------ */

struct stream {
  inf_buf body;
  inf_buf text;        /* what it says */
  size_t *ends, count; /* of its pieces, one for each chunk */
};

static void
add_piece(struct stream *stream, const char *piece)
{
  inf_buf_append_cstr(&stream->body, piece);
  stream->ends[stream->count++] = stream->body.len;
}

/* Pieces are four to twelve bytes long, as tokens are. */
static void
make_stream(struct stream *stream, const struct language *language)
{
  static const char *const words[] = {" the", " ticket",    " was", " answered",
                                      " and", " yesterday", ", so"};
  inf_buf_init(&stream->body, SIZE_MAX);
  inf_buf_init(&stream->text, SIZE_MAX);
  stream->count = 0;
  stream->ends = calloc(chunk_count + 2, sizeof(*stream->ends));
  if (!stream->ends)
    exit(1);
  add_piece(stream, language->opening);
  for (size_t i = 0; i < chunk_count; i++) {
    const char *word = words[i * i % (sizeof(words) / sizeof(words[0]))];
    inf_buf_append_cstr(&stream->body, language->before);
    inf_buf_append_cstr(&stream->body, word);
    inf_buf_append_cstr(&stream->body, language->middle);
    if (language->total)
      inf_buf_appendf(&stream->body, "%zu%s%zu", i + 1, language->total,
                      i + 848);
    if (language->padded)
      inf_buf_append(&stream->body, "               ", i * i % 15);
    add_piece(stream, language->after);
    inf_buf_append_cstr(&stream->text, word);
  }
  add_piece(stream, language->closing);
}

/* ---- Reading it ---------------------------------------------------------- */

static void
on_delta(void *context, const inf_delta *delta)
{
  *(size_t *)context += delta->text.len;
}

static double
cpu_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
feed(inf_decoder *decoder, const struct stream *stream, bool paced)
{
  size_t at = 0, piece = 0;
  while (at < stream->body.len) {
    size_t end = paced ? stream->ends[piece++] : at + read_bytes;
    if (end > stream->body.len)
      end = stream->body.len;
    inf_decoder_feed(decoder, stream->body.ptr + at, end - at);
    at = end;
  }
}

/* Nanoseconds of one chunk. */
static double
measure(const struct language *language, const struct stream *stream,
        bool paced)
{
  inf_answer answer;
  inf_decoder decoder;
  inf_headers headers;
  size_t heard = 0;
  inf_decoder_options options = {
      .kind = inf_provider_kind_find(inf_sv_from(language->type)),
      .stream = true,
      .choices = 1,
      .max_body_bytes = (size_t)64 << 20,
      .max_event_bytes = (size_t)1 << 20,
      .max_depth = 64,
  };
  inf_answer_init(&answer, options.max_body_bytes);
  inf_headers_init(&headers, 1 << 16);
  answer.listener = on_delta;
  answer.listener_context = &heard;
  inf_decoder_init(&decoder, &options, &answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  double start = cpu_ns();
  feed(&decoder, stream, paced);
  double spent = cpu_ns() - start;
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  if (inf_decoder_end(&decoder, true) != INFER_OK || !choice ||
      !inf_sv_eq(inf_buf_sv(&choice->text), inf_buf_sv(&stream->text)) ||
      heard < stream->text.len) {
    fprintf(stderr, "%s: not the answer that was sent\n", language->type);
    exit(1);
  }
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  inf_headers_fini(&headers);
  return spent / chunk_count;
}

/* ---- Comparing ----------------------------------------------------------- */

static int
by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double
median(double *values, int count)
{
  qsort(values, (size_t)count, sizeof(*values), by_value);
  return values[count / 2];
}

static bool
is_there(const struct language *language)
{
  return inf_provider_kind_find(inf_sv_from(language->type)) != NULL;
}

static double spent[language_count][2][max_rounds];

/* The median of the ratios of each round to the first language's, which was
 * measured just before: what slows the machine for longer than that slows both.
 * To be asked before a median puts the rounds in another order. */
static double
median_ratio(int language, int paced, int rounds)
{
  double ratios[max_rounds];
  for (int round = 0; round < rounds; round++)
    ratios[round] = spent[language][paced][round] / spent[0][paced][round];
  return median(ratios, rounds);
}

int
main(int argc, char **argv)
{
  static struct stream streams[language_count];
  int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
  if (rounds < 1 || rounds > max_rounds)
    return 2;
  for (int i = 0; i < language_count; i++)
    if (is_there(&languages[i]))
      make_stream(&streams[i], &languages[i]);
  /* In turn, so that what else the machine does meets all alike. */
  for (int round = 0; round < rounds; round++)
    for (int paced = 0; paced < 2; paced++)
      for (int i = 0; i < language_count; i++)
        if (is_there(&languages[i]))
          spent[i][paced][round] = measure(&languages[i], &streams[i], paced);
  for (int i = 1; i < language_count; i++) {
    if (!is_there(&languages[i]))
      continue;
    double bulk = median_ratio(i, 0, rounds);
    double paced = median_ratio(i, 1, rounds);
    printf("%s %.3f\n", languages[i].figure, bulk > paced ? bulk : paced);
  }
  for (int i = 0; i < language_count; i++)
    if (is_there(&languages[i]))
      printf("# %s: %.1f ns of CPU for a chunk in bulk, %.1f ns chunk by "
             "chunk\n",
             languages[i].type, median(spent[i][0], rounds),
             median(spent[i][1], rounds));
  return 0;
}
