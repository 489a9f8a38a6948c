# SPDX-License-Identifier: MIT
"""Memory after many calls. --long makes it 100,000."""

import asyncio
import gc
import os
import resource

import pytest
from sim import Sim, config_of

import libinfer


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


async def calls(client: libinfer.Client, count: int) -> None:
    """Calls of every kind, ended in every way."""
    for i in range(count // 10):
        kind = i % 5
        if kind == 0:
            await asyncio.gather(*(client.achat("a/m", "x") for _ in range(10)))
        elif kind == 1:
            streams = (client.astream("a/m", "x").result() for _ in range(10))
            await asyncio.gather(*streams)
        elif kind == 2:
            for _ in range(5):
                client.chat("a/m", "x")
            for _ in range(5):
                client.stream("a/m", "x").result()
        elif kind == 3:
            down = (client.achat("a/down", "x") for _ in range(10))
            await asyncio.gather(*down, return_exceptions=True)
        else:
            for _ in range(5):
                async with client.astream("a/m", "x") as stream:
                    await stream.__anext__()
            for _ in range(5):
                with client.stream("a/m", "x") as blocking:
                    next(blocking)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc")
def test_second_half_grows_by_less_than_a_mebibyte(
    sim: Sim, request: pytest.FixtureRequest
) -> None:
    count = 100_000 if request.config.getoption("--long") else 3000
    with libinfer.Client(config_of(sim, defaults={"retries": 0})) as client:

        async def main() -> int:
            await calls(client, count // 2)
            gc.collect()
            before = resident_bytes()
            await calls(client, count // 2)
            gc.collect()
            return resident_bytes() - before

        assert asyncio.run(main()) < 1 << 20
