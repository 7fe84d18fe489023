"""What people are told of a load."""

from typing import Any

import pytest
from loader.report import MAX_SUBJECT
from loader.report import message as digest

from tests.unit.loads import EXECUTION, LOAD_ID

REJECT = {
    "key": "log_data/a b'.json",
    "line": 7,
    "column": "session_id",
    "code": 1207,
    "reason": "Invalid digit, Value 't', Pos 0, Type: Integer",
}


def told(**changes: Any) -> tuple[str, str] | None:
    report: Any = {
        "load_id": LOAD_ID,
        "status": "loaded",
        "files": {"listed": 3, "known": 0, "loaded": 2, "rejected": 0, "failed": 0},
        "rejected": [],
        "rejected_total": 0,
        **changes,
    }
    return digest(report, stack="prod", schema="sparkify", execution=EXECUTION, region="us-west-2")


@pytest.mark.parametrize(
    ("partition", "region", "console"),
    [
        ("aws", "us-west-2", "https://us-west-2.console.aws.amazon.com/"),
        ("aws-cn", "cn-north-1", "https://cn-north-1.console.amazonaws.cn/"),
        ("aws-us-gov", "us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/"),
        ("aws-eusc", "eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu/"),
        ("aws-iso", "us-iso-east-1", "https://us-iso-east-1.console.aws.amazon.com/"),
    ],
)
def test_the_link_leads_to_the_console_of_the_partition(
    partition: str, region: str, console: str
) -> None:
    execution = EXECUTION.replace("arn:aws:", f"arn:{partition}:").replace("us-west-2", region)
    report: Any = {
        "load_id": LOAD_ID,
        "status": "failed",
        "cause": "x",
        "files": {"loaded": 0, "rejected": 0, "failed": 1},
        "rejected": [],
        "rejected_total": 0,
    }
    message = digest(report, stack="s", schema="s", execution=execution, region=region)
    assert message is not None
    link = f"{console}states/home?region={region}#/v2/executions/details/{execution}"
    assert f"Load {LOAD_ID}: {link}" in message[1]
    dashboard = f"{console}cloudwatch/home?region={region}#dashboards/dashboard/s"
    assert f"All loads: {dashboard}\n" in message[1]
    assert f"or as a page: loader report --stack s --load {LOAD_ID} --open" in message[1]


@pytest.mark.parametrize("status", ["loaded", "nothing to load", "planned", "checked", "undone"])
def test_a_load_in_which_all_is_well_tells_nobody(status: str) -> None:
    assert told(status=status) is None


def test_a_load_that_failed() -> None:
    files = {"listed": 3, "known": 0, "loaded": 1, "rejected": 0, "failed": 2}
    message = told(status="failed", cause="the check x failed: figure 3, expected 0", files=files)
    assert message is not None
    subject, text = message
    assert subject == f"[prod] load {LOAD_ID} failed"
    assert "Why: the check x failed: figure 3, expected 0" in text
    assert "1 file loaded, 0 files rejected, 2 files not loaded. Nothing is lost" in text
    assert f"#/v2/executions/details/{EXECUTION}" in text


def test_rejected_files_are_one_message_with_file_line_column_and_reason() -> None:
    gone = {
        **REJECT,
        "key": "log_data/ü.json",
        "line": None,
        "column": None,
        "reason": "It is gone.",
    }
    message = told(rejected=[REJECT, gone], rejected_total=25)
    assert message is not None
    subject, text = message
    assert subject == "[prod] 25 files rejected"
    assert (
        "- log_data/a b'.json, line 7, column session_id: Invalid digit, Value 't', Pos 0, Type: Integer\n"
        "- log_data/ü.json: It is gone.\n\n"
        "and 23 more: sparkify.file_status has them, under this load's id."
    ) in text
    assert "upload a corrected file under the same key" in text


def test_one_file_is_one_file() -> None:
    message = told(rejected=[REJECT], rejected_total=1)
    assert message is not None
    assert message[0] == "[prod] 1 file rejected"
    assert "more:" not in message[1]


