"""Masked columns: only the loader sees a value, equal values have equal hashes, and a new mask is as an old one."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stateful.test_rights import READER, script
from tests.world.simulator import World
from tests.world.trees import with_contracts

pytestmark = [pytest.mark.filterwarnings("ignore:No application metrics to publish")]

PEOPLE = """\
description: Customers, a JSON object each
files: people/*.jsonl
key: [person_id]
newest: updated_at
columns:
  person_id: {type: varchar(64)%(hash)s}
  updated_at: timestamp
  email: {path: contact.email, type: varchar(256)%(hash)s}
  score: {type: "decimal(8,2)"%(hash)s}
  born: {type: date%(hash)s}
  phone: {path: contact.phone, type: varchar(64)%(drop)s}
  country: char(2)
tables:
  person_cards:
    each: cards
    columns:
      number: {type: bigint%(hash)s}
      holder: {type: varchar(64)%(drop)s}
      kind: varchar(16)
history: true
"""
VISITS = """\
description: Visits, CSV
files: visits/*.csv
columns:
  email: {type: varchar(256)%(hash)s}
  person: {type: varchar(64)%(hash)s}
  card: {type: varchar(32)%(hash)s}
  phone: {type: integer%(drop)s}
  seen_at: timestamp
  amount: integer
"""
WITH = {"hash": ", mask: hash", "drop": ", mask: drop"}
WITHOUT = {"hash": "", "drop": ""}
# A word of each value that nobody may see.
SECRETS = ("alice", "bob", "carol", "person-", "0170", "4111", "holder-", "1987", "12.5")
KEY = "5" * 64


def person(number: int, day: int, **more: Any) -> dict[str, Any]:
    name = ("alice", "bob", "carol")[number % 3]
    return {
        "person_id": f"person-{number}",
        "updated_at": f"2026-11-{day:02}T08:00:00Z",
        "contact": {"email": f"{name}@example.com", "phone": f"0170-{number}"},
        "score": 12.50,
        "born": f"1987-05-{number + 1:02}",
        "country": "FR",
        "cards": [
            {"number": 4111000 + number, "holder": f"holder-{number}", "kind": "credit"},
            {"number": 4111999, "holder": "holder-x", "kind": "debit"},
        ],
        **more,
    }


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def mail(name: str) -> dict[str, str]:
    return {"email": f"{name}@example.com", "phone": f"0170-{name}"}


FILES = {
    "people/1.jsonl": lines(*(person(number, 1) for number in range(8))),
    # The same newest with another content: the smaller one wins, as it is stored.
    "people/2.jsonl": lines(
        *(person(number, 1, contact=mail("dave-alice")) for number in range(8)),
        person(9, 1, contact={}, score=None, born=None, cards=[]),
    ),
    "people/3.jsonl": lines(
        *(person(number, 1, cards=[{"number": 4111777, "kind": "a"}]) for number in range(4)),
        person(2, 3, country="DE"),
    ),
    "visits/1.csv": (
        b"email,person,card,phone,seen_at,amount\n"
        b"alice@example.com,person-0,4111000,0170,2026-11-01 08:00:00,1\n"
        b"bob@example.com,person-1,4111001,0170,2026-11-01 09:00:00,2\n"
        b",,,,2026-11-01 09:00:00,3\n"
    ),
}
BAD = {
    "people/bad1.jsonl": b'{"person_id": "person-b", "contact": {"email": "alice-bad@example.com"}\n',
    "people/bad2.jsonl": lines(person(3, 4, born="1987 in May")),
    "people/bad3.jsonl": lines(person(3, 4, person_id=" ")),
    "visits/bad1.csv": (
        b"email,person,card,phone,seen_at,amount\n1,2,3,4,2026-11-01 08:00:00,41110000000000\n"
    ),
    "visits/bad2.csv": b"email,person,alice@example.com,card,phone,seen_at\n1,2,3,4,,\n",
}
TABLES = ("people_versions", "people", "person_cards_versions", "person_cards", "visits")


def tree_of(folder: Path, masks: dict[str, str], more: str = "") -> Path:
    """A copy of the product with the two datasets."""
    return with_contracts(
        folder, {"people": PEOPLE % masks + more, "visits": VISITS % masks + more}
    )


@pytest.fixture(scope="module")
def masked_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree_of(tmp_path_factory.mktemp("masked") / "tree", WITH)


@pytest.fixture(scope="module")
def open_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tree_of(tmp_path_factory.mktemp("open") / "tree", WITHOUT)


@pytest.fixture
def world(masked_tree: Path, tmp_path: Path) -> Iterator[World]:
    with World(
        tmp_path / "world",
        tree=masked_tree,
        parameters={"AllowReset": "true", "ShowBadLines": "true", "LogLevel": "INFO"},
        admins=frozenset({"admin"}),
    ) as found:
        for statement in script(found, "setup.sql"):
            found.warehouse.execute(statement)
        yield found


def load(world: World, files: dict[str, bytes]) -> None:
    for key, body in files.items():
        world.upload(key, body)
    world.work()


def rows(world: World, sql: str, user: str = "") -> list[tuple[Any, ...]]:
    return world.warehouse.query(sql, user=user)[0]


def everything_in(world: World, schema: str, user: str = "") -> dict[str, list[tuple[Any, ...]]]:
    found = rows(
        world, f"SELECT table_name FROM svv_tables WHERE table_schema = '{schema}'", user=user
    )
    return {
        str(table): rows(world, f"SELECT * FROM {schema}.{table}", user=user) for (table,) in found
    }


def work_objects(world: World) -> str:
    bucket = world.stack.work_bucket
    bodies = [world._body(bucket, key) for key, _, _ in world._listed(bucket)]
    plain = [gzip.decompress(b) if b[:2] == b"\x1f\x8b" else b for b in bodies]
    return b"\n".join(plain).decode(errors="replace")


def shown(text: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """The secrets that a text shows. Keys, load ids and digests are no values."""
    text = re.sub(r"[0-9a-f]{16,}|\d{8}-\d{6}-[0-9a-f]{8}", "", text)
    return [secret for secret in secrets if secret in text]


def test_no_value_is_seen_anywhere(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    # What is dropped need not fit its type.
    body = FILES["visits/1.csv"].replace(b",0170,", b",no number 0170,")
    load(world, FILES | {"visits/1.csv": body})
    load(world, BAD)
    world.settle()
    told = rows(world, "SELECT key, status, reason FROM sparkify.file_status ORDER BY key")
    status = {key: (status, reason) for key, status, reason in told}
    assert {key for key, (said, _) in status.items() if said == "loaded"} == {*FILES}
    assert {key for key, (said, _) in status.items() if said == "rejected"} == {*BAD}
    for statement in (
        f"CREATE USER {READER} PASSWORD DISABLE",
        *script(world, "grant_readers.sql"),
        f"ALTER GROUP analysts ADD USER {READER}",
    ):
        world.warehouse.execute(statement)
    seen = everything_in(world, "sparkify", READER)
    assert {*TABLES} < {*seen}
    assert shown(json.dumps(seen)) == []
    with pytest.raises(AssertionError, match="permission denied"):
        rows(world, "SELECT * FROM sparkify_loader.mask_key", READER)
    reports = json.dumps([[e.output, e.cause, e.input] for e in world.executions.all], default=str)
    assert shown(reports) == []
    assert shown(json.dumps(world.told)) == []
    assert shown(work_objects(world)) == []
    assert shown("\n".join(ran.sql for ran in world.warehouse.faults.ran)) == []
    logged = "".join(capfd.readouterr())
    assert "people/bad1.jsonl" in logged  # it is the functions' log
    assert shown(logged) == []


def test_of_rows_that_are_left_out_no_value_is_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tree = tree_of(tmp_path / "tree", WITH, "bad_rows: {row: {max: 5}}\n")
    bad = {
        "people/bad2.jsonl": lines(person(3, 4, born="1987 in May"), person(4, 4)),
        "people/bad3.jsonl": lines(person(3, 4, person_id=" "), person(4, 4, email="alice")),
        "visits/bad1.csv": BAD["visits/bad1.csv"] + b"alice@example.com,2,3,4,,5\n",
    }
    with World(tmp_path / "world", tree=tree, parameters={"LogLevel": "INFO"}) as world:
        load(world, bad)
        assert rows(world, "SELECT COUNT(*) FROM sparkify.rejected_rows") == [(3,)]
        assert rows(world, "SELECT COUNT(*) FROM sparkify.people") == [(1,)]
        assert shown(json.dumps(everything_in(world, "sparkify"))) == []
        reports = [[e.output, e.cause, e.input] for e in world.executions.all]
        assert shown(json.dumps(reports, default=str)) == []
        assert shown(json.dumps(world.told)) == []
        assert shown(work_objects(world)) == []
        assert shown("".join(capfd.readouterr())) == []


def test_the_key_is_in_the_loaders_schema_and_nowhere_else(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    load(world, FILES)
    ((key,),) = rows(world, "SELECT secret FROM sparkify_loader.mask_key")
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert key not in work_objects(world)
    assert key not in "\n".join(ran.sql for ran in world.warehouse.faults.ran)
    assert key not in "".join(capfd.readouterr())
    assert key not in json.dumps(everything_in(world, "sparkify"))
    assert key not in json.dumps([[e.output, e.cause, e.input] for e in world.executions.all])
    mine = [k for k, _, _ in world._listed(world.stack.work_bucket) if "mask_key" in k]
    assert mine == []


def hashed(key: str, text: str) -> str:
    """What the page says: SHA-256 twice with the key. By Python, not by the product."""
    inner = hashlib.sha256(f"{key}{text}".encode()).hexdigest()
    return hashlib.sha256(f"{key}{inner}".encode()).hexdigest()


def test_equal_values_have_equal_hashes_in_all_columns_and_datasets(world: World) -> None:
    load(world, FILES)
    ((key,),) = rows(world, "SELECT secret FROM sparkify_loader.mask_key")
    found = rows(
        world, "SELECT person_id, email, score, born FROM sparkify.people WHERE country = 'DE'"
    )
    assert found == [
        tuple(hashed(key, text) for text in ("person-2", "carol@example.com", "12.5", "1987-05-03"))
    ]
    # A number as a number and as a text.
    assert rows(
        world,
        "SELECT COUNT(*) FROM sparkify.visits AS v"
        " INNER JOIN sparkify.people AS p ON v.person = p.person_id"
        " INNER JOIN sparkify.person_cards_versions AS c ON v.card = c.number AND c.person_id = p.person_id",
    ) == [(4,)]
    assert rows(world, "SELECT COUNT(*), COUNT(email), COUNT(person) FROM sparkify.visits") == [
        (3, 2, 2)
    ]
    ((nothing,),) = rows(
        world,
        "SELECT COUNT(*) FROM sparkify.people WHERE email IS NULL AND score IS NULL AND born IS NULL",
    )
    assert nothing == 1


def test_two_loads_at_once_make_one_key(world: World) -> None:
    for key, body in FILES.items():
        world.upload(key, body, event=False)
    world.start({"prefixes": ["people/"]})
    world.start({"prefixes": ["visits/"]})
    world.work(together=True)
    assert {e.status for e in world.executions.all} == {"SUCCEEDED"}
    assert rows(world, "SELECT COUNT(*) FROM sparkify_loader.mask_key") == [(1,)]
    assert rows(world, "SELECT COUNT(*) FROM sparkify.mask_keys") == [(1,)]


@pytest.mark.parametrize("how", ["missing", "table", "another"])
def test_a_lost_key_is_not_made_again(world: World, how: str) -> None:
    load(world, {"people/1.jsonl": FILES["people/1.jsonl"]})
    before = rows(world, "SELECT * FROM sparkify.people")
    world.warehouse.execute(
        {
            "missing": "DELETE FROM sparkify_loader.mask_key",
            "table": "DROP TABLE sparkify_loader.mask_key",
            "another": f"UPDATE sparkify_loader.mask_key SET secret = '{KEY}'",
        }[how]
    )
    load(world, {"visits/1.csv": FILES["visits/1.csv"]})
    failed = world.executions.all[-1]
    assert failed.status == "FAILED"
    assert "Restore sparkify_loader.mask_key from a snapshot" in str(failed.cause)
    assert rows(world, "SELECT * FROM sparkify.people") == before
    assert rows(world, "SELECT COUNT(*) FROM sparkify.visits") == [(0,)]
    # A reset is the other way out: no hash is left, and there is a new key.
    world.start({"reset": True})
    world.work()
    world.start({})
    world.work()
    assert world.executions.all[-1].status == "SUCCEEDED", world.executions.all[-1].cause
    assert rows(world, "SELECT COUNT(*) FROM sparkify.visits") == [(3,)]


def with_key(world: World) -> None:
    """The same key for two worlds."""
    world.warehouse.execute(
        "DELETE FROM sparkify_loader.mask_key",
        "DELETE FROM sparkify.mask_keys",
        f"INSERT INTO sparkify_loader.mask_key VALUES ('{KEY}')",
        f"INSERT INTO sparkify.mask_keys (fingerprint) SELECT SHA2('fingerprint{KEY}', 256)",
    )


def content(world: World) -> dict[str, list[str]]:
    """The rows of the tables, by column, without the loads' ids."""
    found = {}
    for table in TABLES:
        columns = rows(
            world,
            "SELECT column_name FROM svv_columns WHERE table_schema = 'sparkify'"
            f" AND table_name = '{table}' AND column_name NOT IN ('load_id', 'row_no', 'batch')",
        )
        names = ", ".join(sorted(str(name) for (name,) in columns))
        found[table] = [
            names,
            *sorted(map(str, rows(world, f"SELECT {names} FROM sparkify.{table}"))),
        ]
    return found


HASHED = {**WITH, "drop": ""}


def as_masked_before(tree: Path, folder: Path) -> dict[str, list[str]]:
    """What is in the tables if the masks were there from the beginning."""
    with World(folder, tree=tree) as world:
        world.start({})
        world.work()
        with_key(world)
        load(world, FILES)
        return content(world)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([WITH], id="at once"),
        pytest.param(
            [HASHED, WITH],
            id="hash, then drop",
            marks=pytest.mark.skipif(
                os.environ.get("FAULTS") != "all", reason="half a minute: make faults runs it"
            ),
        ),
    ],
)
def test_a_mask_afterwards_is_as_a_mask_before(
    masked_tree: Path, open_tree: Path, tmp_path: Path, steps: list[dict[str, str]]
) -> None:
    """Deployed over tables with values: none is left, and of equally new versions the winner is decided again."""
    wanted = as_masked_before(masked_tree, tmp_path / "before")
    with World(tmp_path / "open", tree=open_tree) as world:
        load(world, FILES)
        assert shown(json.dumps(everything_in(world, "sparkify"))) == [*SECRETS]
        winners = rows(world, "SELECT person_id, batch, row_no FROM sparkify.people ORDER BY 3")
        with_key(world)
        memory = world.remember()
    told = []
    for number, masks in enumerate(steps):
        tree = tree_of(tmp_path / f"tree{number}", masks)
        with World(tmp_path / f"world{number}", tree=tree, memory=memory) as world:
            execution = world.start({})
            world.work()
            assert execution.status == "SUCCEEDED", execution.cause
            told.append(json.dumps(execution.report))
            found, seen = content(world), everything_in(world, "sparkify")
            again = world.start({"check": True})
            world.work()
            assert "contract" not in str(again.cause)
            now = rows(world, "SELECT batch, row_no FROM sparkify.people ORDER BY 2")
            memory = world.remember()
    assert found == wanted
    assert [row[1:] for row in winners] != now  # the data says so, and the hashes another
    assert shown(json.dumps({k: v for k, v in seen.items() if k != "contracts"})) == []
    assert "column people.email masked: hash" in told[0]
    assert "column people.phone masked: drop" in told[-1]
    with World(tmp_path / "later", tree=masked_tree, memory=memory) as world:
        load(world, {"people/4.jsonl": lines(person(2, 9))})
        assert world.executions.all[-1].status == "SUCCEEDED", world.executions.all[-1].cause
        ((email,),) = rows(
            world, "SELECT email FROM sparkify.people WHERE updated_at > '2026-11-08'"
        )
        assert email == hashed(KEY, "carol@example.com")


def test_two_loads_at_once_mask_once(masked_tree: Path, open_tree: Path, tmp_path: Path) -> None:
    """A hash of a hash would be no hash of the value."""
    wanted = as_masked_before(masked_tree, tmp_path / "before")
    with World(tmp_path / "open", tree=open_tree) as world:
        load(world, FILES)
        with_key(world)
        memory = world.remember()
    with World(tmp_path / "after", tree=masked_tree, memory=memory) as world:
        world.start({"prefixes": ["people/"]})
        world.start({"prefixes": ["visits/"]})
        world.work(together=True)
        assert {e.status for e in world.executions.all} == {"SUCCEEDED"}
        assert content(world) == wanted


def test_unmasking_is_refused(masked_tree: Path, open_tree: Path, tmp_path: Path) -> None:
    with World(tmp_path / "masked", tree=masked_tree) as world:
        load(world, FILES)
        before = content(world)
        memory = world.remember()
    with World(tmp_path / "open", tree=open_tree, memory=memory) as world:
        load(world, {"people/4.jsonl": lines(person(2, 9))})
        failed = world.executions.all[-1]
        assert failed.status == "FAILED"
        assert "was masked (hash), and the contract says no mask" in str(failed.cause)
        assert content(world) == before
