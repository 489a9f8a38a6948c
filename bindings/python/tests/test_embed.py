# SPDX-License-Identifier: MIT
"""Embeddings: blocking, awaited, and under the official package's names."""

import asyncio
import math
import struct
from base64 import b64decode

import pytest
from sim import Sim, config_of

import libinfer
from libinfer import Client
from libinfer.openai import AsyncOpenAI, NotFoundError, OpenAI


def test_vectors_come_in_order(client: Client) -> None:
    texts = [f"text {i}" for i in range(5)]
    found = client.embed("a/m", texts)
    assert len(found) == 5 and found.dimensions == 8
    for i, text in enumerate(texts):
        assert found[i] == client.embed("a/m", text)[0]
    assert found[-1] == found[4] and list(found)[1] == found[1]
    assert math.isclose(sum(x * x for x in found[0]), 1, rel_tol=1e-5)
    assert found.tobytes() == b"".join(v.tobytes() for v in found)
    assert found.model == "m" and found.usage.input is not None
    assert [a.status for a in found.attempts] == [libinfer.Status.OK]
    with pytest.raises(IndexError):
        found[5]


def test_vectors_outlive_everything(sim: Sim) -> None:
    with Client(config_of(sim)) as client:
        vector = client.embed("a/m", "text")[0]
    assert len(vector) == 8


def test_members_go_out(client: Client) -> None:
    found = client.embed("a/m", ["a", "b"], dimensions=3, user=None, deadline=10)
    assert found.dimensions == 3
    assert len(found.raw()["data"][1]["embedding"]) == 3
    packed = found.raw("base64")["data"][1]["embedding"]
    assert struct.unpack("<3f", b64decode(packed)) == tuple(found[1])


def test_what_is_refused(client: Client) -> None:
    for inputs in ([], "", ["a", ""], [None]):
        with pytest.raises(libinfer.InvalidArgumentError):
            client.embed("a/m", inputs)


def test_awaited(client: Client) -> None:
    async def run() -> None:
        found = await asyncio.gather(
            *(client.aembed("a/m", [f"text {i}", "x"]) for i in range(5))
        )
        for i, one in enumerate(found):
            assert one[0] == client.embed("a/m", f"text {i}")[0]

    asyncio.run(run())


def test_official_names(sim: Sim) -> None:
    with OpenAI(base_url=sim.url, api_key="key") as client:
        made = client.embeddings.create(model="m", input=["a", "b"], dimensions=4)
        assert [one.index for one in made.data] == [0, 1]
        assert len(made.data[0].embedding) == 4
        assert made.object == "list" and made.model == "m"
        assert made.usage.prompt_tokens > 0
        packed = client.embeddings.create(
            model="m", input="a", dimensions=4, encoding_format="base64"
        )
        numbers = struct.unpack("<4f", b64decode(packed.data[0].embedding))
        assert numbers == pytest.approx(made.data[0].embedding)

    async def run() -> None:
        async with AsyncOpenAI(base_url=sim.url, api_key="key") as client:
            again = await client.embeddings.create(
                model="m", input=["a", "b"], dimensions=4
            )
            assert again.data == made.data

    asyncio.run(run())


def test_official_errors() -> None:
    sim = Sim({"defaults": {"status": 404}})
    with OpenAI(base_url=sim.url, api_key="key") as client:
        with pytest.raises(NotFoundError):
            client.embeddings.create(model="m", input="a")
    sim.stop()
