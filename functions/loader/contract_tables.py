"""What a dataset's contract says of its tables, compared with the tables that exist.

What loses no data is done: columns are added, VARCHARs made longer, tables made. What would lose data is refused, with
the SQL that does it by hand. The ledger's table contracts has every contract that the tables have had: going back to
one of these is always allowed, because nothing that it needs was taken away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LONGEST = 65_000  # bytes of the ledger's list of columns; a longer one is left out
OWN = (
    "row_no",
    "arrays_hash",
)  # columns that are no reader's, and come with the first table of an array
SHOWN = 3  # what is refused, in one message

Catalogue = Mapping[str, Mapping[str, str]]

# Source: docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMNS.html; the names are those of PostgreSQL.
_NAMES = {
    "character varying": "VARCHAR",
    "character": "CHAR",
    "numeric": "DECIMAL",
    "timestamp without time zone": "TIMESTAMP",
}
_VARCHAR = re.compile(r"VARCHAR\((\d+)\)")


@dataclass(frozen=True)
class Tables:
    """What a contract says of its tables of results.

    columns: table -> column -> its declaration, such as VARCHAR(64) NOT NULL. masks: table.column -> hash or drop.
    view: the name of the view of the history, '' for none.
    """

    key: tuple[str, ...] = ()
    newest: str = ""
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    masks: Mapping[str, str] = field(default_factory=dict)
    view: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Tables:
        return cls(
            tuple(document.get("key", ())),
            document.get("newest", ""),
            document.get("columns", {}),
            document.get("masks", {}),
            document.get("view", ""),
        )

    @property
    def listed(self) -> str:
        """The columns as the ledger has them; '' if they are too many for its column."""
        text = "|".join(f"{name} {kind}" for name, kind in self.flat().items())
        return text if len(text) <= LONGEST else ""

    @property
    def masks_listed(self) -> str:
        """The masks as the ledger has them."""
        return "|".join(f"{name} {how}" for name, how in self.masks.items())

    def flat(self) -> dict[str, str]:
        """table.column -> type."""
        return {
            f"{table}.{column}": type_of(declaration)
            for table, columns in self.columns.items()
            for column, declaration in columns.items()
        }


@dataclass(frozen=True)
class Applied:
    """The contract that the tables of a dataset have.

    columns: table.column -> type; None if the ledger does not say. before: the digests of all that they have had.
    masks: table.column -> hash or drop.
    """

    digest: str
    key: tuple[str, ...]
    newest: str
    columns: Mapping[str, str] | None
    before: frozenset[str]
    masks: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, column: str) -> bool:
        return self.columns is not None and column in self.columns

    @property
    def tables(self) -> set[str]:
        return {name.partition(".")[0] for name in self.columns or ()}


def applied(rows: Iterable[tuple[Any, ...]]) -> dict[str, Applied]:
    """Dataset -> the contract of its tables, by the rows of sql/migrations/contracts.sql."""
    found: dict[str, Applied] = {}
    for dataset, _, digest, key, newest, columns, masks in sorted(rows, key=lambda row: row[:2]):
        name = str(dataset)
        before = found[name].before if name in found else frozenset()
        listed = [one.partition(" ") for one in str(columns or "").split("|") if one]
        found[name] = Applied(
            str(digest),
            tuple(str(key).split(",")) if key else (),
            str(newest or ""),
            {column: kind for column, _, kind in listed} or None,
            before | {str(digest)},
            dict(one.split(" ") for one in str(masks or "").split("|") if one),
        )
    return found


def catalogue(rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, str]]:
    """Table -> column -> type, by the rows of sql/migrations/columns.sql."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind, length, precision, scale in rows:
        name = _NAMES.get(str(kind).lower(), str(kind).upper())
        if name in ("VARCHAR", "CHAR"):
            name = f"{name}({length})"
        elif name == "DECIMAL":
            name = f"{name}({precision}, {scale})"
        found.setdefault(str(table), {})[str(column)] = name
    return found


def type_of(declaration: str) -> str:
    """The type in a declaration such as VARCHAR(64) NOT NULL."""
    return re.split(r" (?:DEFAULT|NOT) ", declaration, maxsplit=1)[0]


@dataclass(frozen=True)
class Changes:
    """What brings the tables to the contract.

    wider, added: (table, column, declaration), in the order in which it is done. told: for the report. refused: the
    sentences about what would lose data; nothing is changed then. lost: tables that are gone, if files are loaded. new:
    none of the tables exists. masks: the columns whose mask is new (Dataset.masks), of the contract ``was``.
    """

    wider: tuple[tuple[str, str, str], ...] = ()
    added: tuple[tuple[str, str, str], ...] = ()
    told: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    new: bool = False
    masks: tuple[str, ...] = ()
    was: str = ""


