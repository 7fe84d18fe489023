"""For all tests: the environment of the functions, with the SQL that is built of this tree.

The variables are set before a handler is imported, as Lambda does; nothing here can reach AWS.
"""

import os

import pytest

from contracts import build

for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_SESSION_TOKEN="testing",
    AWS_REGION="us-west-2",
    AWS_DEFAULT_REGION="us-west-2",
    AWS_EC2_METADATA_DISABLED="true",
    LOADER_SQL=str(build.ready()),
    WORKGROUP_NAME="local",
    DATABASE_NAME="dev",
    SCHEMA_NAME="sparkify",
    COPY_ROLE="arn:aws:iam::123456789012:role/copy",
    DATA_BUCKET="data",
    WORK_BUCKET="working",
    BATCH_FILES="1000",
    BATCH_BYTES="1000000000",
    MAX_BATCHES="20",
    MAX_LOADS_AT_ONCE="4",
    WAIT_SECONDS="20",
    STATEMENT_TIMEOUT_SECONDS="600",
    ALLOW_RESET="false",
    TOPIC_ARN="arn:aws:sns:us-west-2:123456789012:told",
    QUEUE_URL="https://sqs.us-west-2.amazonaws.com/123456789012/uploads",
    STATE_MACHINE_ARN="arn:aws:states:us-west-2:123456789012:stateMachine:load",
    SWEEP_SCHEDULE="rate(1 hour)",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups (of pytest-xdist) come first: no worker begins the longest of them when the others have ended."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes that are no text name no test: a gzip file has the time in it, and each of pytest's workers another."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return f"{len(val)} bytes"
    return None
