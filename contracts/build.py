"""The tree sql/ as a person writes it becomes the one that runs: ``python -m contracts.build FOLDER``.

Each dataset.yaml becomes the files that the functions read; everything else is copied.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from contracts import generate, reading, together
from contracts.document import ContractError
from contracts.model import Contract, HandWritten

ROOT = Path(__file__).resolve().parent.parent
SOURCE = "dataset.yaml"
MADE = "dataset.json"
DAY = 24 * 60 * 60
_HERE = Path(__file__).resolve().parent


def build(source: Path, target: Path) -> None:
    """Makes ``target``, which must not exist, of the tree ``source``. Raises ContractError."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(SOURCE))
    datasets = []
    for folder in sorted(path for path in (source / "datasets").glob("*/") if path.is_dir()):
        name, contract = folder.name, folder / SOURCE
        shown = f"sql/datasets/{name}"
        if not contract.is_file():
            # As versions before 0.2 had it: what the functions read is there already.
            if (folder / MADE).is_file():
                continue
            raise ContractError(f"{shown}/ has no {SOURCE}. Write one, or delete the folder.")
        dataset = reading.read(contract, shown=f"{shown}/{SOURCE}")
        datasets.append(dataset)
        for file, text in files(dataset).items():
            made = target / "datasets" / name / file
            if made.exists():
                raise ContractError(
                    f"{shown}/{file} exists, but it is also made from {shown}/{SOURCE}. Delete the file, or call it "
                    "something else."
                )
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(text, encoding="utf-8")
    together.refuse(source, target, datasets)


def files(dataset: Contract | HandWritten) -> dict[str, str]:
    """The files that are made of a dataset.yaml: path in the dataset's folder -> text."""
    if isinstance(dataset, Contract):
        return generate.files(dataset)
    return {MADE: _hand_written(dataset)}


def _hand_written(dataset: HandWritten) -> str:
    """The dataset.json of a dataset whose SQL is written by hand."""
    said: dict[str, Any] = {
        "description": dataset.description,
        "stage_table": dataset.stage_table,
        "prefix": dataset.prefix,
        "suffixes": list(dataset.suffixes),
    }
    if dataset.fact_table:
        said["fact_table"] = dataset.fact_table
    if dataset.header is not None:
        said["header"] = (
            list(dataset.header) if isinstance(dataset.header, tuple) else dataset.header
        )
    return json.dumps({**said, **dataset.further}, indent=2, ensure_ascii=False) + "\n"


def ready(tree: Path = ROOT) -> Path:
    """The built form of ``tree``/sql, made in ``tree``/build if it is not there yet. Raises ContractError.

    Its name has a digest of all that it is made from, so that a process keeps the one that it began with. Those that
    nobody has asked for since yesterday are removed.
    """
    place = tree / "build"
    made = place / f"sql-{digest(tree / 'sql')}"
    if not made.is_dir():
        place.mkdir(exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix="sql-", dir=place))
        try:
            build(tree / "sql", temporary / "sql")
            (temporary / "sql").rename(made)
        except OSError:
            if not made.is_dir():  # else another process was faster
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    os.utime(made)
    for other in place.glob("sql-*"):
        if other.is_dir() and other.stat().st_mtime < time.time() - DAY:
            shutil.rmtree(other, ignore_errors=True)
    return made


def digest(source: Path) -> str:
    """A digest of the tree, and of the code that builds it."""
    found = sha256()
    for top in (source, _HERE):
        for path in sorted(top.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.relative_to(top).as_posix().encode() + b"\0")
                found.update(path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def main(words: list[str]) -> int:
    """Makes the folder, which must not exist, of this repository's sql/; the exit code."""
    try:
        shutil.copytree(ready(), Path(words[0]))
    except ContractError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
