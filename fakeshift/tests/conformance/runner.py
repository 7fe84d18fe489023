"""Runs a case over boto3, as any caller of the Data API would: on the local Redshift, or on a real one.

A deviation from what the case expects is a ``Difference``: an AssertionError for pytest, data for ``make verify``.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from string import Template
from typing import Any

from botocore.exceptions import ClientError
from warehouse import ENDED, value

from conformance.model import NULL, Case, decoded, encoded

AT_ONCE = 40
"""Statements of a batch at most."""
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
class Target:
    """Where cases run.

    client    of the Data API; ``service`` is the same without botocore's own validation of requests
    where     WorkgroupName, or ClusterIdentifier and what goes with it
    schemas   each case has a schema of its own, named by this and a number
    root      objects lie under this prefix of the bucket, which ``role`` may read (and write, for UNLOAD)
    patience  seconds that a statement may take
    """

    client: Any
    service: Any
    s3: Any
    where: dict[str, str]
    database: str
    bucket: str
    role: str
    schemas: str = "c"
    root: str = "conformance/"
    patience: float = 40

    @property
    def login(self) -> dict[str, str]:
        """Of a request outside a session."""
        return {"Database": self.database, **self.where}


@dataclass(frozen=True)
class Answer:
    """What a statement ended with: ``error``, or rows and columns if it has any."""

    error: str
    rows: list[list[Any]]
    columns: list[str]
    affected: int
    query_id: int
    id: str = ""
    statement: str = ""


class Difference(AssertionError):
    """A statement that did not do what its case expects.

    kind: ``outcome`` (it failed, or did not), ``text`` of an error, ``rows``, or ``setup``: what the case needs failed.
    """

    def __init__(self, kind: str, statement: str, expected: Any, got: Any) -> None:
        super().__init__(f"{statement}\nexpected {expected}\n     got {got}")
        self.kind = kind
        self.statement = statement
        self.expected = str(expected)
        self.got = str(got)


@dataclass
class Runner:
    """Runs cases against one server; each has its own schema, session and prefix. Threads may share it.

    strict   a schema that cannot be dropped is an error; else whoever made the runner cleans up
    """

    target: Target
    strict: bool = True
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def check(self, case: Case) -> None:
        """Raises Difference where the case does not go as it expects."""
        if case.is_plain:
            _check_answer(case, self.run(case.sql, {}))
            return
        name = f"{self.target.schemas}{next(self._numbers)}"
        words = {
            "bucket": self.target.bucket,
            "role": self.target.role,
            "database": self.target.database,
            "workgroup": self.target.where.get("WorkgroupName", ""),
            "schema": name,
            "prefix": f"{self.target.root}{name}",
        }
        rows, after_rows = _filled(case.rows, words), _filled(case.after_rows, words)
        case = replace(case, rows=rows, after_rows=after_rows)
        setup = [_fill(sql, words) for sql in case.setup]
        by_itself = case.objects or case.call or case.fails or any(map(_opens_a_transaction, setup))
        together = not by_itself
        session = self.open(name, setup if together else [])
        try:
            self._check(case, words, session, [] if together else setup)
        finally:
            self.close(name, session)

    def check_plain(self, cases: Sequence[Case]) -> list[AssertionError | None]:
        """For each of 40 plain cases at most what ``check`` would raise; one request for all."""
        shown, _ = self.submit(
            "batch_execute_statement",
            Sqls=[case.sql for case in cases],
            ExecutionMode="AUTO_COMMIT",
            **self.target.login,
        )
        found: list[AssertionError | None] = []
        for case, sub in zip(cases, shown["SubStatements"], strict=True):
            try:
                _check_answer(case, self.answer(sub, sub))
                found.append(None)
            except AssertionError as difference:
                found.append(difference)
        return found

    def _check(
        self, case: Case, words: dict[str, str], session: dict[str, str], setup: list[str]
    ) -> None:
        for key, content in case.objects.items():
            body = encoded(content if not isinstance(content, str) else _fill(content, words))
            self._put(f"{words['prefix']}/{key}", body)
        fails = {_fill(sql, words) for sql in case.fails}
        for sql in setup:
            answer = self.run(sql, session)
            if answer.error and sql not in fails:
                raise Difference("setup", sql, "no error", answer.error)
            if sql in fails and not answer.error:
                raise Difference("setup", sql, "an error", answer.rows)
            words["id"] = answer.id
        if case.call:
            self._call(case, {**words, "session": session["SessionId"]})
            return
        values = [{"name": name, "value": text} for name, text in case.parameters.items()]
        more: dict[str, Any] = {"Parameters": values} if values else {}
        if case.batch:
            answer = self.run_batch([_fill(sql, words) for sql in case.batch], session, **more)
        else:
            answer = self.run(_fill(case.sql, words), session, **more)
        _check_answer(case, answer)
        if case.after:
            after = self.run(_fill(case.after, words), session)
            if after.error:
                raise Difference("outcome", case.after, "no error", after.error)
            _check_rows(case.after, case.after_rows or [], after.rows, ordered=case.ordered)
        if case.load_errors is not None:
            self._check_load_errors(case, answer.query_id, session)
        if case.written is not None:
            self._check_written(case, words)

    def _call(self, case: Case, words: dict[str, str]) -> None:
        """An operation of the Data API, and what comes of it."""
        client = self.target.service
        method = next(m for m, o in client.meta.method_to_api_mapping.items() if o == case.call)
        request = _filled(case.request, words)
        members = client.meta.service_model.operation_model(case.call).input_shape.members
        if not {"SessionId", "ClusterIdentifier", "WorkgroupName"} & set(request):
            login = {k: v for k, v in self.target.login.items() if k in members}
            request = {**login, **request}
        answer, error = {}, ""
        try:
            answer = getattr(client, method)(**request)
        except ClientError as refused:
            error = str(refused)
        told = f"{case.call} {case.request}"
        if case.error or error:
            _check_error(told, case.error, error, answer)
            return
        wanted = _filled(case.answer or {}, words)
        if not _at_least(answer, wanted):
            raise Difference("rows", told, f"at least {wanted}", answer)

    def open(self, schema: str, setup: list[str]) -> dict[str, str]:
        """A session whose search path begins with a new schema, after ``setup``; one request."""
        shown, session = self.submit(
            "batch_execute_statement",
            Sqls=[f"CREATE SCHEMA {schema}", f"SET search_path TO {schema}, public", *setup],
            ExecutionMode="AUTO_COMMIT",
            SessionKeepAliveSeconds=_KEEP_SECONDS,
            **self.target.login,
        )
        failed = [sub for sub in shown["SubStatements"] if sub["Status"] != "FINISHED"]
        if failed:
            self.close(schema, {"SessionId": session})
            error = failed[0].get("Error") or failed[0]["Status"]
            raise Difference("setup", failed[0]["QueryString"], "no error", error)
        return {"SessionId": session}

    def close(self, schema: str, session: dict[str, str]) -> None:
        """The end of the session and of its schema."""
        try:
            self.submit(
                "batch_execute_statement",
                Sqls=["ROLLBACK", f"DROP SCHEMA {schema} CASCADE"],
                ExecutionMode="AUTO_COMMIT",
                SessionKeepAliveSeconds=0,  # a warehouse has 500 sessions at most
                **session,
            )
        except (ClientError, TimeoutError):
            if self.strict:
                raise

    def submit(self, operation: str, **request: Any) -> tuple[dict[str, Any], str]:
        """The statement once it has ended, as DescribeStatement shows it; its session's id."""
        client = self.target.client
        answer = getattr(client, operation)(WaitTimeSeconds=30, **request)
        shown = client.describe_statement(Id=answer["Id"])
        until = time.monotonic() + self.target.patience
        while shown["Status"] not in ENDED:
            if time.monotonic() > until:
                told = shown.get("QueryString") or request.get("Sqls")
                client.cancel_statement(Id=answer["Id"])
                raise TimeoutError(f"cancelled after {self.target.patience:g} s: {told}")
            shown = client.describe_statement(Id=answer["Id"], WaitTimeSeconds=10)
        return shown, answer.get("SessionId", "")

    def run(self, sql: str, session: dict[str, str], **more: Any) -> Answer:
        """A statement's end, in the session if there is one; ``more`` goes into the request."""
        where = session or self.target.login
        try:
            shown, _ = self.submit("execute_statement", Sql=sql, **where, **more)
        except ClientError as error:
            return Answer(str(error), [], [], -1, 0, statement=sql)
        return self.answer(shown, shown)

    def run_batch(self, sqls: list[str], session: dict[str, str], **more: Any) -> Answer:
        """The answer of the batch's last statement; an error is the batch's."""
        told = "; ".join(sqls)
        try:
            shown, _ = self.submit(
                "batch_execute_statement", Sqls=sqls, **(session or self.target.login), **more
            )
        except ClientError as error:
            return Answer(str(error), [], [], -1, 0, statement=told)
        return self.answer(shown, shown["SubStatements"][-1], told)

    def answer(self, shown: dict[str, Any], last: dict[str, Any], told: str = "") -> Answer:
        """What a statement that DescribeStatement shows has ended with; rows are those of ``last``."""
        query_id = last.get("RedshiftQueryId", 0)
        told = told or last.get("QueryString", "")
        if shown["Status"] != "FINISHED":
            error = shown.get("Error") or shown["Status"]
            return Answer(error, [], [], -1, query_id, statement=told)
        rows: list[list[Any]] = []
        columns: list[str] = []
        if last["HasResultSet"]:
            pages = self.target.client.get_paginator("get_statement_result")
            for page in pages.paginate(Id=last["Id"]):
                columns = [f"{c['name']}:{c['typeName']}" for c in page["ColumnMetadata"]]
                rows += [[value(cell) for cell in record] for record in page["Records"]]
        return Answer("", rows, columns, last.get("ResultRows", -1), query_id, last["Id"], told)

    # -- COPY and UNLOAD -----------------------------------------------------------------------

    def _put(self, key: str, body: bytes) -> None:
        self.target.s3.put_object(Bucket=self.target.bucket, Key=key, Body=body)

    def _check_load_errors(self, case: Case, query: int, session: dict[str, str]) -> None:
        columns = ", ".join(_LOAD_ERROR_COLUMNS.values())
        answer = self.run(
            f"SELECT {columns} FROM sys_load_error_detail WHERE query_id = {query} "
            "ORDER BY file_name, line_number, position",
            session,
        )
        there = [dict(zip(_LOAD_ERROR_COLUMNS, row, strict=True)) for row in answer.rows]
        left = list(there)
        for wanted in case.load_errors or []:
            match = next((row for row in left if _has(row, wanted)), None)
            if match is None:
                raise Difference("rows", case.sql, f"the load error {wanted}", there)
            left.remove(match)
        if left:
            raise Difference("rows", case.sql, f"load errors {case.load_errors}", there)

    def _check_written(self, case: Case, words: dict[str, str]) -> None:
        prefix = f"{words['prefix']}/"
        s3, bucket = self.target.s3, words["bucket"]
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        names = [o["Key"].removeprefix(prefix) for o in listed]
        names = sorted(name for name in names if name not in case.objects)
        expected = case.written or {}
        told = case.sql or "; ".join(case.batch)
        if names != sorted(expected):
            raise Difference("rows", told, f"written: {sorted(expected)}", names)
        for name, content in expected.items():
            body = s3.get_object(Bucket=bucket, Key=prefix + name)["Body"].read()
            wanted = _fill(content, words) if isinstance(content, str) else content
            if (found := decoded(body, content)) != wanted:
                raise Difference("rows", told, f"{name}: {wanted}", found)


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
    if case.error or answer.error:
        _check_error(answer.statement, case.error, answer.error, answer.rows)
        return
    if case.columns is not None and answer.columns != case.columns:
        raise Difference("rows", answer.statement, case.columns, answer.columns)
    if case.rows is not None:
        _check_rows(answer.statement, case.rows, answer.rows, ordered=case.ordered)
    if case.affected is not None and answer.affected != case.affected:
        raise Difference("rows", answer.statement, f"{case.affected} rows", answer.affected)


def _check_error(statement: str, expected: str, error: str, rows: Any) -> None:
    if not expected:
        raise Difference("outcome", statement, "no error", error)
    if not error:
        raise Difference("outcome", statement, f"the error {expected}", f"no error: {rows}")
    if expected not in error:
        raise Difference("text", statement, f"the error {expected}", error)


def _check_rows(
    statement: str, expected: list[list[Any]], actual: list[list[Any]], *, ordered: bool
) -> None:
    wanted = [[None if cell == NULL else cell for cell in row] for row in expected]
    if not ordered:
        wanted, actual = sorted(wanted, key=repr), sorted(actual, key=repr)
    same = len(wanted) == len(actual) and all(
        len(one) == len(other) and all(map(_same, one, other))
        for one, other in zip(wanted, actual, strict=True)
    )
    if not same:
        raise Difference("rows", statement, wanted, actual)


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)
