/* SPDX-License-Identifier: MIT */
/* The layer that throws; an empty file where there are no exceptions. */
#include "check.hpp"
#include "world.hpp"

#if INFER_HPP_EXCEPTIONS

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

using namespace infer;
using namespace std::chrono_literals;

/* Of this thread's next allocations the one that fails; 0: none. Not inlined:
 * gcc would take the two halves for a new with a free. */
static thread_local int failing_allocation;

[[gnu::noinline]] void *
operator new(std::size_t size)
{
  void *memory = nullptr;
  if (failing_allocation == 0 || --failing_allocation > 0)
    memory = std::malloc(size > 0 ? size : 1);
  if (!memory)
    throw std::bad_alloc();
  return memory;
}

[[gnu::noinline]] void
operator delete(void *memory) noexcept
{
  std::free(memory);
}

[[gnu::noinline]] void
operator delete(void *memory, std::size_t) noexcept
{
  std::free(memory);
}

/* The status that something throws; ok if it does not. */
template <typename Do>
static Status
thrown(Do something)
{
  try {
    something();
  } catch (const Exception &exception) {
    CHECK_EQ(exception.what(), exception.error().message());
    return exception.status();
  }
  return Status::ok;
}

TEST(failures_are_thrown)
{
  Client client(world::config());
  CHECK_EQ(client.chat(world::request("sim/good")).text(),
           "Hello from the simulator.");
  CHECK_EQ(thrown([&] { client.chat(world::request("sim/down")); }),
           Status::overloaded);
  CHECK_EQ(thrown([&] { client.chat(Request("").user("x")); }),
           Status::invalid_argument);
  CHECK_EQ(thrown([&] { client.stream(world::request("nobody")); }),
           Status::config);
  CHECK_EQ(thrown([&] { client.plan(world::request("nobody")); }),
           Status::config);
  CHECK_EQ(thrown([&] { client.prewarm("nobody"); }), Status::config);
  CHECK_EQ(thrown([&] { client.reload(Config().set("nothing", 1)); }),
           Status::config);
  CHECK_EQ(thrown([] { Config().set("nothing", 1).check(); }), Status::config);
  CHECK_EQ(thrown([] { Config::from_json("{").json(); }), Status::config);
  CHECK_EQ(thrown([] { Client none(Config().set("nothing", 1)); }),
           Status::config);
  CHECK_EQ(thrown([] { Result<int>(Error(Status::io)).value(); }), Status::io);
  CHECK_EQ(thrown([] { Result<void>(Error(Status::io)).value(); }), Status::io);
  CHECK(thrown([&] { client.models("nobody"); }) != Status::ok);
  CHECK_EQ(client.models("sim").size(), 2);
  CHECK_EQ(thrown([&] { client.submit_models("nobody"); }), Status::config);
  Call models = client.submit_models("sim");
  CHECK_EQ(thrown([&] { models.wait(), models.models(); }), Status::ok);
  CHECK_EQ(models.models().size(), 2);
  Queue queue = client.queue();
  CHECK(client.submit_models("sim", queue, 5) && queue.poll()->tag() == 5);
  CHECK_EQ(client.plan(world::request("again")).size(), 2);
  CHECK_EQ(client.stats().find(R"({"hedging":{},"spend":{)"), 0);
  CHECK(!client.metrics().empty());
  CHECK_EQ(client.prewarm("sim", 5s).size(), 1);
  CHECK(!options_manual().empty() && !Request("m").user("x").json().empty());
  Call call = client.submit(world::request("sim/good"));
  CHECK_EQ(call.wait().finish_reason(), "stop");
}

TEST(exceptions_keep_the_error)
{
  Client client(world::config());
  try {
    client.chat(world::request("sim/down"));
    CHECK(false);
  } catch (const std::exception &exception) {
    auto &ours = dynamic_cast<const Exception &>(exception);
    Exception copy = ours;
    CHECK_EQ(copy.error().request_id(), "req-7");
    CHECK_EQ(copy.error().attempts().size(), 1);
  }
}

