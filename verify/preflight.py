"""The preflight of the stack: an execution with {"check": true}. Each of its findings is a result."""

from __future__ import annotations

import json
from typing import Any

from local.show.report import Report, report_of
from verify.bounds import TimeIsUp
from verify.results import AS_EXPECTED, NOT_POSSIBLE, NOT_TRIED, OTHER, Result, short
from verify.run import Run

PART = "preflight"


def execute(run: Run, what: str, document: dict[str, Any]) -> Report:
    """An execution of the stack's state machine, to its end."""
    states, stack = run.place.client("stepfunctions"), run.place.stack
    assert stack is not None  # noqa: S101 - the parts of a stack are chosen only with one
    arn = states.start_execution(
        stateMachineArn=stack.outputs["StateMachineArn"],
        name=f"{run.prefix}-{what}",
        input=json.dumps(document),
    )["executionArn"]
    while True:
        execution = states.describe_execution(executionArn=arn)
        if execution["status"] != "RUNNING":
            return report_of(execution)
        run.deadline.check()
        run.sleep(run.place.look_seconds)


def check(run: Run) -> None:
    """A result for each finding, whatever its name."""
    asked = '{"check": true}'
    try:
        report = execute(run, "check", {"check": True})
    except TimeIsUp:
        run.add(Result(PART, "the preflight", NOT_TRIED, statement=asked))
        return
    findings = report.data.get("setup") or []
    if not findings:
        cause = short(report.cause if report.failed else report.data)
        run.add(
            Result(PART, "the preflight", OTHER, statement=asked, expected="findings", got=cause)
        )
    for finding in findings:
        passed = bool(finding.get("passed"))
        run.add(
            Result(
                PART,
                f"preflight: {finding['name']}",
                AS_EXPECTED if passed else OTHER,
                statement=asked,
                expected="passed",
                got=short(finding.get("found", "")),
                note="" if passed else str(finding.get("fix") or ""),
            )
        )


def without_stack(run: Run, part: str) -> None:
    """No stack was given."""
    run.add(Result(part, part, NOT_POSSIBLE, note="no stack was given (STACK=name)"))
