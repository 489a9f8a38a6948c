# SPDX-License-Identifier: MIT
"""Waiting without being deaf to signals.

Python runs signal handlers on the main thread, between two of its instructions.
A wait in the library is not one of those and no signal ends it; so the main
thread waits in slices. Other threads have no signals to handle and wait in one
piece.
"""

import os
import threading
from threading import get_ident
from typing import Any, Callable, List, TypeVar

T = TypeVar("T")

SLICE_MS = 50
"""Half of the 100 ms within which Ctrl-C is to be heard."""


_main = threading.main_thread().ident


def _after_fork() -> None:
    global _main
    _main = get_ident()  # whichever thread forked


os.register_at_fork(after_in_child=_after_fork)


def slice_ms() -> int:
    """How long this thread may wait at a time; -1: without limit."""
    return SLICE_MS if get_ident() == _main else -1


def interruptibly(work: Callable[[], T], give_up: Callable[[], Any]) -> T:
    """Runs a function of the library that cannot be waited for in slices.

    On the main thread it runs on a helper; a signal whose handler raises leaves
    it there, after give_up() has told the library.
    """
    if slice_ms() < 0:
        return work()
    result: List[T] = []
    failure: List[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            failure.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="libinfer-wait", daemon=True).start()
    try:
        done.wait()
    except BaseException:
        give_up()
        raise
    if failure:
        raise failure[0]
    return result[0]
