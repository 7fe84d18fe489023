"""How the preflight lets Redshift plan a batch: everything once, nothing run, nothing left behind."""

import re
from typing import Any

import pytest
from loader import explain, rendered
from loader.dataapi import MAX_STATEMENTS
from loader.explain import Step, as_another
from loader.rendered import Group
from loader.sql import Rendered

SCHEMA = "sparkify_loader"
GROUPS = rendered.groups()
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE")
EMPTY = "CREATE TEMPORARY TABLE %s (LIKE sparkify_loader.file_plan)"


def batches(group: Group) -> list[list[Step]]:
    return list(explain.batches(group, SCHEMA))


def group_of(*texts: str, tables: Any = None) -> Group:
    return Group(
        "x", tuple(Rendered(text, f"{n}.sql") for n, text in enumerate(texts)), tables or {}
    )


def is_planned(text: str) -> bool:
    """Whether Redshift plans the statement: those that EXPLAIN takes."""
    return text.startswith(PLANNED) or bool(
        re.match(r"CREATE TEMPORARY TABLE \w+.*?\bAS\s+SELECT", text, re.S)
    )


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_statement_is_planned_once(group: Group) -> None:
    steps = [step for batch in batches(group) for step in batch]
    for statement in group.statements:
        plans = [s.text for s in steps if s.of is statement and s.text.startswith("EXPLAIN ")]
        assert len(plans) == int(is_planned(statement)), statement
        if plans and statement.startswith(PLANNED):
            assert plans == [f"EXPLAIN {statement}"]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_batch_changes_nothing(group: Group) -> None:
    """But for empty tables of its own: COPY fills a temporary one, and what is not planned creates or drops them."""
    for batch in batches(group):
        assert len(batch) <= MAX_STATEMENTS
        for step in batch:
            words = step.text.split()
            assert words[0] in ("EXPLAIN", "CREATE", "COPY", "DROP"), step.text
            if words[0] == "COPY":
                assert re.fullmatch(r"\w+", words[1]), step.text
        created = [s.text.split()[2] for s in batch if s.text.startswith("CREATE TABLE")]
        dropped = [
            name
            for s in batch
            if s.text.startswith("DROP")
            for name in re.findall(r"\w+\.\w+", s.text)
        ]
        assert dropped == created
        assert not created or batch[-1].text.startswith("DROP TABLE IF EXISTS ")
        assert all(name.startswith(f"{SCHEMA}.") for name in created)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_what_a_statement_reads_is_there_before_it(group: Group) -> None:
    """In each batch, for each is a session of its own."""
    made = re.compile(r"CREATE (?:TEMPORARY )?TABLE (\S+)")
    for batch in batches(group):
        creates = {m[1]: n for n, step in enumerate(batch) if (m := made.match(step.text))}
        assert len(creates) == len([s for s in batch if made.match(s.text)])  # none twice
        for name, place in creates.items():
            uses = [
                n
                for n, s in enumerate(batch)
                if re.search(rf"(?<![\w.]){re.escape(name)}\b", s.text)
            ]
            assert uses[0] == place, name
        known = {name.rpartition(".")[2] for name in creates}
        temporary = {
            m[1] for s in group.statements if (m := re.match(r"CREATE TEMPORARY TABLE (\w+)", s))
        }
        for step in batch:
            used = set(re.findall(r"(?:FROM|JOIN|USING|INTO|COPY) (\w+)\b(?!\.)", step.text))
            assert used & temporary <= known, step.text
            assert set(re.findall(rf"{SCHEMA}\.(\w+_\d{{8}}_\d{{6}}_\w+)", step.text)) <= known


def test_staging_tables_are_made_empty_and_dropped() -> None:
    [batch] = batches(group_of("SELECT 1 FROM l.t_1", tables={"t_1": "t", "u_1": "u"}))
    assert [step.text for step in batch] == [
        f"CREATE TABLE {SCHEMA}.t_1 (LIKE {SCHEMA}.t INCLUDING DEFAULTS)",
        f"CREATE TABLE {SCHEMA}.u_1 (LIKE {SCHEMA}.u INCLUDING DEFAULTS)",
        "EXPLAIN SELECT 1 FROM l.t_1",
        f"DROP TABLE IF EXISTS {SCHEMA}.t_1, {SCHEMA}.u_1",
    ]
    assert [step.of and step.of.file for step in batch] == [None, None, "0.sql", None]


def test_a_table_from_a_select_is_made_and_planned() -> None:
    make = "CREATE TEMPORARY TABLE old\nDISTKEY (a)\nAS\nSELECT a FROM s.t"
    [batch] = batches(group_of(make, "SELECT a FROM old"))
    assert [step.text for step in batch] == [
        make,
        "EXPLAIN CREATE TEMPORARY TABLE old_planned\nDISTKEY (a)\nAS\nSELECT a FROM s.t",
        "EXPLAIN SELECT a FROM old",
    ]
    assert [step.of and step.of.file for step in batch] == ["0.sql", "0.sql", "1.sql"]
    assert as_another(make).count("old_planned") == 1


def test_a_copy_runs_into_a_temporary_table_of_its_targets_columns() -> None:
    copies = (
        "COPY s.files (a, b)\nFROM 's3://w/COPY s.files'",
        f"COPY {SCHEMA}.event_stage_1 FROM 'x'",
    )
    [batch] = batches(group_of(EMPTY % "plan", "COPY plan FROM 'y'", *copies))
    assert [step.text for step in batch] == [
        EMPTY % "plan",
        "COPY plan FROM 'y'",
        "CREATE TEMPORARY TABLE files_planned (LIKE s.files INCLUDING DEFAULTS)",
        "COPY files_planned (a, b)\nFROM 's3://w/COPY s.files'",
    ]


def test_lock_and_drop_are_left_out() -> None:
    """The preflight takes the lock by itself, and each DROP is of what was created here."""
    assert batches(group_of("LOCK l.publish_lock", "DROP TABLE IF EXISTS s.t")) == []


@pytest.mark.parametrize("count", [35, 36, 37, 38, 39, 72, 73, 100])
def test_a_long_group_goes_in_several_batches(count: int) -> None:
    """Each with all that is created, for each is a session of its own; no COPY is parted from its table."""
    texts = [f"SELECT {n} FROM plan" for n in range(count - 1)]
    group = group_of(
        EMPTY % "plan", *texts, "COPY s.files FROM 'x'", "SELECT 0 FROM plan", tables={"t_1": "t"}
    )
    found = batches(group)
    assert len(found) == -(-(count + 2) // 37) or len(found) == -(-(count + 3) // 37)
    assert [s.of for batch in found for s in batch[2:-1] if s.of] == list(group.statements[1:])
    for batch in found:
        assert 3 < len(batch) <= MAX_STATEMENTS
        assert batch[:2] == found[0][:2]
        assert [s.text.split()[0] for s in batch[:2]] == ["CREATE", "CREATE"]
        assert batch[-1].text == f"DROP TABLE IF EXISTS {SCHEMA}.t_1"
        texts = [step.text for step in batch]
        copies = [n for n, text in enumerate(texts) if text.startswith("COPY")]
        assert all("TABLE files_planned" in texts[n - 1] for n in copies)
