"""Functions are killed, executions stopped by a person: retries and the sweep, nothing else, put it right."""

import time
from collections.abc import Callable

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project

FILES = dict(DataSet(songs=4, users=4, days=2, events=60, seed=16).files())
LOGS = {key: content for key, content in FILES.items() if key.startswith("log_data/")}
SONGS = {key: content for key, content in FILES.items() if key.startswith("song_data/")}
STAGING, PUBLISHING, CLEANING = (
    *("COPY sparkify_loader.event_stage_", "LOCK sparkify_loader.publish_lock"),
    "DROP TABLE IF EXISTS sparkify_loader.event_stage_",
)
PATIENCE_SECONDS = 60
MOST_SWEEPS = 4


def until(what: str, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class Begun:
    """Whether statements with this text have begun since."""

    def __init__(self, warehouse: Project, text: str) -> None:
        self._warehouse, self._text = warehouse, text
        self._before = self._count()

    def _count(self) -> int:
        return sum(self._text in sql for sql in self._warehouse.statements())

    def __call__(self) -> bool:
        return self._count() > self._before


def assert_all_is_well(warehouse: Project, etags: dict[str, str]) -> None:
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    assert warehouse.ledger_rows() == sorted((key, etag, "loaded") for key, etag in etags.items())
    assert not warehouse.staging_tables()
    work = warehouse.clients.s3.list_objects_v2(
        Bucket=warehouse.outputs["WorkBucketName"], Prefix="open/"
    )
    assert work["KeyCount"] == 0


def test_functions_that_are_killed_while_they_wait(warehouse: Project) -> None:
    steps = {STAGING: "StageFunction", PUBLISHING: "PublishFunction", CLEANING: "FinishFunction"}
    begun = {text: Begun(warehouse, text) for text in steps}
    for text in steps:
        warehouse.fault(kind="delay", sql=text, seconds=2)
    with warehouse.no_events():
        etags = warehouse.put(FILES)
    load = warehouse.begin({})
    for text, function in steps.items():
        until(f"{function} waits", begun[text])
        assert warehouse.kill(function)
    status, report = warehouse.ended(load)
    assert (status, report["files"]["loaded"]) == ("SUCCEEDED", len(FILES)), report
    history = warehouse.clients.states.get_execution_history(executionArn=load, maxResults=1000)
    failed = [
        event["taskFailedEventDetails"]["error"]
        for event in history["events"]
        if event["type"] == "TaskFailed"
    ]
    assert set(failed) == {"Runtime.ExitError"}
    assert len(failed) >= len(steps)
    assert_all_is_well(warehouse, etags)


def test_executions_that_a_person_stops(warehouse: Project) -> None:
    etags: dict[str, str] = {}
    for text, files in ((STAGING, LOGS), (PUBLISHING, SONGS)):
        begun = Begun(warehouse, text)
        warehouse.fault(kind="delay", sql=text, seconds=3)
        etags |= warehouse.put(files)
        until("it is at work", begun)
        for load in warehouse.running():
            warehouse.clients.states.stop_execution(executionArn=load, cause="by a person")
            assert warehouse.ended(load)[0] == "ABORTED"
    assert warehouse.ledger_rows() == []
    for _ in range(MOST_SWEEPS):
        warehouse.invoke("SweepFunction", {})
        warehouse.settle()
    assert_all_is_well(warehouse, etags)
