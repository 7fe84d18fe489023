"""HTTP: the AWS JSON 1.1 protocol on 127.0.0.1, and a few paths of our own under /_local/.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.redshift.api.errors import ApiError
from local.redshift.api.model import TARGET_PREFIX
from local.redshift.api.operations import Operations
from local.redshift.api.principals import Resolver, access_key
from local.redshift.config import HOST
from local.redshift.faults import AnswerDropped, Faults

LocalPath = Callable[[dict[str, Any]], dict[str, Any]]
"""An admin path: the request's JSON (empty for GET) in, the answer's JSON out."""


class Server(ThreadingHTTPServer):
    """Serves ``operations`` until ``shutdown``; a thread for each connection, kept alive."""

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
    ):
        self.operations = operations
        self.resolve = resolve
        self.faults = faults
        self.local_paths = local_paths
        self._open: dict[socket.socket, threading.Thread] = {}
        super().__init__((HOST, port), Handler)

    def shutdown(self) -> None:
        """Ends ``serve_forever``, which a connection wakes up from its wait for one."""
        ending = threading.Thread(target=super().shutdown, name="shutdown")
        ending.start()
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, self.server_address[1]), timeout=1).close()
        ending.join()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return f"http://{HOST}:{self.server_address[1]}"

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection's thread: known while it lasts."""
        self._open[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.pop(request, None)

    def server_close(self) -> None:
        """Closes the connections that clients keep alive too, and waits for their threads."""
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
        self._local("GET", {})

    def do_POST(self) -> None:
        """An operation of the Data API, or a /_local/ path."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/_local/"):
            self._local("POST", json.loads(body or b"{}"))
            return
        target = self.headers.get("X-Amz-Target", "")
        try:
            prefix, _, name = target.partition(".")
            if prefix != TARGET_PREFIX:
                raise ApiError("UnknownOperationException", f"Unknown operation: {target}")
            principal = self.server.resolve(access_key(self.headers.get("Authorization")))
            answer = self.server.faults.around(
                name, lambda: self.server.operations.call(name, _parsed(body), principal)
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
        except Exception as error:
            self.log_error("%s: %r", target, error)
            code = "InternalServerException"
            self._answer(500, {"__type": code, "Message": f"{type(error).__name__}: {error}"}, code)
            raise

    def _local(self, method: str, request: dict[str, Any]) -> None:
        run = self.server.local_paths.get((method, self.path))
        if run is None:
            self._answer(404, {"message": f"no {method} {self.path}"})
            return
        try:
            self._answer(200, run(request))
        except (KeyError, TypeError, ValueError) as error:
            self._answer(400, {"message": f"{type(error).__name__}: {error}"})

    def _answer(self, status: int, body: dict[str, Any], error: str = "") -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Requests are not logged one by one; the SQL log says more."""


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise ApiError("SerializationException", "The request is not JSON.") from error
