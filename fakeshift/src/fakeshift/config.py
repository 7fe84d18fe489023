"""The settings: one value, created by the command line or by a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Isolation = Literal["snapshot", "serializable"]
Kind = Literal["serverless", "provisioned"]
SnapshotAt = Literal["statement", "lock"]
Collation = Literal["case_sensitive", "case_insensitive"]

HOST = "127.0.0.1"
"""The only address that the server binds."""


@dataclass(frozen=True)
class Settings:
    """Settings of one local Redshift; every field but ``data`` has a default.

    ``port`` 0 selects a free port. ``principals`` maps an access key id to the database user that
    its statements run as (an unlisted key ``K`` is the user ``IAM:K``); ``principals_file`` is a
    JSON file with the same content, read again for every unknown key: keys of roles are
    created while the server runs. ``admins`` are access key
    ids whose database users are superusers; if none is listed, everyone owns everything,
    and privileges are recorded but not enforced (see ``commands.grants``).
    ``aws_endpoint_url`` is where COPY finds S3 and STS; without it the environment decides
    (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_STS), as for every AWS client.
    ``kind`` selects the system views: STL_ and SVL_ only on a provisioned cluster.

    These change behaviour that is undocumented or differs between patches:

    ``snapshot_at`` "lock" takes a transaction's snapshot when LOCK begins, before the lock is granted;
    by default the first SELECT, DML or DDL takes it ("statement"), as the documentation lists.
    ``collation`` is what db_collation() returns. A case_insensitive database has no SUPER
    columns; comparisons are always case-sensitive.
    ``file_etag`` False leaves file_etag and file_last_modified out of SYS_LOAD_DETAIL, as older patches
    do (the page in pt_BR ends with end_time). The view gets its rows
    ``load_detail_seconds`` after a COPY; with ``load_detail_encoded`` its keys are URL-encoded (``=``
    as ``%3D``): both were seen on clusters, neither is documented. faults.py has the same for single
    statements.
    """

    data: Path
    port: int = 4567
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
