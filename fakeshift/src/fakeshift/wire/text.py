"""The text of a query message: its statements, their ``$1``, and the tag of what each did."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache

from fakeshift.engine.outcome import Outcome

_NAME = "rs_wire_"
"""``$1`` is ``:rs_wire_1`` to the engine, which has named parameters."""

_SCAN = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'?           # a string
    | "(?:[^"]|"")*"?                 # a quoted name
    | --[^\n]*
    | /\*.*?(?:\*/|\Z)
    | (?<![\w$])\$(?P<tag>[a-z_]\w*)?\$.*?\$(?(tag)(?P=tag))\$
    | (?<![\w$])\$(?P<number>\d+)
    | (?P<end>;)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_BLANK = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_WORDS = 5
_WORD = re.compile(r"[a-z_]+", re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """One statement: ``sql`` with ``:rs_wire_1`` for ``$1``, its first words, how many parameters."""

    sql: str
    words: tuple[str, ...]
    parameters: int

    @property
    def first(self) -> str:
        """The first word in upper case; "" if the statement is empty."""
        return self.words[0] if self.words else ""

    @property
    def is_query(self) -> bool:
        """Whether it returns rows."""
        return self.first in ("SELECT", "WITH", "SHOW", "EXPLAIN", "DESC", "FETCH", "(")


def name(number: int) -> str:
    """The engine's name of ``$<number>``."""
    return f"{_NAME}{number}"


@lru_cache(500)
def statements(text: str) -> tuple[Text, ...]:
    """``"select 1; select 2;"`` -> two; empty ones are left out."""
    cuts = [0, *(m.end() for m in _SCAN.finditer(text) if m["end"]), len(text)]
    found = (one(text[start:end]) for start, end in itertools.pairwise(cuts))
    return tuple(each for each in found if each.words)


@lru_cache(500)
def one(text: str) -> Text:
    """A single statement, of Parse."""
    numbers = [int(m["number"]) for m in _SCAN.finditer(text) if m["number"]]
    sql = _SCAN.sub(_named, text) if numbers else text
    sql = sql.rstrip().removesuffix(";")
    return Text(sql, _first_words(sql), max(numbers, default=0))


def _named(found: re.Match[str]) -> str:
    return f":{name(int(found['number']))}" if found["number"] else found[0]


def _first_words(sql: str) -> tuple[str, ...]:
    """The words at the start, in upper case."""
    at = 0
    words: list[str] = []
    while len(words) < _WORDS:
        blank = _BLANK.match(sql, at)
        at = blank.end() if blank else at
        word = _WORD.match(sql, at)
        if word is None:
            break
        words.append(word[0].upper())
        at = word.end()
    if not words and at < len(sql):
        words.append(sql[at])
    return tuple(words)


_OF_TWO = frozenset({"CREATE", "ALTER", "DROP", "COMMENT", "LOCK", "TRUNCATE", "REFRESH"})
_SKIPPED = frozenset({"OR", "REPLACE", "TEMP", "TEMPORARY", "LOCAL"})
_TAGS = {
    "WITH": "SELECT", "(": "SELECT", "END": "COMMIT", "ABORT": "ROLLBACK", "START": "BEGIN",
    "RESET": "RESET",
}  # fmt: skip


def tag(text: Text, outcome: Outcome, *, failed: bool) -> str:
    """CommandComplete's tag. ``failed``: the transaction that it ends had failed.

    SELECT has no number of rows: "Redshift server does not support row count for SELECT statement",
    https://github.com/aws/amazon-redshift-python-driver/blob/master/redshift_connector/core.py
    """
    first = _TAGS.get(text.first, text.first)
    rows = max(outcome.rows, 0)
    if first == "INSERT":
        return f"INSERT 0 {rows}"
    if first in ("UPDATE", "DELETE", "MERGE"):
        return f"{first} {rows}"
    if first == "FETCH":
        return f"FETCH {rows}"
    if first in ("DECLARE", "CLOSE"):
        return f"{first} CURSOR"
    if first == "COMMIT" and failed:
        return "ROLLBACK"
    if first == "CREATE" and outcome.rows >= 0 and "TABLE" in text.words:
        return "SELECT"  # CREATE TABLE AS
    if first in _OF_TWO:
        rest = [word for word in text.words[1:] if word not in _SKIPPED]
        second = "TABLE" if first in ("LOCK", "TRUNCATE") else rest[0] if rest else "TABLE"
        return first if first == "COMMENT" else f"{first} {second}"
    return first
