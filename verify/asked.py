"""Questions that need more than a statement: two sessions, a cancel, other services. Each returns a text."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError
from conformance.runner import Answer, Runner
from warehouse import ENDED

from verify.run import Run

REPORTED_SECONDS = 60.0
"""How long the loader itself asks SYS_LOAD_DETAIL for its files."""
HELD_SECONDS = 1.5
"""How long a lock is held while another session waits for it."""
ODD_KEYS = ("year=2018/a.json", "a b.json", "a+b.json", "ä.json", "a%20b.json")


class NotPossible(Exception):
    """The question cannot be asked here; the text says why."""


@dataclass(frozen=True)
class Asking:
    """What a question may use: a session with an empty schema, first in its search path."""

    run: Run
    runner: Runner
    session: dict[str, str]
    schema: str
    prefix: str

    def sql(self, sql: str, session: dict[str, str] | None = None) -> Answer:
        """A statement that must not fail."""
        answer = self.runner.run(sql, session or self.session)
        if answer.error:
            raise NotPossible(f"{sql}: {answer.error}")
        return answer

    def session_of_its_own(self) -> dict[str, str]:
        """Another session with the same search path."""
        _, session = self.runner.submit(
            "execute_statement",
            Sql=f"SET search_path TO {self.schema}, public",
            SessionKeepAliveSeconds=60,
            **self.runner.target.login,
        )
        return {"SessionId": session}

    def put(self, key: str, body: bytes) -> str:
        target = self.runner.target
        target.s3.put_object(Bucket=target.bucket, Key=f"{self.prefix}/{key}", Body=body)
        return f"s3://{target.bucket}/{self.prefix}/{key}"

    def copy(self, table: str, url: str, options: str) -> str:
        role = self.run.place.role
        if not role:
            raise NotPossible("COPY needs a role: pass its ARN (ROLE=)")
        return f"COPY {table} FROM '{url}' IAM_ROLE '{role}' {options}"


# -- what COPY reports ------------------------------------------------------------------------


def load_detail(asking: Asking) -> str:
    """The names and the delay with which SYS_LOAD_DETAIL reports the files of a COPY."""
    asking.sql("CREATE TABLE t (a INT)")
    urls = [asking.put(key, b'{"a": 1}') for key in ODD_KEYS]
    entries = [{"url": url, "mandatory": True} for url in urls]
    manifest = asking.put("manifest", json.dumps({"entries": entries}).encode())
    copy = asking.copy("t", manifest, "JSON 'auto' MANIFEST")
    names = "SELECT TRIM(file_name) FROM sys_load_detail WHERE query_id = "
    shown, _ = asking.runner.submit(
        "batch_execute_statement", Sqls=[copy, f"{names}pg_last_copy_id()"], **asking.session
    )
    if shown["Status"] != "FINISHED":
        raise NotPossible(f"COPY: {shown.get('Error')}")
    inside = len(asking.runner.answer(shown, shown["SubStatements"][1]).rows)
    query, started = shown["SubStatements"][0]["RedshiftQueryId"], time.monotonic()
    while True:
        reported = sorted(str(name) for (name,) in asking.sql(f"{names}{query}").rows)
        seconds = time.monotonic() - started
        if len(reported) >= len(urls) or seconds > REPORTED_SECONDS:
            break
        asking.run.deadline.check()
        asking.run.sleep(asking.run.place.look_seconds / 2)
    raw, decoded = set(reported) & set(urls), {unquote_plus(name) for name in reported}
    plain = {unquote_plus(url) for url in urls}
    shown_names = [name.rpartition(f"{asking.schema}/")[2] for name in reported]
    return (
        f"{len(reported)} of {len(urls)} files reported within {seconds:.1f} s ({inside} in the batch itself), "
        f"{len(raw)} by the very name, {'all' if decoded == plain else 'not all'} once decoded: {shown_names}"
    )


def copy_count_beside_others(asking: Asking) -> str:
    """PG_LAST_COPY_COUNT alone, beside other functions, and in the select list over a SYS view."""
    asking.sql("CREATE TABLE t (a INT)")
    copy = asking.copy("t", asking.put("a.json", b'{"a": 1}\n{"a": 2}'), "JSON 'auto'")
    asking.sql(copy)
    answers = [
        asking.runner.run(sql, asking.session)
        for sql in (
            "SELECT pg_last_copy_count()",
            "SELECT pg_last_copy_count(), pg_last_copy_id() > 0",
            "SELECT COUNT(*), MAX(pg_last_copy_count()) FROM sys_load_history WHERE query_id = pg_last_copy_id()",
        )
    ]
    return "; ".join(
        f"{name}: {answer.error or answer.rows}"
        for name, answer in zip(("alone", "beside", "over a view"), answers, strict=True)
    )


# -- locks ------------------------------------------------------------------------------------


def _publish(asking: Asking, *, with_update: bool) -> str:
    """Two publishers at once: the second waits for the lock, then inserts only what is missing."""
    for sql in (
        "CREATE TABLE publish_lock (holder INT)",
        "INSERT INTO publish_lock VALUES (0)",
        "CREATE TABLE t (a INT)",
        "CREATE TABLE s (a INT)",
        "INSERT INTO s VALUES (1)",
    ):
        asking.sql(sql)
    insert = "INSERT INTO t SELECT s.a FROM s LEFT JOIN t ON s.a = t.a WHERE t.a IS NULL"
    sequence = ["LOCK publish_lock"]
    if with_update:
        sequence.append("UPDATE publish_lock SET holder = holder + 1")
    sequence.append(insert)
    for sql in ("BEGIN", *sequence):
        asking.sql(sql)
    login = asking.session_of_its_own()
    client = asking.run.place.data_api
    second = client.batch_execute_statement(Sqls=sequence, **login)["Id"]
    asking.run.sleep(HELD_SECONDS)
    if client.describe_statement(Id=second)["Status"] in ENDED:
        asking.sql("ROLLBACK")
        return f"the second did not wait: {client.describe_statement(Id=second).get('Error')}"
    asking.sql("COMMIT")
    shown = _ended(asking, second)
    rows = asking.sql("SELECT COUNT(*) FROM t").rows[0][0]
    return f"rows {rows}, the second {shown['Status']}: {shown.get('Error', 'no error')}"


def lock_then_anti_join(asking: Asking) -> str:
    """Without the update of a row: is the snapshot taken after the lock is granted?"""
    return _publish(asking, with_update=False)


def lock_update_anti_join(asking: Asking) -> str:
    """With it, as the loader publishes."""
    return _publish(asking, with_update=True)


def update_after_an_old_snapshot(asking: Asking) -> str:
    """A transaction that read before another one committed updates the row that this one updated."""
    asking.sql("CREATE TABLE publish_lock (holder INT)")
    asking.sql("INSERT INTO publish_lock VALUES (0)")
    asking.sql("CREATE TABLE t (a INT)")
    other = asking.session_of_its_own()
    for sql in ("BEGIN", "SELECT COUNT(*) FROM t"):
        asking.sql(sql, other)
    for sql in ("BEGIN", "UPDATE publish_lock SET holder = 1", "COMMIT"):
        asking.sql(sql)
    answer = asking.runner.run("UPDATE publish_lock SET holder = 2", other)
    end = asking.runner.run("ROLLBACK" if answer.error else "COMMIT", other)
    return f"update: {answer.error or 'no error'}; its end: {end.error or 'no error'}"


def status_of_a_batch(asking: Asking) -> str:
    """How a batch in AUTO_COMMIT ends whose second of three statements fails."""
    client = asking.run.place.data_api
    sqls = ["SELECT 1", "SELECT nothing FROM no_such_table", "SELECT 3"]
    statement = client.batch_execute_statement(
        Sqls=sqls, ExecutionMode="AUTO_COMMIT", **asking.runner.target.login
    )["Id"]
    shown = _ended(asking, statement)
    parts = ", ".join(part["Status"] for part in shown.get("SubStatements", ()))
    return f"{shown['Status']} ({parts})"


def batch_is_a_session(asking: Asking) -> str:
    """A temporary table of a batch in AUTO_COMMIT, without a session that the caller keeps."""
    sqls = ["CREATE TEMP TABLE seen (a INT)", "INSERT INTO seen VALUES (1)", "SELECT a FROM seen"]
    answer = asking.runner.run_batch(sqls, {}, ExecutionMode="AUTO_COMMIT")
    return f"error: {answer.error}" if answer.error else f"rows: {answer.rows}"


# -- a cancel ---------------------------------------------------------------------------------


def cancelled(asking: Asking) -> str:
    """The text of a statement that CancelStatement ended."""
    _many_rows(asking)
    client = asking.run.place.data_api
    asking.sql("SET statement_timeout TO 60000")  # it ends, whatever comes of the cancel
    statement = client.execute_statement(Sql=SLOW, **asking.session)["Id"]
    until = time.monotonic() + REPORTED_SECONDS
    while client.describe_statement(Id=statement)["Status"] != "STARTED":
        if time.monotonic() > until:
            raise NotPossible("the statement did not start")
        asking.run.sleep(0.2)
    asking.run.sleep(HELD_SECONDS)
    client.cancel_statement(Id=statement)
    shown = _ended(asking, statement)
    return f"{shown['Status']}: {shown.get('Error', 'no error text')}"


def timed_out(asking: Asking) -> str:
    """The text of a statement that statement_timeout ended."""
    _many_rows(asking)
    asking.sql("SET statement_timeout TO 2000")
    client = asking.run.place.data_api
    statement = client.execute_statement(Sql=SLOW, **asking.session)["Id"]
    shown = client.describe_statement(Id=statement, WaitTimeSeconds=TIMEOUT_SECONDS)
    if shown["Status"] in ENDED:
        return f"{shown['Status']}: {shown.get('Error', 'no error')}"
    client.cancel_statement(Id=statement)
    return f"after {TIMEOUT_SECONDS} s still {shown['Status']}; then {_ended(asking, statement)['Status']}"


TIMEOUT_SECONDS = 12
SLOW = "SELECT COUNT(*) FROM n a, n b, n c, n d WHERE a.a + b.a * c.a > d.a"


def _many_rows(asking: Asking) -> None:
    """1,024 rows; their product with itself keeps any warehouse busy."""
    asking.sql("CREATE TABLE n (a INT)")
    asking.sql("INSERT INTO n VALUES (1), (2), (3), (4)")
    for _ in range(8):
        asking.sql("INSERT INTO n SELECT a + 4 FROM n")


def _ended(asking: Asking, statement: str) -> dict[str, Any]:
    client, until = asking.run.place.data_api, time.monotonic() + asking.runner.target.patience
    while True:
        shown = client.describe_statement(Id=statement, WaitTimeSeconds=10)
        if shown["Status"] in ENDED:
            return dict(shown)
        if time.monotonic() > until:
            raise TimeoutError(f"{statement} did not end")


# -- Step Functions ---------------------------------------------------------------------------


def _state(asking: Asking, definition: dict[str, Any]) -> dict[str, Any]:
    """TestState; with the state machine's role if it asks for one."""
    states = asking.run.place.client("stepfunctions")
    request: dict[str, Any] = {"definition": json.dumps(definition), "input": "{}"}
    if "Resource" in definition:
        request["mock"] = {"result": '{"StatusCode": 200, "Payload": "small"}'}
    try:
        try:
            return dict(states.test_state(**request))
        except ClientError as error:
            if "role" not in str(error).lower() or asking.run.place.stack is None:
                raise
        machine = asking.run.place.stack.outputs["StateMachineArn"]
        request["roleArn"] = states.describe_state_machine(stateMachineArn=machine)["roleArn"]
        return dict(states.test_state(**request))
    except (ClientError, BotoCoreError) as error:
        raise NotPossible(f"TestState: {error}") from error


