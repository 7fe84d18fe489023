"""What a user can set: one value, made by the command line or by a test."""

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
"""The only address that the server ever binds."""


@dataclass(frozen=True)
class Settings:
    """Settings of one local Redshift; every field but ``data`` has a default.

    ``port`` 0 takes a free port. ``principals`` maps an access key id to the database user that
    its statements run as (an unlisted key ``K`` is the user ``IAM:K``); ``principals_file`` is a
    JSON file of the same, read again whenever a key comes that is not known: keys of roles are
    made while the server runs. ``admins`` are access key
    ids whose database users are superusers; with none listed everyone is the owner of everything,
    and privileges are recorded but not enforced (see ``engine.commands.grants``).
    ``aws_endpoint_url`` is where COPY finds S3 and STS; without it the environment says
    (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_STS), as for every AWS client.
    ``kind`` says which system views there are: STL_ and SVL_ only on a provisioned cluster.

    What the documentation leaves open, or what differs between patches, can be had the other way:

    ``snapshot_at`` "lock" takes a transaction's snapshot when LOCK begins, before the lock is granted;
    by the documentation's list it is taken by the first SELECT, DML or DDL ("statement").
    ``collation`` is what db_collation() answers, and keeps SUPER columns out of a database that is
    case_insensitive; comparisons are case-sensitive whatever it is.
    ``file_etag`` False leaves file_etag and file_last_modified out of SYS_LOAD_DETAIL, as older patches
    do (the page in pt_BR ends with end_time). ``load_detail_seconds`` after a COPY the view has its rows,
    ``load_detail_encoded`` with keys URL-encoded (``=`` as ``%3D``): both seen on clusters by others,
    neither documented. faults.py has the same for single statements.
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
