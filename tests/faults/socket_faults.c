/* SPDX-License-Identifier: MIT */
/* Faults at the socket: takes the place of libc's transfer functions, also
 * for libcurl and OpenSSL, and makes use of every freedom that POSIX gives
 * them on a stream socket. A transfer moves fewer bytes than it could, finds
 * a socket that was said to be ready not ready, or is interrupted; a wait is
 * interrupted. Programs that are correct behave as before, only slower.
 *
 * It is a shared library that the tests and `infer` are linked with in a build
 * with INFER_SOCKET_FAULTS, and does nothing until the variable of that name
 * says what to do:
 *
 *   INFER_SOCKET_FAULTS="read_max=4096,write_max=4096,again=0.1,intr=0.05"
 *
 *   seed       of all chances (default 1). The order of threads has its say,
 *              so that a run repeats only roughly
 *   read_max   most bytes that a read gives; 0: as many as it will. How many
 *   write_max  is drawn anew each time, small numbers as often as large ones:
 *              from 1 to 2, from 2 to 4, from 4 to 8 and so on are equally
 *              likely, so that records are split everywhere and a body of
 *              megabytes still comes to its end
 *   again      share of reads of non-blocking sockets, and of the writes that
 *              follow one that was cut, that give EAGAIN
 *   intr       share of the same, on any socket, and of waits that give EINTR
 *   write_waits  0: a write that follows one that was cut is taken at once,
 *              instead of having its share of again and intr (default 1)
 *   reset      share of transfers that find the connection reset. Both ends
 *              see it. This one changes what comes of a call
 *
 * A write has to wait only after one that was cut, and one of few bytes is
 * not cut: a send buffer that is all but empty takes them. That is not only
 * truth's sake. libcurl 7.88 takes a TLS alert that cannot be written for a
 * handshake that goes on, and tries again without a pause until its time is
 * over.
 *
 * Only stream sockets are concerned: a datagram cannot be cut without loss,
 * and an eventfd that holds a count cannot fail. A wait with a timeout of 0
 * cannot be interrupted, and one for no descriptor at all is a sleep. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* ---- Settings ------------------------------------------------------------ */

static struct {
  bool on;
  double seed, read_max, write_max, again, intr, write_waits, reset;
} faults = {.seed = 1, .write_waits = 1};

static const struct {
  const char *name;
  double *value, most;
} settings[] = {
    {"seed", &faults.seed, 4294967295.0},
    {"read_max", &faults.read_max, 1073741824.0},
    {"write_max", &faults.write_max, 1073741824.0},
    {"again", &faults.again, 0.9},
    {"intr", &faults.intr, 0.9},
    {"write_waits", &faults.write_waits, 1},
    {"reset", &faults.reset, 0.9},
};

/* A test that runs without the faults that it was asked to have would pass
 * for nothing. */
static void
refuse(const char *text)
{
  fprintf(stderr, "INFER_SOCKET_FAULTS: not understood: \"%s\"\n", text);
  abort();
}

/* Reads one "name=value"; returns what follows it. */
static const char *
read_setting(const char *text)
{
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
    size_t len = strlen(settings[i].name);
    if (strncmp(text, settings[i].name, len) != 0 || text[len] != '=')
      continue;
    char *end;
    double value = strtod(text + len + 1, &end);
    if (end == text + len + 1 || (*end && *end != ',') || !(value >= 0) ||
        value > settings[i].most)
      break;
    *settings[i].value = value;
    return *end ? end + 1 : end;
  }
  refuse(text);
  return "";
}

__attribute__((constructor)) static void
read_settings(void)
{
  const char *text = getenv("INFER_SOCKET_FAULTS");
  if (!text || !*text)
    return;
  while (*text)
    text = read_setting(text);
  faults.on = true;
}

/* ---- Chances ------------------------------------------------------------- */

/* splitmix64 over a count that all threads share. */
static uint64_t
next_random(void)
{
  static atomic_uint_fast64_t count;
  uint64_t x = (uint64_t)faults.seed * 0xD1342543DE82EF95u +
               atomic_fetch_add(&count, 1) * 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

static bool
roll(double share)
{
  return share > 0 && (double)(next_random() >> 11) < share * 0x1p53;
}

/* From 1 to most, each octave as likely as any other. */
static size_t
draw_limit(double most)
{
  unsigned octaves = 1;
  while ((double)((size_t)1 << octaves) <= most)
    octaves++;
  uint64_t random = next_random();
  size_t low = (size_t)1 << (random >> 32) % octaves;
  size_t limit = low + (size_t)(random & 0xFFFFFFFFu) % low;
  return (double)limit < most ? limit : (size_t)most;
}

/* ---- Sockets ------------------------------------------------------------- */

static bool
is_stream(int fd)
{
  struct stat info;
  int type = 0, saved = errno;
  socklen_t len = sizeof type;
  bool stream = fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode) &&
                getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
                type == SOCK_STREAM;
  errno = saved;
  return stream;
}

