# SPDX-License-Identifier: MIT
"""Calls of asyncio.

All calls of a client on one event loop share a queue of the library, and the
loop watches that queue's descriptor: no thread waits and no timer polls. One
turn of the loop reads one batch, which wakes each task that waits for some of
it once.

What a task has not read yet waits in Python, where the library's back-pressure
does not see it. Pieces of text are therefore joined when many wait, so that a
slow reader's backlog costs little more than the answer itself.
"""

import asyncio
from collections import deque
from typing import (
    Any,
    AsyncIterator,
    Callable,
    Deque,
    Dict,
    List,
    Optional,
    Union,
    cast,
)

from libinfer import _embed, _models
from libinfer._errors import CallCancelledError, ClosedError, Error, UnsupportedError
from libinfer._events import (
    AttemptEvent,
    Event,
    ReasoningEvent,
    RefusalEvent,
    RestartEvent,
    TextEvent,
)
from libinfer._ffi import fork_generation, lib
from libinfer._reader import Reader, new_queue
from libinfer._request import begin
from libinfer._response import Response
from libinfer._stream import text_of

_JOIN_AT = 256
"""Waiting events at which pieces of text are joined."""


class Hub:
    """The calls that one client has on one event loop."""

    def __init__(
        self, handle: Any, loop: asyncio.AbstractEventLoop, records: bool
    ) -> None:
        if lib.infer_client_fd(handle) >= 0:
            raise UnsupportedError('asyncio needs a client with "threads": 1')
        self._generation = fork_generation()
        self._reader: Optional[Reader] = Reader(new_queue(handle, records))
        self._fd = lib.infer_queue_fd(self._reader.queue)
        if self._fd < 0:
            raise OSError("no descriptor for the queue: too many open files")
        self._sinks: Dict[int, Any] = {}
        self._last_tag = 0
        loop.add_reader(self._fd, self._drain)

    def submit(self, handle: Any, request: Any, mode: int, sink: Any) -> Any:
        """Starts a call whose events go to sink."""
        return self.start(lambda *to: begin(handle, request, mode, *to), sink)

    def start(self, begin_call: Callable[[Any, int], Any], sink: Any) -> Any:
        """Starts a call by a function of the queue and the call's tag."""
        assert self._reader is not None
        self._last_tag = tag = self._last_tag + 1
        self._sinks[tag] = sink
        try:
            return begin_call(self._reader.queue, tag)
        except BaseException:
            del self._sinks[tag]
            raise

    def detach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The client is gone. Runs on the loop's thread."""
        if self._reader is None or self._generation != fork_generation():
            return
        if not loop.is_closed():
            loop.remove_reader(self._fd)
        self._reader = None

    def _drain(self) -> None:
        if self._reader is None or self._generation != fork_generation():
            return
        try:
            items = self._reader.read(0)
        except ClosedError:
            return
        sinks = self._sinks
        for tag, done, item in items:
            sink = sinks.get(tag)
            if sink is None:  # submit() was interrupted
                continue
            if done:
                del sinks[tag]
                sink.end(item)
            else:
                sink.push(item)


