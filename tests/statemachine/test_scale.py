"""A backfill of a million files by Step Functions' own counting: no payload over half of 256 KiB, no history over half
of 25,000 events, whatever the stack's parameters allow.

The figures are those of real runs of the functions (scene.py), of the definition and of template.yaml.
"""

import json
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from loader.request import parse
from loader.splitting import MAX_PARTS

from local.states.interpreter import MAX_EVENTS, MAX_PAYLOAD, Event, Interpreter, Task
from tests.statemachine.play import START_REST
from tests.statemachine.test_endings import run, sleeping
from tests.world.executions import Execution
from tests.world.product import (
    DEFINITION,
    EXECUTION,
    FUNCTIONS,
    PARAMETERS,
    STARTED,
    STATE_MACHINE,
    lambda_result,
)
from tests.world.scene import Answer, Reply, Submitted, history_of, scene, well

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")

MILLION = 1_000_000
HALF_HISTORY, HALF_PAYLOAD = MAX_EVENTS // 2, MAX_PAYLOAD // 2
MOST_BATCHES = int(PARAMETERS["MaxBatches"]["MaxValue"])
LANES = int(DEFINITION["States"]["Load each batch"]["MaxConcurrency"])
LONGEST = int(DEFINITION["TimeoutSeconds"])  # of an execution
AROUND = len(
    json.dumps(lambda_result(None))
)  # bytes that Step Functions adds to a function's answer
CLEF = "\N{MUSICAL SYMBOL G CLEF}"  # four bytes, the most that a character takes


def keys(files: int) -> list[str]:
    return [f"log_data/2018/11/{number:05}.json" for number in range(files)]


def executed(folder: Path, answer: Answer, files: int, **parameters: int) -> Execution:
    with scene(folder, answer, keys(files), **parameters) as world:
        return run(world)


def events(folder: Path, answer: Answer, files: int, **parameters: int) -> int:
    return len(history_of(executed(folder, answer, files, **parameters)))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int]:
    """Events of an execution without its batches, and of each batch in which all goes well."""
    folder = tmp_path_factory.mktemp("plain")
    one, three = (events(folder / str(n), well, n, BatchFiles=1) for n in (1, 3))
    return one - (three - one) // 2, (three - one) // 2


# ---------------------------------------------------------------- history
def test_a_full_execution_has_a_short_history(plain: tuple[int, int]) -> None:
    around, batch = plain
    assert around + MOST_BATCHES * batch < HALF_HISTORY / 10


def test_a_day_of_waiting_stays_under_half_of_the_history(
    tmp_path: Path, plain: tuple[int, int]
) -> None:
    """As many batches at a time as there may be, each waiting for the longest time that an execution has."""
    around, batch = plain
    short, long = 2000, 12_000
    patient = {"StatementTimeoutSeconds": int(PARAMETERS["StatementTimeoutSeconds"]["MaxValue"])}
    more = events(tmp_path / "long", sleeping("stage", long), 1, **patient)
    less = events(tmp_path / "short", sleeping("stage", short), 1, **patient)
    waiting = LANES * LONGEST * (more - less) / (long - short)
    assert around + MOST_BATCHES * batch + waiting < HALF_HISTORY


def half_bad(submitted: Submitted) -> Reply:
    """Every other file is bad, and nobody says which: the batch is halved to its last file."""
    if submitted.what == "stage" and any(int(f["url"][-6]) % 2 for f in submitted.files):
        return Reply("FAILED", "ERROR: something is wrong", submitted.number_of("COPY"))
    return well(submitted)


def test_looking_for_bad_files_that_nobody_names_stays_under_half_of_the_history(
    tmp_path: Path, plain: tuple[int, int]
) -> None:
    around, batch = plain
    eight, four = (events(tmp_path / str(n), half_bad, n, BatchFiles=n) for n in (8, 4))
    part = (eight - four) / (2 * 4)  # to halve n files to the last makes 2n - 2 parts
    most = MAX_PARTS + 2 * LANES  # those that look at the same time do not see each other's
    assert around + MOST_BATCHES * batch + most * part < HALF_HISTORY


