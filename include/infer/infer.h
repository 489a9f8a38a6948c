/* SPDX-License-Identifier: MIT */
/** \file infer.h
 * libinfer: chat completions from any provider, with failover, retries,
 * deadlines and one event queue for any number of calls.
 *
 * This is the only header that an application includes. It is C99 and C++.
 *
 * RULES THAT HOLD EVERYWHERE
 *
 * Status. Functions that can fail return int32_t: INFER_OK (0) or a negative
 * INFER_E_* value. New values may be added in any release; treat an unknown
 * one as a failure.
 *
 * Errors. An `infer_error **error` parameter may be NULL. It is set to NULL at
 * entry and, when the function fails, to an error that the caller frees. Do
 * not pass the address of a pointer that still owns an error.
 *
 * Ownership. What goes in is copied. Accessors (`infer_<noun>_<part>`) lend a
 * pointer that lives as long as the handle it came from and is not changed
 * while it lives. `_new`, `_from_*` and `_take_*` give: the caller frees.
 * Every `_free` takes NULL.
 *
 * Text is UTF-8. Where a length goes with a pointer the text may contain NUL
 * and is also NUL-terminated where the library gives it. A `const char *`
 * without a length is NUL-terminated. A length parameter may be
 * INFER_NUL_TERMINATED. Accessors with a `size_t *len` accept NULL there.
 *
 * Threads. Every function may be called from any thread at any time unless
 * its comment says otherwise. A handle that is being built (a config, a
 * request) is used by one thread at a time.
 *
 * Hooks (log, telemetry, wake-up, thread start) run on the library's loop
 * thread, or, for a client with "threads": 0, on the thread that drives it.
 * No lock is held, but they must not block and may call only functions marked
 * [hook-safe]; others return INFER_E_REENTRANT where they would wait. An
 * event callback given to infer_chat_stream() is no hook: it runs on the
 * caller's own thread and may call anything.
 *
 * Fork. In a forked child every function that takes a client, queue or call of
 * the parent returns INFER_E_FORKED (-1 where it gives a descriptor or a
 * time); their `_free` functions close what the child inherited, wipe keys and
 * leave the parent's connections alone. What a call was given (its id, tag,
 * route, ...) stays readable. Configs, requests, responses, errors and events
 * stay usable, and the child may make clients of its own. (OpenSSL does not
 * guard its locks over fork(): in a child that is forked while another thread
 * is within OpenSSL, TLS may hang. It is rare, and a parent that forks before
 * it makes clients is free of it.) A child that is forked within a hook must
 * not return from it. All this is about fork(): a
 * child of vfork() or _Fork() may only exec or _exit().
 *
 * Exit. When exit() is called or main() returns, the library ends what is in
 * flight before OpenSSL frees what that uses: calls end as
 * INFER_E_CANCELLED, no hook runs any more, new calls and clients are refused
 * as INFER_E_CLOSED. The handles stay good, also for handlers and destructors
 * that run later, and need not be freed. A loop that hangs in a hook is waited
 * for at most 2 s.
 *
 * Signals. Loop threads, and those that libcurl makes, block all signals but
 * those of their own faults. SIGPIPE is never raised, and no handler is set or
 * touched. A signal ends no wait but that of infer_client_drive(), which
 * returns INFER_OK early. No function may be called within a signal handler,
 * not even infer_call_cancel(): let the handler set a flag or write to a pipe,
 * and cancel on a thread.
 *
 * Time. All durations are what their suffix says. No function waits longer
 * than its own timeout or the deadline of the call it waits for. Deadlines
 * count the time that the machine sleeps or the process is stopped; the
 * timeouts of functions that wait do not count the machine's sleep. Setting
 * the wall clock changes nothing but what is said in dates: a provider's
 * retry-after (by the provider's own Date, where it sends one), and the
 * validity of certificates.
 */
#ifndef INFER_INFER_H
#define INFER_INFER_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define INFER_API __declspec(dllimport)
#elif defined(__GNUC__)
#define INFER_API __attribute__((visibility("default")))
#else
#define INFER_API
#endif

#if defined(__GNUC__)
#define INFER_CHECKED __attribute__((warn_unused_result))
#else
#define INFER_CHECKED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ------------------------------------------------------------- */

#define INFER_VERSION_MAJOR 0
#define INFER_VERSION_MINOR 1
#define INFER_VERSION_PATCH 0
#define INFER_VERSION       "0.1.0"

/** Version of the library that runs (not of the header): "0.1.0".
 * [hook-safe] */
INFER_API const char *infer_version(void);
/** The same as a number: major * 1000000 + minor * 1000 + patch.
 * [hook-safe] */
INFER_API uint32_t infer_version_number(void);
/** Names of what this build can do, separated by spaces: "http2 gzip unix
 * threads ...", and of the versions it runs with ("libcurl/7.88.1").
 * [hook-safe] */
INFER_API const char *infer_features(void);
/** 1 if the feature is in infer_features(), else 0. [hook-safe] */
INFER_API int32_t infer_has_feature(const char *name);

/* ---- Status -------------------------------------------------------------- */

#define INFER_NUL_TERMINATED ((size_t)-1)

#define INFER_OK             0

/* Misuse and local trouble. */
#define INFER_E_INVALID_ARGUMENT (-1)  /**< a parameter or request is wrong */
#define INFER_E_NO_MEMORY        (-2)  /**< memory is short */
#define INFER_E_CONFIG           (-3)  /**< the configuration is wrong */
#define INFER_E_CLOSED           (-4)  /**< client or queue was closed */
#define INFER_E_TIMEOUT          (-5)  /**< the wait, not the call, timed out */
#define INFER_E_REENTRANT        (-6)  /**< not allowed from a hook */
#define INFER_E_FORKED           (-7)  /**< handle of the parent process */
#define INFER_E_UNSUPPORTED      (-8)  /**< not in this build or dialect */
#define INFER_E_IO               (-9)  /**< a local file could not be read */
#define INFER_E_INTERNAL         (-10) /**< a bug in the library */

/* Classes of failure of a call: the failure table. */
#define INFER_E_RESOLVE             (-20) /**< host name not found */
#define INFER_E_CONNECT             (-21) /**< refused or unreachable */
#define INFER_E_TLS                 (-22) /**< TLS handshake failed */
#define INFER_E_RESET               (-23) /**< broke before an answer */
#define INFER_E_TLS_VERIFY          (-24) /**< certificate not trusted */
#define INFER_E_FIRST_TOKEN_TIMEOUT (-25) /**< no content in first_token_ms */
#define INFER_E_ATTEMPT_TIMEOUT     (-26) /**< answer not done in attempt_ms */
#define INFER_E_IDLE_TIMEOUT        (-27) /**< silence within an answer */
#define INFER_E_TRUNCATED           (-28) /**< answer ended without its end */
#define INFER_E_OVERLOADED          (-29) /**< provider has no capacity */
#define INFER_E_SERVER              (-30) /**< provider failed (5xx) */
#define INFER_E_RATE_LIMITED        (-31) /**< our quota; it refills (429) */
#define INFER_E_QUOTA               (-32) /**< this key is spent (billing) */
#define INFER_E_AUTH                (-33) /**< this key is refused */
#define INFER_E_NOT_FOUND           (-34) /**< model or URL does not exist */
#define INFER_E_CONTEXT_LENGTH      (-35) /**< prompt too long for the model */
#define INFER_E_REQUEST_TOO_LARGE   (-36) /**< can never pass this quota */
#define INFER_E_CONTENT_FILTER      (-37) /**< provider refused the content */
#define INFER_E_BAD_REQUEST         (-38) /**< provider rejects the request */
#define INFER_E_PROTOCOL            (-39) /**< answer is malformed */
#define INFER_E_TOO_LARGE           (-40) /**< answer or event over its limit */
#define INFER_E_TOO_DEEP            (-41) /**< JSON nested too deeply */
#define INFER_E_CANCELLED           (-42) /**< infer_call_cancel() or close */
#define INFER_E_DEADLINE            (-43) /**< the call's deadline passed */
#define INFER_E_BUDGET              (-44) /**< a budget is used up */
#define INFER_E_NO_TARGET           (-45) /**< no target may serve the call */
#define INFER_E_LIMIT               (-46) /**< a limit of this client */

