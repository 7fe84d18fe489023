"""The Data API's named parameters: ``:name`` stands for a value.

https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations-parameters
The service passes them to the database as a prepared statement's ``$1``, so they are allowed where
a value is allowed, in a query or DML; COPY, DDL and LOCK refuse them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlglot.tokenizer_core import Token, TokenType

from fakeshift.errors import RedshiftError, syntax_error
from fakeshift.sql.template import NAME_MARK, Template
from fakeshift.sql.tokens import tokenize

_TAKE_VALUES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "("})
_BEFORE_A_NAME = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "AS", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPTZ",
     "INTERVAL", "GROUP BY", "ORDER BY", "."}
)  # fmt: skip
_CALLS_WITH_FROM = frozenset({"EXTRACT", "SUBSTRING", "TRIM"})
_KEPT_TEXTS = 500


@dataclass(frozen=True)
class Place:
    """A parameter in a text: ``text[start:end]`` is ``:name``; the word before it, upper case."""

    start: int
    end: int
    name: str
    before: str


@dataclass(frozen=True)
class Words:
    """Facts about a text's tokens: the first word in upper case, "" if it is not a word; the parameters;
    start and end of its one statement, without semicolons.

    ``opaque``: every mark of a ``Template`` is a whole name, not a part of a longer text.
    """

    first: str
    places: tuple[Place, ...]
    start: int
    end: int
    several: bool
    opaque: bool


@lru_cache(_KEPT_TEXTS)
def words(text: str) -> Words:
    """Raises RedshiftError for a text that ends inside a string or a comment."""
    tokens = tokenize(text)
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        return Words("", (), 0, 0, several=False, opaque=True)
    return Words(
        "" if _is_quoted(tokens[0]) else tokens[0].text.upper(),
        tuple(_places(tokens)),
        tokens[0].start,
        tokens[-1].end + 1,
        several=any(token.token_type == TokenType.SEMICOLON for token in tokens),
        opaque=all(_is_opaque(token) for token in tokens),
    )


def _is_quoted(token: Token) -> bool:
    return token.token_type in (TokenType.STRING, TokenType.IDENTIFIER)


def _is_opaque(token: Token) -> bool:
    if NAME_MARK.search(token.text) is None:
        return True
    return len(token.text) == 1 and token.token_type in (TokenType.VAR, TokenType.IDENTIFIER)


def _places(tokens: Sequence[Token]) -> list[Place]:
    """Where the parameters are; never inside quotes."""
    found = []
    for index, token in enumerate(tokens[:-1]):
        name = tokens[index + 1]
        plain = token.token_type == TokenType.COLON and name.start == token.end + 1
        if plain and not _is_quoted(name) and name.text.replace("_", "a").isalnum():
            before = tokens[index - 1].text.upper() if index else ""
            if before == "FROM" and _is_of_a_call(tokens[: index - 1]):
                before = ""
            found.append(Place(token.start, name.end + 1, name.text, before))
    return found


def _is_of_a_call(tokens: Sequence[Token]) -> bool:
    """Whether the FROM after these tokens belongs to ``EXTRACT(year FROM ...)`` and the like."""
    depth = 0
    for at in range(len(tokens) - 1, 0, -1):
        depth += {TokenType.R_PAREN: 1, TokenType.L_PAREN: -1}.get(tokens[at].token_type, 0)
        if depth < 0:
            return tokens[at - 1].text.upper() in _CALLS_WITH_FROM
    return False


def template_of(sql: str) -> tuple[Template, Words]:
    """A statement's template, and its words. Raises RedshiftError as ``words`` does."""
    template = Template.of(sql)
    if template.names:
        try:
            known = words(template.text)
        except RedshiftError:
            return Template(sql), words(sql)
        if known.opaque:
            return template, known
    return Template(sql), words(sql)


def unused_parameters(sqls: Sequence[str], names: Sequence[str]) -> list[str]:
    """The names that no statement uses; a ``:name`` inside quotes does not count."""
    if not names:
        return []
    used = {place.name for sql in sqls for place in template_of(sql)[1].places}
    return [name for name in names if name not in used]


def substitute(text: str, known: Words, put: Callable[[str], str]) -> str:
    """The statement in ``text``, whose words are known, with ``put(name)`` for each ``:name``.

    Raises RedshiftError: syntax error at or near "$1" in a statement or a place that accepts no
    values, at or near ":" if ``put`` raises KeyError.
    """
    out: list[str] = []
    numbers: dict[str, int] = {}
    done = known.start
    for place in known.places:
        try:
            value = put(place.name)
        except KeyError:
            raise syntax_error(":") from None
        number = numbers.setdefault(place.name, len(numbers) + 1)
        if known.first not in _TAKE_VALUES or place.before in _BEFORE_A_NAME:
            raise syntax_error(f"${number}")
        out += (text[done : place.start], value)
        done = place.end
    out.append(text[done : known.end])
    return "".join(out)


def bind(sql: str, values: Mapping[str, str]) -> str:
    """``select * from t where id = :id`` -> ``... where id = '7'``; raises as ``substitute`` does.

    A quoted value has no type yet, like a prepared statement's parameter: it gets the type that the
    context requires.
    """
    if ":" not in sql:
        return sql
    known = words(sql)
    return substitute(sql, known, lambda name: quote(values[name])) if known.places else sql


class Literal(str):
    """The value of a parameter that has a type: an SQL expression, which is not quoted."""

    __slots__ = ()


def quote(value: str) -> str:
    """A Redshift string literal; backslashes are escapes, so they are doubled."""
    if isinstance(value, Literal):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
