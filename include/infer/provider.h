/* SPDX-License-Identifier: MIT */
/** \file provider.h
 * How a program teaches libinfer the language of a provider that it does not
 * know: the descriptor of a plug-in, and what its hooks work with. An
 * application that needs no such thing includes infer.h alone.
 *
 *   static const infer_provider_descriptor parcel = {
 *     .struct_size = sizeof parcel, .type = "parcel", ...
 *   };
 *   infer_config_add_provider_type(config, &parcel, &error);
 *
 * From then on "parcel" is a "type" of providers in that configuration, like
 * the built-in ones: with keys, limits, routes, failover, hedging, deadlines.
 * docs/plugins.md tells it from the beginning; examples/plugin is a whole one.
 *
 * RULES FOR HOOKS
 *
 * They run on the library's loop thread or, for a client with "threads": 0,
 * on the thread that drives it; of one client never two at the same time, of
 * several clients perhaps. So they must not block, and what user_data points
 * to is theirs to guard. Of the library they may call what is marked
 * [hook-safe] here and in infer.h. No C++ exception and no longjmp() may
 * leave them.
 *
 * What they are given is lent until the hook returns, texts by pointer and
 * length, without NUL at the end. What they give is copied. A length may be
 * INFER_NUL_TERMINATED; a pointer may be NULL where the length is 0.
 *
 * They return INFER_OK or what their comment names. Anything else, and
 * calls that make no sense (text that is not UTF-8, a tool call numbered 5
 * after number 0, text after the end), end the attempt with INFER_E_PROTOCOL
 * and a message that names the plug-in: they never crash the program and are
 * never taken for an answer. Functions without a result need not be looked
 * after: the first thing that was wrong is kept and told.
 */
#ifndef INFER_PROVIDER_H
#define INFER_PROVIDER_H

#include "infer/infer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- What hooks are given ------------------------------------------------ */

/** The chat that is to be sent, in OpenAI's shape, and to whom. */
typedef struct infer_provider_request infer_provider_request;
/** What goes out: path, headers, body. */
typedef struct infer_provider_writer infer_provider_writer;
/** One event of a stream. */
typedef struct infer_provider_event infer_provider_event;
/** Takes what was read of the answer. */
typedef struct infer_provider_sink infer_provider_sink;
/** The HTTP side of an answer: status, headers and, for classify, body. */
typedef struct infer_provider_reply infer_provider_reply;
/** What went wrong, in the words of the failure table. */
typedef struct infer_provider_failure infer_provider_failure;
/** What the provider says of its quotas. */
typedef struct infer_provider_limits infer_provider_limits;

/* ---- The descriptor ------------------------------------------------------ */

/* How a stream is cut into events. */
#define INFER_FRAMING_WHOLE       0 /**< no streams: one body, read_answer */
#define INFER_FRAMING_SSE         1 /**< server-sent events */
#define INFER_FRAMING_NDJSON      2 /**< a JSON object in each line */
#define INFER_FRAMING_JSON_ARRAY  3 /**< elements of one array of objects */
#define INFER_FRAMING_EVENTSTREAM 4 /**< Amazon's binary messages */
#define INFER_FRAMING_CUSTOM      5 /**< cut by the plug-in's split hook */

/* What the provider takes beside text; targets without are left out of calls
 * that need it. */
#define INFER_PROVIDER_CAN_TOOLS       1u
#define INFER_PROVIDER_CAN_VISION      2u
#define INFER_PROVIDER_CAN_JSON_SCHEMA 4u

/** Filled by the plug-in, copied with all its strings when it is added. Zero
 * or NULL is the default of every member that has one. */
