"""A checkout of LocalStack: the executions that its tests recorded on AWS, each with its definition and input.

Nothing is fetched, and nothing of it stays: of a git directory the tests are unpacked for the time of the run.
"""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

TESTS = "tests/aws/services/stepfunctions"
COLLECT_SECONDS = 600
ENDS = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut")


class NoCheckout(Exception):
    """The path is no checkout of LocalStack, or its tests could not be read; the message says what to do."""


@dataclass(frozen=True)
class Scenario:
    """An execution: what ran, and the events that AWS recorded.

    ``replaced``: what LocalStack replaces in its records.
    """

    test: str
    recorded: str  # the date, ISO 8601
    definition: dict[str, Any]
    input: Any
    events: list[dict[str, Any]] = field(repr=False)
    replaced: tuple[tuple[str, str], ...] = ()

    @property
    def group(self) -> str:
        """The test file, without its folder: error_handling/test_states_errors."""
        return self.test.partition(".py::")[0].removeprefix(f"{TESTS}/v2/")

    @property
    def name(self) -> str:
        """The test's own name, with its parameters."""
        return self.test.rpartition("::")[2]


@contextmanager
def opened(path: Path) -> Iterator[tuple[Path, str]]:
    """The folder of a checkout, and its commit; of a git directory its tests in a temporary folder."""
    if (path / TESTS).is_dir():
        yield path, _commit(["git", "-C", str(path)])
        return
    git = ["git", f"--git-dir={path}"]
    commit = _commit(git)
    archived = subprocess.run([*git, "archive", commit, TESTS], capture_output=True, check=False)
    if archived.returncode:
        raise NoCheckout(
            f"{path} has no {TESTS}: name a checkout of github.com/localstack/localstack, or its git directory."
        )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archived.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder), commit


def _commit(git: list[str]) -> str:
    found = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    if found.returncode:
        raise NoCheckout(f"{git[-1]} says no commit: {found.stderr.strip()}")
    return found.stdout.strip()


def scenarios(folder: Path) -> list[Scenario]:
    """All executions that ended, of tests that have a recording; by the test's name."""
    recorded = dict(_snapshots(folder))
    found = []
    for test, executions in sorted(_collected(folder).items()):
        content, date = recorded.get(test, ({}, ""))
        for key, ran in executions.items():
            events = content.get(key, {}).get("events", [])
            if not events or events[-1]["type"] not in ENDS:
                continue
            if not all(isinstance(event["id"], int) for event in events):
                continue  # LocalStack has taken out what comes in any order
            several = f" {key}" if len(executions) > 1 else ""
            try:
                definition, document = json.loads(ran["definition"]), json.loads(ran["input"])
            except ValueError:
                continue
            found.append(
                Scenario(
                    test + several,
                    date,
                    definition,
                    document,
                    events,
                    tuple((regex, by) for regex, by in ran["replaced"]),
                )
            )
    return found


def _snapshots(folder: Path) -> Iterator[tuple[str, tuple[dict[str, Any], str]]]:
    for path in sorted((folder / TESTS).rglob("*.snapshot.json")):
        for test, snapshot in json.loads(path.read_text(encoding="utf-8")).items():
            date = datetime.strptime(snapshot["recorded-date"], "%d-%m-%Y, %H:%M:%S")  # noqa: DTZ007
            yield test, (snapshot["recorded-content"], date.date().isoformat())


def _collected(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """What collect.py finds, by test and by the key of the snapshot."""
    with tempfile.TemporaryDirectory() as beside:
        plugin = Path(__file__).with_name("collect.py").read_text(encoding="utf-8")
        (Path(beside) / "recorded_collect.py").write_text(plugin, encoding="utf-8")
        result = Path(beside) / "scenarios.json"
        command = [
            *(sys.executable, "-m", "pytest", "-q", "-W", "ignore", "--tb=no"),
            *("-p", "recorded_collect", "-p", "no:cacheprovider", "-p", "no:randomly"),
            *("--noconftest", "-c", os.devnull, "--rootdir", str(folder)),
            *("--import-mode=importlib", "--continue-on-collection-errors", f"{TESTS}/v2"),
        ]
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ended = subprocess.run(
            command,
            cwd=folder,
            env={
                **kept,
                "PYTHONPATH": os.pathsep.join((beside, str(folder))),
                "PYTHONDONTWRITEBYTECODE": "1",
                "RECORDED_SCENARIOS": str(result),
            },
            capture_output=True,
            text=True,
            timeout=COLLECT_SECONDS,
            check=False,
        )
        if not result.exists():
            raise NoCheckout(
                "The tests of the checkout could not be collected:\n"
                + (ended.stdout + ended.stderr)[-2000:]
            )
        collected: dict[str, dict[str, dict[str, Any]]] = json.loads(result.read_text())
    return collected
