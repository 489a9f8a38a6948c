# SPDX-License-Identifier: MIT
"""Describes the extension libinfer._binding to cffi.

The declarations are those of the installed infer.h, read when the extension is
built: there is no second list of functions or constants that could differ.
binding.c adds what makes one call of several: to begin one, to read a batch.
"""

import os
import re
import subprocess
from typing import List, NamedTuple

from cffi import FFI  # type: ignore[import-untyped,unused-ignore]

HERE = os.path.dirname(os.path.abspath(__file__))


class Library(NamedTuple):
    """Where libinfer is installed."""

    includedir: str
    libdir: str


def bundles() -> bool:
    return os.environ.get("LIBINFER_BUNDLE", "") not in ("", "0")


def library() -> Library:
    """The library that LIBINFER_PREFIX names, else the one of pkg-config."""
    prefix = os.environ.get("LIBINFER_PREFIX")
    if prefix:
        for libdir in ("lib", "lib64"):
            if os.path.exists(os.path.join(prefix, libdir, "libinfer.so")):
                return Library(
                    os.path.join(prefix, "include"), os.path.join(prefix, libdir)
                )
        raise SystemExit(f"no libinfer.so below {prefix} (LIBINFER_PREFIX)")
    try:
        return Library(_variable("includedir"), _variable("libdir"))
    except (OSError, subprocess.CalledProcessError):
        raise SystemExit(
            "pkg-config does not find libinfer: install the library first, or set "
            "PKG_CONFIG_PATH to the folder of libinfer.pc, or LIBINFER_PREFIX"
        ) from None


def _variable(name: str) -> str:
    command = ["pkg-config", f"--variable={name}", "libinfer"]
    return subprocess.check_output(command, text=True).strip()


def declarations(header: str) -> str:
    """What cffi is to know of infer.h: types, functions, integer constants."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    constants: List[str] = re.findall(
        r"^#define (INFER_[A-Z0-9_]+)\s+\(?-?\d+\)?\s*$", text, flags=re.MULTILINE
    )
    text = re.sub(r'extern "C" \{|^\s*#.*(?:\\\n.*)*$', "", text, flags=re.MULTILINE)
    text = re.sub(r"\bINFER_(API|CHECKED)\b", "", text)
    text = re.sub(r"^\}\s*$", "", text, flags=re.MULTILINE)
    return "".join(f"#define {name} ...\n" for name in constants) + text


def _read(*path: str) -> str:
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


found = library()
ffi = FFI()
ffi.cdef(declarations(_read(found.includedir, "infer", "infer.h")))
ffi.cdef(_read(HERE, "binding.h"))
# _token.py
ffi.cdef(
    'extern "Python" void infer_python_token_question('
    "infer_token_request *request, void *user_data);"
)
ffi.set_source(
    "libinfer._binding",
    "#include <infer/infer.h>\n"
    + _read(HERE, "binding.h")
    + _read(HERE, "binding.c"),
    include_dirs=[found.includedir],
    library_dirs=[found.libdir],
    libraries=["infer"],
    extra_link_args=["-Wl,-rpath," + ("$ORIGIN" if bundles() else found.libdir)],
)
