"""docs/hand-written-datasets.md, done as it says: its own files, laid over a copy of the tree, load."""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loader.migrations import latest_version

from local.states.interpreter import Stopped
from tests.stateful.worlds import FIRST, statements_kept_by_its_clock
from tests.world import oracle
from tests.world.executions import Execution
from tests.world.files import DAY, Event, File
from tests.world.simulator import ROOT, Memory, World, load_id_of

DOCS = ROOT / "docs" / "hand-written-datasets"
PAGE = ROOT / "docs" / "hand-written-datasets.md"
KEY = "ratings/2018/11/2018-11-12.csv"
HEADER = "user_id,song_id,stars,rated_at,remark"
COLUMNS = "user_id, song_id, stars, rated_at, remark"
COPIED = ("functions", "sql", "statemachine", "template.yaml", "pyproject.toml")

# The functions say so to Python, which pytest does not keep from one test to the next.
pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("second dataset"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return laid_out(tmp_path_factory.mktemp("second") / "tree")


def laid_out(folder: Path) -> Path:
    """A copy of the product in which someone has done what the page says, to the letter."""
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".aws-sam")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    shutil.copytree(DOCS, folder / "docs" / "hand-written-datasets")
    alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    for command in commands():
        subprocess.run(["bash", "-ec", command], cwd=folder, env=alone, check=True)
    return folder


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """A deployment before there was a second dataset, with data in it."""
    with World(tmp_path_factory.mktemp("deployed") / "warehouse") as world:
        for file in FIRST:
            world.upload(file.key, file.body)
        world.work()
        assert {e.status for e in world.executions.all} == {"SUCCEEDED"}
        return world.remember()


@pytest.fixture
def world(tree: Path, deployed: Memory, tmp_path: Path) -> Iterator[World]:
    """That deployment, after the tree with the second dataset was deployed over it."""
    with World(tmp_path / "warehouse", tree=tree, memory=deployed) as found:
        yield found


def commands() -> list[str]:
    """The commands of the page that change the tree."""
    (block,) = re.findall(r"<!-- tested -->\n```console\n(.*?)```", PAGE.read_text(), re.S)
    return [line.removeprefix("$ ") for line in block.splitlines()]


def parsed(body: bytes) -> list[tuple[Any, ...]]:
    """The ratings of a file in plain Python, sorted: an empty field is NULL."""
    rows = csv.DictReader(io.StringIO(body.decode(), newline=""))
    found = (
        (
            int(row["user_id"]) if row["user_id"] else None,
            row["song_id"],
            int(row["stars"]),
            row["rated_at"],
            row["remark"] or None,
        )
        for row in rows
    )
    return sorted(found, key=repr)


def ratings(world: World) -> list[tuple[Any, ...]]:
    (rows,) = world.warehouse.query(f"SELECT {COLUMNS} FROM sparkify.ratings")
    return sorted(rows, key=repr)


def file_of(*lines: str) -> bytes:
    return "\n".join((HEADER, *lines, "")).encode()


def load(world: World, files: dict[str, bytes]) -> Execution:
    """Uploads the files together; the execution that loaded them."""
    for key, body in files.items():
        world.upload(key, body)
    world.work()
    return world.executions.all[-1]


def start(world: World, document: Any) -> Execution:
    execution = world.start(document)
    world.work()
    return execution


def statuses(world: World) -> dict[str, str]:
    """Key -> status of the ratings' files in the ledger."""
    current, _ = world.warehouse.ledger()
    return {key: status for key, _, status, _ in current if key.startswith("ratings/")}


def passed(execution: Execution) -> set[str]:
    return {check["name"] for check in execution.report["checks"] if check["passed"]}


def test_the_pages_file_loads_into_a_deployment_that_has_data(world: World) -> None:
    body = (DOCS / "data" / KEY).read_bytes()
    execution = load(world, {KEY: body})
    assert execution.status == "SUCCEEDED", execution.report
    assert ratings(world) == parsed(body) != []
    assert len(ratings(world)) != len(set(ratings(world)))  # two that are equal are two
    assert execution.report["rows"] == {"rating_stage": 4, "ratings": 4}
    assert {"rating_complete", "rating_stars_known", "ratings_complete"} <= passed(execution)
    before = oracle.tables({file.key: file.body for file in FIRST})
    assert oracle.diff(before, world.warehouse.star()) == ""
    ((version,),) = world.warehouse.query("SELECT MAX(version) FROM sparkify.schema_version")
    assert version == (latest_version(),)
    world.settle()
    assert ratings(world) == parsed(body)  # the sweep has nothing to add
    assert statuses(world) == {KEY: "loaded"}