/** "INFER_E_RATE_LIMITED"; "INFER_E_UNKNOWN" for a value that this version
 * does not know. [hook-safe] */
INFER_API const char *infer_status_name(int32_t status);
/** A short description: "rate limited". [hook-safe] */
INFER_API const char *infer_status_text(int32_t status);
/** The status values one by one, for bindings: the index-th, or 1 past the
 * end. [hook-safe] */
INFER_API int32_t infer_status_at(size_t index);

/* ---- Process-wide hooks -------------------------------------------------- */

/** Replaces malloc, realloc and free for all memory that the library itself
 * allocates (not that of libcurl and OpenSSL). Call it before any other
 * function, from one thread; INFER_E_INVALID_ARGUMENT if one is NULL (all
 * NULL: the defaults). The functions are called from any thread. */
INFER_API int32_t infer_set_allocator(
    void *(*malloc_fn)(size_t size, void *user_data),
    void *(*realloc_fn)(void *ptr, size_t size, void *user_data),
    void (*free_fn)(void *ptr, void *user_data), void *user_data);

/** hook runs first thing on each thread that the library starts; name is at
 * most 15 bytes. Set it before a client is made. NULL removes it. */
INFER_API int32_t infer_set_thread_start_hook(void (*hook)(const char *name,
                                                           void *user_data),
                                              void *user_data);

/** Frees a text that a function documents as given to the caller.
 * [hook-safe] */
INFER_API void infer_text_free(char *text);

/* ---- Handles ------------------------------------------------------------- */

typedef struct infer_config infer_config;
typedef struct infer_client infer_client;
typedef struct infer_request infer_request;
typedef struct infer_response infer_response;
typedef struct infer_error infer_error;
typedef struct infer_queue infer_queue;
typedef struct infer_event infer_event;
typedef struct infer_call infer_call;
typedef struct infer_attempt infer_attempt;
typedef struct infer_plan infer_plan;
typedef struct infer_model_list infer_model_list;
typedef struct infer_warm_report infer_warm_report;
typedef struct infer_embeddings infer_embeddings;

/* ---- Errors -------------------------------------------------------------- */

/* All accessors of an error are [hook-safe] and accept NULL. Strings are ""
 * where there is nothing to tell, never NULL. */

/** The class: an INFER_E_* value; INFER_OK for NULL. */
INFER_API int32_t infer_error_status(const infer_error *error);
/** One line that says what happened and, where it can, what to do. It never
 * contains a key. A provider's own words are part of it, and a provider may
 * quote the request; the log gets it without them. */
INFER_API const char *infer_error_message(const infer_error *error);
/** Name of the provider that the last attempt went to. */
INFER_API const char *infer_error_provider(const infer_error *error);
/** "provider/model" of the last attempt. */
INFER_API const char *infer_error_target(const infer_error *error);
/** HTTP status of the last attempt, 0 without a response. */
INFER_API int32_t infer_error_http_status(const infer_error *error);
/** The provider's id of the failed request, for its support. */
INFER_API const char *infer_error_request_id(const infer_error *error);
/** The provider's own words, as sent: `code`, `type` and `param` of its error
 * object, and its message. */
INFER_API const char *infer_error_provider_code(const infer_error *error);
INFER_API const char *infer_error_provider_type(const infer_error *error);
INFER_API const char *infer_error_provider_param(const infer_error *error);
INFER_API const char *infer_error_provider_message(const infer_error *error);
/** 1 if the same call may succeed later, 0 if it will fail again. */
INFER_API int32_t infer_error_retryable(const infer_error *error);
/** How long the provider asked to wait, in milliseconds; -1 if it did not. */
INFER_API int64_t infer_error_retry_after_ms(const infer_error *error);
/** The attempts of the call, in the order of their start. */
INFER_API size_t infer_error_attempt_count(const infer_error *error);
INFER_API const infer_attempt *infer_error_attempt(const infer_error *error,
                                                   size_t index);
/** Nano-dollars of all attempts, and how well that is known, as of a response;
 * 0, exactly, if there was none. All of it is wasted, a partial answer's
 * attempts too. */
INFER_API int64_t infer_error_total_cost_nano_usd(const infer_error *error);
INFER_API int64_t infer_error_wasted_cost_nano_usd(const infer_error *error);
INFER_API int32_t infer_error_cost_kind(const infer_error *error);
/** What had arrived of the answer when the call ended, that which other
 * attempts had gone on with included; NULL if nothing. */
INFER_API const infer_response *infer_error_partial(const infer_error *error);
INFER_API void infer_error_free(infer_error *error);

/* ---- Attempts ------------------------------------------------------------ */

/* Why an attempt was started. */
#define INFER_REASON_FIRST    1  /**< the call's first attempt */
#define INFER_REASON_RETRY    2  /**< the same target again */
#define INFER_REASON_FAILOVER 3  /**< another target */
#define INFER_REASON_KEY      4  /**< the same target, another key or token */
#define INFER_REASON_RESEND   5  /**< at once after a reused connection broke */
#define INFER_REASON_RECOVERY 6  /**< a new answer after one had begun */
#define INFER_REASON_CONTINUE 7  /**< goes on from what was delivered */
#define INFER_REASON_HEDGE    8  /**< beside another that was silent */
#define INFER_REASON_PROBE    9  /**< a copy, for a breaker; of no call */
#define INFER_REASON_PREWARM  10 /**< only a connection; of no call */

/* Points in an attempt's life, in nanoseconds since the attempt's start. */
#define INFER_PHASE_LIMITER_WAIT  0  /**< held back so long before the start */
#define INFER_PHASE_LOOKUP        1  /**< name resolved */
#define INFER_PHASE_CONNECT       2  /**< connected */
#define INFER_PHASE_TLS           3  /**< TLS handshake done */
#define INFER_PHASE_SENT          4  /**< request handed to the connection */
#define INFER_PHASE_HEADERS       5  /**< response headers complete */
#define INFER_PHASE_FIRST_BYTE    6  /**< first byte of the body */
#define INFER_PHASE_FIRST_CONTENT 7  /**< first content of any kind */
#define INFER_PHASE_FIRST_ANSWER  8  /**< first content that is not reasoning */
#define INFER_PHASE_LAST_CONTENT  9  /**< last content */
#define INFER_PHASE_END           10 /**< attempt over */
#define INFER_PHASE_COUNT         11

/* Kinds of token counts. */
#define INFER_USAGE_INPUT        0 /**< all prompt tokens */
#define INFER_USAGE_OUTPUT       1 /**< all completion tokens */
#define INFER_USAGE_REASONING    2 /**< of the output: reasoning */
#define INFER_USAGE_CACHE_READ   3 /**< of the input: read from a cache */
#define INFER_USAGE_CACHE_WRITE  4 /**< of the input: written to a cache */
#define INFER_USAGE_TOTAL        5
#define INFER_USAGE_AUDIO_INPUT  6 /**< of the input: audio */
#define INFER_USAGE_AUDIO_OUTPUT 7 /**< of the output: audio */
#define INFER_USAGE_COUNT        8

