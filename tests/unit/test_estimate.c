/* SPDX-License-Identifier: MIT */
/* The token estimator: exact counts of pieces, what it learns from texts whose
 * tokens are known, what does not confuse it, and what it makes of recorded
 * traffic and of traces, where these are present. */
#include "policy/estimate.h"

#include "base/rng.h"
#include "support/recordings.h"

#include <json-c/json.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { samples_max = 4096 };

/* Relative errors of a series of estimates. */
typedef struct tally {
  double errors[samples_max];
  int count;
  double expected, actual;
} tally;

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void
tally_add(tally *all, uint64_t expected, uint64_t actual)
{
  assert_true(all->count < samples_max);
  all->errors[all->count++] = fabs((double)expected / (double)actual - 1);
  all->expected += (double)expected;
  all->actual += (double)actual;
}

static double
tally_median(tally *all)
{
  assert_true(all->count > 0);
  qsort(all->errors, (size_t)all->count, sizeof *all->errors, compare_doubles);
  return all->errors[all->count / 2];
}

static double
tally_bias(const tally *all)
{
  return all->expected / all->actual - 1;
}

static void
assert_below(double value, double most)
{
  if (!(value <= most))
    fail_msg("%g is above %g", value, most);
}

static inf_estimate_prompt
prompt_of(const char *text)
{
  inf_estimate_prompt prompt = {0};
  inf_estimate_add_text(&prompt, text, strlen(text));
  return prompt;
}

/* ---- Pieces ------------------------------------------------------------- */

static void
test_pieces(void **state)
{
  (void)state;
  static const struct {
    const char *text;
    uint64_t pieces, wide_bytes;
  } cases[] = {
      {"", 0, 0},
      {"word", 58, 0},
      {"two words", 2 * 58, 0},
      {"Capital", 58, 0},
      {"overlong", 58 + 44, 0},
      {"camelCase", 2 * 58, 0},
      {"HTTPServer", 58 + 3 * 44, 0},
      {"1", 77, 0},
      {"123", 77, 0},
      {"1234567", 3 * 77, 0},
      {"a1", 58 + 77, 0},
      {"x == y;", 58 + 56 + 8 + 58 + 56, 0},
      {"a\n\n    b", 58 + 40 + 58, 0},
      {"a    b", 58 + 64 + 58, 0},
      {"a\tb", 58 + 58, 0},
      {"\x01\x7f", 2 * 64, 0},
      {"\xe4\xbd\xa0\xe5\xa5\xbd", 0, 6},
      {"f\xc3\xbcr", 58 + 58, 2},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    inf_estimate_prompt prompt = prompt_of(cases[i].text);
    if (prompt.pieces != cases[i].pieces ||
        prompt.wide_bytes != cases[i].wide_bytes)
      fail_msg("\"%s\": %llu pieces, %llu wide bytes", cases[i].text,
               (unsigned long long)prompt.pieces,
               (unsigned long long)prompt.wide_bytes);
  }
}

static void
test_before_the_first_answer(void **state)
{
  (void)state;
  inf_estimate estimate = {0};
  inf_estimate_prompt prompt = {0};
  assert_int_equal(inf_estimate_input(&estimate, &prompt), 8);
  inf_estimate_add_bytes(&prompt, 4000);
  assert_int_equal(inf_estimate_input(&estimate, &prompt), 1008);
  inf_estimate_add_message(&prompt);
  assert_int_equal(inf_estimate_input(&estimate, &prompt), 1012);
  prompt.known_tokens = 765;
  assert_int_equal(inf_estimate_input(&estimate, &prompt), 1777);
  prompt.has_tools = 1;
  assert_int_equal(inf_estimate_input(&estimate, &prompt), 1807);
}

/* ---- Texts whose tokens are known --------------------------------------- */

typedef struct sample {
  char kind[16];
  inf_estimate_prompt prompt;
  uint64_t tokens[2]; /* by two tokenizers */
} sample;

