/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_CATALOGUE_H
#define INF_PROVIDER_CATALOGUE_H

#include "provider/dialect.h"

/* The tables that the catalogue is made of, data and nothing else. Others read
 * it by inf_provider_kind_at() and _find(). */

/* Services whose language is not Chat Completions, and their other doors. */
extern const inf_provider_kind inf_catalogue_languages[];
extern const size_t inf_catalogue_language_count;
/* Services on the network that speak Chat Completions or are near to it. */
extern const inf_provider_kind inf_catalogue_services[];
extern const size_t inf_catalogue_service_count;
/* Clouds and gateways, most of which have an address of one's own. */
extern const inf_provider_kind inf_catalogue_clouds[];
extern const size_t inf_catalogue_cloud_count;
/* Servers that one runs oneself. Their base_url is where they listen unless
 * told otherwise. */
extern const inf_provider_kind inf_catalogue_servers[];
extern const size_t inf_catalogue_server_count;

#endif
