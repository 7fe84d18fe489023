"""What a dataset's copy.sql says of its files: the columns in their order, the format, the header line.

The column list of copy.sql is the one place in which a dataset's columns are declared. It is read from the template,
before anything is filled in, so that all that is used of it later is the project's own text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_COLUMNS = re.compile(r"(?is)(\A\s*COPY\s+\S+\s*\()([^()]*)(\)\s*FROM\b)")
_COLUMN = re.compile(r'[a-z_][a-z0-9_]{0,126}|"[^"]{1,127}"')
_WORDS = re.compile(r"(?i)\b(JSON|AVRO|PARQUET|ORC|SHAPEFILE|FIXEDWIDTH|CSV)\b")
_JSON = re.compile(r"(?i)\bJSON\s+(?:AS\s+)?'([^']*)'")
_IGNOREHEADER = re.compile(r"(?i)\bIGNOREHEADER\s+(?:AS\s+)?(\d+)")
_DELIMITER = re.compile(r"(?i)\bDELIMITER\s+(?:AS\s+)?'((?:[^']|'')*)'")
_QUOTE = re.compile(r"(?i)\bQUOTE\s+(?:AS\s+)?'((?:[^']|'')*)'")
_ENCODING = re.compile(r"(?i)\bENCODING\s+(?:AS\s+)?'?(\w+)'?")
_QUOTED = re.compile(r"'(?:[^']|'')*'")


BY_NAME = ("auto", "auto ignorecase", "noshred")


class LayoutError(Exception):
    """copy.sql contradicts itself; the message says what to change."""


@dataclass(frozen=True)
class Layout:
    """A dataset's files as COPY reads them.

    columns       as copy.sql lists them, () if it does not
    format        csv, text (delimited), json, parquet or other
    keys          of JSON: auto, auto ignorecase, noshred, or '' for a JSONPaths file
    header_lines  that COPY skips at the top of each file
    """

    columns: tuple[str, ...]
    format: str
    keys: str = ""
    header_lines: int = 0
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "UTF8"
    quoted: frozenset[str] = frozenset()

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The columns as copy.sql has them: some in quotes, as a reserved word must be."""
        return tuple(f'"{name}"' if name in self.quoted else name for name in self.columns)

    @classmethod
    def of(cls, text: str) -> "Layout":
        """Reads the text of a copy.sql without its comments; raises LayoutError for columns that are no identifiers."""
        options = _COLUMNS.sub("", text, 1)
        word = _WORDS.search(_QUOTED.sub("''", options))
        kind = word[1].lower() if word else "text"
        keys = _JSON.search(options)
        header = _IGNOREHEADER.search(options)
        encoding = _ENCODING.search(options)
        tokens = _columns(text)
        return cls(
            tuple(token.strip('"') for token in tokens),
            kind if kind in ("csv", "text", "json", "parquet") else "other",
            keys[1].lower() if keys and keys[1].lower() in BY_NAME else "",
            int(header[1]) if header else 0,
            _character(_DELIMITER.search(options), "," if kind == "csv" else "|"),
            _character(_QUOTE.search(options), '"'),
            encoding[1].upper() if encoding else "UTF8",
            frozenset(token.strip('"') for token in tokens if token.startswith('"')),
        )


def _columns(text: str) -> tuple[str, ...]:
    """The column list, each as it is written."""
    found = _COLUMNS.search(text)
    if not found:
        return ()
    columns = tuple(part.strip() for part in found[2].split(","))
    for column in columns:
        if not _COLUMN.fullmatch(column):
            raise LayoutError(f"{column!r} in the column list is no column's name")
        if columns.count(column) > 1:
            raise LayoutError(f"the column list names {column} twice")
    return columns


def _character(found: "re.Match[str] | None", otherwise: str) -> str:
    """One character as COPY's options have it: ',', '\\t' or an octal such as '\\174'."""
    if not found:
        return otherwise
    text = found[1].replace("''", "'")
    if octal := re.fullmatch(r"\\([0-7]{3})", text):
        return chr(int(octal[1], 8))
    return {"\\t": "\t", "\\\\": "\\"}.get(text, text)


def in_order(copy: str, columns: Sequence[str], extra: Sequence[str] = ()) -> str:
    """A COPY statement with its column list in another order, and perhaps with ``extra`` columns.

    Raises LayoutError for a column that is in neither list, or is missing.
    """
    found = _COLUMNS.search(copy)
    if not found:
        raise LayoutError("the statement has no column list")
    tokens = {token.strip().strip('"'): token.strip() for token in found[2].split(",")}
    tokens |= {column: column for column in columns if column in extra}
    if sorted(tokens) != sorted(columns):
        raise LayoutError("the columns are not those of the statement's list")
    return f"{copy[: found.start(2)]}{', '.join(tokens[c] for c in columns)}{copy[found.end(2) :]}"
