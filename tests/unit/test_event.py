"""The events of a load's end: how they are sent, how large they are, and what goes wrong with it."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from loader import clients, event, lineage, observability
from loader.event import ENTRIES, MOST, Announcement, put, requests, size_of
from loader.state import Load, Report, Result
from loader.store import Store

from tests.unit.loads import LOAD_ID, load
from tests.world import openlineage

ARN = "arn:aws:states:us-west-2:123456789012:execution:load:one"


class Bus:
    """EventBridge, which refuses the entries of these details so many times each."""

    def __init__(self, **refused: int) -> None:
        self.refused = refused
        self.calls: list[list[str]] = []

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls.append([entry["Detail"] for entry in Entries])
        answers = []
        for entry in Entries:
            if self.refused.get(entry["Detail"], 0) > 0:
                self.refused[entry["Detail"]] -= 1
                answers.append({"ErrorCode": "InternalFailure", "ErrorMessage": "no"})
            else:
                answers.append({"EventId": "1"})
        return {"FailedEntryCount": sum("ErrorCode" in one for one in answers), "Entries": answers}


def entry(detail: str) -> dict[str, Any]:
    return {"Source": "s", "DetailType": "t", "Detail": detail, "Resources": [ARN]}


def report(**more: Any) -> Report:
    made: Any = {
        "load_id": LOAD_ID,
        "status": "loaded",
        "mode": "load",
        "files": dict.fromkeys(
            ("listed", "known", "loaded", "rejected", "unreadable", "waiting", "failed"), 0
        ),
        "rows": {},
        "checks": [],
        "checks_total": 0,
        "rejected": [],
        "setup": [],
    }
    made.update(more)
    return made  # type: ignore[no-any-return]


def result(**more: Any) -> Result:
    made: Any = {
        "batch": "0",
        "dataset": "log_data",
        "loaded": 1,
        "rejected": 0,
        "rejects": [],
        "rows": {"event_stage": 10, "songplays": 7, "users": None},
        "checks": [],
        "bytes": 99,
        "loaded_bytes": 99,
        "inputs": [["log_data/a.json", "etag", 99, 10]],
    }
    made.update(more)
    return made  # type: ignore[no-any-return]


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Bus:
    made = Bus()
    monkeypatch.setattr(clients, "events", lambda: made)
    return made


class Kept:
    """What of the work bucket the announcement writes."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}

    def put(self, key: str, value: Any) -> None:
        self.objects[key] = value


def announce(results: list[Result], **of_report: Any) -> dict[str, Any]:
    """Sends the events; what is left in the work bucket."""
    the_load: Load = load()
    kept: Any = Kept()
    of_load: Any = {"execution": ARN, "attempt": 1}
    Announcement(kept, the_load, report(**of_report), results, **of_load).wait()
    found: dict[str, Any] = kept.objects
    return found


def test_all_entries_of_a_load_go_in_one_request(bus: Bus) -> None:
    assert announce([result()]) == {}
    [details] = bus.calls
    assert [json.loads(detail).get("load_id") for detail in details] == [LOAD_ID, None]


def test_an_entry_that_is_refused_once_is_sent_again_alone() -> None:
    bus = Bus(b=1)
    assert put(bus, [entry("a"), entry("b"), entry("c")]) == []
    assert bus.calls == [["a", "b", "c"], ["b"]]


def test_an_entry_that_stays_refused_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus(b=9)
    assert put(bus, [entry("a"), entry("b"), entry("c")]) == [entry("b")]
    assert len(bus.calls) == event.ATTEMPTS
    assert "EventBridge did not take events" in caplog.text


def test_no_request_has_more_than_eventbridge_takes() -> None:
    entries = [entry("x" * 50_000) for _ in range(8)] + [entry("y") for _ in range(25)]
    made = list(requests(entries))
    assert [one for together in made for one in together] == entries
    assert max(map(len, made)) == ENTRIES
    assert max(sum(map(size_of, together)) for together in made) <= MOST


