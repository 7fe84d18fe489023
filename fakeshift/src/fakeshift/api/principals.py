"""Who is calling: from the Authorization header to a principal and its database user.

A request must be signed for this service. The signature is not verified: the server listens on
127.0.0.1 only and has no secret keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from fakeshift.config import Settings
from fakeshift.principal import Principal
from fakeshift.refusals import ApiError

SERVICE = "redshift-data"
"""What a request is signed for: signingName of botocore's model."""

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/(?:[^,\s]*/)?([^/,\s]*)/aws4_request")


Resolver = Callable[[str], Principal]
"""Maps an access key id to its principal; pass another one to ``LocalRedshift`` to plug in IAM."""


def access_key(authorization: str | None, service: str = SERVICE) -> str:
    """``AWS4-HMAC-SHA256 Credential=AKIA.../20261101/us-west-2/redshift-data/aws4_request`` -> ``AKIA...``

    Raises ApiError for a request that is not signed, or for another service.
    https://docs.aws.amazon.com/redshift/latest/APIReference/CommonErrors.html,
    https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
    """
    if not authorization or not authorization.startswith("AWS4-"):
        raise ApiError(
            "MissingAuthenticationTokenException", "Missing Authentication Token", status=403
        )
    match = _CREDENTIAL.search(authorization)
    if match is None:
        raise ApiError(
            "IncompleteSignatureException",
            "Credential must have at least 5 slash-separated elements "
            f"and end with aws4_request: {authorization}",
        )
    if match[2] != service:
        raise ApiError(
            "InvalidSignatureException",
            f"Credential should be scoped to correct service: '{service}'.",
        )
    return match[1]


def from_settings(settings: Settings) -> Resolver:
    """The default: each access key is its own principal, named in ``settings.principals``
    or its file.

    Two keys with the same database user are one principal, as two sessions of one IAM role are
    (https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html, considerations).
    """

    known = dict(settings.principals)
    file = settings.principals_file
    if file is not None and file.exists():
        known.update(_read(file))

    def resolve(key: str) -> Principal:
        if key not in known and file is not None and file.exists():
            known.update(_read(file))
        user = known.get(key, f"IAM:{key}")
        return Principal(id=user, db_user=user, superuser=key in settings.admins, iam_session=key)

    return resolve


def _read(file: Path) -> dict[str, str]:
    """Raises ValueError with the file's name if it is not as ``Settings`` describes."""
    try:
        names = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"principals file {file}: {error}") from error
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise ValueError(
            f'principals file {file}: it must be {{"<access key id>": "<database user>"}}'
        )
    return names
