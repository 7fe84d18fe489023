"""Whatever Redshift says, and however long it says it: a load ends with its report, and long before its history is
full.
"""

import json
import re
from pathlib import Path

import pytest
from loader.steps import LONGEST_PAUSE, PATIENCE

from local.states import interpreter
from tests.statemachine.outcomes import FUNCTIONS
from tests.statemachine.play import LEADS, STATES
from tests.world.executions import Execution
from tests.world.product import PARAMETERS, TIMEOUTS
from tests.world.scene import Answer, Reply, Submitted, audit, history_of, scene, told, well
from tests.world.simulator import World

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
HALF = interpreter.MAX_EVENTS // 2
MOST_BATCHES = int(PARAMETERS["MaxBatches"]["MaxValue"])
FILES = 8  # of the batch: halved to the last, each of them is looked at by itself
HOUR, DAY = 3600, 86_400


def failing(error: str, *steps: str, verb: str = "", status: str = "FAILED") -> Answer:
    """The statements of these steps fail, in the first that begins with ``verb``; the others go well."""

    def answer(submitted: Submitted) -> Reply:
        if submitted.what not in steps:
            return well(submitted)
        return Reply(status, error, submitted.number_of(verb) if verb else 1)

    return answer


def lost(step: str) -> Answer:
    """The Data API no longer knows the statements of this step; COPY fails for a reason that nobody names."""

    def answer(submitted: Submitted) -> Reply:
        if submitted.what == step:
            return Reply(seconds=DAY, lost=True)
        if submitted.what == "stage" and step == "find":
            return Reply("FAILED", "ERROR: something is wrong", submitted.number_of("COPY"))
        return well(submitted)

    return answer


def audited(*, version: int | None = None, bad: bool = False) -> Answer:
    def answer(submitted: Submitted) -> Reply:
        reply = well(submitted)
        if submitted.what != "stage":
            return reply
        rows = audit(submitted, bad=bad) if version is None else audit(submitted, version=version)
        return Reply(rows={**reply.rows, len(submitted.sqls): rows})

    return answer


CONFLICT = "ERROR: 1023 Serializable isolation violation on table"
NO_TABLES = 'ERROR: relation "sparkify.files" does not exist'
COPY = "ERROR: Load into table 'event_stage' failed. Check 'sys_load_error_detail' for details."

ANSWERS: dict[str, Answer] = {
    "plan meets conflicts": failing(CONFLICT, "plan"),
    "staging meets conflicts": failing(CONFLICT, "stage"),
    "publishing meets conflicts": failing(CONFLICT, "publish"),
    "everything is aborted": failing("", "plan", "stage", "publish", "leave", status="ABORTED"),
    "plan finds no tables": failing(NO_TABLES, "plan"),
    "staging finds no tables": failing(NO_TABLES, "stage"),
    "publishing finds no tables": failing(NO_TABLES, "publish"),
    "the tables stay old": audited(version=0),
    "the tables are newer": audited(version=999),
    "a check fails on every file": audited(bad=True),
    "COPY fails and nobody says why": failing(COPY, "stage", verb="COPY"),
    "COPY fails and so does the search": failing(COPY, "stage", "find", verb="COPY"),
    "COPY fails and the search meets conflicts": lambda submitted: (
        failing(CONFLICT, "find")(submitted)
        if submitted.what == "find"
        else failing(COPY, "stage", verb="COPY")(submitted)
    ),
    "a check fails on what is published": failing(
        "ERROR: check rows: figure 1, expected 2", "publish"
    ),
    "an error that nobody knows": failing("ERROR: Assert", "stage"),
    "the claim fails": failing("ERROR: claim: 2 files are loaded already", "publish"),
    "statements of the plan are lost": lost("plan"),
    "statements of staging are lost": lost("stage"),
    "statements of publishing are lost": lost("publish"),
    "statements of the search are lost": lost("find"),
}


