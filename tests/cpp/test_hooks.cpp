/* SPDX-License-Identifier: MIT */
/* Hooks: who hears what, and how long they live. */
#include "check.hpp"
#include "world.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

using namespace infer;
using namespace std::chrono_literals;

/* Lets a client work until something has come to be, for at most 5 s. */
template <typename Condition>
static bool
comes(Condition condition)
{
  for (int i = 0; i < 2500; i++) {
    if (condition())
      return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

TEST(telemetry_tells_of_attempts_and_calls)
{
  std::string told;
  Config config = world::config();
  config.on_attempt([&told](CallView call, Attempt attempt) {
    told.append(call.tag_value("job")).append(":");
    told.append(attempt.target()).append(" ");
  });
  config.on_call(
      [&told](CallView call, ResponseView response, ErrorView error) {
        told.append(call.tenant()).append(":");
        told.append(response ? response.target() : error.name()).append(" ");
        CHECK(!response != !error);
      });
  Client client = Client::try_open(config).value();
  CHECK(
      client.try_chat(world::request("again").tenant("acme").tag("job", "x")));
  CHECK(!client.try_chat(world::request("sim/down").tenant("b")));
  client = Client(std::move(client));
  CHECK_EQ(client.close(5s), Status::ok);
  CHECK_EQ(told, "x:sim/down x:sim/good acme:sim/good "
                 ":sim/down b:INFER_E_OVERLOADED ");
}

TEST(log_hears_lines)
{
  std::atomic<int> lines{0};
  Config config = world::config().on_log(
      LogLevel::trace, [&lines](LogLevel level, std::string_view line) {
        CHECK(level >= LogLevel::error && level <= LogLevel::trace);
        CHECK(!line.empty());
        lines++;
      });
  Client client = Client::try_open(config).value();
  CHECK(client.try_chat(world::request("again")));
  client.close();
  CHECK(lines > 0);
}

/* The hooks' captures are counted: alive as long as a client is, gone with the
 * last owner. */
TEST(hooks_live_as_long_as_they_may_run)
{
  auto shared = std::make_shared<std::atomic<int>>(0);
  auto count = [shared](auto...) { (*shared)++; };
  {
    Client first = Client::try_open(world::config()
                                        .on_log(LogLevel::trace, count)
                                        .on_attempt(count)
                                        .on_call(count))
                       .value();
    CHECK(shared.use_count() > 2);
    Client second = first.share();
    first = Client(std::move(second));
    CHECK(first.try_chat(world::request("sim/good")));
    CHECK(comes([&] { return *shared >= 2; }));
    Config later = world::config().on_call(count);
    CHECK(first.try_reload(later));
    CHECK(first.try_submit(world::request("sim/silent")));
  }
  CHECK_EQ(shared.use_count(), 2);
  CHECK(*shared >= 4);
}

TEST(hooks_of_a_config_are_replaced_for_later_clients)
{
  std::string told;
  auto shared = std::make_shared<int>(0);
  auto say = [&told, shared](char c) {
    return [&told, shared, c](CallView, ResponseView, ErrorView) {
      told.push_back(c);
    };
  };
  Config config = world::config().on_call(say('a'));
  Client first = Client::try_open(config).value();
  config.on_call(say('b'));
  Client second = Client::try_open(config).value();
  config.on_call(nullptr);
  Client third = Client::try_open(config).value();
  config = Config();
  for (Client *client : {&first, &second, &third}) {
    CHECK(client->try_chat(world::request("sim/good")));
    client->close(5s);
  }
  CHECK_EQ(told, "ab");
  first = Client(std::move(third));
  second = Client(std::move(first));
  second = world::client();
  CHECK_EQ(shared.use_count(), 2);
}

/* Lets a client of "threads": 0 work until it is gone. What drives it may
 * destroy it. */
static void
drive_to_its_end(std::unique_ptr<Client> &client)
{
  while (world::is_driven() && client)
    client->drive(10ms);
}

/* Neither a queue nor a call keeps the hooks alive here. */
TEST(client_may_end_within_its_own_hook)
{
  auto shared = std::make_shared<std::atomic<int>>(0);
  std::mutex in_use;
  std::unique_ptr<Client> client;
  Config config = world::config();
  config.on_log(LogLevel::trace,
                [shared](LogLevel, std::string_view) { (*shared)++; });
  config.on_call([&, shared](CallView, ResponseView, ErrorView) {
    std::unique_lock<std::mutex> lock(in_use);
    client.reset();
    *shared += 1000;
  });
  client = std::make_unique<Client>(Client::try_open(config).value());
  config = Config();
  {
    std::unique_lock<std::mutex> lock(in_use);
    /* The first call ends by the end of the client: its hook runs after. */
    CHECK(client->try_submit(world::request("sim/silent")));
    CHECK(client->try_submit(world::request("sim/good")));
  }
  drive_to_its_end(client);
  if (!world::is_driven()) {
    CHECK(comes([&] { return *shared >= 2000; }));
    /* A loop's own thread lets go of them when it ends. */
    CHECK(comes([&] { return shared.use_count() == 1; }));
  }
  CHECK(!client && *shared >= 1000);
}

TEST(client_and_queue_may_end_within_a_wakeup)
{
  auto shared = std::make_shared<std::atomic<int>>(0);
  std::mutex in_use;
  std::unique_ptr<Client> client = std::make_unique<Client>(
      Client::try_open(world::config().on_call([shared](auto...) {
        (*shared)++;
      })).value());
  auto queue = std::make_unique<Queue>(client->try_queue().value());
  queue->set_wakeup([&] {
    std::unique_lock<std::mutex> lock(in_use);
    queue.reset();
    client.reset();
  });
  {
    std::unique_lock<std::mutex> lock(in_use);
    CHECK(client->try_submit(world::request("sim/slow"), *queue));
  }
  drive_to_its_end(client);
  if (!world::is_driven()) {
    CHECK(comes([&] { return *shared == 1; }));
    CHECK(comes([&] { return shared.use_count() == 1; }));
  }
  CHECK(!client && !queue);
}

TEST(functions_that_wait_are_refused_in_a_hook)
{
  std::unique_ptr<Client> client;
  Status waited = Status::ok, submitted = Status::io;
  Config config = world::config();
  config.on_attempt([&](CallView, Attempt) {
    if (waited != Status::ok)
      return;
    waited = client->try_chat(world::request("sim/good")).status();
    submitted = client->try_submit(world::request("sim/good")).status();
  });
  client = std::make_unique<Client>(Client::try_open(config).value());
  CHECK(client->try_chat(world::request("sim/good")));
  client->close(5s);
  CHECK_EQ(waited, Status::reentrant);
  CHECK_EQ(submitted, Status::ok);
}
