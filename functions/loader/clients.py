"""The AWS clients of the functions: one of each in a Lambda environment, created when it is first needed."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from loader.dataapi import DataApi
from loader.settings import settings
from loader.store import Store

RETRIES = Config(retries={"mode": "standard", "max_attempts": 6})


@cache
def api() -> DataApi:
    return DataApi(settings())


@cache
def store() -> Store:
    """The work bucket and the data bucket."""
    return Store(settings().work_bucket)


@cache
def stepfunctions() -> Any:
    return boto3.client("stepfunctions", config=RETRIES)


@cache
def sqs() -> Any:
    return boto3.client("sqs", config=RETRIES)


@cache
def sns() -> Any:
    return boto3.client("sns", config=Config(retries={"mode": "standard"}))


@cache
def events() -> Any:
    """EventBridge, for which no load waits longer than some seconds."""
    patience = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2})
    return boto3.client("events", config=patience)


@cache
def serverless() -> Any:
    return boto3.client("redshift-serverless", config=RETRIES)
