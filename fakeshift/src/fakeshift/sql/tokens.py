"""A text's tokens, as sqlglot's Redshift has them; no statement is swallowed as one string."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token

from fakeshift.errors import RedshiftError


class Tokenizer(Redshift.Tokenizer):
    """What the SQL that we parse ourselves and the one that sqlglot parses have in common."""

    COMMANDS: ClassVar[set[Any]] = set()


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text. Raises RedshiftError for an unterminated string or comment."""
    try:
        return list(Tokenizer(Redshift).tokenize(sql))
    except TokenError as error:
        raise RedshiftError(f"syntax error: {error}", sqlstate="42601") from error
