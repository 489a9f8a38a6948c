/* SPDX-License-Identifier: MIT */
/** \file infer.hpp
 * libinfer for C++17 and later: the C interface of infer.h with owners instead
 * of `_free` functions, std::string_view instead of pointers and lengths, and
 * a range over the events of a stream. There is nothing to link besides the C
 * library, and no ABI to keep: all of it is inline.
 *
 * RULES THAT HOLD EVERYWHERE
 *
 * What infer.h says of status, text, threads, hooks, fork, exit, signals and
 * time holds here, too. This page says what is different.
 *
 * Results. Each function that can fail has the form `try_<verb>` and returns a
 * Result<T>, a value or an Error. It throws nothing of its own, and compiles
 * with -fno-exceptions -fno-rtti. Where exceptions are enabled there is also
 * `<verb>`, the same with the value returned and the Error thrown as an
 * Exception. (std::bad_alloc may come from std::string and std::function in
 * either form; without exceptions the standard library then aborts.)
 *
 * Builders. Config and Request are built by chained calls. A builder keeps its
 * first mistake, ignores what follows it, and whatever takes the builder
 * returns that mistake: no single step has to be checked.
 *
 * Ownership. Config, Client, Request, Response, Event, Queue, Call, Stream,
 * TokenRequest, Plan, WarmReport and ModelList own a handle, can be moved and
 * not copied.
 * One that was moved from is empty: it may be destroyed and assigned to, its
 * accessors read as empty, and what takes it fails with
 * Status::invalid_argument. They may be destroyed in any order, a client
 * before its queues, streams, calls, events and responses. Error is copied
 * freely. ResponseView, ErrorView, EventView, CallView and Attempt are lent:
 * they must not outlive what lends them, nor must a std::string_view outlive
 * the object that it came from. Each std::string_view given here is
 * NUL-terminated.
 *
 * Threads. As in C, every function may be called from any thread at any time.
 * The C++ object itself is like an int: while it is moved, assigned to or
 * destroyed, nobody else may use it; a Config, Request or Stream is used by
 * one thread at a time.
 *
 * Hooks are std::functions that live as long as they may run: the owner
 * destroys them after the library has let go of them, also when the last
 * owner dies within one of its own hooks. An exception that leaves a hook is
 * dropped, for nobody could catch it on the library's thread.
 *
 * With and without exceptions are two inline namespaces, so both kinds of
 * translation unit may be in one program; they cannot pass these objects to
 * each other (the linker tells). */
#ifndef INFER_INFER_HPP
#define INFER_INFER_HPP

#include <infer/infer.h>
#include <infer/provider.h>

#if !defined(_MSVC_LANG) && __cplusplus < 201703L
#error "infer/infer.hpp needs C++17: -std=c++17"
#endif

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#if !defined(INFER_HPP_EXCEPTIONS)
/** 1: there are Exception and the functions that throw it. By default as the
 * compiler is told; set it to 0 to have none of them all the same: what a hook
 * or a callback throws then ends the program. */
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define INFER_HPP_EXCEPTIONS 1
#else
#define INFER_HPP_EXCEPTIONS 0
#endif
#endif

#if INFER_HPP_EXCEPTIONS
#include <exception>
#define INFER_HPP_MODE throwing
#else
#define INFER_HPP_MODE quiet
#endif

namespace infer {
inline namespace INFER_HPP_MODE {

/* ---- Constants ----------------------------------------------------------- */

/** The INFER_E_* of infer.h. Values that this header does not know are legal:
 * treat them as failures. */
enum class Status : std::int32_t {
  ok = INFER_OK,
  invalid_argument = INFER_E_INVALID_ARGUMENT,
  no_memory = INFER_E_NO_MEMORY,
  config = INFER_E_CONFIG,
  closed = INFER_E_CLOSED,
  timeout = INFER_E_TIMEOUT,
  reentrant = INFER_E_REENTRANT,
  forked = INFER_E_FORKED,
  unsupported = INFER_E_UNSUPPORTED,
  io = INFER_E_IO,
  internal = INFER_E_INTERNAL,
  resolve = INFER_E_RESOLVE,
  connect = INFER_E_CONNECT,
  tls = INFER_E_TLS,
  reset = INFER_E_RESET,
  tls_verify = INFER_E_TLS_VERIFY,
  first_token_timeout = INFER_E_FIRST_TOKEN_TIMEOUT,
  attempt_timeout = INFER_E_ATTEMPT_TIMEOUT,
  idle_timeout = INFER_E_IDLE_TIMEOUT,
  truncated = INFER_E_TRUNCATED,
  overloaded = INFER_E_OVERLOADED,
  server = INFER_E_SERVER,
  rate_limited = INFER_E_RATE_LIMITED,
  quota = INFER_E_QUOTA,
  auth = INFER_E_AUTH,
  not_found = INFER_E_NOT_FOUND,
  context_length = INFER_E_CONTEXT_LENGTH,
  request_too_large = INFER_E_REQUEST_TOO_LARGE,
  content_filter = INFER_E_CONTENT_FILTER,
  bad_request = INFER_E_BAD_REQUEST,
  protocol = INFER_E_PROTOCOL,
  too_large = INFER_E_TOO_LARGE,
  too_deep = INFER_E_TOO_DEEP,
  cancelled = INFER_E_CANCELLED,
  deadline = INFER_E_DEADLINE,
  budget = INFER_E_BUDGET,
  no_target = INFER_E_NO_TARGET,
  limit = INFER_E_LIMIT
};

/** Why an attempt was started: INFER_REASON_*. */
enum class Reason : std::int32_t {
  first = INFER_REASON_FIRST,
  retry = INFER_REASON_RETRY,
  failover = INFER_REASON_FAILOVER,
  key = INFER_REASON_KEY,
  resend = INFER_REASON_RESEND,
  recovery = INFER_REASON_RECOVERY,
  continuation = INFER_REASON_CONTINUE,
  hedge = INFER_REASON_HEDGE,
  probe = INFER_REASON_PROBE,
  prewarm = INFER_REASON_PREWARM
};

/** Points in an attempt's life: INFER_PHASE_*. */
enum class Phase : std::int32_t {
  limiter_wait = INFER_PHASE_LIMITER_WAIT,
  lookup = INFER_PHASE_LOOKUP,
  connect = INFER_PHASE_CONNECT,
  tls = INFER_PHASE_TLS,
  sent = INFER_PHASE_SENT,
  headers = INFER_PHASE_HEADERS,
  first_byte = INFER_PHASE_FIRST_BYTE,
  first_content = INFER_PHASE_FIRST_CONTENT,
  first_answer = INFER_PHASE_FIRST_ANSWER,
  last_content = INFER_PHASE_LAST_CONTENT,
  end = INFER_PHASE_END
};

/** Kinds of token counts: INFER_USAGE_*. */
enum class Usage : std::int32_t {
  input = INFER_USAGE_INPUT,
  output = INFER_USAGE_OUTPUT,
  reasoning = INFER_USAGE_REASONING,
  cache_read = INFER_USAGE_CACHE_READ,
  cache_write = INFER_USAGE_CACHE_WRITE,
  total = INFER_USAGE_TOTAL,
  audio_input = INFER_USAGE_AUDIO_INPUT,
  audio_output = INFER_USAGE_AUDIO_OUTPUT
};

/** How well a cost is known: INFER_COST_*. */
enum class CostKind : std::int32_t {
  unknown = INFER_COST_UNKNOWN,
  exact = INFER_COST_EXACT,
  estimated = INFER_COST_ESTIMATED
};

/** What an event tells: INFER_EVENT_*. Ignore types that you do not know;
 * none is the type of an event that was moved from. */
enum class EventType : std::int32_t {
  none = 0,
  start = INFER_EVENT_START,
  text = INFER_EVENT_TEXT,
  reasoning = INFER_EVENT_REASONING,
  refusal = INFER_EVENT_REFUSAL,
  tool_call_delta = INFER_EVENT_TOOL_CALL_DELTA,
  tool_call_done = INFER_EVENT_TOOL_CALL_DONE,
  logprobs = INFER_EVENT_LOGPROBS,
  extra = INFER_EVENT_EXTRA,
  finish = INFER_EVENT_FINISH,
  usage = INFER_EVENT_USAGE,
  restart = INFER_EVENT_RESTART,
  done = INFER_EVENT_DONE,
  attempt = INFER_EVENT_ATTEMPT
};

/** Level of a line of the log: INFER_LOG_*. */
enum class LogLevel : std::int32_t {
  error = INFER_LOG_ERROR,
  warn = INFER_LOG_WARN,
  info = INFER_LOG_INFO,
  debug = INFER_LOG_DEBUG,
  trace = INFER_LOG_TRACE
};

/** How far a provider was reached by a warm-up: INFER_WARM_*. */
enum class Warm : std::int32_t {
  nothing = INFER_WARM_NOTHING,
  lookup = INFER_WARM_LOOKUP,
  connected = INFER_WARM_CONNECTED,
  tls = INFER_WARM_TLS,
  ready = INFER_WARM_READY
};

/** Which events of a submitted call come: INFER_SUBMIT_*. */
enum class Mode : std::int32_t {
  stream = INFER_SUBMIT_STREAM, /**< those of the answer as they come */
  whole = INFER_SUBMIT_WHOLE    /**< only the terminal one */
};

/** A timeout without limit. Any negative one is. */
inline constexpr std::chrono::milliseconds forever{-1};

/** "INFER_E_RATE_LIMITED". [hook-safe] */
inline std::string_view
status_name(Status status) noexcept
{
  return infer_status_name(static_cast<std::int32_t>(status));
}

/** "rate limited". [hook-safe] */
inline std::string_view
status_text(Status status) noexcept
{
  return infer_status_text(static_cast<std::int32_t>(status));
}

/** Version of the library that runs: "0.1.0". [hook-safe] */
inline std::string_view
version() noexcept
{
  return infer_version();
}

/** What this build can do, separated by spaces. [hook-safe] */
inline std::string_view
features() noexcept
{
  return infer_features();
}

/** Whether the feature is among features(). [hook-safe] */
inline bool
has_feature(std::string_view name)
{
  return infer_has_feature(std::string(name).c_str()) != 0;
}

/* ---- Inside: handles and hooks ------------------------------------------- */

namespace detail {

template <auto Free> struct Freer {
  template <typename T> void operator()(T *handle) const noexcept
  {
    Free(handle);
  }
};

template <typename T, auto Free> using Handle = std::unique_ptr<T, Freer<Free>>;

/* Text with a length as the C functions give it. */
template <typename Get, typename... Args>
std::string_view
text_of(Get get, Args... args) noexcept
{
  std::size_t len = 0;
  const char *text = get(args..., &len);
  return {text, len};
}

/* A C string cannot hold a NUL; text that has one is refused, not cut. */
template <typename... Texts>
bool
has_nul(Texts... texts) noexcept
{
  return ((texts.find('\0') != std::string_view::npos) || ...);
}

/* Numbers are -1 where nothing is known. */
inline std::optional<std::int64_t>
known(std::int64_t number) noexcept
{
  return number < 0 ? std::nullopt : std::optional<std::int64_t>(number);
}

inline std::optional<std::chrono::nanoseconds>
known_ns(std::int64_t ns) noexcept
{
  return ns < 0 ? std::nullopt : std::optional<std::chrono::nanoseconds>(ns);
}

struct Hooks; /* below */

/* Gives a class with size() and operator[] a begin() and an end(). The
 * iterators refer to the list, and what they give is made when asked for. */
template <typename List, typename Item> class Indexed {
public:
  class Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Item;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = Item;

    Iterator() = default;
    Iterator(const List *list, std::size_t index) noexcept
        : list_(list), index_(index)
    {
    }
    Item operator*() const { return (*list_)[index_]; }
    Iterator &operator++() noexcept
    {
      index_++;
      return *this;
    }
    Iterator operator++(int) noexcept
    {
      Iterator before = *this;
      index_++;
      return before;
    }
    friend bool operator==(const Iterator &a, const Iterator &b) noexcept
    {
      return a.index_ == b.index_;
    }
    friend bool operator!=(const Iterator &a, const Iterator &b) noexcept
    {
      return a.index_ != b.index_;
    }

  private:
    const List *list_ = nullptr;
    std::size_t index_ = 0;
  };

  Iterator begin() const noexcept { return {&list(), 0}; }
  Iterator end() const noexcept { return {&list(), list().size()}; }
  bool empty() const noexcept { return list().size() == 0; }

private:
  const List &list() const noexcept { return static_cast<const List &>(*this); }
};

} // namespace detail

/* ---- Attempts ------------------------------------------------------------ */

/** One send of a call's request, lent by the response, error or hook that it
 * came from. All of it is [hook-safe]. */
class Attempt {
public:
  explicit Attempt(const infer_attempt *handle) noexcept : handle_(handle) {}

