/* SPDX-License-Identifier: MIT */
/* 200 streams at once on one thread of the program, and a live count of them.
 *
 *   c++ -std=c++17 many.cpp -o many $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./many openai/gpt-4o-mini 200
 *   INFER_CONFIG=infer.json ./many fast 200
 *
 * It is written without exceptions, and compiles with -fno-exceptions. */

#include <infer/infer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

struct Count {
  std::size_t wanted, streaming = 0, ended = 0, failed = 0, bytes = 0;
};

struct Answer {
  std::string text;
  bool is_streaming = false;
};

static infer::Result<infer::Client>
open_client()
{
  const char *path = std::getenv("INFER_CONFIG");
  return path ? infer::Client::try_open(infer::Config::from_file(path))
              : infer::Client::try_open();
}

static void
show(const Count &count)
{
  std::fprintf(
      stderr, "\r%zu streaming, %zu of %zu ended, %zu failed, %zu bytes ",
      count.streaming, count.ended, count.wanted, count.failed, count.bytes);
}

static void
set_streaming(Answer &answer, bool is_streaming, Count &count)
{
  count.streaming -= answer.is_streaming;
  count.streaming += is_streaming;
  answer.is_streaming = is_streaming;
}

static void
take(const infer::Event &event, Answer &answer, Count &count)
{
  switch (event.type()) {
  case infer::EventType::start:
    set_streaming(answer, true, count);
    break;
  case infer::EventType::text:
    answer.text.append(event.text());
    count.bytes += event.text().size();
    break;
  case infer::EventType::restart:
    answer.text.clear();
    break;
  case infer::EventType::done:
    set_streaming(answer, false, count);
    count.ended++;
    if (event.status() != infer::Status::ok) {
      count.failed++;
      answer.text = event.error().message();
    }
    break;
  default:
    break;
  }
}

static int
fail(const infer::Error &error)
{
  std::fprintf(stderr, "%s\n", error.message().data());
  return 1;
}

int
main(int argc, char **argv)
{
  const char *model = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
  Count count{argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200};
  std::vector<Answer> answers(count.wanted);

  infer::Result<infer::Client> client = open_client();
  if (!client)
    return fail(client.error());
  infer::Result<infer::Queue> queue = client->try_queue();
  if (!queue)
    return fail(queue.error());
  for (std::size_t i = 0; i < count.wanted; i++) {
    std::string prompt = "What is " + std::to_string(i) + " times 7?";
    auto call =
        client->try_submit(infer::Request(model).user(prompt), *queue, i);
    if (!call)
      return fail(call.error()); /* the queue's end cancels the others */
  }
  while (count.ended < count.wanted) {
    infer::Result<infer::Event> event = queue->try_poll();
    if (!event)
      return fail(event.error());
    /* The tag tells the calls apart. */
    take(*event, answers[event->tag()], count);
    show(count);
  }
  std::fputc('\n', stderr);
  for (std::size_t i = 0; i < answers.size(); i++)
    std::printf("%zu: %s\n", i, answers[i].text.c_str());
  return count.failed == 0 ? 0 : 1;
}
