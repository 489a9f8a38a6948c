/* SPDX-License-Identifier: MIT */
/* An answer that is printed as it comes.
 *
 *   c++ -std=c++17 stream.cpp -o stream $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./stream openai/gpt-4o-mini "Tell me a story."
 *   INFER_CONFIG=infer.json ./stream fast "Tell me a story." */

#include <infer/infer.hpp>

#include <cstdlib>
#include <iostream>

static infer::Client
open_client()
{
  const char *path = std::getenv("INFER_CONFIG");
  return path ? infer::Client(infer::Config::from_file(path)) : infer::Client();
}

/* Types that the program does not know are left alone: later versions of the
 * library may add some. */
static void
print(const infer::Event &event)
{
  switch (event.type()) {
  case infer::EventType::text:
    std::cout << event.text() << std::flush;
    break;
  case infer::EventType::restart:
    /* Only a route with "recovery": "restart" or "continue" does this: what was
     * printed so far is void, a whole new answer follows. */
    std::cout << "\n[starting over: " << event.text() << "]\n";
    break;
  case infer::EventType::done:
    std::cout << "\n(finish reason: " << event.response().finish_reason()
              << ")\n";
    break;
  default:
    break;
  }
}

int
main(int argc, char **argv)
{
  const char *model = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
  const char *prompt = argc > 2 ? argv[2] : "Tell me a story.";
  try {
    infer::Client client = open_client();
    for (const auto &event : client.stream(infer::Request(model).user(prompt)))
      print(event);
  } catch (const infer::Exception &exception) {
    /* A cut answer is never reported as a success. What had come stands in
     * exception.error().partial(). */
    std::cerr << "\n"
              << infer::status_text(exception.status()) << ": "
              << exception.what() << "\n";
    return 1;
  }
  return 0;
}
