#!/usr/bin/env bash
# Creates .venv with the packages of a dependency group of pyproject.toml: demo (the local AWS and its commands) or dev
# (also the tests and the linters). make runs it before any other target; PYTHON=… chooses the Python. It does what
# `uv sync` would do, so that nothing but Python is needed.
set -eu
cd "$(dirname "$0")/.."

usable() { # Python 3.11 or newer, and it runs (it may be a version manager's shim that fails)
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

same() { # .venv was created with this Python
    [ "$("$1" -c 'import sys; print(sys.base_prefix, sys.version)')" = \
        "$(.venv/bin/python -c 'import sys; print(sys.base_prefix, sys.version)')" ]
}

python=
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if usable "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is required, and none was found as ${PYTHON:-python3.13, python3.12, python3.11 or python3}." >&2
    echo "Install one (https://www.python.org/downloads/), or name it: make PYTHON=/path/to/python3.13" >&2
    exit 1
fi

if ! usable .venv/bin/python || { [ -n "${PYTHON:-}" ] && ! same "$python"; }; then
    echo "creating .venv with $("$python" --version)"
    if ! "$python" -m venv --clear .venv; then
        echo "$python cannot create a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi
exec .venv/bin/python -m tools.install "${1:-dev}"
