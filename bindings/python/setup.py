# SPDX-License-Identifier: MIT
"""Builds the extension against an installed libinfer; see README.md.

With LIBINFER_BUNDLE=1 the library itself goes into the wheel, beside the
extension, which finds it there wherever the wheel is installed.
"""

import glob
import os
import shutil
import sys

from setuptools import setup
from setuptools.command.build_ext import build_ext

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from build_binding import bundles, library  # noqa: E402


class BuildExtension(build_ext):
    """The usual build_ext, which can put the library beside the extension."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.force = True  # what an earlier build left may be for another library

    def run(self) -> None:
        super().run()
        package = os.path.dirname(
            os.path.abspath(self.get_ext_fullpath("libinfer._binding"))
        )
        for path in glob.glob(os.path.join(package, "libinfer.so.*")):
            os.remove(path)
        if bundles():
            # The name under which the extension looks for it, links followed.
            for path in glob.glob(os.path.join(library().libdir, "libinfer.so.?")):
                shutil.copyfile(path, os.path.join(package, os.path.basename(path)))


setup(
    cffi_modules=["build_binding.py:ffi"],
    cmdclass={"build_ext": BuildExtension},
    options={"bdist_wheel": {"py_limited_api": "cp39"}},
)
