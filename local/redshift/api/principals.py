"""Who is calling: from the Authorization header to a principal and its database user.

The signature itself is not verified: the server is on 127.0.0.1 and has nobody's secret keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from local.redshift.config import Settings

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")


@dataclass(frozen=True)
class Principal:
    """A caller: ``id`` owns statements, ``db_user`` owns tables and rows of the system views.

    ``iam_session`` tells the sessions of one IAM role apart (RoleLevel of ListStatements).
    """

    id: str
    db_user: str
    superuser: bool
    iam_session: str = ""


Resolver = Callable[[str], Principal]
"""From an access key id to its principal; give ``Operations`` another one to plug IAM in."""


def access_key(authorization: str | None) -> str:
    """``AWS4-HMAC-SHA256 Credential=AKIA.../2026...`` -> ``AKIA...``; ``anonymous`` without one."""
    match = _CREDENTIAL.search(authorization or "")
    return match.group(1) if match else "anonymous"


def from_settings(settings: Settings) -> Resolver:
    """The default: an access key is a principal of its own, named in ``settings.principals``
    or its file.

    Two keys with the same database user are one principal, as two sessions of one IAM role are
    (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html, considerations).
    """

    known = dict(settings.principals)
    file = settings.principals_file

    def resolve(key: str) -> Principal:
        if key not in known and file is not None and file.exists():
            known.update(json.loads(file.read_text(encoding="utf-8")))
        user = known.get(key, f"IAM:{key}")
        return Principal(id=user, db_user=user, superuser=key in settings.admins, iam_session=key)

    return resolve
