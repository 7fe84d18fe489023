"""The options of text formats and of Parquet, and which options go with which format.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from fakeshift.copy_s3.lines import ENCODINGS
from fakeshift.engine.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens

if TYPE_CHECKING:
    from fakeshift.copy_s3.options import CopyOptions

Parse = Callable[[Tokens, "CopyOptions"], "CopyOptions"]

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPED = re.compile(r"((?:\\[0-7]{1,3})+)|\\(x[0-9a-fA-F]{1,2}|.)", re.DOTALL)

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


def check(options: CopyOptions, seen: set[str]) -> None:
    """Raises RedshiftError where two of the options, or an option and the format, exclude another."""
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

    MAXERROR 0 is the default and what dlt's statements say.
    """
    others = seen - _WITH_PARQUET - ({"MAXERROR"} if options.maxerror == 0 else set())
    if others:
        raise RedshiftError(
            f"{min(others)} argument is not supported for PARQUET based COPY", sqlstate="0A000"
        )


def literal(tokens: Tokens) -> str:
    r"""A string literal as COPY and UNLOAD read it: ``\t``, ``\001``; ``\N`` keeps its backslash."""
    token = tokens.peek()
    start = token.start if token else 0
    value = tokens.string()
    written = tokens.sql[start : token.end + 1] if token else ""
    if "\\" not in written or not written.startswith("'"):
        return value
    inner = written[1:-1].replace("''", "'")

    def unescaped(found: re.Match[str]) -> str:
        if found[1]:  # "characters can also be represented in octal, as their UTF-8 code units"
            units = bytes(int(unit, 8) & 0xFF for unit in found[1].split("\\")[1:])
            return _decoded(units)
        code = found[2]
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        if code in ("\\", "'"):
            return code
        return _ESCAPES.get(code, found[0])

    return _ESCAPED.sub(unescaped, inner)


def _decoded(units: bytes) -> str:
    try:
        return units.decode()
    except UnicodeDecodeError:
        return units.decode("latin-1")


def _characters(text: str, what: str) -> str:
    """A delimiter of COPY's: "multiple characters such as |~|" too (dg/copy-parameters-data-format.html)."""
    if not text or set(text) & set("\n\r\0"):
        raise RedshiftError(f"{what} must be characters, without a newline")
    if len(text) > 1 and "\\" in text:  # '\\t' may well be meant for a tab: not documented
        raise unsupported("COPY ... DELIMITER of several characters with a backslash")
    return text


def one_character(text: str, what: str) -> str:
    """A delimiter or quote character. Raises RedshiftError: not one ASCII character, a newline."""
    if len(text) != 1 or not text.isascii() or text in ("\n", "\r", "\0"):
        raise RedshiftError(f"{what} must be a single ASCII character")
    return text


def widths(spec: str) -> tuple[int, ...]:
    """``"venueid:3, venuename:25"`` -> ``(3, 25)``."""
    pairs = [pair.rpartition(":") for pair in spec.split(",")]
    if not all(label.strip() and width.strip().isdigit() for label, _, width in pairs):
        raise RedshiftError(f"Invalid FIXEDWIDTH specification: {spec}")
    return tuple(int(width) for _, _, width in pairs)


def _format_is(name: str) -> Parse:
    def parse(_: Tokens, options: CopyOptions) -> CopyOptions:
        if options.format != "text":
            raise RedshiftError("conflicting or redundant options", sqlstate="42601")
        return replace(options, format=name)

    return parse


def _delimiter(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    return replace(options, delimiter=_characters(literal(tokens), "COPY delimiter"))


def _quote(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    return replace(options, quote=one_character(literal(tokens), "COPY quote"))


def _fixedwidth(tokens: Tokens, options: CopyOptions) -> CopyOptions:
    tokens.accept("AS")
    options = _format_is("fixedwidth")(tokens, options)
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


def _flag(name: str) -> Parse:
    def parse(_: Tokens, options: CopyOptions) -> CopyOptions:
        return replace(options, **{name: True})  # type: ignore[arg-type]

    return parse


PARSERS: dict[str, Parse] = {
    "CSV": _format_is("csv"),
    "QUOTE": _quote,
    "DELIMITER": _delimiter,
    "FIXEDWIDTH": _fixedwidth,
    "PARQUET": _format_is("parquet"),
    "SERIALIZETOJSON": _flag("serializetojson"),
    "NULL": _null,
    "ENCODING": _encoding,
    "IGNOREHEADER": _ignoreheader,
    "IGNOREBLANKLINES": _flag("ignoreblanklines"),
    "FILLRECORD": _flag("fillrecord"),
    "ESCAPE": _flag("escape"),
    "REMOVEQUOTES": _flag("removequotes"),
    "EXPLICIT_IDS": _flag("explicit_ids"),
}


def of_format(tokens: Tokens) -> Parse:
    """What follows FORMAT AS, JSON aside: the formats, of which DELIMITER is one in the documentation."""
    word = tokens.word()
    if word not in ("CSV", "DELIMITER", "FIXEDWIDTH", "PARQUET"):
        if word not in ("AVRO", "ORC", "SHAPEFILE"):
            raise tokens.error()
        raise unsupported(f"COPY ... FORMAT {word}")
    tokens.take()
    return PARSERS[word]
