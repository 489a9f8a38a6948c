/* SPDX-License-Identifier: MIT */
/* The descriptor of a plug-in: what is accepted, copied and freed. */
#include "unit/plugin_support.h"

static infer_provider_descriptor
plain(void)
{
  return noisy_descriptor(INFER_FRAMING_SSE);
}

static void
is_refused(const infer_provider_descriptor *descriptor, int32_t status,
           const char *words)
{
  char why[INF_PLUGIN_WHY_MAX] = "";
  inf_plugin *plugin;
  assert_int_equal(inf_plugin_new(descriptor, &plugin, why), status);
  assert_null(plugin);
  if (!strstr(why, words))
    fail_msg("\"%s\" does not say %s", why, words);
}

static void
it_becomes_a_kind(void **state)
{
  (void)state;
  char type[] = "post.1", path[] = "/v2/{model}";
  infer_provider_descriptor descriptor = plain();
  descriptor.type = type;
  descriptor.chat_path = path;
  descriptor.key_env = "POST_KEY";
  descriptor.key_required = 1;
  descriptor.abilities =
      INFER_PROVIDER_CAN_VISION | INFER_PROVIDER_CAN_JSON_SCHEMA;
  descriptor.claims = "post- letter-";
  inf_plugin *plugin = plugin_made(&descriptor);
  memset(type, 'x', sizeof type - 1);
  memset(path, 'x', sizeof path - 1);
  const inf_provider_kind *kind = &plugin->kind;
  assert_string_equal(kind->type, "post.1");
  assert_string_equal(kind->chat_path, "/v2/{model}");
  assert_string_equal(kind->base_url, "http://noisy");
  assert_string_equal(kind->auth_scheme, "Bearer");
  assert_string_equal(kind->request_id_headers, "x-request-id");
  assert_true(kind->key_required);
  assert_int_equal(kind->abilities, INF_CAN_VISION | INF_CAN_JSON_SCHEMA);
  assert_true(inf_provider_kind_claims(kind, S("letter-7")));
  assert_int_equal(kind->dialect->framing, INF_FRAMING_SSE);
  assert_null(kind->dialect->sign);
  assert_null(kind->dialect->classify);
  inf_plugin_unref(plugin);
}

static void
each_framing_has_its_own(void **state)
{
  (void)state;
  static const inf_framing ours[] = {
      INF_FRAMING_NONE,       INF_FRAMING_SSE,         INF_FRAMING_NDJSON,
      INF_FRAMING_JSON_ARRAY, INF_FRAMING_EVENTSTREAM, INF_FRAMING_SPLIT};
  for (int32_t i = INFER_FRAMING_WHOLE; i <= INFER_FRAMING_CUSTOM; i++) {
    infer_provider_descriptor descriptor = noisy_descriptor(i);
    inf_plugin *plugin = plugin_made(&descriptor);
    assert_int_equal(plugin->dialect.framing, ours[i]);
    inf_plugin_unref(plugin);
  }
}

static void
a_key_header_takes_the_bare_key(void **state)
{
  (void)state;
  infer_provider_descriptor descriptor = plain();
  descriptor.key_header = "X-Key";
  inf_plugin *plugin = plugin_made(&descriptor);
  assert_string_equal(plugin->kind.auth_scheme, "X-Key");
  assert_string_equal(plugin->kind.key_header, "X-Key");
  inf_plugin_unref(plugin);
}

/* ---- struct_size --------------------------------------------------------- */

/* A copy that is so long, right before memory that must not be read. */
static infer_provider_descriptor *
older_copy(const infer_provider_descriptor *from, size_t size)
{
  infer_provider_descriptor *copy = malloc(size);
  memcpy(copy, from, size);
  memcpy(copy, &size, sizeof size); /* struct_size */
  return copy;
}

static const size_t least_bytes =
    offsetof(infer_provider_descriptor, read_answer) + sizeof(void (*)(void));

/* What it does not know is as if zero, whatever stands behind it. */
static void
an_older_struct_has_what_it_knows(void **state)
{
  (void)state;
  infer_provider_descriptor whole = noisy_descriptor(INFER_FRAMING_WHOLE);
  for (size_t size = least_bytes; size <= sizeof whole;
       size += sizeof(void (*)(void))) {
    infer_provider_descriptor *older = older_copy(&whole, size);
    inf_plugin *plugin = plugin_made(older);
#define KNOWS(member) (size > offsetof(infer_provider_descriptor, member))
    assert_int_equal(plugin->dialect.hooks->read_event != NULL,
                     KNOWS(read_event) && whole.read_event);
    assert_int_equal(plugin->dialect.split != NULL,
                     KNOWS(split) && whole.split);
    assert_int_equal(plugin->dialect.classify != NULL,
                     KNOWS(classify) && whole.classify);
    assert_int_equal(plugin->dialect.read_limits != NULL,
                     KNOWS(read_limits) && whole.read_limits);
    assert_int_equal(plugin->dialect.sign != NULL, KNOWS(sign) && whole.sign);
    inf_plugin_unref(plugin);
    free(older);
  }
}

