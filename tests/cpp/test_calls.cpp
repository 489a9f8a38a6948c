/* SPDX-License-Identifier: MIT */
/* Calls and what comes of them. */
#include "check.hpp"
#include "world.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace infer;
using namespace std::chrono_literals;

TEST(chat_gives_the_answer)
{
  Client client = world::client();
  Request request = world::request("sim/good");
  Result<Response> answer = client.try_chat(request);
  NEED(answer);
  CHECK_EQ(answer->text(), "Hello from the simulator.");
  CHECK_EQ(answer->finish_reason(), "stop");
  CHECK_EQ(answer->native_finish_reason(), "stop");
  CHECK_EQ(answer->provider(), "sim");
  CHECK_EQ(answer->target(), "sim/good");
  CHECK_EQ(answer->model(), "good");
  CHECK(!answer->id().empty() && answer->choice_count() == 1);
  CHECK(answer->refusal().empty() && answer->reasoning().empty());
  CHECK(answer->usage(Usage::output) > 0);
  CHECK(answer->usage(Usage::total) ==
        *answer->usage(Usage::input) + *answer->usage(Usage::output));
  CHECK(!answer->total_cost_nano_usd()); /* no price is known */
  CHECK_EQ(answer->wasted_cost_nano_usd().value_or(-1), 0);
  CHECK(answer->cost_kind() == CostKind::unknown);
  CHECK(answer->total_usage(Usage::total) == answer->usage(Usage::total));
  CHECK(!answer->usage_estimated() && !answer->usage(Usage::cache_write));
  CHECK(answer->json().find("\"chat.completion\"") != std::string::npos);
  CHECK_EQ(answer->parts().size(), 1);
  CHECK_EQ(answer->parts()[0].model, "good");
  CHECK_EQ(answer->parts()[0].bytes, answer->text().size());
  CHECK(answer->text(7).empty() && answer->tool_calls(7).empty());

  Attempt attempt = answer->attempts()[0];
  CHECK_EQ(attempt.target(), "sim/good");
  CHECK(attempt.won() && attempt.reason() == Reason::first);
  CHECK_EQ(attempt.reason_name(), "first");
  CHECK_EQ(attempt.http_status(), 200);
  CHECK(attempt.status() == Status::ok && attempt.message().empty());
  CHECK(attempt.decision().empty());
  CHECK(attempt.phase(Phase::first_content) > 0ns);
  CHECK(attempt.phase(Phase::end) >= attempt.phase(Phase::first_content));
  CHECK(!attempt.phase(Phase::tls) && attempt.start() >= 0ns);
  CHECK(attempt.usage(Usage::output) == answer->usage(Usage::output));
  CHECK(attempt.bytes_sent() > 0 && attempt.bytes_received() > 0);
  CHECK_EQ(attempt.skipped_events() + attempt.key_index(), 0);
}

TEST(texts_are_sent_whole)
{
  Client client = world::client();
  std::string text("caf\xc3\xa9 \0 end", 11);
  Request request = Request("sim/echo").user(text);
  CHECK_EQ(client.try_chat(request).value().text(), text);
}

TEST(answer_with_tool_calls_goes_on)
{
  Client client = world::client();
  Request request = world::request("sim/tool");
  Response answer = client.try_chat(request).value();
  CHECK_EQ(answer.finish_reason(), "tool_calls");
  std::string names;
  for (const auto &call : answer.tool_calls()) {
    names.append(call.name).append(call.arguments).append(" ");
    request.tool_result(call.id, "fine");
  }
  CHECK_EQ(names, "get_weather{\"city\":\"Oslo\"} get_time{} ");
  CHECK_EQ(answer.tool_calls()[1].id, "call_2");
  Request next = Request("sim/good").user("x").add(answer);
  CHECK(next.try_json().value().find("call_1") != std::string::npos);
}

TEST(choices_have_their_own_texts)
{
  Client client = world::client();
  Response answer =
      client.try_chat(world::request("sim/two").set("n", 2)).value();
  CHECK_EQ(answer.choice_count(), 2);
  CHECK_EQ(answer.text(1), "Hello from the simulator.");
  CHECK_EQ(answer.reasoning(1), "I think.");
}

