"""What is wrong with datasets only together is refused when they are built."""

from pathlib import Path

import pytest
from loader import datasets as functions
from loader import sql
from loader.dataapi import MAX_STATEMENTS

from contracts import build, reading, together
from contracts.document import ContractError
from contracts.model import Contract

ORDERS = """description: Orders
files: shop/orders/*.jsonl
key: [id]
newest: updated_at
columns: {id: bigint, updated_at: timestamp}
tables:
  items: {each: items, columns: {sku: varchar(64)}}
"""
SHARED = (functions.PUBLISH, functions.UNDO, functions.MASKS)
SQL = """description: By hand
sql: true
files: shop/*.csv
stage_table: hand_stage
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of sql/ with the contract orders."""
    build.build(build.ROOT / "sql", tmp_path / "sql")
    write(tmp_path, "orders", ORDERS)
    return tmp_path


def write(tree: Path, name: str, text: str) -> None:
    path = tree / "sql" / "datasets" / name / "dataset.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def refused(tree: Path) -> str:
    with pytest.raises(ContractError) as error:
        build.ready(tree)
    return str(error.value)


def test_what_fits_is_built(tree: Path) -> None:
    write(tree, "hand", SQL)
    write(tree, "carts", ORDERS.replace("orders", "carts").replace("  items:", "  cart_items:"))
    assert build.ready(tree).is_dir()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ("shop/*.jsonl", "orders/dataset.yaml:2: files: the dataset other takes these files too, under shop/"),
        ("shop/orders/2026/*.jsonl", "other/dataset.yaml:2: files: the dataset orders takes these files too"),
        ("shop/orders/*.jsonl", "files: the dataset"),
    ],
)  # fmt: skip
def test_two_datasets_with_the_same_files(tree: Path, files: str, says: str) -> None:
    other = ORDERS.replace("shop/orders/*.jsonl", files).replace("  items:", "  other_items:")
    write(tree, "other", other)
    assert says in refused(tree)


def test_two_datasets_with_the_same_table(tree: Path) -> None:
    write(tree, "carts", ORDERS.replace("orders", "carts"))
    assert refused(tree).startswith(
        "sql/datasets/orders/dataset.yaml:7: tables.items: its table items is also the dataset carts's"
    )
    write(tree, "carts", ORDERS.replace("orders", "carts").replace("  items:", "  orders:"))
    assert refused(tree).startswith(
        "sql/datasets/orders/dataset.yaml:1: its table orders is also the dataset carts's"
    )


def with_tables(number: int) -> str:
    lines = [f"  t{n}: {{each: a{n}, columns: {{b: integer}}}}\n" for n in range(number)]
    return ORDERS.replace("  items: {each: items, columns: {sku: varchar(64)}}\n", "".join(lines))


def test_the_first_table_that_is_too_many_is_named(tree: Path) -> None:
    counts = []
    for number in range(1, 20):
        write(tree, "orders", with_tables(number))
        contract = reading.read(tree / "sql" / "datasets" / "orders" / "dataset.yaml")
        assert isinstance(contract, Contract)
        counts.append(together.statements(tree / "sql", contract, "publish"))
    most = next(n for n, count in enumerate(counts) if count > together.MOST_STATEMENTS)
    assert most >= 2
    write(tree, "orders", with_tables(most))
    build.ready(tree)
    write(tree, "orders", with_tables(most + 2))
    said = refused(tree)
    assert said.startswith(f"sql/datasets/orders/dataset.yaml:{7 + most}: tables.t{most}: ")
    assert f"has {counts[most + 1]} statements" in said
    assert f"{together.MOST_STATEMENTS} in a transaction" in said


@pytest.mark.parametrize("what", together.TRANSACTIONS)
def test_statements_are_counted_as_the_functions_count_them(tree: Path, what: str) -> None:
    contract = reading.read(tree / "sql" / "datasets" / "orders" / "dataset.yaml")
    assert isinstance(contract, Contract)
    folders = together.TRANSACTIONS[what][1]
    made = build.files(contract).items()
    own = (text for name, text in made if name.partition("/")[0] in folders)
    shared = dict(zip(together.TRANSACTIONS, SHARED, strict=True))[what]
    texts = [*map(sql.without_comments, shared), *own]
    counted = sum(len(sql.statements(text)) for text in texts)
    assert together.statements(tree / "sql", contract, what) == counted


def test_the_files_and_the_limit_are_the_functions() -> None:
    assert together.MOST_STATEMENTS == MAX_STATEMENTS
    assert together.TRANSACTIONS["publish"][0] == functions.PUBLISH
    assert together.TRANSACTIONS["undo"][0] == functions.UNDO
    assert together.TRANSACTIONS["new mask"][0] == functions.MASKS
