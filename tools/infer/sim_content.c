/* SPDX-License-Identifier: MIT */
/* Making the content of an answer: its text, and where it is cut into
 * pieces. */

#include "sim_content.h"

#include "base/mem.h"

#define TOKEN_MAX_BYTES  16
#define TOKENS_MAX       10000000u
#define HUGE_PIECE_BYTES 1024

/* Short enough that a space, the word and a full stop are one token. */
static const char *const words[] = {
    "the",     "of",      "and",     "a",      "to",      "in",     "is",
    "that",    "it",      "for",     "as",     "with",    "on",     "by",
    "at",      "from",    "this",    "which",  "or",      "each",   "one",
    "water",   "light",   "river",   "stone",  "garden",  "window", "table",
    "paper",   "letter",  "story",   "reason", "answer",  "number", "measure",
    "small",   "large",   "early",   "late",   "quiet",   "bright", "simple",
    "careful", "common",  "several", "before", "after",   "under",  "over",
    "between", "through", "while",   "when",   "because", "often",  "rarely",
    "moves",   "keeps",   "shows",   "finds",  "brings",  "leaves", "opens",
    "holds",
};

#define WORD_COUNT (sizeof(words) / sizeof(words[0]))

static void
put_word(inf_buf *text, inf_rng *rng, bool first, bool sentence_start)
{
  const char *word = words[inf_rng_below(rng, WORD_COUNT)];
  if (!first) {
    inf_buf_append_char(text, ' ');
  }
  if (sentence_start) {
    inf_buf_append_char(text, (char)(word[0] - 'a' + 'A'));
    word++;
  }
  inf_buf_append_cstr(text, word);
}

void
inf_sim_make_text(inf_buf *text, inf_rng *rng, uint64_t tokens)
{
  uint64_t left_in_sentence = 0;
  for (uint64_t i = 0; i < tokens; i++) {
    bool start = left_in_sentence == 0;
    if (start) {
      left_in_sentence = inf_rng_between(rng, 5, 14);
    }
    put_word(text, rng, i == 0, start);
    left_in_sentence--;
    if (left_in_sentence == 0 || i + 1 == tokens) {
      inf_buf_append_char(text, '.');
    }
  }
}

