# SPDX-License-Identifier: MIT
"""Signals, the interpreter's end, garbage collection and fork."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import Any, Callable

import pytest
from conftest import Script
from sim import Sim

Run = Callable[[str], Script]

WAITS = {
    "chat": "client.chat('a/silent', 'x')",
    "stream": "list(client.stream('a/silent', 'x'))",
    "started stream": "list(client.stream('a/slow', 'x'))",
    "driven": """threaded = client
    client = libinfer.Client({**config, "threads": 0})
    client.chat('a/silent', 'x')""",
    "drain": """stream = client.stream('a/silent', 'x')
    client.close(drain=30)""",
    "asyncio": "asyncio.run(client.achat('a/silent', 'x'))",
    "asyncio stream": "asyncio.run(client.astream_in_loop())",
}


def interrupt(how: str, script: Run, sim: Sim) -> float:
    """Seconds from Ctrl-C to KeyboardInterrupt. The provider must see the call
    end; the program stays, so that its end is not what ended the call."""
    run = script(
        f"""
async def read():
    async for event in client.astream('a/slow', 'x'):
        pass
libinfer.Client.astream_in_loop = lambda self: read()
say("ready")
try:
    {WAITS[how]}
except KeyboardInterrupt:
    say(time.monotonic())
time.sleep(30)
"""
    )
    assert run.line() == "ready"
    sim.wait_open(1)
    time.sleep(0.12)  # in the middle of a wait
    sent = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    took = float(run.line()) - sent
    sim.wait_open(0, within=2)
    assert sim.log()[-1]["end"] == "client_closed"
    run.process.kill()
    return took


@pytest.mark.parametrize("how", WAITS)
def test_ctrl_c(how: str, script: Run, sim: Sim) -> None:
    """Within 100 ms; a busy machine may be late, but not three times."""
    assert any(interrupt(how, script, sim) < 0.1 for _ in range(3))


EXITS = {
    "chat in a daemon thread": """
    t = threading.Thread(target=client.chat, args=("a/silent", "x"), daemon=True)
    t.start()
    time.sleep(0.1)
    """,
    "stream in a daemon thread": """
    def read():
        for event in client.stream("a/slow", "x"):
            pass
    threading.Thread(target=read, daemon=True).start()
    time.sleep(0.1)
    """,
    "open streams": """
    streams = [client.stream("a/slow", "x") for _ in range(20)]
    for stream in streams:
        next(stream)
    """,
    "asyncio in a daemon thread": """
    async def main():
        await asyncio.gather(*(client.achat("a/silent", "x") for _ in range(20)))
    threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
    time.sleep(0.1)
    """,
    "asyncio stream kept": """
    async def main():
        global stream
        stream = client.astream("a/slow", "x")
        await stream.__anext__()
    asyncio.run(main())
    """,
    "a cycle of all": """
    class Knot: pass
    knot = Knot()
    knot.self, knot.client, knot.stream = knot, client, client.stream("a/slow", "x")
    del client
    """,
    "sys.exit in a loop": """
    async def main():
        asyncio.ensure_future(client.achat("a/silent", "x"))
        await asyncio.sleep(0.05)
        sys.exit(0)
    asyncio.run(main())
    """,
    "a drain under way": """
    stream = client.stream("a/slow", "x")
    threading.Thread(target=client.close, args=(30,), daemon=True).start()
    time.sleep(0.1)
    """,
}


@pytest.mark.parametrize("what", EXITS)
def test_exit_with_calls_in_flight(what: str, script: Run) -> None:
    run = script(textwrap.dedent(EXITS[what]) + "\nsay('end')\n")
    before = time.monotonic()
    out = run.end()
    assert time.monotonic() - before < 10
    assert "end" in out or what.startswith("sys.exit")


def test_garbage_in_any_order(script: Run, sim: Sim) -> None:
    run = script(
        """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
async def main(order):
    client = libinfer.Client(config)
    stream = client.astream("a/slow", "x")
    await stream.__anext__()
    response = await client.achat("a/m", "x")
    plain = client.stream("a/slow", "x")
    things = dict(client=client, stream=stream, response=response, plain=plain)
    things["core"], things["hub"] = client._core, client._core.hub()
    things["queue"], things["call"] = plain._reader.queue, plain._call
    del client, stream, response, plain
    for name in order:
        del things[name]
        gc.collect()
