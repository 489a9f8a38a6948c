/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_MODEL_TABLE_H
#define INF_TOOLS_MODEL_TABLE_H

/* Prints what the library knows of models, one a line; of those of one type of
 * provider unless type is NULL. The exit code of the program. */
int inf_print_model_table(const char *type);

#endif
