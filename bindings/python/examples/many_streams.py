# SPDX-License-Identifier: MIT
"""Reads many streams at once on one asyncio loop, with a live count.

    python many_streams.py [MODEL [STREAMS]]
"""

import asyncio
import os
import sys

import libinfer


class Count:
    """What is going on, on one line."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.open = self.most = self.ended = self.failed = self.characters = 0

    def __str__(self) -> str:
        return (
            f"{self.open} open, {self.ended} of {self.total} ended, "
            f"{self.failed} failed, {self.characters} characters"
        )


async def read(client: libinfer.Client, model: str, count: Count) -> None:
    try:
        async with client.astream(model, "Tell me a story.") as stream:
            count.open += 1
            count.most = max(count.most, count.open)
            async for event in stream:
                if isinstance(event, libinfer.TextEvent):
                    count.characters += len(event.text)
    except libinfer.Error as error:
        count.failed += 1
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    finally:
        count.open -= 1
        count.ended += 1


async def show(count: Count) -> None:
    while count.ended < count.total:
        print(f"\r{count}\033[K", end="", flush=True)
        await asyncio.sleep(0.1)


async def main(model: str = "openai/gpt-4o-mini", streams: str = "200") -> int:
    count = Count(int(streams))
    async with libinfer.Client(os.environ.get("INFER_CONFIG")) as client:
        readers = (read(client, model, count) for _ in range(count.total))
        await asyncio.gather(show(count), *readers)
    print(f"\r{count}\033[K\nat most {count.most} at once")
    return 1 if count.failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:3])))
