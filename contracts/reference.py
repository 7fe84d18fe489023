"""The fields of a contract as a page shows them, from the JSON Schema: ``python -m contracts.reference FILE …``.

Writes them between the two marks of each Markdown file; a test compares (tests/contracts/test_reference.py).
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.reading import SCHEMA

BEGIN, END = "<!-- fields: python -m contracts.reference -->", "<!-- end of fields -->"
# A column's own fields come after the table's.
_OF_COLUMN = "columns.<name>"
_HAND_WRITTEN = ("sql", "stage_table", "fact_table", "header", "dataset_json")


def fields() -> Iterator[tuple[str, str, bool]]:
    """Name, description and whether it is required, of each field; of sql: true only those in _HAND_WRITTEN."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    required = {*schema["required"], *schema["else"]["required"]}
    for name, rule in schema["properties"].items():
        if name in _HAND_WRITTEN:
            continue
        yield name, rule["description"], name in required
        for inner, one in _inner(rule):
            yield f"{name}.{inner}", one["description"], False
        if name == "columns":
            column = schema["$defs"]["columns"]["additionalProperties"]["oneOf"][1]
            for inner, one in column["properties"].items():
                yield f"{_OF_COLUMN}.{inner}", one["description"], inner == "type"


def _inner(rule: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in rule.get("properties", {}).items():
        if "description" in one:
            yield name, one
    for branch in rule.get("oneOf", []):
        for name, one in branch.get("properties", {}).items():
            for inner, deep in _inner(one):
                yield f"{name}.{inner}", deep
    table = rule.get("additionalProperties")
    if isinstance(table, dict) and "each" in table.get("properties", {}):
        yield "<name>.each", table["properties"]["each"]


def markdown() -> str:
    """The table of all fields."""
    rows = [
        f"| `{name}` | {'yes' if needed else ''} | {_cell(text)} |"
        for name, text, needed in fields()
    ]
    return "\n".join(["| field | required | what it says |", "| --- | --- | --- |", *rows])


def _cell(text: str) -> str:
    """A description with its examples as code, and no bar that would end the cell."""
    return re.sub(
        r"(?<![`\w])([a-z_]+/\*\.\w+|\.(?:gz|bz2|zst|jsonl?|ndjson|[ct]sv|txt))(?!\w)",
        r"`\1`",
        text,
    ).replace("|", "\\|")


def with_fields(page: str) -> str:
    """The page with the table as it is now between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{markdown()}\n{END}{after}"


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        path = Path(argument)
        path.write_text(with_fields(path.read_text(encoding="utf-8")), encoding="utf-8")
