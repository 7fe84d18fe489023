"""UNLOAD's options: each is supported, refused by name, or a syntax error.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlglot.tokenizer_core import TokenType

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

MB = 1 << 20
MAX_FILE_BYTES = int(6.2 * 1024 * MB)
MIN_FILE_BYTES = 5 * MB
SUFFIXES = {"gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst"}


@dataclass(frozen=True)
class UnloadOptions(S3Options):
    """``format`` is text, csv, json or parquet; ``null`` is None without NULL AS."""

    delimiter: str = ""
    widths: tuple[int, ...] = ()
    header: bool = False
    addquotes: bool = False
    escape: bool = False
    null: str | None = None
    extension: str = ""
    verbose: bool = False
    parallel: bool = True
    allowoverwrite: bool = False
    cleanpath: bool = False
    partition_by: tuple[str, ...] = ()
    include: bool = False
    max_file_bytes: int = MAX_FILE_BYTES
    row_group_bytes: int = 32 * MB
    encrypted: bool = False
    encrypted_auto: bool = False
    kms_key_id: str = ""

    @property
    def suffix(self) -> str:
        """The end of a file's name. EXTENSION replaces all of it."""
        if self.extension:
            return f".{self.extension.removeprefix('.')}"
        return ".parquet" if self.format == "parquet" else SUFFIXES.get(self.compression, "")


def parse_options(tokens: Tokens) -> UnloadOptions:
    """The options of an UNLOAD. Raises RedshiftError for an unknown, unsupported or repeated one."""
    options, seen = UnloadOptions(), set()
    while not tokens.at_end:
        word = "PARTITION BY" if tokens.next_is("PARTITION", "BY") else tokens.word()
        parser = _PARSERS.get(word)
        if parser is None:
            raise unsupported(f"UNLOAD ... {word}") if word in _UNSUPPORTED else tokens.error()
        tokens.accept(*word.split())
        if word in seen:
            raise conflicting()
        seen.add(word)
        options = parser(tokens, options)
    _check(options, seen)
    return options


_NOT_WITH = {
    "csv": ("FIXEDWIDTH",),
    "json": ("DELIMITER", "HEADER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL"),
    "parquet": ("DELIMITER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL", "HEADER", "GZIP",
                "BZIP2", "ZSTD"),
    "fixedwidth": ("DELIMITER", "HEADER", "ADDQUOTES", "ESCAPE"),
}  # fmt: skip
_UNSUPPORTED = frozenset(
    {"MASTER_SYMMETRIC_KEY", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN",
     "AVRO", "ORC"}
)  # fmt: skip


def _check(options: UnloadOptions, seen: set[str]) -> None:
    require_role(options)
    kinds = [options.format] + (["fixedwidth"] if options.widths else [])
    for kind in kinds:
        for word in _NOT_WITH.get(kind, ()):
            if word in seen:
                raise RedshiftError(f"{word} is not supported with {kind.upper()}")
    if options.format == "csv":
        for word in sorted({"ADDQUOTES", "ESCAPE"} & seen):
            raise unsupported(f"UNLOAD ... CSV with {word}")
    if options.cleanpath and options.allowoverwrite:
        raise RedshiftError("CLEANPATH cannot be used with ALLOWOVERWRITE")
    if "ROWGROUPSIZE" in seen and options.format != "parquet":
        raise RedshiftError("ROWGROUPSIZE is supported only with PARQUET")
    if options.kms_key_id and seen & {"CREDENTIALS", "WITH"}:
        raise RedshiftError("CREDENTIALS cannot be used with KMS_KEY_ID")
    if options.kms_key_id and not options.encrypted:
        raise RedshiftError("KMS_KEY_ID requires ENCRYPTED")
    if options.kms_key_id and options.encrypted_auto:
        raise RedshiftError("ENCRYPTED AUTO cannot be used with KMS_KEY_ID")


