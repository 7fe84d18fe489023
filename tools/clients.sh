#!/usr/bin/env bash
# Installs the clients of Redshift that fakeshift/tests/test_tools.py runs, each into an environment of its own
# (.tools/<name>, from fakeshift/tests/tools/<name>.txt), then runs that test. Words after it choose tools: all without.
set -eu
cd "$(dirname "$0")/.."
folder=$PWD/.tools
names=${*:-$(basename -s .txt fakeshift/tests/tools/*.txt)}
for name in $names; do
    list=fakeshift/tests/tools/$name.txt
    if ! cmp -s "$list" "$folder/$name/installed.txt"; then
        echo "installing $name"
        .venv/bin/python -m venv --clear "$folder/$name"
        "$folder/$name/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list"
        cp "$list" "$folder/$name/installed.txt"
    fi
done
FAKESHIFT_TOOLS=$folder exec .venv/bin/python -m pytest -n 0 -rs --no-header fakeshift/tests/test_tools.py
