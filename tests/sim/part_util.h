/* SPDX-License-Identifier: MIT */
#ifndef TEST_SIM_PART_UTIL_H
#define TEST_SIM_PART_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim_script.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A script that must be right. */
static inline inf_sim_script *
read_script(const char *text)
{
  inf_buf error;
  inf_buf_init(&error, 4096);
  inf_sim_script *script = inf_sim_script_read(inf_sv_from(text), &error);
  if (!script)
    fail_msg("%s", inf_buf_cstr(&error));
  inf_buf_fini(&error);
  return script;
}

#endif
