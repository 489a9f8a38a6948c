# SPDX-License-Identifier: MIT
"""Tokens that the application gets: its function runs on a thread of its own,
never on the library's, which only asks for it."""

import threading
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union

from libinfer._errors import AuthError, error_from
from libinfer._ffi import ffi, lib

Token = Union[str, Tuple[str, float]]
"""A token, or a token and its end in seconds since 1970."""

TokenSource = Callable[[bool], Token]
"""Gets a token for a provider. Its argument: whether the provider has refused
the last one, so that a cache must not give it again. An AuthError
means that somebody has to mend it: it is called again after a minute at the
soonest; any other exception is a passing one, asked again after 1 s, 2 s, 4 s,
... The exception's text is part of the error of calls: it must not hold a
secret."""

# For ever: the library may ask at any time. The same function is the same
# source, so that a reload keeps its token.
_handles: Dict[TokenSource, Any] = {}
_lock = threading.Lock()


def set_token_sources(
    config: Any, sources: Optional[Mapping[str, TokenSource]]
) -> None:
    for provider, source in (sources or {}).items():
        with _lock:
            handle = _handles.setdefault(source, ffi.new_handle(source))
        status = lib.infer_config_set_token_source(
            config, provider.encode(), lib.infer_python_token_question, handle
        )
        if status != lib.INFER_OK:
            raise error_from(status, ffi.NULL)


@ffi.def_extern()  # type: ignore[untyped-decorator,unused-ignore]
def infer_python_token_question(request: Any, user_data: Any) -> None:
    source = ffi.from_handle(user_data)
    threading.Thread(
        target=_answer, args=(request, source), name="libinfer-token", daemon=True
    ).start()


def _answer(request: Any, source: TokenSource) -> None:
    try:
        token = source(bool(lib.infer_token_request_refused(request)))
        text, end = token if isinstance(token, tuple) else (token, 0.0)
        data = text.encode()
    except BaseException as error:
        refused = isinstance(error, AuthError)
        status = lib.INFER_E_AUTH if refused else lib.INFER_E_SERVER
        lib.infer_token_fail(request, status, str(error).replace("\0", " ").encode())
        return
    lib.infer_token_deliver(request, data, len(data), int(end))
