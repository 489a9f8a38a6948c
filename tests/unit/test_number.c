/* SPDX-License-Identifier: MIT */
/* Numbers: exact integers, correctly rounded doubles, shortest output, and
 * all of it in whatever locale is set. */
#include "base/rng.h"
#include "wire/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct scan_case {
  const char *text;
  size_t len, stop;
} scan_case;

static const scan_case scans[] = {
    {"0", 1, 1},      {"-0", 2, 2},      {"12abc", 2, 2}, {"01", 1, 1},
    {"1.", 0, 2},     {"1.x", 0, 2},     {"1.5", 3, 3},   {"1.5.5", 3, 3},
    {"-", 0, 1},      {"", 0, 0},        {"x", 0, 0},     {"+1", 0, 0},
    {".5", 0, 0},     {"1e", 0, 2},      {"1e+", 0, 3},   {"1e+5", 4, 4},
    {"1E-05x", 5, 5}, {"-1.25e9", 7, 7}, {"0.0", 3, 3},   {"1,2", 1, 1},
    {"0x10", 1, 1},   {"--1", 0, 1},     {"1e1.5", 3, 3},
};

static void
test_scan(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(scans); i++) {
    size_t stop = 99;

    assert_int_equal(
        inf_number_scan(scans[i].text, strlen(scans[i].text), &stop),
        scans[i].len);
    assert_int_equal(stop, scans[i].stop);
  }
}

typedef struct int_case {
  const char *text;
  int64_t number;
} int_case;

static const int_case ints[] = {
    {"0", 0},
    {"-0", 0},
    {"0.000", 0},
    {"0e999999999999999999999", 0},
    {"12", 12},
    {"-12", -12},
    {"12.0", 12},
    {"1e3", 1000},
    {"1.5e1", 15},
    {"150e-1", 15},
    {"-2.50e+2", -250},
    {"9223372036854775807", INT64_MAX},
    {"-9223372036854775808", INT64_MIN},
    {"9223372036854775807.000", INT64_MAX},
    {"9.223372036854775807e18", INT64_MAX},
    {"922337203685477580700e-2", INT64_MAX},
    {"9007199254740993", 9007199254740993},
    {"1400000000000000001", 1400000000000000001},
    {"1e18", 1000000000000000000},
    {"0.00000000000000000000000000000000000000000001e44", 1},
    {"1000000000000000000000000000000000000000000e-42", 1},
    {"10000000000000000000000000000000000000000000000e-46", 1},
};

static const char *const no_ints[] = {
    "9223372036854775808",
    "-9223372036854775809",
    "9223372036854767616000",
    "18446744073709551616",
    "18446744073709551615",
    "36893488147419103232",
    "1e19",
    "1e999999999999999999999",
    "1e-1",
    "0.5",
    "1.5",
    "12.01",
    "1e-999999999999999999999",
    "-0.1e0",
    "",
    "-",
    "1.",
    " 1",
    "1 ",
    "+1",
    "01",
    "0x1",
    "1e",
    "nan",
    "\"1\"",
};

static void
test_int64(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(ints); i++) {
    int64_t number = 77;

    if (!inf_number_to_int64(inf_sv_from(ints[i].text), &number) ||
        number != ints[i].number)
      fail_msg("%s", ints[i].text);
  }
  for (size_t i = 0; i < COUNT(no_ints); i++) {
    int64_t number = 77;

    if (inf_number_to_int64(inf_sv_from(no_ints[i]), &number))
      fail_msg("%s", no_ints[i]);
    assert_int_equal(number, 77);
  }
  assert_false(inf_number_to_int64(inf_sv_of(NULL, 0), &(int64_t){0}));
}

static void
test_int64_round_trip(void **state)
{
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 11);
  for (int i = 0; i < 100000; i++) {
    int64_t number = (int64_t)(inf_rng_next(&rng) >> inf_rng_below(&rng, 64));
    int64_t back;
    char text[64];
    int zeros = number == 0 ? 0 : (int)inf_rng_below(&rng, 5);

    snprintf(text, sizeof(text), "%lld%.*se-%d", (long long)number, zeros,
             "00000", zeros);
    assert_true(inf_number_to_int64(inf_sv_from(text), &back));
    assert_true(back == number);
  }
}

/* Expected values are those of the C library in the "C" locale. */
static void
test_double(void **state)
{
  static const char *const texts[] = {"0",
                                      "-0",
                                      "1",
                                      "0.1",
                                      "-1.5e-3",
                                      "1e308",
                                      "1.7976931348623157e308",
                                      "5e-324",
                                      "2.5e-324",
                                      "1e-400",
                                      "123456789012345678901234567890",
                                      "0.30000000000000004",
                                      "9007199254740993",
                                      "2.2250738585072011e-308"};

  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++) {
    double number, want = strtod(texts[i], NULL);

    assert_true(inf_number_to_double(inf_sv_from(texts[i]), &number));
    assert_memory_equal(&number, &want, sizeof(want));
  }
  assert_false(inf_number_to_double(INF_SV("1e309"), &(double){0}));
  assert_false(inf_number_to_double(INF_SV("-1e999999999"), &(double){0}));
  assert_false(inf_number_to_double(INF_SV("inf"), &(double){0}));
  assert_false(inf_number_to_double(INF_SV("nan"), &(double){0}));
  assert_false(inf_number_to_double(INF_SV("0x1p3"), &(double){0}));
  assert_false(inf_number_to_double(INF_SV("1."), &(double){0}));
  assert_false(inf_number_to_double(INF_SV(""), &(double){0}));
}

