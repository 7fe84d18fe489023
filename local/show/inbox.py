"""Notifications of the local AWS: read from its file, with links replaced by commands for this machine.

Each line of the file is {"sent": ISO 8601 UTC, "topic": ARN, "subject": text, "message": text}
(local/aws/ministack/notifications.py). The message is a load's digest (functions/loader/report.py) or an alarm's JSON.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONSOLE_LINK = re.compile(r"https://\S+/states/home\?\S*#/v2/executions/details/(arn:\S+)")
DASHBOARD = re.compile(r"All loads: https://\S+\nor as a page: loader report --stack \S+")
START = re.compile(r"start the state machine with (\{[^}\n]*\})")
LOCAL = "loader"


@dataclass(frozen=True)
class Notification:
    """One message to a topic."""

    sent: str
    topic: str
    subject: str
    message: str

    @property
    def text(self) -> str:
        """The message for a person; links to the console become commands for this machine."""
        alarm = _alarm(self.message)
        if alarm is None:
            return START.sub(
                lambda found: f"run {LOCAL} start '{found[1]}'",
                CONSOLE_LINK.sub(
                    lambda link: f"{LOCAL} show {link[1].rpartition(':')[2]}",
                    DASHBOARD.sub(f"All loads: {LOCAL} report", self.message),
                ),
            )
        return "\n".join(
            f"{name}: {alarm[key]}"
            for name, key in (
                ("Alarm", "AlarmName"),
                ("State", "NewStateValue"),
                ("Why", "NewStateReason"),
                ("What it means", "AlarmDescription"),
            )
            if alarm.get(key)
        )


def _alarm(message: str) -> dict[str, Any] | None:
    try:
        found = json.loads(message)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "AlarmName" in found else None


def read(inbox: Path) -> Iterator[Notification]:
    """The notifications, oldest first; a last line that is still being written is left out."""
    if not inbox.exists():
        return
    with inbox.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                found = json.loads(line)
                yield Notification(
                    found["sent"], found["topic"], found["subject"] or "", found["message"]
                )
