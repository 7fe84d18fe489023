"""COPY's options: every one is known, refused by its name, or a syntax error.

https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
https://docs.aws.amazon.com/redshift/latest/dg/r_COPY-parameters.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fakeshift.copy_s3 import authorization, text_options
from fakeshift.engine.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens

MAX_MAXERROR = 100_000
MAX_COMPROWS = 2_147_483_647
DEFAULT_DATEFORMAT = "YYYY-MM-DD"
DEFAULT_TIMEFORMATS = (f"{DEFAULT_DATEFORMAT} HH:MI:SS", f"{DEFAULT_DATEFORMAT} HH24:MI:SS")


@dataclass(frozen=True)
class CopyOptions:
    """What follows FROM 'source'.

    ``format`` is json, csv, text (delimited, the default), fixedwidth, parquet; ``json`` is auto,
    auto ignorecase, noshred, or a JSONPaths file's URL.
    """

    iam_role: str = ""
    region: str = ""
    manifest: bool = False
    format: str = "text"
    json: str = ""
    compression: str = ""
    timeformat: str = ""
    dateformat: str = ""
    maxerror: int = 0
    ignore_all_errors: bool = False
    noload: bool = False
    truncatecolumns: bool = False
    emptyasnull: bool = False
    blanksasnull: bool = False
    roundec: bool = False
    trimblanks: bool = False
    acceptanydate: bool = False
    acceptinvchars: str = ""
    delimiter: str = ""
    quote: str = ""
    widths: tuple[int, ...] = ()
    null_as: str = "\\N"
    encoding: str = "utf8"
    ignoreheader: int = 0
    ignoreblanklines: bool = False
    fillrecord: bool = False
    escape: bool = False
    removequotes: bool = False
    explicit_ids: bool = False
    serializetojson: bool = False

    @property
    def error_limit(self) -> int | None:
        """With this many errors the load fails; None for never. 0 and 1 both mean the first."""
        return None if self.ignore_all_errors else max(self.maxerror, 1)


_Parse = Callable[[Tokens, CopyOptions], CopyOptions]

_UNSUPPORTED = frozenset(
    {"SHAPEFILE", "AVRO", "ORC", "LZOP", "READRATIO", "SSH", "ENCRYPTED",
     "MASTER_SYMMETRIC_KEY", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN",
     "SESSION", "AUTO", "JOB", "PARALLEL", "SIMPLIFY"}
)  # fmt: skip


def parse_options(text: str) -> CopyOptions:
    """The options of a COPY. Raises RedshiftError for an unknown, unsupported or doubled one."""
    tokens, options, seen = Tokens(text), CopyOptions(), set()
    while not tokens.at_end:
        word = tokens.word()
        parser = _PARSERS.get(word)
        if parser is None:
            if word in _UNSUPPORTED:
                raise unsupported(f"COPY ... {word}")
            raise tokens.error()
        tokens.take()
        if word in seen:
            raise RedshiftError("conflicting or redundant options", sqlstate="42601")
        seen.add(word)
        options = parser(tokens, options)
    if not options.iam_role:
        raise RedshiftError(
            "No credentials specified", hint="Use IAM_ROLE to authorize access to the data."
        )
    text_options.check(options, seen | ({"DELIMITER"} if options.delimiter else set()))
    if options.ignore_all_errors and "MAXERROR" in seen:
        raise RedshiftError("IGNOREALLERRORS cannot be used with MAXERROR")
    return options


def _iam_role(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    return replace(options, iam_role=authorization.iam_role(tokens))


def _credentials(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    if options.iam_role:
        raise RedshiftError("conflicting or redundant options", sqlstate="42601")
    return replace(options, iam_role=authorization.credentials(tokens))


def _with(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.expect("CREDENTIALS")
    return _credentials(tokens, options)


def _region(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    return replace(options, region=tokens.string())


def _format(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    """``[ [ FORMAT ] [ AS ] data_format ]``: AS alone is read here too."""
    tokens.accept("AS")
    if tokens.accept("JSON"):
        return _json(tokens, options)
    return text_options.of_format(tokens)(tokens, options)


def _json(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    if options.format != "text":
        raise RedshiftError("conflicting or redundant options", sqlstate="42601")
    tokens.accept("AS")
    how = tokens.string() if tokens.next_is_string() else "auto"
    lowered = how.lower()
    if lowered in ("auto", "auto ignorecase", "noshred"):
        return replace(options, format="json", json=lowered)
    if not how.startswith("s3://"):
        raise RedshiftError(f"Invalid JSONPaths file: {how}")
    return replace(options, format="json", json=how)


def _compression(name: str) -> _Parse:
    def parse(_: Tokens, options: CopyOptions) -> CopyOptions:
        if options.compression:
            raise RedshiftError("conflicting or redundant options", sqlstate="42601")
        return replace(options, compression=name)

    return parse


def _timeformat(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    """The default one, spelled out, is no other: parts of the time may be missing then too."""
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
    """Rows of a sample to choose encodings by, which the local Redshift does not.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html#copy-comprows
    """
    if not 1000 <= tokens.integer() <= MAX_COMPROWS:
        raise RedshiftError(f"COMPROWS must be between 1000 and {MAX_COMPROWS}")
    return options


def _flag(name: str) -> _Parse:
    def parse(_: Tokens, options: CopyOptions) -> CopyOptions:
        return replace(options, **{name: True})  # type: ignore[arg-type]

    return parse


_PARSERS: dict[str, _Parse] = {
    "IAM_ROLE": _iam_role,
    "CREDENTIALS": _credentials,
    "WITH": _with,
    "REGION": _region,
    "MANIFEST": _flag("manifest"),
    "FORMAT": _format,
    "AS": _format,
    "JSON": _json,
    "GZIP": _compression("gzip"),
    "BZIP2": _compression("bzip2"),
    "ZSTD": _compression("zstd"),
    "TIMEFORMAT": _timeformat,
    "DATEFORMAT": _dateformat,
    "MAXERROR": _maxerror,
    "IGNOREALLERRORS": _flag("ignore_all_errors"),
    "NOLOAD": _flag("noload"),
    "TRUNCATECOLUMNS": _flag("truncatecolumns"),
    "EMPTYASNULL": _flag("emptyasnull"),
    "BLANKSASNULL": _flag("blanksasnull"),
    "ROUNDEC": _flag("roundec"),
    "TRIMBLANKS": _flag("trimblanks"),
    "ACCEPTANYDATE": _flag("acceptanydate"),
    "ACCEPTINVCHARS": _acceptinvchars,
    "COMPROWS": _comprows,
    "COMPUPDATE": _on_off("PRESET"),
    "STATUPDATE": _on_off(),
    **text_options.PARSERS,
}