  /** Name of the provider. */
  std::string_view provider() const noexcept
  {
    return infer_attempt_provider(handle_);
  }
  /** "provider/model". */
  std::string_view target() const noexcept
  {
    return infer_attempt_target(handle_);
  }
  /** Why it was started. */
  Reason reason() const noexcept
  {
    return static_cast<Reason>(infer_attempt_reason(handle_));
  }
  /** "first", "retry", ... */
  std::string_view reason_name() const noexcept
  {
    return infer_attempt_reason_name(handle_);
  }
  /** Which key of the provider was used, from 0; the key is not told. */
  std::int32_t key_index() const noexcept
  {
    return infer_attempt_key_index(handle_);
  }
  /** Status::ok or the class of its failure. */
  Status status() const noexcept
  {
    return static_cast<Status>(infer_attempt_status(handle_));
  }
  /** One line about the failure; "" for a success. */
  std::string_view message() const noexcept
  {
    return infer_attempt_message(handle_);
  }
  /** What was decided after its failure, and why; "" for a success. */
  std::string_view decision() const noexcept
  {
    return infer_attempt_decision(handle_);
  }
  /** HTTP status, 0 without a response. */
  std::int32_t http_status() const noexcept
  {
    return infer_attempt_http_status(handle_);
  }
  /** The provider's id of the request. */
  std::string_view request_id() const noexcept
  {
    return infer_attempt_request_id(handle_);
  }
  /** Whether the answer, or the end of a continued one, came from it. */
  bool won() const noexcept { return infer_attempt_won(handle_) != 0; }
  /** Whether the connection had been used before. */
  bool reused_connection() const noexcept
  {
    return infer_attempt_reused_connection(handle_) != 0;
  }
  /** Its start, since the call was accepted. */
  std::chrono::nanoseconds start() const noexcept
  {
    return std::chrono::nanoseconds(infer_attempt_start_ns(handle_));
  }
  /** A point in its life, since its start (limiter_wait: the wait before it);
   * nothing for one that was not reached. */
  std::optional<std::chrono::nanoseconds> phase(Phase phase) const noexcept
  {
    return detail::known_ns(
        infer_attempt_phase_ns(handle_, static_cast<std::int32_t>(phase)));
  }
  /** Tokens; nothing where they are not known. */
  std::optional<std::int64_t> usage(Usage kind) const noexcept
  {
    return detail::known(
        infer_attempt_usage(handle_, static_cast<std::int32_t>(kind)));
  }
  /** Nano-dollars; nothing where that is not known. */
  std::optional<std::int64_t> cost_nano_usd() const noexcept
  {
    return detail::known(infer_attempt_cost_nano_usd(handle_));
  }
  CostKind cost_kind() const noexcept
  {
    return static_cast<CostKind>(infer_attempt_cost_kind(handle_));
  }
  /** Bytes of request body sent. */
  std::int64_t bytes_sent() const noexcept
  {
    return infer_attempt_bytes_sent(handle_);
  }
  /** Bytes of response body received, decoded. */
  std::int64_t bytes_received() const noexcept
  {
    return infer_attempt_bytes_received(handle_);
  }
  /** Output tokens per second after the first content; negative: not known. */
  double tokens_per_second() const noexcept
  {
    return infer_attempt_tokens_per_second(handle_);
  }
  /** Malformed stream events that were skipped. */
  std::int64_t skipped_events() const noexcept
  {
    return infer_attempt_skipped_events(handle_);
  }
  /** The C handle, lent. */
  const infer_attempt *handle() const noexcept { return handle_; }

private:
  const infer_attempt *handle_;
};

/** Attempts in the order of their start, lent by a response or an error: a
 * range with size() and []. The index must be below size(). */
class Attempts : public detail::Indexed<Attempts, Attempt> {
public:
  explicit Attempts(const infer_response *response) noexcept
      : response_(response)
  {
  }
  explicit Attempts(const infer_error *error) noexcept : error_(error) {}

  std::size_t size() const noexcept
  {
    return response_ ? infer_response_attempt_count(response_)
                     : infer_error_attempt_count(error_);
  }
  Attempt operator[](std::size_t index) const noexcept
  {
    return Attempt(response_ ? infer_response_attempt(response_, index)
                             : infer_error_attempt(error_, index));
  }

private:
  const infer_response *response_ = nullptr;
  const infer_error *error_ = nullptr;
};

/* ---- Responses ----------------------------------------------------------- */

/** A tool call of an answer, lent by the response. */
struct ToolCall {
  std::string_view id;
  std::string_view name;
  /** As the model wrote them: JSON if it did its work well. */
  std::string_view arguments;
};

/** The tool calls of one choice: a range with size() and []. */
class ToolCalls : public detail::Indexed<ToolCalls, ToolCall> {
public:
  ToolCalls(const infer_response *response, std::size_t choice) noexcept
      : response_(response), choice_(choice)
  {
  }
  std::size_t size() const noexcept
  {
    return infer_response_tool_call_count(response_, choice_);
  }
  ToolCall operator[](std::size_t index) const noexcept
  {
    return {infer_response_tool_call_id(response_, choice_, index),
            infer_response_tool_call_name(response_, choice_, index),
            detail::text_of(infer_response_tool_call_arguments, response_,
                            choice_, index)};
  }

private:
  const infer_response *response_;
  std::size_t choice_;
};

/** A part of an answer that another target went on with. */
struct Part {
  Attempt attempt;        /**< which wrote it */
  std::string_view model; /**< that the provider says wrote it */
  std::size_t bytes;      /**< of choice 0's text */
};

/** The parts of an answer: a range with size() and []. The index must be below
 * size(). */
class Parts : public detail::Indexed<Parts, Part> {
public:
  explicit Parts(const infer_response *response) noexcept : response_(response)
  {
  }
  std::size_t size() const noexcept
  {
    return infer_response_part_count(response_);
  }
  Part operator[](std::size_t index) const noexcept
  {
    return {Attempt(infer_response_part(response_, index)),
            infer_response_part_model(response_, index),
            infer_response_part_bytes(response_, index)};
  }

private:
  const infer_response *response_;
};

/** What Response and ResponseView can be asked. All of it is [hook-safe]. An
 * empty one, and a choice that does not exist, reads as empty. A choice is
 * named by its place among those that came, in the order of their index. */
template <typename Self> class ResponseAccess {
public:
  /** Whether there is a response. */
  explicit operator bool() const noexcept { return handle() != nullptr; }
  /** Text of a choice. */
  std::string_view text(std::size_t choice = 0) const noexcept
  {
    return detail::text_of(infer_response_choice_text, handle(), choice);
  }
  /** Number of choices. */
  std::size_t choice_count() const noexcept
  {
    return infer_response_choice_count(handle());
  }
  /** Reasoning text of a choice. */
  std::string_view reasoning(std::size_t choice = 0) const noexcept
  {
    return detail::text_of(infer_response_reasoning, handle(), choice);
  }
  /** Refusal text of a choice. */
  std::string_view refusal(std::size_t choice = 0) const noexcept
  {
    return detail::text_of(infer_response_refusal, handle(), choice);
  }
  /** "stop", "length", "tool_calls", ... as OpenAI names them. */
  std::string_view finish_reason(std::size_t choice = 0) const noexcept
  {
    return infer_response_finish_reason(handle(), choice);
  }
  /** The provider's own word for it. */
  std::string_view native_finish_reason(std::size_t choice = 0) const noexcept
  {
    return infer_response_native_finish_reason(handle(), choice);
  }
  /** Tool calls of a choice. */
  ToolCalls tool_calls(std::size_t choice = 0) const noexcept
  {
    return {handle(), choice};
  }
  /** Tokens of the delivered answer; nothing where they are not known. */
  std::optional<std::int64_t> usage(Usage kind) const noexcept
  {
    return detail::known(
        infer_response_usage(handle(), static_cast<std::int32_t>(kind)));
  }
  /** Whether these are, or contain, the library's estimate. */
  bool usage_estimated() const noexcept
  {
    return infer_response_usage_estimated(handle()) > 0;
  }
  /** Tokens of all attempts, failed ones included, as far as known. */
  std::optional<std::int64_t> total_usage(Usage kind) const noexcept
  {
    return detail::known(
        infer_response_total_usage(handle(), static_cast<std::int32_t>(kind)));
  }
  /** Nano-dollars of all attempts, and of those that wrote nothing of this
   * answer; nothing where one of them is not known. */
  std::optional<std::int64_t> total_cost_nano_usd() const noexcept
  {
    return detail::known(infer_response_total_cost_nano_usd(handle()));
  }
  std::optional<std::int64_t> wasted_cost_nano_usd() const noexcept
  {
    return detail::known(infer_response_wasted_cost_nano_usd(handle()));
  }
  CostKind cost_kind() const noexcept
  {
    return static_cast<CostKind>(infer_response_cost_kind(handle()));
  }
  /** The provider's id of the answer. */
  std::string_view id() const noexcept { return infer_response_id(handle()); }
  /** The model that the provider says answered. */
  std::string_view model() const noexcept
  {
    return infer_response_model(handle());
  }
  /** Name of the provider that answered. */
  std::string_view provider() const noexcept
  {
    return infer_response_provider(handle());
  }
  /** "provider/model" as configured. */
  std::string_view target() const noexcept
  {
    return infer_response_target(handle());
  }
  /** The provider's id of the request. */
  std::string_view request_id() const noexcept
  {
    return infer_response_request_id(handle());
  }
  /** The parts of a continued answer; any other has one. */
  Parts parts() const noexcept { return Parts(handle()); }
  /** All attempts of the call. */
  Attempts attempts() const noexcept { return Attempts(handle()); }
  /** The whole answer as an OpenAI chat.completion object. */
  std::string_view json() const noexcept
  {
    return detail::text_of(infer_response_json, handle());
  }

private:
  const infer_response *handle() const noexcept
  {
    return static_cast<const Self &>(*this).handle();
  }
};

/** A response that somebody else owns: an event, an error or a hook. */
class ResponseView : public ResponseAccess<ResponseView> {
public:
  ResponseView() = default;
  explicit ResponseView(const infer_response *handle) noexcept : handle_(handle)
  {
  }
  /** The C handle, lent; nullptr if empty. */
  const infer_response *handle() const noexcept { return handle_; }

private:
  const infer_response *handle_ = nullptr;
};

/** An answer. Owns its handle, outlives the client. */
class Response : public ResponseAccess<Response> {
public:
  Response() = default;
  /** Takes over a C handle. */
  explicit Response(infer_response *given) noexcept : handle_(given) {}
  /** The C handle, lent; nullptr if empty. */
  const infer_response *handle() const noexcept { return handle_.get(); }
  /** Gives the C handle away, for infer_response_free(). */
  infer_response *release() noexcept { return handle_.release(); }
  operator ResponseView() const noexcept { return ResponseView(handle()); }

private:
  detail::Handle<infer_response, infer_response_free> handle_;
};

/* ---- Errors -------------------------------------------------------------- */

/** What Error and ErrorView can be asked. All of it is [hook-safe]. Texts are
 * "" where there is nothing to tell. */
template <typename Self> class ErrorAccess {
public:
  /** Whether there is an error. */
  explicit operator bool() const noexcept { return status() != Status::ok; }
  /** The class of the failure. */
  Status status() const noexcept
  {
    return static_cast<const Self &>(*this).status();
  }
  /** Its name: "INFER_E_RATE_LIMITED". */
  std::string_view name() const noexcept { return status_name(status()); }
  /** Name of the provider that the last attempt went to. */
  std::string_view provider() const noexcept
  {
    return infer_error_provider(handle());
  }
  /** "provider/model" of the last attempt. */
  std::string_view target() const noexcept
  {
    return infer_error_target(handle());
  }
  /** HTTP status of the last attempt, 0 without a response. */
  std::int32_t http_status() const noexcept
  {
    return infer_error_http_status(handle());
  }
  /** The provider's id of the failed request, for its support. */
  std::string_view request_id() const noexcept
  {
    return infer_error_request_id(handle());
  }
  /** The provider's own words: `code` of its error object ... */
  std::string_view provider_code() const noexcept
  {
    return infer_error_provider_code(handle());
  }
  /** ... `type` ... */
  std::string_view provider_type() const noexcept
  {
    return infer_error_provider_type(handle());
  }
  /** ... `param` ... */
  std::string_view provider_param() const noexcept
  {
    return infer_error_provider_param(handle());
  }
  /** ... and its message. */
  std::string_view provider_message() const noexcept
  {
    return infer_error_provider_message(handle());
  }
  /** Whether the same call may succeed later. */
  bool retryable() const noexcept
  {
    return infer_error_retryable(handle()) != 0;
  }
  /** How long the provider asked to wait, if it did. */
  std::optional<std::chrono::milliseconds> retry_after() const noexcept
  {
    std::int64_t ms = handle() ? infer_error_retry_after_ms(handle()) : -1;
    return ms < 0 ? std::nullopt : std::optional<std::chrono::milliseconds>(ms);
  }
  /** Nano-dollars of all attempts, wasted all of them; nothing where one of
   * them is not known. */
  std::optional<std::int64_t> total_cost_nano_usd() const noexcept
  {
    return detail::known(infer_error_total_cost_nano_usd(handle()));
  }
  CostKind cost_kind() const noexcept
  {
    return static_cast<CostKind>(infer_error_cost_kind(handle()));
  }
  /** All attempts of the call. */
  Attempts attempts() const noexcept { return Attempts(handle()); }
  /** What had arrived of the answer, lent; empty if nothing. */
  ResponseView partial() const noexcept
  {
    return ResponseView(infer_error_partial(handle()));
  }

private:
  const infer_error *handle() const noexcept
  {
    return static_cast<const Self &>(*this).handle();
  }
};

/** An error that somebody else owns: an event or a hook. */
class ErrorView : public ErrorAccess<ErrorView> {
public:
  ErrorView() = default;
  explicit ErrorView(const infer_error *handle) noexcept : handle_(handle) {}
  /** Status::ok if empty. */
  Status status() const noexcept
  {
    return static_cast<Status>(infer_error_status(handle_));
  }
  /** One line that says what happened and, where it can, what to do. */
  std::string_view message() const noexcept
  {
    return infer_error_message(handle_);
  }
  /** The C handle, lent; nullptr if empty. */
  const infer_error *handle() const noexcept { return handle_; }

private:
  const infer_error *handle_ = nullptr;
};

/** A failure. Copies share one C handle and may be on any threads. */
class Error : public ErrorAccess<Error> {
public:
  /** None: Status::ok. */
  Error() = default;
  /** A failure that the library told by its status alone. note, a literal,
   * is its message; without one it is the status' text. */
  explicit Error(Status status, const char *note = nullptr) noexcept
      : status_(status), note_(note)
  {
  }
  /** Takes over a C handle, which may be NULL: then as above. */
  Error(Status status, infer_error *given, const char *note = nullptr)
      : status_(status), note_(note)
  {
    if (given)
      handle_.reset(given, infer_error_free);
  }

