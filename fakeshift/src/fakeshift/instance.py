"""All parts together: ``LocalRedshift(settings)``."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from types import TracebackType
from typing import Any

from fakeshift.api.management import Management
from fakeshift.api.operations import Operations
from fakeshift.api.principals import Resolver, from_settings
from fakeshift.config import PG_PORT, Settings
from fakeshift.engine.database import Database
from fakeshift.engine.passwords import Passwords
from fakeshift.faults import Faults
from fakeshift.principal import Principal
from fakeshift.s3 import ObjectStores
from fakeshift.server import Server
from fakeshift.statements.record import Statement
from fakeshift.statements.runner import Runner, SqlLog
from fakeshift.statements.store import StatementStore
from fakeshift.system.records import SystemRecords
from fakeshift.wire.server import WireServer

_NOT_STOPPED: dict[LocalRedshift, int] = {}
"""With the process that created each: a forked process has none of its threads."""


@atexit.register
def _stop_all() -> None:
    """At exit: a thread that is still inside DuckDB would abort the process."""
    for server, process in list(_NOT_STOPPED.items()):
        if process == os.getpid():
            with contextlib.suppress(Exception):
                server.stop()


class LocalRedshift:
    """A server in this process; a context manager that starts and stops it.

    A server that nobody stops is stopped when the process exits. Raises DataDirectoryInUse if
    another server uses the data directory, OSError if the port is taken.

    Tests of a caller may replace parts: ``resolve`` maps an access key id to a Principal (the
    default follows ``settings``), ``faults`` decides which statement goes wrong, and
    ``object_stores`` holds the S3 clients of COPY and UNLOAD, which several servers can share
    because creating them takes longer than loading a small file.
    """

    def __init__(
        self,
        settings: Settings,
        resolve: Resolver | None = None,
        *,
        faults: Faults | None = None,
        object_stores: ObjectStores | None = None,
    ):
        self.settings = settings
        self.database = Database(settings)
        if object_stores is not None:
            self.database.object_stores = object_stores
        self.store = StatementStore(settings.data / "statements.sqlite", settings.clock)
        self.faults = faults or Faults(enabled=settings.faults)
        self._log = SqlLog(settings.data)
        self.runner = Runner(self.database, self.store, self._log, self.faults)
        self._operations = Operations(self.database, self.store, self.runner)
        passwords = Passwords(settings.clock)
        self.wire: WireServer | None = None
        try:
            if settings.pg_port is not None:
                self.wire = WireServer(
                    self.database, self._log, self.faults, self.restart, passwords
                )
            self.server = Server(
                settings.port,
                self._operations,
                resolve or from_settings(settings),
                self.faults,
                {
                    ("GET", "/_local/health"): self._health,
                    ("GET", "/_local/faults"): self.faults.command,
                    ("POST", "/_local/faults"): self.faults.command,
                    ("POST", "/_local/restart"): self._restart,
                },
                Management(settings, passwords, self.wire.port if self.wire else PG_PORT),
            )
        except Exception:
            if self.wire is not None:
                self.wire.stop()
            self._close()
            raise
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        _NOT_STOPPED[self] = os.getpid()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``: ``endpoint_url`` of a boto3 client."""
        return self.server.url

    @property
    def pg_port(self) -> int:
        """The port of the PostgreSQL protocol. Raises ValueError if the settings have none."""
        if self.wire is None:
            raise ValueError("the settings have no pg_port")
        return self.wire.port

    @property
    def records(self) -> SystemRecords:
        """The rows behind the system views."""
        return self.database.records

    def call(self, operation: str, request: dict[str, Any], caller: Principal) -> dict[str, Any]:
        """An operation of the Data API without HTTP, by its name on AWS ("ExecuteStatement").

        Request and answer have the members that AWS documents; times are seconds since 1970.
        Raises ApiError. Does not go through faults of operations.
        """
        return dict(self._operations.call(operation, request, caller))

    def statement(self, id_: str) -> Statement | None:
        """The record of a statement of any caller; None if it is unknown or older than 24 hours."""
        return self.store.get(id_)

    def statements(self) -> list[Statement]:
        """The records of all callers' statements, oldest first."""
        return self.store.all()

    def active(self) -> int:
        """How many statements have not ended."""
        return self.store.active()

    def _health(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "status": "ok",
            "kind": self.settings.kind,
            "isolation": self.settings.isolation,
            "database": self.settings.database,
            "active_statements": self.active(),
            "waiting_for_locks": self.database.locks.waiting(),
        }

    def _restart(self, _: dict[str, Any]) -> dict[str, Any]:
        if not self.settings.faults:
            raise ValueError("faults are off: start the server with --faults")
        self.restart()
        return {"restarted": True}

    def restart(self) -> None:
        """Simulates a restart: running statements fail, sessions and connections end, data stays."""
        self.runner.restart()
        if self.wire is not None:
            self.wire.end_all()

    def start(self) -> LocalRedshift:
        """Serves in a separate thread."""
        self._thread.start()
        if self.wire is not None:
            self.wire.start()
        return self

    def stop(self) -> None:
        """Stops serving, cancels running statements (FAILED at the next start), closes the files.

        A second call does nothing.
        """
        if _NOT_STOPPED.pop(self, None) is None:
            return
        if self._thread.is_alive():
            self.server.shutdown()
            self._thread.join()
        if self.wire is not None:
            self.wire.stop()
        self.runner.stop()
        self.server.server_close()
        self._close()

    def _close(self) -> None:
        """Closes the files, so that another server can use them."""
        self.store.close()
        self.database.close()

    def __enter__(self) -> LocalRedshift:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
