"""``fakeshift`` or ``python -m fakeshift``: the server in the foreground; ``--help`` explains how to use it."""

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

from fakeshift import __version__
from fakeshift.config import HOST, Settings
from fakeshift.engine.database import DataDirectoryInUse
from fakeshift.instance import LocalRedshift


def main(arguments: list[str] | None = None) -> int:
    """Runs the server until SIGTERM or SIGINT. Returns exit code 1 if it cannot start."""
    settings = _settings(arguments)
    try:
        redshift = LocalRedshift(settings).start()
    except (DataDirectoryInUse, OSError, ValueError, duckdb.Error, sqlite3.Error) as error:
        print(f"fakeshift: {_why(settings, error)}", file=sys.stderr)
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    print(f"fakeshift on {redshift.url}, data in {settings.data}", flush=True)
    if redshift.wire is not None:
        print(f"PostgreSQL protocol on {HOST}:{redshift.pg_port}", flush=True)
    stopped.wait()
    redshift.stop()
    return 0


def _why(settings: Settings, error: Exception) -> str:
    """Why it does not start, naming what has to change."""
    if isinstance(error, OSError) and error.filename is None:
        ports = [settings.port, *([settings.pg_port] if settings.pg_port else [])]
        return f"port {' or '.join(map(str, ports))}: {error}"
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
    """A word that matches the whole pattern; ``example`` goes into the error."""

    def word(given: str) -> str:
        if not re.fullmatch(pattern, given):
            raise argparse.ArgumentTypeError(f"{given!r} is not like {example}")
        return given

    return word


_ABOUT = """\
fakeshift is a local Amazon Redshift: the Redshift Data API
(https://docs.aws.amazon.com/redshift-data/latest/APIReference/) on 127.0.0.1, over DuckDB. It runs in
the foreground until SIGTERM or Ctrl-C. The SQL is Redshift's: what Redshift rejects is rejected, and
a feature of Redshift that fakeshift does not have fails with an error that names it.
"""

USE = """\
Point a client at it. Any region and credentials work, and every workgroup, cluster and secret is this
one warehouse:

  export AWS_ENDPOINT_URL_REDSHIFT_DATA=http://127.0.0.1:4567
  export AWS_DEFAULT_REGION=us-west-2 AWS_ACCESS_KEY_ID=me AWS_SECRET_ACCESS_KEY=x
  aws redshift-data execute-statement --workgroup-name local --database dev --sql "SELECT 1"

  boto3.client("redshift-data")          # or with endpoint_url="http://127.0.0.1:4567"
  awswrangler.data_api.redshift.connect(workgroup_name="local", database="dev")

The access key identifies the caller: key K is the database user IAM:K (--principals gives other
names). A request must be signed, as on AWS, but the signature is not verified. Everyone owns
everything, unless there is an --admin.

COPY and UNLOAD use the S3 that AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL names (the real AWS if neither
is set), with the credentials of their IAM_ROLE, which they request from STS there
(AWS_ENDPOINT_URL_STS); --no-assume-role uses the credentials of the environment instead.

The data directory holds the tables (a DuckDB file), statements and results (24 hours), the records of
the system views (7 days), and every SQL text in sql-in.jsonl (as it was received) and sql-run.jsonl
(with its outcome and the SQL that DuckDB got). All of it survives a restart; a statement that was
running has the status FAILED. Only one server can use a data directory at a time.

  curl http://127.0.0.1:4567/_local/health      is it up, and how many statements run or wait for locks
  curl http://127.0.0.1:4567/_local/faults -d '{"sql": "COPY", "kind": "abort"}'     needs --faults;
      python -m pydoc fakeshift.faults     lists what can be made to fail
"""


def _settings(arguments: list[str] | None) -> Settings:
    parser = argparse.ArgumentParser(
        prog="fakeshift",
        description=_ABOUT,
        epilog=USE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fakeshift {__version__}")
    parser.add_argument(
        "--port", type=_number(0, 65535), default=4567, help="0 picks a free one (default: 4567)"
    )
    parser.add_argument(
        "--pg-port",
        type=_number(0, 65535),
        metavar="PORT",
        help="also serve the PostgreSQL protocol, 5439 on Redshift; 0 picks a free port (default: no)",
    )
    parser.add_argument(
        "--tls",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="offer TLS on --pg-port, with a self-made certificate (default: yes)",
    )
    parser.add_argument(
        "--authentication",
        choices=("md5", "cleartext"),
        default="md5",
        help="how --pg-port asks for a password (default: md5)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(".fakeshift"),
        metavar="DIR",
        help="the data directory, created if it does not exist (default: .fakeshift)",
    )
    parser.add_argument(
        "--database",
        # of redshift-serverless CreateNamespace's dbName
        type=_matching(r"[a-zA-Z][a-zA-Z_0-9+.@-]{0,126}", "dev"),
        default="dev",
        metavar="NAME",
        help="name of the only database (default: dev)",
    )
    parser.add_argument(
        "--kind",
        choices=("serverless", "provisioned"),
        default="serverless",
        help="STL_ and SVL_ views can be read on a provisioned cluster only (default: serverless)",
    )
    parser.add_argument(
        "--isolation",
        choices=("snapshot", "serializable"),
        default="snapshot",
        help="isolation level of the database (default: snapshot, as on serverless and new clusters)",
    )
    parser.add_argument(
        "--snapshot-at",
        choices=("statement", "lock"),
        default="statement",
        help="what takes a transaction's snapshot: the first SELECT, DML or DDL, or already LOCK",
    )
    parser.add_argument(
        "--collation",
        choices=("case_sensitive", "case_insensitive"),
        default="case_sensitive",
        help="what db_collation() returns; comparisons stay case-sensitive",
    )
    parser.add_argument(
        "--file-etag",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="SYS_LOAD_DETAIL has file_etag and file_last_modified, as on newer patches (default: yes)",
    )
    parser.add_argument(
        "--load-detail-seconds",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="delay until SYS_LOAD_DETAIL has the rows of a COPY (default: 0)",
    )
    parser.add_argument(
        "--load-detail-encoded", action="store_true", help="SYS_LOAD_DETAIL has URL-encoded keys"
    )
    parser.add_argument(
        "--region", default="us-west-2", help="region of S3 and STS (default: us-west-2)"
    )
    parser.add_argument(
        "--assume-role",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="COPY and UNLOAD get the credentials of their IAM_ROLE from STS (default: yes)",
    )
    parser.add_argument(
        "--default-iam-role", metavar="ARN", help="the role that IAM_ROLE default means"
    )
    parser.add_argument(
        "--principals",
        type=Path,
        metavar="FILE",
        help='JSON: {"<access key id>": "<database user>"}; it may be created and grow later',
    )
    parser.add_argument(
        "--admin",
        action="append",
        default=[],
        metavar="KEY",
        help="access key id of a superuser; privileges of all other users are then enforced",
    )
    parser.add_argument("--faults", action="store_true", help="allow tests to inject faults")
    parser.add_argument(
        "--threads", type=_number(1, 1024), default=2, help="threads of DuckDB (default: 2)"
    )
    parser.add_argument(
        "--memory-limit",
        type=_matching(r"(?i)[0-9]+(\.[0-9]+)? ?[KMGT]i?B", "2GB"),
        default="2GB",
        metavar="SIZE",
        help="memory limit of DuckDB (default: 2GB)",
    )
    given = parser.parse_args(arguments)
    return Settings(
        data=given.data,
        port=given.port,
        pg_port=given.pg_port,
        tls=given.tls,
        authentication=given.authentication,
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
