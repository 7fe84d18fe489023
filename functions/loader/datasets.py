"""The datasets: one folder of ``sql/datasets/`` each, so that another one needs no Python."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from loader import sql
from loader.contract_tables import Tables
from loader.dataapi import MAX_STATEMENTS
from loader.layout import Layout, LayoutError
from loader.rules import RowRules
from loader.settings import settings

COMPRESSIONS = {".gz": "GZIP", ".bz2": "BZIP2", ".zst": "ZSTD"}
FIELDS = (
    *("description", "stage_table", "prefix", "suffixes", "fact_table", "header"),
    *("staged_tables", "paths", "from_key", "rows", "contract", "tables", "masks", "unknown"),
    *("extra_columns", "expect_seconds", "types"),
)
NEEDED = ("copy.sql", "staged.sql", "published.sql", "tables.sql")
# The other files of a transaction, at most: the second attempt of a reload is the longest publish.
PUBLISH = (
    *("publish/begin.sql", "publish/again.sql", "publish/files.sql"),
    *("publish/replaced.sql", "publish/rejected_rows.sql", "publish/claim.sql"),
    "publish/tried_again.sql",
    "publish/check_results.sql",
    *("publish/guard.sql", "publish/figures.sql"),
)
UNDO = (
    *("undo/begin.sql", "undo/end.sql", "publish/check_results.sql", "publish/guard.sql"),
    "undo/figures.sql",
)
# Hive and Spark write it into the key for a value that is NULL.
NULL_IN_KEY = "__HIVE_DEFAULT_PARTITION__"
MASKS = tuple(f"migrations/{name}.sql" for name in ("lock", "same_contract", "record_contract"))
# The folders where earlier versions had a sub-folder for each dataset -> the folders in the dataset's own.
OLD_PLACES = {
    "publish": "publish",
    "publish/reload": "reload",
    "publish/again": "again",
    "undo": "undo",
    "checks/staged": "checks/staged",
    "checks/published": "checks/published",
    "checks/undone": "checks/undone",
}
_CREATE = re.compile(r"\bCREATE\s+TABLE\s+(IF\s+NOT\s+EXISTS\s+)?(\$\{\w+\}\.\w+)", re.IGNORECASE)


class DatasetError(Exception):
    """A dataset.json is wrong; the message names the dataset and the field."""


@dataclass(frozen=True)
class Mask:
    """A masked column, by its table and name: orders.email.

    mask: hash or drop. hashed: the SQL of its hash, of a row o with the value and a row k with the key; '' for drop.
    """

    column: str
    mask: str
    hashed: str = ""


@dataclass(frozen=True)
class Dataset:
    """What a dataset's files are called and where they are staged.

    ``fact_table``: the table whose rows are counted as loaded (the metric RowsLoaded); '' for none. ``header``: the
    names in each file's header line, in the order of the columns that they stand for; () if it has none to compare.
    Of a dataset with a contract only: ``staged_tables``, what the names of its further staging tables end in;
    ``paths``, the JSONPaths of all keys that a column takes; ``from_key``, the columns whose value is in an object's
    key, each with its name there; ``rows``, what the values of its rows may be; ``contract``, the digest of what its
    tables are; ``tables``, these tables; ``masks``, the masked columns: no value of the dataset's files is shown then,
    because it may be in the wrong column; ``rejects_unknown``, whether a file with a key that no column takes is
    rejected; ``extra_columns``, those of the staging table for columns of CSV files that are not known;
    ``types``, of Parquet files: the type of each column of the header (loader/parquet.py); ANY for any;
    ``expect_seconds``, after how long without a new file the sweep says that one is overdue, 0 for never.
    """

    name: str
    stage_table: str
    prefix: str
    suffixes: tuple[str, ...]
    fact_table: str = ""
    header: tuple[str, ...] = ()
    staged_tables: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    from_key: tuple[tuple[str, str], ...] = ()
    rows: RowRules | None = None
    contract: str = ""
    tables: Tables = field(default_factory=Tables, hash=False)
    masks: tuple[Mask, ...] = ()
    rejects_unknown: bool = False
    extra_columns: tuple[str, ...] = ()
    expect_seconds: int = 0
    types: tuple[str, ...] = ()

    @property
    def hashes(self) -> bool:
        """Whether a column is stored as a keyed hash."""
        return any(mask.mask == "hash" for mask in self.masks)

    def takes(self, key: str) -> bool:
        """Whether an object with this key is a file of this dataset; a folder marker is not."""
        return key.startswith(self.prefix) and key.endswith(self.suffixes)

    def staging(self, table: str) -> dict[str, str]:
        """The staging tables of one attempt, of which ``table`` is COPY's, each with its parent."""
        further = {f"{table}_{end}": f"{self.stage_table}_{end}" for end in self.staged_tables}
        return {table: self.stage_table, **further}

    def values_of_key(self, key: str) -> tuple[str | None, ...]:
        """The values of the columns ``from_key`` in an object's key: '2026-11-28' of orders/dt=2026-11-28/1.jsonl.

        '' for Hive's name for NULL; None if the key has no such part. Values are URL-encoded, as Hive writes them.
        """
        folders = key.split("/")[:-1]
        found = {
            name: unquote(value)
            for name, equals, value in (f.partition("=") for f in folders)
            if equals
        }
        return tuple(
            "" if found.get(name) == NULL_IN_KEY else found.get(name) for _, name in self.from_key
        )

    @property
    def has_jsonpaths(self) -> bool:
        return (sql.ROOT / "datasets" / self.name / "jsonpaths.json").is_file()

    @property
    def can_reload(self) -> bool:
        """Whether there is SQL that deletes the rows of a reloaded file before they are inserted again."""
        return bool(sql.files(f"datasets/{self.name}/reload"))

    @property
    def can_undo(self) -> bool:
        return bool(sql.files(f"datasets/{self.name}/undo"))

    @property
    def layout(self) -> Layout:
        """The columns and the format of its files."""
        return Layout.of(sql.without_comments(f"datasets/{self.name}/copy.sql"))

    @property
    def header_lines(self) -> int:
        """The lines at the top of each file that COPY skips, as copy.sql says (IGNOREHEADER)."""
        return self.layout.header_lines


