"""Files of contracts whose keys collide and whose values are nasty: few keys, few moments, several ways to write each.

Whether a file is bad says the oracle (tests/world/contract_oracle.py), which knows nothing of how it was made.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import strategies as st

from tests.world import contract_oracle
from tests.world.files import weighted
from tests.world.trees import contract_of

TEXTS: dict[str, str] = {
    # Updates, deletions and history; keys in camel case, with dots, dashes and blanks, and reserved words.
    "orders": """\
description: Orders with updates, items and deletions
files: orders/*.jsonl
key: [order_id]
newest: updated_at
columns:
  order_id: {path: '["order-id"]', type: varchar(8)}
  updated_at: {path: updatedAt, type: timestamp}
  status: varchar(12)
  total: decimal(8,2)
  email: {path: 'Customer["e.mail"]', type: varchar(20)}
  note: {path: [Customer.Note, '["the note"]'], type: varchar(6), too_long: truncate}
  op: varchar(1)
  extra: {path: select, type: super}
tables:
  order_items:
    each: items
    columns:
      sku: {path: '["SKU-no"]', type: varchar(6)}
      qty: {path: Qty, type: integer}
      price: {path: '["a.b"]["unit price"]', type: "decimal(6,2)"}
      order: {type: boolean}
deleted: {op: D}
history: true
checks: {order_items.qty: ">= 0", status: "!= 'it''s'"}
""",
    # A key of two columns, and nothing says which version is the newest: the smaller content.
    "stock": """\
description: Stock by shop and article
files: stock/*.json
key: [shop, article]
newest: none
columns:
  shop: {path: Shop.Id, type: smallint}
  article: {path: Article, type: char(4)}
  counted: {type: timestamp, format: epoch_milliseconds}
  pieces: integer
tables: {stock_tags: {each: tags, columns: {tag: {path: ., type: varchar(5)}}}}
""",
    # No key: each row of each file, with its elements.
    "clicks": """\
description: Clicks, appended
files: clicks/*.json
columns: {at: timestamp, page: varchar(12), more: super}
tables:
  click_steps:
    each: Steps
    columns: {step: {path: Name, type: varchar(5)}, ms: {path: '["t-ms"]', type: bigint}}
""",
    "rates": """\
description: Rates as CSV
files: [rates/*.csv]
key: currency
newest: day
csv: {delimiter: ";", quote: "|", "null": "n/a"}
columns:
  currency: {path: "The currency", type: char(3)}
  day: {type: date, format: DD.MM.YYYY}
  rate: decimal(9,4)
  note: varchar(9)
history: true
""",
}
CONTRACTS = {name: contract_of(name, text) for name, text in TEXTS.items()}
MISSING: Any = "(missing)"


@dataclass(frozen=True)
class OwnFile:
    """A file of a contract, by its key: JSON objects (pretty: over several lines), or rows of CSV."""

    key: str
    records: tuple[Mapping[str, Any], ...] = ()
    cut: int = 0  # bytes that are missing at its end

    @property
    def dataset(self) -> str:
        return self.key.partition("/")[0]

    @cached_property
    def body(self) -> bytes:
        made = self._csv() if self.dataset == "rates" else self._json()
        made = made[: len(made) - self.cut] if self.cut else made
        return gzip.compress(made, mtime=0) if self.key.endswith(".gz") else made

    @cached_property
    def bad(self) -> str:
        return contract_oracle.judge(CONTRACTS[self.dataset], self.key, self.body)

    def _json(self) -> bytes:
        return "".join(
            f"{json.dumps(record, ensure_ascii=number % 2 == 0, indent=1 if number % 3 == 2 else None)}\n"
            for number, record in enumerate(self.records)
        ).encode()

    def _csv(self) -> bytes:
        text = io.StringIO()
        names = ["Day", "rate", "the CURRENCY", "Note"]
        names = names if len(self.records) % 2 else names[::-1]
        writer = csv.writer(text, delimiter=";", quotechar="|", lineterminator="\n")
        writer.writerow(names)
        for record in self.records:
            lower = {name.lower(): value for name, value in record.items()}
            writer.writerow([lower[name.lower()] for name in names])
        return text.getvalue().encode()


# The first of each: good, and loaded before anything else.
FIRST = (
    OwnFile("orders/first.jsonl", ({"order-id": "0", "updatedAt": "2026-11-01", "items": [{"SKU-no": "a"}]},)),
    OwnFile("stock/first.json", ({"Shop": {"Id": 0}, "Article": "A", "pieces": 1, "tags": ["x"]},)),
    OwnFile("clicks/first.json", ({"at": "2026-11-01", "Steps": [{"Name": "in", "t-ms": 5}]},)),
    OwnFile("rates/first.csv", ({"The currency": "XXX", "Day": "01.11.2026", "Rate": "1", "Note": ""},)),
)  # fmt: skip
KEYS = {
    "orders": ("orders/a.jsonl", "orders/2026/b 'ü' \"+%20;--.jsonl", "orders/c.jsonl.gz"),
    "stock": ("stock/a.json", "stock/b.json.gz"),
    "clicks": ("clicks/a.json", "clicks/b.json"),
    "rates": ("rates/a.csv", "rates/b.csv.gz"),
}


def rarely(usual: st.SearchStrategy[Any], *odd: Any) -> st.SearchStrategy[Any]:
    """One of the odd values in every twentieth case."""
    return weighted((19, usual), (1, st.sampled_from(odd)))


def record(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of these fields, without those that are MISSING; ``__`` stands for a dash, ``_0`` for a dot, ``_1`` for a
    blank in a key.
    """

    def named(drawn: dict[str, Any]) -> dict[str, Any]:
        return {
            name.replace("__", "-").replace("_0", ".").replace("_1", " "): value
            for name, value in drawn.items()
            if value is not MISSING
        }

    return st.fixed_dictionaries(fields).map(named)


some = st.sampled_from
maybe = (MISSING, None)
# The same moments, written in several ways.
moments = some(
    [
        "2026-11-27T05:00:00Z", "2026-11-27T06:00:00+01:00", "2026-11-27 05:00:00.000", "2026-11-27T03:30-0130",
        "2026-11-28", "2026-11-28T00:00:00.000001Z", "2026-11-28T00:00:00+00", "2026-11-28T00:00:00.000002",
    ]
)  # fmt: skip
items = record(
    SKU__no=rarely(some(["a", "a ", "ü", "SKU-1", *maybe]), "SKU-123"),
    Qty=rarely(some([0, 1, "2", "3.0", 2.0, "", *maybe]), "three", 1.5, -1, [1], 2**31),
    a_0b=some([MISSING, 7, {"unit price": 9.5}, {"unit price": "1234.500"}, {"Unit price": 1}]),
    order=rarely(some([True, "no", 1, None, MISSING]), "maybe"),
)
orders = record(
    order__id=rarely(some(["1", "2", "2  ", 3, "é"]), *maybe, "  ", "too long a key"),
    updatedAt=rarely(moments, *maybe, "27.11.2026 15:37:53Z", "2026-02-30", 1795849215, ""),
    status=rarely(some(["placed", "paid", "paid ", "", *maybe]), "it's", "ü" * 7),
    total=rarely(some([1, 2.5, "2.50", "-.5", 100000.25, "1e3", "", *maybe]), "1.005", 1e6, "two", {}),
    Customer=rarely(
        record(e_0mail=some(["a@b.de", "Zoë <z@b>", *maybe]), Note=some(["abc", "abcdefg", "éééé", *maybe])),
        None, "guest",
    ),
    the_1note=some(["other", *maybe]),
    op=some(["U", "U", "D", *maybe]),
    select=some([1, "x", {"A": [1, {"b.c": None}]}, {"A": [1]}, [], *maybe]),
    items=rarely(st.lists(items, max_size=3), *maybe, {}, "none", 5),
    unknown=some([1, MISSING]),
)  # fmt: skip
stock = record(
    Shop=rarely(some([{"Id": 1}, {"Id": 2}, {"Id": "1"}]), {"id": 1}, {"Id": 40000}, 1, None),
    Article=rarely(some(["A", "A ", "BBBB"]), "ÄÄ", "toolong", None),
    counted=rarely(some([0, 1795849215250, "-1", *maybe]), "2026-11-28", 10**15),
    pieces=rarely(some([0, 1, "2", *maybe]), 1.5, "x"),
    tags=rarely(
        st.lists(some(["a", "b", 1, True, None, "ü"]), max_size=2), *maybe, {}, ["too long"]
    ),
)
clicks = record(
    at=rarely(st.one_of(moments, st.none()), "soon"),
    page=some(["/", "/ü", "", *maybe]),
    more=some([{"a": 1}, *maybe]),
    Steps=rarely(
        st.lists(record(Name=some(["in", "out", *maybe]), t__ms=rarely(some([1, "2", None]), "1s")), max_size=2), 7
    ),
)  # fmt: skip
rates = st.fixed_dictionaries(
    {
        "The currency": rarely(some(["EUR", "USD", "X"]), "", "EURO"),
        "Day": rarely(some(["27.11.2026", "28.11.2026"]), "2026-11-28", "", "31.02.2026"),
        "Rate": rarely(
            some(["1", "1.0", "-.25", "12345.6789", "n/a", ""]), "1,5", "1.00001", "123456"
        ),
        "Note": rarely(some(["", "n/a", "a;b", "a|b", "ü", " x "]), "0123456789"),
    }
)
RECORDS = {"orders": orders, "stock": stock, "clicks": clicks, "rates": rates}


def files_of(datasets: tuple[str, ...]) -> st.SearchStrategy[OwnFile]:
    """Files of these datasets."""
    return some([key for name in datasets for key in KEYS[name]]).flatmap(
        lambda key: st.builds(
            OwnFile,
            st.just(key),
            st.lists(RECORDS[key.partition("/")[0]], max_size=3).map(tuple),
            rarely(st.just(0), 3) if not key.startswith("rates") else st.just(0),
        )
    )


def parts(names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Name and dataset.yaml of these."""
    return ((name, TEXTS[name]) for name in names)
