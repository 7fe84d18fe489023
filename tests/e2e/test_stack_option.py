"""``--stack NAME``: the path that AWS takes, by the variables of the shell, gives the answers of the local path."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.generator import DataSet
from local.problem import ASKS, USAGE, WELL
from tests.world.deployed import Project

STACK = "s3-redshift-loader-local"
FILES = dict(DataSet(songs=2, users=2, days=1, events=20, seed=3).files())
BAD = "log_data/2018/12/it's 100% a\\b ünïcode.json"
VOLATILE = ("seconds", "spent", "load_id", "execution")


def both(project: Project, *words: str) -> tuple[int, Any]:
    """The exit code and the answer of a command, which are the same by both paths; --stack says where it goes."""
    commands = ([*words, "--json"], [*words, "--json", "--stack", STACK])
    with ThreadPoolExecutor(2) as pool:  # they mostly wait
        here, there = pool.map(lambda each: project.local(*each, check=False), commands)
    assert here.returncode == there.returncode, here.stderr + there.stderr
    assert f"AWS_ENDPOINT_URL={project.variables['AWS_ENDPOINT_URL']}" in there.stderr
    answers = [json.loads(ended.stdout) for ended in (here, there)]
    assert steady(answers[0]) == steady(answers[1])
    return there.returncode, answers[1]


def steady(answer: Any) -> Any:
    """An answer without what differs from one execution to the next."""
    if not isinstance(answer, Mapping) or "load_id" not in answer:
        return answer
    return {name: value for name, value in answer.items() if name not in VOLATILE}


def test_a_stack_is_looked_at_and_undone_as_the_local_one(warehouse: Project) -> None:
    warehouse.load({**FILES, BAD: b'{"page": \n'})
    [log] = [key for key in FILES if key.startswith("log_data/")]

    code, status = both(warehouse, "status")
    assert code == ASKS
    counts = {one["dataset"]: one["files"] for one in status["datasets"]}
    assert (counts["log_data"]["loaded"], counts["log_data"]["rejected"]) == (1, 1)
    assert counts["song_data"]["loaded"] == 2
    assert (status["stack"], status["running"], status["not_shown"]) == (STACK, 0, [])

    code, found = both(warehouse, "where", log, BAD)
    assert (code, [one["key"] for one in found["files"]]) == (ASKS, sorted([log, BAD]))
    load = found["files"][0]["versions"][0]["records"][0]["load_id"]

    code, left = both(warehouse, "rejected")
    assert (code, left["again"]) == (ASKS, {"keys": [BAD]})
    assert [group["status"] for group in left["groups"]] == ["rejected"]

    _, state = both(warehouse, "report")
    assert state["level"] == "amber"
    assert state["page"].endswith("/build/loads.html")

    code, planned = both(warehouse, "undo", load, "--dry-run")
    assert (code, planned["status"], planned["undo"]["files"]) == (WELL, "planned", len(FILES))

    # What deletes rows needs the stack's name; then it does what the local command does.
    at = ("--stack", STACK)
    refused = warehouse.local("undo", load, *at, "--yes", "another", check=False)
    assert (refused.returncode, refused.stdout) == (USAGE, "")
    undone = warehouse.local("undo", load, *at, "--yes", STACK)
    assert undone.stdout.splitlines()[0].endswith("undone")
    shown = json.loads(warehouse.local("where", log, "--json", *at).stdout)
    assert [one["status"] for one in shown["files"]] == ["withdrawn"]
