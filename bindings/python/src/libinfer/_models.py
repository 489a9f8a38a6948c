# SPDX-License-Identifier: MIT
"""The models that a provider lists."""

import json
from typing import Any, Dict, List

from libinfer._errors import check
from libinfer._ffi import ffi, lib, sized, text
from libinfer._request import c_text
from libinfer._wait import slice_ms


def begin(
    client: Any, provider: str, timeout: float, queue: Any = ffi.NULL, tag: int = 0
) -> Any:
    """Starts to fetch them. Dropping the call that this gives cancels it."""
    out, error = ffi.new("infer_call **"), ffi.new("infer_error **")
    timeout_ms = max(0, round(timeout * 1000))
    status = lib.infer_submit_models(
        client, c_text(provider), timeout_ms, queue, tag, out, error
    )
    check(status, error)
    return ffi.gc(out[0], _drop)


def cancel(call: Any) -> None:
    lib.infer_call_cancel(call)
    # A client without a thread of its own gets a turn to do so.
    lib.infer_call_wait(call, 0, ffi.NULL, ffi.NULL)


def _drop(call: Any) -> None:
    cancel(call)
    lib.infer_call_free(call)


def listed(call: Any) -> List[Dict[str, Any]]:
    """The provider's own entries, of a call that has ended; one that is named
    by another member has its name as ``id``, too."""
    out, error = ffi.new("infer_model_list **"), ffi.new("infer_error **")
    check(lib.infer_call_models(call, out, error), error)
    models = ffi.gc(out[0], lib.infer_model_list_free)
    return [
        {
            "id": text(lib.infer_model_list_id(models, i)),
            **json.loads(sized(lib.infer_model_list_json, models, i)),
        }
        for i in range(lib.infer_model_list_count(models))
    ]


def models(core: Any, provider: str, timeout: float) -> List[Dict[str, Any]]:
    """Fetches them, waiting."""
    call = begin(core.handle, provider, timeout)
    status = lib.INFER_E_TIMEOUT
    try:
        while status == lib.INFER_E_TIMEOUT:
            status = lib.infer_call_wait(call, slice_ms(), ffi.NULL, ffi.NULL)
    except BaseException:  # KeyboardInterrupt among them
        cancel(call)
        raise
    return listed(call)
