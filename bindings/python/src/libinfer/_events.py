# SPDX-License-Identifier: MIT
"""The events of a stream.

Small objects of one class for each type, told apart by ``isinstance``, ``match``
or their ``type``. All of them have a ``choice`` (of a request with ``n``) and an
``epoch``, which each restart raises, and ``raw``, the chunk as OpenAI would send
it; the answer's id is in that of the first, the StartEvent.
"""

from dataclasses import dataclass
from json import loads
from typing import Any, Callable, ClassVar, Dict, List, Literal, Mapping, Union, cast

from libinfer._attempt import Attempt
from libinfer._generated import EventType


def _chunk(choice: int, delta: Dict[str, Any], **more: Any) -> Dict[str, Any]:
    entry: Dict[str, Any] = {"index": choice, "delta": delta, "finish_reason": None}
    entry.update(more)
    return {"object": "chat.completion.chunk", "choices": [entry]}


# Slots by hand, since dataclass(slots=True) came with Python 3.10; not frozen,
# because making a frozen one takes three times as long. JSON is parsed when it is
# asked for: what Python cannot read of it fails there and ends no other stream.


@dataclass
class StartEvent:
    """An answer begins."""

    __slots__ = ("choice", "epoch", "json", "target")
    type: ClassVar[Literal["start"]] = "start"
    target: str
    """``provider/model``"""
    json: str
    """What the provider has said of the answer, see :attr:`head`."""
    choice: int
    epoch: int

    @property
    def head(self) -> Dict[str, Any]:
        """OpenAI's chunk without choices: id, created, model, and members that
        only this provider has."""
        return cast(Dict[str, Any], loads(self.json))

    @property
    def raw(self) -> Dict[str, Any]:
        chunk = _chunk(self.choice, {"role": "assistant", "content": ""})
        return {**self.head, **chunk}


@dataclass
class TextEvent:
    """A piece of the answer's text."""

    __slots__ = ("choice", "epoch", "text")
    type: ClassVar[Literal["text"]] = "text"
    text: str
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        return _chunk(self.choice, {"content": self.text})


@dataclass
class ReasoningEvent:
    """A piece of the model's reasoning."""

    __slots__ = ("choice", "epoch", "text")
    type: ClassVar[Literal["reasoning"]] = "reasoning"
    text: str
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        return _chunk(self.choice, {"reasoning_content": self.text})


@dataclass
class RefusalEvent:
    """A piece of a refusal."""

    __slots__ = ("choice", "epoch", "text")
    type: ClassVar[Literal["refusal"]] = "refusal"
    text: str
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        return _chunk(self.choice, {"refusal": self.text})


@dataclass
class ToolCallDeltaEvent:
    """A piece of a tool call's arguments. Do not run the call yet."""

    __slots__ = ("arguments", "choice", "epoch", "id", "index", "name")
    type: ClassVar[Literal["tool_call_delta"]] = "tool_call_delta"
    index: int
    """Its place among the tool calls of the choice."""
    id: str
    name: str
    arguments: str
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        function = {"name": self.name, "arguments": self.arguments}
        call = {
            "index": self.index,
            "id": self.id,
            "type": "function",
            "function": function,
        }
        return _chunk(self.choice, {"tool_calls": [call]})


@dataclass
class ToolCallDoneEvent:
    """A tool call is complete and may be run."""

    __slots__ = ("arguments", "choice", "epoch", "id", "index", "name")
    type: ClassVar[Literal["tool_call_done"]] = "tool_call_done"
    index: int
    id: str
    name: str
    arguments: str
    """All of them, as the model wrote them."""
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        """Empty: the deltas have brought all of it."""
        return _chunk(self.choice, {})


@dataclass
class LogprobsEvent:
    """Log probabilities of tokens, as OpenAI's array."""

    __slots__ = ("choice", "epoch", "json")
    type: ClassVar[Literal["logprobs"]] = "logprobs"
    json: str
    choice: int
    epoch: int

    @property
    def content(self) -> List[Any]:
        return cast(List[Any], loads(self.json))

    @property
    def raw(self) -> Dict[str, Any]:
        return _chunk(self.choice, {}, logprobs={"content": self.content})


@dataclass
class ExtraEvent:
    """Members of a delta that the library does not know."""

    __slots__ = ("choice", "epoch", "json")
    type: ClassVar[Literal["extra"]] = "extra"
    json: str
    choice: int
    epoch: int

    @property
    def members(self) -> Dict[str, Any]:
        return cast(Dict[str, Any], loads(self.json))

    @property
    def raw(self) -> Dict[str, Any]:
        return _chunk(self.choice, self.members)


@dataclass
class FinishEvent:
    """A choice ended."""

    __slots__ = ("choice", "epoch", "reason")
    type: ClassVar[Literal["finish"]] = "finish"
    reason: str
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        return _chunk(self.choice, {}, finish_reason=self.reason)


@dataclass
class UsageEvent:
    """Token counts, as OpenAI's object."""

    __slots__ = ("choice", "epoch", "json")
    type: ClassVar[Literal["usage"]] = "usage"
    json: str
    choice: int
    epoch: int

    @property
    def usage(self) -> Dict[str, Any]:
        return cast(Dict[str, Any], loads(self.json))

    @property
    def raw(self) -> Dict[str, Any]:
        return {
            "object": "chat.completion.chunk",
            "choices": [],
            "usage": self.usage,
        }


@dataclass
class RestartEvent:
    """Forget what you got of this call: a new answer begins."""

    __slots__ = ("choice", "epoch", "reason")
    type: ClassVar[Literal["restart"]] = "restart"
    reason: str
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        """Empty: OpenAI has nothing like it."""
        return {"object": "chat.completion.chunk", "choices": []}


@dataclass
class AttemptEvent:
    """An attempt has ended: only of a client with ``records=True``."""

    __slots__ = ("attempt", "choice", "epoch")
    type: ClassVar[Literal["attempt"]] = "attempt"
    attempt: Attempt
    choice: int
    epoch: int

    @property
    def raw(self) -> Dict[str, Any]:
        """Empty: OpenAI has nothing like it."""
        return {"object": "chat.completion.chunk", "choices": []}


Event = Union[
    StartEvent,
    TextEvent,
    ReasoningEvent,
    RefusalEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
    LogprobsEvent,
    ExtraEvent,
    FinishEvent,
    UsageEvent,
    RestartEvent,
    AttemptEvent,
]


PLAIN: Mapping[int, Callable[[str, int, int], Event]] = {
    EventType.TEXT: TextEvent,
    EventType.REASONING: ReasoningEvent,
    EventType.REFUSAL: RefusalEvent,
    EventType.LOGPROBS: LogprobsEvent,
    EventType.EXTRA: ExtraEvent,
    EventType.FINISH: FinishEvent,
    EventType.USAGE: UsageEvent,
    EventType.RESTART: RestartEvent,
}
"""By type: what makes an event of its text, choice and epoch."""