/* How well a cost is known. */
#define INFER_COST_UNKNOWN   0 /**< not at all: the cost is -1 */
#define INFER_COST_EXACT     1 /**< the provider's figures, known prices */
#define INFER_COST_ESTIMATED 2 /**< some figures are the library's estimate */

/* Accessors of an attempt are [hook-safe] and accept NULL: strings are then "",
 * never NULL. An attempt is lent by the response, error or hook that it came
 * from. */

INFER_API const char *infer_attempt_provider(const infer_attempt *attempt);
/** "provider/model". */
INFER_API const char *infer_attempt_target(const infer_attempt *attempt);
/** INFER_REASON_*. */
INFER_API int32_t infer_attempt_reason(const infer_attempt *attempt);
/** "first", "retry", ... */
INFER_API const char *infer_attempt_reason_name(const infer_attempt *attempt);
/** Which key of the provider was used, from 0; the key is not told. */
INFER_API int32_t infer_attempt_key_index(const infer_attempt *attempt);
/** INFER_OK or the class of its failure. */
INFER_API int32_t infer_attempt_status(const infer_attempt *attempt);
/** One line about the failure; "" for a success. */
INFER_API const char *infer_attempt_message(const infer_attempt *attempt);
/** What was decided after its failure, and why: "the same target again", "the
 * client's retry budget is used up", ... "" for a success, and in the telemetry
 * hook of an attempt, which hears of it before the decision. The words may
 * change. */
INFER_API const char *infer_attempt_decision(const infer_attempt *attempt);
INFER_API int32_t infer_attempt_http_status(const infer_attempt *attempt);
INFER_API const char *infer_attempt_request_id(const infer_attempt *attempt);
/** 1 if the answer, or the end of a continued one, came from this attempt. */
INFER_API int32_t infer_attempt_won(const infer_attempt *attempt);
/** 1 if the connection had been used before. */
INFER_API int32_t infer_attempt_reused_connection(const infer_attempt *attempt);
/** Start of the attempt in nanoseconds since the call was accepted. */
INFER_API int64_t infer_attempt_start_ns(const infer_attempt *attempt);
/** INFER_PHASE_*: nanoseconds since the attempt's start; -1 for a point that
 * was not reached. LIMITER_WAIT: how long it was held back before that, by
 * limits, for a token, or after a failure; 0 if by nothing. */
INFER_API int64_t infer_attempt_phase_ns(const infer_attempt *attempt,
                                         int32_t phase);
/** Output tokens per second, after the first content of a stream; -1 where that
 * is not known: a whole body, no figures, or fewer than two tokens. */
INFER_API double infer_attempt_tokens_per_second(const infer_attempt *attempt);
/** INFER_USAGE_*: tokens; -1 for what is not known. */
INFER_API int64_t infer_attempt_usage(const infer_attempt *attempt,
                                      int32_t kind);
/** What the attempt cost in nano-dollars (10^-9 $); -1 where that is not known,
 * since a price or a count is missing: never 0 for that. How it is computed,
 * and how it is estimated, is in docs/cost.md. It is known from the attempt's
 * end on, so in the telemetry hook too. */
INFER_API int64_t infer_attempt_cost_nano_usd(const infer_attempt *attempt);
/** INFER_COST_*; INFER_COST_UNKNOWN for NULL. */
INFER_API int32_t infer_attempt_cost_kind(const infer_attempt *attempt);
/** Bytes of request body sent and of response body received (decoded). */
INFER_API int64_t infer_attempt_bytes_sent(const infer_attempt *attempt);
INFER_API int64_t infer_attempt_bytes_received(const infer_attempt *attempt);
/** Malformed stream events that were skipped. */
INFER_API int64_t infer_attempt_skipped_events(const infer_attempt *attempt);

/* ---- Configuration ------------------------------------------------------- */

/* One JSON document; its options are listed in docs/options.md and by
 * infer_options_manual(). A config is checked as a whole by
 * infer_config_check() and by infer_client_new(). */

#define INFER_LOG_ERROR 1
#define INFER_LOG_WARN  2
#define INFER_LOG_INFO  3
#define INFER_LOG_DEBUG 4
#define INFER_LOG_TRACE 5

/** An empty configuration. */
INFER_API int32_t infer_config_new(infer_config **config);
/** Errors: INFER_E_CONFIG with line and column of a JSON mistake. */
INFER_API int32_t infer_config_from_json(infer_config **config,
                                         const char *json, size_t len,
                                         infer_error **error);
/** Reads a file of at most 4 MiB. Errors: INFER_E_IO, INFER_E_CONFIG. */
INFER_API int32_t infer_config_from_file(infer_config **config,
                                         const char *path, infer_error **error);
/** Sets one option by its path: "threads", "providers.house.base_url"
 * (providers by name, made when new), "routes.fast.timeouts.connect_ms". The
 * value is JSON; null removes the option. A later set replaces an earlier
 * one. */
INFER_API int32_t infer_config_set_json(infer_config *config, const char *path,
                                        const char *json, size_t len,
                                        infer_error **error);
INFER_API int32_t infer_config_set_string(infer_config *config,
                                          const char *path, const char *value,
                                          infer_error **error);
INFER_API int32_t infer_config_set_int(infer_config *config, const char *path,
                                       int64_t value, infer_error **error);
/** Lines of at most this level (INFER_LOG_*) go to fn, a hook. */
INFER_API int32_t infer_config_set_log(infer_config *config, int32_t level,
                                       void (*fn)(int32_t level,
                                                  const char *message,
                                                  void *user_data),
                                       void *user_data);
/** on_attempt runs for each finished attempt, on_call for each finished call
 * after its last attempt; both are hooks and either may be NULL. What they
 * are given lives until they return. response is NULL for a failed call,
 * error for a successful one. Route, tenant and tags are those of the call.
 * Probes and warm-ups (INFER_REASON_PROBE, _PREWARM) are attempts of no call:
 * call is then NULL; the target of a warm-up is its provider's name.
 * INFER_E_UNSUPPORTED in a build without telemetry. */
INFER_API int32_t infer_config_set_telemetry(
    infer_config *config,
    void (*on_attempt)(const infer_call *call, const infer_attempt *attempt,
                       void *user_data),
    void (*on_call)(const infer_call *call, const infer_response *response,
                    const infer_error *error, void *user_data),
    void *user_data);
/** Keeps what the budgets of the configuration have spent with the
 * application, in place of the option budgets_file. load, on the thread of
 * infer_client_new(), fills data with what save was last given and sets *len to
 * its length, 0 if there is nothing; if that is more than capacity it is called
 * again with more room. It returns INFER_OK, or an error with which
 * infer_client_new() then fails. save is called when something was spent, at
 * most once a second and once more at the client's end, on a thread of the
 * library that may wait for it; it returns INFER_OK, or an error, which the log
 * tells of once, and it is tried again. Neither may call a function of this
 * client. What was damaged meanwhile is noticed and forgotten. NULL and NULL:
 * nobody keeps it. A reload does not change it. Errors:
 * INFER_E_INVALID_ARGUMENT. */
INFER_API int32_t infer_config_set_budget_store(
    infer_config *config,
    int32_t (*load)(char *data, size_t capacity, size_t *len, void *user_data),
    int32_t (*save)(const char *data, size_t len, void *user_data),
    void *user_data);