class _Result:
    """Where the end of a call without events goes."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.future: "asyncio.Future[Union[Response, Error]]" = loop.create_future()

    def push(self, event: Event) -> None:
        """A record of an attempt, which the response has, too."""

    def end(self, item: Union[Response, Error]) -> None:
        if not self.future.done():
            self.future.set_result(item)


class _Sink:
    """What came of a stream and was not read yet. The hub holds this, not the
    AsyncStream: who lets go of that cancels the call."""

    __slots__ = ("ended", "events", "join_at", "waiter")

    def __init__(self) -> None:
        self.events: Deque[Event] = deque()
        self.ended: Union[Response, Error, None] = None
        self.waiter: Optional["asyncio.Future[None]"] = None
        self.join_at = _JOIN_AT

    def push(self, event: Event) -> None:
        events = self.events
        if type(event) is RestartEvent:
            records = [each for each in events if type(each) is AttemptEvent]
            events.clear()
            events.extend(records)
        events.append(event)
        if len(events) >= self.join_at:
            self.events = _joined(events)
            # What cannot be joined is not tried again at each event.
            self.join_at = _JOIN_AT + 2 * len(self.events)
        self._wake()

    def end(self, item: Union[Response, Error]) -> None:
        self.ended = item
        self._wake()

    def _wake(self) -> None:
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if not waiter.done():
                waiter.set_result(None)


def _joined(events: Deque[Event]) -> Deque[Event]:
    """The same events with adjacent pieces of one text as one event."""
    joined: Deque[Event] = deque()
    pieces: List[str] = []
    last: Any = None
    for event in events:
        kind = type(event)
        if kind not in (TextEvent, ReasoningEvent, RefusalEvent):
            pieces, last = _join(pieces, last), None
            joined.append(event)
            continue
        if not (
            last is not None
            and type(last) is kind
            and last.choice == event.choice
            and last.epoch == event.epoch
        ):
            pieces, last = _join(pieces, last), event
            joined.append(event)
        pieces.append(cast(TextEvent, event).text)
    _join(pieces, last)
    return joined


def _join(pieces: List[str], event: Any) -> List[str]:
    if len(pieces) > 1:
        event.text = "".join(pieces)
    return []


class AsyncStream(AsyncIterator[Event]):
    """The events of one call as they come.

    Iterate over it with ``async for``, or use it in an ``async with`` block. It
    ends when the answer has ended properly, and raises the class of the failure
    when it has not. Leaving it early, in whatever way, cancels the call, and so
    does cancelling a task that waits for it. Used by one task at a time.
    """

    def __init__(self, core: Any, request: Any) -> None:
        self._core = core  # its end would cancel the call
        self._sink = _Sink()
        mode = lib.INFER_SUBMIT_STREAM
        self._call = core.hub().submit(core.handle, request, mode, self._sink)

    def __aiter__(self) -> "AsyncStream":
        return self

    async def __anext__(self) -> Event:
        sink = self._sink
        while not sink.events:
            if sink.ended is not None:
                self._call = self._core = None
                if isinstance(sink.ended, Error):
                    raise sink.ended
                raise StopAsyncIteration
            sink.waiter = waiter = asyncio.get_running_loop().create_future()
            try:
                await waiter
            except BaseException:
                self.close()
                raise
        return sink.events.popleft()

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancels the call unless it has ended. May be called again."""
        if self._call is not None:
            self._call = self._core = None
            ended = self._sink.ended
            self._sink = _Sink()  # nobody reads what still comes
            self._sink.ended = ended or CallCancelledError("the stream was closed")

    async def aclose(self) -> None:
        """close(), under the name that contextlib.aclosing() calls."""
        self.close()

    @property
    def response(self) -> Optional[Response]:
        """The whole answer, once the stream has come to its end."""
        ended = None if self._sink.events else self._sink.ended
        return ended if isinstance(ended, Response) else None

    async def result(self) -> Response:
        """Reads what is left and gives the whole answer."""
        async for _ in self:
            pass
        response = self.response
        assert response is not None
        return response

    async def text(self) -> AsyncIterator[str]:
        """The pieces of the answer's text. Only for routes that do not start
        over: a RestartEvent would go unseen."""
        async for event in self:
            piece = text_of(event)
            if piece:
                yield piece


async def achat(core: Any, request: Any) -> Response:
    """One call, awaited."""
    result = _Result()
    mode = lib.INFER_SUBMIT_WHOLE
    call = core.hub().submit(core.handle, request, mode, result)
    try:
        item = await result.future
    except BaseException:
        lib.binding_call_end(call)
        raise
    if isinstance(item, Error):
        raise item
    return item


async def aembed(core: Any, request: Any) -> _embed.Embeddings:
    """A call for embeddings, awaited."""
    result = _Result()
    call = core.hub().start(
        lambda *to: _embed.begin(core.handle, request, *to), result
    )
    try:
        await result.future
    except BaseException:
        _embed.cancel(call)
        raise
    return _embed.taken(call)


async def amodels(core: Any, provider: str, timeout: float) -> List[Dict[str, Any]]:
    """The models that a provider lists, awaited."""
    result = _Result()
    call = core.hub().start(
        lambda *to: _models.begin(core.handle, provider, timeout, *to), result
    )
    try:
        await result.future
    except BaseException:
        _models.cancel(call)
        raise
    return _models.listed(call)