def is_longer(one: str, other: str) -> bool:
    """Whether both are VARCHAR, and the first is the longer."""
    lengths = [_VARCHAR.fullmatch(kind) for kind in (one, other)]
    if lengths[0] is None or lengths[1] is None:
        return False
    return int(lengths[0][1]) > int(lengths[1][1])


@dataclass(frozen=True)
class Comparison:
    """The tables of a dataset and its contract.

    wanted, digest: the present contract. was: the one that the tables have, None if it is not known. found: the tables
    that exist.
    """

    dataset: str
    schema: str
    wanted: Tables
    digest: str
    was: Applied | None
    found: Catalogue

    def changes(self) -> Changes:
        wanted, was, found = self.wanted, self.was, self.found
        if not any(
            name in found for name in (*wanted.columns, wanted.view, *(was.tables if was else ()))
        ):
            return Changes(
                lost=tuple(wanted.columns), new=True
            )  # none was made yet, or all were dropped
        view = self.found.get(wanted.view)
        if view and "valid_from" not in view:
            return Changes(refused=(self._not_ours(wanted.view),))
        absent = tuple(table for table in wanted.columns if table not in found)
        if was is None:
            return Changes(refused=tuple(self._foreign()), lost=absent)
        if (was.key, was.newest) != (wanted.key, wanted.newest):
            return Changes(refused=(self._another_key(was),))
        back = self.digest in was.before
        wider, added = [], []
        refused = [] if back else [*self._tables_removed(was), *self._columns_removed(was)]
        refused += self._unmasked(was)
        masks = self._new_masks(was)
        for table, columns in wanted.columns.items():
            for column, declaration in columns.items() if table in found else ():
                kind, there = type_of(declaration), found[table].get(column)
                if there and self._names(table, column) & {*masks}:
                    continue  # the table is made anew
                if there is None:
                    added.append((table, column, declaration))
                elif is_longer(kind, there):
                    wider.append((table, column, kind))
                elif there != kind and not (back and is_longer(there, kind)):
                    refused.append(self._another_type(table, column, there, kind))
        lost = tuple(table for table in absent if table in was.tables)
        return Changes(
            tuple(wider),
            tuple(added),
            tuple(self._told(was)),
            tuple(refused),
            lost,
            masks=masks,
            was=was.digest,
        )

    def _names(self, table: str, column: str) -> set[str]:
        """What a column may be called among the masks: a column of the key is in the tables of arrays too."""
        of = table.removesuffix("_versions")
        own = {f"{of if of in self.wanted.columns else table}.{column}"}
        return own | ({f"{self.dataset}.{column}"} if column in self.wanted.key else set())

    def _new_masks(self, was: Applied) -> tuple[str, ...]:
        """The columns that have a mask now, and had none (or a hash, and are dropped now), and may have values."""
        return tuple(
            name
            for name, how in self.wanted.masks.items()
            if was.masks.get(name) != how and self._had(was, name)
        )

    def _had(self, was: Applied, name: str) -> bool:
        table, _, column = name.partition(".")
        return was.columns is None or was.is_of(name) or was.is_of(f"{table}_versions.{column}")

    def _unmasked(self, was: Applied) -> Iterator[str]:
        for name, how in was.masks.items():
            table, _, column = name.partition(".")
            wanted = self.wanted.masks.get(name, "")
            is_there = column in self.wanted.columns.get(table, ()) and column not in OWN
            if is_there and wanted != how and not (how == "hash" and wanted == "drop"):
                yield (
                    f"{self.dataset}: {name} was masked ({how}), and the contract says {wanted or 'no mask'}. "
                    f"Its values are not there any more. Put mask: {how} back into dataset.yaml. Or give the column "
                    "another name, and load the files again."
                )

    def _told(self, was: Applied) -> Iterator[str]:
        """The changes, by the ledger and not by the catalogue: an earlier attempt may have made a part of them."""
        for name in self._new_masks(was):
            if name.partition(".")[2] not in OWN:
                yield f"column {name} masked: {self.wanted.masks[name]}"
        if was.columns is None:
            return
        for table, columns in self.wanted.columns.items():
            of = table.removesuffix("_versions")
            if of != table and of in self.wanted.columns:
                continue  # it has the columns of the other
            if table not in was.tables:
                yield f"table {table} made"
                continue
            for column, declaration in columns.items():
                name, kind = f"{table}.{column}", type_of(declaration)
                if name not in was.columns and column not in OWN:
                    yield f"column {name} added"
                elif self._names(table, column) & {*self._new_masks(was)}:
                    continue
                elif is_longer(kind, was.columns.get(name, "")):
                    yield f"column {name} widened from {was.columns[name]} to {kind}"

    def _foreign(self) -> Iterator[str]:
        for table, columns in self.wanted.columns.items():
            kinds = {column: type_of(declaration) for column, declaration in columns.items()}
            # The same: made for this contract by a load that died before it recorded that.
            if self.found.get(table, kinds) != kinds:
                yield self._not_ours(table)

    def _not_ours(self, name: str) -> str:
        what = "view" if name == self.wanted.view else "table"
        return (
            f"The {what} {self.schema}.{name} exists already, and is not of the dataset {self.dataset}: its "
            f"columns are others than those of sql/datasets/{self.dataset}/dataset.yaml. Give the dataset another name "
            f"(the name of its folder), or rename it: ALTER TABLE {self.schema}.{name} RENAME TO {name}_old;"
        )

    def _another_key(self, was: Applied) -> str:
        tables = ", ".join(f"{self.schema}.{t}" for t in sorted(was.tables or self.wanted.columns))
        return (
            f"{self.dataset}: the tables have {_identity(was.key, was.newest)}, the contract says "
            f"{_identity(self.wanted.key, self.wanted.newest)}. They cannot be changed to that. Give the dataset "
            "another name (the name of its folder) and load the files into it. Or make its tables anew: deploy the "
            'contract of before, undo its loads ({"undo": "<load id>"}; the table loads lists them), and run '
            f'DROP TABLE {tables}; Then deploy this contract, and load the files again ({{"redo": "<load id>"}}).'
        )

    def _tables_removed(self, was: Applied) -> Iterator[str]:
        gone = sorted(t for t in was.tables if t in self.found and t not in self.wanted.columns)
        if gone:
            tables = ", ".join(f"{self.schema}.{table}" for table in gone)
            yield (
                f"{self.dataset}: not in the contract any more: {', '.join(gone)}. Nothing is dropped without you: put "
                f"the table back into dataset.yaml, or drop it: DROP TABLE {tables};"
            )

    def _columns_removed(self, was: Applied) -> Iterator[str]:
        having: dict[str, list[str]] = {}
        for name in was.columns or ():
            table, _, column = name.partition(".")
            kept = self.wanted.columns.get(table, (column,))
            if any(self.wanted.masks.get(one) == "drop" for one in self._names(table, column)):
                continue
            if column not in kept and column in self.found.get(table, ()):
                having.setdefault(column, []).append(table)
        for column, tables in having.items():
            drops = " ".join(
                f'{self._unsorted(table, column)}ALTER TABLE {self.schema}.{table} DROP COLUMN "{column}";'
                for table in tables
            )
            yield (
                f"{self.dataset}: the column {column} is not in the contract any more. Nothing is dropped without you: "
                f"put it back into dataset.yaml, or drop it: {drops}"
            )

    def _unsorted(self, table: str, column: str) -> str:
        """What a column needs before it can be dropped: rows without a key are sorted by their first time."""
        is_time = self.found[table][column] in ("DATE", "TIMESTAMP")
        if self.wanted.key or not is_time:
            return ""
        return f"ALTER TABLE {self.schema}.{table} ALTER SORTKEY NONE; "

    def _another_type(self, table: str, column: str, there: str, kind: str) -> str:
        name, new = f"{self.schema}.{table}", f"{column}_new"
        why = (
            "That would cut its values."
            if is_longer(there, kind)
            else "Redshift cannot change that type."
        )
        said = f"{self.dataset}: {name}.{column} is {there}, the contract wants {kind}. {why}"
        if column in self.wanted.key:
            return (
                f"{said} It is of the key, so the tables must be made anew: give the dataset another name (the name of "
                "its folder) and load the files into it."
            )
        alter = f"ALTER TABLE {name}"
        by_hand = (
            f"{self._unsorted(table, column)}{alter} ADD COLUMN {new} {kind};",
            f'UPDATE {name} SET {new} = CAST("{column}" AS {kind});',  # noqa: S608
            f'{alter} DROP COLUMN "{column}";',
            f'{alter} RENAME COLUMN {new} TO "{column}";',
        )
        return f"{said} Put {there} back into dataset.yaml. Or by hand, if every value fits: {' '.join(by_hand)}"


def _identity(key: tuple[str, ...], newest: str) -> str:
    return f"the key [{', '.join(key)}] with newest: {newest or 'none'}" if key else "no key"


def sentence(refused: Iterable[str]) -> str:
    """What is refused, in one message."""
    some = list(refused)
    more = f" And {len(some) - SHOWN} more." if len(some) > SHOWN else ""
    return " ".join(some[:SHOWN]) + more
