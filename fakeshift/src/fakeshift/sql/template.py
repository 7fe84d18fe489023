"""A statement's text without its tables' names, so that statements that differ only in them are equal.

A load names its staging tables after itself (``event_stage_20261123_203011_aed5631e_0_0``), and
its statements differ from the next load's only in them. Such a name becomes a mark, a single
character that no user's statement contains; ``restore`` puts the names back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

NAME_MARKS = range(0xE000, 0xE400)
VALUE_MARKS = range(0xE400, 0xF000)
"""Private use characters: for tables' names and for values (``dialect.cache``)."""

NAME_MARK = re.compile(f"[{chr(NAME_MARKS[0])}-{chr(NAME_MARKS[-1])}]")
VALUE_MARK = re.compile(f"[{chr(VALUE_MARKS[0])}-{chr(VALUE_MARKS[-1])}]")
ANY_MARK = re.compile(f"[{chr(NAME_MARKS[0])}-{chr(VALUE_MARKS[-1])}]")

_TABLE = re.compile(
    r"\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(?:[a-z_]\w*\s*\.\s*){0,2}([a-z_]\w*\d\w*)(?![\w$])",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True)
class Template:
    """``text`` with the mark ``chr(NAME_MARKS[n])`` wherever the statement has ``names[n]``."""

    text: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, sql: str) -> Template:
        """``select * from s.t_17`` -> ``select * from s.<mark>``, ``t_17``.

        Only names with a digit in a table's place; other text stays, and a missed name does no
        harm. Names are folded to lower case, like Redshift's.
        """
        names = tuple(dict.fromkeys(name.lower() for name in _TABLE.findall(sql)))
        if not names or len(names) > len(NAME_MARKS) or ANY_MARK.search(sql):
            return cls(sql)
        marks = {name: chr(NAME_MARKS[n]) for n, name in enumerate(names)}
        words = re.compile(rf"(?<![\w$])(?:{'|'.join(names)})(?![\w$])", re.IGNORECASE | re.ASCII)
        return cls(words.sub(lambda found: marks[found[0].lower()], sql), names)

    def restore(self, text: str) -> str:
        """A text with names instead of marks."""
        return NAME_MARK.sub(self.name_of, text) if self.names else text

    @property
    def name_of(self) -> Callable[[re.Match[str]], str]:
        """The name for a matched mark."""
        return lambda found: self.names[ord(found[0]) - NAME_MARKS[0]]

    def mark_of(self, name: str) -> str:
        """The mark for a name; the name itself if it has none."""
        return chr(NAME_MARKS[self.names.index(name)]) if name in self.names else name
