# SPDX-License-Identifier: MIT
"""Small things that every module needs between Python and the extension."""

import os
from typing import Any, Callable

from libinfer._binding import ffi, lib

__all__ = ["ffi", "fork_generation", "lib", "sized", "text"]

_generation = 0


def _after_fork() -> None:
    global _generation
    _generation += 1


os.register_at_fork(after_in_child=_after_fork)


def fork_generation() -> int:
    """How many forks lie between this process and the one that began."""
    return _generation


def text(pointer: Any) -> str:
    """A NUL-terminated text of the library."""
    return str(ffi.string(pointer), "utf-8", "replace")


def sized(accessor: Callable[..., Any], *args: Any) -> str:
    """The text of an accessor that also tells its length."""
    length = ffi.new("size_t *")
    pointer = accessor(*args, length)
    return str(ffi.unpack(pointer, length[0]), "utf-8", "replace")
