"""Names of pg_catalog that sqlglot's grammar does not take, removed from a statement's tokens."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

CATALOG, INFORMATION = "pg_catalog", "information_schema"


def unqualified(sql: str, tokens: Sequence[Token]) -> list[Token]:
    """Without ``pg_catalog.`` before functions and types, ``OPERATOR(pg_catalog.~)`` as ``~``, without
    ``COLLATE pg_catalog.default``: what psql writes.
    """
    lower = sql.lower()
    if "pg_catalog" not in lower and "information_schema" not in lower:
        return list(tokens)
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        words = [token.text.lower() for token in tokens[at : at + 6]]
        if words[:4] == ["operator", "(", CATALOG, "."] and words[5:] == [")"]:
            kept.append(tokens[at + 4])
            at += 6
        elif words[:4] == ["collate", CATALOG, ".", "default"]:
            at += 4
        elif words[:2] in ([CATALOG, "."], [INFORMATION, "."]) and _is_no_table(kept, words):
            at += 2
        else:
            kept.append(tokens[at])
            at += 1
    return kept


def _is_no_table(before: Sequence[Token], words: Sequence[str]) -> bool:
    """Whether a function or a type follows, and not a table."""
    if words[3:4] == ["("]:
        return True
    return bool(before) and (
        before[-1].token_type == TokenType.DCOLON
        or (before[-1].text.upper() == "AS" and words[3:4] == [")"])
    )