/* A hook that streams need is not in it. */
static void
an_older_struct_without_what_it_needs_is_refused(void **state)
{
  (void)state;
  infer_provider_descriptor stream = noisy_descriptor(INFER_FRAMING_SSE);
  infer_provider_descriptor *older = older_copy(&stream, least_bytes);
  is_refused(older, INFER_E_INVALID_ARGUMENT, "read_event: missing");
  free(older);
}

static void
what_is_no_size_of_a_struct_is_refused(void **state)
{
  (void)state;
  infer_provider_descriptor descriptor = plain();
  const size_t sizes[] = {0, sizeof(size_t), least_bytes - 1, least_bytes + 1,
                          sizeof descriptor - 1};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    descriptor.struct_size = sizes[i];
    is_refused(&descriptor, INFER_E_INVALID_ARGUMENT, "struct_size");
  }
}

static void
a_newer_struct_may_say_nothing_new(void **state)
{
  (void)state;
  struct {
    infer_provider_descriptor known;
    char more[24];
  } newer = {plain(), ""};
  newer.known.struct_size = sizeof newer;
  inf_plugin *plugin = plugin_made(&newer.known);
  assert_string_equal(plugin->kind.type, "noisy");
  inf_plugin_unref(plugin);
  newer.more[23] = 1;
  is_refused(&newer.known, INFER_E_UNSUPPORTED, "does not know");
}

/* ---- Members ------------------------------------------------------------- */

static void
members_are_checked(void **state)
{
  (void)state;
  infer_provider_descriptor d;
#define REFUSES(member, value, words) \
  d = plain();                        \
  d.member = value;                   \
  is_refused(&d, INFER_E_INVALID_ARGUMENT, words)
  REFUSES(type, NULL, ".type: missing");
  REFUSES(type, "", ".type:");
  REFUSES(type, "a b", ".type:");
  REFUSES(type, "openai", ".type: is a built-in one");
  REFUSES(chat_path, NULL, ".chat_path: missing");
  REFUSES(chat_path, "chat", ".chat_path:");
  REFUSES(chat_path, "/a b", ".chat_path:");
  REFUSES(stream_path, "/a#b", ".stream_path:");
  REFUSES(base_url, "http://{region}.example", ".base_url:");
  REFUSES(auth_scheme, "Two words", ".auth_scheme:");
  REFUSES(key_header, "X-Key:", ".key_header:");
  REFUSES(key_header, "", ".key_header:");
  REFUSES(claims, "a\nb", ".claims:");
  REFUSES(framing, 6, ".framing:");
  REFUSES(framing, -1, ".framing:");
  REFUSES(abilities, 8, ".abilities:");
  REFUSES(state_bytes, 65537, ".state_bytes:");
  REFUSES(write_request, NULL, ".write_request: missing");
  REFUSES(read_answer, NULL, ".read_answer: missing");
  REFUSES(read_event, NULL, ".read_event: missing");
#undef REFUSES
  d = noisy_descriptor(INFER_FRAMING_CUSTOM);
  d.split = NULL;
  is_refused(&d, INFER_E_INVALID_ARGUMENT, ".split: missing");
  d = noisy_descriptor(INFER_FRAMING_WHOLE);
  d.read_event = NULL;
  inf_plugin_unref(plugin_made(&d));
}

/* ---- Lifetimes ----------------------------------------------------------- */

static void
count_free(void *user_data)
{
  ++*(int *)user_data;
}

