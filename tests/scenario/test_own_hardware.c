/* SPDX-License-Identifier: MIT */
/* The configurations of docs/own-hardware.md, taken from there, against servers
 * that behave as each of these does while its model loads. */
#include "world.h"

#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef enum manner {
  LLAMACPP, /* says that it loads */
  HOLDS,    /* takes the request and answers when it has loaded */
  LMSTUDIO, /* nothing is loaded, and nothing will be */
  OLLAMA,   /* as HOLDS, in its own protocol */
  SERVES,
} manner;

typedef struct house {
  tiny_server *server;
  manner manner;
  uint64_t ready_ms; /* when the model is there */
  atomic_int asked, served;
  char head[4096], body[4096]; /* of the last chat request */
} house;

static const char sse_head[] = "HTTP/1.1 200 OK\r\nContent-Type: "
                               "text/event-stream\r\nConnection: close\r\n\r\n";
static const char sse_answer[] =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi.\"},"
    "\"finish_reason\":null}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]"
    "}\n\ndata: [DONE]\n\n";
static const char ollama_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
    "Connection: close\r\n\r\n"
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"Hi.\"},"
    "\"done\":false}\n"
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},"
    "\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,"
    "\"eval_count\":2}\n";
static const char loading[] =
    "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":"
    "\"unavailable_error\"}}";
static const char not_loaded[] =
    "{\"error\":{\"message\":\"No models loaded. Please load a model in the "
    "developer page or use the 'lms load' command.\",\"type\":"
    "\"invalid_request_error\",\"param\":\"model\",\"code\":\"model_not_found\""
    "}}";

static void
refuse(tiny_conn *conn, const char *status, const char *body)
{
  char head[256];
  snprintf(head, sizeof head,
           "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
           "Content-Length: %zu\r\n\r\n",
           status, strlen(body));
  tiny_puts(conn, head);
  tiny_puts(conn, body);
}

static void
answer(tiny_conn *conn)
{
  house *h = conn->context;
  while (tiny_read(conn)) {
    if (strncmp(conn->head, "POST ", 5) != 0) { /* warm_path */
      tiny_answer(conn, "{}");
      continue;
    }
    snprintf(h->head, sizeof h->head, "%.4000s", conn->head);
    snprintf(h->body, sizeof h->body, "%.*s",
             conn->body_len < 4000 ? (int)conn->body_len : 4000, conn->body);
    atomic_fetch_add(&h->asked, 1);
    if (h->manner == LMSTUDIO) {
      refuse(conn, "404 Not Found", not_loaded);
      continue;
    }
    if (h->manner == LLAMACPP && world_now_ms() < h->ready_ms) {
      refuse(conn, "503 Service Unavailable", loading);
      continue;
    }
    while (world_now_ms() < h->ready_ms)
      tiny_sleep_ms(10);
    atomic_fetch_add(&h->served, 1);
    if (h->manner == OLLAMA) {
      tiny_puts(conn, ollama_answer);
    } else {
      tiny_puts(conn, sse_head);
      tiny_puts(conn, sse_answer);
    }
    return;
  }
}

static void
open_house(house *h, manner how, uint64_t loads_ms)
{
  memset(h, 0, sizeof *h);
  h->manner = how;
  h->ready_ms = world_now_ms() + loads_ms;
  h->server = tiny_start(answer, h, NULL);
  assert_non_null(h->server);
}

/* ---- The page ------------------------------------------------------------ */

/* The block that follows "<!-- config: NAME -->"; the caller frees. */
static char *
block_of_page(const char *name)
{
  static char page[64 << 10];
  char mark[64];
  FILE *file = fopen(INFER_SOURCE_DIR "/docs/own-hardware.md", "r");
  assert_non_null(file);
  size_t len = fread(page, 1, sizeof page - 1, file);
  fclose(file);
  page[len] = '\0';
  snprintf(mark, sizeof mark, "<!-- config: %s -->\n```json\n", name);
  const char *from = strstr(page, mark);
  if (!from)
    fail_msg("docs/own-hardware.md has no %s", name);
  from += strlen(mark);
  const char *to = strstr(from, "\n```");
  assert_non_null(to);
  return strndup(from, (size_t)(to - from));
}

