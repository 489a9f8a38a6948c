# SPDX-License-Identifier: MIT
"""Reads a queue of the library, a batch of events with one call.

The extension puts a batch into one array of records and one block of text (see
binding.h); an event of text then costs one slice and one small object. Only
what has more to it, the start and the end of an answer and tool calls, is read
through its handle.
"""

from struct import Struct
from typing import Any, List, Tuple, Union

from libinfer._attempt import attempt_of
from libinfer._errors import Error, error_from
from libinfer._events import (
    PLAIN,
    AttemptEvent,
    Event,
    StartEvent,
    ToolCallDeltaEvent,
    ToolCallDoneEvent,
)
from libinfer._ffi import ffi, lib, sized, text
from libinfer._generated import EventType
from libinfer._response import Response

_RECORD = Struct("=QQQQIIII")  # struct binding_record
_PLAIN = {int(kind): make for kind, make in PLAIN.items()}
_START = int(EventType.START)
_DONE = int(EventType.DONE)
_ATTEMPT = int(EventType.ATTEMPT)
_DELTA = int(EventType.TOOL_CALL_DELTA)
_TOOL_DONE = int(EventType.TOOL_CALL_DONE)

Item = Union[Event, Response, Error]
"""An event, or how the call ended: nothing comes after that."""


def new_queue(client: Any, records: bool = False) -> Any:
    out = ffi.new("infer_queue **")
    status = lib.infer_queue_new(out, client)
    if status != lib.INFER_OK:
        raise error_from(status)
    queue = ffi.gc(out[0], lib.infer_queue_free)
    if records:
        status = lib.infer_queue_set_records(queue, 1)
        if status != lib.INFER_OK:
            raise error_from(status)
    return queue


class Reader:
    """The events of one queue, used by one thread at a time."""

    __slots__ = ("queue", "_batch", "_records")

    def __init__(self, queue: Any) -> None:
        batch = lib.binding_batch_new()
        if not batch:
            raise MemoryError
        self.queue = queue
        self._batch = ffi.gc(batch, lib.binding_batch_free)
        self._records = memoryview(ffi.buffer(batch.records))

    def read(self, timeout_ms: int) -> List[Tuple[int, bool, Item]]:
        """What waits: (tag, whether it is the call's end, item); an empty list
        after timeout_ms (-1: no limit)."""
        batch = self._batch
        count = lib.binding_batch_read(batch, self.queue, timeout_ms)
        if count <= 0:
            if count == lib.INFER_E_TIMEOUT:
                return []
            raise error_from(count)
        block: bytes = ffi.unpack(batch.text, batch.text_len) if batch.text else b""
        is_ascii = block.isascii()
        characters = block.decode("ascii") if is_ascii else ""
        items: List[Tuple[int, bool, Item]] = []
        handles = False
        for tag, handle, start, end, kind, epoch, choice, _ in _RECORD.iter_unpack(
            self._records[: count * 48]
        ):
            if handle:
                handles = True
                item = _item(ffi.cast("infer_event *", handle), kind, choice, epoch)
                if item is not None:
                    items.append((tag, kind == _DONE, item))
                continue
            make = _PLAIN.get(kind)
            if make is None:  # a type that this version does not know
                continue
            if is_ascii:
                piece = characters[start:end]
            else:
                piece = str(block[start:end], "utf-8", "replace")
            items.append((tag, False, make(piece, choice, epoch)))
        if handles:
            lib.binding_batch_clear(batch)
        return items


def _item(event: Any, kind: int, choice: int, epoch: int) -> Union[Item, None]:
    if kind == _DONE:
        response = lib.infer_event_take_response(event)
        if response:
            return Response(response)
        return error_from(
            lib.infer_event_status(event), lib.infer_event_take_error(event)
        )
    if kind == _ATTEMPT:
        return AttemptEvent(attempt_of(lib.infer_event_attempt(event)), choice, epoch)
    piece = sized(lib.infer_event_text, event)
    if kind == _START:
        return StartEvent(piece, sized(lib.infer_event_head, event), choice, epoch)
    if kind in (_DELTA, _TOOL_DONE):
        make = ToolCallDeltaEvent if kind == _DELTA else ToolCallDoneEvent
        return make(
            lib.infer_event_tool_index(event),
            text(lib.infer_event_tool_id(event)),
            text(lib.infer_event_tool_name(event)),
            piece,
            choice,
            epoch,
        )
    plain = _PLAIN.get(kind)
    return plain(piece, choice, epoch) if plain else None