static bool
is_non_blocking(int fd)
{
  return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0;
}

/* Ends the connection for both sides: for TCP, connecting to no family sends
 * the peer a reset. */
static void
break_connection(int fd)
{
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  struct sockaddr_storage own;
  socklen_t len = sizeof own;
  if (getsockname(fd, (struct sockaddr *)&own, &len) == 0 &&
      own.ss_family == AF_UNIX)
    shutdown(fd, SHUT_RDWR);
  else
    connect(fd, &none, sizeof none);
}

static bool
fail(int error)
{
  errno = error;
  return false;
}

/* Which descriptors had their last write cut. Those above stay as they are:
 * their writes are always taken. */
enum { descriptors_max = 65536 };
static atomic_bool was_cut[descriptors_max];

/* Whether a transfer may begin, else errno says why not. */
static bool
admit(int fd, int flags, bool may_block)
{
  if (!faults.on || !is_stream(fd))
    return true;
  if (roll(faults.reset)) {
    break_connection(fd);
    return fail(ECONNRESET);
  }
  if (!may_block)
    return true;
  if (roll(faults.intr))
    return fail(EINTR);
  if (roll(faults.again) && ((flags & MSG_DONTWAIT) || is_non_blocking(fd)))
    return fail(EAGAIN);
  return true;
}

static size_t
cut(int fd, size_t len, double most)
{
  if (!faults.on || most <= 0 || !is_stream(fd))
    return len;
  size_t limit = draw_limit(most);
  return len < limit ? len : limit;
}

static bool
admit_read(int fd, int flags, size_t *len)
{
  if (!admit(fd, flags, true))
    return false;
  *len = cut(fd, *len, faults.read_max);
  return true;
}

/* A TLS alert has at most 31 bytes. */
#define WRITE_CUT_MIN 32

static bool
admit_write(int fd, int flags, size_t *len)
{
  bool known = fd >= 0 && fd < descriptors_max;
  bool follows_cut = known && atomic_exchange(&was_cut[fd], false);
  if (!admit(fd, flags, follows_cut && faults.write_waits > 0))
    return false;
  size_t taken = *len < WRITE_CUT_MIN ? *len : cut(fd, *len, faults.write_max);
  if (known && taken < *len)
    atomic_store(&was_cut[fd], true);
  *len = taken;
  return true;
}

/* The same of a scattered transfer: cuts the pieces, of which there is room
 * for pieces_max, to what may move. */
enum { pieces_max = 16 };

static bool
admit_pieces(bool (*admit_len)(int, int, size_t *), int fd, int flags,
             const struct iovec *from, size_t *count, struct iovec *to)
{
  size_t total = 0, used = 0;
  if (*count > pieces_max)
    *count = pieces_max;
  for (size_t i = 0; i < *count; i++)
    total += from[i].iov_len;
  if (!admit_len(fd, flags, &total))
    return false;
  for (; used < *count && total > 0; used++) {
    to[used] = from[used];
    if (to[used].iov_len > total)
      to[used].iov_len = total;
    total -= to[used].iov_len;
  }
  *count = used;
  return true;
}

/* ---- In libc's place ----------------------------------------------------- */

/* The next function of that name: libc's, or that of a sanitizer. */
static void *
find_next(_Atomic(void *) *known, const char *name)
{
  void *found = atomic_load(known);
  if (!found) {
    found = dlsym(RTLD_NEXT, name);
    if (!found)
      abort();
    atomic_store(known, found);
  }
  return found;
}

