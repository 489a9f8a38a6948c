/* SPDX-License-Identifier: MIT */
/* What a plug-in is told of a request, and what goes out of what it writes. */
#include "unit/plugin_support.h"
#include "unit/writer_support.h"

typedef int32_t (*hook)(const infer_provider_request *request,
                        infer_provider_writer *writer);

/* The hooks of the plug-in at hand. */
static struct {
  hook write, sign;
  int64_t wall_now_ns;
} hooks;

static int32_t
write_request(void *user_data, const infer_provider_request *request,
              infer_provider_writer *writer)
{
  assert_ptr_equal(user_data, &hooks);
  return hooks.write(request, writer);
}

static int32_t
sign(void *user_data, const infer_provider_request *request,
     infer_provider_writer *writer, int64_t wall_now_ns)
{
  assert_ptr_equal(user_data, &hooks);
  hooks.wall_now_ns = wall_now_ns;
  return hooks.sign(request, writer);
}

typedef struct sending {
  writing w;
  inf_plugin *plugin;
} sending;

static void
sending_init(sending *s, const char *chat, hook write_hook, hook sign_hook)
{
  infer_provider_descriptor descriptor = noisy_descriptor(INFER_FRAMING_CUSTOM);
  descriptor.stream_path = "/stream/{model}";
  descriptor.write_request = write_request;
  descriptor.sign = sign;
  descriptor.user_data = &hooks;
  s->plugin = plugin_made(&descriptor);
  writing_init(&s->w, "openai", chat);
  s->w.send.kind = &s->plugin->kind;
  s->w.send.model = S("m/1");
  hooks.write = write_hook;
  hooks.sign = sign_hook;
}

static void
sending_fini(sending *s)
{
  writing_fini(&s->w);
  inf_plugin_unref(s->plugin);
}

/* All header lines, with '|' after each. */
static const char *
lines_of(sending *s)
{
  inf_buf *headers = &s->w.out.headers;
  for (size_t i = 0; i < headers->len; i++)
    if (headers->ptr[i] == '\0')
      headers->ptr[i] = '|';
  return inf_buf_cstr(headers);
}

static void
is_lent(const char *text, size_t len, const char *expected)
{
  assert_non_null(text);
  assert_sv(inf_sv_of(text, len), expected);
}

/* ---- The request --------------------------------------------------------- */

#define CHAT                                                             \
  "{'model':'x','messages':[{'role':'system','content':'s'},"            \
  "{'role':'user','content':[{'type':'text','text':'a\\n'},{'type':"     \
  "'image_url','image_url':{'url':'u'}},{'type':'text','text':'\\u00e9'" \
  "}]},{'role':'user','content':null}],'temperature':0.5,'seed':null}"

static int32_t
look(const infer_provider_request *request, infer_provider_writer *writer)
{
  size_t len, all_len;
  const char *text = infer_provider_request_model(request, &len);
  is_lent(text, len, "m/1");
  text = infer_provider_request_key(request, &len);
  is_lent(text, len, "sk");
  assert_int_equal(infer_provider_request_stream(request), 1);
  text = infer_provider_request_message(request, 2, &len);
  is_lent(text, len, "{\"role\":\"user\",\"content\":null}");
  text = infer_provider_request_message(request, 0, &len);
  is_lent(text, len, "{\"role\":\"system\",\"content\":\"s\"}");
  text = infer_provider_request_message(request, 0, &len);
  is_lent(text, len, "{\"role\":\"system\",\"content\":\"s\"}");
  assert_null(infer_provider_request_message(request, 3, &len));
  assert_int_equal(len, 0);
  assert_null(infer_provider_request_message(request, SIZE_MAX, NULL));
  text = infer_provider_request_message(request, 1, &len);
  text = infer_provider_json_get(text, len, "content", &len);
  infer_provider_writer_append_text(writer, text, len);
  infer_provider_writer_append_content(writer, text, len);
  infer_provider_writer_append_string(writer, "q\"", 2);
  infer_provider_writer_append_text(writer, "\"x\\ty\"", 6);
  infer_provider_writer_append_text(writer, "null", 4);
  infer_provider_writer_append_content(writer, NULL, 3);
  infer_provider_writer_append(writer, "end", INFER_NUL_TERMINATED);
  text = infer_provider_request_member(request, "temperature", &len);
  is_lent(text, len, "0.5");
  text = infer_provider_request_member(request, "user", &len);
  is_lent(text, len, "\"u1\"");
  assert_null(infer_provider_request_member(request, "seed", &len));
  assert_null(infer_provider_request_member(request, "model", &len));
  text = infer_provider_request_json(request, &all_len);
  assert_ptr_equal(text, infer_provider_request_json(request, &len));
  assert_int_equal(infer_provider_json_check(text, all_len), 1);
  is_lent(infer_provider_json_get(text, all_len, "messages.2.role", &len), 6,
          "\"user\"");
  is_lent(infer_provider_json_get(text, all_len, "user", &len), 4, "\"u1\"");
  is_lent(infer_provider_json_get(text, all_len, "stream", &len), 4, "true");
  is_lent(infer_provider_json_get(text, all_len, "model", &len), 5, "\"m/1\"");
  return INFER_OK;
}