/* Puts the address of a server where the page has one of localhost. */
static void
put_address(char **text, const char *address, int port)
{
  char *at = strstr(*text, address);
  if (!at)
    fail_msg("%s is not in %s", address, *text);
  size_t size = strlen(*text) + 64;
  char *next = malloc(size);
  assert_non_null(next);
  snprintf(next, size, "%.*shttp://127.0.0.1:%d%s", (int)(at - *text), *text,
           port, at + strlen(address));
  free(*text);
  *text = next;
}

static void
client_of_page(world *w, const char *name, const char *address, int port)
{
  char *text = block_of_page(name);
  put_address(&text, address, port);
  *w = (world){0};
  world_client(w, text);
  free(text);
}

/* ---- Each of them -------------------------------------------------------- */

typedef struct row {
  const char *name, *address, *path, *body;
  manner manner;
} row;

static const row rows[] = {
    {"llamacpp.json", "http://localhost:8080", "POST /v1/chat/completions ",
     "\"model\":\"model\"", LLAMACPP},
    {"ollama.json", "http://localhost:11434", "POST /api/chat ",
     "\"keep_alive\":\"30m\"", OLLAMA},
    {"vllm.json", "http://localhost:8000", "POST /v1/chat/completions ",
     "\"model\":\"llama\"", SERVES},
    {"sglang.json", "http://localhost:30000", "POST /v1/chat/completions ",
     "\"model\":\"meta-llama/Llama-3.1-8B-Instruct\"", HOLDS},
    {"lmstudio.json", "http://localhost:1234", "POST /v1/chat/completions ",
     "\"model\":\"qwen2.5-7b-instruct\"", HOLDS},
};
enum { row_count = sizeof rows / sizeof rows[0] };

static void
the_page_is_right(void **state)
{
  (void)state;
  for (size_t i = 0; i < row_count; i++) {
    house h;
    world w;
    open_house(&h, rows[i].manner, 0);
    client_of_page(&w, rows[i].name, rows[i].address, tiny_port(h.server));
    for (int stream = 0; stream < 2; stream++) {
      outcome o = stream ? world_stream(&w, "local") : world_chat(&w, "local");
      assert_int_equal(o.status, INFER_OK);
      assert_int_equal(outcome_attempts(&o), 1);
      if (stream)
        assert_string_equal(o.text, "Hi.");
      assert_memory_equal(h.head, rows[i].path, strlen(rows[i].path));
      if (!strstr(h.body, rows[i].body))
        fail_msg("%s: no %s in %s", rows[i].name, rows[i].body, h.body);
      assert_null(strstr(h.head, "Authorization")); /* it has no key */
      outcome_end(&o);
    }
    infer_request *request = world_request("local", "x");
    infer_request_require_label(request, "eu"); /* that it does not have */
    outcome o = world_run(&w, request, false);
    assert_int_equal(o.status, INFER_E_NO_TARGET);
    outcome_end(&o);
    infer_request_free(request);
    world_end(&w);
    tiny_stop(h.server);
  }
}

/* Longer than the retries of an overloaded server would last. */
static void
whoever_says_that_it_loads_is_waited_for(void **state)
{
  (void)state;
  enum { loads_ms = 3000 };
  house h;
  world w;
  open_house(&h, LLAMACPP, loads_ms);
  client_of_page(&w, "llamacpp.json", "http://localhost:8080",
                 tiny_port(h.server));
  uint64_t from_ms = world_now_ms();
  outcome o = world_chat(&w, "local");
  uint64_t took_ms = world_now_ms() - from_ms;
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_text(o.response, NULL), "Hi.");
  assert_true(outcome_attempts(&o) >= 4);
  assert_int_equal(atomic_load(&h.served), 1);
  assert_true(took_ms >= loads_ms - 100);
  outcome_end(&o);
  world_end(&w);
  tiny_stop(h.server);
}

