/* SPDX-License-Identifier: MIT */
/* One question, one answer.
 *
 *   c++ -std=c++17 chat.cpp -o chat $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./chat openai/gpt-4o-mini "What is a hedge?"
 *
 * With a configuration file, MODEL may be one of its routes:
 *
 *   INFER_CONFIG=infer.json ./chat fast "What is a hedge?" */

#include <infer/infer.hpp>

#include <cstdlib>
#include <iostream>

/* Without INFER_CONFIG: the providers whose keys are in the environment. */
static infer::Client
open_client()
{
  const char *path = std::getenv("INFER_CONFIG");
  return path ? infer::Client(infer::Config::from_file(path)) : infer::Client();
}

int
main(int argc, char **argv)
{
  const char *model = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
  const char *prompt = argc > 2 ? argv[2] : "Say hello.";
  try {
    infer::Client client = open_client();
    infer::Response answer = client.chat(infer::Request(model).user(prompt));
    std::cout << answer.text() << "\n(" << answer.target() << ", "
              << answer.usage(infer::Usage::total).value_or(0) << " tokens)\n";
  } catch (const infer::Exception &exception) {
    std::cerr << infer::status_text(exception.status()) << ": "
              << exception.what() << "\n";
    return 1;
  }
  return 0;
}
