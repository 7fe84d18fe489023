"""Nasty samples, and what add makes of each: the types wanted, the key, and what it must say."""

import bz2
import gzip
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from contracts import generate
from contracts.add import fitting, proposing
from contracts.add.proposing import Proposal, Wishes
from contracts.model import Column, Contract
from contracts.reading import parse

zstd = importlib.import_module(
    "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
)
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Added:
    """What add made. contract: as reading.py reads the file that it wrote."""

    proposal: Proposal
    contract: Contract
    text: str
    decided: list[str] = field(default_factory=list)

    def column(self, name: str) -> Column:
        """Of the dataset's table, or ``table.column``."""
        table, _, last = name.rpartition(".")
        of_tables = {child.name: child.columns for child in self.contract.children}
        columns = of_tables[table] if table else self.contract.columns
        return next(column for column in columns if column.name == last)

    def type(self, name: str) -> str:
        """As a contract writes it, with its format."""
        column = self.column(name)
        shown = str(column.type).lower().replace(", ", ",")
        return shown if column.format == "auto" else f"{shown} {column.format}"

    @property
    def said(self) -> str:
        """All that is told to look at."""
        return "\n".join([*self.proposal.warnings, *self.proposal.bad, *self.decided])


def added(
    folder: Path,
    files: Mapping[str, str | bytes],
    name: str = "things",
    wishes: Wishes | None = None,
) -> Added:
    samples, work = folder / "samples", folder / "work"
    for key, content in files.items():
        path = samples / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    work.mkdir(parents=True)
    decided: list[str] = []

    def ask(question: str, answers: Sequence[tuple[str, str]]) -> str:
        decided.append(f"{question} Decided: {answers[0][1]}")
        return answers[0][0]

    proposal = proposing.propose(name, [str(samples)], work, wishes or Wishes(), ask)
    text = fitting.fitted(proposal, ROOT / "sql", folder / name / "dataset.yaml")
    contract = parse(text, name, folder / name / "dataset.yaml")
    assert isinstance(contract, Contract)
    assert generate.files(contract)
    return Added(proposal, contract, text, decided)


def lines(*records: Any) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def of(column: str, values: Sequence[Any]) -> str:
    """Records with this key, beside another that says nothing."""
    return lines(*({"n": "x", column: value} for value in values))


@dataclass(frozen=True)
class Case:
    """types: wanted for columns; said: what must be in the warnings; unsaid: what must not."""

    files: Mapping[str, str | bytes]
    types: Mapping[str, str] = field(default_factory=dict)
    said: Sequence[str] = ()
    unsaid: Sequence[str] = ()
    key: Sequence[str] | None = None
    newest: str | None = None
    rows: int | None = None


def one(column: str, values: Sequence[Any], wanted: str, said: str = "", name: str = "") -> Case:
    return Case({"a.jsonl": of(column, values)}, {name or column: wanted}, [said] if said else [])


