"""docs/evidence.md as data: what the loader relies on, each entry with an address, or assumed if it has none."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "evidence.md"
SQL = "SQL"  # the section whose ids are the forms of python -m tools.sql_lint
MOST_ASSUMED = 10

_ROW = re.compile(r"^\|(.*)\|\s*$")
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"(`+)(.+?)\1(?!`)")
_ADDRESS = re.compile(r"https?://[^\s)>|]+")
_ASSUMED = re.compile(r"(?:^|\| )assumed", re.IGNORECASE)  # a cell begins with it
IF_WRONG = re.compile(r"If it is wrong: \S[^|]*?\.")
NOTICED = re.compile(r"Noticed: \S[^|]*?\.")


@dataclass(frozen=True)
class Entry:
    """A row of a table of the page: its ids, the addresses of its evidence, and the text beside them."""

    section: str  # the heading of the second level that it is under
    ids: tuple[str, ...]
    addresses: tuple[str, ...]
    text: str
    line: int

    @property
    def assumed(self) -> bool:
        """An entry without an address is our own claim; one with addresses may still claim more than they say."""
        return not self.addresses or bool(_ASSUMED.search(self.text))

    @property
    def is_complete(self) -> bool:
        """Whether an assumed entry says what happens if it is wrong, and how that would be noticed."""
        return not self.assumed or bool(IF_WRONG.search(self.text) and NOTICED.search(self.text))


def entries(text: str | None = None) -> list[Entry]:
    """The entries of the page, or of a text like it: the rows whose first cell holds ids in code quotes."""
    return list(_entries(PAGE.read_text(encoding="utf-8") if text is None else text))


def _entries(text: str) -> Iterator[Entry]:
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("## "):
            section = line[3:].strip()
        row = _ROW.match(line)
        if not row:
            continue
        first, *others = (cell.strip() for cell in _CELL.split(row[1]))
        ids = tuple(match[2].strip().replace(r"\|", "|") for match in _CODE.finditer(first))
        if ids:
            rest = " | ".join(others)
            yield Entry(section, ids, tuple(_ADDRESS.findall(rest)), rest, number)


def ids_of(section: str, found: list[Entry]) -> dict[str, Entry]:
    """The ids of a section. Raises ValueError for an id that appears twice."""
    ids: dict[str, Entry] = {}
    for entry in found:
        for name in entry.ids if entry.section == section else ():
            if name in ids:
                raise ValueError(
                    f"docs/evidence.md:{entry.line}: `{name}` is in line {ids[name].line} too."
                )
            ids[name] = entry
    return ids
