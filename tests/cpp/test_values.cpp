/* SPDX-License-Identifier: MIT */
/* Builders, results, errors: what needs no network. */
#include "check.hpp"
#include "world.hpp"

#include <atomic>
#include <thread>
#include <utility>

using namespace infer;

/* Through a reference, so that no compiler warns of the self-move. */
template <typename T>
static void
move_onto_itself(T &object)
{
  T &same = object;
  object = std::move(same);
}

TEST(request_has_all_builders)
{
  Request request("openai/gpt-4o-mini");
  request.system("Be short.")
      .developer("d")
      .user(std::string_view("a\0b", 3))
      .assistant("I am.")
      .message("user", "role by name")
      .message_json(R"({"role":"user","content":"as JSON"})")
      .parts(R"([{"type":"text","text":"a part"}])")
      .image("What is this?", "https://example.com/cat.png")
      .image("", "data:image/png;base64,AA==")
      .tool_result("call_9", "sunny")
      .tool("get_weather", "The weather of a city",
            R"({"type":"object","properties":{"city":{"type":"string"}}})")
      .tool("get_time", "", "")
      .json_schema("answer", R"({"type":"object"})")
      .set("temperature", 0.25)
      .set("max_tokens", 100u)
      .set("seed", -7)
      .set("stream_nothing", true)
      .set("user", "somebody")
      .set("stop", nullptr)
      .set_json("logit_bias", R"({"50256":-100})")
      .deadline(std::chrono::seconds(30))
      .policy("retries", 0)
      .header("x-team", "red")
      .require_label("private")
      .tag("job", "nightly")
      .tenant("acme")
      .run_once();
  CHECK_EQ(request.error().message(), "success");
  CHECK_EQ(request.error().status(), Status::ok);
  std::string json = request.try_json().value();
  for (const char *part : {R"("model":"openai/gpt-4o-mini")",
                           "Be short.",
                           R"("developer")",
                           R"(a\u0000b)",
                           "I am.",
                           "role by name",
                           "as JSON",
                           "a part",
                           "https://example.com/cat.png",
                           "data:image/png",
                           "call_9",
                           "sunny",
                           "get_weather",
                           "The weather of a city",
                           "get_time",
                           "json_schema",
                           R"("temperature":0.25)",
                           R"("max_tokens":100)",
                           R"("seed":-7)",
                           R"("stream_nothing":true)",
                           R"("user":"somebody")",
                           "50256"})
    if (json.find(part) == json.npos)
      check::fail_equal(__FILE__, __LINE__, "the request", json, part);
  CHECK(json.find("\"stop\"") == json.npos);
  request.response_format(R"({"type":"json_object"})");
  CHECK(request.try_json().value().find("json_object") != json.npos);
}

TEST(request_from_json_is_the_request_that_was_written)
{
  std::string json = Request("m").user("x").try_json().value();
  Request again = Request::from_json(json);
  CHECK_EQ(again.try_json().value(), json);
  CHECK_EQ(Request::from_json("{").error().status(), Status::invalid_argument);
  CHECK(Request::from_json("{").error().message().find("request:") == 0);
  CHECK(!Request::from_json(std::string_view()).try_json());
}

TEST(parts_are_one_array)
{
  CHECK(!Request("m").parts(R"( [{"type":"text","text":"x"}])").error());
  for (const char *json : {R"([],"role":"system")", "", " ", "null", "[", "{}"})
    CHECK_EQ(Request("m").parts(json).error().message(),
             "parts: expected a JSON array");
}

TEST(builder_keeps_its_first_mistake)
{
  Request request("m");
  request.user("x").image("", "ftp://no").set_json("temperature", "{");
  request.deadline(std::chrono::hours(25));
  CHECK_EQ(request.error().status(), Status::invalid_argument);
  CHECK(request.error().message().find("image:") == 0);
  CHECK(!request.try_json());
  CHECK_EQ(world::client().try_chat(request).error().message(),
           request.error().message());
  CHECK_EQ(Request("").error().status(), Status::invalid_argument);

  Config config;
  config.set("threads", "many").set_json("x", "{");
  CHECK_EQ(config.error().status(), Status::config);
  CHECK_EQ(Client::try_open(config).status(), Status::config);
  CHECK_EQ(config.try_json().status(), Status::config);
}