def _pass(asking: Asking, expression: str) -> str:
    state = {"Type": "Pass", "QueryLanguage": "JSONata", "Output": expression, "End": True}
    answer = _state(asking, state)
    return f"{answer['status']}: {answer.get('output') or answer.get('cause', '')}"


def range_of_one(asking: Asking) -> str:
    """What {% [0..0] %} is."""
    return _pass(asking, "{% [0..0] %}")


def range_of_none(asking: Asking) -> str:
    """What {% [0..-1] %} is."""
    return _pass(asking, "{% [0..-1] %}")


def large_output(asking: Asking) -> str:
    """Whether Catch States.ALL catches a Task whose output has over 256 KiB."""
    answer = _state(
        asking,
        {
            "Type": "Task",
            "QueryLanguage": "JSONata",
            "Resource": f"arn:{asking.run.place.partition}:states:::lambda:invoke",
            "Arguments": {"FunctionName": "nobody-calls-it"},
            "Output": "{% $pad('x', 300000, 'x') %}",
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "Next": "Good",
        },
    )
    shown = {name: str(answer.get(name, ""))[:200] for name in ("error", "cause", "nextState")}
    return f"{answer['status']}: {shown}"


# -- SQS --------------------------------------------------------------------------------------


def two_resources_in_a_statement(asking: Asking) -> str:
    """Whether a queue accepts a policy that names two queues in one statement."""
    sqs = asking.run.place.client("sqs")
    made: list[str] = []
    try:
        try:
            for name in ("one", "two"):
                queue = sqs.create_queue(QueueName=f"{asking.run.prefix}-{name}")
                made.append(queue["QueueUrl"])
            arns = [
                sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
                for url in made
            ]
        except (ClientError, BotoCoreError) as error:
            raise NotPossible(f"no queues could be created: {error}") from error
        resources = [attributes["QueueArn"] for attributes in arns]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": resources,
            # Of no rule: nobody may send by it.
            "Condition": {
                "ArnEquals": {"aws:SourceArn": resources[0].replace(":sqs:", ":events:")}
            },
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        try:
            sqs.set_queue_attributes(QueueUrl=made[0], Attributes={"Policy": policy})
        except ClientError as error:
            return f"refused: {error}"
        return "accepted"
    finally:
        for url in made:
            sqs.delete_queue(QueueUrl=url)
