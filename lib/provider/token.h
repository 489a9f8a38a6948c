/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_TOKEN_H
#define INF_PROVIDER_TOKEN_H

#include "base/rng.h"
#include "provider/failure.h"

/* A credential that expires: an access token of Google, one of Entra, or the
 * temporary keys of AWS, wherever they come from. What is known of it, whether
 * it may be sent, and when the next one has to be had. The clock and the dice
 * are the caller's; one thread at a time.
 *
 * The text has its memory once and for all, so that a forked child can wipe it
 * at any moment (inf_token_wipe). */

/* Longest token: those of Entra with many groups have 8 KiB. */
#define INF_TOKEN_MAX_BYTES ((size_t)16 << 10)
/* How long one lives of which nobody says: it is not renewed by the clock, only
 * when it is refused. */
#define INF_TOKEN_NO_END INT64_MAX

typedef struct inf_token {
  inf_buf text;    /* "": none */
  uint64_t serial; /* of the text: never used again; 0: there was none yet */
  /* Of the clock that now_ns is of. */
  uint64_t refresh_ns, end_ns; /* a new one is to be had; it is not sent any
                                * more: both ahead of its real end */
  uint64_t retry_ns;           /* none is asked for before */
  uint64_t refused_ns;         /* when one was last dropped for a refusal */
  unsigned failures;   /* questions without a token, one after another */
  bool asking;         /* one is under way */
  bool used;           /* this text was sent */
  bool accepted;       /* and not refused */
  inf_failure failure; /* of the last question */
} inf_token;

typedef enum inf_token_need {
  INF_TOKEN_USE,
  INF_TOKEN_USE_AND_ASK,
  INF_TOKEN_ASK,
  INF_TOKEN_WAIT,   /* for the question that is under way */
  INF_TOKEN_FAILED, /* there is none, and it is too early to ask again */
} inf_token_need;

void inf_token_init(inf_token *token);
void inf_token_fini(inf_token *token);
/* Overwrites the text; in a forked child. */
void inf_token_wipe(inf_token *token);

inf_token_need inf_token_look(const inf_token *token, uint64_t now_ns);
/* When it is to be renewed though nobody asks for it now: at refresh_ns, if it
 * was used since it came. INF_NEVER: not by itself. */
uint64_t inf_token_due_ns(const inf_token *token);

/* The question is over, with this text for so long from from_ns on. INFER_OK;
 * INFER_E_PROTOCOL for what cannot stand in a header; INFER_E_NO_MEMORY. Then
 * token->failure says so, and a text that is still good stays. */
int32_t inf_token_take(inf_token *token, inf_sv text, int64_t life_s,
                       uint64_t from_ns, uint64_t now_ns, inf_rng *rng);
/* The question is over, without one. status is the class of why. */
void inf_token_fail(inf_token *token, int32_t status, const char *message,
                    uint64_t now_ns);
/* The same with token->failure as it was filled in already. */
void inf_token_note_failure(inf_token *token, uint64_t now_ns);
/* The provider took it, or refused it. Refused: true if the same request is
 * worth another try: this text is not at hand any more, or it is and was
 * dropped. False: a new one would be refused as well, for the last one was. */
void inf_token_accepted(inf_token *token, uint64_t serial);
bool inf_token_refused(inf_token *token, uint64_t serial, uint64_t now_ns);
/* Whoever could mend it may have done so: it may be asked for at once. */
void inf_token_forgive(inf_token *token);

#endif