TEST(texts_with_nul_are_refused_not_cut)
{
  std::string_view nul("a\0b", 3);
  CHECK(Request(nul).error());
  CHECK(Request("m").model(nul).error());
  CHECK(Request("m").message(nul, "x").error());
  CHECK(Request("m").image(nul, "https://x").error());
  CHECK(Request("m").image("", std::string("https://a\0b", 11)).error());
  CHECK(Request("m").tool_result(nul, "x").error());
  CHECK(Request("m").tool("n", nul, "").error());
  CHECK(Request("m").tool("n", "", nul).error());
  CHECK(Request("m").json_schema(nul, "{}").error());
  CHECK(Request("m").policy(std::string_view("retries\0", 8), 1).error());
  CHECK(Request("m").header("x-a", nul).error());
  CHECK(Request("m").tag(nul, "b").error());
  CHECK(Request("m").tenant(nul).error());
  CHECK(Request("m").require_label(nul).error());
  CHECK(Request("m").set("user", nul).error());
  CHECK(Request("m").set(nul, 1).error());
  CHECK(Request("m").set(nul, 1.5).error());
  CHECK(Request("m").set_json(nul, "1").error());
  CHECK(Config().set(nul, 1).error());
  CHECK(Config().set("providers.a.type", nul).error());
  CHECK(Config().set_json(nul, "1").error());
  CHECK(Config::from_file(nul).error());
  Client client = world::client();
  CHECK_EQ(client.try_prewarm(nul).status(), Status::invalid_argument);
  CHECK_EQ(client.try_models(nul).status(), Status::invalid_argument);
  CHECK_EQ(client.try_submit_models(std::string_view("sim\0", 4)).status(),
           Status::invalid_argument);
}

TEST(numbers_that_do_not_fit_are_refused)
{
  CHECK(Request("m").set("seed", std::uint64_t(1) << 63).error());
  CHECK(!Request("m").set("seed", (std::uint64_t(1) << 63) - 1).error());
  CHECK(Config().set("threads", ~std::uint64_t(0)).error());
  CHECK(Request("m").set("temperature", 1e308 * 10).error());
  CHECK(Request("m").deadline(std::chrono::hours(25)).error());
  CHECK(Request("m").deadline(std::chrono::milliseconds(0)).error());
  CHECK_EQ(Request("m").policy("retries", -1).error().message(),
           "policy: no such number, or out of its range");
  CHECK(Request("m").policy("nothing", 1).error());
}

TEST(config_reads_and_checks)
{
  Config config = Config::from_json(
      R"({"providers":[{"name":"a","type":"openai","api_key":"hush",
          "base_url":"http://127.0.0.1:1/v1"}]})");
  CHECK(config.try_check());
  std::string json = config.try_json().value();
  CHECK(json.find("hush") == json.npos && json.find("***") != json.npos);
  config.set("providers.a.base_url", nullptr).set("providers.a.x-note", true);
  CHECK(config.try_json().value().find("127.0.0.1") == json.npos);
  CHECK_EQ(Config::from_json("{\n ,}").error().status(), Status::config);
  CHECK_EQ(Config::from_file("/nonexistent").error().status(), Status::io);
  Config unknown = Config().set("no_such_option", 1);
  CHECK_EQ(unknown.try_check().status(), Status::config);
  CHECK(try_options_manual().value().find("base_url") != json.npos);
  CHECK(Config().on_log(static_cast<LogLevel>(99), nullptr).error());
}

TEST(result_holds_a_value_or_an_error)
{
  Result<std::string> good = std::string("x");
  CHECK(good && good.has_value() && good.status() == Status::ok);
  CHECK_EQ(*good, "x");
  CHECK_EQ(good->size(), 1);
  CHECK_EQ(good.error().status(), Status::ok);
  Result<std::string> bad = Error(Status::limit);
  CHECK(!bad && bad.status() == Status::limit);
  CHECK_EQ(std::move(bad).value_or("y"), "y");
  CHECK_EQ(std::move(good).value_or("y"), "x");
  Result<void> nothing;
  CHECK(nothing && nothing.status() == Status::ok);
  nothing = Error(Status::io);
  CHECK(!nothing && nothing.error().status() == Status::io);
}

TEST(error_without_a_handle_reads_as_empty)
{
  Error none;
  CHECK(!none && none.status() == Status::ok);
  CHECK_EQ(none.name(), "INFER_OK");
  Error error(Status::quota);
  CHECK_EQ(error.message(), status_text(Status::quota));
  CHECK_EQ(error.provider(), "");
  CHECK_EQ(error.provider_code(), "");
  CHECK(!error.retry_after() && error.attempts().empty() && !error.partial());
  Error unknown(static_cast<Status>(-9999));
  CHECK_EQ(unknown.name(), "INFER_E_UNKNOWN");
}

