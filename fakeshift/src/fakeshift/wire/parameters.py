"""What a client learns of the server's parameters, and sets when it connects."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from fakeshift.commands.misc import PARAMETERS
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError
from fakeshift.sql.parameters import quote

VERSION = "8.0.2"

_OF_DRIVERS = frozenset(
    {"user", "database", "options", "replication", "client_protocol_version", "driver_version",
     "os_version", "plugin_name", "driver_discovery_version", "idp_type", "provider_name",
     "application_name", "client_encoding", "identity_namespace", "token_type",
     "idc_client_display_name"}
)  # fmt: skip
"""Names in StartupMessage that are not parameters of SET: redshift_connector's and the protocol's."""
_OPTION = re.compile(r"(?:-c\s*|--)([\w.]+)=((?:\\.|\S)*)")


def of_startup(given: Mapping[str, str]) -> dict[str, str]:
    """The parameters that a StartupMessage sets, by itself or in ``options`` (``-c search_path=a``).

    Raises RedshiftError for an unknown one, as SET does.
    """
    named = {name: value for name, value in given.items() if name not in _OF_DRIVERS}
    for name, value in _OPTION.findall(given.get("options", "")):
        named[name] = re.sub(r"\\(.)", r"\1", value)
    found = {name.lower(): value for name, value in named.items()}
    for name in found:
        if not re.fullmatch(r"[a-z_.]+", name):
            raise RedshiftError(f'unrecognized configuration parameter "{name}"', sqlstate="42704")
    return found


def setting(name: str, value: str) -> str:
    """The SET statement of a startup's parameter."""
    return f"SET {name} TO {quote(value)}"


def fixed(session: Session, given: Mapping[str, str], protocol: int) -> dict[str, str]:
    """ParameterStatus that never changes, with the names of a real cluster's.

    Seen in https://github.com/aws/amazon-redshift-jdbc-driver/issues/115; ``server_protocol_version``
    only for a client that asks for more than PostgreSQL's protocol.
    """
    status = {
        "client_encoding": _encoding(given.get("client_encoding", "")),
        "integer_datetimes": "on",
        "is_superuser": "on" if session.superuser else "off",
        "server_encoding": "UNICODE",
        "server_version": VERSION,
        "session_authorization": session.user,
        "timezone_abbreviations": "Default",
        "padb_version": "1.0.99999",
        "padb_revision": "local",
        "max_numeric_precision": "38",
        "max_varchar_size": "65535",
        "datashare_enabled": "off",
        "session_id": str(uuid.uuid4()),
    }
    if protocol:
        status["server_protocol_version"] = str(protocol)
    return status


def _encoding(asked: str) -> str:
    """All text is UTF-8; the name is the one that the client asked for, or Redshift's own."""
    return "UTF8" if asked.upper().replace("-", "") == "UTF8" else "UNICODE"


def reported(session: Session) -> dict[str, str]:
    """ParameterStatus that SET changes."""
    names = {"DateStyle": "datestyle", "TimeZone": "timezone", "query_group": "query_group"}
    return {
        shown: ", ".join(session.settings.get(name, (PARAMETERS[name],)))
        for shown, name in names.items()
    }
