/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GUESS_H
#define INF_PROVIDER_GUESS_H

#include "base/buf.h"
#include "wire/swar.h"

/* The chunks of a stream are nearly all alike: id, model, time and framing
 * repeat to the byte and only one or two strings differ. So the last chunk is
 * kept as a template with holes where those strings were. A chunk that
 * equals it byte for byte outside the holes, and has a valid string in each,
 * says the same as the last one but for those strings; it need not be read
 * in full.
 *
 * The reader of a dialect decides which chunks make a template: only those
 * whose other members, taken twice, change nothing (see
 * inf_guess_spoil()). With that the guess gives what the full reading gives;
 * a test compares both over all recordings and variants of them. */

typedef enum inf_hole_kind {
  INF_HOLE_TEXT,
  INF_HOLE_REASONING,
  /* Says nothing: random text against traffic analysis. With a name only
   * while inf_is_padding(). */
  INF_HOLE_PADDING,
  INF_HOLE_NUMBER, /* an integer that is not negative, of at most 18 digits */
} inf_hole_kind;

#define INF_GUESS_MAX_HOLES 8

typedef struct inf_hole {
  inf_hole_kind kind;
  const char *name; /* of the member; may be NULL */
  /* Of the string, quotes included, or the number; an event has at most
   * 64 MiB. */
  uint32_t start, end;
} inf_hole;

/* A template whose first hole is a text and whose others, one at least, are
 * numbers, as a run of chunks is held against it, where all lengths but the
 * text's are as in the template: after the text, bytes that are the same; then
 * a stretch up to the last digit, in which each byte has a range; then bytes
 * that are the same. Offsets of the template, unless it is said otherwise. */
enum { INF_GUESS_MAX_RANGES = 256 }; /* a multiple of 16 */

typedef struct inf_guess_number {
  size_t end;      /* from the end of the text to behind its last digit */
  uint64_t digits; /* what of the eight bytes before that are its digits */
} inf_guess_number;

typedef struct inf_guess_layout {
  bool usable; /* false: another kind of template, or one with long numbers */
  size_t head; /* length of what stands before the text, its quote included */
  size_t same, same_len;
  size_t range_count; /* a multiple of 16 */
  size_t tail, tail_len;
  size_t after; /* length of all that comes after the text */
  size_t count;
  inf_guess_number numbers[INF_GUESS_MAX_HOLES - 1];
  char low[INF_GUESS_MAX_RANGES], span[INF_GUESS_MAX_RANGES];
  /* What stands between the last number of an event and the text of the next,
   * where lines end with CRLF; empty without memory. */
  inf_buf seam;
} inf_guess_layout;

typedef struct inf_guess {
  inf_buf text; /* the template */
  inf_hole holes[INF_GUESS_MAX_HOLES];
  size_t hole_count;
  /* Made with the first template that has one, for few dialects' do: NULL, and
   * not usable, until then and without memory. */
  inf_guess_layout *layout;
  uint32_t choice;
  bool ready;
  bool spoiled;
  inf_sv reading;                  /* the chunk that is being read in full */
  inf_buf head;                    /* see inf_guess_set_head() */
  size_t head_name, head_name_len; /* where in it the name stands */
} inf_guess;

void inf_guess_init(inf_guess *guess);
void inf_guess_fini(inf_guess *guess);
/* Forgets the template, for another stream; its memory is kept. */
void inf_guess_reuse(inf_guess *guess);

/* A chunk is going to be read in full: forgets the template. */
void inf_guess_begin(inf_guess *guess, inf_sv chunk);
/* A string in it, or a number, that the next chunk may have otherwise. Values
 * are told in any order and matched in that of the text. */
void inf_guess_hole(inf_guess *guess, inf_hole_kind kind, inf_sv value,
                    const char *name);
/* The chunk says something that must not be taken twice. */
void inf_guess_spoil(inf_guess *guess);
/* Read: makes it the template if it is fit for one. */
void inf_guess_end(inf_guess *guess, uint32_t choice);

/* Chunks that are no templates, too, mostly begin alike: with members that say
 * something of the whole answer. Such a beginning, from the bracket to the
 * value of the first other member, and the name of that, is kept until the
 * next, or "" for none. What it says has been taken, so that of a chunk that
 * begins with it only the rest is read. */
void inf_guess_set_head(inf_guess *guess, inf_sv head, inf_sv name);
/* Length of the head if the chunk begins with it, else 0; the name as it stands
 * in the chunk. */
size_t inf_guess_match_head(const inf_guess *guess, inf_sv chunk, inf_sv *name);

/* A text ends there: do the same bytes follow, and numbers as long as the
 * template's? The rest, from layout->tail on, is not looked at. There are
 * layout->after bytes. */
static inline bool
inf_guess_match_numbers(const inf_guess *guess, const char *at)
{
  const inf_guess_layout *layout = guess->layout;
  return memcmp(at, guess->text.ptr + layout->same, layout->same_len) == 0 &&
         inf_swar_in_ranges(at + layout->same_len, layout->low, layout->span,
                            layout->range_count);
}

/* What such a number says: four pairs of digits, two pairs of those, and those
 * two. */
static inline int64_t
inf_guess_number_of(const inf_guess_number *number, const char *at)
{
  uint64_t word = inf_swar_load(at + number->end - 8) & number->digits;
  word = word * (10ull * 256 + 1) >> 8;
  word = (word & 0x00ff00ff00ff00ff) * (100ull * 65536 + 1) >> 16;
  word = (word & 0x0000ffff0000ffff) * (10000ull * 4294967296 + 1) >> 32;
  return (int64_t)word;
}

typedef struct inf_filling {
  inf_sv value; /* the string, quotes included, or the number */
  bool ascii;   /* it is plain ASCII: nothing in it to decode */
} inf_filling;

/* Does the text begin with a chunk that fits the template? Gives the length of
 * that, and in fillings[i] the string in holes[i]; 0 if it does not. */
size_t inf_guess_match(const inf_guess *guess, inf_sv text,
                       inf_filling fillings[INF_GUESS_MAX_HOLES]);

/* The same of a whole event: one line of data, and the empty line after it. Its
 * length, at most max_bytes without the end; 0 if the text does not begin with
 * one that fits. */
size_t inf_guess_match_event(const inf_guess *guess, inf_sv text,
                             size_t max_bytes,
                             inf_filling fillings[INF_GUESS_MAX_HOLES]);

/* The data of such an event. */
inf_sv inf_guess_event_data(inf_sv event);
/* Makes it the template; fillings: what the chunk, which fits the one there
 * is, has in its holes. */
void inf_guess_renew(inf_guess *guess, inf_sv chunk,
                     const inf_filling fillings[INF_GUESS_MAX_HOLES]);

/* Is the string value padding as some services send it under "p": a beginning
 * of "abc...xyzABC...XYZ0...9"? */
bool inf_is_padding(inf_sv value);

#endif
