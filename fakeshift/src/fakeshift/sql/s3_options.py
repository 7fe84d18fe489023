"""The options that COPY and UNLOAD share: S3, the IAM role, and string literals.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
_ESCAPED = re.compile(r"((?:\\[0-7]{1,3})+)|\\(x[0-9a-fA-F]{1,2}|.)", re.DOTALL)


@dataclass(frozen=True)
class S3Options:
    """``iam_role`` is an ARN or ``default``; ``compression`` is gzip, bzip2, zstd or ""."""

    iam_role: str = ""
    region: str = ""
    manifest: bool = False
    format: str = "text"
    compression: str = ""


Options = TypeVar("Options", bound=S3Options)


def conflicting() -> RedshiftError:
    """The error for an option that is given twice, or with another one for the same."""
    return RedshiftError("conflicting or redundant options", sqlstate="42601")


def iam_role(tokens: Tokens, options: Options) -> Options:
    """What follows IAM_ROLE: an ARN, or ``default``."""
    role = "default" if tokens.accept("DEFAULT") else _arn(tokens.string())
    return replace(options, iam_role=role)


def credentials(tokens: Tokens, options: Options) -> Options:
    """What follows CREDENTIALS: ``[AS] 'aws_iam_role=<ARN>'``. Access keys are refused by name."""
    if options.iam_role:
        raise conflicting()
    tokens.accept("AS")
    given = dict(part.strip().partition("=")[::2] for part in tokens.string().split(";"))
    if "aws_iam_role" in given and len(given) == 1:
        return replace(options, iam_role=_arn(given["aws_iam_role"]))
    others = sorted(given.keys() - {"aws_iam_role"})
    known = ("aws_access_key_id", "aws_secret_access_key", "token", "master_symmetric_key")
    if others[0] in known:
        raise unsupported(f"CREDENTIALS with {others[0]}")
    raise RedshiftError("Invalid credentials. CREDENTIALS has to be 'aws_iam_role=<ARN>'")


def with_credentials(tokens: Tokens, options: Options) -> Options:
    """What follows WITH."""
    tokens.expect("CREDENTIALS")
    return credentials(tokens, options)


def _arn(role: str) -> str:
    if not role.startswith("arn:"):
        raise RedshiftError(f"Invalid credentials. IAM_ROLE is not an ARN: {role}")
    if "," in role:
        raise unsupported("a chain of IAM roles")
    return role


def require_role(options: S3Options) -> None:
    """Raises RedshiftError for options without an IAM role."""
    if not options.iam_role:
        raise RedshiftError(
            "No credentials specified", hint="Use IAM_ROLE to authorize access to the data."
        )


def flag(name: str) -> Callable[[Tokens, Options], Options]:
    """Parses an option without a value."""

    def parse(_: Tokens, options: Options) -> Options:
        return replace(options, **{name: True})  # type: ignore[arg-type]

    return parse


def format_is(name: str) -> Callable[[Tokens, Options], Options]:
    """Parses a format's name; only one may be given."""

    def parse(_: Tokens, options: Options) -> Options:
        if options.format != "text":
            raise conflicting()
        return replace(options, format=name)

    return parse


def compression(name: str) -> Callable[[Tokens, Options], Options]:
    """Parses GZIP and the like; only one may be given."""

    def parse(_: Tokens, options: Options) -> Options:
        if options.compression:
            raise conflicting()
        return replace(options, compression=name)

    return parse


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


def one_character(text: str, what: str) -> str:
    """Checks a delimiter or quote: one ASCII character, not a newline. Raises RedshiftError."""
    if len(text) != 1 or not text.isascii() or text in ("\n", "\r", "\0"):
        raise RedshiftError(f"{what} must be a single ASCII character")
    return text


def widths(spec: str) -> tuple[int, ...]:
    """``"venueid:3, venuename:25"`` -> ``(3, 25)``."""
    pairs = [pair.rpartition(":") for pair in spec.split(",")]
    if not all(label.strip() and width.strip().isdigit() for label, _, width in pairs):
        raise RedshiftError(f"Invalid FIXEDWIDTH specification: {spec}")
    return tuple(int(width) for _, _, width in pairs)
