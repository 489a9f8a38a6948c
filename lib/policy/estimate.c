/* SPDX-License-Identifier: MIT */
/* The token estimator. Constants and where they come from:
 *
 * Pieces: least squares of the relative error over 377 samples of 2,000
 * characters (prose, Markdown, C, Python, JSON, CSV, German and Chinese) cut
 * by the tokenizers o200k_base and cl100k_base, whose coefficients, given
 * here in 64ths, lie within a tenth of these, but for indentation.
 *
 * Prior: a = 1 within 30 %; b = 1/3 of a token for each byte, that is one for
 * a Chinese character, within 0.15 (o200k_base 0.28, cl100k_base 0.38); c = 8
 * within 500 tokens: framing, or a system prompt that the provider adds; d = 30
 * within 300: instructions for tools, of which some providers add hundreds.
 *
 * Noise: 10 % of the expected tokens. Above three times that, and what is
 * uncertain in the four numbers, an answer is strange. */
#include "policy/estimate.h"

#include <math.h>
#include <stdbool.h>

enum {
  piece_scale = 64,
  word_pieces = 58,        /* 0.9 for up to seven letters */
  letter_pieces = 44,      /* 0.68 for each letter more */
  digits_pieces = 77,      /* 1.2 for three digits */
  punctuation_pieces = 56, /* 0.88 */
  mark_pieces = 8,         /* 0.12 for each further mark */
  line_pieces = 40,        /* 0.62 */
  indent_pieces = 64,
  message_tokens = 4,
  unknowns = INF_ESTIMATE_UNKNOWNS,
};

static const double noise = 0.1;
static const double forgetting = 0.03;
static const double strange_deviations = 3;
static const int32_t strange_run = 6;
static const double prior[unknowns] = {1, 1.0 / 3, 8, 30};
static const double prior_deviation[unknowns] = {0.3, 0.15, 500, 300};
static const double tokens_max = 1ull << 40;

/* ---- Counting pieces ---------------------------------------------------- */

typedef enum kind { OTH, LOW, CAP, DIG, MAR, BLA, LIN, WIDE } kind;

/* Others, lower case, capitals, digits, marks, blanks and line ends: ASCII. */
static const uint8_t kinds[128] = {
    OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, BLA, LIN, OTH, OTH, LIN, OTH,
    OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH,
    OTH, OTH, BLA, MAR, MAR, MAR, MAR, MAR, MAR, MAR, MAR, MAR, MAR, MAR, MAR,
    MAR, MAR, MAR, DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG, MAR, MAR,
    MAR, MAR, MAR, MAR, MAR, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP,
    CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP, CAP,
    CAP, MAR, MAR, MAR, MAR, MAR, MAR, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW,
    LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW, LOW,
    LOW, LOW, LOW, MAR, MAR, MAR, MAR, OTH,
};

static kind
kind_of(char c)
{
  unsigned char byte = (unsigned char)c;
  return byte < sizeof kinds ? (kind)kinds[byte] : WIDE;
}

/* A finite automaton, so that reading costs one step without a branch for each
 * byte: what the piece so far is, and for each kind of the next byte what it
 * then is and what that costs. */
enum {
  START, /* also after what stands for itself */
  WORD_1,
  WORD_2,
  WORD_3,
  WORD_4,
  WORD_5,
  WORD_6,
  WORD_7,
  CAPITALS_1,
  CAPITALS_2,
  CAPITALS_3,
  CAPITALS_4,
  CAPITALS_5,
  CAPITALS_6,
  CAPITALS_7,
  DIGITS_1,
  DIGITS_2,
  DIGITS_3,
  MARKS,
  BLANKS_1,
  BLANKS_2,
  LINES,
};

#define STEP(state, cost) ((state) << 8 | (cost))
#define NEW_WORD          STEP(WORD_1, word_pieces)
#define NEW_CAPITAL       STEP(CAPITALS_1, word_pieces)
#define NEW_DIGIT         STEP(DIGITS_1, digits_pieces)
#define NEW_MARK          STEP(MARKS, punctuation_pieces)
#define NEW_BLANK         STEP(BLANKS_1, 0) /* a single one is part of a word */
#define NEW_LINE          STEP(LINES, line_pieces)
#define MORE_MARKS        STEP(MARKS, mark_pieces)
#define INDENT            STEP(BLANKS_2, indent_pieces)
#define OTHER             STEP(START, piece_scale)
#define NOT_ASCII         STEP(START, 0) /* counted by its bytes */

