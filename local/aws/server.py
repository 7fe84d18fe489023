"""python -m local.aws.server --port PORT --data DIR: every AWS service but Redshift, by MiniStack.

MiniStack is configured by environment variables, which it reads when it is imported; those that matter
are set only here. Where it differs from AWS is in local/aws/ministack.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from local.environment import HOST, REGION

FUNCTIONS_AT_ONCE = 32
"""Concurrent invocations of all functions, and their processes, about 70 MB each. AWS has 1,000, 10 in a new account:
https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
"""


def functions_folder(data: Path) -> Path:
    """The only folder in which MiniStack unpacks the functions that it runs."""
    return data / "functions"


def principals_file(data: Path) -> Path:
    """The database user of each role's functions, by access key id."""
    return data / "principals.json"


def inbox_file(data: Path) -> Path:
    """What was sent to SNS topics, one JSON object per line (local/aws/ministack/notifications.py)."""
    return data / "inbox.jsonl"


def variables(port: int, data: Path) -> dict[str, str]:
    """MiniStack's settings."""
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": REGION,
        # The template's IAM policies apply here too; test/test is the account's root user.
        "AUTH": "true",
        "LAMBDA_EXECUTOR": "local",
        "LAMBDA_ACCOUNT_CONCURRENCY": str(FUNCTIONS_AT_ONCE),
        # Buckets, the stack and its executions survive a restart.
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "s3"),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "TMPDIR": str(functions_folder(data)),
        # Listeners and daemons that are not used here.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{data / 'no-docker.sock'}",
        # The functions inherit all of this. There is no X-Ray daemon.
        "POWERTOOLS_TRACE_DISABLED": "1",
    }


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m local.aws.server", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    data: Path = arguments.data.resolve()
    os.environ.update(variables(arguments.port, data))
    shutil.rmtree(functions_folder(data), ignore_errors=True)
    for name in ("s3", "state", "functions/unpacked"):
        (data / name).mkdir(parents=True, exist_ok=True)

    # Only now: both read the variables when they are imported.
    from local.aws import ministack as differences

    differences.fix(principals_file(data), functions_folder(data) / "unpacked", inbox_file(data))
    from ministack.app import main as serve

    sys.argv = sys.argv[:1]
    serve()


if __name__ == "__main__":
    main()
