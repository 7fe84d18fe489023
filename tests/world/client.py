"""A caller of a local Redshift's server: SQL in, rows of plain values out."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

ENDED = ("FINISHED", "FAILED", "ABORTED")
TARGET = {"Database": "dev", "WorkgroupName": "local"}


class Client:
    """``client`` is its boto3 client."""

    def __init__(self, url: str) -> None:
        self.client: Any = boto3.client(
            "redshift-data",
            endpoint_url=url,
            region_name="us-west-2",
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def batch(self, *sqls: str, mode: str = "TRANSACTION") -> dict[str, Any]:
        """DescribeStatement of a batch that has ended, well or not."""
        sent = self.client.batch_execute_statement(Sqls=list(sqls), ExecutionMode=mode, **TARGET)
        return self._ended(sent["Id"])

    def run(self, sql: str) -> list[list[Any]]:
        """The rows of one statement, [] if it has none; AssertionError with its description if it fails."""
        shown = self._ended(self.client.execute_statement(Sql=sql, **TARGET)["Id"])
        assert shown["Status"] == "FINISHED", shown
        return self.rows_of(shown["Id"]) if shown["HasResultSet"] else []

    def rows_of(self, statement: str) -> list[list[Any]]:
        """The result of a statement, or of a part of a batch, by its id."""
        pages = self.client.get_paginator("get_statement_result").paginate(Id=statement)
        return [[_value(field) for field in record] for page in pages for record in page["Records"]]

    def rows(self, sql: str) -> list[list[Any]]:
        """The rows of a query."""
        return self.run(sql)

    def value(self, sql: str) -> Any:
        """The first value of the first row."""
        return self.run(sql)[0][0]

    def _ended(self, statement: str) -> dict[str, Any]:
        while True:
            shown = dict(self.client.describe_statement(Id=statement, WaitTimeSeconds=10))
            if shown["Status"] in ENDED:
                return shown


def _value(field: dict[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))