  /** The class of the failure. */
  Status status() const noexcept { return status_; }
  /** One line that says what happened and, where it can, what to do. It never
   * contains a key; a provider's own words are part of it. */
  std::string_view message() const noexcept
  {
    if (handle_)
      return infer_error_message(handle_.get());
    if (note_ && status_ == Status::invalid_argument)
      return note_;
    return status_text(status_);
  }
  /** The C handle, lent; nullptr where there is only a status. */
  const infer_error *handle() const noexcept { return handle_.get(); }

private:
  std::shared_ptr<infer_error> handle_;
  Status status_ = Status::ok;
  const char *note_ = nullptr;
};

#if INFER_HPP_EXCEPTIONS
/** What the functions without `try_` throw. */
class Exception : public std::exception {
public:
  explicit Exception(Error error) noexcept : error_(std::move(error)) {}
  /** The error's message. */
  const char *what() const noexcept override { return error_.message().data(); }
  /** The error itself. */
  const Error &error() const noexcept { return error_; }
  /** Its class. */
  Status status() const noexcept { return error_.status(); }

private:
  Error error_;
};
#endif

namespace detail {

/* Somebody asked for a value that is not there. */
[[noreturn]] inline void
raise(const Error &error)
{
#if INFER_HPP_EXCEPTIONS
  throw Exception(error);
#else
  std::fprintf(stderr, "infer::Result without a value: %s\n",
               error.message().data());
  std::abort();
#endif
}

/* The C function's out-parameter for an error. */
class ErrorOut {
public:
  ErrorOut() = default;
  ErrorOut(const ErrorOut &) = delete;
  ErrorOut &operator=(const ErrorOut &) = delete;
  ~ErrorOut() { infer_error_free(given_); }
  operator infer_error **() noexcept { return &given_; }
  Error error(std::int32_t status, const char *note = nullptr)
  {
    return Error(static_cast<Status>(status), std::exchange(given_, nullptr),
                 note);
  }

private:
  infer_error *given_ = nullptr;
};

} // namespace detail

/* ---- Results ------------------------------------------------------------- */

/** A value or the Error in its place. */
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) noexcept : held_(std::in_place_index<1>, std::move(error))
  {
  }

  /** Whether there is a value. */
  bool has_value() const noexcept { return held_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  /** Status::ok or the error's. */
  Status status() const noexcept
  {
    return has_value() ? Status::ok : error().status();
  }

  /** The value. Without one it throws Exception; without exceptions it tells
   * the error on stderr and aborts. */
  T &value() &
  {
    check();
    return *std::get_if<0>(&held_);
  }
  const T &value() const &
  {
    check();
    return *std::get_if<0>(&held_);
  }
  T value() &&
  {
    check();
    return std::move(*std::get_if<0>(&held_));
  }
  T &operator*() & { return value(); }
  const T &operator*() const & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T *operator->() { return &value(); }
  const T *operator->() const { return &value(); }
  /** The value, or another one in its place. */
  T value_or(T other) &&
  {
    return has_value() ? std::move(*std::get_if<0>(&held_)) : std::move(other);
  }

  /** The error; one with Status::ok if there is a value. */
  Error error() const noexcept
  {
    const Error *error = std::get_if<1>(&held_);
    return error ? *error : Error();
  }

private:
  void check() const
  {
    if (!has_value())
      detail::raise(*std::get_if<1>(&held_));
  }
  std::variant<T, Error> held_;
};

/** Success, or an Error. */
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) noexcept : error_(std::move(error)) {}
  /** Whether it succeeded. */
  bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }
  /** Status::ok or the error's. */
  Status status() const noexcept { return error_.status(); }
  /** Throws, or aborts, if it did not. */
  void value() const
  {
    if (error_)
      detail::raise(error_);
  }
  /** The error; one with Status::ok if there is none. */
  Error error() const noexcept { return error_; }

private:
  Error error_;
};

namespace detail {

/* A text that a C function gave. */
inline Result<std::string>
taken(std::int32_t status, char *text, std::size_t len)
{
  Handle<char, infer_text_free> held(text);
  if (status != INFER_OK)
    return Error(static_cast<Status>(status));
  return std::string(text, len);
}

} // namespace detail

/** The manual of all configuration options, as Markdown. */
inline Result<std::string>
try_options_manual()
{
  char *text = nullptr;
  std::size_t len = 0;
  std::int32_t status = infer_options_manual(&text, &len);
  return detail::taken(status, text, len);
}

#if INFER_HPP_EXCEPTIONS
/** The same, throwing. */
inline std::string
options_manual()
{
  return try_options_manual().value();
}
#endif

/* ---- Calls and events ---------------------------------------------------- */

class ModelList; /* below, as Embeddings */
class Embeddings;

/** What Call and CallView can be asked. All of it is [hook-safe]. */
template <typename Self> class CallAccess {
public:
  /** Unique in the process, never used again; 0 if empty. */
  std::uint64_t id() const noexcept { return infer_call_id(handle()); }
  /** What submit() was given. */
  std::uint64_t tag() const noexcept { return infer_call_tag(handle()); }
  /** Name of the route, "" for none. */
  std::string_view route() const noexcept { return infer_call_route(handle()); }
  /** Request::tenant(), "" for none. */
  std::string_view tenant() const noexcept
  {
    return infer_call_tenant(handle());
  }
  /** Request::tag() of that name, "" for none. */
  std::string_view tag_value(std::string_view name) const
  {
    return detail::has_nul(name)
               ? std::string_view("")
               : infer_call_tag_value(handle(), std::string(name).c_str());
  }

private:
  const infer_call *handle() const noexcept
  {
    return static_cast<const Self &>(*this).handle();
  }
};

/** A call that a hook is told of. */
class CallView : public CallAccess<CallView> {
public:
  explicit CallView(const infer_call *handle) noexcept : handle_(handle) {}
  /** The C handle, lent. */
  const infer_call *handle() const noexcept { return handle_; }

private:
  const infer_call *handle_;
};

/** A submitted call. Destroying it lets go of the call, which goes on; to end
 * it, cancel(). */
class Call : public CallAccess<Call> {
public:
  Call() = default;
  /** Takes over a C handle. */
  explicit Call(infer_call *given) noexcept : handle_(given) {}

  /** Whether there is a call. */
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /** Asks the call to end; its terminal event follows unless it is queued
   * already. Harmless on an ended call. [hook-safe] */
  Status cancel() noexcept
  {
    return static_cast<Status>(infer_call_cancel(handle_.get()));
  }
  /** Waits for the end of the call and gives its result, as often as asked.
   * Status::timeout if it goes on. Not from a hook. */
  Result<Response> try_wait(std::chrono::milliseconds timeout = forever)
  {
    infer_response *response = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_call_wait(handle_.get(), timeout.count(), &response, error);
    if (status != INFER_OK)
      return error.error(status);
    return Response(response);
  }
  /** What a call of Client::try_submit_models() has found. Status::timeout
   * while it is under way: it does not wait. */
  Result<ModelList> try_models();
  /** What a call of Client::try_submit_embed() has got. Status::timeout while
   * it is under way: it does not wait. */
  Result<Embeddings> try_embeddings();
#if INFER_HPP_EXCEPTIONS
  /** The same, throwing. */
  Response wait(std::chrono::milliseconds timeout = forever)
  {
    return try_wait(timeout).value();
  }
  ModelList models();
#endif
  /** The C handle, lent; nullptr if empty. */
  infer_call *handle() const noexcept
  {
    return handle_.get();
  }

private:
  friend class Client;

  Call(infer_call *given, std::shared_ptr<detail::Hooks> hooks) noexcept
      : hooks_(std::move(hooks)), handle_(given)
  {
  }

  std::shared_ptr<detail::Hooks> hooks_; /* waiting may drive the client */
  detail::Handle<infer_call, infer_call_free> handle_;
};

/** What Event and EventView can be asked. All of it is [hook-safe]; an empty
 * event reads as empty. */
template <typename Self> class EventAccess {
public:
  /** What it tells. */
  EventType type() const noexcept
  {
    return handle() ? static_cast<EventType>(infer_event_type(handle()))
                    : EventType::none;
  }
  /** "text", "done", ... */
  std::string_view type_name() const noexcept
  {
    return handle() ? infer_event_type_name(handle()) : "none";
  }
  /** The call's id. */
  std::uint64_t call_id() const noexcept
  {
    return handle() ? infer_event_call_id(handle()) : 0;
  }
  /** The tag that submit() was given. */
  std::uint64_t tag() const noexcept
  {
    return handle() ? infer_event_tag(handle()) : 0;
  }
  /** Counts the restarts of the call, from 0. */
  std::uint32_t epoch() const noexcept
  {
    return handle() ? infer_event_epoch(handle()) : 0;
  }
  /** Index of the choice. */
  std::uint32_t choice() const noexcept
  {
    return handle() ? infer_event_choice(handle()) : 0;
  }
  /** text, reasoning, refusal, tool_call_delta: the piece. tool_call_done: the
   * whole arguments. finish: the finish reason. logprobs, extra, usage: JSON.
   * restart: why. start: "provider/model". */
  std::string_view text() const noexcept
  {
    return handle() ? detail::text_of(infer_event_text, handle())
                    : std::string_view("");
  }
  /** start: what the provider has said of the answer by then, as a JSON object:
   * id, created, model, and members that only this provider has. "" for other
   * events. */
  std::string_view head() const noexcept
  {
    return handle() ? detail::text_of(infer_event_head, handle())
                    : std::string_view("");
  }
  /** tool_call_*: its place among the tool calls of the choice ... */
  std::uint32_t tool_index() const noexcept
  {
    return handle() ? infer_event_tool_index(handle()) : 0;
  }
  /** ... its id ... */
  std::string_view tool_id() const noexcept
  {
    return handle() ? infer_event_tool_id(handle()) : "";
  }
  /** ... and name. */
  std::string_view tool_name() const noexcept
  {
    return handle() ? infer_event_tool_name(handle()) : "";
  }
  /** done: Status::ok or the class of the failure. */
  Status status() const noexcept
  {
    return handle() ? static_cast<Status>(infer_event_status(handle()))
                    : Status::invalid_argument;
  }
  /** done: the answer, lent; empty where there is none. */
  ResponseView response() const noexcept
  {
    return ResponseView(handle() ? infer_event_response(handle()) : nullptr);
  }
  /** attempt: its record, lent; else one of nothing. */
  Attempt attempt() const noexcept
  {
    return Attempt(handle() ? infer_event_attempt(handle()) : nullptr);
  }
  /** done: the failure, lent; empty where there is none. */
  ErrorView error() const noexcept
  {
    return ErrorView(handle() ? infer_event_error(handle()) : nullptr);
  }

private:
  const infer_event *handle() const noexcept
  {
    return static_cast<const Self &>(*this).handle();
  }
};