TEST(failure_tells_all_of_it)
{
  Client client = world::client();
  Result<Response> answer = client.try_chat(world::request("sim/down"));
  NEED(!answer);
  Error error = answer.error();
  CHECK_EQ(error.status(), Status::overloaded);
  CHECK_EQ(error.name(), "INFER_E_OVERLOADED");
  CHECK(error.message().find("sim/down") == 0);
  CHECK_EQ(error.provider(), "sim");
  CHECK_EQ(error.target(), "sim/down");
  CHECK_EQ(error.http_status(), 503);
  CHECK_EQ(error.request_id(), "req-7");
  CHECK(error.retryable() && error.retry_after() == 1500ms);
  CHECK(!error.provider_message().empty());
  CHECK(!error.attempts()[0].decision().empty());
  CHECK(!error.provider_type().empty() || !error.provider_code().empty() ||
        error.provider_param().empty());
  CHECK_EQ(error.attempts().size(), 1);
  for (Attempt attempt : error.attempts())
    CHECK_EQ(attempt.status(), Status::overloaded);
  CHECK(!error.partial());
  Error copy = error;
  answer = Error();
  CHECK_EQ(copy.request_id(), "req-7");
}

TEST(cut_answer_is_a_failure_with_the_part)
{
  Client client = world::client();
  Error error = client.try_chat(world::request("sim/cut")).error();
  CHECK_EQ(error.status(), Status::truncated);
  CHECK(error.partial() && error.partial().text().find("Hello") == 0);
}

TEST(route_fails_over)
{
  Client client = world::client();
  Response answer = client.try_chat(world::request("again")).value();
  CHECK_EQ(answer.target(), "sim/good");
  std::string trail;
  for (Attempt attempt : answer.attempts())
    trail.append(attempt.target()).append(" ").append(attempt.reason_name());
  CHECK(trail.find("sim/down first") == 0);
  CHECK(trail.find("sim/good failover") != trail.npos);
}

TEST(callback_hears_the_events)
{
  Client client = world::client();
  std::string text, types;
  Result<Response> answer =
      client.try_chat(world::request("sim/tool"), [&](EventView event) {
        if (event.type() == EventType::tool_call_done) {
          text.append(event.tool_id()).append(event.tool_name());
          text.append(event.text()).append(" ");
          CHECK_EQ(event.tool_index(),
                   text.find("get_time") == text.npos ? 0 : 1);
          CHECK(event.choice() == 0 && event.epoch() == 0);
        }
        types.append(event.type_name()).append(" ");
      });
  CHECK(answer);
  CHECK_EQ(text, "call_1get_weather{\"city\":\"Oslo\"} call_2get_time{} ");
  CHECK(types.find("start ") == 0 && types.find("finish ") != types.npos);
  CHECK(types.size() > 5 && types.substr(types.size() - 5) == "done ");
}

TEST(callback_cancels_by_false)
{
  Client client = world::client();
  int count = 0;
  Result<Response> answer =
      client.try_chat(world::request("sim/slow"), [&](EventView) {
        count++;
        return false;
      });
  CHECK_EQ(answer.status(), Status::cancelled);
  CHECK_EQ(count, 1);
}

TEST(callback_may_destroy_the_client)
{
  Client client = world::client();
  Result<Response> answer =
      client.try_chat(world::request("sim/slow"), [&](EventView event) {
        if (event.type() == EventType::text)
          client = world::client();
      });
  CHECK(!answer && client);
}

TEST(stream_is_a_range)
{
  Client client = world::client();
  std::string text, heads;
  int dones = 0;
  Stream stream = client.try_stream(world::request("sim/good")).value();
  CHECK(stream.call().id() > 0);
  for (const auto &event : stream) {
    CHECK_EQ(dones, 0);
    CHECK_EQ(event.call_id(), stream.call().id());
    heads.append(event.head());
    if (event.type() == EventType::text)
      text.append(event.text());
    if (event.type() == EventType::done) {
      dones++;
      std::string id(event.response().id());
      CHECK(!id.empty() && heads.find("\"" + id + "\"") != heads.npos);
      CHECK_EQ(event.response().text(), text);
      CHECK(event.status() == Status::ok && !event.error());
    }
  }
  CHECK_EQ(dones, 1);
  CHECK_EQ(text, "Hello from the simulator.");
  CHECK_EQ(stream.status(), Status::ok);
  CHECK(stream.begin() == stream.end());
  CHECK_EQ(stream.try_next().status(), Status::closed);
  CHECK_EQ(stream.try_result().value().text(), text);
  CHECK_EQ(stream.try_result().value().text(), text);
}

