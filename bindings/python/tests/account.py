# SPDX-License-Identifier: MIT
"""What tests/shared/README.md calls the account of a call, and matching."""

import json
import time
from typing import Any, Dict, Iterator, List, Optional

import libinfer
from libinfer import Error, Response

Object = Dict[str, Any]

PIECES = ("text", "reasoning", "refusal", "tool_call_delta")


class Account:
    """What the caller saw of one call."""

    def __init__(self, call: Object, is_stream: bool) -> None:
        self._call = call
        self._is_stream = is_stream
        self._events: List[Object] = []
        self._began = time.monotonic()
        self._all: Object = {}

    def add(self, event: Any) -> bool:
        """Adds an event; true if it is the one to cancel the call at."""
        kind = str(event.type)
        entry = event_of(event)
        if kind == "restart":
            self._events.clear()
        begun = self._begun(kind, entry)
        if begun is None:
            self._events.append(entry)
        else:
            begun[kind] += entry[kind]
        return bool(kind == self._call.get("cancel", {}).get("at"))

    def _begun(self, kind: str, entry: Object) -> Optional[Object]:
        """The event that a piece goes on with."""
        for event in reversed(self._events):
            other = next(iter(event))
            if kind not in PIECES or other not in PIECES:
                return None
            where = ("choice", "epoch", "tool")
            if other == kind and all(
                event.get(n) == entry.get(n) for n in where
            ):
                return event
        return None

    def end(self, end: Any) -> None:
        """Notes a response, or what was raised."""
        status = "CANCELLED"
        if isinstance(end, Response):
            status = "OK"
        elif isinstance(end, Error):
            status = libinfer.Status(end.status).name
        took_ms = (time.monotonic() - self._began) * 1000
        self._all = {"status": status, "took_ms": took_ms}
        if self._is_stream:
            self._all["events"] = [*self._events, {"done": status}]
        if "cancel" in self._call:
            return
        self._all["attempts"] = [
            attempt_of(a) for a in getattr(end, "attempts", ())
        ]
        if isinstance(end, Response):
            self._all["answer"] = answer_of(end)
        elif isinstance(end, Error):
            self._all["error"] = error_of(end)

    def check(self) -> None:
        expect = dict(self._call["expect"])
        if self._is_stream:
            assert "events" in expect, "a streamed call without expected events"
        else:
            expect.pop("events", None)
        match(expect, self._all, "call")


def event_of(event: Any) -> Object:
    kind = event.type
    if kind in ("usage", "logprobs", "extra"):
        entry: Object = {kind: json.loads(event.json)}
    elif kind in ("tool_call_delta", "tool_call_done"):
        entry = {kind: event.arguments, "tool": event.index}
        entry.update(id=event.id, name=event.name)
    else:
        texts = {"start": "target", "finish": "reason", "restart": "reason"}
        entry = {kind: getattr(event, texts.get(kind, "text"))}
    entry.update(choice=event.choice, epoch=event.epoch)
    if kind == "start":
        entry["head"] = event.head
    return entry


def attempt_of(attempt: libinfer.Attempt) -> str:
    reason = libinfer.Reason(attempt.reason).name.lower()
    status = libinfer.Status(attempt.status).name
    return f"{attempt.target} {reason} {attempt.http_status} {status}"


def usage_of(usage: libinfer.Usage) -> Object:
    kinds = (
        "input",
        "output",
        "reasoning",
        "cache_read",
        "cache_write",
        "total",
        "audio_input",
        "audio_output",
    )
    counts = {kind: getattr(usage, kind) for kind in kinds}
    return {
        kind: -1 if count is None else count for kind, count in counts.items()
    }


def members_of(given: Any, *names: str) -> Object:
    return {name: getattr(given, name) for name in names}


def choice_of(choice: libinfer.Choice) -> Object:
    calls = [
        members_of(call, "id", "name", "arguments")
        for call in choice.tool_calls
    ]
    texts = members_of(choice, "text", "reasoning", "refusal", "finish_reason")
    return {**texts, "tool_calls": calls}


def answer_of(response: Response) -> Object:
    names = (
        "provider",
        "target",
        "model",
        "id",
        "request_id",
        "usage_estimated",
    )
    return {
        **members_of(response, *names),
        "choices": [choice_of(choice) for choice in response.choices],
        "usage": usage_of(response.usage),
        "total_usage": usage_of(response.total_usage),
        "parts": [
            members_of(p, "target", "model", "bytes") for p in response.parts
        ],
        "json": response.raw,
    }


def error_of(error: Error) -> Object:
    provider = ("code", "type", "param", "message")
    names = [
        "message",
        "provider",
        "target",
        "http_status",
        "request_id",
        "retryable",
    ]
    after, partial = error.retry_after, error.partial
    return {
        **members_of(error, *names, *("provider_" + name for name in provider)),
        "retry_after_ms": -1 if after is None else round(after * 1000),
        "partial": None if partial is None else answer_of(partial),
    }


# ---- Matching ----------------------------------------------------------------


def match(want: Any, got: Any, path: str) -> None:
    """Fails with all that is not as expected."""
    found = list(differences(want, got, path))
    assert not found, "\n".join(found)


def differences(want: Any, got: Any, path: str) -> Iterator[str]:
    differs = f"{path} is {got!r}, not {want!r}"
    if isinstance(want, dict):
        for name, expected in want.items():
            if name.startswith("$"):
                if not passes(name, expected, got):
                    yield differs
            elif not isinstance(got, dict):
                yield differs
            elif name in got:
                yield from differences(expected, got[name], f"{path}.{name}")
            elif expected != {"$absent": True}:
                yield f"{path}.{name} is not there"
    elif isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            yield differs
            return
        for index, (one, other) in enumerate(zip(want, got)):
            yield from differences(one, other, f"{path}[{index}]")
    elif want != got or isinstance(want, bool) != isinstance(got, bool):
        yield differs


def passes(test: str, want: Any, got: Any) -> bool:
    """One of the tests that stand in place of a value."""
    if test in ("$has", "$lacks") and isinstance(got, str):
        texts = want if isinstance(want, list) else [want]
        return all(text in got for text in texts) == (test == "$has")
    is_number = isinstance(got, (int, float)) and not isinstance(got, bool)
    if test == "$at_least" and is_number:
        return bool(got >= want)
    if test == "$at_most" and is_number:
        return bool(got <= want)
    return False  # $absent, of what is there, and what README.md does not name