typedef struct corpus {
  sample samples[256];
  int count;
} corpus;

static int
load(void **state)
{
  static corpus loaded;
  json_object *file =
      json_object_from_file(INFER_SOURCE_DIR "/tests/unit/token_samples.json");
  json_object *list = json_object_object_get(file, "samples");
  loaded.count = (int)json_object_array_length(list);
  for (int i = 0; i < loaded.count; i++) {
    json_object *at = json_object_array_get_idx(list, (size_t)i);
    sample *to = &loaded.samples[i];
    json_object *text = json_object_object_get(at, "text");
    snprintf(to->kind, sizeof to->kind, "%s",
             json_object_get_string(json_object_object_get(at, "kind")));
    inf_estimate_add_text(&to->prompt, json_object_get_string(text),
                          (size_t)json_object_get_string_len(text));
    to->tokens[0] = json_object_get_uint64(json_object_object_get(at, "o200k"));
    to->tokens[1] =
        json_object_get_uint64(json_object_object_get(at, "cl100k"));
  }
  json_object_put(file);
  *state = &loaded;
  return 0;
}

/* A request made of a few samples, so that requests differ in length. */
static sample
draw(const corpus *from, inf_rng *rng, const char *kind)
{
  sample drawn = {0};
  uint64_t parts = inf_rng_between(rng, 1, 8);
  while (parts > 0) {
    const sample *at =
        &from->samples[inf_rng_below(rng, (uint64_t)from->count)];
    if (kind && strcmp(at->kind, kind) != 0)
      continue;
    drawn.prompt.pieces += at->prompt.pieces;
    drawn.prompt.wide_bytes += at->prompt.wide_bytes;
    drawn.tokens[0] += at->tokens[0];
    drawn.tokens[1] += at->tokens[1];
    parts--;
  }
  return drawn;
}

/* Estimates and learns `count` requests; those from the 21st answer of the
 * model on are counted. */
static void
play(const corpus *from, inf_rng *rng, inf_estimate *estimate, tally *all,
     int count, const char *kind, int tokenizer, uint64_t framing)
{
  for (int i = 0; i < count; i++) {
    sample drawn = draw(from, rng, kind);
    uint64_t actual = drawn.tokens[tokenizer] + framing;
    if (estimate->answers >= 20)
      tally_add(all, inf_estimate_input(estimate, &drawn.prompt), actual);
    inf_estimate_learn_input(estimate, &drawn.prompt, actual);
  }
}

static void
test_good_after_20_answers(void **state)
{
  static const uint64_t framings[] = {0, 7, 350, 2000};
  for (int tokenizer = 0; tokenizer < 2; tokenizer++) {
    for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
      inf_estimate estimate = {0};
      tally all = {0};
      inf_rng rng;
      inf_rng_seed(&rng, 1);
      play(*state, &rng, &estimate, &all, 300, NULL, tokenizer, framings[i]);
      assert_below(tally_median(&all), 0.05);
      assert_below(fabs(tally_bias(&all)), 0.03);
    }
  }
}

/* What is asked changes every 25 requests: from prose to code, to Chinese... */
static void
test_change_of_the_mix(void **state)
{
  static const char *const kinds[] = {"prose", "c",      "chinese", "json",
                                      "table", "german", "prose",   "chinese"};
  for (int tokenizer = 0; tokenizer < 2; tokenizer++) {
    inf_estimate estimate = {0};
    tally all = {0};
    inf_rng rng;
    inf_rng_seed(&rng, 2);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
      tally first = {0};
      play(*state, &rng, &estimate, &first, 5, kinds[i], tokenizer, 20);
      /* Before anything can be learned of the new mix. */
      if (i > 0)
        assert_below(fabs(tally_bias(&first)), 0.2);
      play(*state, &rng, &estimate, &all, 20, kinds[i], tokenizer, 20);
    }
    assert_below(tally_median(&all), 0.1);
    assert_below(fabs(tally_bias(&all)), 0.05);
  }
}

