"""What a user may do. Enforced only if the server has admins; see ``commands.grants``."""

from __future__ import annotations

import duckdb

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import TEMP_SCHEMA, Key, Relation, Schema
from fakeshift.engine.database import Database
from fakeshift.errors import RedshiftError, undefined_relation, undefined_schema


def _denied(kind: str, name: str) -> RedshiftError:
    return RedshiftError(f"permission denied for {kind} {name}", sqlstate="42501")


class Permissions:
    """The part of a session that answers and enforces privileges."""

    database: Database
    con: duckdb.DuckDBPyConnection
    user: str
    user_id: int
    superuser: bool

    def find(self, schema: str, name: str) -> Relation | None:
        """The session's."""
        raise NotImplementedError

    def find_schema(self, name: str) -> Schema | None:
        """The session's."""
        raise NotImplementedError

    def find_relation(self, name: tuple[str, ...]) -> Relation | None:
        """The session's."""
        raise NotImplementedError

    @property
    def enforced(self) -> bool:
        """Whether this user's privileges matter."""
        return bool(self.database.settings.admins) and not self.superuser

    @property
    def visible_user_id(self) -> int | None:
        """Whose rows the SYS_ views show: the user's own, or all (None) to an admin.

        https://docs.aws.amazon.com/redshift/latest/dg/c_visibility-of-data.html
        """
        return None if self.superuser else self.user_id

    def require(self, key: Key, privilege: str) -> None:
        """A privilege on a table, or its ownership; USAGE on its schema too."""
        if not self.enforced or key[0] == TEMP_SCHEMA:
            return
        self.require_schema(key[0], "USAGE")
        relation = self.find(*key)
        if relation is None:
            raise undefined_relation(".".join(key))
        if relation.owner != self.user and not self._granted("TABLE", *key, privilege):
            raise _denied("relation", relation.name)

    def require_owner(self, relation: Relation) -> None:
        """Ownership of a table or view; USAGE on its schema too."""
        if not relation.is_temporary:
            self.require_schema(relation.schema, "USAGE")
        if self.enforced and relation.owner != self.user and not relation.is_temporary:
            raise RedshiftError(f"must be owner of relation {relation.name}", sqlstate="42501")

    def require_schema(self, name: str, privilege: str) -> None:
        """USAGE or CREATE on a schema, or its ownership."""
        if not self.enforced or name == TEMP_SCHEMA:
            return
        schema = self.find_schema(name)
        if schema is None:
            raise undefined_schema(name)
        if schema.owner != self.user and not self._granted("SCHEMA", name, "", privilege):
            raise _denied("schema", name)

    def require_schema_owner(self, schema: Schema) -> None:
        """Ownership of a schema."""
        if self.enforced and schema.owner != self.user:
            raise RedshiftError(f"must be owner of schema {schema.name}", sqlstate="42501")

    def require_database(self, privilege: str) -> None:
        """CREATE on the database."""
        name = self.database.settings.database
        if self.enforced and not self._granted("DATABASE", "", name, privilege):
            raise _denied("database", name)

    def require_superuser(self, what: str) -> None:
        """Refuses others than superusers; ``what`` is part of the message."""
        if self.enforced:
            raise RedshiftError(f"permission denied to {what}", sqlstate="42501")

    def require_user(self, name: str) -> None:
        """The user must exist."""
        if catalog.find_grantee(self.con, name, "user") is None:
            raise RedshiftError(f'user "{name}" does not exist', sqlstate="42704")

    def may_see(self, relation: Relation) -> bool:
        """Whether svv_tables and the like show a relation: to its owner and the privileged."""
        if not self.enforced or relation.owner == self.user:
            return True
        return any(
            self._granted("TABLE", *relation.key, privilege)
            for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE")
        )

    def has_privilege(self, arguments: tuple[str, ...], kind: str) -> bool:
        """has_table_privilege, has_schema_privilege, has_database_privilege.

        https://docs.aws.amazon.com/redshift/latest/dg/r_HAS_TABLE_PRIVILEGE.html
        """
        user, target, privilege = arguments if len(arguments) == 3 else (self.user, *arguments)
        privilege = privilege.upper()
        about = catalog.find_grantee(self.con, user, "user")
        if about is None:
            raise RedshiftError(f'user "{user}" does not exist', sqlstate="42704")
        free = not self.database.settings.admins or about.superuser
        if kind == "TABLE":
            parts = tuple(part.strip('"').lower() for part in target.split("."))
            relation = self.find_relation(parts)
            if relation is None:
                raise undefined_relation(target)
            owned, place = relation.owner == user, relation.key
        elif kind == "SCHEMA":
            schema = self.find_schema(target.lower())
            if schema is None:
                raise undefined_schema(target)
            owned, place = schema.owner == user, (schema.name, "")
        else:
            owned, place = False, ("", target.lower())
        granted = catalog.has_privilege(self.con, user, kind, *place, privilege)
        return free or owned or granted

    def _granted(self, kind: str, schema: str, name: str, privilege: str) -> bool:
        return catalog.has_privilege(self.con, self.user, kind, schema, name, privilege)
