"""docs/recipes/: each template is clean, and its rule takes the events of real loads that it is for, and no others.

Patterns and input transformers are read by MiniStack, as the local AWS reads those of the stack
(docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html, …/eb-transform-target-input.html).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs
from ministack.services import eventbridge

from tests.stateful.story import Story
from tests.stateful.worlds import new_world
from tests.world import openlineage
from tests.world.files import Event, File
from tests.world.simulator import ROOT, load_id_of
from tests.world.template import STACK, Stack, _document

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
RECIPES = sorted((ROOT / "docs" / "recipes").glob("*.yaml"))
GIVEN = {"LoaderStack": STACK}
Events = dict[str, list[dict[str, Any]]]

AMAZON_Q = {
    "type": "object",
    "required": ["version", "source", "content"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0"},
        "source": {"const": "custom"},
        "content": {
            "type": "object",
            "required": ["description"],
            "additionalProperties": False,
            "properties": {
                "textType": {"const": "client-markdown"},
                "title": {"type": "string"},
                "description": {"type": "string"},
                "nextSteps": {"type": "array", "items": {"type": "string"}},
                "keywords": {"type": "array", "items": {"type": "string"}},
            },
        },
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "threadId": {"type": "string"},
                "summary": {"type": "string"},
                "eventType": {"type": "string"},
                "relatedResources": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}
"""docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html, Event schema"""


@pytest.fixture(scope="module")
def events() -> Events:
    """The events of some loads, by the load's name here."""
    found: Events = {}
    with new_world() as world:
        story = Story(world, print, lambda _: None)
        bad = File("log_data/b.json", (Event(item=1),), bad="cut off")

        def ended(name: str) -> None:
            found[name], world.events = world.events, []

        world.events = []
        story.load([File("log_data/a.json", (Event(),))])
        ended("loaded")
        load = load_id_of(world.executions.all[-1])
        story.load([bad, File("log_data/c.json", (Event(item=2),))])
        ended("rejected")
        for name, document in (
            ("nothing", {}),
            ("planned", {"dry_run": True}),
            ("undone", {"undo": load}),
            ("failed", {"no": 'such "field"'}),
        ):
            world.start(document)
            world.work()
            ended(name)
    return found


class Recipe:
    """A template whose only rule is resolved with some parameters."""

    def __init__(self, name: str) -> None:
        path = ROOT / "docs" / "recipes" / f"{name}.yaml"
        document = _document(path)
        [self._rule] = [
            one["Properties"]
            for one in document["Resources"].values()
            if one["Type"] == "AWS::Events::Rule"
        ]
        [self.target] = self._rule["Targets"]

    def takes(self, event: dict[str, Any]) -> bool:
        pattern = json.dumps(_resolved(self._rule["EventPattern"]))
        assert not eventbridge._event_pattern_error(pattern)
        return bool(eventbridge._matches_pattern(pattern, _received(event)))

    def made_of(self, event: dict[str, Any]) -> Any:
        """What the target gets."""
        view = eventbridge._pattern_event_view(_received(event))
        return json.loads(
            eventbridge._apply_input_transformer(self.target["InputTransformer"], None, view)
        )


def _resolved(node: Any) -> Any:
    if isinstance(node, dict):
        if node.keys() == {"Ref"}:
            return GIVEN[node["Ref"]]
        return {key: _resolved(value) for key, value in node.items()}
    return [_resolved(one) for one in node] if isinstance(node, list) else node


def _received(event: dict[str, Any]) -> Any:
    return eventbridge._event_from_test_payload(event)