TEST(stream_of_a_failure_ends_with_it)
{
  Client client = world::client();
  Status status = Status::ok;
  for (const auto &event : client.try_stream(world::request("sim/cut")).value())
    if (event.type() == EventType::done) {
      status = event.status();
      CHECK_EQ(event.error().status(), status);
      CHECK(event.error().message().find("sim/cut") == 0);
      CHECK(event.error().partial() && !event.response());
    }
  CHECK_EQ(status, Status::truncated);
  Stream stream = client.try_stream(world::request("sim/cut")).value();
  CHECK_EQ(stream.try_result().status(), Status::truncated);
}

TEST(stream_that_is_left_early_cancels_the_call)
{
  Client client = world::client();
  world::reset();
  for (const auto &event :
       client.try_stream(world::request("sim/slow")).value())
    if (event.type() == EventType::text)
      break;
  if (world::is_driven())
    while (client.next_timeout() == 0ns)
      client.drive(0ms);
  std::string log = world::log(1);
  CHECK(log.find("\"client_closed\"") != log.npos);
}

TEST(stream_restarts)
{
  Client client = world::client();
  std::string text;
  int restarts = 0;
  for (const auto &event : client.try_stream(world::request("whole")).value()) {
    if (event.type() == EventType::restart) {
      text.clear();
      restarts++;
      CHECK_EQ(event.epoch(), 1);
    }
    if (event.type() == EventType::text)
      text.append(event.text());
  }
  CHECK_EQ(restarts, 1);
  CHECK_EQ(text, "Hello from the simulator.");
}

TEST(stream_moves_while_it_is_read)
{
  Client client = world::client();
  Stream stream = client.try_stream(world::request("sim/long")).value();
  Stream::Iterator it = stream.begin();
  Stream moved = std::move(stream);
  std::size_t count = 0;
  for (; it != moved.end(); ++it)
    count++;
  CHECK(count > 2);
  moved = client.try_stream(world::request("sim/slow")).value();
  CHECK(moved.begin() != moved.end());
  moved = Stream();
}

TEST(stream_is_read_piecemeal)
{
  Client client = world::client();
  Stream stream = client.try_stream(world::request("sim/silent")).value();
  CHECK_EQ(stream.try_next(0ms).status(), Status::timeout);
  CHECK_EQ(stream.status(), Status::ok);
  CHECK_EQ(stream.cancel(), Status::ok);
  Event event = stream.try_next().value();
  CHECK_EQ(event.type(), EventType::done);
  CHECK_EQ(event.take_result().status(), Status::cancelled);
}

TEST(stream_of_a_wrong_request_does_not_begin)
{
  Client client = world::client();
  CHECK_EQ(client.try_stream(world::request("nobody")).status(),
           Status::config);
  CHECK_EQ(client.try_stream(Request("sim/good")).status(),
           Status::invalid_argument);
}

TEST(queue_takes_many_calls)
{
  Client client = world::client();
  Queue queue = client.try_queue().value();
  std::vector<Call> calls;
  for (std::uint64_t tag = 0; tag < 40; tag++)
    calls.push_back(
        client.try_submit(world::request("sim/good"), queue, tag, Mode::whole)
            .value());
  std::uint64_t tags = 0;
  std::vector<Event> events(64);
  for (std::size_t ended = 0; ended < calls.size();) {
    std::size_t count =
        queue.try_poll_batch(events.data(), events.size()).value();
    for (std::size_t i = 0; i < count; i++) {
      CHECK_EQ(events[i].type(), EventType::done);
      CHECK_EQ(events[i].call_id(), calls[events[i].tag()].id());
      CHECK_EQ(events[i].take_result().value().text(),
               "Hello from the simulator.");
      CHECK(!events[i].take_result().value());
      tags += events[i].tag();
    }
    ended += count;
  }
  CHECK_EQ(tags, 39 * 40 / 2);
  CHECK_EQ(queue.try_poll(0ms).status(), Status::timeout);
  CHECK_EQ(queue.try_poll_batch(events.data(), 0).status(),
           Status::invalid_argument);
  Queue foreign = world::client().try_queue().value();
  CHECK_EQ(client.try_submit(world::request("sim/good"), foreign).status(),
           Status::invalid_argument);
}