/* ---- Token sources -------------------------------------------------------
 *
 * Where a provider's credential expires, and the application knows how to get
 * the next one (Entra by MSAL, AWS by its SDK, a vault), it gives a function
 * in place of "api_key". The library asks it when the first call needs a
 * token, ahead of the end of one that is in use, and when the provider has
 * refused one; it keeps what it is given, for all calls, until then. */

/** One question for a token. It is ended, once, by infer_token_deliver() or
 * infer_token_fail(), and is gone then. */
typedef struct infer_token_request infer_token_request;

/** fn, a hook, is asked for the tokens of this provider, which the document
 * has without "api_key". It must not block: it hands the question to a thread
 * or a loop of the application, which answers it when it can. At most one
 * question of a provider waits for its answer; calls wait for it until their
 * deadline, unless there is a token that is good still. A question that is not
 * answered within 60 s counts as failed, but its answer is taken when it
 * comes. A later call replaces an earlier one; fn NULL removes it. After
 * infer_client_reload() the source is that of the new configuration; tokens
 * are kept where fn and user_data are the same. Errors: INFER_E_NO_MEMORY,
 * INFER_E_INVALID_ARGUMENT. */
INFER_API int32_t infer_config_set_token_source(
    infer_config *config, const char *provider,
    void (*fn)(infer_token_request *request, void *user_data), void *user_data);
/** Name of the provider. [hook-safe] */
INFER_API const char *
infer_token_request_provider(const infer_token_request *request);
/** 1 if the provider has refused the last token: a cache of the application's
 * own is not to give it again. [hook-safe] */
INFER_API int32_t
infer_token_request_refused(const infer_token_request *request);
/** Answers with a token, as it stands after "Bearer", of at most 16 KiB; for
 * Bedrock it may be "ACCESS_KEY_ID:SECRET_ACCESS_KEY:SESSION_TOKEN". It is
 * copied. len: INFER_NUL_TERMINATED, or its length. expires_at: seconds since
 * 1970, 0: not known, it is then used until it is refused. Any thread, also in
 * fn itself and after the client has gone; request is gone afterwards, also on
 * an error. Errors: INFER_E_INVALID_ARGUMENT for what is no token or expired
 * already, INFER_E_NO_MEMORY, INFER_E_CLOSED; the first two count as a failed
 * question. [hook-safe] */
INFER_API int32_t infer_token_deliver(infer_token_request *request,
                                      const char *token, size_t len,
                                      int64_t expires_at);
/** Answers that there is none. status: INFER_E_AUTH if somebody has to mend it,
 * asked again after a minute; else a passing failure, asked again after 1 s, 2
 * s, 4 s, ... Calls that wait fail with this status and message (may be NULL;
 * it must not hold a secret). As infer_token_deliver() otherwise. [hook-safe]
 */
INFER_API int32_t infer_token_fail(infer_token_request *request, int32_t status,
                                   const char *message);

/** Checks everything that can be checked without the network. Errors:
 * INFER_E_CONFIG, with the path of the option and the remedy. */
INFER_API int32_t infer_config_check(const infer_config *config,
                                     infer_error **error);
/** The document as JSON, with every written-out secret replaced by "***".
 * Free it with infer_text_free(). */
INFER_API int32_t infer_config_json(const infer_config *config, char **json,
                                    size_t *len);
INFER_API void infer_config_free(infer_config *config);
/** The manual of all options, as Markdown. Free it with infer_text_free(). */
INFER_API int32_t infer_options_manual(char **markdown, size_t *len);

/* ---- Client -------------------------------------------------------------- */

/** Makes a client. config NULL, or without providers: those providers whose
 * key variable is set in the environment (OPENAI_API_KEY, CLARIFAI_PAT, ...),
 * which never fail over to one another. The config stays the caller's. Reads
 * key variables, key files and proxy variables now, once. Errors:
 * INFER_E_CONFIG, INFER_E_IO, INFER_E_NO_MEMORY. */
INFER_API int32_t infer_client_new(infer_client **client,
                                   const infer_config *config,
                                   infer_error **error);
/** One more reference, for another owner; each is dropped by
 * infer_client_free(). Returns client. [hook-safe] */
INFER_API infer_client *infer_client_ref(infer_client *client);
/** Drops a reference. The last one cancels what is in flight (each call still
 * gets its terminal event), waits for the loop thread, and frees; from a hook
 * it does not wait. */
INFER_API void infer_client_free(infer_client *client);
/** Refuses new calls (INFER_E_CLOSED), waits up to drain_ms for those in
 * flight, then cancels the rest. INFER_OK if all had ended by themselves,
 * INFER_E_TIMEOUT if some were cancelled. What is left of telemetry for a
 * collector (option telemetry.otlp) is sent within the same time, or lost. May
 * be called again. */
INFER_API int32_t infer_client_close(infer_client *client, int64_t drain_ms);
/** Checks config and, if it is good, uses it for calls submitted from now on;
 * calls in flight keep what they began with. What was learned of providers
 * and keys is kept by name; refused keys get another chance. The log and
 * telemetry hooks stay those that the client was made with. "threads" and
 * "max_idle_connections" cannot change. On an error nothing changes. */
INFER_API int32_t infer_client_reload(infer_client *client,
                                      const infer_config *config,
                                      infer_error **error);

/** What has come of the client's work so far, as one JSON document, of which
 * later versions may have more members. docs/telemetry.md has all of it: for
 * each pair of target and route counters and the last 1, 5 and 60 minutes
 * (quantiles of the times, rates, spend), what is left of the limits, breakers,
 * tenants (option metrics_tenants); and of hedges
 *
 *   {"hedging": {"ROUTE": {
 *      "sent": 12, "won": 7, "lost": 4, "rescues": 0,
 *      "delay_ms": 412.5, "probability": 0.93,
 *      "calls_cost": 91234, "losers_cost": 1320,
 *      "suppressed": {"no_plan": 0, "drawn": 31, "run_once": 0, "nowhere": 0,
 *                     "slowdown": 0, "loses": 0, "budget": 2}}},
 *    "spend": {"total": {"exact_nano_usd": 912340, "estimated_nano_usd": 1200,
 *                        "wasted_nano_usd": 1200, "attempts": 31,
 *                        "unknown_attempts": 0},
 *              "providers": {...}, "targets": {...}, "routes": {...}},
 *    "budgets": [{"name": "team", "per": "tag:team", "key": "red",
 *                 "period": "2026-11", "resets_at": 1796083200,
 *                 "spent_nano_usd": 912340, "spent_tokens": 4021,
 *                 "reserved_nano_usd": 0, "reserved_tokens": 0,
 *                 "limit_nano_usd": 20000000000, "limit_tokens": null,
 *                 "warned": false, "refused": 0}]}
 *
 * There is a member of "hedging" for each route, or "provider/model" named by
 * requests, whose calls may have hedges. sent: hedges, of which won were sooner
 * than the first attempt and lost were not (the others ended without a winner);
 * rescues: second attempts for calls that waited at a target fallen silent.
 * delay_ms (null: no hedges) and probability: the present plan for the most
 * frequent prompt length. calls_cost: of what was delivered; losers_cost: of
 * attempts that lost a race; both in pico-dollars where all targets of the
 * route have a price, else in tokens, one of an answer counted as four.
 * suppressed: calls without a hedge, by what spoke against it: no plan that
 * would help, the draw, run once, no target that may take it, a target that is
 * slow itself, hedges that hardly ever win, the budget; see docs/hedging.md.
 *
 * spend: what the attempts of calls that have ended cost, in all and by name:
 * by the provider's figures, by the library's estimate, and of both together
 * for attempts that wrote nothing of a delivered answer; unknown_attempts have
 * no known cost and are in none of the sums; see docs/cost.md.
 *
 * budgets: the accounts that attempts have met since the start, in the present
 * period; resets_at in seconds since 1970; a limit that there is not is null;
 * refused: attempts; see docs/budgets.md.
 *
 * Where labels kept targets out of calls there is a member "refusals":
 *
 *   [{"target": "us/m", "label": "eu", "calls": 12}]
 *
 * in the order in which they first did; calls whose target and label are not
 * among the first 256 pairs are counted together, with null for both; see
 * docs/privacy.md.
 *
 * Counters begin at 0 with the client and are kept when it is reloaded. *json
 * has a NUL at its end, which *len (may be NULL) does not count; free it with
 * infer_text_free(). Errors: INFER_E_NO_MEMORY; *json is NULL then;
 * INFER_E_UNSUPPORTED in a build without telemetry. [hook-safe] */
