"""Runs a case over boto3, as any caller of the Data API would."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from string import Template
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.redshift.conformance.model import NULL, Case, decoded, encoded
from tests.redshift.warehouse import DATABASE, ENDED, REGION, WORKGROUP, Warehouse, value

_KEEP_SECONDS = 60
_LOAD_ERROR_COLUMNS = {
    "file": "file_name",
    "line": "line_number",
    "column": "column_name",
    "type": "column_type",
    "length": "column_length",
    "position": "position",
    "code": "error_code",
    "reason": "error_message",
}
_PARTS = ("file", "reason")
"""What is expected of these is a part of what is there."""


@dataclass(frozen=True)
class Answer:
    """What a statement ended with: ``error``, or rows and columns if it has any."""

    error: str
    rows: list[list[Any]]
    columns: list[str]
    affected: int
    query_id: int
    id: str = ""


class Runner:
    """Runs cases against one server; each has a schema, a session and a prefix of its own."""

    def __init__(self, url: str, s3: Any, *, bucket: str, role: str):
        self._warehouse = Warehouse(url)
        self._client = self._warehouse.client
        self._service: Any = boto3.client(  # it is asked what botocore itself would refuse
            "redshift-data",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id="AKIATEST",
            aws_secret_access_key="secret",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
        )
        self._s3 = s3
        self._known = {
            "bucket": bucket,
            "role": role,
            "database": DATABASE,
            "workgroup": WORKGROUP,
        }
        self._numbers = itertools.count(1)

    def check(self, case: Case) -> None:
        """Raises AssertionError where the case does not go as it expects."""
        if case.is_plain:
            _check_answer(case, self._run(case.sql, {}))
            return
        name = f"c{next(self._numbers)}"
        words = {**self._known, "schema": name, "prefix": f"conformance/{name}"}
        setup = [_fill(sql, words) for sql in case.setup]
        by_itself = case.objects or case.call or any(map(_opens_a_transaction, setup))
        together = not by_itself
        session = self._open(name, setup if together else [])
        try:
            self._check(case, words, session, [] if together else setup)
        finally:
            self._submit(
                "batch_execute_statement",
                Sqls=["ROLLBACK", f"DROP SCHEMA {name} CASCADE"],
                ExecutionMode="AUTO_COMMIT",
                SessionKeepAliveSeconds=0,  # a warehouse has 500 sessions at most
                **session,
            )

    def _check(
        self, case: Case, words: dict[str, str], session: dict[str, str], setup: list[str]
    ) -> None:
        for key, content in case.objects.items():
            body = encoded(content if not isinstance(content, str) else _fill(content, words))
            self._put(f"{words['prefix']}/{key}", body)
        for sql in setup:
            answer = self._run(sql, session)
            assert not answer.error, f"{sql}: {answer.error}"
            words["id"] = answer.id
        if case.call:
            self._call(case, {**words, "session": session["SessionId"]})
            return
        values = [{"name": name, "value": text} for name, text in case.parameters.items()]
        more: dict[str, Any] = {**session, "Parameters": values} if values else {**session}
        if case.batch:
            answer = self._run_batch([_fill(sql, words) for sql in case.batch], more)
        else:
            answer = self._run(_fill(case.sql, words), more)
        _check_answer(replace(case, rows=_filled(case.rows, words)), answer)
        if case.after:
            after = self._run(_fill(case.after, words), session)
            assert not after.error, f"{case.after}: {after.error}"
            _check_rows(case.after_rows or [], after.rows, ordered=case.ordered)
        if case.load_errors is not None:
            self._check_load_errors(case.load_errors, answer.query_id, session)
        if case.written is not None:
            self._check_written(case, words)

    def _call(self, case: Case, words: dict[str, str]) -> None:
        """An operation of the Data API, and what comes of it."""
        client = self._service
        method = next(m for m, o in client.meta.method_to_api_mapping.items() if o == case.call)
        request = _filled(case.request, words)
        members = client.meta.service_model.operation_model(case.call).input_shape.members
        target = {"Database": DATABASE, "WorkgroupName": WORKGROUP}
        if not {"SessionId", "ClusterIdentifier", "WorkgroupName"} & set(request):
            request = {**{k: v for k, v in target.items() if k in members}, **request}
        answer, error = {}, ""
        try:
            answer = getattr(client, method)(**request)
        except ClientError as refused:
            error = str(refused)
        if case.error or error:
            assert case.error, error
            assert case.error in error, answer
            return
        wanted = _filled(case.answer or {}, words)
        assert _at_least(answer, wanted), f"{answer} has not {wanted}"

    def _open(self, schema: str, setup: list[str]) -> dict[str, str]:
        """A session whose search path begins with a new schema, after ``setup``; one request."""
        shown, session = self._submit(
            "batch_execute_statement",
            Sqls=[f"CREATE SCHEMA {schema}", f"SET search_path TO {schema}, public", *setup],
            ExecutionMode="AUTO_COMMIT",
            SessionKeepAliveSeconds=_KEEP_SECONDS,
            Database=DATABASE,
            WorkgroupName=WORKGROUP,
        )
        failed = [sub for sub in shown["SubStatements"] if sub["Status"] != "FINISHED"]
        assert not failed, f"{failed[0]['QueryString']}: {failed[0].get('Error')}"
        return {"SessionId": session}

    def _submit(self, operation: str, **request: Any) -> tuple[dict[str, Any], str]:
        """The statement once it has ended, as DescribeStatement shows it; its session's id."""
        answer = getattr(self._client, operation)(WaitTimeSeconds=30, **request)
        shown = self._client.describe_statement(Id=answer["Id"])
        if shown["Status"] not in ENDED:
            shown = self._warehouse.wait(answer["Id"])
        return shown, answer.get("SessionId", "")

    def _run(self, sql: str, session: dict[str, Any]) -> Answer:
        target = session or {"Database": DATABASE, "WorkgroupName": WORKGROUP}
        try:
            shown, _ = self._submit("execute_statement", Sql=sql, **target)
        except ClientError as error:
            return Answer(str(error), [], [], -1, 0)
        return self._answer(shown, shown)

    def _run_batch(self, sqls: list[str], session: dict[str, Any]) -> Answer:
        """The answer of the batch's last statement; an error is the batch's."""
        try:
            shown, _ = self._submit("batch_execute_statement", Sqls=sqls, **session)
        except ClientError as error:
            return Answer(str(error), [], [], -1, 0)
        return self._answer(shown, shown["SubStatements"][-1])

    def _answer(self, shown: dict[str, Any], last: dict[str, Any]) -> Answer:
        query_id = last.get("RedshiftQueryId", 0)
        if shown["Status"] != "FINISHED":
            return Answer(shown.get("Error") or shown["Status"], [], [], -1, query_id)
        rows: list[list[Any]] = []
        columns: list[str] = []
        if last["HasResultSet"]:
            for page in self._client.get_paginator("get_statement_result").paginate(Id=last["Id"]):
                columns = [f"{c['name']}:{c['typeName']}" for c in page["ColumnMetadata"]]
                rows += [[value(cell) for cell in record] for record in page["Records"]]
        return Answer("", rows, columns, last.get("ResultRows", -1), query_id, last["Id"])

    # -- COPY and UNLOAD -----------------------------------------------------------------------

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self._known["bucket"], Key=key, Body=body)

    def _check_load_errors(
        self, expected: list[dict[str, Any]], query: int, session: dict[str, str]
    ) -> None:
        columns = ", ".join(_LOAD_ERROR_COLUMNS.values())
        answer = self._run(
            f"SELECT {columns} FROM sys_load_error_detail WHERE query_id = {query} "
            "ORDER BY file_name, line_number, position",
            session,
        )
        there = [dict(zip(_LOAD_ERROR_COLUMNS, row, strict=True)) for row in answer.rows]
        left = list(there)
        for wanted in expected:
            match = next((row for row in left if _has(row, wanted)), None)
            assert match is not None, f"no load error {wanted} in {there}"
            left.remove(match)
        assert not left, f"more load errors than expected: {left}"

    def _check_written(self, case: Case, words: dict[str, str]) -> None:
        prefix = f"{words['prefix']}/"
        listed = self._s3.list_objects_v2(Bucket=words["bucket"], Prefix=prefix).get("Contents", [])
        names = [o["Key"].removeprefix(prefix) for o in listed]
        names = [name for name in names if name not in case.objects]
        expected = case.written or {}
        assert sorted(names) == sorted(expected), f"written: {names}"
        for name, content in expected.items():
            body = self._s3.get_object(Bucket=words["bucket"], Key=prefix + name)["Body"].read()
            wanted = _fill(content, words) if isinstance(content, str) else content
            assert decoded(body, content) == wanted, name


