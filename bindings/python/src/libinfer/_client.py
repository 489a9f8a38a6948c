# SPDX-License-Identifier: MIT
"""The client: configuration, connections and what was learned of providers."""

import asyncio
import json
import os
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Union
from weakref import WeakKeyDictionary

from libinfer._aio import AsyncStream, Hub, achat, aembed, amodels
from libinfer._embed import Embeddings, Inputs, embed, embed_request
from libinfer._errors import check, error_from
from libinfer._ffi import ffi, fork_generation, lib, text
from libinfer._models import models
from libinfer._request import Messages, c_text, new_request, request_handle, to_json
from libinfer._response import Response
from libinfer._stream import Stream, chat
from libinfer._token import TokenSource, set_token_sources
from libinfer._wait import interruptibly

Config = Union[Mapping[str, Any], str, "os.PathLike[str]"]
"""A configuration document, or the path of a file that holds one."""


class PlannedTarget(NamedTuple):
    """A target that a request would try, or why not."""

    target: str
    status: int
    """``Status.OK`` if it would be tried, else what keeps it out."""
    reason: str


class WarmReport(NamedTuple):
    """How far a provider was reached."""

    provider: str
    ready: bool
    """Whether a connection waits for the next call."""
    reached: int
    """A :class:`Warmth`."""
    protocol: str
    status: int
    reason: str
    took: Optional[float]
    """Seconds; None if it is not done."""


class _Core:
    """One client of the library, in one process, and its event loops."""

    def __init__(self, config: Any, records: bool) -> None:
        self.records = records
        out, error = ffi.new("infer_client **"), ffi.new("infer_error **")
        check(lib.infer_client_new(out, config, error), error)
        self.handle = ffi.gc(out[0], lib.infer_client_free)
        self.generation = fork_generation()
        self._hubs: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = (
            WeakKeyDictionary()
        )

    def hub(self) -> Hub:
        loop = asyncio.get_running_loop()
        hub = self._hubs.get(loop)
        if hub is None:
            for other in list(self._hubs):
                if other.is_closed():  # nobody reads there any more
                    del self._hubs[other]
            self._hubs[loop] = hub = Hub(self.handle, loop, self.records)
        return hub

    def __del__(self) -> None:
        # On any thread, in whatever the garbage collector interrupts: the loop
        # is told, and lets go of the descriptor before that is closed. In a forked
        # child the loops are the parent's.
        if getattr(self, "generation", None) != fork_generation():
            return
        for loop, hub in list(getattr(self, "_hubs", {}).items()):
            try:
                loop.call_soon_threadsafe(hub.detach, loop)
            except RuntimeError:  # the loop is closed
                pass


def _new_config(
    config: Optional[Config], sources: Optional[Mapping[str, TokenSource]]
) -> Any:
    if config is None:
        return ffi.NULL
    out, error = ffi.new("infer_config **"), ffi.new("infer_error **")
    if isinstance(config, Mapping):
        data = to_json(dict(config))
        check(lib.infer_config_from_json(out, data, len(data), error), error)
    else:
        path = os.fsencode(config)
        check(lib.infer_config_from_file(out, path, error), error)
    made = ffi.gc(out[0], lib.infer_config_free)
    set_token_sources(made, sources)
    return made


