/* SPDX-License-Identifier: MIT */
#include "world.hpp"
#include "check.hpp"

extern "C" {
#include "support/sim_process.h"
}

#include <cstdio>
#include <cstdlib>

namespace world {

static const char script[] = R"({
  "defaults": { "text": "Hello from the simulator.", "first_token_ms": 2 },
  "models": [ "good", "down" ],
  "rules": [
    { "when": { "model": "slow" },
      "do": { "tokens": 400, "text": null, "inter_token_ms": 20 } },
    { "when": { "model": "long" }, "do": { "tokens": 400, "text": null } },
    { "when": { "model": "down" },
      "do": { "status": 503, "headers": { "retry-after-ms": "1500",
                                          "x-request-id": "req-7" } } },
    { "when": { "model": "cut" },
      "do": { "cut": { "after_tokens": 2 }, "inter_token_ms": 250 } },
    { "when": { "model": "tool" },
      "do": { "tool_calls": [ { "id": "call_1", "name": "get_weather",
                                "arguments": { "city": "Oslo" } },
                              { "id": "call_2", "name": "get_time",
                                "arguments": {} } ] } },
    { "when": { "model": "two" }, "do": { "reasoning": "I think." } },
    { "when": { "model": "echo" }, "do": { "echo": true } },
    { "when": { "model": "silent" }, "do": { "silence": true } } ] })";

static sim_process *sim;

void
begin()
{
  sim = sim_start(script, nullptr);
  if (!sim)
    std::exit(1);
}

bool
end()
{
  return sim_stop(sim);
}

bool
is_driven()
{
  const char *threads = std::getenv("WORLD_THREADS");
  return threads && std::string_view(threads) == "0";
}

infer::Config
config()
{
  infer::Config config;
  config.set("providers.sim.type", "openai")
      .set("providers.sim.proxy", "none")
      .set("providers.sim.base_url", sim_url(sim))
      .set_json("defaults.retries", "0")
      .set_json("routes.again.targets", R"(["sim/down","sim/good"])")
      .set_json("routes.whole.targets", R"(["sim/cut","sim/good"])")
      .set("routes.whole.recovery", "restart");
  config.set("routes.again.retries", 2).set("routes.whole.retries", 2);
  if (is_driven())
    config.set("threads", 0);
  return config;
}

infer::Client
client()
{
  infer::Result<infer::Client> client = infer::Client::try_open(config());
  if (!client) {
    std::fprintf(stderr, "client: %s\n", client.error().message().data());
    std::exit(1);
  }
  return std::move(client).value();
}

infer::Request
request(std::string_view model)
{
  return infer::Request("x").model(model).user("Say something.");
}

std::string
log(std::size_t count)
{
  char *text = sim_wait_log(sim, count, 5000);
  if (!text)
    check::fail(__FILE__, __LINE__, "the provider has not seen the requests");
  std::string log = text ? text : "";
  std::free(text);
  return log;
}

void
reset()
{
  sim_reset(sim);
}

} // namespace world
