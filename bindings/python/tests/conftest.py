# SPDX-License-Identifier: MIT
import os
import pathlib
import subprocess
import sys
import textwrap
from typing import Any, Callable, Dict, Iterator, List

import pytest
from sim import Sim, config_of

import libinfer

HERE = pathlib.Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also what takes minutes")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def start() -> Iterator[Callable[..., Sim]]:
    """Starts simulators: start({"defaults": ...}) or start(rules={...})."""
    sims: List[Sim] = []

    def start_one(**script: Any) -> Sim:
        sims.append(Sim(script))
        return sims[-1]

    yield start_one
    for sim in sims:
        sim.stop()


RULES: List[Dict[str, Any]] = [
    {"when": {"model": "silent"}, "do": {"silence": True}},
    {"when": {"model": "down"}, "do": {"status": 503}},
    {
        "when": {"model": "slow"},
        "do": {"text": None, "inter_token_ms": 20, "tokens": 2000},
    },
    {
        "when": {"model": "steady"},
        "do": {"text": None, "inter_token_ms": 1, "tokens": 800},
    },
    {"when": {"model": "echo"}, "do": {"echo": True}},
    {"when": {"model": "late echo"}, "do": {"echo": True, "first_token_ms": 200}},
    {"when": {"model": "cut"}, "do": {"cut": {"after_tokens": 2}}},
    {
        "when": {"model": "tool"},
        "do": {
            "text": None,
            "tool_calls": [
                {"id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}}
            ],
        },
    },
]


@pytest.fixture
def sim(start: Callable[..., Sim]) -> Sim:
    """One simulator: "Hello from the simulator.", and models that misbehave."""
    return start(defaults={"text": "Hello from the simulator."}, rules=RULES)


@pytest.fixture
def client(sim: Sim) -> Iterator[libinfer.Client]:
    with libinfer.Client(config_of(sim, defaults={"retries": 0})) as client:
        yield client


class Script:
    """A Python program that runs against a simulator."""

    HEAD = """\
    import asyncio, gc, os, signal, sys, threading, time
    import libinfer
    sys.path.insert(0, {here!r})
    from sim import config_of

    class Given:
        url = sys.argv[1]
    config = config_of(Given, defaults={{"retries": 0}})
    client = libinfer.Client(config)
    def say(*words):
        print(*words, flush=True)
    """

    def __init__(self, sim: Sim, body: str) -> None:
        head = textwrap.dedent(self.HEAD).format(here=str(HERE))
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", head + textwrap.dedent(body)]
            + [sim.url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, code: int = 0, within: float = 20) -> str:
        """What it printed, once it has ended with this code."""
        try:
            out, err = self.process.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            pytest.fail(f"hangs: {out} {err}")
        assert self.process.returncode == code, f"{out} {err}"
        return out


@pytest.fixture
def script(sim: Sim) -> Iterator[Callable[[str], Script]]:
    scripts: List[Script] = []

    def run(body: str) -> Script:
        scripts.append(Script(sim, body))
        return scripts[-1]

    yield run
    for one in scripts:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()
