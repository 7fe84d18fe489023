"""GRANT, REVOKE, ALTER DEFAULT PRIVILEGES.

Recorded in the catalogue, answered by has_*_privilege and svv_*_privileges, and enforced for every
user who is not a superuser once the server has admins (``Settings.admins``): SELECT, INSERT, UPDATE,
DELETE, TRUNCATE on tables, USAGE and CREATE on schemas, CREATE on the database; DDL, LOCK and
VACUUM need the owner. Without admins nothing is enforced.
"""

from __future__ import annotations

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Key
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError, undefined_schema
from fakeshift.sql import nodes
from fakeshift.sql.privileges import DATABASE_PRIVILEGES, SCHEMA_PRIVILEGES, TABLE_PRIVILEGES


def grant(session: Session, statement: nodes.Grant) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html, r_REVOKE.html"""
    session.snapshot()
    for grantee in statement.grantees:
        _require_grantee(session, grantee)
    if statement.kind == "ROLE":
        return _role(session, statement)
    for kind, schema, name in _objects(session, statement):
        _check_privileges(kind, statement.privileges)
        for grantee in statement.grantees:
            for privilege in statement.privileges:
                row = (grantee, kind, schema, name, privilege)
                if statement.revoke:
                    catalog.remove_privilege(session.con, *row)
                else:
                    option = statement.with_grant_option
                    catalog.put_privilege(session.con, (*row, session.user, option))
    return Outcome()


def _check_privileges(kind: str, privileges: tuple[str, ...]) -> None:
    allowed = {
        "TABLE": TABLE_PRIVILEGES,
        "SCHEMA": SCHEMA_PRIVILEGES,
        "DATABASE": DATABASE_PRIVILEGES,
    }[kind]
    for privilege in privileges:
        if privilege not in allowed:
            spoken = {"TABLE": "relation"}.get(kind, kind.lower())
            raise RedshiftError(
                f"invalid privilege type {privilege} for {spoken}", sqlstate="0LP01"
            )


def _objects(session: Session, statement: nodes.Grant) -> list[tuple[str, str, str]]:
    """(kind, schema, name) of everything that the statement names."""
    found: list[tuple[str, str, str]] = []
    for name in statement.objects:
        if statement.kind == "TABLE":
            relation = session.relation(name)
            session.require_owner(relation)
            found.append(("TABLE", *relation.key))
        elif statement.kind == "DATABASE":
            if name[0] != session.database.settings.database:
                raise RedshiftError(f'database "{name[0]}" does not exist', sqlstate="3D000")
            session.require_superuser("grant on database")
            found.append(("DATABASE", "", name[0]))
        else:
            schema = catalog.find_schema(session.con, name[-1])
            if schema is None:
                raise undefined_schema(name[-1])
            if statement.kind == "SCHEMA":
                session.require_schema_owner(schema)
                found.append(("SCHEMA", schema.name, ""))
            else:
                found += [("TABLE", *key) for key in _tables_of(session, schema.name)]
    return found


def _tables_of(session: Session, schema: str) -> list[Key]:
    relations = catalog.all_relations(session.con, schema)
    for relation in relations:
        session.require_owner(relation)
    return [relation.key for relation in relations]


def _role(session: Session, statement: nodes.Grant) -> Outcome:
    session.require_superuser("grant role")
    for (role,) in statement.objects:
        if catalog.find_grantee(session.con, role, "role") is None:
            raise RedshiftError(f'role "{role}" does not exist', sqlstate="42704")
        for grantee in statement.grantees:
            if statement.revoke:
                catalog.remove_member(session.con, grantee, "role", role)
            else:
                catalog.add_member(session.con, grantee, "role", role)
    return Outcome()


def _require_grantee(session: Session, grantee: str) -> None:
    if grantee == "public":
        return
    kind, colon, name = grantee.partition(":")
    if colon and kind in ("group", "role"):
        if catalog.find_grantee(session.con, name, kind) is None:
            raise RedshiftError(f'{kind} "{name}" does not exist', sqlstate="42704")
        return
    session.require_user(grantee)


def default_privileges(session: Session, statement: nodes.DefaultPrivileges) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html"""
    session.snapshot()
    given = statement.grant
    for grantee in given.grantees:
        _require_grantee(session, grantee)
    owners = statement.for_users or (session.user,)
    for owner in owners:
        session.require_user(owner)
        if owner != session.user:
            session.require_superuser("alter default privileges for another user")
    for schema in statement.schemas:
        if catalog.find_schema(session.con, schema) is None:
            raise undefined_schema(schema)
    for owner in owners:
        for schema in statement.schemas or ("",):
            for grantee in given.grantees:
                for privilege in given.privileges:
                    if given.revoke:
                        catalog.remove_default_privilege(
                            session.con, owner, schema, grantee, privilege
                        )
                    else:
                        catalog.put_default_privilege(
                            session.con, owner, schema, grantee, privilege,
                            option=given.with_grant_option,
                        )  # fmt: skip
    return Outcome()
