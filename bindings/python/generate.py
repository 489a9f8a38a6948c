# SPDX-License-Identifier: MIT
"""Writes src/libinfer/_generated.py from the library's own tables.

    python generate.py            write it
    python generate.py --check    exit 1 if it differs

The status codes and their texts come from infer_status_at(), the options from
infer_options_manual(), event types, reasons, phases and kinds of usage from
infer.h as the extension was built with it.
"""

import argparse
import importlib.util
import pathlib
import re
import sys
from types import ModuleType
from typing import Dict, Iterator, List, Tuple


def extension() -> ModuleType:
    """The installed extension, without the package around it, which needs the
    file that is to be written."""
    package = importlib.util.find_spec("libinfer")
    assert package is not None and package.origin is not None
    path = next(pathlib.Path(package.origin).parent.glob("_binding.*.so"))
    spec = importlib.util.spec_from_file_location("libinfer._binding", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


binding = extension()
ffi, lib = binding.ffi, binding.lib

TARGET = pathlib.Path(__file__).parent / "src" / "libinfer" / "_generated.py"

HEAD = '''\
# SPDX-License-Identifier: MIT
# Written by generate.py from the tables of the library. Do not edit.
"""Status codes, event types and options, as the library has them."""

from enum import IntEnum
from typing import Mapping, Tuple


'''


def name_of(pointer: object) -> str:
    return str(ffi.string(pointer).decode())


def statuses() -> Iterator[Tuple[str, int, str]]:
    index = 0
    while True:
        status = lib.infer_status_at(index)
        if status == 1:
            return
        name = name_of(lib.infer_status_name(status))
        name = re.sub("^INFER_(E_)?", "", name)
        yield name, status, name_of(lib.infer_status_text(status))
        index += 1


def constants(prefix: str) -> List[Tuple[str, int]]:
    names = [n for n in dir(lib) if n.startswith(prefix) and not n.endswith("_COUNT")]
    return sorted(((n[len(prefix) :], getattr(lib, n)) for n in names), key=lambda p: p[1])


def enum(name: str, doc: str, members: List[Tuple[str, int]]) -> str:
    lines = [f"class {name}(IntEnum):", f'    """{doc}"""', ""]
    lines += [f"    {member} = {value}" for member, value in members]
    return "\n".join(lines) + "\n"


def manual() -> str:
    text, length = ffi.new("char **"), ffi.new("size_t *")
    if lib.infer_options_manual(text, length) != lib.INFER_OK:
        raise MemoryError
    try:
        return bytes(ffi.unpack(text[0], length[0])).decode()
    finally:
        lib.infer_text_free(text[0])


def tables(markdown: str) -> Dict[str, List[Tuple[str, str]]]:
    """The manual's tables: section -> (option, kind of value)."""
    found: Dict[str, List[Tuple[str, str]]] = {}
    section = ""
    for line in markdown.splitlines():
        if line.startswith("## "):
            section = line[3:].strip()
        row = re.match(r"\| `([^`]+)` \| (.*?) \| ", line)
        if row:
            found.setdefault(section, []).append((row[1], row[2]))
    return found


def generated() -> str:
    codes = list(statuses())
    parts = [enum("Status", "How a function or a call ended.", [c[:2] for c in codes])]
    texts = "".join(f'    {value}: "{text}",\n' for _, value, text in codes)
    parts.append("STATUS_TEXTS: Mapping[int, str] = {\n" + texts + "}\n")
    for name, prefix, doc in (
        ("EventType", "INFER_EVENT_", "What an event brings."),
        ("Reason", "INFER_REASON_", "Why an attempt was started."),
        ("Phase", "INFER_PHASE_", "A point in the life of an attempt."),
        ("UsageKind", "INFER_USAGE_", "What tokens are counted for."),
        ("Warmth", "INFER_WARM_", "How far a provider was reached."),
    ):
        parts.append(enum(name, doc, constants(prefix)))
    found = tables(manual())
    names = ""
    for section, rows in found.items():
        names += f'    "{section}": (\n'
        names += "".join(f'        "{option}",\n' for option, _ in rows)
        names += "    ),\n"
    parts.append("OPTIONS: Mapping[str, Tuple[str, ...]] = {\n" + names + "}\n")
    return HEAD + "\n\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description="writes _generated.py")
    parser.add_argument("--check", action="store_true")
    text = generated()
    if not parser.parse_args().check:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        print(f"{TARGET.name} differs from the library: run generate.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
