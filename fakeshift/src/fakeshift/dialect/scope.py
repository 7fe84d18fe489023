"""What a translation needs from a session: relations by name, and facts about the session."""

from __future__ import annotations

from typing import Protocol

from sqlglot import exp

from fakeshift.catalog.model import Relation


class Scope(Protocol):
    """A session, as the translator sees it."""

    @property
    def user(self) -> str:
        """The database user."""

    @property
    def database_name(self) -> str:
        """The connected database."""

    @property
    def collation(self) -> str:
        """The database's collation: case_sensitive or case_insensitive."""

    def is_on(self, parameter: str) -> bool:
        """Whether a boolean parameter of SET is on."""

    def number(self, name: str) -> exp.Expr:
        """``pid``, ``last_query_id``, ``last_copy_id``, -1 if none, ``last_copy_count``."""

    def existing_schemas_in_path(self) -> list[str]:
        """The existing schemas of the search path."""

    def relation(self, name: tuple[str, ...]) -> Relation:
        """A table or view; raises RedshiftError if it does not exist."""

    def describe(self, sql: str, system: frozenset[str]) -> list[str]:
        """DuckDB's types of the columns of DuckDB's query ``sql``, which reads these system views."""

    def has_privilege(self, arguments: tuple[str, ...], kind: str) -> bool:
        """Answers has_table_privilege and has_schema_privilege."""
