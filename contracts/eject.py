"""A contract becomes SQL files of one's own: those that are made of it, which then go on working unchanged."""

import json
import re
from pathlib import Path
from typing import Any

from contracts import build, reading
from contracts.document import ContractError, Document
from contracts.model import HandWritten

# The dataset.yaml has these in its own fields; the digest of the contract says nothing of files that may be edited.
_NAMED = (*("description", "prefix", "suffixes", "stage_table", "fact_table", "header"), "contract")
# yaml.org/spec/1.2.2/#51-character-set, and the line breaks of YAML 1.1.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def eject(folder: Path) -> list[Path]:
    """Writes the files of a dataset into its folder, and a dataset.yaml that says sql: true; returns them.

    Raises ContractError if the contract is wrong, or if there is nothing to eject.
    """
    source = folder / build.SOURCE
    shown = f"sql/datasets/{folder.name}/{build.SOURCE}"
    if not source.is_file():
        raise ContractError(f"There is no {shown}.")
    dataset = reading.read(source, shown=shown)
    if isinstance(dataset, HandWritten):
        raise ContractError(f"{shown} says sql: true already: its SQL is in the files beside it.")
    made = build.files(dataset)
    said = json.loads(made.pop(build.MADE))
    for file in made:
        if (folder / file).exists():
            raise ContractError(
                f"sql/datasets/{folder.name}/{file} exists, but it is also made from {shown}. Delete the file, or call "
                "it something else."
            )
    text = source.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    patterns = Document(source, text, shown).value["files"]
    for file, content in made.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content, encoding="utf-8")
    source.write_text(_hand_written(first, said, patterns), encoding="utf-8")
    return [source, *(folder / file for file in made)]


def _hand_written(first: str, said: dict[str, Any], patterns: Any) -> str:
    """The dataset.yaml of the same dataset.json. Each value is written as JSON, which YAML includes."""
    lines = [first] if first.startswith("# yaml-language-server:") else []
    lines += [
        f"description: {_json(said['description'])}",
        "sql: true",
        f"files: {_json(patterns)}",
    ]
    lines += [
        f"{field}: {_json(said[field])}"
        for field in ("stage_table", "fact_table", "header")
        if field in said
    ]
    further = {field: value for field, value in said.items() if field not in _NAMED}
    lines += ["dataset_json:"] if further else []
    lines += [f"  {field}: {_json(value)}" for field, value in further.items()]
    return "\n".join(lines) + "\n"


def _json(value: Any) -> str:
    """JSON that is YAML with the same value: what YAML would refuse, or take for the end of a line, is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