typedef struct infer_provider_descriptor {
  /** sizeof(infer_provider_descriptor) as the plug-in was compiled. The
   * library may be older or newer: members that the plug-in does not know are
   * as if zero, and only the required ones must be there; members that the
   * library does not know must be zero. */
  size_t struct_size;
  /** The "type" in a configuration: 1 to 64 letters, digits, dots, dashes and
   * underscores; none of the built-in ones. Required. */
  const char *type;
  /** Handed to every hook; may be NULL. */
  void *user_data;
  /** Called once when nothing uses the plug-in any more: configuration,
   * clients, calls, responses and errors. From any thread. Until then code
   * and user_data must stay. */
  void (*free_user_data)(void *user_data);

  /** INFER_FRAMING_*. */
  int32_t framing;
  /** INFER_PROVIDER_CAN_*. */
  uint32_t abilities;
  /** NULL: the configuration must say. */
  const char *base_url;
  /** Below base_url, each beginning with "/"; "{model}" in it stands for the
   * model, percent-encoded. chat_path is required; stream_path is for streams,
   * where they have another. models_path: a list of models as OpenAI's is,
   * for infer_models(). warm_path: a cheap GET that keeps a connection. */
  const char *chat_path, *stream_path, *models_path, *warm_path;
  /** The environment variable that holds the key where the configuration
   * names none. */
  const char *key_env;
  /** 1: a provider without a key is a mistake in the configuration. */
  int32_t key_required;
  /** "Authorization: <auth_scheme> <key>". NULL: "Bearer". "": nothing is
   * written, the plug-in does it itself in write_request or sign. */
  const char *auth_scheme;
  /** The header that holds the bare key in place of Authorization. */
  const char *key_header;
  /** Beginnings of model names, separated by spaces, that belong to it where
   * a request names a model without a provider. */
  const char *claims;
  /** Headers of an answer that hold the provider's id of the request,
   * separated by spaces. NULL: "x-request-id". */
  const char *request_id_headers;
  /** So many bytes are kept for each response, all zero at first, for what
   * the plug-in must remember between two events: infer_provider_sink_state().
   * At most 65536. */
  size_t state_bytes;

  /** Writes the request. The address is base_url and chat_path (or
   * infer_provider_writer_set_path()), the method POST; Content-Type
   * (application/json), Accept, User-Agent, the key and the headers of the
   * account are written by the library, unless the plug-in writes one of that
   * name. INFER_OK; INFER_E_UNSUPPORTED or INFER_E_INVALID_ARGUMENT for what
   * this provider cannot be told, best by infer_provider_writer_refuse();
   * INFER_E_NO_MEMORY. Required. */
  int32_t (*write_request)(void *user_data,
                           const infer_provider_request *request,
                           infer_provider_writer *writer);
  /** Reads a whole body that came with 2xx. Every choice must be finished, or
   * infer_provider_sink_end() be called (after a broken connection nothing
   * less will do): else the answer counts as cut.
   * INFER_OK, or INFER_E_PROTOCOL for what it cannot read. Required. */
  int32_t (*read_answer)(void *user_data, const char *body, size_t len,
                         infer_provider_sink *sink);
  /** Reads one event of a stream. INFER_OK, also for one that says nothing;
   * INFER_E_PROTOCOL for a malformed one, which is skipped and counted. The
   * stream is at its end when infer_provider_sink_end() was called, or when
   * the connection ends after every choice was finished; any other end is a
   * cut answer. After a failure it may be called again, for the usage.
   * Required but for INFER_FRAMING_WHOLE. */
  int32_t (*read_event)(void *user_data, const infer_provider_event *event,
                        infer_provider_sink *sink);
  /** INFER_FRAMING_CUSTOM: the length of the event that the bytes begin with
   * (1 to len); 0 if more bytes are needed; INFER_E_PROTOCOL if they are none.
   * Is asked again as bytes come, so it should look at a head of fixed size or
   * for one mark. An event may be as long as "max_event_bytes". */
  int64_t (*split)(void *user_data, const char *bytes, size_t len);
  /** Says more of a failed answer (HTTP status 300 and above) than the library
   * found out: it has read status, known headers and known shapes of bodies
   * already. INFER_OK. May be NULL. */
  int32_t (*classify)(void *user_data, const infer_provider_reply *reply,
                      infer_provider_failure *failure);
  /** Reads quotas from the headers of any answer, in place of the library,
   * which knows x-ratelimit-* and its relatives. INFER_OK. May be NULL. */
  int32_t (*read_limits)(void *user_data, const infer_provider_reply *reply,
                         infer_provider_limits *limits);
  /** Right before the request goes out, again for each repetition: adds
   * headers that are made of the whole of it. Only _add_header, _refuse and
   * the views of the writer may be used. wall_now_ns: nanoseconds since 1970,
   * corrected to the provider's clock where that is known. Errors as for
   * write_request. May be NULL. */
  int32_t (*sign)(void *user_data, const infer_provider_request *request,
                  infer_provider_writer *writer, int64_t wall_now_ns);
} infer_provider_descriptor;

/** Adds a type of providers to a configuration that is being built. Clients
 * made of it keep what they need: the descriptor may go at once. A
 * configuration that is given to infer_client_reload() needs it again.
 * Errors: INFER_E_INVALID_ARGUMENT, with a line that says which member is
 * wrong; INFER_E_UNSUPPORTED for a descriptor of a newer version that uses
 * what this one does not know; INFER_E_NO_MEMORY. free_user_data is not called
 * then. [hook-safe] */
