"""The tables of a contract and their columns, as all generated files use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from contracts.generate.words import name
from contracts.model import Child, Column, Contract

OF_LOAD = ("load_id", "batch")
# A version's place among those of its key, besides newest: the last reload that brought it wins ('' for none).
RELOAD = "reload_id"


@dataclass(frozen=True)
class Shape:
    """Names derived from a contract. Tables are without their schema."""

    contract: Contract

    @property
    def table(self) -> str:
        return self.contract.name

    @property
    def versions(self) -> str:
        return f"{self.contract.name}_versions"

    @property
    def stage(self) -> str:
        """The parent of the tables into which COPY loads."""
        return f"{self.contract.name}_stage"

    @property
    def staged(self) -> str:
        """The template of the load's own staging table: its further tables are called after it."""
        return f"${{loader_schema}}.${{{self.stage}}}"

    @property
    def typed(self) -> str:
        """The load's own table of typed rows."""
        return f"{self.staged}_typed"

    def typed_child(self, child: Child) -> str:
        return f"{self.staged}_{child.name}"

    @property
    def further(self) -> tuple[str, ...]:
        """What the names of the further staging tables end in."""
        return ("typed", *(child.name for child in self.contract.children))

    # -- columns
    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the tables of results, as SQL has them."""
        return tuple(name(column.name) for column in self.contract.kept)

    @cached_property
    def key(self) -> tuple[str, ...]:
        return tuple(name(one) for one in self.contract.key)

    @property
    def newest(self) -> str:
        return name(self.contract.newest) if self.contract.newest else ""

    @property
    def numbered(self) -> tuple[str, ...]:
        """row_no, if there are tables of arrays: it connects them with their row, together with load_id and batch."""
        return ("row_no",) if self.contract.children else ()

    @property
    def hashed(self) -> tuple[str, ...]:
        """The hash of a row's arrays, if there are tables of them: a part of the content by which versions are ordered."""
        return ("arrays_hash",) if self.contract.children else ()

    def landing(self, column: Column) -> tuple[str, ...]:
        """The landing columns of a column: one for each of its paths."""
        return tuple(
            name(column.name if number == 0 else f"{column.name}__{number + 1}")
            for number in range(len(column.paths))
        )

    def array(self, child: Child) -> str:
        """The column with a child's array."""
        return f"{child.name}__each"

    def child_columns(self, child: Child) -> tuple[str, ...]:
        return tuple(name(column.name) for column in child.kept)

    @cached_property
    def child_key(self) -> tuple[str, ...]:
        """What the rows of a child have of their parent, apart from load_id and batch."""
        return (*self.key, "row_no")


def same(left: str, right: str, columns: Sequence[str]) -> str:
    """The condition that two tables have the same values in these columns, which are never NULL."""
    return " AND ".join(f"{left}.{column} = {right}.{column}" for column in columns)


def of(alias: str, columns: Sequence[str]) -> list[str]:
    return [f"{alias}.{column}" for column in columns]
