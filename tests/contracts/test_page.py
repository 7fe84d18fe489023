"""docs/adding-a-dataset.md says what is: its table of fields, its contract, and its list of what is refused."""

import re
from pathlib import Path

import pytest

from contracts import reference
from contracts.document import ContractError
from contracts.generate import files
from contracts.model import Contract
from contracts.reading import parse

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-a-dataset.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_fields_are_those_of_the_schema(page: str) -> None:
    assert reference.with_fields(page) == page, (
        "run python -m contracts.reference docs/adding-a-dataset.md"
    )
    assert page.count("\n| `columns.<name>.") == 6


def test_the_pages_contract_is_one(page: str) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    contract = parse(text, "orders", PAGE)
    assert isinstance(contract, Contract)
    assert [child.name for child in contract.children] == ["order_items"]
    assert "publish/10_touched_orders.sql" in files(contract)


@pytest.mark.parametrize(
    ("field", "word"),
    [("full: true", "whole table"), ("schema: mine", "SchemaName"), ("files: orders/*.orc", "ORC")],
)
def test_what_the_page_says_is_refused_is_refused(page: str, field: str, word: str) -> None:
    assert word in page
    lines = ["description: Orders", "files: orders/*.jsonl", "columns: {a: integer}"]
    name = field.partition(":")[0]
    text = "\n".join([*(line for line in lines if not line.startswith(f"{name}:")), field])
    with pytest.raises(ContractError, match=rf"orders.yaml:\d+: {name}: .*{word}"):
        parse(text, "orders", PAGE, shown="orders.yaml")
