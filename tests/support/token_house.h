/* SPDX-License-Identifier: MIT */
#ifndef TEST_TOKEN_HOUSE_H
#define TEST_TOKEN_HOUSE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "support/tiny_server.h"

/* A provider and the token server that goes with it, on one port: /token gives
 * out "ya29.token-1", "ya29.token-2", ...; everything else is a model that
 * answers "hi" in the language of its path to who shows a token that is good,
 * and 401 to everybody else. */
typedef enum house_mode {
  HOUSE_GOOD,
  HOUSE_DOWN,    /* 503 */
  HOUSE_RUBBISH, /* a page of a proxy, with 200 */
  HOUSE_REFUSES, /* 400, invalid_grant, and it quotes the assertion */
  HOUSE_HANGS,   /* no answer ever */
  HOUSE_RESETS,
} house_mode;

typedef struct token_house {
  tiny_server *server;
  pthread_mutex_t mutex;
  /* Of the token server. */
  house_mode mode;
  int delay_ms, life_s;
  int issued, token_requests;
  int64_t clock_s;      /* Date is that of its answers; 0: none is sent */
  char assertion[8192]; /* of the last request */
  /* Of the provider. */
  int least; /* the first token that is good */
  int chats, refusals;
  int skewed; /* 1: a signature of another time than clock_s is refused; 2:
               * all are, with a date that runs away */
  char path[512], authorization[512], api_key[128], body[4096];
  char amz_date[64], amz_token[256];
} token_house;

void house_start(token_house *house);
void house_stop(token_house *house);
/* A number of the house, and how to set one. */
int house_get(token_house *house, const int *number);
void house_set(token_house *house, int *number, int value);
void house_mode_set(token_house *house, house_mode mode);
/* Waits until the number is at least that; false after 5 s. */
bool house_await(token_house *house, const int *number, int least);

/* Writes DIR/NAME.json, a service account of this house with a new key, and
 * DIR/NAME.pub, its public key in PEM. */
void house_write_account(const token_house *house, const char *dir,
                         const char *name);
/* The same of any token server. */
void token_write_account(const char *token_uri, const char *dir,
                         const char *name);

#endif
