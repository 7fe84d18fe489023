"""Contracts that differ in all that a contract may say, each with records whose keys and values are nasty."""

from __future__ import annotations

import gzip
import json
from typing import Any

COLUMNS = {
    "every_type": [
        *("a_smallint: smallint", "b_integer: integer", "c_bigint: bigint", "d_decimal: decimal(12,2)"),
        *("e_real: real", "f_double: double precision", "g_boolean: boolean", "h_date: date"),
        *("i_timestamp: timestamp", "j_char: char(3)", "k_varchar: varchar(20)", "l_super: super"),
        *("m_wide: decimal(38,37)", "n_fraction: decimal(2,2)"),
    ]
}  # fmt: skip
_TYPES = "\n".join(f"  {line}" for line in COLUMNS["every_type"])
_ELEMENTS = "\n".join(f"      {line}" for line in COLUMNS["every_type"])
_FORTY = "\n".join(f"  c{n}: {{type: varchar(64), path: 'Camel-{n}'}}" for n in range(40))

CONTRACTS: dict[str, str] = {
    # Every type, at top level and inside of arrays; a composite key, and a newest that is no time.
    "every_type": f"""\
description: Every type
files: [every_type/*.json, every_type/*.ndjson]
key: [b_integer, j_char]
newest: c_bigint
columns:
{_TYPES}
tables:
  elements_of_every_type:
    each: deep.er["a b"]
    columns:
{_ELEMENTS.replace("b_integer", "b_int").replace("j_char", "j_ch")}
history: true
""",
    # Reserved words, as names of columns and as keys of records; a key of three, and two tables.
    "reserved": """\
description: Reserved words
files: reserved/*.jsonl
key: [order, user, table]
newest: timestamp
columns:
  order: integer
  user: varchar(9)
  table: date
  timestamp: timestamp
  default: {type: varchar(20), path: [Select, 'group["a.b"]', '["a-b"].from']}
  end: super
  on: boolean
  place: varchar(20)
  s: varchar(20)
  p: varchar(20)
  i: varchar(20)
  k: integer
tables:
  first_of_reserved:
    each: Group.Desc
    columns:
      desc: {type: integer, path: Limit}
      tag: {type: varchar(20), path: '["a.b"]["c d"]'}
      v: {type: boolean, path: V}
  second_of_reserved:
    each: '["with blanks"]'
    columns: {from: {type: varchar(20), path: .}}
deleted: {default: [D, "it's"], on: false}
checks:
  order: [not null, ">= 0", "!= 7777"]
  default: "not in (\\"it's not\\", 'a;b', '--')"
  timestamp: between 2000-01-01 and 2100-01-01 00:00:01
  second_of_reserved.from: "!= x'; DROP TABLE y"
history: true
""",
    "one_column": """\
description: One column and nothing else
files: one_column/*.json
columns: {a: super}
""",
    "forty_columns": f"""\
description: Forty columns, no key, and two tables of arrays
files: forty_columns/*.json
columns:
{_FORTY}
tables:
  forty_a: {{each: a, columns: {{x: integer}}}}
  forty_b: {{each: b, columns: {{y: {{path: ., type: super}}}}}}
""",
    "only_a_key": """\
description: A key, and nothing says which version is the newest
files: only_a_key/*.json
key: k
newest: none
columns: {k: varchar(64), was: timestamp, others: integer, note: {type: varchar(8), too_long: truncate}}
tables: {tags: {each: tags, columns: {tag: {path: ., type: varchar(9)}}}}
deleted: {others: 0}
""",
    "formats": """\
description: Formats of times, and values out of the key
files: formats/*.json
key: at
newest: seconds
columns:
  at: {type: timestamp, format: "DD.MM.YYYY HH24:MI:SS"}
  seconds: {type: timestamp, format: epoch_seconds}
  millis: {type: timestamp, format: epoch_milliseconds, path: [ms, deep.ms]}
  day: {type: date, format: epoch_seconds}
  us: {type: date, format: MM/DD/YYYY}
  dt: {type: date, from_key: dt}
  hour: {type: smallint, from_key: Hour}
""",
    "tabs": """\
description: CSV with tabs
files: tabs/*.tsv
key: id
newest: at
columns: {id: {type: varchar(9), path: "The Id"}, at: timestamp, n: integer, ok: boolean, doc: super}
""",
    "strange_csv": """\
description: CSV without a header, with strange characters
files: [strange_csv/*.csv, strange_csv/*.txt]
csv: {delimiter: ";", quote: "|", "null": "it's", header: false}
columns: {a: varchar(20), b: integer, c: "decimal(5,1)", d: {type: date, format: YYYY-MM-DD}}
""",
}


