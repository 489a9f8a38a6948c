/* SPDX-License-Identifier: MIT */
/* A program outside the source tree: sees the installed header and links the
 * installed library, nothing else. */
#include <infer/infer.h>

#include <stdio.h>
#include <string.h>

int
main(void)
{
  infer_request *request = NULL;
  if (strcmp(infer_version(), INFER_VERSION) != 0) {
    fprintf(stderr, "header %s, library %s\n", INFER_VERSION, infer_version());
    return 1;
  }
  if (infer_request_new(&request, "openai/gpt-4o-mini") != INFER_OK ||
      infer_request_add_message(request, "user", "hello") != INFER_OK) {
    fprintf(stderr, "cannot make a request\n");
    return 1;
  }
  infer_request_free(request);
  printf("%s\n", infer_version());
  return 0;
}
