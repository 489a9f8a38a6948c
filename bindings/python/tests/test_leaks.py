# SPDX-License-Identifier: MIT
"""What many calls leave behind: no memory of the process, and no handle of the
library. --long makes it 100,000 calls."""

import asyncio
import gc
import os
import pathlib
import resource
import subprocess
import sys
import sysconfig

import pytest
from sim import Sim, config_of

import libinfer

SOME, MANY = 3000, 100_000


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


async def calls(client: libinfer.Client, count: int) -> None:
    """Calls of every kind, ended in every way."""
    for i in range(count // 10):
        kind = i % 6
        if kind == 0:
            await asyncio.gather(*(client.achat("a/m", "x") for _ in range(10)))
        elif kind == 1:
            streams = (client.astream("a/m", "x").result() for _ in range(10))
            await asyncio.gather(*streams)
        elif kind == 2:
            for _ in range(5):
                client.chat("a/m", "x", policy={"retries": 0}, tags={"job": "x"})
            for _ in range(5):
                client.stream("a/m", "x").result()
        elif kind == 3:
            down = (client.achat("a/down", "x") for _ in range(10))
            await asyncio.gather(*down, return_exceptions=True)
        elif kind == 4:
            for _ in range(5):
                client.models("a")
            await asyncio.gather(*(client.amodels("a") for _ in range(5)))
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
    count = MANY if request.config.getoption("--long") else SOME
    with libinfer.Client(config_of(sim, defaults={"retries": 0})) as client:

        async def main() -> int:
            await calls(client, count // 2)
            gc.collect()
            before = resident_bytes()
            await calls(client, count // 2)
            gc.collect()
            return resident_bytes() - before

        grown = asyncio.run(main())
    print(f"after {count // 2} calls, {count // 2} more took {grown >> 10} KiB")
    assert grown < 1 << 20


# An allocator that counts: what the library holds is a handle, or of one.
COUNTER = """
#include <stdatomic.h>
#include <stdlib.h>
static atomic_llong live;
long long counted(void) { return live; }
void *take(size_t size, void *unused) {
  void *ptr = malloc(size);
  live += ptr != NULL;
  return ptr;
}
void *again(void *old, size_t size, void *unused) {
  void *ptr = realloc(old, size);
  live += ptr && !old;
  return ptr;
}
void give(void *ptr, void *unused) {
  live -= ptr != NULL;
  free(ptr);
}
"""

PROGRAM = """
import asyncio, ctypes, gc, sys
from libinfer._binding import ffi, lib
counter = ctypes.CDLL(sys.argv[1])
counter.counted.restype = ctypes.c_longlong
def address(name, type):
    return ffi.cast(type, ctypes.cast(counter[name], ctypes.c_void_p).value)
assert lib.infer_set_allocator(
    address("take", "void *(*)(size_t, void *)"),
    address("again", "void *(*)(void *, size_t, void *)"),
    address("give", "void (*)(void *, void *)"), ffi.NULL) == 0

import libinfer
from sim import config_of
from test_leaks import calls

class Given:
    url = sys.argv[2]

def left(count):
    client = libinfer.Client(config_of(Given, defaults={"retries": 0}))
    asyncio.run(calls(client, count))
    most = counter.counted()
    client.close()
    del client
    gc.collect()
    return most, counter.counted()

most, _ = left(60)
assert most > 100, most
_, few = left(60)
_, many = left(int(sys.argv[3]))
print(few, many)
"""


def test_leaks_no_handle(
    sim: Sim, request: pytest.FixtureRequest, tmp_path: pathlib.Path
) -> None:
    count = MANY if request.config.getoption("--long") else SOME
    source, library = tmp_path / "counter.c", tmp_path / "counter.so"
    source.write_text(COUNTER, "utf-8")
    compiler = str(sysconfig.get_config_var("CC")).split()[0]
    built = [compiler, "-shared", "-fPIC", str(source), "-o", str(library)]
    subprocess.run(built, check=True)
    here = str(pathlib.Path(__file__).parent)
    out = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(library), sim.url, str(count)],
        env={**os.environ, "PYTHONPATH": here},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    few, many = (int(word) for word in out.split())
    print(f"{few} allocations are left after 60 calls, {many} after {count}")
    assert few == many == 0