class Client:
    """Sends requests to the providers of a configuration.

    ``config`` is a dictionary, the path of a JSON file, or None: then the
    providers are those whose key variable is set in the environment. A client
    may be used by any number of threads and event loops at once.

    ``token_sources`` has a function for each provider whose tokens expire and
    are got by the application, in place of its ``api_key``: see TokenSource.

    In a forked child a client of the parent becomes a new one, made from the
    same configuration, at its first use. Calls of the parent are not the
    child's: their streams raise ForkedError there.

    ``records``: streams tell of each attempt when it has ended, also of those
    that lose a race, with an AttemptEvent.
    """

    def __init__(
        self,
        config: Optional[Config] = None,
        *,
        token_sources: Optional[Mapping[str, TokenSource]] = None,
        records: bool = False,
    ) -> None:
        self._config = _new_config(config, token_sources)
        self._records = records
        self._closed = False
        self._core = _Core(self._config, records)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    # ---- Calls ---------------------------------------------------------------

    def chat(
        self,
        model: str,
        messages: Messages,
        *,
        deadline: Optional[float] = None,
        headers: Optional[Mapping[str, str]] = None,
        labels: Sequence[str] = (),
        tags: Optional[Mapping[str, str]] = None,
        tenant: Optional[str] = None,
        run_once: bool = False,
        policy: Optional[Mapping[str, int]] = None,
        **members: Any,
    ) -> Response:
        """Sends a request and waits for the whole answer.

        ``model`` is the name of a route, ``provider/model``, or a model that
        exactly one provider claims. ``messages`` is a text or a list of
        OpenAI-shaped messages. Any further member of OpenAI's request may be
        given by its name (``temperature=0.2``); None counts as not given.

        ``deadline``: seconds for queueing, retries, failover and the answer,
        instead of the route's. ``headers``: for every attempt. ``labels``: what
        a provider must have to see the request. ``tags`` and ``tenant``: for
        telemetry. ``run_once``: never send it a second time, unless nothing of
        the first was seen by a provider. ``policy``: numbers instead of the
        route's, such as ``{"retries": 0, "timeouts.idle_ms": 5000}``.
        """
        core = self._open()
        how = (deadline, headers, labels, tags, tenant, run_once, policy)
        request = new_request(model, messages, members, how)
        return chat(core, request)

    def stream(
        self,
        model: str,
        messages: Messages,
        *,
        deadline: Optional[float] = None,
        headers: Optional[Mapping[str, str]] = None,
        labels: Sequence[str] = (),
        tags: Optional[Mapping[str, str]] = None,
        tenant: Optional[str] = None,
        run_once: bool = False,
        policy: Optional[Mapping[str, int]] = None,
        **members: Any,
    ) -> Stream:
        """Sends a request and gives the answer's events as they come."""
        core = self._open()
        how = (deadline, headers, labels, tags, tenant, run_once, policy)
        request = new_request(model, messages, members, how)
        return Stream(core, request)

    async def achat(
        self,
        model: str,
        messages: Messages,
        *,
        deadline: Optional[float] = None,
        headers: Optional[Mapping[str, str]] = None,
        labels: Sequence[str] = (),
        tags: Optional[Mapping[str, str]] = None,
        tenant: Optional[str] = None,
        run_once: bool = False,
        policy: Optional[Mapping[str, int]] = None,
        **members: Any,
    ) -> Response:
        """chat() for asyncio. Cancelling the task cancels the call."""
        core = self._open()
        how = (deadline, headers, labels, tags, tenant, run_once, policy)
        request = new_request(model, messages, members, how)
        return await achat(core, request)

    def astream(
        self,
        model: str,
        messages: Messages,
        *,
        deadline: Optional[float] = None,
        headers: Optional[Mapping[str, str]] = None,
        labels: Sequence[str] = (),
        tags: Optional[Mapping[str, str]] = None,
        tenant: Optional[str] = None,
        run_once: bool = False,
        policy: Optional[Mapping[str, int]] = None,
        **members: Any,
    ) -> AsyncStream:
        """stream() for asyncio; needs a running loop and awaits nothing."""
        core = self._open()
        how = (deadline, headers, labels, tags, tenant, run_once, policy)
        request = new_request(model, messages, members, how)
        return AsyncStream(core, request)

    def embed(
        self,
        model: str,
        inputs: Inputs,
        *,
        deadline: Optional[float] = None,
        headers: Optional[Mapping[str, str]] = None,
        labels: Sequence[str] = (),
        tags: Optional[Mapping[str, str]] = None,
        tenant: Optional[str] = None,
        run_once: bool = False,
        policy: Optional[Mapping[str, int]] = None,
        **members: Any,
    ) -> Embeddings:
        """The vectors of texts, in their order. Any number of them: they are
        sent in as many requests as the provider needs, all to one model.
        ``dimensions``, ``input_type`` and other members are the provider's."""
        core = self._open()
        how = (deadline, headers, labels, tags, tenant, run_once, policy)
        return embed(core, embed_request(model, inputs, members, how))

    async def aembed(
        self,
        model: str,
        inputs: Inputs,
        *,
        deadline: Optional[float] = None,
        headers: Optional[Mapping[str, str]] = None,
        labels: Sequence[str] = (),
        tags: Optional[Mapping[str, str]] = None,
        tenant: Optional[str] = None,
        run_once: bool = False,
        policy: Optional[Mapping[str, int]] = None,
        **members: Any,
    ) -> Embeddings:
        """embed() for asyncio. Cancelling the task cancels the call."""
        core = self._open()
        how = (deadline, headers, labels, tags, tenant, run_once, policy)
        return await aembed(core, embed_request(model, inputs, members, how))

    # ---- The client itself ---------------------------------------------------

    def close(self, drain: float = 0) -> bool:
        """Refuses new calls, waits up to ``drain`` seconds for those in flight,
        then cancels the rest. True if all had ended by themselves."""
        self._closed = True
        core = self._core
        if core.generation != fork_generation():
            return True
        drain_ms = max(0, round(drain * 1000))
        if drain_ms == 0:
            return bool(lib.infer_client_close(core.handle, 0) == lib.INFER_OK)
        status = interruptibly(
            lambda: int(lib.infer_client_close(core.handle, drain_ms)),
            lambda: lib.infer_client_close(core.handle, 0),
        )
        return bool(status == lib.INFER_OK)

    def reload(
        self,
        config: Config,
        *,
        token_sources: Optional[Mapping[str, TokenSource]] = None,
    ) -> None:
        """Uses another configuration for calls from now on. Calls in flight
        keep theirs; on an error nothing changes. The same token source keeps
        its token."""
        core, new = self._open(), _new_config(config, token_sources)
        error = ffi.new("infer_error **")
        check(lib.infer_client_reload(core.handle, new, error), error)
        self._config = new

    def plan(
        self, model: str, labels: Sequence[str] = ()
    ) -> List[PlannedTarget]:
        """Which targets a request would try, in order, and why; sends nothing."""
        core = self._open()
        request = request_handle(model, "", {}, labels=labels)
        out, error = ffi.new("infer_plan **"), ffi.new("infer_error **")
        check(lib.infer_client_plan(core.handle, request, out, error), error)
        plan = ffi.gc(out[0], lib.infer_plan_free)
        return [
            PlannedTarget(
                text(lib.infer_plan_target(plan, i)),
                lib.infer_plan_status(plan, i),
                text(lib.infer_plan_reason(plan, i)),
            )
            for i in range(lib.infer_plan_count(plan))
        ]

    def stats(self) -> Dict[str, Any]:
        """What has come of this process's client so far. ``["hedging"]`` has the
        counters of each route that hedges; infer.h tells the members, of which
        later versions may have more."""
        core = self._open()
        out, size = ffi.new("char **"), ffi.new("size_t *")
        status = lib.infer_client_stats(core.handle, out, size)
        if status != lib.INFER_OK:
            raise error_from(status)
        document = ffi.gc(out[0], lib.infer_text_free)
        stats: Dict[str, Any] = json.loads(ffi.unpack(document, size[0]))
        return stats

    def metrics(self) -> str:
        """The counters of that and histograms in the text format of Prometheus,
        to be served as ``text/plain; version=0.0.4``."""
        core = self._open()
        out, size = ffi.new("char **"), ffi.new("size_t *")
        status = lib.infer_client_metrics(core.handle, out, size)
        if status != lib.INFER_OK:
            raise error_from(status)
        document = ffi.gc(out[0], lib.infer_text_free)
        return bytes(ffi.unpack(document, size[0])).decode()

    def prewarm(
        self, name: Optional[str] = None, timeout: float = 30
    ) -> List[WarmReport]:
        """Makes connections ready, to a route, a target, a provider or all, and
        tells how far each provider was reached within ``timeout`` seconds."""
        core = self._open()
        out, error = ffi.new("infer_warm_report **"), ffi.new("infer_error **")
        c_name = ffi.NULL if name is None else c_text(name)
        timeout_ms = max(0, round(timeout * 1000))
        status = interruptibly(
            lambda: int(
                lib.infer_client_prewarm(core.handle, c_name, timeout_ms, out, error)
            ),
            lambda: None,
        )
        if not out[0]:
            check(status, error)
        elif error[0]:
            lib.infer_error_free(error[0])
        report = ffi.gc(out[0], lib.infer_warm_report_free)
        return [_warm_row(report, i) for i in range(lib.infer_warm_report_count(report))]

    def models(self, provider: str, timeout: float = 30) -> List[Dict[str, Any]]:
        """The models that a provider lists, fetched now: its own entries."""
        return models(self._open(), provider, timeout)

    async def amodels(
        self, provider: str, timeout: float = 30
    ) -> List[Dict[str, Any]]:
        """models(), awaited."""
        return await amodels(self._open(), provider, timeout)

    def _open(self) -> _Core:
        """The client of this process."""
        if self._closed:
            raise error_from(lib.INFER_E_CLOSED)
        core = self._core
        if core.generation != fork_generation():
            self._core = core = _Core(self._config, self._records)
        return core


def _warm_row(report: Any, index: int) -> WarmReport:
    took_ns = lib.infer_warm_report_took_ns(report, index)
    return WarmReport(
        provider=text(lib.infer_warm_report_provider(report, index)),
        ready=lib.infer_warm_report_ready(report, index) == 1,
        reached=lib.infer_warm_report_reached(report, index),
        protocol=text(lib.infer_warm_report_protocol(report, index)),
        status=lib.infer_warm_report_status(report, index),
        reason=text(lib.infer_warm_report_reason(report, index)),
        took=None if took_ns < 0 else took_ns / 1e9,
    )
