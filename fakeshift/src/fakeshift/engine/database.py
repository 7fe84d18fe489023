"""The DuckDB database: opened once, with a cursor for each session."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import threading
import time
from pathlib import Path
from typing import IO

import duckdb

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Grantee, Schema
from fakeshift.config import Settings
from fakeshift.engine.locks import LockManager
from fakeshift.engine.macros import MACROS
from fakeshift.engine.relations import CommittedRows
from fakeshift.engine.serial import SerializationGraph
from fakeshift.s3 import ObjectStores
from fakeshift.system.records import SystemRecords


class DataDirectoryInUse(RuntimeError):
    """Another server has this data directory open."""


class Database:
    """What all sessions share: the DuckDB file, locks, ids, the system tables' records."""

    def __init__(self, settings: Settings):
        self.settings = settings
        settings.data.mkdir(parents=True, exist_ok=True)
        self._claim = _claim(settings.data)
        self.scratch = settings.data / "scratch"
        self.scratch.mkdir(exist_ok=True)
        self._con = duckdb.connect(
            str(settings.data / f"{catalog.DATABASE}.duckdb"),
            config={
                "threads": settings.threads,
                "memory_limit": settings.memory_limit,
                "temp_directory": str(self.scratch),
                "preserve_insertion_order": True,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._bootstrap()
        self.records = SystemRecords(settings.data / "system.sqlite")
        self.object_stores = ObjectStores(settings)
        self.locks = LockManager()
        self.serial = SerializationGraph()
        self.catalog = CommittedRows()
        self._ids = threading.Lock()
        self._users = threading.Lock()
        self._user_ids: dict[str, int] = {}
        self._transactions = itertools.count(self.records.last_transaction_id() + 1)
        self._queries = itertools.count(self.records.last_query_id() + 1)
        self._pids = itertools.count(int(time.time()) % 1_000_000 + 1_073_741_824)

    def _bootstrap(self) -> None:
        con = self._con
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        con.execute("SET GLOBAL integer_division = true")
        con.execute("SET GLOBAL default_null_order = 'nulls_last_on_asc_first_on_desc'")
        con.execute("SET GLOBAL python_enable_replacements = false")
        con.execute("BEGIN TRANSACTION")  # each commit waits for the disk
        con.execute(catalog.BOOTSTRAP)
        if catalog.put_note(con, "macros", hashlib.sha256("".join(MACROS).encode()).hexdigest()):
            for macro in MACROS:
                con.execute(macro)
        if catalog.find_schema(con, "public") is None:
            con.execute(f"CREATE SCHEMA {catalog.physical_schema('public')}")
            catalog.put_schema(con, Schema("public", catalog.new_oid(con), "rdsdb"))
            for privilege in ("CREATE", "USAGE"):
                catalog.put_privilege(
                    con, ("public", "SCHEMA", "public", "", privilege, "rdsdb", False)
                )
        con.execute("COMMIT")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same database."""
        return self._con.cursor()

    def user_id(self, con: duckdb.DuckDBPyConnection, name: str, *, superuser: bool) -> int:
        """The id of a database user, created at the first connection, like IAM users."""
        with self._users:
            if name not in self._user_ids:
                known = catalog.find_grantee(con, name, "user")
                if known is None:
                    known = Grantee(name, "user", catalog.new_oid(con), superuser)
                    catalog.put_grantee(con, known)
                self._user_ids[name] = known.oid
            return self._user_ids[name]

    def forget_user(self, name: str) -> None:
        """Forgets a user who may have been dropped; the next connection checks again."""
        with self._users:
            self._user_ids.pop(name, None)

    def next_transaction_id(self) -> int:
        """The next transaction id; ids increase."""
        with self._ids:
            return next(self._transactions)

    def next_query_id(self) -> int:
        """The next query id, as RedshiftQueryId and SYS_QUERY_HISTORY.query_id; ids increase."""
        with self._ids:
            return next(self._queries)

    def next_pid(self) -> int:
        """A session's process id."""
        with self._ids:
            return next(self._pids)

    def close(self) -> None:
        """Closes the files and lets another server have the directory."""
        self._con.close()
        self.records.close()
        self._claim.close()


def _claim(directory: Path) -> IO[str]:
    """Locks the directory for this process; DataDirectoryInUse if another one has it."""
    path = directory / "lock"
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        pid = handle.read().strip() or "unknown"
        handle.close()
        raise DataDirectoryInUse(
            f"the data directory {directory} is in use by another local Redshift (pid {pid})"
        ) from error
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle
