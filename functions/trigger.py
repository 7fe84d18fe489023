"""Start a load from S3 events: the queue's messages of one window become one list of objects and one execution.

While as many loads from events run as may (MaxLoadsAtOnce), they become a list that waits (loader/event_loads.py), and
the function sends itself a message to check again. The execution's name is a hash of the events, so that the same batch
starts nothing twice. That only saves work: SQS regroups messages on redelivery, and the ledger guarantees exactly-once.
"""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from loader import clients
from loader.clients import sqs
from loader.datasets import dataset_of, datasets
from loader.event_loads import EventLoads, Events, add_event
from loader.observability import MetricUnit, logger, metrics
from loader.settings import required_variable, settings
from loader.store import DataFile
from loader.unmatched import dataset_above

STATE_MACHINE = required_variable("STATE_MACHINE_ARN")
QUEUE_URL = required_variable("QUEUE_URL")
LOOK_AGAIN = {"s3-redshift-loader": "look at what waits"}
LOOK_AFTER = 1  # seconds; then it waits for a batch window, as every message does

store = clients.store()
stepfunctions = clients.stepfunctions()
loads = EventLoads(store, lambda: stepfunctions, STATE_MACHINE)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handles a batch of SQS messages; reports those that are not S3 events, so that they go to the dead-letter queue.

    Events that must wait are not a failure: once their list is written, their messages are done.
    """
    newest: Events = {}
    failures, not_taken = [], 0
    for record in event["Records"]:
        try:
            message = json.loads(record["body"])
            if message == LOOK_AGAIN:
                continue
            sequencer, file = file_of(message)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.error(
                "a message is not an S3 event", message_id=record["messageId"], error=repr(error)
            )
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        known = datasets().values()
        if file.bucket == settings().data_bucket and dataset_of(file.key, known):
            add_event(newest, sequencer, file)
        # Of a bucket that others use too, most events are of their objects: nothing is said of these.
        elif file.bucket == settings().data_bucket and dataset_above(file.key, known):
            logger.info("an object under a dataset's prefix matches no dataset", key=file.key)
            not_taken += 1
    if not_taken:
        metrics.add_metric("UploadsNotTaken", MetricUnit.Count, not_taken)
    if loads.start_or_defer(newest):
        request_check()
    return {"batchItemFailures": failures}


def file_of(message: dict[str, Any]) -> tuple[str, DataFile]:
    """Sequencer and object of an S3 "Object Created" event; EventBridge does not URL-encode the key.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail = message["detail"]
    item = detail["object"]
    texts = (detail["bucket"]["name"], item["key"], item["etag"], message["time"])
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"bucket, key, etag and time must be strings, not {texts}")
    bucket, key, etag, time = texts
    file = DataFile(bucket, key, etag.strip('"'), int(item["size"]), time)
    return str(item.get("sequencer", "")), file


def request_check() -> None:
    """Sends the message that makes this function check again. If it is lost, a load that ends or the sweep does so."""
    try:
        sqs().send_message(
            QueueUrl=QUEUE_URL, MessageBody=json.dumps(LOOK_AGAIN), DelaySeconds=LOOK_AFTER
        )
    except Exception:  # the waiting events are in their lists, and a load that ends checks there
        logger.exception("no message could be sent to check again")
