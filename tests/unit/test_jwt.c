/* SPDX-License-Identifier: MIT */
/* Google's service accounts. Keys are made when the test runs; what is signed
 * is verified by the openssl command. */
#include "support/fail_alloc.h"

#include "provider/jwt.h"
#include "wire/json_write.h"

#include <infer/infer.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EMAIL        "robot@project.iam.gserviceaccount.com"
#define SCOPE        "https://www.googleapis.com/auth/cloud-platform"
#define WALL_NS      INT64_C(1795942800999999999)

static EVP_PKEY *good_key;
static char good_pem[4096];

static void
write_pem(EVP_PKEY *key, const char *password, char *pem, size_t size)
{
  BIO *bio = BIO_new(BIO_s_mem());
  const EVP_CIPHER *cipher = password ? EVP_aes_128_cbc() : NULL;
  int len;

  assert_non_null(bio);
  assert_int_equal(PEM_write_bio_PrivateKey(
                       bio, key, cipher, (const void *)password,
                       password ? (int)strlen(password) : 0, NULL, NULL),
                   1);
  len = BIO_read(bio, pem, (int)size - 1);
  assert_true(len > 0);
  pem[len] = '\0';
  BIO_free(bio);
}

static int
make_key(void **state)
{
  (void)state;
  good_key = EVP_RSA_gen(2048);
  assert_non_null(good_key);
  write_pem(good_key, NULL, good_pem, sizeof(good_pem));
  return 0;
}

static int
free_key(void **state)
{
  (void)state;
  EVP_PKEY_free(good_key);
  return 0;
}

/* The account's file; NULL leaves a member out. */
static void
put_account(inf_buf *out, const char *email, const char *pem, const char *uri)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("type"), INF_SV("service_account"));
  inf_json_member_string(out, INF_SV("private_key_id"), INF_SV("0123abcd"));
  if (email)
    inf_json_member_string(out, INF_SV("client_email"), inf_sv_from(email));
  if (pem)
    inf_json_member_string(out, INF_SV("private_key"), inf_sv_from(pem));
  if (uri)
    inf_json_member_string(out, INF_SV("token_uri"), inf_sv_from(uri));
  inf_json_close(out, '}');
}

static void
check_refused(inf_sv json, const char *want)
{
  inf_jwt_account account;
  inf_buf why;

  inf_buf_init(&why, 256);
  assert_int_equal(inf_jwt_account_read(&account, json, &why),
                   INFER_E_INVALID_ARGUMENT);
  assert_string_equal(inf_buf_cstr(&why), want);
  inf_jwt_account_fini(&account);
  /* Nobody has to want to know. */
  assert_int_equal(inf_jwt_account_read(&account, json, NULL),
                   INFER_E_INVALID_ARGUMENT);
  inf_jwt_account_fini(&account);
  inf_buf_fini(&why);
  assert_int_equal(ERR_peek_error(), 0);
}

static void
check_key_refused(const char *pem, const char *want)
{
  char line[256];
  inf_buf json;

  inf_buf_init(&json, 65536);
  put_account(&json, EMAIL, pem, NULL);
  snprintf(line, sizeof(line), "the service account's \"private_key\" %s",
           want);
  check_refused(inf_buf_sv(&json), line);
  inf_buf_fini_secret(&json);
}

/* Parts of an assertion ------------------------------------------------ */

/* By libcrypto's own decoder. */
static size_t
decode_url(inf_sv text, unsigned char *out)
{
  char usual[8192];
  size_t len = text.len, padding = (4 - text.len % 4) % 4;
  int size;

  assert_true(len + padding < sizeof(usual));
  for (size_t i = 0; i < len; i++) {
    char c = text.ptr[i];

    usual[i] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    assert_true(c != '+' && c != '/' && c != '=');
  }
  memset(usual + len, '=', padding);
  size =
      EVP_DecodeBlock(out, (const unsigned char *)usual, (int)(len + padding));
  assert_true(size >= (int)padding);
  return (size_t)size - padding;
}

