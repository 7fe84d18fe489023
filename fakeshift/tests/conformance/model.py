"""Conformance cases as data: the content of ``<area>/<topic>.toml``, validated when it is read.

A topic file has ``title``, ``page`` (the documentation page of its cases), perhaps ``where``, and
``[[case]]`` tables with the keys of ``Case``. An unknown key is an error, so that no expectation is lost by a typo.

Where a case may run is ``Case.where``, one of ``WHERE``:

- ``portable``: against any Redshift, as a user who may create a schema: the case uses nothing but its
  own schema, its session and (``needs_s3``) a bucket and a role that the caller provides.
- ``superuser``: against any Redshift, as a superuser: users, groups, roles and databases, which are
  outside every schema, or a view that only superusers read.
- ``local``: only here: features that fakeshift lacks (``refused``), and cases that name its
  database, workgroup or clock.

It is set by ``where`` of the case or of its file; without either, ``default_where`` derives it from
what the case uses. An ``approximate`` case is portable like others, but its expectation is this server's:
against Redshift only success or failure can be compared.
"""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import re
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).parent
STATUSES = ("exact", "approximate", "refused")
WHERE = ("portable", "superuser", "local")
NULL = {"null": True}
"""How an expected NULL is written: TOML has none."""


@dataclass(frozen=True)
class Case:
    """One rule of Redshift's, and the test that fakeshift keeps it.

    ``setup`` statements run one by one, and those listed in ``fails`` must fail; then
    ``sql``, or ``batch`` as one transaction, with ``parameters`` by name (an error may be the request's).
    What is expected: ``rows`` (a multiset unless ``ordered``), ``columns`` ("name:typeName"),
    ``affected``, or ``error`` (a part of the text); then ``after`` gives ``after_rows``, ``load_errors`` are in
    sys_load_error_detail and the objects ``written`` lie under the prefix. In all SQL, and in ``rows``,
    ``${schema}`` is the case's own schema, first in the search path, ``${database}`` and
    ``${workgroup}`` are the warehouse's, and ``${bucket}``, ``${prefix}``, ``${role}`` are what COPY and
    UNLOAD need; ``objects`` lie under s3://${bucket}/${prefix}/.

    Instead of SQL, ``call`` is an operation of the Data API with ``request`` (Database and WorkgroupName
    come by themselves; ``${id}`` is the last setup statement's, ``${session}`` the case's session), and
    ``answer`` is what its answer has at least, or ``error`` what is raised.
    """

    area: str
    topic: str
    name: str
    page: str
    rule: str = ""
    status: str = "exact"
    note: str = ""
    where: str = ""
    setup: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    objects: dict[str, Any] = field(default_factory=dict)
    sql: str = ""
    batch: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    call: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] | None = None
    rows: list[list[Any]] | None = None
    columns: list[str] | None = None
    affected: int | None = None
    ordered: bool = False
    error: str = ""
    after: str = ""
    after_rows: list[list[Any]] | None = None
    load_errors: list[dict[str, Any]] | None = None
    written: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """``sql/merge: matched rows are updated``."""
        return f"{self.area}/{self.topic}: {self.name}"

    @property
    def told(self) -> str:
        """The rule as a sentence."""
        return self.rule or self.name

    @property
    def statements(self) -> list[str]:
        """The statement under test, or the batch's."""
        return [self.sql] if self.sql else self.batch

    @property
    def needs_s3(self) -> bool:
        """Whether it needs a bucket, and a role that may read and write it."""
        return bool(self.objects) or bool(_S3.search(_text_of(self)))

    @property
    def is_plain(self) -> bool:
        """A query that uses nothing else: it needs no schema, session or bucket."""
        needed = (
            self.setup, self.objects, self.batch, self.parameters, self.call, self.after,
            self.written, self.load_errors,
        )  # fmt: skip
        return not any(needed) and self.sql.split()[0].upper() == "SELECT"


_S3 = re.compile(r"\$\{(bucket|role|prefix)\}")
_FOR_SUPERUSERS = re.compile(
    r"\b(create|alter|drop)\s+(user|group|role|database)\b|\bgrant\s+role\b|\bsvv_table_info\b|"
    r"\bon\s+database\b|\balter\s+default\s+privileges\b|\bdefault_privileges\b",
    re.IGNORECASE,
)
_OF_THIS_SERVER = re.compile(r"[\"']dev[\"']|\"local\"|ClusterIdentifier|\bIAMR?:", re.IGNORECASE)
"""The database, the workgroup, a cluster, or a user of the tests' server."""


def _text_of(case: Case) -> str:
    """All that runs and all that is expected, as JSON."""
    told = {"area", "topic", "name", "page", "rule", "status", "note", "where", "objects"}
    return json.dumps({k: v for k, v in asdict(case).items() if k not in told and v})


def default_where(case: Case) -> str:
    """``WHERE`` of a case that does not say it."""
    text = _text_of(case)
    if case.status == "refused" or _OF_THIS_SERVER.search(text.replace("\\", "")):
        return "local"
    return "superuser" if _FOR_SUPERUSERS.search(text) else "portable"


