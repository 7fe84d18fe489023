"""Which version of a key wins, where the files bring several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.generate.shape import Shape, same
from contracts.generate.words import name
from contracts.model import Contract
from local.environment import SCHEMA
from local.trial.load import Loads

EXAMPLES = 3
MOST_FILES = 20  # that are read again for the examples


@dataclass(frozen=True)
class Winner:
    """A key, and the version that wins. file, line: where it is; '' and None if a file of before has it.

    newest: the value by which it wins, '' without one. deleted: whether it says that the row is deleted.
    """

    key: tuple[str, ...]
    versions: int
    newest: str
    file: str = ""
    line: int | None = None
    deleted: bool = False


@dataclass
class Winners:
    """How many keys have several versions, and some of them."""

    keys: int = 0
    newest: str = ""  # the column's name
    examples: list[Winner] = field(default_factory=list)


def of(made: Loads, contract: Contract, load_id: str, files: Mapping[str, Path]) -> Winners:
    """The winners among the versions of the keys that a load brought. files: what it loaded, by key."""
    shape = Shape(contract)
    keys = ", ".join(f"v.{one}" for one in shape.key)
    several = (
        f"SELECT {keys}, COUNT(*) AS versions, MAX(v.{shape.newest or shape.key[0]}) AS newest\n"
        f"FROM {SCHEMA}.{shape.versions} AS v\n"
        f"GROUP BY {keys}\n"
        f"HAVING COUNT(*) > 1 AND MAX(CASE WHEN v.load_id = '{load_id}' THEN 1 ELSE 0 END) = 1"
    )
    [(count,)] = made.query(f"SELECT COUNT(*) FROM (\n{several}\n) AS s")
    found = Winners(int(count), contract.newest)
    if not count:
        return found
    some = f"SELECT * FROM (\n{several}\n) AS s\nORDER BY {', '.join(shape.key)}\nLIMIT {EXAMPLES}"
    there = made.query(
        f"SELECT {', '.join(f'e.{one}' for one in shape.key)}, e.versions, e.newest, o.load_id\n"
        f"FROM (\n{some}\n) AS e\n"
        f"LEFT JOIN {SCHEMA}.{shape.table} AS o ON {same('e', 'o', shape.key)}\n"
        f"ORDER BY {', '.join(f'e.{one}' for one in shape.key)}"
    )
    wanted = [str(row[0]) for row in there]
    sources = _sources(made, shape, some, files, wanted) if len(files) <= MOST_FILES else {}
    for row in there:
        key = tuple(str(value) for value in row[: len(shape.key)])
        versions, newest, of_load = row[len(shape.key) :]
        file, line = sources.get(key, ("", None)) if of_load == load_id else ("", None)
        found.examples.append(
            Winner(
                key,
                int(versions),
                str(newest) if contract.newest else "",
                file,
                line,
                deleted=of_load is None,
            )
        )
    return found


def _sources(
    made: Loads, shape: Shape, some: str, files: Mapping[str, Path], wanted: Iterable[str]
) -> dict[tuple[str, ...], tuple[str, int | None]]:
    """Key -> the file that has the winning version, and its line. Files that may have it are staged again, each alone,
    until all are found.

    wanted: the keys' first columns.
    """
    from local.trial import places  # it imports the functions, which need their variables

    found: dict[tuple[str, ...], tuple[str, int | None]] = {}
    compared = [
        name(column.name)
        for column in shape.contract.kept
        if column.type.name != "super" and column.name not in shape.contract.key
    ]
    content = "".join(
        f"\n    AND (s.{one} = o.{one} OR (s.{one} IS NULL AND o.{one} IS NULL))"
        for one in compared
    )
    texts = list(wanted)
    for key, path in reversed(
        [*files.items()]
    ):  # the newest version is most often in the last file
        if len(found) == len(texts):
            break
        records = places.read(key, path)
        maybe = any(value in record.text for record in records for value in texts)
        if not maybe or not (table := made.staged(key)):
            continue
        rows = made.query(
            f"SELECT s.place, {', '.join(f's.{one}' for one in shape.key)}\n"
            f"FROM (SELECT t.*, ROW_NUMBER() OVER () AS place FROM {table}_typed AS t) AS s\n"
            f"INNER JOIN {SCHEMA}.{shape.table} AS o ON {same('s', 'o', shape.key)}{content}\n"
            f"INNER JOIN (\n{some}\n) AS e ON {same('s', 'e', shape.key)}\n"
            "ORDER BY s.place"
        )
        for place, *values in rows:
            found.setdefault(
                tuple(str(value) for value in values),
                (key, records[int(place) - 1].line if int(place) <= len(records) else None),
            )
    return found
