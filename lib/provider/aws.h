/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_AWS_H
#define INF_PROVIDER_AWS_H

#include "provider/sigv4.h"

/* What an account's key and address say of AWS. Views, not copies. Pure. */

/* A key that is an identity to sign with, "access key id:secret access key"
 * or, for temporary credentials, "...:session token": fills in these three.
 * False for anything else, as a Bedrock API key, which has no colon. */
bool inf_aws_credentials(inf_sv key, inf_sigv4_account *account);

/* The region in an address of AWS: "us-east-1" of
 * "https://bedrock-runtime.us-east-1.amazonaws.com/x"; also of VPC endpoints.
 * "" where it has none, or is not of AWS. */
inf_sv inf_aws_region_of(inf_sv url);

/* Adds what signs the request, a POST to url (without a body: a GET), to its
 * header lines: at the time given, for that region and service. Errors as
 * inf_sigv4_sign(), and INFER_E_INVALID_ARGUMENT without a region. */
int32_t inf_aws_sign(const inf_sigv4_account *account, inf_sv url, inf_sv body,
                     int64_t wall_ns, inf_buf *headers, inf_buf *why);

#endif