static void
whoever_is_silent_is_waited_for(void **state)
{
  (void)state;
  enum { loads_ms = 1500 };
  for (size_t i = 0; i < row_count; i++) {
    if (rows[i].manner != OLLAMA && rows[i].manner != HOLDS)
      continue;
    house h;
    world w;
    open_house(&h, rows[i].manner, loads_ms);
    client_of_page(&w, rows[i].name, rows[i].address, tiny_port(h.server));
    outcome o = world_stream(&w, "local");
    assert_int_equal(o.status, INFER_OK);
    assert_string_equal(o.text, "Hi.");
    assert_int_equal(outcome_attempts(&o), 1);
    assert_int_equal(atomic_load(&h.asked), 1);
    outcome_end(&o);
    world_end(&w);
    tiny_stop(h.server);
  }
}

/* ---- With a service beside it -------------------------------------------- */

static void
client_of_two(world *w, int port, house *cloud)
{
  char *text = block_of_page("house_first.json");
  char member[128];
  put_address(&text, "http://localhost:8080", port);
  char *at = strstr(text, "\"type\": \"openai\",");
  assert_non_null(at);
  snprintf(member, sizeof member, " \"base_url\": \"http://127.0.0.1:%d/v1\",",
           tiny_port(cloud->server));
  size_t head = (size_t)(at - text) + strlen("\"type\": \"openai\",");
  size_t size = strlen(text) + sizeof member;
  char *both = malloc(size);
  assert_non_null(both);
  snprintf(both, size, "%.*s%s%s", (int)head, text, member, text + head);
  *w = (world){0};
  setenv("OPENAI_API_KEY", "key-of-cloud", 1);
  world_client(w, both);
  free(both);
  free(text);
}

static void
the_service_serves_while_the_machine_loads(void **state)
{
  (void)state;
  enum { loads_ms = 2000 };
  house h, cloud;
  world w;
  open_house(&cloud, SERVES, 0);
  open_house(&h, LLAMACPP, loads_ms);
  client_of_two(&w, tiny_port(h.server), &cloud);
  for (int i = 0; i < 6; i++) { /* more than open a breaker */
    outcome o = world_chat(&w, "chat");
    assert_string_equal(outcome_trail(&o), "house/model first OVERLOADED, "
                                           "cloud/gpt-4o-mini failover OK");
    assert_true(o.took_ms < 1000);
    outcome_end(&o);
  }
  /* Who may not leave the house waits for it. */
  int asked = atomic_load(&cloud.asked);
  outcome o = world_chat(&w, "secret");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_target(o.response), "house/model");
  assert_int_equal(atomic_load(&cloud.asked), asked);
  outcome_end(&o);
  /* And from then on it is the first again. */
  o = world_chat(&w, "chat");
  assert_string_equal(outcome_trail(&o), "house/model first OK");
  outcome_end(&o);
  world_end(&w);
  tiny_stop(h.server);
  tiny_stop(cloud.server);
}

static void
what_is_not_waited_for_goes_elsewhere(void **state)
{
  (void)state;
  house h, cloud;
  world w;
  open_house(&cloud, SERVES, 0);
  open_house(&h, LMSTUDIO, 0);
  client_of_two(&w, tiny_port(h.server), &cloud);
  outcome o = world_chat(&w, "chat");
  assert_string_equal(outcome_trail(&o), "house/model first NOT_FOUND, "
                                         "cloud/gpt-4o-mini failover OK");
  outcome_end(&o);
  o = world_chat(&w, "secret");
  assert_int_equal(o.status, INFER_E_NOT_FOUND);
  outcome_end(&o);
  /* Nobody listens, as where vLLM starts. */
  tiny_stop(h.server);
  o = world_chat(&w, "chat");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_target(o.response), "cloud/gpt-4o-mini");
  outcome_end(&o);
  int asked = atomic_load(&cloud.asked);
  o = world_chat(&w, "secret");
  assert_int_equal(o.status, INFER_E_CONNECT);
  assert_int_equal(atomic_load(&cloud.asked), asked);
  outcome_end(&o);
  world_end(&w);
  tiny_stop(cloud.server);
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_page_is_right),
      cmocka_unit_test(whoever_says_that_it_loads_is_waited_for),
      cmocka_unit_test(whoever_is_silent_is_waited_for),
      cmocka_unit_test(the_service_serves_while_the_machine_loads),
      cmocka_unit_test(what_is_not_waited_for_goes_elsewhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