def _opens_a_transaction(sql: str) -> bool:
    return sql.split()[0].upper() in ("BEGIN", "START")


def _fill(sql: str, words: dict[str, str]) -> str:
    return Template(sql).safe_substitute(words)


def _filled(value: Any, words: dict[str, str]) -> Any:
    """The texts in a request or answer, filled."""
    if isinstance(value, str):
        return _fill(value, words)
    if isinstance(value, dict):
        return {key: _filled(inner, words) for key, inner in value.items()}
    return [_filled(inner, words) for inner in value] if isinstance(value, list) else value


def _at_least(actual: Any, wanted: Any) -> bool:
    """Whether an answer has what is wanted: its members, its items in their order."""
    if isinstance(wanted, dict):
        return isinstance(actual, dict) and all(
            key in actual and _at_least(actual[key], inner) for key, inner in wanted.items()
        )
    if isinstance(wanted, list):
        return len(actual) == len(wanted) and all(map(_at_least, actual, wanted))
    return bool(actual == wanted)


def _has(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    for key, expected in wanted.items():
        actual = row[key]
        if isinstance(expected, str):
            actual = str(actual).strip()
            if key in _PARTS and expected in actual:
                continue
        if actual != expected:
            return False
    return True


def _check_answer(case: Case, answer: Answer) -> None:
    if case.error:
        assert answer.error, f"did not fail: {answer.rows}"
        assert case.error in answer.error
        return
    assert not answer.error, answer.error
    if case.columns is not None:
        assert answer.columns == case.columns
    if case.rows is not None:
        _check_rows(case.rows, answer.rows, ordered=case.ordered)
    if case.affected is not None:
        assert answer.affected == case.affected


def _check_rows(expected: list[list[Any]], actual: list[list[Any]], *, ordered: bool) -> None:
    wanted = [[None if cell == NULL else cell for cell in row] for row in expected]
    if not ordered:
        wanted, actual = sorted(wanted, key=repr), sorted(actual, key=repr)
    same = len(wanted) == len(actual) and all(
        len(one) == len(other) and all(map(_same, one, other))
        for one, other in zip(wanted, actual, strict=True)
    )
    assert same, f"expected {wanted}\n     got {actual}"


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)
