"""The input of an execution: what is accepted, and errors that name the field."""

from typing import Any

import pytest
from loader.request import BadRequest, Request, parse

MARK = "2026-11-23T20:30:00+00:00"
LIST = "s3://working/events/s3-1.json.gz"


@pytest.mark.parametrize(
    ("document", "request_"),
    [
        ({}, Request()),
        ({"prefixes": ["log_data/2018/"]}, Request(prefixes=("log_data/2018/",))),
        ({"keys": ["b", "a", "b"]}, Request(keys=("b", "a"))),
        ({"keys": ["k"], "prefixes": ["p"]}, Request(keys=("k",), prefixes=("p",))),
        ({"dry_run": True}, Request(dry_run=True)),
        ({"dry_run": False, "reload": False, "check": False, "reset": False}, Request()),
        ({"reload": True, "keys": ["k"]}, Request("reload", keys=("k",))),
        (
            {"reload": True, "prefixes": ["p"], "dry_run": True},
            Request("reload", prefixes=("p",), dry_run=True),
        ),
        ({"check": True}, Request("check")),
        ({"reset": True}, Request("reset")),
        ({"objects": LIST}, Request(objects=LIST)),
        ({"objects": LIST, "mark": ""}, Request(objects=LIST)),
        ({"objects": LIST, "mark": MARK}, Request(objects=LIST, mark=MARK)),
        ({"objects": LIST, "mark": "", "reload": True}, Request("reload", objects=LIST)),
        ({"keys": ["é" * 512]}, Request(keys=("é" * 512,))),
    ],
)
def test_accepted(document: Any, request_: Request) -> None:
    assert parse(document) == request_


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (None, "JSON object"),
        ([], "JSON object"),
        ("load", "JSON object"),
        ({"prefix": ["a"]}, "'prefix' is not known. Known are: prefixes: "),
        ({"Keys": ["a"]}, "'Keys' is not known"),
        ({"mode": "reload"}, "'mode' is not known"),
        ({"keys": "a.json"}, 'keys is "a.json"'),
        ({"keys": []}, "keys is []"),
        ({"keys": [""]}, 'keys holds ""'),
        ({"keys": [1]}, "keys holds 1"),
        ({"keys": ["é" * 513]}, "keys holds "),
        ({"prefixes": []}, "prefixes is []"),
        ({"prefixes": {"a": 1}}, 'prefixes is {"a": 1}'),
        ({"prefixes": [None]}, "prefixes holds null"),
        ({"dry_run": "true"}, 'dry_run is "true"'),
        ({"dry_run": 1}, "dry_run is 1"),
        ({"reload": None}, "reload is null"),
        ({"check": "yes"}, 'check is "yes"'),
        ({"reset": 0}, "reset is 0"),
        ({"objects": ["a"]}, 'objects is ["a"]'),
        ({"objects": LIST, "mark": 1}, "mark is 1"),
        ({"check": True, "keys": ["a"]}, "check goes alone, not with 'keys'"),
        ({"reset": True, "dry_run": True}, "reset goes alone, not with 'dry_run'"),
        ({"check": True, "reset": True}, "check goes alone, not with 'reset'"),
        ({"reload": True}, "reload replaces"),
        ({"reload": True, "dry_run": True}, "reload replaces"),
        ({"objects": LIST, "keys": ["a"]}, "objects is the trigger's"),
        ({"objects": LIST, "prefixes": ["a"]}, "objects is the trigger's"),
        ({"objects": LIST, "mark": MARK, "dry_run": True}, "objects is the trigger's"),
        # A mark by hand would move the sweep's: what is older would never be swept again.
        ({"mark": MARK}, "mark is the sweep's"),
        ({"mark": MARK, "keys": ["a"]}, "mark is the sweep's"),
        ({"objects": LIST, "mark": "yesterday"}, 'mark is "yesterday"'),
        ({"objects": LIST, "mark": "2026-11-23T20:30:00"}, "mark is "),
    ],
)
def test_refused_by_the_field(document: Any, says: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(document)
    assert says in str(refused.value)


def test_an_error_stays_short_whatever_was_given() -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"keys": "x" * 200_000})
    assert len(str(refused.value)) < 300
