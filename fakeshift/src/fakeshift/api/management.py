"""The management calls that clients make before they connect: credentials, and where the port is.

Redshift's (https://docs.aws.amazon.com/redshift/latest/APIReference/), in the Query protocol, and Redshift
Serverless's (https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/), in JSON. Every
cluster and every workgroup is this one warehouse, under the name that the request has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from fakeshift.api import model
from fakeshift.config import HOST, Settings
from fakeshift.engine.passwords import LONGEST_SECONDS, SHORTEST_SECONDS, Passwords
from fakeshift.principal import Principal
from fakeshift.refusals import ApiError, not_supported

TARGET_PREFIX = "RedshiftServerless"
SERVERLESS, CLUSTERS = "redshift-serverless", "redshift"
_NAMESPACE = "http://redshift.amazonaws.com/doc/2012-12-01/"

Request = dict[str, Any]
Operation = Callable[[Request, Principal], dict[str, Any]]


class Management:
    """``serverless`` and ``clusters`` answer a call, or raise ApiError. Times are seconds since 1970."""

    def __init__(self, settings: Settings, passwords: Passwords, port: int):
        self._settings = settings
        self._passwords = passwords
        self._port = port
        self._serverless: dict[str, Operation] = {
            "GetCredentials": self._get_credentials,
            "GetWorkgroup": lambda request, _: {"workgroup": self._workgroup(request)},
            "ListWorkgroups": lambda request, _: {"workgroups": [self._workgroup(request)]},
            "GetNamespace": lambda request, _: {"namespace": self._namespace(request)},
            "ListNamespaces": lambda request, _: {"namespaces": [self._namespace(request)]},
        }
        self._clusters: dict[str, Operation] = {
            "GetClusterCredentials": self._get_cluster_credentials,
            "GetClusterCredentialsWithIAM": self._get_cluster_credentials_with_iam,
            "DescribeClusters": lambda request, _: {"Clusters": [self._cluster(request)]},
        }

    def serverless(self, name: str, request: Any, principal: Principal) -> dict[str, Any]:
        """A call of Redshift Serverless."""
        checked = model.check(name, request, SERVERLESS)
        if name not in self._serverless:
            raise not_supported(f"{SERVERLESS}:{name}")
        return self._serverless[name](checked, principal)

    def clusters(self, body: bytes, principal: Principal) -> bytes:
        """A call of Redshift: ``Action=DescribeClusters&...`` -> XML."""
        given = dict(parse_qsl(body.decode(errors="replace")))  # an empty list is an empty value
        name = given.get("Action", "")
        request: Request = {key: value for key, value in given.items() if "." not in key}
        for key in ("DurationSeconds", "MaxRecords"):
            if key in request:
                request[key] = int(request[key]) if request[key].isdecimal() else request[key]
        request |= {key: request[key] == "true" for key in ("AutoCreate",) if key in request}
        checked = model.check(name, request, CLUSTERS)
        if name not in self._clusters:
            raise not_supported(f"{CLUSTERS}:{name}")
        return _xml(name, self._clusters[name](checked, principal))

    # -- credentials -----------------------------------------------------------------------------

    def _expiry(self, seconds: int) -> dt.datetime:
        return dt.datetime.fromtimestamp(self._settings.clock() + seconds, dt.UTC)

    def _get_credentials(self, request: Request, principal: Principal) -> dict[str, Any]:
        """.../APIReference/API_GetCredentials.html"""
        seconds = _duration(request.get("durationSeconds", SHORTEST_SECONDS))
        made = self._passwords.give(principal.db_user, seconds)
        return {
            "dbUser": made.login,
            "dbPassword": made.password,
            "expiration": made.expires,
            "nextRefreshTime": made.expires - seconds / 2,
        }

    def _get_cluster_credentials(self, request: Request, _: Principal) -> dict[str, Any]:
        """.../APIReference/API_GetClusterCredentials.html: IAM: before the user's name, or IAMA: for one
        that is created if it does not exist; the database user is the one without the prefix.
        """
        seconds = _duration(request.get("DurationSeconds", SHORTEST_SECONDS))
        prefix = "IAMA" if request.get("AutoCreate") else "IAM"
        user = request["DbUser"]
        made = self._passwords.give(user, seconds, login=f"{prefix}:{user}")
        return {
            "DbUser": made.login, "DbPassword": made.password, "Expiration": self._expiry(seconds),
        }  # fmt: skip

    def _get_cluster_credentials_with_iam(
        self, request: Request, principal: Principal
    ) -> dict[str, Any]:
        """.../APIReference/API_GetClusterCredentialsWithIAM.html"""
        seconds = _duration(request.get("DurationSeconds", SHORTEST_SECONDS))
        made = self._passwords.give(principal.db_user, seconds)
        return {
            "DbUser": made.login, "DbPassword": made.password, "Expiration": self._expiry(seconds),
            "NextRefreshTime": self._expiry(seconds // 2),
        }  # fmt: skip

    # -- what there is ---------------------------------------------------------------------------

    def _workgroup(self, request: Request) -> dict[str, Any]:
        name = request.get("workgroupName", "local")
        return {
            "workgroupName": name,
            "workgroupId": name,
            "workgroupArn": f"arn:aws:redshift-serverless:{self._settings.region}:000000000000:workgroup/{name}",
            "namespaceName": "local",
            "status": "AVAILABLE",
            "endpoint": {"address": HOST, "port": self._port},
            "port": self._port,
        }

    def _namespace(self, request: Request) -> dict[str, Any]:
        name = request.get("namespaceName", "local")
        return {
            "namespaceName": name,
            "namespaceId": name,
            "namespaceArn": f"arn:aws:redshift-serverless:{self._settings.region}:000000000000:namespace/{name}",
            "dbName": self._settings.database,
            "status": "AVAILABLE",
        }

    def _cluster(self, request: Request) -> dict[str, Any]:
        return {
            "ClusterIdentifier": request.get("ClusterIdentifier", "local"),
            "ClusterStatus": "available",
            "ClusterAvailabilityStatus": "Available",
            "DBName": self._settings.database,
            "Endpoint": {"Address": HOST, "Port": self._port},
        }


def _duration(seconds: int) -> int:
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise ApiError(
            "ValidationException",
            f"durationSeconds must be between {SHORTEST_SECONDS} and {LONGEST_SECONDS}: {seconds}",
        )
    return seconds


# -- the Query protocol ----------------------------------------------------------------------------

_ITEMS = {"Clusters": "Cluster"}
"""The name of an element of a list."""


def _xml(name: str, answer: dict[str, Any]) -> bytes:
    """https://smithy.io/2.0/aws/protocols/aws-query-protocol.html"""
    root = ElementTree.Element(f"{name}Response", xmlns=_NAMESPACE)
    _put(ElementTree.SubElement(root, f"{name}Result"), answer)
    return _bytes(root)


def xml_error(error: ApiError) -> bytes:
    """The answer to a call that is refused."""
    root = ElementTree.Element("ErrorResponse", xmlns=_NAMESPACE)
    fields = {"Type": "Sender", "Code": error.code, "Message": error.message}
    _put(ElementTree.SubElement(root, "Error"), fields)
    return _bytes(root)


def _bytes(root: ElementTree.Element) -> bytes:
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _put(parent: ElementTree.Element, members: dict[str, Any]) -> None:
    for name, value in members.items():
        child = ElementTree.SubElement(parent, name)
        if isinstance(value, dict):
            _put(child, value)
        elif isinstance(value, list):
            for each in value:
                _put(ElementTree.SubElement(child, _ITEMS[name]), each)
        elif isinstance(value, dt.datetime):
            child.text = value.strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            child.text = str(value)
