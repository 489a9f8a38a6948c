/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_CLASSES_H
#define TESTS_CONFORMANCE_CLASSES_H

#include "base/sv.h"

#include <json-c/json.h>

/* The class that the failure table gives for the "error" of an expected.json.
 * body is the response's: some say why only in members that the expected error
 * leaves out, such as what a gateway passes on. */
int32_t test_class_of(json_object *error, inf_sv body);

#endif