@pytest.fixture
def few_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of which MOST_BATCHES fit into half of Step Functions' own; one that is full ends the execution."""
    monkeypatch.setattr(interpreter, "MAX_EVENTS", HALF // MOST_BATCHES)


def load(folder: Path, answer: Answer, files: int = FILES, **parameters: int) -> Execution:
    """A load of one batch."""
    keys = [f"log_data/2018/11/{number:05}.json" for number in range(files)]
    with scene(folder, answer, keys, **{"BatchFiles": files, **parameters}) as world:
        return run(world)


def run(world: World) -> Execution:
    return world.executions.run(world.start({}))


@pytest.mark.usefixtures("few_events")
@pytest.mark.parametrize("case", ANSWERS)
def test_the_load_ends_with_a_report_whatever_redshift_says(tmp_path: Path, case: str) -> None:
    ended = load(tmp_path / "warehouse", ANSWERS[case])
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")
    report = json.loads(ended.cause)
    assert report["status"] == "failed"
    assert report["cause"]
    assert report["files"]["loaded"] == 0


# ---------------------------------------------------------------- waiting
def calls_in(ended: Execution, state: str) -> int:
    return sum(e.type == "TaskScheduled" and e.state == state for e in history_of(ended))


LEAST, MOST = (int(PARAMETERS["WaitSeconds"][bound]) for bound in ("MinValue", "MaxValue"))

AT_MOST = DAY / (HALF / 4 / 7)  # seconds: of a day, four batches at a time, seven events a call


def sleeping(step: str, seconds: float, dying: float = 0) -> Answer:
    """Each statement of this step takes so long, and so much longer if it is cancelled."""

    def answer(submitted: Submitted) -> Reply:
        reply = well(submitted)
        if submitted.what == step:
            reply.seconds, reply.dying = seconds, dying
        return reply

    return answer


@pytest.mark.parametrize(
    ("state", "step", "wait", "seconds"),
    [
        ("Stage", "stage", LEAST, HOUR / 6),
        ("Stage", "stage", MOST, HOUR),
        ("Publish", "publish", MOST, HOUR),
    ],
)
def test_a_call_waits_as_long_as_it_may(
    tmp_path: Path, state: str, step: str, wait: int, seconds: float
) -> None:
    """As long as the statement runs: no call that says ``running`` is short, but for the one that submits."""
    ended = load(tmp_path / "warehouse", sleeping(step, seconds), 1, WaitSeconds=wait)
    assert ended.status == "SUCCEEDED"
    assert calls_in(ended, state) <= seconds / AT_MOST + 2


@pytest.mark.parametrize("state", [name for name, leads in LEADS.items() if "running" in leads])
def test_a_call_that_waits_ends_before_its_function_does(state: str) -> None:
    """It begins its last request before its patience ends, may pause before the next attempt, and has other things to
    do than to wait.
    """
    function = STATES[state]["Arguments"]["FunctionName"].strip("${}")
    assert TIMEOUTS[function] >= PATIENCE + MOST + LONGEST_PAUSE + 25


def test_a_call_that_asks_for_copys_report_ends_before_its_function_does() -> None:
    """It has waited for its statement's submit only. A look that does not end is cancelled, and its end awaited."""
    stage = (FUNCTIONS / "stage.py").read_text()
    report, look = (
        int(re.findall(rf"^{name} = (\d+)", stage, re.M)[0])
        for name in ("REPORT_SECONDS", "ASK_SECONDS")
    )
    assert TIMEOUTS["StageFunction"] >= MOST + report + look + 2 * MOST + 60


@pytest.mark.parametrize("step", ["stage", "publish"])
def test_a_statement_that_ends_slowly_after_it_was_cancelled_is_waited_for_as_patiently(
    tmp_path: Path, step: str
) -> None:
    answer = sleeping(step, DAY, HOUR)
    ended = load(tmp_path / "warehouse", answer, 1, StatementTimeoutSeconds=600)
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")
    state = {"stage": "Stage", "publish": "Publish"}[step]
    assert calls_in(ended, state) <= (HOUR + 600) / AT_MOST + 3


def test_looks_that_are_answered_at_once_are_no_endless_loop(tmp_path: Path) -> None:
    """The Data API takes a limited number of waiting requests of a statement; then it is asked without waiting."""
    with scene(
        tmp_path / "warehouse", sleeping("stage", HOUR), ["log_data/a.json"], BatchFiles=1
    ) as world:
        told(world).waits = False
        ended = run(world)
    assert ended.status == "SUCCEEDED"
    # The first pauses are short, for a statement that is.
    assert calls_in(ended, "Stage") <= HOUR / AT_MOST + 10
