"""Masks in a contract: which are refused, and what is made of the others."""

import json
import re
from pathlib import Path

import pytest

from contracts import generate, reading
from contracts.document import ContractError
from contracts.model import Contract

BASE = """\
description: d
files: shop/*.{ending}
columns:
  {column}
"""


def read(text: str) -> Contract:
    found = reading.parse(text, "shop", Path("dataset.yaml"), shown="dataset.yaml")
    assert isinstance(found, Contract)
    return found


def made(text: str) -> dict[str, str]:
    return generate.files(read(text))


def of(column: str, ending: str = "jsonl") -> str:
    return BASE.format(column=column, ending=ending)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (of("a: {type: super, mask: hash}"), "4: columns.a.mask: a super value has no hash"),
        (of("a: {type: real, mask: hash}"), "columns.a.mask: a real has no exact text to hash"),
        (of("a: {type: float, mask: hash}"), "a double precision has no exact text to hash"),
        (of("a: {type: varchar(65500), mask: hash}"), "more than 65471 bytes cannot be hashed"),
        (of("a: {type: varchar(9), mask: hash, too_long: truncate}"), "columns.a.mask: a text that is cut"),
        (of("a: {type: date, from_key: dt, mask: hash}"), "columns.a.mask: the value is in the object's key"),
        (of("a: {type: date, from_key: dt, mask: drop}"), "columns.a.mask: the value is in the object's key"),
        (of("a: {type: date, mask: none}"), 'columns.a.mask: "none" is not allowed; allowed are hash, drop'),
        (
            of("all: {path: person, type: super}\n  mail: {path: person.mail, type: varchar(9), mask: hash}"),
            "4: columns.all: it takes person unmasked, and mail masks person.mail",
        ),
        (
            of("text: {path: person, type: varchar(99)}\n  mail: {path: [x, person.mail], type: date, mask: drop}"),
            "4: columns.text: it takes person unmasked, and mail masks person.mail",
        ),
        (
            of("mail: {type: varchar(9), mask: hash}\n  again: {path: mail, type: varchar(9)}"),
            "5: columns.again: it takes mail unmasked",
        ),
        (
            of("list: super\ntables:\n  cards: {each: list, columns: {no: {type: bigint, mask: hash}}}"),
            "4: columns.list: it takes list unmasked, and no masks list[0].no",
        ),
        (
            of(
                "a: bigint\ntables:\n  cards: {each: list, columns: {no: {path: n.o, type: bigint, mask: drop},"
                " whole: {path: ., type: super}}}"
            ),
            "tables.cards.columns.whole: it takes list[0] unmasked, and no masks list[0].n.o",
        ),
        (of("a: {type: bigint, mask: drop}") + "key: a\nnewest: none\n", "a is dropped (mask: drop)"),
        (of("a: bigint\n  b: {type: date, mask: hash}") + "key: a\nnewest: b\n", "b must not be masked"),
        (of("a: {type: bigint, mask: hash}") + "checks: {a: '>= 1'}\n", "the column is masked"),
        (of("a: bigint\n  b: {type: bigint, mask: hash}") + "key: a\nnewest: none\ndeleted: {b: 1}\n", "is masked"),
    ],
)  # fmt: skip
def test_refused(text: str, said: str) -> None:
    with pytest.raises(ContractError, match=re.escape(said)):
        read(text)


def test_other_keys_of_an_object_may_be_taken_beside_a_masked_one() -> None:
    read(
        of(
            "id: {path: person.id, type: bigint}\n  mail: {path: person.mail, type: varchar(9), mask: hash}"
        )
    )
    read(of("id: {path: person.id, type: bigint}\n  rest: {path: person, type: super, mask: drop}"))


def test_a_dropped_column_of_json_is_not_even_copied_and_no_unknown_key() -> None:
    files = made(of("a: bigint\n  secret: {type: date, format: 'DD.MM.YYYY', mask: drop}"))
    assert "secret" not in "".join(text for name, text in files.items() if name != "dataset.json")
    assert "DATEFORMAT" not in files["copy.sql"]
    said = json.loads(files["dataset.json"])
    assert said["paths"] == ["$['a']", "$['secret']"]
    assert said["masks"] == [{"column": "shop.secret", "mask": "drop"}]


def test_a_dropped_column_of_csv_lands_as_text_and_goes_no_further() -> None:
    files = made(of("a: bigint\n  secret: {type: date, mask: drop}", "csv"))
    stage, *results = files["tables.sql"].split("CREATE TABLE IF NOT EXISTS ")[1:]
    assert "secret VARCHAR(65535)" in stage
    assert "secret" in files["copy.sql"]
    assert not [text for text in results if "secret" in text]
    assert "secret" not in files["stage/10_typed.sql"]


def test_a_masked_time_is_no_sort_key_and_a_masked_key_is_the_childs() -> None:
    files = made(of("at: {type: timestamp, mask: hash}\n  a: bigint"))
    assert "SORTKEY" not in files["tables.sql"]
    keyed = (
        of("id: {type: bigint, mask: hash}\n  list: {path: other, type: super}")
        + "key: id\nnewest: none\ntables:\n  cards: {each: list, columns: {no: bigint}}\n"
    )
    tables = made(keyed)["tables.sql"]
    assert tables.count("    id VARCHAR(64)") == 6  # in all but the landing table
    assert tables.count("    id BIGINT") == 1


def test_without_masks_nothing_is_made_of_them() -> None:
    files = made(of("a: bigint"))
    assert not [name for name in files if "mask" in name]
    assert "masks" not in json.loads(files["dataset.json"])
    assert "mask_key" not in "".join(files.values())
