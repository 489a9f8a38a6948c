/* SPDX-License-Identifier: MIT */
/* What kind of failure is it? The HTTP status says most of it; some answers
 * mean something else than their status, and an error inside a 200 has none.
 * So there are two tables: words that outweigh the status, each with the
 * statuses under which it does, and the statuses.
 *
 * The words are from the providers' documentation, their recorded answers and
 * bug reports (shapes and sources: error_body.h, catalogue.c). */
#include "provider/dialect.h"
#include "provider/error_body.h"
#include "provider/hint.h"

#include "infer/infer.h"

#include "wire/json_scan.h"

/* ---- Status -------------------------------------------------------------- */

typedef struct status_range {
  int16_t first, last;
  int32_t class;
} status_range;

/* The first row that fits. 498 is Groq's "flex capacity exceeded", 424 TGI's
 * failed generation, 529 Anthropic's "overloaded", 520 to 524 Cloudflare's
 * troubles with the server behind it. 501 stays what it is however often it
 * is asked. */
static const status_range by_status[] = {
    {200, 299, INFER_OK},
    {300, 399, INFER_E_BAD_REQUEST},
    {401, 401, INFER_E_AUTH},
    {402, 402, INFER_E_QUOTA},
    {403, 403, INFER_E_AUTH},
    {404, 404, INFER_E_NOT_FOUND},
    {408, 409, INFER_E_SERVER},
    {413, 413, INFER_E_REQUEST_TOO_LARGE},
    {424, 424, INFER_E_OVERLOADED},
    {425, 425, INFER_E_SERVER},
    {429, 429, INFER_E_RATE_LIMITED},
    {498, 498, INFER_E_OVERLOADED},
    {400, 499, INFER_E_BAD_REQUEST},
    {501, 501, INFER_E_BAD_REQUEST},
    {503, 503, INFER_E_OVERLOADED},
    {529, 529, INFER_E_OVERLOADED},
    {500, 599, INFER_E_SERVER},
};

int32_t
inf_class_of_http_status(int http_status)
{
  for (size_t i = 0; i < sizeof(by_status) / sizeof(by_status[0]); i++) {
    if (http_status >= by_status[i].first && http_status <= by_status[i].last)
      return by_status[i].class;
  }
  return INFER_E_PROTOCOL;
}

/* ---- Words --------------------------------------------------------------- */

/* Under which statuses a rule holds. */
enum {
  IN_200 = 1,  /* no status of its own: an error inside a 200 */
  BAD = 2,     /* 400, 422 and whatever else means "bad request" */
  DENIED = 4,  /* 401, 402, 403 */
  MISSING = 8, /* 404 */
  LARGE = 16,  /* 413 */
  RATE = 32,   /* 429 */
  DOWN = 64,   /* 5xx and other statuses that mean trouble on their side */
  ANY = 127,
};

typedef enum how {
  WORD,   /* code, type or detail code is this, case ignored */
  PHRASE, /* the message contains it, case ignored */
} how;

struct rule {
  int32_t class;
  uint8_t when;
  uint8_t how;
  const char *text;
};

