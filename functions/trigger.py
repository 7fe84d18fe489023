"""From S3 events to a load: the queue's messages of a window become one list of objects and one execution.

The execution's name is made of the batch's events, so that the same batch starts nothing twice. That only saves work:
SQS regroups messages on redelivery, and exactly-once is the ledger's.
"""

import hashlib
import json
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from loader.datasets import dataset_of, datasets
from loader.not_taken import under
from loader.observability import MetricUnit, logger, metrics
from loader.settings import required_variable, settings
from loader.store import DataFile, Store

STATE_MACHINE = required_variable("STATE_MACHINE_ARN")
MAX_NAMES = 5
ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")

store = Store(settings().work_bucket)
stepfunctions = boto3.client(
    "stepfunctions", config=Config(retries={"mode": "standard", "max_attempts": 6})
)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Takes a batch of SQS messages; reports those that are no S3 event, so that they end in the dead-letter queue."""
    newest: dict[str, tuple[str, DataFile]] = {}
    failures, not_taken = [], 0
    for record in event["Records"]:
        try:
            sequencer, file = file_of(json.loads(record["body"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logger.error(
                "a message is no S3 event", message_id=record["messageId"], error=repr(error)
            )
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        if file.bucket != settings().data_bucket or not dataset_of(file.key, datasets().values()):
            logger.info("an object of no dataset is left alone", key=file.key)
            ours = file.bucket == settings().data_bucket
            not_taken += bool(ours and under(file.key, datasets().values()))
            continue
        seen = newest.get(file.key)
        if seen is None or order(sequencer) > order(seen[0]):
            newest[file.key] = (sequencer, file)
    if not_taken:
        metrics.add_metric("UploadsNotTaken", MetricUnit.Count, not_taken)
    if newest:
        start([newest[key] for key in sorted(newest)])
    return {"batchItemFailures": failures}


def file_of(message: dict[str, Any]) -> tuple[str, DataFile]:
    """Sequencer and object of an S3 "Object Created" event; EventBridge does not URL-encode the key.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
    """
    detail = message["detail"]
    item = detail["object"]
    texts = (detail["bucket"]["name"], item["key"], item["etag"], message["time"])
    if not all(isinstance(text, str) for text in texts):
        raise TypeError(f"bucket, key, etag and time must be texts, not {texts}")
    bucket, key, etag, time = texts
    file = DataFile(bucket, key, etag.strip('"'), int(item["size"]), time)
    return str(item.get("sequencer", "")), file


def order(sequencer: str) -> str:
    """Sequencers of one key compare as text when the shorter is padded with zeros on the right.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return sequencer.ljust(64, "0")


def start(events: list[tuple[str, DataFile]]) -> None:
    """Starts one execution for the events; one that ended badly under the same name is started anew.

    A name that runs with the same input is answered as its first start was, and says that the events have a load, not
    who started it: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    identity = "\n".join(
        f"{file.bucket}\0{file.key}\0{file.etag}\0{sequencer}" for sequencer, file in events
    )
    name = f"s3-{hashlib.sha256(identity.encode()).hexdigest()[:40]}"
    objects = store.put_lines(f"events/{name}.json.gz", (file.as_dict() for _, file in events))
    for number in range(1, MAX_NAMES + 1):
        execution = name if number == 1 else f"{name}-{number}"
        try:
            answer = stepfunctions.start_execution(
                stateMachineArn=STATE_MACHINE,
                name=execution,
                input=json.dumps({"objects": objects}),
            )
        except stepfunctions.exceptions.ExecutionAlreadyExists:
            arn = f"{STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{execution}"
            status = stepfunctions.describe_execution(executionArn=arn)["status"]
            if status not in ENDED_BADLY:
                logger.info("these events have their load already", execution=arn, status=status)
                return
            continue
        logger.info(
            "these events have a load that runs",
            execution_name=execution,
            files=len(events),
            started=answer["startDate"].isoformat(),
        )
        return
    logger.error(
        "these events failed to load every time; the sweep loads their files", execution_name=name
    )