static void
a_hook_sees_the_whole_request(void **state)
{
  (void)state;
  sending s;
  sending_init(&s, CHAT, look, NULL);
  s.w.send.stream = true;
  s.w.send.body_members = S("{\"user\":\"u1\",\"temperature\":1}");
  assert_int_equal(writing_run(&s.w), INFER_OK);
  assert_buf(&s.w.out.body, "a\n\xc3\xa9"
                            "\"a\\n\\u00e9\"\"q\\\"\"x\ty\"\"end");
  assert_buf(&s.w.out.url, "https://h/stream/m%2F1");
  assert_string_equal(lines_of(&s),
                      "Content-Type: application/json|Accept: */*|"
                      "User-Agent: libinfer/" INFER_VERSION "|"
                      "Authorization: Bearer sk|");
  sending_fini(&s);
}

/* ---- Headers and path ---------------------------------------------------- */

#define ONE "{'model':'x','messages':[{'role':'user','content':'c'}]}"

static int32_t
add_headers(const infer_provider_request *request,
            infer_provider_writer *writer)
{
  (void)request;
  char value[3000];
  memset(value, 'v', sizeof value);
  infer_provider_writer_set_path(writer, "/other/{model}?x=1");
  infer_provider_writer_add_header(writer, "accept", "text/x", 6);
  infer_provider_writer_add_header(writer, "X-Mine", "1", 1);
  infer_provider_writer_add_header(writer, "X-Theirs", "1", 1);
  infer_provider_writer_add_header(writer, "X-Long", value, sizeof value);
  infer_provider_writer_add_header(writer, "X-Last", "", 0);
  return INFER_OK;
}

static void
accounts_headers_come_before_the_plug_ins(void **state)
{
  (void)state;
  sending s;
  sending_init(&s, ONE, add_headers, NULL);
  s.w.send.headers = inf_sv_of("x-theirs: 2\0", 12);
  s.w.send.query = S("q=1");
  assert_int_equal(writing_run(&s.w), INFER_OK);
  assert_buf(&s.w.out.url, "https://h/other/m%2F1?x=1&q=1");
  const char *lines = lines_of(&s);
  assert_non_null(strstr(lines, "|accept: text/x|X-Mine: 1|X-Long: vvv"));
  assert_non_null(strstr(lines, "v|X-Last: |x-theirs: 2|"));
  assert_null(strstr(lines, "Accept:"));
  assert_null(strstr(lines, "X-Theirs"));
  sending_fini(&s);
}

/* ---- What is refused ----------------------------------------------------- */

static int32_t
add_bad_header(const infer_provider_request *request,
               infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_add_header(writer, "X-A", "1\r\nX-B: 2",
                                   INFER_NUL_TERMINATED);
  return INFER_OK;
}

static int32_t
add_twice(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_add_header(writer, "X-A", "1", 1);
  infer_provider_writer_add_header(writer, "x-a", "2", 1);
  return INFER_OK;
}

static int32_t
bad_path(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_set_path(writer, "no/slash");
  return INFER_OK;
}

static int32_t
refuse(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  return infer_provider_writer_refuse(writer, "takes no such thing");
}

/* The refusal stands, also where the hook forgets to return it. */
static int32_t
refuse_and_forget(const infer_provider_request *request,
                  infer_provider_writer *writer)
{
  refuse(request, writer);
  return INFER_OK;
}

static int32_t
refuse_badly(const infer_provider_request *request,
             infer_provider_writer *writer)
{
  (void)request;
  return infer_provider_writer_refuse(writer, "\xff");
}

static int32_t
give_nonsense(const infer_provider_request *request,
              infer_provider_writer *writer)
{
  (void)request;
  (void)writer;
  return -31;
}

static int32_t
give_memory(const infer_provider_request *request,
            infer_provider_writer *writer)
{
  (void)request;
  (void)writer;
  return INFER_E_NO_MEMORY;
}

static void
what_makes_no_sense_is_not_sent(void **state)
{
  (void)state;
  static const struct {
    hook write;
    int32_t status;
    const char *why;
  } bad[] = {
      {add_bad_header, INFER_E_INVALID_ARGUMENT, "a header that is not valid"},
      {add_twice, INFER_E_INVALID_ARGUMENT, "a header that is there already"},
      {bad_path, INFER_E_INVALID_ARGUMENT, "does not begin with a slash"},
      {refuse, INFER_E_UNSUPPORTED, "noisy: takes no such thing"},
      {refuse_and_forget, INFER_E_UNSUPPORTED, "noisy: takes no such thing"},
      {refuse_badly, INFER_E_UNSUPPORTED, "noisy: cannot be told this"},
      {give_nonsense, INFER_E_UNSUPPORTED, "write_request gave -31"},
      {give_memory, INFER_E_NO_MEMORY, ""},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    sending s;
    sending_init(&s, ONE, bad[i].write, NULL);
    assert_int_equal(writing_run(&s.w), bad[i].status);
    if (!strstr(inf_buf_cstr(&s.w.why), bad[i].why))
      fail_msg("%s", inf_buf_cstr(&s.w.why));
    sending_fini(&s);
  }
}

