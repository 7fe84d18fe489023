"""Applies each mutant to a copy of the tree and runs its test there; the test must fail, and without it pass."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from xml.etree import ElementTree

from tests.mutants.catalogue import MUTANTS, Mutant, Stale

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 2
SECONDS = 180  # a test that does not end fails

KILLED, SURVIVED, BROKEN = "killed", "SURVIVED", "BROKEN"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant; ``told`` is what pytest said of one that is broken."""

    mutant: Mutant
    verdict: str
    seconds: float
    told: str = ""


class Copies:
    """Copies of the tree, one for each worker."""

    def __init__(self, folder: Path, number: int) -> None:
        self._idle: SimpleQueue[Path] = SimpleQueue()
        for n in range(number):
            self._idle.put(_copied(folder / str(n)))

    def judge(self, mutant: Mutant) -> Outcome:
        """Runs the mutant's test with it."""
        began = time.monotonic()
        tree = self._idle.get()
        try:
            originals = {path: (tree / path).read_bytes() for path in _paths(mutant)}
            for path, text in mutant.applied(ROOT).items():
                (tree / path).write_text(text, encoding="utf-8")
            verdict, told = _run(tree, [mutant.test])
            for path, body in originals.items():
                (tree / path).write_bytes(body)
        except Stale as stale:
            verdict, told = BROKEN, str(stale)
        finally:
            self._idle.put(tree)
        return Outcome(mutant, verdict, time.monotonic() - began, told)

    def unchanged(self, tests: Iterable[str]) -> tuple[str, str]:
        """Runs the tests without a mutant: they must all survive it."""
        tree = self._idle.get()
        try:
            return _run(tree, sorted(set(tests)))
        finally:
            self._idle.put(tree)


def _paths(mutant: Mutant) -> list[str]:
    return [edit.path for edit in mutant.edits]


def _copied(tree: Path) -> Path:
    """A copy of all files that are not ignored by git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    return tree


def _run(tree: Path, tests: list[str]) -> tuple[str, str]:
    """(verdict, what pytest said) of the tests in a tree: killed if a test failed, broken if none could run."""
    report = tree.with_suffix(".xml")
    report.unlink(missing_ok=True)
    options = ["-q", "-x", "-p", "no:cacheprovider", f"--timeout={SECONDS}", f"--junitxml={report}"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests], cwd=tree, capture_output=True, text=True
    )
    if not report.exists():
        return BROKEN, ended.stdout[-3000:] + ended.stderr[-3000:]
    figures = {"tests": 0, "failures": 0, "errors": 0}
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 - our own file
        figures = {name: count + int(suite.get(name, 0)) for name, count in figures.items()}
    if figures["failures"]:
        return KILLED, ended.stdout[-6000:]
    if figures["errors"] or not figures["tests"]:
        return BROKEN, ended.stdout[-6000:]
    return SURVIVED, ""


def outcomes(mutants: Iterable[Mutant], copies: Copies) -> Iterator[Outcome]:
    """As they come."""
    with ThreadPoolExecutor(WORKERS) as pool:
        for judged in as_completed([pool.submit(copies.judge, mutant) for mutant in mutants]):
            yield judged.result()


def main(words: list[str]) -> int:
    """All mutants, or those whose names have one of the words; the exit code."""
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    if not chosen:
        print(f"No mutant's name has one of {words}.", file=sys.stderr)
        return 2
    width = max(len(mutant.name) for mutant in chosen)
    bad: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = Copies(Path(folder), WORKERS)
        with ThreadPoolExecutor(1) as aside:
            unchanged = aside.submit(copies.unchanged, [mutant.test for mutant in chosen])
            print(f"{'mutant':{width}}  result    seconds  test")
            print(f"{'-' * width}  --------  -------  ----")
            for one in outcomes(chosen, copies):
                test = one.mutant.test.partition("::")[2]
                print(
                    f"{one.mutant.name:{width}}  {one.verdict:8}  {one.seconds:7.1f}  {test}",
                    flush=True,
                )
                if one.verdict != KILLED:
                    bad.append(one)
            verdict, told = unchanged.result()
    for one in bad:
        if one.told:
            print(f"\n{one.mutant.name}:\n{one.told}")
    if verdict != SURVIVED:
        print(f"\nWithout a mutant these tests must pass, and do not:\n{told}")
        return 1
    print(
        f"\n{len(chosen)} mutants, {len(chosen) - len(bad)} killed; without a mutant all their tests pass"
    )
    return 1 if bad else 0
