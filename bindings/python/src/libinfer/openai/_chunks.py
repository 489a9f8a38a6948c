# SPDX-License-Identifier: MIT
"""From the library's events to chunks.

The official package shows each event of the wire as it came. The library has
read those: it has joined pieces that came together and left padding away. A
stream here has one chunk for each event of the library, in OpenAI's own form:
a choice begins with its role; text, refusal, reasoning and pieces of tool calls
follow; then its finish reason. The usage comes last, if it was asked for.
"""

from typing import Any, Dict, Iterator, Mapping, Optional, Set, Tuple

import libinfer
from libinfer.openai.types.chat import ChatCompletionChunk


class Restarted(Exception):
    """The answer began anew, which chunks cannot say."""


class ChunkMaker:
    """Makes the chunks of one stream."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        options = members.get("stream_options")
        shows = isinstance(options, Mapping) and options.get("include_usage")
        self._shows_usage = bool(shows)
        # A text and its log probabilities are two events and one chunk: the
        # text waits for what comes with it.
        self._joins = bool(members.get("logprobs"))
        self._held: Optional[Dict[str, Any]] = None
        self._head: Dict[str, Any] = {}
        self._begun: Set[int] = set()
        self._named: Dict[Tuple[int, int], Set[str]] = {}

    def of(self, event: libinfer.Event) -> Iterator[ChatCompletionChunk]:
        if isinstance(event, libinfer.StartEvent):
            self._head = event.head
        elif isinstance(event, libinfer.RestartEvent):
            raise Restarted
        elif isinstance(event, libinfer.UsageEvent):
            if self._shows_usage:
                yield from self.rest()
                yield self._chunk(None, event.usage)
        elif isinstance(event, libinfer.LogprobsEvent):
            yield from self._logprobs(event)
        elif not isinstance(event, libinfer.ToolCallDoneEvent):
            yield from self._delta(event)

    def rest(self) -> Iterator[ChatCompletionChunk]:
        """What is held back."""
        if self._held is not None:
            held, self._held = self._held, None
            yield self._chunk(held)

    def _delta(self, event: Any) -> Iterator[ChatCompletionChunk]:
        yield from self.rest()
        yield from self._begin(event)
        is_text = isinstance(event, (libinfer.TextEvent, libinfer.RefusalEvent))
        choice = self._choice(event.choice, self._delta_of(event))
        if isinstance(event, libinfer.FinishEvent):
            choice["finish_reason"] = event.reason
        if is_text and self._joins:
            self._held = choice
        else:
            yield self._chunk(choice)

    def _begin(self, event: Any) -> Iterator[ChatCompletionChunk]:
        if event.choice in self._begun:
            return
        self._begun.add(event.choice)
        speaks = isinstance(
            event, (libinfer.TextEvent, libinfer.ReasoningEvent)
        )
        content = "" if speaks else None
        delta = {"role": "assistant", "content": content, "refusal": None}
        yield self._chunk(self._choice(event.choice, delta))

    def _logprobs(
        self, event: libinfer.LogprobsEvent
    ) -> Iterator[ChatCompletionChunk]:
        choice = self._held
        if choice is not None and choice["index"] == event.choice:
            self._held = None
        else:
            yield from self.rest()
            yield from self._begin(event)
            choice = self._choice(event.choice, {})
        logprobs = {"content": None, "refusal": None}
        place = "refusal" if "refusal" in choice["delta"] else "content"
        choice["logprobs"] = {**logprobs, place: event.content}
        yield self._chunk(choice)

    def _delta_of(self, event: Any) -> Dict[str, Any]:
        if isinstance(event, libinfer.TextEvent):
            return {"content": event.text}
        if isinstance(event, libinfer.ToolCallDeltaEvent):
            return {"tool_calls": [self._tool_call(event)]}
        if isinstance(event, libinfer.ReasoningEvent):
            return {"reasoning_content": event.text}
        if isinstance(event, libinfer.RefusalEvent):
            return {"refusal": event.text}
        if isinstance(event, libinfer.ExtraEvent):
            return event.members
        return {}

    def _tool_call(self, event: libinfer.ToolCallDeltaEvent) -> Dict[str, Any]:
        """Readers join what comes again: id and name are told once."""
        told = self._named.setdefault((event.choice, event.index), set())
        call: Dict[str, Any] = {"index": event.index}
        function: Dict[str, Any] = {"arguments": event.arguments}
        if event.id and "id" not in told:
            call.update(id=event.id, type="function")
            told.add("id")
        if event.name and "name" not in told:
            function["name"] = event.name
            told.add("name")
        call["function"] = function
        return call

    def _choice(self, index: int, delta: Dict[str, Any]) -> Dict[str, Any]:
        return {
            "index": index,
            "delta": delta,
            "logprobs": None,
            "finish_reason": None,
        }

    def _chunk(
        self,
        choice: Optional[Dict[str, Any]],
        usage: Optional[Dict[str, Any]] = None,
    ) -> ChatCompletionChunk:
        members = dict(self._head)
        members["choices"] = [] if choice is None else [choice]
        if self._shows_usage:
            members["usage"] = usage
        return ChatCompletionChunk(**members)
