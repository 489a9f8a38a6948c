/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_DIALECT_H
#define INF_PROVIDER_DIALECT_H

#include "provider/answer.h"
#include "provider/chat.h"
#include "provider/failure.h"
#include "provider/frames.h"
#include "provider/guess.h"
#include "provider/rate_headers.h"
#include "provider/tool_ids.h"
#include "provider/vectors.h"

/* A dialect is a provider's language: request -> bytes, bytes -> answer,
 * failure -> class. One file per dialect, one constant table each; no state
 * but what inf_decoder carries. */

typedef struct inf_dialect inf_dialect;
typedef struct inf_send inf_send;

/* Where the next page of a list of models is, given the checked body of one:
 * a path in place of models_path. False: that was the last one, if page has
 * not failed. */
typedef bool inf_next_models(const inf_send *send, inf_sv body, inf_buf *page);

/* How sure we are of a catalogue row. */
typedef enum inf_evidence {
  INF_EVIDENCE_DOCUMENTED, /* the provider's pages say so */
  INF_EVIDENCE_RECORDED,   /* held against recorded traffic */
  INF_EVIDENCE_LIVE,       /* tried against the service */
} inf_evidence;

/* How a service is given a partial answer to go on from: prefill.h. */
typedef enum inf_prefill {
  INF_PREFILL_DEFAULT, /* in a configuration: as the kind says */
  INF_PREFILL_NONE,    /* it takes none */
  INF_PREFILL_ASSISTANT,
  INF_PREFILL_PREFIX,
  INF_PREFILL_CONTINUE_FINAL_MESSAGE,
} inf_prefill;

/* What a service's limits count together. */
typedef enum inf_limit_scope {
  INF_LIMIT_SCOPE_DEFAULT, /* in a configuration: as the kind says */
  INF_LIMIT_SCOPE_MODEL,   /* each model of a key by itself */
  INF_LIMIT_SCOPE_KEY,     /* all models of a key */
} inf_limit_scope;

/* What a service takes beside text, in general: some of its models may take
 * less. Only what its pages or recorded traffic say. */
enum {
  INF_CAN_TOOLS = 1,
  INF_CAN_VISION = 2,      /* images */
  INF_CAN_JSON_SCHEMA = 4, /* response_format with a schema */
  INF_CAN_EMBED = 8,       /* has an embeddings endpoint */
};

/* Does the bill of a stream stop when the connection is closed? By the list of
 * openrouter.ai/docs/api-reference/streaming ("Stream Cancellation", read
 * 2026-08); who is not in it is UNKNOWN. On a machine of one's own it is the
 * work that stops: vLLM, SGLang, llama.cpp, TGI and Ollama all watch for it. */
typedef enum inf_cancel_billing {
  INF_CANCEL_UNKNOWN,
  INF_CANCEL_STOPS,
  INF_CANCEL_RUNS_ON, /* the answer is made and paid to its end */
} inf_cancel_billing;

/* One row of the catalogue: a kind of provider ("type" in a
 * configuration). */