/* One answer in four is nonsense: no usage, only what was not cached, a number
 * of another request, characters for tokens. */
static void
test_outliers(void **state)
{
  static const double wrong[] = {0.02, 0.3, 0.1, 4, 0.02, 0, 1e6};
  const corpus *from = *state;
  inf_estimate estimate = {0};
  tally all = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 3);
  for (int i = 0; i < 400; i++) {
    sample drawn = draw(from, &rng, NULL);
    uint64_t actual = drawn.tokens[0] + 10, said = actual;
    if (i >= 20)
      tally_add(&all, inf_estimate_input(&estimate, &drawn.prompt), actual);
    if (i % 4 == 3)
      said = (uint64_t)((double)actual * wrong[i / 4 % 7]);
    inf_estimate_learn_input(&estimate, &drawn.prompt, said);
  }
  assert_below(tally_median(&all), 0.05);
  assert_below(fabs(tally_bias(&all)), 0.04);
}

/* The provider puts another tokenizer behind the name: half as many tokens. */
static void
test_another_tokenizer(void **state)
{
  const corpus *from = *state;
  inf_estimate estimate = {0};
  tally all = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 4);
  for (int i = 0; i < 200; i++) {
    sample drawn = draw(from, &rng, NULL);
    uint64_t actual = i < 100 ? drawn.tokens[0] : drawn.tokens[0] / 2;
    if (i >= 120)
      tally_add(&all, inf_estimate_input(&estimate, &drawn.prompt), actual);
    inf_estimate_learn_input(&estimate, &drawn.prompt, actual);
  }
  assert_below(tally_median(&all), 0.1);
  assert_below(fabs(tally_bias(&all)), 0.05);
}

/* Requests with and without tools alternate, and tools cost 350 tokens. */
static void
test_tools(void **state)
{
  const corpus *from = *state;
  inf_estimate estimate = {0};
  tally all = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 5);
  for (int i = 0; i < 200; i++) {
    sample drawn = draw(from, &rng, NULL);
    drawn.prompt.has_tools = (uint8_t)inf_rng_below(&rng, 2);
    uint64_t actual = drawn.tokens[0] + (drawn.prompt.has_tools ? 350 : 0);
    if (i >= 20)
      tally_add(&all, inf_estimate_input(&estimate, &drawn.prompt), actual);
    inf_estimate_learn_input(&estimate, &drawn.prompt, actual);
  }
  assert_below(tally_median(&all), 0.05);
  assert_below(fabs(tally_bias(&all)), 0.03);
}

/* Where only the length is known, bytes per token are learned. */
static void
test_lengths_alone(void **state)
{
  (void)state;
  inf_estimate estimate = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 6);
  tally all = {0};
  for (int i = 0; i < 100; i++) {
    inf_estimate_prompt prompt = {0};
    uint64_t bytes = inf_rng_between(&rng, 100, 20000);
    inf_estimate_add_bytes(&prompt, bytes);
    uint64_t actual = bytes * 10 / 25 + 30;
    if (i >= 20)
      tally_add(&all, inf_estimate_input(&estimate, &prompt), actual);
    inf_estimate_learn_input(&estimate, &prompt, actual);
  }
  assert_below(tally_median(&all), 0.02);
  assert_below(fabs(tally_bias(&all)), 0.02);
}

