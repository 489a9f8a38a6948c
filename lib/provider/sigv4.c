/* SPDX-License-Identifier: MIT */
/* Signing for AWS. The canonical request and the string to sign are written
 * into one buffer, which is wiped: a query or a header in it may be secret. */
#include "provider/sigv4.h"

#include "base/mem.h"
#include "provider/sigv4_canonical.h"
#include "wire/date.h"
#include "wire/headers.h"

#include <infer/infer.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* A URL and the headers that servers take, each written twice. */
#define MAX_TEXT_BYTES ((size_t)512 << 10)
/* Those of AWS are 40 characters. */
#define MAX_SECRET_BYTES 252

static const inf_sv algorithm = {"AWS4-HMAC-SHA256", 16};
static const inf_sv terminator = {"aws4_request", 12};

static int32_t
refuse(inf_buf *why, const char *text)
{
  if (why)
    inf_buf_append_cstr(why, text);
  return INFER_E_INVALID_ARGUMENT;
}

/* Hashes --------------------------------------------------------------- */

typedef unsigned char digest[INF_SIGV4_KEY_BYTES];

static void
put_hex(const unsigned char *bytes, char text[INF_SIGV4_HEX_BYTES])
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < INF_SIGV4_KEY_BYTES; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  text[INF_SIGV4_HEX_BYTES - 1] = '\0';
}

static bool
hash(inf_sv text, char hex[INF_SIGV4_HEX_BYTES])
{
  digest bytes;
  const char *ptr = text.len > 0 ? text.ptr : "";

  if (!EVP_Digest(ptr, text.len, bytes, NULL, EVP_sha256(), NULL))
    return false;
  put_hex(bytes, hex);
  return true;
}

/* out may be the key. */
static bool
sign_with(const unsigned char *key, size_t key_len, inf_sv text, digest out)
{
  digest result;
  bool ok = HMAC(EVP_sha256(), key, (int)key_len,
                 (const unsigned char *)text.ptr, text.len, result, NULL);

  if (ok)
    memcpy(out, result, sizeof(result));
  OPENSSL_cleanse(result, sizeof(result));
  return ok;
}

bool
inf_sigv4_key(const inf_sigv4_account *account, inf_sv day,
              unsigned char key[INF_SIGV4_KEY_BYTES])
{
  unsigned char secret[4 + MAX_SECRET_BYTES] = "AWS4";
  inf_sv given = account->secret_access_key;
  bool ok;

  if (given.len > MAX_SECRET_BYTES)
    return false;
  if (given.len > 0)
    memcpy(secret + 4, given.ptr, given.len);
  ok = sign_with(secret, 4 + given.len, day, key) &&
       sign_with(key, INF_SIGV4_KEY_BYTES, account->region, key) &&
       sign_with(key, INF_SIGV4_KEY_BYTES, account->service, key) &&
       sign_with(key, INF_SIGV4_KEY_BYTES, terminator, key);
  OPENSSL_cleanse(secret, sizeof(secret));
  return ok;
}

/* The signature ------------------------------------------------------- */

typedef struct signing {
  const inf_sigv4_account *account;
  const inf_sigv4_request *request;
  char date[INF_BASIC_DATE_BYTES];
  char body_hash[INF_SIGV4_HEX_BYTES];
  char signature[INF_SIGV4_HEX_BYTES];
  inf_sigv4_headers headers;
  inf_buf text; /* what is hashed */
} signing;

static inf_sv
day_of(const signing *s)
{
  return inf_sv_of(s->date, 8);
}

/* "20150830/us-east-1/bedrock/aws4_request" */
static void
put_scope(const signing *s, inf_buf *out)
{
  const inf_sv parts[] = {day_of(s), s->account->region, s->account->service,
                          terminator};

  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    if (i > 0)
      inf_buf_append_char(out, '/');
    inf_buf_append_sv(out, parts[i]);
  }
}

static bool
collect_headers(signing *s)
{
  const inf_sigv4_account *account = s->account;
  inf_sigv4_headers *headers = &s->headers;

  return inf_sigv4_headers_add(headers, INF_SV("Host"), s->request->host) &&
         inf_sigv4_headers_add(headers, INF_SV("X-Amz-Date"),
                               inf_sv_from(s->date)) &&
         (account->session_token.len == 0 ||
          inf_sigv4_headers_add(headers, INF_SV("X-Amz-Security-Token"),
                                account->session_token)) &&
         (!s->request->hash_header ||
          inf_sigv4_headers_add(headers, INF_SV("X-Amz-Content-Sha256"),
                                inf_sv_from(s->body_hash))) &&
         inf_sigv4_headers_add_lines(headers, s->request->headers);
}

