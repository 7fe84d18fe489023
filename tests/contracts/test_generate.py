"""What is generated of a contract: the local Redshift takes every statement, and the tables are the oracle's."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loader import dataapi, datasets, keys, rendered, sql
from loader.rendered import Group

from contracts import build, generate
from contracts.document import ContractError
from tests.contracts.spread import CONTRACTS, FILES
from tests.world import contract_oracle
from tests.world.contract_oracle import File
from tests.world.executions import Execution
from tests.world.simulator import ROOT, World, load_id_of
from tests.world.trees import contract_of, with_contracts

pytestmark = [
    pytest.mark.filterwarnings("ignore:No application metrics to publish"),
    # In one of pytest's workers: what these tests share is prepared once.
    pytest.mark.xdist_group("contracts"),
]

PARSED = {name: contract_of(name, text) for name, text in CONTRACTS.items()}


# -- they load ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All contracts of the spread in one deployment, and nothing loaded."""
    folder = tmp_path_factory.mktemp("spread")
    with World(
        folder / "warehouse",
        tree=with_contracts(folder / "tree", CONTRACTS),
        parameters={"MaxBatches": "60"},
    ) as made:
        yield made


def run(world: World, document: dict[str, Any]) -> Execution:
    execution = world.start(document)
    world.work()
    (rejected,) = world.warehouse.query(
        "SELECT key, reason, error_line, error_column FROM sparkify.file_status WHERE status = 'rejected'"
    )
    assert execution.status == "SUCCEEDED", (execution.cause, rejected)
    assert not rejected
    return execution


def holds(world: World, loaded: dict[str, bytes], reload: str = "") -> str:
    """What is not in the tables as it must be, of all contracts."""
    told = []
    for contract in PARSED.values():
        files = [File(k, b, reload) for k, b in loaded.items() if k.startswith(contract.prefix)]
        expected = contract_oracle.tables(contract, files)
        told.append(
            contract_oracle.diff(expected, contract_oracle.read(contract, world.warehouse.query))
        )
    return "\n".join(filter(None, told))


def test_every_statement_is_taken_and_loads_reloads_and_undoes(world: World) -> None:
    for key, body in FILES.items():
        world.upload(key, body, event=False)
    first = run(world, {})
    assert holds(world, FILES) == ""
    checked = world.start({"check": True})  # plans every statement of every dataset
    world.work()
    setup = json.loads(checked.cause)["setup"]
    assert [each["name"] for each in setup if not each["passed"]] == [
        "bucket_events"
    ]  # as in the simulator
    load = load_id_of(
        run(world, {"reload": True, "prefixes": [c.prefix for c in PARSED.values() if c.key]})
    )
    assert holds(world, FILES, load) == ""
    for undone in (load, load_id_of(first)):
        run(world, {"undo": undone})
    assert holds(world, {}) == ""
    (left,) = world.warehouse.query("SELECT COUNT(*) FROM sparkify.every_type_versions")
    assert left == [(0,)]


