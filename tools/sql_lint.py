"""python -m tools.sql_lint: every statement of the loader uses only forms that docs/evidence.md lists.

Refuses a correlated subquery, a Data API parameter, a leader-node function beside a table, an UPDATE … FROM or
DELETE … USING that does not join its target, and any form without an entry. For SQL that a user added these are only
warnings. Prints entries that are only assumed, and fails if there are more than ten; names entries that are unused.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts import build
from contracts.document import ContractError
from tools import evidence, sql_forms
from tools.evidence import Entry

ROOT = Path(__file__).resolve().parent.parent

# What the project ships; everything else under sql/ is the user's. Add a new check or migration of the project here.
OUR_DATASETS = ("log_data", "song_data")
OUR_MIGRATIONS = (
    "002_undo", "003_loader_schema", "004_distribution_autocommit", "005_undone_and_noticed", "006_contracts",
    "add_column", "columns", "contracts", "create_schema", "drop", "drop_view", "ledger", "loaded", "loader_tables",
    "lock", "mask_key", "mask_key_found", "record_contract", "same_contract", "schemas", "tables", "version",
    "widen_column",
)  # fmt: skip
OUR_CHECKS = frozenset({
    "event_key_complete", "event_page_known", "play_time_plausible", "song_key_complete",
    "rows_by_file", "rows_copied", "artists_unique", "plays_of_songs_known", "songs_artists_known", "songs_complete",
    "songs_unique", "songplays_complete", "songplays_songs_known", "songplays_times_known", "songplays_unique",
    "songplays_users_known", "time_unique", "users_unique",
    "plays_gone", "plays_known", "plays_unique", "songs_gone", "times_played", "undone_songs_known",
})  # fmt: skip
# What other files are rendered into, and so those of a user.
HOLD_PARTS = (
    "publish/check_results.sql",
    "publish/figures.sql",
    "stage/audit.sql",
    "functions/loader/explain.py",
)
# The roles and the options that a COPY may be given.
COPIES = (
    ("default", ""),
    ("'arn:aws:iam::123456789012:role/copy'", "GZIP NOLOAD MAXERROR 100000"),
    ("default", "BZIP2"),
    ("default", "ZSTD"),
)
OF_PREFLIGHT = ("SELECT current_user, current_database()",)  # the only SQL that is in no file


def is_ours(file: str) -> bool:
    """Whether the project ships the file (a path below sql/)."""
    *folders, _ = Path(file).parts
    name = Path(file).stem
    if "migrations" in folders:
        return name in OUR_MIGRATIONS
    if "checks" in folders and name not in OUR_CHECKS:
        return False
    return folders[0] != "datasets" or folders[1] in OUR_DATASETS


@dataclass
class Report:
    """What the lint found."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield from self.problems
        yield from (f"warning: {text}" for text in self.warnings)
        yield from (f"stale: {text}" for text in self.stale)
        yield from (f"assumed: {text}" for text in self.assumed)


def lint(statements: Iterable[tuple[str, str]], entries: list[Entry]) -> Report:
    """The report on (file below sql/, statement) pairs."""
    report = Report()
    listed = evidence.ids_of(evidence.SQL, entries)
    system: dict[str, set[str]] = {}
    for name in listed:
        if match := re.fullmatch(r"((?:sys|svv|pg)_\w+)\.(\w+)", name):
            system.setdefault(match[1], set()).add(match[2])
    tables = sql_forms.Tables(system)
    statements = list(statements)
    for _, text in statements:  # a table may be made by a file that comes later
        tables.note(text)
    used: set[str] = set()
    found: list[tuple[str, str, list[str]]] = []
    for file, text in statements:
        tables.note(text)
        reading = sql_forms.read(text, tables)
        used |= reading.forms if is_ours(file) else set()
        unlisted = sorted(reading.forms - listed.keys())
        found.append(
            (file, text, [p.text for p in reading.problems] + [_unlisted(f) for f in unlisted])
        )
    # A check or a part of a report that a user wrote stands inside a statement of ours too.
    theirs = {problem for file, _, problems in found if not is_ours(file) for problem in problems}
    for file, text, problems in found:
        for problem in problems:
            path = file if file.startswith("functions/") else f"sql/{file}"
            line = f"{path}: {problem}, in: {_shown(text)}"
            if not is_ours(file):
                report.warnings += [line] * (line not in report.warnings)
            elif problem not in theirs or file not in HOLD_PARTS:
                report.problems += [line] * (line not in report.problems)
    report.stale = [
        f"docs/evidence.md:{entry.line}: no statement uses `{name}` any more"
        for name, entry in listed.items()
        if name not in used
    ]
    _assumed(entries, report)
    return report


def _unlisted(form: str) -> str:
    return (
        f"the form `{form}` is not in docs/evidence.md: use one that is, or add it with the page or the public project "
        "that shows that Redshift takes it"
    )