/* Images are known otherwise: they teach nothing about text. */
static void
test_known_tokens(void **state)
{
  (void)state;
  inf_estimate estimate = {0};
  inf_estimate_prompt prompt = {0};
  inf_estimate_add_bytes(&prompt, 4000);
  prompt.known_tokens = 5000;
  for (int i = 0; i < 50; i++)
    inf_estimate_learn_input(&estimate, &prompt, 6000);
  prompt.known_tokens = 0;
  assert_in_range(inf_estimate_input(&estimate, &prompt), 990, 1010);
  /* Less than the image alone says nothing. */
  prompt.known_tokens = 5000;
  inf_estimate before = estimate;
  inf_estimate_learn_input(&estimate, &prompt, 4000);
  inf_estimate_learn_input(&estimate, &prompt, 5000);
  inf_estimate_learn_input(&estimate, &prompt, 0);
  assert_memory_equal(&before, &estimate, sizeof before);
}

static void
test_any_number(void **state)
{
  (void)state;
  static const uint64_t numbers[] = {0,          1,          1000,
                                     1ull << 40, 1ull << 63, UINT64_MAX};
  enum { count = sizeof numbers / sizeof *numbers };
  inf_estimate estimate = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 7);
  for (int i = 0; i < 20000; i++) {
    inf_estimate_prompt prompt = {
        .pieces = numbers[inf_rng_below(&rng, count)],
        .wide_bytes = numbers[inf_rng_below(&rng, count)],
        .known_tokens = numbers[inf_rng_below(&rng, count)],
        .has_tools = (uint8_t)inf_rng_below(&rng, 2),
    };
    uint64_t tokens = numbers[inf_rng_below(&rng, count)];
    inf_estimate_learn_input(&estimate, &prompt, tokens);
    inf_estimate_learn_output(&estimate, numbers[i % count], tokens);
    assert_in_range(inf_estimate_input(&estimate, &prompt), 1, 1ull << 40);
    assert_in_range(inf_estimate_output(&estimate, tokens), 1, 1ull << 20);
  }
  inf_estimate_prompt prompt = {0};
  inf_estimate_add_bytes(&prompt, UINT64_MAX);
  assert_in_range(inf_estimate_input(&estimate, &prompt), 1, 1ull << 40);
}

/* ---- Output ------------------------------------------------------------- */

static void
test_output_before_the_first_answer(void **state)
{
  (void)state;
  inf_estimate estimate = {0};
  assert_int_equal(inf_estimate_output(&estimate, 0), 512);
  assert_int_equal(inf_estimate_output(&estimate, 100), 100);
  assert_int_equal(inf_estimate_output(&estimate, 100000), 512);
  assert_int_equal(inf_estimate_mean_output(&estimate, 0), 211);
}

/* Of lengths spread evenly from 1 to 1000 four fifths are below 800. */
static void
test_output_quantile(void **state)
{
  (void)state;
  inf_estimate estimate = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 8);
  for (int i = 0; i < 500; i++)
    inf_estimate_learn_output(&estimate, 0, inf_rng_between(&rng, 1, 1000));
  assert_in_range(inf_estimate_output(&estimate, 0), 700, 900);
  assert_in_range(inf_estimate_mean_output(&estimate, 0), 440, 560);
  assert_int_equal(inf_estimate_mean_output(&estimate, 100), 100);
  /* Of another class nothing is known: the same, as far as it goes. */
  assert_int_equal(inf_estimate_output(&estimate, 200), 200);
  for (int i = 0; i < 8; i++)
    inf_estimate_learn_output(&estimate, 200, 20);
  assert_in_range(inf_estimate_output(&estimate, 200), 16, 32);
  assert_in_range(inf_estimate_output(&estimate, 0), 700, 900);
  /* It follows a change within its 128 answers. */
  for (int i = 0; i < 300; i++)
    inf_estimate_learn_output(&estimate, 0, inf_rng_between(&rng, 1, 100));
  assert_in_range(inf_estimate_output(&estimate, 0), 70, 100);
}

