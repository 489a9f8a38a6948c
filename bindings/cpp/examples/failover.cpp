/* SPDX-License-Identifier: MIT */
/* Two providers behind one name: if the first one fails, the second answers.
 *
 *   c++ -std=c++17 failover.cpp -o failover \
 *     $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... CLARIFAI_PAT=... ./failover
 *
 * Other servers that speak the OpenAI protocol, and a model of each:
 *
 *   ./failover http://127.0.0.1:8000/v1 llama http://127.0.0.1:8001/v1 qwen */

#include <infer/infer.hpp>

#include <cstddef>
#include <iostream>
#include <string>

static infer::Config
services()
{
  return infer::Config()
      .set("providers.first.type", "openai")
      .set("providers.first.api_key", "env:OPENAI_API_KEY")
      .set("providers.second.type", "clarifai")
      .set("providers.second.api_key", "env:CLARIFAI_PAT")
      .set("providers.second.models.oss",
           "https://clarifai.com/openai/chat-completion/models/gpt-oss-120b")
      .set_json("routes.safe.targets", R"(["first/gpt-4o-mini", "second/oss"])")
      .set("routes.safe.timeouts.first_token_ms", 8000);
}

/* Addresses and models from the command line. */
static infer::Config
servers(char **argv)
{
  std::string targets =
      std::string("[\"first/") + argv[2] + "\",\"second/" + argv[4] + "\"]";
  return infer::Config()
      .set("providers.first.type", "openai")
      .set("providers.first.base_url", argv[1])
      .set("providers.second.type", "openai")
      .set("providers.second.base_url", argv[3])
      .set_json("routes.safe.targets", targets);
}

int
main(int argc, char **argv)
{
  try {
    infer::Client client(argc > 4 ? servers(argv) : services());
    infer::Response answer =
        client.chat(infer::Request("safe").user("Say hello."));
    std::size_t place = 0;
    for (infer::Attempt attempt : answer.attempts())
      std::cout << ++place << ". " << attempt.target() << " ("
                << attempt.reason_name() << "): "
                << (attempt.won() ? "answered"
                                  : infer::status_text(attempt.status()))
                << "\n";
    std::cout << answer.text() << "\n";
  } catch (const infer::Exception &exception) {
    std::cerr << infer::status_text(exception.status()) << ": "
              << exception.what() << "\n";
    return 1;
  }
  return 0;
}
