/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GEMINI_WRITE_H
#define INF_PROVIDER_GEMINI_WRITE_H

#include "provider/dialect.h"
#include "wire/json_value.h"

/* Writing Gemini's generateContent: the parts of its body. Each function adds
 * members to an open object and gives INFER_OK, the buffer's status, or
 * INFER_E_UNSUPPORTED / INFER_E_INVALID_ARGUMENT with a line in why for what
 * this API cannot say. Pure; any thread.
 *
 * Members of the request count before those that the account adds; null is as
 * if not there. */

typedef struct inf_gemini_request {
  const inf_send *send;
  inf_buf *out;
  inf_buf *why; /* may be NULL */
} inf_gemini_request;

/* contents and systemInstruction, of the messages.
 *
 * system and developer messages, wherever they stand, are the parts of the
 * system instruction; user is role user, assistant role model. The results of
 * tools that follow one another are one content of role user: each names its
 * function, which is found by the call's id in the messages before it. A result
 * that is a JSON object is sent as it is, any other text as {"output": text}.
 * Ids are sent with calls and results but for those that were made up by our
 * own reader (gemini_read.h).
 *
 * Images, files and sound come from data: URLs as inlineData, from other URLs
 * as fileData. Within a result of a tool they are parts of it for models from
 * Gemini 3 on, and stand beside it for those before.
 *
 * What gemini_read.h keeps for the way back goes back: signatures, images, and
 * content_parts in front of the text. Details of another format than its own,
 * reasoning_content and refusal's like are left out: the model does not take
 * thoughts of others. Models from Gemini 3 on refuse a call without signature:
 * the first call of a message, where it has none, goes with Google's own word
 * for "it is from elsewhere". */
int32_t inf_gemini_write_contents(const inf_gemini_request *request);

/* generationConfig: what the request says of sampling, limits, form and
 * thinking, under Gemini's names, and the caller's own generationConfig, which
 * counts more. */
int32_t inf_gemini_write_config(const inf_gemini_request *request);

/* tools and toolConfig. A schema whose types are in capitals is Gemini's own
 * and is sent as "parameters", any other as "parametersJsonSchema". Tools
 * without "type" (googleSearch, codeExecution, ...) are Gemini's own too and
 * pass as they are. */
int32_t inf_gemini_write_tools(const inf_gemini_request *request);

/* ---- Shared -------------------------------------------------------------- */

/* A member of the request, else of what the account adds; "" if there is none
 * or it is null. */
inf_sv inf_gemini_member(const inf_send *send, const char *name);
/* Is it a model before Gemini 3? */
bool inf_gemini_is_old(inf_sv model);
/* Does the schema name its types in capitals, as Gemini's own do? */
bool inf_gemini_is_own_schema(inf_sv schema);
/* Says in why what cannot be sent; gives INFER_E_UNSUPPORTED. name may be the
 * empty view. */
int32_t inf_gemini_refuse(const inf_gemini_request *request, const char *what,
                          inf_sv name, const char *reason);
/* A part with the data or the address of a URL: an image, a file, sound.
 * file_type: of what is at an address; "" where its ending tells. */
int32_t inf_gemini_put_url(const inf_gemini_request *request, inf_sv url,
                           inf_sv file_type);

#endif
