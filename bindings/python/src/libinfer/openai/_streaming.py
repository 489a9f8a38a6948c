# SPDX-License-Identifier: MIT
"""Streams of chunks over the library's streams of events."""

from collections import deque
from typing import (
    Any,
    AsyncIterator,
    Deque,
    Generic,
    Iterator,
    Mapping,
    Optional,
    TypeVar,
    cast,
)

import libinfer
from libinfer.openai._chunks import ChunkMaker, Restarted
from libinfer.openai._exceptions import (
    APIConnectionError,
    OpenAIError,
    exception_of,
)
from libinfer.openai._http import Request

T = TypeVar("T")


def _translated(error: Exception, request: Request) -> OpenAIError:
    if isinstance(error, libinfer.Error):
        return exception_of(error, request)
    return APIConnectionError(
        message='the answer began anew ("recovery": "restart"), which '
        "chunks cannot say; the events of libinfer.Client can",
        request=request,
    )


class Stream(Iterator[T], Generic[T]):
    """Chunks as they come. Leaving it early cancels the call."""

    def __init__(
        self,
        events: libinfer.Stream,
        members: Mapping[str, Any],
        request: Request,
    ) -> None:
        self._events = events
        self._maker = ChunkMaker(members)
        self._waiting: Deque[Any] = deque()
        self._request = request

    def _begin(self) -> None:
        """Waits for the first chunk: a refusal is raised where the call is."""
        try:
            self._waiting.appendleft(self.__next__())
        except StopIteration:
            pass

    def __iter__(self) -> "Stream[T]":
        return self

    def __next__(self) -> T:
        while not self._waiting:
            self._read()
        return cast(T, self._waiting.popleft())

    def _read(self) -> None:
        try:
            event = next(self._events, None)
            if event is not None:
                self._waiting.extend(self._maker.of(event))
                return
            self._waiting.extend(self._maker.rest())
        except (libinfer.Error, Restarted) as error:
            self._events.close()
            raise _translated(error, self._request) from error
        if not self._waiting:
            raise StopIteration

    def __enter__(self) -> "Stream[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancels the call unless it has ended. May be called again."""
        self._events.close()

    @property
    def libinfer_response(self) -> Optional[libinfer.Response]:
        """The library's whole answer, once the stream is at its end: with the
        attempts that were made."""
        return self._events.response


class AsyncStream(AsyncIterator[T], Generic[T]):
    """Stream for asyncio. Cancelling a task that waits cancels the call."""

    def __init__(
        self,
        events: libinfer.AsyncStream,
        members: Mapping[str, Any],
        request: Request,
    ) -> None:
        self._events = events
        self._maker = ChunkMaker(members)
        self._waiting: Deque[Any] = deque()
        self._request = request

    async def _begin(self) -> None:
        """Waits for the first chunk: a refusal is raised where the call is."""
        try:
            self._waiting.appendleft(await self.__anext__())
        except StopAsyncIteration:
            pass

    def __aiter__(self) -> "AsyncStream[T]":
        return self

    async def __anext__(self) -> T:
        while not self._waiting:
            await self._read()
        return cast(T, self._waiting.popleft())

    async def _read(self) -> None:
        try:
            self._waiting.extend(self._maker.of(await self._events.__anext__()))
        except StopAsyncIteration:
            self._waiting.extend(self._maker.rest())
            if not self._waiting:
                raise
        except (libinfer.Error, Restarted) as error:
            self._events.close()
            raise _translated(error, self._request) from error

    async def __aenter__(self) -> "AsyncStream[T]":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Cancels the call unless it has ended. May be called again."""
        self._events.close()

    aclose = close

    @property
    def libinfer_response(self) -> Optional[libinfer.Response]:
        """As of Stream."""
        return self._events.response