def compression(key: str) -> str:
    """The COPY option for the key's ending: GZIP, BZIP2, ZSTD, or '' for a plain file."""
    for suffix, option in COMPRESSIONS.items():
        if key.endswith(suffix):
            return option
    return ""


def load_all(data_prefix: str = "") -> dict[str, Dataset]:
    """Every folder of sql/datasets/ with its dataset.json; the keys of all must begin with ``data_prefix``."""
    datasets = {}
    for path in sorted((sql.ROOT / "datasets").glob("*/dataset.json")):
        name = path.parent.name
        document = _document(name, path)
        unknown_fields = document.keys() - FIELDS
        if unknown_fields:
            raise DatasetError(
                f"Dataset {name!r}: the field {min(unknown_fields)!r} is unknown. The fields are {', '.join(FIELDS)}."
            )
        suffixes, stage_table = document.get("suffixes"), document.get("stage_table")
        fact_table = document.get("fact_table", "")
        if not all(
            isinstance(text, str) and re.fullmatch(sql.IDENTIFIER, text)
            for text in (name, stage_table)
        ):
            raise DatasetError(
                f"Dataset {name!r}: its folder and its stage_table must be lower-case identifiers."
            )
        if not isinstance(fact_table, str) or not re.fullmatch(f"|{sql.IDENTIFIER}", fact_table):
            raise DatasetError(f"Dataset {name!r}: fact_table must be a lower-case identifier.")
        if (
            not isinstance(suffixes, list)
            or not suffixes
            or not all(isinstance(s, str) and s for s in suffixes)
        ):
            raise DatasetError(
                f"Dataset {name!r}: suffixes must be a list of endings, such as ['.json']."
            )
        prefix = document.get("prefix")
        if not isinstance(prefix, str) or not prefix:
            raise DatasetError(f"Dataset {name!r}: prefix is missing.")
        if not prefix.startswith(data_prefix):
            raise DatasetError(
                f"Dataset {name!r}: its files are under {prefix!r}, but the stack's parameter DataPrefix is "
                f"{data_prefix!r}: it gets no events of them and may not read them. Deploy with a DataPrefix that all "
                "datasets' files have (empty: the whole bucket), or change files in its dataset.yaml."
            )
        for file in NEEDED:
            if not (path.parent / file).is_file():
                raise DatasetError(f"Dataset {name!r}: sql/datasets/{name}/{file} is missing.")
        _refuse_old_places(name)
        _refuse_what_is_too_long(name)
        header = _header(name, document.get("header"))
        datasets[name] = Dataset(
            name,
            str(stage_table),
            prefix,
            tuple(suffixes),
            fact_table,
            header,
            _texts(name, document, "staged_tables", sql.IDENTIFIER),
            _texts(name, document, "paths", r".+"),
            tuple(dict(document.get("from_key", {})).items()),
            RowRules.of(document["rows"]) if "rows" in document else None,
            str(document.get("contract", "")),
            Tables.of(document.get("tables", {})),
            tuple(Mask(**one) for one in document.get("masks", ())),
            document.get("unknown") == "reject",
            _texts(name, document, "extra_columns", sql.IDENTIFIER),
            int(document.get("expect_seconds", 0)),
            _texts(name, document, "types", r"[A-Z0-9(),]+"),
        )
    _refuse_tables(list(datasets.values()))
    _refuse_overlaps(list(datasets.values()))
    return datasets


