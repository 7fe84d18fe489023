"""The SQL files: strict templates, split into statements.

A placeholder ``${name}`` is a name, a path or a value of the loader's own (a load's id, a count, a time), and accepts
only what its pattern allows: no quote, backslash, semicolon or comment. Nothing from an event, a key, a file or a
person's input ever becomes SQL text: those reach Redshift by COPY only. The Data API's parameters are not used, because
Redshift does not support bind variables in subqueries
(https://github.com/sqlalchemy-redshift/sqlalchemy-redshift/issues/265).
"""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import quote

from loader.settings import SettingsError


def _root() -> Path:
    """sql/ beside the handlers in a Lambda artifact; in the repository, where contracts.build has made it."""
    beside = Path(__file__).resolve().parent.parent / "sql"
    if beside.is_dir():
        return beside
    named = os.environ.get("LOADER_SQL", "")
    if not Path(named or "-").is_dir():
        raise SettingsError(
            f"There is no {beside}, where sam build puts the SQL files, and the environment variable LOADER_SQL is "
            f"{named!r}, not a folder. Run sam build; or make one: python -m contracts.build FOLDER."
        )
    return Path(named)


ROOT = _root()

IDENTIFIER = r"[a-z_][a-z0-9_]{0,126}"
S3_URI = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9_./-]+"
LOAD_ID = r"\d{8}-\d{6}-[0-9a-f]{8}"
COUNT = r"\d{1,19}"
AMOUNT = r"\d{1,15}(\.\d{1,9})?"
FLAG = r"[01]"
TYPE = r"(VAR)?CHAR\(\d{1,5}\)|DECIMAL\(\d\d?, \d\d?\)|[A-Z]{4,9}( PRECISION)?"
# Years before 1 or after 9999 too: an event's clock may be wrong.
TIMESTAMP = r"\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?"

# What each placeholder may hold. The dataset's own name of its staging table is added by the dataset.
PATTERNS: dict[str, str] = {
    "schema": IDENTIFIER,
    "loader_schema": IDENTIFIER,
    "new_schema": IDENTIFIER,
    "stage_table": IDENTIFIER,
    "stage_parent": IDENTIFIER,
    "plan_table": IDENTIFIER,
    "manifest": S3_URI,
    "listing": S3_URI,
    "mask_key": S3_URI,
    "ledger": S3_URI,
    "sightings": S3_URI,
    "figures": S3_URI,
    "jsonpaths": S3_URI,
    "probe": S3_URI,
    "values_of_key": S3_URI,
    "query": r"pg_last_copy_id\(\)|\d{1,19}",
    # Of a contract, as dataset.json has it.
    "contract": r"[0-9a-f]{16}",
    "contract_before": r"[0-9a-f]{16}",
    "masks": rf"|{IDENTIFIER}\.{IDENTIFIER} (hash|drop)(\|{IDENTIFIER}\.{IDENTIFIER} (hash|drop))*",
    "result_table": IDENTIFIER,
    "column": IDENTIFIER,
    "declaration": rf"({TYPE})( DEFAULT 0)?( NOT NULL)?",
    "key_columns": r"[a-z0-9_,]*",
    "newest": rf"|{IDENTIFIER}",
    "columns": rf"|{IDENTIFIER}\.{IDENTIFIER} ({TYPE})(\|{IDENTIFIER}\.{IDENTIFIER} ({TYPE}))*",
    "load_id": LOAD_ID,
    "undone_load": LOAD_ID,
    "batch": r"\d{1,9}(\.\d{1,9})*",
    "dataset": IDENTIFIER,
    "mode": r"load|reload",
    "named": FLAG,
    "reload": FLAG,
    # as_literal has encoded it: a person may give an execution any name
    "execution": r"(?!.*--)[A-Za-z0-9%_.:-]{1,1024}",
    "files_loaded": COUNT,
    "files_rejected": COUNT,
    "rows_staged": COUNT,
    "rows_copied": rf"{COUNT}|NULL",  # if Redshift has not reported it
    "header_lines": COUNT,
    "batch_count": COUNT,
    "version": COUNT,
    "check_count": COUNT,
    "started_at": TIMESTAMP,
    "first_start": TIMESTAMP,
    "last_start": TIMESTAMP,
    "seconds": AMOUNT,
    "transitions": COUNT,
    "function_calls": COUNT,
    "gb_seconds": AMOUNT,
    "data_api_calls": COUNT,
    "s3_requests": COUNT,
    "copy_role": r"default|'arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+'",
    "copy_options": r"(GZIP|BZIP2|ZSTD|NOLOAD|MAXERROR \d{1,6}|\s)*",
}

NO_TIME = "1970-01-01 00:00:00.000000"  # the range of a batch, or a load, that has no plays

COUNTED_TOGETHER = 12  # columns: their counts of at most 20 digits fit the audit's VARCHAR(256)

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|;|[^'\"\-/;]+|.", re.DOTALL
)


class TemplateError(Exception):
    """A SQL file uses an unknown name, or a value does not fit its placeholder."""


class Rendered(str):
    """A statement, and the file of sql/ that it was rendered from."""

    file: str

    def __new__(cls, text: str, file: str) -> "Rendered":
        made = super().__new__(cls, text)
        made.file = file
        return made


class Fragment(str):
    """SQL text that was itself rendered from a file, so that it may stand in a placeholder."""


@cache
def read(name: str) -> str:
    """The text of ``sql/<name>``."""
    return (ROOT / name).read_text(encoding="utf-8")


def render(name: str, names: Mapping[str, str]) -> list[Rendered]:
    """The statements of ``sql/<name>``, its placeholders filled from ``names``; comments are left out."""
    return [Rendered(text, name) for text in statements(fill(name, names))]