TEST(queue_has_a_descriptor_and_a_wakeup)
{
  Client client = world::client();
  Queue queue = client.try_queue().value();
  std::atomic<int> old_runs{0}, runs{0};
  auto shared = std::make_shared<int>(0);
  CHECK_EQ(queue.set_wakeup([&old_runs, shared] { old_runs++; }), Status::ok);
  CHECK_EQ(queue.set_wakeup([&runs] { runs++; }), Status::ok);
  CHECK_EQ(shared.use_count(), 1);
  CHECK(client.try_submit(world::request("sim/good"), queue, 3));
  pollfd ready[2] = {{queue.fd(), POLLIN, 0}, {client.fd(), POLLIN, 0}};
  CHECK(queue.fd() >= 0);
  while ((poll(ready, world::is_driven() ? 2 : 1, 20) >= 0 || errno == EINTR) &&
         !(ready[0].revents & POLLIN && runs > 0))
    client.drive(0ms);
  CHECK_EQ(old_runs, 0);
  CHECK_EQ(queue.try_poll(0ms).value().tag(), 3);
  int before = runs;
  CHECK_EQ(queue.set_wakeup(nullptr), Status::ok);
  while (queue.try_poll().value().type() != EventType::done)
    continue;
  CHECK_EQ(runs, before);
}

TEST(wakeup_may_replace_itself_and_destroy_the_queue)
{
  Client client = world::client();
  auto queue = std::make_unique<Queue>(client.try_queue().value());
  auto shared = std::make_shared<int>(0);
  std::atomic<bool> gone{false};
  queue->set_wakeup([&, shared] {
    queue->set_wakeup([&, shared] {
      queue.reset();
      gone = *shared == 0; /* the captures are still there */
    });
  });
  Call call = client.try_submit(world::request("sim/good"), *queue).value();
  while (!gone && world::is_driven())
    client.drive(10ms);
  for (int i = 0; i < 500 && !gone; i++)
    std::this_thread::sleep_for(2ms);
  CHECK(gone);
}

TEST(call_is_waited_for_and_cancelled)
{
  Client client = world::client();
  Request request = world::request("again").tenant("acme").tag("job", "x");
  Call call = client.try_submit(request).value();
  CHECK_EQ(call.route(), "again");
  CHECK_EQ(call.tenant(), "acme");
  CHECK_EQ(call.tag_value("job"), "x");
  CHECK_EQ(call.tag_value(std::string_view("job\0", 4)), "");
  CHECK_EQ(call.try_wait().value().target(), "sim/good");
  Call silent = client.try_submit(world::request("sim/silent")).value();
  CHECK(silent.id() > call.id());
  CHECK_EQ(silent.try_wait(1ms).status(), Status::timeout);
  CHECK_EQ(silent.cancel(), Status::ok);
  CHECK_EQ(silent.try_wait().status(), Status::cancelled);
  CHECK_EQ(silent.cancel(), Status::ok);
}

TEST(call_has_its_own_policy)
{
  Client client = world::client();
  auto attempts = [&](std::int64_t retries) {
    Request request = world::request("sim/down").policy("retries", retries);
    request.policy("stay.max_wait_ms", 5000);
    return client.try_chat(request).error().attempts().size();
  };
  CHECK_EQ(attempts(0), 1);
  CHECK_EQ(attempts(1), 2);
  Request request = world::request("sim/silent");
  request.policy("timeouts.first_token_ms", 50);
  CHECK_EQ(client.try_chat(request).status(), Status::first_token_timeout);
}

/* A socket that is connected to and never answers. */
class Deaf {
public:
  Deaf()
  {
    sockaddr_in name = {};
    socklen_t len = sizeof name;
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto *address = reinterpret_cast<sockaddr *>(&name);
    CHECK(bind(fd_, address, len) == 0 && listen(fd_, 8) == 0);
    CHECK(getsockname(fd_, address, &len) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(name.sin_port)) + "/v1";
  }
  Deaf(const Deaf &) = delete;
  Deaf &operator=(const Deaf &) = delete;
  ~Deaf() { close(fd_); }
  const std::string &url() const { return url_; }

private:
  int fd_ = socket(AF_INET, SOCK_STREAM, 0);
  std::string url_;
};

