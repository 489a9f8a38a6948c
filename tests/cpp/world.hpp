/* SPDX-License-Identifier: MIT */
#ifndef TEST_CPP_WORLD_HPP
#define TEST_CPP_WORLD_HPP

#include <infer/infer.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/* What the tests share: one simulated provider, which does something else for
 * each model, and configurations that lead to it. Whatever goes wrong here
 * fails the test by itself. */
namespace world {

/* The simulated provider lives from begin() to end(), which is false if it
 * ended badly. */
void begin();
bool end();

/* Its models: "good" says "Hello from the simulator."; "slow" takes 20 ms for
 * each of many tokens; "long" sends 400 words at once; "down" answers 503 with
 * retry-after-ms 1500; "cut" stops in the middle; "tool" calls get_weather;
 * "two" has two choices with reasoning; "silent" never answers. As the
 * provider "sim", and as the routes "again" (down, then good) and "whole"
 * (cut, then good, from the beginning). With "threads": 0 if the variable
 * WORLD_THREADS says so: the tests run both ways. */
infer::Config config();
infer::Client client();
infer::Request request(std::string_view model);
/* Whether the client has no thread of its own. */
bool is_driven();
/* Waits for the provider's count of requests that ended, since reset(), and
 * gives its log as JSON text. */
std::string log(std::size_t count);
void reset();

} // namespace world

#endif
