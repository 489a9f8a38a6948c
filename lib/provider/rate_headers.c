/* SPDX-License-Identifier: MIT */
/* Rate-limit headers, read by two tables: how their names begin, and the words
 * that follow in any order. A name with a word that is in neither counts
 * something else (images, seconds of audio, the cost of this query) and is
 * passed over. What is seen in recorded traffic:
 *
 *   x-ratelimit-{limit,remaining,reset}-{requests,tokens}  OpenAI, Groq, xAI
 *   x-ratelimit-renewalperiod-{requests,tokens}            Azure, beside these
 *   x-rate-limit-reset-tokens                              Azure, older
 *   x-ratelimit-limit-{requests,tokens}-{minute,hour,day}  Cerebras, SambaNova
 *   x-ratelimit-limit-{req-minute,req-10-second,tokens-month}  Mistral
 *   ratelimitbysize-limit, x-ratelimitbysize-limit-minute  Mistral, older
 *   anthropic-ratelimit-{requests,input-tokens,...}-limit  Anthropic
 *   {x-,}ratelimit-{limit,remaining,reset}                 Together,
 * OpenRouter, IETF draft
 *
 * -1 and a limit of 0 are how Azure says that it does not know, a remaining
 * near 2^63 how SambaNova says that there is no limit. */
#include "provider/rate_headers.h"
#include "provider/hint.h"
#include "wire/take.h"

#include "base/clock.h"

#define MINUTE_NS (60 * INF_NS_PER_S)
#define HOUR_NS   (3600 * INF_NS_PER_S)
#define DAY_NS    (24 * HOUR_NS)
#define MONTH_NS  (30 * DAY_NS)

/* No quota is larger: the largest seen is 10^10 tokens a month. */
static const int64_t max_units = 1000000000000000;
/* No window is longer than a month. */
static const uint64_t max_reset_ns = MONTH_NS + DAY_NS;

typedef enum field {
  FIELD_NONE,
  FIELD_LIMIT,
  FIELD_REMAINING,
  FIELD_RESET,
  FIELD_PERIOD,
} field;

typedef struct prefix {
  inf_sv text; /* lower case */
  inf_rate_kind kind;
  uint64_t period_ns;
  bool coarse; /* it rounds tokens */
} prefix;

static const prefix prefixes[] = {
    {{"x-ratelimit", 11}, INF_RATE_REQUESTS, 0, false},
    {{"anthropic-ratelimit", 19}, INF_RATE_REQUESTS, MINUTE_NS, true},
    {{"x-ratelimitbysize", 17}, INF_RATE_TOKENS, 0, false},
    {{"ratelimitbysize", 15}, INF_RATE_TOKENS, 0, false},
    {{"ratelimit", 9}, INF_RATE_REQUESTS, 0, false},
    {{"x-rate-limit", 12}, INF_RATE_REQUESTS, 0, false},
};

/* What a word says; each row says one thing. */
typedef struct word {
  inf_sv text;
  field field;
  int kind; /* -1: nothing */
  uint64_t period_ns;
} word;

