# SPDX-License-Identifier: MIT
"""Requests: what goes to the provider, as JSON, and how the call is made."""

import json
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from libinfer._errors import InvalidArgumentError, check
from libinfer._ffi import ffi, lib

Messages = Union[str, Sequence[Mapping[str, Any]]]
"""OpenAI-shaped messages, or one text: a single message of the user."""


# json.dumps() would make one of these at each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: Any) -> str:
    try:
        return _encode(value)
    except (TypeError, RecursionError) as error:
        raise InvalidArgumentError(f"not JSON: {error}") from error


def _utf8(text: str) -> bytes:
    """Lone surrogates go out, too: the library says what is wrong with them."""
    return text.encode("utf-8", "surrogatepass")


def to_json(value: Any) -> bytes:
    return _utf8(_json(value))


def _body(model: str, messages: Messages, members: Dict[str, Any]) -> bytes:
    """The request object; members that are None count as not given. Put
    together of texts, which are encoded several times as fast as containers."""
    given = {key: value for key, value in members.items() if value is not None}
    if isinstance(messages, str):
        turns = f'[{{"role":"user","content":{_json(messages)}}}]'
    else:
        turns = _json(list(messages))
    more = f",{_json(given)[1:-1]}" if given else ""
    return _utf8(f'{{"model":{_json(model)},"messages":{turns}{more}}}')


# cffi would look these names up at each call.
_REQUEST = ffi.typeof("infer_request **")
_CALL = ffi.typeof("infer_call **")
_ERROR = ffi.typeof("infer_error **")


def c_text(value: str) -> bytes:
    """A text for a function that takes no length."""
    data = _utf8(value)
    if b"\0" in data:
        raise InvalidArgumentError("a NUL in a text that cannot have one")
    return data


def new_request(
    model: str,
    messages: Messages,
    members: Dict[str, Any],
    deadline: Optional[float] = None,
    headers: Optional[Mapping[str, str]] = None,
    labels: Sequence[str] = (),
    tags: Optional[Mapping[str, str]] = None,
    tenant: Optional[str] = None,
    run_once: bool = False,
    policy: Optional[Mapping[str, int]] = None,
) -> Any:
    """The handle of a request."""
    data = _body(model, messages, members)
    out, error = ffi.new(_REQUEST), ffi.new(_ERROR)
    check(lib.infer_request_from_json(out, data, len(data), error), error)
    request = ffi.gc(out[0], lib.infer_request_free)
    if deadline is not None:
        # At least 1 ms: what is left of a caller's own deadline may be less.
        deadline_ms = max(1, round(deadline * 1000))
        _set(lib.infer_request_set_deadline_ms(request, deadline_ms), "deadline")
    for name, value in (headers or {}).items():
        status = lib.infer_request_set_header(request, c_text(name), c_text(value))
        _set(status, f"headers[{name!r}]")
    for label in labels:
        _set(lib.infer_request_require_label(request, c_text(label)), "labels")
    for name, value in (tags or {}).items():
        status = lib.infer_request_set_tag(request, c_text(name), c_text(value))
        _set(status, f"tags[{name!r}]")
    if tenant is not None:
        _set(lib.infer_request_set_tenant(request, c_text(tenant)), "tenant")
    if run_once:
        _set(lib.infer_request_set_run_once(request, 1), "run_once")
    for name, number in (policy or {}).items():
        status = lib.infer_request_set_policy(request, c_text(name), number)
        _set(status, f"policy[{name!r}]")
    return request


def _set(status: int, what: str) -> None:
    if status == lib.INFER_OK:
        return
    if status == lib.INFER_E_INVALID_ARGUMENT:
        raise InvalidArgumentError(f"{what} is not what the library takes")
    check(status, [ffi.NULL])


def submit(client: Any, request: Any, mode: int, queue: Any, tag: int) -> Any:
    """Starts a call. Dropping the handle that this gives cancels it."""
    out, error = ffi.new(_CALL), ffi.new(_ERROR)
    status = lib.infer_submit(client, request, mode, queue, tag, out, error)
    call = ffi.gc(out[0], lib.binding_call_drop) if out[0] else None
    check(status, error)
    return call


