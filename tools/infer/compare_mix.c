/* SPDX-License-Identifier: MIT */
/* Made prompts, of three kinds. */

#include "compare_mix.h"

#include "base/buf.h"
#include "base/rng.h"

#include <stdio.h>
#include <string.h>

#define MAX_PROMPT_BYTES ((size_t)1 << 20)
/* Passages of a RAG prompt; one has some 200 tokens. */
#define PASSAGES 10

static const char *const towns[] = {
    "Aarhus",  "Bergen", "Coimbra", "Delft", "Evora", "Freiburg",
    "Ghent",   "Hobart", "Izmir",   "Jena",  "Kyoto", "Lund",
    "Mendoza", "Nantes", "Oulu",    "Porto",
};
static const char *const goods[] = {
    "copper wire", "oak boards",  "glass jars",  "wool blankets",
    "bicycles",    "water pumps", "seed drills", "paper rolls",
    "tea chests",  "roof tiles",  "lamp oil",    "steel bolts",
};
static const char *const reasons[] = {
    "the bridge on the river road was being repaired",
    "the harbour crane had failed its inspection",
    "the customs office had changed its forms without notice",
    "a storm had closed the mountain pass",
    "the night shift was short of drivers",
    "the warehouse scales had to be calibrated again",
};
static const char *const questions[] = {
    "In two sentences: why do %s and %s rarely come on the same ship to %s?",
    "Give me three short tips for storing %s next to %s in %s.",
    "What would you ask a supplier of %s before ordering %s to %s?",
    "Write a polite two-line note: %s arrived in place of %s in %s.",
    "Which is heavier to ship, %s or %s, and does that matter in %s?",
};

#define PICK(rng, list) \
  ((list)[inf_rng_below((rng), sizeof(list) / sizeof((list)[0]))])

static void
add_message(json_object *messages, const char *role, const char *text)
{
  json_object *message = json_object_new_object();
  json_object_object_add(message, "role", json_object_new_string(role));
  json_object_object_add(message, "content", json_object_new_string(text));
  json_object_array_add(messages, message);
}

static void
write_chat(inf_buf *text, inf_rng *rng)
{
  char question[256];
  const char *form = PICK(rng, questions);
  const char *words[3] = {PICK(rng, goods), PICK(rng, goods), PICK(rng, towns)};
  size_t used = 0, word = 0;
  for (const char *c = form; *c && used < sizeof(question) - 1; c++) {
    if (c[0] == '%' && c[1] == 's' && word < 3) {
      int n = snprintf(question + used, sizeof(question) - used, "%s",
                       words[word++]);
      used += (size_t)n;
      c++;
    } else {
      question[used++] = *c;
    }
  }
  inf_buf_append(text, question, used);
}

static void
write_passage(inf_buf *text, inf_rng *rng, int number, uint64_t amount)
{
  inf_buf_appendf(text, "[Passage %d]\n", number);
  for (int i = 0; i < 4; i++) {
    inf_buf_appendf(
        text,
        "In week %u the depot in %s received %u crates of %s and sent %u "
        "crates of %s on to %s, %u days late because %s. ",
        (unsigned)inf_rng_between(rng, 1, 52), PICK(rng, towns),
        (unsigned)inf_rng_between(rng, 20, 900), PICK(rng, goods),
        (unsigned)inf_rng_between(rng, 20, 900), PICK(rng, goods),
        PICK(rng, towns), (unsigned)inf_rng_between(rng, 1, 9),
        PICK(rng, reasons));
  }
  inf_buf_appendf(
      text, "The order book number %d closes with %llu crates in all.\n\n",
      number, (unsigned long long)amount);
}

static void
write_rag(inf_buf *text, inf_rng *rng)
{
  inf_buf_append_cstr(text, "Answer from the passages only, in one sentence, "
                            "and name the passage.\n\n");
  for (int i = 1; i <= PASSAGES; i++) {
    write_passage(text, rng, i, inf_rng_between(rng, 1000, 99999));
  }
  inf_buf_appendf(text, "With how many crates does order book number %u close?",
                  (unsigned)inf_rng_between(rng, 1, PASSAGES));
}