# ---------------------------------------------------------------- payload
def sizes(history: Iterable[Event]) -> dict[tuple[str, str, str], int]:
    """Bytes of every payload: (state, event, what) -> the largest."""
    found: dict[tuple[str, str, str], int] = {}
    for event in history:
        for what in ("input", "output", "parameters", "assigned"):
            if what in event.details:
                value = event.details[what]
                text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
                size = len(text.encode()) + (AROUND if event.type == "TaskSucceeded" else 0)
                place = (event.state, event.type, what)
                found[place] = max(found.get(place, 0), size)
    return found


def too_large(execution: Execution) -> dict[tuple[str, str, str], int]:
    found = sizes(history_of(execution))
    assert len(found) > 20
    return {place: size for place, size in found.items() if size >= HALF_PAYLOAD}


def test_payloads_of_a_full_execution(tmp_path: Path) -> None:
    ended = executed(tmp_path / "w", well, MOST_BATCHES, BatchFiles=1, MaxBatches=MOST_BATCHES)
    assert ended.status == "SUCCEEDED"
    assert too_large(ended) == {}


@pytest.mark.parametrize("error", [CLEF * 5000, '"\\\n' * 2000])
def test_payloads_if_every_batch_fails_with_a_long_error(tmp_path: Path, error: str) -> None:
    def answer(submitted: Submitted) -> Reply:
        return Reply("FAILED", error, 1) if submitted.what == "stage" else well(submitted)

    ended = executed(tmp_path / "w", answer, MOST_BATCHES, BatchFiles=1, MaxBatches=MOST_BATCHES)
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")
    assert too_large(ended) == {}
    assert len(ended.cause.encode()) <= 32_768


def test_payloads_if_many_files_are_bad_for_long_reasons(tmp_path: Path) -> None:
    """Redshift names them: error_message is char(512), in bytes as all of Redshift's lengths are."""

    def answer(submitted: Submitted) -> Reply:
        bad = [f for f in submitted.files if int(f["url"][-6]) % 2]
        if submitted.what == "stage" and bad:
            return Reply("FAILED", "ERROR: " + CLEF * 5000, submitted.number_of("COPY"))
        if submitted.what == "find":
            rows = [(f["url"], 1, "x" * 127, 1204, CLEF * 128, 9) for f in bad]
            return Reply(rows={2: rows})
        return well(submitted)

    ended = executed(tmp_path / "w", answer, 60, BatchFiles=30)
    assert ended.status == "SUCCEEDED"
    assert ended.output["rejected_total"] == 30
    assert too_large(ended) == {}


def test_payloads_while_a_batch_is_halved(tmp_path: Path) -> None:
    def answer(submitted: Submitted) -> Reply:
        reply = half_bad(submitted)
        reply.error = reply.error and "ERROR: " + CLEF * 5000
        return reply

    assert too_large(executed(tmp_path / "w", answer, 8, BatchFiles=8)) == {}


