"""``python -m fakeshift``: the local Redshift in the foreground; ``--help`` tells how to use it."""

from __future__ import annotations

import argparse
import re
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb

from fakeshift.config import Settings
from fakeshift.engine.database import DataDirectoryInUse
from fakeshift.instance import LocalRedshift


def main(arguments: list[str] | None = None) -> int:
    """Runs the server; exit code 1 if it cannot start."""
    settings = _settings(arguments)
    try:
        redshift = LocalRedshift(settings).start()
    except (DataDirectoryInUse, OSError, ValueError, duckdb.Error, sqlite3.Error) as error:
        print(f"local Redshift: {_why(settings, error)}", file=sys.stderr)
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    print(f"local Redshift on {redshift.url}, data in {settings.data}", flush=True)
    stopped.wait()
    redshift.stop()
    return 0


def _why(settings: Settings, error: Exception) -> str:
    """Why it does not start, with what has to be changed."""
    if isinstance(error, OSError) and error.filename is None:
        return f"port {settings.port}: {error}"
    if isinstance(error, (OSError, duckdb.Error, sqlite3.Error)):
        return f"the data directory {settings.data} cannot be used: {error}"
    return str(error)


def _number(low: int, high: int) -> Callable[[str], int]:
    """A whole number from ``low`` to ``high``."""

    def number(given: str) -> int:
        if not given.isdecimal() or not low <= int(given) <= high:
            raise argparse.ArgumentTypeError(f"{given} is not a number from {low} to {high}")
        return int(given)

    return number


def _matching(pattern: str, example: str) -> Callable[[str], str]:
    """A word that the pattern describes."""

    def word(given: str) -> str:
        if not re.fullmatch(pattern, given):
            raise argparse.ArgumentTypeError(f"{given!r} is not as {example}")
        return given

    return word


_ABOUT = """\
A local Amazon Redshift: the Data API (https://docs.aws.amazon.com/redshift-data/latest/APIReference/)
on 127.0.0.1, over DuckDB. It runs in the foreground until SIGTERM or Ctrl-C. SQL is Redshift's: what
Redshift refuses is refused, and what this server does not have is refused by its name
(fakeshift/docs/coverage.md lists both).
"""

USE = """\
It runs in this repository, for any project: python -m fakeshift --data /where/you/like
From another folder Python has to be told where it is (fakeshift/README.md):

  PYTHONPATH=<this repository> <this repository>/.venv/bin/python -m fakeshift

Point a client at it; any region and credentials do, and any workgroup, cluster or secret is this one:

  export AWS_ENDPOINT_URL_REDSHIFT_DATA=http://127.0.0.1:4567
  export AWS_DEFAULT_REGION=us-west-2 AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=x
  aws redshift-data execute-statement --workgroup-name local --database dev --sql "SELECT 1"

  boto3.client("redshift-data")          # or with endpoint_url="http://127.0.0.1:4567"
  awswrangler.data_api.redshift.connect(workgroup_name="local", database="dev")

Who calls is told by the access key: the key K is the database user IAM:K (--principals gives other
names). A request has to be signed, as on AWS; the signature is not verified. Everybody is the owner of
everything, unless there is an --admin.

COPY and UNLOAD speak to the S3 that AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL names (AWS's own without
either), with the credentials of their IAM_ROLE, which STS gives there (AWS_ENDPOINT_URL_STS);
--no-assume-role takes those of the environment instead.

In the data directory: the tables (a DuckDB file), statements and results (24 hours), the records of
the system views (7 days), sql-in.jsonl and sql-run.jsonl with every SQL text as it came, and as it
ended with what DuckDB was sent. All of it survives a restart; a statement that ran then has FAILED.
One server has it at a time.

  curl http://127.0.0.1:4567/_local/health      is it there, how many statements run or wait for locks
  curl http://127.0.0.1:4567/_local/faults -d '{"sql": "COPY", "kind": "abort"}'     with --faults only:
      python -m pydoc fakeshift.faults     what can be made to go wrong
"""


def _settings(arguments: list[str] | None) -> Settings:
    parser = argparse.ArgumentParser(
        prog="python -m fakeshift",
        description=_ABOUT,
        epilog=USE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--port", type=_number(0, 65535), default=4567, help="0 takes a free one (4567)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".local/redshift"),
        metavar="DIR",
        help="where everything is kept (.local/redshift)",
    )
    parser.add_argument(
        "--database",
        # of redshift-serverless CreateNamespace's dbName
        type=_matching(r"[a-zA-Z][a-zA-Z_0-9+.@-]{0,126}", "dev"),
        default="dev",
        metavar="NAME",
        help="the only one (dev)",
    )
    parser.add_argument(
        "--kind",
        choices=("serverless", "provisioned"),
        default="serverless",
        help="on serverless nobody may read the STL_ and SVL_ views, a provisioned cluster has them",
    )
    parser.add_argument(
        "--isolation",
        choices=("snapshot", "serializable"),
        default="snapshot",
        help="of the database: snapshot is the default of serverless and of new clusters",
    )
    parser.add_argument(
        "--snapshot-at",
        choices=("statement", "lock"),
        default="statement",
        help="what takes a transaction's snapshot: its first SELECT, DML or DDL, or LOCK already",
    )
    parser.add_argument(
        "--collation",
        choices=("case_sensitive", "case_insensitive"),
        default="case_sensitive",
        help="what db_collation() answers; comparisons stay case-sensitive",
    )
    parser.add_argument(
        "--file-etag",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="SYS_LOAD_DETAIL has file_etag and file_last_modified, as on newer patches (yes)",
    )
    parser.add_argument(
        "--load-detail-seconds",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="SYS_LOAD_DETAIL has the rows of a COPY that long after it (0)",
    )
    parser.add_argument(
        "--load-detail-encoded",
        action="store_true",
        help="SYS_LOAD_DETAIL has the files' keys URL-encoded",
    )
    parser.add_argument("--region", default="us-west-2", help="of S3 and STS (us-west-2)")
    parser.add_argument(
        "--assume-role",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="COPY and UNLOAD use the credentials of their IAM_ROLE, asked of STS (yes)",
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
    parser.add_argument("--faults", action="store_true", help="allow faults on purpose, for tests")
    parser.add_argument("--threads", type=_number(1, 1024), default=2, help="of DuckDB (2)")
    parser.add_argument(
        "--memory-limit",
        type=_matching(r"(?i)[0-9]+(\.[0-9]+)? ?[KMGT]i?B", "2GB"),
        default="2GB",
        metavar="SIZE",
        help="of DuckDB (2GB)",
    )
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
        kind=given.kind,
        snapshot_at=given.snapshot_at,
        collation=given.collation,
        file_etag=given.file_etag,
        load_detail_seconds=given.load_detail_seconds,
        load_detail_encoded=given.load_detail_encoded,
    )


if __name__ == "__main__":
    sys.exit(main())
