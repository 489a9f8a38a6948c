/* SPDX-License-Identifier: MIT */
/* Builders of requests. */
#include "api/guard.h"

#include "base/mem.h"
#include "config/options.h"
#include "engine/result.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

/* Largest deadline: 24 hours. */
static const int64_t max_deadline_ms = INT64_C(24) * 3600 * 1000;

static int32_t
fail(struct infer_error **error, int32_t status, const char *what,
     const char *reason, size_t offset)
{
  if (status == INFER_E_NO_MEMORY)
    return inf_error_set(error, status, "out of memory");
  if (status == INFER_E_TOO_LARGE)
    reason = "larger than 64 MiB";
  if (offset > 0)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "%s: %s (at byte %zu)", what, reason, offset);
  return inf_error_set(error, INFER_E_INVALID_ARGUMENT, "%s: %s", what,
                       reason ? reason : "not valid");
}

/* Without an error object, INFER_E_TOO_LARGE too is the caller's argument. */
static int32_t
plain(int32_t status)
{
  return status == INFER_E_TOO_LARGE ? INFER_E_INVALID_ARGUMENT : status;
}

int32_t
infer_request_new(infer_request **out, const char *model)
{
  if (!out)
    return INFER_E_INVALID_ARGUMENT;
  *out = NULL;
  if (!model)
    return INFER_E_INVALID_ARGUMENT;
  struct infer_request *request = inf_request_new();
  if (!request)
    return INFER_E_NO_MEMORY;
  int32_t status = inf_chat_set_model(&request->chat, inf_sv_from(model), NULL);
  if (status != INFER_OK) {
    inf_request_free(request);
    return plain(status);
  }
  *out = request;
  return INFER_OK;
}

int32_t
infer_request_from_json(infer_request **out, const char *json, size_t len,
                        infer_error **error)
{
  inf_clear_error(error);
  if (out)
    *out = NULL;
  if (!out || !json)
    return fail(error, INFER_E_INVALID_ARGUMENT, "request", "NULL argument", 0);
  struct infer_request *request = inf_request_new();
  if (!request)
    return fail(error, INFER_E_NO_MEMORY, "", NULL, 0);
  const char *reason = NULL;
  size_t offset = 0;
  int32_t status =
      inf_chat_from_json(&request->chat, inf_text(json, len), &reason, &offset);
  if (status != INFER_OK) {
    inf_request_free(request);
    return fail(error, status, "request", reason, offset);
  }
  *out = request;
  return INFER_OK;
}

int32_t
infer_request_set_model(infer_request *request, const char *model)
{
  if (!request || !model)
    return INFER_E_INVALID_ARGUMENT;
  return plain(inf_chat_set_model(&request->chat, inf_sv_from(model), NULL));
}

int32_t
infer_request_add_message_n(infer_request *request, const char *role,
                            const char *text, size_t len)
{
  if (!request || !role || (!text && len > 0))
    return INFER_E_INVALID_ARGUMENT;
  return plain(inf_chat_add_message(&request->chat, inf_sv_from(role),
                                    inf_text(text, len), NULL));
}

int32_t
infer_request_add_message(infer_request *request, const char *role,
                          const char *text)
{
  return infer_request_add_message_n(request, role, text, INFER_NUL_TERMINATED);
}

int32_t
infer_request_add_message_json(infer_request *request, const char *json,
                               size_t len, infer_error **error)
{
  inf_clear_error(error);
  if (!request || !json)
    return fail(error, INFER_E_INVALID_ARGUMENT, "message", "NULL argument", 0);
  const char *reason = NULL;
  size_t offset = 0;
  int32_t status = inf_chat_add_message_json(
      &request->chat, inf_text(json, len), &reason, &offset);
  return status == INFER_OK ? INFER_OK
                            : fail(error, status, "message", reason, offset);
}

/* Adds a message that was written here; bad UTF-8 of the caller is refused by
 * the chat document. */
static int32_t
add_written(struct infer_request *request, inf_buf *message)
{
  int32_t status = message->status;
  if (status == INFER_OK)
    status = inf_chat_add_message_json(&request->chat, inf_buf_sv(message),
                                       NULL, NULL);
  inf_buf_fini(message);
  return plain(status);
}