static const word words[] = {
    {{"limit", 5}, FIELD_LIMIT, -1, 0},
    {{"remaining", 9}, FIELD_REMAINING, -1, 0},
    {{"reset", 5}, FIELD_RESET, -1, 0},
    {{"renewalperiod", 13}, FIELD_PERIOD, -1, 0},
    {{"requests", 8}, FIELD_NONE, INF_RATE_REQUESTS, 0},
    {{"req", 3}, FIELD_NONE, INF_RATE_REQUESTS, 0},
    {{"tokens", 6}, FIELD_NONE, INF_RATE_TOKENS, 0},
    {{"input-tokens", 12}, FIELD_NONE, INF_RATE_INPUT, 0},
    {{"output-tokens", 13}, FIELD_NONE, INF_RATE_OUTPUT, 0},
    {{"second", 6}, FIELD_NONE, -1, INF_NS_PER_S},
    {{"10-second", 9}, FIELD_NONE, -1, 10 * INF_NS_PER_S},
    {{"minute", 6}, FIELD_NONE, -1, MINUTE_NS},
    {{"hour", 4}, FIELD_NONE, -1, HOUR_NS},
    {{"day", 3}, FIELD_NONE, -1, DAY_NS},
    {{"month", 5}, FIELD_NONE, -1, MONTH_NS},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Names --------------------------------------------------------------- */

typedef struct name_parts {
  field field;
  inf_rate_kind kind;
  uint64_t period_ns;
  bool coarse;
} name_parts;

static char
lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* The text is in lower case; dashes and underlines are the same. */
static bool
begins_with(inf_sv name, inf_sv text)
{
  if (name.len < text.len)
    return false;
  for (size_t i = 0; i < text.len; i++) {
    char c = name.ptr[i] == '_' ? '-' : lower(name.ptr[i]);
    if (c != text.ptr[i])
      return false;
  }
  return true;
}

static bool
is_dash(char c)
{
  return c == '-' || c == '_';
}

/* Takes a dash and a word of the table. */
static bool
take_known_word(inf_sv *rest, name_parts *parts)
{
  if (!is_dash(rest->ptr[0]))
    return false;
  inf_sv name = inf_take_drop(*rest, 1);
  for (size_t i = 0; i < COUNT(words); i++) {
    const word *known = &words[i];
    size_t len = known->text.len;
    if (!begins_with(name, known->text) ||
        (name.len > len && !is_dash(name.ptr[len])))
      continue;
    if (known->field != FIELD_NONE)
      parts->field = known->field;
    if (known->kind >= 0)
      parts->kind = (inf_rate_kind)known->kind;
    if (known->period_ns > 0)
      parts->period_ns = known->period_ns;
    *rest = inf_take_drop(name, len);
    return true;
  }
  return false;
}

static bool
read_words(inf_sv rest, const prefix *start, name_parts *parts)
{
  *parts =
      (name_parts){FIELD_NONE, start->kind, start->period_ns, start->coarse};
  while (rest.len > 0) {
    if (!take_known_word(&rest, parts))
      return false;
  }
  return parts->field != FIELD_NONE;
}

static bool
read_name(inf_sv name, name_parts *parts)
{
  for (size_t i = 0; i < COUNT(prefixes); i++) {
    const prefix *start = &prefixes[i];
    if (begins_with(name, start->text) &&
        read_words(inf_take_drop(name, start->text.len), start, parts))
      return true;
  }
  return false;
}

/* ---- Values -------------------------------------------------------------- */

/* A count, a fraction of which is cut off; unknown if it is none. */
static int64_t
read_count(inf_sv value)
{
  size_t digits = inf_take_count_digits(value);
  inf_sv rest = inf_take_drop(value, digits);
  int64_t count = 0;
  if (digits == 0 ||
      (rest.len > 0 &&
       (rest.ptr[0] != '.' ||
        inf_take_count_digits(inf_take_drop(rest, 1)) != rest.len - 1)))
    return INF_RATE_UNKNOWN;
  for (size_t i = 0; i < digits; i++) {
    count = count * 10 + (value.ptr[i] - '0');
    if (count > max_units)
      return INF_RATE_UNKNOWN;
  }
  return count;
}

static int64_t
read_reset(inf_sv value, int64_t wall_now_ns)
{
  uint64_t ns;
  if (!inf_parse_reset(value, wall_now_ns, &ns) || ns > max_reset_ns)
    return INF_RATE_UNKNOWN;
  return (int64_t)ns;
}

static void
keep_first(int64_t *known, int64_t value)
{
  if (*known == INF_RATE_UNKNOWN)
    *known = value;
}

/* The quota of that kind and period, or a new one; NULL if there are too
 * many. */
static inf_rate_sight *
sight_of(inf_rate_sights *sights, const name_parts *parts)
{
  for (size_t i = 0; i < sights->count; i++) {
    inf_rate_sight *sight = &sights->items[i];
    if (sight->kind == parts->kind && sight->period_ns == parts->period_ns)
      return sight;
  }
  if (sights->count == INF_RATE_MAX_SIGHTS)
    return NULL;
  inf_rate_sight *sight = &sights->items[sights->count++];
  *sight =
      (inf_rate_sight){parts->kind,      parts->period_ns, INF_RATE_UNKNOWN,
                       INF_RATE_UNKNOWN, INF_RATE_UNKNOWN, false};
  return sight;
}

/* Renewal periods, by kind: they belong to what is told without a period. */
typedef struct periods {
  uint64_t ns[INF_RATE_OUTPUT + 1];
} periods;

static void
read_value(inf_rate_sights *sights, const name_parts *parts, inf_sv value,
           int64_t wall_now_ns, periods *told)
{
  if (parts->field == FIELD_PERIOD) {
    uint64_t ns;
    if (inf_parse_seconds(value, &ns) && ns <= max_reset_ns)
      told->ns[parts->kind] = ns;
    return;
  }
  inf_rate_sight *sight = sight_of(sights, parts);
  if (!sight)
    return;
  switch (parts->field) {
  case FIELD_LIMIT:
    keep_first(&sight->limit, read_count(value));
    break;
  case FIELD_REMAINING:
    keep_first(&sight->remaining, read_count(value));
    sight->coarse = parts->coarse && parts->kind != INF_RATE_REQUESTS &&
                    sight->remaining % 1000 == 0;
    break;
  case FIELD_RESET:
    keep_first(&sight->reset_ns, read_reset(value, wall_now_ns));
    break;
  case FIELD_NONE:
  case FIELD_PERIOD:
    break;
  }
}

/* ---- Sense --------------------------------------------------------------- */

static void
drop_nonsense(inf_rate_sight *sight)
{
  if (sight->limit == 0)
    sight->limit = INF_RATE_UNKNOWN;
  if (sight->limit > 0 && sight->remaining > sight->limit)
    sight->limit = sight->remaining = INF_RATE_UNKNOWN;
  /* Nothing is left, and it is whole again at once: it cannot be both. */
  if (sight->remaining == 0 && sight->reset_ns == 0)
    sight->reset_ns = INF_RATE_UNKNOWN;
}

static bool
says_something(const inf_rate_sight *sight)
{
  return sight->limit > 0 || sight->remaining >= 0 || sight->reset_ns > 0;
}

/* Is it the same quota as another one, which tells its period? */
static bool
is_told_again(const inf_rate_sights *sights, const inf_rate_sight *sight)
{
  if (sight->period_ns > 0 || sight->limit < 0)
    return false;
  for (size_t i = 0; i < sights->count; i++) {
    const inf_rate_sight *other = &sights->items[i];
    if (other->kind == sight->kind && other->period_ns > 0 &&
        other->limit == sight->limit)
      return true;
  }
  return false;
}

static void
apply_periods(inf_rate_sights *sights, const periods *told)
{
  for (size_t i = 0; i < sights->count; i++) {
    inf_rate_sight *sight = &sights->items[i];
    uint64_t ns = told->ns[sight->kind];
    bool taken = false;
    for (size_t j = 0; j < sights->count; j++)
      taken = taken || (sights->items[j].kind == sight->kind &&
                        sights->items[j].period_ns == ns);
    if (sight->period_ns == 0 && !taken)
      sight->period_ns = ns;
  }
}

static void
keep_sense(inf_rate_sights *sights)
{
  inf_rate_sights all = *sights;
  sights->count = 0;
  for (size_t i = 0; i < all.count; i++) {
    if (says_something(&all.items[i]) && !is_told_again(&all, &all.items[i]))
      sights->items[sights->count++] = all.items[i];
  }
}

void
inf_rate_sights_add(inf_rate_sights *sights, const inf_rate_sight *sight)
{
  inf_rate_sight added = *sight;
  drop_nonsense(&added);
  bool taken = sights->count == INF_RATE_MAX_SIGHTS || !says_something(&added);
  for (size_t i = 0; i < sights->count; i++)
    taken = taken || (sights->items[i].kind == added.kind &&
                      sights->items[i].period_ns == added.period_ns);
  if (!taken)
    sights->items[sights->count++] = added;
}

void
inf_rate_headers_read(const inf_headers *headers, int64_t wall_now_ns,
                      inf_rate_sights *sights)
{
  size_t at = 0;
  inf_sv name, value;
  name_parts parts;
  periods told = {{0}};
  bool dated = false;
  sights->count = 0;
  while (inf_headers_next(headers, &at, &name, &value)) {
    if (!read_name(name, &parts))
      continue;
    if (!dated)
      wall_now_ns = inf_hint_now(headers, wall_now_ns);
    dated = true;
    read_value(sights, &parts, value, wall_now_ns, &told);
  }
  if (sights->count == 0)
    return;
  for (size_t i = 0; i < sights->count; i++)
    drop_nonsense(&sights->items[i]);
  apply_periods(sights, &told);
  keep_sense(sights);
}
