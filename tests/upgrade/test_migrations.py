"""The tables' versions: one current schema, and numbered files without gaps; both ways lead to the same tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loader import sql, statements
from loader.datasets import datasets
from loader.migrations import LEDGER, is_autocommit, latest_version, migrations, rendered, steps

from fakeshift import LocalRedshift, Settings
from tests.upgrade.recorded import PART_1
from tests.world.client import Client

NAMES = {"schema": "s", "loader_schema": "l"}


def forget() -> None:
    migrations.cache_clear()
    sql.read.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    (tmp_path / "migrations").mkdir()
    forget()
    yield tmp_path / "migrations"
    forget()


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("")


def named(found: dict[int, str]) -> dict[int, str]:
    return {number: Path(name).name for number, name in found.items()}


FOUR = ["002_b.sql", "003_c.sql", "004_d_autocommit.sql"]
NEW = "ledger.sql"


@pytest.mark.parametrize(
    ("files", "latest", "from_two"),
    [
        (["002_b.sql", NEW, "drop.sql", "version.sql"], 2, {}),
        ([NEW, *FOUR], 4, {3: "003_c.sql", 4: "004_d_autocommit.sql"}),
        (
            [NEW, *FOUR, "006_f.sql", "005_e.sql", "readme.md"],
            6,
            {3: "003_c.sql", 4: "004_d_autocommit.sql", 5: "005_e.sql", 6: "006_f.sql"},
        ),
        # Nothing older is in use anywhere.
        ([NEW, "003_c.sql"], 3, {3: "003_c.sql"}),
    ],
)
def test_versions(folder: Path, files: list[str], latest: int, from_two: dict[int, str]) -> None:
    """A warehouse without tables gets those of the newest version at once, whatever leads there from older ones."""
    write(folder, *files)
    assert latest_version() == latest
    assert named(steps(0)) == {latest: NEW}
    assert list(named(steps(2)).items()) == list(from_two.items())
    assert steps(latest) == {}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ([], r"without gaps, not \[\]"),
        ([NEW], r"without gaps, not \[\]"),
        (["001_a.sql", "003_c.sql", NEW], r"without gaps, not \[1, 3\]"),
    ],
)
def test_what_leads_to_no_tables_or_to_others_is_refused(
    folder: Path, files: list[str], says: str
) -> None:
    write(folder, *files)
    with pytest.raises(sql.TemplateError, match=says):
        migrations()
    with pytest.raises(sql.TemplateError, match=says):
        steps(0)


def test_tables_that_no_file_upgrades_are_refused(folder: Path) -> None:
    """And not passed over: a later file would run on tables that lack what came before it."""
    write(folder, NEW, "004_d.sql")
    assert list(steps(0)) == [4]
    with pytest.raises(
        sql.TemplateError, match="no file from version 1 to 2: deploy an older release"
    ):
        steps(1)


def test_an_autocommit_file_is_known_by_its_name() -> None:
    assert is_autocommit("migrations/004_distribution_autocommit.sql")
    assert not is_autocommit("migrations/003_loader_schema.sql")


# ---------------------------------------------------------------- the product's own
NUMBERED = [*migrations().values()]
FILES = [LEDGER, *NUMBERED]


@pytest.mark.parametrize("name", FILES)
def test_a_file_writes_its_own_version_last(name: str) -> None:
    version = latest_version() if name == LEDGER else int(re.findall(r"\d{3}", name)[0])
    found = rendered(name, NAMES)
    last = f"INSERT INTO s.schema_version (version) VALUES ({version})"
    assert [text for text in found if "INTO s.schema_version" in text] == [last] == found[-1:]


def every() -> list[str]:
    """The statements of all files that make or change tables."""
    numbered = [text for name in NUMBERED for text in rendered(name, NAMES)]
    return [*statements.create_all(NAMES), *numbered]


def test_no_key_is_declared() -> None:
    """Redshift enforces none, but plans as if they held: the checks could not see that they do not."""
    text = " ".join(every()).upper()
    for words in ("PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "REFERENCES"):
        assert words not in text


def test_what_is_recorded_has_the_time_of_its_statement() -> None:
    """SYSDATE is when the transaction began, which may have waited for the lock since."""
    text = " ".join(every())
    assert "SYSDATE" not in text.upper()
    times = re.findall(r"\w+_at TIMESTAMP NOT NULL(?: DEFAULT GETDATE\(\))?", text)
    given = [
        kind for kind in times if "DEFAULT" not in kind
    ]  # those that are the data's, or the loader writes itself
    assert {"published_at TIMESTAMP NOT NULL DEFAULT GETDATE()"} < set(times)
    assert not {"published_at TIMESTAMP NOT NULL", "recorded_at TIMESTAMP NOT NULL"} & set(given)


@pytest.mark.parametrize("name", datasets())
def test_a_datasets_tables_may_be_made_at_any_time(name: str) -> None:
    """They change nothing that exists; only the staging parent, which holds no rows, is made anew."""
    for text in statements.tables_of(name, NAMES):
        known = (
            r"CREATE TABLE IF NOT EXISTS [sl]\.\w+ \(",
            r"CREATE OR REPLACE VIEW s\.",
            rf"DROP TABLE IF EXISTS l\.{datasets()[name].stage_table}$",
        )
        assert any(re.match(form, text) for form in known), text


def test_a_statement_that_locks_a_table_for_long_is_a_transaction_of_its_own() -> None:
    """ALTER of a key moves rows: behind the lock, in one transaction, nothing could be published meanwhile."""
    for name in NUMBERED:
        moving = [text for text in rendered(name, NAMES) if re.search(r"ALTER (DIST|SORT)", text)]
        assert bool(moving) == is_autocommit(name), name


# ---------------------------------------------------------------- on the local Redshift
OWN = "migrations/loader_tables.sql"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with LocalRedshift(Settings(data=tmp_path_factory.mktemp("redshift"), port=0)) as server:
        yield Client(server.url)


def run(warehouse: Client, texts: list[Any], mode: str = "TRANSACTION") -> None:
    shown = warehouse.batch(*map(str, texts), mode=mode)
    assert shown["Status"] == "FINISHED", shown


def make(warehouse: Client, names: dict[str, str], files: list[str]) -> None:
    for name in files:
        mode = "AUTO_COMMIT" if is_autocommit(name) else "TRANSACTION"
        run(warehouse, rendered(name, names), mode)


def of_datasets(names: dict[str, str]) -> list[sql.Rendered]:
    return [text for name in datasets() for text in statements.tables_of(name, names)]


def catalogue(warehouse: Client, names: dict[str, str]) -> dict[str, Any]:
    """Tables with their columns, keys, and the views' text; the schemas are called s and l."""
    found: dict[str, Any] = {}
    for called, schema in (("s", names["schema"]), ("l", names["loader_schema"])):
        columns = warehouse.rows(
            "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
            f"FROM svv_columns WHERE table_schema = '{schema}' ORDER BY table_name, ordinal_position"
        )
        for table, *column, default in columns:
            # an identity's default names its table by the number that it has
            of_any = re.sub(r'^"identity"\(\d+,', '"identity"(…,', default) if default else default
            found.setdefault(f"{called}.{table}", []).append([*column, of_any])
        # pg_table_def knows the tables of the search path only; a sort key's columns are numbered in their order.
        run_in = f"SET search_path TO {schema}"
        shown = warehouse.batch(
            run_in,
            'SELECT tablename, "column", type, "notnull", distkey, sortkey FROM pg_table_def '
            f"WHERE schemaname = '{schema}' ORDER BY tablename, \"column\"",
        )
        assert shown["Status"] == "FINISHED", shown
        keys = warehouse.rows_of(shown["SubStatements"][1]["Id"])
        for table, *column in keys:
            found.setdefault(f"{called}.{table} keys", []).append(column)
        for view, text in warehouse.rows(
            f"SELECT viewname, definition FROM pg_views WHERE schemaname = '{schema}'"
        ):
            found[f"{called}.{view} text"] = " ".join(
                re.sub(rf'"?\b{schema}\b"?\.', "s.", str(text)).split()
            )
    return found