/* What a provider can fetch, or read in the request itself. */
static bool
is_image_url(inf_sv url)
{
  return inf_sv_starts_with(url, INF_SV("https://")) ||
         inf_sv_starts_with(url, INF_SV("http://")) ||
         inf_sv_starts_with(url, INF_SV("data:"));
}

int32_t
infer_request_add_image(infer_request *request, const char *text,
                        const char *url)
{
  if (!request || !is_image_url(inf_sv_from(url)) ||
      !inf_utf8_valid(inf_sv_from(url)) || !inf_utf8_valid(inf_sv_from(text)))
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("role"), INF_SV("user"));
  inf_json_key(&out, INF_SV("content"));
  inf_json_open(&out, '[');
  if (text) {
    inf_json_open(&out, '{');
    inf_json_member_string(&out, INF_SV("type"), INF_SV("text"));
    inf_json_member_string(&out, INF_SV("text"), inf_sv_from(text));
    inf_json_close(&out, '}');
  }
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("type"), INF_SV("image_url"));
  inf_json_key(&out, INF_SV("image_url"));
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("url"), inf_sv_from(url));
  inf_json_close(&out, '}');
  inf_json_close(&out, '}');
  inf_json_close(&out, ']');
  inf_json_close(&out, '}');
  return add_written(request, &out);
}

int32_t
infer_request_add_response(infer_request *request,
                           const infer_response *response)
{
  if (!request || !response || response->answer.choice_count == 0)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  inf_answer_write_message(&response->answer, response->answer.choices[0].index,
                           &out);
  return add_written(request, &out);
}

int32_t
infer_request_add_tool_result(infer_request *request, const char *tool_call_id,
                              const char *text, size_t len)
{
  inf_sv result = inf_text(text, len);
  if (!request || !tool_call_id || (!text && len > 0) ||
      !inf_utf8_valid(result) || !inf_utf8_valid(inf_sv_from(tool_call_id)))
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("role"), INF_SV("tool"));
  inf_json_member_string(&out, INF_SV("tool_call_id"),
                         inf_sv_from(tool_call_id));
  inf_json_member_string(&out, INF_SV("content"), result);
  inf_json_close(&out, '}');
  return add_written(request, &out);
}

/* Checks a JSON text of the caller that must be an object. */
static int32_t
check_object(const char *json, inf_sv *value, const char *what,
             struct infer_error **error)
{
  inf_json_error mistake;
  if (!inf_json_parse(inf_sv_from(json), INF_CHAT_MAX_DEPTH - 4, value,
                      &mistake))
    return fail(error, INFER_E_INVALID_ARGUMENT, what, mistake.reason,
                mistake.offset);
  if (!inf_json_is(*value, INF_JSON_OBJECT))
    return fail(error, INFER_E_INVALID_ARGUMENT, what, "expected an object", 0);
  return INFER_OK;
}

int32_t
infer_request_add_tool(infer_request *request, const char *name,
                       const char *description, const char *parameters,
                       infer_error **error)
{
  inf_clear_error(error);
  if (!request || !name || !*name || !inf_utf8_valid(inf_sv_from(name)) ||
      !inf_utf8_valid(inf_sv_from(description)))
    return fail(error, INFER_E_INVALID_ARGUMENT, "tool",
                "needs a name, in UTF-8", 0);
  inf_sv schema = INF_SV("");
  int32_t status = INFER_OK;
  if (parameters)
    status = check_object(parameters, &schema, "tool parameters", error);
  if (status != INFER_OK)
    return status;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("type"), INF_SV("function"));
  inf_json_key(&out, INF_SV("function"));
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("name"), inf_sv_from(name));
  if (description)
    inf_json_member_string(&out, INF_SV("description"),
                           inf_sv_from(description));
  if (schema.len > 0)
    inf_json_member_raw(&out, INF_SV("parameters"), schema);
  inf_json_close(&out, '}');
  inf_json_close(&out, '}');
  status = out.status;
  if (status == INFER_OK)
    status = inf_chat_append_to_member(&request->chat, INF_SV("tools"),
                                       inf_buf_sv(&out));
  inf_buf_fini(&out);
  return status == INFER_OK
             ? INFER_OK
             : fail(error, status, "tool", "\"tools\" is no array", 0);
}