static int32_t
write_canonical_request(signing *s)
{
  bool s3 = inf_sv_eq(s->account->service, INF_SV("s3"));
  inf_buf *out = &s->text;
  int32_t status;

  inf_buf_append_sv(out, s->request->method);
  inf_buf_append_char(out, '\n');
  inf_sigv4_path(s->request->path, s3, out);
  inf_buf_append_char(out, '\n');
  status = inf_sigv4_query(s->request->query, out);
  inf_buf_append_char(out, '\n');
  inf_sigv4_headers_write(&s->headers, out);
  inf_buf_append_char(out, '\n');
  inf_sigv4_headers_write_names(&s->headers, out);
  inf_buf_append_char(out, '\n');
  inf_buf_append_cstr(out, s->body_hash);
  return status != INFER_OK ? status : out->status;
}

static void
write_string_to_sign(signing *s, const char *request_hash)
{
  inf_buf *out = &s->text;

  inf_wipe(out->ptr, out->len);
  inf_buf_clear(out);
  inf_buf_append_sv(out, algorithm);
  inf_buf_append_char(out, '\n');
  inf_buf_append_cstr(out, s->date);
  inf_buf_append_char(out, '\n');
  put_scope(s, out);
  inf_buf_append_char(out, '\n');
  inf_buf_append_cstr(out, request_hash);
}

/* libcrypto fails where it has no memory. */
static int32_t
sign(signing *s)
{
  char request_hash[INF_SIGV4_HEX_BYTES];
  digest key = {0}, signature;
  bool ok;

  if (!hash(inf_buf_sv(&s->text), request_hash))
    return INFER_E_NO_MEMORY;
  write_string_to_sign(s, request_hash);
  if (s->text.status != INFER_OK)
    return s->text.status;
  ok = inf_sigv4_key(s->account, day_of(s), key) &&
       sign_with(key, sizeof(key), inf_buf_sv(&s->text), signature);
  OPENSSL_cleanse(key, sizeof(key));
  if (!ok)
    return INFER_E_NO_MEMORY;
  put_hex(signature, s->signature);
  return INFER_OK;
}

/* Lines ---------------------------------------------------------------- */

static void
put_line(inf_buf *out, const char *name, inf_sv value)
{
  inf_buf_append_cstr(out, name);
  inf_buf_append(out, ": ", 2);
  inf_buf_append_sv(out, value);
  inf_buf_append_char(out, '\0');
}

static void
put_authorization(const signing *s, inf_buf *out)
{
  inf_buf_append_cstr(out, "Authorization: ");
  inf_buf_append_sv(out, algorithm);
  inf_buf_append_cstr(out, " Credential=");
  inf_buf_append_sv(out, s->account->access_key_id);
  inf_buf_append_char(out, '/');
  put_scope(s, out);
  inf_buf_append_cstr(out, ", SignedHeaders=");
  inf_sigv4_headers_write_names(&s->headers, out);
  inf_buf_append_cstr(out, ", Signature=");
  inf_buf_append_cstr(out, s->signature);
  inf_buf_append_char(out, '\0');
}

static int32_t
write_lines(const signing *s, inf_buf *out)
{
  size_t before = out->len;

  put_line(out, "X-Amz-Date", inf_sv_from(s->date));
  if (s->account->session_token.len > 0)
    put_line(out, "X-Amz-Security-Token", s->account->session_token);
  if (s->request->hash_header)
    put_line(out, "X-Amz-Content-Sha256", inf_sv_from(s->body_hash));
  put_authorization(s, out);
  if (out->status != INFER_OK)
    inf_buf_truncate(out, before);
  return out->status;
}

/* Checks --------------------------------------------------------------- */

/* Region, service and key id stand between slashes and commas. */
static bool
is_word(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];

    if (c <= ' ' || c >= 0x7f || c == '/' || c == ',')
      return false;
  }
  return text.len > 0;
}

static int32_t
check_account(const inf_sigv4_account *account, inf_buf *why)
{
  if (!is_word(account->access_key_id))
    return refuse(why, "the AWS access key id is missing or not one word");
  if (account->secret_access_key.len == 0)
    return refuse(why, "the AWS secret access key is missing");
  if (account->secret_access_key.len > MAX_SECRET_BYTES)
    return refuse(why, "the AWS secret access key is too long to be one");
  if (!is_word(account->region))
    return refuse(why, "the AWS region is missing or not one word");
  if (!is_word(account->service))
    return refuse(why, "the AWS service is missing or not one word");
  if (!inf_header_value_valid(account->session_token))
    return refuse(why, "the AWS session token has control characters");
  return INFER_OK;
}

int32_t
inf_sigv4_sign(const inf_sigv4_account *account,
               const inf_sigv4_request *request, int64_t wall_ns,
               inf_buf *headers, inf_buf *why)
{
  signing s = {.account = account, .request = request};
  int32_t status = check_account(account, why);

  if (status != INFER_OK)
    return status;
  if (!hash(request->body, s.body_hash))
    return INFER_E_NO_MEMORY;
  inf_write_basic_date(wall_ns, s.date);
  if (!collect_headers(&s))
    return INFER_E_TOO_LARGE;
  inf_buf_init(&s.text, MAX_TEXT_BYTES);
  status = write_canonical_request(&s);
  if (status == INFER_OK)
    status = sign(&s);
  if (status == INFER_OK)
    status = write_lines(&s, headers);
  inf_buf_fini_secret(&s.text);
  return status;
}