/** An event that is lent to a callback until it returns. */
class EventView : public EventAccess<EventView> {
public:
  explicit EventView(const infer_event *handle) noexcept : handle_(handle) {}
  /** The C handle, lent. */
  const infer_event *handle() const noexcept { return handle_; }

private:
  const infer_event *handle_;
};

/** An event. Owns its handle, outlives queue and client. */
class Event : public EventAccess<Event> {
public:
  Event() = default;
  /** Takes over a C handle. */
  explicit Event(infer_event *given) noexcept : handle_(given) {}

  /** Whether there is an event. */
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /** done: takes the result out of the event; the second time the Response is
   * empty, or the Error has its status alone. Status::invalid_argument for
   * any other event. */
  Result<Response> take_result()
  {
    if (type() != EventType::done)
      return Error(Status::invalid_argument, "not the terminal event");
    Status status = this->status();
    if (status != Status::ok)
      return Error(status, infer_event_take_error(handle_.get()));
    return Response(infer_event_take_response(handle_.get()));
  }
  /** The C handle, lent; nullptr if empty. */
  const infer_event *handle() const noexcept { return handle_.get(); }
  operator EventView() const noexcept { return EventView(handle()); }

private:
  detail::Handle<infer_event, infer_event_free> handle_;
};

/* ---- Inside: hooks ------------------------------------------------------- */

/** A line of the log. */
using LogHook = std::function<void(LogLevel level, std::string_view message)>;
/** An attempt that ended; call is empty for a probe and a warm-up. */
using AttemptHook = std::function<void(CallView call, Attempt attempt)>;
/** A call that ended; response is empty for a failed one, error for a
 * successful one. */
using CallHook =
    std::function<void(CallView call, ResponseView response, ErrorView error)>;
/** The queue became non-empty: may only signal. */
using WakeHook = std::function<void()>;

namespace detail {

inline void
drop_token_request(infer_token_request *request) noexcept
{
  infer_token_fail(request, INFER_E_INTERNAL, "nobody has answered");
}

} // namespace detail

/** One question for a token, which Config::token_source() is asked. It is
 * answered once, on any thread, also within the hook and after the client has
 * gone; one that is destroyed without an answer has failed, and is asked again
 * later. All of it is [hook-safe]. */
class TokenRequest {
public:
  TokenRequest() = default;
  /** Takes over a C handle. */
  explicit TokenRequest(infer_token_request *given) noexcept : handle_(given) {}

  /** Whether there is a question that waits for its answer. */
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /** Name of the provider. */
  std::string_view provider() const noexcept
  {
    return infer_token_request_provider(handle_.get());
  }
  /** Whether the provider has refused the last token: a cache is not to give
   * it again. */
  bool refused() const noexcept
  {
    return infer_token_request_refused(handle_.get()) > 0;
  }
  /** Answers with a token, as it stands after "Bearer". expires: 1970 if it is
   * not known. Status::invalid_argument for what is no token or expired
   * already: the question has failed then. */
  Status deliver(std::string_view token,
                 std::chrono::system_clock::time_point expires = {}) noexcept
  {
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
        expires.time_since_epoch());
    return static_cast<Status>(infer_token_deliver(
        handle_.release(), token.data(), token.size(), seconds.count()));
  }
  /** Answers that there is none: Status::auth if somebody has to mend it, else
   * a passing failure. The message must not hold a secret. */
  Status fail(Status why, std::string_view message = {})
  {
    std::string text(message);
    return static_cast<Status>(infer_token_fail(
        handle_.release(), static_cast<std::int32_t>(why), text.c_str()));
  }
  /** Gives the C handle away. */
  infer_token_request *release() noexcept { return handle_.release(); }

private:
  detail::Handle<infer_token_request, detail::drop_token_request> handle_;
};

/** Is asked for a provider's tokens. It must not block: it hands the question
 * to somebody who answers it when he can. */
using TokenSource = std::function<void(TokenRequest request)>;
/** Gives what SaveHook was last given, "" if nothing was. */
using LoadHook = std::function<Result<std::string>()>;
/** Keeps it, on a thread of the library that may wait for that; Status::ok if
 * it is kept. */
using SaveHook = std::function<Status(std::string_view data)>;

namespace detail {

struct Telemetry {
  AttemptHook on_attempt;
  CallHook on_call;
};

struct BudgetStore {
  LoadHook load;
  SaveHook save;
};

using TokenSources = std::vector<std::shared_ptr<TokenSource>>;

/* What a client's hooks need while they may run. */
struct Hooks {
  std::shared_ptr<LogHook> log;
  std::shared_ptr<Telemetry> telemetry;
  std::shared_ptr<BudgetStore> store;
  std::shared_ptr<Hooks> next; /* in the list of those kept */
  std::atomic<bool> is_kept{false};

  /* Calls that began with an earlier configuration may ask its sources
   * still. */
  void keep(const TokenSources &given)
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto &source : given)
      if (!has(source.get()))
        sources_.push_back(source);
  }
  bool owns(const void *hook)
  {
    std::lock_guard<std::mutex> lock(mutex_);
    return hook == log.get() || hook == telemetry.get() ||
           hook == store.get() || has(hook);
  }

private:
  bool has(const void *hook) const noexcept
  {
    for (const auto &source : sources_)
      if (source.get() == hook)
        return true;
    return false;
  }
  std::mutex mutex_;
  TokenSources sources_;
};

struct Wakeup : std::enable_shared_from_this<Wakeup> {
  WakeHook hook;
  std::shared_ptr<Hooks> hooks; /* of the queue's client */
};

/* The hooks that this thread is in, innermost first. */
struct Frame {
  explicit Frame(const void *running, const Hooks *hooks = nullptr) noexcept
      : running_(running), hooks_(hooks), outer_(top())
  {
    top() = this;
  }
  Frame(const Frame &) = delete;
  Frame &operator=(const Frame &) = delete;
  ~Frame() { top() = outer_; }

  static bool is_within(Hooks &hooks)
  {
    for (const Frame *frame = top(); frame; frame = frame->outer_)
      if (frame->hooks_ == &hooks || hooks.owns(frame->running_))
        return true;
    return false;
  }

private:
  static const Frame *&top() noexcept
  {
    thread_local const Frame *frame = nullptr;
    return frame;
  }
  const void *running_;
  const Hooks *hooks_;
  const Frame *outer_;
};

/* A client that was freed within one of its own hooks goes on to run them on
 * this thread, which is its loop's. They stay until the thread ends. */
inline void
let_go(std::shared_ptr<Hooks> hooks) noexcept
{
  if (!hooks || !Frame::is_within(*hooks) || hooks->is_kept.exchange(true))
    return;
  thread_local std::shared_ptr<Hooks> kept;
  hooks->next = std::move(kept);
  kept = std::move(hooks);
}

/* Calls a hook of the application; its exceptions end here. */
template <typename Hook, typename... Args>
void
call_hook(const Hook &hook, Args... args) noexcept
{
  if (!hook)
    return;
#if INFER_HPP_EXCEPTIONS
  try {
    hook(std::move(args)...);
  } catch (...) {
  }
#else
  hook(std::move(args)...);
#endif
}

/* The same of one that gives a status. */
template <typename Function>
std::int32_t
call_for_status(const Function &function) noexcept
{
#if INFER_HPP_EXCEPTIONS
  try {
    return function();
  } catch (...) {
    return INFER_E_INTERNAL;
  }
#else
  return function();
#endif
}

inline void
run_token_source(infer_token_request *request, void *user_data) noexcept
{
  Frame frame(user_data);
  call_hook(*static_cast<TokenSource *>(user_data), TokenRequest(request));
}

inline std::int32_t
run_load(char *data, std::size_t capacity, std::size_t *len,
         void *user_data) noexcept
{
  Frame frame(user_data);
  const auto &load = static_cast<BudgetStore *>(user_data)->load;
  return call_for_status([&] {
    Result<std::string> found = load();
    if (!found)
      return static_cast<std::int32_t>(found.status());
    *len = found->size();
    if (*len <= capacity)
      found->copy(data, *len);
    return INFER_OK;
  });
}

inline std::int32_t
run_save(const char *data, std::size_t len, void *user_data) noexcept
{
  Frame frame(user_data);
  const auto &save = static_cast<BudgetStore *>(user_data)->save;
  return call_for_status([&] {
    return static_cast<std::int32_t>(save(std::string_view(data, len)));
  });
}

inline void
run_log(std::int32_t level, const char *message, void *user_data) noexcept
{
  Frame frame(user_data);
  call_hook(*static_cast<LogHook *>(user_data), static_cast<LogLevel>(level),
            std::string_view(message));
}

inline void
run_on_attempt(const infer_call *call, const infer_attempt *attempt,
               void *user_data) noexcept
{
  Frame frame(user_data);
  call_hook(static_cast<Telemetry *>(user_data)->on_attempt, CallView(call),
            Attempt(attempt));
}

inline void
run_on_call(const infer_call *call, const infer_response *response,
            const infer_error *error, void *user_data) noexcept
{
  Frame frame(user_data);
  call_hook(static_cast<Telemetry *>(user_data)->on_call, CallView(call),
            ResponseView(response), ErrorView(error));
}

/* The hook may replace itself or destroy its queue. */
inline void
run_wakeup(void *user_data) noexcept
{
  auto wakeup = static_cast<Wakeup *>(user_data)->shared_from_this();
  Frame frame(wakeup.get(), wakeup->hooks.get());
  call_hook(wakeup->hook);
}

/* Whether a number can be an int64_t. */
template <typename T>
constexpr bool
fits_int64(T value) noexcept
{
  if constexpr (std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t))
    return value <= static_cast<T>(std::numeric_limits<std::int64_t>::max());
  return true;
}

/* What a builder has besides its handle: the first mistake. */
class Mistake {
public:
  void note(std::int32_t status, const char *what)
  {
    if (status != INFER_OK && !error_)
      error_ = Error(static_cast<Status>(status), what);
  }
  void note(std::int32_t status, ErrorOut &given)
  {
    if (status != INFER_OK && !error_)
      error_ = given.error(status);
  }
  const Error &error() const noexcept { return error_; }

private:
  Error error_;
};

} // namespace detail

/* ---- Configuration ------------------------------------------------------- */

/** A configuration that is being built; see docs/options.md for the options.
 * A builder: `Config().set("threads", 0).on_log(LogLevel::warn, print)`. Each
 * step on a temporary gives the Config itself, any other a reference. */
class Config {
public:
  /** An empty configuration. */
  Config()
  {
    infer_config *config = nullptr;
    mistake_.note(infer_config_new(&config), "config");
    handle_.reset(config);
  }
  /** From a JSON document; line and column of a mistake are kept as
   * Status::config. */
  static Config from_json(std::string_view json)
  {
    infer_config *config = nullptr;
    detail::ErrorOut error;
    std::int32_t status = infer_config_from_json(
        &config, json.data() ? json.data() : "", json.size(), error);
    return Config(config, status, error);
  }
  /** From a file of at most 4 MiB: Status::io, Status::config. */
  static Config from_file(std::string_view path)
  {
    infer_config *config = nullptr;
    detail::ErrorOut error;
    if (detail::has_nul(path)) {
      return Config(nullptr, INFER_E_INVALID_ARGUMENT, error);
    }
    std::int32_t status =
        infer_config_from_file(&config, std::string(path).c_str(), error);
    return Config(config, status, error);
  }

