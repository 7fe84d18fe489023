"""COPY's options: each is supported, refused by name, or a syntax error.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
https://docs.aws.amazon.com/redshift/latest/dg/r_COPY-parameters.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens
from fakeshift.sql.s3_options import (
    S3Options,
    compression,
    conflicting,
    credentials,
    flag,
    format_is,
    iam_role,
    literal,
    one_character,
    require_role,
    widths,
    with_credentials,
)

MAX_MAXERROR = 100_000
MAX_COMPROWS = 2_147_483_647
DEFAULT_DATEFORMAT = "YYYY-MM-DD"
DEFAULT_TIMEFORMATS = (f"{DEFAULT_DATEFORMAT} HH:MI:SS", f"{DEFAULT_DATEFORMAT} HH24:MI:SS")
ENCODINGS = {
    "utf8": "utf-8",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "iso88591": "latin-1",
}
"""ENCODING's names, and Python's for the same."""
FAST = ("json", "text")
"""The formats that have a fast reader beside the exact one: ``copy.vectors``, ``copy.bulk``."""


def exact(default: Any, *formats: str) -> Any:
    """A field for an option that the fast reader of these formats (of all, if none is given) does
    not support: a COPY with it uses only the exact reader.
    """
    return field(default=default, metadata={"exact": formats or FAST})


@dataclass(frozen=True)
class CopyOptions(S3Options):
    """What follows FROM 'source'.

    ``format`` is json, csv, text (delimited, the default), fixedwidth, parquet; ``json`` is auto,
    auto ignorecase, noshred, or a JSONPaths file's URL. A new option starts as ``exact(default)``.
    """

    json: str = ""
    timeformat: str = ""
    dateformat: str = ""
    maxerror: int = 0
    ignore_all_errors: bool = False
    noload: bool = False
    truncatecolumns: bool = False
    emptyasnull: bool = False
    blanksasnull: bool = False
    roundec: bool = False
    trimblanks: bool = exact(False, "json")  # of all white space; DuckDB's plan trims blanks only
    acceptanydate: bool = False
    acceptinvchars: str = exact(
        "", "json"
    )  # also replaces valid UTF-8 of code points that are not characters
    delimiter: str = ""
    quote: str = ""
    widths: tuple[int, ...] = ()
    null_as: str = "\\N"
    encoding: str = exact("utf8", "json")
    ignoreheader: int = exact(0, "json")
    ignoreblanklines: bool = False
    fillrecord: bool = False
    escape: bool = False
    removequotes: bool = False
    explicit_ids: bool = False
    serializetojson: bool = False

    @property
    def error_limit(self) -> int | None:
        """With this many errors the load fails; None means never; 0 and 1 both mean the first."""
        return None if self.ignore_all_errors else max(self.maxerror, 1)

    def exact_only(self, fast: str) -> bool:
        """Whether an option is given that the fast reader (json or text) does not support."""
        return any(
            fast in f.metadata.get("exact", ()) and getattr(self, f.name) != f.default
            for f in fields(self)
        )


_Parse = Callable[[Tokens, CopyOptions], CopyOptions]

_UNSUPPORTED = frozenset(
    {"SHAPEFILE", "AVRO", "ORC", "LZOP", "READRATIO", "SSH", "ENCRYPTED",
     "MASTER_SYMMETRIC_KEY", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN",
     "SESSION", "AUTO", "JOB", "PARALLEL", "SIMPLIFY"}
)  # fmt: skip
_NOT_WITH = {
    "json": ("CSV", "DELIMITER", "ESCAPE", "FILLRECORD", "FIXEDWIDTH", "IGNOREBLANKLINES", "NULL",
             "READRATIO", "REMOVEQUOTES"),
    "csv": ("FIXEDWIDTH", "REMOVEQUOTES", "ESCAPE"),
    "fixedwidth": ("DELIMITER", "ESCAPE", "REMOVEQUOTES"),
}  # fmt: skip
_WITH_PARQUET = frozenset(
    {"ACCEPTINVCHARS", "AS", "FILLRECORD", "IAM_ROLE", "CREDENTIALS", "WITH", "STATUPDATE", "MANIFEST", "EXPLICIT_IDS",
     "SERIALIZETOJSON", "FORMAT", "PARQUET"}
)  # fmt: skip


def parse_options(tokens: Tokens) -> CopyOptions:
    """The options of a COPY. Raises RedshiftError for an unknown, unsupported or repeated one."""
    options, seen = CopyOptions(), set()
    while not tokens.at_end:
        word = tokens.word()
        parser = _PARSERS.get(word)
        if parser is None:
            if word in _UNSUPPORTED:
                raise unsupported(f"COPY ... {word}")
            raise tokens.error()
        tokens.take()
        if word in seen:
            raise conflicting()
        seen.add(word)
        options = parser(tokens, options)
    require_role(options)
    _check(options, seen | ({"DELIMITER"} if options.delimiter else set()))
    if options.ignore_all_errors and "MAXERROR" in seen:
        raise RedshiftError("IGNOREALLERRORS cannot be used with MAXERROR")
    return options


def _check(options: CopyOptions, seen: set[str]) -> None:
    """Raises RedshiftError for options that exclude each other or the format."""
    if options.format == "parquet":
        _check_parquet(options, seen)
        return
    for word in _NOT_WITH.get(options.format, ()):
        if word in seen:
            raise RedshiftError(f"{word} is not supported with {options.format.upper()}")
    if options.format == "fixedwidth" and options.encoding != "utf8":
        raise RedshiftError("FIXEDWIDTH data files must use UTF8 encoding")
    if "QUOTE" in seen and options.format != "csv":
        raise RedshiftError("QUOTE can be used only with CSV")
    if options.serializetojson:
        raise RedshiftError("SERIALIZETOJSON can be used only with ORC and PARQUET")


def _check_parquet(options: CopyOptions, seen: set[str]) -> None:
    """ "Only the following COPY parameters are supported"; the message as users report it.

    MAXERROR 0 is the default, and dlt's statements have it.
    """
    others = seen - _WITH_PARQUET - ({"MAXERROR"} if options.maxerror == 0 else set())
    if others:
        raise RedshiftError(
            f"{min(others)} argument is not supported for PARQUET based COPY", sqlstate="0A000"
        )


def _region(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    return replace(options, region=tokens.string())


def _format(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    """``[ [ FORMAT ] [ AS ] data_format ]``: also reads AS alone."""
    tokens.accept("AS")
    if tokens.accept("JSON"):
        return _json(tokens, options)
    return _of_format(tokens)(tokens, options)


def _json(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    if options.format != "text":
        raise conflicting()
    tokens.accept("AS")
    how = tokens.string() if tokens.next_is_string() else "auto"
    lowered = how.lower()
    if lowered in ("auto", "auto ignorecase", "noshred"):
        return replace(options, format="json", json=lowered)
    if not how.startswith("s3://"):
        raise RedshiftError(f"Invalid JSONPaths file: {how}")
    return replace(options, format="json", json=how)


def _of_format(tokens: Tokens) -> _Parse:
    """What follows FORMAT AS, except JSON; the documentation lists DELIMITER as a format."""
    word = tokens.word()
    if word not in ("CSV", "DELIMITER", "FIXEDWIDTH", "PARQUET"):
        if word not in ("AVRO", "ORC", "SHAPEFILE"):
            raise tokens.error()
        raise unsupported(f"COPY ... FORMAT {word}")
    tokens.take()
    return _PARSERS[word]


def _timeformat(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    """The default format given explicitly is the default: parts of the time may be missing."""
    tokens.accept("AS")
    given = tokens.string()
    return replace(options, timeformat="" if given in DEFAULT_TIMEFORMATS else given)


def _dateformat(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    given = tokens.string()
    return replace(options, dateformat="" if given == DEFAULT_DATEFORMAT else given)


def _maxerror(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    number = tokens.integer()
    if not 0 <= number <= MAX_MAXERROR:
        raise RedshiftError(f"MAXERROR must be between 0 and {MAX_MAXERROR}")
    return replace(options, maxerror=number)


def _acceptinvchars(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    by = tokens.string() if tokens.next_is_string() else "?"
    if len(by) != 1 or not by.isascii() or by == "\0":
        raise RedshiftError("ACCEPTINVCHARS replacement character must be one ASCII character")
    return replace(options, acceptinvchars=by)


def _on_off(*words: str) -> _Parse:
    """COMPUPDATE and STATUPDATE: validated, without effect locally."""

    def parse(tokens: Tokens, options: CopyOptions) -> CopyOptions:
        if not tokens.accept_any(*words, "ON", "OFF", "TRUE", "FALSE"):
            following = tokens.word()
            if following and following not in _PARSERS and following not in _UNSUPPORTED:
                raise tokens.error()
        return options

    return parse


def _comprows(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    """The sample size for choosing encodings, which the local Redshift does not do.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html#copy-comprows
    """
    if not 1000 <= tokens.integer() <= MAX_COMPROWS:
        raise RedshiftError(f"COMPROWS must be between 1000 and {MAX_COMPROWS}")
    return options


def _characters(text: str, what: str) -> str:
    """A delimiter of COPY: "multiple characters such as |~|" too (dg/copy-parameters-data-format.html)."""
    if not text or set(text) & set("\n\r\0"):
        raise RedshiftError(f"{what} must be characters, without a newline")
    if len(text) > 1 and "\\" in text:  # '\\t' may mean a tab: not documented
        raise unsupported("COPY ... DELIMITER of several characters with a backslash")
    return text


def _delimiter(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    return replace(options, delimiter=_characters(literal(tokens), "COPY delimiter"))


def _quote(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    return replace(options, quote=one_character(literal(tokens), "COPY quote"))


def _fixedwidth(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    options = format_is("fixedwidth")(tokens, options)
    return replace(options, widths=widths(literal(tokens)))


def _null(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    null = literal(tokens)
    if "\n" in null:
        raise RedshiftError("COPY null string cannot contain a newline")
    return replace(options, null_as=null)


def _encoding(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    token = tokens.take()
    name = token.text.lower()
    if name not in ENCODINGS:
        raise RedshiftError(f"Invalid encoding: {token.text}")
    return replace(options, encoding=name)


def _ignoreheader(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    rows = tokens.integer()
    if rows < 0:
        raise RedshiftError("IGNOREHEADER must not be negative")
    return replace(options, ignoreheader=rows)


_PARSERS: dict[str, _Parse] = {
    "IAM_ROLE": iam_role,
    "CREDENTIALS": credentials,
    "WITH": with_credentials,
    "REGION": _region,
    "MANIFEST": flag("manifest"),
    "FORMAT": _format,
    "AS": _format,
    "JSON": _json,
    "GZIP": compression("gzip"),
    "BZIP2": compression("bzip2"),
    "ZSTD": compression("zstd"),
    "TIMEFORMAT": _timeformat,
    "DATEFORMAT": _dateformat,
    "MAXERROR": _maxerror,
    "IGNOREALLERRORS": flag("ignore_all_errors"),
    "NOLOAD": flag("noload"),
    "TRUNCATECOLUMNS": flag("truncatecolumns"),
    "EMPTYASNULL": flag("emptyasnull"),
    "BLANKSASNULL": flag("blanksasnull"),
    "ROUNDEC": flag("roundec"),
    "TRIMBLANKS": flag("trimblanks"),
    "ACCEPTANYDATE": flag("acceptanydate"),
    "ACCEPTINVCHARS": _acceptinvchars,
    "COMPROWS": _comprows,
    "COMPUPDATE": _on_off("PRESET"),
    "STATUPDATE": _on_off(),
    "CSV": format_is("csv"),
    "QUOTE": _quote,
    "DELIMITER": _delimiter,
    "FIXEDWIDTH": _fixedwidth,
    "PARQUET": format_is("parquet"),
    "SERIALIZETOJSON": flag("serializetojson"),
    "NULL": _null,
    "ENCODING": _encoding,
    "IGNOREHEADER": _ignoreheader,
    "IGNOREBLANKLINES": flag("ignoreblanklines"),
    "FILLRECORD": flag("fillrecord"),
    "ESCAPE": flag("escape"),
    "REMOVEQUOTES": flag("removequotes"),
    "EXPLICIT_IDS": flag("explicit_ids"),
}
