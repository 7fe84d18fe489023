"""Batches: the files that are staged and published together, and what is known about each.

A batch has one dataset and one compression, and at most so many files and bytes. Its document is in the work bucket;
the state machine's state has only its name. A batch that is split in half becomes two with separate names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from loader import keys
from loader.datasets import Dataset, compression
from loader.store import DataFile, Store

if TYPE_CHECKING:
    from loader.state import RejectedFile


TRIED_AGAIN = ("unreadable", "waiting")  # the statuses of files that the next load tries again
NAME_BYTES = 256  # SYS_LOAD_DETAIL.file_name is char(256)


@dataclass(frozen=True)
class Reject:
    """Why a file is not loaded. line and column as COPY reports them.

    status       rejected, missing from the bucket, unreadable (S3 denies access), or waiting (it is not known whether
                 the file or the set-up is wrong): the last two are tried again
    line_begins  the first characters of that line, for the ledger only
    """

    file: DataFile
    reason: str
    line: int | None = None
    column: str | None = None
    code: int | None = None
    status: str = "rejected"
    line_begins: str = ""

    def as_dict(self) -> RejectedFile:
        return {
            "key": self.file.key,
            "line": self.line,
            "column": self.column,
            "code": self.code,
            "reason": self.reason,
            "status": self.status,
            "file": self.file.as_dict(),
        }

    @classmethod
    def from_dict(cls, document: RejectedFile) -> Reject:
        return cls(
            DataFile(**document["file"]),
            document["reason"],
            document["line"],
            document["column"],
            document["code"],
            document["status"],
            document.get("line_begins", ""),
        )


@dataclass(frozen=True)
class UnknownColumn:
    """A column of CSV files that is none of the dataset's: its name, the first file with it, and what would take it."""

    name: str
    file: str
    suggested: str


@dataclass(frozen=True)
class Batch:
    """Files to load, and those already found to be bad.

    held            of a part that was set aside, what the ledger says about its files if nothing proves the set-up
    right columns         the order of the columns in the files' header lines: None while they were not read, () for
    that of
                    the dataset's copy.sql
    unread_headers  files whose header could not be read
    unknown         columns of the files that are not the dataset's
    """

    name: str
    dataset: str
    files: tuple[DataFile, ...]
    rejects: tuple[Reject, ...] = field(default=())
    held: tuple[Reject, ...] = field(default=())
    columns: tuple[str, ...] | None = None
    unread_headers: int = 0
    unknown: tuple[UnknownColumn, ...] = ()

    @property
    def readable(self) -> list[DataFile]:
        """The files for COPY's manifest. An empty object has no rows and is left out."""
        return [file for file in self.files if file.size > 0]

    @property
    def compression(self) -> str:
        return compression(self.files[0].key) if self.files else ""

    def without(self, rejects: Iterable[Reject]) -> Batch:
        """The batch with these files rejected. A file that is rejected twice keeps the first reason."""
        known = {reject.file.key for reject in self.rejects}
        more = [reject for reject in rejects if reject.file.key not in known]
        bad = {reject.file.key for reject in more}
        kept = tuple(file for file in self.files if file.key not in bad)
        return replace(self, files=kept, rejects=self.rejects + tuple(more), held=())

    def split_off(self, file: DataFile, names: tuple[str, str]) -> tuple[Batch, Batch]:
        """Two batches of these names: all other files, with the rejects, and this file alone."""
        others = tuple(other for other in self.files if other.key != file.key)
        return replace(self, name=names[0], files=others, held=()), replace(
            self, name=names[1], files=(file,), rejects=(), held=(), unread_headers=0
        )

    def halves(self, names: tuple[str, str]) -> tuple[Batch, Batch]:
        """Two batches of these names, of half the files each; the rejects go with the first."""
        middle = len(self.files) // 2
        first = replace(self, name=names[0], files=self.files[:middle], held=())
        rest = self.files[middle:]
        return first, replace(
            self, name=names[1], files=rest, rejects=(), held=(), unread_headers=0
        )