def test_a_file_loads_once_whatever_its_compression_its_line_ends_and_the_others(
    world: World,
) -> None:
    line = "{},SO{},3,2018-11-13 10:00:0{},say"
    plain = file_of(*(line.format(n, n, n) for n in range(9)))
    zipped = file_of("7,SO7,3,2018-11-14 10:00:07,é")
    crlf = file_of("8,SO8,5,2018-11-15 10:00:07,").replace(b"\n", b"\r\n")
    files = {
        "ratings/a.csv": plain,
        "ratings/b.csv.gz": gzip.compress(zipped),
        "ratings/c.csv": crlf,
        "ratings/only a header.csv": file_of(),
        "ratings/empty.csv": b"",
    }
    execution = load(world, files | {"ratings/readme.txt": b"no rating", "ratings.csv": plain})
    assert execution.status == "SUCCEEDED", execution.report
    for key, body in files.items():  # every event once more
        world.upload(key, body)
    world.work()
    again = start(world, {"prefixes": ["ratings/"]})
    assert again.report["status"] == "nothing to load"
    assert ratings(world) == sorted(parsed(plain) + parsed(zipped) + parsed(crlf), key=repr)
    assert statuses(world) == dict.fromkeys(files, "loaded")


def test_bad_files_are_rejected_with_line_and_column_and_the_good_ones_load(world: World) -> None:
    good = file_of("1,SO1,5,2018-11-12 08:00:00,", "2,SO1,4,2018-11-12 08:00:01,")
    assert load(world, {"ratings/first.csv": good}).status == "SUCCEEDED"
    other = file_of("3,SO2,2,2018-11-13 08:00:00,")
    execution = load(
        world,
        {
            "ratings/good.csv": other,
            "ratings/word.csv": file_of(
                "3,SO2,2,2018-11-13 08:00:00,", "4,SO2,two,2018-11-13 08:00:00,"
            ),
            "ratings/few.csv": file_of("3,SO2,2"),
            "ratings/stars.csv": file_of("3,SO2,9,2018-11-13 08:00:00,"),
            "ratings/nobody.csv": file_of("3,,1,2018-11-13 08:00:00,"),
        },
    )
    assert execution.status == "SUCCEEDED", execution.report
    assert ratings(world) == sorted(parsed(good) + parsed(other), key=repr)
    why = {reject["key"]: reject for reject in execution.report["rejected"]}
    assert why.keys() == {f"ratings/{name}.csv" for name in ("word", "few", "stars", "nobody")}
    assert (why["ratings/word.csv"]["line"], why["ratings/word.csv"]["column"]) == (3, "stars")
    assert "Delimiter not found" in why["ratings/few.csv"]["reason"]
    assert "rating_stars_known" in why["ratings/stars.csv"]["reason"]
    assert "rating_complete" in why["ratings/nobody.csv"]["reason"]


def test_a_files_columns_are_where_its_header_says(world: World) -> None:
    """In any order, beside files of the listed one; a header with other columns, or none, rejects its file."""
    listed = file_of("1,SO1,5,2018-11-12 08:00:00,say")
    swapped = b"remark,stars,rated_at,song_id,user_id\nx,3,2018-11-12 09:00:00,SO2,2\n"
    other = b"stars,user_id,song_id,rated_at,remark\n1,3,SO3,2018-11-12 10:00:00,y\n"
    good = {
        "ratings/listed.csv": listed,
        "ratings/swapped.csv": swapped,
        "ratings/other.csv.gz": gzip.compress(other),
        "ratings/swapped, empty.csv": swapped.partition(b"\n")[0],
    }
    bad = {
        "ratings/missing.csv": b"user_id,song_id,rated_at,remark\n1,SO1,2018-11-12 08:00:00,\n",
        "ratings/extra.csv": listed.replace(b"remark", b"remark,mood").replace(b"say", b"say,good"),
        "ratings/no header.csv": listed.partition(b"\n")[2],
        "ratings/bad row.csv": swapped.replace(b",3,", b",three,"),
    }
    execution = load(world, good | bad)
    assert execution.status == "SUCCEEDED", execution.report
    expected = parsed(listed) + parsed(swapped) + parsed(other)
    assert ratings(world) == sorted(expected, key=repr)
    assert statuses(world) == dict.fromkeys(good, "loaded") | dict.fromkeys(bad, "rejected")
    why = {reject["key"]: reject for reject in execution.report["rejected"]}
    assert "missing: stars" in why["ratings/missing.csv"]["reason"]
    assert "not known: mood" in why["ratings/extra.csv"]["reason"]
    assert "not a header" in why["ratings/no header.csv"]["reason"]
    assert why["ratings/bad row.csv"]["column"] == "stars"
    world.settle()
    assert ratings(world) == sorted(expected, key=repr)