def test_a_failed_load_names_its_rejected_files_too() -> None:
    message = told(status="failed", cause="x", rejected=[REJECT], rejected_total=1)
    assert message is not None
    assert "failed" in message[0]
    assert "line 7, column session_id" in message[1]


def test_a_subject_is_what_sns_takes() -> None:
    """At most 100 ASCII characters, and no line end."""
    message = digest(
        {
            "load_id": LOAD_ID,
            "status": "failed",
            "cause": "x" * 100_000,
            "files": {"loaded": 0, "rejected": 0, "failed": 1},
            "rejected": [],
            "rejected_total": 0,
        },
        stack="ü" * 128,
        schema="s",
        execution=EXECUTION,
        region="us-west-2",
    )
    assert message is not None
    assert len(message[0]) == MAX_SUBJECT
    assert message[0].isascii()
    assert len(message[1]) <= 20_000


def test_unreadable_and_waiting_files_are_told_apart_from_rejected_ones() -> None:
    files = {"listed": 5, "loaded": 2, "rejected": 0, "unreadable": 2, "waiting": 0, "failed": 0}
    denied = {**REJECT, "key": "log_data/x.json", "line": None, "column": None, "reason": "denied"}
    message = told(files=files, unreadable=[denied])
    assert message is not None
    subject, text = message
    assert subject == "[prod] 2 files unreadable"
    assert "2 files loaded, 0 files rejected, 2 files unreadable." in text
    assert "May not be read:\n- log_data/x.json: denied\n\nand 1 more" in text
    assert "Every sweep tries them again" in text
    assert "upload a corrected file" not in text
    message = told(files=files, unreadable=[denied], rejected=[REJECT], rejected_total=1)
    assert message is not None
    assert message[0] == "[prod] 1 file rejected, 2 files unreadable"
    assert "3 files could not be loaded" in message[1]
    # What waits has failed its load.
    files = {**files, "unreadable": 0, "waiting": 1}
    message = told(status="failed", cause="x waits: why", files=files, waiting=[REJECT])
    assert message is not None
    assert "1 file waiting" in message[1]
    assert "Waiting:\n- log_data/a b'.json, line 7" in message[1]


def sample(new: int = 0, **changes: Any) -> dict[str, Any]:
    """What a report says of a sample in which so many keys are new."""
    keys = [
        {"dataset": "orders", "path": f"customer.k{n}", "file": "orders/a.jsonl", "new": True}
        for n in range(min(new, 50))
    ]
    known = {"dataset": "orders", "path": "old", "file": "orders/a.jsonl", "new": False}
    return {
        "files": 12,
        "of": 30,
        "keys": [*keys, known],
        "keys_total": new + 1,
        "new_keys": new,
        "empty_columns": [],
        "empty_columns_total": 0,
    } | changes


def test_what_is_known_of_the_files_tells_nobody() -> None:
    assert told(sample=sample()) is None
    assert told(sample={}) is None


def test_a_new_key_is_told_with_how_much_was_sampled() -> None:
    message = told(sample=sample(1))
    assert message is not None
    assert message[0] == "[prod] 1 new key that no column takes"
    assert "- orders: customer.k0, first in orders/a.jsonl" in message[1]
    assert "12 of 30 files were sampled" in message[1]
    assert "old" not in message[1].replace("old column", "")
    many = told(sample=sample(70))
    assert many is not None
    assert many[0] == "[prod] 70 new keys that no column takes"
    assert "and 50 more: sparkify.unknown_keys" in many[1]


def test_an_empty_column_is_told_beside_what_else_there_is() -> None:
    empty = {
        "dataset": "orders",
        "column": "total",
        "rows": 150,
        "rows_before": 4000,
        "filled_before": 0.9876,
    }
    found = sample(2, empty_columns=[empty], empty_columns_total=1)
    message = told(sample=found)
    assert message is not None
    assert message[0] == "[prod] 2 new keys that no column takes and 1 column that is empty"
    assert "- orders: total, 150 rows; before, 98.8% of 4000 rows were filled" in message[1]
    rejected = told(sample=found, rejected=[REJECT], rejected_total=1)
    assert rejected is not None
    assert rejected[0] == "[prod] 1 file rejected"
    assert "customer.k1" in rejected[1]
