# SPDX-License-Identifier: MIT
"""Requests: what goes to the provider, as JSON, and how the call is made."""

import json
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from libinfer._errors import Error, InvalidArgumentError, check, error_from
from libinfer._ffi import ffi, lib

Messages = Union[str, Sequence[Mapping[str, Any]]]
"""OpenAI-shaped messages, or one text: a single message of the user."""


# json.dumps() would make one of these at each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring  # the same for a text


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


def _turns(messages: List[Mapping[str, Any]]) -> str:
    """The array of messages. The usual ones, of two texts, are put together
    here, which takes half the time of the encoder."""
    turns = []
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return _json(messages)
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not isinstance(content, str):
            return _json(messages)
        turns.append(f'{{"role":{_quoted(role)},"content":{_quoted(content)}}}')
    return f"[{','.join(turns)}]"


def _body(model: str, messages: Messages, members: Dict[str, Any]) -> bytes:
    """The request object; members that are None count as not given. Put
    together of texts, which are encoded several times as fast as containers."""
    name = _quoted(model) if isinstance(model, str) else _json(model)
    if isinstance(messages, str):
        turns = f'[{{"role":"user","content":{_quoted(messages)}}}]'
    else:
        turns = _turns(list(messages))
    more = ""
    if members:
        given = {k: v for k, v in members.items() if v is not None}
        more = f",{_json(given)[1:-1]}" if given else ""
    return _utf8(f'{{"model":{name},"messages":{turns}{more}}}')


# cffi would look these names up at each call.
_REQUEST = ffi.typeof("infer_request **")
_CALL = ffi.typeof("binding_call *")
_ERROR = ffi.typeof("infer_error **")
_NULL, _OK = ffi.NULL, lib.INFER_OK
_new, _gc = ffi.new, ffi.gc
_begin, _end = lib.binding_call_begin, lib.binding_call_end

Request = Tuple[Any, Any, bytes]
"""The handle of a request; or NULL, the model and a text of the user; or twice
NULL and JSON."""

How = Tuple[Any, ...]
"""How a call is to be made: request_handle()'s parameters from deadline on."""

_SHORT_NAME = 256
"""Characters of a model's name that are surely no more than 1,024 bytes."""

_SHORT_TEXT = 1 << 20
"""Characters of a text that surely are within 64 MiB."""

_PLAINLY: How = (None, None, (), None, None, False, None)


def c_text(value: str) -> bytes:
    """A text for a function that takes no length."""
    data = _utf8(value)
    if b"\0" in data:
        raise InvalidArgumentError("a NUL in a text that cannot have one")
    return data


def new_request(
    model: str, messages: Messages, members: Dict[str, Any], how: How
) -> Request:
    if how != _PLAINLY:
        handle = request_handle(model, messages, members, *how)
        return handle, _NULL, b""
    if isinstance(messages, str) and not members and _fits(model, messages):
        try:
            return _NULL, model.encode(), messages.encode()
        except UnicodeEncodeError:  # a lone surrogate
            pass
    return _NULL, _NULL, _body(model, messages, members)


def _fits(model: Any, text: str) -> bool:
    """Whether the library takes these as they are. What it refuses it gets as
    JSON, because it says then what is wrong."""
    if not isinstance(model, str) or not model.isprintable():
        return False
    return 0 < len(model) <= _SHORT_NAME and len(text) <= _SHORT_TEXT


def request_handle(
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
    data = _body(model, messages, members)
    out, error = ffi.new(_REQUEST), ffi.new(_ERROR)
    check(lib.infer_request_from_json(out, data, len(data), error), error)
    request = ffi.gc(out[0], lib.infer_request_free)
    set_how(request, deadline, headers, labels, tags, tenant, run_once, policy)
    return request


def set_how(
    request: Any,
    deadline: Optional[float] = None,
    headers: Optional[Mapping[str, str]] = None,
    labels: Sequence[str] = (),
    tags: Optional[Mapping[str, str]] = None,
    tenant: Optional[str] = None,
    run_once: bool = False,
    policy: Optional[Mapping[str, int]] = None,
) -> None:
    """How the call is to be made."""
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


def _set(status: int, what: str) -> None:
    if status == lib.INFER_OK:
        return
    if status == lib.INFER_E_INVALID_ARGUMENT:
        raise InvalidArgumentError(f"{what} is not what the library takes")
    check(status, [ffi.NULL])


def begin(
    client: Any, request: Request, mode: int, queue: Any = _NULL, tag: int = 0
) -> Any:
    """Starts a call. Dropping what this gives cancels it."""
    handle, model, data = request
    size = len(data)
    call = _gc(_new(_CALL), _end)
    status = _begin(call, client, handle, model, data, size, mode, queue, tag)
    if status != _OK:
        raise failure(call, status)
    return call


def failure(call: Any, status: int) -> Error:
    """Why a call did not begin, or how it ended."""
    error, call.error = call.error, _NULL  # error_from() takes it
    return error_from(status, error)
