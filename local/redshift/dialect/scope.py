"""What translation asks of a session: relations by name, and a few facts about itself."""

from __future__ import annotations

from typing import Protocol

from local.redshift.catalog.model import Relation


class Scope(Protocol):
    """A session, as seen from the translator."""

    user: str
    pid: int
    last_query_id: int
    last_copy_id: int
    last_copy_count: int

    @property
    def database_name(self) -> str:
        """The connected database."""

    def existing_schemas_in_path(self) -> list[str]:
        """The search path, of schemas that exist."""

    def find_relation(self, name: tuple[str, ...]) -> Relation | None:
        """A table or view, None if there is none."""

    def relation(self, name: tuple[str, ...]) -> Relation:
        """A table or view; RedshiftError if there is none."""

    def describe(self, sql: str, system: frozenset[str]) -> list[str]:
        """DuckDB's types of the columns of DuckDB's query ``sql``, which reads these system views."""

    def has_privilege(self, arguments: tuple[str, ...], kind: str) -> bool:
        """Answers has_table_privilege and has_schema_privilege."""
