"""redshift_connector against a port: python redshift_connector_tool.py PORT CERTIFICATE."""

import datetime as dt
import os
import sys
from decimal import Decimal
from typing import Any

import redshift_connector

ROW = [
    1, 2**40, "é'", Decimal("-12345.67"), Decimal("12345678901234567890.5"), 0.5, True,
    dt.date(2018, 11, 1), dt.time(1, 2, 3), dt.datetime(2018, 11, 1, 21, 1, 46, 796000),  # noqa: DTZ001
]  # fmt: skip


def connect(port: str, **more: Any) -> Any:
    """A connection; any password will do for a user who has none."""
    return redshift_connector.connect(
        host="127.0.0.1", port=int(port), database="dev", user="me", password="x", **more
    )


def types(cursor: Any) -> None:
    """Each type there and back."""
    cursor.execute("DROP TABLE IF EXISTS public.types")
    cursor.execute(
        "CREATE TABLE types (i INT, b BIGINT, v VARCHAR(20), n NUMERIC(12,2), m NUMERIC(30,1),"
        " f FLOAT8, t BOOLEAN, d DATE, c TIME, ts TIMESTAMP)"
    )
    marks = ", ".join(["%s"] * len(ROW))
    cursor.execute(f"INSERT INTO types VALUES ({marks})", ROW)
    cursor.execute(f"INSERT INTO types VALUES ({marks})", [None] * len(ROW))
    cursor.execute("SELECT * FROM types ORDER BY i")
    assert cursor.fetchall() == ([*ROW], [None] * len(ROW))
    cursor.execute("SELECT %s, %s, %s, %s", (1, 2.5, Decimal("3.75"), None))
    assert cursor.fetchall() == ([1, 2.5, Decimal("3.75"), None],)


def errors(connection: Any, cursor: Any) -> None:
    """An error has its fields, and the transaction ends."""
    code = ""
    try:
        cursor.execute("SELECT nope")
    except redshift_connector.ProgrammingError as error:
        code = error.args[0]["C"]
    assert code == "42703"
    connection.rollback()
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == [1]


def metadata(cursor: Any) -> None:
    """What the driver asks of the catalogue."""
    cursor.execute("CREATE TABLE IF NOT EXISTS keyed (id INT NOT NULL, PRIMARY KEY (id))")
    tables = [row[2] for row in cursor.get_tables(schema_pattern="public") if row[3] == "TABLE"]
    assert tables == ["keyed", "types"], tables
    columns = cursor.get_columns(schema_pattern="public", tablename_pattern="keyed")
    assert [(row[3], row[5]) for row in columns] == [("id", "int4")], columns
    keys = cursor.get_primary_keys(schema="public", table="keyed")
    assert [row[2:6] for row in keys] == [["keyed", "id", 1, "keyed_pkey"]], keys
    assert ["public", "dev"] in [list(row) for row in cursor.get_schemas()]
    assert cursor.get_catalogs() == (["dev"],)
    assert cursor.get_procedures() == ()
    cursor.execute("SELECT id FROM keyed")
    assert list(cursor.fetch_dataframe().columns) == ["id"]


def main(port: str, certificate: str) -> None:
    """Everything, for each version of Redshift's protocol, with and without TLS."""
    for protocol in (0, 1, 2):
        asked = {"ssl": False, "client_protocol_version": protocol}
        with connect(port, **asked) as connection, connection.cursor() as cursor:
            types(cursor)
            connection.commit()
            errors(connection, cursor)
            metadata(cursor)
            connection.commit()
    os.environ["SSL_CERT_FILE"] = certificate
    with connect(port) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == [1]


if __name__ == "__main__":
    main(*sys.argv[1:3])