typedef struct inf_provider_kind {
  const char *type;
  const char *title;
  const inf_dialect *dialect;
  /* NULL: the configuration must say. "{region}" in it stands for the
   * account's. */
  const char *base_url;
  const char *key_env; /* variable that holds the key, NULL: none */
  /* Where key_env is not set: variables whose values, joined by colons, are
   * the key, separated by spaces; all but the first two may be unset. NULL:
   * there are none. */
  const char *key_parts_env;
  bool key_required; /* false: local servers without a key */
  /* The environment makes no provider of it: its variable is set for other
   * reasons too, another kind has the same, or it has no base_url. */
  bool by_name_only;
  const char *auth_scheme; /* "Bearer", "Key"; "" sends no Authorization */
  /* Header that holds the bare key where auth_scheme is the same word, as in
   * "x-api-key"; with another scheme, the account's or this row's, the key
   * goes back to Authorization. NULL: always Authorization. */
  const char *key_header;
  /* "Name: value" lines of every request, each NUL-terminated, an empty one
   * at the end; NULL: none. An account's or a request's header of that name
   * stands in place of it. */
  const char *fixed_headers;
  /* JSON object of members that every body has; NULL: none. For dialects that
   * say so. */
  const char *fixed_members;
  /* Of every request, where neither the account nor its base_url has a query
   * of its own; NULL: none. */
  const char *query;
  /* Below base_url; "{model}" stands for the model, percent-encoded. */
  const char *chat_path;
  const char *stream_path; /* where a stream has another path; NULL */
  const char *models_path; /* NULL: no list */
  const char *no_models;   /* then: why; NULL: its pages tell of none */
  /* models_path stands behind what comes before this in base_url; NULL, or if
   * base_url has it not: behind base_url. */
  const char *models_instead_of;
  const char *models_body; /* sent with the GET; NULL: none */
  const char *models_name; /* the member with a model's name; NULL: found */
  /* In place of the dialect's; NULL: that. */
  inf_next_models *next_models;
  /* Embeddings: what one request may hold, as the service's pages or messages
   * say; 0: no page tells, see embed.h. embed_one: of models with this in their
   * name one input only; NULL. embed_predict: as Vertex AI has it.
   * embed_base64: at base_url (NULL: anywhere)
   * vectors are asked for in base64. */
  size_t embed_inputs, embed_bytes;
  const char *embed_one;
  bool embed_predict, embed_base64;
  const char *warm_path; /* a cheap GET that keeps a connection; NULL */
  /* Model names that this kind claims when a request names a bare model:
   * prefixes separated by spaces, "" for none. */
  const char *claims;
  bool stream_options;            /* takes stream_options.include_usage */
  inf_prefill prefill;            /* of its models in general; never DEFAULT */
  int64_t requests_per_second;    /* of an account that asked for no more; 0 */
  inf_limit_scope limit_scope;    /* never DEFAULT */
  const char *request_id_headers; /* names separated by spaces */
  unsigned abilities;             /* INF_CAN_* */
  inf_cancel_billing cancel_billing;
  /* What becomes of members of the request, and of a message, that are not
   * taken as they are: member_rules.h; NULL: nothing. */
  const char *member_rules, *message_rules;
  /* message_rules, and those for foreign members, hold at base_url only, since
   * others use the type too. */
  bool rules_at_home;
  bool takes_foreign; /* members of other services in a message: it gives them
                       * to those */
  inf_tool_id_form tool_ids;
  bool thinking_parts; /* reasoning goes back as a part of the content */
  const char *quirks;  /* for the reader; NULL: none known */
  inf_evidence evidence;
  const char *source; /* where the facts come from, with date */
} inf_provider_kind;

/* The catalogue. NULL when there is no such type. */
const inf_provider_kind *inf_provider_kind_find(inf_sv type);
const inf_provider_kind *inf_provider_kind_at(size_t index);
size_t inf_provider_kind_count(void);
const char *inf_evidence_name(inf_evidence evidence);
bool inf_provider_kind_claims(const inf_provider_kind *kind, inf_sv model);

/* Everything that one attempt's request is made of. All borrowed. */
struct inf_send {
  const inf_provider_kind *kind;
  inf_sv base_url;
  inf_sv query; /* "a=b&c=d", encoded; "" for none */
  inf_sv auth_scheme;
  inf_sv key; /* "" for none */
  inf_sv organization, project;
  inf_sv region;       /* "" where the kind's address has none */
  inf_sv headers;      /* "Name: value" lines, each NUL-terminated: account's,
                        * then the request's */
  inf_sv body_members; /* JSON object that is merged into the body; the
                        * request's own members win */
  inf_sv model;        /* as the provider names it */
  const inf_chat *chat;
  bool stream;
  /* The beginning of the answer, to go on from; "" for none. */
  inf_sv partial;
  int64_t partial_tokens; /* of the answer's limit, used up */
  inf_prefill prefill;
  inf_sv page; /* of a list of models: its path, as next_models gave it */
  /* Names of members that say something and are left out, joined by commas;
   * NULL: nobody wants to know. */
  inf_buf *dropped;
};

/* What goes out. */
typedef struct inf_wire_request {
  inf_buf url;
  inf_buf headers; /* NUL-terminated lines; holds the key: wiped by fini */
  inf_buf body;
} inf_wire_request;

void inf_wire_request_init(inf_wire_request *request);
void inf_wire_request_fini(inf_wire_request *request);
void inf_wire_request_clear(inf_wire_request *request);

typedef struct inf_decoder inf_decoder;

#define INF_SECRET_PARTS_MAX 2