TEST(moved_from_objects_are_empty)
{
  Config config = world::config();
  Config other_config = std::move(config);
  CHECK(other_config.try_check());
  /* C would take NULL for the providers of the environment. */
  CHECK_EQ(Client::try_open(config).status(), Status::invalid_argument);
  CHECK_EQ(config.try_check().status(), Status::invalid_argument);
  CHECK_EQ(config.try_json().status(), Status::invalid_argument);
  CHECK(config.set("threads", 1).error());

  Client client = world::client(), other = std::move(client);
  CHECK(!client && other);
  Request good = world::request("sim/good");
  CHECK_EQ(client.try_chat(good).status(), Status::invalid_argument);
  CHECK_EQ(client.try_stream(good).status(), Status::invalid_argument);
  CHECK_EQ(client.try_submit(good).status(), Status::invalid_argument);
  CHECK_EQ(client.try_queue().status(), Status::invalid_argument);
  CHECK_EQ(client.try_plan(good).status(), Status::invalid_argument);
  CHECK_EQ(client.try_stats().status(), Status::invalid_argument);
  CHECK_EQ(client.try_prewarm("").status(), Status::invalid_argument);
  CHECK_EQ(client.try_models("sim").status(), Status::invalid_argument);
  CHECK_EQ(client.try_submit_models("sim").status(), Status::invalid_argument);
  CHECK_EQ(client.try_reload(other_config).status(), Status::invalid_argument);
  CHECK_EQ(client.close(), Status::invalid_argument);
  CHECK_EQ(client.drive(forever), Status::invalid_argument);
  CHECK(client.fd() == -1 && !client.next_timeout() && !client.share());

  Request moved = std::move(good);
  CHECK_EQ(other.try_chat(good).status(), Status::invalid_argument);
  CHECK_EQ(good.try_json().status(), Status::invalid_argument);
  CHECK(good.user("x").error());

  Queue queue = other.try_queue().value(), other_queue = std::move(queue);
  CHECK(!queue && other_queue && queue.fd() == -1);
  CHECK_EQ(queue.try_poll().status(), Status::invalid_argument);
  CHECK_EQ(queue.set_wakeup([] {}), Status::invalid_argument);
  CHECK_EQ(other.try_submit(moved, queue).status(), Status::invalid_argument);
  CHECK_EQ(other.try_submit_models("sim", queue).status(),
           Status::invalid_argument);

  Stream stream = other.try_stream(moved).value();
  Stream other_stream = std::move(stream);
  CHECK_EQ(stream.try_next().status(), Status::invalid_argument);
  CHECK_EQ(stream.try_result().status(), Status::invalid_argument);
  CHECK_EQ(stream.cancel(), Status::invalid_argument);
  CHECK(stream.begin() == stream.end() && stream.call().id() == 0);

  Call call;
  CHECK(!call && call.id() == 0 && call.route().empty());
  CHECK_EQ(call.cancel(), Status::invalid_argument);
  CHECK_EQ(call.try_wait().status(), Status::invalid_argument);
  CHECK_EQ(call.try_models().status(), Status::invalid_argument);
  Event event;
  CHECK(!event && event.text().empty() && event.tool_name().empty());
  CHECK(event.head().empty());
  CHECK_EQ(event.type(), EventType::none);
  CHECK_EQ(event.take_result().status(), Status::invalid_argument);
  Response response;
  CHECK(!response && response.text().empty() && response.attempts().empty());
  CHECK(!response.usage(Usage::total) && response.tool_calls().empty());
  CHECK(Plan().empty() && WarmReport().empty() && ModelList().empty());
  CHECK(Request("m").add(response).error());
}

TEST(self_move_changes_nothing)
{
  Config config = world::config();
  move_onto_itself(config);
  CHECK(config.try_check());
  Client client = world::client();
  move_onto_itself(client);
  Request request = world::request("sim/good");
  move_onto_itself(request);
  Queue queue = client.try_queue().value();
  std::atomic<int> runs{0};
  queue.set_wakeup([&runs] { runs++; });
  move_onto_itself(queue);
  Stream stream = client.try_stream(request).value();
  move_onto_itself(stream);
  Call call = client.try_submit(request, queue, 5).value();
  move_onto_itself(call);
  Event event = queue.try_poll().value();
  move_onto_itself(event);
  CHECK_EQ(event.tag(), 5);
  for (int i = 0; i < 1000 && runs == 0; i++) /* it comes after the event */
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(runs > 0);
  Response response = stream.try_result().value();
  move_onto_itself(response);
  CHECK_EQ(response.text(), "Hello from the simulator.");
  Response other = call.try_wait().value();
  response = std::move(other);
  CHECK(response && !other);
}
