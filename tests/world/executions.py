"""Step Functions: executions of the state machine's own definition, and the operations that the functions call.

Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html and its neighbours
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local.states.interpreter import Ended, Interpreter, Stopped, Task
from tests.world.boundary import Caller, Refused
from tests.world.clock import Clock
from tests.world.template import Stack

CallTask = Callable[["Execution", Task], Any]


@dataclass
class Execution:
    """An execution; RUNNING until ``run`` has taken it to its end. ``entered``: its states in order."""

    arn: str
    name: str
    input: Any
    started: str
    status: str = "RUNNING"
    output: Any = None
    error: str = ""
    cause: str = ""
    begun: bool = False
    entered: list[str] = field(default_factory=list)
    interpreter: Interpreter | None = None
    stopped: bool = False

    @property
    def report(self) -> dict[str, Any]:
        """The report of an execution that has ended: its output, or the cause of its failure."""
        text = self.output if self.status == "SUCCEEDED" else json.loads(self.cause)
        if not isinstance(text, dict):
            raise TypeError(f"{self.name} ended {self.status} without a report: {text!r}")
        return text


class Executions:
    """All executions, oldest first.

    ``at_state`` is told each state that an execution enters; it may raise Stopped (a person stops it there), or run
    other executions meanwhile.
    """

    def __init__(self, stack: Stack, clock: Clock, call: CallTask) -> None:
        self._stack = stack
        self._clock = clock
        self._call = call
        self._lock = threading.Lock()
        self.all: list[Execution] = []
        self.entered: list[str] = []  # the states of all executions, as time goes
        self.at_state: Callable[[Execution, str], None] = lambda _execution, _state: None

    def start(self, name: str, document: Any) -> Execution:
        """StartExecution: a name that is running with the same input gives that execution; any other known one is
        refused with ExecutionAlreadyExists.
        """
        with self._lock:
            for known in self.all:
                if known.name == name:
                    if known.status == "RUNNING" and known.input == document:
                        return known
                    raise Refused(
                        "ExecutionAlreadyExists", f"Execution Already Exists: '{known.arn}'"
                    )
            arn = self._stack.state_machine.replace(":stateMachine:", ":execution:") + f":{name}"
            execution = Execution(arn, name, document, self._clock.iso())
            self.all.append(execution)
        return execution

    def waiting(self) -> list[Execution]:
        """Those that are started and not yet run."""
        return [execution for execution in self.all if not execution.begun]

    def run(self, execution: Execution, *, parallel: bool = False) -> Execution:
        """Takes an execution to its end."""
        execution.begun = True
        interpreter = execution.interpreter = Interpreter(
            self._stack.definition,
            lambda task: self._call(execution, task),
            wait=self._clock.advance,
            enter=lambda state: self.enter(execution, state),
            clock=self._clock.time,
            parallel=parallel,
        )
        self._ended(
            execution,
            interpreter.run(
                execution.input,
                execution=execution.arn,
                state_machine=self._stack.state_machine,
                started=execution.started,
            ),
        )
        return execution

    def redrive(self, execution: Execution) -> Execution:
        """RedriveExecution, to its end."""
        if execution.interpreter is None:
            raise ValueError(f"{execution.name} has not run")
        execution.status, execution.stopped = "RUNNING", False
        self._ended(execution, execution.interpreter.redrive())
        return execution

    def enter(self, execution: Execution, state: str) -> None:
        """A state is entered; raises Stopped."""
        execution.entered.append(state)
        self.entered.append(state)
        if execution.stopped:
            raise Stopped
        self.at_state(execution, state)

    def _ended(self, execution: Execution, ended: Ended) -> None:
        execution.status, execution.output = ended.status, ended.output
        execution.error, execution.cause = ended.error, ended.cause

    # -- what the functions call -------------------------------------------------------------

    def operation(self, name: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """An operation of the API by its name; KeyError for one that is not known here."""
        operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "StartExecution": self._start,
            "DescribeExecution": self._describe,
            "ListExecutions": self._list,
            "StopExecution": self._stop,
        }
        return operations[name](request)

    def _start(self, request: dict[str, Any]) -> dict[str, Any]:
        self._of_machine(request)
        name = request.get("name") or str(self._clock.uuid())
        execution = self.start(name, json.loads(request.get("input", "{}")))
        return {"executionArn": execution.arn, "startDate": self._clock.time()}

    def _describe(self, request: dict[str, Any]) -> dict[str, Any]:
        execution = self._by_arn(request["executionArn"])
        described = {
            "executionArn": execution.arn,
            "stateMachineArn": self._stack.state_machine,
            "name": execution.name,
            "status": execution.status,
            "startDate": self._clock.time(),
            "input": json.dumps(execution.input),
        }
        if execution.status == "SUCCEEDED":
            described["output"] = json.dumps(execution.output)
        return described

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        self._of_machine(request)
        wanted = request.get("statusFilter")
        found = [e for e in reversed(self.all) if wanted in (None, e.status)]
        return {
            "executions": [
                {
                    "executionArn": e.arn,
                    "stateMachineArn": self._stack.state_machine,
                    "name": e.name,
                    "status": e.status,
                    "startDate": self._clock.time(),
                }
                for e in found[: request.get("maxResults") or 100]
            ]
        }

    def _stop(self, request: dict[str, Any]) -> dict[str, Any]:
        self._by_arn(request["executionArn"]).stopped = True
        return {"stopDate": self._clock.time()}

    def _of_machine(self, request: dict[str, Any]) -> None:
        if request["stateMachineArn"] != self._stack.state_machine:
            raise Refused("StateMachineDoesNotExist", "State Machine Does Not Exist")

    def _by_arn(self, arn: str) -> Execution:
        for execution in self.all:
            if execution.arn == arn:
                return execution
        raise Refused("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