INFER_API int32_t infer_config_add_provider_type(
    infer_config *config, const infer_provider_descriptor *descriptor,
    infer_error **error);

/* ---- Reading JSON -------------------------------------------------------- */

/* A value of JSON is a view of its text: pointer and length, a string with
 * its quotes. Nothing is copied and nothing outside the view is read, whatever
 * stands in it; but what is read from a text that is no JSON means nothing.
 * Requests are JSON, and so are events of INFER_FRAMING_NDJSON and
 * _JSON_ARRAY; of other texts infer_provider_json_check() or
 * infer_provider_sink_document() tells. */

/** 1 if the text is one JSON value, at most 128 deep, in valid UTF-8; else 0.
 * [hook-safe] */
INFER_API int32_t infer_provider_json_check(const char *json, size_t len);
/** The value at a path of member names and places in arrays, with dots
 * between: "choices.0.text"; "" is the value itself. NULL, with *value_len 0,
 * if there is none. value_len may not be NULL. [hook-safe] */
INFER_API const char *infer_provider_json_get(const char *json, size_t len,
                                              const char *path,
                                              size_t *value_len);
/** The members of an object or elements of an array in turn: *at is 0 at first
 * and tells where to go on. NULL after the last. *name (may be NULL) is the
 * name as it stands between its quotes, NULL for an element. [hook-safe] */
INFER_API const char *infer_provider_json_next(const char *json, size_t len,
                                               size_t *at, const char **name,
                                               size_t *name_len,
                                               size_t *value_len);
/** 1, with *number set, if the value is a whole number, or a string that holds
 * one, as some services write their figures. [hook-safe] */
INFER_API int32_t infer_provider_json_int(const char *json, size_t len,
                                          int64_t *number);
/** 1 if the value is a string that says this, escapes resolved. [hook-safe] */
INFER_API int32_t infer_provider_json_is(const char *json, size_t len,
                                         const char *text);

/* ---- The request --------------------------------------------------------- */

/** The model, as the provider names it. [hook-safe] */
INFER_API const char *
infer_provider_request_model(const infer_provider_request *request,
                             size_t *len);
/** 1 if a stream is wanted. [hook-safe] */
INFER_API int32_t
infer_provider_request_stream(const infer_provider_request *request);
/** The key, "" without one. It must not be kept, logged or put into a message.
 * [hook-safe] */
INFER_API const char *
infer_provider_request_key(const infer_provider_request *request, size_t *len);
/** The messages, as JSON objects, in turn: NULL after the last. They are found
 * fastest in their order. [hook-safe] */
INFER_API const char *
infer_provider_request_message(const infer_provider_request *request,
                               size_t index, size_t *len);
/** A member of the request beside model, messages and stream ("temperature",
 * "tools", ...), as JSON; NULL if it is absent. [hook-safe] */
INFER_API const char *
infer_provider_request_member(const infer_provider_request *request,
                              const char *name, size_t *len);
/** The whole request as one JSON object. NULL if memory is short.
 * [hook-safe] */
INFER_API const char *
infer_provider_request_json(const infer_provider_request *request, size_t *len);

/* ---- Writing it ---------------------------------------------------------- */

/** Appends to the body. [hook-safe] */
INFER_API void infer_provider_writer_append(infer_provider_writer *writer,
                                            const char *bytes, size_t len);
/** Appends a text as a JSON string, with quotes. [hook-safe] */
INFER_API void
infer_provider_writer_append_string(infer_provider_writer *writer,
                                    const char *text, size_t len);
/** Appends what a JSON string says, without quotes, escapes resolved. Of an
 * array, as a message's content may be, all its parts of type "text"; nothing
 * of any other value. [hook-safe] */
INFER_API void infer_provider_writer_append_text(infer_provider_writer *writer,
                                                 const char *json, size_t len);
/** The same as one JSON string, with quotes. [hook-safe] */
INFER_API void
infer_provider_writer_append_content(infer_provider_writer *writer,
                                     const char *json, size_t len);
/** A path in place of chat_path or stream_path, for this request.
 * [hook-safe] */
INFER_API void infer_provider_writer_set_path(infer_provider_writer *writer,
                                              const char *path);
/** A header. One of that name that the account or the request has stands in
 * its place, and it in place of the library's. [hook-safe] */
INFER_API void infer_provider_writer_add_header(infer_provider_writer *writer,
                                                const char *name,
                                                const char *value, size_t len);
/** Notes why the request cannot be told to this provider, in one line; gives
 * INFER_E_UNSUPPORTED, for the hook to return. [hook-safe] */