@dataclass(frozen=True)
class Topic:
    """A file of cases, a heading of fakeshift/docs/coverage.md."""

    area: str
    name: str
    title: str
    page: str
    cases: tuple[Case, ...]


def read_topics() -> list[Topic]:
    """Every topic, by area and name. Raises ValueError for a file that is not as it should be."""
    return [read_topic(path) for path in sorted(HERE.glob("*/*.toml"))]


def read_topic(path: Path) -> Topic:
    """The topic of one file; its area is the folder's name."""
    area, name = path.parent.name, path.stem
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    raw = data.pop("case", [])
    _refuse_others(path.name, data, {"title", "page", "where"})
    defaults: dict[str, Any] = {key: data[key] for key in ("page", "where") if key in data}
    cases = tuple(_case(area, name, {**defaults, **given}) for given in raw)
    names = [case.name for case in cases]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice or not cases:
        raise ValueError(f"{area}/{path.name}: names that stand twice: {twice}")
    return Topic(area, name, data["title"], data["page"], cases)


_KEYS = {f.name for f in fields(Case)} - {"area", "topic"}


def _case(area: str, topic: str, given: dict[str, Any]) -> Case:
    place = f"{area}/{topic}: {given.get('name')}"
    _refuse_others(place, given, _KEYS)
    case = Case(area=area, topic=topic, **given)
    if not case.where:
        case = replace(case, where=default_where(case))
    expects = (case.rows, case.affected, case.error or None, case.after_rows, case.written,
               case.load_errors, case.columns, case.answer)  # fmt: skip
    problems = {
        "one of sql, batch and call": [case.sql != "", case.batch != [], case.call != ""].count(
            True
        )
        != 1,
        "an expectation": all(expected is None for expected in expects),
        "a known place to run (where)": case.where not in WHERE,
        "a known status": case.status not in STATUSES,
        "a note, as it is not exact": case.status != "exact" and not case.note,
        "an error that names what is refused": case.status == "refused" and not case.error,
        "in setup what fails": not set(case.fails) <= set(case.setup),
        "after_rows of after": bool(case.after) != (case.after_rows is not None),
        "an error or rows, not both": bool(case.error) and case.rows is not None,
    }
    missing = [what for what, is_missing in problems.items() if is_missing]
    if missing:
        raise ValueError(f"{place}: has to have {', '.join(missing)}")
    return case


def _refuse_others(where: str, given: dict[str, Any], known: set[str]) -> None:
    others = sorted(set(given) - known)
    if others:
        raise ValueError(f"{where}: unknown keys {others}")


# -- objects -----------------------------------------------------------------------------------


def encoded(content: Any) -> bytes:
    """An object's bytes: a text, ``{text = "…", encode = "gzip"}``, ``{base64 = "…"}``, or
    ``{parquet = "SELECT …"}``, DuckDB's query of a Parquet file's rows.

    ``encode`` is gzip, bz2, zstd or the name of one of Python's text encodings.
    """
    if isinstance(content, str):
        return content.encode()
    if "base64" in content:
        return base64.b64decode(content["base64"])
    if "parquet" in content:
        return _parquet(content["parquet"])
    encode = content.get("encode", "utf-8")
    if encode in _COMPRESS:
        return _COMPRESS[encode](content["text"].encode())
    return str(content["text"]).encode(encode)


def _parquet(query: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{folder}/a.parquet' (FORMAT parquet)")
        return (Path(folder) / "a.parquet").read_bytes()


def _table_in(parquet: bytes) -> tuple[list[str], list[Any]]:
    """The columns with their types, and the rows."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / "a.parquet"
        path.write_bytes(parquet)
        found = con.execute(f"SELECT * FROM '{path}'")
        names = [f"{entry[0]} {entry[1]}" for entry in found.description or []]
        return names, found.fetchall()


def _unzstd(data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / "object.zst"
        path.write_bytes(data)
        lines = con.execute(
            f"SELECT line FROM read_csv('{path}', columns = {{'line': 'VARCHAR'}}, header = false, "
            "delim = '\x01', quote = '', escape = '', compression = 'zstd')"
        ).fetchall()
        return "".join(f"{line}\n" for (line,) in lines).encode()


def _zstd(data: bytes) -> bytes:
    """DuckDB writes zstd; the test environment has no other library that does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "object.zst"
        with duckdb.connect() as con:
            con.execute(
                f"COPY (SELECT $1 AS line) TO '{path}' "
                "(FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01', COMPRESSION zstd)",
                [data.decode().removesuffix("\n")],
            )
        return path.read_bytes()


_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "zstd": _zstd,
}
_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "bz2": bz2.decompress,
    "zstd": _unzstd,
}


def decoded(body: bytes, content: Any) -> Any:
    """An object's bytes in the terms in which ``content`` expects them."""
    if isinstance(content, dict) and "parquet" in content:
        there = _table_in(body)
        return content if there == _table_in(encoded(content)) else {"parquet": there}
    encode = "utf-8" if isinstance(content, str) else content.get("encode", "utf-8")
    if encode in _DECOMPRESS:
        return {"text": _DECOMPRESS[encode](body).decode(), "encode": encode}
    return body.decode() if isinstance(content, str) else {"text": body.decode(encode), **content}
