"""HTTP: the AWS JSON 1.1 protocol on 127.0.0.1, and our own paths under /_local/.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import sys
import threading
import uuid
from collections.abc import Callable
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Any

from fakeshift.api import management
from fakeshift.api.management import Management
from fakeshift.api.model import TARGET_PREFIX
from fakeshift.api.operations import Operations
from fakeshift.api.principals import Resolver, access_key
from fakeshift.config import HOST
from fakeshift.faults import AnswerDropped, Faults
from fakeshift.refusals import ApiError

_LOG = logging.getLogger(__name__)
_LONGEST_LINE = 65_536
_FORM = "application/x-www-form-urlencoded"

MAX_BODY_BYTES = 64 * 1024 * 1024
"""More than twice the largest valid request: forty statements of 100 KB in the longest JSON."""

LocalPath = Callable[[dict[str, Any]], dict[str, Any]]
"""An admin path: takes the request's JSON (empty for GET), returns the answer's JSON."""


class Server(ThreadingHTTPServer):
    """Serves ``operations`` until ``shutdown``; one thread per connection, which is kept alive."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        operations: Operations,
        resolve: Resolver,
        faults: Faults,
        local_paths: dict[tuple[str, str], LocalPath],
        managed: Management,
    ):
        self.management = managed
        self.operations = operations
        self.resolve = resolve
        self.faults = faults
        self.local_paths = local_paths
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__((HOST, port), Handler)

    def shutdown(self) -> None:
        """Ends ``serve_forever``, which a dummy connection wakes up."""
        ending = threading.Thread(target=super().shutdown, name="shutdown")
        ending.start()
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, self.server_address[1]), timeout=1).close()
        ending.join()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://{HOST}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has disconnected is not an error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Registers one connection's thread while it runs."""
        self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def server_close(self) -> None:
        """Also closes connections that clients keep alive, and waits for their threads."""
        super().server_close()
        connections = list(self._open.items())
        for request, _ in connections:
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)
        for _, thread in connections:
            thread.join(timeout=1)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """GET is for /_local/ only."""
        self._local("GET", b"")

    def do_POST(self) -> None:
        """An operation of the Data API, or a /_local/ path."""
        try:
            body = _body(self.headers, self.rfile)
        except _NoBody as error:
            self.close_connection = True  # the start of the next request is unknown
            self._answer(error.status, {"message": str(error)})
            return
        if "Origin" in self.headers:
            # From a browser. No client of ours is a web page, and any page that the user visits could
            # send a request here: https://owasp.org/www-community/attacks/csrf
            self._answer(403, {"message": "a web page may not use the local Redshift"})
            return
        if self.path.startswith("/_local/"):
            self._local("POST", body)
            return
        target = self.headers.get("X-Amz-Target", "")
        if not target and self.headers.get("Content-Type", "").startswith(_FORM):
            self._clusters(body)
            return
        try:
            prefix, _, name = target.partition(".")
            if prefix == management.TARGET_PREFIX:
                self._answer(200, self._serverless(name, body))
                return
            if prefix != TARGET_PREFIX:
                raise ApiError("UnknownOperationException", f"Unknown operation: {target}")
            principal = self.server.resolve(access_key(self.headers.get("Authorization")))
            request = _parsed(body)
            answer = self.server.faults.around(
                name, lambda: self.server.operations.call(name, request, principal)
            )
            self._answer(200, answer)
        except AnswerDropped:
            self.close_connection = True
        except ApiError as error:
            self._answer(
                error.status,
                {"__type": error.code, "Message": error.message, **error.fields},
                error.code,
            )
        except ConnectionError:
            raise  # the client has disconnected
        except Exception as error:
            _LOG.exception("%s", target)
            code = "InternalServerException"
            self._answer(500, {"__type": code, "Message": f"{type(error).__name__}: {error}"}, code)

    def _serverless(self, name: str, body: bytes) -> dict[str, Any]:
        """An operation of Redshift Serverless."""
        key = access_key(self.headers.get("Authorization"), management.SERVERLESS)
        call = self.server.management.serverless
        return call(name, _parsed(body), self.server.resolve(key))

    def _clusters(self, body: bytes) -> None:
        """An operation of Redshift, in the Query protocol."""
        try:
            key = access_key(self.headers.get("Authorization"), management.CLUSTERS)
            data, status = self.server.management.clusters(body, self.server.resolve(key)), 200
        except ApiError as error:
            data, status = management.xml_error(error), error.status
        self._send(status, data, "text/xml")

    def _local(self, method: str, body: bytes) -> None:
        run = self.server.local_paths.get((method, self.path))
        if run is None:
            self._answer(404, {"message": f"no {method} {self.path}"})
            return
        try:
            self._answer(200, run(json.loads(body or b"{}")))
        except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
            self._answer(400, {"message": f"{type(error).__name__}: {error}"})

    def _answer(self, status: int, body: dict[str, Any], error: str = "") -> None:
        self._send(status, json.dumps(body).encode(), "application/x-amz-json-1.1", error)

    def _send(self, status: int, data: bytes, kind: str, error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Does not log single requests; the SQL log has more."""


class _NoBody(Exception):
    """The request's body cannot be read; the answer has this ``status``."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


def _body(headers: Message, stream: BufferedIOBase) -> bytes:
    """The body, by its length or in chunks (https://www.rfc-editor.org/rfc/rfc9112#section-6)."""
    if "Transfer-Encoding" in headers:
        if headers["Transfer-Encoding"].strip().lower() != "chunked":
            raise _NoBody(501, f"Transfer-Encoding: {headers['Transfer-Encoding']}")
        return _chunks(stream)
    given = headers.get("Content-Length", "0").strip()
    if not (given.isascii() and given.isdigit()):
        raise _NoBody(400, f"Content-Length: {given}")
    return _exactly(stream, int(given[:20]))


def _chunks(stream: BufferedIOBase) -> bytes:
    parts: list[bytes] = []
    while True:
        line = stream.readline(_LONGEST_LINE)
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError as error:
            raise _NoBody(400, "a chunk has no size") from error
        if size <= 0:
            break
        parts.append(_exactly(stream, size + sum(map(len, parts)), size))
        stream.readline(_LONGEST_LINE)
    while stream.readline(_LONGEST_LINE).strip():
        pass  # trailers, which we ignore
    return b"".join(parts)


def _exactly(stream: BufferedIOBase, whole: int, size: int | None = None) -> bytes:
    """The next ``size`` bytes of a body that has ``whole`` bytes with them."""
    size = whole if size is None else size
    if whole > MAX_BODY_BYTES:
        raise _NoBody(413, f"the request has more than {MAX_BODY_BYTES} bytes")
    data = stream.read(size)
    if len(data) < size:
        raise _NoBody(400, "the body ends before its length")
    return data


def _parsed(body: bytes) -> Any:
    """The JSON of a body. Refuses half a surrogate pair, which is not a character."""
    try:
        parsed = json.loads(body.decode() or "{}")
        if b"\\ud" in body or b"\\uD" in body:
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError("SerializationException", "The request is not JSON.") from error
    return parsed