/* In the order of the kinds. */
#define WORD(next, cost)                                                  \
  {                                                                       \
    OTHER, STEP(next, cost), NEW_CAPITAL, NEW_DIGIT, NEW_MARK, NEW_BLANK, \
        NEW_LINE, NOT_ASCII                                               \
  }
#define CAPITALS(word, next, cost)                                             \
  {                                                                            \
    OTHER, STEP(word, cost), STEP(next, cost), NEW_DIGIT, NEW_MARK, NEW_BLANK, \
        NEW_LINE, NOT_ASCII                                                    \
  }
#define AFTER(digit, mark, blank, line)                               \
  {                                                                   \
    OTHER, NEW_WORD, NEW_CAPITAL, digit, mark, blank, line, NOT_ASCII \
  }

static const uint16_t steps[][8] = {
    [START] = AFTER(NEW_DIGIT, NEW_MARK, NEW_BLANK, NEW_LINE),
    [WORD_1] = WORD(WORD_2, 0),
    [WORD_2] = WORD(WORD_3, 0),
    [WORD_3] = WORD(WORD_4, 0),
    [WORD_4] = WORD(WORD_5, 0),
    [WORD_5] = WORD(WORD_6, 0),
    [WORD_6] = WORD(WORD_7, 0),
    [WORD_7] = WORD(WORD_7, letter_pieces),
    [CAPITALS_1] = CAPITALS(WORD_2, CAPITALS_2, 0),
    [CAPITALS_2] = CAPITALS(WORD_3, CAPITALS_3, 0),
    [CAPITALS_3] = CAPITALS(WORD_4, CAPITALS_4, 0),
    [CAPITALS_4] = CAPITALS(WORD_5, CAPITALS_5, 0),
    [CAPITALS_5] = CAPITALS(WORD_6, CAPITALS_6, 0),
    [CAPITALS_6] = CAPITALS(WORD_7, CAPITALS_7, 0),
    [CAPITALS_7] = CAPITALS(WORD_7, CAPITALS_7, letter_pieces),
    [DIGITS_1] = AFTER(STEP(DIGITS_2, 0), NEW_MARK, NEW_BLANK, NEW_LINE),
    [DIGITS_2] = AFTER(STEP(DIGITS_3, 0), NEW_MARK, NEW_BLANK, NEW_LINE),
    [DIGITS_3] = AFTER(NEW_DIGIT, NEW_MARK, NEW_BLANK, NEW_LINE),
    [MARKS] = AFTER(NEW_DIGIT, MORE_MARKS, NEW_BLANK, NEW_LINE),
    [BLANKS_1] = AFTER(NEW_DIGIT, NEW_MARK, INDENT, NEW_LINE),
    [BLANKS_2] = AFTER(NEW_DIGIT, NEW_MARK, STEP(BLANKS_2, 0), NEW_LINE),
    [LINES] = AFTER(NEW_DIGIT, NEW_MARK, STEP(LINES, 0), STEP(LINES, 0)),
};

void
inf_estimate_add_text(inf_estimate_prompt *prompt, const char *text,
                      size_t size)
{
  unsigned state = START;
  uint64_t pieces = 0, wide_bytes = 0;
  for (size_t i = 0; i < size; i++) {
    kind next = kind_of(text[i]);
    unsigned step = steps[state][next];
    state = step >> 8;
    pieces += step & 0xff;
    wide_bytes += next == WIDE;
  }
  prompt->pieces += pieces;
  prompt->wide_bytes += wide_bytes;
}

void
inf_estimate_add_bytes(inf_estimate_prompt *prompt, uint64_t size)
{
  const uint64_t size_max = 1ull << 48;
  prompt->pieces += (size < size_max ? size : size_max) * piece_scale / 4;
}

void
inf_estimate_add_message(inf_estimate_prompt *prompt)
{
  prompt->pieces += (uint64_t)message_tokens * piece_scale;
}

/* ---- Least squares ------------------------------------------------------ */

/* Where the element of row i and column j <= i stands in a lower triangle. */
static int
place(int i, int j)
{
  return i * (i + 1) / 2 + j;
}

static double
prior_weight(int i)
{
  double ratio = noise / prior_deviation[i];
  return ratio * ratio;
}

/* The normal equations, with the prior in them, as L L^T (Cholesky). What is
 * under a root is never less than the prior's weight, but for rounding. */
static void
factorise(const inf_estimate *estimate, double lower[INF_ESTIMATE_PRODUCTS])
{
  for (int i = 0; i < unknowns; i++) {
    for (int j = 0; j <= i; j++) {
      double rest = estimate->matrix[place(i, j)];
      for (int k = 0; k < j; k++)
        rest -= lower[place(i, k)] * lower[place(j, k)];
      if (j < i)
        lower[place(i, j)] = rest / lower[place(j, j)];
      else
        lower[place(i, i)] = sqrt((rest > 0 ? rest : 0) + prior_weight(i));
    }
  }
}

