/* SPDX-License-Identifier: MIT */
/* The ledger: lines that are written at once, one by one. Collecting them
 * would be faster, and would lose what a ledger is for. */

#include "sim_ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define ID_MAX 64

void
inf_sim_ledger_open(inf_sim_ledger *ledger, const char *path)
{
  ledger->fd = -1;
  if (path) {
    ledger->fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (ledger->fd < 0) {
      inf_sim_die("%s: %s", path, strerror(errno));
    }
  }
}

void
inf_sim_ledger_close(inf_sim_ledger *ledger)
{
  if (ledger->fd >= 0) {
    close(ledger->fd);
  }
  ledger->fd = -1;
}

/* A ledger with a gap is worse than none. */
static void
put_line(const inf_sim_ledger *ledger, const char *line, int len)
{
  ssize_t written;
  do {
    written = write(ledger->fd, line, (size_t)len);
  } while (written < 0 && errno == EINTR);
  if (written != len) {
    inf_sim_die("cannot write the ledger: %s",
                written < 0 ? strerror(errno) : "no room");
  }
}

/* The id is one word of printable characters, whatever the client sent. */
static void
copy_id(char *to, inf_sv id)
{
  size_t len = 0;
  while (len < id.len && len < ID_MAX && id.ptr[len] > ' ' &&
         id.ptr[len] <= '~') {
    to[len] = id.ptr[len];
    len++;
  }
  if (len == 0) {
    to[len++] = '-';
  }
  to[len] = '\0';
}

void
inf_sim_ledger_request(const inf_sim_ledger *ledger, const inf_sim_entry *entry)
{
  char id[ID_MAX + 1], line[128];
  inf_sv value = INF_SV("");
  if (ledger->fd < 0) {
    return;
  }
  inf_headers_get(&entry->headers, INF_SV("x-client-request-id"), &value);
  copy_id(id, value);
  put_line(ledger, line,
           snprintf(line, sizeof(line), "request %" PRIu64 " %s\n",
                    entry->number, id));
}

void
inf_sim_ledger_end(const inf_sim_ledger *ledger, const inf_sim_entry *entry)
{
  char line[160];
  if (ledger->fd < 0) {
    return;
  }
  put_line(ledger, line,
           snprintf(line, sizeof(line),
                    "end %" PRIu64 " %u %s %" PRIu64 " %" PRIu64 "\n",
                    entry->number, entry->status, inf_sim_end_name(entry->end),
                    entry->charge.prompt_tokens,
                    entry->charge.completion_tokens));
}