/* Numbers that do not fit the short path, among them ones that lie exactly
 * between two doubles, or a hair above, over a thousand digits later. */
static void
test_long_doubles(void **state)
{
  static const struct {
    const char *head;
    int zeros;
    const char *tail;
  } cases[] = {
      {"9007199254740993.", 10, "0"},
      {"9007199254740993.", 1500, "1"},
      {"9007199254740993.", 1500, "0"},
      {"0.", 300, "12345e300"},
      {"0.", 2000, "1e2001"},
      {"1", 2000, "e-2000"},
      {"-1", 900, ".5e-900"},
      {"0", 0, ".0e-99999999999999999999"},
      {"0.", 5000, "0"},
      {"4.94065645841246544176568792868221372"
       "365059802614324764425585682500675507"
       "270208751865299836361635992379796564"
       "69544571773092665671e-324",
       0, ""},
  };

  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    static char text[6000];
    double number, want;
    int len = snprintf(text, sizeof(text), "%s", cases[i].head);

    for (int z = 0; z < cases[i].zeros; z++)
      text[len++] = '0';
    len +=
        snprintf(text + len, sizeof(text) - (size_t)len, "%s", cases[i].tail);
    want = strtod(text, NULL);
    assert_true(inf_number_to_double(inf_sv_of(text, (size_t)len), &number));
    if (memcmp(&number, &want, sizeof(want)) != 0)
      fail_msg("case %zu: %.17g, not %.17g", i, number, want);
  }
}

static void
assert_written(double number, const char *want)
{
  char text[INF_NUMBER_MAX_BYTES];
  size_t len = inf_number_from_double(number, text);

  assert_int_equal(len, strlen(want));
  assert_memory_equal(text, want, len);
}

static void
test_from_double(void **state)
{
  (void)state;
  assert_written(0, "0");
  assert_written(-0.0, "-0");
  assert_written(1, "1");
  assert_written(-1.5, "-1.5");
  assert_written(0.1, "0.1");
  assert_written(0.7, "0.7");
  assert_written(1e21, "1e+21");
  assert_written(1.0 / 3, "0.3333333333333333");
  assert_written(0.1 + 0.2, "0.30000000000000004");
  assert_written(9007199254740992.0, "9007199254740992");
  assert_written(5e-324, "5e-324");
  assert_written(DBL_MAX, "1.7976931348623157e+308");
  assert_written(DBL_MIN, "2.2250738585072014e-308");
}

static void
test_double_round_trip(void **state)
{
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 12);
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = inf_rng_next(&rng);
    char text[INF_NUMBER_MAX_BYTES];
    double number, back;
    size_t len;

    if (i % 4 == 0)
      bits &= 0x800fffffffffffffull; /* denormal */
    memcpy(&number, &bits, sizeof(number));
    if (!isfinite(number))
      continue;
    len = inf_number_from_double(number, text);
    assert_true(len < INF_NUMBER_MAX_BYTES);
    assert_true(inf_number_to_double(inf_sv_of(text, len), &back));
    assert_memory_equal(&back, &number, sizeof(number));
  }
}

/* Prices and temperatures have few digits; they come out as written. */
static void
test_short_decimals_stay_short(void **state)
{
  (void)state;
  for (int i = 1; i < 20000; i++) {
    char text[32], out[INF_NUMBER_MAX_BYTES];
    size_t len;

    snprintf(text, sizeof(text), "%d.%04d", i / 10000, i % 10000);
    len = inf_number_from_double(strtod(text, NULL), out);
    for (size_t n = strlen(text); text[n - 1] == '0' || text[n - 1] == '.';) {
      bool dot = text[n - 1] == '.';

      text[--n] = '\0';
      if (dot)
        break;
    }
    if (len < 9 && !memchr(out, 'e', len))
      assert_string_equal(out, text);
  }
}

static bool
set_comma_locale(void)
{
  static const char *const names[] = {
      "de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8", "fr_FR.utf8",
      "de_DE",       "ps_AF.UTF-8", "ps_AF.utf8",  "comma"};

  for (size_t i = 0; i < COUNT(names); i++) {
    if (setlocale(LC_NUMERIC, names[i]) &&
        strcmp(localeconv()->decimal_point, ".") != 0)
      return true;
  }
  return false;
}

static void
run(const char *command)
{
  if (system(command) != 0)
    print_message("failed: %s\n", command);
}

/* Few machines have a locale with a decimal comma: one is made, in a folder of
 * its own, where the C library comes with the tool for it. It complains of the
 * categories that are not defined, and makes what is. */
