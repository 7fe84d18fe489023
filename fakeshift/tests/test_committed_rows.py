"""The catalogue's rows that sessions share: never those of another version than a session sees."""

from __future__ import annotations

import re
import threading
from itertools import count

from fakeshift.engine.relations import CommittedRows
from warehouse import Warehouse


def test_a_row_is_read_once_until_a_commit_changes_the_catalogue() -> None:
    known, reads = CommittedRows(), count(1)

    def get() -> int:
        return known.get(known.version, "t", lambda: next(reads))

    assert [get(), get()] == [1, 1]
    with known.changing():
        assert known.version is None
        assert [get(), get()] == [2, 3]  # may be seen already, or not yet
    assert [get(), get()] == [4, 4]


def test_a_snapshot_of_an_older_version_reads_for_itself() -> None:
    known = CommittedRows()
    old = known.version
    with known.changing():
        pass
    assert known.get(old, "t", lambda: "old") == "old"
    assert known.get(known.version, "t", lambda: "new") == "new"
    assert known.get(old, "t", lambda: "old") == "old"
    assert known.get(known.version, "t", lambda: "read again") == "new"


def test_what_was_read_while_a_commit_came_is_not_kept() -> None:
    known = CommittedRows()

    def read() -> str:
        with known.changing():
            return "before"

    assert known.get(known.version, "t", read) == "before"
    assert known.get(known.version, "t", lambda: "after") == "after"


def test_two_commits_at_once() -> None:
    known = CommittedRows()
    with known.changing():
        with known.changing():
            pass
        assert known.version is None
    assert known.version is not None


def test_sessions_see_tables_come_and_go(isolated: Warehouse) -> None:
    """Tables created, changed and dropped by one session while others use them."""
    isolated.run("CREATE TABLE t.kept (n INT)")
    wrong: list[str] = []
    done = threading.Event()
    gone = re.compile(  # before the lookup, or during the wait for its lock
        r"Query #1 failed with ERROR: "
        r'(relation "t\.flips" does not exist|table \d+ dropped by concurrent transaction)'
    )

    def look() -> None:
        while not done.is_set():
            shown = isolated.batch("SELECT * FROM t.flips", "SELECT * FROM t.flips")
            if shown["Status"] == "FAILED":
                if not gone.fullmatch(shown["Error"]):
                    wrong.append(shown["Error"])
                continue
            kinds = [
                [
                    c["name"]
                    for c in isolated.client.get_statement_result(Id=part["Id"])["ColumnMetadata"]
                ]
                for part in shown["SubStatements"]
            ]
            if kinds[0] != kinds[1] or kinds[0] not in (["a"], ["a", "b"]):
                wrong.append(str(kinds))

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(12):
        isolated.batch("CREATE TABLE t.flips (a INT)", "INSERT INTO t.flips VALUES (1)")
        isolated.run("ALTER TABLE t.flips ADD COLUMN b INT")
        isolated.run("DROP TABLE t.flips")
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong
