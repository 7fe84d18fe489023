"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES.

https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html
"""

from __future__ import annotations

from fakeshift.errors import unsupported
from fakeshift.sql.lexer import Tokens
from fakeshift.sql.nodes import DefaultPrivileges, Grant, Name

TABLE_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER",
                    "TRUNCATE")  # fmt: skip
SCHEMA_PRIVILEGES = ("CREATE", "USAGE", "ALTER", "DROP")
DATABASE_PRIVILEGES = ("CREATE", "TEMPORARY", "TEMP", "USAGE", "ALTER")
_ALL_OF = {"TABLE": TABLE_PRIVILEGES, "SCHEMA": SCHEMA_PRIVILEGES, "DATABASE": DATABASE_PRIVILEGES}
_ANY = tuple(dict.fromkeys((*TABLE_PRIVILEGES, *SCHEMA_PRIVILEGES, *DATABASE_PRIVILEGES)))


def grant(tokens: Tokens, *, revoke: bool) -> Grant:
    """What follows GRANT or REVOKE; ``objects`` of kind ``ALL TABLES`` are schemas."""
    if revoke:
        tokens.accept("GRANT", "OPTION", "FOR")
    if tokens.next_is("ROLE"):
        return _role_grant(tokens, revoke=revoke)
    privileges = _privileges(tokens)
    tokens.expect("ON")
    kind, objects = _objects(tokens)
    grantees, option = _grantees(tokens, revoke=revoke)
    if privileges == ("ALL",):
        privileges = _ALL_OF["TABLE" if kind == "ALL TABLES" else kind]
    return Grant(revoke, privileges, kind, objects, grantees, option)


def default_privileges(tokens: Tokens) -> DefaultPrivileges:
    """What follows ALTER DEFAULT PRIVILEGES."""
    users: list[str] = []
    schemas: list[str] = []
    if tokens.accept("FOR"):
        tokens.expect("USER")
        users.append(tokens.exact_identifier())
        while tokens.accept(","):
            users.append(tokens.exact_identifier())
    if tokens.accept("IN"):
        tokens.expect("SCHEMA")
        schemas.append(tokens.identifier())
        while tokens.accept(","):
            schemas.append(tokens.identifier())
    revoke = tokens.accept_any("GRANT", "REVOKE")
    if not revoke:
        raise tokens.error()
    privileges = _privileges(tokens)
    tokens.expect("ON")
    if not tokens.accept("TABLES"):
        raise unsupported(f"ALTER DEFAULT PRIVILEGES ON {tokens.word()}")
    grantees, option = _grantees(tokens, revoke=revoke == "REVOKE")
    if privileges == ("ALL",):
        privileges = TABLE_PRIVILEGES
    built = Grant(revoke == "REVOKE", privileges, "TABLE", (), grantees, option)
    return DefaultPrivileges(built, tuple(users), tuple(schemas))


def _privileges(tokens: Tokens) -> tuple[str, ...]:
    if tokens.accept("ALL"):
        tokens.accept("PRIVILEGES")
        if tokens.word() == "(":
            raise unsupported("column privileges")
        return ("ALL",)
    found: list[str] = []
    while True:
        privilege = tokens.accept_any(*_ANY)
        if not privilege:
            raise unsupported(f"privilege {tokens.word()}") if tokens.word() else tokens.error()
        if tokens.word() == "(":
            raise unsupported("column privileges")
        found.append("TEMPORARY" if privilege == "TEMP" else privilege)
        if not tokens.accept(","):
            return tuple(found)


def _objects(tokens: Tokens) -> tuple[str, tuple[Name, ...]]:
    if tokens.accept("ALL", "TABLES", "IN", "SCHEMA"):
        return "ALL TABLES", _names(tokens)
    kind = tokens.accept_any("SCHEMA", "DATABASE")
    if not kind:
        if tokens.word() in ("FUNCTION", "PROCEDURE", "LANGUAGE", "DATASHARE", "EXTERNAL",
                             "ALL", "MODEL", "COPY"):  # fmt: skip
            raise unsupported(f"GRANT ON {tokens.word()}")
        tokens.accept("TABLE")
    return kind or "TABLE", _names(tokens)


def _names(tokens: Tokens) -> tuple[Name, ...]:
    names = [tokens.qualified_name()]
    while tokens.accept(","):
        names.append(tokens.qualified_name())
    return tuple(names)


def _grantees(tokens: Tokens, *, revoke: bool) -> tuple[tuple[str, ...], bool]:
    """``user``, ``group:g``, ``role:r`` or ``public``, and WITH GRANT OPTION."""
    tokens.expect("FROM" if revoke else "TO")
    found: list[str] = []
    option = False
    while True:
        if tokens.accept("GROUP"):
            found.append(f"group:{tokens.exact_identifier()}")
        elif tokens.accept("ROLE"):
            found.append(f"role:{tokens.exact_identifier()}")
        elif tokens.accept("PUBLIC"):
            found.append("public")
        else:
            found.append(tokens.exact_identifier())
            option = tokens.accept("WITH", "GRANT", "OPTION") or option
        if not tokens.accept(","):
            break
    if revoke and tokens.accept("CASCADE"):
        raise unsupported("REVOKE ... CASCADE")
    tokens.accept("RESTRICT")
    return tuple(found), option


def _role_grant(tokens: Tokens, *, revoke: bool) -> Grant:
    tokens.expect("ROLE")
    roles: list[Name] = [(tokens.exact_identifier(),)]
    while tokens.accept(","):
        tokens.accept("ROLE")
        roles.append((tokens.exact_identifier(),))
    grantees, option = _grantees(tokens, revoke=revoke)
    return Grant(revoke, ("MEMBER",), "ROLE", tuple(roles), grantees, option)
