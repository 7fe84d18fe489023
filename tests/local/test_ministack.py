"""What we fix in MiniStack behaves as on AWS. A new version of it is seen here first."""

import io
import json
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, sqs, stepfunctions

from local.aws.ministack import behaviour, concurrency, executions, queues

ROOT = Path(__file__).resolve().parents[2]

HANDLER = """
class Refused(Exception):
    pass

def fail(event, context):
    raise Refused("no: " + event["why"])

def work(event, context):
    return {"got": event}

def die(event, context):
    import os
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    made = {
        "attributes": {"QueueArn": "arn:queue", "VisibilityTimeout": "60"},
        "messages": [],
        "is_fifo": False,
    }
    monkeypatch.setattr(sqs, "_get_q", lambda url: made)
    monkeypatch.setattr(sqs, "_expire_retained", lambda q: None)
    monkeypatch.setattr(sqs, "_dlq_sweep", lambda q: None)
    monkeypatch.setattr(sqs, "_receive_messages_for_esm", sqs._receive_messages_for_esm)
    behaviour.gather_batches()
    return made


def window(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    mapping = {"EventSourceArn": "arn:queue", "MaximumBatchingWindowInSeconds": seconds}
    monkeypatch.setattr(lambda_svc, "_iter_all_esms", lambda: [("0", "us-west-2", mapping)])


def add(queue: dict[str, Any], count: int, age: float = 0, body: str = "{}") -> None:
    sent = time.time() - age
    queue["messages"] += [
        {"id": str(n), "body": body, "sent_at": sent, "visible_at": sent} for n in range(count)
    ]


def receive(size: int) -> int:
    return len(sqs._receive_messages_for_esm("url", size))


def test_without_a_window_a_batch_is_all_that_waits(
    queue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    window(monkeypatch, 0)
    add(queue, 500)
    assert receive(1000) == 500
    assert receive(1000) == 0  # invisible now


def test_a_batch_is_no_larger_than_batch_size(
    queue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    window(monkeypatch, 300)
    add(queue, 25)
    assert [receive(10), receive(10), receive(10)] == [10, 10, 0]  # the rest waits for its window


def test_messages_are_gathered_for_the_window(
    queue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    window(monkeypatch, 5)
    add(queue, 3)
    assert receive(1000) == 0
    add(queue, 1, age=6)
    assert receive(1000) == 4


def test_a_batch_fits_into_one_invocation(
    queue: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    window(monkeypatch, 0)
    add(queue, 10, body="x" * 1024 * 1024)
    assert receive(1000) == 5
    queue["messages"].clear()
    add(queue, 1, body="x" * 7 * 1024 * 1024)
    assert receive(1000) == 1


@pytest.mark.parametrize(("given", "limit"), [("2", 2), (3, 3), (None, 5)])
def test_a_number_from_a_templates_parameter_is_a_number(
    monkeypatch: pytest.MonkeyPatch, given: str | int | None, limit: int
) -> None:
    monkeypatch.setattr(lambda_svc, "_sqs_esm_concurrency", lambda_svc._sqs_esm_concurrency)
    behaviour.take_numbers()
    mapping = {"ScalingConfig": {"MaximumConcurrency": given} if given else None}
    assert lambda_svc._sqs_esm_concurrency(mapping, {}, {}) == limit


def test_requests_count_as_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_evaluator, "pin_request_origin", iam_evaluator.pin_request_origin)
    behaviour.count_as_tls()
    token = iam_evaluator._request_origin.set(("", False))
    iam_evaluator.pin_request_origin("127.0.0.1", False)
    assert iam_evaluator._request_origin.get() == ("127.0.0.1", True)
    iam_evaluator._request_origin.reset(token)


def test_functions_of_one_role_are_one_identity(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def by_function(config: dict[str, Any]) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": f"{config['FunctionArn']} {config['Role']}"}

    monkeypatch.setattr(lambda_runtime, "execution_credentials", by_function)
    principals = tmp_path / "principals.json"
    behaviour.share_role_credentials(principals)
    keys = [
        lambda_runtime.execution_credentials(
            {
                "FunctionArn": f"arn:aws:lambda:us-west-2:000000000000:function:{name}",
                "Role": f"arn:aws:iam::000000000000:role/{role}",
            }
        )["AWS_ACCESS_KEY_ID"]
        for name, role in (("stage", "loader"), ("publish", "loader"), ("trigger", "other"))
    ]
    assert keys[0] == keys[1] != keys[2]
    assert json.loads(principals.read_text()) == {keys[0]: "IAMR:loader", keys[2]: "IAMR:other"}


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lambda_runtime, "_PYTHON_WORKER_SCRIPT", lambda_runtime._PYTHON_WORKER_SCRIPT
    )
    monkeypatch.setattr(lambda_svc, "_execute_function_warm", lambda_svc._execute_function_warm)
    behaviour.name_errors()


def invoke(handler: str, event: dict[str, Any], module: str = HANDLER) -> dict[str, Any]:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), module)  # the same bytes at any time
    config = {
        "FunctionName": handler,
        "FunctionArn": f"arn:aws:lambda:us-west-2:000000000000:function:{handler}",
        "Handler": f"index.{handler}",
        "Runtime": "python3.13",
        "Timeout": 10,
    }
    answer: dict[str, Any] = lambda_svc._execute_function_warm(
        {"config": config, "code_zip": code.getvalue()}, event, "request"
    )
    lambda_runtime.reset()
    return answer


@pytest.mark.usefixtures("named")
def test_an_exception_arrives_under_its_class_name() -> None:
    answer = invoke("fail", {"why": "it is late"})
    assert answer["error"]
    assert answer["body"] == {"errorType": "Refused", "errorMessage": "no: it is late"}


@pytest.mark.usefixtures("named")
def test_an_answer_is_left_alone() -> None:
    assert invoke("work", {"a": 1})["body"] == {"got": {"a": 1}}


@pytest.mark.usefixtures("named")
def test_a_function_whose_process_dies_has_exited() -> None:
    answer = invoke("die", {})
    assert answer["error"]
    assert answer["body"]["errorType"] == "Runtime.ExitError"


@pytest.mark.usefixtures("named")
def test_so_has_one_whose_process_dies_while_it_starts() -> None:
    """Recorded on AWS: localstack/localstack, tests/aws/services/lambda_/test_lambda.py, test_lambda_runtime_exit."""
    answer = invoke("work", {}, "import os\nos._exit(9)\n")
    assert answer["error"]
    assert answer["body"]["errorType"] == "Runtime.ExitError"


def test_code_is_unpacked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It runs, twice from one copy, and outlives the process that ran it."""
    monkeypatch.setattr(lambda_runtime, "zipfile", lambda_runtime.zipfile)
    (tmp_path / "unpacked").mkdir()
    behaviour.unpack_once(tmp_path / "unpacked")
    for number in (1, 2):
        assert invoke("work", {"a": number})["body"] == {"got": {"a": number}}
        (copy,) = (tmp_path / "unpacked").iterdir()
        assert (copy / "index.py").read_text() == HANDLER


