"""The column that would take an unknown key."""

from functools import reduce
from operator import or_
from typing import Any

import pytest
from loader.suggested import Seen, column_name, line, of_texts


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None], "varchar(16)"),
        ([True, None], "boolean"),
        ([1, -5], "bigint"),
        ([10**30], "varchar(64)"),
        ([1, 2.25], "decimal(18,2)"),
        ([2.5, 1e300], "double precision"),
        ([0.1234567890123], "decimal(18,13)"),
        ([12345678.125], "decimal(18,3)"),
        (["2026-11-28"], "date"),
        (["2026-11-28", "2026-11-28T08:00:00+01:00"], "timestamp"),
        (["2026-13-28"], "varchar(32)"),
        (["x" * 40], "varchar(128)"),
        (["é" * 40000], "varchar(65535)"),
        ([1, "three"], "varchar(16)"),
        ([True, 1], "varchar(16)"),
        (["2026-11-28", "soon"], "varchar(32)"),
        ([{"a": 1}], "super"),
        ([[1], "x"], "super"),
    ],
)
def test_the_type_that_takes_all_values_with_room(values: list[Any], kind: str) -> None:
    assert reduce(or_, map(Seen.of, values), Seen()).type == kind
    assert reduce(or_, map(Seen.of, values[::-1]), Seen()).type == kind


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["", " "], "varchar(16)"),
        (["5", "", "12"], "bigint"),
        (["5", "1.50"], "decimal(18,1)"),
        (["007", "12"], "varchar(16)"),
        (["true"], "varchar(16)"),
        (["2026-11-28 08:00:00"], "timestamp"),
    ],
)
def test_of_csv(texts: list[str], kind: str) -> None:
    assert of_texts(texts).type == kind


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("vip", "vip"),
        ("customer.firstName", "customer_first_name"),
        ('customer["e-mail"]', "customer_e_mail"),
        ("a__b", "a_b"),
        ('["1st"]', "column_1st"),
        ('["é"]', "column"),
        ("load_id", "column_load_id"),
        ("x" * 80, "x" * 60),
    ],
)
def test_the_name_is_one_that_a_contract_takes(path: str, name: str) -> None:
    assert column_name(path) == name


def test_a_line() -> None:
    assert line("vip", "boolean") == "vip: boolean"
    assert line("total", "decimal(18,2)") == 'total: "decimal(18,2)"'
    assert line("customer.vip", "boolean") == "customer_vip: {path: customer.vip, type: boolean}"
    assert line("items[].colour", "varchar(16)") == "colour: varchar(16)"
    assert line("items[].size.eu", "bigint") == "size_eu: {path: size.eu, type: bigint}"
