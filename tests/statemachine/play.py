"""The functions of the product, played: a test says what the calls of a state end with, all others end well."""

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.states.interpreter import Ended, Interpreter, Task, TaskFailed
from tests.world.product import (
    DEFINITION,
    EXECUTION,
    FUNCTIONS,
    STARTED,
    STATE_MACHINE,
    lambda_result,
)

States = Mapping[str, Any]
BATCHES: States = DEFINITION["States"]["Load each batch"]["ItemProcessor"]["States"]
STATES: States = {**DEFINITION["States"], **BATCHES}
TASKS = [name for name, state in STATES.items() if state["Type"] == "Task"]
START_REST = "Start the next execution"
REPORTS = ("Finish", "Finish failed load")
REST = "s3://working/rest/x.json.gz"
MARK = "2026-11-23T20:30:00+00:00"

# What each state's function may say, and the state that does something which follows: the Choices in between are
# passed over. The first is what it says if all goes well.
LEADS: dict[str, dict[str, str]] = {
    "Plan": {
        "load": "Load each batch",
        "nothing": "Finish",
        "planned": "Finish",
        "migrated": "Finish",
        "running": "Plan",
        "no tables": "Migrate",
        "check": "Preflight",
        "reset": "Reset",
        "undo": "Undo",
        "refused": "Finish failed load",
    },
    "Migrate": {"again": "Plan"},
    "Preflight": {"checked": "Finish", "failed": "Finish failed load"},
    "Reset": {"reset": "Finish", "refused": "Finish failed load"},
    "Undo": {
        "undone": "Finish",
        "planned": "Finish",
        "running": "Undo",
        "no tables": "Migrate",
        "refused": "Finish failed load",
        "failed": "Finish failed load",
    },
    "Stage": {
        "staged": "Publish",
        "running": "Stage",
        "again": "Stage",
        "next": "Stage",
        "published": "Batch loaded",
        "bad files": "Find bad files",
        "no tables": "Migrate for the batch",
        "failed": "Batch not loaded",
    },
    "Find bad files": {
        "again": "Stage",
        "next": "Stage",
        "running": "Find bad files",
        "failed": "Batch not loaded",
    },
    "Migrate for the batch": {"again": "Stage"},
    "Publish": {
        "published": "Batch loaded",
        "next": "Stage",
        "running": "Publish",
        "loaded meanwhile": "Leave out loaded",
        "no tables": "Migrate for the batch",
        "failed": "Batch not loaded",
    },
    "Leave out loaded": {"again": "Stage", "running": "Leave out loaded"},
}


def way_to(target: str) -> list[tuple[str, str]]:
    """States and what they say, so that the target is reached: the shortest way."""
    ways: deque[tuple[str, list[tuple[str, str]]]] = deque([("Plan", [])])
    seen = set()
    while ways:
        state, way = ways.popleft()
        if state == target:
            return way
        if state == "Load each batch":
            state = "Stage"
            if state == target:
                return way
        if state in seen:
            continue
        seen.add(state)
        for outcome, following in LEADS.get(state, {}).items():
            ways.append((following, [*way, (state, outcome)]))
    raise AssertionError(f"{target!r} cannot be reached by what functions say")


class Player:
    """The caller of tasks. ``script``: state -> what its calls end with, an outcome or a TaskFailed; of the batches it
    is the first's.
    """

    def __init__(
        self,
        script: Mapping[str, Sequence[str | TaskFailed]] | None = None,
        *,
        batches: int = 3,
        rest: str = "",
        wildcards_take_data_limit: bool = False,
    ) -> None:
        self.wildcards_take_data_limit = wildcards_take_data_limit
        self.script = {state: list(ends) for state, ends in (script or {}).items()}
        self.batches = batches
        self.rest = rest
        self.tasks: list[Task] = []
        self.waits: list[float] = []

    def run(self, document: Any = None) -> Ended:
        self.interpreter = Interpreter(
            DEFINITION,
            self,
            wait=self.waits.append,
            wildcards_take_data_limit=self.wildcards_take_data_limit,
            substitutions=FUNCTIONS,
        )
        return self.interpreter.run(
            document or {}, execution=EXECUTION, state_machine=STATE_MACHINE, started=STARTED
        )

    def of(self, state: str) -> list[Task]:
        return [task for task in self.tasks if task.state == state]

    def __call__(self, task: Task) -> Any:
        self.tasks.append(task)
        batch = task.arguments.get("Payload", {}).get("batch")
        script = self.script.get(task.state, [])
        mine = script and (batch is None or batch["batch"] == "0")
        said = script.pop(0) if mine else next(iter(LEADS.get(task.state, {"": ""})))
        if isinstance(said, TaskFailed):
            raise said
        return self.result(task, said)

    def result(self, task: Task, outcome: str) -> Any:
        """What the state's function answers with this outcome."""
        if task.state == START_REST:
            arn = EXECUTION.rsplit(":", 1)[0] + ":rest"
            return {"ExecutionArn": arn, "StartDate": "2026-11-23T20:31:00.000Z"}
        payload = task.arguments["Payload"]
        if task.state in REPORTS:
            report = {"load_id": "x", "status": task.state}
            return lambda_result({"report": report, "cause": json.dumps(report)})
        if "batch" in payload:
            return lambda_result({**payload["batch"], "outcome": outcome})
        load = {
            "load_id": "x",
            "execution": EXECUTION,
            "mode": "load",
            "mark": MARK,
            "named": False,
            "batch_count": self.batches,
            "batches": [str(number) for number in range(self.batches)],
            "rest": self.rest,
        }
        return lambda_result({**load, **payload["load"], "outcome": outcome})


def significant(ended: Ended) -> Iterator[str]:
    """The states that were entered, without the Choices."""
    return (name for name in ended.entered() if STATES[name]["Type"] != "Choice")
