"""What Redshift's error texts mean, whatever file names stand in them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from loader.dataapi import Statement, SubStatement
from loader.failures import (
    MAX_UNDER_A_RULE,
    Kind,
    attempts,
    failed_check,
    gives_no_reason,
    headline,
    is_denied,
    is_interruption,
    is_missing,
    kind_of,
    may_pass,
)

COPY = "COPY sparkify_loader.event_stage_1 FROM 's3://working/loads/1/manifests/0.0.json'"
GUARD = (
    "SELECT CAST(CASE WHEN … THEN '0' … ELSE 'check results: figure ' || … END AS INTEGER) AS guard"
)
CLAIM = (
    "SELECT CAST(CASE WHEN k.held <> 1 THEN 'lock: ' || … WHEN … THEN 'undone: ' || … WHEN … THEN 'again: …' "
    "WHEN … THEN 'claim: ' || … ELSE '0' END AS INTEGER) AS claim"
)
UNDO = "SELECT CAST(CASE WHEN COUNT(*) = 0 THEN '0' ELSE 'undo: ' || MAX(o.load_id) END AS INTEGER)"
DIGIT = "ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer DETAIL: code: 1207"
INFLATE = (
    "ERROR: failed to inflate with gzip: unexpected end of file. DETAIL: code: 9001 "
    "context: S3 key being read : s3://data/log_data/{} query: 12"
)

MANDATORY = (
    "ERROR: Mandatory url is not present in manifest file.\n  Detail: \n  context:   "
    "Manifest file location = s3://working/m.json url = s3://data/a.json"
)


SEEN: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "world" / "redshift_errors.toml").read_text()
)["error"]
SQL = {
    "COPY": COPY,
    "INSERT": "INSERT INTO sparkify.songplays SELECT",
    "DELETE": "DELETE FROM sparkify.users",
    "DROP": "DROP TABLE sparkify.event_stage_1",
    "LOCK": "LOCK sparkify.publish_lock",
    "GUARD": GUARD,
}


def ended(error: str, sql: str = "INSERT INTO t", status: str = "FAILED") -> Statement:
    parts = (
        SubStatement("i:1", "FINISHED", "", 0, 1, "LOCK sparkify_loader.publish_lock"),
        SubStatement("i:2", "FAILED", error, -1, 2, sql),
        SubStatement("i:3", "ABORTED", "", -1, -1, "SELECT 1"),
    )
    return Statement("i", status, error, -1, parts)


@pytest.mark.parametrize(
    ("error", "sql", "kind"),
    [
        ('ERROR: relation "sparkify.files" does not exist', "SELECT", Kind.NO_TABLES),
        ('ERROR: schema "sparkify" does not exist', "CREATE TABLE", Kind.NO_TABLES),
        ("ERROR: Cannot COPY into nonexistent table event_stage", COPY, Kind.NO_TABLES),
        (
            "ERROR: 1023 DETAIL: Serializable isolation violation on table - 100, transactions …",
            "INSERT",
            Kind.TRY_AGAIN,
        ),
        ("ERROR: deadlock detected", "LOCK", Kind.TRY_AGAIN),
        (
            "ERROR: could not complete because of conflict with concurrent transaction",
            "DROP",
            Kind.TRY_AGAIN,
        ),
        ("connection was closed by the server", "INSERT", Kind.TRY_AGAIN),
        ("FATAL: the cluster is restarting", COPY, Kind.TRY_AGAIN),
        ("terminating connection due to administrator command", COPY, Kind.TRY_AGAIN),
        ("Query timed out", "SELECT", Kind.TRY_AGAIN),
        ("ERROR: Load into table 'event_stage_1' failed.", COPY, Kind.COPY),
        ("ERROR: column x is of another type", "INSERT", Kind.OTHER),
        (f"{DIGIT} context: check songs_unique: figure 3, expected 0", GUARD, Kind.CHECK),
        (DIGIT, GUARD, Kind.CHECK),
        ("context: claim: 2 files are loaded already", CLAIM, Kind.CLAIM),
        (DIGIT, CLAIM, Kind.CLAIM),
        ("context: undone: 20261123-203011-0a1b2c3d has undone this load", CLAIM, Kind.UNDONE),
        ("context: again: this batch is published already", CLAIM, Kind.AGAIN),
        # The step that creates tables gives the lock its row back.
        (
            f"{DIGIT} context: lock: publish_lock has 0 rows of this load, expected 1",
            CLAIM,
            Kind.NO_TABLES,
        ),
        ("context: undo: 20261123-203011-0a1b2c3d left out rows of it", UNDO, Kind.CLAIM),
        ("context: undo: 20261123-203011-0a1b2c3d left out rows of it", "", Kind.CLAIM),
        ("context: undo: it has published 3 batches", UNDO, Kind.CLAIM),
        (DIGIT, UNDO, Kind.CLAIM),
        # Whatever a file is called: its name is no error of Redshift's.
        (INFLATE.format("1023/a.json.gz"), COPY, Kind.COPY),
        (INFLATE.format("2018 restart.json.gz"), COPY, Kind.COPY),
        (INFLATE.format("timeout.json.gz"), COPY, Kind.COPY),
        (INFLATE.format("relation x does not exist.json.gz"), COPY, Kind.COPY),
        (INFLATE.format("claim: 2 files are loaded already.json.gz"), COPY, Kind.COPY),
        (INFLATE.format("cannot copy into nonexistent table.json.gz"), COPY, Kind.COPY),
        (INFLATE.format("check a: figure 1, expected 0.json.gz"), COPY, Kind.COPY),
        ("ERROR: Load failed. DETAIL: query: 1023 location: table_s3.cpp:1023", COPY, Kind.COPY),
    ],
)
def test_kind_of(error: str, sql: str, kind: Kind) -> None:
    assert kind_of(ended(error, sql)) is kind


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen["name"])
def test_what_others_have_seen(seen: dict[str, Any]) -> None:
    """Each text of the list, in each statement that it is listed for, and as the Data API may give it: on one line."""
    for statement in seen["statements"]:
        for text in (seen["text"], " ".join(seen["text"].split())):
            assert kind_of(ended(text, SQL[statement])) is Kind[seen["kind"]], statement
            assert may_pass(f"20261123-203011-0a1b2c3d reset: {text}") is (
                seen["kind"] == "TRY_AGAIN"
            )
            if seen["kind"] == "COPY":
                assert not is_interruption(text)


def test_the_list_says_where_each_was_seen() -> None:
    assert len({seen["name"] for seen in SEEN}) == len(SEEN)
    for seen in SEEN:
        assert seen["source"].startswith("https://"), seen["name"]
        assert seen["statements"], seen["name"]


@pytest.mark.parametrize(
    "seen", [seen for seen in SEEN if seen["kind"] == "TRY_AGAIN"], ids=lambda seen: seen["name"]
)
def test_an_interruption_in_a_files_name_is_none(seen: dict[str, Any]) -> None:
    key = " ".join(seen["text"].partition("s3://")[0].split())
    assert kind_of(ended(INFLATE.format(f"{key}.json.gz"), COPY)) is Kind.COPY
    assert not may_pass(INFLATE.format(f"{key}.json.gz"))


@pytest.mark.parametrize("table", ["communications_stage_1", "restart_stage_1", "timeout_stage_1"])
@pytest.mark.parametrize(
    "error",
    [
        "ERROR: Load into table '{}' failed.  Check 'sys_load_error_detail' system table for details.",
        "ERROR: Load into table {} failed.",
        'ERROR: cannot cast column "timed out" of relation {}',
    ],
)
def test_an_interruption_in_a_tables_name_is_none(table: str, error: str) -> None:
    """Datasets are named by their users."""
    assert kind_of(ended(error.format(table), COPY)) is Kind.COPY


@pytest.mark.parametrize(
    ("message", "interruption", "no_reason"),
    [
        ("Invalid digit, Value 'a', Pos 0, Type: Integer", False, False),
        ("Invalid value 'slowdown'", False, False),
        (
            "S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown",
            True,
            False,
        ),
        ("s3 key being read : s3://data/log_data/cancelled by me.json", False, True),
        ("String length exceeds DDL length", False, False),
    ],
)
def test_an_error_row(message: str, interruption: bool, no_reason: bool) -> None:
    assert is_interruption(message) is interruption
    assert gives_no_reason(message) is no_reason


def test_a_rule_ends_the_same_statement_again() -> None:
    rule = next(seen["text"] for seen in SEEN if "Rule" in seen["text"])
    assert attempts(rule, 8) == MAX_UNDER_A_RULE < 8
    assert attempts(rule, 2) == 2
    assert attempts("ERROR: Query (150) canceled on user's request", 8) == 8


def test_a_cancelled_statement_is_tried_again() -> None:
    assert kind_of(Statement("i", "ABORTED", "Query was cancelled.")) is Kind.TRY_AGAIN


@pytest.mark.parametrize("sql", [CLAIM, UNDO, GUARD])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ERROR: 1023 DETAIL: Serializable isolation violation on table - 100", "FAILED"),
        ("ERROR: connection was closed", "FAILED"),
        ("FATAL: the cluster is restarting", "FAILED"),
        ("Query was cancelled", "ABORTED"),
        ("", "ABORTED"),
    ],
)
def test_a_guard_that_was_interrupted_says_nothing_of_what_it_guards(
    error: str, status: str, sql: str
) -> None:
    """A warehouse that restarts during publish must not make a failed check, or an undone load, of it."""
    assert kind_of(ended(error, sql, status)) is Kind.TRY_AGAIN


def test_a_cancelled_copy_is_tried_again() -> None:
    assert kind_of(ended("cancelled on user's request", COPY, "ABORTED")) is Kind.TRY_AGAIN


@pytest.mark.parametrize(
    ("error", "sql", "told"),
    [
        ("x check users_unique: figure 2, expected 0 y", GUARD, ("users_unique", "2", "0")),
        ("check songs_complete: figure none, expected 71", GUARD, ("songs_complete", "none", "71")),
        # One guard for all checks: only the error tells which it was.
        ("ERROR: Invalid digit, Value 'c'", GUARD, ("?", "?", "?")),
        ("ERROR: Invalid digit, Value 'c'", "SELECT 1", ("?", "?", "?")),
    ],
)
def test_failed_check(error: str, sql: str, told: tuple[str, str, str]) -> None:
    assert failed_check(ended(error, sql)) == told


def test_headline() -> None:
    detail = "\n  Detail:\n  -----\n  error: too large\n  code: 8001"
    assert headline(f"ERROR: too large{detail}") == "ERROR: too large"
    assert headline("ERROR: too large DETAIL: code: 8001") == "ERROR: too large"
    inflate = "ERROR: failed to inflate with gzip: unexpected end of file."
    assert headline(INFLATE.format("a.json.gz")) == inflate
    assert headline("Detail: x") == "Detail: x"


def test_missing_and_what_may_pass() -> None:
    assert is_missing('relation "sparkify.schema_version" does not exist')
    assert not is_missing("permission denied for relation schema_version")
    assert not is_missing("COPY failed: s3://data/relation x does not exist.json")
    assert may_pass("ERROR: 1023 DETAIL: Serializable isolation violation")
    assert may_pass("L reset: the statement ended ABORTED")
    assert not may_pass("ERROR: line 1023: value too long")


@pytest.mark.parametrize(
    ("error", "denied"),
    [
        ("ERROR: S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid 1", True),
        (
            "ERROR: S3ServiceException:User: arn:aws:sts::1:role/x is not authorized to perform: kms:Decrypt",
            True,
        ),
        (
            "ERROR: S3ServiceException:The key is disabled,Status 400,Error KMS.DisabledException",
            True,
        ),
        ("ERROR: COPY with MANIFEST parameter requires full path of an S3 object.", True),
        (INFLATE.format("Access Denied/Status 403.json.gz"), False),
        ("ERROR: Load into table 'event_stage_1' failed.", False),
        (MANDATORY, False),
    ],
)
def test_is_denied(error: str, denied: bool) -> None:
    assert is_denied(error) is denied
