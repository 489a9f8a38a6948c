/* SPDX-License-Identifier: MIT */
#include "providers.h"

#include "random.h"

#include "support/sim_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Outside of the range that the system takes ports from by itself: a client
 * must not happen to connect from the port of a provider that is dead. */
enum { first_port = 10000, port_range = 20000, port_tries = 50 };

/* What goes wrong, in thousandths of the answers: about one in six is not as
 * it should be. Most are over at once, so that a million calls take minutes.
 * "reset": "accept" is for connections, of which there are fewer. */
static const struct {
  unsigned thousandths;
  const char *what;
} rules[] = {
    {15, "\"status\":503"},
    {10, "\"status\":500"},
    {10, "\"status\":429,\"headers\":{\"retry-after-ms\":5}"},
    {5, "\"status\":404"},
    {10, "\"html_error\":true"},
    {10, "\"reset\":\"before_headers\""},
    {5, "\"reset\":\"after_headers\""},
    {10, "\"reset\":{\"after_bytes\":200}"},
    {15, "\"cut\":{\"after_tokens\":3}"},
    {5, "\"cut\":{\"after_bytes\":300},\"cut_clean\":true"},
    {10, "\"missing_done\":true,\"missing_finish\":true"},
    {4, "\"silence\":true"},
    {4, "\"stall_after_tokens\":2"},
    {10, "\"malformed_event\":2"},
    {5, "\"error_in_200\":{\"message\":\"no\",\"code\":500},"
        "\"after_tokens\":2"},
    {2, "\"huge_line\":100000"},
    {10, "\"first_token_ms\":50,\"inter_token_ms\":3"},
    {20, "\"write_bytes\":40"},
    {30, "\"gzip\":true"},
    {20, "\"comments\":true,\"crlf\":true"},
    {20, "\"close_after_response\":true"},
    {20, "\"keepalive_idle_ms\":1"},
    {20, "\"reset\":\"accept\""},
};

typedef struct provider {
  sim_process *sim; /* NULL while it is dead */
  char url[64];
  unsigned port, life;
  bool killed[65536]; /* how each life ended */
} provider;

enum { lives_max = 65536 };

struct providers {
  uint64_t seed;
  char folder[64], ca_file[96], script[4096];
  pthread_t tormentor;
  atomic_bool over;
  atomic_uint kills, pauses;
  provider each[provider_count];
};

static void
sleep_ms(unsigned ms)
{
  struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&wait, NULL);
}

static void
ledger_name(const providers *all, int index, unsigned life, char *name,
            size_t size)
{
  snprintf(name, size, "%s/ledger-%d-%u", all->folder, index, life);
}

/* A probability is that of what the rules before it have left. */
static void
write_script(providers *all)
{
  size_t len = 0, count = sizeof rules / sizeof rules[0];
  double left = 1;
  for (size_t i = 0; i < count; i++) {
    double share = rules[i].thousandths / 1000.0;
    len +=
        (size_t)snprintf(all->script + len, sizeof all->script - len,
                         "%s{\"when\":{\"probability\":%.6f},\"do\":{%s}}",
                         i ? "," : "{\"defaults\":{\"echo\":true},\"rules\":[",
                         share / left, rules[i].what);
    left -= share;
  }
  snprintf(all->script + len, sizeof all->script - len, "]}");
}

/* A new life at the provider's port. */
static bool
give_life(providers *all, int index)
{
  provider *it = &all->each[index];
  char where[32], seed[24], ledger[128], cert[128], key[128];
  snprintf(where, sizeof where, "127.0.0.1:%u", it->port);
  snprintf(seed, sizeof seed, "%llu",
           (unsigned long long)(all->seed * 1000 + it->life * 10u +
                                (unsigned)index));
  ledger_name(all, index, it->life, ledger, sizeof ledger);
  snprintf(cert, sizeof cert, "%s/server.pem", all->folder);
  snprintf(key, sizeof key, "%s/server-key.pem", all->folder);
  const char *args[] = {"--listen", where,         "--seed", seed, "--ledger",
                        ledger,     "--log-limit", "16",     NULL, NULL,
                        NULL,       NULL,          NULL};
  if (index == provider_count - 1 && it->life == 0) {
    args[8] = "--self-signed";
    args[9] = all->folder;
  } else if (index == provider_count - 1) {
    args[8] = "--tls-cert";
    args[9] = cert;
    args[10] = "--tls-key";
    args[11] = key;
  }
  it->sim = sim_start(all->script, args);
  if (it->sim)
    snprintf(it->url, sizeof it->url, "%s", sim_url(it->sim));
  return it->sim != NULL;
}

