"""The settings: one value, created by the command line or by a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Isolation = Literal["snapshot", "serializable"]
Kind = Literal["serverless", "provisioned"]
SnapshotAt = Literal["statement", "lock"]
Collation = Literal["case_sensitive", "case_insensitive"]

Authentication = Literal["md5", "cleartext"]

PG_PORT = 5439
"""Redshift's port."""

HOST = "127.0.0.1"
"""The only address that the server binds."""


@dataclass(frozen=True)
class Settings:
    """Settings of one server; every field but ``data`` has a default.

    ``data`` is the directory that holds everything; it is created if it does not exist.
    ``port`` 0 picks a free port. ``principals`` maps an access key id to the database user that
    its statements run as (an unlisted key ``K`` is the user ``IAM:K``). ``principals_file`` is a
    JSON file with the same content, read again whenever an unknown key calls, because keys of
    roles are created while the server runs. ``admins`` are access key ids whose database users
    are superusers; with none listed everyone owns everything, and privileges are recorded but not
    enforced. ``aws_endpoint_url`` is where COPY and UNLOAD find S3 and STS; without it the
    environment decides (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_STS), as for every
    AWS client. ``kind`` decides which system views exist: STL_ and SVL_ only on a provisioned
    cluster.

    ``pg_port`` is the port of the PostgreSQL protocol (5439 on Redshift; 0 picks a free one); None: there
    is none. ``tls`` False refuses TLS there. ``authentication`` is how it asks for the password of a
    user who has one; ``connections`` is the most that it serves at a time.

    Some behavior is undocumented or differs between patches of Redshift; these fields choose:

    ``snapshot_at`` "lock" takes a transaction's snapshot when LOCK starts, before the lock is granted;
    the documentation lists the first SELECT, DML or DDL ("statement").
    ``collation`` is what db_collation() returns, and a case_insensitive database refuses SUPER
    columns; comparisons are case-sensitive either way.
    ``file_etag`` False leaves file_etag and file_last_modified out of SYS_LOAD_DETAIL, as older patches
    do (the page in pt_BR ends with end_time). ``load_detail_seconds`` is the delay after a COPY until
    the view has its rows, and ``load_detail_encoded`` URL-encodes its keys (``=`` as ``%3D``); others
    have seen both on clusters, and neither is documented. ``Fault`` does the same for single
    statements.

    ``clock`` returns seconds since 1970. Statements, sessions and client tokens get their times from
    it and expire by it; a test can move it forward.
    """

    data: Path
    port: int = 4567
    pg_port: int | None = None
    tls: bool = True
    authentication: Authentication = "md5"
    connections: int = 500
    isolation: Isolation = "snapshot"
    database: str = "dev"
    assume_role: bool = True
    default_iam_role: str | None = None
    region: str = "us-west-2"
    principals: Mapping[str, str] = field(default_factory=dict)
    principals_file: Path | None = None
    admins: frozenset[str] = frozenset()
    faults: bool = False
    aws_endpoint_url: str | None = None
    memory_limit: str = "2GB"
    threads: int = 2
    kind: Kind = "serverless"
    snapshot_at: SnapshotAt = "statement"
    collation: Collation = "case_sensitive"
    file_etag: bool = True
    load_detail_seconds: float = 0.0
    load_detail_encoded: bool = False
    clock: Callable[[], float] = time.time
