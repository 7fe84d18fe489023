"""The summary that the demo prints at its end, and writes to build/demo.json for programs."""

from dataclasses import dataclass
from typing import Any

from local.datasets import datasets
from local.show.report import LEFT_OUT, SHOWN_REJECTED, Report, known_as, line
from local.show.tables import Value, aligned


@dataclass(frozen=True)
class Summary:
    """The state after the demo's loads."""

    tables: dict[str, int]
    matched: int
    reports: list[Report]
    phases: dict[str, float]

    @property
    def checks(self) -> list[dict[str, Any]]:
        """Every check of every load."""
        return [check for report in self.reports for check in report.checks()]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        """Every rejected file: key, line, column, reason."""
        return [
            {name: file.get(name) for name in ("key", "line", "column", "reason")}
            for report in self.reports
            for file in report.rejected()
        ]

    @property
    def passed(self) -> bool:
        """Whether every load succeeded and every check passed."""
        failed = any(report.failed for report in self.reports)
        return not failed and all(check.get("passed") for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The content of build/demo.json."""
        return {
            "tables": self.tables,
            "matched": self.matched,
            "loads": [{**report.data, "status": report.status} for report in self.reports],
            "checks": self.checks,
            "rejected": self.rejected,
            "seconds": {name: round(value, 1) for name, value in self.phases.items()},
        }

    def lines(self) -> list[str]:
        """The summary for a person."""
        told = [*self._files(), "", *self._rows(), "", *self._checks(), "", *self._time()]
        if self.rejected:
            told += ["", *self._rejected()]
        if not self.passed:
            told += ["", *self._failures()]
        return told

    def _files(self) -> list[str]:
        always = ("loaded", "known", "rejected", "failed")
        counts = {
            kind: sum(report.files(kind) for report in self.reports)
            for kind in dict.fromkeys((*always, *LEFT_OUT))
        }
        known = known_as(self.reports)
        text = ", ".join(
            f"{number:,} {kind}{known if kind == 'known' else ''}"
            for kind, number in counts.items()
            if number or kind in always
        )
        return [f"Files    {text}; in {_loads(self.reports)}"]

    def _rows(self) -> list[str]:
        stages = [each.stage_table for each in datasets()]
        staged = {
            stage: sum(report.rows().get(stage, 0) for report in self.reports) for stage in stages
        }
        rows: list[list[Value]] = [[f"{name} (staged)", count] for name, count in staged.items()]
        rows += [[name, count] for name, count in self.tables.items()]
        plays = self.tables["songplays"]
        matched = [f"  {self.matched:,} of {plays:,} plays are matched to a song"] if plays else []
        return ["Rows", *_indented(aligned(["table", "rows"], rows)), *matched]

    def _checks(self) -> list[str]:
        together: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for check in self.checks:
            together.setdefault((str(check.get("on")), str(check.get("name"))), []).append(check)
        rows: list[list[Value]] = [
            [
                name,
                on,
                sum(int(run.get("figure") or 0) for run in runs),
                sum(int(run.get("expected") or 0) for run in runs),
                "yes" if all(run.get("passed") for run in runs) else "NO",
            ]
            for (on, name), runs in sorted(together.items(), reverse=True)
        ]
        if not rows:
            return ["Checks   none ran"]
        return [
            "Checks",
            *_indented(aligned(["check", "on", "figure", "expected", "passed"], rows)),
        ]

    def _time(self) -> list[str]:
        rows: list[list[Value]] = [[name, f"{value:.1f} s"] for name, value in self.phases.items()]
        rows.append(["total", f"{sum(self.phases.values()):.1f} s"])
        told = ["Time", *_indented(aligned(["phase", "took"], rows))]
        by_phase: dict[str, float] = {}
        for report in self.reports:
            for name, seconds in report.seconds().items():
                by_phase[name] = by_phase.get(name, 0.0) + seconds
        if by_phase:
            inside = ", ".join(f"{name} {value:.1f} s" for name, value in by_phase.items())
            told.append(f"  within {_loads(self.reports)}: {inside}")
        return told

    def _failures(self) -> list[str]:
        told = [f"  {line(report)}" for report in self.reports if report.failed]
        return ["FAILED", *told] if told else ["FAILED  a check did not pass"]

    def _rejected(self) -> list[str]:
        rows: list[list[Value]] = [
            [file["key"], file["line"], file["column"], file["reason"]]
            for file in self.rejected[:SHOWN_REJECTED]
        ]
        told = _indented(aligned(["key", "line", "column", "reason"], rows))
        more = len(self.rejected) - SHOWN_REJECTED
        return ["Rejected files", *told, *([f"  … and {more:,} more"] if more > 0 else [])]


def _loads(reports: list[Report]) -> str:
    return f"{len(reports)} load{'' if len(reports) == 1 else 's'}"


def _indented(text: str) -> list[str]:
    return [f"  {row}" for row in text.splitlines()]
