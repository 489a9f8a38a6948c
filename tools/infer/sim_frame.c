/* SPDX-License-Identifier: MIT */
/* Framing of response bodies: gzip, cut, chunked coding. */

#include "sim_frame.h"

#include "base/mem.h"

#include <zlib.h>

/* zlib's number for the largest window, with a gzip header and trailer. */
#define GZIP_WINDOW (15 + 16)
#define PIECE       16384

void
inf_sim_frame_init(inf_sim_frame *frame, bool chunked, bool gzip,
                   uint64_t limit)
{
  *frame = (inf_sim_frame){.chunked = chunked, .limit = limit};
  if (gzip) {
    frame->gzip = inf_sim_alloc(sizeof(*frame->gzip));
    if (deflateInit2(frame->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                     GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      inf_sim_die("out of memory");
    }
  }
}

void
inf_sim_frame_fini(inf_sim_frame *frame)
{
  if (frame->gzip) {
    deflateEnd(frame->gzip);
    inf_free(frame->gzip);
    frame->gzip = NULL;
  }
}

static void
deflate_into(z_stream *gzip, inf_sv bytes, int flush, inf_buf *out)
{
  unsigned char piece[PIECE];
  gzip->next_in = (unsigned char *)(uintptr_t)bytes.ptr;
  gzip->avail_in = (uInt)bytes.len;
  do {
    gzip->next_out = piece;
    gzip->avail_out = sizeof(piece);
    deflate(gzip, flush);
    inf_buf_append(out, piece, sizeof(piece) - gzip->avail_out);
  } while (gzip->avail_out == 0);
}

static bool
put_plain(inf_sim_frame *frame, inf_sv bytes, inf_buf *out)
{
  uint64_t room = frame->limit - frame->sent;
  if (bytes.len > room) {
    bytes.len = (size_t)room;
  }
  if (bytes.len > 0 && frame->chunked) {
    inf_buf_appendf(out, "%zx\r\n", bytes.len);
    inf_buf_append_sv(out, bytes);
    inf_buf_append(out, "\r\n", 2);
  } else {
    inf_buf_append_sv(out, bytes);
  }
  inf_sim_must(out);
  frame->sent += bytes.len;
  return frame->sent < frame->limit;
}

static bool
put_compressed(inf_sim_frame *frame, inf_sv bytes, int flush, inf_buf *out)
{
  inf_buf piece;
  inf_buf_init(&piece, INF_SIM_BUF_MAX);
  if (bytes.len > 0 || flush == Z_FINISH) {
    deflate_into(frame->gzip, bytes, flush, &piece);
  }
  bool more = put_plain(frame, inf_buf_sv(&piece), out);
  inf_buf_fini(&piece);
  return more;
}

bool
inf_sim_frame_put(inf_sim_frame *frame, inf_sv bytes, inf_buf *out)
{
  return frame->gzip ? put_compressed(frame, bytes, Z_SYNC_FLUSH, out)
                     : put_plain(frame, bytes, out);
}

void
inf_sim_frame_end(inf_sim_frame *frame, inf_buf *out)
{
  if (frame->gzip) {
    put_compressed(frame, inf_sv_of(NULL, 0), Z_FINISH, out);
  }
  if (frame->chunked) {
    inf_buf_append(out, "0\r\n\r\n", 5);
  }
  inf_sim_must(out);
}

void
inf_sim_gzip(inf_buf *body)
{
  inf_sim_frame frame;
  inf_buf packed;
  inf_buf_init(&packed, body->max);
  inf_sim_frame_init(&frame, false, true, UINT64_MAX);
  put_compressed(&frame, inf_buf_sv(body), Z_FINISH, &packed);
  inf_sim_frame_fini(&frame);
  inf_sim_must(&packed);
  inf_buf_fini(body);
  *body = packed;
}
