/* SPDX-License-Identifier: MIT */
#ifndef TEST_CPP_CHECK_HPP
#define TEST_CPP_CHECK_HPP

#include <string_view>
#include <type_traits>

/* A harness of one page: TEST(name) { ... } is found by main(), CHECK and
 * CHECK_EQ tell where they fail and let the test go on. It prints what
 * tests/run adds up. `program NAME...` runs only these. It needs neither
 * exceptions nor RTTI. */

namespace check {

struct Test {
  Test(const char *name, void (*run)());
  const char *name;
  void (*run)();
  Test *next = nullptr;
};

/* Counts a failure and tells of it. */
void fail(const char *file, int line, std::string_view what);
void fail_equal(const char *file, int line, const char *what,
                std::string_view got, std::string_view wanted);
void fail_equal(const char *file, int line, const char *what, long long got,
                long long wanted);

inline void
equal(const char *file, int line, const char *what, std::string_view got,
      std::string_view wanted)
{
  if (got != wanted)
    fail_equal(file, line, what, got, wanted);
}

inline void
equal(const char *file, int line, const char *what, long long got,
      long long wanted)
{
  if (got != wanted)
    fail_equal(file, line, what, got, wanted);
}

/* Everything that CHECK_EQ compares is a text or a number. */
template <typename T>
auto
plain(const T &value)
{
  if constexpr (std::is_convertible_v<const T &, std::string_view>)
    return std::string_view(value);
  else
    return static_cast<long long>(value);
}

} // namespace check

#define TEST(name)                                     \
  static void test_##name();                           \
  static check::Test entry_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                           \
  do {                                             \
    if (!(condition))                              \
      check::fail(__FILE__, __LINE__, #condition); \
  } while (false)

#define CHECK_EQ(got, wanted)                               \
  check::equal(__FILE__, __LINE__, #got, check::plain(got), \
               check::plain(wanted))

/* What the rest of the test needs; without it the test ends. */
#define NEED(condition)                            \
  do {                                             \
    if (!(condition)) {                            \
      check::fail(__FILE__, __LINE__, #condition); \
      return;                                      \
    }                                              \
  } while (false)

#endif
