"""SQLAlchemy 2 and sqlalchemy-redshift against a port: python sqlalchemy_tool.py PORT."""

import datetime as dt
import sys
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

ROWS = [
    {"id": 1, "name": "Ann", "at": dt.datetime(2018, 11, 1), "paid": Decimal("1.50")},  # noqa: DTZ001
    {"id": 2, "name": None, "at": None, "paid": None},
]


def reflection(engine: Any) -> None:
    """What an Inspector finds."""
    with engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA IF EXISTS sa CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA sa"))
        connection.execute(
            sa.text(
                "CREATE TABLE sa.artists (id INT NOT NULL, name VARCHAR(20) DEFAULT 'x' ENCODE zstd,"
                " PRIMARY KEY (id)) DISTSTYLE KEY DISTKEY (id) SORTKEY (name)"
            )
        )
        connection.execute(
            sa.text("CREATE TABLE sa.songs (artist INT REFERENCES sa.artists (id), n NUMERIC(9,2))")
        )
        connection.execute(sa.text("CREATE VIEW sa.names AS SELECT name FROM sa.artists"))
        connection.execute(sa.text("COMMENT ON TABLE sa.artists IS 'who sings'"))
    found = sa.inspect(engine)
    assert {"information_schema", "public", "sa"} <= set(found.get_schema_names())
    assert sorted(found.get_table_names("sa")) == ["artists", "songs"]
    assert found.get_view_names("sa") == ["names"]
    columns = {each["name"]: each for each in found.get_columns("artists", "sa")}
    assert str(columns["id"]["type"]) == "INTEGER"
    assert not columns["id"]["nullable"]
    assert str(columns["name"]["type"]) == "VARCHAR(20)"
    assert columns["name"]["info"]["encode"] == "zstd"
    assert found.get_pk_constraint("artists", "sa")["constrained_columns"] == ["id"]
    (key,) = found.get_foreign_keys("songs", "sa")
    assert (key["referred_table"], key["referred_columns"]) == ("artists", ["id"])
    assert "name" in found.get_view_definition("names", "sa")
    assert found.get_table_comment("artists", "sa")["text"] == "who sings"
    options = found.get_table_options("artists", "sa")
    assert (options["redshift_distkey"], options["redshift_sortkey"]) == ("id", ("name",)), options
    assert found.has_table("songs", "sa")
    assert not found.has_table("missing", "sa")


def tables(engine: Any) -> None:
    """A table made, filled, changed and reflected by Core."""
    metadata = sa.MetaData()
    users = sa.Table(
        "users",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("name", sa.String(20)),
        sa.Column("at", sa.DateTime),
        sa.Column("paid", sa.Numeric(10, 2)),
        redshift_distkey="id",
        redshift_sortkey="at",
    )
    metadata.drop_all(engine)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(users.insert(), ROWS)
        connection.execute(users.update().where(users.c.id == 1).values(name="Bob"))
        found = connection.execute(sa.select(users).order_by(users.c.id)).mappings().all()
    assert [dict(row) for row in found] == [{**ROWS[0], "name": "Bob"}, ROWS[1]]
    with engine.connect() as connection:
        transaction = connection.begin()
        connection.execute(users.delete())
        transaction.rollback()
        assert connection.scalar(sa.select(sa.func.count()).select_from(users)) == 2
    again = sa.Table("users", sa.MetaData(), autoload_with=engine)
    assert [str(column.type) for column in again.columns] == [
        "BIGINT", "VARCHAR(20)", "TIMESTAMP", "NUMERIC(10, 2)",
    ]  # fmt: skip


def main(port: str) -> None:
    """Everything, with both drivers."""
    drivers = {"redshift_connector": {"ssl": False}, "psycopg2": {"sslmode": "disable"}}
    for driver, arguments in drivers.items():
        url = f"redshift+{driver}://me:x@127.0.0.1:{port}/dev"
        engine = sa.create_engine(url, connect_args=arguments)
        reflection(engine)
        tables(engine)
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1])
