# SPDX-License-Identifier: MIT
"""libinfer.openai where the official package is not there to compare with."""

import asyncio
import copy
import pickle
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List

import pytest
from sim import Sim, config_of

import libinfer
from libinfer import openai
from libinfer.openai import AsyncOpenAI, OpenAI
from libinfer.openai.types.chat import ChatCompletion, ChatCompletionChunk

HELLO = [{"role": "user", "content": "Say hello."}]
TEXT = "Hello from the simulator."


@pytest.fixture
def client(sim: Sim) -> OpenAI:
    return OpenAI(base_url=sim.url, api_key="key", max_retries=0)


def headers_of(sim: Sim, number: int = -1) -> Dict[str, str]:
    headers: Dict[str, str] = sim.log()[number]["headers"]
    return headers


# ---- Objects -----------------------------------------------------------------


def test_nothing_is_lost(start: Callable[..., Sim]) -> None:
    more = {"x_more": [1, {"a": None}], "model_dump": 1, "self": 2, "_extra": 3}
    sim = start(defaults={"text": TEXT, "extra": more, "reasoning": "Hm."})
    client = OpenAI(base_url=sim.url, api_key="key")
    answer = client.chat.completions.create(model="m", messages=HELLO, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[1].message.content == TEXT
    assert answer.choices[0].message.reasoning_content == "Hm."
    assert answer.model_extra == more and answer.x_more == more["x_more"]
    # A member of the wire does not hide a method.
    assert answer.model_dump()["model_dump"] == 1
    chunks = list(
        client.chat.completions.create(model="m", messages=HELLO, stream=True)
    )
    assert all(chunk.x_more == more["x_more"] for chunk in chunks)
    with pytest.raises(AttributeError, match="'ChatCompletion'.*'nothing'"):
        answer.nothing


def test_objects_are_copied_and_compared(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="tool", messages=HELLO)
    assert answer._request_id
    for other in (
        copy.deepcopy(answer),
        pickle.loads(pickle.dumps(answer)),
        answer.model_copy(),
        ChatCompletion(**answer.to_dict()),
    ):
        assert other == answer and other is not answer
        calls = other.choices[0].message.tool_calls
        assert calls is not None and calls[0].id == "call_1"
    assert answer.model_copy()._request_id == answer._request_id
    assert answer.model_copy(update={"model": "x"}) != answer
    assert answer != answer.to_dict()


def test_dump_options(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="m", messages=HELLO)
    assert "metadata" in answer.model_dump()
    assert "metadata" not in answer.model_dump(exclude_unset=True)
    assert "metadata" not in answer.model_dump(exclude_none=True)
    assert "metadata" not in answer.model_dump(exclude_defaults=True)
    assert list(answer.model_dump(include={"id"})) == ["id"]
    assert "id" not in answer.model_dump(exclude={"id"})
    answer.metadata = {"k": "v"}
    assert answer.to_dict()["metadata"] == {"k": "v"}


# ---- Calls -------------------------------------------------------------------


def test_many_pieces_are_one_text(client: OpenAI) -> None:
    stream = client.chat.completions.create(
        model="steady", messages=HELLO, stream=True
    )
    chunks = list(stream)
    assert all(type(chunk) is ChatCompletionChunk for chunk in chunks)
    assert len({chunk.id for chunk in chunks}) == 1
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert stream.libinfer_response is not None
    assert text == stream.libinfer_response.text
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("how", ["close", "with", "drop"])
def test_a_stream_that_is_left_is_cancelled(
    client: OpenAI, sim: Sim, how: str
) -> None:
    stream = client.chat.completions.create(
        model="slow", messages=HELLO, stream=True
    )
    assert next(stream).choices[0].delta.role == "assistant"
    sim.wait_open(1)
    if how == "close":
        stream.close()
    elif how == "with":
        with stream:
            pass
    else:
        del stream
    assert sim.log(1)[0]["end"] == "client_closed"


def test_cancelled_task(sim: Sim) -> None:
    async def main() -> None:
        async with AsyncOpenAI(base_url=sim.url, api_key="key") as client:
            create = client.chat.completions.create
            task = asyncio.ensure_future(create(model="silent", messages=HELLO))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            stream = await create(model="slow", messages=HELLO, stream=True)
            async for _ in stream:
                break
            await stream.close()

    asyncio.run(main())
    assert [entry["end"] for entry in sim.log(2)] == ["client_closed"] * 2


def test_concurrent_streams(sim: Sim) -> None:
    async def ask(client: AsyncOpenAI, number: int) -> str:
        messages = [{"role": "user", "content": f"number {number}"}]
        stream = await client.chat.completions.create(
            model="late echo", messages=messages, stream=True
        )
        pieces = [chunk.choices[0].delta.content async for chunk in stream]
        return "".join(piece or "" for piece in pieces)

    async def main() -> List[str]:
        async with AsyncOpenAI(base_url=sim.url, api_key="key") as client:
            return await asyncio.gather(*(ask(client, n) for n in range(50)))

    assert asyncio.run(main()) == [f"number {n}" for n in range(50)]


def test_timeout_is_of_silence(client: OpenAI, sim: Sim) -> None:
    create = client.chat.completions.create
    began = time.monotonic()
    with pytest.raises(openai.APITimeoutError) as failure:
        create(model="silent", messages=HELLO, timeout=0.1)
    assert time.monotonic() - began < 5
    assert isinstance(failure.value.__cause__, libinfer.FirstTokenTimeoutError)
    # 800 tokens of 1 ms: longer than that, but never silent for so long.
    answer = create(model="steady", messages=HELLO, timeout=0.5)
    assert answer.choices[0].finish_reason == "stop"
    for timeout in (
        openai.Timeout(5, read=0.1),
        openai.Timeout(None, read=0.1),
    ):
        with pytest.raises(openai.APITimeoutError):
            create(model="silent", messages=HELLO, timeout=timeout)
    answer = create(model="m", messages=HELLO, timeout=None)
    assert answer.choices[0].message.content == TEXT


def test_options_are_said_with_each_request(client: OpenAI, sim: Sim) -> None:
    more = client.with_options(max_retries=2, timeout=0.05)
    assert more._libinfer is client._libinfer
    for one, attempts in ((more, 3), (client, 1)):
        with pytest.raises(openai.InternalServerError) as failure:
            one.chat.completions.create(model="down", messages=HELLO)
        cause = failure.value.__cause__
        assert isinstance(cause, libinfer.OverloadedError)
        assert len(cause.attempts) == attempts
    with pytest.raises(openai.APITimeoutError):
        more.chat.completions.create(model="silent", messages=HELLO)
    assert len(sim.log()) == 5
    other = client.with_options(api_key="other")
    assert other._libinfer is not client._libinfer
    with pytest.raises(TypeError, match="'what'"):
        client.with_options(what=1)


QUOTA: Dict[str, Any] = {
    "status": 429,
    "body": {
        "error": {
            "message": "You exceeded your current quota.",
            "type": "insufficient_quota",
            "param": None,
            "code": "insufficient_quota",
        }
    },
}


def test_a_refused_key_is_asked_again(start: Callable[..., Sim]) -> None:
    sim = start(
        defaults={"require_key": "good", "text": TEXT},
        rules=[
            {"when": {"key": "spent"}, "do": {"require_key": None, **QUOTA}}
        ],
    )
    client = OpenAI(base_url=sim.url, api_key="bad", max_retries=0)
    spent = client.with_options(api_key="spent")
    for _ in range(2):
        with pytest.raises(openai.AuthenticationError, match="code: 401"):
            client.chat.completions.create(model="m", messages=HELLO)
        with pytest.raises(openai.RateLimitError, match="code: 429"):
            spent.chat.completions.create(model="m", messages=HELLO)
    assert len(sim.log()) == 4
    good = client.with_options(api_key="good")
    assert good.chat.completions.create(model="m", messages=HELLO).id


def test_headers_and_query(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key from there")
    monkeypatch.setenv("OPENAI_BASE_URL", sim.url + "/")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    client = OpenAI(
        project="proj",
        default_headers={"X-One": "1", "X-Two": "2"},
        default_query={"api-version": 3},
    )
    create = client.chat.completions.create
    create(model="m", messages=HELLO, extra_headers={"x-one": "one"})
    assert sim.log()[0]["path"] == "/v1/chat/completions?api-version=3"
    assert sim.log()[0]["key"] == "here"
    headers = headers_of(sim)
    assert headers["x-one"] == "one" and headers["x-two"] == "2"
    assert headers["openai-organization"] == "org"
    assert headers["openai-project"] == "proj"
    create(model="m", messages=HELLO, extra_headers={"X-One": openai.omit})
    assert "x-one" not in headers_of(sim)
    other = client.with_options(set_default_headers={"X-Three": "3"})
    other.chat.completions.create(model="m", messages=HELLO)
    assert headers_of(sim)["x-three"] == "3" and "x-one" not in headers_of(sim)


# ---- Routes ------------------------------------------------------------------


def test_route_of_a_configuration(start: Callable[..., Sim]) -> None:
    down = start(defaults={"status": 503})
    good = start(defaults={"text": TEXT}, models=["m", "n"])
    routes = {"safe": {"targets": ["a/m", "b/n"], "stay": {"retries": 0}}}
    client = OpenAI(config=config_of(down, good, routes=routes))
    raw = client.chat.completions.with_raw_response.create(
        model="safe", messages=HELLO
    )
    assert raw.parse().choices[0].message.content == TEXT
    assert raw.parse().model == "n" and raw.retries_taken == 1
    stream = client.chat.completions.create(
        model="safe", messages=HELLO, stream=True
    )
    assert {chunk.model for chunk in stream} == {"n"}
    assert stream.libinfer_response is not None
    assert stream.libinfer_response.target == "b/n"
    names = [model.id for model in OpenAI(config=config_of(good)).models.list()]
    assert names == ["a/m", "a/n"]
    with pytest.raises(openai.OpenAIError, match="unknown"):
        client.chat.completions.create(model="unknown", messages=HELLO)
    with pytest.raises(TypeError, match="base_url"):
        OpenAI(config=config_of(good), base_url=good.url)


def test_a_restart_is_an_error(start: Callable[..., Sim]) -> None:
    cut = start(defaults={"inter_token_ms": 20, "cut": {"after_tokens": 5}})
    good = start(defaults={"text": TEXT})
    routes = {"r": {"targets": ["a/m", "b/n"], "recovery": "restart"}}
    client = OpenAI(config=config_of(cut, good, routes=routes))
    stream = client.chat.completions.create(
        model="r", messages=HELLO, stream=True
    )
    with pytest.raises(openai.APIConnectionError, match="began anew"):
        list(stream)


# ---- What there is not -------------------------------------------------------


def test_clear_refusals(
    client: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = client.chat.completions.create
    hello: Dict[str, Any] = {"model": "m", "messages": HELLO}
    with pytest.raises(TypeError, match="extra_body"):
        create(**hello, top_k=1)
    with pytest.raises(TypeError, match="default_query"):
        create(**hello, extra_query={"a": "b"})
    with pytest.raises(TypeError, match="'messages' and 'model'"):
        create(model="m")
    with pytest.raises(openai.OpenAIError, match="Authorization"):
        create(**hello, extra_headers={"Authorization": "Bearer other"})
    with pytest.raises(AttributeError, match="chat.completions, embeddings and"):
        client.images
    with pytest.raises(TypeError, match="does not stream"):
        client.chat.completions.parse(**hello, stream=True)
    with pytest.raises(TypeError, match="http_client"):
        OpenAI(api_key="key", http_client=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="max_retries"):
        OpenAI(api_key="key", max_retries=-1)
    with pytest.raises(openai.OpenAIError, match="base_url"):
        OpenAI(api_key="key", base_url="nonsense")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(openai.OpenAIError, match="OPENAI_API_KEY"):
        OpenAI()
    client.close()
    assert client.is_closed()
    with pytest.raises(openai.OpenAIError, match="closed"):
        create(**hello)


def test_errors_are_pickled(client: OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as failure:
        client.chat.completions.create(model="down", messages=HELLO)
    copied = pickle.loads(pickle.dumps(failure.value))
    assert type(copied) is openai.InternalServerError
    assert str(copied) == str(failure.value)
    assert copied.status_code == 503 and copied.body == failure.value.body


def test_without_pydantic(sim: Sim) -> None:
    program = """
import sys
sys.modules["pydantic"] = None
from libinfer.openai import OpenAI
client = OpenAI(base_url=sys.argv[1], api_key="key")
hello = [{"role": "user", "content": "x"}]
plain = {"response_format": {"type": "json_object"}}
answer = client.chat.completions.parse(model="m", messages=hello, **plain)
assert answer.choices[0].message.parsed is None
try:
    client.chat.completions.parse(
        model="m", messages=hello, response_format=int)
except TypeError as error:
    assert "pydantic" in str(error)
    print("needed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, sim.url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "needed\n", done.stderr