MACHINE = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "StartAt": "First",
                "States": {
                    "First": {
                        "Type": "Task",
                        "Resource": "first",
                        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 0}],
                        "Next": "Second",
                    },
                    "Second": {"Type": "Task", "Resource": "second", "End": True},
                },
            },
            "End": True,
        }
    },
}


@pytest.mark.parametrize("well", [True, False])
def test_a_stopped_execution_enters_no_state_and_retries_nothing(
    monkeypatch: pytest.MonkeyPatch, well: bool
) -> None:
    """Stopped while its first task runs, which then ends well, or fails."""
    invoked: list[str] = []
    running, stopped = threading.Event(), threading.Event()

    def invoke(resource: str, given: Any) -> Any:
        invoked.append(resource)
        running.set()
        assert stopped.wait(10)
        if not well:
            raise stepfunctions._ExecutionError("Bad", "made to fail")
        return given

    for name in ("_execute_task", "_invoke_resource_with_timeout", "_fail_execution"):
        monkeypatch.setattr(stepfunctions, name, getattr(stepfunctions, name))
    monkeypatch.setattr(stepfunctions, "_invoke_resource", invoke)
    behaviour.stop_at_once()
    arn = "arn:aws:states:us-west-2:000000000000:execution:machine:one"
    execution = {
        "executionArn": arn,
        "stateMachineArn": arn.rpartition(":")[0].replace(":execution:", ":stateMachine:"),
        "name": "one",
        "input": "[1]",
        "startDate": "2026-01-01T00:00:00Z",
        "status": "RUNNING",
        "events": [],
    }
    machine = {"name": "machine", "definition": json.dumps(MACHINE)}
    monkeypatch.setitem(stepfunctions._executions, arn, execution)
    monkeypatch.setitem(stepfunctions._state_machines, execution["stateMachineArn"], machine)
    runs = threading.Thread(target=stepfunctions._run_execution, args=(arn,))
    runs.start()
    assert running.wait(10)
    stepfunctions._stop_execution({"executionArn": arn})
    stopped.set()
    runs.join(10)
    assert not runs.is_alive()
    assert (invoked, execution["status"]) == (["first"], "ABORTED")