INFER_API int32_t infer_client_stats(infer_client *client, char **json,
                                     size_t *len);
/** The counters of that, and histograms, in the text format of Prometheus
 * (0.0.4: "text/plain; version=0.0.4"), to be served at /metrics. Names are
 * those of OpenTelemetry's conventions for generative AI (v1.41) where they
 * have one, else they begin with "libinfer_"; docs/telemetry.md lists them. For
 * each pair of target and route there are some 100 samples; at most 1024 pairs
 * are told apart. *text, *len and errors as of infer_client_stats().
 * [hook-safe] */
INFER_API int32_t infer_client_metrics(infer_client *client, char **text,
                                       size_t *len);

/* For a client with "threads": 0, which has no thread of its own: the
 * application lets it work. Blocking functions and queue polls do it by
 * themselves. With a loop thread these return INFER_E_UNSUPPORTED, -1 and
 * -1. */

/** One turn of the loop: does what is due, waits at most timeout_ms (0: not at
 * all) for the network where nothing was, and does what came of it. */
INFER_API int32_t infer_client_drive(infer_client *client, int64_t timeout_ms);
/** Becomes readable when infer_client_drive() has something to do. Owned by
 * the client. */
INFER_API int32_t infer_client_fd(infer_client *client);
/** Nanoseconds until infer_client_drive() must be called even if the fd stays
 * quiet; 0: now; -1: no limit. Call it on the thread that drives. */
INFER_API int64_t infer_client_next_timeout_ns(infer_client *client);

/** Which targets the request would try now, in which order and why, and whether
 * it would be hedged: nothing is sent. Targets that are kept out stand at the
 * end. Before them stand those whose breaker is open: they are INFER_OK, for
 * where no other target can serve the call it may be sent there as a probe, at
 * most one call every 1.3 seconds and target. The reason tells when the next
 * one is due. */
INFER_API int32_t infer_client_plan(infer_client *client,
                                    const infer_request *request,
                                    infer_plan **plan, infer_error **error);
/** Targets of the route, those to be tried first, in order. */
INFER_API size_t infer_plan_count(const infer_plan *plan);
/** "provider/model". */
INFER_API const char *infer_plan_target(const infer_plan *plan, size_t index);
/** INFER_OK if it would be tried, else the class that keeps it out:
 * INFER_E_NO_TARGET for a label, INFER_E_AUTH or INFER_E_QUOTA for keys set
 * aside, ... */
INFER_API int32_t infer_plan_status(const infer_plan *plan, size_t index);
/** One line: why it stands here, or why it is kept out; of the first one also
 * whether and when the call would have a hedge. */
INFER_API const char *infer_plan_reason(const infer_plan *plan, size_t index);
INFER_API void infer_plan_free(infer_plan *plan);

/* How far a provider was reached by infer_client_prewarm(). */
#define INFER_WARM_NOTHING   0 /**< not even its name was found */
#define INFER_WARM_LOOKUP    1 /**< its name was looked up */
#define INFER_WARM_CONNECTED 2 /**< it accepted a connection */
#define INFER_WARM_TLS       3 /**< and did the TLS handshake */
#define INFER_WARM_READY     4 /**< a connection waits for the next call */

/** Makes connections ready, so that the next calls begin without name lookup
 * and handshakes, and reports what came of it. name: a route (all its
 * targets but those that its own labels keep out of all its calls),
 * "provider/model", or a provider; NULL: every provider.
 *
 * A provider with the option warm_path is sent a GET of that path, without a
 * key, prompt or header of the account. Without the option no request is sent,
 * which suffices for HTTP/2; of HTTP/1.1 a connection that was not used cannot
 * be kept, and only the looked-up name remains. A connection that waits
 * already serves as it is.
 *
 * Waits at most timeout_ms (-1: as long as it takes; no warm-up takes more
 * than 30 s). What is not ready by then is given up; only with 0, which does
 * not wait, warm-ups go on without a report. INFER_OK when every provider of
 * the report is done with, ready or not; INFER_E_TIMEOUT with the report so
 * far. report may not be NULL; the caller frees it. Other errors, without a
 * report: INFER_E_CONFIG (no such name), INFER_E_CLOSED, INFER_E_NO_MEMORY,
 * INFER_E_REENTRANT from a hook. */
INFER_API int32_t infer_client_prewarm(infer_client *client, const char *name,
                                       int64_t timeout_ms,
                                       infer_warm_report **report,
                                       infer_error **error);
/** One row for each provider, in the order of the route or configuration. A
 * row past the end reads as "", 0 or -1. These are [hook-safe]. */
INFER_API size_t infer_warm_report_count(const infer_warm_report *report);
INFER_API const char *
infer_warm_report_provider(const infer_warm_report *report, size_t index);
/** INFER_OK if nothing failed, which does not mean that a connection waits;
 * else the class: INFER_E_RESOLVE, INFER_E_CONNECT, INFER_E_TLS, ...;
 * INFER_E_TIMEOUT for what was still under way. */
INFER_API int32_t infer_warm_report_status(const infer_warm_report *report,
                                           size_t index);
/** INFER_WARM_*. */
INFER_API int32_t infer_warm_report_reached(const infer_warm_report *report,
                                            size_t index);
/** 1 if a connection waits for the next call. */
INFER_API int32_t infer_warm_report_ready(const infer_warm_report *report,
                                          size_t index);
/** "h2", "http/1.1", or "" if it is not known. */
INFER_API const char *
infer_warm_report_protocol(const infer_warm_report *report, size_t index);
/** One line: why no connection waits; "" if one does. */
INFER_API const char *infer_warm_report_reason(const infer_warm_report *report,
                                               size_t index);
/** How long it took, in nanoseconds; -1 if it is not done. */
INFER_API int64_t infer_warm_report_took_ns(const infer_warm_report *report,
                                            size_t index);
INFER_API void infer_warm_report_free(infer_warm_report *report);

/** The models that a provider lists, fetched now, page by page where it has
 * several (INFER_E_TOO_LARGE for more than 50); waits at most timeout_ms.
 * INFER_E_UNSUPPORTED, with the reason, where the provider has no list. */
INFER_API int32_t infer_models(infer_client *client, const char *provider,
                               int64_t timeout_ms, infer_model_list **models,
                               infer_error **error);
/** The same as a call that waits for nothing: it ends by its DONE event in the
 * queue, or (queue NULL) by infer_call_wait(), may be cancelled, and is freed
 * like any other. timeout_ms 0: the provider's deadline. call is not NULL, for
 * it has the models. */
INFER_API int32_t infer_submit_models(infer_client *client,
                                      const char *provider, int64_t timeout_ms,
                                      infer_queue *queue, uint64_t tag,
                                      infer_call **call, infer_error **error);
