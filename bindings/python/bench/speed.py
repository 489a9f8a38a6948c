# SPDX-License-Identifier: MIT
"""CPU time of a streamed chunk in Python, beside the same in C.

    python bench/speed.py BUILD_DIR [ROUNDS]

BUILD_DIR is a release build of the library with its tests: it has the server
and the C side of this benchmark (tests/bench). Both sides read the same
streams with the same configuration, 32 at once. "paced": a chunk each
millisecond; "merged": the same with "delivery_interval_ms": 5, so that the
library joins what comes in between; "bulk": as fast as it goes.
"""

import asyncio
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, NamedTuple

import libinfer


class Job(NamedTuple):
    path: str
    streams: int
    chunks: int
    interval_ms: int
    c_mode: str


JOBS = {
    "merged": Job("paced", 32, 2000, 5, "infer_paced_interval"),
    "paced": Job("paced", 32, 2000, 0, "infer_paced"),
    "bulk": Job("bulk", 800, 1000, 0, "infer_bulk"),
}
AT_ONCE = 32


def config_of(job: Job, port: int) -> Dict[str, Any]:
    providers = [
        {
            "name": name,
            "type": "openai",
            "proxy": "none",
            "api_key": "sk-bench-0123456789abcdef0123456789abcdef",
            "base_url": f"http://127.0.0.1:{port}/{job.path}/v1",
        }
        for name in ("first", "second")
    ]
    timeouts = {
        "connect_ms": 2000,
        "first_token_ms": 8000,
        "idle_ms": 15000,
        "attempt_ms": 50000,
        "deadline_ms": 60000,
    }
    route = {
        "targets": ["first/gpt-4o-mini", "second/gpt-4o-mini"],
        "upstream": "stream",
        "retries": 2,
        "timeouts": timeouts,
    }
    return {
        "delivery_interval_ms": job.interval_ms,
        "providers": providers,
        "routes": {"bench": route},
    }


async def read_streams(client: libinfer.Client, count: int) -> None:
    left = count

    async def reader() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            size = 0
            stream = client.astream("bench", "Summarize the ticket, please.")
            async for event in stream:
                if isinstance(event, libinfer.TextEvent):
                    size += len(event.text)
            assert stream.response is not None
            assert size == len(stream.response.text) > 100

    await asyncio.gather(*(reader() for _ in range(AT_ONCE)))


def measure(job: Job, port: int) -> float:
    """CPU nanoseconds for each chunk."""
    with libinfer.Client(config_of(job, port)) as client:

        async def main() -> float:
            if job.streams > AT_ONCE:
                await read_streams(client, job.streams // 10 + AT_ONCE)
            before = time.process_time_ns()
            await read_streams(client, job.streams)
            return time.process_time_ns() - before

        return asyncio.run(main()) / (job.streams * job.chunks)


def measure_c(program: pathlib.Path, job: Job, port: int) -> float:
    command = [str(program), "--mode", job.c_mode, str(port)]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(out.stdout.split()[0]) / job.chunks


def main() -> int:
    folder = pathlib.Path(sys.argv[1]) / "tests" / "bench"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if len(sys.argv) > 3:  # one measurement, in a process of its own
        print(json.dumps(measure(JOBS[sys.argv[3]], int(sys.argv[4]))))
        return 0
    with tempfile.NamedTemporaryFile() as file:
        server = subprocess.Popen(
            [str(folder / "bench_server"), file.name], stdin=subprocess.PIPE
        )
        while not (text := pathlib.Path(file.name).read_text()):
            time.sleep(0.01)
    port = int(text)
    for name, job in JOBS.items():
        ratios: List[float] = []
        for _ in range(rounds):
            in_c = measure_c(folder / "bench_speed", job, port)
            command = [sys.executable, __file__, sys.argv[1], "1", name, str(port)]
            here = float(subprocess.check_output(command))
            ratios.append(here / in_c)
            print(f"# {name}: {here:.0f} ns a chunk, in C {in_c:.0f}", flush=True)
        print(f"{name}_cpu_ratio {statistics.median(ratios):.2f}", flush=True)
    server.communicate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