INFER_API int32_t infer_provider_writer_refuse(infer_provider_writer *writer,
                                               const char *why);
/** What goes out, for sign: "POST", the address, the body and the lines
 * "Name: value" of the headers, NULL after the last. [hook-safe] */
INFER_API const char *
infer_provider_writer_method(const infer_provider_writer *writer);
INFER_API const char *
infer_provider_writer_url(const infer_provider_writer *writer, size_t *len);
INFER_API const char *
infer_provider_writer_body(const infer_provider_writer *writer, size_t *len);
INFER_API const char *
infer_provider_writer_header(const infer_provider_writer *writer, size_t index,
                             size_t *len);

/* ---- One event ----------------------------------------------------------- */

/** What came, without the framing: the data of a server-sent event, a line, an
 * element, a message's payload, or the bytes that split cut off. It is valid
 * UTF-8 (what was not became U+FFFD), but for INFER_FRAMING_EVENTSTREAM and
 * _CUSTOM. [hook-safe] */
INFER_API const char *
infer_provider_event_data(const infer_provider_event *event, size_t *len);
/** The event's name where the framing has one, else "". [hook-safe] */
INFER_API const char *
infer_provider_event_name(const infer_provider_event *event, size_t *len);
/** What kind of failure it tells of: a message of Amazon's that is an
 * exception, a server-sent event with an `error` field. Else "". [hook-safe] */
INFER_API const char *
infer_provider_event_error(const infer_provider_event *event, size_t *len);

/* ---- Giving what was read ------------------------------------------------ */

/* Text is valid UTF-8 in each piece: a character that was cut in two must be
 * kept in the state until the rest of it comes. choice counts from 0 and is
 * less than the request's "n". */

/** The state_bytes of this response; NULL without any. [hook-safe] */
INFER_API void *infer_provider_sink_state(infer_provider_sink *sink);
/** The text of a JSON string, escapes resolved; "" for any other value. It
 * lives until the hook returns. [hook-safe] */
INFER_API const char *infer_provider_sink_decode(infer_provider_sink *sink,
                                                 const char *json, size_t len,
                                                 size_t *text_len);
/** Checks that a whole body, or the data of an event of which that is not
 * known, is a JSON object, and gives it; NULL if it is none: then the attempt
 * has failed, with INFER_E_TRUNCATED or INFER_E_PROTOCOL and the reason, and
 * the hook returns. Lives as infer_provider_sink_decode()'s. [hook-safe] */
INFER_API const char *infer_provider_sink_document(infer_provider_sink *sink,
                                                   const char *text, size_t len,
                                                   size_t *object_len);
/** A piece of the answer, in its order. [hook-safe] */
INFER_API void infer_provider_sink_text(infer_provider_sink *sink,
                                        uint32_t choice, const char *text,
                                        size_t len);
INFER_API void infer_provider_sink_reasoning(infer_provider_sink *sink,
                                             uint32_t choice, const char *text,
                                             size_t len);
INFER_API void infer_provider_sink_refusal(infer_provider_sink *sink,
                                           uint32_t choice, const char *text,
                                           size_t len);
/** A piece of a tool call: calls of a choice are numbered 0, 1, 2 in the order
 * in which they begin, and each may go on while others do. id and name may be
 * NULL in later pieces; the first of each stands. arguments: a piece of a JSON
 * object's text. [hook-safe] */
INFER_API void infer_provider_sink_tool_call(infer_provider_sink *sink,
                                             uint32_t choice, uint32_t index,
                                             const char *id, size_t id_len,
                                             const char *name, size_t name_len,
                                             const char *arguments,
                                             size_t arguments_len);
/** The choice is complete. reason: OpenAI's word ("stop", "length",
 * "tool_calls", "content_filter"), or NULL to have it found for the provider's
 * own, native, which may be NULL too where reason is not. [hook-safe] */
INFER_API void infer_provider_sink_finish(infer_provider_sink *sink,
                                          uint32_t choice, const char *reason,
                                          const char *native,
                                          size_t native_len);
/** Tokens so far; -1 where a number is not known. input includes what came
 * from the cache, output includes reasoning. Later numbers replace earlier
 * ones. [hook-safe] */
INFER_API void infer_provider_sink_usage(infer_provider_sink *sink,
                                         int64_t input, int64_t output,
                                         int64_t reasoning, int64_t cache_read,
                                         int64_t cache_write);
/** Elements of OpenAI's logprobs.content, as a JSON array. [hook-safe] */
INFER_API void infer_provider_sink_logprobs(infer_provider_sink *sink,
                                            uint32_t choice, const char *json,
                                            size_t len);
