"""A statement as the Data API knows it: its life cycle, its parts, what DescribeStatement shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

Status = Literal["SUBMITTED", "PICKED", "STARTED", "FINISHED", "FAILED", "ABORTED"]

_NOT_KEPT = frozenset({"changed", "cancelled", "abandoned", "clock", "parts"})

TERMINAL: frozenset[str] = frozenset({"FINISHED", "FAILED", "ABORTED"})


@dataclass
class SubStatement:
    """One SQL string of a statement: the only one of ExecuteStatement, or one of a batch."""

    id: str
    sql: str
    status: Status = "SUBMITTED"
    error: str | None = None
    created: float = 0.0
    updated: float = 0.0
    duration: int = 0
    query_id: int = 0
    result_rows: int = -1
    result_size: int = -1
    has_result: bool = False


@dataclass
class Statement:
    """A statement of ExecuteStatement (``batch`` False, one part) or of BatchExecuteStatement.

    ``created`` and ``updated`` are seconds since 1970; ``duration`` is in nanoseconds.
    """

    id: str
    owner: str
    db_user: str
    superuser: bool
    database: str
    parts: list[SubStatement]
    batch: bool
    target: dict[str, str] = field(default_factory=dict)
    name: str = ""
    parameters: list[dict[str, str]] = field(default_factory=list)
    mode: Literal["TRANSACTION", "AUTO_COMMIT"] = "TRANSACTION"
    result_format: Literal["JSON", "CSV"] = "JSON"
    session_id: str | None = None
    iam_session: str = ""
    status: Status = "SUBMITTED"
    error: str | None = None
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)
    duration: int = 0
    pid: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.cancelled = threading.Event()
        self.abandoned = False
        self.clock: Callable[[], float] = time.time

    @property
    def over(self) -> bool:
        """Whether the statement has ended, successfully or not."""
        return self.status in TERMINAL

    @property
    def has_result(self) -> bool:
        """Whether any part has a result set."""
        return any(part.has_result for part in self.parts)

    def wait(self, seconds: float) -> bool:
        """Waits up to ``seconds`` for the statement's end; returns whether it has ended."""
        with self.changed:
            return self.changed.wait_for(lambda: self.over or self.abandoned, timeout=seconds)

    def move(
        self,
        status: Status,
        error: str | None = None,
        keep: Callable[[Statement], None] | None = None,
    ) -> None:
        """Sets the next status and wakes all who wait for the end.

        ``keep`` gets the record with the status before anyone else sees it: a reported status
        survives a kill.
        """
        with self.changed:
            updated = self.clock()
            try:
                if keep is not None:
                    keep(replace(self, status=status, error=error, updated=updated))
            finally:
                self.status, self.error, self.updated = status, error, updated
                if self.over:
                    self.changed.notify_all()

    def abandon(self) -> None:
        """The server stops: releases waiters of a statement that will not end."""
        with self.changed:
            self.abandoned = True
            self.changed.notify_all()

    def document(self) -> dict[str, Any]:
        """The record without its parts, as JSON-ready data for the store."""
        return {key: value for key, value in vars(self).items() if key not in _NOT_KEPT}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Statement:
        """The inverse of ``document``, with the ``parts`` as dictionaries; also accepts an older server's."""
        parts = [SubStatement(**part) for part in document.pop("parts")]
        known = {f.name for f in fields(cls)}
        return cls(parts=parts, **{k: v for k, v in document.items() if k in known})
