"""Who submits statements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """A caller: ``id`` owns statements, ``db_user`` owns tables and rows of the system views.

    ``iam_session`` distinguishes the sessions of one IAM role (RoleLevel of ListStatements).
    """

    id: str
    db_user: str
    superuser: bool
    iam_session: str = ""
