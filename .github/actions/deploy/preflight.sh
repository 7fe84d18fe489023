#!/usr/bin/env bash
# preflight.sh CONFIG_ENV: starts the preflight of the stack that an environment of samconfig.toml names, and waits for it
# (sixteen minutes at most: its function may take fifteen). Exit code 1 if something must be fixed; the report says what.
set -euo pipefail

stack=$(python3 - "$1" <<'READ'
import sys, tomllib

with open("samconfig.toml", "rb") as file:
    print(tomllib.load(file)[sys.argv[1]]["global"]["parameters"]["stack_name"])
READ
)
machine=$(aws cloudformation describe-stacks --stack-name "$stack" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='StateMachineArn'].OutputValue")
execution=$(aws stepfunctions start-execution --state-machine-arn "$machine" --input '{"check": true}' \
    --query executionArn --output text)
for _ in $(seq 192); do
    status=$(aws stepfunctions describe-execution --execution-arn "$execution" --query status --output text)
    [ "$status" = RUNNING ] || break
    sleep 5
done
aws stepfunctions describe-execution --execution-arn "$execution" --query '[status, output, cause]' --output json
[ "$status" = SUCCEEDED ]
