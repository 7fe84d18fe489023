"""CREATE TABLE in its three forms: columns, LIKE, AS.

https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_AS.html
"""

from __future__ import annotations

from dataclasses import replace

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.sql.datatypes import NOT_IN_REDSHIFT
from fakeshift.sql.datatypes import parse as parse_type
from fakeshift.sql.lexer import Tokens
from fakeshift.sql.nodes import Column, Constraint, CreateTable, TableAttributes

ENCODINGS = frozenset(
    {"raw", "az64", "bytedict", "delta", "delta32k", "lzo", "mostly8", "mostly16", "mostly32",
     "runlength", "text255", "text32k", "zstd", "auto"}
)  # fmt: skip

_DEFAULT_STOPS = (
    "NOT", "NULL", "IDENTITY", "GENERATED", "ENCODE", "DISTKEY", "SORTKEY", "COLLATE", "UNIQUE",
    "PRIMARY", "REFERENCES",
)  # fmt: skip


def create_table(tokens: Tokens, *, temporary: bool) -> CreateTable:
    """What follows CREATE [TEMP] TABLE."""
    if_not_exists = tokens.accept("IF", "NOT", "EXISTS")
    if tokens.accept("#"):
        temporary = True
        name: tuple[str, ...] = ("#" + tokens.identifier(),)
    else:
        name = tokens.qualified_name()
    temporary = temporary or name[-1].startswith("#")
    table = CreateTable(name, if_not_exists, temporary)
    if tokens.next_is("(") and tokens.word(1) == "LIKE":
        return _like(tokens, table)
    if tokens.next_is("(") and not _is_name_list(tokens):
        table = _definitions(tokens, table)
        table = replace(table, attributes=_attributes(tokens))
        _check_keys(table)
        return table
    names: list[str] = []
    if tokens.accept("("):
        names.append(tokens.name())
        while tokens.accept(","):
            names.append(tokens.name())
        tokens.expect(")")
    attributes = _attributes(tokens)
    tokens.expect("AS")
    if if_not_exists:
        raise RedshiftError('syntax error at or near "NOT"', sqlstate="42601")
    return replace(table, names=tuple(names), attributes=attributes, query=tokens.rest())


def _is_name_list(tokens: Tokens) -> bool:
    """Whether the column names ``(a, b)`` of CREATE TABLE ... AS follow."""
    ahead = 1
    while tokens.word(ahead + 1) == ",":
        ahead += 2
    return tokens.word(ahead + 1) == ")"


def _like(tokens: Tokens, table: CreateTable) -> CreateTable:
    tokens.expect("(")
    tokens.expect("LIKE")
    parent = tokens.qualified_name()
    defaults = tokens.accept("INCLUDING", "DEFAULTS")
    tokens.accept("EXCLUDING", "DEFAULTS")
    if tokens.next_is(","):
        raise unsupported("CREATE TABLE (LIKE ..., other columns)")
    tokens.expect(")")
    return replace(table, like=parent, including_defaults=defaults)


def _definitions(tokens: Tokens, table: CreateTable) -> CreateTable:
    tokens.expect("(")
    columns: list[Column] = []
    constraints: list[Constraint] = []
    while True:
        name = tokens.identifier() if tokens.accept("CONSTRAINT") else ""
        if (
            tokens.next_is("PRIMARY", "KEY")
            or tokens.next_is("FOREIGN", "KEY")
            or tokens.next_is("UNIQUE", "(")
        ):
            constraints.append(replace(constraint(tokens), name=name))
        elif tokens.word() == "CHECK":
            raise RedshiftError("CHECK constraints are not supported", sqlstate="0A000")
        else:
            columns.append(column(tokens))
        if not tokens.accept(","):
            break
    tokens.expect(")")
    return replace(table, columns=tuple(columns), constraints=tuple(constraints))