struct inf_dialect {
  const char *name;
  inf_framing framing; /* of its streams */
  /* INFER_OK, INFER_E_NO_MEMORY, INFER_E_TOO_LARGE, or
   * INFER_E_INVALID_ARGUMENT / _UNSUPPORTED with a line in why for what this
   * dialect cannot say. */
  int32_t (*write_chat)(const inf_send *send, inf_wire_request *out,
                        inf_buf *why);
  int32_t (*write_models)(const inf_send *send, inf_wire_request *out);
  inf_next_models *next_models; /* NULL: lists have one page */
  /* Embeddings: a request for all inputs of send->chat, and a checked body with
   * their vectors (embed.h). Errors as write_chat; read_embed also
   * INFER_E_PROTOCOL, with a line in why. NULL: it has none. */
  int32_t (*write_embed)(const inf_send *send, inf_wire_request *out,
                         inf_buf *why);
  int32_t (*read_embed)(inf_sv body, inf_vectors *vectors, inf_answer *answer,
                        inf_buf *why);
  /* Right before what write_chat wrote goes out: adds what is made of the
   * request as a whole and the provider's time. Errors as write_chat. NULL:
   * there is no such thing. */
  int32_t (*sign)(const inf_send *send, inf_wire_request *request,
                  int64_t wall_now_ns, inf_buf *why);
  /* The parts of a key that are secret by themselves, since a provider may
   * tell one without the others: views into it. Gives how many there are.
   * NULL: a key has no parts. */
  size_t (*secret_parts)(inf_sv key, inf_sv parts[INF_SECRET_PARTS_MAX]);
  /* A whole body that came with 2xx. INFER_OK, or a class with decoder's
   * failure filled in. */
  int32_t (*read_body)(inf_decoder *decoder, inf_sv body);
  /* One stream event, whatever framed it (frames.h). INFER_OK; INF_DECODER_DONE
   * after the API's terminator; INFER_E_PROTOCOL for a malformed event, which
   * the decoder skips and counts; any other class, with failure filled in, ends
   * the attempt. Once decoder->failed is set only usage and the terminator are
   * looked at. A failure that is filled in without that is one if nothing
   * follows. */
  int32_t (*read_event)(inf_decoder *decoder, const inf_sse_event *event);
  /* The short way through a stream whose events differ in little; NULL: there
   * is none. text begins where an event begins. Takes as many whole events,
   * framing included, as stand at its front and are like the last one, and
   * gives their length and count. Not asked once decoder->failed is set. */
  size_t (*read_alike)(inf_decoder *decoder, inf_sv text, size_t *count);
  /* Of a dialect that is written in terms of infer/provider.h: a plug-in, or a
   * built-in one; NULL: it is not. Who has functions of plugin_*.h above has
   * the hooks that they call. */
  const struct infer_provider_descriptor *hooks;
  /* Where an event ends, for INF_FRAMING_SPLIT: split.h. The context is the
   * kind. */
  inf_split_rule split;
  /* After a failed answer was classified by status, headers and body: says
   * more in decoder's failure. NULL: there is no more. */
  void (*classify)(inf_decoder *decoder, inf_sv body);
  /* What the headers of an answer say of quotas, in place of what
   * inf_rate_headers_read() finds; NULL: that. */
  void (*read_limits)(const inf_provider_kind *kind, int http_status,
                      const inf_headers *headers, inf_rate_sights *sights);
};

/* ---- Decoder ------------------------------------------------------------
 *
 * Reads one response: the framing, the limits and the rule of the proper end
 * are the same for all dialects and stand here once. Feed it the status and
 * headers, then the body in pieces of any size, then the end.
 *
 * How a body begins says what it is. `{`, `<` and `"` begin one document,
 * except that `{` with more behind it in its line begins lines of JSON where
 * a stream of them was asked for: then a document in one line is read as an
 * event. `[` begins a streamed array where a stream was asked for. The body
 * of an HTTP error is a document. Where the dialect has no streams, or a rule
 * of its own for them, nothing is told by the beginning. */

#define INF_DECODER_DONE 1 /* proper end seen; what follows is ignored */

typedef struct inf_decoder_options {
  const inf_provider_kind *kind;
  bool stream;           /* a stream was asked for; a body is read too */
  uint32_t choices;      /* how many were asked for (n), at least 1 */
  size_t prompt_bytes;   /* of the messages, to estimate by; 0: unknown */
  bool no_guess;         /* read every chunk in full: for comparison */
  size_t max_body_bytes; /* whole body, or the assembled answer */
  size_t max_event_bytes;
  unsigned max_depth;
} inf_decoder_options;

