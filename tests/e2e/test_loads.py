"""Files become the star schema that the oracle computes from them, whatever form and name they have."""

import gzip
import json
from typing import Any

import pytest

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import SPARKIFY, Project

FILES = dict(DataSet(songs=25, users=15, days=3, events=400, seed=7).files())


def rewritten(content: bytes) -> bytes:
    """The same objects, each over many lines."""
    objects = [json.loads(line) for line in content.splitlines()]
    return "\n".join(json.dumps(each, indent=2) for each in objects).encode()


def test_the_tables_equal_the_oracles(warehouse: Project) -> None:
    printed = warehouse.upload(FILES)
    expected = oracle.load(FILES)
    assert expected.counts.matched > 0
    assert not oracle.diff(expected.tables, warehouse.star()), printed
    assert {status for status, *_ in warehouse.ledger().values()} == {"loaded"}
    assert len(warehouse.ledger()) == len(FILES)
    staged = warehouse.query(
        "SELECT SUM(rows_staged) FROM sparkify.loads WHERE dataset = 'log_data'"
    )
    assert int(staged[0][0]) == expected.counts.events


FORMS: list[tuple[str, Any]] = [
    ("pretty-printed", lambda key, content: (key, rewritten(content))),
    ("gzipped", lambda key, content: (f"{key}.gz", gzip.compress(content))),
    (
        "odd-keys",
        lambda key, content: (
            key.replace("/T", "/a b+c%20d'e\"f&ü €=T").replace("18-", "18 ü'%2B+"),
            content,
        ),
    ),
    ("windows-line-ends", lambda key, content: (key, content.replace(b"\n", b"\r\n"))),
]


@pytest.mark.parametrize(("form", "change"), FORMS, ids=[form for form, _ in FORMS])
def test_other_forms_of_the_same_files_give_the_same_rows(
    warehouse: Project, form: str, change: Any
) -> None:
    files = dict(change(key, content) for key, content in FILES.items())
    assert len(files) == len(FILES)
    printed = warehouse.upload(files)
    assert not oracle.diff(oracle.tables(FILES), warehouse.star()), printed
    assert set(warehouse.ledger()) == set(files)


def test_the_real_files(warehouse: Project) -> None:
    if not SPARKIFY.is_dir():
        pytest.skip(f"{SPARKIFY} is not there: the real files are not part of the project")
    warehouse.local("upload", str(SPARKIFY))
    assert not oracle.diff(oracle.tables(SPARKIFY), warehouse.star())
    counts = warehouse.query(
        "SELECT (SELECT COUNT(*) FROM sparkify.songplays), (SELECT COUNT(*) FROM sparkify.users),"
        " (SELECT COUNT(*) FROM sparkify.users WHERE level = 'paid'),"
        " (SELECT COUNT(*) FROM sparkify.songs), (SELECT COUNT(*) FROM sparkify.artists),"
        " (SELECT COUNT(*) FROM sparkify.time),"
        " (SELECT SUM(rows_staged) FROM sparkify.loads WHERE dataset = 'log_data')"
    )
    assert [int(count) for count in counts[0]] == [1594, 75, 15, 71, 69, 1594, 1882]


def test_bad_files_are_rejected_and_the_good_ones_loaded(warehouse: Project) -> None:
    logs = {key: content for key, content in FILES.items() if key.startswith("log_data/")}
    good, broken, typed = sorted(logs)
    lines = logs[typed].splitlines()
    event = json.loads(lines[3])
    lines[3] = json.dumps({**event, "sessionId": "not a number"}).encode()
    files = {
        good: logs[good],
        broken: logs[broken][: len(logs[broken]) // 2],
        typed: b"\n".join(lines),
        "log_data/2018/11/empty.json": b"",
        "log_data/2018/11/truncated.json.gz": gzip.compress(logs[good])[:-40],
    }
    printed = warehouse.upload(files)
    ledger = warehouse.ledger()
    assert {key: entry[0] for key, entry in ledger.items()} == {
        good: "loaded",
        broken: "rejected",
        typed: "rejected",
        "log_data/2018/11/empty.json": "loaded",
        "log_data/2018/11/truncated.json.gz": "rejected",
    }, printed
    assert ledger[typed][2:] == (4, "session_id")
    assert "number" not in ledger[good]
    assert not oracle.diff(oracle.tables({good: logs[good]}), warehouse.star())
    assert typed in printed
    warehouse.upload({typed: logs[typed], broken: logs[broken]})
    assert not oracle.diff(oracle.tables(logs), warehouse.star())
