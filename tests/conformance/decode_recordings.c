/* SPDX-License-Identifier: MIT */
/* decode_recordings [FOLDER]: decodes every recorded response in the folder
 * (default: recordings/ of the shared data) whose dialect there is, and
 * compares it with its expected.json - whole, byte by byte and as the network
 * delivered it, with and without the short way for chunks that are alike. All
 * of these must give the same answer to the byte. Exit code 1 if one differs,
 * 77 without recordings. */
#include "conformance/cases.h"
#include "conformance/expect.h"
#include "conformance/kinds.h"
#include "conformance/tally.h"
#include "base/error.h"
#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)64 << 20)

/* Recordings whose expected.json is wrong, with the reason. */
struct known_wrong {
  const char *name, *reason;
};

static const struct known_wrong wrong[] = {
    {NULL, NULL},
};

struct totals {
  case_tally tally;
  unsigned events, skipped_events;
  const char *only; /* part of a name, or NULL */
  bool show_classes;
};

/* ---- One way of decoding ------------------------------------------------- */

struct way {
  const char *name;
  size_t step;      /* 0: whole */
  bool as_recorded; /* sizes of chunks.json */
  bool no_guess;
};

static const struct way ways[] = {
    {"whole", 0, false, false},
    {"whole, every chunk in full", 0, false, true},
    {"byte by byte", 1, false, false},
    {"byte by byte, every chunk in full", 1, false, true},
    {"7 bytes at a time", 7, false, false},
    {"as recorded", 0, true, false},
};

struct run {
  inf_answer answer;
  inf_decoder decoder;
  int32_t status;
  inf_buf json;
  inf_buf heard; /* the text that the listener was told, choice 0 */
};

static void
on_delta(void *context, const inf_delta *delta)
{
  struct run *run = context;
  if (delta->kind == INF_DELTA_TEXT && delta->choice == 0)
    inf_buf_append_sv(&run->heard, delta->text);
}

static int32_t
feed(struct run *run, const test_case *test, const struct way *way)
{
  const char *ptr = test->body.ptr;
  size_t left = test->body.len;
  int32_t status = INFER_OK;
  for (size_t i = 0; left > 0 && status != INF_DECODER_DONE; i++) {
    size_t len = way->step > 0 && way->step < left ? way->step : left;
    if (way->as_recorded && i < json_object_array_length(test->chunks)) {
      json_object *size = json_object_array_get_idx(test->chunks, i);
      size_t wanted = (size_t)json_object_get_int64(size);
      len = wanted < left ? wanted : left;
    }
    status = inf_decoder_feed(&run->decoder, ptr, len);
    ptr += len;
    left -= len;
  }
  return inf_decoder_end(&run->decoder, true);
}

static void
run_init(struct run *run, const test_case *test, const struct way *way)
{
  json_object *n = NULL;
  if (test->request)
    json_object_object_get_ex(test->request, "n", &n);
  inf_decoder_options options = {
      .kind = test_provider_kind(test_kind_of(test)),
      .stream = test_asks_for_stream(test),
      .choices = n ? (uint32_t)json_object_get_int(n) : 1,
      .max_body_bytes = MAX_BYTES,
      .max_event_bytes = MAX_BYTES,
      .max_depth = 128,
      .no_guess = way->no_guess,
  };
  inf_answer_init(&run->answer, MAX_BYTES);
  inf_buf_init(&run->json, SIZE_MAX);
  inf_buf_init(&run->heard, SIZE_MAX);
  run->answer.listener = on_delta;
  run->answer.listener_context = run;
  inf_decoder_init(&run->decoder, &options, &run->answer);
  inf_decoder_headers(&run->decoder, test->status, &test->headers, 0);
  run->status = feed(run, test, way);
  inf_answer_write_json(&run->answer, &run->json);
}

static void
run_fini(struct run *run)
{
  inf_decoder_fini(&run->decoder);
  inf_answer_fini(&run->answer);
  inf_buf_fini(&run->json);
  inf_buf_fini(&run->heard);
}

/* ---- Comparing ----------------------------------------------------------- */

static const char *
end_of(const struct run *run)
{
  const inf_choice *choice = inf_answer_choice(&run->answer, 0);
  if (run->decoder.terminated)
    return "terminator";
  if ((choice && choice->finish_reason.len > 0) ||
      run->status == INFER_E_CONTENT_FILTER)
    return "finish_reason";
  if (run->status == INFER_OK)
    return "terminator";
  return run->status == INFER_E_TRUNCATED ? "eof" : "error";
}