/* out = L^-1 in */
static void
forward(const double lower[INF_ESTIMATE_PRODUCTS], const double *in,
        double *out)
{
  for (int i = 0; i < unknowns; i++) {
    double rest = in[i];
    for (int k = 0; k < i; k++)
      rest -= lower[place(i, k)] * out[k];
    out[i] = rest / lower[place(i, i)];
  }
}

/* Expected tokens of a row, and how uncertain (one deviation, in tokens) they
 * are for the want of answers. */
typedef struct forecast {
  double tokens, deviation;
} forecast;

/* With z = L^-1 x and y = L^-1 v the solution's forecast x theta is z y, and
 * its variance x (L L^T)^-1 x is z z. */
static forecast
expect(const inf_estimate *estimate, const double row[unknowns])
{
  double lower[INF_ESTIMATE_PRODUCTS] = {0}, v[unknowns];
  double y[unknowns] = {0}, z[unknowns] = {0};
  factorise(estimate, lower);
  for (int i = 0; i < unknowns; i++)
    v[i] = estimate->vector[i] + prior_weight(i) * prior[i];
  forward(lower, row, z);
  forward(lower, v, y);
  double tokens = 0, square = 0;
  for (int i = 0; i < unknowns; i++) {
    tokens += z[i] * y[i];
    square += z[i] * z[i];
  }
  /* Whatever was learned, no tokenizer is eight times as good. */
  double least = 1 + (row[0] + row[1] * prior[1]) / 8;
  return (forecast){tokens < least ? least : tokens, noise * sqrt(square)};
}

static void
row_of(const inf_estimate_prompt *prompt, double row[unknowns])
{
  row[0] = (double)prompt->pieces / piece_scale;
  row[1] = (double)prompt->wide_bytes;
  row[2] = 1;
  row[3] = prompt->has_tools ? 1 : 0;
}

/* ---- Input -------------------------------------------------------------- */

uint64_t
inf_estimate_input(const inf_estimate *estimate,
                   const inf_estimate_prompt *prompt)
{
  double row[unknowns];
  row_of(prompt, row);
  double tokens =
      expect(estimate, row).tokens + (double)prompt->known_tokens + 0.5;
  return (uint64_t)(tokens < tokens_max ? tokens : tokens_max);
}

static void
weigh(inf_estimate *estimate, double factor)
{
  for (int i = 0; i < INF_ESTIMATE_PRODUCTS; i++)
    estimate->matrix[i] *= factor;
  for (int i = 0; i < unknowns; i++)
    estimate->vector[i] *= factor;
}

/* How much an answer counts that is so many deviations off. */
static double
trust(inf_estimate *estimate, double deviations)
{
  double ratio = deviations / strange_deviations;
  if (ratio >= -1 && ratio <= 1) {
    estimate->strange = 0;
    return 1;
  }
  int32_t sign = ratio > 0 ? 1 : -1;
  if (estimate->strange * sign < 0)
    estimate->strange = 0;
  estimate->strange += sign;
  if (estimate->strange * sign < strange_run)
    return 1 / (1 + ratio * ratio);
  /* It is a new model under the old name: what was learned is worth little. */
  weigh(estimate, 1.0 / 8);
  estimate->strange = 0;
  return 1;
}

void
inf_estimate_learn_input(inf_estimate *estimate,
                         const inf_estimate_prompt *prompt,
                         uint64_t input_tokens)
{
  double row[unknowns];
  row_of(prompt, row);
  double tokens = (double)input_tokens - (double)prompt->known_tokens;
  if (input_tokens == 0 || tokens <= 0 || tokens > tokens_max ||
      row[0] > tokens_max || row[1] > tokens_max)
    return;
  forecast expected = expect(estimate, row);
  double scale = noise * expected.tokens;
  double deviation =
      sqrt(scale * scale + expected.deviation * expected.deviation);
  double weight = trust(estimate, (tokens - expected.tokens) / deviation);
  weigh(estimate, 1 - forgetting * weight);
  /* Relative errors: in terms of what was expected, as to divide by what was
   * seen would prefer estimates that are too low. */
  double unit = tokens > 2 * expected.tokens ? tokens : expected.tokens;
  for (int i = 0; i < unknowns; i++) {
    for (int j = 0; j <= i; j++)
      estimate->matrix[place(i, j)] += weight * row[i] / unit * row[j] / unit;
    estimate->vector[i] += weight * row[i] / unit * tokens / unit;
  }
  if (estimate->answers < UINT32_MAX)
    estimate->answers++;
}

