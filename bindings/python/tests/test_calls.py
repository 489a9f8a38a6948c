# SPDX-License-Identifier: MIT
"""Blocking calls: what goes out, what comes back, what is raised."""

import asyncio
import gc
import json
import pathlib
import pickle
import select
import threading
import time
from typing import Any, Callable, Dict, List

import pytest
from sim import Sim, config_of

import libinfer
from libinfer import Client
from libinfer._ffi import lib


def test_chat(client: Client) -> None:
    response = client.chat("a/m", "Say hello.")
    assert response.text == "Hello from the simulator."
    assert response.choices[0].text == response.text
    assert (response.provider, response.target, response.model) == ("a", "a/m", "m")
    assert response.finish_reason == "stop"
    assert response.usage.output == 4 and response.usage.cache_write is None
    assert response.usage.total == response.total_usage.total
    assert [a.status for a in response.attempts] == [libinfer.Status.OK]
    assert libinfer.Phase.FIRST_CONTENT in response.attempts[0].phases_ns


def test_costs_are_nano_dollars(sim: Sim) -> None:
    config = config_of(sim, defaults={"retries": 0})
    with Client(config) as client:
        response = client.chat("a/m", "Say hello.")
        assert response.total_cost_nano_usd is None
        assert response.cost_kind == libinfer.CostKind.UNKNOWN
    config["providers"][0]["prices"] = {"m": {"input": 1, "output": 2}}
    with Client(config) as client:
        response = client.chat("a/m", "Say hello.")
    usage = response.usage
    assert usage.input is not None and usage.output is not None
    cost = 1000 * usage.input + 2000 * usage.output
    assert response.total_cost_nano_usd == cost
    assert response.wasted_cost_nano_usd == 0
    assert response.cost_kind == libinfer.CostKind.EXACT
    assert response.attempts[0].cost_nano_usd == cost
    assert response.attempts[0].cost_kind == libinfer.CostKind.EXACT


def test_raw_is_openai_shaped(client: Client) -> None:
    raw = client.chat("a/m", "Say hello.").raw
    assert raw["object"] == "chat.completion"
    assert raw["choices"][0]["message"]["content"] == "Hello from the simulator."
    assert raw["usage"]["completion_tokens"] == 4


def test_members_go_out_and_none_does_not(client: Client, sim: Sim) -> None:
    client.chat("a/m", "Hi", temperature=0.25, seed=None, stop=["x"], top_k=3)
    body = sim.log(1)[0]["body"]
    assert body["temperature"] == 0.25 and body["stop"] == ["x"] and body["top_k"] == 3
    assert "seed" not in body
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


PARTS = [{"type": "text", "text": "Hi"}]
MESSAGES: Dict[str, List[Dict[str, Any]]] = {
    "two texts": [
        {"role": "system", "content": 'Say "yes" or \\ \n \x01.'},
        {"content": "w\u00f6rld \U0001f600", "role": "user"},
    ],
    "parts": [{"role": "user", "content": PARTS}],
    "a name": [{"role": "user", "content": "Hi", "name": "Ann"}],
    "a name for a content": [{"role": "user", "name": "Ann"}],
    "the second has parts": [
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": PARTS},
    ],
}


@pytest.mark.parametrize("what", MESSAGES)
def test_messages_go_out_as_they_are(
    client: Client, sim: Sim, what: str
) -> None:
    client.chat("a/m", MESSAGES[what])
    assert sim.log(1)[0]["body"]["messages"] == MESSAGES[what]


NO_MESSAGES: List[Any] = [[], [7], [{"content": "Hi", "name": "Ann"}]]


@pytest.mark.parametrize("messages", NO_MESSAGES)
def test_what_is_no_message_is_refused(client: Client, messages: Any) -> None:
    with pytest.raises(libinfer.InvalidArgumentError):
        client.chat("a/m", messages)


def test_headers_go_out(client: Client, sim: Sim) -> None:
    client.chat("a/m", "Hi", headers={"x-team": "blue"}, tags={"a": "b"}, tenant="t")
    assert sim.log(1)[0]["headers"]["x-team"] == "blue"


def test_bad_header_is_named(client: Client) -> None:
    with pytest.raises(libinfer.InvalidArgumentError, match="authorization"):
        client.chat("a/m", "Hi", headers={"authorization": "x"})


def test_labels_keep_a_provider_out(client: Client) -> None:
    with pytest.raises(libinfer.NoTargetError):
        client.chat("a/m", "Hi", labels=["private"])