def test_what_could_not_be_sent_is_measured_and_left_to_the_sweep(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://events")

    counted: list[float] = []
    monkeypatch.setattr(
        observability.metrics, "add_metric", lambda _name, _unit, value: counted.append(value)
    )
    bus: Any = Bus()
    bus.put_events = fail
    monkeypatch.setattr(clients, "events", lambda: bus)
    [(key, [left])] = announce([]).items()
    assert key == f"unsent/{LOAD_ID}.json"
    assert left["DetailType"] == event.ENDED
    assert counted == [1]
    assert "could not be sent" in caplog.text


def test_the_sweep_sends_what_loads_could_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused again is left to the next sweep."""
    bus = Bus(b=event.ATTEMPTS)
    monkeypatch.setattr(clients, "events", lambda: bus)
    store.put("unsent/1.json", [entry("a")])
    store.put("unsent/2.json", [entry("b"), entry("c")])
    event.send_unsent(store)
    assert list(store.keys("unsent/")) == ["unsent/2.json"]
    event.send_unsent(store)
    assert list(store.keys("unsent/")) == []
    assert bus.calls == [["a"], ["b", "c"], ["b"], ["b", "c"]]


def test_a_load_does_not_wait_for_an_answer_that_does_not_come(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waits = threading.Event()
    bus: Any = Bus()
    bus.put_events = lambda **_: waits.wait(5) and None
    monkeypatch.setattr(clients, "events", lambda: bus)
    monkeypatch.setattr(event, "PATIENCE", 0.01)
    assert len(announce([])) == 1
    assert not waits.is_set()
    assert "has not answered" in caplog.text
    waits.set()


def test_an_event_that_cannot_be_written_fails_no_load(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    announce([], files=None)
    assert bus.calls == []
    assert "could not be written" in caplog.text


@pytest.mark.parametrize("reason", ["x" * 500, "ü" * 500, "\u0001" * 500])
def test_a_report_that_is_too_large_is_cut(bus: Bus, reason: str) -> None:
    reject = {"key": "k" * 1024, "line": 1, "column": "c", "code": 1, "reason": reason}
    announce([result()], rejected=[reject] * 400, rejected_total=400)
    detail = json.loads(bus.calls[0][0])
    assert detail["cut"]
    assert 0 < len(detail["report"]["rejected"]) < 400
    assert detail["report"]["rejected_total"] == 400
    assert sum(len(text.encode()) for text in bus.calls[0]) < 256 * 1024


def test_the_document_is_named_by_the_day_of_the_loads_start(bus: Bus) -> None:
    announce([])
    document = json.loads(bus.calls[0][0])["document"]
    day = f"{LOAD_ID[:4]}-{LOAD_ID[4:6]}-{LOAD_ID[6:8]}"
    assert document == {"bucket": "working", "key": f"history/loads/{day}/{LOAD_ID}.json.gz"}


# -- lineage -----------------------------------------------------------------------------------


def runs(results: list[Result], of_load: Load, **of_report: Any) -> list[dict[str, Any]]:
    ended = "2026-11-23T20:31:00.000Z"
    found = list(
        lineage.run_events(of_load, report(**of_report), results, execution=ARN, ended=ended)
    )
    for one in found:
        openlineage.check(one)
    return found


def test_a_dataset_of_which_files_failed_has_failed() -> None:
    of_load: Load = load(datasets={"log_data": 2, "song_data": 1})
    songs = result(dataset="song_data", rows={"songs": 1})
    logs, songs_run = runs([result(), songs], of_load, status="failed", cause="a batch failed")
    assert (logs["eventType"], songs_run["eventType"]) == ("FAIL", "COMPLETE")
    assert logs["run"]["facets"]["errorMessage"]["message"] == "a batch failed"
    assert "errorMessage" not in songs_run["run"]["facets"]


def test_files_of_several_batches_are_one_run() -> None:
    second = result(batch="1", inputs=[["log_data/b.json", "e2", 1, None]], loaded_bytes=1)
    [run] = runs([result(), second], load())
    assert [one["name"] for one in run["inputs"]] == ["log_data/a.json", "log_data/b.json"]
    # What is not known is left out, not null or 0.
    assert "rowCount" not in run["inputs"][1]["inputFacets"]["inputStatistics"]
    written = {one["name"]: one["outputFacets"]["outputStatistics"] for one in run["outputs"]}
    assert written["dev.sparkify.songplays"]["rowCount"] == 14


def test_the_id_of_a_run_follows_from_the_load_and_the_dataset() -> None:
    [first], [again] = runs([result()], load()), runs([result(loaded=1)], load())
    assert first["run"]["runId"] == again["run"]["runId"]
    assert lineage.run_id("20261123-203011-00000000", "log_data") != first["run"]["runId"]


def test_a_dataset_that_a_deployment_removed_is_left_out() -> None:
    assert runs([result(dataset="gone")], load()) == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda run: run.update(more=1),
        lambda run: run["run"].update(runId="1"),
        lambda run: run["inputs"][0].pop("namespace"),
        lambda run: run["inputs"][0]["facets"]["version"].pop("_producer"),
        lambda run: run["outputs"][0]["facets"]["schema"]["fields"][0].update(name=1),
    ],
)
def test_the_judge_of_lineage_refuses_what_is_wrong(wrong: Callable[[Any], None]) -> None:
    [run] = runs([result()], load())
    wrong(run)
    with pytest.raises((openlineage.NotOpenLineage, ValueError)):
        openlineage.check(run)
