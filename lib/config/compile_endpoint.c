/* SPDX-License-Identifier: MIT */
/* The part of a provider that concerns the network: see compile_endpoint.h. */
#include "config/compile_endpoint.h"

#include "base/mem.h"
#include "config/environment.h"
#include "config/file.h"
#include "config/secrets.h"
#include "config/url.h"
#include "config/values.h"

#include <sys/un.h>

#define PEM_MAX_BYTES ((size_t)4 << 20)

void
inf_endpoint_fini(inf_endpoint *endpoint)
{
  const char *texts[] = {endpoint->proxy,       endpoint->no_proxy,
                         endpoint->ca_file,     endpoint->ca_pem,
                         endpoint->client_cert, endpoint->client_key,
                         endpoint->unix_socket};
  /* A proxy's address may hold a password. */
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i])
      inf_free_secret((void *)(uintptr_t)texts[i], strlen(texts[i]));
  for (size_t i = 0; endpoint->resolve && endpoint->resolve[i]; i++)
    inf_free((void *)(uintptr_t)endpoint->resolve[i]);
  inf_free((void *)(uintptr_t)endpoint->resolve);
  memset(endpoint, 0, sizeof *endpoint);
}

/* ---- Certificates -------------------------------------------------------- */

/* Does the text hold anything in PEM form? */
static bool
is_pem(inf_sv text)
{
  return inf_sv_find(text, '\0') == text.len &&
         inf_sv_contains_nocase(text, INF_SV("-----BEGIN "));
}

static int32_t
check_pem_file(const char *path, inf_sv option, const inf_place *place,
               infer_error **error)
{
  inf_place here = inf_place_member(place, option);
  char why[INF_FILE_WHY_MAX];
  inf_buf text;
  if (!path)
    return INFER_OK;
  inf_buf_init(&text, PEM_MAX_BYTES + 2);
  int32_t status =
      inf_file_read(path, PEM_MAX_BYTES, INF_FILE_WAIT_MS, &text, why);
  if (status == INFER_E_NO_MEMORY)
    inf_place_no_memory(error);
  else if (status != INFER_OK)
    status = inf_place_error(&here, error, "cannot read %s: %s", path, why);
  else if (!is_pem(inf_buf_sv(&text)))
    status = inf_place_error(&here, error, "%s is no PEM file", path);
  inf_buf_fini_secret(&text);
  return status;
}

static int32_t
read_ca_pem(const inf_node *node, const inf_place *place,
            inf_endpoint *endpoint, infer_error **error)
{
  inf_buf spec, text;
  if (node->type != INF_JSON_STRING)
    return inf_value_wrong(
        inf_option_find("provider", INF_SV(""), INF_SV("ca_pem")), node, place,
        error);
  inf_buf_init(&spec, node->text.len + 1);
  inf_buf_init(&text, node->text.len + INF_SECRET_MAX_BYTES + 2);
  int32_t status = inf_node_string(node, &spec)
                       ? inf_secret_read(inf_buf_sv(&spec), place, &text, error)
                       : inf_place_no_memory(error);
  if (status == INFER_OK && !is_pem(inf_buf_sv(&text)))
    status = inf_place_error(place, error, "is no certificate in PEM form");
  if (status == INFER_OK) {
    endpoint->ca_pem = inf_strndup(inf_buf_cstr(&text), text.len);
    if (!endpoint->ca_pem)
      status = inf_place_no_memory(error);
  }
  inf_buf_fini(&spec);
  inf_buf_fini(&text);
  return status;
}

static int32_t
read_certificates(const inf_node *node, const inf_place *place,
                  inf_endpoint *endpoint, infer_error **error)
{
  const inf_node *pem = inf_node_get(node, INF_SV("ca_pem"));
  inf_place here = inf_place_member(place, INF_SV("ca_pem"));
  int32_t status = INFER_OK;
  if (pem && endpoint->ca_file)
    return inf_place_error(&here, error, "cannot go with ca_file");
  if (endpoint->client_key && !endpoint->client_cert) {
    here = inf_place_member(place, INF_SV("client_key"));
    return inf_place_error(&here, error, "needs client_cert");
  }
  if (pem)
    status = read_ca_pem(pem, &here, endpoint, error);
  if (status == INFER_OK)
    status = check_pem_file(endpoint->ca_file, INF_SV("ca_file"), place, error);
  if (status == INFER_OK)
    status = check_pem_file(endpoint->client_cert, INF_SV("client_cert"), place,
                            error);
  if (status == INFER_OK)
    status = check_pem_file(endpoint->client_key, INF_SV("client_key"), place,
                            error);
  return status;
}

