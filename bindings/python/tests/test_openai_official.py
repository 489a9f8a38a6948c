# SPDX-License-Identifier: MIT
"""The same programs with the official package and with libinfer.openai.

Each program runs twice as it stands, but for its imports, each time against a
simulator that begins anew: ids, times and texts are the same then. What it
prints and what the provider got must be the same too.
"""

import importlib
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import tarfile
from typing import Any, Dict, List, NamedTuple

import pytest
from sim import Sim

from libinfer import openai as ours
from libinfer.openai._body import PARAMETERS

if importlib.util.find_spec("openai") is None:
    pytest.skip(
        "the official package is not installed", allow_module_level=True
    )

HEAD = """\
import asyncio, json, logging
import openai
from openai import AsyncOpenAI, OpenAI

logging.disable()
client = OpenAI(max_retries=0)
hello = [{"role": "user", "content": "Say hello."}]

def named(text):
    # The official names of generic classes have the type variable.
    return str(text).replace("[~ResponseFormatT]", "")

def kinds(value):
    if isinstance(value, list):
        return [kinds(one) for one in value]
    if hasattr(value, "model_dump"):
        members = {key: kinds(one) for key, one in value}
        return {named(type(value).__name__): members}
    return value

def show(value):
    print(json.dumps(kinds(value), sort_keys=True, default=repr))
    if hasattr(value, "model_dump"):
        print(named(value), named(repr(value)), value.model_dump())
        print(value.to_json(), value.model_dump_json(indent=1))
        print(value.model_dump_json(exclude_none=True), value.to_dict())
        print(sorted(value.model_fields_set), value.model_extra)
        print(getattr(value, "_request_id", None))

def failure(call, *args, **options):
    try:
        show(call(*args, **options))
    except openai.OpenAIError as error:
        print([kind.__name__ for kind in type(error).__mro__])
        names = ("status_code", "request_id", "body", "code", "param", "type")
        for name in names:
            print(name, getattr(error, name, None))
        if isinstance(error, openai.APIStatusError):
            print(error, error.message, error.response.status_code)
            print(error.request.method, error.request.url)

create = client.chat.completions.create
"""