static void
the_last_reference_frees_user_data(void **state)
{
  (void)state;
  int freed = 0;
  infer_provider_descriptor descriptor = plain();
  descriptor.user_data = &freed;
  descriptor.free_user_data = count_free;
  inf_plugins one = {0}, other = {0};
  assert_int_equal(inf_plugins_add(&one, plugin_made(&descriptor)), INFER_OK);
  assert_int_equal(inf_plugins_copy(&other, &one), INFER_OK);
  assert_ptr_equal(inf_plugins_find(&other, S("noisy")), &one.items[0]->kind);
  assert_ptr_equal(inf_plugins_find(&other, S("openai")),
                   inf_provider_kind_find(S("openai")));
  assert_null(inf_plugins_find(&other, S("quiet")));
  inf_plugins_fini(&one);
  assert_int_equal(freed, 0);
  inf_plugins_fini(&other);
  assert_int_equal(freed, 1);
  inf_plugin_unref(NULL);
}

static int32_t
add_to_config(const infer_provider_descriptor *descriptor, infer_error **error)
{
  infer_config *config;
  int32_t status = infer_config_new(&config);
  if (status != INFER_OK)
    return status;
  status = infer_config_add_provider_type(config, descriptor, error);
  infer_config_free(config);
  return status;
}

/* Who is refused keeps what is his. */
static void
a_config_takes_what_it_accepts(void **state)
{
  (void)state;
  int freed = 0;
  infer_error *error = NULL;
  infer_config *config;
  infer_provider_descriptor descriptor = plain();
  descriptor.user_data = &freed;
  descriptor.free_user_data = count_free;
  descriptor.base_url = "ftp://noisy";
  assert_int_equal(add_to_config(&descriptor, &error),
                   INFER_E_INVALID_ARGUMENT);
  assert_non_null(strstr(infer_error_message(error), ".base_url: "));
  infer_error_free(error);
  assert_int_equal(freed, 0);
  descriptor.base_url = NULL;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_int_equal(infer_config_add_provider_type(config, &descriptor, NULL),
                   INFER_OK);
  assert_int_equal(infer_config_add_provider_type(config, &descriptor, &error),
                   INFER_E_INVALID_ARGUMENT);
  assert_non_null(strstr(infer_error_message(error), "added before"));
  infer_error_free(error);
  assert_int_equal(freed, 0);
  infer_config_free(config);
  assert_int_equal(freed, 1);
  assert_int_equal(infer_config_add_provider_type(NULL, &descriptor, NULL),
                   INFER_E_INVALID_ARGUMENT);
}

static const char *
refused_config(const char *json, infer_error **error)
{
  infer_config *config;
  infer_provider_descriptor descriptor = plain();
  descriptor.base_url = NULL;
  assert_int_equal(
      infer_config_from_json(&config, json, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  assert_int_equal(infer_config_add_provider_type(config, &descriptor, NULL),
                   INFER_OK);
  infer_config_check(config, error);
  infer_config_free(config);
  return *error ? infer_error_message(*error) : "";
}

static void
a_document_names_the_type(void **state)
{
  (void)state;
  infer_error *error = NULL;
  assert_string_equal(
      refused_config("{\"providers\":[{\"name\":\"n\",\"type\":\"noisy\","
                     "\"base_url\":\"http://n\"},{\"name\":\"noisy\","
                     "\"base_url\":\"http://n\"}]}",
                     &error),
      "");
  assert_non_null(
      strstr(refused_config("{\"providers\":[{\"name\":\"noisy\"}]}", &error),
             "base_url"));
  infer_error_free(error);
  assert_non_null(strstr(
      refused_config("{\"providers\":[{\"name\":\"n\",\"type\":\"noisi\"}]}",
                     &error),
      "\"noisy\""));
  infer_error_free(error);
}

static void
short_of_memory(void *context)
{
  infer_provider_descriptor descriptor = plain();
  descriptor.user_data = context;
  descriptor.free_user_data = count_free;
  int before = *(int *)context;
  int32_t status = add_to_config(&descriptor, NULL);
  assert_int_equal(status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
  assert_int_equal(*(int *)context - before, status == INFER_OK);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  int freed = 0;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(short_of_memory, &freed) > 3);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_becomes_a_kind),
      cmocka_unit_test(each_framing_has_its_own),
      cmocka_unit_test(a_key_header_takes_the_bare_key),
      cmocka_unit_test(an_older_struct_has_what_it_knows),
      cmocka_unit_test(an_older_struct_without_what_it_needs_is_refused),
      cmocka_unit_test(what_is_no_size_of_a_struct_is_refused),
      cmocka_unit_test(a_newer_struct_may_say_nothing_new),
      cmocka_unit_test(members_are_checked),
      cmocka_unit_test(the_last_reference_frees_user_data),
      cmocka_unit_test(a_config_takes_what_it_accepts),
      cmocka_unit_test(a_document_names_the_type),
      cmocka_unit_test(memory_may_be_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