/* Each length that is always the same is found again, within its bin. */
static void
test_output_bins(void **state)
{
  (void)state;
  for (uint64_t tokens = 1; tokens < 30000; tokens += 1 + tokens / 7) {
    inf_estimate estimate = {0};
    for (int i = 0; i < 200; i++)
      inf_estimate_learn_output(&estimate, 0, tokens);
    uint64_t low = tokens < 32 ? 1 : tokens * 4 / 5;
    uint64_t high = tokens < 32 ? 32 : tokens * 5 / 4 + 1;
    assert_in_range(inf_estimate_output(&estimate, 0), low, high);
  }
}

/* ---- Traces and recordings ---------------------------------------------- */

static const char *
shared_path(char *path, size_t size, const char *name)
{
  char root[2048];
  DIR *dir = recordings_open(root, sizeof root);
  if (!dir)
    return NULL;
  closedir(dir);
  snprintf(path, size, "%s/%s", root, name);
  return path;
}

/* Of the answers in a trace four of five fit the reservation, and together
 * they need less than is reserved. */
static void
check_trace(const char *name)
{
  char path[4096], line[256];
  FILE *file = shared_path(path, sizeof path, name) ? fopen(path, "r") : NULL;
  if (!file) {
    print_message("SKIP: no traces (set INFER_SHARED)\n");
    skip();
  }
  inf_estimate estimate = {0};
  unsigned total = 0, fits = 0;
  double reserved = 0, used = 0;
  while (fgets(line, sizeof line, file)) {
    const char *comma = strrchr(line, ',');
    uint64_t tokens = comma ? strtoull(comma + 1, NULL, 10) : 0;
    if (tokens == 0)
      continue; /* the heading */
    uint64_t expected = inf_estimate_output(&estimate, 0);
    inf_estimate_learn_output(&estimate, 0, tokens);
    total++;
    fits += tokens <= expected;
    reserved += (double)expected;
    used += (double)tokens;
  }
  fclose(file);
  print_message("%s: %.3f fit, reserved %.2f times what was used\n", name,
                (double)fits / total, reserved / used);
  assert_true(fits > 0.75 * total && fits < 0.85 * total);
  assert_true(reserved > used);
}

static void
test_trace_of_conversations(void **state)
{
  (void)state;
  check_trace("../traces/AzureLLMInferenceTrace_conv_2023.csv");
}

static void
test_trace_of_code(void **state)
{
  (void)state;
  check_trace("../traces/AzureLLMInferenceTrace_code_2023.csv");
}

/* A recorded request of which the usage is known. */
typedef struct recorded {
  char model[64];
  inf_estimate_prompt prompt;
  uint64_t bytes, tokens;
} recorded;

/* All text under a member, not the names of types and roles. */
static void
add_texts(recorded *to, json_object *value, const char *name)
{
  if (json_object_is_type(value, json_type_string)) {
    if (strcmp(name, "type") == 0 || strcmp(name, "role") == 0 ||
        strcmp(name, "id") == 0)
      return;
    inf_estimate_add_text(&to->prompt, json_object_get_string(value),
                          (size_t)json_object_get_string_len(value));
    to->bytes += (uint64_t)json_object_get_string_len(value);
  } else if (json_object_is_type(value, json_type_array)) {
    for (size_t i = 0; i < json_object_array_length(value); i++)
      add_texts(to, json_object_array_get_idx(value, i), name);
  } else if (json_object_is_type(value, json_type_object)) {
    json_object_object_foreach(value, key, member) add_texts(to, member, key);
  }
}

static json_object *
read_json(const char *root, const char *name, const char *file)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s/%s", root, name, file);
  return json_object_from_file(path);
}