static void
no_answer_is_gone_on_with(void **state)
{
  (void)state;
  sending s;
  sending_init(&s, ONE, add_headers, NULL);
  s.w.send.partial = S("the beginning of it");
  assert_int_equal(writing_run(&s.w), INFER_E_UNSUPPORTED);
  sending_fini(&s);
}

/* ---- Signing ------------------------------------------------------------- */

static int32_t
write_body(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_append(writer, "body", 4);
  infer_provider_writer_add_header(writer, "X-First", "1", 1);
  return INFER_OK;
}

static int32_t
sign_it(const infer_provider_request *request, infer_provider_writer *writer)
{
  size_t len;
  const char *text = infer_provider_writer_body(writer, &len);
  (void)request;
  is_lent(text, len, "body");
  text = infer_provider_writer_url(writer, &len);
  is_lent(text, len, "https://h/chat");
  assert_string_equal(infer_provider_writer_method(writer), "POST");
  text = infer_provider_writer_header(writer, 0, &len);
  is_lent(text, len, "Content-Type: application/json");
  text = infer_provider_writer_header(writer, 4, &len);
  is_lent(text, len, "X-First: 1");
  assert_null(infer_provider_writer_header(writer, 5, &len));
  infer_provider_writer_add_header(writer, "X-Sum", "7", 1);
  return INFER_OK;
}

static int32_t
sign_over(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_add_header(writer, "authorization", "mine", 4);
  return INFER_OK;
}

static int32_t
sign_body(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_append(writer, "more", 4);
  return INFER_OK;
}

static int32_t
sign_path(const infer_provider_request *request, infer_provider_writer *writer)
{
  (void)request;
  infer_provider_writer_set_path(writer, "/elsewhere");
  return INFER_OK;
}

static int32_t
run_sign(sending *s, int64_t wall_now_ns)
{
  assert_int_equal(writing_run(&s->w), INFER_OK);
  return s->plugin->dialect.sign(&s->w.send, &s->w.out, wall_now_ns, &s->w.why);
}

static void
a_signature_is_made_of_the_whole(void **state)
{
  (void)state;
  sending s;
  sending_init(&s, ONE, write_body, sign_it);
  assert_int_equal(run_sign(&s, 1234), INFER_OK);
  assert_int_equal(hooks.wall_now_ns, 1234);
  assert_non_null(strstr(lines_of(&s), "|X-First: 1|X-Sum: 7|"));
  sending_fini(&s);
}

static void
signing_only_adds_headers(void **state)
{
  (void)state;
  static const hook bad[] = {sign_over, sign_body, sign_path, give_nonsense,
                             refuse};
  static const int32_t statuses[] = {
      INFER_E_INVALID_ARGUMENT, INFER_E_INVALID_ARGUMENT,
      INFER_E_INVALID_ARGUMENT, INFER_E_UNSUPPORTED, INFER_E_UNSUPPORTED};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    sending s;
    sending_init(&s, ONE, write_body, bad[i]);
    assert_int_equal(run_sign(&s, 0), statuses[i]);
    assert_true(s.w.why.len > 0);
    assert_buf(&s.w.out.body, "body");
    sending_fini(&s);
  }
}

/* ---- Memory -------------------------------------------------------------- */

static int32_t
write_much(const infer_provider_request *request, infer_provider_writer *writer)
{
  size_t len;
  const char *json = infer_provider_request_json(request, &len);
  if (!json)
    return INFER_E_NO_MEMORY;
  infer_provider_writer_append(writer, json, len);
  return add_headers(request, writer);
}

static void
short_of_memory(void *context)
{
  sending *s = context;
  inf_wire_request_fini(&s->w.out);
  inf_buf_fini(&s->w.why);
  inf_wire_request_init(&s->w.out);
  inf_buf_init(&s->w.why, 1024);
  int32_t status = writing_run(&s->w);
  if (fail_alloc_hits() == 0)
    assert_int_equal(status, INFER_OK);
  else if (status != INFER_OK)
    assert_int_equal(status, INFER_E_NO_MEMORY);
  inf_wire_request_fini(&s->w.out);
  inf_buf_fini(&s->w.why);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  fail_alloc_install();
  sending s;
  sending_init(&s, ONE, write_much, NULL);
  size_t live = fail_alloc_live();
  for (size_t n = 1; n < 12; n++) {
    fail_alloc_nth(n);
    short_of_memory(&s);
    fail_alloc_from(n);
    short_of_memory(&s);
    fail_alloc_never();
    assert_true(fail_alloc_live() <= live);
  }
  sending_fini(&s);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_hook_sees_the_whole_request),
      cmocka_unit_test(accounts_headers_come_before_the_plug_ins),
      cmocka_unit_test(what_makes_no_sense_is_not_sent),
      cmocka_unit_test(no_answer_is_gone_on_with),
      cmocka_unit_test(a_signature_is_made_of_the_whole),
      cmocka_unit_test(signing_only_adds_headers),
      cmocka_unit_test(memory_may_be_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