MIXED = ["2026-11-28T07:00:15Z", "2026-11-28T07:00:15+05:30", "2026-11-28 07:00:15.123456-0800"]
CASES: dict[str, Case] = {
    # texts that look like numbers
    "ids with leading zeros": one("part", ["007", "008", "123"], "varchar(32)"),
    "one leading zero among many": one(
        "part", ["0123", *map(str, range(1000, 1999))], "varchar(32)"
    ),
    "quoted ids": one("customer_id", ["1001", "1002"], "varchar(32)"),
    "zip codes of CSV": Case(
        {"a.csv": "zip,qty\n90210,1\n10115,2\n"}, {"zip": "varchar(32)", "qty": "integer"}
    ),
    "phone numbers": one(
        "phone", ["+49 30 123456", "+1 212 555 0100"], "varchar(32)", "phone number"
    ),
    "quoted money": one("price", ["12.50", "3.99"], "decimal(12,2)"),
    "a text in two bytes a letter": one("word", ["żółw" * 5], "varchar(128)"),
    "a text of the most bytes": one("body", ["x" * 65535], "varchar(65535)"),
    "a text of more": one("body", ["x" * 65536], "varchar(65535)", "its row is bad"),
    "uuids": one("session", ["6f1c0f6e-3b0a-4c1d-9f55-0a8b1f2c3d4e"] * 2, "varchar(64)"),
    # numbers
    "flags": one("active", [0, 1, 1], "smallint"),
    "always one": one("songs", [1, 1, 1], "integer"),
    "digits after the point, with headroom": one("volts", [3.256, 3.2], "decimal(12,4)"),
    "booleans": one("active", [True, False, None], "boolean"),
    "booleans as text": one("active", ["true", "FALSE"], "boolean"),
    "yes and no": one("active", ["yes", "no"], "varchar(32)"),
    "small numbers": one("qty", [1, 2, 30], "integer"),
    "numbers near the end of an integer": one("views", [2_000_000_000], "bigint"),
    "big ids": one("tweet_id", [1234567890123456789], "decimal(20,0)"),
    "numbers beyond a bigint": one("value", [12345678901234567890123], "decimal(24,0)"),
    "numbers beyond a decimal": one("value", [10**45], "varchar(128)"),
    "a negative number": one("balance", [-5, 17], "integer"),
    "money": one("total", [12.5, 3.99, 100], "decimal(12,2)"),
    "float noise": one("total", [0.1 + 0.2, 12.5], "double precision"),
    "coordinates": one("lat", [52.520008, 13.404954], "double precision"),
    "exponents": one("mass", [1.5e300, 2.0e-7], "double precision"),
    "whole numbers written as floats": one("count", [1.0, 2.0, None], "integer"),
    "numbers, some quoted": one("qty", [1, "2", 3], "integer"),
    "late texts": one(
        "size", [*range(99), "12 MB"], "varchar(32)", "99 numbers, 1 text (such as '12 MB')"
    ),
    "NaN": Case(
        {"a.jsonl": '{"n":"x","v":1.5}\n{"n":"x","v":NaN}\n'}, {"v": "decimal(12,2)"}, ["not JSON"]
    ),
    # times
    "mixed offsets": one("placed", MIXED, "timestamp"),
    "some without zone": one("placed", [*MIXED, "2026-11-28T07:00:15"], "timestamp", "1 have none"),
    "dates": one("day", ["2026-11-28", "2026-02-28"], "date"),
    "a day that does not exist": one(
        "day", ["2026-11-28", "2026-02-30"], "varchar(32)", "several kinds"
    ),
    "late not-times": one(
        "placed", [*[MIXED[0]] * 99, "soon"], "varchar(64)", "1 text (such as 'soon')"
    ),
    "epoch seconds": one("created_at", [1764313215, 1764399615], "timestamp epoch_seconds"),
    "epoch milliseconds": one("ts", [1764313215123, 1764399615000], "timestamp epoch_milliseconds"),
    "milliseconds by a name that does not say it": one(
        "marker", [1764313215123], "bigint", "Are they milliseconds"
    ),
    "ids in the range of seconds": one("user_id", [1764313215, 1764399615], "bigint"),
    "seconds and milliseconds": one("ts", [1764313215, 1764313215123], "bigint", "are mixed"),
    "nanoseconds": one("ts", [1764313215123456789], "decimal(20,0)", "nanoseconds"),
    "day first by points": one("d", ["28.11.2026", "01.02.2026"], "date DD.MM.YYYY"),
    "month first, shown": one("d", ["11/28/2026", "01/02/2026"], "date MM/DD/YYYY"),
    "day first, shown": one("d", ["28/11/2026 10:30:00"], "timestamp DD/MM/YYYY HH24:MI:SS"),
    "day or month first": one(
        "d", ["01/02/2026", "03/04/2026"], "date MM/DD/YYYY", "No value shows it"
    ),
    "days and months in either order": one(
        "d", ["28/11/2026", "11/28/2026"], "varchar(32)", "either order"
    ),
    "days of eight digits": one("order_date", ["20261128", "20261129"], "date YYYYMMDD"),
    "two formats of dates": Case(
        {"a.jsonl": lines({"a": "28.11.2026", "b": "11/28/2026"})},
        {"a": "date DD.MM.YYYY", "b": "varchar(32)"},
        ["COPY reads one format"],
    ),
    # objects and arrays
    "nulls only": one("later", [None, None], "super", "is a guess"),
    "empty arrays": one("tags", [[], []], "super", "empty in all samples"),
    "arrays of texts": one("tags", [["a", "b"], []], "super"),
    "arrays of arrays": one("grid", [[[1], [2]]], "super"),
    "an object or a number": one("v", [{"a": 1}, 5], "super", "several kinds"),
    "empty objects": one("meta", [{}, {}], "super"),
    "keys that are values": one(
        "stock", [{f"SKU-{i:04}": i for i in range(n, n + 6)} for n in (1, 7, 40)], "super"
    ),
    "days as keys": one("by_day", [{f"2026-11-{d:02}": 1 for d in range(1, 8)}] * 3, "super"),
    "numbered keys that are always there": Case(
        {"a.jsonl": lines(*[{"address": {f"line{i}": "x" for i in range(1, 7)}}] * 3)},
        {"address_line1": "varchar(32)", "address_line6": "varchar(32)"},
    ),
    "a table of an array": Case(
        {
            "a.jsonl": lines(
                {"id": 1, "items": [{"sku": "a", "qty": 1}]},
                {"id": 2, "items": [{"sku": "b", "qty": 2, "id": 7}]},
            )
        },
        {
            "thing_items.sku": "varchar(32)",
            "thing_items.qty": "integer",
            "thing_items.item_id": "bigint",
        },
        key=["id"],
    ),
    "more arrays than a transaction has room for": Case(
        {
            "a.jsonl": lines(
                *({"id": n, **{f"list_{i}": [{"x": 1}] * i for i in range(1, 9)}} for n in range(9))
            )
        },
        {"list_1": "super", "thing_list_8.x": "integer"},
        ["no table of list_1"],
        key=["id"],
    ),
    "arrays inside of arrays": Case(
        {"a.jsonl": lines({"id": 1, "items": [{"sku": "a", "parts": [{"x": 1}]}]})},
        {"thing_items.sku": "varchar(32)", "thing_items.parts": "super"},
    ),
    "a dotted date in an array": Case(
        {"a.jsonl": lines({"id": 1, "items": [{"d": "28.11.2026"}]})},
        {"thing_items.d": "varchar(32)"},
        ["elements of arrays have no format"],
    ),
    "deep nesting": Case(
        {"a.jsonl": lines({"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}, "n": 1})},
        {"a_b_c_d_e_f": "super", "n": "integer"},
    ),
    "a key that comes late": Case(
        {"a.jsonl": lines(*[{"a": 1}] * 6000, {"a": 1, "late": {"b": [{"c": "x"}], "d": 2.25}})},
        {"late_d": "decimal(12,2)", "thing_b.c": "varchar(32)"},
        unsaid=["there twice"],
    ),
    # keys
    "camel case": one("shipToZIP", ["x1"], "varchar(32)", name="ship_to_zip"),
    "dashes, dots, blanks and quotes": Case(
        {"a.jsonl": lines({"e-mail x": "a", "a.b": "b", 'say "hi"': "c", "%": 5})},
        {
            "e_mail_x": "varchar(32)",
            "a_b": "varchar(32)",
            "say_hi": "varchar(32)",
            "pct": "integer",
        },
    ),
    "a key that no path can name": Case(
        {"a.jsonl": lines({"ok": 1, "it's": 2, "m": {"": 1, "b": 2}})},
        {"ok": "integer", "m": "super"},
        ["it's"],
    ),
    "unicode keys": Case(
        {"a.jsonl": lines({"größe": 5, "名前": "x", "Łódź": 2})},
        {"grosse": "integer", "column_2": "varchar(32)", "lodz": "integer"},
    ),
    "reserved words": Case(
        {"a.jsonl": lines({"order": 5, "user": "x", "load_id": 3, "1st": 2})},
        {
            "order_": "integer",
            "user_": "varchar(32)",
            "source_load_id": "bigint",
            "c_1st": "integer",
        },
    ),
    "a key in another case": Case(
        {"a.jsonl": lines(*[{"userId": 5}] * 3), "b.jsonl": lines(*[{"UserID": 700}] * 2)},
        {"user_id": "bigint"},
        ["userId and UserID are one column"],
    ),
    "two keys of one name in a record": Case(
        {"a.jsonl": lines({"userId": 5, "user_id": "x"})},
        {"user_id": "bigint", "user_id_2": "varchar(32)"},
        ["some records have both"],
    ),
    "a key that was renamed": Case(
        {"a.jsonl": lines(*[{"repo": {"name": "a/b"}}] * 3, *[{"repo": {"full_name": "a/c"}}] * 2)},
        {"repo_name": "varchar(32)", "repo_full_name": "varchar(32)"},
        ["No record has both repo.name and repo.full_name"],
    ),
    "a key that is there twice": Case(
        {"a.jsonl": '{"a": 1, "a": 2}\n{"a": 3}\n'}, {"a": "integer"}, ["there twice in 1 records"]
    ),
    # files
    "pretty-printed objects": Case(
        {
            "a.json": "".join(
                json.dumps({"a": {"b": n}, "c": "}{"}, indent=2) + "\n" for n in range(3)
            )
        },
        {"a_b": "integer", "c": "varchar(32)"},
        rows=3,
        unsaid=["not JSON"],
    ),
    "several objects on a line": Case(
        {"a.json": '{"a": 1}{"a": 2} {"a": 3}\n'}, {"a": "integer"}, rows=3
    ),
    "a bad line": Case(
        {"a.jsonl": '{"a": 1}\n{"a": \n{"a": 3}\nhello\n[1]\n', "b.jsonl": '{"a": 4}\n'},
        {"a": "integer"},
        ["a.jsonl: line 2: not JSON", "line 4", "line 5: an array"],
        rows=3,
    ),
    "an empty file": Case(
        {"a.jsonl": "", "b.jsonl": '{"a": 1}\n'}, {"a": "integer"}, ["a.jsonl: empty"], rows=1
    ),
    "a byte order mark": Case(
        {"a.jsonl": b'\xef\xbb\xbf{"a": 1}\n'}, {"a": "integer"}, ["byte order mark"], rows=1
    ),
    "not UTF-8": Case(
        {"a.jsonl": b'{"a": 1}\n{"a": "\xff"}\n'}, {"a": "integer"}, ["line 2: not UTF-8"], rows=1
    ),
    "compressed files": Case(
        {
            "a.jsonl.gz": gzip.compress(b'{"a": 1}\n'),
            "b.jsonl.bz2": bz2.compress(b'{"a": 2}\n'),
            "c.jsonl.zst": zstd.compress(b'{"a": 3}\n'),
        },
        {"a": "integer"},
        rows=3,
    ),
    "a gz that is none": Case(
        {"a.jsonl.gz": b"plain", "b.jsonl": '{"a": 1}\n'},
        {"a": "integer"},
        ["a.jsonl.gz: not readable as .gz"],
        rows=1,
    ),
    "a gz that is cut": Case(
        {
            "a.jsonl.gz": gzip.compress(of("a", [*range(9000)]).encode())[:-2000],
            "b.jsonl": '{"a": 1}\n',
        },
        {"a": "integer"},
        ["a.jsonl.gz: not readable from some point on"],
    ),
    "a name with a pattern in it": Case({"a[1]*.jsonl": '{"a": 1}\n'}, {"a": "integer"}, rows=1),
    "files of different keys": Case(
        {"a.jsonl": '{"a": 1}\n', "b.jsonl": '{"b": "x"}\n'}, {"a": "integer", "b": "varchar(32)"}
    ),
    "files of another kind": Case(
        {"a.jsonl": '{"a": 1}\n', "b.jsonl": '{"a": 1}\n', "c.csv": "x\n1\n", "notes.md": "x"},
        {"a": "integer"},
        ["c.csv: not json", "notes.md"],
    ),
    "folders that say a day": Case(
        {"dt=2026-11-27/a.jsonl": '{"a": 1}\n', "dt=2026-11-28/a.jsonl": '{"a": 2}\n'},
        {"a": "integer", "dt": "date"},
    ),
    # CSV
    "semicolons, quotes, line ends in fields, a byte order mark": Case(
        {"a.csv": '\ufeffname;note;price\nAda;"say ""hi"";\nbye";1,5\nBo;"";2,5\n'},
        {"name": "varchar(32)", "note": "varchar(32)", "price": "varchar(32)"},
        rows=2,
    ),
    "tabs": Case({"a.tsv": "a\tb\n1\tx,y\n2\tz\n"}, {"a": "integer", "b": "varchar(32)"}, rows=2),
    "no header": Case(
        {"a.csv": "1,x,2026-11-28\n2,y,2026-11-29\n"},
        {"column_1": "integer", "column_3": "date"},
        rows=2,
    ),
    "a text for NULL": Case(
        {"a.csv": "a,b\n1,NULL\nNULL,2\n3,4\n"}, {"a": "integer", "b": "integer"}
    ),
    "headers with blanks and capitals": Case(
        {"a.csv": "Order ID,Unit Price\n5,1.25\n"},
        {"order_id": "bigint", "unit_price": "decimal(12,2)"},
    ),
    "a header with a name twice": Case(
        {"a.csv": "a,b,A\n1,2,3\n"}, {"a": "integer", "b": "integer"}, ["a second time"]
    ),
    "CSV files of different headers": Case(
        {"a.csv": "a,b\n1,x\n", "b.csv": "a,b\n5,x\n", "c.csv": "a,c\n2,2026-11-28\n"},
        {"a": "integer", "b": "varchar(32)", "c": "date"},
        ["another header"],
        rows=3,
    ),
    "a CSV file without the header of the others": Case(
        {"a.csv": "a,b\n1,x\n", "b.csv": "a,b\n5,x\n", "c.csv": "7,y\n8,z\n"},
        {"a": "integer"},
        ["c.csv: line 1: not the header"],
        rows=2,
    ),
    "big ids of CSV": Case({"a.csv": "tweet,n\n1234567890123456789,1\n"}, {"tweet": "bigint"}),
    "a CSV line with too many fields": Case(
        {"a.csv": "a,b\n1,2\n1,2,3\n4,5\n"}, {"a": "integer"}, ["a.csv: line 3"], rows=2
    ),
    "dates that are told apart by all rows": Case(
        {
            "a.csv": "d,v\n"
            + "".join(f"0{n % 9 + 1}/0{n % 8 + 1}/2026,1\n" for n in range(3000))
            + "31/01/2026,1\n"
        },
        {"d": "date DD/MM/YYYY"},
    ),
    # persons
    "e-mails": one(
        "contact", ["a@example.com", "b@example.org"], "varchar(32)", "an e-mail address"
    ),
    "addresses of machines": one(
        "client", ["10.0.0.1", "192.168.1.20"], "varchar(32)", "an IP address"
    ),
    "names of persons": Case(
        {"a.jsonl": lines({"customer": {"name": "Ada L."}, "repo": {"name": "x/y"}})},
        {"customer_name": "varchar(32)"},
        ["customer_name looks like"],
        unsaid=["repo_name looks like"],
    ),
    # keys of rows
    "a key with versions": Case(
        {
            "a.jsonl": lines(
                *(
                    {
                        "order_id": f"O{n % 40}",
                        "updated_at": f"2026-11-28T07:{n:02}:00Z",
                        "customer_id": n % 7,
                    }
                    for n in range(60)
                )
            )
        },
        key=["order_id"],
        newest="updated_at",
    ),
    "a key without versions": Case(
        {"a.jsonl": lines(*({"id": n, "v": 1} for n in range(50)))}, key=["id"], newest=""
    ),
    "a key of two columns": Case(
        {"a.jsonl": lines(*({"order_id": n // 3, "line_no": n % 3, "v": "x"} for n in range(90)))},
        key=["order_id", "line_no"],
    ),
    "records that came twice": Case(
        {
            "a.jsonl": lines(*({"id": n, "v": 1} for n in range(50))),
            "b.jsonl": lines(*({"id": n, "v": 1} for n in range(50))),
        },
        key=["id"],
        rows=100,
    ),
    "a key that two rows show": Case(
        {"a.jsonl": lines({"id": 1}, {"id": 2})}, key=["id"], said=["only 2 rows"]
    ),
    "an id that is missing once": Case(
        {"a.jsonl": lines(*({"id": n} for n in range(50)), {"id": None, "v": 2})}, key=[]
    ),
    "no key": Case(
        {
            "a.csv": "device_id,ts,v\n"
            + "".join(f"d{n % 2},2026-11-28T07:{n // 2:02}:00Z,{n}.5\n" for n in range(60))
        },
        key=[],
        said=["Does device_id, ts identify a row?"],
    ),
}


@pytest.mark.parametrize("title", CASES)
def test_sample(title: str, tmp_path: Path) -> None:
    case = CASES[title]
    made = added(tmp_path, case.files)
    assert {name: made.type(name) for name in case.types} == dict(case.types), made.text
    for said in case.said:
        assert said in made.said
    for unsaid in case.unsaid:
        assert unsaid not in made.said
    if case.rows is not None:
        assert made.proposal.rows == case.rows
    if case.key is not None:
        assert made.contract.key == tuple(case.key)
    if case.newest is not None:
        assert made.contract.newest == case.newest
