"""docs/evidence.md: an entry for each thing of AWS that the loader relies on, with its evidence or its risk."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.world.template import _document
from tools import evidence
from verify import data, probes

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = evidence.entries()
TYPES = sorted(
    {resource["Type"] for resource in _document(ROOT / "template.yaml")["Resources"].values()}
)
DEFINITION = json.loads((ROOT / "statemachine" / "load.asl.json").read_text(encoding="utf-8"))
PLACES = ("Arguments", "Output", "Assign", "Items", "ItemSelector", "Condition", "Cause", "Error")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.line}-{entry.ids[0]}")
def test_an_entry_has_an_address_or_says_what_if_it_is_wrong(entry: evidence.Entry) -> None:
    assert entry.section
    if entry.assumed:
        assert len(entry.ids) == 1, "one assumption an entry, for they are counted"
        assert evidence.IF_WRONG.search(entry.text), entry.text
        assert evidence.NOTICED.search(entry.text), entry.text
    else:
        assert entry.addresses
        assert all(re.fullmatch(r"https://[\w.-]+/\S+", a) for a in entry.addresses), (
            entry.addresses
        )
        assert "If it is wrong" not in entry.text, "what has a cure is assumed: say so"


def test_at_most_ten_are_assumed() -> None:
    assert 0 < sum(entry.assumed for entry in ENTRIES) <= evidence.MOST_ASSUMED


def test_what_a_probe_calls_assumed_is_assumed() -> None:
    """Otherwise an entry that has found its evidence, or is gone, would still be asked for as an assumption."""
    asked = {name for probe in probes.read_probes() for name in probe.assumed} | {*data.ASSUMED}
    assert asked == {name for entry in ENTRIES if entry.assumed for name in entry.ids}


def test_no_cell_is_empty() -> None:
    for line in evidence.PAGE.read_text(encoding="utf-8").splitlines():
        cells = line.strip("|").replace("\\|", "").split("|") if line.startswith("|") else ()
        assert all(cell.strip() for cell in cells), line


def test_a_recording_has_its_whole_date() -> None:
    """LocalStack keeps the day of each; a year alone cannot be looked up."""
    text = evidence.PAGE.read_text(encoding="utf-8")
    assert re.search(r"\[recorded \d{4}-\d\d-\d\d\]", text)
    assert not re.search(r"\[recorded (?!\d{4}-\d\d-\d\d\])", text)


def test_an_id_stands_once_in_its_section() -> None:
    sections = {entry.section for entry in ENTRIES}
    assert sections == {
        "SQL",
        "Transactions and sessions",
        "What COPY reports",
        "Data API",
        "CloudFormation",
        "State machine",
        "Events and functions",
    }
    for section in sections:
        assert evidence.ids_of(section, ENTRIES)  # ValueError for a second one


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_of_resource_has_an_entry(kind: str) -> None:
    ids = evidence.ids_of("CloudFormation", ENTRIES)
    assert [name for name in ids if name == kind or name.startswith(f"{kind} ")]


def operations() -> set[str]:
    """The operations of the Data API that the functions call, as AWS writes them."""
    text = (ROOT / "functions" / "loader" / "dataapi.py").read_text(encoding="utf-8")
    called = re.findall(r"client\.([a-z]+(?:_[a-z]+)+)\(", text)
    return {"".join(word.title() for word in name.split("_")) for name in called}


def test_each_call_of_the_data_api_has_an_entry() -> None:
    assert len(operations()) == 5
    assert operations() <= evidence.ids_of("Data API", ENTRIES).keys()


@pytest.mark.parametrize(
    "parameter", ["ClientToken", "StatementName", "WaitTimeSeconds", "ExecutionMode TRANSACTION"]
)
def test_each_parameter_of_a_submission_has_an_entry(parameter: str) -> None:
    text = (ROOT / "functions" / "loader" / "dataapi.py").read_text(encoding="utf-8")
    assert f'"{parameter.split()[0]}"' in text
    assert parameter in evidence.ids_of("Data API", ENTRIES)


def uses(value: Any, place: str = "", catch: bool = False) -> Iterator[str]:
    """What a definition uses of JSONata: the places, the variables, the functions, the operators."""
    if isinstance(value, dict):
        for name, inner in value.items():
            here = place or (name if name in PLACES else "")
            yield from uses(inner, here, catch or name == "Catch")
    elif isinstance(value, list):
        for inner in value:
            yield from uses(inner, place, catch)
    elif isinstance(value, str) and value.startswith("{%"):
        yield f"Catch {place}" if catch else place
        expression = re.sub(r"'[^']*'", "''", value[2:-2])
        yield from re.findall(r"\$states\.(?:context\.)?\w+", expression)
        yield from (f"${name}" for name in re.findall(r"\$(\w+)\(", expression))
        yield from {"in"} if re.search(r"\bin \[", expression) else ()
        yield from {"? :"} if "?" in expression else ()
        yield from {"[a..b]"} if ".." in expression else ()
        yield from {"[predicate]"} if re.search(r"\w\[[^\]]*[=<>]", expression) else ()


def test_each_use_of_jsonata_has_an_entry() -> None:
    used = set(uses(DEFINITION))
    assert {"Arguments", "Output", "Assign", "Items", "Condition", "Cause", "$states.input"} <= used
    missing = used - evidence.ids_of("State machine", ENTRIES).keys()
    assert not missing, f"add to docs/evidence.md, State machine: {sorted(missing)}"


def test_a_use_that_is_new_is_seen() -> None:
    state = {
        "Output": {"x": "{% $sum($states.context.Task.Token ~> $f[a > 1]) %}"},
        "Catch": [{"Output": "{% $states.errorOutput ? 1 : 2 %}"}],
        "Items": "{% [1..$n] %}",
        "Choices": [{"Condition": "{% 'a..b?' in ['x'] %}"}],
    }
    assert set(uses(state)) == {
        "Output", "$sum", "$states.context.Task", "[predicate]", "Catch Output", "$states.errorOutput", "? :",
        "Items", "[a..b]", "Condition", "in",
    }  # fmt: skip


def test_each_retrier_and_timeout_has_an_entry() -> None:
    text = json.dumps(DEFINITION)
    ids = evidence.ids_of("State machine", ENTRIES)
    for name in ("Retry", "TimeoutSeconds"):
        assert f'"{name}"' in text
        assert name in ids


def test_a_cell_may_hold_a_bar_and_several_ids() -> None:
    text = "## SQL\n\n| form | evidence |\n| --- | --- |\n| `\\|\\|`, `a`, ``b ` c`` | https://x.example/y |\n"
    (entry,) = evidence.entries(text)
    assert entry.ids == ("||", "a", "b ` c")
    assert entry.addresses == ("https://x.example/y",)
    assert entry.line == 5