/* ---- Output ------------------------------------------------------------- */

/* Of a class the last 64 to 128 answers count; of fewer than 8 in a class
 * those of all classes are taken, and of fewer than 8 in all what 95 % of the
 * answers in the public trace of conversations stay below, and their mean. */
enum {
  lengths_max = 128,
  lengths_enough = 8,
  unknown_output = 512,
  unknown_mean = 211,
};

static int
class_of(uint64_t max_tokens)
{
  if (max_tokens == 0 || max_tokens > 2048)
    return 2;
  return max_tokens <= 256 ? 0 : 1;
}

/* 0 for less than 32; then four bins for each factor of 2: the quarter of the
 * octave is in the two bits below the first one. */
static int
bin_of(uint64_t tokens)
{
  int bin = 0;
  for (; tokens >= 64 && bin < INF_ESTIMATE_BINS; tokens /= 2)
    bin += 4;
  if (tokens >= 32)
    bin += 1 + (int)((tokens - 32) / 8);
  return bin < INF_ESTIMATE_BINS ? bin : INF_ESTIMATE_BINS - 1;
}

/* The least length in the bin. */
static uint64_t
bin_start(int bin)
{
  if (bin == 0)
    return 0;
  return (32 + 8 * (uint64_t)((bin - 1) % 4)) << ((bin - 1) / 4);
}

/* The lengths that tell most of a request's answer. */
typedef struct histogram {
  uint32_t counts[INF_ESTIMATE_BINS], total;
} histogram;

static void
add_class(histogram *to, const inf_estimate *estimate, int class)
{
  for (int bin = 0; bin < INF_ESTIMATE_BINS; bin++) {
    to->counts[bin] += estimate->lengths[class][bin];
    to->total += estimate->lengths[class][bin];
  }
}

/* Those of its class, or of all; none if there are too few. */
static histogram
lengths_of(const inf_estimate *estimate, uint64_t max_tokens)
{
  histogram own = {0}, all = {0};
  add_class(&own, estimate, class_of(max_tokens));
  if (own.total >= lengths_enough)
    return own;
  for (int class = 0; class < INF_ESTIMATE_CLASSES; class ++)
    add_class(&all, estimate, class);
  return all.total >= lengths_enough ? all : (histogram){0};
}

/* The 80 % quantile, taking a bin's answers as evenly spread in it. */
static uint64_t
quantile(const histogram *of)
{
  uint32_t fifths = 4 * of->total, below = 0; /* in fifths of an answer */
  int bin = 0;
  while (below + 5 * of->counts[bin] < fifths)
    below += 5 * of->counts[bin++];
  uint64_t start = bin_start(bin), width = bin_start(bin + 1) - start;
  uint64_t inside = fifths - below, all = 5ull * of->counts[bin];
  return start + (width * inside + all - 1) / all;
}

static uint64_t
mean(const histogram *of)
{
  uint64_t sum = 0;
  for (int bin = 0; bin < INF_ESTIMATE_BINS; bin++)
    sum += of->counts[bin] * ((bin_start(bin) + bin_start(bin + 1)) / 2);
  return sum / of->total;
}

static uint64_t
at_most(uint64_t tokens, uint64_t max_tokens)
{
  if (max_tokens > 0 && tokens > max_tokens)
    return max_tokens;
  return tokens > 0 ? tokens : 1;
}

uint64_t
inf_estimate_output(const inf_estimate *estimate, uint64_t max_tokens)
{
  histogram lengths = lengths_of(estimate, max_tokens);
  return at_most(lengths.total > 0 ? quantile(&lengths) : unknown_output,
                 max_tokens);
}

uint64_t
inf_estimate_mean_output(const inf_estimate *estimate, uint64_t max_tokens)
{
  histogram lengths = lengths_of(estimate, max_tokens);
  return at_most(lengths.total > 0 ? mean(&lengths) : unknown_mean, max_tokens);
}

void
inf_estimate_learn_output(inf_estimate *estimate, uint64_t max_tokens,
                          uint64_t output_tokens)
{
  if (output_tokens == 0)
    return;
  uint8_t *lengths = estimate->lengths[class_of(max_tokens)];
  lengths[bin_of(output_tokens)]++;
  uint32_t total = 0;
  for (int bin = 0; bin < INF_ESTIMATE_BINS; bin++)
    total += lengths[bin];
  if (total < lengths_max)
    return;
  for (int bin = 0; bin < INF_ESTIMATE_BINS; bin++)
    lengths[bin] /= 2;
}
