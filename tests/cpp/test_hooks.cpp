/* SPDX-License-Identifier: MIT */
/* Hooks: who hears what, and how long they live. */
#include "check.hpp"
#include "world.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
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

/* ---- Tokens -------------------------------------------------------------- */

/* The provider's tokens come from a source; without it there are none. */
static Config
with_tokens(TokenSource source)
{
  return world::config().token_source("sim", std::move(source));
}

TEST(token_source_is_asked_once_and_answers_at_once)
{
  int asked = 0;
  auto shared = std::make_shared<int>(0);
  Config config = with_tokens([&asked, shared](TokenRequest request) {
    CHECK_EQ(request.provider(), "sim");
    CHECK(request && !request.refused());
    CHECK_EQ(request.deliver("token-1", std::chrono::system_clock::now() + 1h),
             Status::ok);
    CHECK(!request);
    CHECK_EQ(request.deliver("token-2"), Status::invalid_argument);
    asked++;
  });
  world::reset();
  Client client = Client::try_open(config).value();
  config = Config(); /* the client keeps the source */
  CHECK(client.try_chat(world::request("sim/good")));
  CHECK(client.try_chat(world::request("sim/good")));
  CHECK_EQ(asked, 1);
  CHECK(world::log(2).find("token-1") == std::string::npos); /* no secrets */
  client.close(5s);
  client = world::client();
  CHECK_EQ(shared.use_count(), 1);
}

TEST(token_may_be_delivered_later_and_elsewhere)
{
  std::mutex mutex;
  TokenRequest held;
  Client client = Client::try_open(with_tokens([&](TokenRequest request) {
                    std::lock_guard<std::mutex> lock(mutex);
                    held = std::move(request);
                  })).value();
  std::thread teller([&] {
    CHECK(comes([&] {
      std::lock_guard<std::mutex> lock(mutex);
      return static_cast<bool>(held);
    }));
    std::lock_guard<std::mutex> lock(mutex);
    CHECK_EQ(held.deliver("later"), Status::ok);
  });
  CHECK(client.try_chat(world::request("sim/good")));
  teller.join();
}

TEST(token_source_that_fails_fails_the_call)
{
  Client client =
      Client::try_open(with_tokens([](TokenRequest request) {
        CHECK_EQ(request.fail(Status::auth, "sign in again"), Status::ok);
      })).value();
  auto refused = client.try_chat(world::request("sim/good"));
  CHECK_EQ(refused.status(), Status::auth);
  CHECK(refused.error().message().find("sign in again") !=
        std::string_view::npos);
  /* A question that is dropped has failed, too. */
  client = Client::try_open(with_tokens([](TokenRequest) {})).value();
  auto dropped = client.try_chat(world::request("sim/good"));
  CHECK(!dropped);
  CHECK(dropped.error().message().find("nobody has answered") !=
        std::string_view::npos);
}

TEST(token_source_of_a_reload_takes_over)
{
  auto first = std::make_shared<std::atomic<int>>(0);
  auto second = std::make_shared<std::atomic<int>>(0);
  auto counting = [](const std::shared_ptr<std::atomic<int>> &count) {
    return with_tokens([count](TokenRequest request) {
      ++*count;
      request.deliver("t");
    });
  };
  {
    Client client = Client::try_open(counting(first)).value();
    Client other = client.share();
    CHECK(client.try_chat(world::request("sim/good")));
    CHECK(client.try_reload(counting(second)));
    client = world::client(); /* the other one keeps the sources */
    CHECK(other.try_chat(world::request("sim/good")));
    CHECK_EQ(first->load(), 1);
    CHECK_EQ(second->load(), 1);
    other.close(5s);
  }
  CHECK_EQ(first.use_count(), 1);
  CHECK_EQ(second.use_count(), 1);
  CHECK_EQ(Config().token_source("a\0b", nullptr).error().status(),
           Status::ok); /* a C string ends there */
  CHECK_EQ(Config()
               .token_source(std::string_view("a\0b", 3), nullptr)
               .error()
               .status(),
           Status::invalid_argument);
}

