# SPDX-License-Identifier: MIT
"""Embeddings: texts in, vectors out."""

import json
from array import array
from typing import Any, Dict, Iterator, Sequence, Tuple, Union, cast

from libinfer._attempt import Attempt, Usage
from libinfer._errors import check
from libinfer._ffi import ffi, lib
from libinfer._request import How, set_how, to_json
from libinfer._response import Response
from libinfer._wait import slice_ms

Inputs = Union[str, Sequence[Any]]
"""A text, several, or (for OpenAI and services that speak its protocol) arrays
of token numbers."""


class Embeddings:
    """The vectors of a call, in the order of its inputs: a sequence of
    ``array('f')``."""

    __slots__ = ("_handle",)

    def __init__(self, handle: Any) -> None:
        self._handle = ffi.gc(handle, lib.infer_embeddings_free)

    def __repr__(self) -> str:
        return f"<Embeddings: {len(self)} of {self.dimensions} numbers>"

    def __len__(self) -> int:
        return cast(int, lib.infer_embeddings_count(self._handle))

    @property
    def dimensions(self) -> int:
        """Numbers of each vector."""
        return cast(int, lib.infer_embeddings_dimensions(self._handle))

    def __getitem__(self, index: int) -> "array[float]":
        count = len(self)
        if not -count <= index < count:
            raise IndexError("no such vector")
        numbers = array("f")
        numbers.frombytes(self._bytes(index % count, 1))
        return numbers

    def __iter__(self) -> Iterator["array[float]"]:
        return (self[i] for i in range(len(self)))

    def tobytes(self) -> bytes:
        """All vectors, one behind the other, as this machine's floats:
        ``numpy.frombuffer(e.tobytes(), "f4").reshape(len(e), e.dimensions)``."""
        return bytes(self._bytes(0, len(self)))

    def _bytes(self, index: int, count: int) -> Any:
        vector = lib.infer_embeddings_vector(self._handle, index)
        return ffi.buffer(vector, count * self.dimensions * 4)[:]

    @property
    def response(self) -> Response:
        """What else is known of the call: a response without choices."""
        return Response(lib.infer_embeddings_response(self._handle), self)

    @property
    def model(self) -> str:
        """The model that the provider says answered; "" if it does not."""
        return self.response.model

    @property
    def usage(self) -> Usage:
        return self.response.usage

    @property
    def attempts(self) -> Tuple[Attempt, ...]:
        return self.response.attempts

    def raw(self, encoding_format: str = "float") -> Dict[str, Any]:
        """The OpenAI-shaped dictionary, vectors as lists of numbers or as
        ``"base64"`` of little-endian floats."""
        out, size = ffi.new("char **"), ffi.new("size_t *")
        base64 = 1 if encoding_format == "base64" else 0
        status = lib.infer_embeddings_json(self._handle, base64, out, size)
        check(status, [ffi.NULL])
        document = ffi.gc(out[0], lib.infer_text_free)
        made: Dict[str, Any] = json.loads(ffi.unpack(document, size[0]))
        return made


def embed_request(
    model: str, inputs: Inputs, members: Dict[str, Any], how: How
) -> Any:
    given = {k: v for k, v in members.items() if v is not None}
    inputs = inputs if isinstance(inputs, str) else list(inputs)
    data = to_json({"model": model, "input": inputs, **given})
    out, error = ffi.new("infer_request **"), ffi.new("infer_error **")
    check(lib.infer_request_from_embed_json(out, data, len(data), error), error)
    request = ffi.gc(out[0], lib.infer_request_free)
    set_how(request, *how)
    return request


def begin(client: Any, request: Any, queue: Any = ffi.NULL, tag: int = 0) -> Any:
    """Starts a call. Dropping what this gives cancels it."""
    out, error = ffi.new("infer_call **"), ffi.new("infer_error **")
    check(lib.infer_submit_embed(client, request, queue, tag, out, error), error)
    return ffi.gc(out[0], _drop)


def cancel(call: Any) -> None:
    lib.infer_call_cancel(call)
    # A client without a thread of its own gets a turn to do so.
    lib.infer_call_wait(call, 0, ffi.NULL, ffi.NULL)


def _drop(call: Any) -> None:
    cancel(call)
    lib.infer_call_free(call)


def taken(call: Any) -> Embeddings:
    """The vectors of a call that has ended."""
    out, error = ffi.new("infer_embeddings **"), ffi.new("infer_error **")
    check(lib.infer_call_embeddings(call, out, error), error)
    return Embeddings(out[0])


def embed(core: Any, request: Any) -> Embeddings:
    """One call, waiting."""
    call = begin(core.handle, request)
    status = lib.INFER_E_TIMEOUT
    try:
        while status == lib.INFER_E_TIMEOUT:
            status = lib.infer_call_wait(call, slice_ms(), ffi.NULL, ffi.NULL)
    except BaseException:  # KeyboardInterrupt among them
        cancel(call)
        raise
    return taken(call)