static expect_actual
actual_of(const struct run *run, const test_case *test)
{
  const inf_answer *answer = &run->answer;
  const inf_failure *failure = &run->decoder.failure;
  const inf_choice *choice = inf_answer_choice(answer, 0);
  const inf_usage *usage = &answer->usage;
  expect_actual actual = {
      .body = inf_buf_sv(&test->body),
      .json = answer->choice_count > 0 ? inf_buf_sv(&run->json) : INF_SV(""),
      .choices = answer->choice_count,
      .usage = {usage->input, usage->output, usage->reasoning,
                usage->cache_read, usage->cache_write, usage->total,
                usage->audio_input, usage->audio_output},
      .usage_estimated = usage->estimated,
      .status = run->status,
      .http_status = failure->http_status,
      .body_status = failure->body_status,
      .type = inf_buf_sv(&failure->type),
      .code = inf_buf_sv(&failure->code),
      .param = inf_buf_sv(&failure->param),
      .message = inf_buf_sv(&failure->message),
      .end = end_of(run),
  };
  if (choice) {
    actual.text = inf_buf_sv(&choice->text);
    actual.reasoning = inf_buf_sv(&choice->reasoning);
    actual.refusal = inf_buf_sv(&choice->refusal);
    actual.native_finish_reason = inf_buf_sv(&choice->native_finish_reason);
    actual.tool_calls = choice->tool_call_count;
  }
  return actual;
}

static bool
is_known_wrong(const char *name)
{
  for (const struct known_wrong *known = wrong; known->name; known++) {
    if (strcmp(known->name, name) == 0)
      return true;
  }
  return false;
}

static bool
try_way(const test_case *test, const struct way *way, inf_buf *first,
        inf_buf *why, struct totals *totals)
{
  struct run run;
  bool same = true;
  run_init(&run, test, way);
  expect_actual actual = actual_of(&run, test);
  test_usage_as_recorded(test_kind_of(test), actual.usage);
  if (!is_known_wrong(test->name))
    same = expect_compare(test->expected, &actual, why);
  if (!inf_sv_eq(inf_buf_sv(&run.heard), actual.text)) {
    inf_buf_appendf(why, "the events' text differs from the answer's\n");
    same = false;
  }
  if (way == &ways[0]) {
    inf_buf_append_sv(first, inf_buf_sv(&run.json));
    totals->events += (unsigned)run.decoder.events;
    totals->skipped_events += (unsigned)run.decoder.skipped_events;
    if (totals->show_classes && run.status != INFER_OK)
      printf("%-36s %d %s: %.60s\n", test->name, test->status,
             inf_status_find(run.status)->name,
             inf_buf_cstr(&run.decoder.failure.message));
  } else if (!inf_sv_eq(inf_buf_sv(first), inf_buf_sv(&run.json))) {
    inf_buf_appendf(why, "the JSON differs from that of the first way\n");
    same = false;
  }
  run_fini(&run);
  return same;
}

static void
on_case(const test_case *test, void *context)
{
  struct totals *totals = context;
  inf_buf first, why;
  bool passed = true;
  if ((totals->only && !strstr(test->name, totals->only)) ||
      !tally_takes(&totals->tally, test, test_kind_of(test)))
    return;
  inf_buf_init(&first, SIZE_MAX);
  inf_buf_init(&why, 1 << 16);
  for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
    if (ways[i].as_recorded && !test->chunks)
      continue;
    size_t told = why.len;
    if (!try_way(test, &ways[i], &first, &why, totals)) {
      printf("FAIL %s, %s\n%s", test->name, ways[i].name,
             inf_buf_cstr(&why) + told);
      passed = false;
    }
  }
  tally_add(&totals->tally, test, passed, inf_buf_cstr(&why));
  inf_buf_fini(&first);
  inf_buf_fini(&why);
}

int
main(int argc, char **argv)
{
  static struct totals totals;
  char *folder =
      argc > 1 ? strdup(argv[1]) : test_shared_folder("data/recordings");
  totals.only = getenv("INFER_CASE");
  totals.show_classes = getenv("INFER_SHOW_CLASSES") != NULL;
  if (!folder) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  long found = test_for_each_case(folder, on_case, &totals);
  free(folder);
  if (found < 0) {
    fprintf(stderr, "the folder cannot be read\n");
    return 2;
  }
  for (const struct known_wrong *known = wrong; known->name; known++)
    printf("not compared: %s: %s\n", known->name, known->reason);
  printf("%u events, %u skipped\n", totals.events, totals.skipped_events);
  tally_print(&totals.tally);
  return totals.tally.failed > 0 || totals.tally.cases == 0;
}
