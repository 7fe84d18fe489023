"""The SQL files: strict templates, split into statements.

A placeholder ``${name}`` stands for a name or a path and takes only what its pattern allows; values go in as Data API
parameters ``:name``. Nothing from an event or a file name ever becomes SQL text.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "sql"
if (
    not ROOT.is_dir()
):  # in the repository sql/ stands beside functions/, in a Lambda artifact within it
    ROOT = Path(__file__).resolve().parents[2] / "sql"

IDENTIFIER = r"[a-z_][a-z0-9_]{0,126}"
S3_URI = r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9_./-]+"

# What each placeholder may hold. The dataset's own name of its staging table is added by the dataset.
PATTERNS: dict[str, str] = {
    "schema": IDENTIFIER,
    "stage_table": IDENTIFIER,
    "stage_parent": IDENTIFIER,
    "plan_table": IDENTIFIER,
    "check": IDENTIFIER,
    "manifest": S3_URI,
    "listing": S3_URI,
    "ledger": S3_URI,
    "staged_checks": S3_URI,
    "jsonpaths": S3_URI,
    "probe": S3_URI,
    "query": r"pg_last_copy_id\(\)|\d{1,19}",
    "load_id": r"\d{8}-\d{6}-[0-9a-f]{8}",
    "batch": r"\d+(\.\d+)*",
    "rows_staged": r"\d{1,19}",
    "rows_copied": r"\d{1,19}|NULL",
    "header_lines": r"\d{1,9}",
    "copy_role": r"default|'arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+'",
    "copy_options": r"(GZIP|BZIP2|ZSTD|NOLOAD|MAXERROR \d{1,6}|REGION '[a-z0-9-]+'|\s)*",
}

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|;|[^'\"\-/;]+|.", re.DOTALL
)
_PARAMETER = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(?<![:\w]):([A-Za-z_]\w*)", re.DOTALL
)


class TemplateError(Exception):
    """A SQL file asks for a name that is not offered, or is offered a value that its placeholder must not hold."""


class Fragment(str):
    """SQL text that was itself rendered from a file, so that it may stand in a placeholder."""


@cache
def read(name: str) -> str:
    """The text of ``sql/<name>``."""
    return (ROOT / name).read_text(encoding="utf-8")


def render(name: str, names: Mapping[str, str]) -> list[str]:
    """The statements of ``sql/<name>``, its placeholders filled from ``names``; comments are left out."""
    return statements(fill(name, names))


def render_one(name: str, names: Mapping[str, str]) -> str:
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
                f"sql/{name} uses ${{{key}}}, which is not offered here; offered: {', '.join(sorted(names))}."
            )
        text = names[key]
        if not isinstance(text, Fragment) and not re.fullmatch(PATTERNS.get(key, IDENTIFIER), text):
            raise TemplateError(f"sql/{name}: ${{{key}}} must not be {text!r}.")
        return text

    return _PLACEHOLDER.sub(value, without_comments(name))


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


def parameters_used(texts: Iterable[str], values: Mapping[str, str]) -> dict[str, str]:
    """Those of ``values`` that the statements use: the Data API refuses a parameter that no statement uses.

    Raises TemplateError if a statement uses a parameter that has no value.
    Source: docs.aws.amazon.com/redshift/latest/mgmt/data-api-calling.html
    """
    used = {
        match.group(1) for text in texts for match in _PARAMETER.finditer(text) if match.group(1)
    }
    missing = used - values.keys()
    if missing:
        raise TemplateError(
            f"The parameter :{min(missing)} has no value here; offered: {', '.join(sorted(values))}."
        )
    return {name: values[name] for name in sorted(used)}


def union_of_checks(paths: Iterable[str], names: Mapping[str, str]) -> Fragment:
    """One SELECT of (name, definition, figure, expected) over check files, each one row of (figure, expected)."""
    rows = []
    for path in paths:
        name = Path(path).stem
        if not re.fullmatch(IDENTIFIER, name):
            raise TemplateError(
                f"sql/{path}: a check is named by its file, in lower-case letters, digits and underscores."
            )
        body = render_one(path, names)
        rows.append(
            f"SELECT CAST('{name}' AS VARCHAR(128)) AS name, CAST('{definition(path)}' AS VARCHAR(16)) AS definition,\n"
            "    CAST(q.figure AS BIGINT) AS figure, CAST(q.expected AS BIGINT) AS expected\n"
            f"FROM (\n{body}\n) AS q"
        )
    return Fragment("\nUNION ALL\n".join(rows))


def definition(path: str) -> str:
    """A digest of ``sql/<path>``: a check that was changed is another check."""
    return hashlib.sha256(without_comments(path).encode()).hexdigest()[:16]


def files(folder: str) -> list[str]:
    """The SQL files of ``sql/<folder>`` in the order of their names, without its sub-folders."""
    return sorted(f"{folder}/{path.name}" for path in (ROOT / folder).glob("*.sql"))


def without_comments(name: str) -> str:
    """The text of ``sql/<name>`` without its comments and empty lines."""
    tokens = (match.group() for match in _TOKEN.finditer(read(name)))
    kept = "".join(token for token in tokens if not token.startswith(("--", "/*")))
    return "\n".join(line.rstrip() for line in kept.splitlines() if line.strip())