def test_the_sweep_finds_files_that_were_there_before_the_dataset(
    tree: Path, deployed: Memory, tmp_path: Path
) -> None:
    """No event of theirs was taken, and they are older than the last sweep's mark."""
    body = (DOCS / "data" / KEY).read_bytes()
    with World(tmp_path / "before", memory=deployed) as before:
        before.upload(KEY, body)
        before.clock.advance(10 * 86_400)
        before.upload("log_data/later.json", FIRST[0].body)
        before.settle()
        later = before.remember()
    with World(tmp_path / "warehouse", tree=tree, memory=later) as world:
        loads = len(world.executions.all)
        world.sweep()
        world.work()
        assert len(world.executions.all) == loads + 1
        assert ratings(world) == parsed(body)
        world.settle()
        assert len(world.executions.all) == loads + 1


def test_undo_takes_a_load_out_and_by_key_its_files_load_again(world: World) -> None:
    first, second = (file_of(f"{n},SO1,5,2018-11-12 08:00:00,") for n in (1, 2))
    load(world, {"ratings/a.csv": first})
    unwanted = load_id_of(load(world, {"ratings/b.csv": second}))
    planned = start(world, {"undo": unwanted, "dry_run": True})
    assert planned.report["undo"]["rows"]["ratings"] == 1
    undone = start(world, {"undo": unwanted})
    assert undone.status == "SUCCEEDED", undone.report
    assert "ratings_gone" in passed(undone)
    world.settle()
    assert ratings(world) == parsed(first)
    assert statuses(world) == {"ratings/a.csv": "loaded", "ratings/b.csv": "withdrawn"}
    assert start(world, {"keys": ["ratings/b.csv"]}).status == "SUCCEEDED"
    assert ratings(world) == sorted(parsed(first) + parsed(second), key=repr)
    before = oracle.tables({file.key: file.body for file in FIRST})
    assert oracle.diff(before, world.warehouse.star()) == ""


def test_undo_of_a_load_of_two_datasets_takes_the_rows_of_both(world: World) -> None:
    """Their times are far apart, and undo's statements share one range."""
    body = (DOCS / "data" / KEY).read_bytes()
    plays = File("log_data/both.json", (Event(user=7, at=40 * DAY), Event(user=7, at=41 * DAY)))
    for key, content in ((KEY, body), (plays.key, plays.body)):
        world.upload(key, content, event=False)
    both = start(world, {})
    assert both.report["files"]["loaded"] == 2
    assert ratings(world) == parsed(body)
    files = {file.key: file.body for file in FIRST}
    assert (
        oracle.diff(oracle.tables({**files, plays.key: plays.body}), world.warehouse.star()) == ""
    )
    undone = start(world, {"undo": load_id_of(both)})
    assert undone.status == "SUCCEEDED", undone.report
    assert {"ratings_gone", "plays_gone"} <= passed(undone)
    assert ratings(world) == []
    assert oracle.diff(oracle.tables(files), world.warehouse.star()) == ""


def test_publishing_twice_changes_nothing(world: World) -> None:
    """Its publish has committed, the Data API has forgotten it, and the load goes on: once, without a key too."""
    body = (DOCS / "data" / KEY).read_bytes()

    def stop(_execution: Execution, state: str) -> None:
        if state == "Published?":
            raise Stopped

    with statements_kept_by_its_clock(world):
        world.warehouse.slow = True
        world.executions.at_state = stop
        stopped = load(world, {KEY: body})
        assert stopped.status == "ABORTED"
        world.warehouse.rest()
        assert ratings(world) == parsed(body)
        world.executions.at_state = lambda _execution, _state: None
        world.clock.advance(2 * 86_400)
        assert world.redrive(stopped).status == "SUCCEEDED"
        assert ratings(world) == parsed(body)
        assert statuses(world) == {KEY: "loaded"}


@pytest.mark.parametrize("request_", [{"keys": [KEY]}, {"prefixes": ["ratings/"]}])
def test_a_reload_is_refused_by_name_and_changes_nothing(
    world: World, request_: dict[str, Any]
) -> None:
    body = (DOCS / "data" / KEY).read_bytes()
    load(world, {KEY: body})
    execution = start(world, {"reload": True, **request_})
    assert execution.status == "FAILED"
    for word in ("reload", KEY, "ratings", "Undo"):
        assert word in execution.report["cause"]
    assert ratings(world) == parsed(body)


