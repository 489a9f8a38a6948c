# SPDX-License-Identifier: MIT
"""Answers. What is asked of one is read from the library's own copy of it."""

import json
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple, cast

from libinfer._attempt import (
    Attempt,
    CostKind,
    Usage,
    attempts_of,
    nano_usd_of,
    usage_of,
)
from libinfer._ffi import ffi, lib, sized, text


@dataclass(frozen=True)
class ToolCall:
    """A call that the model wants made."""

    id: str
    name: str
    arguments: str
    """As the model wrote them: JSON if it did its work well."""

    def parsed(self) -> Any:
        """The arguments as Python objects; ValueError if they are no JSON."""
        return json.loads(self.arguments)


@dataclass(frozen=True)
class Choice:
    """One of the answers to a request with ``n``; usually there is one."""

    text: str
    reasoning: str
    refusal: str
    finish_reason: str
    """``"stop"``, ``"length"``, ``"tool_calls"``, ..., as OpenAI names them."""
    native_finish_reason: str
    """The provider's own word for it."""
    tool_calls: Tuple[ToolCall, ...]


@dataclass(frozen=True)
class Part:
    """What one attempt wrote of an answer."""

    target: str
    """``provider/model`` of the attempt."""
    model: str
    """The model that the provider says wrote it."""
    bytes: int
    """How many bytes of the first choice's text, as UTF-8, are of it."""


class Response:
    """A whole answer, or what had arrived of one."""

    __slots__ = ("_handle", "_owner", "_raw", "__weakref__")

    def __init__(self, handle: Any, owner: Any = None) -> None:
        # One that is lent lives as long as its owner.
        self._handle = handle if owner else ffi.gc(handle, lib.infer_response_free)
        self._owner = owner
        self._raw: Optional[Dict[str, Any]] = None

    def __repr__(self) -> str:
        return f"<Response from {self.target!r}: {self.text[:60]!r}>"

    def __reduce__(self) -> Any:
        raise TypeError("a Response cannot be pickled: send its .raw")

    @property
    def raw(self) -> Dict[str, Any]:
        """The OpenAI-shaped ``chat.completion`` dictionary, with the members
        that only this provider has."""
        if self._raw is None:
            self._raw = json.loads(sized(lib.infer_response_json, self._handle))
        return self._raw

    @property
    def message(self) -> Dict[str, Any]:
        """The assistant's message, tool calls included, to go on with."""
        return cast(Dict[str, Any], self.raw["choices"][0]["message"])

    @property
    def text(self) -> str:
        """Text of the first choice."""
        return sized(lib.infer_response_text, self._handle)

    @property
    def reasoning(self) -> str:
        return sized(lib.infer_response_reasoning, self._handle, 0)

    @property
    def refusal(self) -> str:
        return sized(lib.infer_response_refusal, self._handle, 0)

    @property
    def finish_reason(self) -> str:
        return text(lib.infer_response_finish_reason(self._handle, 0))

    @property
    def tool_calls(self) -> Tuple[ToolCall, ...]:
        return self._tool_calls(0)

    @property
    def choices(self) -> Tuple[Choice, ...]:
        count = lib.infer_response_choice_count(self._handle)
        return tuple(self._choice(i) for i in range(count))

    @property
    def id(self) -> str:
        """The provider's id of the answer."""
        return text(lib.infer_response_id(self._handle))

    @property
    def model(self) -> str:
        """The model that the provider says answered."""
        return text(lib.infer_response_model(self._handle))

    @property
    def provider(self) -> str:
        return text(lib.infer_response_provider(self._handle))

    @property
    def target(self) -> str:
        """``provider/model`` as configured."""
        return text(lib.infer_response_target(self._handle))

    @property
    def request_id(self) -> str:
        return text(lib.infer_response_request_id(self._handle))

    @property
    def usage(self) -> Usage:
        """Tokens of this answer."""
        return usage_of(lib.infer_response_usage, self._handle)

    @property
    def usage_estimated(self) -> bool:
        """Whether the provider sent no figures."""
        return bool(lib.infer_response_usage_estimated(self._handle) == 1)

    @property
    def total_usage(self) -> Usage:
        """Tokens of all attempts, failed ones included, as far as known."""
        return usage_of(lib.infer_response_total_usage, self._handle)

    @property
    def total_cost_nano_usd(self) -> Optional[int]:
        """Nano-dollars of all attempts; None if any of them is not known."""
        return nano_usd_of(lib.infer_response_total_cost_nano_usd, self._handle)

    @property
    def wasted_cost_nano_usd(self) -> Optional[int]:
        """Of attempts that wrote nothing of this answer."""
        return nano_usd_of(lib.infer_response_wasted_cost_nano_usd, self._handle)

    @property
    def cost_kind(self) -> CostKind:
        """Of the total: as good as its worst part."""
        return CostKind(lib.infer_response_cost_kind(self._handle))

    @property
    def attempts(self) -> Tuple[Attempt, ...]:
        """All attempts of the call, in the order of their start."""
        return attempts_of(
            self._handle, lib.infer_response_attempt_count, lib.infer_response_attempt
        )

    @property
    def parts(self) -> Tuple[Part, ...]:
        """Several if the route's recovery let another target go on with an
        answer that had broken off; any other answer has one."""
        count = lib.infer_response_part_count(self._handle)
        return tuple(self._part(i) for i in range(count))

    def _part(self, index: int) -> Part:
        handle = self._handle
        attempt = lib.infer_response_part(handle, index)
        return Part(
            text(lib.infer_attempt_target(attempt)),
            text(lib.infer_response_part_model(handle, index)),
            lib.infer_response_part_bytes(handle, index),
        )

    def _tool_calls(self, choice: int) -> Tuple[ToolCall, ...]:
        handle = self._handle
        return tuple(
            ToolCall(
                text(lib.infer_response_tool_call_id(handle, choice, i)),
                text(lib.infer_response_tool_call_name(handle, choice, i)),
                sized(lib.infer_response_tool_call_arguments, handle, choice, i),
            )
            for i in range(lib.infer_response_tool_call_count(handle, choice))
        )

    def _choice(self, index: int) -> Choice:
        handle = self._handle
        return Choice(
            sized(lib.infer_response_choice_text, handle, index),
            sized(lib.infer_response_reasoning, handle, index),
            sized(lib.infer_response_refusal, handle, index),
            text(lib.infer_response_finish_reason(handle, index)),
            text(lib.infer_response_native_finish_reason(handle, index)),
            self._tool_calls(index),
        )
