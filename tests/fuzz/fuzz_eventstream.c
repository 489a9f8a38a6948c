/* SPDX-License-Identifier: MIT */
/* An event stream of Amazon in pieces. The first byte says where it is cut,
 * the second sets the limit of a message, the third says whether the checksums
 * are put right first (even: yes), for without that no mutation would get past
 * them; the rest is the stream. Whole, byte by byte and cut anywhere it must
 * give the same. */
#include "fuzz/fuzz.h"

#include "wire/crc32.h"
#include "wire/eventstream.h"

#include <infer/infer.h>
#include <stdlib.h>

typedef struct digest {
  uint64_t hash;
  size_t messages;
  int32_t status;
  const char *reason;
} digest;

static void
mix(digest *sum, inf_sv text)
{
  for (size_t i = 0; i < text.len; i++)
    sum->hash = (sum->hash ^ (unsigned char)text.ptr[i]) * 1099511628211u;
  sum->hash = (sum->hash ^ text.len) * 1099511628211u;
}

static bool
on_message(void *context, const inf_eventstream_message *message)
{
  inf_sv rest = message->headers;
  inf_eventstream_header header;
  digest *sum = context;
  int64_t number;

  while (inf_eventstream_next(&rest, &header)) {
    FUZZ_CHECK(header.name.len > 0);
    FUZZ_CHECK(header.type <= INF_EVENTSTREAM_UUID);
    mix(sum, header.name);
    mix(sum, header.value);
    if (inf_eventstream_int64(&header, &number))
      sum->hash ^= (uint64_t)number;
    mix(sum, inf_eventstream_string(message, header.name));
  }
  FUZZ_CHECK(rest.len == 0);
  mix(sum, message->payload);
  sum->messages++;
  return true;
}

static digest
run(inf_sv stream, size_t max, uint32_t seed)
{
  fuzz_cuts cuts = {seed};
  inf_eventstream parser;
  digest sum = {0};

  inf_eventstream_init(&parser, max);
  while (stream.len > 0) {
    size_t n = fuzz_next_cut(&cuts, stream.len);
    char *piece = fuzz_block(inf_sv_of(stream.ptr, n));

    inf_eventstream_feed(&parser, piece, n, on_message, &sum);
    free(piece);
    stream = inf_sv_of(stream.ptr + n, stream.len - n);
  }
  sum.status = inf_eventstream_finish(&parser);
  sum.reason = parser.reason;
  inf_eventstream_fini(&parser);
  FUZZ_CHECK((sum.status == INFER_OK) == (sum.reason == NULL));
  return sum;
}

static size_t
get(const char *at)
{
  const unsigned char *byte = (const unsigned char *)at;

  return (size_t)byte[0] << 24 | (size_t)byte[1] << 16 | (size_t)byte[2] << 8 |
         byte[3];
}

static void
put(char *at, uint32_t value)
{
  for (int i = 3; i >= 0; i--, value >>= 8)
    at[i] = (char)(value & 0xff);
}

/* Puts the checksums of all messages right, as far as their lengths go. */
static void
put_right(char *at, size_t len)
{
  while (len >= 16) {
    size_t total = get(at);

    put(at + 8, inf_crc32(0, at, 8));
    if (total < 16 || total > len)
      return;
    put(at + total - 4, inf_crc32(0, at, total - 4));
    at += total;
    len -= total;
  }
}

static bool
same(digest a, digest b)
{
  return a.hash == b.hash && a.messages == b.messages && a.status == b.status &&
         a.reason == b.reason;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  inf_sv input = inf_sv_of((const char *)data, size);
  uint32_t seed = fuzz_take(&input) + 2u;
  size_t max = (size_t)fuzz_take(&input) * 4;
  bool right = fuzz_take(&input) % 2 == 0;
  char *bytes = fuzz_block(input);
  inf_sv stream = inf_sv_of(bytes, input.len);

  if (right)
    put_right(bytes, input.len);
  fuzz_memory_begin();
  digest whole = run(stream, max, FUZZ_WHOLE);
  FUZZ_CHECK(same(run(stream, max, FUZZ_BYTEWISE), whole));
  FUZZ_CHECK(same(run(stream, max, seed), whole));
  /* An unfinished message, in a buffer that doubles. */
  fuzz_memory_end(2 * max + 256);
  free(bytes);
  return 0;
}
