#!/usr/bin/env bash
# Makes .venv with everything that the local AWS, the tests and the linters need: the group
# "dev" of pyproject.toml. make runs it before any other target; PYTHON=… chooses the Python.
set -eu
cd "$(dirname "$0")/.."
log=.venv/install.log

usable() { # Python 3.11 or newer, and it runs (a version manager's shim may stand there and fail)
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

python=
for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if usable "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "Python 3.11 or newer is needed, and none was found as ${PYTHON:-python3.13, python3.12, python3.11 or python3}." >&2
    echo "Install one (https://www.python.org/downloads/), or name it: make PYTHON=/path/to/python3.13" >&2
    exit 1
fi

if ! usable .venv/bin/python || [ -n "${PYTHON:-}" ]; then
    rm -f .venv/.installed
    if ! "$python" -m venv --clear .venv; then
        echo "$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2
        exit 1
    fi
fi

.venv/bin/python - >.venv/wanted.txt <<'READ'
import tomllib

with open("pyproject.toml", "rb") as file:
    print("\n".join(tomllib.load(file)["dependency-groups"]["dev"]))
READ
if [ -e .venv/.installed ] && cmp -s .venv/wanted.txt .venv/requirements.txt; then
    touch .venv/.installed # another part of pyproject.toml has changed
    exit 0
fi
mv .venv/wanted.txt .venv/requirements.txt

printf 'Installing packages into .venv with %s (a minute or two, once) ' "$(.venv/bin/python --version)"
started=$SECONDS
.venv/bin/python -m pip install --disable-pip-version-check --no-input \
    -r .venv/requirements.txt >"$log" 2>&1 </dev/null &
pip=$!
trap 'kill "$pip" 2>/dev/null || true' INT TERM
while kill -0 "$pip" 2>/dev/null; do printf .; sleep 2; done
if ! wait "$pip"; then
    printf ' failed\n' >&2
    grep -v 'is ignored' "$log" | tail -n 15 >&2
    echo "The whole log is in $log. Mend what it names (a proxy? no network?) and run make again." >&2
    exit 1
fi
touch .venv/.installed
printf ' done in %s s\n' "$((SECONDS - started))"
