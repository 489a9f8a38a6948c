/* SPDX-License-Identifier: MIT */
/* A second translation unit of the program that includes the header, and
 * nothing before it. */
#include <infer/infer.hpp>

#include "check.hpp"

#include <iterator>
#if __cplusplus >= 202002L
#include <ranges>
#endif

using namespace infer;

template <typename T>
constexpr bool is_handle =
    std::is_nothrow_move_constructible_v<T> &&std::is_move_assignable_v<T> &&
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;

static_assert(is_handle<Client> && is_handle<Response> && is_handle<Event>);
static_assert(is_handle<Queue> && is_handle<Call> && is_handle<Stream>);
static_assert(is_handle<Plan> && is_handle<WarmReport> && is_handle<ModelList>);
static_assert(is_handle<Config> && is_handle<Request>);
static_assert(std::is_nothrow_copy_constructible_v<Error>);
/* An owner is lent as a view, and never the other way round. */
static_assert(std::is_convertible_v<const Response &, ResponseView>);
static_assert(!std::is_convertible_v<ResponseView, Response>);
static_assert(std::is_convertible_v<const Event &, EventView>);
static_assert(!std::is_assignable_v<Response &, ResponseView>);
#if INFER_HPP_EXCEPTIONS
static_assert(std::is_nothrow_copy_constructible_v<Exception>);
#endif
#if __cplusplus >= 202002L
static_assert(std::ranges::input_range<Stream>);
static_assert(std::ranges::input_range<const Plan>);
#endif

TEST(constants_are_those_of_the_c_header)
{
  std::size_t count = 0;
  for (; infer_status_at(count) <= 0; count++) {
    auto status = static_cast<Status>(infer_status_at(count));
    CHECK(status_name(status) != "INFER_E_UNKNOWN");
    CHECK(!status_text(status).empty());
  }
  /* A status that C has and this header does not name would be the 39th. */
  CHECK_EQ(count, 38);
  CHECK_EQ(status_name(Status::limit), "INFER_E_LIMIT");
  CHECK_EQ(status_name(Status::ok), "INFER_OK");
  CHECK_EQ(static_cast<int>(Usage::audio_output) + 1, INFER_USAGE_COUNT);
  CHECK_EQ(static_cast<int>(Phase::end) + 1, INFER_PHASE_COUNT);
  CHECK_EQ(version(), INFER_VERSION);
  CHECK(has_feature("http2") == (features().find("http2") != features().npos));
}