/* clang-format off */
static const struct rule rules[] = {
  /* Spent, not busy: waiting does not help. RESOURCE_EXHAUSTED stands first
   * because Gemini speaks of quota and plan when it means "this minute". */
  {INFER_E_RATE_LIMITED, RATE | IN_200, WORD, "RESOURCE_EXHAUSTED"},
  {INFER_E_QUOTA, ANY, WORD, "insufficient_quota"},
  {INFER_E_QUOTA, ANY, WORD, "enforced_spend_limit_reached"},
  {INFER_E_QUOTA, ANY, WORD, "billing_hard_limit_reached"},
  {INFER_E_QUOTA, ANY, WORD, "billing_not_active"},
  {INFER_E_QUOTA, ANY, WORD, "billing_error"},
  {INFER_E_QUOTA, ANY, WORD, "insufficient_credits"},
  {INFER_E_QUOTA, ANY, WORD, "exceeded_current_quota_error"},
  {INFER_E_QUOTA, ANY, WORD, "Arrearage"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "exceeded your current quota"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "insufficient balance"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "insufficient credit"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "credit balance is too low"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "spend limit"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "spending limit"},
  {INFER_E_QUOTA, BAD | DENIED | RATE | IN_200, PHRASE, "billing hard limit"},
  /* xAI, 403. */
  {INFER_E_QUOTA, DENIED | RATE, PHRASE, "all available credits"},
  {INFER_E_QUOTA, DENIED | RATE, PHRASE, "have any credits"},
  {INFER_E_QUOTA, DENIED | RATE, PHRASE, "out of credits"},
  {INFER_E_QUOTA, DENIED | RATE, PHRASE, "no credits"},

  /* Too long for the model. Bedrock says "Too many tokens, please wait" when
   * it throttles, so phrases do not outweigh a 429. */
  {INFER_E_CONTEXT_LENGTH, ANY, WORD, "context_length_exceeded"},
  {INFER_E_CONTEXT_LENGTH, ANY, WORD, "context_window_exceeded"},
  {INFER_E_CONTEXT_LENGTH, ANY, WORD, "exceed_context_size_error"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, WORD, "TOO_MANY_TOKENS"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | DOWN | IN_200, PHRASE, "maximum context length"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "context length"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "context window"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "available context size"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "exceed context limit"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "maximum prompt length"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "prompt is too long"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "too many tokens"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "input is too long"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "input tokens exceeded"},
  {INFER_E_CONTEXT_LENGTH, BAD | LARGE | IN_200, PHRASE, "exceeds the maximum number of tokens"},

  /* Too long for the quota: it can never pass. */
  {INFER_E_REQUEST_TOO_LARGE, BAD | LARGE | RATE | IN_200, PHRASE, "request too large"},
  {INFER_E_REQUEST_TOO_LARGE, BAD | LARGE | RATE | IN_200, WORD, "request_too_large"},

  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, WORD, "content_filter"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, WORD, "content_policy_violation"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, WORD, "ResponsibleAIPolicyViolation"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, WORD, "data_inspection_failed"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, WORD, "DataInspectionFailed"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, PHRASE, "content management policy"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, PHRASE, "content policy"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, PHRASE, "safety system"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, PHRASE, "requires moderation"},
  {INFER_E_CONTENT_FILTER, BAD | DENIED | IN_200, PHRASE, "was flagged"},

  /* Throttled comes before overloaded: Bedrock's 503 is a rate limit. */
  {INFER_E_RATE_LIMITED, DOWN | IN_200, PHRASE, "throttl"},
  {INFER_E_RATE_LIMITED, BAD | DOWN | IN_200, WORD, "ThrottlingException"},
  {INFER_E_RATE_LIMITED, BAD | DOWN | IN_200, WORD, "TooManyRequestsException"},
  /* Of Bedrock's, which says "You can resubmit your request later". */
  {INFER_E_RATE_LIMITED, BAD | IN_200, WORD, "ServiceQuotaExceededException"},

  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "overloaded_error"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "overloaded"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "server_is_overloaded"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "engine_overloaded"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "slow_down"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "capacity_exceeded"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "unavailable_error"},
  {INFER_E_OVERLOADED, DOWN | IN_200, WORD, "UNAVAILABLE"},
  {INFER_E_OVERLOADED, DOWN | IN_200, WORD, "service_unavailable"},
  {INFER_E_OVERLOADED, DOWN | IN_200, WORD, "ServiceUnavailableException"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, WORD, "ModelNotReadyException"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, PHRASE, "overloaded"},
  {INFER_E_OVERLOADED, DOWN | IN_200, PHRASE, "loading model"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, PHRASE, "tier capacity"},
  {INFER_E_OVERLOADED, RATE | DOWN | IN_200, PHRASE, "capacity exceeded"},
  {INFER_E_OVERLOADED, DOWN | IN_200, PHRASE, "capacity"},

  /* A wrong key or model reported as a bad request. */
  {INFER_E_AUTH, BAD | IN_200, WORD, "invalid_api_key"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "API_KEY_INVALID"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "authentication_error"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "UNAUTHENTICATED"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "permission_error"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "PERMISSION_DENIED"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "AccessDeniedException"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "ExpiredTokenException"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "UnrecognizedClientException"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "InvalidSignatureException"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "IncompleteSignatureException"},
  {INFER_E_AUTH, BAD | IN_200, WORD, "MissingAuthenticationTokenException"},
  {INFER_E_AUTH, BAD | IN_200, PHRASE, "API key not valid"},
  {INFER_E_AUTH, BAD | IN_200, PHRASE, "incorrect API key"},
  {INFER_E_AUTH, BAD | IN_200, PHRASE, "invalid API key"},
  {INFER_E_AUTH, BAD | IN_200, PHRASE, "API key expired"},
  {INFER_E_AUTH, BAD | IN_200, PHRASE, "no API key"},
  {INFER_E_NOT_FOUND, BAD | IN_200, WORD, "model_not_found"},
  {INFER_E_NOT_FOUND, BAD | IN_200, WORD, "model_decommissioned"},
  {INFER_E_NOT_FOUND, BAD | IN_200, WORD, "not_found_error"},
  {INFER_E_NOT_FOUND, BAD | IN_200, WORD, "NOT_FOUND"},
  {INFER_E_NOT_FOUND, BAD | IN_200, WORD, "DeploymentNotFound"},
  {INFER_E_NOT_FOUND, BAD | IN_200, WORD, "ResourceNotFoundException"},
  {INFER_E_NOT_FOUND, BAD | IN_200, PHRASE, "model not found"},
  {INFER_E_NOT_FOUND, BAD | IN_200, PHRASE, "is not a valid model"},

  /* What only counts where there is no status to go by. */
  {INFER_E_RATE_LIMITED, IN_200, WORD, "rate_limit_exceeded"},
  {INFER_E_RATE_LIMITED, IN_200, WORD, "rate_limit_error"},
  {INFER_E_RATE_LIMITED, IN_200, WORD, "rate_limited"},
  {INFER_E_RATE_LIMITED, IN_200, WORD, "too_many_requests"},
  {INFER_E_RATE_LIMITED, IN_200, PHRASE, "rate limit"},
  {INFER_E_RATE_LIMITED, IN_200, PHRASE, "too many requests"},
  {INFER_E_BAD_REQUEST, IN_200, WORD, "invalid_request_error"},
  {INFER_E_BAD_REQUEST, IN_200, WORD, "BadRequestError"},
  {INFER_E_BAD_REQUEST, IN_200, WORD, "INVALID_ARGUMENT"},
  {INFER_E_BAD_REQUEST, IN_200, WORD, "validation"},
};

