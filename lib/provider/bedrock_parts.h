/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_BEDROCK_PARTS_H
#define INF_PROVIDER_BEDROCK_PARTS_H

#include "provider/dialect.h"

/* Content blocks of Converse that OpenAI's shape has no place for: an image,
 * sound, a document, a video, a tool that Bedrock ran and its result, whatever
 * is to come. Each is one of "content_parts" of the message, by the name and
 * with the value that it has there:
 *
 *   {"type": "image", "image": {"format": "png", "source": {"bytes": "..."}}}
 *
 * The type tells other dialects that it is none of theirs.
 *
 * In a stream a block comes in pieces, one block after another; they stand in
 * the decoder's `carry` and are joined when the block ends: objects member by
 * member, base64 of source.bytes as the bytes that it stands for, input as the
 * JSON that its text is, and texts of a tool's result where one piece goes on
 * with another. */

/* A block that came whole: the raw name of its member, and the value. */
void inf_bedrock_keep_part(inf_decoder *decoder, inf_sv name, inf_sv value);
/* A piece of the block of this number. What is open of another ends. */
void inf_bedrock_add_piece(inf_decoder *decoder, uint32_t index, inf_sv name,
                           inf_sv value);
/* The block that is open ends, if one is. */
void inf_bedrock_end_part(inf_decoder *decoder);

#endif
