"""Real clients of port 5439: each runs its script of ``tools/`` in an environment of its own.

``make tools`` makes the environments in the folder that FAKESHIFT_TOOLS names, ``<folder>/<tool>``, from
``tools/<tool>.txt``. A tool that is not there is skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire_client import Client

from fakeshift import LocalRedshift, Settings

TOOLS = Path(__file__).parent / "tools"
ENVIRONMENTS = os.environ.get("FAKESHIFT_TOOLS", "")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalRedshift]:
    with LocalRedshift(Settings(data=tmp_path / "data", port=0, pg_port=0)) as running:
        yield running


def run(tool: str, *words: str) -> None:
    """Fails with what the tool's script printed."""
    python = Path(ENVIRONMENTS) / tool / "bin" / "python"
    if not (ENVIRONMENTS and python.exists()):
        pytest.skip(f"{tool} is not there: make tools installs it and runs this test")
    ended = subprocess.run(
        [str(python), str(TOOLS / f"{tool}_tool.py"), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
    )
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]


def test_psycopg(server: LocalRedshift) -> None:
    run("psycopg", str(server.pg_port))


def test_redshift_connector(server: LocalRedshift) -> None:
    with Client(server.pg_port) as client:  # the certificate is made for the first who asks
        client.send(b"\0\0\0\x08\x04\xd2\x16\x2f")
        assert client.socket.recv(1) == b"S"
    run("redshift_connector", str(server.pg_port), str(server.settings.data / "server.crt"))


def test_sqlalchemy(server: LocalRedshift) -> None:
    run("sqlalchemy", str(server.pg_port))


def test_awswrangler(server: LocalRedshift) -> None:
    run("awswrangler", str(server.pg_port))


def test_dlt(server: LocalRedshift, tmp_path: Path) -> None:
    run("dlt", str(server.pg_port), str(tmp_path))


def test_dbt(server: LocalRedshift, tmp_path: Path) -> None:
    folder = tmp_path / "star"
    shutil.copytree(TOOLS / "dbt_star", folder)
    run("dbt", str(server.pg_port), str(folder))
    with Client(server.pg_port) as client:
        client.login()
        plays = "SELECT songplay_id, level FROM star.{} ORDER BY songplay_id"
        now = [[b"1", b"paid"], [b"2", b"paid"], [b"3", b"paid"]]
        for table in ("fct_delete_insert", "fct_merge", "fct_microbatch"):
            assert client.rows(plays.format(table)) == now, table
        before = [[b"1", b"free"], [b"2", b"paid"], [b"3", b"free"]]
        assert client.rows(plays.format("fct_append")) == before
        history = "SELECT level, dbt_valid_to IS NULL FROM star.users_history WHERE user_id = 1"
        assert sorted(client.rows(history)) == [[b"free", b"f"], [b"paid", b"t"]]
        comment = "SELECT obj_description('star.dim_users'::regclass, 'pg_class')"
        assert client.rows(comment) == [[b"the listeners, as 'users' knows them"]]


# -- psql --------------------------------------------------------------------------------------


@pytest.fixture
def psql(server: LocalRedshift) -> list[str]:
    """The command that runs psql on a server with a small star schema."""
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed")
    with Client(server.pg_port) as client:
        client.login()
        client.query(
            "CREATE TABLE songs (id INT NOT NULL, title VARCHAR(40) DEFAULT 'none', PRIMARY KEY (id));"
            "CREATE TABLE plays (song INT REFERENCES songs (id), n NUMERIC(9,2));"
            "CREATE VIEW titles AS SELECT title FROM songs;"
            "COMMENT ON TABLE songs IS 'what was played';"
            "INSERT INTO songs VALUES (1, 'One'), (2, NULL)"
        )
    url = f"host=127.0.0.1 port={server.pg_port} user=me dbname=dev"
    return ["psql", "-X", "-v", "ON_ERROR_STOP=1", url]


def shown(psql: list[str], *commands: str) -> str:
    words = [word for command in commands for word in ("-c", command)]
    ended = subprocess.run([*psql, *words], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_psql_shows_rows(psql: list[str]) -> None:
    assert shown(psql, "SELECT * FROM songs ORDER BY id") == (
        " id | title \n----+-------\n  1 | One\n  2 | \n(2 rows)\n\n"
    )


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        ("\\d", ["public | plays  | table | me", "public | titles | view  | me"]),
        (
            "\\d songs",
            [
                "id     | integer               |           | not null |",
                "title  | character varying(40) |           |          | 'none'",
                '"songs_pkey" PRIMARY KEY, btree (id)',
            ],
        ),
        ("\\d+ titles", ["View definition:", 'SELECT "title" FROM "public"."songs";']),
        ("\\dt+ songs", ["permanent   | 0 bytes | what was played"]),
        ("\\dn", ["public | rdsdb"]),
        ("\\l", ["dev  | rdsdb | UNICODE"]),
        ("\\du", ["me        |"]),
        ("\\df", ["(0 rows)"]),
        ("\\di", ["public | songs_pkey | index | me    | songs"]),
        ("\\dv", ["public | titles | view | me"]),
        ("\\dp", ["public | songs  | table"]),
        ("\\d pg_class", ["relname         | name"]),
    ],
)
def test_psql_describes(psql: list[str], command: str, lines: list[str]) -> None:
    text = shown(psql, command)
    for line in lines:
        assert line in text