def _assumed(entries: list[Entry], report: Report) -> None:
    """Entries without an address: each says what happens if it is wrong, and there are at most ten."""
    assumed = [(name, entry) for entry in entries if entry.assumed for name in entry.ids]
    report.assumed = [f"docs/evidence.md:{entry.line}: `{name}`" for name, entry in assumed]
    for name, entry in assumed:
        if not entry.is_complete:
            report.problems.append(
                f"docs/evidence.md:{entry.line}: `{name}` has no address, so it is assumed: say 'If it is "
                "wrong: ….' and 'Noticed: ….'"
            )
    if len(assumed) > evidence.MOST_ASSUMED:
        report.problems.append(
            f"docs/evidence.md: {len(assumed)} entries are assumed; at most {evidence.MOST_ASSUMED} may be. Find an "
            "address for one, or do without it."
        )


def _shown(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 90 else f"{words[:89]}…"


# ---------------------------------------------------------------- the statements

# What the functions' settings need; no statement depends on the values.
_ENVIRONMENT = {
    "AWS_REGION": "us-west-2", "WORKGROUP_NAME": "any", "DATABASE_NAME": "dev", "SCHEMA_NAME": "sparkify",
    "COPY_ROLE": "default", "DATA_BUCKET": "data", "WORK_BUCKET": "work", "BATCH_FILES": "1", "BATCH_BYTES": "1",
    "MAX_BATCHES": "1", "WAIT_SECONDS": "1", "STATEMENT_TIMEOUT_SECONDS": "60", "ALLOW_RESET": "false",
    "MAX_LOADS_AT_ONCE": "4",
}  # fmt: skip
# A placeholder gets the first of these that its pattern accepts.
_SAMPLES = (
    "1", "20260101-000000-00000000", "2026-01-01 00:00:00", "sparkify", "load", "default", "",
    "s3://working/loads/1/x.json", "0123456789abcdef", "BIGINT", "sparkify.x BIGINT",
)  # fmt: skip
# In place of what is rendered from other files.
_PART = (
    "SELECT name, name AS kind, name AS first_start, name AS last_start, definition, checked, figure, expected, "
    "figure AS staged_rows FROM sparkify.check_results"
)


def rendered() -> list[tuple[str, str]]:
    """Every statement of the loader as it is sent, with its file; then the files that are sent as parts of others."""
    sys.path[:0] = [str(ROOT / "functions")] * (str(ROOT / "functions") not in sys.path)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["LOADER_SQL"] = str(build.ready())
    sql, groups, explain, settings = (
        importlib.import_module(f"loader.{name}")
        for name in ("sql", "rendered", "explain", "settings")
    )
    sent = groups.groups()
    found = [
        (str(s.file), str(s)) for group in [*groups.of_tables(), *sent] for s in group.statements
    ]
    # The preflight has statements of its own, and those that let Redshift plan the others.
    found += [("functions/preflight.py", text) for text in OF_PREFLIGHT]
    for group in sent:
        for batch in explain.batches(group, settings.settings().loader_schema):
            found += [("functions/loader/explain.py", step.text) for step in batch]
    # By itself: what is sent as a part of others, the preflight's files, COPY with the options that it may be given,
    # and the staging tables by the names that they have here.
    seen = {file for file, _ in found}
    again = ("/copy.sql", "stage/create.sql")
    return found + [pair for pair in files(sql) if pair[0] not in seen or pair[0].endswith(again)]


def files(sql: Any) -> list[tuple[str, str]]:
    """The statements of each file of sql/ by itself, with values that stand for any."""
    parents = {
        path.parent.name: str(json.loads(path.read_text(encoding="utf-8")).get("stage_table"))
        for path in sorted(sql.ROOT.glob("datasets/*/dataset.json"))
    }
    names = {parent: f"{parent}_1" for parent in parents.values()} | {
        name: next(sample for sample in _SAMPLES if re.fullmatch(pattern, sample))
        for name, pattern in sql.PATTERNS.items()
    }
    found = []
    for path in sorted(sql.ROOT.rglob("*.sql"), key=_made_first):
        file = str(path.relative_to(sql.ROOT))
        text = sql.read(file)
        parts = dict.fromkeys(_PLACEHOLDER.findall(text), sql.Fragment(_PART))
        own = [parents[part] for part in path.parts if part in parents]
        # A file of all datasets is rendered for each.
        for parent in own or parents.values() if "${stage_" in text else [""]:
            stage = {"stage_table": f"{parent}_1", "stage_parent": parent, parent: f"{parent}_1"}
            for role, options in COPIES if "${copy_" in text else COPIES[:1]:
                copy = {"copy_role": role, "copy_options": options}
                offered = {**parts, **names, **stage, **copy}
                found += [(file, str(statement)) for statement in sql.render(file, offered)]
    return found


_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def _made_first(path: Path) -> tuple[bool, bool, bool, str]:
    """Tables are created before they are read; the preflight's have names of their own."""
    folder = path.parent.name
    return folder != "admin", folder != "migrations", path.name != "create.sql", str(path)


def main() -> int:
    """Prints what was found; 1 if something is refused."""
    try:
        report = lint(rendered(), evidence.entries())
    except ContractError as error:
        print(error)
        return 1
    except Exception as error:  # the loader's own errors; it cannot be imported before rendered()
        if type(error).__name__ not in ("DatasetError", "TemplateError"):
            raise
        print(error)
        return 1
    for line in report.lines():
        print(line)
    return int(bool(report.problems))


if __name__ == "__main__":
    sys.exit(main())
