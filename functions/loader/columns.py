"""The tables that a SQL file creates, and their columns."""

import re
from collections.abc import Iterator

_CREATE = re.compile(
    r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\$\{\w+\})\.(\w+)\s*\(", re.IGNORECASE
)
_COLUMN = re.compile(r'"?(?P<name>\w+)"?\s+(?P<declared>\w.*)', re.DOTALL)
_TYPE = re.compile(r"\w+( PRECISION)?( ?\([\d, ]+\))?", re.IGNORECASE)
_NO_COLUMN = re.compile(r"(PRIMARY|FOREIGN|UNIQUE|CONSTRAINT|LIKE)\b", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")


def tables(text: str, schema: str = "${schema}") -> dict[str, dict[str, str]]:
    """Table -> column -> declaration, such as VARCHAR(64) NOT NULL: what a template creates in a schema, in order."""
    text = _COMMENT.sub("", text)
    return {
        found[2]: dict(_columns(text, found.end()))
        for found in _CREATE.finditer(text)
        if found[1] == schema
    }


def _columns(text: str, start: int) -> Iterator[tuple[str, str]]:
    """The columns of the list whose opening bracket is before ``start``."""
    depth, begun = 1, start
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0 or (depth == 1 and text[place] == ","):
            part = text[begun:place].strip()
            begun = place + 1
            if (found := _COLUMN.match(part)) and not _NO_COLUMN.match(part):
                yield found["name"], " ".join(found["declared"].split())
        if depth == 0:
            return


def type_of(declaration: str) -> str:
    """DOUBLE PRECISION of DOUBLE PRECISION NOT NULL."""
    found = _TYPE.match(declaration)
    return found[0] if found else declaration
