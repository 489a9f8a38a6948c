/* SPDX-License-Identifier: MIT */
/* gemini_recordings [FOLDER]: what holds of Gemini's recorded answers beside
 * what they mean. A stream that is cut anywhere before its first finish reason
 * is no success. And the message of each answer, sent again, is taken, with as
 * many signatures as came. Exit code 1 if not so, 77 without recordings. */
#include "conformance/kinds.h"
#include "infer/infer.h"
#include "wire/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)64 << 20)
/* Longer bodies are not cut at every byte. */
#define CUT_EACH_BYTE 20000

struct totals {
  unsigned streams, cuts, answers, signatures, failed;
};

static size_t
count_of(inf_sv text, const char *word)
{
  size_t count = 0, len = strlen(word);
  for (size_t i = 0; i + len <= text.len; i++)
    count += memcmp(text.ptr + i, word, len) == 0;
  return count;
}

static inf_decoder_options
options_of(const test_case *test)
{
  return (inf_decoder_options){
      .kind = test_provider_kind(test_kind_of(test)),
      .stream = test_asks_for_stream(test),
      .choices = 1,
      .max_body_bytes = MAX_BYTES,
      .max_event_bytes = MAX_BYTES,
      .max_depth = 128,
  };
}

/* The answer of so many bytes of the body. */
static int32_t
decode(const test_case *test, size_t len, inf_decoder *decoder,
       inf_answer *answer)
{
  inf_decoder_options options = options_of(test);
  inf_answer_reuse(answer, MAX_BYTES);
  inf_decoder_reuse(decoder, &options, answer);
  inf_decoder_headers(decoder, test->status, &test->headers, 0);
  inf_decoder_feed(decoder, test->body.ptr, len);
  return inf_decoder_end(decoder, len == test->body.len);
}

static void
cut(const test_case *test, inf_decoder *decoder, inf_answer *answer,
    struct totals *totals)
{
  static const char reason[] = "finishReason";
  const char *first =
      memmem(test->body.ptr, test->body.len, reason, sizeof reason - 1);
  /* What is cut within the word does not have it yet. */
  size_t end = first ? (size_t)(first - test->body.ptr) + sizeof reason - 1
                     : test->body.len;
  size_t step = test->body.len > CUT_EACH_BYTE ? 101 : 1;
  for (size_t len = 0; len < end; len += step) {
    totals->cuts++;
    if (decode(test, len, decoder, answer) != INFER_OK)
      continue;
    printf("FAIL %s: a success at %zu of %zu bytes\n", test->name, len,
           test->body.len);
    totals->failed++;
  }
  totals->streams++;
}

static int32_t
write_back(const test_case *test, const inf_answer *answer,
           inf_wire_request *out, inf_buf *why)
{
  inf_buf json;
  inf_chat chat;
  inf_buf_init(&json, SIZE_MAX);
  inf_chat_init(&chat);
  inf_buf_append_cstr(&json, "{\"model\":\"gemini-2.5-pro\",\"messages\":[");
  inf_answer_write_message(answer, 0, &json);
  inf_buf_append_cstr(&json, "]}");
  int32_t status = inf_chat_from_json(&chat, inf_buf_sv(&json), NULL, NULL);
  inf_send send = {.kind = test_provider_kind(test_kind_of(test)),
                   .base_url = INF_SV("http://h"),
                   .auth_scheme = INF_SV("Bearer"),
                   .key = INF_SV("k"),
                   .body_members = INF_SV("{}"),
                   .model = inf_buf_sv(&chat.model),
                   .chat = &chat,
                   .prefill = INF_PREFILL_NONE};
  if (status == INFER_OK)
    status = send.kind->dialect->write_chat(&send, out, why);
  inf_chat_fini(&chat);
  inf_buf_fini(&json);
  return status;
}

static void
send_back(const test_case *test, const inf_answer *answer,
          struct totals *totals)
{
  inf_wire_request out;
  inf_buf why;
  inf_wire_request_init(&out);
  inf_buf_init(&why, SIZE_MAX);
  int32_t status = write_back(test, answer, &out, &why);
  size_t came = count_of(inf_buf_sv(&test->body), "\"thoughtSignature\"");
  size_t sent = count_of(inf_buf_sv(&out.body), "\"thoughtSignature\"");
  totals->answers++;
  totals->signatures += (unsigned)sent;
  if (status != INFER_OK || came != sent) {
    printf("FAIL %s: %s %s, %zu signatures came, %zu went back\n", test->name,
           infer_status_name(status), inf_buf_cstr(&why), came, sent);
    totals->failed++;
  }
  inf_wire_request_fini(&out);
  inf_buf_fini(&why);
}

static void
on_case(const test_case *test, void *context)
{
  inf_answer answer;
  inf_decoder decoder;
  if (strcmp(test_member(test->meta, "api"), "gemini") != 0 ||
      test->status != 200)
    return;
  inf_decoder_options options = options_of(test);
  inf_answer_init(&answer, MAX_BYTES);
  inf_decoder_init(&decoder, &options, &answer);
  if (options.stream)
    cut(test, &decoder, &answer, context);
  if (decode(test, test->body.len, &decoder, &answer) == INFER_OK)
    send_back(test, &answer, context);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
}

int
main(int argc, char **argv)
{
  struct totals totals = {0};
  char *folder =
      argc > 1 ? strdup(argv[1]) : test_shared_folder("data/recordings");
  if (!folder) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  long found = test_for_each_case(folder, on_case, &totals);
  free(folder);
  printf("%u streams cut %u times, %u answers sent back with %u signatures; "
         "%u failed\n",
         totals.streams, totals.cuts, totals.answers, totals.signatures,
         totals.failed);
  return found < 0 ? 2 : totals.failed > 0;
}
