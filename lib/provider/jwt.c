/* SPDX-License-Identifier: MIT */
/* Service accounts and their assertions. libcrypto's queue of errors, which
 * belongs to the thread and so to the application too, is left as it was. */
#include "provider/jwt.h"

#include "base/clock.h"
#include "wire/base64.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

#include <infer/infer.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* Files are of 2.3 KiB; a key of 16384 bits takes 13 KiB. */
#define MAX_MEMBER_BYTES ((size_t)32 << 10)
#define MAX_CLAIMS_BYTES ((size_t)128 << 10)
#define MAX_DEPTH        16

enum { least_key_bits = 2048, most_key_bits = 16384 }; /* RFC 7518, 3.3 */

static int32_t
refuse(inf_buf *why, const char *text)
{
  if (why)
    inf_buf_append_cstr(why, text);
  return INFER_E_INVALID_ARGUMENT;
}

/* Members -------------------------------------------------------------- */

static int32_t
read_json(inf_sv json, inf_sv *object, inf_buf *why)
{
  inf_json_error error;

  if (!inf_json_parse(json, MAX_DEPTH, object, &error)) {
    if (why)
      inf_buf_appendf(why,
                      "the service account is no JSON: line %zu, column %zu: "
                      "%s",
                      error.line, error.column, error.reason);
    return INFER_E_INVALID_ARGUMENT;
  }
  if (!inf_json_is(*object, INF_JSON_OBJECT))
    return refuse(why, "the service account is no JSON object");
  return INFER_OK;
}

static int32_t
refuse_member(inf_buf *why, const char *name, const char *what)
{
  if (why)
    inf_buf_appendf(why, "the service account's \"%s\" %s", name, what);
  return INFER_E_INVALID_ARGUMENT;
}

/* The text of a string member; empty where there is none. Its decoded form is
 * never longer than the written one, so that no half of a key stays behind in
 * memory that was outgrown. */
static int32_t
read_member(inf_sv object, const char *name, inf_buf *out, inf_buf *why)
{
  inf_sv value = inf_json_get(object, inf_sv_from(name));

  inf_buf_init(out, MAX_MEMBER_BYTES);
  if (value.len == 0 || inf_json_is(value, INF_JSON_NULL))
    return INFER_OK;
  if (!inf_json_is(value, INF_JSON_STRING))
    return refuse_member(why, name, "is no string");
  if (inf_buf_reserve(out, value.len) && inf_json_string(value, out))
    return INFER_OK;
  return out->status == INFER_E_TOO_LARGE
             ? refuse_member(why, name, "is too long to be one")
             : out->status;
}

static int32_t
read_needed(inf_sv object, const char *name, inf_buf *out, inf_buf *why)
{
  int32_t status = read_member(object, name, out, why);

  if (status == INFER_OK && out->len == 0)
    return refuse_member(why, name, "is missing");
  return status;
}

/* Other files of Google's look alike: those of users, of federation. */
static int32_t
check_type(inf_sv object, inf_buf *why)
{
  inf_sv type = inf_json_get(object, INF_SV("type"));

  return type.len == 0 || inf_json_equal(type, INF_SV("service_account"))
             ? INFER_OK
             : refuse_member(why, "type", "is not \"service_account\"");
}

/* The assertion is as good as a key while it lives: it goes over TLS, or no
 * further than this machine. */
static bool
is_safe_uri(inf_sv uri)
{
  static const char *const fronts[] = {
      "https://", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"};
  bool safe = false;

  for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
    inf_sv front = inf_sv_from(fronts[i]);

    safe |= inf_sv_starts_with(uri, front) && uri.len > front.len;
  }
  for (size_t i = 0; i < uri.len; i++)
    safe &= uri.ptr[i] > ' ' && uri.ptr[i] < 0x7f && uri.ptr[i] != '@';
  return safe;
}

static int32_t
read_token_uri(inf_sv object, inf_buf *out, inf_buf *why)
{
  int32_t status = read_member(object, "token_uri", out, why);

  if (status != INFER_OK)
    return status;
  if (out->len == 0)
    inf_buf_append_cstr(out, INF_JWT_TOKEN_URI);
  return out->status != INFER_OK || is_safe_uri(inf_buf_sv(out))
             ? out->status
             : refuse_member(why, "token_uri", "is no https URL");
}

/* The key -------------------------------------------------------------- */

/* Nobody is asked for a password; but that one is wanted is noted. */
static int
on_password(char *buffer, int size, int writing, void *context)
{
  bool *encrypted = context;

  (void)buffer, (void)size, (void)writing;
  *encrypted = true;
  return -1;
}

static bool
ran_out_of_memory(void)
{
  return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

/* What is wrong with a text that is no key. */
static const char *
fault_of(const inf_buf *pem, bool encrypted)
{
  if (encrypted)
    return "is encrypted (write it without a password)";
  return memmem(pem->ptr, pem->len, "\\n", 2)
             ? "is no private key in PEM: its line ends are escaped twice"
             : "is no private key in PEM";
}

/* Too weak or too large a key, or one of another kind. */
static const char *
misfit_of(const EVP_PKEY *key)
{
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA)
    return "is no RSA key";
  if (EVP_PKEY_get_bits(key) < least_key_bits)
    return "is too weak: RS256 wants 2048 bits";
  return EVP_PKEY_get_bits(key) > most_key_bits ? "is too large" : NULL;
}