/** What a call of infer_submit_models() has found; INFER_E_TIMEOUT while it is
 * under way, its own status if it failed. Does not wait. */
INFER_API int32_t infer_call_models(infer_call *call, infer_model_list **models,
                                    infer_error **error);
INFER_API size_t infer_model_list_count(const infer_model_list *models);
INFER_API const char *infer_model_list_id(const infer_model_list *models,
                                          size_t index);
/** The provider's entry for the model, as JSON. */
INFER_API const char *infer_model_list_json(const infer_model_list *models,
                                            size_t index, size_t *len);
INFER_API void infer_model_list_free(infer_model_list *models);

/* ---- Requests ------------------------------------------------------------ */

/** model: the name of a route, "provider/model", or a model that exactly one
 * provider claims. Only its form is checked here. */
INFER_API int32_t infer_request_new(infer_request **request, const char *model);
/** From an OpenAI Chat Completions request object; unknown members are passed
 * to OpenAI-compatible providers untouched, "stream" is ignored. Errors:
 * INFER_E_INVALID_ARGUMENT: JSON, UTF-8, no model, messages missing or empty,
 * deeper than 128. */
INFER_API int32_t infer_request_from_json(infer_request **request,
                                          const char *json, size_t len,
                                          infer_error **error);
INFER_API int32_t infer_request_set_model(infer_request *request,
                                          const char *model);
/** role: "system", "developer", "user", "assistant". */
INFER_API int32_t infer_request_add_message(infer_request *request,
                                            const char *role, const char *text);
INFER_API int32_t infer_request_add_message_n(infer_request *request,
                                              const char *role,
                                              const char *text, size_t len);
/** A message object as OpenAI has it: parts, images, audio, files, ... */
INFER_API int32_t infer_request_add_message_json(infer_request *request,
                                                 const char *json, size_t len,
                                                 infer_error **error);
/** A user message of a text (may be NULL) and an image, given as an https:,
 * http: or data: URL; any other is refused. */
INFER_API int32_t infer_request_add_image(infer_request *request,
                                          const char *text, const char *url);
/** The assistant's message of a response (choice 0), tool calls included, so
 * that the conversation can go on. */
INFER_API int32_t infer_request_add_response(infer_request *request,
                                             const infer_response *response);
/** The result of a tool call. */
INFER_API int32_t infer_request_add_tool_result(infer_request *request,
                                                const char *tool_call_id,
                                                const char *text, size_t len);
/** Offers a function. parameters: a JSON schema, or NULL for none. */
INFER_API int32_t infer_request_add_tool(infer_request *request,
                                         const char *name,
                                         const char *description,
                                         const char *parameters,
                                         infer_error **error);
/** Asks for JSON that matches the schema (response_format json_schema,
 * strict). */
INFER_API int32_t infer_request_set_json_schema(infer_request *request,
                                                const char *name,
                                                const char *schema,
                                                infer_error **error);
/** Any member of the request object, by its OpenAI name; replaces an earlier
 * value, JSON null removes it. "model" and "messages" have functions of their
 * own and are refused here. */
INFER_API int32_t infer_request_set_json(infer_request *request,
                                         const char *member, const char *json,
                                         size_t len, infer_error **error);
INFER_API int32_t infer_request_set_string(infer_request *request,
                                           const char *member,
                                           const char *value);
INFER_API int32_t infer_request_set_int(infer_request *request,
                                        const char *member, int64_t value);
INFER_API int32_t infer_request_set_double(infer_request *request,
                                           const char *member, double value);
/** The request as the JSON object that infer_request_from_json() takes. Free
 * it with infer_text_free(). */
INFER_API int32_t infer_request_json(const infer_request *request, char **json,
                                     size_t *len);

/* How the call is to be made. These do not go to the provider, except
 * headers. */

/** One deadline over queueing, retries, failover and the answer, from the
 * submission on, 1 ms to 24 h; instead of the route's deadline_ms. */
INFER_API int32_t infer_request_set_deadline_ms(infer_request *request,
                                                int64_t deadline_ms);
/** A whole number of the route's policy, for this call instead of what the
 * configuration says: an option of docs/options.md, section Policy, such as
 * "retries" or "timeouts.first_token_ms", within its range there. */
INFER_API int32_t infer_request_set_policy(infer_request *request,
                                           const char *option, int64_t value);
/** An HTTP header for every attempt, at most 64 of them. Names and values
 * with control characters, and names that the library sets itself
 * (authorization, host, content-length, ...) are refused. "traceparent" and
 * "tracestate" put the call into a trace: docs/telemetry.md. */
INFER_API int32_t infer_request_set_header(infer_request *request,
                                           const char *name, const char *value);
/** Only providers with this label may see the request, on top of what the
 * route requires. At most 16. */
INFER_API int32_t infer_request_require_label(infer_request *request,
                                              const char *label);
/** For telemetry and budgets: a tag (at most 32, replaced by name) and the
 * tenant. Names and values are UTF-8 of 1 to 256 bytes without control
 * characters, else INFER_E_INVALID_ARGUMENT. */
INFER_API int32_t infer_request_set_tag(infer_request *request,
                                        const char *name, const char *value);
INFER_API int32_t infer_request_set_tenant(infer_request *request,
                                           const char *tenant);
/** 1: never send the request a second time unless no byte of the first was
 * sent or the provider refused the stream before reading it (over a new
 * connection: over one that was used before, a refusal cannot be told from a
 * break). */
INFER_API int32_t infer_request_set_run_once(infer_request *request,
                                             int32_t run_once);
INFER_API void infer_request_free(infer_request *request);

/* ---- Embeddings ---------------------------------------------------------- */

/* A request that has inputs instead of messages asks for their vectors. It is
 * made, given a deadline, labels, headers and tags, and freed like any other;
 * of its members "dimensions" (infer_request_set_int()), "user" and
 * "input_type" ("search_query", "search_document", "classification",
 * "clustering") mean the same at every provider. See docs/embeddings.md.
 *
 * The call goes to targets of one model only: that of the first target of the
 * route that the labels allow and that makes embeddings. Vectors of different
 * models cannot be compared. More inputs than a provider takes at once are sent
 * in several requests, of which each retries and fails over by itself; the
 * vectors come in the order of the inputs, all of them or none. */

/** Adds a text, which is not empty and valid UTF-8. INFER_E_INVALID_ARGUMENT
 * also for a request that has messages. All inputs together: 64 MiB. */
INFER_API int32_t infer_request_add_input(infer_request *request,
                                          const char *text);
INFER_API int32_t infer_request_add_input_n(infer_request *request,
                                            const char *text, size_t len);
/** From an OpenAI embeddings request object: "model", "input" (a string, an
 * array of strings, or token numbers, which OpenAI and services that speak its
 * protocol take) and other members. Errors: INFER_E_INVALID_ARGUMENT. */
INFER_API int32_t infer_request_from_embed_json(infer_request **request,
                                                const char *json, size_t len,
                                                infer_error **error);
/** Sends the inputs and waits for their vectors. Not from a hook. Errors beside
 * those of a chat: INFER_E_PROTOCOL for an answer that has not one vector of
 * finite numbers, all of the same length, for each input. */
INFER_API int32_t infer_embed(infer_client *client,
                              const infer_request *request,
                              infer_embeddings **embeddings,
                              infer_error **error) INFER_CHECKED;
/** The same as a call that waits for nothing: it ends by its DONE event in the
 * queue, or (queue NULL) by infer_call_wait(). call is not NULL, for it has the
 * vectors. */
