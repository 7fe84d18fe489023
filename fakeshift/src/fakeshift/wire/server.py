"""The socket of port 5439: a thread for each connection, which belongs to one session."""

from __future__ import annotations

import contextlib
import hmac
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping

from fakeshift.catalog import store as catalog
from fakeshift.commands import execute
from fakeshift.config import HOST
from fakeshift.engine.database import Database
from fakeshift.engine.passwords import Passwords
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError
from fakeshift.faults import Faults
from fakeshift.statements.history import Ran, strike
from fakeshift.statements.record import SubStatement
from fakeshift.statements.runner import SqlLog
from fakeshift.wire import certificate
from fakeshift.wire.connection import Connection

_LOG = logging.getLogger(__name__)
_RECEIVE_BYTES = 64 * 1024
_STOP_SECONDS = 5
STARTUP_SECONDS = 60.0
"""PostgreSQL's authentication_timeout: https://www.postgresql.org/docs/8.0/runtime-config.html"""


class WireServer:
    """Serves the PostgreSQL protocol on 127.0.0.1 until ``stop``. Raises OSError if the port is taken."""

    def __init__(
        self,
        database: Database,
        log: SqlLog,
        faults: Faults,
        restart: Callable[[], None],
        passwords: Passwords,
    ):
        settings = database.settings
        self.database_name = settings.database
        self.authentication: str = settings.authentication
        self.passwords = passwords
        self._database = database
        self._log = log
        self._faults = faults
        self._restart = restart
        self.startup_seconds = STARTUP_SECONDS
        self._limit = settings.connections
        self._lock = threading.Lock()
        self._open: dict[Connection, tuple[socket.socket, threading.Thread]] = {}
        self._entered: dict[int, Connection] = {}
        self._sessions = 0
        self._stopping = False
        self._secure = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._tls = settings.tls
        self._listener = socket.create_server((HOST, settings.pg_port or 0), backlog=512)
        self._thread = threading.Thread(target=self._accept, name="port 5439", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Accepts clients in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends every connection and closes the port."""
        self._stopping = True
        with contextlib.suppress(OSError):  # wakes the thread that accepts
            socket.create_connection((HOST, self.port), timeout=1).close()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self._listener.close()
        self.end_all()
        for _, thread in self._all():
            thread.join(_STOP_SECONDS)
            if thread.is_alive():
                _LOG.warning("%s does not end", thread.name)

    def end_all(self) -> None:
        """Ends every connection, as a restart of the warehouse does."""
        with self._lock:
            connections = list(self._open.items())
        for connection, (sock, _) in connections:
            connection.end()
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RD)

    def _all(self) -> list[tuple[socket.socket, threading.Thread]]:
        with self._lock:
            return list(self._open.values())

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                if self._stopping:
                    return
                continue
            if self._stopping:
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(self.startup_seconds)
            connection = Connection(_Socket(sock, self), self)
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="connection", daemon=True
            )
            with self._lock:
                self._open[connection] = (sock, thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        except Exception:
            _LOG.exception("a connection")
        finally:
            with self._lock:
                self._open.pop(connection, None)
                if connection.has_session:
                    self._sessions -= 1
                    self._entered.pop(connection.pid, None)
            with contextlib.suppress(OSError):
                connection.close_socket()

    # -- what a connection needs -------------------------------------------------------------------

    def open_session(self, login: str) -> Session:
        """Raises RedshiftError for the one that is too many.

        "connection limit "500" exceeded for non-bootstrap users":
        https://github.com/brianc/node-postgres/issues/1155
        """
        user = self.passwords.user_of(login)
        with self._lock:
            if self._sessions >= self._limit:
                raise RedshiftError(
                    f'connection limit "{self._limit}" exceeded for non-bootstrap users',
                    sqlstate="53300",
                )
            self._sessions += 1
        try:
            return Session(self._database, user, execute, superuser=self._is_superuser(user))
        except BaseException:
            with self._lock:
                self._sessions -= 1
            raise

    def _is_superuser(self, user: str) -> bool:
        """Whether the user is one of the admins, or was created with CREATEUSER."""
        settings = self._database.settings
        names = {settings.principals.get(key, f"IAM:{key}") for key in settings.admins}
        with self._database.cursor() as con:
            known = catalog.find_grantee(con, user, "user")
        return user in names or (known is not None and known.superuser)

    def accepted(self, session: Session, login: str) -> list[str] | None:
        """The stored forms of the passwords of who connects as ``login``."""
        return self.passwords.of(session.con, login)

    def enter(self, connection: Connection) -> None:
        """CancelRequest reaches it from now on."""
        with self._lock:
            self._entered[connection.pid] = connection

    def cancel(self, pid: int, secret: int) -> None:
        """Cancels what the session with this process id runs, if the secret is right."""
        with self._lock:
            connection = self._entered.get(pid)
        if connection is not None and hmac.compare_digest(
            connection.secret.to_bytes(4), (secret & 0xFFFFFFFF).to_bytes(4)
        ):
            connection.cancel()

    def strike(self, session: Session, sql: str, query_id: int) -> None:
        """The fault that is armed for a statement."""
        strike(self._faults, session, sql, query_id, self._restart)

    def log(self, user: str, query_id: int, sql: str, values: Mapping[str, str]) -> None:
        """A line of sql-in.jsonl."""
        self._log.received(self._database.settings.clock(), f"pg-{query_id}", user, sql, values)

    def log_end(self, user: str, ran: Ran, sent: list[str]) -> None:
        """A line of sql-run.jsonl."""
        part = SubStatement(
            f"pg-{ran.query_id}", ran.sql, ran.status, ran.error or None,
            updated=ran.ended or 0.0, duration=ran.nanoseconds, result_rows=ran.rows,
        )  # fmt: skip
        self._log.ran(user, part, sent)

    def wrap(self, sock: socket.socket) -> socket.socket | None:
        """The socket with TLS; None, with the answer N, where there is none."""
        with self._secure:
            if self._tls and self._context is None:
                self._context = certificate.context(self._database.settings.data)
                self._tls = self._context is not None
        if self._context is None:
            sock.sendall(b"N")
            return None
        sock.sendall(b"S")
        return self._context.wrap_socket(sock, server_side=True)


class _Socket:
    """A client's socket as a ``Stream``."""

    def __init__(self, sock: socket.socket, server: WireServer):
        self._sock = sock
        self._server = server

    def send(self, data: bytes) -> None:
        """Sends all of it."""
        self._sock.sendall(data)

    def receive(self) -> bytes:
        """What has come."""
        return self._sock.recv(_RECEIVE_BYTES)

    def secure(self) -> bool:
        """Starts TLS."""
        wrapped = self._server.wrap(self._sock)
        self._sock = wrapped or self._sock
        return wrapped is not None

    def patient(self) -> None:
        """No time limit."""
        self._sock.settimeout(None)

    def close(self) -> None:
        """Ends it in order: the client reads what was sent, then the end."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        self._sock.close()