TEST(stream_throws_in_place_of_a_failed_end)
{
  Client client(world::config());
  std::string text;
  int dones = 0;
  Status status = thrown([&] {
    for (const auto &event : client.stream(world::request("sim/cut"))) {
      text.append(event.type() == EventType::text ? event.text() : "");
      dones += event.type() == EventType::done;
    }
  });
  CHECK_EQ(status, Status::truncated);
  CHECK(text.find("Hello") == 0 && dones == 0);
  for (const auto &event : client.stream(world::request("sim/good")))
    dones += event.type() == EventType::done;
  CHECK_EQ(dones, 1);
  Stream stream = client.stream(world::request("sim/cut"));
  CHECK_EQ(thrown([&] { stream.result(); }), Status::truncated);
}

TEST(stream_that_was_cancelled_does_not_throw)
{
  Client client(world::config());
  Stream stream = client.stream(world::request("sim/slow"));
  Status status = Status::ok;
  for (const auto &event : stream) {
    stream.cancel();
    if (event.type() == EventType::done)
      status = event.status();
  }
  CHECK_EQ(status, Status::cancelled);
}

TEST(exception_within_the_loop_cancels_the_call)
{
  Client client(world::config());
  world::reset();
  try {
    for (const auto &event : client.stream(world::request("sim/slow")))
      if (event.type() == EventType::text)
        throw std::runtime_error("enough");
    CHECK(false);
  } catch (const std::runtime_error &) {
  }
  while (world::is_driven() && client.next_timeout() == 0ns)
    client.drive(0ms);
  CHECK(world::log(1).find("\"client_closed\"") != std::string::npos);
}

TEST(exception_of_a_callback_comes_out)
{
  Client client(world::config());
  int events = 0;
  auto shared = std::make_shared<int>(0);
  try {
    client.chat(world::request("sim/slow"), [&](EventView) {
      events++;
      throw shared;
    });
    CHECK(false);
  } catch (const std::shared_ptr<int> &caught) {
    CHECK(caught == shared);
  }
  CHECK_EQ(events, 1);
  CHECK_EQ(shared.use_count(), 1);
  CHECK_EQ(client.chat(world::request("sim/good")).finish_reason(), "stop");
}

TEST(exception_of_a_hook_is_dropped)
{
  std::atomic<int> runs{0};
  auto fail = [&runs](auto...) {
    runs++;
    throw std::runtime_error("from a hook");
  };
  Config config = world::config();
  config.on_log(LogLevel::trace, fail).on_attempt(fail).on_call(fail);
  Client client(config);
  Queue queue = client.queue();
  queue.set_wakeup(fail);
  client.submit(world::request("again"), queue);
  bool done = false;
  while (!done)
    done = queue.poll()->type() == EventType::done;
  client.close(5s);
  CHECK(runs >= 4);
}

TEST(poll_gives_nothing_at_a_timeout_and_the_end)
{
  Client client(world::config());
  Queue queue = client.queue();
  CHECK(!queue.poll(0ms));
  client.submit(world::request("sim/good"), queue, 9);
  CHECK_EQ(queue.poll()->tag(), 9);
  client.close();
  while (queue.poll())
    continue;
  Queue moved = std::move(queue);
  CHECK_EQ(thrown([&] { queue.poll(); }), Status::invalid_argument);
}

TEST(environment_without_keys_is_told)
{
  unsetenv("OPENAI_API_KEY");
  unsetenv("CLARIFAI_PAT");
  CHECK_EQ(thrown([] { Client client; }), Status::config);
}

/* Where memory is short the Config has the source or has it not. */
TEST(token_source_is_kept_whole_or_not_at_all)
{
  bool failed = true;
  for (int nth = 1; failed; nth++) {
    auto asked = std::make_shared<int>(0);
    Config config = world::config();
    TokenSource source = [asked](TokenRequest request) {
      CHECK(asked.use_count() > 1);
      ++*asked;
      request.deliver("t");
    };
    failing_allocation = nth;
    try {
      config.token_source("sim", std::move(source));
      failed = failing_allocation <= 0;
    } catch (const std::bad_alloc &) {
    }
    CHECK(!failed || failing_allocation == 0);
    failing_allocation = 0;
    source = nullptr;
    Client client(config);
    CHECK(client.try_chat(world::request("sim/good")));
    client.close(5s);
    CHECK(failed || *asked == 1);
  }
}

#endif
