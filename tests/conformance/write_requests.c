/* SPDX-License-Identifier: MIT */
/* write_requests FIXTURES [RECORDINGS]: for each file of the folder FIXTURES,
 * a conversation in OpenAI's shape, writes the request that its kind of
 * provider gets and compares it, path and body, with the recorded one. A
 * fixture:
 *
 *   {
 *     "recording": the case's folder,
 *     "kind": type of the catalogue,
 *     "base_url": where that of the kind is not what was recorded,
 *     "query": likewise, as "a=b&c=d",
 *     "chat": what the caller gives, "stream" included,
 *     "body": members that the account adds,
 *     "unlike": {JSON pointer: why the recording has it otherwise}
 *   }
 *
 * Text that is the recording's stays there: {"from": "/messages/0/content"} in
 * the chat stands for what the recorded body has at that place (fixture.h).
 * Exit code 1 if one differs, 77 without recordings. INFER_CASE=PART: only
 * fixtures with this in their name; INFER_SHOW=1 prints what is sent. */
#include "conformance/fixture.h"
#include "conformance/kinds.h"
#include "infer/infer.h"
#include "provider/send.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fixture {
  json_object *file, *chat;
  test_case *recording;
  const inf_provider_kind *kind;
};

static json_object *
member(json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, name, &value);
  return value;
}

/* ---- Writing ------------------------------------------------------------- */

/* The rest of a URL after its host, without the query. */
static inf_sv
path_of(inf_sv url)
{
  const char *host = strstr(url.ptr, "://");
  const char *path = host ? strchr(host + 3, '/') : NULL;
  if (!path)
    return INF_SV("");
  size_t len = url.len - (size_t)(path - url.ptr);
  inf_sv rest = inf_sv_of(path, len);
  return inf_sv_of(path, inf_sv_find(rest, '?'));
}

/* Some clients leave a character as it is that others encode, as the '@' of
 * a model: both mean the same. */
static void
unescape_path(inf_sv path, inf_buf *out)
{
  for (size_t i = 0; i < path.len; i++) {
    char hex[3] = "";
    if (path.ptr[i] == '%' && i + 2 < path.len) {
      memcpy(hex, path.ptr + i + 1, 2);
      inf_buf_append_char(out, (char)strtol(hex, NULL, 16));
      i += 2;
    } else {
      inf_buf_append_char(out, path.ptr[i]);
    }
  }
}

static bool
same_path(const char *recorded, const inf_buf *sent, inf_buf *why)
{
  inf_buf a, b;
  inf_buf_init(&a, SIZE_MAX);
  inf_buf_init(&b, SIZE_MAX);
  unescape_path(path_of(inf_sv_from(recorded)), &a);
  unescape_path(path_of(inf_buf_sv(sent)), &b);
  bool same = recorded[0] == '\0' || inf_sv_eq(inf_buf_sv(&a), inf_buf_sv(&b));
  if (!same)
    inf_buf_appendf(why, "path: recorded %s, sent %s\n", inf_buf_cstr(&a),
                    inf_buf_cstr(&b));
  inf_buf_fini(&a);
  inf_buf_fini(&b);
  return same;
}

static int32_t
write_request(const struct fixture *fixture, const inf_chat *chat,
              inf_wire_request *out, inf_buf *why)
{
  const inf_provider_kind *kind = fixture->kind;
  json_object *body = member(fixture->file, "body");
  const char *base = test_member(fixture->file, "base_url");
  if (base[0] == '\0')
    base = kind->base_url;
  inf_send send = {
      .kind = kind,
      .base_url = inf_sv_from(base ? base : ""),
      .query = inf_sv_from(test_member(fixture->file, "query")),
      .auth_scheme = inf_sv_from(kind->auth_scheme),
      .key = INF_SV("key"),
      .body_members =
          inf_sv_from(body ? json_object_to_json_string(body) : "{}"),
      .model = inf_buf_sv(&chat->model),
      .chat = chat,
      .stream = json_object_get_boolean(member(fixture->chat, "stream")),
      .prefill = INF_PREFILL_NONE,
  };
  return kind->dialect->write_chat(&send, out, why);
}

