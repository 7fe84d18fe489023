"""What translation asks of a session: relations by name, and a few facts about itself."""

from __future__ import annotations

from typing import Protocol

from local.redshift.catalog.model import Relation
from local.redshift.engine.errors import undefined_relation, unsupported


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

    def has_privilege(self, arguments: tuple[str, ...], kind: str) -> bool:
        """Answers has_table_privilege and has_schema_privilege."""


class _NoSession:
    """The scope of a column's default: it may ask for nothing but the time."""

    user = ""
    database_name = ""
    pid = last_query_id = last_copy_id = last_copy_count = 0

    def existing_schemas_in_path(self) -> list[str]:
        return []

    def find_relation(self, name: tuple[str, ...]) -> Relation | None:
        return None

    def relation(self, name: tuple[str, ...]) -> Relation:
        raise undefined_relation(".".join(name))

    def has_privilege(self, arguments: tuple[str, ...], kind: str) -> bool:
        raise unsupported(f"has_{kind.lower()}_privilege in a default")


NO_SESSION: Scope = _NoSession()
