"""The sweep: loads what no event loaded. Runs on a schedule, and sends no SQL when nothing is newer than its mark.

The mark is the time of the last sweep whose load ended well; the load itself writes it (functions/finish.py).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from loader.datasets import datasets
from loader.names import SWEEP_MARK
from loader.observability import MetricUnit, logger, metrics
from loader.settings import required_variable, settings
from loader.store import DataFile, MissingObject, Store

STATE_MACHINE = required_variable("STATE_MACHINE_ARN")
# A multipart upload's LastModified is when it began (AmazonS3/latest/userguide/UsingMetadata.html).
OVERLAP = timedelta(days=1)

store = Store(settings().work_bucket)
stepfunctions = boto3.client(
    "stepfunctions", config=Config(retries={"mode": "standard", "max_attempts": 6})
)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lists the data bucket and starts a load if anything is new since the mark; returns how many files are.

    While a load is running it does nothing: what that load leaves is the next sweep's.
    """
    if load_is_running():
        logger.info("a load is running, the next sweep looks again")
        return {"files": 0}
    now = datetime.now(UTC)
    mark, seen = last_sweep()
    found = list(newer(mark))  # listed once: what comes meanwhile must not be taken for seen
    files = [file for file in found if (file.key, file.etag) not in seen]
    if not files:
        logger.info("nothing is newer than the last sweep", mark=mark.isoformat())
        return {"files": 0}
    stamp = now.isoformat()
    recent = (file for file in found if datetime.fromisoformat(file.modified) > now - OVERLAP)
    store.put(seen_key(stamp), [[file.key, file.etag] for file in recent])
    objects = store.put_lines(
        f"sweeps/{now:%Y%m%d-%H%M%S}.json.gz", (file.as_dict() for file in files)
    )
    stepfunctions.start_execution(
        stateMachineArn=STATE_MACHINE,
        name=f"sweep-{now:%Y%m%d-%H%M%S-%f}",
        input=json.dumps({"objects": objects, "mark": stamp}),
    )
    metrics.add_metric("FilesSwept", MetricUnit.Count, len(files))
    logger.info("load started", files=len(files), mark=mark.isoformat())
    return {"files": len(files)}


def load_is_running() -> bool:
    answer = stepfunctions.list_executions(
        stateMachineArn=STATE_MACHINE, statusFilter="RUNNING", maxResults=1
    )
    return bool(answer["executions"])


def last_sweep() -> tuple[datetime, set[tuple[str, str]]]:
    """From when on the last clean sweep's files are looked at, and those of them that it has seen (key, ETag)."""
    try:
        stamp = store.get(SWEEP_MARK)["mark"]
    except MissingObject:
        return datetime(1970, 1, 1, tzinfo=UTC), set()
    try:
        seen = {(key, etag) for key, etag in store.get(seen_key(stamp))}
    except MissingObject:
        seen = set()
    return datetime.fromisoformat(stamp) - OVERLAP, seen


def seen_key(stamp: str) -> str:
    return f"sweep/seen/{stamp}.json"


def newer(mark: datetime) -> Iterator[DataFile]:
    """The files of the datasets in the data bucket that were modified after the mark."""
    for dataset in datasets().values():
        for file in store.list_files(settings().data_bucket, dataset.prefix):
            if dataset.takes(file.key) and datetime.fromisoformat(file.modified) > mark:
                yield file