def _texts(name: str, document: Mapping[str, Any], field: str, form: str) -> tuple[str, ...]:
    """A list of texts in dataset.json, () if the field is not there."""
    said = document.get(field, [])
    if not isinstance(said, list) or not all(
        isinstance(one, str) and re.fullmatch(form, one, re.DOTALL) for one in said
    ):
        raise DatasetError(f"Dataset {name!r}: {field} must be a list of texts, each like {form}.")
    return tuple(said)


def _header(name: str, said: Any) -> tuple[str, ...]:
    """The header names of a dataset's files: the columns' own, or those that dataset.json gives for them."""
    try:
        layout = Layout.of(sql.without_comments(f"datasets/{name}/copy.sql"))
    except LayoutError as error:
        raise DatasetError(f"Dataset {name!r}: copy.sql: {error}.") from error
    skipped = layout.header_lines
    is_list = isinstance(said, list) and all(isinstance(one, str) and one for one in said)
    if said is not None and not isinstance(said, bool) and not is_list:
        raise DatasetError(
            f"Dataset {name!r}: header must be true, false, or the list of the names in the files' header line."
        )
    if layout.format == "parquet" and is_list:
        return tuple(said)
    if said is False and skipped:
        raise DatasetError(
            f"Dataset {name!r}: header is false, but copy.sql says IGNOREHEADER {skipped}: the first row of each file "
            "would be lost. Take IGNOREHEADER out of copy.sql, or header out of dataset.yaml."
        )
    if said and skipped != 1:
        raise DatasetError(
            f"Dataset {name!r}: header says that the files have a header line, but copy.sql says "
            f"IGNOREHEADER {skipped}; it must be 1."
        )
    if skipped != 1 or layout.format not in ("csv", "text"):
        return ()
    if not layout.columns:
        raise DatasetError(
            f"Dataset {name!r}: copy.sql skips a header line and lists no columns to compare it with: "
            "COPY table (column, …) FROM …, in the files' order."
        )
    names = tuple(said) if is_list else layout.columns
    if len(names) != len(layout.columns) or len({one.strip().lower() for one in names}) < len(
        names
    ):
        raise DatasetError(
            f"Dataset {name!r}: header must have one name for each of the {len(layout.columns)} columns of copy.sql, "
            "in their order, none twice."
        )
    return names


