#!/usr/bin/env bash
# make lint: every linter over the tree, all of them even if one fails; exit code 1 if one did.
set -u
cd "$(dirname "$0")/.."
failed=()

check() { # check NAME COMMAND…: runs it, shows its output only if it fails
    local name=$1 output started=$SECONDS
    shift
    printf '%-14s ' "$name"
    if output=$("$@" 2>&1 </dev/null); then
        printf 'ok (%s s)\n' "$((SECONDS - started))"
        # What is only assumed of AWS, what is unused, what a user added: shown each time, but no failure.
        if [ "$name" = sql-forms ] && [ -n "$output" ]; then sed 's/^/  /' <<<"$output"; fi
    else
        # mypy lists every overload of boto3.client beside an error: hundreds of lines
        printf 'FAILED\n%s\n' "$(grep -v ': note:     def ' <<<"$output")"
        failed+=("$name")
    fi
}

check ruff ruff check .
check ruff-format ruff format --check .
check mypy mypy
check sam-validate sam validate --lint --template template.yaml --config-env default
check cfn-lint cfn-lint template.yaml docs/other-account/bucket-owner.yaml docs/recipes/*.yaml
check checkov bash tools/checkov.sh template.yaml docs/other-account/bucket-owner.yaml
check asl python -m tools.asl_lint statemachine/*.asl.json
check sqlfluff sqlfluff lint --disable-progress-bar sql docs/hand-written-datasets/sql
check sql-forms python -m tools.sql_lint
check docs python -m tools.docs_lint

if [ ${#failed[@]} -gt 0 ]; then
    echo "make lint: ${failed[*]} failed"
    exit 1
fi
echo "make lint: all clean"