_Parse = Callable[[Tokens, UnloadOptions], UnloadOptions]


def _format_word(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    tokens.accept("AS")
    word = tokens.word()
    if word in _UNSUPPORTED:
        raise unsupported(f"UNLOAD ... FORMAT {word}")
    if word not in ("CSV", "PARQUET", "JSON"):
        raise tokens.error()
    tokens.take()
    return format_is(word.lower())(tokens, options)


def _text(name: str) -> _Parse:
    def parse(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
        tokens.accept("AS")
        return replace(options, **{name: literal(tokens)})  # type: ignore[arg-type]

    return parse


def _delimiter(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    tokens.accept("AS")
    return replace(options, delimiter=one_character(literal(tokens), "UNLOAD delimiter"))


def _fixedwidth(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    tokens.accept("AS")
    return replace(options, widths=widths(literal(tokens)))


def _manifest(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    return replace(options, manifest=True, verbose=tokens.accept("VERBOSE"))


def _parallel(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    word = tokens.accept_any("ON", "TRUE", "OFF", "FALSE")
    return replace(options, parallel=word not in ("OFF", "FALSE"))


def _partition_by(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    tokens.expect("(")
    if tokens.next_is_string():
        raise RedshiftError("String literals are not supported in PARTITION BY")
    names = [tokens.identifier()]
    while tokens.accept(","):
        names.append(tokens.identifier())
    tokens.expect(")")
    return replace(options, partition_by=tuple(names), include=tokens.accept("INCLUDE"))


def _encrypted(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    """ENCRYPTED AUTO uses the bucket's default key, which is the default of uploads."""
    return replace(options, encrypted=True, encrypted_auto=tokens.accept("AUTO"))


def _max_file_size(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    size = _size(tokens)
    if not MIN_FILE_BYTES <= size <= MAX_FILE_BYTES:
        raise RedshiftError("MAXFILESIZE must be between 5 MB and 6.2 GB")
    return replace(options, max_file_bytes=size)


def _row_group_size(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    size = _size(tokens)
    if not 32 * MB <= size <= 128 * MB:
        raise RedshiftError("ROWGROUPSIZE must be between 32 MB and 128 MB")
    return replace(options, row_group_bytes=size)


def _size(tokens: Tokens) -> int:
    """``5``, ``6.2 GB``: bytes; "The default unit is MB"."""
    tokens.accept("AS")
    token = tokens.peek()
    if token is None or token.token_type != TokenType.NUMBER:
        raise tokens.error()
    number = float(tokens.take().text)
    unit = tokens.accept_any("MB", "GB") or "MB"
    return int(number * MB * (1024 if unit == "GB" else 1))


_PARSERS: dict[str, _Parse] = {
    "IAM_ROLE": iam_role,
    "CREDENTIALS": credentials,
    "WITH": with_credentials,
    "REGION": _text("region"),
    "FORMAT": _format_word,
    "CSV": format_is("csv"),
    "PARQUET": format_is("parquet"),
    "JSON": format_is("json"),
    "MANIFEST": _manifest,
    "HEADER": flag("header"),
    "DELIMITER": _delimiter,
    "FIXEDWIDTH": _fixedwidth,
    "ENCRYPTED": _encrypted,
    "KMS_KEY_ID": _text("kms_key_id"),
    "BZIP2": compression("bzip2"),
    "GZIP": compression("gzip"),
    "ZSTD": compression("zstd"),
    "ADDQUOTES": flag("addquotes"),
    "NULL": _text("null"),
    "ESCAPE": flag("escape"),
    "ALLOWOVERWRITE": flag("allowoverwrite"),
    "CLEANPATH": flag("cleanpath"),
    "PARALLEL": _parallel,
    "PARTITION BY": _partition_by,
    "MAXFILESIZE": _max_file_size,
    "ROWGROUPSIZE": _row_group_size,
    "EXTENSION": _text("extension"),
}
