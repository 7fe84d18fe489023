"""All parts together: ``LocalRedshift(settings)``."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
from types import TracebackType
from typing import Any

from fakeshift.api.operations import Operations
from fakeshift.api.principals import Resolver, from_settings
from fakeshift.config import Settings
from fakeshift.engine.database import Database
from fakeshift.faults import Faults
from fakeshift.server import Server
from fakeshift.statements.runner import Runner, SqlLog
from fakeshift.statements.store import StatementStore

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
    """A running server; a context manager that stops it. It is stopped at exit at the latest.

    ``url`` is boto3's ``endpoint_url``. Raises DataDirectoryInUse if another server
    has the data directory, OSError if the port is taken.
    """

    def __init__(self, settings: Settings, resolve: Resolver | None = None):
        self.settings = settings
        self.database = Database(settings)
        self.store = StatementStore(settings.data / "statements.sqlite")
        self.faults = Faults(enabled=settings.faults)
        self.runner = Runner(self.database, self.store, SqlLog(settings.data), self.faults)
        try:
            self.server = Server(
                settings.port,
                Operations(self.database, self.store, self.runner),
                resolve or from_settings(settings),
                self.faults,
                {
                    ("GET", "/_local/health"): self._health,
                    ("GET", "/_local/faults"): self.faults.command,
                    ("POST", "/_local/faults"): self.faults.command,
                    ("POST", "/_local/restart"): self._restart,
                },
            )
        except Exception:
            self._close()
            raise
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        _NOT_STOPPED[self] = os.getpid()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:<port>``."""
        return self.server.url

    def _health(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "status": "ok",
            "kind": self.settings.kind,
            "isolation": self.settings.isolation,
            "database": self.settings.database,
            "active_statements": self.store.active(),
            "waiting_for_locks": self.database.locks.waiting(),
        }

    def _restart(self, _: dict[str, Any]) -> dict[str, Any]:
        if not self.settings.faults:
            raise ValueError("faults are off: start the server with --faults")
        self.runner.restart()
        return {"restarted": True}

    def start(self) -> LocalRedshift:
        """Serves in a separate thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stops serving, cancels running statements (FAILED at the next start), closes the files."""
        if _NOT_STOPPED.pop(self, None) is None:
            return
        if self._thread.is_alive():
            self.server.shutdown()
            self._thread.join()
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
