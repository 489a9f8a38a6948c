/* SPDX-License-Identifier: MIT */
/* A program outside the source tree: sees the installed header and links the
 * installed library, nothing else. */
#include <infer/infer.hpp>

#include <cstdio>

std::size_t quiet_length(const char *text);

int
main()
{
  infer::Request request = infer::Request("openai/gpt-4o-mini").user("hello");
  if (infer::version() != INFER_VERSION) {
    std::fprintf(stderr, "header %s, library %s\n", INFER_VERSION,
                 infer::version().data());
    return 1;
  }
  try {
    infer::Client client(infer::Config().set("no_such_option", 1));
    return 1;
  } catch (const infer::Exception &exception) {
    if (exception.status() != infer::Status::config)
      return 1;
  }
  if (request.json().size() != quiet_length("hello"))
    return 1;
  std::printf("%s\n", infer::version().data());
  return 0;
}