def render_one(name: str, names: Mapping[str, str]) -> Rendered:
    """The one statement of ``sql/<name>``."""
    found = render(name, names)
    if len(found) != 1:
        raise TemplateError(f"sql/{name} holds {len(found)} statements; it must hold one.")
    return found[0]


def fill(name: str, names: Mapping[str, str]) -> str:
    """The text of ``sql/<name>`` with its placeholders filled; raises TemplateError by the placeholder's name."""

    def value(match: re.Match[str]) -> str:
        key = match.group(1)
        if key not in names:
            raise TemplateError(
                f"sql/{name} uses ${{{key}}}, which is unknown here; known are: {', '.join(sorted(names))}."
            )
        text = names[key]
        if not isinstance(text, Fragment) and not fits(key, text):
            raise TemplateError(f"sql/{name}: ${{{key}}} must not be {text!r}.")
        return text

    return _PLACEHOLDER.sub(value, without_comments(name))


def fits(placeholder: str, text: str) -> bool:
    """Whether the placeholder may hold the text. ASCII, for without it \\d and \\w are those of any script."""
    return bool(re.fullmatch(PATTERNS.get(placeholder, IDENTIFIER), text, re.ASCII))


def flag(value: bool) -> str:
    return "1" if value else "0"


def as_literal(execution: str) -> str:
    """An execution's ARN for a SQL literal: a person may give an execution a name with quotes or blanks.

    Everything but letters, digits and ``_.:-`` is percent-encoded, so is the second of two hyphens.
    Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html, name
    """
    return quote(execution, safe=":").replace("~", "%7E").replace("--", "-%2D")[:1024]


def timestamp(iso: str) -> str:
    """A time of the state machine's context (ISO 8601, UTC) for a timestamp literal."""
    return datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def statements(text: str) -> list[str]:
    """Splits SQL at its semicolons, but not at those in quotes or comments."""
    found = [""]
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece == ";":
            found.append("")
        else:
            found[-1] += piece
    return [statement.strip() for statement in found if statement.strip()]


def union_of_checks(
    paths: Iterable[str], names: Mapping[str, str], checked: str = "", also: Iterable[str] = ()
) -> Fragment:
    """One SELECT of (name, definition, figure, expected) over check files, each one row of (figure, expected).

    ``checked`` (staged or published) adds that as a column, and ``also`` adds rows of ``check_row``.
    """
    first = f"CAST('{checked}' AS VARCHAR(16)) AS checked, " if checked else ""
    rows = []
    for path in paths:
        name = Path(path).stem
        if not re.fullmatch(IDENTIFIER, name):
            raise TemplateError(
                f"sql/{path}: a check is named by its file, in lower-case letters, digits and underscores."
            )
        body = render_one(path, names)
        rows.append(
            f"SELECT {first}CAST('{name}' AS VARCHAR(128)) AS name, "
            f"CAST('{definition(path)}' AS VARCHAR(16)) AS definition,\n"
            "    CAST(q.figure AS BIGINT) AS figure, CAST(q.expected AS BIGINT) AS expected\n"
            f"FROM (\n{body}\n) AS q"
        )
    return Fragment("\nUNION ALL\n".join([*rows, *also]))


def union_of_counts(columns: Sequence[str], table: str) -> Fragment:
    """One SELECT of (part, counts): in how many rows of a table each column is filled, some columns a row, as n,n,….

    ``columns`` are identifiers of the dataset's copy.sql (layout.identifiers); of none it is a row without counts.
    """
    rows = []
    for number in range(0, len(columns), COUNTED_TOGETHER):
        counts = " || ',' || ".join(
            f"CAST(COUNT({column}) AS VARCHAR(20))"
            for column in columns[number : number + COUNTED_TOGETHER]
        )
        rows.append(
            f"SELECT CAST('{number}' AS VARCHAR(16)) AS part, CAST({counts} AS VARCHAR(256)) AS counts\nFROM {table}"
        )
    nothing = "SELECT CAST('0' AS VARCHAR(16)) AS part, CAST('' AS VARCHAR(256)) AS counts"
    return Fragment("\nUNION ALL\n".join(rows) or nothing)


def check_row(checked: str, name: str, definition: str, figure: int, expected: int) -> str:
    """The row of an earlier check, as literals. Raises TemplateError for anything but names and numbers."""
    texts = {"checked": checked, "name": name, "definition": definition}
    for what, text in texts.items():
        if not re.fullmatch(r"[a-z0-9_]{1,128}", text):
            raise TemplateError(f"A check's {what} must not be {text!r}.")
    return (
        f"SELECT CAST('{checked}' AS VARCHAR(16)) AS checked, CAST('{name}' AS VARCHAR(128)) AS name, "
        f"CAST('{definition}' AS VARCHAR(16)) AS definition,\n"
        f"    CAST({int(figure)} AS BIGINT) AS figure, CAST({int(expected)} AS BIGINT) AS expected"
    )


def definition(path: str) -> str:
    """A digest of ``sql/<path>``: a changed check counts as another check."""
    return hashlib.sha256(without_comments(path).encode()).hexdigest()[:16]


def files(*folders: str) -> list[str]:
    """The SQL files of these folders of ``sql/``, without sub-folders, all together in the order of their names."""
    found = [
        f"{folder}/{path.name}" for folder in folders for path in (ROOT / folder).glob("*.sql")
    ]
    return sorted(found, key=lambda name: (Path(name).name, name))


def without_comments(name: str) -> str:
    """The text of ``sql/<name>`` without its comments and empty lines."""
    tokens = (match.group() for match in _TOKEN.finditer(read(name)))
    kept = "".join(token for token in tokens if not token.startswith(("--", "/*")))
    return "\n".join(line.rstrip() for line in kept.splitlines() if line.strip())
