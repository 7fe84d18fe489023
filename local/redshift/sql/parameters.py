"""The Data API's named parameters: ``:name`` stands for a value.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations-parameters
The service hands them to the database as a prepared statement's ``$1``, so they stand where a
value may stand, in a query or DML; COPY, DDL and LOCK refuse them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from local.redshift.dialect.grammar import tokenize
from local.redshift.engine.errors import syntax_error

_QUERIES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "("})
_BEFORE_A_NAME = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "AS", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ",
     "INTERVAL", "GROUP BY", "ORDER BY", "."}
)  # fmt: skip


def _places(sql: str) -> list[tuple[int, int, str, Token | None]]:
    """Where parameters stand: (start, end, name, the token before). Never inside quotes."""
    tokens = tokenize(sql)
    found = []
    for index, token in enumerate(tokens[:-1]):
        name = tokens[index + 1]
        plain = token.token_type == TokenType.COLON and name.start == token.end + 1
        quoted = name.token_type in (TokenType.STRING, TokenType.IDENTIFIER)
        if plain and not quoted and name.text.replace("_", "a").isalnum():
            before = tokens[index - 1] if index else None
            found.append((token.start, name.end + 1, name.text, before))
    return found


def unused_parameters(sqls: Sequence[str], names: Sequence[str]) -> list[str]:
    """The names that no statement uses; a ``:name`` inside quotes is no use."""
    if not names:
        return []
    used = {name for sql in sqls for _, _, name, _ in _places(sql)}
    return [name for name in names if name not in used]


def bind(sql: str, values: Mapping[str, str]) -> str:
    """``select * from t where id = :id`` -> ``... where id = '7'``.

    A quoted value is of no type yet, as a prepared statement's parameter is: it takes the type that
    the context asks for. Raises RedshiftError: syntax error at or near "$1" in a statement or a
    place that takes no values, at or near ":" for a parameter without a value.
    """
    places = _places(sql) if ":" in sql else []
    if not places:
        return sql
    first = tokenize(sql)[0].text.upper()
    out: list[str] = []
    numbers: dict[str, int] = {}
    done = 0
    for start, end, name, before in places:
        if name not in values:
            raise syntax_error(":")
        number = numbers.setdefault(name, len(numbers) + 1)
        if first not in _QUERIES or (before and before.text.upper() in _BEFORE_A_NAME):
            raise syntax_error(f"${number}")
        out.append(sql[done:start])
        out.append(quote(values[name]))
        done = end
    out.append(sql[done:])
    return "".join(out)


def quote(value: str) -> str:
    """A string literal of Redshift's; backslashes are escapes there, so they are doubled."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