int32_t
infer_request_set_json_schema(infer_request *request, const char *name,
                              const char *schema, infer_error **error)
{
  inf_clear_error(error);
  if (!request || !name || !*name || !schema ||
      !inf_utf8_valid(inf_sv_from(name)))
    return fail(error, INFER_E_INVALID_ARGUMENT, "response format",
                "needs a name and a schema", 0);
  inf_sv value;
  int32_t status = check_object(schema, &value, "schema", error);
  if (status != INFER_OK)
    return status;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("type"), INF_SV("json_schema"));
  inf_json_key(&out, INF_SV("json_schema"));
  inf_json_open(&out, '{');
  inf_json_member_string(&out, INF_SV("name"), inf_sv_from(name));
  inf_json_member_bool(&out, INF_SV("strict"), true);
  inf_json_member_raw(&out, INF_SV("schema"), value);
  inf_json_close(&out, '}');
  inf_json_close(&out, '}');
  status = out.status;
  if (status == INFER_OK)
    status = inf_chat_set_member(&request->chat, INF_SV("response_format"),
                                 inf_buf_sv(&out), NULL, NULL);
  inf_buf_fini(&out);
  return status == INFER_OK ? INFER_OK
                            : fail(error, status, "response format", NULL, 0);
}

int32_t
infer_request_set_json(infer_request *request, const char *member,
                       const char *json, size_t len, infer_error **error)
{
  inf_clear_error(error);
  if (!request || !member || !*member || !json)
    return fail(error, INFER_E_INVALID_ARGUMENT, "request member",
                "NULL or empty argument", 0);
  const char *reason = NULL;
  size_t offset = 0;
  int32_t status = inf_chat_set_member(&request->chat, inf_sv_from(member),
                                       inf_text(json, len), &reason, &offset);
  return status == INFER_OK ? INFER_OK
                            : fail(error, status, member, reason, offset);
}

int32_t
infer_request_set_string(infer_request *request, const char *member,
                         const char *value)
{
  if (!value || !inf_utf8_valid(inf_sv_from(value)))
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  inf_json_put_string(&out, inf_sv_from(value));
  int32_t status = out.status;
  if (status == INFER_OK)
    status = infer_request_set_json(request, member, out.ptr, out.len, NULL);
  inf_buf_fini(&out);
  return plain(status);
}

int32_t
infer_request_set_int(infer_request *request, const char *member, int64_t value)
{
  inf_buf out;
  inf_buf_init(&out, 64);
  inf_json_put_int(&out, value);
  int32_t status = out.status;
  if (status == INFER_OK)
    status = infer_request_set_json(request, member, out.ptr, out.len, NULL);
  inf_buf_fini(&out);
  return status;
}

int32_t
infer_request_set_double(infer_request *request, const char *member,
                         double value)
{
  if (!(value - value == 0)) /* infinite, or not a number */
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, 64);
  inf_json_put_double(&out, value);
  int32_t status = out.status;
  if (status == INFER_OK)
    status = infer_request_set_json(request, member, out.ptr, out.len, NULL);
  inf_buf_fini(&out);
  return status;
}

int32_t
infer_request_json(const infer_request *request, char **json, size_t *len)
{
  if (!request || !json)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES * 2);
  inf_chat_write_json(&request->chat, &out);
  *json = inf_buf_take(&out, len);
  inf_buf_fini(&out);
  return *json ? INFER_OK : INFER_E_NO_MEMORY;
}

/* ---- How the call is to be made ------------------------------------------ */

int32_t
infer_request_set_deadline_ms(infer_request *request, int64_t deadline_ms)
{
  if (!request || deadline_ms < 1 || deadline_ms > max_deadline_ms)
    return INFER_E_INVALID_ARGUMENT;
  request->deadline_ms = deadline_ms;
  return INFER_OK;
}

/* The option of a policy that is a number; NULL if there is none. */
static const inf_option *
find_number(const char *name)
{
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *option = inf_option_at(i);
    if (strcmp(option->section, "policy") == 0 &&
        option->type == INF_OPTION_INT && strcmp(option->name, name) == 0)
      return option;
  }
  return NULL;
}

