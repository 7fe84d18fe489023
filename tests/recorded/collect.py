"""A pytest plugin: runs LocalStack's Step Functions tests against nothing, and writes down what each would have run.

It is loaded by tests/recorded/checkout.py in a process of its own, whose folder is the checkout, and imports nothing of
this project: ``tests`` is LocalStack's there. Every module of LocalStack but its tests is a stand-in. A test makes its
state machine and starts its executions here, and hands their histories to its snapshot: so the definition, the input
and the place in the snapshot come together. What a test asks of AWS beyond that ends it, and what it has started until
then counts.
"""

import importlib.abc
import importlib.machinery
import json
import os
import re
import sys
import types
from typing import Any

import pytest

ACCOUNT = "111111111111"
REGION = "us-east-1"
SCENARIOS: dict[str, dict[str, Any]] = {}


# ---------------------------------------------------------------- LocalStack's modules
class Anything:
    """Stands in for what is imported: a decorator, a class, a value."""

    def __init__(self, name: str = "anything") -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(f"{self._name}.{name}")

    def __call__(self, *given: Any, **named: Any) -> Any:
        if len(given) == 1 and not named and isinstance(given[0], type | types.FunctionType):
            return given[0]  # as a decorator it changes nothing
        return Anything(f"{self._name}()")

    def __mro_entries__(self, bases: Any) -> tuple[type, ...]:
        return ()

    def __str__(self) -> str:
        return self._name.rpartition(".")[2]

    def __format__(self, how: str) -> str:
        return str(self)

    def __iter__(self) -> Any:
        return iter(())

    def __contains__(self, _: Any) -> bool:
        return False

    def __bool__(self) -> bool:
        return True

    def __or__(self, _: Any) -> Any:
        return self

    __ror__ = __or__


