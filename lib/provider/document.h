/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_DOCUMENT_H
#define INF_PROVIDER_DOCUMENT_H

#include "provider/dialect.h"
#include "wire/json_scan.h"

/* One JSON object as it comes from a provider, an event or a whole body, and
 * what dialects take from it. Its strings are read into the decoder's scratch
 * buffer, which is made large enough for all of them when the document is
 * begun: so they stay where they are until the next one is. */

/* Checks a text and gives its value, of any type, with the index of the text if
 * one is wanted (NULL: it is not). The text is made valid UTF-8 where it is
 * not: then *text is the copy. INFER_OK; INFER_E_PROTOCOL, with the error
 * filled in and the decoder unchanged; INFER_E_NO_MEMORY or INFER_E_TOO_LARGE
 * with the decoder's failure filled in. */
int32_t inf_document_read(inf_decoder *decoder, inf_sv *text, inf_sv *value,
                          inf_json_index *index, inf_json_error *error);
/* Checks an event's text, made valid UTF-8 where it is not, and gives the
 * object, with the index of its text if one is wanted. INFER_OK;
 * INFER_E_PROTOCOL, with the decoder unchanged, for what is no JSON object;
 * INFER_E_NO_MEMORY with the decoder's failure filled in. */
int32_t inf_document_begin(inf_decoder *decoder, inf_sv text, inf_sv *object,
                           inf_json_index *index);
/* The same of a whole body; then the failure is filled in always, and is
 * INFER_E_TRUNCATED where the text just stops. */
int32_t inf_document_body(inf_decoder *decoder, inf_sv body, inf_sv *object,
                          inf_json_index *index);

/* Why a whole body could not be read, without repeating any of it. Gives the
 * class. */
int32_t inf_document_refuse(inf_decoder *decoder, inf_sv body,
                            const inf_json_error *error);

/* The text of a string value; "" for anything else. */
inf_sv inf_document_text(inf_decoder *decoder, inf_sv value);
/* The same of a member. */
inf_sv inf_document_member(inf_decoder *decoder, inf_sv object,
                           const char *name);
/* A number of tokens, be it a string; -1 for any other value. */
int64_t inf_document_number(inf_sv value);
/* The same at a path of names with dots between. */
int64_t inf_document_figure(inf_sv object, const char *path);
/* Of two such numbers; of one that is known and one that is not, that one. */
int64_t inf_document_sum(int64_t a, int64_t b);
/* Ends the decoder by the error that the value tells of; INFER_E_SERVER in our
 * own words if it tells of none. Gives the class. */
int32_t inf_document_fail(inf_decoder *decoder, inf_sv value);

#endif
