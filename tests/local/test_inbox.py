"""What would have been mailed is kept, and told with commands of this machine in place of the console's links."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
from loader.report import message as digest
from ministack.services import cloudwatch, sns

from local.aws.ministack import notifications
from local.commands import inbox as command
from local.environment import REGION
from local.show import inbox

EXECUTION = "arn:aws:states:us-west-2:000000000000:execution:s3-redshift-loader-local-load:abc-1"
TOPIC = "arn:aws:sns:us-west-2:000000000000:notifications"
REPORT: Any = {
    "load_id": "20261130-185500-1f2e3d4c",
    "status": "loaded",
    "files": {"loaded": 1, "rejected": 1, "failed": 0},
    "rejected_total": 1,
    "rejected": [{"key": "log_data/x.json", "line": 3, "column": "ts", "reason": "no digit"}],
}


def mailed(message: str, subject: str = "s") -> inbox.Notification:
    return inbox.Notification("2026-11-30T18:55:00+00:00", TOPIC, subject, message)


def test_a_digests_links_are_commands_that_work_here() -> None:
    told = digest(REPORT, stack="s", schema="sparkify", execution=EXECUTION, region=REGION)
    assert told is not None
    subject, message = told
    assert "console.aws.amazon.com" in message
    text = mailed(message, subject).text
    assert "console" not in text
    assert "https://" not in text
    assert "20261130-185500-1f2e3d4c: loader show abc-1" in text
    assert """run loader start '{"keys": ["its key"]}'.""" in text
    assert "All loads: loader report --load 20261130-185500-1f2e3d4c --open" in text
    assert "- log_data/x.json, line 3, column ts: no digit" in text


def test_an_alarm_is_told_in_words() -> None:
    alarm = {
        "AlarmName": "loader-load-failed",
        "AlarmDescription": "A load has failed. Nothing is lost. docs/operations.md, LoadFailedAlarm",
        "NewStateValue": "ALARM",
        "NewStateReason": "Threshold crossed",
        "Trigger": {"MetricName": "ExecutionsFailed"},
    }
    assert mailed(json.dumps(alarm)).text.splitlines() == [
        "Alarm: loader-load-failed",
        "State: ALARM",
        "Why: Threshold crossed",
        "What it means: A load has failed. Nothing is lost. docs/operations.md, LoadFailedAlarm",
    ]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that MiniStack's topics are kept in."""
    monkeypatch.setattr(sns, "_fanout", lambda *_, **__: None)
    file = tmp_path / "inbox.jsonl"
    notifications.keep(file)
    return file


def test_what_is_published_is_kept_also_without_a_subscriber(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sns, "_topic_by_arn_any_scope", lambda arn: {"arn": arn, "attributes": {}})
    sns.publish_internal(TOPIC, "first\nsecond", "Subject é")
    (found,) = inbox.read(kept)
    assert (found.topic, found.subject, found.message) == (TOPIC, "Subject é", "first\nsecond")


def test_alarms_are_kept_too(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alarm = {"AlarmName": "dead-letters", "AlarmActions": [TOPIC], "ActionsEnabled": True}
    monkeypatch.setattr(cloudwatch, "_is_sns_action_arn", lambda _: True)
    cloudwatch._dispatch_alarm_actions(alarm, "OK", "ALARM", "two letters")
    (found,) = inbox.read(kept)
    assert found.subject.startswith('ALARM: "dead-letters"')
    assert "Why: two letters" in found.text


def test_a_line_that_is_still_being_written_waits(tmp_path: Path) -> None:
    file = tmp_path / "inbox.jsonl"
    assert list(inbox.read(file)) == []
    whole = json.dumps({"sent": "now", "topic": TOPIC, "subject": None, "message": "m"})
    file.write_text(f"{whole}\n{whole[:20]}", encoding="utf-8")
    assert [each.subject for each in inbox.read(file)] == [""]


def test_the_command_shows_the_newest_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "inbox.jsonl"
    monkeypatch.setattr(command, "inbox_file", lambda _: file)
    assert command.run(argparse.Namespace(last=2)) == 0
    assert "Nothing has been sent" in capsys.readouterr().out
    lines = [
        json.dumps(
            {"sent": f"2026-11-30T18:5{n}", "topic": TOPIC, "subject": f"s{n}", "message": ""}
        )
        for n in range(4)
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert command.run(argparse.Namespace(last=2)) == 0
    told = capsys.readouterr().out
    assert "Subject: s1" not in told
    assert told.index("Subject: s2") < told.index("Subject: s3")
    assert "2026-11-30T18:53  to notifications" in told
