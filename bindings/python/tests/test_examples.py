# SPDX-License-Identifier: MIT
"""The examples, and the programs of README.md, each against a simulator."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
from typing import Any, Callable, Dict, List

import pytest
from sim import Sim, config_of

ROOT = pathlib.Path(__file__).parent.parent
HELLO = "Hello from the simulator."


@pytest.fixture
def env(sim: Sim, tmp_path: pathlib.Path) -> Dict[str, str]:
    """An environment whose INFER_CONFIG names the simulator "a"."""
    path = tmp_path / "infer.json"
    path.write_text(json.dumps(config_of(sim, defaults={"retries": 0})))
    return {**os.environ, "INFER_CONFIG": str(path)}


def run(env: Dict[str, str], *args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "examples" / args[0]), *args[1:]]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def test_chat(env: Dict[str, str]) -> None:
    done = run(env, "chat.py", "a/m", "Say hello.")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"{HELLO}\n\(a/m, \d+ tokens\)\n", done.stdout)


def test_chat_reports_a_failure(env: Dict[str, str]) -> None:
    done = run(env, "chat.py", "a/down")
    assert done.returncode == 1 and done.stderr.startswith("OverloadedError: a/down")


def test_stream(env: Dict[str, str]) -> None:
    done = run(env, "stream.py", "a/m", "Tell me a story.")
    assert done.stdout == f"{HELLO}\n(finish reason: stop)\n", done.stderr


def test_stream_says_that_it_was_cut(env: Dict[str, str]) -> None:
    done = run(env, "stream.py", "a/cut")
    assert done.returncode == 1 and "TruncatedError" in done.stderr
    assert done.stdout.startswith("Hello")


def test_stream_stops_at_ctrl_c(env: Dict[str, str], sim: Sim) -> None:
    command = [sys.executable, str(ROOT / "examples" / "stream.py"), "a/slow"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.read(5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130 and out.endswith("[stopped]\n")
    assert sim.log(1)[0]["end"] == "client_closed"


def test_many_streams(env: Dict[str, str], sim: Sim) -> None:
    done = run(env, "many_streams.py", "a/late echo", "200")
    assert done.returncode == 0, done.stderr
    characters = 200 * len("Tell me a story.")
    end = f"0 open, 200 of 200 ended, 0 failed, {characters} characters"
    assert end in done.stdout and "at most 200 at once" in done.stdout
    assert sim.get("/_sim/stats")["peak_open_streams"] == 200
    shown = re.findall(r"(\d+) open, 0 of 200 ended", done.stdout)
    assert "200" in shown  # while they were under way


def test_failover(sim: Sim) -> None:
    done = run({**os.environ}, "failover.py", sim.url, "down", sim.url, "m")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "1. first/down (first): provider overloaded"
    assert re.fullmatch(r"[23]\. second/m \(failover\): success", lines[-2])
    assert lines[-1] == HELLO


def programs() -> List[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("number", range(len(programs())))
def test_programs_of_the_readme(number: int, start: Callable[..., Sim]) -> None:
    """Each is run as it stands, but that every provider is the simulator."""
    sim = start(defaults={"text": HELLO, "inter_token_ms": 1})
    env: Dict[str, Any] = {**os.environ, "OPENAI_API_KEY": "key"}
    env["OPENAI_BASE_URL"] = sim.url
    program = programs()[number].replace("http://inference.internal:8000/v1", sim.url)
    program = program.replace('"api_key":', f'"base_url": "{sim.url}", "api_key":')
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Hello" in done.stdout