def taken(recipe: Recipe, events: Events) -> dict[str, int]:
    """How many events of each load the rule takes."""
    found = {name: sum(map(recipe.takes, sent)) for name, sent in events.items()}
    return {name: number for name, number in found.items() if number}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_a_clean_template(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [str(match) for match in lint(text, config=ManualArgs(regions=["us-west-2"]))] == []
    fixed = [one for one in text.splitlines() if "arn:aws" in one and "AllowedPattern" not in one]
    assert not fixed


def test_slack_is_told_what_failed_or_was_rejected(events: Events) -> None:
    recipe = Recipe("slack")
    assert taken(recipe, events) == {"rejected": 1, "failed": 1}
    for name in ("rejected", "failed"):
        [event] = [one for one in events[name] if recipe.takes(one)]
        message = recipe.made_of(event)
        jsonschema.validate(message, AMAZON_Q)
        assert event["detail"]["load_id"] in message["content"]["description"]
        assert event["detail"]["execution"] in message["content"]["nextSteps"][-1]
        assert "<" not in json.dumps(message)  # nothing is left unfilled
    assert recipe.made_of(events["rejected"][0])["content"]["description"].startswith(
        "1 file loaded, 1 file rejected."
    )


def test_a_dbt_job_starts_when_tables_have_changed(events: Events) -> None:
    recipe = Recipe("dbt-job")
    assert taken(recipe, events) == {"loaded": 1, "rejected": 1, "undone": 1}
    [event] = [one for one in events["undone"] if recipe.takes(one)]
    load = event["detail"]["load_id"]
    assert recipe.made_of(event) == {"cause": f"undo {load} of {STACK}"}


def test_a_rule_of_one_stack_takes_no_other_stacks_events(events: Events) -> None:
    for name in ("slack", "dbt-job"):
        for event in events["rejected"]:
            other = {**event, "detail": {**event["detail"], "stack": "another"}}
            assert not Recipe(name).takes(other)


def test_a_catalog_gets_run_events(events: Events) -> None:
    recipe = Recipe("lineage")
    assert taken(recipe, events) == {"loaded": 1, "rejected": 1}
    assert recipe.target["InputPath"] == "$.detail"
    [event] = [one for one in events["loaded"] if recipe.takes(one)]
    openlineage.check(event["detail"])


def test_another_account_gets_all_events(events: Events) -> None:
    recipe = Recipe("other-account-sender")
    assert taken(recipe, events) == {name: len(sent) for name, sent in events.items()}
    uploaded = {"source": "aws.s3", "detail-type": "Object Created", "detail": {}}
    assert not recipe.takes({**events["loaded"][0], **uploaded})


def test_the_other_bus_accepts_what_the_loader_may_send() -> None:
    """The same source and detail types as in the loader's own policy."""
    [policy] = [
        one["Properties"]["Statement"]
        for one in _document(ROOT / "docs" / "recipes" / "other-account-receiver.yaml")[
            "Resources"
        ].values()
        if one["Type"] == "AWS::Events::EventBusPolicy"
    ]
    accepted = {
        key: set(value) if isinstance(value, list) else {value}
        for key, value in policy["Condition"]["ForAllValues:StringEquals"].items()
    }
    stack = Stack(ROOT, {"WorkgroupName": "w", "WorkgroupId": "i"})
    own = {one.role: one for one in stack.policies if "events:PutEvents" in one.actions}
    assert own.keys() == {"LoaderRole", "SweepRole"}
    for one in own.values():
        assert accepted == {key: set(values) for key, values in one.values}


def test_the_pages_rule_takes_loads_of_its_dataset(events: Events) -> None:
    """The pattern that docs/events.md shows, for a dataset of these loads."""
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    shown = text.partition("A rule for loads")[2].partition("```json\n")[2].partition("```")[0]
    pattern = shown.replace('"s3-redshift-loader"],\n    "mode"', f'"{STACK}"],\n    "mode"')
    for dataset, names in (("log_data", {"loaded", "rejected"}), ("orders", set())):
        of_dataset = pattern.replace('"orders"', f'"{dataset}"')
        assert names == {
            name
            for name, sent in events.items()
            for one in sent
            if eventbridge._matches_pattern(of_dataset, _received(one))
        }
