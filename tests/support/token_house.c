/* SPDX-License-Identifier: MIT */
#include "support/token_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#define OPENAI                                                            \
  "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":" \
  "\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","  \
  "\"content\":\"hi\"},\"finish_reason\":\"stop\"}],\"usage\":{"          \
  "\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}"
#define GEMINI                                                    \
  "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]," \
  "\"role\":\"model\"},\"finishReason\":\"STOP\"}],"              \
  "\"usageMetadata\":{\"promptTokenCount\":1,"                    \
  "\"candidatesTokenCount\":1,\"totalTokenCount\":2}}"
#define ANTHROPIC                                                      \
  "{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\","         \
  "\"model\":\"m\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]," \
  "\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":1,"        \
  "\"output_tokens\":1}}"
#define CONVERSE                                                    \
  "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{" \
  "\"text\":\"hi\"}]}},\"stopReason\":\"end_turn\",\"usage\":{"     \
  "\"inputTokens\":1,\"outputTokens\":1,\"totalTokens\":2}}"

static void
answer(tiny_conn *conn, const char *status, const char *extra, const char *body)
{
  char head[512];
  snprintf(head, sizeof head,
           "HTTP/1.1 %s\r\nContent-Type: application/json\r\n%s"
           "Content-Length: %zu\r\n\r\n",
           status, extra, strlen(body));
  tiny_puts(conn, head);
  tiny_puts(conn, body);
}

static void
write_date(const token_house *house, char out[64])
{
  time_t now = (time_t)house->clock_s;
  struct tm tm;
  out[0] = '\0';
  if (now > 0)
    strftime(out, 64, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
             gmtime_r(&now, &tm));
}

/* ---- The token server ---------------------------------------------------- */

static void
give_token(tiny_conn *conn, token_house *house)
{
  char body[512];
  pthread_mutex_lock(&house->mutex);
  snprintf(body, sizeof body,
           "{\"access_token\":\"ya29.token-%d\",\"expires_in\":%d,"
           "\"token_type\":\"Bearer\"}",
           ++house->issued, house->life_s);
  pthread_mutex_unlock(&house->mutex);
  answer(conn, "200 OK", "", body);
}

static void
refuse(tiny_conn *conn, const char *assertion, const char *date)
{
  char body[10000];
  snprintf(body, sizeof body,
           "{\"error\":\"invalid_grant\",\"error_description\":"
           "\"Invalid grant: %s\"}",
           assertion);
  answer(conn, "400 Bad Request", date, body);
}

/* False: the connection is gone. */
static bool
serve_token(tiny_conn *conn, token_house *house)
{
  char date[64], assertion[sizeof house->assertion];
  const char *at = strstr(conn->body, "assertion=");
  pthread_mutex_lock(&house->mutex);
  house->token_requests++;
  snprintf(house->assertion, sizeof house->assertion, "%s",
           at ? at + strlen("assertion=") : "");
  snprintf(assertion, sizeof assertion, "%s", house->assertion);
  house_mode mode = house->mode;
  int delay_ms = house->delay_ms;
  write_date(house, date);
  pthread_mutex_unlock(&house->mutex);
  tiny_sleep_ms(delay_ms);
  switch (mode) {
  case HOUSE_GOOD:
    give_token(conn, house);
    break;
  case HOUSE_DOWN:
    answer(conn, "503 Service Unavailable", "", "{}");
    break;
  case HOUSE_RUBBISH:
    answer(conn, "200 OK", "", "<html>Please log in</html>");
    break;
  case HOUSE_REFUSES:
    refuse(conn, assertion, date);
    break;
  case HOUSE_HANGS:
    tiny_wait_closed(conn);
    return false;
  case HOUSE_RESETS:
    tiny_reset(conn);
    return false;
  }
  return true;
}

/* ---- The provider -------------------------------------------------------- */

static const char *
answer_of(const char *path)
{
  static const struct {
    const char *part, *answer;
  } languages[] = {
      {"enerateContent", GEMINI},
      {"awPredict", ANTHROPIC},
      {"/converse", CONVERSE},
  };
  for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
    if (strstr(path, languages[i].part))
      return languages[i].answer;
  return OPENAI;
}

/* The number in a token; that of AWS is the key's. */
static int
number_of(const token_house *house)
{
  const char *at = strstr(house->authorization, "token-");
  return at ? (int)strtol(at + strlen("token-"), NULL, 10) : 0;
}

/* On the day that it is. */
static bool
is_signed_in_time(const token_house *house)
{
  char day[32];
  time_t now = (time_t)house->clock_s;
  struct tm tm;
  strftime(day, sizeof day, "%Y%m%d", gmtime_r(&now, &tm));
  return strncmp(house->amz_date, day, 8) == 0;
}

