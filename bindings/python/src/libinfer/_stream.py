# SPDX-License-Identifier: MIT
"""A streamed answer, read by blocking iteration."""

from collections import deque
from typing import Any, Deque, Iterator, Optional

from libinfer._errors import CallCancelledError, Error
from libinfer._events import Event, TextEvent
from libinfer._ffi import lib
from libinfer._reader import Reader, new_queue
from libinfer._request import Request, begin, failure
from libinfer._response import Response
from libinfer._wait import slice_ms

# cffi would look these names up at each call.
_OK, _GOES_ON = lib.INFER_OK, lib.INFER_E_TIMEOUT
_WHOLE = lib.INFER_SUBMIT_WHOLE
_wait = lib.binding_call_wait


def text_of(event: Event) -> str:
    """The answer's text in an event: that of choice 0."""
    if type(event) is TextEvent and event.choice == 0:
        return event.text
    return ""


class Stream(Iterator[Event]):
    """The events of one call as they come.

    Iterate over it, or use it in a ``with`` block. It ends when the answer has
    ended properly, and raises the class of the failure when it has not. Leaving
    it early, in whatever way, cancels the call. Used by one thread at a time.
    """

    def __init__(self, core: Any, request: Any) -> None:
        self._core = core  # its end would cancel the call
        self._reader: Optional[Reader] = Reader(
            new_queue(core.handle, core.records)
        )
        self._waiting: Deque[Any] = deque()
        self._response: Optional[Response] = None
        self._error: Optional[Error] = None
        mode = lib.INFER_SUBMIT_STREAM
        self._call = begin(core.handle, request, mode, self._reader.queue)

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Event:
        waiting = self._waiting
        while not waiting:
            self._read()
        item: Event = waiting.popleft()
        return item

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cancels the call unless it has ended. May be called again."""
        if self._call is not None:
            lib.binding_call_end(self._call)
            self._call = None
        if self._reader is not None:
            self._reader = None
            self._waiting.clear()
            if self._response is None and self._error is None:
                self._error = CallCancelledError("the stream was closed")
        self._core = None

    @property
    def response(self) -> Optional[Response]:
        """The whole answer, once the stream has come to its end."""
        return None if self._waiting else self._response

    def result(self) -> Response:
        """Reads what is left and gives the whole answer."""
        for _ in self:
            pass
        assert self._response is not None
        return self._response

    def text(self) -> Iterator[str]:
        """The pieces of the answer's text. Only for routes that do not start
        over: a RestartEvent would go unseen."""
        for event in self:
            piece = text_of(event)
            if piece:
                yield piece

    def _read(self) -> None:
        """Waits for events; raises how the stream ended once it has."""
        if self._reader is None:
            if self._error is not None:
                raise self._error
            raise StopIteration
        try:
            for _, done, item in self._reader.read(slice_ms()):
                if done:
                    self._end(item)
                else:
                    self._waiting.append(item)
        except BaseException:  # KeyboardInterrupt among them
            self.close()
            raise

    def _end(self, item: Any) -> None:
        if isinstance(item, Response):
            self._response = item
        else:
            self._error = item
        self._call = self._reader = self._core = None


def chat(core: Any, request: Request) -> Response:
    """One call, waited for."""
    call = begin(core.handle, request, _WHOLE)
    try:
        wait_ms = slice_ms()
        status = _GOES_ON
        while status == _GOES_ON:
            status = _wait(call, wait_ms)
    except BaseException:  # KeyboardInterrupt among them
        lib.binding_call_end(call)
        raise
    if status != _OK:
        raise failure(call, status)
    return Response(call.response, call)