typedef struct parts {
  inf_sv signed_part, header, claims, signature;
} parts;

static parts
split(const inf_buf *assertion)
{
  inf_sv text = inf_buf_sv(assertion);
  size_t first = inf_sv_find(text, '.');
  inf_sv rest = inf_sv_of(text.ptr + first + 1, text.len - first - 1);
  size_t second = inf_sv_find(rest, '.');
  parts found = {inf_sv_of(text.ptr, first + 1 + second),
                 inf_sv_of(text.ptr, first), inf_sv_of(rest.ptr, second),
                 inf_sv_of(rest.ptr + second + 1, rest.len - second - 1)};

  return found;
}

static void
assert_decoded(inf_sv text, const char *want)
{
  unsigned char bytes[8192];
  size_t len = decode_url(text, bytes);

  assert_int_equal(len, strlen(want));
  assert_memory_equal(bytes, want, len);
}

typedef struct fixture {
  inf_jwt_account account;
  inf_buf json, assertion;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));

  inf_buf_init(&f->json, 65536);
  inf_buf_init(&f->assertion, 65536);
  put_account(&f->json, EMAIL, good_pem, "https://tokens.example/token");
  assert_int_equal(
      inf_jwt_account_read(&f->account, inf_buf_sv(&f->json), NULL), INFER_OK);
  assert_int_equal(
      inf_jwt_sign(&f->account, INF_SV(SCOPE), WALL_NS, &f->assertion),
      INFER_OK);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;

  inf_jwt_account_fini(&f->account);
  inf_buf_fini_secret(&f->json);
  inf_buf_fini_secret(&f->assertion);
  test_free(f);
  return 0;
}

static void
test_header_and_claims(void **state)
{
  fixture *f = *state;
  parts got = split(&f->assertion);

  assert_decoded(got.header,
                 "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"0123abcd\"}");
  assert_decoded(got.claims, "{\"iss\":\"" EMAIL "\",\"scope\":\"" SCOPE "\","
                             "\"aud\":\"https://tokens.example/token\","
                             "\"iat\":1795942800,\"exp\":1795946400}");
}

static void
write_file(const char *folder, const char *name, const void *ptr, size_t len)
{
  char path[256];
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", folder, name);
  file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(ptr, 1, len, file), len);
  fclose(file);
}

static void
write_public_key(const char *folder)
{
  char path[256];
  FILE *file;

  snprintf(path, sizeof(path), "%s/public.pem", folder);
  file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(PEM_write_PUBKEY(file, good_key), 1);
  fclose(file);
}

static int
openssl_verifies(const char *folder)
{
  char command[1024];

  snprintf(command, sizeof(command),
           "openssl dgst -sha256 -verify %s/public.pem -signature "
           "%s/signature %s/text >/dev/null 2>&1",
           folder, folder, folder);
  return system(command) == 0;
}

