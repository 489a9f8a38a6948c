# SPDX-License-Identifier: MIT
"""What was generated is what the library says; every status has a class."""

import pathlib
import subprocess
import sys

import libinfer
from libinfer._errors import CLASSES, error_from
from libinfer._ffi import lib, text

ROOT = pathlib.Path(__file__).parent.parent


def test_generated_constants_are_current() -> None:
    """The generator reads the installed library; its file is in the sources."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "generate.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_every_status_has_a_class_of_its_own() -> None:
    index = 1
    while (status := lib.infer_status_at(index)) != 1:
        assert status in CLASSES, text(lib.infer_status_name(status))
        assert error_from(status).status == status
        assert CLASSES[status]("made here").status == status
        index += 1
    assert len(set(CLASSES.values())) == len(CLASSES) == index - 1


def test_unknown_status_is_a_call_error() -> None:
    error = error_from(-9999)
    assert type(error) is libinfer.CallError and error.status == -9999


def test_every_event_type_is_made() -> None:
    from libinfer import _reader

    made = set(_reader._PLAIN) | {_reader._START, _reader._DONE, _reader._ATTEMPT}
    made |= {_reader._DELTA, _reader._TOOL_DONE}
    assert made == {int(kind) for kind in libinfer.EventType}


def test_every_function_of_the_header_is_there() -> None:
    assert len([name for name in dir(lib) if name.startswith("infer_")]) > 150
    assert libinfer.LIBRARY_VERSION == libinfer.__version__


def test_everything_is_exported() -> None:
    for name in libinfer.__all__:
        assert hasattr(libinfer, name)
    for error in CLASSES.values():
        assert getattr(libinfer, error.__name__) is error
