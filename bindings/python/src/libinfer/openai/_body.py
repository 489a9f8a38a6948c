# SPDX-License-Identifier: MIT
"""From the parameters of a call to the library's request."""

from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from libinfer._ffi import ffi
from libinfer._request import Request, request_handle
from libinfer.openai._types import NotGiven

PARAMETERS = frozenset("""
    audio frequency_penalty function_call functions logit_bias logprobs
    max_completion_tokens max_tokens messages metadata modalities model
    moderation n parallel_tool_calls prediction presence_penalty
    prompt_cache_key prompt_cache_options prompt_cache_retention
    reasoning_effort response_format safety_identifier seed service_tier stop
    store stream stream_options temperature tool_choice tools top_logprobs top_p
    user verbosity web_search_options
    """.split())
"""Members of a request that create() takes by name."""

_LONGEST_MS = 24 * 3600 * 1000
_MOST_RETRIES = 10
"""Of the library's options."""


def plain(value: Any) -> Any:
    """The same of what JSON knows. An object of an answer becomes what came."""
    if isinstance(value, Mapping):
        return {
            name: plain(one)
            for name, one in value.items()
            if not isinstance(one, NotGiven)
        }
    if value is None or isinstance(value, (str, int, float)):
        return value
    if hasattr(value, "model_dump"):  # of an answer, or the program's own
        return plain(value.model_dump(mode="json", exclude_unset=True))
    if isinstance(value, Iterable) and not isinstance(
        value, (bytes, bytearray)
    ):
        return [plain(one) for one in value]
    return value


def check_parameters(what: str, members: Mapping[str, Any]) -> None:
    for name in members:
        if name not in PARAMETERS:
            raise TypeError(
                f"{what}() got an unexpected keyword argument {name!r}; "
                "members that it does not know go into extra_body"
            )
    for name in ("messages", "model"):
        if isinstance(members.get(name, NotGiven()), NotGiven):
            raise TypeError(f"{what}() needs 'messages' and 'model'")


def request_of(
    members: Mapping[str, Any],
    headers: Mapping[str, str],
    policy: Mapping[str, int],
    provider: str,
) -> Request:
    """provider is put before the model's name if there is one."""
    body: Dict[str, Any] = plain(members)
    body.pop("stream", None)  # the library's own business
    model, messages = body.pop("model"), body.pop("messages")
    if provider:
        model = f"{provider}/{model}"
    handle = request_handle(
        model, messages, body, headers=headers, policy=policy
    )
    return handle, ffi.NULL, b""


def _seconds(value: Any, name: str) -> Optional[float]:
    """The name part of a Timeout, of ours or of an HTTP client's package."""
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, tuple):
        raise TypeError("timeout must be a number, None or a Timeout")
    part: Optional[float] = getattr(value, name)
    return part


def seconds_of(timeout: Any) -> float:
    """How long one wait may take."""
    seconds = _seconds(timeout, "read")
    return _LONGEST_MS / 1000 if seconds is None else seconds


def _milliseconds(seconds: Optional[float]) -> int:
    if seconds is None:
        return _LONGEST_MS
    return min(max(1, round(seconds * 1000)), _LONGEST_MS)


def policy_of(timeout: Any, max_retries: Any) -> Dict[str, int]:
    """The library's numbers for them; none for what is not given."""
    policy: Dict[str, int] = {}
    if not isinstance(timeout, NotGiven):
        silence_ms = _milliseconds(_seconds(timeout, "read"))
        policy["timeouts.connect_ms"] = _milliseconds(
            _seconds(timeout, "connect")
        )
        policy["timeouts.first_token_ms"] = silence_ms
        policy["timeouts.idle_ms"] = silence_ms
        policy["timeouts.attempt_ms"] = _LONGEST_MS
        policy["timeouts.deadline_ms"] = _LONGEST_MS
    if not isinstance(max_retries, NotGiven):
        if not isinstance(max_retries, int) or max_retries < 0:
            raise TypeError("max_retries must be a number that is not below 0")
        policy["retries"] = min(max_retries, _MOST_RETRIES)
    return policy


def merged_headers(*sets: Optional[Mapping[str, Any]]) -> Dict[str, str]:
    """Later ones win, whatever the case of their letters; one that is omitted
    is not sent."""
    merged: Dict[str, Tuple[str, Any]] = {}
    for headers in sets:
        for name, value in (headers or {}).items():
            merged[name.lower()] = (name, value)
    return {
        name: value
        for name, value in merged.values()
        if not isinstance(value, NotGiven)
    }
