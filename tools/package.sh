#!/usr/bin/env bash
# Installs fakeshift alone in an empty environment of each Python that it is called with (without one: that of .venv,
# or python3), and runs its README's test.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { [ -x .venv/bin/python ] && set -- .venv/bin/python; } || set -- python3
unset PYTHONPATH
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
git ls-files --cached --others --exclude-standard fakeshift | tar -chf - -T - | tar -xf - -C "$place"  # pip builds in its folder
awk '/^```python$/ {on = 1; next} /^```$/ {if (on) exit} on' fakeshift/README.md > "$place/test_readme.py"
for python in "$@"; do
    "$python" -m venv "$place/venv" --clear
    "$place/venv/bin/pip" install --quiet --disable-pip-version-check "$place/fakeshift" pytest
    "$place/venv/bin/fakeshift" --version
    (cd "$place" && venv/bin/python -m pytest -q test_readme.py)
done