/* ---- Ways there ---------------------------------------------------------- */

static int32_t
read_proxy(const inf_node *node, const inf_place *place,
           inf_provider_config *provider, infer_error **error)
{
  inf_endpoint *endpoint = &provider->endpoint;
  const inf_node *given = inf_node_get(node, INF_SV("proxy"));
  inf_place here = inf_place_member(place, INF_SV("proxy"));
  char *text = NULL;
  if (!given)
    return endpoint->unix_socket ? INFER_OK
                                 : inf_environment_proxy(provider, error);
  int32_t status = inf_value_text(given, &here, "a string", &text, error);
  if (status != INFER_OK)
    return status;
  if (!text[0] || strcmp(text, "none") == 0) {
    inf_free(text);
    return INFER_OK;
  }
  endpoint->proxy = text;
  const char *why = inf_url_check_proxy(inf_sv_from(text));
  if (why)
    return inf_place_error(&here, error, "%s", why);
  if (endpoint->unix_socket)
    return inf_place_error(&here, error, "cannot go with unix_socket");
  return INFER_OK;
}

static int32_t
check_unix_socket(const char *path, const inf_place *place, infer_error **error)
{
  inf_place here = inf_place_member(place, INF_SV("unix_socket"));
  size_t most = sizeof((struct sockaddr_un *)0)->sun_path - 1;
  if (!path)
    return INFER_OK;
  if (path[0] != '/')
    return inf_place_error(&here, error, "expected an absolute path");
  if (strlen(path) > most)
    return inf_place_error(&here, error, "longer than %zu bytes", most);
  return INFER_OK;
}

static int32_t
read_resolve(const inf_node *node, const inf_place *place,
             inf_endpoint *endpoint, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("resolve"));
  inf_place here = inf_place_member(place, INF_SV("resolve"));
  char **entries;
  size_t count;
  if (!given)
    return INFER_OK;
  int32_t status = inf_value_texts(given, &here, &entries, &count, error);
  if (status != INFER_OK)
    return status;
  endpoint->resolve = (const char *const *)entries;
  for (size_t i = 0; i < count; i++) {
    inf_place entry = inf_place_element(&here, i);
    const char *why = inf_url_check_resolve(inf_sv_from(entries[i]));
    if (why)
      return inf_place_error(&entry, error, "%s", why);
  }
  return INFER_OK;
}

static int32_t
read_http_version(const inf_node *node, const inf_place *place,
                  inf_endpoint *endpoint, infer_error **error)
{
  const inf_node *given = inf_node_get(node, INF_SV("http_version"));
  inf_place here = inf_place_member(place, INF_SV("http_version"));
  int32_t index = 0;
  int32_t status = INFER_OK;
  if (given)
    status = inf_value_enum(
        inf_option_find("provider", INF_SV(""), INF_SV("http_version")), given,
        &here, &index, error);
  endpoint->http_version = (uint8_t)index;
  return status;
}

int32_t
inf_compile_endpoint(const inf_node *node, const inf_place *place,
                     inf_provider_config *provider, infer_error **error)
{
  inf_endpoint *endpoint = &provider->endpoint;
  int32_t status = check_unix_socket(endpoint->unix_socket, place, error);
  if (status == INFER_OK)
    status = read_proxy(node, place, provider, error);
  if (status == INFER_OK)
    status = read_certificates(node, place, endpoint, error);
  if (status == INFER_OK)
    status = read_resolve(node, place, endpoint, error);
  if (status == INFER_OK)
    status = read_http_version(node, place, endpoint, error);
  return status;
}
