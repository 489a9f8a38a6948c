/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_FRAME_H
#define INF_TOOLS_SIM_FRAME_H

#include "sim_mem.h"

/* From the bytes of a body to the bytes on the connection: compression, the
 * end after so many bytes, chunks. */
typedef struct inf_sim_frame {
  bool chunked;
  struct z_stream_s *gzip; /* NULL: as it is */
  uint64_t sent;           /* bytes of the body, compressed if they are */
  uint64_t limit;          /* the body is cut there; UINT64_MAX: nowhere */
} inf_sim_frame;

void inf_sim_frame_init(inf_sim_frame *frame, bool chunked, bool gzip,
                        uint64_t limit);
void inf_sim_frame_fini(inf_sim_frame *frame);
/* Appends part of the body. False when the limit is reached: what lies behind
 * it is dropped. */
bool inf_sim_frame_put(inf_sim_frame *frame, inf_sv bytes, inf_buf *out);
/* Appends what ends the body properly. */
void inf_sim_frame_end(inf_sim_frame *frame, inf_buf *out);

/* Compresses a whole body in place. */
void inf_sim_gzip(inf_buf *body);

#endif
