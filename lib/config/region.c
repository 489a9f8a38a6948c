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

bool
inf_region_expand(const char *base_url, const char *region, inf_buf *out)
{
  const char *at = strstr(base_url, mark);
  if (!at)
    return inf_buf_append_cstr(out, base_url);
  inf_buf_append(out, base_url, (size_t)(at - base_url));
  inf_buf_append_cstr(out, region ? region : "");
  return inf_buf_append_cstr(out, at + sizeof mark - 1);
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
  inf_place variable = inf_place_member(NULL, INF_SV("AWS_REGION"));
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
  if (inf_region_is_set())
    return take(provider, from_environment(), &variable, error);
  return url ? INFER_OK
             : inf_error_set(error, INFER_E_CONFIG,
                             "provider \"%s\": no region (set AWS_REGION or "
                             "region)",
                             provider->name);
}
