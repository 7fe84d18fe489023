"""Parses a statement's text into a node.

An unknown word is a syntax error; one that only Redshift knows is refused by name; none is
skipped. Each parser names the page whose synopsis it follows
(``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot.tokenizer_core import TokenType

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.s3 import split_url
from fakeshift.sql import copy_options, nodes, unload_options
from fakeshift.sql.create_table import ENCODINGS, column, constraint, create_table
from fakeshift.sql.datatypes import parse as parse_type
from fakeshift.sql.lexer import Tokens
from fakeshift.sql.parameters import bind, template_of
from fakeshift.sql.privileges import default_privileges, grant
from fakeshift.sql.show import listing

Statement = object

_POSTGRES_OBJECTS = ("UNIQUE", "INDEX", "SEQUENCE", "TRIGGER", "RULE", "DOMAIN", "AGGREGATE")
"""What CREATE can create in PostgreSQL but not in Redshift.

https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-features.html
"""

_LATE_BINDING = re.compile(r"\sWITH\s+NO\s+SCHEMA\s+BINDING\s*$", re.IGNORECASE)

_INTO = re.compile(r"\bINTO\b", re.IGNORECASE)
_QUERIES = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "(")
_NOT_SHOWN = (
    "COLUMN", "CONSTRAINTS", "DATASHARES", "EXTERNAL", "FUNCTIONS", "GRANTS", "MODEL", "PARAMETERS", "POLICIES",
    "PROCEDURE", "PROCEDURES", "TABLE", "TEMPLATE", "TEMPLATES", "VIEW",
)  # fmt: skip
"""What SHOW shows of Redshift and not of fakeshift: dg/c_SQL_commands.html."""
_UNSUPPORTED = (
    "ATTACH", "CALL", "CANCEL", "DEALLOCATE", "DESC", "DESCRIBE", "DETACH", "EXECUTE",
    "PREPARE", "REFRESH", "SELECT INTO", "USE", "VALUES",
)  # fmt: skip


def parse_statement(sql: str, values: Mapping[str, str]) -> Statement:
    """One of ``nodes``. Raises RedshiftError: a syntax error, or what we do not support."""
    first = template_of(sql)[1].first
    if first in ("SELECT", "WITH") and _INTO.search(sql):
        into = _select_into(sql, values)
        if into is not None:
            return into
    if first in _QUERIES:
        return nodes.Query(sql, values)
    tokens = Tokens(bind(sql, values))
    if tokens.at_end:
        raise RedshiftError("syntax error at end of input", sqlstate="42601")
    first = tokens.word()
    if first in _UNSUPPORTED:
        raise unsupported(first)
    parser = _PARSERS.get(first)
    if parser is None:
        raise tokens.error()
    tokens.take()
    statement = parser(tokens)
    tokens.finish()
    return statement


def _select_into(sql: str, values: Mapping[str, str]) -> nodes.CreateTable | None:
    """dg/r_SELECT_INTO.html: SELECT ... INTO [TEMP] [TABLE] name FROM ... is CREATE TABLE AS."""
    text = bind(sql, values)
    tokens = Tokens(text)
    depth = 0
    while not tokens.at_end:
        if depth == 0 and tokens.word() in ("INSERT", "MERGE"):
            return None
        if depth == 0 and tokens.next_is("INTO"):
            start = tokens.take().start
            temporary = bool(tokens.accept_any("TEMPORARY", "TEMP"))
            tokens.accept("TABLE")
            hashed = tokens.accept("#")
            name = tokens.qualified_name()
            if hashed:
                name = ("#" + name[0],)
            temporary = temporary or name[-1].startswith("#")
            rest = tokens.rest()
            return nodes.CreateTable(name, temporary=temporary, query=f"{text[:start]} {rest}")
        depth += {"(": 1, ")": -1}.get(tokens.word(), 0)
        tokens.take()
    return None


def _create(tokens: Tokens) -> Statement:
    replace = tokens.accept("OR", "REPLACE")
    if tokens.accept("VIEW"):
        return _create_view(tokens, replace=replace)
    if not replace:
        temporary = bool(tokens.accept_any("TEMPORARY", "TEMP"))
        if tokens.accept("LOCAL"):
            temporary = bool(tokens.accept_any("TEMPORARY", "TEMP"))
        if tokens.accept("TABLE"):
            return create_table(tokens, temporary=temporary)
        if tokens.accept("SCHEMA"):
            return _create_schema(tokens)
        if tokens.accept("USER"):
            return _create_user(tokens)
        if tokens.accept("GROUP"):
            return _create_group(tokens)
        if tokens.accept("ROLE"):
            return nodes.CreateGroup(tokens.exact_identifier(), kind="ROLE")
    if tokens.word() in _POSTGRES_OBJECTS:
        raise RedshiftError(
            f'SQL command "{tokens.sql.strip().rstrip(";")}" not supported on Redshift tables.',
            sqlstate="0A000",
        )
    if tokens.word() in ("DATABASE", "EXTERNAL", "LIBRARY"):
        return _outside_a_block(tokens, "CREATE")
    if tokens.word() in (
        "MATERIALIZED", "FUNCTION", "PROCEDURE", "MODEL", "DATASHARE", "MASKING", "RLS", "IDENTITY",
    ):  # fmt: skip
        raise unsupported(f"CREATE {tokens.word()}")
    raise tokens.error()


def _outside_a_block(tokens: Tokens, verb: str) -> nodes.Refused:
    """CREATE, ALTER or DROP that Redshift refuses in a transaction block and we do not support."""
    words = [verb, tokens.take().text.upper()]
    if words[1] == "EXTERNAL":
        words.append(tokens.word())
    tokens.rest()
    return nodes.Refused(" ".join(words))


def _create_view(tokens: Tokens, *, replace: bool) -> nodes.CreateView:
    """dg/r_CREATE_VIEW.html"""
    name = tokens.qualified_name()
    names: tuple[str, ...] = ()
    if tokens.accept("("):
        names = _name_list(tokens)
    tokens.expect("AS")
    query = tokens.rest()
    late = _LATE_BINDING.search(query)
    if late:
        query = query[: late.start()]
    return nodes.CreateView(name, query.strip(), names, replace, late is not None)


def _create_schema(tokens: Tokens) -> nodes.CreateSchema:
    """dg/r_CREATE_SCHEMA.html"""
    if_not_exists = tokens.accept("IF", "NOT", "EXISTS")
    name = "" if tokens.next_is("AUTHORIZATION") else tokens.identifier()
    owner = tokens.exact_identifier() if tokens.accept("AUTHORIZATION") else ""
    quota = ""
    if tokens.accept("QUOTA"):
        if tokens.accept("UNLIMITED"):
            quota = "UNLIMITED"
        else:
            size = tokens.integer()
            unit = tokens.accept_any("MB", "GB", "TB")
            if not unit:
                raise tokens.error()
            quota = f"{size} {unit}"
    if not tokens.at_end:
        raise unsupported("a schema element inside CREATE SCHEMA")
    return nodes.CreateSchema(name or owner.lower(), if_not_exists, owner, quota)


def _create_user(tokens: Tokens) -> nodes.CreateUser:
    """dg/r_CREATE_USER.html"""
    name = tokens.exact_identifier()
    tokens.accept("WITH")
    disabled = superuser = False
    password: str | None = None
    while not tokens.at_end:
        if tokens.accept("PASSWORD", "DISABLE"):
            disabled, password = True, ""
        elif tokens.accept("PASSWORD"):
            password = tokens.string()
        elif tokens.accept_any("NOCREATEDB", "NOCREATEUSER"):
            pass
        elif tokens.accept("CREATEUSER"):
            superuser = True
        else:
            raise unsupported(f"CREATE USER ... {tokens.word()}")
    if password is None:
        raise tokens.error()
    return nodes.CreateUser(name, disabled, superuser, password)


def _create_group(tokens: Tokens) -> nodes.CreateGroup:
    """dg/r_CREATE_GROUP.html"""
    name = tokens.exact_identifier()
    users: list[str] = []
    tokens.accept("WITH")
    if tokens.accept("USER"):
        users = _users(tokens)
    return nodes.CreateGroup(name, users=tuple(users))


def _users(tokens: Tokens) -> list[str]:
    users = [tokens.exact_identifier()]
    while tokens.accept(","):
        users.append(tokens.exact_identifier())
    return users


def _alter_group(tokens: Tokens) -> nodes.AlterGroup:
    """dg/r_ALTER_GROUP.html"""
    name = tokens.exact_identifier()
    action = tokens.accept_any("ADD", "DROP")
    if not action:
        raise unsupported(f"ALTER GROUP {tokens.word()}")
    tokens.expect("USER")
    return nodes.AlterGroup(name, action, tuple(_users(tokens)))


def _alter(tokens: Tokens) -> Statement:
    if tokens.accept("TABLE"):
        return _alter_table(tokens)
    if tokens.accept("SCHEMA"):
        return _alter_schema(tokens)
    if tokens.accept("GROUP"):
        return _alter_group(tokens)
    if tokens.accept("DEFAULT", "PRIVILEGES"):
        return default_privileges(tokens)
    if tokens.word() == "DATABASE":
        return _outside_a_block(tokens, "ALTER")
    raise unsupported(f"ALTER {tokens.word()}")


def _attribute_change(tokens: Tokens) -> tuple[str, ...] | None:
    """What follows ALTER in ALTER TABLE for attributes of a table or column; None for COLUMN TYPE."""
    if tokens.accept("DISTKEY"):
        return ("distkey", tokens.name())
    if tokens.accept("DISTSTYLE"):
        style = tokens.accept_any("ALL", "EVEN", "KEY", "AUTO")
        if style == "KEY":
            tokens.expect("DISTKEY")
            return ("distkey", tokens.name())
        if not style:
            raise tokens.error()
        return ("diststyle", style)
    if tokens.accept("ENCODE", "AUTO"):
        return ("encode auto",)
    if tokens.word() in ("COMPOUND", "SORTKEY"):
        compound = tokens.accept("COMPOUND")
        tokens.expect("SORTKEY")
        if not compound and tokens.word() in ("AUTO", "NONE"):
            return (f"sortkey {tokens.take().text.lower()}",)
        tokens.expect("(")
        return ("sortkey", *_name_list(tokens))
    is_column = tokens.word() == "COLUMN"
    if tokens.word(2 if is_column else 1) == "ENCODE":
        tokens.accept("COLUMN")
        column_ = tokens.name()
        tokens.expect("ENCODE")
        encoding = tokens.identifier()
        if encoding not in ENCODINGS:
            raise RedshiftError(f'invalid encoding type specified for column "{column_}"')
        return ("encode", column_, encoding)
    return None


def _refuse_combination(changes: list[tuple[str, ...]]) -> None:
    """dg/r_ALTER_TABLE.html allows only these combinations: encodings of several columns, and a new
    sort key with DISTKEY or DISTSTYLE ALL.
    """
    kinds = tuple(sorted(change[0] for change in changes))
    columns = [change[1] for change in changes if change[0] == "encode"]
    if len(changes) == 1 or (len(columns) == len(changes) == len(set(columns))):
        return
    if len(columns) == len(changes):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise RedshiftError(
            f'cannot alter column "{twice}" multiple times in a single command', sqlstate="0A000"
        )
    distribution = next((c for c in changes if c[0] in ("distkey", "diststyle")), ())
    if kinds not in (("distkey", "sortkey"), ("diststyle", "sortkey")) or (
        distribution[0] == "diststyle" and distribution[1] != "ALL"
    ):
        spoken = ", ".join(f"ALTER {change[0].upper()}" for change in changes)
        raise RedshiftError(
            f"{spoken} cannot be combined in one ALTER TABLE command", sqlstate="0A000"
        )


def _append(tokens: Tokens, target: nodes.Name) -> nodes.Append:
    """dg/r_ALTER_TABLE_APPEND.html"""
    tokens.expect("FROM")
    source = tokens.qualified_name()
    option = tokens.accept_any("IGNOREEXTRA", "FILLTARGET")
    return nodes.Append(target, source, option == "IGNOREEXTRA", option == "FILLTARGET")


def _alter_table(tokens: Tokens) -> Statement:
    """dg/r_ALTER_TABLE.html"""
    name = tokens.qualified_name()
    if tokens.accept("APPEND"):
        return _append(tokens, name)
    if tokens.accept("OWNER", "TO"):
        return nodes.AlterTable(name, "owner", new=tokens.exact_identifier())
    if tokens.accept("RENAME", "TO"):
        return nodes.AlterTable(name, "rename", new=tokens.name())
    if tokens.accept("RENAME"):
        tokens.accept("COLUMN")
        old = tokens.name()
        tokens.expect("TO")
        return nodes.AlterTable(name, "rename_column", old=old, new=tokens.name())
    if tokens.accept("ADD"):
        if tokens.word() in (
            "PRIMARY",
            "UNIQUE",
            "FOREIGN",
            "CONSTRAINT",
            "PRIMARY KEY",
            "FOREIGN KEY",
        ):
            named = tokens.identifier() if tokens.accept("CONSTRAINT") else ""
            added_key = replace(constraint(tokens), name=named)
            return nodes.AlterTable(name, "add_constraint", constraint=added_key)
        tokens.accept("COLUMN")
        added = column(tokens)
        keys = (added.distkey, added.sortkey, added.unique, added.primary_key, added.references)
        if any(keys):
            raise RedshiftError(
                "ALTER TABLE ADD COLUMN cannot add a DISTKEY, SORTKEY, UNIQUE, PRIMARY KEY or "
                "REFERENCES column",
                sqlstate="0A000",
            )
        if added.identity:
            raise RedshiftError("identity column cannot be added to an existing table")
        if added.not_null and added.default is None:
            raise RedshiftError(
                "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression"
            )
        return nodes.AlterTable(name, "add_column", column=added)
    if tokens.accept("DROP"):
        if tokens.accept("CONSTRAINT"):
            dropped = tokens.name()
            cascade = tokens.accept_any("CASCADE", "RESTRICT") == "CASCADE"
            return nodes.AlterTable(name, "drop_constraint", old=dropped, cascade=cascade)
        tokens.accept("COLUMN")
        dropped = tokens.name()
        cascade = tokens.accept_any("CASCADE", "RESTRICT") == "CASCADE"
        return nodes.AlterTable(name, "drop_column", old=dropped, cascade=cascade)
    if tokens.accept("ALTER"):
        change = _attribute_change(tokens)
        if change is not None:
            changes = [change]
            while tokens.accept(","):
                tokens.expect("ALTER")
                another = _attribute_change(tokens)
                if another is None:
                    raise tokens.error()
                changes.append(another)
            _refuse_combination(changes)
            return nodes.AlterTable(name, "attributes", changes=tuple(changes))
        tokens.accept("COLUMN")
        altered = tokens.name()
        tokens.expect("TYPE")
        return nodes.AlterTable(name, "column_type", old=altered, type=parse_type(tokens))
    if tokens.word() in ("SET", "PARTITION", "ROW", "MASKING"):
        raise unsupported(f"ALTER TABLE {tokens.word()}")
    raise tokens.error()


def _alter_schema(tokens: Tokens) -> nodes.AlterSchema:
    """dg/r_ALTER_SCHEMA.html"""
    name = tokens.identifier()
    if tokens.accept("OWNER", "TO"):
        return nodes.AlterSchema(name, "owner", tokens.exact_identifier())
    raise unsupported(f"ALTER SCHEMA ... {tokens.word()}")


def _drop(tokens: Tokens) -> Statement:
    """dg/r_DROP_TABLE.html, r_DROP_VIEW.html, r_DROP_SCHEMA.html, r_DROP_USER.html"""
    kind = tokens.accept_any("TABLE", "VIEW", "SCHEMA", "USER", "GROUP", "ROLE")
    if tokens.word() in ("DATABASE", "LIBRARY"):
        return _outside_a_block(tokens, "DROP")
    if not kind:
        raise unsupported(f"DROP {tokens.word()}")
    if_exists = tokens.accept("IF", "EXISTS")
    whole = kind in ("TABLE", "VIEW")
    names = [tokens.qualified_name() if whole else (tokens.exact_identifier(),)]
    while tokens.accept(","):
        names.append(tokens.qualified_name() if whole else (tokens.exact_identifier(),))
    cascade = tokens.accept_any("CASCADE", "RESTRICT", "FORCE") in ("CASCADE", "FORCE")
    return nodes.Drop(kind, tuple(names), if_exists, cascade)


def _truncate(tokens: Tokens) -> nodes.Truncate:
    """dg/r_TRUNCATE.html"""
    tokens.accept("TABLE")
    return nodes.Truncate(tokens.qualified_name())


def _lock(tokens: Tokens) -> nodes.Lock:
    """dg/r_LOCK.html: LOCK [ TABLE ] table_name [, ...]"""
    tokens.accept("TABLE")
    names = [tokens.qualified_name()]
    while tokens.accept(","):
        names.append(tokens.qualified_name())
    return nodes.Lock(tuple(names))


def _copy(tokens: Tokens) -> Statement:
    """dg/r_COPY.html: COPY table [ (column, ...) ] FROM 'source' authorization [ options ]"""
    if tokens.accept("JOB"):
        raise unsupported("COPY JOB")
    name = tokens.qualified_name()
    columns = _name_list(tokens) if tokens.accept("(") else ()
    tokens.expect("FROM")
    source = tokens.string()
    split_url(source)  # first, because other sources have other options
    return nodes.CopyFrom(name, columns, source, copy_options.parse_options(tokens))


def _unload(tokens: Tokens) -> nodes.Unload:
    """dg/r_UNLOAD.html: UNLOAD ('query') TO 'destination' authorization [ options ]"""
    tokens.expect("(")
    query = _unloaded(tokens)
    tokens.expect(")")
    tokens.expect("TO")
    destination = tokens.string()
    return nodes.Unload(query, destination, unload_options.parse_options(tokens))


def _unloaded(tokens: Tokens) -> str:
    """``'select ...'`` with doubled quotes, or ``$$select ...$$``."""
    token = tokens.peek()
    if token is not None and token.token_type == TokenType.HEREDOC_STRING:
        return str(tokens.take().text)
    return tokens.string()


def _comment(tokens: Tokens) -> nodes.Comment:
    """dg/r_COMMENT.html"""
    tokens.expect("ON")
    kind = tokens.accept_any("TABLE", "COLUMN", "VIEW", "SCHEMA", "DATABASE", "CONSTRAINT")
    if kind in ("DATABASE", "CONSTRAINT", ""):
        raise unsupported(f"COMMENT ON {kind or tokens.word()}")
    name = tokens.qualified_name()
    tokens.expect("IS")
    return nodes.Comment(kind, name, None if tokens.accept("NULL") else tokens.string())


def _analyze(tokens: Tokens) -> nodes.Analyze:
    """dg/r_ANALYZE.html"""
    if tokens.word() == "COMPRESSION":
        raise unsupported("ANALYZE COMPRESSION")
    tokens.accept("VERBOSE")
    if tokens.at_end:
        return nodes.Analyze(None)
    name = tokens.qualified_name()
    columns = _name_list(tokens) if tokens.accept("(") else ()
    if not tokens.accept("PREDICATE", "COLUMNS"):
        tokens.accept("ALL", "COLUMNS")
    return nodes.Analyze(name, columns)


def _vacuum(tokens: Tokens) -> nodes.Vacuum:
    """dg/r_VACUUM_command.html"""
    mode = "FULL"
    if tokens.accept("SORT", "ONLY"):
        mode = "SORT ONLY"
    elif tokens.accept("DELETE", "ONLY"):
        mode = "DELETE ONLY"
    elif tokens.accept_any("FULL", "RECLUSTER", "REINDEX"):
        pass
    if tokens.at_end:
        return nodes.Vacuum(None, mode)
    name = tokens.qualified_name()
    if tokens.accept("TO"):
        tokens.integer()
        tokens.expect("PERCENT")
    tokens.accept("BOOST")
    return nodes.Vacuum(name, mode)


def _set(tokens: Tokens) -> nodes.SetParameter:
    """dg/r_SET.html"""
    if tokens.accept("SESSION", "AUTHORIZATION"):
        if tokens.accept("DEFAULT"):  # the user of the connection, which no one else can be here
            return nodes.SetParameter("session_authorization", reset=True)
        raise unsupported("SET SESSION AUTHORIZATION")
    local = tokens.accept_any("SESSION", "LOCAL") == "LOCAL"
    if tokens.accept("TIME", "ZONE"):
        return nodes.SetParameter("timezone", (_set_value(tokens),), local=local)
    name = tokens.identifier()
    if name in ("seed", "app_context"):
        raise unsupported(f"SET {name}")
    if not tokens.accept("TO"):
        tokens.expect("=")
    values = [_set_value(tokens)]
    while tokens.accept(","):
        values.append(_set_value(tokens))
    return nodes.SetParameter(name, tuple(values), local=local)


def _set_value(tokens: Tokens) -> str:
    if tokens.next_is_string():
        return tokens.string()
    token = tokens.peek()
    if token is not None and token.text.replace("-", "").isdigit():
        return str(tokens.integer())
    if token is not None and token.token_type == TokenType.NUMBER:
        return tokens.take().text
    if tokens.accept("$"):
        return "$" + tokens.identifier()
    if tokens.accept("ON"):
        return "on"
    return tokens.identifier()


def _reset(tokens: Tokens) -> nodes.SetParameter:
    """dg/r_RESET.html"""
    if tokens.accept("SESSION", "AUTHORIZATION"):
        return nodes.SetParameter("session_authorization", reset=True)
    return nodes.SetParameter(tokens.identifier(), reset=True)


def _show(tokens: Tokens) -> nodes.Show | nodes.Query:
    """dg/r_SHOW.html"""
    if (query := listing(tokens)) is not None:
        return query
    if tokens.word() in _NOT_SHOWN:
        raise unsupported(f"SHOW {tokens.word()}")
    if tokens.accept("TRANSACTION", "ISOLATION", "LEVEL"):
        return nodes.Show("transaction_isolation")
    return nodes.Show(tokens.identifier())


def _explain(tokens: Tokens) -> nodes.Explain:
    """dg/r_EXPLAIN.html: only of SELECT, SELECT INTO, CREATE TABLE AS, INSERT, UPDATE, DELETE"""
    if tokens.accept("VERBOSE"):
        raise unsupported("EXPLAIN VERBOSE")
    if tokens.word() in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "("):
        first, text = tokens.word(), tokens.rest()
        into = _select_into(text, {}) if first in ("SELECT", "WITH") else None
        if into is not None and into.query is not None:
            return nodes.Explain(nodes.Query(into.query), into)
        return nodes.Explain(nodes.Query(text))
    error = tokens.error()
    if tokens.accept("CREATE"):
        temporary = bool(tokens.accept_any("TEMPORARY", "TEMP"))
        if tokens.accept("TABLE"):
            table = create_table(tokens, temporary=temporary)
            if table.query is not None:
                return nodes.Explain(nodes.Query(table.query), table)
    raise error


def _begin(tokens: Tokens) -> nodes.Begin:
    """dg/r_BEGIN.html"""
    tokens.accept_any("TRANSACTION", "WORK")
    isolation = ""
    if tokens.accept("ISOLATION", "LEVEL"):
        for level in ("SERIALIZABLE", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ"):
            if tokens.accept(*level.split()):
                isolation = level
        if not isolation:
            raise tokens.error()
    read_only = not tokens.accept("READ", "WRITE") and tokens.accept("READ", "ONLY")
    return nodes.Begin(isolation, bool(read_only))


def _start(tokens: Tokens) -> nodes.Begin:
    tokens.expect("TRANSACTION")
    return _begin(tokens)


def _declare(tokens: Tokens) -> nodes.Declare:
    """dg/declare.html"""
    name = tokens.identifier()
    tokens.expect("CURSOR")
    tokens.accept("WITHOUT", "HOLD")
    tokens.expect("FOR")
    if tokens.word() not in ("SELECT", "WITH", "("):
        raise tokens.error()
    return nodes.Declare(name, tokens.rest())


def _fetch(tokens: Tokens) -> nodes.Fetch:
    """dg/fetch.html: NEXT, ALL or FORWARD; Redshift's cursors do not go back"""
    count: int | None = 1
    if tokens.accept("ALL"):
        count = None
    elif not tokens.accept("NEXT") and tokens.accept("FORWARD"):
        if tokens.accept("ALL"):
            count = None
        elif not tokens.next_is("FROM"):
            count = tokens.integer()
    tokens.expect("FROM")
    return nodes.Fetch(tokens.identifier(), count)


def _close(tokens: Tokens) -> nodes.CloseCursor:
    """dg/close.html"""
    return nodes.CloseCursor(tokens.identifier())


def _commit(tokens: Tokens) -> nodes.Commit:
    """dg/r_COMMIT.html, r_END.html"""
    tokens.accept_any("TRANSACTION", "WORK")
    return nodes.Commit()


def _rollback(tokens: Tokens) -> nodes.Rollback:
    """dg/r_ROLLBACK.html, r_ABORT.html"""
    tokens.accept_any("TRANSACTION", "WORK")
    return nodes.Rollback()


def _grant(tokens: Tokens) -> nodes.Grant:
    return grant(tokens, revoke=False)


def _revoke(tokens: Tokens) -> nodes.Grant:
    return grant(tokens, revoke=True)


def _name_list(tokens: Tokens) -> tuple[str, ...]:
    names = [tokens.name()]
    while tokens.accept(","):
        names.append(tokens.name())
    tokens.expect(")")
    return tuple(names)


_PARSERS: dict[str, Callable[[Tokens], Statement]] = {
    "CREATE": _create,
    "ALTER": _alter,
    "DROP": _drop,
    "TRUNCATE": _truncate,
    "LOCK": _lock,
    "COPY": _copy,
    "UNLOAD": _unload,
    "COMMENT": _comment,
    "COMMENT ON": _comment,
    "ANALYZE": _analyze,
    "ANALYSE": _analyze,
    "VACUUM": _vacuum,
    "SET": _set,
    "RESET": _reset,
    "SHOW": _show,
    "EXPLAIN": _explain,
    "BEGIN": _begin,
    "CLOSE": _close,
    "DECLARE": _declare,
    "FETCH": _fetch,
    "START": _start,
    "COMMIT": _commit,
    "END": _commit,
    "ROLLBACK": _rollback,
    "ABORT": _rollback,
    "GRANT": _grant,
    "REVOKE": _revoke,
}