/* Nothing that is not text, and no tools that the provider runs. */
static bool
read_recorded(recorded *to, json_object *request, json_object *expected)
{
  json_object *body = json_object_object_get(request, "body");
  json_object *messages = json_object_object_get(body, "messages");
  json_object *model = json_object_object_get(body, "model");
  json_object *usage = json_object_object_get(expected, "usage");
  int64_t tokens =
      json_object_get_int64(json_object_object_get(usage, "input"));
  json_object *tools = json_object_object_get(body, "tools");
  const char *text = json_object_get_string(messages);
  if (!messages || !model || tokens <= 0 ||
      (tools && strstr(json_object_get_string(tools), "_20")) ||
      strstr(text, "image") || strstr(text, "base64") ||
      strstr(text, "audio") || strstr(text, "file"))
    return false;
  snprintf(to->model, sizeof to->model, "%s", json_object_get_string(model));
  to->tokens = (uint64_t)tokens;
  for (size_t i = 0; i < json_object_array_length(messages); i++)
    inf_estimate_add_message(&to->prompt);
  add_texts(to, messages, "messages");
  add_texts(to, json_object_object_get(body, "system"), "system");
  if (tools) {
    const char *json =
        json_object_to_json_string_ext(tools, JSON_C_TO_STRING_PLAIN);
    inf_estimate_add_text(&to->prompt, json, strlen(json));
    to->bytes += strlen(json);
    to->prompt.has_tools = 1;
  }
  return true;
}

static int
compare_recorded(const void *a, const void *b)
{
  const recorded *x = a, *y = b;
  int by_model = strcmp(x->model, y->model);
  if (by_model != 0)
    return by_model;
  return (x->tokens > y->tokens) - (x->tokens < y->tokens);
}

/* These are short questions of test suites, five or six of a model, so this
 * shows only that the first answers of a model already help. */
static void
test_recordings(void **state)
{
  (void)state;
  static recorded all[samples_max];
  char root[2048];
  DIR *dir = recordings_open(root, sizeof root);
  size_t count = 0;
  for (struct dirent *at; dir && (at = readdir(dir));) {
    json_object *request = read_json(root, at->d_name, "request.json");
    json_object *expected = read_json(root, at->d_name, "expected.json");
    all[count] = (recorded){0};
    if (count + 1 < samples_max && request && expected)
      count += read_recorded(&all[count], request, expected);
    json_object_put(request);
    json_object_put(expected);
  }
  if (dir)
    closedir(dir);
  if (count == 0) {
    print_message("SKIP: no recordings (set INFER_SHARED)\n");
    skip();
  }
  qsort(all, count, sizeof *all, compare_recorded);
  inf_estimate estimate = {0};
  tally ours = {0}, bytes = {0};
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && strcmp(all[i].model, all[i - 1].model) != 0)
      estimate = (inf_estimate){0};
    if (estimate.answers >= 4) {
      tally_add(&ours, inf_estimate_input(&estimate, &all[i].prompt),
                all[i].tokens);
      tally_add(&bytes, all[i].bytes / 4 + 1, all[i].tokens);
    }
    inf_estimate_learn_input(&estimate, &all[i].prompt, all[i].tokens);
  }
  double median = tally_median(&ours), median_bytes = tally_median(&bytes);
  print_message("%d of %zu recordings, after 4 answers: median error %.3f, "
                "bias %.3f; by four bytes a token %.3f, %.3f\n",
                ours.count, count, median, tally_bias(&ours), median_bytes,
                tally_bias(&bytes));
  assert_below(median, median_bytes);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces),
      cmocka_unit_test(test_before_the_first_answer),
      cmocka_unit_test(test_good_after_20_answers),
      cmocka_unit_test(test_change_of_the_mix),
      cmocka_unit_test(test_outliers),
      cmocka_unit_test(test_another_tokenizer),
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_lengths_alone),
      cmocka_unit_test(test_known_tokens),
      cmocka_unit_test(test_any_number),
      cmocka_unit_test(test_output_before_the_first_answer),
      cmocka_unit_test(test_output_quantile),
      cmocka_unit_test(test_output_bins),
      cmocka_unit_test(test_trace_of_conversations),
      cmocka_unit_test(test_trace_of_code),
      cmocka_unit_test(test_recordings),
  };
  return cmocka_run_group_tests(tests, load, NULL);
}