# ---------------------------------------------------------------- a million
def shape(value: Any) -> Any:
    """The names and types of a document."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def planned(execution: Execution) -> dict[str, Any]:
    """What the plan of an execution said in the end."""
    last = next(e for e in history_of(execution) if e.type == "TaskSucceeded")
    assert last.state == "Plan"
    answer: dict[str, Any] = last.details["output"]["Payload"]
    return answer


def test_the_plan_of_many_files_is_as_short_as_of_few(tmp_path: Path) -> None:
    few, many = (
        planned(executed(tmp_path / str(n), well, n, BatchFiles=1, MaxBatches=2)) for n in (3, 300)
    )
    assert few["rest"]
    assert (many["listed"], many["planned"], many["known"]) == (300, 2, 0)
    assert shape(few) == shape(many)


def test_the_executions_of_a_backfill_look_at_each_file_twice(tmp_path: Path) -> None:
    """The first at all, each of the others at its own."""
    with scene(tmp_path / "w", well, keys(9), BatchFiles=1, MaxBatches=2) as world:
        run(world)
        world.work()
        reports = [execution.report["files"] for execution in world.executions.all]
    figures = [(files["listed"], files["loaded"], files["failed"]) for files in reports]
    assert figures == [(9, 2, 0), (2, 2, 0), (2, 2, 0), (2, 2, 0), (1, 1, 0)]


class Million:
    """A backfill as the functions do it: their answers in a real run, with the figures of this one.

    The first looks at all files, each that follows at its list; each loads as many batches as one may.
    """

    def __init__(self, answers: dict[str, Any], files: int, batch_files: int, batches: int) -> None:
        self.answers = answers
        self.left = files
        self.size = batch_files
        self.most = batches
        self.inputs: list[Any] = [{}]
        self.loaded = 0
        self.history: list[int] = []
        self.payload = 0

    def run(self) -> None:
        while self.inputs:
            document = self.inputs.pop(0)
            self.request = parse(document)
            ended = Interpreter(DEFINITION, self._call, substitutions=FUNCTIONS).run(
                document, execution=EXECUTION, state_machine=STATE_MACHINE, started=STARTED
            )
            assert ended.status == "SUCCEEDED", ended.cause
            self.history.append(len(ended.history))
            self.payload = max(self.payload, *sizes(ended.history).values())

    def _call(self, task: Task) -> Any:
        if task.state == START_REST:
            self.inputs.append(task.arguments["Input"])
            return {"ExecutionArn": EXECUTION, "StartDate": STARTED}
        answer = json.loads(json.dumps(self.answers[task.state]))
        if task.state == "Plan":
            self._plan(answer)
        if task.state == "Publish":
            self.loaded += min(self.size, self.here)
            self.here -= min(self.size, self.here)
        return lambda_result(answer)

    def _plan(self, answer: dict[str, Any]) -> None:
        self.here = min(self.left, self.size * self.most)
        listed = self.here if self.request.objects else self.left
        self.left -= self.here
        count = ceil(self.here / self.size)
        figures: dict[str, Any] = {
            "listed": listed,
            "planned": self.here,
            "known": 0,
            "bytes": self.here * 10**9,
            "datasets": dict.fromkeys(answer["datasets"], self.here),
            "batch_count": count,
            "objects": self.request.objects,
            "rest": f"s3://{'w' * 63}/rest/{answer['load_id']}/{len(self.history)}.json.gz"
            if self.left
            else "",
            "mark": self.request.mark,
        }
        assert shape(figures) == shape({name: answer[name] for name in figures})
        assert answer["batches"] == [str(number) for number in range(answer["batch_count"])]
        answer |= {**figures, "batches": [str(number) for number in range(count)]}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each function answered last in a real load with a rest."""
    ended = executed(tmp_path_factory.mktemp("real") / "w", well, 5, BatchFiles=2, MaxBatches=2)
    return {
        e.state: e.details["output"]["Payload"]
        for e in history_of(ended)
        if e.type == "TaskSucceeded" and "Payload" in e.details["output"]
    }


@pytest.mark.parametrize(
    ("files", "batches"),
    [
        (int(PARAMETERS["BatchFiles"]["Default"]), int(PARAMETERS["MaxBatches"]["Default"])),
        (int(PARAMETERS["BatchFiles"]["MaxValue"]), MOST_BATCHES),
    ],
)
def test_a_million_files(answers: dict[str, Any], files: int, batches: int) -> None:
    backfill = Million(answers, MILLION, files, batches)
    backfill.run()
    assert backfill.loaded == MILLION
    assert len(backfill.history) == ceil(MILLION / (files * batches))
    assert max(backfill.history) < HALF_HISTORY
    assert backfill.payload < HALF_PAYLOAD
