"""UNLOAD's text as a value: every option is known, refused by its name, or a syntax error.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlglot.tokenizer_core import TokenType

from fakeshift.copy_s3 import authorization
from fakeshift.copy_s3.text_options import literal, one_character, widths
from fakeshift.engine.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens

MB = 1 << 20
MAX_FILE_BYTES = int(6.2 * 1024 * MB)
MIN_FILE_BYTES = 5 * MB
SUFFIXES = {"gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst"}


@dataclass(frozen=True)
class UnloadOptions:
    """``format`` is text, csv, json or parquet; ``null`` None where NULL AS is not given."""

    iam_role: str = ""
    region: str = ""
    format: str = "text"
    delimiter: str = ""
    widths: tuple[int, ...] = ()
    header: bool = False
    addquotes: bool = False
    escape: bool = False
    null: str | None = None
    compression: str = ""
    extension: str = ""
    manifest: bool = False
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
        """What a file's name ends with. EXTENSION takes the place of all of it."""
        if self.extension:
            return f".{self.extension.removeprefix('.')}"
        return ".parquet" if self.format == "parquet" else SUFFIXES.get(self.compression, "")


@dataclass(frozen=True)
class Unload:
    """UNLOAD ('query') TO 'destination' options."""

    query: str
    destination: str
    options: UnloadOptions = field(default_factory=UnloadOptions)


def parse(tokens: Tokens) -> Unload:
    """What follows the word UNLOAD. Raises RedshiftError."""
    tokens.expect("(")
    query = _query(tokens)
    tokens.expect(")")
    tokens.expect("TO")
    destination = tokens.string()
    options, seen = UnloadOptions(), set()
    while not tokens.at_end:
        word = "PARTITION BY" if tokens.next_is("PARTITION", "BY") else tokens.word()
        parser = _PARSERS.get(word)
        if parser is None:
            raise unsupported(f"UNLOAD ... {word}") if word in _UNSUPPORTED else tokens.error()
        tokens.accept(*word.split())
        if word in seen:
            raise RedshiftError("conflicting or redundant options", sqlstate="42601")
        seen.add(word)
        options = parser(tokens, options)
    _check(options, seen)
    return Unload(query, destination, options)


def _query(tokens: Tokens) -> str:
    """``'select ...'`` with its quotes doubled, or ``$$select ...$$``."""
    token = tokens.peek()
    if token is not None and token.token_type == TokenType.HEREDOC_STRING:
        return str(tokens.take().text)
    return tokens.string()


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
    if not options.iam_role:
        raise RedshiftError(
            "No credentials specified", hint="Use IAM_ROLE to authorize access to the data."
        )
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


def _iam_role(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    return replace(options, iam_role=authorization.iam_role(tokens))


def _credentials(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    if options.iam_role:
        raise RedshiftError("conflicting or redundant options", sqlstate="42601")
    return replace(options, iam_role=authorization.credentials(tokens))


def _with(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    tokens.expect("CREDENTIALS")
    return _credentials(tokens, options)


def _format_word(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
    tokens.accept("AS")
    word = tokens.word()
    if word in _UNSUPPORTED:
        raise unsupported(f"UNLOAD ... FORMAT {word}")
    if word not in ("CSV", "PARQUET", "JSON"):
        raise tokens.error()
    tokens.take()
    return _format_is(word.lower())(tokens, options)


def _format_is(name: str) -> _Parse:
    def parse(_: Tokens, options: UnloadOptions) -> UnloadOptions:
        if options.format != "text":
            raise RedshiftError("conflicting or redundant options", sqlstate="42601")
        return replace(options, format=name)

    return parse


def _text(name: str) -> _Parse:
    def parse(tokens: Tokens, options: UnloadOptions) -> UnloadOptions:
        tokens.accept("AS")
        return replace(options, **{name: literal(tokens)})  # type: ignore[arg-type]

    return parse


def _flag(name: str) -> _Parse:
    def parse(_: Tokens, options: UnloadOptions) -> UnloadOptions:
        return replace(options, **{name: True})  # type: ignore[arg-type]

    return parse


def _compression(name: str) -> _Parse:
    def parse(_: Tokens, options: UnloadOptions) -> UnloadOptions:
        if options.compression:
            raise RedshiftError("conflicting or redundant options", sqlstate="42601")
        return replace(options, compression=name)

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
    """ENCRYPTED AUTO takes the bucket's default key, which is what an upload does by itself."""
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
    "IAM_ROLE": _iam_role,
    "CREDENTIALS": _credentials,
    "WITH": _with,
    "REGION": _text("region"),
    "FORMAT": _format_word,
    "CSV": _format_is("csv"),
    "PARQUET": _format_is("parquet"),
    "JSON": _format_is("json"),
    "MANIFEST": _manifest,
    "HEADER": _flag("header"),
    "DELIMITER": _delimiter,
    "FIXEDWIDTH": _fixedwidth,
    "ENCRYPTED": _encrypted,
    "KMS_KEY_ID": _text("kms_key_id"),
    "BZIP2": _compression("bzip2"),
    "GZIP": _compression("gzip"),
    "ZSTD": _compression("zstd"),
    "ADDQUOTES": _flag("addquotes"),
    "NULL": _text("null"),
    "ESCAPE": _flag("escape"),
    "ALLOWOVERWRITE": _flag("allowoverwrite"),
    "CLEANPATH": _flag("cleanpath"),
    "PARALLEL": _parallel,
    "PARTITION BY": _partition_by,
    "MAXFILESIZE": _max_file_size,
    "ROWGROUPSIZE": _row_group_size,
    "EXTENSION": _text("extension"),
}