def _every_type(number: int, **more: Any) -> dict[str, Any]:
    record = {
        "a_smallint": -32768,
        "b_integer": number,
        "c_bigint": 9223372036854775807,
        "d_decimal": 9999999999.99,
        "e_real": 0.5,
        "f_double": "-1.5e3",
        "g_boolean": True,
        "h_date": "2024-02-29",
        "i_timestamp": "2026-11-28T07:00:15.25+01:30",
        "j_char": "EUR",
        "k_varchar": "Zoë 'quoted' \"x\"",
        "l_super": {"Camel": [1, {"a.b": None}], "": "ü"},
        "m_wide": "-1.0000000000000000000000000000000000001",
        "n_fraction": ".25",
    }
    renamed = {"b_integer": "b_int", "j_char": "j_ch"}
    element = {renamed.get(name, name): value for name, value in record.items()}
    empty = dict.fromkeys(element)
    texts = {
        name: str(value) for name, value in element.items() if name not in ("l_super", "g_boolean")
    }
    array = [
        element,
        empty,
        {},
        texts,
        {"g_boolean": "NO", "a_smallint": "7.0", "d_decimal": "1.500"},
    ]
    return {**record, "deep": {"er": {"a b": array}}, **more}


def _reserved(number: int, **more: Any) -> dict[str, Any]:
    return {
        "order": number,
        "user": "ann  ",
        "table": "2026-11-28",
        "timestamp": "2026-11-28",
        "Select": None,
        "group": {"a.b": "by the second path"},
        "a-b": {"from": "by the third"},
        "end": [1, "two", None],
        "on": True,
        "place": "here", "s": "s", "p": "p", "i": "i", "k": 1,
        "Group": {"Desc": [{"Limit": 1, "limit": 2, "a.b": {"c d": "yes"}, "V": "t"}, 7, "text", None, {"V": 0}]},
        "with blanks": ["a", 1, True, None, "ü"],
        **more,
    }  # fmt: skip


def _lines(*records: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records).encode()


FILES: dict[str, bytes] = {
    "every_type/a.json": _lines(_every_type(1), _every_type(2, c_bigint=1)),
    "every_type/b.ndjson": _lines(
        _every_type(2, c_bigint=2, l_super=None, deep={"er": {"a b": []}}),
        {"b_integer": 3, "j_char": "x", "c_bigint": 0},
        _every_type(4, deep=None, g_boolean="f", f_double=1e300, d_decimal="-.5"),
        _every_type(1, l_super=[], k_varchar="", deep={}),
    ),
    "reserved/a.jsonl": _lines(
        _reserved(1), _reserved(2), _reserved(3, Select="D"), _reserved(4, on=False)
    ),
    "reserved/b/c.jsonl.gz": gzip.compress(
        _lines(
            _reserved(1, user="ann", timestamp="2026-11-29T00:00:00Z", Group=None),
            _reserved(2, timestamp="2026-11-27 23:59:59.999999", **{"with blanks": ["old"]}),
            _reserved(3, user="bo", Select=None, group={}, **{"a-b": {"from": "it's"}}),
            _reserved(5, Select=None, group=None),
        ),
        mtime=0,
    ),
    "one_column/a.json": _lines({"a": {"A": 1}}, {"a": "text"}, {"a": 7}, {"b": 1}, {"a": None}),
    "forty_columns/a.json": _lines(
        {f"Camel-{n}": f"v{n}" for n in range(40)},
        {"Camel-0": "x", "a": [{"x": 1}, {"x": "2"}], "b": [[1], {"A": {}}, "t", None]},
        {"a": [], "b": None},
    ),
    "only_a_key/a.json": _lines(
        {"k": "1", "was": "2026-11-28T07:00:00+0100", "others": 5, "note": "much too long", "tags": ["x", "y"]},
        {"k": "2", "others": 0},
        {"k": "2", "others": 1},
    ),
    "only_a_key/b.json": _lines(
        {"k": "1", "was": "2026-11-28T06:00:00Z", "others": 5, "note": "much to", "tags": []},
        {"k": "1", "was": "2026-11-28T06:00:00Z", "others": 5, "note": "much to", "tags": ["a"]},
        {"k": "3 ", "note": "ééééé"},
    ),
    "formats/dt=2026-11-28/Hour=07/a.json": _lines(
        {"at": "28.11.2026 07:00:15", "seconds": 1795849215, "ms": 1795849215250, "day": "0", "us": "11/28/2026"},
        {"at": "29.11.2026 07:00:15", "seconds": "1795849215.5", "deep": {"ms": "-1"}, "us": None},
    ),
    "formats/dt=__HIVE_DEFAULT_PARTITION__/Hour=%31/b.json": _lines(
        {"at": "28.11.2026 07:00:15", "seconds": 1795849216}
    ),
    "tabs/a.tsv": b'N\tat\tthe id\tdoc\tok\n1\t2026-11-28\ta\t"{""A"": 1}"\tyes\n\t2026-11-29\ta\t\t\n',
    "strange_csv/a.csv": b"|a;||'b|;1;1.0;2026-11-28\n;;;\nit's;2;-0.5;\n",
    "strange_csv/b.txt": b"x;3;|9999.9|;2026-11-29\n",
}  # fmt: skip
