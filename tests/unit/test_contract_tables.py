"""What the catalogue and the ledger say of tables, compared with a contract. The whole of it: tests/contracts."""

import pytest
from loader import contract_tables, sql
from loader.contract_tables import Applied, Comparison, Tables

ORDERS = {"order_id": "VARCHAR(16) NOT NULL", "total": "DECIMAL(8, 2)"}
OF_LOAD = {"load_id": "VARCHAR(64) NOT NULL"}
TABLES = Tables(
    ("order_id",), "", {"orders_versions": ORDERS | OF_LOAD, "orders": ORDERS | OF_LOAD}
)
FOUND = {
    table: {"order_id": "VARCHAR(16)", "total": "DECIMAL(8, 2)", "load_id": "VARCHAR(64)"}
    for table in ("orders_versions", "orders")
}
ROW = ("orders", 1, "a" * 16, "order_id", "", TABLES.listed, "")


def was() -> Applied:
    return contract_tables.applied([ROW])["orders"]


def compared(found: dict[str, dict[str, str]], before: Applied | None) -> contract_tables.Changes:
    return Comparison("orders", "s", TABLES, "b" * 16, before, found).changes()


def test_the_types_of_the_catalogue() -> None:
    rows = [
        ("t", "a", "character varying", 64, None, None),
        ("t", "b", "character", 3, None, None),
        ("t", "c", "numeric", None, 12, 2),
        ("t", "d", "timestamp without time zone", None, None, None),
        ("t", "e", "double precision", None, 53, None),
        ("t", "f", "super", None, None, None),
        ("u", "g", "bigint", None, 64, 0),
    ]
    assert contract_tables.catalogue(rows) == {
        "t": {
            "a": "VARCHAR(64)",
            "b": "CHAR(3)",
            "c": "DECIMAL(12, 2)",
            "d": "TIMESTAMP",
            "e": "DOUBLE PRECISION",
            "f": "SUPER",
        },
        "u": {"g": "BIGINT"},
    }


def test_the_last_contract_is_the_one_with_the_highest_number() -> None:
    later = ("orders", 10, "b" * 16, "order_id", "at", "", "")
    found = contract_tables.applied([later, ("orders", 9, "c" * 16, "x,y", "", "", ""), ROW])[
        "orders"
    ]
    assert (found.digest, found.key, found.newest) == ("b" * 16, ("order_id",), "at")
    assert found.before == {"a" * 16, "b" * 16, "c" * 16}
    assert found.columns is None  # too many for the ledger
    assert contract_tables.applied([ROW])["orders"].columns == TABLES.flat()


def test_what_the_ledger_keeps_of_the_columns_fits_its_placeholder() -> None:
    assert TABLES.listed.startswith("orders_versions.order_id VARCHAR(16)|orders_versions.total ")
    assert sql.fits("columns", TABLES.listed)
    many = Tables((), "", {"t" * 60: {f"c{n:059}": "VARCHAR(65535)" for n in range(1000)}})
    assert many.listed == ""


@pytest.mark.parametrize(
    ("one", "other", "longer"),
    [
        ("VARCHAR(10)", "VARCHAR(9)", True),
        ("VARCHAR(9)", "VARCHAR(10)", False),
        ("VARCHAR(9)", "VARCHAR(9)", False),
        ("VARCHAR(10)", "CHAR(9)", False),
        ("CHAR(10)", "CHAR(9)", False),
        ("DECIMAL(10, 2)", "DECIMAL(9, 2)", False),
    ],
)
def test_only_a_varchar_becomes_longer(one: str, other: str, longer: bool) -> None:
    assert contract_tables.is_longer(one, other) is longer


def test_tables_that_are_as_they_should_be() -> None:
    assert compared(FOUND, was()) == contract_tables.Changes(was="a" * 16)


def test_tables_that_a_load_made_and_did_not_record() -> None:
    """It died in between: they are the contract's own."""
    assert compared(FOUND, None) == contract_tables.Changes()
    one = {"orders": FOUND["orders"]}
    assert compared(one, None) == contract_tables.Changes(lost=("orders_versions",))


def test_new_tables() -> None:
    found = compared({"other": {"a": "BIGINT"}}, None)
    assert found.new
    assert found.lost == ("orders_versions", "orders")  # if the ledger says that files are loaded


def test_a_table_that_was_dropped() -> None:
    found = compared({"orders": FOUND["orders"]}, was())
    assert (found.lost, found.new) == (("orders_versions",), False)


def test_the_ledger_may_not_know_the_columns() -> None:
    """Then nothing is known to be removed, and nothing is told; what is missing is added all the same."""
    unknown = contract_tables.applied([(*ROW[:5], "", "")])["orders"]
    found = {
        table: {**columns, "gone": "BIGINT"} | {"total": "DECIMAL(8, 2)"}
        for table, columns in FOUND.items()
    }
    del found["orders"]["total"]
    assert compared(found, unknown) == contract_tables.Changes(
        added=(("orders", "total", "DECIMAL(8, 2)"),), was="a" * 16
    )


def test_many_refusals_are_shortened() -> None:
    assert contract_tables.sentence(["a", "b"]) == "a b"
    assert contract_tables.sentence(["a", "b", "c", "d", "e"]) == "a b c And 2 more."
