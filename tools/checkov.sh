#!/usr/bin/env bash
# checkov over a template, with .checkov.yaml. It pins a boto3 of its own, so it lives in a virtual environment of its own.
set -eu
cd "$(dirname "$0")/.."
version=3.3.30
home=.venv/checkov
if [ ! -x "$home/bin/checkov" ] || [ "$(cat "$home/version" 2>/dev/null)" != "$version" ]; then
    rm -rf "$home"
    .venv/bin/python -m venv "$home"
    "$home/bin/pip" install --quiet --disable-pip-version-check "checkov==$version"
    echo "$version" >"$home/version"
fi
exec "$home/bin/checkov" --config-file .checkov.yaml --file "$@"
