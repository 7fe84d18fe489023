"""The input of an execution: what is accepted, and errors that name the field."""

from typing import Any

import pytest
from loader.request import BadRequest, Request, parse

MARK = "2026-11-23T20:30:00+00:00"
LIST = "s3://working/events/s3-1.json.gz"
LOAD = "20261123-203011-0a1b2c3d"
OTHER = "20261123-203012-1f2e3d4c"


@pytest.mark.parametrize(
    ("document", "request_"),
    [
        ({}, Request()),
        ({"prefixes": ["log_data/2018/"]}, Request(prefixes=("log_data/2018/",))),
        # Only what is named by key is tried again although it was rejected or withdrawn.
        ({"keys": ["b", "a", "b"]}, Request(keys=("b", "a"), named=True)),
        ({"keys": ["k"], "prefixes": ["p"]}, Request(keys=("k",), prefixes=("p",), named=True)),
        ({"dry_run": True}, Request(dry_run=True)),
        ({"dry_run": False, "reload": False, "check": False, "reset": False}, Request()),
        ({"reload": True, "keys": ["k"]}, Request("reload", keys=("k",), named=True)),
        (
            {"reload": True, "prefixes": ["p"], "dry_run": True},
            Request("reload", prefixes=("p",), dry_run=True),
        ),
        ({"check": True}, Request("check")),
        ({"reset": True}, Request("reset")),
        ({"migrate": True}, Request("migrate")),
        ({"redo": LOAD}, Request(redo=LOAD, named=True)),
        ({"redo": LOAD, "dry_run": True}, Request(redo=LOAD, named=True, dry_run=True)),
        ({"objects": LIST}, Request(objects=LIST)),
        ({"objects": LIST, "mark": ""}, Request(objects=LIST)),
        ({"objects": LIST, "mark": MARK}, Request(objects=LIST, mark=MARK)),
        ({"objects": LIST, "mark": "", "reload": True}, Request("reload", objects=LIST)),
        ({"objects": LIST, "named": True}, Request(objects=LIST, named=True)),
        (
            {"objects": LIST, "mark": MARK, "ended": [LOAD, OTHER]},
            Request(objects=LIST, mark=MARK, ended=(LOAD, OTHER)),
        ),
        ({"objects": LIST, "mark": MARK, "ended": []}, Request(objects=LIST, mark=MARK)),
        ({"undo": LOAD}, Request("undo", undo=LOAD)),
        ({"undo": LOAD, "dry_run": True}, Request("undo", dry_run=True, undo=LOAD)),
        ({"undo": LOAD, "dry_run": False}, Request("undo", undo=LOAD)),
        ({"keys": ["é" * 512]}, Request(keys=("é" * 512,), named=True)),
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
        ({"migrate": 1}, "migrate is 1"),
        ({"migrate": True, "keys": ["a"]}, "migrate goes alone, not with 'keys'"),
        ({"migrate": True, "dry_run": True}, "migrate goes alone, not with 'dry_run'"),
        ({"redo": LOAD[:-1]}, "redo is "),
        ({"redo": True}, "redo is true; it must be the id of a load that was undone, such as"),
        ({"redo": LOAD, "keys": ["a"]}, "redo goes alone or with dry_run, not with 'keys'"),
        ({"redo": LOAD, "undo": LOAD}, "undo goes alone or with dry_run, not with 'redo'"),
        ({"redo": LOAD, "named": True}, "redo goes alone or with dry_run, not with 'named'"),
        ({"reload": True}, "reload replaces"),
        ({"reload": True, "dry_run": True}, "reload replaces"),
        ({"objects": LIST, "keys": ["a"]}, "objects is the trigger's"),
        ({"objects": LIST, "prefixes": ["a"]}, "objects is the trigger's"),
        ({"objects": LIST, "mark": MARK, "dry_run": True}, "objects is the trigger's"),
        # A mark by hand would move the sweep's: what is older would never be swept again.
        ({"mark": MARK}, "mark, ended and named are the loader's own"),
        ({"mark": MARK, "keys": ["a"]}, "mark, ended and named are the loader's own"),
        # Nor must a person have the staging tables of a running load dropped, or load what was withdrawn by a prefix.
        ({"ended": [LOAD]}, "mark, ended and named are the loader's own"),
        ({"ended": [LOAD], "prefixes": ["p"]}, "mark, ended and named are the loader's own"),
        ({"named": True}, "mark, ended and named are the loader's own"),
        ({"named": True, "prefixes": ["p"]}, "mark, ended and named are the loader's own"),
        ({"named": "yes"}, 'named is "yes"; it must be true or false.'),
        ({"objects": LIST, "ended": LOAD}, f'ended is "{LOAD}"; it must be a list of load ids'),
        ({"objects": LIST, "ended": [LOAD, "x"]}, "it must be a list of load ids"),
        ({"objects": LIST, "ended": [1]}, "ended is [1]"),
        ({"undo": True}, "undo is true; it must be the id of a load, such as '20261123-"),
        ({"undo": ""}, 'undo is ""'),
        ({"undo": None}, "undo is null"),
        ({"undo": [LOAD]}, "undo is ["),
        ({"undo": LOAD[:-1]}, "undo is "),
        ({"undo": LOAD + "\n"}, "undo is "),
        ({"undo": LOAD.upper()}, "undo is "),
        ({"undo": LOAD, "keys": ["a"]}, "undo goes alone or with dry_run, not with 'keys'"),
        ({"undo": LOAD, "reload": True}, "undo goes alone or with dry_run, not with 'reload'"),
        ({"undo": LOAD, "objects": LIST}, "undo goes alone or with dry_run, not with 'objects'"),
        ({"undo": LOAD, "dry_run": "yes"}, 'dry_run is "yes"'),
        ({"reset": True, "undo": LOAD}, "reset goes alone, not with 'undo'"),
        ({"objects": LIST, "mark": "yesterday"}, 'mark is "yesterday"'),
        ({"objects": LIST, "mark": "2026-11-23T20:30:00"}, "mark is "),
    ],
)
def test_refused_by_the_field(document: Any, says: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(document)
    assert says in str(refused.value)


@pytest.mark.parametrize("field", ["objects", "mark", "ended", "named"])
def test_what_is_the_loaders_own_is_not_offered_to_a_person(field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"x": 1})
    assert f" {field}:" not in str(refused.value)
    assert " undo: the id of a load" in str(refused.value)


def test_an_error_stays_short_whatever_was_given() -> None:
    with pytest.raises(BadRequest) as refused:
        parse({"keys": "x" * 200_000})
    assert len(str(refused.value)) < 300
