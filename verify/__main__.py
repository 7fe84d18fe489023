"""make verify: the preflight, the probes, generated data and the conformance cases against a deployed stack on AWS.

Exit code: 0 without a difference, 1 with one, 2 if it could not run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local.problem import Problem
from verify import bounds, conformance, data, preflight, probes
from verify.bounds import Deadline, Estimate, TimeIsUp
from verify.cleaning import Cleaner
from verify.place import LOCAL, PREFIX, SCHEMAS, Place, find
from verify.results import NOT_POSSIBLE, OTHER, Report, Result
from verify.run import Run, new_id

FOLDER = Path(__file__).resolve().parent
ORDER = ("preflight", "probes", "data", "conformance")
"""The most important part first; the time limit cuts the cases."""
OF_A_STACK = ("preflight", "data")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(
        prog="python -m verify",
        description="Tries against a real AWS what this repository claims. Uses your own credentials.",
        epilog="Says what it will create, how long and at what cost, and asks. Rights: docs/verify.md.",
    )
    where = whole.add_argument_group("what is verified")
    where.add_argument("--stack", help=f"a deployed stack; {LOCAL}: the local AWS (make up)")
    where.add_argument("--workgroup", help="without a stack: a serverless workgroup")
    where.add_argument("--database", help="of the workgroup (dev)")
    where.add_argument("--bucket", help="for the cases' files (default: the stack's work bucket)")
    where.add_argument(
        "--role", help="ARN of the role with which COPY reads that bucket (default: the stack's)"
    )
    where.add_argument(
        "--rpu", type=float, help="base capacity, if these credentials cannot read it"
    )
    what = whole.add_argument_group("what is done")
    what.add_argument("--only", nargs="+", choices=ORDER, metavar="PART", help=", ".join(ORDER))
    what.add_argument("--cases", default="", help="only cases whose id has this text")
    what.add_argument("--more", type=Path, nargs="+", default=[], help="files with more cases")
    what.add_argument("--limit", type=int, default=0, help="at most this many cases")
    what.add_argument("--probe", default="", help="only probes whose id has this text")
    what.add_argument("--superuser", action="store_true", help="also cases that need a superuser")
    what.add_argument(
        "--clean", action="store_true", help="only remove what interrupted runs left behind"
    )
    how = whole.add_argument_group("bounds and consent")
    how.add_argument("--yes", action="store_true", help="do not ask")
    how.add_argument(
        "--yes-this-stack-holds-only-test-data",
        action="store_true",
        dest="test_data",
        help="load generated files although the stack's tables are not empty",
    )
    how.add_argument("--minutes", type=float, default=bounds.MINUTES, help="stop after this many")
    how.add_argument("--dollars", type=float, default=bounds.DOLLARS, help="stop at this cost")
    how.add_argument("--at-a-time", type=int, default=bounds.AT_A_TIME, help="cases at a time")
    how.add_argument("--out", type=Path, default=FOLDER, help="folder of the reports")
    return whole


def main(words: list[str] | None = None) -> int:
    """Runs it. An expected failure is one line, not a traceback."""
    given = parser().parse_args(words)
    try:
        place = find(given)
        return clean(place, yes=given.yes) if given.clean else verify(given, place)
    except Problem as problem:
        print(f"verify: {problem}", file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        print(f"verify: AWS returned an error: {error}", file=sys.stderr)
    except TimeIsUp:
        print("verify: the time is up; run --clean again to continue", file=sys.stderr)
    except (OSError, ValueError) as error:  # a file of --more, or the folder of --out
        print(f"verify: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nverify: interrupted; --clean removes what it left behind", file=sys.stderr)
    return 2


def agreed(lines: list[str], question: str, *, yes: bool) -> bool:
    """Shows the plan and asks for consent; without a terminal --yes is required."""
    print("\n".join(lines), flush=True)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise Problem(
            "Not a terminal, so consent cannot be asked for. Pass --yes (ARGS=--yes) if you agree."
        )
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def verify(given: argparse.Namespace, place: Place) -> int:
    """Plans, asks, runs, cleans up, reports."""
    parts = [part for part in ORDER if part in (given.only or ORDER)]
    cases, others = conformance.cases_of(
        local=place.local,
        superuser=given.superuser,
        pattern=given.cases,
        limit=given.limit,
        more=given.more,
    )
    asked = tuple(probe for probe in probes.read_probes() if given.probe in probe.id)
    possible = [part for part in parts if place.stack or part not in OF_A_STACK]
    expected = bounds.estimate(
        possible, cases, len(asked), rpu=place.rpu, at_a_time=given.at_a_time
    )
    seconds = bounds.bound(expected, minutes=given.minutes, dollars=given.dollars)
    if not seconds:
        raise Problem(
            f"At {place.rpu:g} RPU the limit of ${given.dollars:.2f} is reached before the first question."
            f" {expected.allow}"
        )
    run = Run(new_id(), place, Deadline(seconds))
    lines = plan(run, possible, expected, len(cases), len(asked), given.dollars)
    if not agreed(lines, "Start?", yes=given.yes):
        raise Problem("Nothing was started.")
    started, report = datetime.now(UTC), None
    run.deadline = Deadline(seconds)
    steps: dict[str, Callable[[], None]] = {
        "preflight": lambda: preflight.check(run),
        "probes": lambda: probes.check(run, asked),
        "data": lambda: data.check(run, consent=given.test_data),
        "conformance": lambda: conformance.check(run, cases, others, given.at_a_time),
    }
    try:
        for part in parts:
            if part not in possible:
                preflight.without_stack(run, part)
                continue
            try:
                steps[part]()
            except (ClientError, BotoCoreError, TimeoutError) as error:
                run.add(Result(part, f"{part}: the rest", NOT_POSSIBLE, note=str(error)))
    finally:
        over = run.deadline.over
        clean_up(run)
        report = Report(
            run=run.id,
            started=started,
            target={**place.described, "commit": commit()},
            local=place.local,
            hidden=place.hidden,
            results=run.results,
            seconds=run.deadline.used,
            stopped=f"the bound of {seconds:,.0f} s was reached" if over else "",
            estimate={"seconds": round(expected.seconds), "dollars": round(expected.dollars, 2)},
        )
        written = report.write(given.out)
    print(report.page())
    print(f"Written: {written[0]} and {written[1]}")
    return report.exit_code


def plan(
    run: Run, parts: list[str], expected: Estimate, cases: int, asked: int, dollars: float
) -> list[str]:
    """The plan that a person agrees to."""
    place, stack = run.place, run.place.stack
    told = ", ".join(f"{name} {value}" for name, value in place.described.items())
    lines = [f"make verify: {told}", "It will"]
    if "preflight" in parts:
        lines.append('- start an execution with {"check": true}')
    if "probes" in parts:
        lines.append(f"- ask {asked} questions: SQL, TestState, two SQS queues {run.prefix}-…")
    if "data" in parts and stack:
        files = data.made(stack, run.prefix)
        lines.append(
            f"- upload {files.count} small files to s3://"
            f"{stack.outputs['DataBucketName']}/ under {stack.log_prefix}{run.prefix}/ and"
            f" {stack.song_prefix}{run.prefix}/, let the stack load them, compare, undo every load"
            " (only if its tables are empty and no other files are waiting to be loaded)"
        )
        if stack.parameters.get("NotifyEmail"):
            lines.append(
                "- make the stack send email about the bad file: the address of NotifyEmail may get some"
                " (and so may other subscribers of the topic)"
            )
    if "conformance" in parts:
        lines.append(f"- run {cases} conformance cases")
    lines.append(
        f"It creates schemas {run.schemas}… in the database {place.database}, and objects under"
        f" s3://{place.bucket}/{place.root}{run.prefix}/. All of that is removed at the end. What stays: the ledger's"
        " rows of the loads, the executions' history, and logs."
    )
    minutes = run.deadline.seconds / 60
    stops = f"starts nothing new after {minutes:,.0f} minutes."
    if place.local:
        lines.append(f"On the local AWS it takes a minute or two, costs nothing, and it {stops}")
        return lines
    lines.append(f"It takes about {expected.seconds / 60:,.0f} minutes, and it {stops}")
    if place.rpu:
        lines.append(
            f"It may cost about ${expected.dollars:.2f}: {expected.seconds / 60:,.0f} minutes of {place.rpu:g} RPU"
            f" ${expected.warehouse_dollars:.2f}, everything else ${expected.other_dollars:.2f}. It stops at"
            f" ${dollars:.2f}, including the clean-up."
        )
        if dollars < expected.most:
            lines.append(f"That limit cuts the run short. {expected.allow}")
    else:
        lines.append(
            f"It may cost about ${expected.other_dollars:.2f} beyond the cluster's hours, which it does not add to."
        )
    return lines


def clean_up(run: Run) -> None:
    """Removes what the run created, in every case; anything that is left counts as a difference."""
    bound = run.deadline.seconds
    run.deadline.seconds = run.deadline.used + bounds.CLEANING_SECONDS
    left, on_its_way = undo_left(run) if run.uploaded else ([], False)
    cleaner = Cleaner(run.place, run.id, keep_data=on_its_way)
    done, wrong = cleaner.clean()
    run.deadline.seconds = bound
    run.say(f"cleaned up: {', '.join(done) or 'nothing was left'}")
    for text in wrong:
        what, _, got = text.partition(": ")
        left.append(_left(what, got))
    for text in cleaner.may_stay:
        left.append(Result("cleaning", "versions of objects", NOT_POSSIBLE, note=text))
    for result in left:
        run.add(result)


def _left(what: str, got: str, note: str = "--clean tries again") -> Result:
    return Result("cleaning", what, OTHER, expected="removed", got=got, note=note)


def undo_left(run: Run) -> tuple[list[Result], bool]:
    """Undoes the loads of the run's files; returns what is left, and whether files may still be about to load.

    First what is loaded now, because time may be short; then what was about to load.
    """
    stack = run.place.stack
    assert stack is not None  # noqa: S101 - called only with one
    loaded = data.Loaded(run, stack)
    wrong: list[data.NotUndone] = []
    left: list[Result] = []
    try:
        wrong = data.undo(run, loaded, None, "left")
        data.settle(loaded, run.prefix)
        wrong = data.undo(run, loaded, None, "later")
    except (data.Refused, TimeIsUp, TimeoutError, ClientError, BotoCoreError) as error:
        why = str(error) or "the time for cleaning up is over"
        note = (
            "files of this run may still be loaded by the stack, so their objects were kept. Wait until its executions "
            "have ended, then --clean undoes the loads and deletes the objects"
        )
        left.append(_left("uploads on their way", why, note))
    for load in wrong:
        left.append(_left(f"load {load.load_id}", load.why, load.to_do or "--clean tries again"))
    return left, any(result.id == "uploads on their way" for result in left)


def clean(place: Place, *, yes: bool) -> int:
    """--clean: removes what interrupted runs left behind, and nothing with another prefix."""
    run = Run(f"clean{new_id()}", place, Deadline(bounds.MINUTES * 60))
    cleaner = Cleaner(place)
    found = cleaner.found()
    loads: list[data.Load] = []
    ours = data.Loaded(run, place.stack) if place.stack else None
    if ours:
        try:
            data.settle(ours, PREFIX)
            loads = ours.loads(PREFIX)
        except data.Refused as reason:
            raise Problem(f"Loads of earlier runs cannot be found: {reason}.") from reason
    lines = [*found, *map(_listed, loads)]
    if not lines:
        print(f"Nothing is left of earlier runs ({PREFIX}…, {SCHEMAS}…).")
        return 0
    if not agreed(["Left of earlier runs:", *(f"- {line}" for line in lines)], "Remove?", yes=yes):
        raise Problem("Nothing was removed.")
    wrong = data.undo(run, ours, None, "found", PREFIX) if ours and loads else []
    done, left = cleaner.clean()
    if undone := len(loads) - len(wrong):
        done = [f"{undone:,} loads (undone)", *done]
    print("Removed: " + (", ".join(done) or "nothing"))
    told = [f"load {load.load_id}: {load.why}. {load.to_do}".rstrip(" .") + "." for load in wrong]
    for text in [*told, *left]:
        print(f"Not removed: {text}", file=sys.stderr)
    for text in cleaner.may_stay:
        print(f"Not known: {text}", file=sys.stderr)
    return 1 if wrong or left else 0


def _listed(load: data.Load) -> str:
    """A load as --clean lists it."""
    what = f"not undone: {load.why_not}" if load.why_not else "to be undone"
    return f"load {load.id}, {load.files:,} files, {what}"


def commit() -> str:
    """The commit of the checkout."""
    ended = subprocess.run(
        ["git", "-C", str(FOLDER), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ended.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
