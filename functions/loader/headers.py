"""The header lines of files: read before COPY, and compared with the dataset's columns.

COPY uses positions and skips the header without reading it (IGNOREHEADER). Columns in another order, or a file without
a header, would therefore load without an error, into the wrong columns or without the first row. So each file's header
is read by a ranged GET. If the same columns are in another order, COPY gets a column list. Unknown columns go to extra
columns of the staging table, if the dataset has these, and are reported. Anything else rejects the file. The list has
only the dataset's own column names, never the header's text.

The same goes for Parquet, whose footer has the columns, and their types: a file of another type is rejected.

A header that cannot be read (denied, deleted, or not decompressible here) is counted, and left to COPY.
"""

import csv
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from botocore.exceptions import ClientError

from loader import parquet
from loader.batches import Batch, Reject, UnknownColumn
from loader.datasets import Dataset
from loader.decompression import NotThatFormat, decompressed
from loader.layout import Layout
from loader.store import DataFile, Store
from loader.suggested import Seen, line_of_csv, of_texts

AT_A_TIME = 16
RANGE = 64 * 1024  # bytes of a file
LONGEST = 1024 * 1024  # bytes; 1,600 columns of 127 bytes are 0.2 MB
SAMPLED_ROWS = 200  # for the types of unknown columns
UNREAD = "Its header could not be read, so it may have unknown columns, which the dataset rejects (unknown: reject)."
SHOWN_NAMES = 20
SHOWN_NAME = 60  # characters
CODECS = {"UTF16": "utf-16", "UTF16LE": "utf-16-le", "UTF16BE": "utf-16-be", "ISO88591": "latin-1"}
# Type of Parquet -> kind of a column that would take it.
_SUGGESTED = {
    "INT32": "bigint", "INT64": "bigint", "FLOAT": "double precision", "DOUBLE": "double precision",
    "BOOLEAN": "boolean", "STRING": "varchar", "DATE": "date", "TIMESTAMP": "timestamp",
}  # fmt: skip
OF_OTHER_FILES = (b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff")  # gzip, UTF-16: COPY's errors say more


class BadHeader(Exception):
    """Why a file is rejected for its first line."""


@dataclass(frozen=True)
class Header:
    """A file as it is now, and the columns in its header's order: None if it was not read; () if there is no line.

    unknown: the names in the header that are no column's, with what their first values are.
    """

    file: DataFile
    columns: tuple[str, ...] | None = None
    bad: str = ""
    unknown: Mapping[str, Seen] = field(default_factory=dict)


def by_order(store: Store, batch: Batch, dataset: Dataset) -> list[Batch]:
    """Divides the batch into batches of one column order each, the largest first, without files with a bad header.

    All have the batch's name, and the first has all rejects; ``columns`` is () for the order of copy.sql. One batch,
    perhaps of no files, if all that is left is of one order. Raises ClientError if S3 does not answer.
    """
    headers = {header.file.key: header for header in read(store, batch.readable, dataset)}
    rejects = [
        Reject(header.file, header.bad, line=None if dataset.types else 1)
        for header in headers.values()
        if header.bad
    ]
    if dataset.rejects_unknown:
        rejects += [
            Reject(header.file, UNREAD, status="unreadable")
            for header in headers.values()
            if header.columns is None and not header.bad
        ]
    left = replace(batch, columns=(), unread_headers=0).without(rejects)
    listed = dataset.layout.columns
    groups: dict[tuple[str, ...], list[DataFile]] = {}
    unread, of_any_order = set(), []
    for file in left.files:
        header = headers.get(file.key, Header(file, ()))
        if header.columns is None:
            unread.add(file.key)
        if header.columns == ():
            of_any_order.append(header.file)
        else:
            groups.setdefault(header.columns or listed, []).append(header.file)
    found = sorted(groups.items(), key=lambda item: -len(item[1])) or [(listed, [])]
    found[0][1].extend(of_any_order)
    return [
        replace(
            left,
            files=tuple(files),
            rejects=() if number else left.rejects,
            columns=() if order == listed else order,
            unread_headers=sum(file.key in unread for file in files),
            unknown=_unknown([headers[file.key] for file in files if file.key in headers]),
        )
        for number, (order, files) in enumerate(found)
    ]


def _unknown(headers: Sequence[Header]) -> tuple[UnknownColumn, ...]:
    """The names that are no column's in these files, each with the first file and what would take it."""
    first: dict[str, str] = {}
    seen: dict[str, Seen] = {}
    for header in headers:
        for name, what in header.unknown.items():
            first.setdefault(name, header.file.key)
            seen[name] = seen.get(name, Seen()) | what
    return tuple(
        UnknownColumn(name, key, line_of_csv(name, seen[name].type)) for name, key in first.items()
    )


def read(store: Store, files: Sequence[DataFile], dataset: Dataset) -> list[Header]:
    """The header of each file. Raises ClientError for what is neither denied nor gone."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(lambda file: _read_one(store, file, dataset), files))


def _read_one(store: Store, file: DataFile, dataset: Dataset) -> Header:
    if dataset.types:
        return _read_footer(store, file, dataset)
    layout = dataset.layout
    for length in (RANGE, LONGEST):
        try:
            data, file = store.beginning(file, length)
            plain = decompressed(file.key, data, LONGEST)
        except NotThatFormat:
            return Header(file)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (403, 404):
                return Header(file)
            raise
        if plain.startswith(OF_OTHER_FILES) and layout.encoding == "UTF8":
            return Header(file)
        line, ended = first_line(plain, layout)
        if ended or len(data) >= file.size:
            break
    else:
        if not plain:  # of a bzip2 file whose first block is not complete
            return Header(file)
        return Header(
            file, bad=f"The first line, which should be the header, is longer than {LONGEST} bytes."
        )
    if "\0" in line:
        return Header(file)
    try:
        columns = order_of(line, plain, dataset)
        unknown = _first_values(plain, columns, dataset)
        return Header(file, columns, unknown=unknown)
    except BadHeader as error:
        return Header(file, bad=str(error))


def _read_footer(store: Store, file: DataFile, dataset: Dataset) -> Header:
    """The columns of a Parquet file, in their order."""
    try:
        data, file = store.ending(file, RANGE)
        start = parquet.footer_of(data, file.size)
        footer = data[max(start - file.size, -len(data)) : -parquet.END]
        if (more := file.size - parquet.END - start) > len(footer):
            footer = store.part(file, start, min(more, LONGEST))
        fields = parquet.schema(footer, whole=len(footer) == more)
        return _of_fields(file, fields, dataset)
    except ClientError as error:
        # 412: it was replaced between two requests; COPY's report shows it, and it is read again.
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (403, 404, 412):
            return Header(file)
        raise
    except parquet.NotParquet as error:
        return Header(file, bad=f"The file {error}.")
    except parquet.Incomplete:
        return Header(file, bad=f"The file has a schema of more than {LONGEST} bytes.")
    except BadHeader as error:
        return Header(file, bad=str(error))


def _of_fields(file: DataFile, fields: Sequence[parquet.Field], dataset: Dataset) -> Header:
    """The header of a Parquet file. Raises BadHeader."""
    names = [field.name.strip().lower() for field in fields]
    columns = _ordered(names, dataset)
    wanted = dict(zip(dataset.layout.columns, dataset.types, strict=True))
    wrong = [
        f"{_shown(field.name)} is {field.type}, not {wanted[column]}"
        for field, column in zip(fields, columns, strict=True)
        if wanted.get(column, "ANY") not in ("ANY", field.type)
    ]
    if wrong:
        raise BadHeader(
            f"COPY converts no types of Parquet: {'; '.join(wrong[:SHOWN_NAMES])}. Write the files with these types, "
            "or change the columns' types in dataset.yaml."
        )
    unknown = {
        name: Seen(_SUGGESTED.get(field.type, "super"))
        for name, field, column in zip(names, fields, columns, strict=True)
        if column in dataset.extra_columns
    }
    return Header(file, columns, unknown=unknown)


def first_line(plain: bytes, layout: Layout) -> tuple[str, bool]:
    """The first line without its end and a byte order mark, and whether its end was seen."""
    text = plain.decode(CODECS.get(layout.encoding, "utf-8"), errors="replace")
    line, end, _ = text.removeprefix("\ufeff").partition("\n")
    return line.removesuffix("\r"), bool(end)


def order_of(line: str, plain: bytes, dataset: Dataset) -> tuple[str, ...]:
    """The dataset's columns in the header line's order, () for a file of nothing but blanks. Raises BadHeader.

    Names are compared without regard to case, blanks and quotes around them.
    """
    layout = dataset.layout
    if "\r" in line:
        raise BadHeader(
            "Its lines end in a carriage return alone, which COPY does not accept as the end of a line: it would skip "
            "the whole file as the header. Lines must end in a line feed."
        )
    if not line.strip():
        if not plain.strip():
            return ()
        raise BadHeader("The first line, which should be the header, is empty.")
    names = _names(line, layout)
    if not set(names) & {name.strip().lower() for name in dataset.header}:
        raise BadHeader(
            "The first line is not a header: it has none of the dataset's columns. COPY would skip it, and a row would "
            f"be lost. The columns are {_list(dataset.header)}. Add them as the first line; if no file of the dataset "
            "has a header, say so in its dataset.yaml (header: false; in a contract under csv)."
        )
    return _ordered(names, dataset)


def _ordered(names: Sequence[str], dataset: Dataset) -> tuple[str, ...]:
    """The dataset's columns in the order of these names, in lower case. Raises BadHeader."""
    columns = {
        name.strip().lower(): column
        for name, column in zip(dataset.header, dataset.layout.columns, strict=True)
    }
    known = [name for name in names if name in columns]
    missing = [name for name in dataset.header if name.strip().lower() not in names]
    unknown = [name for name in names if name not in columns]
    twice = sorted({name for name in known if known.count(name) > 1})
    room = len(dataset.extra_columns)
    if missing or twice or len(unknown) > room:
        # What is no column's name may be a value: of a dataset with masked columns it is not shown.
        strange = [f"{len(unknown)} names"] if dataset.masks and unknown else unknown
        wrong = (("missing", missing), ("not known", strange), ("named twice", twice))
        said = "; ".join(f"{what}: {_list(which)}" for what, which in wrong if which)
        header = "" if dataset.masks else f" The header is: {_list(names)}."
        raise BadHeader(
            f"The header does not have the dataset's columns ({said}).{header} The dataset's columns are: "
            f"{_list(dataset.header)}."
            + (f" At most {room} columns that are not known are left out." if room else "")
        )
    extra = iter(dataset.extra_columns)
    return tuple(columns.get(name) or next(extra) for name in names)


def _first_values(plain: bytes, columns: Sequence[str], dataset: Dataset) -> dict[str, Seen]:
    """The names in the header that are no column's, with what their values are in the first rows."""
    layout = dataset.layout
    places = [n for n, column in enumerate(columns) if column in dataset.extra_columns]
    if not places:
        return {}
    text = plain.decode(CODECS.get(layout.encoding, "utf-8"), errors="replace")
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    names = _names(lines[0].rstrip("\r\n"), layout)
    rows: list[list[str]] = []
    with suppress(csv.Error):  # a quote that does not end
        reader = csv.reader(lines[1:], delimiter=layout.delimiter, quotechar=layout.quote)
        rows = [row for row in islice(reader, SAMPLED_ROWS) if len(row) == len(names)]
    return {names[n]: of_texts([row[n] for row in rows]) for n in places}


def _names(line: str, layout: Layout) -> list[str]:
    """The names in a header line, in lower case."""
    parts = line.split(layout.delimiter)
    if layout.format == "csv" and len(layout.delimiter) == 1:
        try:
            reader = csv.reader([line], delimiter=layout.delimiter, quotechar=layout.quote)
            parts = next(reader)
        except csv.Error:  # a name of more than 128 kB
            pass
    return [part.strip().strip(layout.quote).strip().lower() for part in parts]


def _list(names: Sequence[str]) -> str:
    shown = [_shown(name) for name in names[:SHOWN_NAMES]]
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(shown) + more


def _shown(name: str) -> str:
    """A name as one line of text shows it."""
    if not name:
        return "(an empty name)"
    text = name if name.isprintable() else ascii(name)[1:-1]
    return text if len(text) <= SHOWN_NAME else f"{text[:SHOWN_NAME]}…"