/* Clarifai's own codes, in an error of its shape, by name or number (docs.clarifai.com, status
 * codes, 2026-08); they hold under any status, 200 included. */
static const struct rule clarifai_rules[] = {
  {INFER_E_RATE_LIMITED, ANY, WORD, "11005"},
  {INFER_E_RATE_LIMITED, ANY, WORD, "CONN_THROTTLED"},
  {INFER_E_RATE_LIMITED, ANY, WORD, "11006"},
  {INFER_E_RATE_LIMITED, ANY, WORD, "CONN_EXCEED_HOURLY_LIMIT"},
  {INFER_E_AUTH, ANY, WORD, "11000"},
  {INFER_E_AUTH, ANY, WORD, "CONN_ACCOUNT_ISSUES"},
  {INFER_E_AUTH, ANY, WORD, "11001"},
  {INFER_E_AUTH, ANY, WORD, "CONN_TOKEN_INVALID"},
  {INFER_E_AUTH, ANY, WORD, "11002"},
  {INFER_E_AUTH, ANY, WORD, "CONN_CREDENTIALS_INVALID"},
  {INFER_E_AUTH, ANY, WORD, "11007"},
  {INFER_E_AUTH, ANY, WORD, "CONN_INSUFFICIENT_SCOPES"},
  {INFER_E_AUTH, ANY, WORD, "11008"},
  {INFER_E_AUTH, ANY, WORD, "CONN_KEY_INVALID"},
};

/* MiniMax's (platform.minimax.io, api-reference/errorcode, 2026-11), likewise. */
static const struct rule minimax_rules[] = {
  {INFER_E_RATE_LIMITED, ANY, WORD, "1002"},
  {INFER_E_AUTH, ANY, WORD, "1004"},
  {INFER_E_AUTH, ANY, WORD, "2049"},
  {INFER_E_QUOTA, ANY, WORD, "1008"},
  {INFER_E_CONTENT_FILTER, ANY, WORD, "1026"},
  {INFER_E_CONTENT_FILTER, ANY, WORD, "1027"},
  {INFER_E_BAD_REQUEST, ANY, WORD, "2013"},
};
/* clang-format on */

/* What the rules look at, as text. */
struct words {
  inf_sv code, type, detail_code, message, raw;
};

static uint8_t
group_of(int http_status)
{
  switch (inf_class_of_http_status(http_status)) {
  case INFER_OK:
    return IN_200;
  case INFER_E_AUTH:
  case INFER_E_QUOTA:
    return DENIED;
  case INFER_E_NOT_FOUND:
    return MISSING;
  case INFER_E_REQUEST_TOO_LARGE:
    return LARGE;
  case INFER_E_RATE_LIMITED:
    return RATE;
  case INFER_E_BAD_REQUEST:
    return BAD;
  default:
    return DOWN;
  }
}

