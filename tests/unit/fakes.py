"""A Data API client that plays a script, and what else Lambda gives a handler.

The client is as strict as the service: requests are checked against its API model with its upper limits, every
parameter must be used by a statement and every parameter used must be there, and a known token runs nothing again.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto.backends import get_backend

Rows = Sequence[Sequence[Any]]


@dataclass
class Reply:
    """What becomes of a submitted batch.

    status, error   how it ends
    failed          the number of the statement that failed, from 1; 0: the Data API names none
    running         how many looks find it running, the submit's own among them
    done            how many of its statements have finished while it runs
    rows            the results by the statement's number
    affected        the rows that a statement has read or written, by its number; -1 for the others
    query_id        Redshift's query id of the failed statement
    lost            the Data API does not know it any more when it is looked at
    ends_anyway     it finishes although it is cancelled
    """

    status: str = "FINISHED"
    error: str = ""
    failed: int = 0
    running: int = 0
    done: int = 0
    rows: dict[int, Rows] = field(default_factory=dict)
    affected: dict[int, int] = field(default_factory=dict)
    query_id: int = 4711
    lost: bool = False
    ends_anyway: bool = False


def failed(number: int, error: str, **more: Any) -> Reply:
    """A batch whose statement of this number failed."""
    return Reply("FAILED", error, number, **more)


class FakeDataApi:
    """``replies`` are taken in the order of submits; a submit without one finishes without rows.

    It answers at once, as a Data API that does not wait; with a clock, it lets as much time pass as it is asked to
    wait for a statement that runs.
    """

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.submits: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.looks: list[dict[str, Any]] = []
        self.lists: list[dict[str, Any]] = []
        self.results: list[str] = []  # the statements whose rows were asked for
        self.clock: Clock | None = None
        self._known: dict[str, tuple[Reply, list[str]]] = {}
        self._tokens: dict[str, str] = {}
        self._names: dict[str, str] = {}

    @property
    def exceptions(self) -> Any:
        return client("redshift-data").exceptions

    @property
    def statements(self) -> list[str]:
        """All SQL that was ever sent."""
        return [text for request in self.submits for text in request["Sqls"]]

    def parameters(self, submit: int = -1) -> dict[str, str]:
        return {p["name"]: p["value"] for p in self.submits[submit].get("Parameters", ())}

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        _check("BatchExecuteStatement", request)
        _check_parameters(request)
        self.submits.append(request)
        token = request["ClientToken"]
        if token not in self._tokens:
            reply = self.replies.pop(0) if self.replies else Reply()
            self._tokens[token] = self.add(request["StatementName"], reply, *request["Sqls"])
        statement = self._tokens[token]
        return {"Id": statement, "Status": self._look(self._known[statement][0])}

    def add(self, name: str, reply: Reply, *texts: str) -> str:
        """A statement that was submitted under this name, by this test or by another load; returns its id."""
        number = len(self._known) + 1
        statement = f"{number:08x}-0000-4000-8000-{number:012x}"
        self._known[statement] = reply, list(texts)
        self._names[statement] = name
        return statement

    def list_statements(self, **request: Any) -> dict[str, Any]:
        """Two a page, the newest first; without a Status only what has finished."""
        _check("ListStatements", request)
        self.lists.append(request)
        wanted = request.get("Status", "FINISHED")
        found = []
        for statement, name in reversed(self._names.items()):
            reply = self._known[statement][0]
            status = "STARTED" if reply.running else reply.status
            if name.startswith(request["StatementName"]) and wanted in ("ALL", status):
                found.append({"Id": statement, "StatementName": name, "Status": status})
        start = int(request.get("NextToken", 0))
        page: dict[str, Any] = {"Statements": found[start : start + 2]}
        if start + 2 < len(found):
            page["NextToken"] = str(start + 2)
        return page

    def describe_statement(self, **request: Any) -> dict[str, Any]:
        _check("DescribeStatement", request)
        self.looks.append(request)
        reply, texts = self._known[request["Id"]]
        if reply.lost:
            raise self.error("ResourceNotFoundException", "DescribeStatement")
        if self.clock and reply.running:
            self.clock.now += request.get("WaitTimeSeconds", 0)
        status = self._look(reply)
        answer: dict[str, Any] = {"Id": request["Id"], "Status": status, "SubStatements": []}
        for number, text in enumerate(texts, 1):
            part = {"Id": f"{request['Id']}:{number}", "QueryString": text, "Status": status}
            part["ResultRows"] = reply.affected.get(number, -1)  # type: ignore[assignment]
            if status == "STARTED":
                part["Status"] = "FINISHED" if number <= reply.done else "STARTED"
            elif status != "FINISHED":
                part["Status"] = "FINISHED" if number < reply.failed else "ABORTED"
                if number == reply.failed:
                    part |= {"Status": status, "Error": reply.error}
                    part["RedshiftQueryId"] = reply.query_id  # type: ignore[assignment]
                elif not reply.failed:
                    part["Status"] = ""
            answer["SubStatements"].append(part)
        if reply.error and status not in ("STARTED", "FINISHED"):
            answer["Error"] = reply.error
        return answer

    def get_statement_result(self, **request: Any) -> dict[str, Any]:
        _check("GetStatementResult", request)
        self.results.append(request["Id"])
        statement, _, number = request["Id"].partition(":")
        rows = self._known[statement][0].rows.get(int(number), ())
        start = int(request.get("NextToken", 0))
        page = {"Records": [[_field(value) for value in row] for row in rows[start : start + 2]]}
        if start + 2 < len(rows):
            page["NextToken"] = str(start + 2)  # type: ignore[assignment]
        return page

    def cancel_statement(self, **request: Any) -> dict[str, Any]:
        _check("CancelStatement", request)
        self.cancelled.append(request["Id"])
        reply = self._known[request["Id"]][0]
        if not reply.running:
            raise self.error("ValidationException", "CancelStatement")
        reply.running = 0
        if not reply.ends_anyway:
            reply.status = "ABORTED"
        return {"Status": True}

    def error(self, name: str, operation: str) -> ClientError:
        """An error of the service, of the class that botocore makes of it."""
        raised: ClientError = getattr(self.exceptions, name)(
            {"Error": {"Code": name, "Message": "from the fake"}}, operation
        )
        return raised

    @staticmethod
    def _look(reply: Reply) -> str:
        if reply.running:
            reply.running -= 1
            return "STARTED"
        return reply.status


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Context:
    """A Lambda context."""

    function_name = "function"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-west-2:123456789012:function:function"
    aws_request_id = "00000000-0000-4000-8000-000000000000"


@cache
def client(service: str) -> Any:
    """One client for all tests: making one takes longer than a test."""
    make: Any = boto3.client
    return make(service, region_name="us-west-2")


def _check(operation: str, request: dict[str, Any]) -> None:
    shape = client("redshift-data").meta.service_model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()
    for name, value in request.items():
        most = shape.members[name].metadata.get("max")
        size = value if isinstance(value, int) else len(value)
        assert most is None or size <= most, f"{operation}: {name} is {size}, at most {most}"
        pattern = shape.members[name].metadata.get("pattern")
        assert not pattern or re.fullmatch(pattern, value), f"{operation}: {name} is {value!r}"


def _check_parameters(request: dict[str, Any]) -> None:
    unquoted = [re.sub(r"'(?:[^']|'')*'", "", text) for text in request["Sqls"]]
    used = {name for text in unquoted for name in re.findall(r"(?<!:):([A-Za-z_]\w*)", text)}
    given = {parameter["name"] for parameter in request.get("Parameters", ())}
    assert given == used, f"parameters given {sorted(given)}, used {sorted(used)}"


def _field(value: Any) -> dict[str, Any]:
    if value is None:
        return {"isNull": True}
    for kind, name in ((bool, "booleanValue"), (int, "longValue"), (float, "doubleValue")):
        if isinstance(value, kind):
            return {name: value}
    return {"stringValue": value}


class StateMachine:
    """A state machine on moto, whose executions run until the test ends them."""

    def __init__(self) -> None:
        self._client = client("stepfunctions")
        definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
        self.arn = self._client.create_state_machine(
            name="load", definition=definition, roleArn="arn:aws:iam::123456789012:role/load"
        )["stateMachineArn"]

    @property
    def executions(self) -> dict[str, Any]:
        """Input by name, the oldest first."""
        return {run.name: json.loads(run.execution_input) for run in self._runs}

    def start(self, name: str, given: Any = None) -> str:
        """Starts an execution; returns its ARN."""
        arn: str = self._client.start_execution(
            stateMachineArn=self.arn, name=name, input=json.dumps(given or {})
        )["executionArn"]
        return arn

    def end(self, name: str, status: str) -> None:
        next(run for run in self._runs if run.name == name).status = status

    @property
    def _runs(self) -> list[Any]:
        backend = get_backend("stepfunctions")["123456789012"]["us-west-2"]
        return list(backend.describe_state_machine(self.arn).executions)