static bool
make_comma_locale(char folder[])
{
  char command[256];

  if (!mkdtemp(folder) || setenv("LOCPATH", folder, 1) != 0)
    return false;
  snprintf(command, sizeof(command),
           "cd %s && printf 'LC_NUMERIC\\ndecimal_point \",\"\\n"
           "thousands_sep \".\"\\ngrouping 3\\nEND LC_NUMERIC\\n' >source && "
           "{ localedef -c -i ./source ./comma >/dev/null 2>&1; "
           "test -e comma/LC_NUMERIC; }",
           folder);
  run(command);
  return set_comma_locale();
}

static void
remove_folder(const char *folder)
{
  char command[64];

  snprintf(command, sizeof(command), "rm -rf %s", folder);
  run(command);
}

static void
test_locale(void **state)
{
  char folder[] = "/tmp/infer-locale-XXXXXX";
  bool made = !set_comma_locale();
  double number;

  (void)state;
  if (made && !make_comma_locale(folder)) {
    remove_folder(folder);
    print_message("SKIP: no locale with a decimal comma\n");
    skip();
  }
  assert_written(1.5, "1.5");
  assert_written(1.0 / 3, "0.3333333333333333");
  assert_true(inf_number_to_double(INF_SV("2.5"), &number));
  assert_true(number == 2.5);
  assert_false(inf_number_to_double(INF_SV("2,5"), &number));
  setlocale(LC_NUMERIC, "C");
  if (made)
    remove_folder(folder);
}

static void
assert_float(const char *text)
{
  float number, want = strtof(text, NULL);

  assert_true(inf_number_to_float(inf_sv_from(text), &number));
  if (memcmp(&number, &want, sizeof want) != 0)
    fail_msg("%s: %.9g, not %.9g", text, (double)number, (double)want);
}

/* Those that lie between two floats, or so near that a double rounds there. */
static void
test_float(void **state)
{
  static const char *const texts[] = {
      "0", "-0", "0.0", "-0.0", "1", "-1.5", "0.1", "1e10", "1E-10", "1e22",
      "1e-22", "1e23", "1e-30", "1e-44", "1e-45", "7e-46", "1e-400",
      "3.4028235e38", "3.4028235677973366e38", "1.17549435e-38", "16777217",
      "16777217.000000000000000001", "16777216.999999999999999999", "16777219",
      "1.00000005960464477539", "1.000000059604644775390625",
      "1.00000005960464477539062500000000000000000000000000000000000001",
      "0.99999997019767761230468749999999999999999999999999999999999999",
      "123456789012345678901234567890", "123456789012345000000000000000",
      "0.000000000000000000000000000000000000012345678901234567",
      /* their nearest doubles lie in the middle, they do not */
      "1.00000661611557", "1.00001460313797", "1.00002783536911",
      "1.00003319978714", "-0.0123456789012345678", "0.01234567890123450000",
      "9007199254740993"};

  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    assert_float(texts[i]);
  assert_false(inf_number_to_float(INF_SV("3.5e38"), &(float){0}));
  assert_false(inf_number_to_float(INF_SV("-1e999999999"), &(float){0}));
  assert_false(
      inf_number_to_float(INF_SV("1e22222222222222222222"), &(float){0}));
  assert_false(inf_number_to_float(INF_SV("01"), &(float){0}));
  assert_false(inf_number_to_float(INF_SV("nan"), &(float){0}));
  assert_false(inf_number_to_float(INF_SV(""), &(float){0}));
}

/* Whatever is read is what strtof() reads, and what is written is read back as
 * it was. */
static void
test_random_floats(void **state)
{
  (void)state;
  uint64_t seed = 1;
  for (int i = 0; i < 200000; i++) {
    char text[80];
    uint32_t bits;
    float number, back;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    bits = (uint32_t)(seed >> 32);
    memcpy(&number, &bits, sizeof number);
    if (!isfinite(number))
      continue;
    snprintf(text, sizeof text, "%.*g", 3 + i % 18, (double)number);
    if (isfinite(strtof(text, NULL)))
      assert_float(text);
    snprintf(text, sizeof text, "%.*f", i % 25, (double)(seed >> 33) * 1e-9);
    assert_float(text);
    char shortest[INF_NUMBER_MAX_BYTES];
    size_t len = inf_number_from_float(number, shortest);
    assert_true(inf_number_to_float(inf_sv_of(shortest, len), &back));
    assert_memory_equal(&back, &number, sizeof back);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_scan),
      cmocka_unit_test(test_int64),
      cmocka_unit_test(test_int64_round_trip),
      cmocka_unit_test(test_double),
      cmocka_unit_test(test_long_doubles),
      cmocka_unit_test(test_from_double),
      cmocka_unit_test(test_double_round_trip),
      cmocka_unit_test(test_short_decimals_stay_short),
      cmocka_unit_test(test_float),
      cmocka_unit_test(test_random_floats),
      cmocka_unit_test(test_locale),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