# ---------------------------------------------------------------- what a function says of its batch
@pytest.mark.parametrize(
    ("body", "malformed"),
    [
        (None, False),
        ({}, False),
        ({"batchItemFailures": None}, False),
        ({"batchItemFailures": []}, False),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, False),
        ('{"batchItemFailures": [{"itemIdentifier": "1"}]}', False),
        ({"batchItemFailures": [{"foo": "1"}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": "7"}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": "1"}, {"foo": 2}]}, True),
        ({"batchItemFailures": ["1"]}, True),
        ({"batchItemFailures": "1"}, True),
        ("no JSON", True),
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(
    monkeypatch: pytest.MonkeyPatch, body: Any, malformed: bool
) -> None:
    """docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html, "Success and failure conditions"."""
    deleted: list[str] = []
    monkeypatch.setattr(lambda_svc, "_run_sqs_batch", lambda_svc._run_sqs_batch)
    monkeypatch.setattr(lambda_svc, "_execute_function", lambda *given: {"body": body})
    monkeypatch.setattr(
        sqs, "_delete_messages_for_esm", lambda url, handles: deleted.extend(handles)
    )
    queues.fail_batches_that_are_misnamed()
    mapping = {
        "UUID": "u",
        "FunctionName": "f",
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    batch = [{"id": str(n), "receipt_handle": f"h{n}"} for n in range(3)]
    lambda_svc._run_sqs_batch(mapping, {}, {"Records": []}, batch, "url", "q")
    if malformed:
        assert deleted == []
        assert mapping["LastProcessingResult"] == "FAILED"
    else:
        named = "1" in json.dumps(body)
        assert sorted(deleted) == (["h0", "h2"] if named else ["h0", "h1", "h2"])


# ---------------------------------------------------------------- results of tasks
@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The result that the next task has, under ``now``."""
    given: dict[str, Any] = {}
    for name in [
        *("_apply_jsonata_arguments", "_apply_jsonata_output", "_apply_state_assign"),
        *(f"_execute_{kind}" for kind in ("pass", "choice", "wait", "task", "map", "parallel")),
        *("_error_matches", "_invoke_resource_with_timeout"),
    ]:
        monkeypatch.setattr(stepfunctions, name, getattr(stepfunctions, name))
    monkeypatch.setattr(stepfunctions, "_invoke_resource", lambda resource, argument: given["now"])
    executions.limit_payloads()
    executions.let_nothing_take_runtime_errors()
    executions.time_out_tasks_without_cause()
    return given


def ended(definition: dict[str, Any]) -> dict[str, Any]:
    """An execution of this machine, at its end."""
    arn = "arn:aws:states:us-west-2:000000000000:execution:machine:results"
    machine_arn = "arn:aws:states:us-west-2:000000000000:stateMachine:machine"
    execution = {
        "executionArn": arn,
        "stateMachineArn": machine_arn,
        "name": "results",
        "input": "{}",
        "startDate": "2026-01-01T00:00:00Z",
        "status": "RUNNING",
        "events": [],
    }
    machine = {"name": "machine", "definition": json.dumps(definition)}
    stepfunctions._executions[arn] = execution
    stepfunctions._state_machines[machine_arn] = machine
    try:
        stepfunctions._run_execution(arn)
    finally:
        del stepfunctions._executions[arn], stepfunctions._state_machines[machine_arn]
    return execution


def asking(**more: Any) -> dict[str, Any]:
    catch = {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Z"}
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Catch": [catch],
        "End": True,
    }
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Ask",
        "States": {"Ask": {**ask, **more}, "Z": {"Type": "Pass", "End": True}},
    }


def test_a_result_that_is_too_large_is_caught(results: dict[str, Any]) -> None:
    results["now"] = "x" * (executions.MAX_PAYLOAD - 2)
    assert json.loads(ended(asking())["output"]) == results["now"]
    results["now"] = "ä" * (executions.MAX_PAYLOAD // 2)  # bytes, not letters
    assert json.loads(ended(asking())["output"]) == {
        "Error": "States.DataLimitExceeded",
        "Cause": "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes "
        "service limit.",
    }


def test_a_task_that_times_out_has_no_cause(
    results: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepfunctions, "_invoke_resource", lambda *given: time.sleep(1))
    answer = ended(asking(TimeoutSeconds=0.1))
    assert json.loads(answer["output"]) == {"Error": "States.Timeout", "Cause": ""}


# ---------------------------------------------------------------- concurrency
class Process:
    """Stands for a process of a function."""

    def __init__(self, *given: Any) -> None:
        self.killed = self.in_use = False
        self.last_used = 0.0


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """All processes of functions that were made; two may be there at a time."""
    made: list[Process] = []

    def make(*given: Any) -> Process:
        made.append(Process())
        return made[-1]

    def kill(workers: list[Process]) -> None:
        for worker in workers:
            worker.killed = True

    monkeypatch.setattr(lambda_runtime, "_workers", {})
    monkeypatch.setattr(lambda_runtime, "_worker_class_for", lambda config: make)
    monkeypatch.setattr(lambda_runtime, "kill_workers", kill)
    monkeypatch.setattr(lambda_svc, "_ACCOUNT_CONCURRENCY_CAP", 2)
    monkeypatch.setattr(lambda_svc, "acquire_worker", lambda_svc.acquire_worker)
    concurrency.bound_processes()
    return made


def take(function: str) -> Process:
    config = {"FunctionArn": f"arn:aws:lambda:us-west-2:000000000000:function:{function}"}
    worker: Process = lambda_svc.acquire_worker(function, config, b"")[0]
    return worker


def test_a_new_process_takes_the_place_of_the_longest_idle(processes: list[Process]) -> None:
    oldest, older = take("plan"), take("stage")
    for worker, used in ((oldest, 1.0), (older, 2.0)):
        lambda_runtime.release_worker(worker)
        worker.last_used = used
    assert take("stage") is older  # a warm one is used again
    take("publish")
    assert [worker.killed for worker in processes] == [True, False, False]
    take("finish")  # both others are in use: none of them is killed
    assert [worker.killed for worker in processes] == [True, False, False, False]


def throttled(*given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = lambda_svc._throttle_response("ConcurrentInvocation…", "Rate Exceeded")
    return answer


def test_a_task_that_is_throttled_fails_with_aws_s_error_and_is_retried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        lambda_svc, "_get_func_record_for_ref", lambda ref: ({"f": 1}, {"f": 1}, "f")
    )
    monkeypatch.setattr(lambda_svc, "_execution_record_for_config", lambda *given: {})
    monkeypatch.setattr(lambda_svc, "_execute_function_with_config_scope", throttled)
    monkeypatch.setattr(stepfunctions, "_call_lambda", stepfunctions._call_lambda)
    concurrency.name_throttling()
    with pytest.raises(stepfunctions._ExecutionError) as raised:
        stepfunctions._call_lambda("f", {})
    assert raised.value.error == "Lambda.TooManyRequestsException"
    text = (ROOT / "statemachine" / "load.asl.json").read_text(encoding="utf-8")
    machine = json.loads(text)
    states = {
        **machine["States"],
        **machine["States"]["Load each batch"]["ItemProcessor"]["States"],
    }
    called = [s for s in states.values() if s.get("Resource", "").endswith("lambda:invoke")]
    assert len(called) == text.count("lambda:invoke") > 0
    for state in called:
        retrier, _ = stepfunctions._find_matching_retrier(state["Retry"], raised.value.error, {})
        assert retrier["MaxAttempts"] == 6


def test_other_errors_of_a_task_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any) -> Any:
        raise stepfunctions._ExecutionError("Lambda.Unknown", '["no object"]')

    monkeypatch.setattr(stepfunctions, "_call_lambda", fail)
    concurrency.name_throttling()
    with pytest.raises(stepfunctions._ExecutionError, match=r"Lambda\.Unknown"):
        stepfunctions._call_lambda("f", {})


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("visibility", "invocations"), [(60, 3), (2, 2)])
def test_a_throttled_batch_is_tried_again_until_its_messages_are_visible(
    monkeypatch: pytest.MonkeyPatch, visibility: int, invocations: int
) -> None:
    """Its messages are not received once more for it, which would take them to the dead-letter queue."""
    clock = Clock()
    monkeypatch.setattr(concurrency, "time", clock)
    queue = {"attributes": {"VisibilityTimeout": str(visibility)}}
    monkeypatch.setattr(sqs, "_queue_by_arn", lambda arn: queue)
    answers = [throttled(), throttled(), {"body": {}}]
    concurrency.until_there_is_room(lambda: answers.pop(0), "arn:aws:sqs:us-west-2:0:q")
    assert 3 - len(answers) == invocations