class StandIn(types.ModuleType):
    """A module that has whatever is imported from it."""

    __path__ = ()  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything(f"{self.__name__}.{name}")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for LocalStack's modules, and for those of the tests' that only it has."""

    names = ("localstack", "localstack_snapshot", "rolo", "aws_cdk", "json5", "tests.aws.test_")

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        top = name.partition(".")[0]
        if top in self.names or name.startswith(self.names[-1]):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> Any:
        return StandIn(spec.name)

    def exec_module(self, module: Any) -> None:
        vars(module).update(REAL.get(module.__name__, {}))


COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.S)


def load_json5(file: Any) -> Any:
    """JSON with comments and commas before brackets, which is all of JSON5 that the templates use."""
    text = COMMENT.sub(lambda found: found[1] or "", file.read())
    return json.loads(TRAILING.sub(lambda found: found[1] or "", text))


class Replacing:
    """A RegexTransformer: what LocalStack replaces in what it records."""

    def __init__(self, regex: str, replacement: str) -> None:
        self.pair = (str(regex), replacement)


def uid(*_: Any) -> str:
    uid.number += 1  # type: ignore[attr-defined]
    return f"{uid.number:08x}"  # type: ignore[attr-defined]


uid.number = 0  # type: ignore[attr-defined]


def with_role(
    client: Any, role: Any, create: Any, snapshot: Any, definition: str, *_: Any, **more: Any
) -> str:
    arn: str = create(client, name=f"machine_{uid()}", definition=definition, **more)[
        "stateMachineArn"
    ]
    return arn


def launch(client: Any, snapshot: Any, arn: str, document: str, describe: bool = False) -> str:
    started = client.stepfunctions.start_execution(stateMachineArn=arn, input=document)
    if describe:
        snapshot.match("describe_execution", {"of": started["executionArn"]})
    snapshot.match("get_execution_history", {"of": started["executionArn"]})
    execution: str = started["executionArn"]
    return execution


def create_and_record(
    target_aws_client: Any,
    create_state_machine_iam_role: Any,
    create_state_machine: Any,
    sfn_snapshot: Any,
    definition: str,
    execution_input: str,
    verify_execution_description: bool = False,
) -> str:
    arn = with_role(target_aws_client, None, create_state_machine, sfn_snapshot, definition)
    return launch(
        target_aws_client, sfn_snapshot, arn, execution_input, verify_execution_description
    )


REAL: dict[str, dict[str, Any]] = {
    "json5": {"load": load_json5},
    "localstack_snapshot.snapshots.transformer": {"RegexTransformer": Replacing},
    "localstack.utils.strings": {"short_uid": uid, "long_uid": uid},
    "localstack.testing.aws.util": {"is_aws_cloud": lambda: True},
    "localstack.testing.pytest.stepfunctions.utils": {
        "create_and_record_execution": create_and_record,
        "launch_and_record_execution": launch,
        "create_state_machine_with_iam_role": with_role,
    },
}
sys.meta_path.insert(0, Finder())


# ---------------------------------------------------------------- what a test is given
class Machines:
    """The state machines and executions of one test."""

    def __init__(self) -> None:
        self.definitions: dict[str, str] = {}
        self.executions: dict[str, dict[str, str]] = {}
        self.replaced: list[tuple[str, str]] = []
        self.matched: dict[str, str] = {}

    def create(self, *_: Any, **given: Any) -> dict[str, str]:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{given['name']}"
        if str(given.get("type", "STANDARD")) != "STANDARD":
            pytest.skip("an express workflow")
        self.definitions[arn] = str(given["definition"])
        return {"stateMachineArn": arn}

    def start(self, **given: Any) -> dict[str, str]:
        arn = given["stateMachineArn"]
        name = given.get("name") or uid()
        execution = f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
        self.executions[execution] = {
            "definition": self.definitions[arn],
            "input": given.get("input", "{}"),
        }
        return {"executionArn": execution}

    def match(self, key: str, value: Any, *_: Any) -> None:
        if isinstance(value, dict) and value.get("of") in self.executions:
            self.matched.setdefault(value["of"], key)


class States(Anything):
    """The client of Step Functions."""

    def __init__(self, machines: Machines) -> None:
        super().__init__("stepfunctions")
        self._machines = machines
        self.create_state_machine = machines.create
        self.start_execution = machines.start

    def get_execution_history(self, executionArn: str, **_: Any) -> dict[str, str]:
        return {"of": executionArn}

    describe_execution = get_execution_history


class Snapshot(Anything):
    """The recorder of a test."""

    def __init__(self, machines: Machines) -> None:
        super().__init__("snapshot")
        self.match = machines.match
        self._replaced = machines.replaced

    def add_transformer(self, transformer: Any, *_: Any, **__: Any) -> None:
        if isinstance(transformer, Replacing):
            self._replaced.append(transformer.pair)


@pytest.fixture
def machines(request: pytest.FixtureRequest) -> Any:
    found = Machines()
    yield found
    for arn, key in found.matched.items():
        scenario = {**found.executions[arn], "replaced": found.replaced}
        SCENARIOS.setdefault(request.node.nodeid, {})[key] = scenario


@pytest.fixture
def aws_client(machines: Machines) -> Any:
    client = Anything("client")
    client.stepfunctions = States(machines)  # type: ignore[attr-defined]
    return client


@pytest.fixture
def aws_client_no_retry(aws_client: Any) -> Any:
    return aws_client


@pytest.fixture
def create_state_machine(machines: Machines) -> Any:
    return machines.create


@pytest.fixture
def sfn_snapshot(machines: Machines) -> Any:
    return Snapshot(machines)


@pytest.fixture
def create_state_machine_iam_role() -> Any:
    return lambda *given, **named: f"arn:aws:iam::{ACCOUNT}:role/sfn_role"


@pytest.fixture
def create_lambda_function() -> Any:
    def create(func_name: str, **_: Any) -> dict[str, Any]:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{func_name}"
        return {"CreateFunctionResponse": {"FunctionArn": arn, "FunctionName": func_name}}

    return create


def pytest_sessionfinish(session: pytest.Session) -> None:
    with open(os.environ["RECORDED_SCENARIOS"], "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(SCENARIOS, file)
