/* SPDX-License-Identifier: MIT */
#ifndef PARCEL_H
#define PARCEL_H

#include <infer/provider.h>

/* The language of the Parcel service, for infer_config_add_provider_type(). */
const infer_provider_descriptor *parcel_provider(void);

#endif