def reported_name(file: DataFile) -> str:
    """The file's name as COPY reports it if it encodes nothing, trimmed."""
    return file.url.encode()[:NAME_BYTES].decode(errors="ignore").rstrip(" ")


def names_of(file: DataFile) -> set[str]:
    """Names that no other file of its batch may have, or COPY's reports on them could not be distinguished: the name
    itself, and the name decoded once more.
    """
    name = reported_name(file)
    return {name, unquote(name)}


def by_reported_name(files: Iterable[DataFile]) -> Callable[[str], DataFile | None]:
    """Finds the file for a name in COPY's reports.

    Redshift reports the plain name or a URL-encoded one (a Parquet COPY was seen to report ``=`` as ``%3D``; AWS does
    not document it). Both are cut to NAME_BYTES. If what is left of an encoded name fits two files, it is neither.
    """
    urls = {file.url: file for file in files}
    names = {reported_name(file): file for file in urls.values()}

    def find(reported: str) -> DataFile | None:
        name = reported.strip(" ")
        plain = unquote(name)
        found = names.get(name) or names.get(plain) or urls.get(plain)
        if found or len(name) < NAME_BYTES:
            return found
        beginning = unquote(re.sub(r"(%[0-9A-Fa-f]?)$", "", name), errors="ignore")
        meant = [file for url, file in urls.items() if url.startswith(beginning)]
        return meant[0] if len(meant) == 1 else None

    return find


def cut(
    files: Iterable[DataFile], dataset_of: Callable[[str], Dataset], max_files: int, max_bytes: int
) -> Iterator[tuple[Dataset, list[DataFile]]]:
    """Divides files into batches of one dataset, one compression, and the same values in their keys (from_key), of at
    most so many files and bytes.

    ``dataset_of`` gives the dataset of a key. A file larger than ``max_bytes`` is a batch by itself.
    """
    growing: dict[tuple[object, ...], _Growing] = {}
    for file in files:
        dataset = dataset_of(file.key)
        kind = (dataset.name, compression(file.key), *dataset.values_of_key(file.key))
        batch = growing.setdefault(kind, _Growing(dataset))
        names = names_of(file)
        full = len(batch.files) >= max_files or batch.size + file.size > max_bytes
        if batch.files and (full or names & batch.names):
            yield dataset, batch.files
            batch = growing[kind] = _Growing(dataset)
        batch.files.append(file)
        batch.names |= names
        batch.size += file.size
    for batch in growing.values():
        if batch.files:
            yield batch.dataset, batch.files


@dataclass
class _Growing:
    dataset: Dataset
    files: list[DataFile] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    size: int = 0


def write(store: Store, load_id: str, batch: Batch) -> None:
    store.put(
        keys.batch(load_id, batch.name),
        {
            "dataset": batch.dataset,
            "files": [file.as_dict() for file in batch.files],
            "rejects": [_kept(reject) for reject in batch.rejects],
            "held": [_kept(reject) for reject in batch.held],
            "columns": batch.columns,
            "unread_headers": batch.unread_headers,
            "unknown": [astuple(column) for column in batch.unknown],
        },
    )


def _kept(reject: Reject) -> RejectedFile:
    """With the start of its line, which is in no report."""
    return {**reject.as_dict(), "line_begins": reject.line_begins}


def parts_of(store: Store, load_id: str) -> int:
    """How many parts the load's batches have been divided into."""
    names = (key.rsplit("/", 1)[1] for key in store.keys(keys.batches(load_id)))
    return sum("." in name.removesuffix(".json") for name in names)


def read(store: Store, load_id: str, name: str) -> Batch:
    """Reads a batch's document; raises store.MissingObject."""
    document = store.get(keys.batch(load_id, name))
    return Batch(
        name,
        document["dataset"],
        tuple(DataFile(**file) for file in document["files"]),
        tuple(Reject.from_dict(reject) for reject in document["rejects"]),
        tuple(Reject.from_dict(reject) for reject in document.get("held", ())),
        None if document.get("columns") is None else tuple(document["columns"]),
        document.get("unread_headers", 0),
        tuple(UnknownColumn(*column) for column in document.get("unknown", ())),
    )
