"""The HTTP below the Data API: who may ask, bodies of every kind, what a bad request leaves behind."""

from __future__ import annotations

import json
import socket
import struct
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import Start
from test_api import raw, signed
from warehouse import Warehouse, http

SIGNED = signed("AKIATEST")
HEADERS = {"X-Amz-Target": "RedshiftData.ListStatements", "Authorization": SIGNED}


def ask(warehouse: Warehouse, **changed: str | None) -> tuple[int, dict[str, Any]]:
    """ListStatements with other headers; None leaves one out."""
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    given = {name: value for name, value in headers.items() if value is not None}
    return http(warehouse.url, b"{}", given)


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 403, "MissingAuthenticationTokenException"),
        ("Bearer x", 403, "MissingAuthenticationTokenException"),
        ("AWS4-HMAC-SHA256 Credential=AKIATEST", 400, "IncompleteSignatureException"),
        (SIGNED.replace("redshift-data", "s3"), 400, "InvalidSignatureException"),
        (SIGNED.replace("redshift-data", "redshift"), 400, "InvalidSignatureException"),
    ],
)
def test_a_request_is_signed_for_this_service(
    warehouse: Warehouse, authorization: str | None, status: int, code: str
) -> None:
    """https://docs.aws.amazon.com/redshift/latest/APIReference/CommonErrors.html"""
    found, answer = ask(warehouse, Authorization=authorization)
    assert (found, answer["__type"]) == (status, code)
    assert ask(warehouse)[0] == 200
    of_all_regions = SIGNED.replace("HMAC-SHA256", "ECDSA-P256-SHA256").replace("us-west-2/", "")
    assert ask(warehouse, Authorization=of_all_regions)[0] == 200


def test_a_web_page_is_refused(warehouse: Warehouse) -> None:
    """Any page could send one from the user's browser, also to /_local/, which needs no header."""
    assert ask(warehouse, Origin="https://example.com")[0] == 403
    status, _ = http(f"{warehouse.url}/_local/restart", b"", {"Origin": "https://example.com"})
    assert status == 403


def send(warehouse: Warehouse, head: str, body: bytes) -> bytes:
    """Bytes as they are, and all that is answered until the server closes or a second is over."""
    parts = urlsplit(warehouse.url)
    lines = [f"POST / HTTP/1.1\r\nHost: {parts.netloc}", *map(": ".join, HEADERS.items()), head]
    answer = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=1) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        while more := connection.recv(65536):
            answer += more
    return answer


def test_a_body_in_chunks(warehouse: Warehouse) -> None:
    """https://www.rfc-editor.org/rfc/rfc9112#section-7.1, with an extension and a trailer."""
    chunks = b"7;x=y\r\n" + b'{"Statu' + b"\r\na\r\n" + b's":"NOPE"}' + b"\r\n0\r\nA: b\r\n\r\n"
    answer = send(warehouse, "Transfer-Encoding: chunked", chunks)
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Value 'NOPE' at 'status'" in answer


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        ("Content-Length: abc", b"", 400),
        ("Content-Length: -1", b"", 400),
        ("Content-Length: 10", b"{}", 400),
        ("Content-Length: 99999999999", b"{}", 413),
        ("Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: chunked", b"fffffffff\r\n{}\r\n0\r\n\r\n", 413),
        ("Transfer-Encoding: gzip", b"{}", 501),
    ],
)
def test_a_body_that_cannot_be_read(
    warehouse: Warehouse, head: str, body: bytes, status: int
) -> None:
    answer = send(warehouse, head, body)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "body",
    [
        b'{"Sql": "select \'\\ud800\'"}',
        b"[" * 100_000 + b"]" * 100_000,
        '{"Id": "a"}'.encode("utf-16"),
    ],
)
def test_json_is_text(warehouse: Warehouse, body: bytes) -> None:
    """https://www.rfc-editor.org/rfc/rfc8259#section-8"""
    status, answer = http(warehouse.url, body, HEADERS)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_request_is_parsed_before_a_fault_is_used(start: Start) -> None:
    warehouse = Warehouse(start(faults=True).url)
    warehouse.local("faults", operation="*", kind="fail", code="ThrottlingException")
    assert http(warehouse.url, b"{", HEADERS)[1]["__type"] == "SerializationException"
    target = {"Database": "dev", "WorkgroupName": "local"}
    for code in ("ThrottlingException", None):
        answer = raw(warehouse.url, "ExecuteStatement", {**target, "Sql": "SELECT 1"})[1]
        assert answer.get("__type") == code


def test_characters_of_two_surrogates(warehouse: Warehouse) -> None:
    target = {"Database": "dev", "WorkgroupName": "local"}
    status, answer = raw(
        warehouse.url, "ExecuteStatement", {**target, "Sql": "SELECT '\U0001f600'"}
    )
    assert status == 200
    warehouse.wait(answer["Id"])
    assert warehouse.result(warehouse.describe(answer["Id"])).rows == [["\U0001f600"]]


def test_a_local_path_says_what_is_wrong(start: Start) -> None:
    url = start(faults=True).url
    for body in (b"{", b"[]", b'{"sql": "(", "kind": "fail"}', b'{"sql": "x", "kind": "nope"}',
                 b'{"operation": "*", "kind": "delay", "seconds": "1"}',
                 b'{"operation": "*", "kind": "drop", "times": "3"}'):  # fmt: skip
        status, answer = http(f"{url}/_local/faults", body)
        assert status == 400, body
        assert answer["message"]
    assert Warehouse(url).value("SELECT 1") == 1


def test_a_client_that_has_gone_is_no_error(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    server = start(faults=True)
    warehouse = Warehouse(server.url)
    warehouse.local("faults", operation="ListStatements", kind="delay", seconds=0.3)
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=1) as connection:
        lines = ["POST / HTTP/1.1", "Host: x", *map(": ".join, HEADERS.items())]
        connection.sendall("\r\n".join([*lines, "Content-Length: 2", "", "{}"]).encode())
        # closed with a reset, so that the answer cannot be written
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.5)
    assert warehouse.value("SELECT 1") == 1
    assert capsys.readouterr().err == ""


def test_an_error_of_ours_leaves_the_connection(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)

    def post() -> tuple[int, dict[str, Any]]:
        connection.request("POST", "/", b"{}", HEADERS)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def broken(*_: object) -> dict[str, Any]:
        raise RuntimeError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(server.server.operations, "call", broken)
        status, answer = post()
        assert (status, answer["__type"]) == (500, "InternalServerException")
        assert connection.sock is not None
        kept = connection.sock
    assert post()[0] == 200
    assert connection.sock is kept
    connection.close()