  /** Sets the option at a path ("threads", "providers.house.base_url") to a
   * text, a whole number, a bool, or nullptr, which removes it. */
  template <typename T> Config &set(std::string_view path, const T &value) &
  {
    if constexpr (std::is_same_v<T, std::nullptr_t>)
      return set_json(path, "null");
    else if constexpr (std::is_same_v<T, bool>)
      return set_json(path, value ? "true" : "false");
    else if constexpr (std::is_integral_v<T>)
      return set_int(path, static_cast<std::int64_t>(value),
                     detail::fits_int64(value));
    else
      return set_string(path, value);
  }
  template <typename T> Config set(std::string_view path, const T &value) &&
  {
    return std::move(set(path, value));
  }
  /** The same with the value given as JSON. */
  Config &set_json(std::string_view path, std::string_view json) &
  {
    detail::ErrorOut error;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(path))
      status = infer_config_set_json(handle(), std::string(path).c_str(),
                                     json.data() ? json.data() : "",
                                     json.size(), error);
    mistake_.note(status, error);
    return *this;
  }
  Config set_json(std::string_view path, std::string_view json) &&
  {
    return std::move(set_json(path, json));
  }

  /** Lines of at most this level go to the hook; an empty one ends it. It
   * lives as long as this Config or a client made of it. */
  Config &on_log(LogLevel level, LogHook hook) &
  {
    auto log = std::make_shared<LogHook>(std::move(hook));
    mistake_.note(
        infer_config_set_log(handle(), static_cast<std::int32_t>(level),
                             *log ? detail::run_log : nullptr, log.get()),
        "on_log: the level is not one");
    log_ = std::move(log);
    return *this;
  }
  Config on_log(LogLevel level, LogHook hook) &&
  {
    return std::move(on_log(level, std::move(hook)));
  }
  /** Runs for each attempt that ended; lives as the log's does. */
  Config &on_attempt(AttemptHook hook) &
  {
    return set_telemetry(
        {std::move(hook), telemetry_ ? telemetry_->on_call : CallHook()});
  }
  Config on_attempt(AttemptHook hook) &&
  {
    return std::move(on_attempt(std::move(hook)));
  }
  /** Runs for each call that ended, after its last attempt; lives as the log's
   * does. */
  Config &on_call(CallHook hook) &
  {
    return set_telemetry(
        {telemetry_ ? telemetry_->on_attempt : AttemptHook(), std::move(hook)});
  }
  Config on_call(CallHook hook) &&
  {
    return std::move(on_call(std::move(hook)));
  }

  /** The hook is asked for the tokens of this provider, which the document has
   * without "api_key"; an empty one is not. A later one replaces it. It lives
   * as long as this Config or a client that was made of it or reloaded with
   * it. */
  Config &token_source(std::string_view provider, TokenSource source) &
  {
    sources_.push_back(std::make_shared<TokenSource>(std::move(source)));
    TokenSource *kept = sources_.back().get();
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(provider))
      status = infer_config_set_token_source(
          handle(), std::string(provider).c_str(),
          *kept ? detail::run_token_source : nullptr, kept);
    mistake_.note(status, "token_source: the provider has no such name");
    return *this;
  }
  Config token_source(std::string_view provider, TokenSource source) &&
  {
    return std::move(token_source(provider, std::move(source)));
  }
  /** Keeps what the budgets have spent with the application, in place of the
   * option budgets_file; two empty hooks: nobody does. Neither may call a
   * function of the client. They live as the log's does. */
  Config &budget_store(LoadHook load, SaveHook save) &
  {
    auto store = std::make_shared<detail::BudgetStore>(
        detail::BudgetStore{std::move(load), std::move(save)});
    std::int32_t status = infer_config_set_budget_store(
        handle(), store->load ? detail::run_load : nullptr,
        store->save ? detail::run_save : nullptr, store.get());
    mistake_.note(status, "budget_store: one of the hooks is empty");
    if (status == INFER_OK)
      store_ = std::move(store);
    return *this;
  }
  Config budget_store(LoadHook load, SaveHook save) &&
  {
    return std::move(budget_store(std::move(load), std::move(save)));
  }
  /** Adds a type of providers, which a plug-in describes: see
   * infer/provider.h. The descriptor may go at once. */
  Config &add_provider_type(const infer_provider_descriptor &descriptor) &
  {
    detail::ErrorOut error;
    std::int32_t status =
        infer_config_add_provider_type(handle(), &descriptor, error);
    mistake_.note(status, error);
    return *this;
  }
  Config add_provider_type(const infer_provider_descriptor &descriptor) &&
  {
    return std::move(add_provider_type(descriptor));
  }

  /** The first mistake; Status::ok if there is none so far. */
  const Error &error() const noexcept { return mistake_.error(); }
  /** Checks everything that can be checked without the network. */
  Result<void> try_check() const
  {
    if (Error mistake = problem())
      return mistake;
    detail::ErrorOut found;
    std::int32_t status = infer_config_check(handle_.get(), found);
    return status == INFER_OK ? Result<void>() : found.error(status);
  }
  /** The document, with every written-out secret replaced by "***". */
  Result<std::string> try_json() const
  {
    if (Error mistake = problem())
      return mistake;
    char *text = nullptr;
    std::size_t len = 0;
    std::int32_t status = infer_config_json(handle_.get(), &text, &len);
    return detail::taken(status, text, len);
  }
#if INFER_HPP_EXCEPTIONS
  /** The same, throwing. */
  void check() const
  {
    try_check().value();
  }
  std::string json() const
  {
    return try_json().value();
  }
#endif
  /** The C handle, lent; nullptr if there is none. */
  const infer_config *handle() const noexcept
  {
    return handle_.get();
  }

private:
  friend class Client;

  Config(infer_config *given, std::int32_t status, detail::ErrorOut &error)
      : handle_(given)
  {
    mistake_.note(status, error);
  }
  /* Why it cannot be used. (A C function would take NULL for the providers of
   * the environment.) */
  Error problem() const noexcept
  {
    if (!error() && !handle_)
      return Error(Status::invalid_argument, "the Config was moved from");
    return error();
  }
  infer_config *handle() noexcept
  {
    return error() ? nullptr : handle_.get();
  }
  Config &set_int(std::string_view path, std::int64_t value, bool fits)
  {
    detail::ErrorOut error;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (fits && !detail::has_nul(path))
      status = infer_config_set_int(handle(), std::string(path).c_str(), value,
                                    error);
    mistake_.note(status, error);
    return *this;
  }
  Config &set_string(std::string_view path, std::string_view value)
  {
    detail::ErrorOut error;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(path, value))
      status = infer_config_set_string(handle(), std::string(path).c_str(),
                                       std::string(value).c_str(), error);
    mistake_.note(status, error);
    return *this;
  }
  Config &set_telemetry(detail::Telemetry hooks)
  {
    auto telemetry = std::make_shared<detail::Telemetry>(std::move(hooks));
    mistake_.note(infer_config_set_telemetry(
                      handle(),
                      telemetry->on_attempt ? detail::run_on_attempt : nullptr,
                      telemetry->on_call ? detail::run_on_call : nullptr,
                      telemetry.get()),
                  "telemetry");
    telemetry_ = std::move(telemetry);
    return *this;
  }

  /* The handle lets go of the hooks before they are destroyed. */
  std::shared_ptr<LogHook> log_;
  std::shared_ptr<detail::Telemetry> telemetry_;
  std::shared_ptr<detail::BudgetStore> store_;
  detail::TokenSources sources_; /* those that were replaced among them */
  detail::Handle<infer_config, infer_config_free> handle_;
  detail::Mistake mistake_;
};

/* ---- Requests ------------------------------------------------------------ */

/** A request that is being built, OpenAI-shaped. A builder:
 * `Request("fast").system("Be short.").user("What is a hedge?")`. Each step on
 * a temporary gives the Request itself, any other a reference. It may be used
 * for any number of calls; each takes a copy of it. */
