"""A text's tokens, by sqlglot's Redshift; no statement becomes one string."""

from __future__ import annotations

import string
from typing import Any, ClassVar

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token

from fakeshift.errors import RedshiftError

_LONGEST_NAME = 127
_FOLDING = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class Tokenizer(Redshift.Tokenizer):
    """The tokenizer for the SQL that we parse and for the SQL that sqlglot parses."""

    COMMANDS: ClassVar[set[Any]] = set()


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text. Raises RedshiftError for an unterminated string or comment."""
    try:
        return list(Tokenizer(Redshift).tokenize(sql))
    except TokenError as error:
        raise RedshiftError(f"syntax error: {error}", sqlstate="42601") from error


def folded(name: str, *, keep_case: bool = False) -> str:
    """``"Größe"`` -> ``größe``, ``"ÄB"`` -> ``Äb``: only ASCII letters fold, also in quotes.

    A name of more than 127 bytes is cut. https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
    """
    kept = name if keep_case else name.translate(_FOLDING)
    if len(kept) * 4 <= _LONGEST_NAME:
        return kept
    return kept.encode()[:_LONGEST_NAME].decode(errors="ignore")
