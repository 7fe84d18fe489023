"""The table of a file's states in docs/guarantees.md has every state that the code can write, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from loader import ledger, sql

ROOT = Path(__file__).resolve().parents[2]
OF_FILES = ("find_bad_files.py", "publish.py", "stage.py", "loader/batches.py")
NOT_IN_THE_LEDGER = {"not taken"}


def table() -> dict[str, list[str]]:
    """State -> what the table says: meaning, is it an end, does the sweep try again, what a person does, exit code."""
    text = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
    section = text.split("\n## States of a file\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {row[0].strip("`"): row[1:] for row in rows if row[0] not in ("state", "---")}


def written_by_sql() -> Iterator[str]:
    for folder in ("publish", "undo"):
        for file in (sql.ROOT / folder).rglob("*.sql"):
            text = sql.without_comments(str(file.relative_to(sql.ROOT)))
            yield from re.findall(r"\bSET status = '(\w+)'", text)


def written_by_functions() -> Iterator[str]:
    """The texts that are given as a status: by name, as a field's default, or under the key of a ledger row."""
    for name in OF_FILES:
        for node in ast.walk(ast.parse((ROOT / "functions" / name).read_text(encoding="utf-8"))):
            values: list[ast.expr | None] = []
            match node:
                case ast.keyword(arg="status", value=value):
                    values = [value]
                case ast.AnnAssign(target=ast.Name(id="status"), value=value):
                    values = [value]
                case ast.Assign(targets=[ast.Name(id="status")], value=value):
                    values = [value]
                case ast.Dict(keys=keys):
                    pairs = zip(keys, node.values, strict=True)
                    names = (
                        v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "status"
                    )
                    values = [*names]
            for each in (part for value in values if value for part in ast.walk(value)):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def test_every_state_that_the_code_writes_is_in_the_table() -> None:
    written = {*written_by_sql(), *written_by_functions()}
    assert {"loaded", "rejected", "missing", "withdrawn", "replaced", "closed"} <= written
    assert written <= set(table())
    # A file that a load may not read, or cannot judge yet, has a state of its own from the same release on.
    assert set(table()) - written <= NOT_IN_THE_LEDGER


def test_what_the_sweep_leaves_out_is_what_the_ledger_knows() -> None:
    said = table()
    compared = sql.without_comments("plan/compare.sql")
    assert set(re.findall(r"\(f\.status = '(\w+)'", compared)) == set(ledger.KNOWN_AS)
    for state, (_, is_end, swept, *_) in said.items():
        assert is_end.startswith(("yes", "no")), state
        assert swept.startswith(("yes", "no")), state
        if state in ledger.KNOWN_AS:
            assert swept.startswith("no"), state
        if swept.startswith("yes"):
            assert is_end == "no", state


def test_each_state_says_what_a_person_does_and_how_a_command_ends() -> None:
    for state, (meaning, _, _, to_do, code) in table().items():
        assert meaning, state
        assert to_do, state
        assert code in ("0", "3"), state