class Request {
public:
  /** model: the name of a route, "provider/model", or a model that exactly one
   * provider claims. */
  explicit Request(std::string_view model)
  {
    infer_request *request = nullptr;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(model))
      status = infer_request_new(&request, std::string(model).c_str());
    handle_.reset(request);
    mistake_.note(status, "model: empty, too long, or not UTF-8");
  }
  /** From an OpenAI Chat Completions request object. */
  static Request from_json(std::string_view json)
  {
    Request request;
    infer_request *given = nullptr;
    detail::ErrorOut error;
    std::int32_t status = infer_request_from_json(
        &given, json.data() ? json.data() : "", json.size(), error);
    request.handle_.reset(given);
    request.mistake_.note(status, error);
    return request;
  }

  /** Another model. */
  Request &model(std::string_view model) &
  {
    return noted(
        detail::has_nul(model)
            ? INFER_E_INVALID_ARGUMENT
            : infer_request_set_model(handle(), std::string(model).c_str()),
        "model: empty, too long, or not UTF-8");
  }
  Request model(std::string_view model) &&
  {
    return std::move(this->model(model));
  }

  /** Adds a text that is to be embedded: for Client::try_embed(). */
  Request &input(std::string_view text) &
  {
    return noted(infer_request_add_input_n(
                     handle(), text.data() ? text.data() : "", text.size()),
                 "input: it is empty or not UTF-8, or there are messages");
  }
  Request input(std::string_view text) && { return std::move(input(text)); }
  /** Adds a message. role: "system", "developer", "user", "assistant". */
  Request &message(std::string_view role, std::string_view text) &
  {
    return noted(detail::has_nul(role)
                     ? INFER_E_INVALID_ARGUMENT
                     : infer_request_add_message_n(
                           handle(), std::string(role).c_str(),
                           text.data() ? text.data() : "", text.size()),
                 "message: no such role, or the text is not UTF-8");
  }
  Request message(std::string_view role, std::string_view text) &&
  {
    return std::move(message(role, text));
  }
  Request &system(std::string_view text) & { return message("system", text); }
  Request system(std::string_view text) && { return std::move(system(text)); }
  Request &developer(std::string_view text) &
  {
    return message("developer", text);
  }
  Request developer(std::string_view text) &&
  {
    return std::move(developer(text));
  }
  Request &user(std::string_view text) & { return message("user", text); }
  Request user(std::string_view text) && { return std::move(user(text)); }
  Request &assistant(std::string_view text) &
  {
    return message("assistant", text);
  }
  Request assistant(std::string_view text) &&
  {
    return std::move(assistant(text));
  }
  /** Adds a message object as OpenAI has it: parts, audio, files, ... */
  Request &message_json(std::string_view json) &
  {
    detail::ErrorOut error;
    std::int32_t status = infer_request_add_message_json(
        handle(), json.data() ? json.data() : "", json.size(), error);
    return noted(status, error);
  }
  Request message_json(std::string_view json) &&
  {
    return std::move(message_json(json));
  }
  /** Adds a user message of content parts, given as a JSON array. */
  Request &parts(std::string_view json) &
  {
    /* It must be one whole value, or it could bring members of its own. */
    Request probe("parts");
    probe.set_json("content", json);
    std::size_t first = json.find_first_not_of(" \t\r\n");
    if (probe.error() || first == json.npos || json[first] != '[')
      return noted(INFER_E_INVALID_ARGUMENT, "parts: expected a JSON array");
    std::string message = "{\"role\":\"user\",\"content\":";
    message.append(json).append("}");
    return message_json(message);
  }
  Request parts(std::string_view json) && { return std::move(parts(json)); }
  /** Adds a user message of a text, "" for none, and an image, given as an
   * https:, http: or data: URL. */
  Request &image(std::string_view text, std::string_view url) &
  {
    return noted(detail::has_nul(text, url)
                     ? INFER_E_INVALID_ARGUMENT
                     : infer_request_add_image(
                           handle(),
                           text.empty() ? nullptr : std::string(text).c_str(),
                           std::string(url).c_str()),
                 "image: needs an https:, http: or data: URL, in UTF-8");
  }
  Request image(std::string_view text, std::string_view url) &&
  {
    return std::move(image(text, url));
  }
  /** Adds the assistant's message of a response, tool calls included, so that
   * the conversation can go on. */
  Request &add(ResponseView response) &
  {
    return noted(infer_request_add_response(handle(), response.handle()),
                 "add: the response is empty");
  }
  Request add(ResponseView response) && { return std::move(add(response)); }
  /** Adds the result of a tool call. */
  Request &tool_result(std::string_view tool_call_id, std::string_view text) &
  {
    return noted(detail::has_nul(tool_call_id)
                     ? INFER_E_INVALID_ARGUMENT
                     : infer_request_add_tool_result(
                           handle(), std::string(tool_call_id).c_str(),
                           text.data() ? text.data() : "", text.size()),
                 "tool_result: id or text are not UTF-8");
  }
  Request tool_result(std::string_view tool_call_id, std::string_view text) &&
  {
    return std::move(tool_result(tool_call_id, text));
  }
  /** Offers a function. description and parameters, a JSON schema, may be "".
   */
  Request &tool(std::string_view name, std::string_view description,
                std::string_view parameters) &
  {
    detail::ErrorOut error;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(name, description, parameters))
      status = infer_request_add_tool(
          handle(), std::string(name).c_str(),
          description.empty() ? nullptr : std::string(description).c_str(),
          parameters.empty() ? nullptr : std::string(parameters).c_str(),
          error);
    return noted(status, error);
  }
  Request tool(std::string_view name, std::string_view description,
               std::string_view parameters) &&
  {
    return std::move(tool(name, description, parameters));
  }
  /** Asks for JSON that matches the schema (response_format json_schema,
   * strict). */
  Request &json_schema(std::string_view name, std::string_view schema) &
  {
    detail::ErrorOut error;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(name, schema))
      status =
          infer_request_set_json_schema(handle(), std::string(name).c_str(),
                                        std::string(schema).c_str(), error);
    return noted(status, error);
  }
  Request json_schema(std::string_view name, std::string_view schema) &&
  {
    return std::move(json_schema(name, schema));
  }
  /** The member "response_format", as JSON: `{"type":"json_object"}`. */
  Request &response_format(std::string_view json) &
  {
    return set_json("response_format", json);
  }
  Request response_format(std::string_view json) &&
  {
    return std::move(response_format(json));
  }
  /** Any member of the request object but "model" and "messages", by its
   * OpenAI name, to a text, a number, a bool, or nullptr, which removes it:
   * `set("temperature", 0.2)`. */
  template <typename T> Request &set(std::string_view member, const T &value) &
  {
    if constexpr (std::is_same_v<T, std::nullptr_t>)
      return set_json(member, "null");
    else if constexpr (std::is_same_v<T, bool>)
      return set_json(member, value ? "true" : "false");
    else if constexpr (std::is_integral_v<T>)
      return set_int(member, static_cast<std::int64_t>(value),
                     detail::fits_int64(value));
    else if constexpr (std::is_floating_point_v<T>)
      return set_double(member, static_cast<double>(value));
    else
      return set_string(member, value);
  }
  template <typename T> Request set(std::string_view member, const T &value) &&
  {
    return std::move(set(member, value));
  }
  /** The same with the value given as JSON. */
  Request &set_json(std::string_view member, std::string_view json) &
  {
    detail::ErrorOut error;
    std::int32_t status = INFER_E_INVALID_ARGUMENT;
    if (!detail::has_nul(member))
      status = infer_request_set_json(handle(), std::string(member).c_str(),
                                      json.data() ? json.data() : "",
                                      json.size(), error);
    return noted(status, error);
  }
  Request set_json(std::string_view member, std::string_view json) &&
  {
    return std::move(set_json(member, json));
  }

  /** One deadline over queueing, retries, failover and the answer, from the
   * submission on, 1 ms to 24 h. */
  Request &deadline(std::chrono::milliseconds deadline) &
  {
    return noted(infer_request_set_deadline_ms(handle(), deadline.count()),
                 "deadline: must be from 1 ms to 24 h");
  }
  Request deadline(std::chrono::milliseconds deadline) &&
  {
    return std::move(this->deadline(deadline));
  }
  /** A number of the route's policy, for this call instead of what the
   * configuration says, such as "retries" or "timeouts.first_token_ms". */
  Request &policy(std::string_view option, std::int64_t value) &
  {
    return noted(detail::has_nul(option)
                     ? INFER_E_INVALID_ARGUMENT
                     : infer_request_set_policy(
                           handle(), std::string(option).c_str(), value),
                 "policy: no such number, or out of its range");
  }
  Request policy(std::string_view option, std::int64_t value) &&
  {
    return std::move(policy(option, value));
  }
  /** An HTTP header for every attempt, at most 64 of them. Control characters,
   * and names that the library sets itself, are refused. */
  Request &header(std::string_view name, std::string_view value) &
  {
    return pair(infer_request_set_header, name, value,
                "header: not allowed, or more than 64");
  }
  Request header(std::string_view name, std::string_view value) &&
  {
    return std::move(header(name, value));
  }
  /** Only providers with this label may see the request. At most 16. */
  Request &require_label(std::string_view label) &
  {
    return noted(
        detail::has_nul(label)
            ? INFER_E_INVALID_ARGUMENT
            : infer_request_require_label(handle(), std::string(label).c_str()),
        "require_label: empty, not UTF-8, or more than 16");
  }
  Request require_label(std::string_view label) &&
  {
    return std::move(require_label(label));
  }
  /** For telemetry: a tag (at most 32, replaced by name) ... */
  Request &tag(std::string_view name, std::string_view value) &
  {
    return pair(infer_request_set_tag, name, value,
                "tag: not UTF-8, or more than 32");
  }
  Request tag(std::string_view name, std::string_view value) &&
  {
    return std::move(tag(name, value));
  }
  /** ... and the tenant. */
  Request &tenant(std::string_view tenant) &
  {
    return noted(
        detail::has_nul(tenant)
            ? INFER_E_INVALID_ARGUMENT
            : infer_request_set_tenant(handle(), std::string(tenant).c_str()),
        "tenant: not UTF-8");
  }
  Request tenant(std::string_view tenant) &&
  {
    return std::move(this->tenant(tenant));
  }
  /** Never send the request a second time unless no byte of the first was sent
   * or the provider refused the stream before reading it. */
  Request &run_once(bool run_once = true) &
  {
    return noted(infer_request_set_run_once(handle(), run_once ? 1 : 0),
                 "run_once");
  }
  Request run_once(bool run_once = true) &&
  {
    return std::move(this->run_once(run_once));
  }

  /** The first mistake; Status::ok if there is none so far. */
  const Error &error() const noexcept { return mistake_.error(); }
  /** The request as the JSON object that from_json() takes. */
  Result<std::string> try_json() const
  {
    if (error())
      return error();
    char *text = nullptr;
    std::size_t len = 0;
    std::int32_t status = infer_request_json(handle_.get(), &text, &len);
    return detail::taken(status, text, len);
  }
#if INFER_HPP_EXCEPTIONS
  /** The same, throwing. */
  std::string json() const
  {
    return try_json().value();
  }
#endif
  /** The C handle, lent; nullptr if there is none. */
  const infer_request *handle() const noexcept
  {
    return handle_.get();
  }

private:
  Request() = default;

  infer_request *handle() noexcept
  {
    return error() ? nullptr : handle_.get();
  }
  Request &noted(std::int32_t status, const char *what)
  {
    mistake_.note(status, what);
    return *this;
  }
  Request &noted(std::int32_t status, detail::ErrorOut &error)
  {
    mistake_.note(status, error);
    return *this;
  }
  template <typename Set>
  Request &pair(Set give, std::string_view name, std::string_view value,
                const char *what)
  {
    return noted(detail::has_nul(name, value)
                     ? INFER_E_INVALID_ARGUMENT
                     : give(handle(), std::string(name).c_str(),
                            std::string(value).c_str()),
                 what);
  }
  Request &set_int(std::string_view member, std::int64_t value, bool fits)
  {
    return noted(!fits || detail::has_nul(member)
                     ? INFER_E_INVALID_ARGUMENT
                     : infer_request_set_int(
                           handle(), std::string(member).c_str(), value),
                 "set: no such member, or the number is too large");
  }
  Request &set_double(std::string_view member, double value)
  {
    return noted(detail::has_nul(member)
                     ? INFER_E_INVALID_ARGUMENT
                     : infer_request_set_double(
                           handle(), std::string(member).c_str(), value),
                 "set: no such member, or not a finite number");
  }
  /* A NUL within the value is legal in JSON, but not in a C string. */
  Request &set_string(std::string_view member, std::string_view value)
  {
    return pair(infer_request_set_string, member, value,
                "set: no such member, or the text is not UTF-8");
  }

  detail::Handle<infer_request, infer_request_free> handle_;
  detail::Mistake mistake_;
};

/* ---- Queues -------------------------------------------------------------- */

/** A queue for the events of any number of a client's calls, made by
 * Client::queue(). Destroying it cancels them. */
class Queue {
public:
  Queue() = default;
  Queue(Queue &&other) noexcept = default;
  /** The queue that is assigned over ends as by its destructor. */
  Queue &operator=(Queue &&other) noexcept
  {
    Queue old(std::move(other));
    std::swap(handle_, old.handle_);
    std::swap(hooks_, old.hooks_);
    std::swap(wakeup_, old.wakeup_);
    return *this;
  }
  ~Queue() = default;

  /** The next event. Status::timeout, or Status::closed once the client is
   * closed and nothing is left. Not from a hook. */
  Result<Event> try_poll(std::chrono::milliseconds timeout = forever)
  {
    infer_event *event = nullptr;
    std::int32_t status =
        infer_queue_poll(handle_.get(), timeout.count(), &event);
    if (status != INFER_OK)
      return Error(static_cast<Status>(status), "the queue is empty");
    return Event(event);
  }
  /** Fills up to capacity places of an array, but at most 64, with the next
   * events, and tells how many; returns as soon as one is there. */
  Result<std::size_t>
  try_poll_batch(Event *events, std::size_t capacity,
                 std::chrono::milliseconds timeout = forever)
  {
    std::array<infer_event *, 64> taken{};
    std::size_t count = 0;
    std::int32_t status = infer_queue_poll_batch(
        handle_.get(), taken.data(),
        capacity < taken.size() ? capacity : taken.size(), timeout.count(),
        &count);
    for (std::size_t i = 0; i < count; i++)
      events[i] = Event(taken[i]);
    if (status != INFER_OK)
      return Error(static_cast<Status>(status), "no room, or no queue");
    return count;
  }
#if INFER_HPP_EXCEPTIONS
  /** The next event; none after the timeout, or once the queue is closed.
   * Throws for anything else. */
  std::optional<Event> poll(std::chrono::milliseconds timeout = forever)
  {
    Result<Event> event = try_poll(timeout);
    if (event)
      return std::move(event).value();
    if (event.status() != Status::timeout && event.status() != Status::closed)
      detail::raise(event.error());
    return std::nullopt;
  }
#endif
  /** Readable exactly while an event waits; do not read from it. -1 on
   * failure. With "threads": 0 watch Client::fd() and drive as well. */
  std::int32_t fd() const noexcept
  {
    return infer_queue_fd(handle_.get());
  }
  /** A hook that runs when the queue becomes non-empty; it may only signal. An
   * empty one removes it. The old one does not run any more afterwards. By one
   * thread at a time. */
  Status set_wakeup(WakeHook hook)
  {
    std::shared_ptr<detail::Wakeup> wakeup;
    if (hook) {
      wakeup = std::make_shared<detail::Wakeup>();
      wakeup->hook = std::move(hook);
      wakeup->hooks = hooks_;
    }
    std::swap(wakeup_, wakeup); /* it may run at once */
    std::int32_t status = infer_queue_set_wakeup(
        handle_.get(), wakeup_ ? detail::run_wakeup : nullptr, wakeup_.get());
    if (status != INFER_OK)
      std::swap(wakeup_, wakeup);
    return static_cast<Status>(status);
  }
  /** From now on events of type attempt, too: see infer_queue_set_records(). */
  Status set_records(bool on) noexcept
  {
    return static_cast<Status>(infer_queue_set_records(handle_.get(), on));
  }
  /** Whether there is a queue. */
  explicit operator bool() const noexcept
  {
    return handle_ != nullptr;
  }
  /** The C handle, lent; nullptr if empty. */
  infer_queue *handle() const noexcept
  {
    return handle_.get();
  }

private:
  friend class Client;

  Queue(infer_queue *given, std::shared_ptr<detail::Hooks> hooks) noexcept
      : hooks_(std::move(hooks)), handle_(given)
  {
  }

  /* The handle lets go of the hook before it is destroyed. */
  std::shared_ptr<detail::Hooks> hooks_;
  std::shared_ptr<detail::Wakeup> wakeup_;
  detail::Handle<infer_queue, infer_queue_free> handle_;
};

/* ---- Streams ------------------------------------------------------------- */

/** The events of one call as they come, made by Client::stream():
 *
 *     for (const auto &event : client.stream(request))
 *       if (event.type() == EventType::text)
 *         std::cout << event.text();
 *
 * A range to be gone through once, by one thread. The last event is the
 * terminal one. If the call fails, a stream of stream() throws the Exception
 * in its place; one of try_stream() gives it with the failure's status and
 * error, so that a cut answer cannot pass for a whole one. Leaving the loop
 * early and destroying the stream cancels the call. Not from a hook. */
class Stream {
  struct State {
    std::shared_ptr<detail::Hooks> hooks; /* reading may drive the client */
    detail::Handle<infer_queue, infer_queue_free> queue;
    detail::Handle<infer_call, infer_call_free> call;
    std::array<Event, 16> batch;
    std::size_t next = 0, count = 0;
    Event current;
    Error failure; /* why events ended, if not by the terminal one */
    bool is_done = false;
    std::atomic<bool> is_throwing{false};

    ~State()
    {
      if (!is_done && call)
        infer_call_cancel(call.get());
    }

