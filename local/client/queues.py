"""The queues between an upload and its load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.client.clients import Clients

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

COUNTS: tuple[QueueAttributeNameType, ...] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def depth(clients: Clients, url: str) -> int:
    """How many messages a queue has: waiting, in flight or delayed."""
    answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    return sum(int(answer["Attributes"].get(name, 0)) for name in COUNTS)


def purge(clients: Clients, url: str) -> None:
    """Deletes all messages of a queue."""
    clients.sqs.purge_queue(QueueUrl=url)