@pytest.mark.parametrize("text", ["plain", "wörld \u20ac", "\U0001f600\0tail", ""])
def test_text_survives(client: Client, text: str) -> None:
    messages = [{"role": "user", "content": text or "x"}]
    want = text or "x"
    assert client.chat("a/echo", messages).text == want
    events = list(client.stream("a/echo", messages))
    got = "".join(e.text for e in events if isinstance(e, libinfer.TextEvent))
    assert got == want


REFUSED = {
    "a lone surrogate": ("a/echo", "\ud800", "UTF-8"),
    "no model": ("", "x", "empty"),
    "a NUL": ("a/m\0", "x", "control characters"),
    "a long model": ("a/" + "m" * 1100, "x", "longer than 1024 bytes"),
    "a surrogate for a model": ("a/\ud800", "x", "UTF-8"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_wrong_with_a_request_is_said(client: Client, what: str) -> None:
    model, text, words = REFUSED[what]
    with pytest.raises(libinfer.InvalidArgumentError, match=words):
        client.chat(model, text)


def test_text_over_the_limit_is_refused(client: Client) -> None:
    with pytest.raises(libinfer.InvalidArgumentError, match="64 MiB"):
        client.chat("a/m", "x" * (65 << 20))


def test_model_that_is_no_text_is_refused(client: Client) -> None:
    model: Any = 7
    with pytest.raises(libinfer.InvalidArgumentError, match='"model" must be'):
        client.chat(model, "Hi")


def test_what_is_no_json_is_refused(client: Client) -> None:
    with pytest.raises(libinfer.InvalidArgumentError, match="not JSON"):
        client.chat("a/m", "Hi", metadata=object())


def test_conversation_goes_on(client: Client, sim: Sim) -> None:
    first = client.chat("a/tool", "Weather?")
    (call,) = first.tool_calls
    assert (call.id, call.name, call.parsed()) == (
        "call_1",
        "weather",
        {"city": "Oslo"},
    )
    result = {"role": "tool", "tool_call_id": call.id, "content": "clear"}
    question = {"role": "user", "content": "Weather?"}
    client.chat("a/m", [question, first.message, result])
    sent = sim.log(2)[1]["body"]["messages"]
    assert sent[1]["tool_calls"][0]["id"] == "call_1" and sent[2] == result


def test_stream(client: Client) -> None:
    stream = client.stream("a/m", "Say hello.")
    assert stream.response is None
    events = list(stream)
    assert isinstance(events[0], libinfer.StartEvent) and events[0].target == "a/m"
    head = events[0].head
    assert head["id"].startswith("chatcmpl-") and head["model"] == "m"
    assert head["object"] == "chat.completion.chunk" and head["created"] > 0
    assert events[0].raw["id"] == head["id"]
    assert isinstance(events[-2], libinfer.FinishEvent)
    assert isinstance(events[-1], libinfer.UsageEvent)
    text = "".join(e.text for e in events if isinstance(e, libinfer.TextEvent))
    assert text == "Hello from the simulator."
    assert stream.response is not None and stream.response.text == text
    assert list(stream) == []


def test_policy_of_one_call(client: Client) -> None:
    for retries in (0, 2):
        policy = {"retries": retries, "stay.retries": retries}
        with pytest.raises(libinfer.OverloadedError) as failure:
            client.chat("a/down", "x", policy=policy)
        assert len(failure.value.attempts) == 1 + retries
    with pytest.raises(libinfer.FirstTokenTimeoutError):
        client.chat("a/silent", "x", policy={"timeouts.first_token_ms": 50})
    with pytest.raises(libinfer.InvalidArgumentError, match="retries"):
        client.chat("a/m", "x", policy={"retries": 11})


def test_stream_text_and_result(client: Client) -> None:
    assert "".join(client.stream("a/m", "x").text()) == "Hello from the simulator."
    assert client.stream("a/m", "x").result().text == "Hello from the simulator."


def test_events_are_told_apart_and_shaped(client: Client) -> None:
    events = list(client.stream("a/tool", "x"))
    done = [e for e in events if e.type == "tool_call_done"]
    deltas = [e for e in events if isinstance(e, libinfer.ToolCallDeltaEvent)]
    assert len(done) == 1
    assert isinstance(done[0], libinfer.ToolCallDoneEvent)
    assert json.loads(done[0].arguments) == {"city": "Oslo"}
    assert "".join(d.arguments for d in deltas) == done[0].arguments
    assert deltas[0].raw["choices"][0]["delta"]["tool_calls"][0]["index"] == 0
    text = libinfer.TextEvent("x", 1, 0)
    assert text.raw["choices"] == [
        {"index": 1, "delta": {"content": "x"}, "finish_reason": None}
    ]
    assert text == libinfer.TextEvent("x", 1, 0)
    other: object = libinfer.ReasoningEvent("x", 1, 0)
    assert text != other


def test_choices_and_logprobs(client: Client) -> None:
    assert len(client.chat("a/m", "x", n=3).choices) == 3
    events = list(client.stream("a/m", "x", n=2, logprobs=True))
    assert {e.choice for e in events} == {0, 1}
    (first, *_) = [e for e in events if isinstance(e, libinfer.LogprobsEvent)]
    assert "logprob" in first.content[0]


def test_reasoning_and_extra(start: Callable[..., Sim]) -> None:
    sim = start(defaults={"reasoning": "Hm. So.", "text": "Yes.", "extra": {"x": 1}})
    with Client(config_of(sim)) as client:
        events = list(client.stream("a/m", "x"))
        thought = [e.text for e in events if isinstance(e, libinfer.ReasoningEvent)]
        assert "".join(thought) == "Hm. So."
        assert client.chat("a/m", "x").reasoning == "Hm. So."


def test_failure_says_everything(client: Client) -> None:
    with pytest.raises(libinfer.OverloadedError) as caught:
        client.chat("a/down", "x")
    error = caught.value
    assert isinstance(error, libinfer.ProviderError)
    assert (error.status, error.http_status) == (libinfer.Status.OVERLOADED, 503)
    assert (error.provider, error.target) == ("a", "a/down")
    assert error.request_id.startswith("req_") and error.retryable
    assert error.provider_code == "overloaded" and error.retry_after is None
    assert [a.http_status for a in error.attempts] == [503]
    assert "attempts" in error.attempts[0].decision
    assert "overloaded" in str(error)


def test_cut_stream_raises_with_the_part(client: Client) -> None:
    seen: List[str] = []
    with pytest.raises(libinfer.TruncatedError) as caught:
        for event in client.stream("a/cut", "x"):
            if isinstance(event, libinfer.TextEvent):
                seen.append(event.text)
    partial = caught.value.partial
    assert partial is not None
    handle = pickle.loads(pickle.dumps(caught.value))
    del caught
    gc.collect()
    assert partial.text == "".join(seen) == "Hello from"
    assert handle.status == libinfer.Status.TRUNCATED and handle.partial is None
    assert handle.target == "a/cut" and type(handle) is libinfer.TruncatedError


def test_retry_after(start: Callable[..., Sim]) -> None:
    sim = start(defaults={"status": 429, "headers": {"retry-after-ms": 2500}})
    with Client(config_of(sim, defaults={"retries": 0})) as client:
        with pytest.raises(libinfer.RateLimitedError) as caught:
            client.chat("a/m", "x")
    assert caught.value.retry_after == 2.5


def test_failover_and_restart(start: Callable[..., Sim]) -> None:
    cut = {"text": "one two three", "cut": {"after_tokens": 2}, "inter_token_ms": 100}
    one = start(defaults=cut)
    two = start(defaults={"text": "whole"})
    route = {"targets": ["a/m", "b/m"], "recovery": "restart"}
    with Client(config_of(one, two, routes={"safe": route})) as client:
        response = client.chat("safe", "x")
        assert response.text == "whole"
        assert [a.target for a in response.attempts][-1] == "b/m"
        kinds = [e.type for e in client.stream("safe", "x")]
        assert "restart" in kinds
        assert kinds.index("restart") < len(kinds) - 1
        assert [t.target for t in client.plan("safe")] == ["a/m", "b/m"]


def test_stats(start: Callable[..., Sim]) -> None:
    sim = start(defaults={"text": "Hello."})
    route = {"targets": ["a/m"], "hedge": {}}
    with Client(config_of(sim, routes={"né": route})) as client:
        assert client.stats()["hedging"] == {}
        client.chat("né", "x")
        (hedges,) = client.stats()["hedging"].items()
        assert hedges[0] == "né"
        assert hedges[1]["sent"] == hedges[1]["won"] == hedges[1]["lost"] == 0
        assert hedges[1]["delay_ms"] is None
        assert hedges[1]["calls_cost"] > 0
        assert hedges[1]["suppressed"]["budget"] == 0
        (target,) = client.stats()["targets"]
        assert target["target"] == "a/m" and target["route"] == "né"
        assert target["windows"]["1m"]["total_ms"]["seen"] == 1
        assert 'libinfer_calls_total{provider="a",model="m",route="né"} 1' in (
            client.metrics()
        )
    with pytest.raises(libinfer.ClosedError):
        client.stats()
    with pytest.raises(libinfer.ClosedError):
        client.metrics()


def test_records(start: Callable[..., Sim]) -> None:
    sim = start(defaults={"text": "Hello."})
    with Client(config_of(sim), records=True) as client:
        events = list(client.stream("a/m", "x"))
        (record,) = [e for e in events if isinstance(e, libinfer.AttemptEvent)]
        assert events[-1] is record and record.type == "attempt"
        assert record.attempt.target == "a/m" and record.attempt.won
        assert record.attempt.reason == libinfer.Reason.FIRST
        assert record.raw["choices"] == []

        async def run() -> None:
            assert (await client.achat("a/m", "x")).text == "Hello."
            kinds = [e.type async for e in client.astream("a/m", "x")]
            assert kinds.count("attempt") == 1

        asyncio.run(run())


def test_deadline(client: Client) -> None:
    before = time.monotonic()
    with pytest.raises(libinfer.DeadlineError):
        client.chat("a/silent", "x", deadline=0.15)
    assert 0.1 < time.monotonic() - before < 1


def test_break_cancels(client: Client, sim: Sim) -> None:
    for event in client.stream("a/slow", "x"):
        if isinstance(event, libinfer.TextEvent):
            break
    del event
    assert sim.log(1)[0]["end"] == "client_closed"


def test_with_block_cancels(client: Client, sim: Sim) -> None:
    with client.stream("a/slow", "x") as stream:
        next(stream)
    assert sim.log(1)[0]["end"] == "client_closed"
    with pytest.raises(libinfer.CallCancelledError):
        next(stream)


def test_stream_keeps_its_client(sim: Sim) -> None:
    stream = Client(config_of(sim)).stream("a/m", "x")
    gc.collect()
    assert stream.result().text == "Hello from the simulator."


def test_close(sim: Sim) -> None:
    client = Client(config_of(sim))
    assert client.close() is True
    with pytest.raises(libinfer.ClosedError):
        client.chat("a/m", "x")


def test_close_cancels_and_drains(client: Client, sim: Sim) -> None:
    stream = client.stream("a/slow", "x")
    next(stream)
    before = time.monotonic()
    assert client.close(drain=0.1) is False
    assert 0.09 < time.monotonic() - before < 1
    with pytest.raises(libinfer.CallCancelledError):
        stream.result()


def test_others_run_while_one_waits(client: Client) -> None:
    """The GIL is released: else this thread would not count."""
    raised: List[BaseException] = []

    def wait() -> None:
        try:
            client.chat("a/silent", "x", deadline=0.3)
        except libinfer.DeadlineError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += 1
        time.sleep(0.001)
    assert raised and turns > 50


def test_many_threads(client: Client) -> None:
    texts: List[str] = []

    def work(name: int) -> None:
        for i in range(20):
            texts.append(client.stream("a/echo", f"{name}/{i}").result().text)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts) == sorted(f"{n}/{i}" for n in range(8) for i in range(20))


def test_config_from_file(sim: Sim, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "infer.json"
    path.write_text(json.dumps(config_of(sim)))
    assert Client(path).chat("a/m", "x").text == "Hello from the simulator."
    assert Client(str(path)).chat("a/m", "x").text == "Hello from the simulator."
    with pytest.raises(libinfer.FileError):
        Client(tmp_path / "none.json")


def test_config_from_environment(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.setenv("OPENAI_BASE_URL", sim.url)
    assert Client().chat("openai/m", "x").text == "Hello from the simulator."


def test_wrong_config_is_named() -> None:
    with pytest.raises(libinfer.ConfigError, match="thread5"):
        Client({"thread5": 1})


def test_reload(client: Client, sim: Sim) -> None:
    with pytest.raises(libinfer.ConfigError):
        client.chat("other", "x")
    client.reload(config_of(sim, routes={"other": {"targets": ["a/m"]}}))
    assert client.chat("other", "x").text == "Hello from the simulator."


def test_prewarm_and_models(client: Client) -> None:
    (row,) = client.prewarm("a", timeout=5)
    assert row.provider == "a" and row.reached == libinfer.Warmth.CONNECTED
    assert "silent" in [m["id"] for m in client.models("a", timeout=5)]
    with pytest.raises(libinfer.ConfigError):
        client.prewarm("nobody")


def test_driven_client(sim: Sim) -> None:
    with Client(config_of(sim, threads=0)) as client:
        assert client.chat("a/m", "x").text == "Hello from the simulator."
        assert client.stream("a/m", "x").result().text == "Hello from the simulator."


def test_what_has_ended_is_not_cancelled(sim: Sim) -> None:
    """That would wake the client's loop: make the descriptor of one that is
    driven readable."""
    with Client(config_of(sim, threads=0)) as client:
        handle = client._core.handle
        fd = lib.infer_client_fd(handle)
        stream = client.stream("a/m", "x")
        call = stream._call
        stream.result()
        while select.select([fd], [], [], 0)[0]:
            lib.infer_client_drive(handle, 0)
        del call
        assert not select.select([fd], [], [], 0)[0]
