/* SPDX-License-Identifier: MIT */
/* Where a provider's service runs: see region.h. */
#include "config/region.h"

#include "base/mem.h"
#include "config/secrets.h"
#include "provider/aws.h"

static const char mark[] = "{region}";

bool
inf_region_matters(const inf_provider_kind *kind)
{
  return kind->base_url && strstr(kind->base_url, mark) != NULL;
}

bool
inf_region_is_google(const inf_provider_kind *kind)
{
  return kind->base_url && strstr(kind->base_url, "{project}") != NULL;
}

static inf_sv
from_environment(void)
{
  inf_sv region = inf_environment_get("AWS_REGION");
  return region.len > 0 ? region : inf_environment_get("AWS_DEFAULT_REGION");
}

bool
inf_region_is_set(void)
{
  return from_environment().len > 0;
}

/* "global" is no place, and "us" and "eu" are several. By "Vertex AI locations"
 * and "Claude on Vertex AI: global, multi-region and regional endpoints". */
static void
append_google_host(const char *region, inf_buf *out)
{
  if (strcmp(region, "global") == 0)
    inf_buf_append_cstr(out, "aiplatform.googleapis.com");
  else if (strcmp(region, "us") == 0 || strcmp(region, "eu") == 0)
    inf_buf_appendf(out, "aiplatform.%s.rep.googleapis.com", region);
  else
    inf_buf_appendf(out, "%s-aiplatform.googleapis.com", region);
}

void
inf_region_expand(const char *base_url, const char *region, const char *project,
                  inf_buf *out)
{
  region = region ? region : "";
  for (const char *at = base_url; *at;) {
    inf_sv rest = inf_sv_from(at);
    if (inf_sv_starts_with(rest, INF_SV("{host}"))) {
      append_google_host(region, out);
      at += strlen("{host}");
    } else if (inf_sv_starts_with(rest, INF_SV("{project}"))) {
      inf_buf_append_cstr(out, project);
      at += strlen("{project}");
    } else if (inf_sv_starts_with(rest, INF_SV("{region}"))) {
      inf_buf_append_cstr(out, region);
      at += strlen("{region}");
    } else {
      inf_buf_append_char(out, *at++);
    }
  }
}

/* It becomes a part of a host's name. */
static bool
is_label(inf_sv region)
{
  for (size_t i = 0; i < region.len; i++) {
    char c = region.ptr[i];
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-')
      return false;
  }
  return region.len > 0 && region.len < 64;
}

static int32_t
no_region(const inf_provider_config *provider, const char *variable,
          infer_error **error)
{
  return inf_error_set(error, INFER_E_CONFIG,
                       "provider \"%s\": no region (set %s or region)",
                       provider->name, variable);
}

static int32_t
take(inf_provider_config *provider, inf_sv region, const inf_place *place,
     infer_error **error)
{
  if (!is_label(region))
    return inf_place_error(place, error,
                           "expected a region, as in \"us-east-1\"");
  provider->region = inf_strndup(region.ptr, region.len);
  return provider->region ? INFER_OK : inf_place_no_memory(error);
}

/* The one in the configured address. */
static int32_t
take_from_url(const inf_node *given, inf_provider_config *provider,
              const inf_place *place, infer_error **error)
{
  inf_buf url;
  inf_buf_init(&url, SIZE_MAX);
  int32_t status = INFER_OK;
  if (given->type == INF_JSON_STRING && !inf_node_string(given, &url))
    status = inf_place_no_memory(error);
  inf_sv region = inf_aws_region_of(inf_buf_sv(&url));
  if (status == INFER_OK && region.len > 0)
    status = take(provider, region, place, error);
  inf_buf_fini(&url);
  return status;
}

int32_t
inf_compile_region(const inf_node *node, const inf_place *place,
                   inf_provider_config *provider, infer_error **error)
{
  const inf_node *url = inf_node_get(node, INF_SV("base_url"));
  inf_place here = inf_place_member(place, INF_SV("region"));
  bool google = inf_region_is_google(provider->kind);
  const char *name = google ? "GOOGLE_CLOUD_LOCATION" : "AWS_REGION";
  inf_place variable = inf_place_member(NULL, inf_sv_from(name));
  if (!inf_region_matters(provider->kind))
    return provider->region
               ? inf_place_error(&here, error, "its type has no regions")
               : INFER_OK;
  if (provider->region)
    return is_label(inf_sv_from(provider->region))
               ? INFER_OK
               : inf_place_error(&here, error,
                                 "expected a region, as in \"us-east-1\"");
  int32_t status = url ? take_from_url(url, provider, &here, error) : INFER_OK;
  if (status != INFER_OK || provider->region)
    return status;
  inf_sv set = google ? inf_environment_get(name) : from_environment();
  if (set.len > 0 && !(google && url))
    return take(provider, set, &variable, error);
  return url ? INFER_OK : no_region(provider, name, error);
}