INFER_API int32_t infer_submit_embed(infer_client *client,
                                     const infer_request *request,
                                     infer_queue *queue, uint64_t tag,
                                     infer_call **call, infer_error **error);
/** What a call of infer_submit_embed() has got; INFER_E_TIMEOUT while it is
 * under way, its own status if it failed. Does not wait. The caller frees. */
INFER_API int32_t infer_call_embeddings(infer_call *call,
                                        infer_embeddings **embeddings,
                                        infer_error **error);

/* Accessors of embeddings are [hook-safe] and accept NULL. */

/** As many as there were inputs. */
INFER_API size_t infer_embeddings_count(const infer_embeddings *embeddings);
/** Numbers of each vector. */
INFER_API size_t
infer_embeddings_dimensions(const infer_embeddings *embeddings);
/** The vector of an input: that many floats, lent; those of all inputs stand
 * one behind the other. NULL past the end. */
INFER_API const float *
infer_embeddings_vector(const infer_embeddings *embeddings, size_t index);
/** Usage, cost, model, provider and attempts of the call, lent: a response
 * without choices. */
INFER_API const infer_response *
infer_embeddings_response(const infer_embeddings *embeddings);
/** As an OpenAI embeddings object; base64 1: the vectors as base64 of
 * little-endian floats, else as numbers. Free it with infer_text_free().
 * Errors: INFER_E_NO_MEMORY, INFER_E_INVALID_ARGUMENT. */
INFER_API int32_t infer_embeddings_json(const infer_embeddings *embeddings,
                                        int32_t base64, char **json,
                                        size_t *len);
INFER_API void infer_embeddings_free(infer_embeddings *embeddings);

/* ---- Responses ----------------------------------------------------------- */

/* Accessors of a response are [hook-safe] and accept NULL. Strings are "",
 * never NULL; numbers are -1 where nothing is known. A choice is named by its
 * place among those that came, in the order of their index; one that does not
 * exist reads as empty. */

/** Text of choice 0. */
INFER_API const char *infer_response_text(const infer_response *response,
                                          size_t *len);
INFER_API size_t infer_response_choice_count(const infer_response *response);
INFER_API const char *infer_response_choice_text(const infer_response *response,
                                                 size_t choice, size_t *len);
INFER_API const char *infer_response_reasoning(const infer_response *response,
                                               size_t choice, size_t *len);
INFER_API const char *infer_response_refusal(const infer_response *response,
                                             size_t choice, size_t *len);
/** "stop", "length", "tool_calls", "content_filter", ... as OpenAI names
 * them. */
INFER_API const char *
infer_response_finish_reason(const infer_response *response, size_t choice);
/** The provider's own word for it. */
INFER_API const char *
infer_response_native_finish_reason(const infer_response *response,
                                    size_t choice);
INFER_API size_t infer_response_tool_call_count(const infer_response *response,
                                                size_t choice);
INFER_API const char *
infer_response_tool_call_id(const infer_response *response, size_t choice,
                            size_t index);
INFER_API const char *
infer_response_tool_call_name(const infer_response *response, size_t choice,
                              size_t index);
/** The arguments as the model wrote them: JSON if it did its work well. */
INFER_API const char *
infer_response_tool_call_arguments(const infer_response *response,
                                   size_t choice, size_t index, size_t *len);
/** INFER_USAGE_*: tokens of the delivered answer. Of a continued one: as if
 * the attempt that ended it had written all of it, so that what it was given
 * of the answer counts as output and not as input; what the other attempts
 * cost is in the total below. */
INFER_API int64_t infer_response_usage(const infer_response *response,
                                       int32_t kind);
/** 1 if the provider sent no figures and these, or the output of a continued
 * answer's earlier parts, are the library's estimate. */
INFER_API int32_t
infer_response_usage_estimated(const infer_response *response);
/** INFER_USAGE_*: tokens of all attempts, failed ones included, as far as
 * they are known. */
INFER_API int64_t infer_response_total_usage(const infer_response *response,
                                             int32_t kind);
/** Nano-dollars of all attempts (those that lost, failed or were cut included),
 * and of those alone that wrote nothing of this answer; -1 if the cost of any
 * one that counts is not known: the sum of the others would look like all. */
INFER_API int64_t
infer_response_total_cost_nano_usd(const infer_response *response);
INFER_API int64_t
infer_response_wasted_cost_nano_usd(const infer_response *response);
/** INFER_COST_*: of the total, which is as good as its worst part. */
INFER_API int32_t infer_response_cost_kind(const infer_response *response);
/** The provider's id of the answer, and the model that it says answered; of a
 * continued answer those of its last part. */
INFER_API const char *infer_response_id(const infer_response *response);
INFER_API const char *infer_response_model(const infer_response *response);
/** Name of the provider that answered, and "provider/model" as configured. */
INFER_API const char *infer_response_provider(const infer_response *response);
INFER_API const char *infer_response_target(const infer_response *response);
INFER_API const char *infer_response_request_id(const infer_response *response);
/* A route with "recovery": "continue" lets another target go on with a cut
 * answer. Its parts are the attempts that wrote it, in order; an answer that
 * was not continued has one. infer_response_json() lists them as "x_parts"
 * where there are several. */

INFER_API size_t infer_response_part_count(const infer_response *response);
/** The attempt that wrote the part; NULL past the end. */
INFER_API const infer_attempt *
infer_response_part(const infer_response *response, size_t index);
/** The model that the provider says wrote it. */
INFER_API const char *infer_response_part_model(const infer_response *response,
                                                size_t index);
/** How many bytes of choice 0's text are of the part; 0 if its model only said
 * that the answer was at its end. */
INFER_API size_t infer_response_part_bytes(const infer_response *response,
                                           size_t index);
INFER_API size_t infer_response_attempt_count(const infer_response *response);
INFER_API const infer_attempt *
infer_response_attempt(const infer_response *response, size_t index);
/** The whole answer as an OpenAI chat.completion object, members that only
 * this provider has included. */
INFER_API const char *infer_response_json(const infer_response *response,
                                          size_t *len);
INFER_API void infer_response_free(infer_response *response);

/* ---- Calls: blocking ----------------------------------------------------- */

/** Sends the request and waits for the whole answer. Not from a hook. */
INFER_API int32_t infer_chat(infer_client *client, const infer_request *request,
                             infer_response **response,
                             infer_error **error) INFER_CHECKED;

/** Return 0 to go on; anything else cancels the call, and no more events come.
 * An answer that had arrived as a whole by then is still the result. The event
 * is lent until the callback returns. */
typedef int32_t (*infer_event_fn)(const infer_event *event, void *user_data);

/** The same with the answer's events as they come; on_event runs on this
 * thread. response may be NULL. */
INFER_API int32_t infer_chat_stream(infer_client *client,
                                    const infer_request *request,
                                    infer_event_fn on_event, void *user_data,
                                    infer_response **response,
                                    infer_error **error) INFER_CHECKED;

/* ---- Calls: asynchronous ------------------------------------------------- */

/** A queue for the events of any number of this client's calls. */
INFER_API int32_t infer_queue_new(infer_queue **queue, infer_client *client);
/** Cancels the calls whose events would go here, drops what waits, and wakes
 * pollers with INFER_E_CLOSED. */
INFER_API void infer_queue_free(infer_queue *queue);

/** Events of the answer as they come. */
#define INFER_SUBMIT_STREAM 1
/** Only the terminal event. */
#define INFER_SUBMIT_WHOLE 2

