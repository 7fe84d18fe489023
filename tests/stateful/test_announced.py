"""What the account's event bus gets of each load: the events are those of whole loads in the simulator."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from loader.lineage import MOST_FILES

from local.commands import dbt_sources
from tests.stateful.model import etag_of
from tests.stateful.story import Story
from tests.stateful.worlds import new_world
from tests.world import openlineage
from tests.world.boundary import Place
from tests.world.files import Event, File, Song
from tests.world.simulator import ROOT, load_id_of

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
ENDED, LINEAGE = "Load Ended", "OpenLineage Run Event"
A, B, S = "log_data/a.json", "log_data/b.json", "song_data/s.json"
SCHEMA = ROOT / "docs" / "events" / "load-ended.schema.json"


@pytest.fixture(scope="module")
def contract() -> jsonschema.Draft202012Validator:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


@pytest.fixture
def story() -> Iterator[Story]:
    with new_world() as world:
        yield Story(world, print, lambda _: None)


def sent(story: Story, kind: str = ENDED) -> list[dict[str, Any]]:
    """The events of this kind that the bus has got since it was last asked for them."""
    events = [event for event in story.world.events if event["detail-type"] == kind]
    story.world.events = [event for event in story.world.events if event not in events]
    return events


def test_a_load_sends_its_report(story: Story, contract: jsonschema.Draft202012Validator) -> None:
    sent(story)
    bad = File(B, (Event(item=1),), bad="cut off")
    story.load([File(A, (Event(),)), File(S, (Song(id="SO1", title="T", artist_id="AR1"),)), bad])
    [event] = sent(story)
    contract.validate(event)
    execution = story.world.executions.all[-1]
    detail = event["detail"]
    assert event["resources"] == [detail["execution"]] == [execution.arn]
    assert (detail["load_id"], detail["attempt"]) == (load_id_of(execution), 1)
    assert (detail["mode"], detail["status"]) == ("load", "loaded")
    assert detail["summary"] == "2 files loaded, 1 file rejected."
    assert detail["report"] == execution.report
    assert not detail["cut"]
    figures = {
        name: (one["loaded"], one["rejected"], one["rows"])
        for name, one in detail["datasets"].items()
    }
    assert figures == {"log_data": (1, 1, 1), "song_data": (1, 0, 1)}
    written = story.world._body(**{k: detail["document"][k] for k in ("bucket", "key")})
    assert json.loads(gzip.decompress(written))["datasets"] == detail["datasets"]


def test_each_execution_sends_an_event_as_the_contract_says(
    story: Story, contract: jsonschema.Draft202012Validator
) -> None:
    sent(story)
    story.load([File(A, (Event(),))])
    load = load_id_of(story.world.executions.all[-1])
    for document in (
        {"dry_run": True},
        {"check": True},
        {"reload": True, "keys": [A]},
        {"undo": load},
        {"no": "such field"},
        {"reset": True},
        {},
    ):
        story.world.start(document)
        story.world.work()
    events = sent(story)
    for event in events:
        contract.validate(event)
    assert [(e["detail"]["mode"], e["detail"]["status"]) for e in events] == [
        ("load", "loaded"),
        ("load", "planned"),
        ("check", events[2]["detail"]["status"]),
        ("reload", "loaded"),
        ("undo", "undone"),
        ("load", "failed"),
        ("reset", "reset"),
        ("load", "loaded"),
    ]


def test_a_load_of_one_file_sends_one_request(story: Story) -> None:
    story.load([File(A, (Event(),))])
    name = story.world.executions.all[-1].name
    calls = [call for call in story.world.boundary.calls if call.execution == name]
    assert [call.action for call in calls].count("events:PutEvents") == 1


def test_an_attempt_whose_answer_is_lost_sends_the_event_again(story: Story) -> None:
    sent(story)
    calls = [c.place for c in story.world.boundary.calls if c.place.caller == "states.finish"]
    story.world.boundary.arm(Place("states.finish", "lambda.Invoke", len(calls) + 1), "lost")
    story.load([File(A, (Event(),))])
    first, second = (event["detail"] for event in sent(story))
    assert (first["attempt"], second["attempt"]) == (1, 2)
    assert first["load_id"] == second["load_id"]
    assert first["datasets"] == second["datasets"] != {}


def test_events_that_aws_refuses_fail_no_load_and_the_sweep_sends_them(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    sent(story)
    boundary = story.world.boundary
    boundary.storm("refused", lambda call: call.action == "events:PutEvents")
    story.world.upload(A, File(A, (Event(),)).body)
    story.world.work()
    execution = story.world.executions.all[-1]
    assert execution.status == "SUCCEEDED"
    assert '"EventsNotSent":[2' in capsys.readouterr().out.replace(" ", "")

    def sweep() -> list[tuple[str, str]]:
        """The kinds and loads of the events that the bus has got by the end of a sweep and its load."""
        story.world.sweep()
        story.world.work()
        found, story.world.events = story.world.events, []
        loads = [event["resources"][0] for event in found]
        return [(e["detail-type"], load) for e, load in zip(found, loads, strict=True)]

    assert sweep() == []  # which is refused too
    boundary.lift()
    now = sweep()
    assert now.count((ENDED, execution.arn)) == now.count((LINEAGE, execution.arn)) == 1
    assert execution.arn not in [load for _, load in sweep()]


def test_lineage_has_the_files_and_the_tables_of_each_dataset(story: Story) -> None:
    sent(story, LINEAGE)
    good = File(A, (Event(), Event(item=1)))
    songs = File(S, (Song(id="SO1", title="T", artist_id="AR1"),))
    story.load([good, songs, File(B, (Event(item=2),), bad="cut off")])
    report = story.world.executions.all[-1].report
    events = [event["detail"] for event in sent(story, LINEAGE)]
    for event, file, rows in zip(events, (good, songs), (2, 1), strict=True):
        openlineage.check(event)
        assert event["eventType"] == "COMPLETE"
        [read] = event["inputs"]
        assert (read["namespace"], read["name"]) == ("s3://loader-databucket", file.key)
        assert read["facets"]["version"]["datasetVersion"] == etag_of(file.body)
        figures = read["inputFacets"]["inputStatistics"]
        assert figures["rowCount"] == rows
        assert (figures["size"], figures["fileCount"]) == (len(file.body), 1)
    logs, of_songs = events
    assert logs["run"]["runId"] != of_songs["run"]["runId"]
    assert logs["job"]["name"] == "loader-load.log_data"
    written = {one["name"]: one for event in events for one in event["outputs"]}
    there = {"songplays", "users", "time", "songs", "artists"}
    assert written.keys() == {f"dev.sparkify.{table}" for table in there}
    for table in there:
        one = written[f"dev.sparkify.{table}"]
        assert one["outputFacets"]["outputStatistics"]["rowCount"] == report["rows"][table]
        columns = [field["name"] for field in one["facets"]["schema"]["fields"]]
        assert columns == columns_of(story, table)
    asserted = [
        (one["name"], one["params"]["on"], one["success"])
        for event in events
        for one in event["outputs"][0]["facets"]["dataQualityAssertions"]["assertions"]
    ]
    checked = [(check["name"], check["on"], check["passed"]) for check in report["checks"]]
    assert sorted(asserted) == sorted(checked)
    assert len(checked) == report["checks_total"]


def columns_of(story: Story, table: str) -> list[str]:
    """The columns that the warehouse has."""
    [rows] = story.world.warehouse.query(
        "SELECT column_name FROM svv_columns WHERE table_schema = 'sparkify' "
        f"AND table_name = '{table}' ORDER BY ordinal_position"
    )
    return [str(name) for (name,) in rows]


def test_lineage_of_many_files_names_their_prefix(story: Story) -> None:
    sent(story, LINEAGE)
    files = [File(f"log_data/{n}.json", (Event(item=n),)) for n in range(MOST_FILES + 1)]
    story.load(files)
    [event] = [event["detail"] for event in sent(story, LINEAGE)]
    openlineage.check(event)
    [read] = event["inputs"]
    assert read["name"] == "log_data/"
    figures = read["inputFacets"]["inputStatistics"]
    assert figures["rowCount"] == figures["fileCount"] == len(files)
    assert figures["size"] == sum(len(file.body) for file in files)


def test_dbt_is_told_when_the_newest_file_was_loaded_that_is_not_undone(story: Story) -> None:
    query = dbt_sources.NEWEST.format(schema="sparkify", dataset="log_data")

    def newest() -> Any:
        [[(time,)]] = story.world.warehouse.query(query)
        return time

    before = newest()
    story.load([File(A, (Event(),))])
    loaded = newest()
    story.world.start({"undo": load_id_of(story.world.executions.all[-1])})
    story.world.work()
    assert before < loaded
    assert newest() == before


def test_what_publishes_nothing_has_no_lineage(story: Story) -> None:
    story.load([File(A, (Event(),))])
    sent(story, LINEAGE)
    load = load_id_of(story.world.executions.all[-1])
    for document in ({"dry_run": True}, {}, {"undo": load}):
        story.world.start(document)
        story.world.work()
    assert sent(story, LINEAGE) == []
