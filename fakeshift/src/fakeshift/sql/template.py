"""A statement's text with its tables' own names taken out, so that equal work is seen to be equal.

A load names its staging tables after itself (``event_stage_20261123_203011_aed5631e_0_0``), and
its statements differ from the next load's in nothing else. Such a name becomes a mark, a single
character that no statement of a user's holds; ``restore`` puts the names back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

NAME_MARKS = range(0xE000, 0xE400)
VALUE_MARKS = range(0xE400, 0xF000)
"""Private use characters: of tables' names, and of values (``dialect.cache``)."""

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

        Only names with a digit that stand where a table does; all other text stays, and a name that
        is not found is none the worse for it. Names are folded to lower case, as Redshift's are.
        """
        names = tuple(dict.fromkeys(name.lower() for name in _TABLE.findall(sql)))
        if not names or len(names) > len(NAME_MARKS) or ANY_MARK.search(sql):
            return cls(sql)
        marks = {name: chr(NAME_MARKS[n]) for n, name in enumerate(names)}
        words = re.compile(rf"(?<![\w$])(?:{'|'.join(names)})(?![\w$])", re.IGNORECASE | re.ASCII)
        return cls(words.sub(lambda found: marks[found[0].lower()], sql), names)

    def restore(self, text: str) -> str:
        """Any text with the names in place of their marks."""
        return NAME_MARK.sub(self.name_of, text) if self.names else text

    @property
    def name_of(self) -> Callable[[re.Match[str]], str]:
        """The name that a found mark stands for."""
        return lambda found: self.names[ord(found[0]) - NAME_MARKS[0]]

    def mark_of(self, name: str) -> str:
        """The mark that stands for a name; the name itself if none does."""
        return chr(NAME_MARKS[self.names.index(name)]) if name in self.names else name