static const char tools[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"find_shipment\","
    "\"description\":\"Finds a shipment by its number\",\"parameters\":{"
    "\"type\":\"object\",\"properties\":{\"number\":{\"type\":\"integer\"}},"
    "\"required\":[\"number\"],\"additionalProperties\":false}}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"book_truck\","
    "\"description\":\"Books a truck between two towns\",\"parameters\":{"
    "\"type\":\"object\",\"properties\":{\"from\":{\"type\":\"string\"},"
    "\"to\":{\"type\":\"string\"},\"crates\":{\"type\":\"integer\"}},"
    "\"required\":[\"from\",\"to\",\"crates\"],"
    "\"additionalProperties\":false}}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"send_note\","
    "\"description\":\"Sends a note to a customer\",\"parameters\":{"
    "\"type\":\"object\",\"properties\":{\"customer\":{\"type\":\"string\"},"
    "\"text\":{\"type\":\"string\"}},\"required\":[\"customer\",\"text\"],"
    "\"additionalProperties\":false}}}]";

static const char agent_system[] =
    "You are the dispatcher of a freight company. You work by calling tools, "
    "one at a time, and you never invent numbers: what you do not know you "
    "look up. Shipments have numbers of six digits. Trucks are booked between "
    "two towns, for a number of crates. Customers are told in a note only "
    "once everything is arranged. Call the tool that the task needs next, "
    "with exactly the values that the task gives.";

static void
write_agent(inf_buf *text, inf_rng *rng)
{
  if (inf_rng_below(rng, 2) == 0) {
    inf_buf_appendf(text, "Where is shipment %u now?",
                    (unsigned)inf_rng_between(rng, 100000, 999999));
    return;
  }
  inf_buf_appendf(text, "Book a truck from %s to %s for %u crates.",
                  PICK(rng, towns), PICK(rng, towns),
                  (unsigned)inf_rng_between(rng, 2, 90));
}

static bool
add_one(inf_cmp_prompts *prompts, int kind, size_t number, inf_rng *rng)
{
  char name[32], why[256];
  inf_buf text;
  inf_buf_init(&text, MAX_PROMPT_BYTES);
  json_object *object = json_object_new_object();
  json_object *messages = json_object_new_array();
  json_object_object_add(object, "messages", messages);
  if (kind == INF_CMP_MIX_AGENT) {
    write_agent(&text, rng);
    add_message(messages, "system", agent_system);
    json_object_object_add(object, "tools", json_tokener_parse(tools));
  } else if (kind == INF_CMP_MIX_RAG) {
    write_rag(&text, rng);
  } else {
    write_chat(&text, rng);
  }
  add_message(messages, "user", inf_buf_cstr(&text));
  const char *word = kind == INF_CMP_MIX_CHAT  ? "chat"
                     : kind == INF_CMP_MIX_RAG ? "rag"
                                               : "agent";
  snprintf(name, sizeof(name), "%s-%zu", word, number + 1);
  bool ok = text.status == INFER_OK &&
            inf_cmp_prompts_add(prompts, object, name, why, sizeof(why));
  json_object_put(object);
  inf_buf_fini(&text);
  return ok;
}

int
inf_cmp_mix_kinds(const char *text)
{
  static const struct {
    const char *name;
    int kind;
  } names[] = {{"chat", INF_CMP_MIX_CHAT},
               {"rag", INF_CMP_MIX_RAG},
               {"agent", INF_CMP_MIX_AGENT},
               {"all", INF_CMP_MIX_ALL}};
  int kinds = 0;
  for (;;) {
    size_t len = strcspn(text, ",");
    int found = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
      if (strlen(names[i].name) == len &&
          strncmp(text, names[i].name, len) == 0) {
        found = names[i].kind;
      }
    }
    if (found == 0) {
      return 0;
    }
    kinds |= found;
    if (text[len] == '\0') {
      return kinds;
    }
    text += len + 1;
  }
}

bool
inf_cmp_mix_add(inf_cmp_prompts *prompts, int kinds, size_t count,
                uint64_t seed)
{
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  int kind = INF_CMP_MIX_CHAT;
  for (size_t i = 0; i < count; i++) {
    while (!(kinds & kind)) {
      kind = kind == INF_CMP_MIX_AGENT ? INF_CMP_MIX_CHAT : kind * 2;
    }
    if (!add_one(prompts, kind, i, &rng)) {
      return false;
    }
    kind = kind == INF_CMP_MIX_AGENT ? INF_CMP_MIX_CHAT : kind * 2;
  }
  return true;
}
