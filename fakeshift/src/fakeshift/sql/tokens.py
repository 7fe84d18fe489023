"""A text's tokens, by sqlglot's Redshift; no statement becomes one string."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token

from fakeshift.errors import RedshiftError


class Tokenizer(Redshift.Tokenizer):
    """The tokenizer for the SQL that we parse and for the SQL that sqlglot parses."""

    COMMANDS: ClassVar[set[Any]] = set()


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text. Raises RedshiftError for an unterminated string or comment."""
    try:
        return list(Tokenizer(Redshift).tokenize(sql))
    except TokenError as error:
        raise RedshiftError(f"syntax error: {error}", sqlstate="42601") from error
