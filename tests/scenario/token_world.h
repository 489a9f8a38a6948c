/* SPDX-License-Identifier: MIT */
#ifndef TEST_SCENARIO_TOKEN_WORLD_H
#define TEST_SCENARIO_TOKEN_WORLD_H

#include "world.h"

#include "support/token_house.h"

/* A world with a house that has a token server (token_house.h), and
 * $DIR/sa.json, a service account of it. */
extern world here;
extern token_house house;

int token_set_up(void **state);
/* Also checks that no token and no assertion was logged. */
int token_tear_down(void **state);

/* JSON with ' for ", $H for the house's address and $DIR. */
infer_config *config_of(const char *json);
void client_of(infer_config *config); /* takes it over */
void make_client(const char *json);
void reload(const char *json);

/* One call to p/m, whose trail is this, and whose error tells no token. */
void expect_trail(const char *trail);
void expect_counts(int token_requests, int chats);

#endif
