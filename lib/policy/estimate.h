/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_ESTIMATE_H
#define INF_POLICY_ESTIMATE_H

#include <stddef.h>
#include <stdint.h>

/* How many tokens a request will cost, before it is sent: so many are
 * reserved at the limiter, and settled when the provider says the number.
 *
 * Input. The text is read once and its pieces are counted as a tokenizer
 * would cut it: words (and their length beyond seven letters), groups of
 * three digits, runs of punctuation, of line ends and of indentation. What is
 * not ASCII is counted by its bytes. A model's tokenizer, its framing of the
 * chat and what it is told of tools are then learned as four numbers:
 *
 *   tokens = a * pieces + b * bytes that are not ASCII + c
 *            + d, if the request has tools
 *
 * Pieces rather than bytes, because bytes per token differ from 1.7 for
 * tables of figures to 4.4 for prose: the pieces follow a change of the mix
 * at once, where anything learned from bytes alone first has to be wrong.
 * (Median error over prose, code, JSON, tables, German and Chinese, with two
 * tokenizers: 4 %, against 13 % by bytes of the two kinds.)
 *
 * They are the solution of a least squares problem of relative errors,
 * in which each answer weighs 3 % less than the next, and which holds a
 * little knowledge from the beginning (Bayesian linear regression), so that
 * what the answers leave open stays sensible. An answer that is far from what
 * was expected, given what is known so far, counts for little (Cauchy's
 * weight); of six such in a row and in one direction the last is believed.
 *
 * Output. Of the answers to requests with about the same max_tokens the 80 %
 * quantile is reserved, never more than max_tokens. Why that: a reservation
 * that was too high is given back when the call is settled. By Little's law
 * it holds a constant amount of quota as long as calls are under way, which
 * delays the first calls of a rush and costs no throughput. One that was too
 * low lets calls out that the provider refuses, and a refusal costs a wait of
 * seconds. With the one four times as dear as the other the newsvendor's
 * quantile is 4 / (4 + 1). Above it the reservation grows fast (the longest
 * answers are many times the usual one), and the sum of many calls under way
 * needs no more: it varies far less than each of them. Providers that
 * themselves reserve max_tokens are not estimated: reserve max_tokens there.
 *
 * Everything is bounded: no number that a provider sends, or a caller passes,
 * overflows anything. Doubles, but only + - * / and sqrt, which IEEE 754
 * rounds exactly, and no contraction: the same numbers on every machine.
 * Zeroed memory is a model of which nothing is known. To read a text costs 2
 * to 3 ns a byte: where no limit counts tokens it can be saved. */

/* ---- A prompt ----------------------------------------------------------- */

typedef struct inf_estimate_prompt {
  uint64_t pieces;       /* in 1/64 of a token */
  uint64_t wide_bytes;   /* not ASCII */
  uint64_t known_tokens; /* images, audio: what the caller knows otherwise */
  uint8_t has_tools;     /* 1: the request defines some */
} inf_estimate_prompt;

/* Text of the request as the model sees it: messages, tool definitions. */
void inf_estimate_add_text(inf_estimate_prompt *prompt, const char *text,
                           size_t size);
/* Text of which only the length is known: four bytes a token. */
void inf_estimate_add_bytes(inf_estimate_prompt *prompt, uint64_t size);
/* The framing of one message: four tokens. */
void inf_estimate_add_message(inf_estimate_prompt *prompt);

/* ---- A model ------------------------------------------------------------ */

enum {
  INF_ESTIMATE_UNKNOWNS = 4,
  INF_ESTIMATE_PRODUCTS = 10, /* pairs of them */
  INF_ESTIMATE_CLASSES = 3,   /* of max_tokens */
  INF_ESTIMATE_BINS = 40,     /* four for a factor of 2, from 32 to 27,000 */
};

/* What is known of one model: 240 bytes. */
typedef struct inf_estimate {
  double matrix[INF_ESTIMATE_PRODUCTS]; /* lower triangle, row by row */
  double vector[INF_ESTIMATE_UNKNOWNS];
  uint32_t answers;
  int32_t strange; /* in a row; its sign is their direction */
  uint8_t lengths[INF_ESTIMATE_CLASSES][INF_ESTIMATE_BINS];
} inf_estimate;

/* At least 1. */
uint64_t inf_estimate_input(const inf_estimate *estimate,
                            const inf_estimate_prompt *prompt);
/* To be reserved. max_tokens 0: the request names none. */
uint64_t inf_estimate_output(const inf_estimate *estimate, uint64_t max_tokens);
/* The mean instead: for what is expected of many calls together, such as the
 * time until those that wait are done. */
uint64_t inf_estimate_mean_output(const inf_estimate *estimate,
                                  uint64_t max_tokens);

/* What it was: the whole prompt, with what came from a cache, and the whole
 * answer, with the reasoning. Of answers that came to their end only; 0 says
 * nothing. */
void inf_estimate_learn_input(inf_estimate *estimate,
                              const inf_estimate_prompt *prompt,
                              uint64_t input_tokens);
void inf_estimate_learn_output(inf_estimate *estimate, uint64_t max_tokens,
                               uint64_t output_tokens);

#endif