def test_reset_drops_and_makes_its_tables_too(world: World) -> None:
    body = (DOCS / "data" / KEY).read_bytes()
    load(world, {KEY: body})
    assert start(world, {"reset": True}).status == "SUCCEEDED"
    assert ratings(world) == []
    assert start(world, {}).status == "SUCCEEDED"
    assert ratings(world) == parsed(body)
    both = oracle.tables({file.key: file.body for file in FIRST})
    assert oracle.diff(both, world.warehouse.star()) == ""


# Lines that COPY reports of each file (None: it does not report it), rows that are staged, rows that COPY says it
# loaded, files that are not reported, and how many may be.
ACCOUNTS: list[tuple[list[int | None], int, int | None, int, int]] = [
    ([3, 4], 5, 5, 0, 0),  # headers are counted as lines, or
    ([2, 3], 5, 5, 0, 0),  # they are not: Redshift's documentation does not say
    ([3, 4, None], 5, None, 1, 1),  # a file of nothing but a header, of which COPY says nothing
    ([2, 3, None], 5, None, 1, 1),
    ([3, 0, None], 2, None, 1, 1),  # an empty object has no header
    ([5, 9], 3, 3, 0, 0),  # fields with line breaks
    ([5, 9], 3, None, 0, 0),  # every file is reported, that is all that can be said
    (
        [3, None],
        5,
        5,
        1,
        1,
    ),  # a file with rows is not reported: COPY's own count says that all is there
    ([None, None], 5, 5, 2, 2),
    ([3, None], 5, 4, 1, 0),  # the counts contradict each other
    ([3, None], 5, None, 1, 0),  # nobody accounts for the rows
    ([None, None], 5, 0, 2, 0),
    ([None, None], 5, None, 2, 0),
]


def test_copys_account_of_a_batch_of_files_with_headers(world: World) -> None:
    found = world.warehouse.query(
        *(rows_by_file(lines, rows, copied) for lines, rows, copied, _, _ in ACCOUNTS)
    )
    assert found == [[(missing, may)] for _, _, _, missing, may in ACCOUNTS]


def rows_by_file(lines: list[int | None], rows: int, copied: int | None) -> str:
    """The check, over these lines instead of the ledger's."""
    ledger = " UNION ALL ".join(
        f"SELECT CAST({'NULL' if of is None else of} AS BIGINT) AS lines,"
        " 'l' AS load_id, 'b' AS batch, 'loaded' AS status"
        for of in lines
    )
    text = (ROOT / "sql/checks/published/rows_by_file.sql").read_text(encoding="utf-8")
    values = {
        "${rows_staged}": str(rows),
        "${rows_refused}": "0",
        "${rows_copied}": "NULL" if copied is None else str(copied),
        "${header_lines}": "1",
        "${load_id}": "l",
        "${batch}": "b",
        "${schema}.files": f"({ledger})",
    }
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def test_what_the_page_says_is_not_promised_is_so(world: World) -> None:
    """A rating has no key: a file of other content under the same key, or a copy of a file, is loaded beside it."""
    body, more = (file_of(*["1,SO1,5,2018-11-12 08:00:00,"] * n) for n in (1, 2))
    load(world, {"ratings/a.csv": body})
    load(world, {"ratings/a.csv": more})
    load(world, {"ratings/copy.csv": body})
    assert ratings(world) == parsed(body) + parsed(more) + parsed(body)


def test_the_projects_own_tests_of_sql_pass_with_it(tree: Path) -> None:
    """That a dataset of one's own needs no Python is true of the tests too."""
    for name in ("tests", "contracts", "local", "docs/other-account"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    names = [f"tests/unit/test_{name}.py" for name in ("sql_files", "datasets", "undo", "reset")]
    names.append(
        "tests/repository/test_template.py::test_events_of_another_accounts_bucket_come_to_the_queue"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *names],
        cwd=tree,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
    assert "ratings" in ended.stdout or " passed" in ended.stdout


def test_the_page_shows_its_files_as_they_are() -> None:
    """Each file of the folder is shown, or named; what is shown is the file, without its comments or with them."""
    page = PAGE.read_text(encoding="utf-8")
    shown = dict(re.findall(r"\n`(\S+)`[^\n]*\n\n```\w+\n(.*?)```", page, re.S))
    for path in sorted(p for p in DOCS.rglob("*") if p.is_file()):
        name = path.relative_to(DOCS).as_posix()
        assert f"`{name}`" in page, f"{name} is not on the page"
        if name in shown:
            assert shown[name] == path.read_text(encoding="utf-8"), name
    assert len(shown) >= 8