static bool
compare(const struct fixture *fixture, const inf_wire_request *out,
        inf_buf *why)
{
  inf_buf text;
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_sv(&text, inf_buf_sv(&out->body));
  json_object *sent = json_tokener_parse(inf_buf_cstr(&text));
  bool same = same_path(fixture->recording->url, &out->url, why);
  if (getenv("INFER_SHOW"))
    printf("%s\n%s\n", inf_buf_cstr((inf_buf *)&out->url), inf_buf_cstr(&text));
  same &= fixture_compare(fixture->recording->request, sent,
                          member(fixture->file, "unlike"), why);
  json_object_put(sent);
  inf_buf_fini(&text);
  return same;
}

static bool
try_chat(const struct fixture *fixture, inf_buf *why)
{
  inf_chat chat;
  inf_wire_request out;
  const char *reason = "";
  bool same = false;
  const char *json = json_object_to_json_string_ext(
      fixture->chat, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
  inf_chat_init(&chat);
  inf_wire_request_init(&out);
  int32_t status = inf_chat_from_json(&chat, inf_sv_from(json), &reason, NULL);
  if (status != INFER_OK)
    inf_buf_appendf(why, "the chat is none: %s\n", reason);
  else if ((status = write_request(fixture, &chat, &out, why)) != INFER_OK)
    inf_buf_appendf(why, " (%s)\n", infer_status_name(status));
  else
    same = compare(fixture, &out, why);
  inf_wire_request_fini(&out);
  inf_chat_fini(&chat);
  return same;
}

/* ---- Fixtures ------------------------------------------------------------ */

/* False with a line in why where the file does not say what it has to. */
static bool
load(struct fixture *fixture, const char *path, const char *recordings,
     inf_buf *why)
{
  fixture->file = json_object_from_file(path);
  if (!fixture->file) {
    inf_buf_appendf(why, "not JSON: %s", json_util_get_last_err());
    return false;
  }
  const char *type = test_member(fixture->file, "kind");
  const char *name = test_member(fixture->file, "recording");
  fixture->kind = inf_provider_kind_find(inf_sv_from(type));
  fixture->recording = test_case_load(recordings, name);
  if (!fixture->kind)
    inf_buf_appendf(why, "no kind \"%s\"\n", type);
  else if (!fixture->recording || !fixture->recording->request)
    inf_buf_appendf(why, "no recorded request \"%s\"\n", name);
  else
    fixture->chat = fixture_expand(member(fixture->file, "chat"),
                                   fixture->recording->request, why);
  return fixture->chat && why->len == 0;
}

static void
unload(struct fixture *fixture)
{
  json_object_put(fixture->file);
  json_object_put(fixture->chat);
  test_case_free(fixture->recording);
}

static bool
try_file(const char *folder, const char *name, const char *recordings)
{
  char path[4096];
  inf_buf why;
  struct fixture fixture = {0};
  inf_buf_init(&why, (size_t)1 << 16);
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  bool passed =
      load(&fixture, path, recordings, &why) && try_chat(&fixture, &why);
  if (!passed)
    printf("FAIL %s\n%s", name, inf_buf_cstr(&why));
  unload(&fixture);
  inf_buf_fini(&why);
  return passed;
}

static int
is_fixture(const struct dirent *entry)
{
  const char *only = getenv("INFER_CASE");
  const char *end = strrchr(entry->d_name, '.');
  return end && strcmp(end, ".json") == 0 &&
         (!only || strstr(entry->d_name, only));
}

int
main(int argc, char **argv)
{
  struct dirent **entries;
  char *recordings =
      argc > 2 ? strdup(argv[2]) : test_shared_folder("data/recordings");
  if (argc < 2) {
    fprintf(stderr, "usage: write_requests FIXTURES [RECORDINGS]\n");
    return 2;
  }
  if (!recordings) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  int count = scandir(argv[1], &entries, is_fixture, alphasort);
  int passed = 0;
  for (int i = 0; i < count; i++) {
    passed += try_file(argv[1], entries[i]->d_name, recordings);
    free(entries[i]);
  }
  if (count >= 0)
    free(entries);
  free(recordings);
  printf("%d fixtures, %d passed\n", count, passed);
  return count > 0 && passed == count ? 0 : 1;
}