static bool
rule_fits(const struct rule *rule, uint8_t group, const struct words *words)
{
  inf_sv text = inf_sv_from(rule->text);
  if (!(rule->when & group))
    return false;
  if (rule->how == PHRASE)
    return inf_sv_contains_nocase(words->message, text) ||
           inf_sv_contains_nocase(words->raw, text);
  return inf_sv_eq_nocase(words->code, text) ||
         inf_sv_eq_nocase(words->type, text) ||
         inf_sv_eq_nocase(words->detail_code, text);
}

static const struct rule *
find_rule(const struct rule *list, size_t count, uint8_t group,
          const struct words *words)
{
  for (size_t i = 0; i < count; i++) {
    if (rule_fits(&list[i], group, words))
      return &list[i];
  }
  return NULL;
}

/* An error inside a 200 may give the status that it would have had. */
static int32_t
decide(int http_status, int body_status, const inf_error_body *error,
       const struct words *words)
{
  int status = http_status;
  if (inf_class_of_http_status(status) == INFER_OK && body_status >= 300)
    status = body_status;
  uint8_t group = group_of(status);
  const struct rule *rule = NULL;
  if (error->clarifai)
    rule = find_rule(clarifai_rules,
                     sizeof(clarifai_rules) / sizeof(clarifai_rules[0]), group,
                     words);
  else if (error->minimax)
    rule = find_rule(minimax_rules,
                     sizeof(minimax_rules) / sizeof(minimax_rules[0]), group,
                     words);
  if (!rule)
    rule = find_rule(rules, sizeof(rules) / sizeof(rules[0]), group, words);
  if (rule)
    return rule->class;
  int32_t class = inf_class_of_http_status(status);
  return class == INFER_OK ? INFER_E_SERVER : class;
}

/* ---- Filling in ---------------------------------------------------------- */

static void
set_value(inf_buf *buf, inf_sv value)
{
  inf_sv text;
  if (value.len == 0)
    return;
  if (!inf_json_is(value, INF_JSON_STRING)) {
    inf_failure_set_text(buf, value);
    return;
  }
  if (inf_json_plain(value, &text)) {
    inf_failure_set_text(buf, text);
    return;
  }
  inf_buf decoded;
  inf_buf_init(&decoded, SIZE_MAX);
  if (inf_json_string(value, &decoded))
    inf_failure_set_text(buf, inf_buf_sv(&decoded));
  inf_buf_fini(&decoded);
}

/* FastAPI: [{"loc": [...], "msg": "..."}]. */
static void
join_list(inf_buf *buf, inf_sv list)
{
  inf_buf all;
  inf_buf_init(&all, SIZE_MAX);
  inf_json_iter it = inf_json_iter_of(list);
  while (inf_json_next(&it)) {
    inf_sv msg = inf_json_get(it.value, INF_SV("msg"));
    if (!inf_json_is(msg, INF_JSON_STRING))
      continue;
    if (all.len > 0)
      inf_buf_append(&all, "; ", 2);
    inf_json_string(msg, &all);
  }
  inf_failure_set_text(buf, inf_buf_sv(&all));
  inf_buf_fini(&all);
}

static void
add_more(inf_buf *buf, inf_sv value)
{
  inf_buf both;
  if (value.len == 0)
    return;
  inf_buf_init(&both, SIZE_MAX);
  inf_buf_append_sv(&both, inf_buf_sv(buf));
  inf_buf_append(&both, ": ", 2);
  if (inf_json_string(value, &both))
    inf_failure_set_text(buf, inf_buf_sv(&both));
  inf_buf_fini(&both);
}

/* The text between the quotes; escapes do not matter here. */
static inf_sv
inside(inf_sv value)
{
  if (value.len >= 2 && value.ptr[0] == '"')
    return inf_sv_of(value.ptr + 1, value.len - 2);
  return value;
}

/* AWS: "com.amazon.coral.service#ThrottlingException:http://...". */
static void
set_aws_type(inf_buf *type, inf_sv text)
{
  text.len = inf_sv_find(text, ':');
  size_t before = inf_sv_find(text, '#');
  if (before < text.len)
    text = inf_sv_of(text.ptr + before + 1, text.len - before - 1);
  inf_failure_set_text(type, text);
}

