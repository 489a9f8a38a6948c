# SPDX-License-Identifier: MIT
"""The scenarios that the bindings of all languages share, by blocking calls and
by asyncio: what they mean is told by tests/shared/README.md."""

import asyncio
import json
import os
import pathlib
import signal
from contextlib import contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

import pytest
from account import Account, Object, match
from sim import Sim

from libinfer import Client, Error, Response

PATIENCE = 30  # seconds for the end of a call

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = pathlib.Path(
    os.environ.get("INFER_SCENARIOS") or HERE.parents[2] / "tests" / "shared"
)


def check_members(
    given: Object, required: Set[str], optional: Set[str]
) -> None:
    missing, unknown = required - set(given), set(given) - required - optional
    assert not missing and not unknown, f"missing {missing}, unknown {unknown}"


def read_scenarios() -> List[Tuple[Object, str]]:
    runs = []
    for path in sorted(FOLDER.glob("*.json")):
        scenarios = json.loads(path.read_text("utf-8"))
        assert scenarios, f"no scenarios in {path}"
        for scenario in scenarios:
            modes = scenario.get("modes", ["whole", "stream"])
            assert modes, f"no modes: {scenario['name']}"
            runs += [(scenario, mode) for mode in modes]
    assert runs, f"no scenarios in {FOLDER}"
    return runs


RUNS = read_scenarios()


@pytest.mark.parametrize("how", ["blocking", "asyncio"])
@pytest.mark.parametrize(
    "scenario, mode",
    RUNS,
    ids=[f"{s.get('name')} ({mode})" for s, mode in RUNS],
)
def test_shared(
    start: Callable[..., Sim], scenario: Object, mode: str, how: str
) -> None:
    required = {"name", "providers", "calls", "seen"}
    check_members(scenario, required, {"modes", "config"})
    assert mode in ("whole", "stream") and scenario["calls"]
    sims: Dict[str, Sim] = {}
    providers = [
        provider_of(given, start, sims) for given in scenario["providers"]
    ]
    config = {**scenario.get("config", {}), "providers": providers}
    with Client(config) as client:
        if how == "blocking":
            run_blocking(client, scenario["calls"], mode == "stream")
        else:
            asyncio.run(
                run_asyncio(client, scenario["calls"], mode == "stream")
            )
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
    return sorted(
        entries, key=lambda entry: int(entry["received_monotonic_ns"])
    )


# ---- Calls -------------------------------------------------------------------


def arguments_of(call: Object) -> Object:
    """A call as the client's functions take it."""
    names = ("labels", "headers", "policy", "run_once")
    optional = {"deadline_ms", "cancel", *names}
    check_members(call, {"request", "expect"}, optional)
    check_members(call.get("cancel", {}), set(), {"at", "after_ms"})
    how: Object = {name: call[name] for name in names if name in call}
    if "deadline_ms" in call:
        how["deadline"] = call["deadline_ms"] / 1000
    return {**call["request"], **how}


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


async def run_asyncio(
    client: Client, calls: List[Object], is_stream: bool
) -> None:
    for call in calls:
        account = Account(call, is_stream)
        follow = follow_stream if is_stream else follow_whole
        try:
            end = await asyncio.wait_for(
                follow(client, call, account), PATIENCE
            )
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
