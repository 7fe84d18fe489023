"""The sweep: loads what no event loaded. Runs on a schedule, and sends no SQL when nothing is newer than its mark.

The mark is the time of the last sweep whose load ended well; the load itself writes it (functions/finish.py).
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
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
OVERLAP = timedelta(minutes=15)  # clocks differ, and an upload's LastModified is when it began

store = Store(settings().work_bucket)
stepfunctions = boto3.client(
    "stepfunctions", config=Config(retries={"mode": "standard", "max_attempts": 6})
)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lists the data bucket and starts a load if anything is newer than the mark; returns how many files are."""
    now = datetime.now(UTC)
    mark = last_mark()
    files = newer(mark)
    first = next(files, None)
    if first is None:
        logger.info("nothing is newer than the last sweep", mark=mark.isoformat())
        return {"files": 0}
    key = f"sweeps/{now:%Y%m%d-%H%M%S}.json.gz"
    count = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal count
        for file in chain([first], files):
            count += 1
            yield file.as_dict()

    objects = store.put_lines(key, counted())
    stepfunctions.start_execution(
        stateMachineArn=STATE_MACHINE,
        name=f"sweep-{now:%Y%m%d-%H%M%S}",
        input=json.dumps({"objects": objects, "mark": now.isoformat()}),
    )
    metrics.add_metric("FilesSwept", MetricUnit.Count, count)
    logger.info("load started", files=count, mark=mark.isoformat())
    return {"files": count}


def last_mark() -> datetime:
    """The last clean sweep's time, less an overlap; the beginning of time if there was none."""
    try:
        return datetime.fromisoformat(store.get(SWEEP_MARK)["mark"]) - OVERLAP
    except MissingObject:
        return datetime(1970, 1, 1, tzinfo=UTC)


def newer(mark: datetime) -> Iterator[DataFile]:
    """The files of the datasets in the data bucket that were modified after the mark."""
    for dataset in datasets().values():
        for file in store.list_files(settings().data_bucket, dataset.prefix):
            if dataset.takes(file.key) and datetime.fromisoformat(file.modified) > mark:
                yield file