TEST(models_are_a_call)
{
  Deaf deaf;
  Config config = world::config();
  config.set("providers.deaf.type", "openai")
      .set("providers.deaf.proxy", "none")
      .set("providers.deaf.base_url", deaf.url());
  Client client = Client::try_open(config).value();
  Call call = client.try_submit_models("sim").value();
  CHECK(call.try_wait());
  ModelList models = call.try_models().value();
  CHECK_EQ(models.size(), 2);
  CHECK_EQ(models[0].id, "good");
  CHECK_EQ(client.try_submit_models("nobody").status(), Status::config);
  Call chat = client.try_submit(world::request("sim/good")).value();
  CHECK_EQ(chat.try_models().status(), Status::invalid_argument);

  Queue queue = client.try_queue().value();
  Call silent = client.try_submit_models("deaf", queue, 7).value();
  CHECK_EQ(silent.try_models().status(), Status::timeout);
  CHECK_EQ(silent.cancel(), Status::ok);
  Event end = queue.try_poll().value();
  CHECK(end.type() == EventType::done && end.tag() == 7);
  CHECK_EQ(end.status(), Status::cancelled);
  CHECK_EQ(silent.try_models().status(), Status::cancelled);

  Call late = client.try_submit_models("deaf", 50ms).value();
  CHECK_EQ(late.try_wait().status(), Status::deadline);
  Call late_too = client.try_submit_models("deaf", queue, 8, 50ms).value();
  CHECK_EQ(queue.try_poll().value().status(), Status::deadline);
}

TEST(embeddings_come_in_the_order_of_their_inputs)
{
  Client client = world::client();
  Request request("sim/good");
  request.input("one").input("two").set("dimensions", 3);
  Embeddings both = client.try_embed(request).value();
  CHECK_EQ(both.size(), 2);
  CHECK_EQ(both.dimensions(), 3);
  CHECK(both[1] == both[0] + 3 && !both[2] && both.handle());
  Call call = client.try_submit_embed(request).value();
  CHECK(call.try_wait());
  Embeddings again = call.try_embeddings().value();
  CHECK(again[0][0] == both[0][0] && again[1][2] == both[1][2]);
  Queue queue = client.try_queue().value();
  Call queued = client.try_submit_embed(request, queue, 7).value();
  CHECK_EQ(queue.try_poll().value().tag(), 7);
  CHECK_EQ(queued.try_embeddings().value().size(), 2);
  CHECK_EQ(client.try_embed(world::request("sim/good")).status(),
           Status::invalid_argument);
  CHECK(Request("m").input("").error());
  CHECK_EQ(Call().try_embeddings().status(), Status::invalid_argument);
}

TEST(things_may_go_in_any_order)
{
  for (int order = 0; order < 6; order++) {
    auto client = std::make_unique<Client>(world::client());
    auto queue = std::make_unique<Queue>(client->try_queue().value());
    queue->set_wakeup([] {});
    auto stream = std::make_unique<Stream>(
        client->try_stream(world::request("sim/slow")).value());
    auto call = std::make_unique<Call>(
        client->try_submit(world::request("sim/good"), *queue).value());
    auto event = std::make_unique<Event>(queue->try_poll().value());
    Result<Response> response = client->try_chat(world::request("sim/good"));
    if (order % 3 == 0)
      client.reset();
    if (order % 2 == 0)
      queue.reset();
    if (order >= 3)
      stream.reset();
    else
      CHECK(stream->begin() != stream->end());
    client.reset();
    if (stream)
      CHECK_EQ(stream->try_result().status(), Status::cancelled);
    call.reset();
    queue.reset();
    CHECK_EQ(event->type(), EventType::start);
    CHECK_EQ(response.value().text(), "Hello from the simulator.");
  }
}