static bool
is_space(char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

size_t
inf_sim_token_len(inf_sv text)
{
  size_t len = 0;
  while (len < text.len && len < TOKEN_MAX_BYTES - 1 &&
         is_space(text.ptr[len])) {
    len++;
  }
  while (len < text.len && len < TOKEN_MAX_BYTES && !is_space(text.ptr[len])) {
    len++;
  }
  /* Back to the start of a character, but never to nothing. */
  size_t end = len;
  while (end > 1 && end < text.len &&
         ((unsigned char)text.ptr[end] & 0xc0) == 0x80) {
    end--;
  }
  return end > 1 ? end : len;
}

static void
add_piece(inf_sim_choice *choice, inf_sim_piece piece)
{
  if (choice->count == choice->cap) {
    choice->cap = choice->cap ? choice->cap * 2 : 32;
    choice->pieces =
        inf_sim_realloc(choice->pieces, choice->cap * sizeof(piece));
  }
  choice->pieces[choice->count++] = piece;
  choice->tokens += piece.tokens;
}

/* Cuts a section into pieces of so many tokens, as long as the budget of
 * tokens lasts. Returns how many bytes of it fit. */
static size_t
cut_section(inf_sim_choice *choice, inf_sv section, uint8_t kind, size_t start,
            uint64_t chunk_tokens, uint64_t *budget)
{
  inf_sim_piece piece = {.start = (uint32_t)start, .kind = kind};
  size_t at = 0;
  while (at<section.len && * budget> 0) {
    size_t len =
        inf_sim_token_len(inf_sv_of(section.ptr + at, section.len - at));
    at += len;
    piece.len += (uint32_t)len;
    piece.tokens++;
    --*budget;
    if (piece.tokens == chunk_tokens || at == section.len || *budget == 0) {
      add_piece(choice, piece);
      piece.start += piece.len;
      piece.len = piece.tokens = 0;
    }
  }
  return at;
}

/* Adds a section to the choice's text; what the budget does not pay for is
 * cut off, which is why the finish reason becomes "length". */
static size_t
add_section(inf_sim_choice *choice, inf_sv section, uint8_t kind,
            uint64_t chunk_tokens, uint64_t *budget)
{
  size_t start = choice->text.len;
  size_t fits = cut_section(choice, section, kind, start, chunk_tokens, budget);
  inf_buf_append(&choice->text, section.ptr, fits);
  if (fits < section.len) {
    choice->finish_reason = "length";
  }
  return fits;
}

static void
add_args(inf_sim_choice *choice, inf_sv arguments, uint8_t tool,
         uint64_t piece_bytes)
{
  size_t at = 0;
  while (at < arguments.len) {
    size_t end = at + (size_t)piece_bytes;
    end = end < arguments.len ? end : arguments.len;
    while (end < arguments.len &&
           ((unsigned char)arguments.ptr[end] & 0xc0) == 0x80) {
      end++;
    }
    size_t len = end - at;
    add_piece(choice, (inf_sim_piece){(uint32_t)at, (uint32_t)len,
                                      (uint16_t)((len + 3) / 4),
                                      INF_SIM_TOOL_ARGS, tool});
    at = end;
  }
}

static void
add_tools(inf_sim_choice *choice, const inf_sim_behaviour *behaviour)
{
  for (size_t i = 0; i < behaviour->tools.count; i++) {
    add_piece(choice, (inf_sim_piece){.tokens = 1,
                                      .kind = INF_SIM_TOOL_HEAD,
                                      .tool = (uint8_t)i});
    add_args(choice, behaviour->tools.items[i].arguments, (uint8_t)i,
             behaviour->tool_piece_bytes);
  }
  if (behaviour->tools.count > 0) {
    choice->finish_reason = "tool_calls";
  }
}

/* What the answer says, before the prefill is taken off. */
static void
choose_text(inf_buf *text, const inf_sim_behaviour *behaviour,
            const inf_sim_request *request, inf_rng *rng)
{
  if (behaviour->echo) {
    inf_buf_append_sv(text, inf_buf_sv(&request->last_user));
  } else if (behaviour->text.set) {
    inf_buf_append_sv(text, behaviour->text.sv);
  } else if (behaviour->huge_body.set) {
    inf_buf_reserve(text, behaviour->huge_body.value);
    for (uint64_t i = 0; i < behaviour->huge_body.value; i++) {
      inf_buf_append_char(text, (char)('a' + i % 26));
    }
  } else if (!inf_sim_dist_is_zero(&behaviour->tokens)) {
    inf_sim_make_text(
        text, rng,
        inf_sim_dist_draw_count(&behaviour->tokens, rng, TOKENS_MAX));
  }
  inf_sim_must(text);
}

/* An answer that honours a prefill goes on where the prefill ends; one that
 * echoes it says it again first. */
static void
apply_prefill(inf_buf *text, const inf_sim_behaviour *behaviour,
              const inf_sim_request *request)
{
  inf_sv prefill = inf_buf_sv(&request->prefill);
  bool begins = inf_sv_starts_with(inf_buf_sv(text), prefill);
  if (!request->prefilled) {
    return;
  }
  if (behaviour->prefill == INF_SIM_PREFILL_HONOUR && begins) {
    inf_buf_consume(text, prefill.len);
  } else if (behaviour->prefill == INF_SIM_PREFILL_ECHO && !begins) {
    inf_buf rest = *text;
    inf_buf_init(text, INF_SIM_BUF_MAX);
    inf_buf_append_sv(text, prefill);
    inf_buf_append_sv(text, inf_buf_sv(&rest));
    inf_buf_fini(&rest);
    inf_sim_must(text);
  }
}

static void
add_huge(inf_sim_choice *choice, inf_sv text)
{
  for (size_t at = 0; at < text.len; at += HUGE_PIECE_BYTES) {
    size_t len =
        text.len - at < HUGE_PIECE_BYTES ? text.len - at : HUGE_PIECE_BYTES;
    add_piece(choice,
              (inf_sim_piece){(uint32_t)(choice->text.len + at), (uint32_t)len,
                              (uint16_t)((len + 3) / 4), INF_SIM_TEXT, 0});
  }
  inf_buf_append_sv(&choice->text, text);
  choice->content_len = text.len;
}

static void
add_text(inf_sim_choice *choice, const inf_sim_behaviour *behaviour,
         const inf_sim_request *request, inf_rng *rng, uint64_t *budget)
{
  inf_buf text;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  choose_text(&text, behaviour, request, rng);
  apply_prefill(&text, behaviour, request);
  if (behaviour->huge_body.set) {
    add_huge(choice, inf_buf_sv(&text));
  } else {
    choice->content_len = add_section(choice, inf_buf_sv(&text), INF_SIM_TEXT,
                                      behaviour->chunk_tokens, budget);
  }
  inf_buf_fini(&text);
}

static void
add_reasoning(inf_sim_choice *choice, const inf_sim_behaviour *behaviour,
              inf_rng *rng, uint64_t *budget)
{
  inf_buf text;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  if (behaviour->reasoning.set) {
    inf_buf_append_sv(&text, behaviour->reasoning.sv);
  } else if (behaviour->reasoning_tokens.set) {
    inf_sim_make_text(&text, rng,
                      inf_sim_dist_draw_count(&behaviour->reasoning_tokens.dist,
                                              rng, TOKENS_MAX));
  }
  choice->reasoning_len =
      add_section(choice, inf_buf_sv(&text), INF_SIM_REASONING,
                  behaviour->chunk_tokens, budget);
  choice->reasoning_tokens = choice->tokens;
  inf_sim_must(&text);
  inf_buf_fini(&text);
}

static void
make_choice(inf_sim_choice *choice, const inf_sim_content *content,
            const inf_sim_behaviour *behaviour, const inf_sim_request *request,
            uint64_t seed)
{
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  uint64_t budget = request->max_tokens;
  choice->finish_reason = "stop";
  inf_buf_init(&choice->text, INF_SIM_BUF_MAX);
  add_reasoning(choice, behaviour, &rng, &budget);
  if (content->has_text) {
    add_text(choice, behaviour, request, &rng, &budget);
  }
  if (behaviour->refusal.set) {
    choice->refusal_len =
        add_section(choice, behaviour->refusal.sv, INF_SIM_REFUSAL,
                    behaviour->chunk_tokens, &budget);
  }
  add_tools(choice, behaviour);
  inf_sim_must(&choice->text);
}

static bool
says_text(const inf_sim_behaviour *behaviour)
{
  if (behaviour->text.set || behaviour->echo) {
    return true;
  }
  return behaviour->tools.count == 0 && !behaviour->refusal.set;
}

static void
take_count(inf_sv usage, const char *path, uint64_t *count)
{
  int64_t number = 0;
  if (inf_json_int64(inf_json_path(usage, path), false, &number) &&
      number >= 0) {
    *count = (uint64_t)number;
  }
}

/* A usage that the script gives is what the invoice goes by too. */
static void
count_tokens(inf_sim_content *content, const inf_sim_behaviour *behaviour)
{
  inf_sv usage = behaviour->usage;
  content->cached_tokens = behaviour->cached_tokens;
  content->billed_tokens = content->completion_tokens;
  if (usage.len > 0) {
    take_count(usage, "prompt_tokens", &content->prompt_tokens);
    take_count(usage, "completion_tokens", &content->billed_tokens);
    take_count(usage, "prompt_tokens_details.cached_tokens",
               &content->cached_tokens);
    take_count(usage, "completion_tokens_details.reasoning_tokens",
               &content->reasoning_tokens);
  }
  if (content->cached_tokens > content->prompt_tokens) {
    content->cached_tokens = content->prompt_tokens;
  }
}

void
inf_sim_content_make(inf_sim_content *content,
                     const inf_sim_behaviour *behaviour,
                     const inf_sim_request *request, uint64_t seed)
{
  *content = (inf_sim_content){.count = request->n,
                               .has_text = says_text(behaviour),
                               .prompt_tokens = request->prompt_tokens};
  content->choices = inf_sim_alloc(content->count * sizeof(*content->choices));
  for (size_t i = 0; i < content->count; i++) {
    inf_sim_choice *choice = &content->choices[i];
    make_choice(choice, content, behaviour, request, seed + i);
    content->completion_tokens += choice->tokens;
    content->reasoning_tokens += choice->reasoning_tokens;
    if (choice->count > content->rounds) {
      content->rounds = choice->count;
    }
  }
  count_tokens(content, behaviour);
}

void
inf_sim_content_fini(inf_sim_content *content)
{
  for (size_t i = 0; i < content->count; i++) {
    inf_buf_fini(&content->choices[i].text);
    inf_free(content->choices[i].pieces);
  }
  inf_free(content->choices);
  *content = (inf_sim_content){0};
}

inf_sv
inf_sim_piece_text(const inf_sim_choice *choice, const inf_sim_piece *piece,
                   const inf_sim_behaviour *behaviour)
{
  const char *base = choice->text.ptr;
  if (piece->kind == INF_SIM_TOOL_ARGS) {
    base = behaviour->tools.items[piece->tool].arguments.ptr;
  }
  return inf_sv_of(piece->len > 0 ? base + piece->start : "", piece->len);
}