int32_t
infer_request_set_policy(infer_request *request, const char *option,
                         int64_t value)
{
  const inf_option *number = option ? find_number(option) : NULL;
  if (!request || !number || value < number->minimum || value > number->maximum)
    return INFER_E_INVALID_ARGUMENT;
  size_t i = 0;
  while (i < request->policy_count &&
         request->policy[i].offset != number->offset)
    i++;
  if (i == INF_REQUEST_MAX_POLICY)
    return INFER_E_INVALID_ARGUMENT;
  request->policy[i] = (inf_request_policy){number->offset, value};
  if (i == request->policy_count)
    request->policy_count++;
  return INFER_OK;
}

/* Headers that the library sets itself, or that change how the message is
 * framed. */
static const char *const reserved_headers[] = {
    "authorization",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "expect",
    "accept-encoding",
    "te",
    "trailer",
    "upgrade",
    "proxy-authorization",
};

static bool
is_reserved(inf_sv name)
{
  for (size_t i = 0; i < sizeof reserved_headers / sizeof reserved_headers[0];
       i++)
    if (inf_sv_eq_nocase(name, inf_sv_from(reserved_headers[i])))
      return true;
  return false;
}

int32_t
infer_request_set_header(infer_request *request, const char *name,
                         const char *value)
{
  if (!request || !name || !value ||
      !inf_header_name_valid(inf_sv_from(name)) ||
      !inf_header_value_valid(inf_sv_from(value)) ||
      is_reserved(inf_sv_from(name)) ||
      request->header_count >= INF_REQUEST_MAX_HEADERS)
    return INFER_E_INVALID_ARGUMENT;
  size_t before = request->headers.len;
  inf_buf_appendf(&request->headers, "%s: %s", name, value);
  inf_buf_append_char(&request->headers, '\0');
  int32_t status = request->headers.status;
  if (status != INFER_OK) {
    request->headers.status = INFER_OK;
    inf_buf_truncate(&request->headers, before);
    return plain(status);
  }
  request->header_count++;
  return INFER_OK;
}

/* A label, tag or tenant: short printable UTF-8. */
static bool
is_name(const char *text)
{
  size_t len = text ? strlen(text) : 0;
  if (len == 0 || len > INF_REQUEST_MAX_NAME_BYTES ||
      !inf_utf8_valid(inf_sv_of(text, len)))
    return false;
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 127)
      return false;
  return true;
}

int32_t
infer_request_require_label(infer_request *request, const char *label)
{
  if (!request || !is_name(label) ||
      request->label_count >= INF_REQUEST_MAX_LABELS)
    return INFER_E_INVALID_ARGUMENT;
  char *copy = inf_strndup(label, strlen(label));
  if (!copy)
    return INFER_E_NO_MEMORY;
  request->labels[request->label_count++] = copy;
  return INFER_OK;
}

int32_t
infer_request_set_tag(infer_request *request, const char *name,
                      const char *value)
{
  if (!request || !is_name(name) || !is_name(value))
    return INFER_E_INVALID_ARGUMENT;
  size_t at = 0;
  while (at < request->tag_count && strcmp(request->tags[at].name, name) != 0)
    at++;
  if (at == INF_REQUEST_MAX_TAGS)
    return INFER_E_INVALID_ARGUMENT;
  char *new_value = inf_strndup(value, strlen(value));
  if (!new_value)
    return INFER_E_NO_MEMORY;
  if (at == request->tag_count) {
    char *new_name = inf_strndup(name, strlen(name));
    if (!new_name) {
      inf_free(new_value);
      return INFER_E_NO_MEMORY;
    }
    request->tags[request->tag_count++].name = new_name;
  } else {
    inf_free(request->tags[at].value);
  }
  request->tags[at].value = new_value;
  return INFER_OK;
}

int32_t
infer_request_set_tenant(infer_request *request, const char *tenant)
{
  if (!request || !is_name(tenant))
    return INFER_E_INVALID_ARGUMENT;
  char *copy = inf_strndup(tenant, strlen(tenant));
  if (!copy)
    return INFER_E_NO_MEMORY;
  inf_free(request->tenant);
  request->tenant = copy;
  return INFER_OK;
}

int32_t
infer_request_set_run_once(infer_request *request, int32_t run_once)
{
  if (!request)
    return INFER_E_INVALID_ARGUMENT;
  request->run_once = run_once != 0;
  return INFER_OK;
}

void
infer_request_free(infer_request *request)
{
  inf_request_free(request);
}