static void
take_life(provider *it)
{
  sim_kill(it->sim);
  it->sim = NULL;
  it->killed[it->life++] = true;
}

/* ---- The tormentor ------------------------------------------------------- */

static void
kill_one(providers *all, int index, soak_random *random)
{
  provider *it = &all->each[index];
  if (it->life + 1 >= lives_max)
    return;
  take_life(it);
  atomic_fetch_add(&all->kills, 1);
  sleep_ms(roll(random, 300));
  for (int i = 0; i < 5 && !give_life(all, index); i++)
    sleep_ms(200);
}

static void
pause_one(providers *all, int index, soak_random *random)
{
  pid_t pid = sim_pid(all->each[index].sim);
  kill(pid, SIGSTOP);
  sleep_ms(20 + roll(random, 700));
  kill(pid, SIGCONT);
  atomic_fetch_add(&all->pauses, 1);
}

static void *
torment(void *context)
{
  providers *all = context;
  soak_random random = soak_random_of(all->seed, 1000);
  while (!atomic_load(&all->over)) {
    int index = (int)roll(&random, provider_count);
    sleep_ms(100 + roll(&random, 600));
    if (!all->each[index].sim) {
      fprintf(stderr, "soak: provider %d does not come back\n", index);
      abort();
    }
    if (roll(&random, 5) < 3)
      kill_one(all, index, &random);
    else
      pause_one(all, index, &random);
  }
  return NULL;
}

void
providers_torment(providers *all)
{
  if (pthread_create(&all->tormentor, NULL, torment, all) != 0)
    abort();
}

void
providers_comfort(providers *all)
{
  atomic_store(&all->over, true);
  pthread_join(all->tormentor, NULL);
}

/* ---- Beginning and end --------------------------------------------------- */

static void
remove_folder(const providers *all)
{
  DIR *folder = opendir(all->folder);
  for (struct dirent *entry; folder && (entry = readdir(folder));)
    if (entry->d_name[0] != '.')
      unlinkat(dirfd(folder), entry->d_name, 0);
  if (folder)
    closedir(folder);
  rmdir(all->folder);
}

static bool
find_port(providers *all, int index, soak_random *random)
{
  for (int i = 0; i < port_tries; i++) {
    all->each[index].port = first_port + roll(random, port_range);
    if (give_life(all, index))
      return true;
  }
  fprintf(stderr, "soak: provider %d does not start\n", index);
  return false;
}

providers *
providers_start(uint64_t seed)
{
  providers *all = calloc(1, sizeof *all);
  if (!all)
    abort();
  soak_random random = soak_random_of(seed + (uint64_t)getpid(), 1001);
  all->seed = seed % 1000000000;
  write_script(all);
  snprintf(all->folder, sizeof all->folder, "/tmp/infer-soak-XXXXXX");
  if (!mkdtemp(all->folder))
    abort();
  snprintf(all->ca_file, sizeof all->ca_file, "%s/ca.pem", all->folder);
  for (int i = 0; i < provider_count; i++)
    if (!find_port(all, i, &random))
      return NULL;
  return all;
}

const char *
providers_url(const providers *all, int index)
{
  return all->each[index].url;
}

const char *
providers_folder(const providers *all)
{
  return all->folder;
}

const char *
providers_ca_file(const providers *all)
{
  return all->ca_file;
}

unsigned
providers_kills(const providers *all)
{
  return atomic_load(&all->kills);
}

unsigned
providers_pauses(const providers *all)
{
  return atomic_load(&all->pauses);
}

static bool
read_lives(const providers *all, int index, ledger_book *book)
{
  const provider *it = &all->each[index];
  bool good = true;
  for (unsigned life = 0; good && life <= it->life; life++) {
    char name[128];
    ledger_name(all, index, life, name, sizeof name);
    FILE *file = fopen(name, "re");
    good =
        file && ledger_read(book, file, (uint8_t)index, life, it->killed[life]);
    if (!file)
      perror(name);
    else
      fclose(file);
  }
  return good;
}

bool
providers_stop(providers *all, ledger_book *book)
{
  bool good = true;
  for (int i = 0; i < provider_count; i++) {
    bool ended = sim_stop(all->each[i].sim);
    if (!ended)
      fprintf(stderr, "soak: provider %d did not end well\n", i);
    good = ended && good && read_lives(all, i, book);
  }
  remove_folder(all);
  free(all);
  return good;
}
