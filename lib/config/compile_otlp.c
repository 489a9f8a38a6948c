/* SPDX-License-Identifier: MIT */
/* The collector: see compile_otlp.h. To the code that reads headers and looks
 * for a proxy it is one more provider. */
#include "config/compile_otlp.h"

#include "base/mem.h"
#include "config/compile_endpoint.h"
#include "config/compile_extras.h"
#include "config/environment.h"
#include "config/secrets.h"
#include "config/url.h"
#include "config/values.h"
#include "telemetry/otlp_names.h"
#include "wire/headers.h"

#define HEADERS_MAX ((size_t)64 << 10)

void
inf_otlp_fini(inf_otlp_options *otlp)
{
  inf_free(otlp->endpoint);
  inf_free(otlp->service_name);
  inf_buf_fini_secret(&otlp->headers);
  inf_endpoint_fini(&otlp->network);
}

/* ---- The environment ----------------------------------------------------- */

static int32_t
from_variable(const char *name, char **out, infer_error **error)
{
  inf_sv value = inf_sv_trim(inf_environment_get(name));
  if (*out || value.len == 0)
    return INFER_OK;
  *out = inf_strndup(value.ptr, value.len);
  return *out ? INFER_OK : inf_place_no_memory(error);
}

/* Is there a line with this name? */
static bool
has_header(const inf_buf *headers, inf_sv name)
{
  inf_sv rest = inf_buf_sv(headers);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, '\0');
    size_t colon = inf_sv_find(inf_sv_of(rest.ptr, len), ':');
    if (inf_sv_eq_nocase(inf_sv_of(rest.ptr, colon), name))
      return true;
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  return false;
}

static int
hex_digit(char c)
{
  const char *digits = "0123456789abcdefABCDEF";
  const char *at = c ? strchr(digits, c) : NULL;
  if (!at)
    return -1;
  int value = (int)(at - digits);
  return value < 16 ? value : value - 6;
}

/* "a%20b": a b. */
static void
decode_percent(inf_sv text, inf_buf *out)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    int high = c == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
    int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
    if (low >= 0) {
      c = (char)(high * 16 + low);
      i += 2;
    }
    inf_buf_append_char(out, c);
  }
}

static int32_t
add_pair(inf_sv pair, inf_buf *headers, infer_error **error)
{
  size_t equals = inf_sv_find(pair, '=');
  inf_sv name = inf_sv_trim(inf_sv_of(pair.ptr, equals));
  if (inf_sv_trim(pair).len == 0)
    return INFER_OK;
  inf_buf value;
  inf_buf_init(&value, HEADERS_MAX);
  if (equals < pair.len)
    decode_percent(
        inf_sv_trim(inf_sv_of(pair.ptr + equals + 1, pair.len - equals - 1)),
        &value);
  int32_t status = value.status;
  bool valid = equals < pair.len && inf_header_name_valid(name) &&
               inf_header_value_valid(inf_buf_sv(&value));
  if (status != INFER_OK) {
    status = inf_place_no_memory(error);
  } else if (!valid) {
    status = inf_error_set(error, INFER_E_CONFIG,
                           "environment variable OTEL_EXPORTER_OTLP_HEADERS: "
                           "expected name=value,name=value");
  } else if (!has_header(headers, name)) {
    inf_buf_append_sv(headers, name);
    inf_buf_append_cstr(headers, ": ");
    inf_buf_append_sv(headers, inf_buf_sv(&value));
    inf_buf_append_char(headers, '\0');
    status =
        headers->status == INFER_OK ? INFER_OK : inf_place_no_memory(error);
  }
  inf_buf_fini_secret(&value);
  return status;
}

static int32_t
read_environment(inf_otlp_options *otlp, infer_error **error)
{
  int32_t status =
      from_variable("OTEL_EXPORTER_OTLP_ENDPOINT", &otlp->endpoint, error);
  if (status == INFER_OK)
    status = from_variable("OTEL_SERVICE_NAME", &otlp->service_name, error);
  inf_sv rest = inf_environment_get("OTEL_EXPORTER_OTLP_HEADERS");
  while (status == INFER_OK && rest.len > 0) {
    size_t len = inf_sv_find(rest, ',');
    status = add_pair(inf_sv_of(rest.ptr, len), &otlp->headers, error);
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  return status;
}

/* ---- The rest ------------------------------------------------------------ */

/* From the place among the option's words to an inf_semconv. */
static int32_t
semconv_of(int32_t choice)
{
  inf_sv rest = inf_environment_get("OTEL_SEMCONV_STABILITY_OPT_IN");
  if (choice > 0)
    return choice - 1;
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, ',');
    if (inf_sv_eq(inf_sv_trim(inf_sv_of(rest.ptr, len)),
                  INF_SV("gen_ai_latest_experimental")))
      return INF_SEMCONV_GENAI_HEAD;
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  return INF_SEMCONV_V1_41;
}

static int32_t
check_endpoint(inf_otlp_options *otlp, const inf_place *place,
               infer_error **error)
{
  inf_place here = inf_place_member(place, INF_SV("endpoint"));
  const char *why = inf_url_check_base(inf_sv_from(otlp->endpoint));
  if (why)
    return inf_place_error(&here, error, "%s", why);
#ifdef INFER_NO_TELEMETRY
  return inf_place_error(&here, error, "this library is without telemetry");
#else
  otlp->endpoint[inf_url_trim(inf_sv_from(otlp->endpoint)).len] = '\0';
  return INFER_OK;
#endif
}

static int32_t
read_account(const inf_node *node, const inf_place *place,
             inf_otlp_options *otlp, infer_error **error)
{
  char none[] = "", name[] = "telemetry.otlp";
  inf_provider_config account = {.auth_scheme = none, .name = name};
  int32_t status = inf_compile_extras(node, place, &account, error);
  inf_buf_fini(&account.query);
  inf_buf_fini(&account.body);
  otlp->headers = account.headers;
  if (status == INFER_OK && otlp->from_environment)
    status = read_environment(otlp, error);
  if (status != INFER_OK || !otlp->endpoint)
    return status;
  status = check_endpoint(otlp, place, error);
  account.base_url = otlp->endpoint;
  if (status == INFER_OK)
    status = inf_environment_proxy(&account, error);
  otlp->network = account.endpoint;
  otlp->network.tls_verify = true;
  return status;
}

int32_t
inf_compile_otlp(const inf_node *document, inf_otlp_options *otlp,
                 infer_error **error)
{
  static const char agent[] = "User-Agent: libinfer/" INFER_VERSION;
  static const char type[] = "Content-Type: application/json";
  const inf_node *telemetry = inf_node_get(document, INF_SV("telemetry"));
  const inf_node *node = inf_node_get(telemetry, INF_SV("otlp"));
  inf_place above = inf_place_member(NULL, INF_SV("telemetry"));
  inf_place place = inf_place_member(&above, INF_SV("otlp"));
  otlp->semconv = semconv_of(otlp->semconv);
  if (!node)
    return INFER_OK;
  int32_t status = read_account(node, &place, otlp, error);
  if (status != INFER_OK)
    return status;
  if (!has_header(&otlp->headers, INF_SV("user-agent")))
    inf_buf_append(&otlp->headers, agent, sizeof agent);
  inf_buf_append(&otlp->headers, type, sizeof type);
  return otlp->headers.status == INFER_OK ? INFER_OK
                                          : inf_place_no_memory(error);
}