/* ---- Budgets ------------------------------------------------------------- */

static Config
with_budget(LoadHook load, SaveHook save)
{
  return world::config()
      .set_json("budgets", R"([{"name":"n","tokens":100000}])")
      .budget_store(std::move(load), std::move(save));
}

/* Of the one account; -1: there is none. */
static long long
spent_tokens(Client &client)
{
  static const std::string member = "\"spent_tokens\":";
  std::string stats = client.try_stats().value();
  std::size_t at = stats.find(member);
  return at == std::string::npos
             ? -1
             : std::strtoll(&stats[at + member.size()], nullptr, 10);
}

TEST(budget_store_keeps_what_was_spent)
{
  std::mutex mutex;
  std::string kept;
  auto shared = std::make_shared<int>(0);
  auto load = [&, shared]() -> Result<std::string> {
    std::lock_guard<std::mutex> lock(mutex);
    return kept;
  };
  auto save = [&, shared](std::string_view data) {
    std::lock_guard<std::mutex> lock(mutex);
    kept = data;
    return Status::ok;
  };
  Config config = with_budget(load, save);
  long long spent[2] = {};
  for (long long &tokens : spent) {
    Client client = Client::try_open(config).value();
    CHECK(client.try_chat(world::request("sim/good")));
    tokens = spent_tokens(client);
    client = world::client();
    CHECK(comes([&] {
      std::lock_guard<std::mutex> lock(mutex);
      return !kept.empty();
    }));
  }
  /* What the first has spent, the second began with. */
  CHECK(spent[0] > 0);
  CHECK_EQ(spent[1], 2 * spent[0]);
  config = Config();
  CHECK_EQ(shared.use_count(), 3); /* load and save themselves */
}

TEST(budget_store_that_cannot_load_opens_no_client)
{
  auto save = [](std::string_view) { return Status::ok; };
  auto failed = Client::try_open(with_budget(
      []() -> Result<std::string> { return Error(Status::io, "no disk"); },
      save));
  CHECK_EQ(failed.status(), Status::io);
  CHECK_EQ(Config().budget_store(nullptr, save).error().status(),
           Status::invalid_argument);
  CHECK_EQ(Config().budget_store(nullptr, nullptr).error().status(),
           Status::ok);
  /* What the C handle still has lives on. */
  auto shared = std::make_shared<int>(0);
  Config config;
  config
      .budget_store([shared]() -> Result<std::string> { return std::string(); },
                    save)
      .budget_store(nullptr, save);
  CHECK_EQ(shared.use_count(), 2);
}

/* ---- Plug-ins ------------------------------------------------------------ */

TEST(plug_in_is_a_type_of_providers)
{
  infer_provider_descriptor descriptor = {};
  descriptor.struct_size = sizeof descriptor;
  descriptor.type = "mute";
  descriptor.chat_path = "/chat";
  descriptor.write_request = [](void *, const infer_provider_request *,
                                infer_provider_writer *) -> std::int32_t {
    return INFER_E_UNSUPPORTED;
  };
  descriptor.read_answer = [](void *, const char *, std::size_t,
                              infer_provider_sink *) -> std::int32_t {
    return INFER_E_PROTOCOL;
  };
  Config config = world::config().add_provider_type(descriptor);
  config.set("providers.m.type", "mute")
      .set("providers.m.base_url", "http://127.0.0.1:9");
  Client client = Client::try_open(config).value();
  CHECK_EQ(client.try_chat(world::request("m/x")).status(),
           Status::unsupported);
  descriptor.read_answer = nullptr;
  Config wrong = Config().add_provider_type(descriptor);
  CHECK_EQ(wrong.error().status(), Status::invalid_argument);
  CHECK(wrong.error().message().find("read_answer") != std::string_view::npos);
}
