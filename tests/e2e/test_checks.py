"""A check that fails publishes nothing, and the report names it with its figure."""

import json
import time
from typing import Any

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project

FILES = dict(DataSet(songs=5, users=4, days=3, events=60, seed=5).files())
LOGS = sorted(key for key in FILES if key.startswith("log_data/"))


def failed_load(
    warehouse: Project, files: dict[str, bytes]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of a load of these files that fails, and the one check that failed."""
    with warehouse.no_events():
        warehouse.put(files)
    status, report = warehouse.start({"prefixes": ["log_data/"]})
    assert (status, report["status"]) == ("FAILED", "failed")
    (failed,) = [check for check in report["checks"] if not check["passed"]]
    assert failed["name"] in report["cause"]
    deadline = time.monotonic() + 30
    while staging_tables(warehouse, report["load_id"]) and time.monotonic() < deadline:
        time.sleep(0.5)  # they are dropped after the end
    assert not staging_tables(warehouse, report["load_id"])
    return report, failed


def staging_tables(warehouse: Project, load_id: str) -> list[str]:
    return [name for name in warehouse.staging_tables() if load_id.replace("-", "_") in name]


def test_a_check_on_staging_that_never_passed_publishes_nothing_and_judges_no_file(
    warehouse: Project,
) -> None:
    without = [{**json.loads(line), "page": None} for line in FILES[LOGS[0]].splitlines()]
    bad = "\n".join(json.dumps(event) for event in without).encode()
    report, failed = failed_load(warehouse, {LOGS[0]: bad})
    assert (failed["on"], failed["figure"], failed["expected"]) == ("staged", len(without), 0)
    for name in ("songplays", "users", "time"):
        assert warehouse.query(f"SELECT COUNT(*) FROM sparkify.{name}") == [(0,)], name
    ((status, reason, *_),) = warehouse.ledger().values()
    assert (status, "event_page_known" in reason) == ("waiting", True)
    assert report["files"]["waiting"] == 1


def test_a_check_in_the_publish_transaction_rolls_all_of_it_back(warehouse: Project) -> None:
    """Somebody has deleted the users of plays that the load's range of time has too."""
    first, second = LOGS[0], "log_data/again.json"
    warehouse.load({first: FILES[first]})
    before, ledger = warehouse.star(), warehouse.ledger_rows()
    warehouse.execute("DELETE FROM sparkify.users")
    # A new event of one user, in the middle of the others' plays.
    lines = FILES[first].splitlines()
    plays = [line for line in lines if json.loads(line)["page"] == "NextSong"]
    lone = {**json.loads(plays[len(plays) // 2]), "sessionId": 999_999}
    ends = [{**json.loads(line), "userId": lone["userId"]} for line in (plays[0], plays[-1])]
    events = [lone, *({**end, "sessionId": 999_998 + n} for n, end in enumerate(ends))]
    body = "\n".join(json.dumps(event) for event in events).encode()
    report, failed = failed_load(warehouse, {second: body})
    assert (failed["name"], failed["on"], failed["expected"]) == (
        "songplays_users_known",
        "published",
        0,
    )
    assert failed["figure"] > 0
    assert warehouse.ledger_rows() == ledger
    after = {**warehouse.star(), "users": before["users"]}
    assert not oracle.diff(before, after)
    assert report["files"]["loaded"] == 0