    /* The next event into current; false if there is none. */
    bool advance(std::chrono::milliseconds timeout)
    {
      current = Event();
      if (next == count && !fill(timeout))
        return false;
      current = std::move(batch[next++]);
      is_done = current.type() == EventType::done;
      return true;
    }

  private:
    bool fill(std::chrono::milliseconds timeout)
    {
      std::array<infer_event *, 16> taken{};
      next = count = 0;
      if (is_done)
        return failed(INFER_E_CLOSED);
      std::int32_t status = infer_queue_poll_batch(
          queue.get(), taken.data(), taken.size(), timeout.count(), &count);
      for (std::size_t i = 0; i < count; i++)
        batch[i] = Event(taken[i]);
      return status == INFER_OK || failed(status);
    }
    bool failed(std::int32_t status)
    {
      failure = Error(static_cast<Status>(status), "the stream is empty");
      return false;
    }
  };

public:
  /** Where the range ends. */
  struct Sentinel {};

  /** Goes from event to event; each is lent until the next ++. It stays good
   * when the stream is moved. */
  class Iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Event;
    using difference_type = std::ptrdiff_t;
    using pointer = const Event *;
    using reference = const Event &;

    Iterator() = default;
    reference operator*() const noexcept { return state_->current; }
    pointer operator->() const noexcept { return &state_->current; }
    /** Waits for the next event; throws as the stream does. */
    Iterator &operator++()
    {
      step(*state_);
      return *this;
    }
    void operator++(int) { step(*state_); }
    friend bool operator==(const Iterator &it, Sentinel) noexcept
    {
      return it.is_at_end();
    }
    friend bool operator!=(const Iterator &it, Sentinel) noexcept
    {
      return !it.is_at_end();
    }
    friend bool operator==(Sentinel, const Iterator &it) noexcept
    {
      return it.is_at_end();
    }
    friend bool operator!=(Sentinel, const Iterator &it) noexcept
    {
      return !it.is_at_end();
    }

  private:
    friend class Stream;
    explicit Iterator(State *state) noexcept : state_(state) {}
    bool is_at_end() const noexcept { return !state_ || !state_->current; }
    State *state_ = nullptr;
  };

  Stream() = default;

  /** Waits for the first event that was not taken yet. */
  Iterator begin()
  {
    if (state_)
      step(*state_);
    return Iterator(state_.get());
  }
  Sentinel end() const noexcept { return {}; }

  /** The next event, given: for a reader that has other things to do.
   * Status::timeout; Status::closed after the terminal event. Never throws a
   * failure of the call. */
  Result<Event> try_next(std::chrono::milliseconds timeout = forever)
  {
    if (!state_)
      return Error(Status::invalid_argument, "the stream was moved from");
    if (!state_->advance(timeout))
      return state_->failure;
    return std::move(state_->current);
  }
  /** Why the range ended before the terminal event, such as a fork; Status::ok
   * if it did not. */
  Status status() const noexcept
  {
    if (!state_ || state_->is_done ||
        state_->failure.status() == Status::timeout)
      return Status::ok;
    return state_->failure.status();
  }
  /** Drops the events that were not taken, waits for the end, and gives the
   * result. */
  Result<Response> try_result()
  {
    if (!state_)
      return Error(Status::invalid_argument, "the stream was moved from");
    while (state_->advance(forever))
      continue;
    infer_response *response = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_call_wait(state_->call.get(), -1, &response, error);
    if (status != INFER_OK)
      return error.error(status);
    return Response(response);
  }
#if INFER_HPP_EXCEPTIONS
  /** The same, throwing. */
  Response result()
  {
    return try_result().value();
  }
#endif
  /** Asks the call to end. Its terminal event still comes, and is not thrown.
   * Only this may be called by another thread while one reads the stream.
   * [hook-safe] */
  Status cancel() noexcept
  {
    if (!state_)
      return Status::invalid_argument;
    state_->is_throwing = false;
    return static_cast<Status>(infer_call_cancel(state_->call.get()));
  }
  /** The call that the events are of. */
  CallView call() const noexcept
  {
    return CallView(state_ ? state_->call.get() : nullptr);
  }

private:
  friend class Client;

  explicit Stream(std::unique_ptr<State> state) noexcept
      : state_(std::move(state))
  {
  }
  static void step(State &state)
  {
#if INFER_HPP_EXCEPTIONS
    bool found = state.advance(forever);
    if (!state.is_throwing)
      return;
    if (found && state.is_done && state.current.status() != Status::ok) {
      Result<Response> result = state.current.take_result();
      state.current = Event();
      detail::raise(result.error());
    }
    if (!found && state.failure.status() != Status::closed)
      detail::raise(state.failure);
#else
    state.advance(forever);
#endif
  }
  std::unique_ptr<State> state_;
};

/* ---- Plans, warm-ups, models --------------------------------------------- */

/** A target of a plan, lent by it. */
struct PlanRow {
  std::string_view target; /**< "provider/model" */
  Status status;           /**< ok, or the class that keeps it out */
  std::string_view reason; /**< why it stands here, or is kept out */
};

/** The targets that a request would try, in order: a range with size() and
 * []. */
class Plan : public detail::Indexed<Plan, PlanRow> {
public:
  Plan() = default;
  /** Takes over a C handle. */
  explicit Plan(infer_plan *given) noexcept : handle_(given) {}
  std::size_t size() const noexcept { return infer_plan_count(handle_.get()); }
  PlanRow operator[](std::size_t index) const noexcept
  {
    return {infer_plan_target(handle_.get(), index),
            static_cast<Status>(infer_plan_status(handle_.get(), index)),
            infer_plan_reason(handle_.get(), index)};
  }

private:
  detail::Handle<infer_plan, infer_plan_free> handle_;
};

/** What came of warming up one provider, lent by the report. */
struct WarmRow {
  std::string_view provider;
  Status status;             /**< ok if nothing failed, else the class */
  Warm reached;              /**< how far it came */
  bool ready;                /**< whether a connection waits */
  std::string_view protocol; /**< "h2", "http/1.1", "" if not known */
  std::string_view reason;   /**< why no connection waits */
  std::optional<std::chrono::nanoseconds> took; /**< none if not done */
};

/** What came of a warm-up, provider by provider: a range with size() and []. */
class WarmReport : public detail::Indexed<WarmReport, WarmRow> {
public:
  WarmReport() = default;
  /** Takes over a C handle. */
  WarmReport(infer_warm_report *given, bool complete) noexcept
      : handle_(given), complete_(complete)
  {
  }
  /** Whether every provider is done with, ready or not; false if the timeout
   * came first. */
  bool complete() const noexcept { return complete_; }
  std::size_t size() const noexcept
  {
    return infer_warm_report_count(handle_.get());
  }
  WarmRow operator[](std::size_t index) const noexcept
  {
    const infer_warm_report *report = handle_.get();
    return {infer_warm_report_provider(report, index),
            static_cast<Status>(infer_warm_report_status(report, index)),
            static_cast<Warm>(infer_warm_report_reached(report, index)),
            infer_warm_report_ready(report, index) > 0,
            infer_warm_report_protocol(report, index),
            infer_warm_report_reason(report, index),
            detail::known_ns(infer_warm_report_took_ns(report, index))};
  }

private:
  detail::Handle<infer_warm_report, infer_warm_report_free> handle_;
  bool complete_ = false;
};

/** A model, lent by the list. */
struct Model {
  std::string_view id;
  std::string_view json; /**< the provider's entry for it */
};

/** The models of a provider: a range with size() and []. */
class ModelList : public detail::Indexed<ModelList, Model> {
public:
  ModelList() = default;
  /** Takes over a C handle. */
  explicit ModelList(infer_model_list *given) noexcept : handle_(given) {}
  std::size_t size() const noexcept
  {
    return infer_model_list_count(handle_.get());
  }
  Model operator[](std::size_t index) const noexcept
  {
    return {infer_model_list_id(handle_.get(), index),
            detail::text_of(infer_model_list_json, handle_.get(), index)};
  }

private:
  detail::Handle<infer_model_list, infer_model_list_free> handle_;
};

/** The vectors of a call, in the order of its inputs. */
class Embeddings {
public:
  Embeddings() = default;
  /** Takes over a C handle. */
  explicit Embeddings(infer_embeddings *given) noexcept : handle_(given) {}
  std::size_t size() const noexcept
  {
    return infer_embeddings_count(handle_.get());
  }
  std::size_t dimensions() const noexcept
  {
    return infer_embeddings_dimensions(handle_.get());
  }
  /** So many floats as there are dimensions, lent; nullptr past the end. */
  const float *operator[](std::size_t index) const noexcept
  {
    return infer_embeddings_vector(handle_.get(), index);
  }
  /** The C handle, lent; nullptr if empty. Its response tells the rest. */
  infer_embeddings *handle() const noexcept { return handle_.get(); }

private:
  detail::Handle<infer_embeddings, infer_embeddings_free> handle_;
};

inline Result<Embeddings>
Call::try_embeddings()
{
  infer_embeddings *embeddings = nullptr;
  detail::ErrorOut error;
  std::int32_t status =
      infer_call_embeddings(handle_.get(), &embeddings, error);
  if (status != INFER_OK)
    return error.error(status);
  return Embeddings(embeddings);
}

inline Result<ModelList>
Call::try_models()
{
  infer_model_list *models = nullptr;
  detail::ErrorOut error;
  std::int32_t status = infer_call_models(handle_.get(), &models, error);
  if (status != INFER_OK)
    return error.error(status);
  return ModelList(models);
}

#if INFER_HPP_EXCEPTIONS
inline ModelList
Call::models()
{
  return try_models().value();
}
#endif

/* ---- Clients ------------------------------------------------------------- */

/** A client. Destroying the last of those that share it (see share()) cancels
 * what is in flight: each call still gets its terminal event. It may be
 * destroyed on any thread, also within a hook or a callback. */
class Client {
public:
  /** A client for the providers whose key variable is set in the environment.
   * Status::config, Status::io, Status::no_memory. */
  static Result<Client> try_open()
  {
    return open(nullptr, std::make_shared<detail::Hooks>());
  }
  /** A client with a configuration, which stays the caller's. */
  static Result<Client> try_open(const Config &config)
  {
    if (Error mistake = config.problem())
      return mistake;
    auto hooks = std::make_shared<detail::Hooks>();
    hooks->log = config.log_;
    hooks->telemetry = config.telemetry_;
    hooks->store = config.store_;
    hooks->keep(config.sources_);
    return open(config.handle(), std::move(hooks));
  }
#if INFER_HPP_EXCEPTIONS
  /** The same, throwing. */
  Client() : Client(try_open().value())
  {
  }
  explicit Client(const Config &config) : Client(try_open(config).value())
  {
  }
#endif
  Client(Client &&other) noexcept = default;
  /** The client that is assigned over ends as by its destructor. */
  Client &operator=(Client &&other) noexcept
  {
    Client old(std::move(other));
    std::swap(handle_, old.handle_);
    std::swap(hooks_, old.hooks_);
    return *this;
  }
  ~Client()
  {
    handle_.reset();
    detail::let_go(std::move(hooks_));
  }

  /** The same client for another owner. [hook-safe] */
  Client share() const noexcept
  {
    return Client(infer_client_ref(handle_.get()), hooks_);
  }
  /** Refuses new calls, waits up to drain for those in flight, then cancels
   * the rest: Status::ok if all had ended, Status::timeout if some were
   * cancelled. Not from a hook. */
  Status
  close(std::chrono::milliseconds drain = std::chrono::milliseconds(0)) noexcept
  {
    return static_cast<Status>(
        infer_client_close(handle_.get(), drain.count()));
  }
  /** Uses another configuration for calls from now on, if it is good. Of its
   * hooks only the token sources are used. */
  Result<void> try_reload(const Config &config)
  {
    if (Error mistake = config.problem())
      return mistake;
    detail::ErrorOut error;
    if (hooks_)
      hooks_->keep(config.sources_);
    std::int32_t status =
        infer_client_reload(handle_.get(), config.handle(), error);
    return status == INFER_OK ? Result<void>() : error.error(status);
  }

