"""psycopg 3 against a port: python psycopg_tool.py PORT."""

import datetime as dt
import sys
import threading
import time
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import errors

ROW = (
    1, 2**40, 7, "é'\\", Decimal("-12345.67"), 0.5, True, dt.date(2018, 11, 1), dt.time(1, 2, 3),
    dt.datetime(2018, 11, 1, 21, 1, 46, 796000),  # noqa: DTZ001
    dt.datetime(2018, 11, 1, 21, 1, 46, tzinfo=dt.UTC),
)  # fmt: skip


def types(connection: Any) -> None:
    """Each type there and back, in both formats, as parameters and in a table."""
    connection.execute(
        "CREATE TABLE types (i INT, b BIGINT, s SMALLINT, v VARCHAR(20), n NUMERIC(12,2), f FLOAT8,"
        " t BOOLEAN, d DATE, c TIME, ts TIMESTAMP, tz TIMESTAMPTZ)"
    )
    marks = ", ".join(["%s"] * len(ROW))
    connection.execute(f"INSERT INTO types VALUES ({marks})", ROW)
    connection.execute(f"INSERT INTO types VALUES ({marks})", [None] * len(ROW))
    for binary in (False, True):
        found = connection.execute("SELECT * FROM types ORDER BY i", binary=binary).fetchall()
        assert found == [ROW, (None,) * len(ROW)], found
        found = connection.execute("SELECT v FROM types WHERE i = %b AND d = %b", (1, ROW[7]))
        assert found.fetchone() == ("é'\\",)


def transactions(connection: Any) -> None:
    """An error, and the rollback after it."""
    with connection.transaction():
        connection.execute("CREATE TABLE plays (id INT)")
    message = ""
    try:
        with connection.transaction():
            connection.execute("INSERT INTO plays VALUES (1)")
            connection.execute("SELECT nope")
    except errors.UndefinedColumn as error:
        message = error.diag.message_primary or ""
    assert message == 'column "nope" does not exist'
    assert connection.execute("SELECT COUNT(*) FROM plays").fetchone() == (0,)


def many(connection: Any) -> None:
    """executemany, which is a pipeline, and rows in portions."""
    connection.cursor().executemany(
        "INSERT INTO plays VALUES (%s)", [(number,) for number in range(50)]
    )
    with connection.cursor() as cursor:
        found = [row[0] for row in cursor.stream("SELECT id FROM plays ORDER BY id")]
    assert found == list(range(50)), found
    with connection.transaction(), connection.cursor(name="portions") as cursor:
        cursor.itersize = 20
        cursor.execute("SELECT id FROM plays ORDER BY id")
        assert [row[0] for row in cursor] == list(range(50))
    found = connection.execute("SELECT id FROM plays WHERE id < %s", (3,), prepare=True)
    assert found.rowcount == 3


def notices(connection: Any) -> None:
    """A warning arrives."""
    seen: list[str] = []
    connection.add_notice_handler(lambda notice: seen.append(notice.message_primary))
    connection.execute("BEGIN")
    connection.execute("BEGIN")
    connection.execute("COMMIT")
    assert seen == ["there is already a transaction in progress"], seen


def cancel(connection: Any, other: Any) -> None:
    """A statement that waits for a lock is cancelled."""
    other.execute("BEGIN")
    other.execute("LOCK plays")

    def later() -> None:
        time.sleep(0.3)
        connection.cancel()

    thread = threading.Thread(target=later)
    thread.start()
    try:
        connection.execute("SELECT * FROM plays")
    except errors.QueryCanceled:
        pass
    else:
        raise AssertionError("it was not cancelled")
    thread.join()
    other.execute("ROLLBACK")


def main(port: str) -> None:
    """Everything."""
    url = f"host=127.0.0.1 port={port} user=me dbname=dev"
    for mode in ("disable", "require"):
        with psycopg.connect(f"{url} sslmode={mode}") as connection:
            assert connection.info.parameter_status("server_version") == "8.0.2"
            assert connection.execute("SELECT 1").fetchone() == (1,)
    with (
        psycopg.connect(url, autocommit=True) as connection,
        psycopg.connect(url, autocommit=True) as other,
    ):
        types(connection)
        transactions(connection)
        many(connection)
        notices(connection)
        cancel(connection, other)


if __name__ == "__main__":
    main(sys.argv[1])