def constraint(tokens: Tokens) -> Constraint:
    """UNIQUE (...), PRIMARY KEY (...) or FOREIGN KEY (...) REFERENCES ..."""
    kind = "UNIQUE"
    if tokens.accept("PRIMARY", "KEY"):
        kind = "PRIMARY KEY"
    elif tokens.accept("FOREIGN", "KEY"):
        kind = "FOREIGN KEY"
    else:
        tokens.expect("UNIQUE")
    tokens.expect("(")
    names = [tokens.name()]
    while tokens.accept(","):
        names.append(tokens.name())
    tokens.expect(")")
    return Constraint(kind, tuple(names), _references(tokens) if kind == "FOREIGN KEY" else "")


def _references(tokens: Tokens) -> str:
    tokens.expect("REFERENCES")
    table = ".".join(tokens.qualified_name())
    if tokens.accept("("):
        names = [tokens.name()]
        while tokens.accept(","):
            names.append(tokens.name())
        table += f"({', '.join(names)})"
        tokens.expect(")")
    return table


def column(tokens: Tokens) -> Column:
    """``name type [attributes] [constraints]``, also for ALTER TABLE ADD COLUMN.

    Raises RedshiftError: SERIAL and the like (Redshift has IDENTITY), an unknown encoding.
    """
    name = tokens.name()
    if tokens.word() in NOT_IN_REDSHIFT:
        raise RedshiftError(
            f'Column "{name}" has unsupported type "{tokens.word().lower()}".', sqlstate="0A000"
        )
    built = Column(name, parse_type(tokens))
    if tokens.word() == "[":
        raise RedshiftError(
            f'Column "{name}" has unsupported type "{built.type.spoken}[]".', sqlstate="0A000"
        )
    while True:
        following = _column_attribute(tokens, built)
        if following is None:
            break
        built = following
    if built.identity and built.type.name not in ("int4", "int8"):
        raise RedshiftError(
            f'identity column "{name}" must be of type integer or bigint', sqlstate="42804"
        )
    return built


def _column_attribute(tokens: Tokens, built: Column) -> Column | None:
    """The column with one more attribute, None if no further one follows."""
    if tokens.accept("NOT", "NULL"):
        return replace(built, not_null=True)
    if tokens.accept("NULL"):
        return built
    if tokens.accept("DEFAULT", "NULL"):
        return replace(built, default="NULL")
    if tokens.accept("DEFAULT"):
        return replace(built, default=tokens.expression_text(*_DEFAULT_STOPS))
    if tokens.accept("IDENTITY"):
        return replace(built, identity=_seed_and_step(tokens), not_null=True)
    if tokens.accept("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"):
        return replace(
            built, identity=_seed_and_step(tokens), identity_by_default=True, not_null=True
        )
    if tokens.accept("ENCODE"):
        encoding = tokens.identifier()
        if encoding not in ENCODINGS:
            raise RedshiftError(f'invalid encoding type specified for column "{built.name}"')
        return replace(built, encoding=encoding)
    if tokens.accept("DISTKEY"):
        return replace(built, distkey=True)
    if tokens.accept("SORTKEY"):
        return replace(built, sortkey=True)
    if tokens.accept("COLLATE"):
        collate = tokens.accept_any("CASE_SENSITIVE", "CASE_INSENSITIVE", "CS", "CI")
        if collate in ("CASE_INSENSITIVE", "CI"):
            raise unsupported("COLLATE CASE_INSENSITIVE")
        if not collate:
            raise tokens.error()
        return replace(built, collate="case_sensitive")
    if tokens.accept("UNIQUE"):
        return replace(built, unique=True)
    if tokens.accept("PRIMARY", "KEY"):
        return replace(built, primary_key=True, not_null=True)
    if tokens.next_is("REFERENCES"):
        return replace(built, references=_references(tokens))
    if tokens.word() == "CHECK":
        raise RedshiftError("CHECK constraints are not supported", sqlstate="0A000")
    return None


