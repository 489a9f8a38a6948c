/* SPDX-License-Identifier: MIT */
/* Nearest names by edit distance: letters added, left out, changed, and two
 * neighbours exchanged count one each (optimal string alignment). A name is
 * near when about one letter in four differs: more than that is a guess that
 * sends people astray. */
#include "config/suggest.h"

#include <stdint.h>
#include <stdio.h>

#define WORD_MAX 40

static uint8_t
min3(int a, int b, int c)
{
  int low = a < b ? a : b;
  return (uint8_t)(low < c ? low : c);
}

/* Both words are at most WORD_MAX long. The rows are those of the usual
 * matrix for a's letters i-2, i-1 and i. */
static size_t
distance_of(inf_sv a, inf_sv b)
{
  uint8_t rows[3][WORD_MAX + 1];
  for (size_t j = 0; j <= b.len; j++)
    rows[0][j] = (uint8_t)j;
  for (size_t i = 1; i <= a.len; i++) {
    uint8_t *row = rows[i % 3];
    const uint8_t *last = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];
    row[0] = (uint8_t)i;
    for (size_t j = 1; j <= b.len; j++) {
      int change = a.ptr[i - 1] != b.ptr[j - 1];
      row[j] = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + change);
      if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] &&
          a.ptr[i - 2] == b.ptr[j - 1] && older[j - 2] + 1 < row[j])
        row[j] = (uint8_t)(older[j - 2] + 1);
    }
  }
  return rows[a.len % 3][b.len];
}

void
inf_suggest_init(inf_suggestion *suggestion, inf_sv word)
{
  size_t most = (word.len + 2) / 4;
  suggestion->word = word;
  suggestion->name = inf_sv_of(NULL, 0);
  /* One more than what is still near: the first name has to be below. */
  suggestion->distance = (most < 1 ? 1 : most > 3 ? 3 : most) + 1;
}

void
inf_suggest_offer(inf_suggestion *suggestion, inf_sv name)
{
  inf_sv word = suggestion->word;
  if (word.len < 2 || word.len > WORD_MAX || name.len > WORD_MAX)
    return;
  size_t distance = distance_of(word, name);
  if (distance >= suggestion->distance)
    return;
  suggestion->distance = distance;
  suggestion->name = name;
}

const char *
inf_suggest_text(const inf_suggestion *suggestion,
                 char text[INF_SUGGEST_TEXT_MAX])
{
  text[0] = '\0';
  if (suggestion->name.len > 0)
    snprintf(text, INF_SUGGEST_TEXT_MAX, " (did you mean \"%.*s\"?)",
             (int)suggestion->name.len, suggestion->name.ptr);
  return text;
}
