"""What the account's event bus gets of each load: the events are those of whole loads in the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.stateful.model import etag_of
from tests.stateful.story import Story
from tests.stateful.worlds import new_world
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
    none = {"unreadable": 0, "waiting": 0}
    assert detail["datasets"] == {
        "log_data": {"loaded": 1, "rejected": 1, "rows": 1, **none},
        "song_data": {"loaded": 1, "rejected": 0, "rows": 1, **none},
    }


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
        {"undo": load},  # refused: the reload needs it
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