# -- what is in the files ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The built tree, which the functions' modules read meanwhile."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT / "sql", folder / "sql")
    longest = {"a" * 38: LONGEST, **CONTRACTS}
    for name, text in longest.items():
        (folder / "sql" / "datasets" / name).mkdir()
        (folder / "sql" / "datasets" / name / "dataset.yaml").write_text(text, encoding="utf-8")
    build.build(folder / "sql", folder / "made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "ROOT", folder / "made")
        sql.read.cache_clear()
        datasets.datasets.cache_clear()
        yield folder / "made"
    sql.read.cache_clear()
    datasets.datasets.cache_clear()


LONGEST = f"""\
description: The longest names
files: longest/*.json
key: {"k" * 60}
newest: {"n" * 60}
columns: {{{"k" * 60}: varchar(64), {"n" * 60}: timestamp}}
tables: {{{"c" * 38}: {{each: items, columns: {{{"x" * 60}: integer}}}}}}
history: true
checks: {{{"c" * 38}.{"x" * 60}: not null}}
"""
LOAD = "20261130-235959-00000000"


@pytest.fixture(scope="module")
def groups(built: Path) -> dict[str, Group]:
    return {group.name: group for group in rendered.groups()}


def test_no_identifier_is_longer_than_redshift_takes(
    built: Path, groups: dict[str, Group], monkeypatch: pytest.MonkeyPatch
) -> None:
    """127 bytes (dg/r_names.html), with the longest names, in the longest batch that a load divides to."""
    longest = datasets.datasets()["a" * 38]
    table = keys.stage_table(longest.stage_table, LOAD, "1000.2.2.2.2.2", 999)
    assert max(map(len, longest.staging(table))) <= 127
    for group in groups.values():
        for statement in group.statements:
            plain = re.sub(r"'(?:[^']|'')*'", "''", statement)
            assert not re.search(r"\w{128}", plain), statement


def test_one_table_of_an_array_takes_at_most_20_statements_under_the_lock(
    groups: dict[str, Group],
) -> None:
    """A load that is published at the first attempt; a second attempt and a reload delete before."""
    publish = [s.file for s in groups["publish every_type"].statements]
    first = [file for file in publish if "/again" not in file]
    assert (len(first), len(publish)) == (18, 25)
    assert len(groups["reload every_type"].statements) == 33
    assert len(groups["undo every_type"].statements) <= 20
    assert all(len(group.statements) <= dataapi.MAX_STATEMENTS for group in groups.values())


def test_every_column_is_quoted_where_it_is_counted(groups: dict[str, Group]) -> None:
    """The audit counts what is filled, in the words of copy.sql's list; one of them may be reserved."""
    audit = next(s for s in groups["stage reserved"].statements if s.file == "stage/audit.sql")
    assert 'COUNT("on")' in audit


def test_the_digest_is_that_of_the_files() -> None:
    contract = PARSED["reserved"]
    one, other = generate.files(contract), generate.files(PARSED["tabs"])
    assert one == generate.files(contract)
    digests = [json.loads(made["dataset.json"])["contract"] for made in (one, other)]
    assert len(set(digests)) == 2


# -- no text of a contract becomes SQL ---------------------------------------------------------

NASTY = [
    "'",
    '"',
    ";",
    "--",
    "/*",
    "*/",
    "${schema}",
    "\\",
    "x",
    " ",
    "'; DROP TABLE t; --",
    "é",
    "$$",
    "%",
    ":a",
]
nasty = st.lists(st.sampled_from(NASTY), min_size=1, max_size=6).map("".join)


def quoted(value: Any) -> str:
    """As YAML has it."""
    return json.dumps(value, ensure_ascii=False)


@given(
    key=nasty,
    child_key=nasty,
    literal=nasty,
    null=nasty,
    form=nasty,
    character=st.sampled_from(";'|$x-"),
)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_no_text_of_a_contract_becomes_sql(
    key: str, child_key: str, literal: str, null: str, form: str, character: str
) -> None:
    """What is accepted of such texts stands in quotes: outside of them each file is that of a plain contract."""

    def contract(key: str, child_key: str, literal: str, form: str) -> dict[str, str]:
        path, below = (quoted(f"[{json.dumps(each)}]") for each in (key, child_key))
        return made_of(f"""\
description: {quoted(literal)}
files: o/*.json
key: id
newest: at
columns: {{id: {{type: varchar(9), path: {path}}}, at: {{type: timestamp, format: {quoted(form)}}}, t: varchar(9)}}
tables: {{items: {{each: {path}, columns: {{x: {{type: integer, path: {below}}}}}}}}}
deleted: {{t: {quoted(literal)}}}
checks: {{t: {quoted("= " + quoted_condition(literal))}}}
""")

    def of_csv(null: str, character: str) -> dict[str, str]:
        return made_of(
            f"description: d\nfiles: o/*.csv\ncolumns: {{a: integer, b: {{type: date, path: {quoted(key)}}}}}\n"
            f'csv: {{delimiter: {quoted(character)}, "null": {quoted(null)}}}\n'
        )

    plain = contract("k", "K" if child_key.lower() != child_key else "k", "x", "YYYY")
    for changed in (
        {"key": key}, {"child_key": child_key}, {"literal": literal}, {"form": form},
    ):  # fmt: skip
        given_ = {"key": "k", "child_key": "k", "literal": "x", "form": "YYYY"} | changed
        made = contract(**given_)
        if made:
            assert_alike(plain if "child_key" in changed else contract("k", "k", "x", "YYYY"), made)
    if made := of_csv(null, character):
        assert_alike(of_csv("n", ","), made)


def quoted_condition(literal: str) -> str:
    doubled = literal.replace("'", "''")
    return f"'{doubled}'"


def made_of(text: str) -> dict[str, str]:
    """The files of a contract; {} if it is refused."""
    try:
        return generate.files(contract_of("orders", text))
    except ContractError:
        return {}


def assert_alike(plain: dict[str, str], made: dict[str, str]) -> None:
    assert plain.keys() == made.keys()
    for name, text in made.items():
        if name.endswith(".sql"):
            assert "".join(skeleton(text)) == "".join(skeleton(plain[name])), name
            inside = "".join(
                set(without_comments(text))
                and set(re.findall(r"\$\{\w+\}", without_comments(text)))
            )
            known = set(re.findall(r"\$\{\w+\}", without_comments(plain[name])))
            assert set(re.findall(r"\$\{\w+\}", inside)) <= known, name
        else:
            json.loads(text)


def without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def skeleton(text: str) -> list[str]:
    """The tokens of a SQL text without what stands in quotes, as the functions split it (loader/sql.py)."""
    tokens = (match.group() for match in sql._TOKEN.finditer(text))
    return [
        token[0] * 2 if token[0] in "'\"" and len(token) > 1 else token
        for token in tokens
        if not token.startswith(("--", "/*"))
    ]
