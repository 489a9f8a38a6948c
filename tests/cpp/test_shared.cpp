/* SPDX-License-Identifier: MIT */
/* The shared scenarios by the C++ header: tests/shared/README.md. */
#include <infer/infer.hpp>

extern "C" {
#include "shared/scenario.h"
}

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using std::chrono::milliseconds;

namespace {

constexpr milliseconds patience(SCENARIO_WAIT_MS);

void
add(json_object *object, const char *member, std::string_view text)
{
  account_text(object, member, text.data(), text.size());
}

void
add(json_object *object, const char *member, bool value)
{
  json_object_object_add(object, member, json_object_new_boolean(value));
}

void
add(json_object *object, const char *member, json_object *value)
{
  json_object_object_add(object, member, value);
}

/* ---- The account --------------------------------------------------------- */

json_object *
choice_of(infer::ResponseView response, std::size_t index)
{
  json_object *choice = json_object_new_object();
  json_object *calls = json_object_new_array();
  for (const infer::ToolCall &call : response.tool_calls(index)) {
    json_object *object = json_object_new_object();
    add(object, "id", call.id);
    add(object, "name", call.name);
    add(object, "arguments", call.arguments);
    json_object_array_add(calls, object);
  }
  add(choice, "text", response.text(index));
  add(choice, "reasoning", response.reasoning(index));
  add(choice, "refusal", response.refusal(index));
  add(choice, "finish_reason", response.finish_reason(index));
  add(choice, "tool_calls", calls);
  return choice;
}

template <typename Count>
json_object *
usage_of(Count count)
{
  json_object *usage = json_object_new_object();
  auto note = [&](const char *member, infer::Usage kind) {
    account_number(usage, member, count(kind).value_or(-1));
  };
  note("input", infer::Usage::input);
  note("output", infer::Usage::output);
  note("reasoning", infer::Usage::reasoning);
  note("cache_read", infer::Usage::cache_read);
  note("cache_write", infer::Usage::cache_write);
  note("total", infer::Usage::total);
  note("audio_input", infer::Usage::audio_input);
  note("audio_output", infer::Usage::audio_output);
  return usage;
}

json_object *
parts_of(infer::ResponseView response)
{
  json_object *parts = json_object_new_array();
  for (const infer::Part &part : response.parts()) {
    json_object *object = json_object_new_object();
    add(object, "target", part.attempt.target());
    add(object, "model", part.model);
    account_number(object, "bytes", static_cast<long long>(part.bytes));
    json_object_array_add(parts, object);
  }
  return parts;
}

json_object *
answer_of(infer::ResponseView response)
{
  json_object *answer = json_object_new_object();
  json_object *choices = json_object_new_array();
  for (std::size_t i = 0; i < response.choice_count(); i++)
    json_object_array_add(choices, choice_of(response, i));
  add(answer, "choices", choices);
  add(answer, "usage",
      usage_of([&](infer::Usage kind) { return response.usage(kind); }));
  add(answer, "total_usage",
      usage_of([&](infer::Usage kind) { return response.total_usage(kind); }));
  add(answer, "usage_estimated", response.usage_estimated());
  add(answer, "provider", response.provider());
  add(answer, "target", response.target());
  add(answer, "model", response.model());
  add(answer, "id", response.id());
  add(answer, "request_id", response.request_id());
  add(answer, "parts", parts_of(response));
  add(answer, "json", json_tokener_parse(response.json().data()));
  return answer;
}

json_object *
error_of(const infer::Error &error)
{
  json_object *object = json_object_new_object();
  infer::ResponseView partial = error.partial();
  add(object, "message", error.message());
  add(object, "provider", error.provider());
  add(object, "target", error.target());
  account_number(object, "http_status", error.http_status());
  add(object, "request_id", error.request_id());
  add(object, "provider_code", error.provider_code());
  add(object, "provider_type", error.provider_type());
  add(object, "provider_param", error.provider_param());
  add(object, "provider_message", error.provider_message());
  add(object, "retryable", error.retryable());
  account_number(object, "retry_after_ms",
                 error.retry_after().value_or(milliseconds(-1)).count());
  add(object, "partial", partial ? answer_of(partial) : nullptr);
  return object;
}

json_object *
attempts_of(infer::Attempts attempts)
{
  json_object *list = json_object_new_array();
  for (const infer::Attempt &attempt : attempts)
    account_attempt(list, attempt.target().data(), attempt.reason_name().data(),
                    attempt.http_status(),
                    infer::status_name(attempt.status()).data());
  return list;
}

/* How a call ended, and its account. */
void
conclude(json_object *account, json_object *events,
         const infer::Result<infer::Response> &result, bool is_cancelled)
{
  const char *status = infer::status_name(result.status()).data();
  json_object *done = json_object_new_object();
  account_status(done, "done", status);
  json_object_array_add(events, done);
  account_status(account, "status", status);
  if (is_cancelled)
    return;
  infer::Error error = result.error();
  if (result) {
    add(account, "attempts", attempts_of(result->attempts()));
    add(account, "answer", answer_of(*result));
  } else {
    add(account, "attempts", attempts_of(error.attempts()));
    add(account, "error", error_of(error));
  }
}

/* ---- Calls --------------------------------------------------------------- */

infer::Request
request_of(json_object *call)
{
  auto request = infer::Request::from_json(
      json_object_to_json_string(scenario_get(call, "request")));
  if (scenario_get(call, "deadline_ms"))
    request.deadline(milliseconds(scenario_number(call, "deadline_ms")));
  if (json_object *headers = scenario_get(call, "headers")) {
    json_object_object_foreach(headers, name, value)
    {
      request.header(name, json_object_get_string(value));
    }
  }
  if (json_object *policy = scenario_get(call, "policy")) {
    json_object_object_foreach(policy, option, number)
    {
      request.policy(option, json_object_get_int64(number));
    }
  }
  json_object *labels = scenario_get(call, "labels");
  for (std::size_t i = 0; labels && i < json_object_array_length(labels); i++)
    request.require_label(
        json_object_get_string(json_object_array_get_idx(labels, i)));
  if (json_object *run_once = scenario_get(call, "run_once"))
    request.run_once(json_object_get_boolean(run_once));
  return request;
}

void
add_event(json_object *events, const infer::Event &event)
{
  bool is_tool = event.type() == infer::EventType::tool_call_delta ||
                 event.type() == infer::EventType::tool_call_done;
  account_event e = {};
  e.type = event.type_name().data();
  e.text = event.text().data();
  e.len = event.text().size();
  e.choice = event.choice();
  e.epoch = event.epoch();
  e.tool = event.tool_index();
  e.tool_id = is_tool ? event.tool_id().data() : nullptr;
  e.tool_name = event.tool_name().data();
  e.head = event.head().data();
  account_add(events, &e);
}

/* Reads a stream to its end, which is the only one. */
void
read(infer::Stream &stream, json_object *account, json_object *events,
     const char *cancel_at)
{
  bool is_cancelled = false;
  for (;;) {
    infer::Result<infer::Event> event = stream.try_next(patience);
    if (event.status() == infer::Status::closed)
      return;
    if (event->type() == infer::EventType::done) {
      conclude(account, events, event->take_result(), is_cancelled);
    } else if (!is_cancelled) {
      add_event(events, *event);
      is_cancelled = cancel_at && event->type_name() == cancel_at;
      if (is_cancelled)
        stream.cancel();
    }
  }
}

/* Waits for the whole answer, or cancels the call after a time. */
void
wait(infer::Call &call, json_object *account, json_object *events,
     std::optional<milliseconds> cancel_after)
{
  auto result = call.try_wait(cancel_after.value_or(patience));
  bool is_cancelled = cancel_after && result.status() == infer::Status::timeout;
  if (is_cancelled) {
    call.cancel();
    result = call.try_wait(patience);
  }
  conclude(account, events, result, is_cancelled);
}

json_object *
make_call(void *handle, json_object *call, bool is_stream)
{
  auto &client = *static_cast<infer::Client *>(handle);
  json_object *cancel = scenario_get(call, "cancel");
  json_object *at = scenario_get(cancel, "at");
  long long after_ms = scenario_number(cancel, "after_ms");
  json_object *account = json_object_new_object();
  json_object *events = json_object_new_array();
  unsigned long long begin_ms = scenario_now_ms();
  try {
    if (is_stream) {
      infer::Stream stream = client.stream(request_of(call));
      read(stream, account, events, at ? json_object_get_string(at) : nullptr);
    } else {
      infer::Call submitted = client.submit(request_of(call));
      wait(submitted, account, events,
           after_ms < 0 ? std::nullopt : std::optional<milliseconds>(after_ms));
    }
  } catch (const infer::Exception &exception) {
    conclude(account, events, exception.error(), false);
  }
  account_number(account, "took_ms",
                 static_cast<long long>(scenario_now_ms() - begin_ms));
  if (is_stream)
    add(account, "events", events);
  else
    json_object_put(events);
  return account;
}

void *
open_client(const char *config)
{
  auto client = infer::Client::try_open(infer::Config::from_json(config));
  if (client)
    return new infer::Client(std::move(client).value());
  std::fprintf(stderr, "%s\n", client.error().message().data());
  return nullptr;
}

void
close_client(void *client)
{
  delete static_cast<infer::Client *>(client);
}

} // namespace

int
main(int argc, char **argv)
{
  const scenario_binding binding = {open_client, close_client, make_call};
  return scenario_main(&binding, argc, argv);
}