/** A member of the message, or of the whole answer, that has no function here,
 * as infer_provider_json_next() gives it; the application finds it in
 * infer_response_json(). In a stream strings of a message are joined, lists
 * extended; else the last stands. Names that OpenAI's answers have are left
 * out. [hook-safe] */
INFER_API void infer_provider_sink_message_extra(infer_provider_sink *sink,
                                                 uint32_t choice,
                                                 const char *name,
                                                 size_t name_len,
                                                 const char *json, size_t len);
INFER_API void infer_provider_sink_extra(infer_provider_sink *sink,
                                         const char *name, size_t name_len,
                                         const char *json, size_t len);
/** When the answer was made, in seconds since 1970. [hook-safe] */
INFER_API void infer_provider_sink_created(infer_provider_sink *sink,
                                           int64_t seconds);
/** The provider's id of the answer; the model that answers. [hook-safe] */
INFER_API void infer_provider_sink_id(infer_provider_sink *sink, const char *id,
                                      size_t len);
INFER_API void infer_provider_sink_model(infer_provider_sink *sink,
                                         const char *model, size_t len);
/** The mark that ends the whole answer. [hook-safe] */
INFER_API void infer_provider_sink_end(infer_provider_sink *sink);
/** The provider reports a failure inside a 2xx. status: see
 * infer_provider_failure_set_class(). message and code are the provider's, code
 * may be NULL. hint_ms: how long it asks to wait, -1 if it does not say. Only
 * usage and the end are taken after it. [hook-safe] */
INFER_API void infer_provider_sink_fail(infer_provider_sink *sink,
                                        int32_t status, const char *message,
                                        size_t len, const char *code,
                                        int64_t hint_ms);

/** The same, read from a JSON value as providers write it in their failures:
 * {"error": {"message": ..., "code": ...}} and its many relatives. [hook-safe]
 */
INFER_API void infer_provider_sink_fail_json(infer_provider_sink *sink,
                                             const char *json, size_t len);

/* ---- Failures and quotas ------------------------------------------------- */

/** The HTTP status. [hook-safe] */
INFER_API int32_t
infer_provider_reply_status(const infer_provider_reply *reply);
/** The first header of that name, case ignored; NULL if absent. [hook-safe] */
INFER_API const char *
infer_provider_reply_header(const infer_provider_reply *reply, const char *name,
                            size_t *len);
/** The body, at most its first 64 KiB; "" in read_limits. [hook-safe] */
INFER_API const char *
infer_provider_reply_body(const infer_provider_reply *reply, size_t *len);

/** The class that the library found. [hook-safe] */
INFER_API int32_t
infer_provider_failure_class(const infer_provider_failure *failure);
/** Another class: INFER_E_OVERLOADED, _SERVER, _RATE_LIMITED, _QUOTA, _AUTH,
 * _NOT_FOUND, _CONTEXT_LENGTH, _REQUEST_TOO_LARGE, _CONTENT_FILTER,
 * _BAD_REQUEST or _PROTOCOL. [hook-safe] */
INFER_API void infer_provider_failure_set_class(infer_provider_failure *failure,
                                                int32_t status);
/** How long the provider asks to wait; -1: it does not say. [hook-safe] */
INFER_API void
infer_provider_failure_set_hint_ms(infer_provider_failure *failure,
                                   int64_t hint_ms);
/** The provider's words: infer_error_provider_message() and
 * infer_error_provider_code(). [hook-safe] */
INFER_API void
infer_provider_failure_set_message(infer_provider_failure *failure,
                                   const char *text, size_t len);
INFER_API void infer_provider_failure_set_code(infer_provider_failure *failure,
                                               const char *text, size_t len);

/* What a quota counts. */
#define INFER_QUOTA_REQUESTS      0
#define INFER_QUOTA_TOKENS        1 /**< input and output together */
#define INFER_QUOTA_INPUT_TOKENS  2
#define INFER_QUOTA_OUTPUT_TOKENS 3

/** One quota. period_ms: what the limit is of (60000 for a minute), 0 if it
 * is not known. limit, remaining, reset_ms (until it is whole again): -1 where
 * not known; at least one is. At most 12 are taken; what cannot be true is
 * not. [hook-safe] */
INFER_API void infer_provider_limits_add(infer_provider_limits *limits,
                                         int32_t quota, int64_t period_ms,
                                         int64_t limit, int64_t remaining,
                                         int64_t reset_ms);

#ifdef __cplusplus
}
#endif

#endif
