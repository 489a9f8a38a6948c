/* SPDX-License-Identifier: MIT */
/* Runs the tests of the C++ binding. */
#include "check.hpp"
#include "world.hpp"

#include <cstdio>
#include <cstring>

namespace check {

static Test *first;
static Test **last = &first;
static int failures;

Test::Test(const char *its_name, void (*its_run)())
    : name(its_name), run(its_run)
{
  *last = this;
  last = &next;
}

void
fail(const char *file, int line, std::string_view what)
{
  failures++;
  std::fprintf(stderr, "%s:%d: %.*s\n", file, line,
               static_cast<int>(what.size()), what.data());
}

void
fail_equal(const char *file, int line, const char *what, std::string_view got,
           std::string_view wanted)
{
  failures++;
  std::fprintf(stderr, "%s:%d: %s is \"%.*s\", not \"%.*s\"\n", file, line,
               what, static_cast<int>(got.size()), got.data(),
               static_cast<int>(wanted.size()), wanted.data());
}

void
fail_equal(const char *file, int line, const char *what, long long got,
           long long wanted)
{
  failures++;
  std::fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, got,
               wanted);
}

static bool
is_wanted(const Test *test, int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    if (std::strcmp(test->name, argv[i]) == 0)
      return true;
  return argc < 2;
}

static int
run_all(int argc, char **argv)
{
  int passed = 0, failed = 0;
  for (const Test *test = first; test; test = test->next) {
    if (!is_wanted(test, argc, argv))
      continue;
    int before = failures;
    test->run();
    bool ok = failures == before;
    std::fprintf(stderr, "%s: %s\n", ok ? "ok" : "FAILED", test->name);
    (ok ? passed : failed)++;
  }
  std::printf("[  PASSED  ] %d test(s).\n", passed);
  if (failed > 0)
    std::printf("[  FAILED  ] %d test(s).\n", failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

} // namespace check

int
main(int argc, char **argv)
{
  world::begin();
  int code = check::run_all(argc, argv);
  return world::end() ? code : 1;
}