def _seed_and_step(tokens: Tokens) -> tuple[int, int]:
    """dg/r_CREATE_TABLE_examples.html has a default IDENTITY column without them, and does not say what they are."""
    if not tokens.next_is("("):
        return 1, 1
    tokens.expect("(")
    seed = tokens.integer()
    tokens.expect(",")
    step = tokens.integer()
    tokens.expect(")")
    return seed, step


def _attributes(tokens: Tokens) -> TableAttributes:
    """BACKUP, DISTSTYLE, DISTKEY, SORTKEY, ENCODE AUTO in any order."""
    built = TableAttributes()
    while True:
        if tokens.accept("BACKUP"):
            built = replace(built, backup=tokens.accept("YES") or not _expected(tokens, "NO"))
        elif tokens.accept("DISTSTYLE"):
            style = tokens.accept_any("AUTO", "EVEN", "KEY", "ALL")
            if not style:
                raise tokens.error()
            built = replace(built, diststyle=style)
        elif tokens.accept("DISTKEY"):
            tokens.expect("(")
            built = replace(built, distkey=tokens.name())
            tokens.expect(")")
        elif tokens.word() in ("COMPOUND", "INTERLEAVED", "SORTKEY"):
            built = _sortkey(tokens, built)
        elif not tokens.accept("ENCODE", "AUTO"):
            return built


def _expected(tokens: Tokens, word: str) -> bool:
    tokens.expect(word)
    return True


def _sortkey(tokens: Tokens, built: TableAttributes) -> TableAttributes:
    style = tokens.accept_any("COMPOUND", "INTERLEAVED") or "COMPOUND"
    tokens.expect("SORTKEY")
    if tokens.accept("AUTO"):
        return replace(built, sortstyle="AUTO")
    tokens.expect("(")
    keys = [tokens.name()]
    while tokens.accept(","):
        keys.append(tokens.name())
    tokens.expect(")")
    return replace(built, sortkeys=tuple(keys), sortstyle=style)


def _check_keys(table: CreateTable) -> None:
    """Checks that column names are unique, key columns exist, and DISTKEY and DISTSTYLE agree."""
    names = [c.name for c in table.columns]
    for name in names:
        if names.count(name) > 1:
            raise RedshiftError(f'column "{name}" specified more than once', sqlstate="42701")
    attributes = table.attributes
    distkeys = [c.name for c in table.columns if c.distkey]
    if attributes.distkey:
        distkeys.append(attributes.distkey)
    if len(distkeys) > 1:
        raise RedshiftError("only one DISTKEY column can be specified for a table")
    if attributes.diststyle == "KEY" and not distkeys:
        raise RedshiftError("DISTKEY column must be specified for DISTSTYLE KEY")
    if distkeys and attributes.diststyle not in ("", "KEY"):
        raise RedshiftError(
            f"DISTSTYLE {attributes.diststyle} is incompatible with a DISTKEY column"
        )
    named = (*distkeys, *attributes.sortkeys, *(n for k in table.constraints for n in k.columns))
    for name in named:
        if name not in names:
            raise RedshiftError(f'column "{name}" named in key does not exist', sqlstate="42703")
    keys = (*distkeys, *attributes.sortkeys, *(c.name for c in table.columns if c.sortkey))
    for column_ in table.columns:
        if column_.type.name == "super" and column_.name in keys:
            raise RedshiftError(
                f'column "{column_.name}" of type super cannot be a DISTKEY or SORTKEY',
                sqlstate="0A000",
            )
    primary = [k for k in table.constraints if k.kind == "PRIMARY KEY"]
    if len(primary) + sum(c.primary_key for c in table.columns) > 1:
        raise RedshiftError(
            f'multiple primary keys for table "{table.name[-1]}" are not allowed', sqlstate="42P16"
        )
    if sum(c.identity is not None for c in table.columns) > 1:
        raise RedshiftError("only one identity column is allowed per table")
