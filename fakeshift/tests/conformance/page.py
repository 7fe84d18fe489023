"""Writes fakeshift/docs/coverage.md from the cases: ``python -m conformance.page``."""

from __future__ import annotations

from pathlib import Path

from conformance.model import STATUSES, WHERE, Case, Topic, read_topics

PATH = Path(__file__).parents[2] / "docs" / "coverage.md"
AREAS = {
    "sql": "SQL",
    "ddl": "Tables, views, schemas",
    "transactions": "Transactions",
    "copy": "COPY",
    "unload": "UNLOAD",
    "system": "System views",
    "api": "The Data API",
}
"""Headings, in the order of the page; other areas follow by name."""

_INTRO = """\
# Coverage: what fakeshift does as Redshift does it

Generated from the conformance cases in `fakeshift/tests/conformance/` by `python -m conformance.page` (in
`fakeshift/tests`, with fakeshift installed); a test fails when the page is out of date. Each line is a test: SQL in,
the expected rows or error out, taken from the documentation page that its heading links to (a case from another page
links to that page).

- **exact**: the case behaves as the documentation says.
- **approximate**: it works, but differs as noted.
- **refused**: Redshift has it and fakeshift does not; it fails with an error that names it.

A **portable** case can run against a real Redshift in a schema of its own, a **superuser** case needs a superuser
there, and a **local** one runs only here (`fakeshift/tests/conformance/model.py` has the rule).
"""


def text() -> str:
    """The page."""
    topics = read_topics()
    parts = [_INTRO, _overview(topics)]
    for area in _areas(topics):
        parts.append(f"## {AREAS.get(area, area)}\n")
        parts += [_section(topic) for topic in topics if topic.area == area]
    return "\n".join(parts)


def _areas(topics: list[Topic]) -> list[str]:
    found = {topic.area for topic in topics}
    known = [area for area in AREAS if area in found]
    return known + sorted(found - set(known))


def _overview(topics: list[Topic]) -> str:
    columns = (*STATUSES, *WHERE)
    lines = [f"| | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for area in _areas(topics):
        cases = [case for topic in topics if topic.area == area for case in topic.cases]
        counts = " | ".join(str(sum(s in (c.status, c.where) for c in cases)) for s in columns)
        lines.append(f"| {AREAS.get(area, area)} | {counts} |")
    return "\n".join([*lines, ""])


def _section(topic: Topic) -> str:
    lines = [f"### {topic.title}", "", f"Source: <{topic.page}>", ""]
    for status in STATUSES:
        cases = [case for case in topic.cases if case.status == status]
        if not cases:
            continue
        if status != "exact":
            lines += [f"{status.capitalize()}:", ""]
        lines += [_line(topic, case) for case in cases] + [""]
    return "\n".join(lines)


def _line(topic: Topic, case: Case) -> str:
    told = case.told.rstrip(".")
    shown = _shown(case)
    line = f"- {told}{': ' + shown if shown else ''}"
    if case.note:
        line += f". *{case.note.rstrip('.')}.*"
    return line if case.page == topic.page else f"{line} ([source]({case.page}))"


def _shown(case: Case) -> str:
    """The statement, where it is short; its error or its only value."""
    if case.call:
        return f"`{case.call}` fails: {case.error.splitlines()[0]}" if case.error else ""
    sql = " ".join(case.sql.split())
    if not sql or len(sql) > 100 or "`" in sql:
        return ""
    shown = f"`{sql}`"
    if case.error:
        return f"{shown} fails: {case.error.splitlines()[0]}"
    if case.rows is not None and len(case.rows) == 1 and len(case.rows[0]) == 1:
        only = case.rows[0][0]
        if only == "":
            return f"{shown} is the empty string"
        if "\n" not in str(only) and len(str(only)) <= 60:
            return f"{shown} is `{'NULL' if isinstance(only, dict) else _spoken(only)}`"
    return shown


def _spoken(only: object) -> str:
    return str(only).lower() if isinstance(only, bool) else str(only)


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    print(f"wrote {PATH.relative_to(Path.cwd()) if PATH.is_relative_to(Path.cwd()) else PATH.name}")
