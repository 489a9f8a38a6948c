# SPDX-License-Identifier: MIT
"""asyncio: one descriptor, no threads, no timers; cancelling cancels."""

import asyncio
import gc
import selectors
import signal
import socket
import threading
import time
import weakref
from collections import deque
from typing import Any, Iterator, List, Optional, Tuple

import pytest
from sim import Sim, config_of

import libinfer
from libinfer import Client
from libinfer._aio import _joined, _Sink

HELLO = "Hello from the simulator."


def test_achat(client: Client) -> None:
    assert asyncio.run(client.achat("a/m", "x")).text == HELLO


def test_amodels(client: Client) -> None:
    async def main() -> None:
        both = await asyncio.gather(client.amodels("a"), client.achat("a/m", "x"))
        assert "silent" in [model["id"] for model in both[0]]
        assert threading.active_count() == before
        with pytest.raises(libinfer.ConfigError):
            await client.amodels("nobody")

    before = threading.active_count()
    asyncio.run(main())


@pytest.fixture
def deaf() -> Iterator[Tuple[socket.socket, Client]]:
    """A provider that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        provider = {"name": "a", "type": "openai", "base_url": url, "api_key": "k"}
        with Client({"providers": [provider], "defaults": {"retries": 0}}) as client:
            yield server, client


def peer_hears_the_end(server: socket.socket) -> bool:
    server.settimeout(5)
    peer, _ = server.accept()
    with peer:
        peer.settimeout(5)
        while peer.recv(4096):
            pass
    return True


def test_cancelled_amodels_cancels_the_call(
    deaf: Tuple[socket.socket, Client]
) -> None:
    server, client = deaf

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.amodels("a"), 0.2)

    asyncio.run(main())
    assert peer_hears_the_end(server)


def test_ctrl_c_cancels_models(deaf: Tuple[socket.socket, Client]) -> None:
    server, client = deaf
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client.models("a")
    assert time.monotonic() - start < 5
    assert peer_hears_the_end(server)


def test_astream(client: Client) -> None:
    async def main() -> None:
        stream = client.astream("a/m", "x")
        events = [event async for event in stream]
        assert events[0].type == "start" and events[-1].type == "usage"
        text = "".join(e.text for e in events if isinstance(e, libinfer.TextEvent))
        assert text == HELLO
        assert stream.response is not None and stream.response.text == HELLO
        assert [event async for event in stream] == []
        assert "".join([t async for t in client.astream("a/m", "x").text()]) == HELLO

    asyncio.run(main())


def test_failures_are_raised(client: Client) -> None:
    async def main() -> None:
        with pytest.raises(libinfer.OverloadedError):
            await client.achat("a/down", "x")
        with pytest.raises(libinfer.TruncatedError) as caught:
            await client.astream("a/cut", "x").result()
        assert caught.value.partial is not None
        with pytest.raises(libinfer.ConfigError):
            client.astream("nowhere", "x")
        assert (await client.achat("a/m", "x")).text == HELLO

    asyncio.run(main())


def test_hundreds_of_streams_at_once(client: Client, sim: Sim) -> None:
    async def one(i: int) -> str:
        return (await client.astream("a/late echo", f"question {i}").result()).text

    async def main() -> List[str]:
        return await asyncio.gather(*(one(i) for i in range(300)))

    assert asyncio.run(main()) == [f"question {i}" for i in range(300)]
    assert sim.get("/_sim/stats")["peak_open_streams"] > 200


class CountingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.timeouts: List[Optional[float]] = []

    def select(self, timeout: Optional[float] = None) -> Any:
        self.timeouts.append(timeout)
        return super().select(timeout)


def test_waiting_takes_no_thread_and_no_timer(client: Client) -> None:
    selector = CountingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    threads = threading.active_count()

    async def main() -> int:
        with pytest.raises(libinfer.DeadlineError):
            await client.achat("a/silent", "x", deadline=0.4)
        return threading.active_count()

    try:
        assert loop.run_until_complete(main()) == threads
    finally:
        loop.close()
    assert len(selector.timeouts) < 10
    assert [t for t in selector.timeouts if t] == []


def test_cancelled_task_cancels_the_call(client: Client, sim: Sim) -> None:
    async def main() -> None:
        async def read() -> None:
            async for _ in client.astream("a/slow", "x"):
                pass

        async def ask() -> None:
            await client.achat("a/silent", "x")

        tasks = [asyncio.create_task(read()), asyncio.create_task(ask())]
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(r, asyncio.CancelledError) for r in results)
        # The loop is blocked meanwhile: nothing else can have ended the calls.
        assert [e["end"] for e in sim.log(2)] == ["client_closed"] * 2

    asyncio.run(main())


def test_timeout_cancels_the_call(client: Client, sim: Sim) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(client.achat("a/silent", "x"), 0.1)
        assert sim.log(1)[0]["end"] == "client_closed"

    asyncio.run(main())


def test_break_cancels(client: Client, sim: Sim) -> None:
    async def main() -> None:
        async for event in client.astream("a/slow", "x"):
            if event.type == "text":
                break
        assert sim.log(1)[0]["end"] == "client_closed"

    asyncio.run(main())


def test_with_block_cancels(client: Client, sim: Sim) -> None:
    async def main() -> None:
        async with client.astream("a/slow", "x") as stream:
            await stream.__anext__()
        assert sim.log(1)[0]["end"] == "client_closed"
        with pytest.raises(libinfer.CallCancelledError):
            await stream.__anext__()

    asyncio.run(main())


def test_several_loops_in_turn_and_at_once(client: Client) -> None:
    for _ in range(3):
        assert asyncio.run(client.achat("a/m", "x")).text == HELLO
    texts: List[str] = []

    async def work(name: int) -> None:
        results = [client.achat("a/echo", f"{name}/{i}") for i in range(20)]
        texts.extend(r.text for r in await asyncio.gather(*results))

    def run(name: int) -> None:
        asyncio.run(work(name))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == sorted(f"{n}/{i}" for n in range(4) for i in range(20))


def test_loop_closed_with_a_call_in_flight(client: Client, sim: Sim) -> None:
    loop = asyncio.new_event_loop()

    async def begin() -> Any:
        return client.astream("a/slow", "x")

    stream = loop.run_until_complete(begin())
    sim.wait_open(1)
    loop.close()
    del stream, loop
    gc.collect()
    assert sim.log(1)[0]["end"] == "client_closed"
    assert asyncio.run(client.achat("a/m", "x")).text == HELLO


def test_closed_loop_is_forgotten(client: Client, sim: Sim) -> None:
    """Also while a stream of it is held: its call ends when another loop comes."""
    loop = asyncio.new_event_loop()
    gone = weakref.ref(loop)

    async def begin() -> Any:
        stream = client.astream("a/slow", "x")
        stream._sink.waiter = asyncio.get_running_loop().create_future()
        return stream

    stream = loop.run_until_complete(begin())
    sim.wait_open(1)
    loop.close()
    del loop
    assert asyncio.run(client.achat("a/m", "x")).text == HELLO
    assert sim.log(2)[0]["end"] == "client_closed"
    del stream
    gc.collect()
    assert gone() is None


def test_number_that_python_cannot_read_ends_no_stream(start: Any) -> None:
    """Python refuses integers of more than 4300 digits (since 3.10.7)."""
    usage = '{"prompt_tokens":1,"completion_tokens":1,"x":' + "9" * 5000 + "}"
    choices = '[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]'
    body = f'data: {{"choices":{choices},"usage":{usage}}}\n\ndata: [DONE]\n\n'
    sim = start(defaults={"body": body, "content_type": "text/event-stream"})

    async def main() -> None:
        async with Client(config_of(sim)) as client:
            stream = client.astream("a/m", "x")
            events = [e async for e in stream]
            assert stream.response is not None and stream.response.text == "Hi"
            (event,) = [e for e in events if isinstance(e, libinfer.UsageEvent)]
            assert "9" * 5000 in event.json

    asyncio.run(asyncio.wait_for(main(), 5))


def test_client_goes_while_the_loop_runs(sim: Sim) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        watched = len(loop._selector.get_map())
        for _ in range(5):
            client = Client(config_of(sim))
            assert (await client.achat("a/m", "x")).text == HELLO
            gone = weakref.ref(client)
            del client
            gc.collect()
            assert gone() is None
        await asyncio.sleep(0.01)
        assert len(loop._selector.get_map()) == watched

    asyncio.run(main())


def test_close_ends_what_is_awaited(sim: Sim) -> None:
    async def main() -> None:
        async with Client(config_of(sim)) as client:
            task = asyncio.create_task(client.achat("a/silent", "x"))
            await asyncio.sleep(0.05)
        with pytest.raises(libinfer.CallCancelledError):
            await asyncio.wait_for(task, 5)

    asyncio.run(main())


def test_slow_reader_gets_joined_text(client: Client) -> None:
    async def main() -> None:
        stream = client.astream("a/steady", "x")  # each piece comes alone
        sink = stream._sink
        while sink.ended is None:
            await asyncio.sleep(0.01)
            assert len(sink.events) <= 300
        pieces = [e.text async for e in stream if isinstance(e, libinfer.TextEvent)]
        assert stream.response is not None
        assert "".join(pieces) == stream.response.text
        assert len(pieces) < 300

    asyncio.run(main())


def test_joining_keeps_order_and_bounds() -> None:
    def text(piece: str, choice: int = 0) -> libinfer.TextEvent:
        return libinfer.TextEvent(piece, choice, 0)

    finish = libinfer.FinishEvent("stop", 0, 0)
    events: List[libinfer.Event] = [text("a"), text("b"), text("c", 1), text("d", 1)]
    events += [libinfer.ReasoningEvent("e", 1, 0), finish, text("f"), text("g")]
    assert list(_joined(deque(events))) == [
        text("ab"),
        text("cd", 1),
        libinfer.ReasoningEvent("e", 1, 0),
        finish,
        text("fg"),
    ]


def test_restart_forgets_what_waits() -> None:
    sink = _Sink()
    sink.push(libinfer.TextEvent("old", 0, 0))
    sink.push(libinfer.RestartEvent("why", 0, 1))
    sink.push(libinfer.TextEvent("new", 0, 1))
    assert [e.type for e in sink.events] == ["restart", "text"]


def test_driven_client_is_refused(sim: Sim) -> None:
    with Client(config_of(sim, threads=0)) as client:
        with pytest.raises(libinfer.UnsupportedError, match="threads"):
            asyncio.run(client.achat("a/m", "x"))


def test_loop_goes_on_meanwhile(client: Client) -> None:
    async def main() -> int:
        turns = 0
        task = asyncio.create_task(client.astream("a/slow", "x").result())
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            turns += 1
            await asyncio.sleep(0.001)
        task.cancel()
        return turns

    assert asyncio.run(main()) > 50
