"""The dashboard's widget: CloudWatch's rules for its HTML, its parameters, and what its buttons ask for."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.page.reading import having, one, parsed, words
from tests.world import histories as made
from tests.world.histories import EVIL_KEY, EVIL_REASON

ARN = "arn:aws:lambda:us-west-2:123456789012:function:s3-redshift-loader-WidgetFunction-1"
CONTEXT = SimpleNamespace(
    function_name="widget", memory_limit_in_mb=1024, invoked_function_arn=ARN, aws_request_id="1"
)
NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date().isoformat()


@pytest.fixture(scope="module")
def loads() -> list[made.Document]:
    bad = made.load(
        NOW, [(EVIL_KEY, "rejected"), ("orders/ok.jsonl", "loaded")], number=1, reason=EVIL_REASON
    )
    old = made.load(NOW - timedelta(days=40), number=2)
    more = [
        made.load(NOW - timedelta(hours=n), [(f"log_data/{n}.json", "loaded")], number=n)
        for n in range(3, 33)
    ]
    return [bad, old, *more]


def put(s3: Any, key: str, document: Any) -> None:
    s3.put_object(Bucket="working", Key=key, Body=gzip.compress(json.dumps(document).encode()))


@pytest.fixture(scope="module")
def bucket(loads: list[made.Document]) -> Iterator[Any]:
    """The work bucket with a history."""
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-west-2")
        here: Any = {"LocationConstraint": "us-west-2"}
        s3.create_bucket(Bucket="working", CreateBucketConfiguration=here)
        put(s3, f"history/loads/{TODAY}/{loads[0]['load_id']}.json.gz", loads[0])
        days: dict[str, list[made.Document]] = {}
        for each in loads[1:]:
            days.setdefault(each["started"][:10], []).append(each)
        for day, folded in days.items():
            put(
                s3,
                f"history/days/{day}.json.gz",
                {"day": day, "closed": day < TODAY, "loads": folded},
            )
        swept = json.dumps(made.sweep(NOW))
        s3.put_object(Bucket="working", Key="history/sweep.json", Body=swept.encode())
        yield s3


@pytest.fixture
def call(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    import widget

    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return NOW

    monkeypatch.setattr(widget, "datetime", Now)

    def called(event: Mapping[str, Any]) -> str:
        answer = widget.handler(dict(event), CONTEXT)
        assert isinstance(answer, str)
        return answer

    return called


def shown(call: Any, **event: Any) -> ET.Element:
    return parsed(call(event))


def actions(root: ET.Element) -> Iterator[tuple[ET.Element, ET.Element]]:
    """Each cwdb-action, and the element before it, to which it belongs."""
    for parent in root.iter():
        children = list(parent)
        for at, each in enumerate(children):
            if each.tag == "cwdb-action":
                assert at > 0, "an action needs an element before it"
                assert not (children[at - 1].tail or "").strip()
                yield children[at - 1], each


EVENTS: list[dict[str, Any]] = [
    {},
    {"load": made.load_id(NOW, 1)},
    {"find": "onerror"},
    {"day": TODAY},
    {"day": TODAY, "dataset": "orders"},
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: "-".join(event) or "overview")
def test_the_html_is_what_cloudwatch_takes(call: Any, event: dict[str, Any]) -> None:
    """No JavaScript, no iframe and no use, which are removed:
    docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_security.html.
    An action: …_interactivity.html; its parameters are JSON, its endpoint a function.
    """
    root = shown(call, **event)
    for each in root.iter():
        assert each.tag not in (
            "script",
            "iframe",
            "use",
            "object",
            "embed",
            "link",
            "base",
            "img",
            "html",
            "body",
        )
        assert not [name for name in each.attrib if name.startswith("on")]
        assert not any(
            str(value).lower().startswith("javascript:") for value in each.attrib.values()
        )
    for _, action in actions(root):
        assert set(action.keys()) == {"action", "display", "endpoint"}
        assert action.get("action") == "call"
        assert action.get("display") in ("popup", "widget")
        assert action.get("endpoint") == ARN
        assert isinstance(json.loads(action.text or ""), dict)
    # What Lambda returns at once: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    assert len(json.dumps(call(event)).encode()) < 6 << 20


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: "-".join(event) or "overview")
def test_every_action_can_be_called(call: Any, event: dict[str, Any]) -> None:
    found = list(actions(shown(call, **event)))
    assert found
    for element, action in found:
        assert words(element)
        answer = call(json.loads(action.text or ""))
        assert "is not known" not in answer
        assert "must be" not in answer


def test_the_overview_has_the_state_the_datasets_and_the_newest_loads(
    call: Any, loads: list[made.Document]
) -> None:
    root = shown(call)
    assert words(one(root, "verdict")) == "Needs a look"
    assert [row.get("data-dataset") for row in one(root, "days").iter("tr")][1:] == [
        "orders",
        "log_data",
    ]
    rows = list(one(root, "listed").iter("tr"))
    assert len(rows) == 20
    newest = sorted((load["load_id"] for load in loads), reverse=True)
    assert [row.get("data-load") for row in rows] == newest[:20]
    assert EVIL_KEY in words(one(root, "left-out"))
    assert "loader report --open --stack" in words(root)


def test_it_says_how_long_ago_without_a_script(call: Any) -> None:
    ages = [each.get("data-age") for each in shown(call).iter("time")]
    assert len(ages) > 20
    assert ages[0] == "just now"
    assert "3 h ago" in ages
    assert "21 h ago" in ages


def test_a_load_opens(call: Any) -> None:
    name = made.load_id(NOW, 1)
    root = shown(call, load=name)
    assert f"Load {name}" in words(root)
    assert one(root, "path") is not None
    assert "--stack" in words(next(having(root, "command")))


def test_a_load_that_is_not_there(call: Any) -> None:
    assert "has no load 20200101-000000-00000000" in words(
        shown(call, load="20200101-000000-00000000")
    )


def test_a_file_is_found_by_what_is_in_the_form(call: Any) -> None:
    root = shown(
        call, find="", widgetContext={"forms": {"all": {"find": "ONERROR"}}, "theme": "dark"}
    )
    assert "1 found" in words(root)
    assert EVIL_KEY in words(root)
    assert one(root, "dark") is not None


def test_a_form_is_nothing_when_another_button_is_pressed(call: Any) -> None:
    root = shown(call, widgetContext={"forms": {"all": {"find": "half typed"}}})
    assert words(one(root, "verdict")) == "Needs a look"


def test_a_days_rejects(call: Any) -> None:
    root = shown(call, day=TODAY, dataset="orders")
    assert EVIL_KEY in words(root)
    assert "Orders" not in words(root)
    assert EVIL_KEY not in words(shown(call, day=TODAY, dataset="log_data"))
    assert "No loads." in words(shown(call, day="2001-01-01"))


def test_it_describes_itself(call: Any) -> None:
    """Markdown, as in github.com/aws-samples/cloudwatch-custom-widgets-samples."""
    said = call({"describe": True})
    assert said.startswith("## Loads")
    assert "```yaml\nload: " in said


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"undo": "x"}, "The parameter 'undo' is not known"),
        ({"<img src=x onerror=alert(1)>": 1}, "is not known"),
        ({"load": "1; DROP"}, "load must be the id of a load"),
        ({"load": 7}, "load must be"),
        ({"load": made.load_id(NOW) + "\n"}, "load must be"),
        ({"find": 7}, "find must be"),
        ({"find": "x" * 1025}, "find must be"),
        ({"day": "<b>"}, "day must be a date"),
        ({"day": [1]}, "day must be a date"),
        ({"day": TODAY, "dataset": "a/b"}, "dataset must be"),
    ],
)
def test_what_it_does_not_know_is_refused(call: Any, event: dict[str, Any], said: str) -> None:
    root = shown(call, **event)
    assert said in words(root)
    assert [each.tag for each in root.iter()][1:] == ["p"]


@pytest.mark.parametrize(
    "context", [None, 7, {"forms": 7}, {"forms": {"all": 7}}, {"forms": {"all": {"find": 7}}}]
)
def test_a_context_of_another_form_breaks_nothing(call: Any, context: Any) -> None:
    assert "All is well" in call({"widgetContext": context}) or "Needs a look" in call(
        {"widgetContext": context}
    )
    call({"find": "a", "widgetContext": context})


def test_a_new_stack_has_no_history(bucket: Any) -> None:
    import widget

    for page in bucket.get_paginator("list_objects_v2").paginate(Bucket="working"):
        kept = [(each["Key"], bucket.get_object(Bucket="working", Key=each["Key"])["Body"].read())
                for each in page["Contents"]]  # fmt: skip
    for key, _ in kept:
        bucket.delete_object(Bucket="working", Key=key)
    try:
        assert "Nothing is loaded yet" in widget.handler({}, CONTEXT)
    finally:
        for key, body in kept:
            bucket.put_object(Bucket="working", Key=key, Body=body)