def test_a_new_warehouse_and_one_that_was_upgraded_have_the_same_tables(warehouse: Client) -> None:
    """From the first version that was ever in use (tests/upgrade/part1), file by file."""
    new = {"schema": "baseline", "loader_schema": "baseline_loader"}
    old = {"schema": "upgraded", "loader_schema": "upgraded_loader"}
    run(warehouse, [f"CREATE SCHEMA {name}" for name in (*new.values(), *old.values())])
    make(warehouse, new, [OWN, *steps(0).values()])
    run(warehouse, of_datasets(new))
    (first,) = PART_1.migrations.values()
    run(warehouse, [t.replace("${schema}", "upgraded") for t in sql.statements(first)])
    assert list(steps(1)) == list(range(2, latest_version() + 1))
    make(warehouse, old, [OWN, *steps(1).values()])
    for _ in range(2):  # as often as one likes
        make(warehouse, old, [OWN])
        run(warehouse, of_datasets(old))
    made, upgraded = catalogue(warehouse, new), catalogue(warehouse, old)
    assert set(made) == set(upgraded)
    assert made == upgraded
    # It sees what it compares.
    assert len([name for name in made if " " not in name]) >= 19
    assert made["l.publish_lock"] == [["holder", "character varying", 64, "NO", None]]
    keys = {row[0]: row[3:] for row in made["s.songplays keys"]}
    assert keys["session_id"] == [True, 0]
    assert keys["start_time"] == [False, 1]
    assert {row[0]: row[4] for row in made["s.check_results keys"] if row[4]} == {
        "load_id": 1,
        "batch": 2,
    }
    assert "ROW_NUMBER" in made["s.file_status text"].upper()
    for names in (new, old):
        held = warehouse.rows(f"SELECT holder FROM {names['loader_schema']}.publish_lock")
        assert held == [["none"]]
        version = warehouse.value(f"SELECT MAX(version) FROM {names['schema']}.schema_version")
        assert version == latest_version()