  /** Sends the request and waits for the whole answer. Not from a hook. */
  Result<Response> try_chat(const Request &request)
  {
    if (request.error())
      return request.error();
    infer_response *response = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_chat(handle_.get(), request.handle(), &response, error);
    if (status != INFER_OK)
      return error.error(status);
    return Response(response);
  }
  /** The vectors of the request's inputs. Not from a hook. */
  Result<Embeddings> try_embed(const Request &request)
  {
    if (request.error())
      return request.error();
    infer_embeddings *embeddings = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_embed(handle_.get(), request.handle(), &embeddings, error);
    if (status != INFER_OK)
      return error.error(status);
    return Embeddings(embeddings);
  }
  /** The same as a call that waits for nothing: Call::try_wait() waits for its
   * end, Call::try_embeddings() gives what it got. */
  Result<Call> try_submit_embed(const Request &request)
  {
    return start_embed(request, nullptr, 0);
  }
  /** The same with its end told by an event of a queue of this client, with
   * the tag. */
  Result<Call> try_submit_embed(const Request &request, Queue &queue,
                                std::uint64_t tag = 0)
  {
    if (!queue)
      return Error(Status::invalid_argument, "the queue is empty");
    return start_embed(request, queue.handle(), tag);
  }
  /** The same with the answer's events as they come, on this thread.
   * on_event(EventView) returns nothing, or true to go on and false to cancel
   * the call. What it throws cancels the call, and is thrown on. It may call
   * anything, and destroy this Client. */
  template <typename OnEvent>
  Result<Response> try_chat(const Request &request, OnEvent &&on_event)
  {
    if (request.error())
      return request.error();
    Callback<OnEvent> callback{on_event};
    infer_response *response = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_chat_stream(handle_.get(), request.handle(),
                          Callback<OnEvent>::run, &callback, &response, error);
    Response held(response);
#if INFER_HPP_EXCEPTIONS
    if (callback.thrown)
      std::rethrow_exception(callback.thrown);
#endif
    if (status != INFER_OK)
      return error.error(status);
    return held;
  }
  /** Starts a call and gives its events as a range. What the request or the
   * client has against it is the error; a failure of the call is an event. */
  Result<Stream> try_stream(const Request &request)
  {
    return start_stream(request, false);
  }
  /** Starts a call without a queue; its result is fetched by Call::try_wait().
   * [hook-safe] */
  Result<Call> try_submit(const Request &request)
  {
    return start_call(request, Mode::whole, nullptr, 0);
  }
  /** Starts a call whose events go to a queue of this client, each with the
   * tag. The Call may be dropped at once. [hook-safe] */
  Result<Call> try_submit(const Request &request, Queue &queue,
                          std::uint64_t tag = 0, Mode mode = Mode::stream)
  {
    if (!queue)
      return Error(Status::invalid_argument, "the queue is empty");
    return start_call(request, mode, queue.handle(), tag);
  }
  /** A queue for events of this client's calls. */
  Result<Queue> try_queue()
  {
    infer_queue *queue = nullptr;
    std::int32_t status = infer_queue_new(&queue, handle_.get());
    if (status != INFER_OK)
      return Error(static_cast<Status>(status), "the client was moved from");
    return Queue(queue, hooks_);
  }

  /** Which targets the request would try, in which order and why: nothing is
   * sent. */
  Result<Plan> try_plan(const Request &request)
  {
    if (request.error())
      return request.error();
    infer_plan *plan = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_client_plan(handle_.get(), request.handle(), &plan, error);
    if (status != INFER_OK)
      return error.error(status);
    return Plan(plan);
  }
  /** What has come of the client's work so far, as one JSON document: see
   * infer_client_stats(). [hook-safe] */
  Result<std::string> try_stats()
  {
    char *text = nullptr;
    std::size_t len = 0;
    std::int32_t status = infer_client_stats(handle_.get(), &text, &len);
    return detail::taken(status, text, len);
  }
  /** The same and histograms for Prometheus: see infer_client_metrics().
   * [hook-safe] */
  Result<std::string> try_metrics()
  {
    char *text = nullptr;
    std::size_t len = 0;
    std::int32_t status = infer_client_metrics(handle_.get(), &text, &len);
    return detail::taken(status, text, len);
  }
  /** Makes connections ready to a route, "provider/model" or provider, "" for
   * every provider. A timeout is a report that is not complete(). Not from a
   * hook. */
  Result<WarmReport> try_prewarm(std::string_view name,
                                 std::chrono::milliseconds timeout = forever)
  {
    if (detail::has_nul(name))
      return Error(Status::invalid_argument, "prewarm: NUL in the name");
    infer_warm_report *report = nullptr;
    detail::ErrorOut error;
    std::int32_t status = infer_client_prewarm(
        handle_.get(), name.empty() ? nullptr : std::string(name).c_str(),
        timeout.count(), &report, error);
    if (status != INFER_OK && !report)
      return error.error(status);
    return WarmReport(report, status == INFER_OK);
  }
  /** The models that a provider lists, fetched now. Not from a hook. */
  Result<ModelList> try_models(std::string_view provider,
                               std::chrono::milliseconds timeout = forever)
  {
    if (detail::has_nul(provider))
      return Error(Status::invalid_argument, "models: NUL in the name");
    infer_model_list *models = nullptr;
    detail::ErrorOut error;
    std::int32_t status =
        infer_models(handle_.get(), std::string(provider).c_str(),
                     timeout.count(), &models, error);
    if (status != INFER_OK)
      return error.error(status);
    return ModelList(models);
  }
  /** The same as a call that waits for nothing, by default with the provider's
   * deadline: Call::try_wait() waits for its end, Call::try_models() gives what
   * it found. */
  Result<Call> try_submit_models(std::string_view provider,
                                 std::chrono::milliseconds timeout = forever)
  {
    return start_models(provider, timeout, nullptr, 0);
  }
  /** The same with its end told by an event of a queue of this client, with
   * the tag. */
  Result<Call> try_submit_models(std::string_view provider, Queue &queue,
                                 std::uint64_t tag = 0,
                                 std::chrono::milliseconds timeout = forever)
  {
    if (!queue)
      return Error(Status::invalid_argument, "the queue is empty");
    return start_models(provider, timeout, queue.handle(), tag);
  }

#if INFER_HPP_EXCEPTIONS
  /** The same, throwing. */
  void reload(const Config &config)
  {
    try_reload(config).value();
  }
  Response chat(const Request &request)
  {
    return try_chat(request).value();
  }
  template <typename OnEvent>
  Response chat(const Request &request, OnEvent &&on_event)
  {
    return try_chat(request, std::forward<OnEvent>(on_event)).value();
  }
  /** Its loop throws the Exception if the call fails. */
  Stream stream(const Request &request)
  {
    return start_stream(request, true).value();
  }
  Call submit(const Request &request)
  {
    return try_submit(request).value();
  }
  Call submit(const Request &request, Queue &queue, std::uint64_t tag = 0,
              Mode mode = Mode::stream)
  {
    return try_submit(request, queue, tag, mode).value();
  }
  Queue queue()
  {
    return try_queue().value();
  }
  Plan plan(const Request &request)
  {
    return try_plan(request).value();
  }
  std::string stats()
  {
    return try_stats().value();
  }
  std::string metrics()
  {
    return try_metrics().value();
  }
  WarmReport prewarm(std::string_view name,
                     std::chrono::milliseconds timeout = forever)
  {
    return try_prewarm(name, timeout).value();
  }
  ModelList models(std::string_view provider,
                   std::chrono::milliseconds timeout = forever)
  {
    return try_models(provider, timeout).value();
  }
  Call submit_models(std::string_view provider,
                     std::chrono::milliseconds timeout = forever)
  {
    return try_submit_models(provider, timeout).value();
  }
  Call submit_models(std::string_view provider, Queue &queue,
                     std::uint64_t tag = 0,
                     std::chrono::milliseconds timeout = forever)
  {
    return try_submit_models(provider, queue, tag, timeout).value();
  }
#endif

  /* For a client with "threads": 0. */

  /** One turn of the loop, which waits at most timeout. Status::unsupported
   * with a loop thread. */
  Status drive(std::chrono::milliseconds timeout) noexcept
  {
    return static_cast<Status>(
        infer_client_drive(handle_.get(), timeout.count()));
  }
  /** Becomes readable when drive() has something to do; -1 with a loop
   * thread. */
  std::int32_t fd() noexcept
  {
    return infer_client_fd(handle_.get());
  }
  /** Time until drive() must be called even if the fd stays quiet; none: no
   * limit. Call it on the thread that drives. */
  std::optional<std::chrono::nanoseconds> next_timeout() noexcept
  {
    return detail::known_ns(infer_client_next_timeout_ns(handle_.get()));
  }
  /** Whether there is a client. */
  explicit operator bool() const noexcept
  {
    return handle_ != nullptr;
  }
  /** The C handle, lent; nullptr if empty. A reference that
   * infer_client_ref() adds must not outlive the last Client if it has hooks:
   * share() instead. */
  infer_client *handle() const noexcept
  {
    return handle_.get();
  }

private:
  /* What on_event and its C function share. */
  template <typename OnEvent> struct Callback {
    std::remove_reference_t<OnEvent> &on_event;
#if INFER_HPP_EXCEPTIONS
    std::exception_ptr thrown = nullptr;
#endif

    static std::int32_t run(const infer_event *event, void *user_data) noexcept
    {
      auto &callback = *static_cast<Callback *>(user_data);
#if INFER_HPP_EXCEPTIONS
      try {
        return call(callback, EventView(event));
      } catch (...) {
        callback.thrown = std::current_exception();
        return 1;
      }
#else
      return call(callback, EventView(event));
#endif
    }
    static std::int32_t call(Callback &callback, EventView event)
    {
      using Answer = decltype(callback.on_event(event));
      static_assert(std::is_void_v<Answer> || std::is_same_v<Answer, bool>,
                    "on_event returns nothing, or true to go on");
      if constexpr (std::is_void_v<Answer>) {
        callback.on_event(event);
        return 0;
      } else {
        return callback.on_event(event) ? 0 : 1;
      }
    }
  };

  Client(infer_client *given, std::shared_ptr<detail::Hooks> hooks) noexcept
      : handle_(given), hooks_(std::move(hooks))
  {
  }
  static Result<Client> open(const infer_config *config,
                             std::shared_ptr<detail::Hooks> hooks)
  {
    infer_client *client = nullptr;
    detail::ErrorOut error;
    std::int32_t status = infer_client_new(&client, config, error);
    if (status != INFER_OK)
      return error.error(status);
    return Client(client, std::move(hooks));
  }
  Result<Call> start_call(const Request &request, Mode mode, infer_queue *queue,
                          std::uint64_t tag)
  {
    if (request.error())
      return request.error();
    infer_call *call = nullptr;
    detail::ErrorOut error;
    auto hooks = hooks_; /* a hook may destroy this Client meanwhile */
    std::int32_t status =
        infer_submit(handle_.get(), request.handle(),
                     static_cast<std::int32_t>(mode), queue, tag, &call, error);
    if (status != INFER_OK)
      return error.error(status);
    return Call(call, std::move(hooks));
  }
  Result<Call> start_models(std::string_view provider,
                            std::chrono::milliseconds timeout,
                            infer_queue *queue, std::uint64_t tag)
  {
    if (detail::has_nul(provider))
      return Error(Status::invalid_argument, "models: NUL in the name");
    infer_call *call = nullptr;
    detail::ErrorOut error;
    auto hooks = hooks_; /* a hook may destroy this Client meanwhile */
    std::int32_t status =
        infer_submit_models(handle_.get(), std::string(provider).c_str(),
                            timeout.count(), queue, tag, &call, error);
    if (status != INFER_OK)
      return error.error(status);
    return Call(call, std::move(hooks));
  }
  Result<Call> start_embed(const Request &request, infer_queue *queue,
                           std::uint64_t tag)
  {
    if (request.error())
      return request.error();
    infer_call *call = nullptr;
    detail::ErrorOut error;
    auto hooks = hooks_;
    std::int32_t status = infer_submit_embed(handle_.get(), request.handle(),
                                             queue, tag, &call, error);
    if (status != INFER_OK)
      return error.error(status);
    return Call(call, std::move(hooks));
  }
  Result<Stream> start_stream(const Request &request, bool is_throwing)
  {
    if (request.error())
      return request.error();
    auto state = std::make_unique<Stream::State>();
    infer_queue *queue = nullptr;
    infer_call *call = nullptr;
    std::int32_t status = infer_queue_new(&queue, handle_.get());
    if (status != INFER_OK)
      return Error(static_cast<Status>(status), "the client was moved from");
    state->queue.reset(queue);
    state->hooks = hooks_;
    detail::ErrorOut error;
    status = infer_submit(handle_.get(), request.handle(), INFER_SUBMIT_STREAM,
                          queue, 0, &call, error);
    if (status != INFER_OK)
      return error.error(status);
    state->call.reset(call);
    state->is_throwing = is_throwing;
    return Stream(std::move(state));
  }

  detail::Handle<infer_client, infer_client_free> handle_;
  std::shared_ptr<detail::Hooks> hooks_;
};

} // namespace INFER_HPP_MODE
} // namespace infer

#undef INFER_HPP_MODE

#endif
