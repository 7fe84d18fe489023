"""Messages to MiniStack's SNS topics, kept for a person to read.

MiniStack sends no email and keeps no published message. On AWS subscribers by email receive it:
https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html. Here each message is a line of a file, which
``loader inbox`` shows (local/show/inbox.py).
"""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.services import sns


def keep(inbox: Path) -> None:
    """Also writes each message to a topic, from Publish or from an alarm, as a line of ``inbox``."""
    fanout: Callable[..., None] = sns._fanout
    writing = threading.Lock()

    def fanout_and_keep(
        topic: str, number: str, message: str, subject: str, *others: Any, **named: Any
    ) -> None:
        fanout(topic, number, message, subject, *others, **named)
        kept = {
            "sent": datetime.now(UTC).isoformat(timespec="seconds"),
            "topic": topic,
            "subject": subject,
            "message": message,
        }
        with writing, inbox.open("a", encoding="utf-8") as file:
            file.write(json.dumps(kept, ensure_ascii=False) + "\n")

    sns._fanout = fanout_and_keep
