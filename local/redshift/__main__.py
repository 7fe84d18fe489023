"""``python -m local.redshift``: the local Redshift in the foreground, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from local.redshift.config import Settings
from local.redshift.engine.database import DataDirectoryInUse
from local.redshift.local import LocalRedshift


def main(arguments: list[str] | None = None) -> int:
    """Runs the server; exit code 1 if it cannot start."""
    settings = _settings(arguments)
    try:
        redshift = LocalRedshift(settings).start()
    except (DataDirectoryInUse, OSError) as error:
        print(f"local Redshift: {error}", file=sys.stderr)
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    print(f"local Redshift on {redshift.url}, data in {settings.data}", flush=True)
    stopped.wait()
    redshift.stop()
    return 0


def _settings(arguments: list[str] | None) -> Settings:
    parser = argparse.ArgumentParser(prog="python -m local.redshift", description=__doc__)
    parser.add_argument("--port", type=int, default=4567)
    parser.add_argument("--data", type=Path, default=Path(".local/redshift"))
    parser.add_argument("--isolation", choices=("snapshot", "serializable"), default="snapshot")
    parser.add_argument("--database", default="dev")
    parser.add_argument("--region", default="us-west-2")
    parser.add_argument(
        "--assume-role",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="COPY reads S3 with the credentials of its IAM_ROLE, asked of STS",
    )
    parser.add_argument("--default-iam-role", metavar="ARN", help="what IAM_ROLE default means")
    parser.add_argument(
        "--principals",
        type=Path,
        metavar="FILE",
        help='JSON: {"<access key id>": "<database user>"}; it may come and grow later',
    )
    parser.add_argument(
        "--admin",
        action="append",
        default=[],
        metavar="KEY",
        help="access key id of a superuser; with one given, everybody else's privileges count",
    )
    parser.add_argument("--faults", action="store_true", help="allow faults on purpose")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", default="2GB")
    given = parser.parse_args(arguments)
    return Settings(
        data=given.data,
        port=given.port,
        isolation=given.isolation,
        database=given.database,
        assume_role=given.assume_role,
        default_iam_role=given.default_iam_role,
        region=given.region,
        principals_file=given.principals,
        admins=frozenset(given.admin),
        faults=given.faults,
        memory_limit=given.memory_limit,
        threads=given.threads,
    )


if __name__ == "__main__":
    sys.exit(main())