static void
serve_chat(tiny_conn *conn, token_house *house)
{
  char date[64], body[1024], path[sizeof house->path];
  pthread_mutex_lock(&house->mutex);
  house->chats++;
  sscanf(conn->head, "%*s %511s", house->path);
  snprintf(path, sizeof path, "%s", house->path);
  snprintf(house->body, sizeof house->body, "%.4000s", conn->body);
  house->authorization[0] = house->api_key[0] = '\0';
  house->amz_date[0] = house->amz_token[0] = '\0';
  tiny_field(conn, "authorization", house->authorization,
             sizeof house->authorization);
  tiny_field(conn, "api-key", house->api_key, sizeof house->api_key);
  tiny_field(conn, "x-amz-date", house->amz_date, sizeof house->amz_date);
  tiny_field(conn, "x-amz-security-token", house->amz_token,
             sizeof house->amz_token);
  bool good = number_of(house) >= house->least;
  house->refusals += !good;
  bool aws = house->amz_date[0] != '\0';
  bool untimely =
      house->skewed == 2 || (house->skewed == 1 && !is_signed_in_time(house));
  if (house->skewed == 2)
    house->clock_s += 86400;
  write_date(house, date);
  snprintf(body, sizeof body,
           "{\"error\":{\"message\":\"refused: %.400s\",\"code\":401}}",
           house->authorization);
  pthread_mutex_unlock(&house->mutex);
  if (untimely) {
    char lines[160];
    snprintf(lines, sizeof lines,
             "%sx-amzn-errortype: InvalidSignatureException\r\n", date);
    answer(conn, "403 Forbidden", lines,
           "{\"message\":\"Signature not yet current\"}");
  } else if (good)
    answer(conn, "200 OK", "", answer_of(path));
  else if (aws)
    answer(conn, "403 Forbidden", "x-amzn-errortype: ExpiredTokenException\r\n",
           "{\"message\":\"The security token included in the request is "
           "expired\"}");
  else
    answer(conn, "401 Unauthorized", date, body);
}

static void
serve(tiny_conn *conn)
{
  token_house *house = conn->context;
  while (tiny_read(conn)) {
    if (strncmp(conn->head, "POST /token ", 12) != 0)
      serve_chat(conn, house);
    else if (!serve_token(conn, house))
      return;
  }
}

/* ---- The house ----------------------------------------------------------- */

void
house_start(token_house *house)
{
  memset(house, 0, sizeof *house);
  pthread_mutex_init(&house->mutex, NULL);
  house->life_s = 3600;
  house->least = 1;
  house->server = tiny_start(serve, house, NULL);
  assert_non_null(house->server);
}

void
house_stop(token_house *house)
{
  tiny_stop(house->server);
  pthread_mutex_destroy(&house->mutex);
}

int
house_get(token_house *house, const int *number)
{
  pthread_mutex_lock(&house->mutex);
  int value = *number;
  pthread_mutex_unlock(&house->mutex);
  return value;
}

void
house_set(token_house *house, int *number, int value)
{
  pthread_mutex_lock(&house->mutex);
  *number = value;
  pthread_mutex_unlock(&house->mutex);
}

void
house_mode_set(token_house *house, house_mode mode)
{
  pthread_mutex_lock(&house->mutex);
  house->mode = mode;
  pthread_mutex_unlock(&house->mutex);
}

bool
house_await(token_house *house, const int *number, int least)
{
  for (int i = 0; i < 500; i++) {
    if (house_get(house, number) >= least)
      return true;
    tiny_sleep_ms(10);
  }
  return false;
}

static char *
pem_of(EVP_PKEY *key, bool is_public)
{
  BIO *bio = BIO_new(BIO_s_mem());
  char *ptr, *text;
  assert_non_null(bio);
  assert_true(is_public ? PEM_write_bio_PUBKEY(bio, key)
                        : PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0,
                                                   NULL, NULL));
  long len = BIO_get_mem_data(bio, &ptr);
  text = strndup(ptr, (size_t)len);
  BIO_free(bio);
  return text;
}

static void
write_file(const char *dir, const char *name, const char *ending,
           const char *text)
{
  char path[256];
  snprintf(path, sizeof path, "%s/%s.%s", dir, name, ending);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

void
house_write_account(const token_house *house, const char *dir, const char *name)
{
  char uri[64];
  snprintf(uri, sizeof uri, "http://127.0.0.1:%d/token",
           tiny_port(house->server));
  token_write_account(uri, dir, name);
}

void
token_write_account(const char *uri, const char *dir, const char *name)
{
  EVP_PKEY *key = EVP_RSA_gen(2048);
  assert_non_null(key);
  char *secret = pem_of(key, false), *open = pem_of(key, true);
  json_object *account = json_object_new_object();
  const char *const members[][2] = {
      {"type", "service_account"},     {"project_id", "project-7"},
      {"private_key_id", "key-1"},     {"private_key", secret},
      {"client_email", "a@b.example"}, {"token_uri", uri}};
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
    json_object_object_add(account, members[i][0],
                           json_object_new_string(members[i][1]));
  write_file(dir, name, "json", json_object_to_json_string(account));
  write_file(dir, name, "pub", open);
  json_object_put(account);
  EVP_PKEY_free(key);
  free(secret);
  free(open);
}