WEATHER = {"id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}}
TIME = {"id": "call_2", "name": "time", "arguments": "{}"}


def status_rules() -> List[Dict[str, Any]]:
    statuses = (400, 401, 403, 404, 409, 418, 422, 429, 500, 503)
    return [
        {"when": {"model": str(status)}, "do": {"status": status}}
        for status in statuses
    ]


def rule(model: str, **do: Any) -> Dict[str, Any]:
    return {"when": {"model": model}, "do": do}


SCRIPT: Dict[str, Any] = {
    "defaults": {
        "text": "Hello from the simulator.",
        # Each piece is one event, so that none are joined.
        "chunk_tokens": 1000,
        "tool_piece_bytes": 1000,
        "system_fingerprint": "fp_1",
        "service_tier": "default",
    },
    "rules": [
        *status_rules(),
        rule("tool", text=None, tool_calls=[WEATHER, TIME]),
        rule("both", text="I will look.", tool_calls=[WEATHER]),
        rule(
            "pieces",
            text=None,
            tokens=200,
            chunk_tokens=1,
            tool_calls=[WEATHER],
        ),
        rule("refuses", text=None, refusal="No."),
        rule("thinks", reasoning="Hm."),
        rule("extra", extra={"x_more": {"a": [1, 2.5, None]}}),
        rule("silent", silence=True),
        rule("filter", finish_reason="content_filter"),
        rule("length", finish_reason="length"),
        rule("cut", cut={"after_tokens": 1}),
        rule(
            "error",
            error_in_200={
                "message": "Out.",
                "type": "t",
                "param": "p",
                "code": "c",
            },
        ),
        rule("step", text='{"explanation": "x", "output": 7}'),
        rule(
            "query",
            text=None,
            tool_calls=[
                {
                    "id": "c",
                    "name": "Query",
                    "arguments": {"table": "a", "limit": None},
                }
            ],
        ),
        {"when": {"model": "once", "requests": "1"}, "do": {"status": 500}},
    ],
}


class Run(NamedTuple):
    out: str
    sent: List[Any]


def imports_ours(program: str) -> str:
    program = re.sub(
        r"^import openai$",
        "import libinfer.openai as openai",
        program,
        flags=re.M,
    )
    return re.sub(
        r"^from openai\b", "from libinfer.openai", program, flags=re.M
    )


def run(program: str, script: Dict[str, Any]) -> Run:
    """What it printed and the bodies that the provider got."""
    sim = Sim(script)
    try:
        env = {
            **os.environ,
            "OPENAI_BASE_URL": sim.url,
            "OPENAI_API_KEY": "key",
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        sent = [entry["body"] for entry in sim.log()]
        # The port is another each time.
        return Run(done.stdout.replace(str(sim.port), "PORT"), sent)
    finally:
        sim.stop()


def without_streaming(body: Any) -> Any:
    """The library streams whatever the caller wants, and asks for the usage."""
    omitted = ("stream", "stream_options")
    return body and {k: v for k, v in body.items() if k not in omitted}


def compare(program: str, script: Dict[str, Any]) -> None:
    official, mine = run(program, script), run(imports_ours(program), script)
    assert mine.out.splitlines() == official.out.splitlines()
    assert official.out
    sent, expected = (
        [without_streaming(body) for body in one.sent]
        for one in (mine, official)
    )
    assert sent == expected


WHOLE = """
for model in ("m", "tool", "both", "refuses", "thinks", "extra", "filter",
              "length"):
    show(create(model=model, messages=hello))
show(create(model="m", messages=hello, n=3, logprobs=True, top_logprobs=2))
"""

REQUESTS = """
first = create(
    model="tool",
    messages=iter(hello),
    temperature=0.5,
    stop=("a", "b"),
    seed=1,
    metadata={"k": "v"},
    response_format={"type": "json_object"},
    tools=[{"type": "function", "function": {"name": "weather"}}],
    tool_choice="auto",
    user=openai.NOT_GIVEN,
    extra_body={"top_k": 5, "temperature": 0.25},
    extra_headers={"X-One": "1"},
)
message = first.choices[0].message
call = message.tool_calls[0].id
result = {"role": "tool", "tool_call_id": call, "content": "fine"}
show(create(model="m", messages=[*hello, message, result]))
for wrong in ({"model": "m", "messages": hello, "what": 1}, {"model": "m"}, {}):
    try:
        create(**wrong)
    except TypeError:
        print("TypeError")
"""

STREAMED = """
usage = {"stream_options": {"include_usage": True}}
for model in ("m", "refuses", "thinks", "filter", "length"):
    for more in ({}, usage, {"logprobs": True, **usage}):
        stream = create(model=model, messages=hello, stream=True, **more)
        print(type(stream).__name__)
        for chunk in stream:
            show(chunk)
        print(list(stream))
with create(model="m", messages=hello, stream=True) as stream:
    show(next(stream))
stream.close()
"""

JOINED = """
def joined(stream):
    choices = {}
    for chunk in stream:
        for choice in chunk.choices:
            mine = choices.setdefault(choice.index, {"calls": {}, "text": ""})
            mine["text"] += choice.delta.content or ""
            mine["end"] = choice.finish_reason
            for call in choice.delta.tool_calls or ():
                known = mine["calls"].setdefault(call.index, ["", "", "", ""])
                for place, piece in enumerate((call.id, call.type,
                        call.function.name, call.function.arguments)):
                    known[place] += piece or ""
        last = chunk
    return choices, last.usage, last.id

usage = {"stream_options": {"include_usage": True}}
for model in ("tool", "both", "pieces"):
    for n in (1, 2):
        stream = create(model=model, messages=hello, stream=True, n=n, **usage)
        print(joined(stream))
"""

ASYNC = """
async def main():
    async with AsyncOpenAI(max_retries=0) as client:
        create = client.chat.completions.create
        show(await create(model="tool", messages=hello))
        stream = await create(model="thinks", messages=hello, stream=True)
        print(type(stream).__name__)
        show(await stream.__anext__())
        async for chunk in stream:
            show(chunk)
        stream = await create(model="m", messages=hello, stream=True)
        async with stream:
            async for chunk in stream:
                show(chunk)
                break
        await stream.close()
        for model in ("400", "429", "503"):
            for streams in (False, True):
                try:
                    await create(model=model, messages=hello, stream=streams)
                except openai.APIStatusError as error:
                    print(type(error).__name__, error, error.request_id)
        raw = await client.chat.completions.with_raw_response.create(
            model="m", messages=hello)
        print(type(raw).__name__, raw.request_id, raw.status_code)
        show(raw.parse())
        page = await client.models.list()
        print([model.id for model in page.data], page.object)
        async for model in client.models.list():
            show(model)

asyncio.run(main())
"""

FAILURES = """
for status in (400, 401, 403, 404, 409, 418, 422, 429, 500, 503):
    failure(create, model=str(status), messages=hello)
    failure(create, model=str(status), messages=hello, stream=True)
failure(create, model="silent", messages=hello, timeout=0.2)
failure(client.with_options(timeout=0.2).chat.completions.create,
        model="silent", messages=hello, stream=True)
failure(lambda: list(create(model="cut", messages=hello, stream=True)))
failure(lambda: list(create(model="error", messages=hello, stream=True)))
refused = OpenAI(base_url="http://127.0.0.1:1/v1", max_retries=0)
failure(refused.chat.completions.create, model="m", messages=hello)
"""

RETRIES = """
show(client.with_options(max_retries=1).chat.completions.create(
    model="once", messages=hello))
raw = client.with_options(max_retries=1).chat.completions.with_raw_response
failure(raw.create, model="503", messages=hello)
"""

REST = """
raw = client.chat.completions.with_raw_response
raw = raw.create(model="m", messages=hello)
print(type(raw).__name__, raw.request_id, raw.headers["X-Request-ID"])
print(raw.status_code, raw.http_response.status_code)
print(raw.method, raw.url, raw.retries_taken, json.loads(raw.text)["id"])
show(raw.parse())
page = client.models.list()
print(type(page).__name__.partition("[")[0], page.object)
print([model.id for model in page], len(page.data))
show(page.data[0])
other = client.with_options(default_headers={"X-Two": "2"}, max_retries=4)
print(other.max_retries, client.max_retries, other.api_key, str(other.base_url))
show(other.chat.completions.create(model="m", messages=hello))
"""

PARSED = """
from enum import Enum
from typing import List, Optional, Union
from pydantic import BaseModel, Field

class Unit(str, Enum):
    a = "a"
    b = "b"

class Step(BaseModel):
    explanation: str
    output: int
    unit: Optional[Unit] = Field(default=None, description="what it counts")
    more: Optional[List["Step"]] = None

class Inner(BaseModel):
    value: Union[int, str]

class Query(BaseModel):
    "Looks things up."
    table: str
    limit: Optional[int]
    inner: Optional[Inner] = Field(default=None, title="In")
    one: List[Inner] = []

parse = client.chat.completions.parse
completion = parse(model="step", messages=hello, response_format=Step)
show(completion)
print(completion.choices[0].message.parsed)
for model in ("length", "filter", "refuses"):
    failure(parse, model=model, messages=hello, response_format=Step)
tool = openai.pydantic_function_tool(Query)
completion = parse(
    model="query", messages=hello, tools=[tool], response_format=Step)
show(completion)
function = completion.choices[0].message.tool_calls[0].function
print(repr(function.parsed_arguments))
plain = {"type": "function",
         "function": {"name": "Query", "strict": True, "parameters": {}}}
show(parse(model="query", messages=hello, tools=[plain]))
dictionary = {"type": "json_object"}
show(parse(model="query", messages=hello, response_format=dictionary))
raw = client.chat.completions.with_raw_response
raw = raw.parse(model="step", messages=hello, response_format=Step)
print(type(raw).__name__, raw.request_id)
show(raw.parse())

async def main():
    async with AsyncOpenAI(max_retries=0) as client:
        how = dict(model="step", messages=hello, response_format=Step)
        show(await client.chat.completions.parse(**how))
        raw = client.chat.completions.with_raw_response
        show((await raw.parse(**how)).parse())

asyncio.run(main())
plain["function"]["strict"] = False
for wrong in ({"tools": [plain]}, {"response_format": int}):
    try:
        parse(model="query", messages=hello, **wrong)
    except (TypeError, ValueError) as error:
        print(type(error).__name__)
"""

PROGRAMS = {
    "whole": WHOLE,
    "requests": REQUESTS,
    "streamed": STREAMED,
    "joined": JOINED,
    "async": ASYNC,
    "failures": FAILURES,
    "retries": RETRIES,
    "rest": REST,
    "parsed": PARSED,
}


@pytest.mark.parametrize("name", list(PROGRAMS))
def test_same_program_same_output(name: str) -> None:
    compare(HEAD + PROGRAMS[name], SCRIPT)


def test_same_parameters() -> None:
    """create() takes by name what the official one does."""
    completions = importlib.import_module("openai.resources.chat.completions")
    official = set(inspect.signature(completions.Completions.create).parameters)
    how = {"extra_headers", "extra_query", "extra_body", "timeout"}
    assert official - {"self"} - how == PARAMETERS


def test_same_names() -> None:
    """What is exported has a name that the official package has."""
    official = importlib.import_module("openai")
    assert [name for name in ours.__all__ if not hasattr(official, name)] == []


# ---- Published examples ------------------------------------------------------

STEPS = {
    "steps": [{"explanation": "Subtract 31.", "output": "8x = -29"}],
    "final_answer": "x = -29 / 8",
}
QUERY = {
    "table_name": "orders",
    "columns": ["id", "status"],
    "conditions": [{"column": "status", "operator": "=", "value": "fulfilled"}],
    "order_by": "asc",
}

EXAMPLES: Dict[str, Dict[str, Any]] = {
    "demo": {"text": "This is a test."},
    "async_demo": {"text": "This is a test."},
    "streaming": {"text": "1, 2, 3, 4, 5"},
    "parsing": {"text": json.dumps(STEPS)},
    "parsing_tools": {
        "tool_calls": [{"id": "c", "name": "Query", "arguments": QUERY}]
    },
}
"""Those of chat completions that need no more than create() and parse()."""


def example(name: str) -> str:
    """The text of an example, from the package's source distribution."""
    path = os.environ.get("INFER_OPENAI_SDIST", "")
    if not os.path.exists(path):
        pytest.skip("the official package's source distribution is not there")
    with tarfile.open(path) as archive:
        root = archive.getnames()[0].split("/")[0]
        file = archive.extractfile(f"{root}/examples/{name}.py")
        assert file is not None
        return file.read().decode()


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_published_example(name: str) -> None:
    # Each text is one event, so that none are joined.
    compare(
        example(name), {"defaults": {"chunk_tokens": 1000, **EXAMPLES[name]}}
    )
