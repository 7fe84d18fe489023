"""The statements that we parse ourselves, as values. Names are folded tuples, outermost first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.datatypes import DataType
from fakeshift.sql.unload_options import UnloadOptions

Name = tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """SELECT, INSERT, UPDATE, DELETE, WITH: parsed by ``dialect``; with the values of its parameters."""

    sql: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A column of CREATE TABLE or ALTER TABLE ADD; DISTKEY and the like have no effect locally."""

    name: str
    type: DataType
    not_null: bool = False
    default: str | None = None
    identity: tuple[int, int] | None = None
    identity_by_default: bool = False
    encoding: str = ""
    distkey: bool = False
    sortkey: bool = False
    primary_key: bool = False
    unique: bool = False
    references: str = ""
    collate: str = ""


@dataclass(frozen=True)
class TableAttributes:
    """DISTSTYLE, DISTKEY, SORTKEY, BACKUP, ENCODE AUTO: kept in the catalogue."""

    diststyle: str = ""
    distkey: str = ""
    sortkeys: tuple[str, ...] = ()
    sortstyle: str = ""
    backup: bool = True


@dataclass(frozen=True)
class Constraint:
    """PRIMARY KEY, UNIQUE, FOREIGN KEY: informational, as in Redshift."""

    kind: str
    columns: tuple[str, ...]
    references: str = ""
    name: str = ""


@dataclass(frozen=True)
class CreateTable:
    name: Name
    if_not_exists: bool = False
    temporary: bool = False
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    like: Name | None = None
    including_defaults: bool = False
    attributes: TableAttributes = TableAttributes()
    query: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CreateView:
    name: Name
    query: str
    names: tuple[str, ...] = ()
    replace: bool = False
    late_binding: bool = False


@dataclass(frozen=True)
class CreateSchema:
    name: str
    if_not_exists: bool = False
    owner: str = ""
    quota: str = ""


@dataclass(frozen=True)
class CreateUser:
    name: str
    password_disabled: bool = False
    superuser: bool = False
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class CreateGroup:
    """CREATE GROUP or CREATE ROLE (``kind``)."""

    name: str
    kind: str = "GROUP"
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlterGroup:
    """ALTER GROUP … ADD USER or DROP USER (``action``)."""

    name: str
    action: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class AlterTable:
    """One action; ``action`` names it: add_column, drop_column, owner, rename, rename_column, ...

    ``changes`` of the action attributes: ("distkey", column), ("diststyle", style), ("sortkey", column,
    ...), ("sortkey auto",), ("sortkey none",), ("encode auto",), ("encode", column, encoding).
    """

    name: Name
    action: str
    column: Column | None = None
    old: str = ""
    new: str = ""
    type: DataType | None = None
    cascade: bool = False
    constraint: Constraint | None = None
    changes: tuple[tuple[str, ...], ...] = ()

    @property
    def required_column(self) -> Column:
        """The column that ADD COLUMN adds."""
        if self.column is None:
            raise ValueError(self.action)
        return self.column


@dataclass(frozen=True)
class AlterSchema:
    name: str
    action: str
    value: str


@dataclass(frozen=True)
class Drop:
    """``kind`` TABLE, VIEW, SCHEMA, USER, GROUP, ROLE."""

    kind: str
    names: tuple[Name, ...]
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class Truncate:
    name: Name


@dataclass(frozen=True)
class Lock:
    names: tuple[Name, ...]


@dataclass(frozen=True)
class CopyFrom:
    """COPY table [(columns)] FROM 'source' options."""

    name: Name
    columns: tuple[str, ...]
    source: str
    options: CopyOptions


@dataclass(frozen=True)
class Unload:
    """UNLOAD ('query') TO 'destination' options."""

    query: str
    destination: str
    options: UnloadOptions


@dataclass(frozen=True)
class Grant:
    """GRANT and REVOKE (``revoke``) of privileges on objects, or of roles to users."""

    revoke: bool
    privileges: tuple[str, ...]
    kind: str
    objects: tuple[Name, ...]
    grantees: tuple[str, ...]
    with_grant_option: bool = False


@dataclass(frozen=True)
class DefaultPrivileges:
    """ALTER DEFAULT PRIVILEGES."""

    grant: Grant
    for_users: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Append:
    """ALTER TABLE target APPEND FROM source [IGNOREEXTRA | FILLTARGET]."""

    target: Name
    source: Name
    ignore_extra: bool = False
    fill_target: bool = False


@dataclass(frozen=True)
class Explain:
    """EXPLAIN of a query or DML statement; for CREATE TABLE AS, the query of ``table``."""

    query: Query
    table: CreateTable | None = None


@dataclass(frozen=True)
class Refused:
    """A command that we do not support and that Redshift refuses inside a transaction block."""

    command: str


@dataclass(frozen=True)
class Comment:
    kind: str
    name: Name
    text: str | None


@dataclass(frozen=True)
class Analyze:
    name: Name | None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vacuum:
    name: Name | None
    mode: str = "FULL"


@dataclass(frozen=True)
class SetParameter:
    """SET x TO v; RESET x has no ``values``."""

    name: str
    values: tuple[str, ...] = ()
    reset: bool = False
    local: bool = False


@dataclass(frozen=True)
class Show:
    name: str


@dataclass(frozen=True)
class Declare:
    """DECLARE name CURSOR FOR query."""

    name: str
    query: str


@dataclass(frozen=True)
class Fetch:
    """FETCH FORWARD count FROM name; ``count`` None for ALL."""

    name: str
    count: int | None


@dataclass(frozen=True)
class CloseCursor:
    name: str


@dataclass(frozen=True)
class Begin:
    isolation: str = ""
    read_only: bool = False


@dataclass(frozen=True)
class Commit:
    pass


@dataclass(frozen=True)
class Rollback:
    pass
