# SPDX-License-Identifier: MIT
"""One measurement of the Python binding, or of the official SDK beside it.

    python speed.py unary|bulk|merged CONFIG    CPU of an answer, 32 at once
    python speed.py latency CONFIG              median time of a blocking call
    python speed.py sdk-unary|sdk-bulk BASE_URL

CONFIG is a file with a route "bench". "bulk": streams of 1,000 chunks as fast
as they go; "merged": 32 streams of a chunk each millisecond, where the library
joins what comes within "delivery_interval_ms". Prints one number of
nanoseconds; tests/bench/run bindings makes figures of them.
"""

import asyncio
import importlib
import statistics
import sys
import time
from typing import Any, Awaitable, Callable, Dict, List, Tuple

import libinfer

Call = Callable[[], Awaitable[None]]

AT_ONCE = 32
BULK_CHUNKS = 1000
LATENCY_CALLS = 8000
PROMPT = "Summarize the ticket in two sentences, please."


async def run(calls: int, call: Call) -> None:
    left = calls

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await call()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def per_call(calls: int, call: Call) -> float:
    """CPU time of a call, after a tenth as many to warm up; where all run at
    once and are long, none."""
    if calls > AT_ONCE:
        await run(calls // 10 + AT_ONCE, call)
    before = time.process_time_ns()
    await run(calls, call)
    return (time.process_time_ns() - before) / calls


# ---- libinfer ----------------------------------------------------------------


def chat_of(client: libinfer.Client) -> Call:
    async def chat() -> None:
        response = await client.achat("bench", PROMPT)
        assert len(response.text) > 100

    return chat


def stream_of(client: libinfer.Client) -> Call:
    async def read() -> None:
        size = 0
        stream = client.astream("bench", PROMPT)
        async for event in stream:
            if isinstance(event, libinfer.TextEvent):
                size += len(event.text)
        assert stream.response is not None
        assert size == len(stream.response.text) > BULK_CHUNKS

    return read


def latency(client: libinfer.Client) -> float:
    taken: List[int] = []
    for _ in range(LATENCY_CALLS // 10 + LATENCY_CALLS):
        before = time.perf_counter_ns()
        response = client.chat("bench", PROMPT)
        taken.append(time.perf_counter_ns() - before)
        assert len(response.text) > 100
    return statistics.median(taken[-LATENCY_CALLS:])


# ---- The official SDK --------------------------------------------------------


def sdk_request(**members: Any) -> Dict[str, Any]:
    messages = [{"role": "user", "content": PROMPT}]
    return {"model": "gpt-4o-mini", "messages": messages, **members}


def sdk_chat_of(client: Any) -> Call:
    request = sdk_request()

    async def chat() -> None:
        response = await client.chat.completions.create(**request)
        assert len(response.choices[0].message.content) > 100

    return chat


def sdk_stream_of(client: Any) -> Call:
    request = sdk_request(stream=True, stream_options={"include_usage": True})

    async def read() -> None:
        chunks = 0
        async for chunk in await client.chat.completions.create(**request):
            if chunk.choices and chunk.choices[0].delta.content:
                chunks += 1
        assert chunks == BULK_CHUNKS

    return read


async def sdk(
    calls: int, call_of: Callable[[Any], Call], base_url: str
) -> float:
    openai = importlib.import_module("openai")  # not where only the tests run
    async with openai.AsyncOpenAI(
        api_key="sk-bench", base_url=base_url, max_retries=0
    ) as client:
        return await per_call(calls, call_of(client))


JOBS: Dict[str, Tuple[int, Callable[[libinfer.Client], Call]]] = {
    "unary": (10000, chat_of),
    "bulk": (800, stream_of),
    "merged": (AT_ONCE, stream_of),
}
SDK_JOBS: Dict[str, Tuple[int, Callable[[Any], Call]]] = {
    "sdk-unary": (1000, sdk_chat_of),
    "sdk-bulk": (40, sdk_stream_of),
}


def main(what: str, where: str) -> float:
    if what in SDK_JOBS:
        return asyncio.run(sdk(*SDK_JOBS[what], where))
    with libinfer.Client(where) as client:
        if what == "latency":
            return latency(client)
        calls, call_of = JOBS[what]
        return asyncio.run(per_call(calls, call_of(client)))


if __name__ == "__main__":
    print(round(main(*sys.argv[1:])))