struct inf_decoder {
  /* What keeps memory from one response to the next. */
  inf_failure failure;
  inf_headers headers; /* a copy of what the class may depend on */
  inf_sse sse;
  inf_frames *frames; /* made when a stream has such; NULL */
  inf_buf body;       /* WHOLE: what came so far */
  inf_buf scratch;    /* for decoded strings of one event or body */
  inf_buf repaired;   /* the event or body, when it was not valid UTF-8 */
  inf_buf carry;      /* a dialect's own, from one event to the next */
  inf_guess guess;    /* the last chunk, for the short way through the next */
  /* From here on all is zero when a response begins. */
  inf_decoder_options options;
  inf_answer *answer; /* borrowed; filled as pieces come */
  int http_status;
  int64_t wall_now_ns;
  enum {
    INF_BODY_SNIFF,  /* nothing but whitespace so far */
    INF_BODY_WHOLE,  /* one document */
    INF_BODY_EVENTS, /* server-sent events */
    INF_BODY_FRAMES, /* events of another framing */
  } mode;
  size_t events, skipped_events;
  bool cut;        /* the event or body at hand was cut by the end */
  bool terminated; /* the API's terminator seen */
  bool finished;   /* proper end seen */
  bool failed;     /* failure is final; its words may be local ones */
  bool between;    /* sse stands between two events; false: it must be asked */
};

void inf_decoder_init(inf_decoder *decoder, const inf_decoder_options *options,
                      inf_answer *answer);
void inf_decoder_fini(inf_decoder *decoder);
/* For another response, after an init; some memory is kept. */
void inf_decoder_reuse(inf_decoder *decoder, const inf_decoder_options *options,
                       inf_answer *answer);
/* Status and headers of the response, before any body byte. The provider's
 * request id stands in decoder->failure from then on, whatever comes. */
int32_t inf_decoder_headers(inf_decoder *decoder, int http_status,
                            const inf_headers *headers, int64_t wall_now_ns);
/* INFER_OK: go on. INF_DECODER_DONE: the answer is whole. Else the class of
 * the failure, final; of what is fed after that only usage is taken, so that
 * who wants to know the cost of a failed answer may read on. */
int32_t inf_decoder_feed(inf_decoder *decoder, const char *ptr, size_t len);
/* No more bytes will come (properly or not: the caller says which by
 * clean_end). INFER_OK if the answer is whole: the API's terminator, a finish
 * reason for every choice, or one valid body; else the class: TRUNCATED for
 * an answer that just stops, PROTOCOL for a body that is none, the provider's
 * own error otherwise. Usage that did not come is then estimated (4 bytes a
 * token) and marked. */
int32_t inf_decoder_end(inf_decoder *decoder, bool clean_end);

/* ---- Shared by dialects -------------------------------------------------- */

/* Class of an HTTP status by the failure table; INFER_OK for 2xx. */
int32_t inf_class_of_http_status(int http_status);
/* Reads an error body of any known shape (providers.md section 3) and decides
 * the class from status, headers, code, type and message. */
void inf_classify_failure(inf_failure *failure, const inf_provider_kind *kind,
                          int http_status, const inf_headers *headers,
                          inf_sv body, int64_t wall_now_ns);
/* The same for an error inside a 200: a JSON value that was checked already.
 * False, with failure untouched, if it reports no error. */
bool inf_classify_value(inf_failure *failure, const inf_provider_kind *kind,
                        int http_status, const inf_headers *headers,
                        inf_sv value, int64_t wall_now_ns);
/* The provider's id of the request, from the headers of its response. kind
 * may be NULL. */
bool inf_find_request_id(const inf_provider_kind *kind,
                         const inf_headers *headers, inf_sv *id);
/* Ends the decoder with a failure in our own words; gives status. For read_*
 * functions too. */
int32_t inf_decoder_fail(inf_decoder *decoder, int32_t status,
                         const char *message);
/* OpenAI's word for a provider's finish reason; the reason itself when it is
 * not known. */
inf_sv inf_map_finish_reason(inf_sv native);

extern const inf_dialect inf_dialect_anthropic;
extern const inf_dialect inf_dialect_openai;
extern const inf_dialect inf_dialect_bedrock;
extern const inf_dialect inf_dialect_bedrock_openai;
extern const inf_dialect inf_dialect_responses;
extern const inf_dialect inf_dialect_gemini;
extern const inf_dialect inf_dialect_cohere;
extern const inf_dialect inf_dialect_ollama;

#endif
