/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_BASE64_H
#define INF_WIRE_BASE64_H

#include "base/buf.h"

/* Base64 (RFC 4648): with its usual alphabet and padding, and with the one for
 * URLs without (section 5; JSON Web Tokens). And vectors of floats as
 * embeddings carry them in base64: 32 bits each, IEEE 754, little endian.
 * Pure; any thread. */

/* Errors are the buffer's sticky status; all or nothing is appended. */
bool inf_base64_put(inf_buf *out, inf_sv bytes);
bool inf_base64_put_url(inf_buf *out, inf_sv bytes);
bool inf_base64_put_floats(inf_buf *out, const float *numbers, size_t count);

/* Appends what the text stands for. Strict: the usual alphabet, no whitespace,
 * whole groups of four, padding where it belongs, no stray bits. INFER_OK,
 * INFER_E_PROTOCOL (nothing is appended then) or the buffer's status. */
int32_t inf_base64_get(inf_sv text, inf_buf *out);

/* How many bytes a text of this length stands for, if it is well-formed. */
size_t inf_base64_size(inf_sv text);
/* Reads a vector into room for so many numbers. INFER_OK and their count;
 * INFER_E_PROTOCOL if it is no base64 or no whole number of floats;
 * INFER_E_TOO_LARGE if there are more. NaN and infinities come as they are. */
int32_t inf_base64_get_floats(inf_sv text, float *numbers, size_t room,
                              size_t *count);

#endif