names = ["client", "stream", "response", "plain", "core", "hub", "queue", "call"]
import random
random.seed(7)
for _ in range(40):
    random.shuffle(names)
    asyncio.run(main(names))
say("alive")
signal.sigwait([signal.SIGUSR1])
"""
    )
    assert run.line() == "alive"
    sim.wait_open(0)  # not because the program has ended
    run.process.send_signal(signal.SIGUSR1)
    run.end()
    assert {e["end"] for e in sim.log(80)} == {"client_closed", "complete"}


def test_fork_gives_the_child_a_client_of_its_own(script: Run, sim: Sim) -> None:
    run = script(
        """
stream = client.stream("a/slow", "x")
next(stream)
asyncio.run(client.achat("a/m", "x"))
pid = os.fork()
if pid == 0:
    try:
        stream._reader.read(0)
        next(stream)
    except libinfer.ForkedError:
        say("forked")
    say(client.chat("a/m", "x").text)
    say(asyncio.run(client.achat("a/m", "x")).text)
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
next(stream), next(stream)
say(client.chat("a/m", "x").text)
"""
    )
    hello = "Hello from the simulator."
    assert run.end().splitlines() == ["forked", hello, hello, hello]


def test_fork_within_a_running_loop(script: Run) -> None:
    run = script(
        """
async def main():
    stream = client.astream("a/slow", "x")
    await stream.__anext__()
    pid = os.fork()
    if pid == 0:
        asyncio._set_running_loop(None)
        del stream
        gc.collect()
        ok = asyncio.run(client.achat("a/m", "x")).text
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
    for _ in range(5):
        await stream.__anext__()
asyncio.run(main())
say("ok")
"""
    )
    assert run.end().strip() == "ok"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(
    method: str, sim: Sim, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import multiprocessing, pickle, sys
import libinfer
config = {{"providers": [{{"name": "a", "type": "openai", "proxy": "none",
    "base_url": {sim.url!r}}}], "defaults": {{"retries": 0}}}}
client = libinfer.Client(config)
def work(model):
    try:
        return client.chat("a/" + model, "x").raw["choices"][0]["message"]["content"]
    except libinfer.OverloadedError as error:
        raise error
if __name__ == "__main__":
    client.chat("a/m", "x")
    with multiprocessing.get_context({method!r}).Pool(3) as pool:
        print(set(pool.map(work, ["m"] * 12)))
        try:
            pool.map(work, ["down"])
        except libinfer.OverloadedError as error:
            print(error.http_status)
    print(client.chat("a/m", "x").text)
"""
    )
    out = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60
    )
    assert out.stdout.splitlines() == [
        "{'Hello from the simulator.'}",
        "503",
        "Hello from the simulator.",
    ], out.stderr


def test_prefork_server(script: Run) -> None:
    """Workers that are forked with a stream of the master under way, while
    other threads of it make calls."""
    run = script(
        """
stop = False
def busy():
    while not stop:
        client.chat("a/m", "x")
threads = [threading.Thread(target=busy) for _ in range(3)]
for t in threads: t.start()
children = []
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = 0 if client.chat("a/m", "x").text else 1
        finally:
            os._exit(code)
    children.append(pid)
codes = [os.waitpid(pid, 0)[1] for pid in children]
stop = True
for t in threads: t.join()
say(codes.count(0))
"""
    )
    assert run.end(within=60).strip() == "20"


def test_ctrl_c_in_a_child_that_a_thread_forked(script: Run, sim: Sim) -> None:
    """That thread is the child's main one, which handles its signals."""
    run = script(
        """
def fork():
    if os.fork() == 0:
        say(os.getpid())
        try:
            client.chat("a/silent", "x", deadline=5)
        except KeyboardInterrupt:
            say("interrupted")
        os._exit(0)
thread = threading.Thread(target=fork)
thread.start()
thread.join()
os.wait()
"""
    )
    child = int(run.line())
    sim.wait_open(1)
    sent = time.monotonic()
    os.kill(child, signal.SIGINT)
    assert run.line() == "interrupted"
    assert time.monotonic() - sent < 1
    run.end()