def _refuse_overlaps(found: list[Dataset]) -> None:
    """A key that two datasets take would be the first one's, without a word."""
    for one, other in permutations(found, 2):
        same_ending = any(
            a.endswith(b) or b.endswith(a) for a in one.suffixes for b in other.suffixes
        )
        if other.prefix.startswith(one.prefix) and same_ending:
            raise DatasetError(
                f"Dataset {other.name!r}: its files also match {one.name!r}, under the prefix {one.prefix!r}."
            )
        if one.stage_table == other.stage_table:
            raise DatasetError(f"Dataset {other.name!r}: its stage_table is also {one.name!r}'s.")


def _refuse_old_places(name: str) -> None:
    """A file that an earlier version ran and this one would silently not run."""
    for old, new in OLD_PLACES.items():
        for file in sql.files(f"{old}/{name}"):
            raise DatasetError(
                f"Dataset {name!r}: sql/{file} is where earlier versions had it. Move it to "
                f"sql/datasets/{name}/{new}/{Path(file).name}: all files of a dataset are in its own folder now."
            )


def _refuse_what_is_too_long(name: str) -> None:
    """Refuses a transaction that the Data API would not accept: better now than with the first file."""
    for what, shared, folders in (
        ("publish", PUBLISH, ("publish", "publish_and_undo", "reload", "again")),
        ("undo", UNDO, ("undo", "publish_and_undo")),
        ("new mask", MASKS, ("masks",)),
    ):
        own = sql.files(*(f"datasets/{name}/{folder}" for folder in folders))
        # Never fewer than there are, and quick: every function counts them when it starts.
        if (
            not own
            or sum(sql.read(file).count(";") + 1 for file in (*shared, *own)) <= MAX_STATEMENTS
        ):
            continue
        count = {file: len(sql.statements(sql.without_comments(file))) for file in (*shared, *own)}
        total, longest = sum(count.values()), max(own, key=count.__getitem__)
        if total > MAX_STATEMENTS:
            raise DatasetError(
                f"Dataset {name!r}: its {what} has {total} statements with the loader's own; the Data API takes "
                f"{MAX_STATEMENTS} in a transaction. The longest of its files is sql/{longest} with {count[longest]}: "
                "write fewer, larger statements."
            )


def _refuse_tables(found: list[Dataset]) -> None:
    """Refuses tables that belong to two datasets, or whose CREATE fails if they exist."""
    owner: dict[str, str] = {}
    for dataset in found:
        file = f"datasets/{dataset.name}/tables.sql"
        for checked, table in _CREATE.findall(sql.read(file)):
            shown = table.rpartition(".")[2]
            if not checked:
                raise DatasetError(
                    f"Dataset {dataset.name!r}: sql/{file} must say CREATE TABLE IF NOT EXISTS of {shown}: it runs "
                    "again whenever one of its tables is missing."
                )
            if owner.setdefault(table, dataset.name) != dataset.name:
                raise DatasetError(
                    f"Dataset {dataset.name!r}: its table {shown} also belongs to {owner[table]!r}."
                )


def _document(name: str, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DatasetError(f"Dataset {name!r}: dataset.json is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise DatasetError(f"Dataset {name!r}: dataset.json must be a JSON object.")
    return document


@cache
def datasets() -> dict[str, Dataset]:
    """The datasets of this function's environment."""
    return load_all(settings().data_prefix)


def dataset_of(key: str, among: Iterable[Dataset]) -> Dataset | None:
    """The dataset that the key matches, or None."""
    return next((dataset for dataset in among if dataset.takes(key)), None)


def dataset_for(key: str) -> Dataset:
    """The dataset of a key that was listed."""
    dataset = dataset_of(key, datasets().values())
    if dataset is None:
        raise ValueError(f"{key!r} was listed, but matches no dataset.")
    return dataset