static bool
make_signature(EVP_PKEY *key, inf_sv text, unsigned char *signature,
               size_t *len)
{
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool ok = context &&
            EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
            EVP_DigestSign(context, signature, len,
                           (const unsigned char *)text.ptr, text.len) == 1;

  EVP_MD_CTX_free(context);
  return ok;
}

/* Can it sign? What it gives is of no use. */
static bool
can_sign(EVP_PKEY *key)
{
  unsigned char signature[most_key_bits / 8];
  size_t len = sizeof(signature);

  return make_signature(key, INF_SV("trial"), signature, &len);
}

static int32_t
parse_key(const inf_buf *pem, EVP_PKEY **key, inf_buf *why)
{
  bool encrypted = false;
  BIO *bio = BIO_new_mem_buf(pem->ptr, (int)pem->len);
  const char *misfit;

  if (!bio)
    return INFER_E_NO_MEMORY;
  *key = PEM_read_bio_PrivateKey(bio, NULL, on_password, &encrypted);
  BIO_free(bio);
  if (!*key && ran_out_of_memory())
    return INFER_E_NO_MEMORY;
  if (!*key)
    return refuse_member(why, "private_key", fault_of(pem, encrypted));
  misfit = misfit_of(*key);
  if (!misfit && !can_sign(*key))
    misfit = "cannot sign";
  return misfit ? refuse_member(why, "private_key", misfit) : INFER_OK;
}

static int32_t
read_key(inf_sv object, EVP_PKEY **key, inf_buf *why)
{
  inf_buf pem;
  int32_t status = read_needed(object, "private_key", &pem, why);

  if (status == INFER_OK) {
    ERR_set_mark();
    status = parse_key(&pem, key, why);
    ERR_pop_to_mark();
  }
  inf_buf_fini_secret(&pem);
  return status;
}

int32_t
inf_jwt_account_read(inf_jwt_account *account, inf_sv json, inf_buf *why)
{
  inf_sv object;
  int32_t status;

  *account = (inf_jwt_account){0};
  status = read_json(json, &object, why);
  if (status == INFER_OK)
    status = check_type(object, why);
  if (status == INFER_OK)
    status = read_needed(object, "client_email", &account->client_email, why);
  if (status == INFER_OK)
    status =
        read_member(object, "private_key_id", &account->private_key_id, why);
  if (status == INFER_OK)
    status = read_token_uri(object, &account->token_uri, why);
  if (status == INFER_OK)
    status = read_key(object, &account->private_key, why);
  return status;
}

void
inf_jwt_account_fini(inf_jwt_account *account)
{
  inf_buf_fini(&account->client_email);
  inf_buf_fini(&account->private_key_id);
  inf_buf_fini(&account->token_uri);
  EVP_PKEY_free(account->private_key);
  account->private_key = NULL;
}

/* Assertions ----------------------------------------------------------- */

static void
write_header(const inf_jwt_account *account, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("alg"), INF_SV("RS256"));
  inf_json_member_string(out, INF_SV("typ"), INF_SV("JWT"));
  if (account->private_key_id.len > 0)
    inf_json_member_string(out, INF_SV("kid"),
                           inf_buf_sv(&account->private_key_id));
  inf_json_close(out, '}');
}

static void
write_claims(const inf_jwt_account *account, inf_sv scope, int64_t now_s,
             inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("iss"),
                         inf_buf_sv(&account->client_email));
  inf_json_member_string(out, INF_SV("scope"), scope);
  inf_json_member_string(out, INF_SV("aud"), inf_buf_sv(&account->token_uri));
  inf_json_member_int(out, INF_SV("iat"), now_s);
  inf_json_member_int(out, INF_SV("exp"), now_s + INF_JWT_LIFETIME_S);
  inf_json_close(out, '}');
}

/* Header and claims, each in base64, with a dot between. */
static int32_t
write_signed_part(const inf_jwt_account *account, inf_sv scope, int64_t now_s,
                  inf_buf *out)
{
  inf_buf json;
  int32_t status;

  inf_buf_init(&json, MAX_CLAIMS_BYTES);
  write_header(account, &json);
  inf_base64_put_url(out, inf_buf_sv(&json));
  inf_buf_append_char(out, '.');
  status = json.status;
  inf_buf_clear(&json);
  write_claims(account, scope, now_s, &json);
  inf_base64_put_url(out, inf_buf_sv(&json));
  if (status == INFER_OK)
    status = json.status != INFER_OK ? json.status : out->status;
  inf_buf_fini(&json);
  return status;
}

/* libcrypto fails where it has no memory: the key was tried when it was read.
 */
static int32_t
write_signature(EVP_PKEY *key, inf_sv text, inf_buf *out)
{
  unsigned char signature[most_key_bits / 8];
  size_t len = sizeof(signature);
  bool ok;

  ERR_set_mark();
  ok = make_signature(key, text, signature, &len);
  ERR_pop_to_mark();
  if (!ok)
    return INFER_E_NO_MEMORY;
  inf_buf_append_char(out, '.');
  inf_base64_put_url(out, inf_sv_of((const char *)signature, len));
  return out->status;
}

int32_t
inf_jwt_sign(const inf_jwt_account *account, inf_sv scope, int64_t wall_ns,
             inf_buf *out)
{
  size_t before = out->len;
  int64_t now_s = wall_ns / (int64_t)INF_NS_PER_S;
  int32_t status = write_signed_part(account, scope, now_s, out);

  if (status == INFER_OK)
    status =
        write_signature(account->private_key,
                        inf_sv_of(out->ptr + before, out->len - before), out);
  if (status != INFER_OK)
    inf_buf_truncate(out, before);
  return status;
}