def test_a_reset_keeps_the_locks_row_and_nothing_else(warehouse: Client) -> None:
    """It runs where the lock is: a second row would fail every publish after it."""
    names = {
        "schema": "again",
        "loader_schema": "again_loader",
        "load_id": "20261123-203011-0a1b2c3d",
    }
    run(warehouse, [f"CREATE SCHEMA {names['schema']}", f"CREATE SCHEMA {names['loader_schema']}"])
    make(warehouse, names, [LEDGER, OWN])
    run(warehouse, of_datasets(names))
    run(warehouse, [*statements.drop_all(names), *rendered(LEDGER, names)])
    left = "SELECT tablename FROM pg_tables WHERE schemaname IN ('again', 'again_loader')"
    ledger = {name.partition(".")[2] for name in statements.created(rendered(LEDGER, names))}
    assert {name for (name,) in warehouse.rows(left)} == {"publish_lock", *ledger}
    make(warehouse, names, [OWN])
    run(warehouse, of_datasets(names))
    assert warehouse.rows("SELECT holder FROM again_loader.publish_lock") == [[names["load_id"]]]


def test_two_files_of_one_version_are_refused_by_their_names(folder: Path) -> None:
    """A release has brought a file of a number that a user's own has: one of them would never run."""
    for name in (NEW, "003_ours.sql", "003_theirs.sql"):
        (folder / name).write_text("")
    with pytest.raises(sql.TemplateError, match=r"two files of version 3: .*003_ours.*003_theirs"):
        migrations()
