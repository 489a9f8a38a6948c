/* SPDX-License-Identifier: MIT */
/* Version, features and the process-wide hooks. */
#include "api/guard.h"

#include "base/mem.h"

#include <stdio.h>

const char *
infer_version(void)
{
  return INFER_VERSION;
}

uint32_t
infer_version_number(void)
{
  return INFER_VERSION_MAJOR * 1000000u + INFER_VERSION_MINOR * 1000u +
         INFER_VERSION_PATCH;
}

static char features[512];
static pthread_once_t features_once = PTHREAD_ONCE_INIT;

static void
write_features(void)
{
  snprintf(features, sizeof features,
           "threads driven stream tools failover restart gzip unix proxy tls%s "
           "libinfer/" INFER_VERSION " %s",
           inf_curl_has_http2() ? " http2" : "", inf_curl_version());
}

const char *
infer_features(void)
{
  pthread_once(&features_once, write_features);
  return features;
}

int32_t
infer_has_feature(const char *name)
{
  if (!name || !*name || strchr(name, ' '))
    return 0;
  size_t len = strlen(name);
  for (const char *at = infer_features(); *at;) {
    size_t word = strcspn(at, " ");
    if (word == len && memcmp(at, name, len) == 0)
      return 1;
    at += word;
    at += strspn(at, " ");
  }
  return 0;
}

int32_t
infer_set_allocator(void *(*malloc_fn)(size_t size, void *user_data),
                    void *(*realloc_fn)(void *ptr, size_t size,
                                        void *user_data),
                    void (*free_fn)(void *ptr, void *user_data),
                    void *user_data)
{
  bool none = !malloc_fn && !realloc_fn && !free_fn;
  bool all = malloc_fn && realloc_fn && free_fn;
  if (!none && !all)
    return INFER_E_INVALID_ARGUMENT;
  inf_mem_set_functions(malloc_fn, realloc_fn, free_fn, user_data);
  return INFER_OK;
}

int32_t
infer_set_thread_start_hook(void (*hook)(const char *name, void *user_data),
                            void *user_data)
{
  inf_thread_set_start_hook(hook, user_data);
  return INFER_OK;
}

void
infer_text_free(char *text)
{
  inf_free(text);
}