TEST(client_closes_and_is_shared)
{
  Client client = world::client();
  Client other = client.share();
  client = Client(std::move(other));
  CHECK(client.try_chat(world::request("sim/good")));
  Queue queue = client.try_queue().value();
  CHECK(client.try_submit(world::request("sim/silent"), queue));
  CHECK_EQ(client.close(), Status::timeout);
  CHECK_EQ(client.try_chat(world::request("sim/good")).status(),
           Status::closed);
  CHECK_EQ(queue.try_poll().value().take_result().status(), Status::cancelled);
  CHECK_EQ(queue.try_poll().status(), Status::closed);
}

TEST(stats_of_hedges)
{
  Client client = world::client();
  CHECK_EQ(client.try_stats().value().find(R"({"hedging":{},"spend":{)"), 0);
  Config hedged = world::config();
  hedged.set_json("routes.again.hedge", "{}");
  CHECK(client.try_reload(hedged));
  CHECK(client.try_chat(world::request("again")));
  std::string stats = client.try_stats().value();
  CHECK_EQ(stats.find(R"({"hedging":{"again":{"sent":0,)"), 0);
  CHECK(stats.find(R"("targets":[{"target":"sim/)") != std::string::npos);
  CHECK(client.try_metrics().value().find("libinfer_calls_total{") !=
        std::string::npos);
}

TEST(records_of_attempts)
{
  Client client = world::client();
  Queue queue = client.try_queue().value();
  CHECK_EQ(queue.set_records(true), Status::ok);
  CHECK(client.try_submit(world::request("sim/good"), queue));
  Event event = queue.try_poll().value();
  while (event.type() != EventType::attempt && event.type() != EventType::done)
    event = queue.try_poll().value();
  CHECK(event.type() == EventType::attempt);
  CHECK_EQ(event.attempt().target(), "sim/good");
  CHECK(event.attempt().reason() == Reason::first);
  event = queue.try_poll().value();
  CHECK(event.type() == EventType::done);
  CHECK_EQ(event.attempt().target(), "");
  CHECK(event.attempt().tokens_per_second() < 0);
}

TEST(plan_warm_up_models_and_reload)
{
  Client client = world::client();
  Plan plan = client.try_plan(world::request("again")).value();
  std::string targets;
  for (const auto &row : plan) {
    CHECK(row.status == Status::ok && !row.reason.empty());
    targets.append(row.target).append(" ");
  }
  CHECK_EQ(targets, "sim/down sim/good ");
  CHECK_EQ(client.try_plan(world::request("nobody")).status(), Status::config);

  WarmReport report = client.try_prewarm("again", 5s).value();
  CHECK(report.complete() && report.size() == 1);
  for (const auto &row : report) {
    CHECK_EQ(row.provider, "sim");
    CHECK_EQ(row.status, Status::ok);
    CHECK(row.reached >= Warm::lookup && row.took);
    CHECK(row.ready == (row.reached == Warm::ready));
    CHECK(row.ready || !row.reason.empty());
  }
  CHECK_EQ(client.try_prewarm("nobody").status(), Status::config);

  ModelList models = client.try_models("sim", 5s).value();
  CHECK_EQ(models.size(), 2);
  CHECK_EQ(models[0].id, "good");
  CHECK(models[1].json.find("\"down\"") != std::string::npos);
  CHECK(!client.try_models("nobody"));

  Config next = world::config();
  next.set_json("routes.again.targets", R"(["sim/good"])");
  CHECK(client.try_reload(next));
  CHECK_EQ(client.try_plan(world::request("again")).value().size(), 1);
  CHECK_EQ(client.try_reload(Config().set("nothing", 1)).status(),
           Status::config);
}

TEST(driving)
{
  Client client = world::client();
  if (!world::is_driven()) {
    CHECK_EQ(client.drive(0ms), Status::unsupported);
    CHECK(client.fd() == -1 && !client.next_timeout());
    return;
  }
  Queue queue = client.try_queue().value();
  CHECK(client.fd() >= 0);
  CHECK(client.try_submit(world::request("sim/good"), queue));
  CHECK(client.next_timeout() == 0ns);
  bool done = false;
  for (int turns = 0; turns < 5000 && !done; turns++) {
    CHECK_EQ(client.drive(5ms), Status::ok);
    for (pollfd ready = {queue.fd(), POLLIN, 0}; poll(&ready, 1, 0) > 0;)
      done = queue.try_poll(0ms).value().type() == EventType::done || done;
  }
  CHECK(done);
}
