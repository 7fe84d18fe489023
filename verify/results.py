"""The results: one for each question, a JSON document, and a page with every difference."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

AS_EXPECTED = "as expected"
OTHER = "other"
AS_NOTED = "as noted"
NOT_POSSIBLE = "not possible"
NOT_TRIED = "not tried"
OUTCOMES = {
    AS_EXPECTED: "the answer is the expected one",
    OTHER: "the answer is another one: a difference",
    AS_NOTED: "it is known to be answered otherwise: an approximate case, or a gap of the local AWS",
    NOT_POSSIBLE: "it could not be asked here, or these credentials may not ask it",
    NOT_TRIED: "the bound on time was reached before",
}
PARTS = {
    "preflight": "The preflight of the stack",
    "conformance": "The conformance cases of the local Redshift",
    "probes": "What no page answers",
    "data": "Generated data through the stack",
    "cleaning": "Cleaning up",
}
MAX_TEXT = 2_000
_NAMED = (
    # Before the names: a person may be "IAM:jane@corp.example".
    (re.compile(r"\b(arn:aws[\w-]*:[\w-]+:[\w-]*:)\d{12}(?=:)"), r"\1<account>"),
    (re.compile(r"(?i)(\baccount(?: id)?[ :=]+)\d{12}\b"), r"\1<account>"),
    # As in arn:aws:sts::…:assumed-role/ROLE/SESSION: all of it says who ran it.
    (
        re.compile(
            r"(?<![\w./-])((?:assumed-role|federated-user|user|role|key|alias)/)[\w+=,.@/:-]+"
        ),
        r"\1<name>",
    ),
    (re.compile(r"(?<=dbuser:)[\w+=,.@/:-]+"), "<name>"),
    (re.compile(r"(?<=IAM:)[\w+=,.@-]+|(?<=IAMR:)[\w+=,.@-]+"), "<name>"),
    (re.compile(r"\bA[KS]IA[A-Z0-9]{12,}\b"), "<name>"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "<e-mail>"),
)
"""What says whose account it is and who ran it, by its form: names of IAM and of database users, ids, addresses."""
SHOWN_IDS = 3
LOCAL_NOTE = (
    "**This run was against the local AWS of this repository. It proves the plumbing of `make verify` only: nothing "
    "here says anything about AWS.**"
)


@dataclass(frozen=True)
class Result:
    """One question and its answer.

    note   why it was not possible or not tried, or what a difference means for the loader
    """

    part: str
    id: str
    outcome: str
    question: str = ""
    statement: str = ""
    expected: str = ""
    got: str = ""
    note: str = ""
    source: str = ""
    seconds: float = 0.0


@dataclass
class Report:
    """A run. ``hidden`` are the names of this account; a report has placeholders for them, so that it can be shared."""

    run: str
    started: datetime
    target: Mapping[str, Any]
    local: bool
    hidden: Mapping[str, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    seconds: float = 0.0
    stopped: str = ""
    estimate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def differences(self) -> list[Result]:
        return [result for result in self.results if result.outcome == OTHER]

    @property
    def answered(self) -> bool:
        """Whether any question was answered."""
        return any(result.outcome in (AS_EXPECTED, OTHER, AS_NOTED) for result in self.results)

    @property
    def exit_code(self) -> int:
        """0 without differences, 1 with some, 2 if no question could be asked."""
        return 1 if self.differences else 0 if self.answered else 2

    def counts(self) -> dict[str, Counter[str]]:
        """Outcomes by part."""
        found: dict[str, Counter[str]] = {part: Counter() for part in PARTS}
        for result in self.results:
            found[result.part][result.outcome] += 1
        return {part: counter for part, counter in found.items() if counter}

    @property
    def document(self) -> dict[str, Any]:
        whole = {
            "run": self.run,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 1),
            "local": self.local,
            "target": dict(self.target),
            "estimate": dict(self.estimate),
            "stopped": self.stopped,
            "counts": {part: dict(counter) for part, counter in self.counts().items()},
            "results": [asdict(result) for result in self.results],
        }
        return {key: _without(value, self.hidden) for key, value in whole.items()}

    def page(self) -> str:
        """Every difference with statement, expected and got; then what could not be asked."""
        title = f"# make verify, {self.started:%Y-%m-%d %H:%M} UTC"
        lines = [title, "", *([LOCAL_NOTE, ""] if self.local else [])]
        lines += [f"- {name}: {value}" for name, value in self.target.items() if value != ""]
        lines += [f"- run: {self.run}, {self.seconds:,.0f} s"]
        lines += [f"- stopped early: {self.stopped}"] if self.stopped else []
        lines += ["", *self._table(), "", *self._differences(), *self._answers()]
        for outcome, heading in (
            (AS_NOTED, "Known to be answered otherwise"),
            (NOT_POSSIBLE, "Not possible here"),
            (NOT_TRIED, "Not tried"),
        ):
            lines += self._list(outcome, heading)
        lines += [
            "Names of this account are replaced by <placeholders>, values of the generated data are invented. To share",
            "the report, read it once and attach this page and the JSON file of the same name to an issue.",
        ]
        return str(_without("\n".join(lines) + "\n", self.hidden))

    def _table(self) -> list[str]:
        used = [name for name in OUTCOMES if any(r.outcome == name for r in self.results)]
        lines = [f"| | {' | '.join(used)} |", f"| --- |{' ---: |' * len(used)}"]
        for part, counter in self.counts().items():
            lines.append(f"| {PARTS[part]} | {' | '.join(str(counter[name]) for name in used)} |")
        return [*lines, "", *(f"*{name}*: {OUTCOMES[name]}." for name in used)]

    def _differences(self) -> list[str]:
        lines = [f"## Differences: {len(self.differences)}", ""]
        for result in self.differences:
            lines += [f"### {result.id}", "", *([result.question, ""] if result.question else [])]
            for name in ("statement", "expected", "got"):
                if text := getattr(result, name):
                    lines += [f"{name.capitalize()}:", "", *_fenced(text), ""]
            lines += [f"What it means: {result.note}", ""] if result.note else []
            lines += [f"Source: <{result.source}>", ""] if result.source else []
        return lines

    def _answers(self) -> list[str]:
        asked = [r for r in self.results if r.part == "probes" and r.outcome == AS_EXPECTED]
        if not asked:
            return []
        lines = ["## Answers as expected", ""]
        lines += [f"- {r.id}: {r.question} {_inline(r.got)}" for r in asked]
        return [*lines, ""]

    def _list(self, outcome: str, heading: str) -> list[str]:
        """Results of an outcome by their reason."""
        by_reason: dict[str, list[str]] = {}
        for result in self.results:
            if result.outcome == outcome:
                by_reason.setdefault(result.note, []).append(result.id)
        lines = [f"## {heading}", ""] if by_reason else []
        for reason, ids in by_reason.items():
            more = f"; and {len(ids) - SHOWN_IDS:,} more" if len(ids) > SHOWN_IDS else ""
            lines += [
                f"- {' '.join(reason.split())} ({len(ids):,}): {'; '.join(ids[:SHOWN_IDS])}{more}"
            ]
        return [*lines, ""] if lines else []

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The JSON file and the page, named by the date."""
        folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self.started:%Y-%m-%d-%H%M%S}"
        data, page = folder / f"{stem}.json", folder / f"{stem}.md"
        text = json.dumps(self.document, indent=1, ensure_ascii=False)
        data.write_text(f"{text}\n", encoding="utf-8")
        page.write_text(self.page(), encoding="utf-8")
        return data, page


def short(text: Any) -> str:
    """As much of a text as a report keeps."""
    whole = str(text)
    return whole if len(whole) <= MAX_TEXT else f"{whole[:MAX_TEXT]} … ({len(whole):,} characters)"


def _fenced(text: str) -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [fence, text, fence]


def _inline(text: str) -> str:
    one_line = " ".join(text.split())
    return f"`{one_line}`" if "`" not in one_line else one_line


def _without(value: Any, hidden: Mapping[str, str]) -> Any:
    """The value with placeholders for names of the account, the longest first: an ARN before the account in it."""
    if isinstance(value, str):
        for name in sorted(hidden, key=len, reverse=True):
            value = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", f"<{hidden[name]}>", value)
        for pattern, instead in _NAMED if hidden else ():
            value = pattern.sub(instead, value)
        return value
    if isinstance(value, Mapping):
        return {key: _without(inner, hidden) for key, inner in value.items()}
    return [_without(inner, hidden) for inner in value] if isinstance(value, list) else value
