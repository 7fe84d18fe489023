"""loader try: its verdicts on files of every kind, and that a real load of the same files says the same."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from contracts import build
from tests.world.simulator import ROOT, World

OWN = ROOT / "tests" / "stateful" / "own"  # the contracts of orders, readings and events
SHARED = ROOT.parent / "shared" / "data" / "own"
SALES = """\
description: Sales, in Parquet
files: sales/*.parquet
columns: {id: varchar(8), price: "decimal(8,2)"}
"""
COPIED = ("functions", "sql", "statemachine", "template.yaml")

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

# A process of its own for each verdict: the functions are imported with the variables of one trial.
TRY = """
import json, sys
from pathlib import Path
from contracts import reading
from contracts.model import Contract
from local.show import verdict as shown
from local.trial import verdict

asked = json.load(sys.stdin)
contract = reading.read(Path(asked["contract"])) if asked["contract"] else None
files, loaded = ({k: Path(p) for k, p in asked[n].items()} for n in ("files", "loaded"))
found = verdict.of(
    Path(asked["tree"]), asked["name"], files, loaded=loaded,
    contract=contract if isinstance(contract, Contract) else None,
)
print(json.dumps({"verdict": json.loads(shown.as_json(found)), "lines": shown.lines(found)}))
"""


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with the three own contracts beside Sparkify's datasets."""
    folder = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    shutil.copytree(OWN, folder / "sql" / "datasets", dirs_exist_ok=True)
    (folder / "sql" / "datasets" / "sales").mkdir()
    (folder / "sql" / "datasets" / "sales" / "dataset.yaml").write_text(SALES)
    return folder


class Trial:
    """What the command says of files, whose content is given by their keys."""

    def __init__(self, tree: Path, folder: Path) -> None:
        self._tree = tree
        self._folder = folder
        self.lines: list[str] = []

    def __call__(
        self, name: str, files: Mapping[str, bytes], loaded: Mapping[str, bytes] | None = None
    ) -> dict[str, Any]:
        contract = self._tree / "sql" / "datasets" / name / "dataset.yaml"
        asked = {
            "tree": str(build.ready(self._tree)),
            "name": name,
            "contract": str(contract),
            "files": self._written("files", files),
            "loaded": self._written("loaded", loaded or {}),
        }
        ended = subprocess.run(
            [sys.executable, "-c", TRY],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "LOADER_SQL"},
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        answer = json.loads(ended.stdout)
        self.lines = answer["lines"]
        verdict: dict[str, Any] = answer["verdict"]
        return verdict

    def _written(self, name: str, files: Mapping[str, bytes]) -> dict[str, str]:
        made = {}
        for key, content in files.items():
            path = self._folder / name / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            made[key] = str(path)
        return made


@pytest.fixture
def trial(tree: Path, tmp_path: Path) -> Trial:
    return Trial(tree, tmp_path)


def order(number: int, day: int = 27, **more: Any) -> dict[str, Any]:
    return {
        "order_id": f"O-{number}",
        "status": "placed",
        "created_at": "2026-11-27T05:47:24Z",
        "updated_at": f"2026-11-{day}T05:47:24Z",
        "customer": {"id": number, "email": f"user{number}@example.com"},
        "items": [{"sku": "A", "qty": 1, "price": 9.5}],
        "currency": "EUR",
        "total": 9.5,
        **more,
    }


def jsonl(*records: Any) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def by_key(verdict: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {file["key"]: file for file in verdict["files"]}


# -- files of every kind -----------------------------------------------------------------------


def test_parquet_is_tried_as_it_is_loaded(trial: Trial) -> None:
    good = parquet(
        "SELECT 'a' AS id, 1.5::DECIMAL(8,2) AS price UNION ALL SELECT 'b', 2::DECIMAL(8,2)"
    )
    files = {
        "sales/good.parquet": good,
        "sales/turned.parquet": parquet("SELECT 1.5::DECIMAL(8,2) AS price, 'c' AS id, 7 AS more"),
        "sales/other.parquet": parquet("SELECT 'd' AS id, 1.5::DOUBLE AS price"),
        "sales/cut.parquet": good[:-9],
    }
    verdict = trial("sales", files)
    found = by_key(verdict)
    assert {key: (file["status"], file["rows"]) for key, file in found.items()} == {
        "sales/good.parquet": ("loaded", 2),
        "sales/turned.parquet": ("loaded", 1),
        "sales/other.parquet": ("rejected", None),
        "sales/cut.parquet": ("rejected", None),
    }
    assert "price is DOUBLE, not DECIMAL(8,2)" in found["sales/other.parquet"]["reason"]
    assert "does not end in PAR1" in found["sales/cut.parquet"]["reason"]
    assert "more" in str(verdict)


def parquet(query: str) -> bytes:
    """The rows of a query as a file."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{folder}/a.parquet' (FORMAT parquet)")
        return Path(folder, "a.parquet").read_bytes()


def test_each_file_has_its_rows_or_the_reason_why_it_is_not_loaded(trial: Trial) -> None:
    files = {
        "orders/good.jsonl": jsonl(order(1), order(2)),
        "orders/packed.jsonl.gz": gzip.compress(jsonl(order(3))),
        "orders/lines.jsonl": json.dumps(order(4), indent=2).encode(),
        "orders/empty.jsonl": b"",
        "orders/broken.jsonl": jsonl(order(5)) + b'{"order_id": "O-6", "total": 9.\n',
        "orders/wide.jsonl": jsonl(order(7, currency="EURO")),
        "orders/unfit.jsonl": jsonl(order(8, created_at="yesterday")),
        "orders/none.jsonl": jsonl(order(9, items=[{"sku": "A", "qty": 0, "price": 1}])),
        "orders/sheet.csv": b"a,b\n1,2\n",
        "orders/LOUD.JSONL": jsonl(order(10)),
        "readings/dev-1.csv": b"ts\n",
        "elsewhere/orders.jsonl": jsonl(order(11)),
    }
    found = by_key(trial("orders", files))
    rows = {key: file["rows"] for key, file in found.items() if file["status"] == "loaded"}
    assert rows == {
        "orders/good.jsonl": 2,
        "orders/packed.jsonl.gz": 1,
        "orders/lines.jsonl": 1,
        "orders/empty.jsonl": 0,
    }
    rejected = {key: file for key, file in found.items() if file["status"] == "rejected"}
    assert rejected.keys() == {
        f"orders/{name}.jsonl" for name in ("broken", "wide", "unfit", "none")
    }
    assert rejected["orders/broken.jsonl"]["line"] == 2
    assert "The line begins: " in rejected["orders/broken.jsonl"]["reason"]
    assert (rejected["orders/wide.jsonl"]["line"], rejected["orders/wide.jsonl"]["column"]) == (
        1,
        "currency",
    )
    unfit = rejected["orders/unfit.jsonl"]["reason"]
    assert "created_at" in unfit
    assert "violates the contract's check '>= 1'" in rejected["orders/none.jsonl"]["reason"]
    why = {key: file["reason"] for key, file in found.items() if file["status"] == "not taken"}
    assert why.keys() == files.keys() - rows.keys() - rejected.keys()
    assert why["readings/dev-1.csv"] == "the dataset readings takes it"
    assert "end in .jsonl, .jsonl.gz" in why["orders/sheet.csv"]
    assert "lower-case" in why["orders/LOUD.JSONL"]
    assert "begin with orders/" in why["elsewhere/orders.jsonl"]


def test_a_bad_file_alone_waits_and_beside_a_loaded_one_it_is_rejected(trial: Trial) -> None:
    bad = {"orders/bad.jsonl": jsonl("no object")}
    assert by_key(trial("orders", bad))["orders/bad.jsonl"]["status"] == "waiting"
    assert any("--loaded" in line for line in trial.lines)
    beside = trial("orders", bad, {"orders/good.jsonl": jsonl(order(1))})
    assert by_key(beside)["orders/bad.jsonl"]["status"] == "rejected"
    assert beside["files"] == [by_key(beside)["orders/bad.jsonl"]]


def test_a_key_that_no_column_takes_comes_with_the_line_that_takes_it(trial: Trial) -> None:
    item = {"sku": "A", "qty": 1, "price": 1, "unitColour": "red"}
    more = {"vip": True, "address": {"city": "Ulm"}, "a-b": 1, "id": 1}
    record = order(1, customer=more, items=[item], since="2026-11-01")
    keys = trial("orders", {"orders/a.jsonl": jsonl(record)})["unknown"]
    assert {(key["path"], key["within"], key["yaml"]) for key in keys} == {
        ("customer.vip", "", "customer_vip: {path: customer.vip, type: boolean}"),
        ("customer.address", "", "customer_address: {path: customer.address, type: super}"),
        ("customer.a-b", "", "customer_a_b: {path: customer.a-b, type: bigint}"),
        ("since", "", "since: date"),
        ("items[].unitColour", "order_items", "unit_colour: {path: unitColour, type: varchar(16)}"),
    }
    assert any(
        line.endswith(
            "add to the columns of order_items: unit_colour: {path: unitColour, type: varchar(16)}"
        )
        for line in trial.lines
    )


def test_a_column_that_is_in_no_row_is_named(trial: Trial) -> None:
    found = trial("orders", {"orders/a.jsonl": jsonl(order(1, coupon={"code": "X"}))})
    assert found["empty"] == ["gift_message"]


def test_a_column_that_was_filled_before_says_so(trial: Trial) -> None:
    before = jsonl(*(order(n, gift_message="for you") for n in range(100)))
    now = jsonl(*(order(n) for n in range(100, 110)))
    found = trial("orders", {"orders/a.jsonl": now}, {"orders/old.jsonl": before})
    assert [one["column"] for one in found["emptied"]] == ["gift_message"]
    assert any(
        line.endswith("gift_message is in none of the rows; before, 100.0% had it")
        for line in trial.lines
    )


def test_a_file_that_is_loaded_before_is_known(trial: Trial) -> None:
    file = {"orders/a.jsonl": jsonl(order(1))}
    [found] = trial("orders", file, file)["files"]
    assert (found["status"], found["rows"]) == ("known", None)


def test_the_winner_of_a_key_with_several_versions_has_its_file_and_line(trial: Trial) -> None:
    old = order(1, day=26, status="old")
    files = {
        "orders/a.jsonl": jsonl(order(2), old, order(1, day=28, status="paid")),
        "orders/b.jsonl": jsonl(order(1, day=27)),
        "orders/c.jsonl.gz": gzip.compress(jsonl(order(3, day=29), order(3, day=30))),
        "orders/d.jsonl": json.dumps(order(4), indent=1).encode() + b"\n" + jsonl(order(4, day=30)),
    }
    found = trial("orders", files)["winners"]
    assert (found["keys"], found["newest"]) == (3, "updated_at")
    lines = json.dumps(order(4), indent=1).count("\n") + 2  # the line after the first record's
    assert [
        (one["key"], one["versions"], one["file"], one["line"], one["newest"][:10])
        for one in found["examples"]
    ] == [
        (["O-1"], 3, "orders/a.jsonl", 3, "2026-11-28"),
        (["O-3"], 2, "orders/c.jsonl.gz", 2, "2026-11-30"),
        (["O-4"], 2, "orders/d.jsonl", lines, "2026-11-30"),
    ]
    before = trial(
        "orders", {"orders/old.jsonl": jsonl(old)}, {"orders/a.jsonl": files["orders/a.jsonl"]}
    )
    assert [one["file"] for one in before["winners"]["examples"]] == [""]


def test_readings_without_a_key_are_appended(trial: Trial) -> None:
    header = b"ts,device_id,temperature_c,humidity_pct,battery_v\n"
    row = b"2026-11-27T00:00:00Z,dev-1,20.5,,3.1\n"
    found = trial(
        "readings",
        {
            "readings/a.csv.gz": gzip.compress(header + row + row),
            "readings/b.csv.bz2": bz2.compress(header + row),
            "readings/c.csv": row,
            "readings/d.csv.gz": header,
        },
    )
    files = by_key(found)
    assert [files[f"readings/{name}"]["rows"] for name in ("a.csv.gz", "b.csv.bz2")] == [2, 1]
    assert files["readings/c.csv"]["line"] == 1
    assert "not gzip" in files["readings/d.csv.gz"]["reason"]
    assert found["winners"] is None


def test_nothing_of_it_is_left_behind(
    trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    trial("orders", {"orders/a.jsonl": jsonl(order(1))})
    assert not list(place.iterdir())


def changed(tree: Path, folder: Path, old: str, new: str) -> Path:
    """A copy of the tree, in which the contract of orders has another text."""
    made = folder / "changed"
    shutil.copytree(tree, made, ignore=shutil.ignore_patterns("build"))
    contract = made / "sql" / "datasets" / "orders" / "dataset.yaml"
    text = contract.read_text(encoding="utf-8")
    assert old in text
    contract.write_text(text.replace(old, new), encoding="utf-8")
    return made


def test_values_that_the_contract_masks_are_in_no_verdict(tree: Path, tmp_path: Path) -> None:
    email = "path: customer.email, type: varchar(256)"
    trial = Trial(changed(tree, tmp_path, email, f"{email}, mask: hash"), tmp_path)
    found = trial(
        "orders",
        {
            "orders/a.jsonl": jsonl(order(1), order(1, day=28)),
            "orders/b.jsonl": jsonl(order(2, created_at="yesterday"), "user3@example.com"),
        },
    )
    statuses = {key: file["status"] for key, file in by_key(found).items()}
    assert statuses == {"orders/a.jsonl": "loaded", "orders/b.jsonl": "rejected"}
    assert found["winners"]["examples"][0]["line"] == 2
    assert "@example.com" not in json.dumps(found)
    assert "@example.com" not in "".join(trial.lines)


def test_bad_rows_that_are_left_out_are_told(tree: Path, tmp_path: Path) -> None:
    limits = "bad_rows: {row: {max: 10, percent: 90}}"
    trial = Trial(changed(tree, tmp_path, "history: true", limits), tmp_path)
    bad = (order(2, currency="EURO"), order(3, created_at="yesterday"))
    found = trial(
        "orders",
        {
            "orders/a.jsonl": jsonl(order(1), *bad, order(4)),
            "orders/b.jsonl": jsonl(order(5)),
            "orders/c.jsonl": jsonl(*bad),
        },
    )
    counts = {file["key"]: (file["rows"], file["rows_rejected"]) for file in found["files"]}
    assert counts == {
        "orders/a.jsonl": (2, 2),
        "orders/b.jsonl": (1, 0),
        "orders/c.jsonl": (None, 0),
    }
    assert by_key(found)["orders/c.jsonl"]["status"] == "rejected"
    places = [(row["key"], row["line"], row["column_name"]) for row in found["bad_rows"]]
    assert sorted(places) == [
        ("orders/a.jsonl", 2, "currency"),
        ("orders/a.jsonl", 3, "created_at"),
    ]
    assert trial.lines[0] == "loaded     orders/a.jsonl: 2 rows, 2 left out"
    assert any(line.startswith("bad row    orders/a.jsonl, line 3") for line in trial.lines)


# -- the command -------------------------------------------------------------------------------


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", "try", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def play(**more: Any) -> dict[str, Any]:
    return {
        "page": "Home",
        "userId": "1",
        "level": "free",
        "ts": 1541121934796,
        "sessionId": 1,
        "itemInSession": 0,
        **more,
    }


def test_the_command_takes_files_of_a_hand_written_dataset(tmp_path: Path) -> None:
    folder = tmp_path / "log_data" / "2026"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(jsonl(play()))
    ended = command("log_data", str(tmp_path))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == "loaded     log_data/2026/a.json: 1 row"
    (folder / "b.json").write_bytes(b"[]")
    ended = command("log_data", "--json", str(folder / "a.json"), str(folder / "b.json"))
    assert ended.returncode == 3
    statuses = {file["key"]: file["status"] for file in json.loads(ended.stdout)["files"]}
    assert statuses == {"log_data/2026/a.json": "loaded", "log_data/2026/b.json": "rejected"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["nothing", "x.json"],
            "There is no dataset nothing. The datasets are log_data, song_data",
        ),
        (["log_data", "gone.json"], "There is no file gone.json"),
        (["log_data", "{0}/x/a.json", "{0}/y/a.json"], "have the same key, log_data/a.json"),
    ],
)
def test_wrong_usage_is_a_line(words: Iterable[str], said: str, tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.json").write_bytes(b"{}")
    ended = command(*(word.format(tmp_path) for word in words))
    assert ended.returncode == 2
    assert ended.stderr.startswith("try: ")
    assert said in ended.stderr


# -- the same as a load ------------------------------------------------------------------------


def loaded(tree: Path, folder: Path, files: Mapping[str, bytes]) -> dict[str, tuple[Any, ...]]:
    """What the ledger says of each file after a load of all of them, in the simulator."""
    with World(folder, tree=tree, parameters={"ShowBadLines": "true"}) as world:
        for key, content in files.items():
            world.upload(key, content, event=False)
        world.start({})
        world.work()
        columns = "key, status, error_line, error_column, error_code, reason"
        schema = world.stack.parameter("SchemaName")
        (rows,) = world.warehouse.query(f"SELECT {columns} FROM {schema}.files")
    return {
        str(key): (status, line, str(column).strip() if column else None, code, reason or "")
        for key, status, line, column, code, reason in rows
    }


def told(verdict: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        file["key"]: tuple(file[name] for name in ("status", "line", "column", "code", "reason"))
        for file in verdict["files"]
        if file["status"] != "not taken"
    }


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("orders", True),
        ("orders", False),
        ("readings", True),
        ("events", True),
        ("log_data", False),
    ],
)
def test_the_verdict_is_that_of_a_load(
    name: str, beside: bool, tree: Path, trial: Trial, tmp_path: Path
) -> None:
    if not SHARED.is_dir():
        pytest.skip("there is no ../shared/data/own")
    files = {
        f"{name}/" + path.as_posix().partition(f"/{name}/")[2]: path.read_bytes()
        for path in sorted((SHARED / "bad").rglob("*"))
        if path.is_file() and f"/{name}/" in path.as_posix()
    }
    if beside:
        good = sorted((SHARED / name).rglob("*.*")) if (SHARED / name).is_dir() else []
        files |= {path.relative_to(SHARED).as_posix(): path.read_bytes() for path in good}
    real = loaded(tree, tmp_path / "world", files)
    assert real
    assert told(trial(name, files)) == real
