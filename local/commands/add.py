"""add: make the contract of a dataset from sample files."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from contracts import build
from contracts.add import fitting, proposing
from contracts.add.problem import NoContract
from contracts.add.proposing import Column, Proposal, Wishes
from contracts.document import ContractError
from contracts.reading import parse
from local.environment import ROOT
from local.problem import WELL, Problem, Usage
from local.show.terminal import YELLOW, cut, paint, visible, width
from local.show.terminal import columns as columns_of

HELP = "make the contract of a dataset (dataset.yaml) from sample files"
EXAMPLES = (
    "loader add orders my-files/",
    "loader add orders my-files/ --key order_id --newest updated_at --mask email --yes",
    "loader add orders s3://my-bucket/orders/ --stack s3-redshift-loader",
)
DATASETS = ROOT / "sql" / "datasets"
SHOWN_BAD = 10
SHOWN_EXAMPLE, SHOWN_PATH, SHOWN_WHY = 24, 40, 70


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The dataset's name, the samples, and what is known already."""
    parser.add_argument("name", metavar="NAME", help="of the dataset and its table, such as orders")
    parser.add_argument(
        "samples",
        nargs="+",
        metavar="SAMPLES",
        help="files, folders or s3://bucket/prefix: JSON or CSV, .gz, .bz2, .zst",
    )
    parser.add_argument(
        "--key", default="", metavar="COLUMN,…", help="the columns that identify a row"
    )
    parser.add_argument(
        "--newest",
        default="",
        metavar="COLUMN",
        help="which version of a key wins: its greatest value, or none",
    )
    parser.add_argument(
        "--mask", default="", metavar="COLUMN,…", help="columns of which only a hash is stored"
    )
    parser.add_argument(
        "--files",
        action="append",
        default=[],
        metavar="PATTERN",
        help="the dataset's objects (default: NAME/*.ENDING, or the prefix in s3://)",
    )
    parser.add_argument(
        "--into",
        type=Path,
        default=DATASETS,
        metavar="DIR",
        help="the folder of the datasets (default: sql/datasets)",
    )
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: decide, and tell it as a warning"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite a dataset.yaml that is there"
    )


class Questions:
    """Asks on a terminal. Otherwise takes the first answer, and keeps the question for the warnings."""

    def __init__(self, on_terminal: bool) -> None:
        self._on_terminal = on_terminal
        self.decided: list[str] = []

    def __call__(self, question: str, answers: Sequence[tuple[str, str]]) -> str:
        """One of the answers' values."""
        if not self._on_terminal:
            self.decided.append(f"{question} Decided: {answers[0][1]}")
            return answers[0][0]
        print(visible(question))
        for number, (_, meaning) in enumerate(answers, 1):
            print(f"  {number}  {meaning}{' (default)' if number == 1 else ''}")
        while True:
            said = input("> ").strip() or "1"
            if said.isdecimal() and 1 <= int(said) <= len(answers):
                return answers[int(said) - 1][0]
            print(f"a number from 1 to {len(answers)}, or nothing for the default")


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found, and writes sql/datasets/NAME/dataset.yaml."""
    target: Path = arguments.into / arguments.name / "dataset.yaml"
    if target.exists() and not arguments.force:
        raise Usage(
            f"{_shown(target)} exists already. Use another name, or --force to overwrite it."
        )
    _check_name(arguments.name, target)
    ask = Questions(sys.stdin.isatty() and not arguments.yes)
    wishes = Wishes(
        _words(arguments.key), arguments.newest, _words(arguments.mask), tuple(arguments.files)
    )
    work = Path(tempfile.mkdtemp(prefix="loader-add-"))
    try:
        made = proposing.propose(arguments.name, arguments.samples, work, wishes, ask)
        text = fitting.fitted(made, DATASETS.parent, target, shown=_shown(target))
    except NoContract as error:
        raise Problem(str(error)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for line in told(made, ask.decided):
        print(line)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"written: {_shown(target)}")
    if arguments.into == DATASETS:
        _build(arguments.name)
    return WELL


def _check_name(name: str, target: Path) -> None:
    """Raises Usage if no table can have the name, before the samples are read."""
    try:
        least = "description: x\nfiles: x/*.json\ncolumns: {x: super}\n"
        parse(least, name, target, shown=_shown(target))
    except ContractError as error:
        raise Usage(str(error)) from error


def _build(name: str) -> None:
    """Builds all datasets as a deployment does. Raises Problem if this one does not go with the others."""
    work = Path(tempfile.mkdtemp(prefix="loader-add-"))
    try:
        build.build(DATASETS.parent, work / "sql")
    except ContractError as error:
        raise Problem(f"It cannot be deployed as it is: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"Next: loader try {name} FILES, then deploy")


def _words(said: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in said.split(","))))


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def told(made: Proposal, decided: Sequence[str]) -> Iterator[str]:
    """The lines that are printed: a table of all columns, the key, and the warnings."""
    files = f"{made.sample_files:,} file{'' if made.sample_files == 1 else 's'}"
    yield f"{made.dataset}: {made.rows:,} rows in {files}, as {', '.join(made.files)}"
    yield ""
    yield from _table(made.columns, made)
    for table in made.tables:
        yield ""
        yield f"{table.name}: {table.rows:,} rows, the elements of {visible('.'.join(table.each))}"
        yield from _table(table.columns, made)
    yield ""
    key = (
        f"key: {', '.join(made.keys.key)}; newest: {made.keys.newest}"
        if made.keys.key
        else "no key"
    )
    yield f"{key}: {'; '.join(made.keys.why)}"
    if made.bad_count or made.bad:
        records = "1 record" if made.bad_count == 1 else f"{made.bad_count:,} records"
        yield paint(f"cannot be read, so left out: {records}", YELLOW, sys.stdout)
        for bad in made.bad[:SHOWN_BAD]:
            yield f"  {visible(bad)}"
    if warnings := [*made.warnings, *decided]:
        yield paint("look at this:", YELLOW, sys.stdout)
        for warning in warnings:
            yield f"  {visible(warning)}"


def _table(columns: Sequence[Column], made: Proposal) -> Iterator[str]:
    rows = [("column", "path", "type", "filled", "distinct ~", "example", "why")]
    for column in columns:
        kind = f"{column.type}{f' {column.format}' if column.format else ''}{' hash' if column.mask else ''}"
        reasons = [*column.why, *([column.person] if column.person else []), *column.warnings[:1]]
        in_key = ["key"] if column in made.columns and column.name in made.keys.key else []
        rows.append(
            (
                column.name,
                cut(visible(column.path or f"(key) {column.from_key}="), SHOWN_PATH),
                kind,
                _percent(column.filled),
                "" if column.distinct is None else f"{column.distinct:,}",
                cut(visible(column.example), SHOWN_EXAMPLE),
                cut(visible("; ".join([*in_key, *reasons])), SHOWN_WHY),
            )
        )
    widths = [max(width(row[n]) for row in rows) for n in range(6)]
    for row in rows:
        cells = [text + " " * (size - width(text)) for text, size in zip(row, widths, strict=False)]
        line = "  ".join([*cells, row[6]]).rstrip()
        yield cut(line, columns_of(sys.stdout)) if sys.stdout.isatty() else line


def _percent(part: float) -> str:
    """100 % only if all rows have a value, and 0 % only if none has."""
    if part in (0, 1):
        return f"{part:.0%}"
    return f"{min(max(part * 100, 0.1), 99.9):.1f}%"