static void
remove_files(const char *folder)
{
  static const char *const names[] = {"public.pem", "signature", "text"};
  char path[256];

  for (size_t i = 0; i < COUNT(names); i++) {
    snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
}

static void
test_the_openssl_command_verifies_it(void **state)
{
  fixture *f = *state;
  char folder[] = "/tmp/infer-jwt-XXXXXX";
  unsigned char signature[2048];
  parts got = split(&f->assertion);
  int good, bad;

  if (system("openssl version >/dev/null 2>&1") != 0) {
    print_message("SKIP: no openssl command\n");
    skip();
  }
  assert_non_null(mkdtemp(folder));
  write_public_key(folder);
  write_file(folder, "signature", signature,
             decode_url(got.signature, signature));
  write_file(folder, "text", got.signed_part.ptr, got.signed_part.len);
  good = openssl_verifies(folder);
  write_file(folder, "text", got.signed_part.ptr, got.signed_part.len - 1);
  bad = openssl_verifies(folder);
  remove_files(folder);
  assert_true(good);
  assert_false(bad);
}

static void
test_members_that_may_be_missing(void **state)
{
  inf_jwt_account account;
  inf_buf json, out;

  (void)state;
  inf_buf_init(&json, 65536);
  inf_buf_init(&out, 65536);
  inf_json_open(&json, '{');
  inf_json_member_string(&json, INF_SV("private_key"), inf_sv_from(good_pem));
  inf_json_member_string(&json, INF_SV("client_email"), INF_SV("a\"b"));
  inf_json_close(&json, '}');
  assert_int_equal(inf_jwt_account_read(&account, inf_buf_sv(&json), NULL),
                   INFER_OK);
  inf_buf_append_cstr(&out, INF_JWT_GRANT);
  size_t front = out.len;
  assert_int_equal(inf_jwt_sign(&account, INF_SV("s"), 0, &out), INFER_OK);
  assert_memory_equal(out.ptr, INF_JWT_GRANT, front);
  inf_buf_consume(&out, front);
  parts got = split(&out);
  assert_decoded(got.header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"}");
  assert_decoded(got.claims, "{\"iss\":\"a\\\"b\",\"scope\":\"s\",\"aud\":"
                             "\"https://oauth2.googleapis.com/token\","
                             "\"iat\":0,\"exp\":3600}");
  inf_jwt_account_fini(&account);
  inf_buf_fini_secret(&json);
  inf_buf_fini_secret(&out);
}

typedef struct bad_file {
  const char *json, *want;
} bad_file;

static void
test_files_that_cannot_be(void **state)
{
  static const bad_file files[] = {
      {"",
       "the service account is no JSON: line 1, column 1: expected a value"},
      {"/path/to/file.json",
       "the service account is no JSON: line 1, column 1: expected a value"},
      {"[]", "the service account is no JSON object"},
      {"{}", "the service account's \"client_email\" is missing"},
      {"{\"client_email\":\"\"}",
       "the service account's \"client_email\" is missing"},
      {"{\"client_email\":1}",
       "the service account's \"client_email\" is no string"},
      {"{\"client_email\":\"a\"}",
       "the service account's \"private_key\" is missing"},
      {"{\"client_email\":\"a\",\"private_key\":null}",
       "the service account's \"private_key\" is missing"},
      {"{\"client_email\":\"a\",\"private_key\":[]}",
       "the service account's \"private_key\" is no string"},
      {"{\"type\":\"authorized_user\",\"client_email\":\"a\"}",
       "the service account's \"type\" is not \"service_account\""},
  };

  (void)state;
  for (size_t i = 0; i < COUNT(files); i++)
    check_refused(inf_sv_from(files[i].json), files[i].want);
}

static void
test_token_servers_that_are_not_safe(void **state)
{
  static const char *const bad[] = {
      "http://oauth2.googleapis.com/token",
      "ftp://x/",
      "https://",
      "oauth2.googleapis.com",
      "https://a b/",
      "https://a\r\nX: y/",
      "http://127.0.0.1:x@evil.example/",
      "http://localhost.evil.example/",
  };
  static const char *const good[] = {
      "https://oauth2.googleapis.com/token", "http://127.0.0.1:8080/token",
      "http://localhost:1/", "http://[::1]:8080/token"};
  inf_jwt_account account;
  inf_buf json;

  (void)state;
  inf_buf_init(&json, 65536);
  for (size_t i = 0; i < COUNT(bad); i++) {
    inf_buf_clear(&json);
    put_account(&json, EMAIL, good_pem, bad[i]);
    check_refused(inf_buf_sv(&json),
                  "the service account's \"token_uri\" is no https URL");
  }
  for (size_t i = 0; i < COUNT(good); i++) {
    inf_buf_clear(&json);
    put_account(&json, EMAIL, good_pem, good[i]);
    assert_int_equal(inf_jwt_account_read(&account, inf_buf_sv(&json), NULL),
                     INFER_OK);
    assert_string_equal(account.token_uri.ptr, good[i]);
    inf_jwt_account_fini(&account);
  }
  inf_buf_fini_secret(&json);
}

static void
check_other_key_refused(EVP_PKEY *key, const char *password, const char *want)
{
  static char pem[4096];

  assert_non_null(key);
  write_pem(key, password, pem, sizeof(pem));
  check_key_refused(pem, want);
}

static void
test_keys_that_cannot_be(void **state)
{
  EVP_PKEY *weak = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256");
  static char half[4096], escaped[8192], huge[40000];
  size_t len = strlen(good_pem), at = 0;

  (void)state;
  check_other_key_refused(weak, NULL, "is too weak: RS256 wants 2048 bits");
  check_other_key_refused(curve, NULL, "is no RSA key");
  check_other_key_refused(good_key, "secret",
                          "is encrypted (write it without a password)");
  EVP_PKEY_free(weak);
  EVP_PKEY_free(curve);
  check_key_refused("sk-this-is-an-api-key", "is no private key in PEM");
  memcpy(half, good_pem, len / 2);
  check_key_refused(half, "is no private key in PEM");
  for (size_t i = 0; i < len; i++) {
    if (good_pem[i] == '\n')
      escaped[at++] = '\\';
    escaped[at++] = (char)(good_pem[i] == '\n' ? 'n' : good_pem[i]);
  }
  check_key_refused(
      escaped, "is no private key in PEM: its line ends are escaped twice");
  memset(huge, 'k', sizeof(huge) - 1);
  check_key_refused(huge, "is too long to be one");
}

/* What the application has in its queue stays there, and nothing is added. */
static void
test_errors_of_the_application_stay(void **state)
{
  unsigned long error;

  (void)state;
  ERR_raise(ERR_LIB_USER, 42);
  inf_jwt_account account;
  inf_sv json = INF_SV("{\"client_email\":\"a\",\"private_key\":\"x\"}");
  assert_int_equal(inf_jwt_account_read(&account, json, NULL),
                   INFER_E_INVALID_ARGUMENT);
  inf_jwt_account_fini(&account);
  error = ERR_get_error();
  assert_int_equal(ERR_GET_REASON(error), 42);
  assert_int_equal(ERR_get_error(), 0);
}

static void
test_a_full_buffer_keeps_what_it_has(void **state)
{
  fixture *f = *state;
  inf_buf out;

  inf_buf_init(&out, f->assertion.len + 3);
  inf_buf_append_cstr(&out, "kept");
  assert_int_equal(inf_jwt_sign(&f->account, INF_SV(SCOPE), WALL_NS, &out),
                   INFER_E_TOO_LARGE);
  assert_string_equal(out.ptr, "kept");
  inf_buf_fini(&out);
}

typedef struct memory_case {
  char json[4096];
  size_t len;
} memory_case;

static void
memory_scenario(void *arg)
{
  const memory_case *c = arg;
  inf_jwt_account account;
  inf_buf out;
  int32_t status;

  inf_buf_init(&out, 8192);
  status = inf_jwt_account_read(&account, inf_sv_of(c->json, c->len), NULL);
  if (status == INFER_OK)
    status = inf_jwt_sign(&account, INF_SV(SCOPE), WALL_NS, &out);
  inf_jwt_account_fini(&account);
  assert_int_equal(out.len > 0, status == INFER_OK);
  inf_buf_fini(&out);
  assert_int_equal(status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
}

static void
test_memory_failures(void **state)
{
  memory_case c;
  inf_buf json;

  (void)state;
  inf_buf_init(&json, sizeof(c.json));
  put_account(&json, EMAIL, good_pem, NULL);
  memcpy(c.json, json.ptr, json.len);
  c.len = json.len;
  inf_buf_fini_secret(&json);
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, &c) > 8);
  fail_alloc_uninstall();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_header_and_claims),
      TEST(test_the_openssl_command_verifies_it),
      cmocka_unit_test(test_members_that_may_be_missing),
      cmocka_unit_test(test_files_that_cannot_be),
      cmocka_unit_test(test_token_servers_that_are_not_safe),
      cmocka_unit_test(test_keys_that_cannot_be),
      cmocka_unit_test(test_errors_of_the_application_stay),
      TEST(test_a_full_buffer_keeps_what_it_has),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, make_key, free_key);
}