static void
take_body(inf_failure *failure, const inf_error_body *error)
{
  inf_failure_set_text(&failure->message, error->text);
  set_value(&failure->message, error->message);
  add_more(&failure->message, error->message_more);
  if (error->list.len > 0)
    join_list(&failure->message, error->list);
  set_value(&failure->type, error->type);
  if (failure->type.len == 0 && error->aws_type.len > 0)
    set_aws_type(&failure->type, inside(error->aws_type));
  set_value(&failure->code, error->code);
  set_value(&failure->param, error->param);
  if (failure->request_id.len == 0)
    set_value(&failure->request_id, error->request_id);
  failure->body_status = error->body_status;
}

bool
inf_find_request_id(const inf_provider_kind *kind, const inf_headers *headers,
                    inf_sv *id)
{
  if (!kind)
    kind = inf_provider_kind_at(0);
  inf_sv rest = inf_sv_from(kind->request_id_headers);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, ' ');
    if (inf_headers_get(headers, inf_sv_of(rest.ptr, len), id) && id->len > 0)
      return true;
    rest = inf_sv_trim(inf_sv_of(rest.ptr + len, rest.len - len));
  }
  return false;
}

static void
take_headers(inf_failure *failure, const inf_provider_kind *kind,
             const inf_headers *headers)
{
  inf_sv value;
  if (inf_find_request_id(kind, headers, &value))
    inf_failure_set_text(&failure->request_id, value);
  if (inf_headers_get(headers, INF_SV("x-amzn-errortype"), &value))
    set_aws_type(&failure->type, value);
  if (!inf_headers_get(headers, INF_SV("x-should-retry"), &value))
    return;
  if (inf_sv_eq_nocase(value, INF_SV("true")))
    failure->should_retry = 1;
  else if (inf_sv_eq_nocase(value, INF_SV("false")))
    failure->should_retry = 0;
}

/* Is the model on its way? What could not be loaded is told in similar words:
 * "error loading model architecture" (llama.cpp, Ollama). Sources: llama.cpp's
 * server, "Loading model" with a 503; Ollama, "llm server loading model" with a
 * 500; text-generation-inference, "Model ... is currently loading" with a 503;
 * Bedrock's ModelNotReadyException. */
static bool
is_loading(const struct words *words)
{
  static const char *const phrases[] = {"loading model", "currently loading",
                                        "is loading", "still loading"};
  inf_sv message = words->message;
  if (inf_sv_eq_nocase(words->type, INF_SV("ModelNotReadyException")))
    return true;
  if (inf_sv_contains_nocase(message, INF_SV("error loading")) ||
      inf_sv_contains_nocase(message, INF_SV("failed")))
    return false;
  for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
    if (inf_sv_contains_nocase(message, inf_sv_from(phrases[i])))
      return true;
  return false;
}

static void
decide_class(inf_failure *failure, const inf_error_body *error)
{
  struct words words = {
      .code = inf_buf_sv(&failure->code),
      .type = inf_buf_sv(&failure->type),
      .detail_code = inside(error->detail_code),
      .message = inf_buf_sv(&failure->message),
      .raw = error->raw,
  };
  failure->status =
      decide(failure->http_status, failure->body_status, error, &words);
  failure->loading =
      failure->status == INFER_E_OVERLOADED && is_loading(&words);
}

static void
classify(inf_failure *failure, const inf_provider_kind *kind, int http_status,
         const inf_headers *headers, const inf_error_body *error,
         int64_t wall_now_ns)
{
  inf_failure_clear(failure);
  failure->http_status = http_status;
  take_headers(failure, kind, headers);
  take_body(failure, error);
  decide_class(failure, error);
  failure->hint_ns = inf_find_hint(failure, headers, error, wall_now_ns);
}

void
inf_classify_failure(inf_failure *failure, const inf_provider_kind *kind,
                     int http_status, const inf_headers *headers, inf_sv body,
                     int64_t wall_now_ns)
{
  inf_error_body error;
  inf_error_body_read(body, &error);
  classify(failure, kind, http_status, headers, &error, wall_now_ns);
}

bool
inf_classify_value(inf_failure *failure, const inf_provider_kind *kind,
                   int http_status, const inf_headers *headers, inf_sv value,
                   int64_t wall_now_ns)
{
  inf_error_body error;
  if (!inf_error_body_of(value, &error))
    return false;
  classify(failure, kind, http_status, headers, &error, wall_now_ns);
  return true;
}
