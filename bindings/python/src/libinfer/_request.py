# SPDX-License-Identifier: MIT
"""Requests: what goes to the provider, as JSON, and how the call is made."""

import json
from typing import Any, Dict, Mapping, Optional, Sequence, Union

from libinfer._errors import InvalidArgumentError, check
from libinfer._ffi import ffi, lib

Messages = Union[str, Sequence[Mapping[str, Any]]]
"""OpenAI-shaped messages, or one text: a single message of the user."""


def to_json(value: Any) -> bytes:
    """UTF-8, lone surrogates too: the library says what is wrong with those."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, RecursionError) as error:
        raise InvalidArgumentError(f"not JSON: {error}") from error
    return text.encode("utf-8", "surrogatepass")


def c_text(value: str) -> bytes:
    """A text for a function that takes no length."""
    data = value.encode("utf-8", "surrogatepass")
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
) -> Any:
    """The handle of a request; members that are None count as not given."""
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    body: Dict[str, Any] = {"model": model, "messages": list(messages)}
    for name, value in members.items():
        if value is not None:
            body[name] = value
    data = to_json(body)
    out, error = ffi.new("infer_request **"), ffi.new("infer_error **")
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
    return request


def _set(status: int, what: str) -> None:
    if status == lib.INFER_OK:
        return
    if status == lib.INFER_E_INVALID_ARGUMENT:
        raise InvalidArgumentError(f"{what} is not what the library takes")
    check(status, [ffi.NULL])


def submit(client: Any, request: Any, mode: int, queue: Any, tag: int) -> Any:
    """Starts a call. Dropping the handle that this gives cancels it."""
    out, error = ffi.new("infer_call **"), ffi.new("infer_error **")
    status = lib.infer_submit(client, request, mode, queue, tag, out, error)
    call = ffi.gc(out[0], lib.binding_call_drop) if out[0] else None
    check(status, error)
    return call


