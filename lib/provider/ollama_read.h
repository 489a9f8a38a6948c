/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_OLLAMA_READ_H
#define INF_PROVIDER_OLLAMA_READ_H

#include "infer/provider.h"

/* The reading side of Ollama's own chat API, in terms of infer/provider.h, as a
 * plug-in has it: what a built-in dialect needs, a plug-in has too. (The
 * dialects whose streams are read by their likeness stay below it.) */
extern const infer_provider_descriptor inf_ollama_hooks;

#endif