/** Starts a call and returns at once. The request is copied. Events go to
 * queue; without one (NULL) the result is fetched by infer_call_wait(). tag
 * comes back on each event. mode is INFER_SUBMIT_STREAM or _WHOLE. call may
 * be NULL, else the caller frees the handle, before or after the end.
 * Errors: INFER_E_INVALID_ARGUMENT, INFER_E_CONFIG (unknown model or route),
 * INFER_E_NO_TARGET (labels), INFER_E_CLOSED, INFER_E_LIMIT,
 * INFER_E_NO_MEMORY; then no event follows. [hook-safe] */
INFER_API int32_t infer_submit(infer_client *client,
                               const infer_request *request, int32_t mode,
                               infer_queue *queue, uint64_t tag,
                               infer_call **call, infer_error **error);

/** The next event, waiting at most timeout_ms (0: do not wait, -1: no limit).
 * The caller frees it. INFER_OK, INFER_E_TIMEOUT, or INFER_E_CLOSED once the
 * client is closed and nothing is left. */
INFER_API int32_t infer_queue_poll(infer_queue *queue, int64_t timeout_ms,
                                   infer_event **event);
/** The same for up to capacity events at once; returns as soon as one is
 * there. */
INFER_API int32_t infer_queue_poll_batch(infer_queue *queue,
                                         infer_event **events, size_t capacity,
                                         int64_t timeout_ms, size_t *count);
/** Readable exactly while an event waits; for epoll, poll and kqueue. Do not
 * read from it. Owned by the queue. With "threads": 0 watch
 * infer_client_fd() and call infer_client_drive() as well. */
INFER_API int32_t infer_queue_fd(infer_queue *queue);
/** A hook that runs when the queue becomes non-empty, for loops without fds;
 * it may only signal. NULL removes it; the old hook does not run any more when
 * the function, or infer_queue_free(), returns. */
INFER_API int32_t infer_queue_set_wakeup(infer_queue *queue,
                                         void (*fn)(void *user_data),
                                         void *user_data);

/** Asks the call to end; its terminal event follows unless it is queued
 * already. Harmless on an ended call. [hook-safe] */
INFER_API int32_t infer_call_cancel(infer_call *call);
/** Waits at most timeout_ms (-1: no limit but the call's deadline) for the end
 * of the call and gives its result; both out-parameters may be NULL.
 * INFER_E_TIMEOUT if it goes on; else the call's own status. Each time it
 * gives a reference of its own to the same result, also beside the one of the
 * terminal event. Not from a hook. */
INFER_API int32_t infer_call_wait(infer_call *call, int64_t timeout_ms,
                                  infer_response **response,
                                  infer_error **error);
/** Unique in the process, never used again. [hook-safe] */
INFER_API uint64_t infer_call_id(const infer_call *call);
INFER_API uint64_t infer_call_tag(const infer_call *call);
/** What the request was given, "" for none. [hook-safe] */
INFER_API const char *infer_call_route(const infer_call *call);
INFER_API const char *infer_call_tenant(const infer_call *call);
INFER_API const char *infer_call_tag_value(const infer_call *call,
                                           const char *name);
/** The names of its tags one by one: the index-th, or "" past the end.
 * [hook-safe] */
INFER_API const char *infer_call_tag_name(const infer_call *call, size_t index);
/** Drops the handle; the call goes on. */
INFER_API void infer_call_free(infer_call *call);

/* ---- Events -------------------------------------------------------------- */

/* Ignore types that you do not know. The events of a call come in order; each
 * belongs to an epoch, which a RESTART raises. Accessors accept NULL, and give
 * "" for strings that the event does not have. */

#define INFER_EVENT_START           1  /**< an answer begins */
#define INFER_EVENT_TEXT            2  /**< answer text */
#define INFER_EVENT_REASONING       3  /**< reasoning text */
#define INFER_EVENT_REFUSAL         4  /**< refusal text */
#define INFER_EVENT_TOOL_CALL_DELTA 5  /**< piece of a tool call's arguments */
#define INFER_EVENT_TOOL_CALL_DONE  6  /**< tool call complete: may be run */
#define INFER_EVENT_LOGPROBS        7  /**< JSON array of token logprobs */
#define INFER_EVENT_EXTRA           8  /**< other members of a delta, as JSON */
#define INFER_EVENT_FINISH          9  /**< a choice ended: finish reason */
#define INFER_EVENT_USAGE           10 /**< token counts, as JSON */
#define INFER_EVENT_RESTART         11 /**< forget what you got of this call */
#define INFER_EVENT_DONE            12 /**< terminal: status and result */
#define INFER_EVENT_ATTEMPT         13 /**< an attempt ended, see below */

/** From now on (on not 0) the queue tells of each attempt of its calls when it
 * has ended, also of those that lose a race, with an INFER_EVENT_ATTEMPT. It
 * comes between the events of the answer, after those that the attempt made and
 * before those of the next one, in any case before the call's DONE, which is
 * the record of the call itself and stays its last event. A RESTART discards no
 * ATTEMPT. Not for calls that were submitted without a queue. Errors:
 * INFER_E_INVALID_ARGUMENT, INFER_E_FORKED; INFER_E_UNSUPPORTED in a build
 * without telemetry. [hook-safe] */
INFER_API int32_t infer_queue_set_records(infer_queue *queue, int32_t on);

/* Accessors of an event are [hook-safe]. */

INFER_API int32_t infer_event_type(const infer_event *event);
/** "text", "done", ... */
INFER_API const char *infer_event_type_name(const infer_event *event);
INFER_API uint64_t infer_event_call_id(const infer_event *event);
INFER_API uint64_t infer_event_tag(const infer_event *event);
/** Counts RESTARTs of the call, from 0. */
INFER_API uint32_t infer_event_epoch(const infer_event *event);
INFER_API uint32_t infer_event_choice(const infer_event *event);
/** TEXT, REASONING, REFUSAL, TOOL_CALL_DELTA: the piece. TOOL_CALL_DONE: the
 * whole arguments. FINISH: the finish reason. LOGPROBS, EXTRA, USAGE: JSON.
 * RESTART: why. START: "provider/model". */
INFER_API const char *infer_event_text(const infer_event *event, size_t *len);
/** START: what the provider has said of the answer by then, as a JSON object:
 * OpenAI's chunk without choices, that is id, created, model, and members that
 * only this provider has. "" for other events. */
INFER_API const char *infer_event_head(const infer_event *event, size_t *len);
/** TOOL_CALL_*: its place among the tool calls of the choice, id and name. */
INFER_API uint32_t infer_event_tool_index(const infer_event *event);
INFER_API const char *infer_event_tool_id(const infer_event *event);
INFER_API const char *infer_event_tool_name(const infer_event *event);
/** DONE, ATTEMPT: INFER_OK or the class of the failure. */
INFER_API int32_t infer_event_status(const infer_event *event);
/** ATTEMPT: its record, lent, as the hook on_attempt gets it; else NULL. */
INFER_API const infer_attempt *infer_event_attempt(const infer_event *event);
/** DONE, ATTEMPT: the call, lent, for its route, tenant and tags; else NULL. */
INFER_API const infer_call *infer_event_call(const infer_event *event);
/** DONE: the result, lent. NULL where there is none. */
INFER_API const infer_response *infer_event_response(const infer_event *event);
INFER_API const infer_error *infer_event_error(const infer_event *event);
/** DONE: the event's result, given; NULL the second time. */
INFER_API infer_response *infer_event_take_response(infer_event *event);
INFER_API infer_error *infer_event_take_error(infer_event *event);
INFER_API void infer_event_free(infer_event *event);

#ifdef __cplusplus
}
#endif

#endif