#define NEXT(name)                               \
  __extension__({                                \
    static _Atomic(void *) known;                \
    (__typeof__(&name))find_next(&known, #name); \
  })
#define PUBLIC __attribute__((visibility("default")))

PUBLIC ssize_t
recv(int fd, void *buf, size_t len, int flags)
{
  if (!admit_read(fd, flags, &len))
    return -1;
  return NEXT(recv)(fd, buf, len, flags);
}

PUBLIC ssize_t
recvfrom(int fd, void *restrict buf, size_t len, int flags,
         struct sockaddr *restrict from, socklen_t *restrict from_len)
{
  if (!admit_read(fd, flags, &len))
    return -1;
  return NEXT(recvfrom)(fd, buf, len, flags, from, from_len);
}

PUBLIC ssize_t
read(int fd, void *buf, size_t len)
{
  if (!admit_read(fd, 0, &len))
    return -1;
  return NEXT(read)(fd, buf, len);
}

PUBLIC ssize_t
readv(int fd, const struct iovec *pieces, int count)
{
  struct iovec part[pieces_max];
  size_t used = (size_t)count;
  if (!faults.on || count <= 0 || !is_stream(fd))
    return NEXT(readv)(fd, pieces, count);
  if (!admit_pieces(admit_read, fd, 0, pieces, &used, part))
    return -1;
  return NEXT(readv)(fd, part, (int)used);
}

PUBLIC ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
  struct iovec part[pieces_max], *whole = message->msg_iov;
  size_t whole_count = message->msg_iovlen, used = whole_count;
  if (!faults.on || used == 0 || !is_stream(fd))
    return NEXT(recvmsg)(fd, message, flags);
  if (!admit_pieces(admit_read, fd, flags, whole, &used, part))
    return -1;
  message->msg_iov = part;
  message->msg_iovlen = used;
  ssize_t got = NEXT(recvmsg)(fd, message, flags);
  message->msg_iov = whole;
  message->msg_iovlen = whole_count;
  return got;
}

PUBLIC ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
  if (!admit_write(fd, flags, &len))
    return -1;
  return NEXT(send)(fd, buf, len, flags);
}

PUBLIC ssize_t
sendto(int fd, const void *buf, size_t len, int flags,
       const struct sockaddr *to, socklen_t to_len)
{
  if (!admit_write(fd, flags, &len))
    return -1;
  return NEXT(sendto)(fd, buf, len, flags, to, to_len);
}

PUBLIC ssize_t
write(int fd, const void *buf, size_t len)
{
  if (!admit_write(fd, 0, &len))
    return -1;
  return NEXT(write)(fd, buf, len);
}

PUBLIC ssize_t
writev(int fd, const struct iovec *pieces, int count)
{
  struct iovec part[pieces_max];
  size_t used = (size_t)count;
  if (!faults.on || count <= 0 || !is_stream(fd))
    return NEXT(writev)(fd, pieces, count);
  if (!admit_pieces(admit_write, fd, 0, pieces, &used, part))
    return -1;
  return NEXT(writev)(fd, part, (int)used);
}

PUBLIC ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
  struct iovec part[pieces_max];
  struct msghdr copy = *message;
  size_t used = message->msg_iovlen;
  if (!faults.on || used == 0 || !is_stream(fd))
    return NEXT(sendmsg)(fd, message, flags);
  if (!admit_pieces(admit_write, fd, flags, message->msg_iov, &used, part))
    return -1;
  copy.msg_iov = part;
  copy.msg_iovlen = used;
  return NEXT(sendmsg)(fd, &copy, flags);
}

/* A connection that cannot be taken yet stays in the queue. */
static bool
admit_accept(int fd)
{
  if (faults.on && roll(faults.intr))
    return fail(EINTR);
  if (faults.on && roll(faults.again) && is_non_blocking(fd))
    return fail(EAGAIN);
  return true;
}

PUBLIC int
accept(int fd, struct sockaddr *restrict from, socklen_t *restrict len)
{
  return admit_accept(fd) ? NEXT(accept)(fd, from, len) : -1;
}

PUBLIC int
accept4(int fd, struct sockaddr *restrict from, socklen_t *restrict len,
        int flags)
{
  return admit_accept(fd) ? NEXT(accept4)(fd, from, len, flags) : -1;
}

/* Whether a wait may begin. */
static bool
admit_wait(bool may_wait)
{
  return !faults.on || !may_wait || !roll(faults.intr) || fail(EINTR);
}

PUBLIC int
poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
  return admit_wait(timeout_ms != 0 && count > 0)
             ? NEXT(poll)(fds, count, timeout_ms)
             : -1;
}

PUBLIC int
epoll_wait(int fd, struct epoll_event *events, int capacity, int timeout_ms)
{
  return admit_wait(timeout_ms != 0)
             ? NEXT(epoll_wait)(fd, events, capacity, timeout_ms)
             : -1;
}

PUBLIC int
epoll_pwait2(int fd, struct epoll_event *events, int capacity,
             const struct timespec *timeout, const sigset_t *mask)
{
  bool may_wait = !timeout || timeout->tv_sec > 0 || timeout->tv_nsec > 0;
  return admit_wait(may_wait)
             ? NEXT(epoll_pwait2)(fd, events, capacity, timeout, mask)
             : -1;
}
