"""No interruption, however often it comes, rejects a file: whole loads over the errors that others have seen
(tests/world/redshift_errors.toml).
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.statemachine.test_endings import COPY, failing, run
from tests.world.product import ROOT
from tests.world.scene import Answer, Reply, Submitted, scene, told, well
from tests.world.simulator import World

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")
SEEN = tomllib.loads((ROOT / "tests" / "world" / "redshift_errors.toml").read_text())
TEXTS = {
    seen["name"]: seen["text"]
    for seen in SEEN["error"]
    if seen["kind"] == "TRY_AGAIN" and "COPY" in seen["statements"]
}
FEW = (
    "cancelled by a person",
    "ended by a query monitoring rule",
    "aborted by the system",
    "throttled by S3",
    "a relation that is gone",
)
KEYS = [f"log_data/2018/11/{name}.json" for name in "abcd"]


def while_copying(text: str) -> Answer:
    """Every COPY is interrupted."""
    return failing(text, "stage", verb="COPY")


def while_looking(text: str) -> Answer:
    """COPY fails on data, and every look for the bad files is interrupted."""

    def answer(submitted: Submitted) -> Reply:
        if submitted.what == "find":
            return failing(text, "find", verb="COPY")(submitted)
        return failing(COPY, "stage", verb="COPY")(submitted)

    return answer


def of_one_file(text: str) -> Answer:
    """Every COPY of one file is interrupted, those of the others go well: that proves nothing against it."""

    def answer(submitted: Submitted) -> Reply:
        if submitted.what in ("stage", "find") and KEYS[1] in str(submitted.files):
            return Reply("FAILED", text, submitted.number_of("COPY"))
        return well(submitted)

    return answer


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with scene(tmp_path / "warehouse", well, KEYS, BatchFiles=len(KEYS)) as made:
        yield made


def rejects_of(world: World) -> list[Any]:
    """What any batch's document has of rejected files."""
    documents = [
        json.loads(world._body(world.stack.work_bucket, key))
        for key, _, _ in world._listed(world.stack.work_bucket)
        if "/batches/" in key and key.endswith(".json")
    ]
    assert documents
    return [reject for document in documents for reject in document["rejects"]]


@pytest.mark.parametrize(
    ("course", "name"),
    [
        *((while_copying, name) for name in TEXTS),
        *((course, name) for course in (while_looking, of_one_file) for name in FEW),
    ],
)
def test_an_interruption_rejects_no_file(world: World, course: Any, name: str) -> None:
    told(world).answer = course(TEXTS[name])
    ended = run(world)
    assert (ended.status, ended.error) == ("FAILED", "LoadFailed")
    report = ended.report
    assert (report["files"]["loaded"], report["rejected_total"]) == (0, 0)
    # The person reads Redshift's own words.
    assert TEXTS[name].split("\n")[0] in report["cause"]
    assert rejects_of(world) == []
    # What it was has passed: the next load has all the files.
    told(world).answer = well
    files = run(world).report["files"]
    assert (files["loaded"], files["rejected"]) == (len(KEYS), 0)


@pytest.mark.parametrize("name", FEW)
def test_an_interruption_that_passes_is_not_noticed(world: World, name: str) -> None:
    """Also by a rule of the workload management: it may be another statement that kept the warehouse busy."""
    struck: list[str] = []

    def answer(submitted: Submitted) -> Reply:
        if submitted.what == "stage" and len(struck) < 2:
            struck.append(submitted.name)
            return Reply("FAILED", TEXTS[name], submitted.number_of("COPY"))
        return well(submitted)

    told(world).answer = answer
    ended = run(world)
    assert ended.status == "SUCCEEDED", ended.report
    assert len(struck) == 2
    assert ended.report["files"]["loaded"] == len(KEYS)
