/* SPDX-License-Identifier: MIT */
/* fuzz_<target> [-m MUTATIONS] FILE|FOLDER...: gives each file to the target,
 * and so many mutations of it, always the same ones. This is the corpus as an
 * ordinary test, without a fuzzer. When a promise breaks, the input is written
 * to "crash-<target>" in the current folder; it belongs into the corpus once
 * the bug is repaired. */
#include "fuzz/fuzz.h"

#include "base/rng.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_INPUT_BYTES 65536

/* There only if a sanitizer is linked. */
void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

typedef struct replay {
  unsigned long mutations;
  size_t files, runs;
} replay;

static inf_sv current;
static char crash_path[256];

static void
keep_current(void)
{
  static const char note[] = ": the input that broke it\n";
  int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0)
    return;
  if (write(fd, current.ptr, current.len) == (ssize_t)current.len &&
      write(STDERR_FILENO, crash_path, strlen(crash_path)) > 0 &&
      write(STDERR_FILENO, note, sizeof(note) - 1) > 0)
    close(fd);
}

static void
on_signal(int number)
{
  keep_current();
  signal(number, SIG_DFL);
  raise(number);
}

static void
watch_for_crashes(const char *program)
{
  const char *slash = strrchr(program, '/');
  snprintf(crash_path, sizeof crash_path, "crash-%s",
           slash ? slash + 1 : program);
  signal(SIGABRT, on_signal);
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(keep_current);
  else
    signal(SIGSEGV, on_signal);
}

static void
run(replay *state, inf_sv input)
{
  current = input;
  LLVMFuzzerTestOneInput((const uint8_t *)input.ptr, input.len);
  state->runs++;
}

/* A byte that means something in the languages at hand, or any byte. */
static char
random_byte(inf_rng *rng)
{
  static const char telling[] = "\"\\{}[]:,\n\r 0-.eunlrtd\x80\xC3\xE2\x01";
  uint64_t pick = inf_rng_below(rng, 2 * sizeof(telling));
  return pick < sizeof(telling) - 1 ? telling[pick]
                                    : (char)inf_rng_below(rng, 256);
}

static size_t
between(inf_rng *rng, uint64_t least, size_t most)
{
  return (size_t)(least + inf_rng_below(rng, most - least + 1));
}

/* One change: a byte replaced or put in, some taken out, some repeated, or
 * the rest cut off. */
static void
change(inf_rng *rng, inf_buf *text)
{
  if (text->len == 0)
    return;
  size_t at = (size_t)inf_rng_below(rng, text->len);
  size_t len = between(rng, 1, text->len - at < 12 ? text->len - at : 12);
  switch (inf_rng_below(rng, 5)) {
  case 0:
    text->ptr[at] = random_byte(rng);
    break;
  case 1:
    memmove(text->ptr + at, text->ptr + at + len, text->len - at - len);
    inf_buf_truncate(text, text->len - len);
    break;
  case 2:
    inf_buf_append_char(text, ' ');
    memmove(text->ptr + at + 1, text->ptr + at, text->len - 1 - at);
    text->ptr[at] = random_byte(rng);
    break;
  case 3:
    inf_buf_reserve(text, len);
    inf_buf_append(text, text->ptr + at, len);
    break;
  default:
    inf_buf_truncate(text, at);
    break;
  }
}

static void
run_mutations(replay *state, inf_sv input, uint64_t seed)
{
  inf_rng rng;
  char *text = malloc(input.len + 256);
  if (!text)
    abort();
  inf_rng_seed(&rng, seed);
  for (unsigned long i = 0; i < state->mutations; i++) {
    /* A buffer of our own: the target may count the library's memory. */
    inf_buf mutant = {
        .ptr = text, .cap = input.len + 256, .max = input.len + 255};
    memcpy(text, input.ptr, input.len);
    mutant.len = input.len;
    for (size_t changes = between(&rng, 1, 4); changes > 0; changes--)
      change(&rng, &mutant);
    run(state, inf_sv_of(mutant.ptr, mutant.len));
  }
  free(text);
}

static int
replay_file(replay *state, const char *path)
{
  char *bytes = malloc(MAX_INPUT_BYTES);
  FILE *file = fopen(path, "rb");
  if (!bytes || !file) {
    fprintf(stderr, "cannot read %s\n", path);
    free(bytes);
    return 1;
  }
  size_t len = fread(bytes, 1, MAX_INPUT_BYTES, file);
  fclose(file);
  /* The size seeds the mutations: names change when a corpus is merged. */
  run(state, inf_sv_of(bytes, len));
  run_mutations(state, inf_sv_of(bytes, len), len + 1);
  free(bytes);
  state->files++;
  return 0;
}

static int
is_file(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static int
replay_path(replay *state, const char *path)
{
  struct stat info;
  struct dirent **entries;
  int failed = 0;
  if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
    return replay_file(state, path);
  int count = scandir(path, &entries, is_file, alphasort);
  if (count < 0)
    return 1;
  for (int i = 0; i < count; i++) {
    char name[1024];
    snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
    failed |= replay_file(state, name);
    free(entries[i]);
  }
  free(entries);
  return failed;
}

int
main(int argc, char **argv)
{
  replay state = {.mutations = 30};
  int failed = 0, first = 1;
  if (argc > 2 && strcmp(argv[1], "-m") == 0) {
    state.mutations = strtoul(argv[2], NULL, 10);
    first = 3;
  }
  watch_for_crashes(argv[0]);
  for (int i = first; i < argc; i++)
    failed |= replay_path(&state, argv[i]);
  printf("%zu files, %zu runs\n", state.files, state.runs);
  return failed || state.files == 0;
}
