# SPDX-License-Identifier: MIT
"""The scenarios that the bindings of all languages share, by blocking calls and
by asyncio: what they mean is told by tests/shared/README.md."""

import asyncio
import json
import os
import pathlib
import signal
import time
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import pytest
from sim import Sim

import libinfer
from libinfer import Client, Error, Response

Object = Dict[str, Any]
PATIENCE = 30  # seconds for the end of a call

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(
    os.environ.get("INFER_SCENARIOS") or HERE.parents[2] / "tests" / "shared"
)


def check_members(given: Object, required: Set[str], optional: Set[str]) -> None:
    missing, unknown = required - set(given), set(given) - required - optional
    assert not missing and not unknown, f"missing {missing}, unknown {unknown}"


def read_scenarios() -> List[Tuple[Object, str]]:
    runs = []
    for path in sorted(FOLDER.glob("*.json")):
        scenarios = json.loads(path.read_text("utf-8"))
        assert scenarios, f"no scenarios in {path}"
        for scenario in scenarios:
            for mode in scenario.get("modes", ["whole", "stream"]):
                runs.append((scenario, mode))
    assert runs, f"no scenarios in {FOLDER}"
    return runs


RUNS = read_scenarios()


@pytest.mark.parametrize("how", ["blocking", "asyncio"])
@pytest.mark.parametrize(
    "scenario, mode", RUNS, ids=[f"{s.get('name')} ({mode})" for s, mode in RUNS]
)
def test_shared(
    start: Callable[..., Sim], scenario: Object, mode: str, how: str
) -> None:
    required = {"name", "providers", "calls", "seen"}
    check_members(scenario, required, {"modes", "config"})
    assert mode in ("whole", "stream") and scenario["calls"]
    sims: Dict[str, Sim] = {}
    providers = [provider_of(given, start, sims) for given in scenario["providers"]]
    config = {**scenario.get("config", {}), "providers": providers}
    with Client(config) as client:
        if how == "blocking":
            run_blocking(client, scenario["calls"], mode == "stream")
        else:
            asyncio.run(run_asyncio(client, scenario["calls"], mode == "stream"))
    match(scenario["seen"], seen_by(sims, scenario["seen"]), "seen")


def provider_of(
    given: Object, start: Callable[..., Sim], sims: Dict[str, Sim]
) -> Object:
    provider = {"type": "openai", "proxy": "none", **given}
    if "sim" in provider:
        sim = sims[given["name"]] = start(**provider.pop("sim"))
        provider["base_url"] = sim.url
    return provider


def seen_by(sims: Dict[str, Sim], expected: List[Object]) -> List[Object]:
    """What the providers have seen, once all that is expected has ended."""
    entries: List[Object] = []
    for name, sim in sims.items():
        count = sum(entry["provider"] == name for entry in expected)
        entries += ({**entry, "provider": name} for entry in sim.log(count))
    return sorted(entries, key=lambda entry: int(entry["received_monotonic_ns"]))


# ---- Calls -------------------------------------------------------------------


def arguments_of(call: Object) -> Object:
    """A call as the client's functions take it."""
    optional = {"deadline_ms", "labels", "headers", "run_once", "cancel"}
    check_members(call, {"request", "expect"}, optional)
    check_members(call.get("cancel", {}), set(), {"at", "after_ms"})
    names = ("labels", "headers", "run_once")
    how: Object = {name: call[name] for name in names if name in call}
    if "deadline_ms" in call:
        how["deadline"] = call["deadline_ms"] / 1000
    return {**call["request"], **how}


def cancel_at(call: Object) -> Optional[str]:
    at: Optional[str] = call.get("cancel", {}).get("at")
    return at


def cancel_after(call: Object) -> Optional[float]:
    after_ms = call.get("cancel", {}).get("after_ms")
    return None if after_ms is None else float(after_ms) / 1000


class Interrupted(Exception):
    """Raised by a signal handler."""


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    def interrupt(*_: Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def run_blocking(client: Client, calls: List[Object], is_stream: bool) -> None:
    for call in calls:
        account = Account(call, is_stream)
        try:
            with interrupted_after(cancel_after(call) or PATIENCE):
                if is_stream:
                    with client.stream(**arguments_of(call)) as stream:
                        for event in stream:
                            if account.add(event):
                                stream.close()
                    account.end(stream.response)
                else:
                    account.end(client.chat(**arguments_of(call)))
        except (Error, Interrupted) as error:
            account.end(error)
        account.check()


async def run_asyncio(client: Client, calls: List[Object], is_stream: bool) -> None:
    for call in calls:
        account = Account(call, is_stream)
        follow = follow_stream if is_stream else follow_whole
        try:
            end = await asyncio.wait_for(follow(client, call, account), PATIENCE)
            account.end(end)
        except (Error, asyncio.CancelledError) as error:
            account.end(error)
        account.check()


async def follow_stream(
    client: Client, call: Object, account: "Account"
) -> Optional[Response]:
    async with client.astream(**arguments_of(call)) as stream:
        async for event in stream:
            if account.add(event):
                stream.close()
    return stream.response


async def follow_whole(
    client: Client, call: Object, account: "Account"
) -> Optional[Response]:
    task = asyncio.ensure_future(client.achat(**arguments_of(call)))
    after = cancel_after(call)
    if after is not None:
        asyncio.get_running_loop().call_later(after, task.cancel)
    return await task


# ---- Accounts ----------------------------------------------------------------

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
        return kind == cancel_at(self._call)

    def _begun(self, kind: str, entry: Object) -> Optional[Object]:
        """The event that a piece goes on with."""
        for event in reversed(self._events):
            other = next(iter(event))
            if kind not in PIECES or other not in PIECES:
                return None
            where = ("choice", "epoch", "tool")
            if other == kind and all(event.get(n) == entry.get(n) for n in where):
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
        self._all["attempts"] = [attempt_of(a) for a in getattr(end, "attempts", ())]
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
    return entry


def attempt_of(attempt: libinfer.Attempt) -> str:
    reason = libinfer.Reason(attempt.reason).name.lower()
    status = libinfer.Status(attempt.status).name
    return f"{attempt.target} {reason} {attempt.http_status} {status}"


def usage_of(usage: libinfer.Usage) -> Object:
    kinds = ("input", "output", "reasoning", "cache_read", "cache_write", "total")
    counts = {kind: getattr(usage, kind) for kind in kinds}
    return {kind: -1 if count is None else count for kind, count in counts.items()}


def members_of(given: Any, *names: str) -> Object:
    return {name: getattr(given, name) for name in names}


def choice_of(choice: libinfer.Choice) -> Object:
    calls = [members_of(call, "id", "name", "arguments") for call in choice.tool_calls]
    texts = members_of(choice, "text", "reasoning", "refusal", "finish_reason")
    return {**texts, "tool_calls": calls}


def answer_of(response: Response) -> Object:
    names = ("provider", "target", "model", "id", "request_id", "usage_estimated")
    return {
        **members_of(response, *names),
        "choices": [choice_of(choice) for choice in response.choices],
        "usage": usage_of(response.usage),
        "total_usage": usage_of(response.total_usage),
        "parts": [members_of(p, "target", "model", "bytes") for p in response.parts],
        "json": response.raw,
    }


def error_of(error: Error) -> Object:
    provider = ("code", "type", "param", "message")
    names = ["message", "provider", "target", "http_status", "request_id", "retryable"]
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
