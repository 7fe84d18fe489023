"""The conformance cases of the local Redshift, against the target: in schemas of the run, some at a time.

Plain queries go forty in a batch of AUTO_COMMIT; every other case is three or four requests in a session of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from conformance.model import Case, read_topic, read_topics
from conformance.runner import AT_ONCE, Difference

from verify.results import AS_EXPECTED, AS_NOTED, NOT_POSSIBLE, NOT_TRIED, OTHER, Result, short
from verify.run import Run

PART = "conformance"
PORTABLE, SUPERUSER, LOCAL_ONLY = "portable", "superuser", "local"

RIGHTS = re.compile(
    r"access ?denied|not authorized|permission denied|must be (a )?superuser|must be (the )?owner"
    r"|insufficient privilege",
    re.IGNORECASE,
)
"""An answer that speaks of rights says nothing about what was asked."""
NOT_HERE = {
    SUPERUSER: "it needs a superuser (--superuser)",
    LOCAL_ONLY: "it is about the local server",
}
FAILURES = (ClientError, BotoCoreError, TimeoutError)


def cases_of(
    *, local: bool, superuser: bool, pattern: str = "", limit: int = 0, more: Sequence[Path] = ()
) -> tuple[list[Case], list[Case]]:
    """The cases to run, and those that are not for this target.

    pattern   is looked for in the ids of the repository's own cases
    more      topic files with other cases, all of which are run
    """
    wanted = {PORTABLE}
    wanted |= {SUPERUSER} if superuser or local else set()
    wanted |= {LOCAL_ONLY} if local else set()
    named = [case for topic in read_topics() for case in topic.cases if pattern in case.id]
    other = [case for path in more for case in read_topic(path).cases]
    chosen = [case for case in named if case.where in wanted]
    others = [case for case in named if case.where not in wanted]
    return (chosen[:limit] if limit else chosen) + other, others


def check(run: Run, cases: Sequence[Case], others: Sequence[Case], at_a_time: int) -> None:
    """A result for each case; those for which the time is too short are not tried."""
    for case in others:
        run.add(_result(case, NOT_POSSIBLE, note=NOT_HERE[case.where]))
    left, reason = _able(run, cases)
    for case in cases:
        if case not in left:
            why = next(reason[right] for right in _needs(case) if right in reason)
            run.add(_result(case, NOT_POSSIBLE, note=why))
    plain = [case for case in left if case.is_plain]
    runner = run.runner("c")

    def together(some: Sequence[Case]) -> None:
        if run.deadline.over:
            for case in some:
                run.add(_result(case, NOT_TRIED))
            return
        started = time.monotonic()
        try:
            answers = runner.check_plain(some)
        except FAILURES:  # one that the Data API itself refuses: each alone
            for case in some:
                alone(case)
            return
        seconds = (time.monotonic() - started) / len(some)
        for case, difference in zip(some, answers, strict=True):
            run.add(judged(case, difference, seconds))

    def alone(case: Case) -> None:
        if run.deadline.over:
            run.add(_result(case, NOT_TRIED))
            return
        started = time.monotonic()
        difference: BaseException | None = None
        try:
            runner.check(case)
        except (Difference, *FAILURES) as error:
            difference = error
        except Exception as error:  # an answer of a shape that nobody foresaw
            difference = Difference("outcome", case.sql or case.call, "an answer", repr(error))
        run.add(judged(case, difference, time.monotonic() - started))
        _progress(run, len(cases))

    with ThreadPoolExecutor(at_a_time) as pool:
        batches = [plain[start : start + AT_ONCE] for start in range(0, len(plain), AT_ONCE)]
        list(pool.map(together, batches))
        list(pool.map(alone, [case for case in left if not case.is_plain]))


def judged(case: Case, difference: BaseException | None, seconds: float = 0.0) -> Result:
    """The result of a case that was run."""
    if difference is None:
        return _result(case, AS_EXPECTED, seconds=seconds)
    if not isinstance(difference, Difference):
        return _result(case, NOT_POSSIBLE, note=short(difference), seconds=seconds)
    outcome, note = OTHER, case.note
    if RIGHTS.search(difference.got) and not RIGHTS.search(difference.expected):
        outcome, note = NOT_POSSIBLE, f"a right is missing: {short(difference.got)}"
    elif case.status == "approximate" and difference.kind in ("text", "rows"):
        outcome = AS_NOTED
    elif difference.kind == "text" and _same_words(difference.expected, difference.got):
        return _result(case, AS_EXPECTED, seconds=seconds)
    return _result(
        case,
        outcome,
        statement=short("\n".join([*(f"{sql};" for sql in case.setup), difference.statement])),
        expected=short(difference.expected),
        got=short(difference.got),
        note=note,
        seconds=seconds,
    )


def _same_words(expected: str, got: str) -> bool:
    """Whether an error is the expected one but for case, quotes and blanks."""
    plain = [re.sub(r"[\s\"'`.]+", " ", text).strip().lower() for text in (expected, got)]
    return plain[0].removeprefix("the error ") in plain[1]


def _result(case: Case, outcome: str, **more: object) -> Result:
    told = case.told if case.told != case.name else ""
    return Result(PART, case.id, outcome, question=told, source=case.page, **more)  # type: ignore[arg-type]


def _progress(run: Run, total: int) -> None:
    done = sum(result.part == PART for result in run.results)
    if done % 50 == 0:
        run.say(f"conformance: {done} of {total} cases, {run.deadline.used:,.0f} s")


# -- what needs a right -----------------------------------------------------------------------

SCHEMA, COPY, UNLOAD = "a schema", "COPY", "UNLOAD"


def _needs(case: Case) -> list[str]:
    texts = " ".join([*case.setup, *case.batch, case.sql])
    needed = [] if case.is_plain else [SCHEMA]
    if "${role}" in texts:
        needed.append(UNLOAD if "UNLOAD" in texts.upper() else COPY)
    return needed


def _able(run: Run, cases: Iterable[Case]) -> tuple[list[Case], dict[str, str]]:
    """The cases that the rights at hand allow, and why others are not possible: each right is tried once."""
    listed = list(cases)
    reason: dict[str, str] = {}
    for right in (SCHEMA, COPY, UNLOAD):
        if SCHEMA not in reason and any(right in _needs(case) for case in listed):
            reason |= {right: why} if (why := _refusal(run, right)) else {}
    allowed = [case for case in listed if not reason.keys() & set(_needs(case))]
    return allowed, reason


def _refusal(run: Run, right: str) -> str:
    """Why it may not be done; '' if it may."""
    if right != SCHEMA and not run.place.role:
        return f"{right} needs a role: give its ARN (ROLE=)"
    runner = run.runner("r")
    target = runner.target
    key, schema = f"{target.root}{right.lower()}", f"{target.schemas}_{right[-4:].lower()}"
    try:
        session = runner.open(schema, ["CREATE TABLE a (a INT)"])
    except Difference as refused:
        return (
            f"no schema can be created, GRANT CREATE ON DATABASE {target.database} is needed: {refused.got}"
            if RIGHTS.search(refused.got)
            else f"no schema can be created: {refused.got}"
        )
    error = ""
    if right != SCHEMA:
        to = f"'s3://{target.bucket}/{key}' IAM_ROLE '{target.role}'"
        target.s3.put_object(Bucket=target.bucket, Key=f"{key}/a.json", Body=b'{"a": 1}')
        copy = f"COPY a FROM {to} JSON 'auto'"
        unload = f"UNLOAD ('SELECT 1') TO {to} ALLOWOVERWRITE"
        error = runner.run(copy if right == COPY else unload, session).error
    runner.close(schema, session)
    return f"{right} with this role fails: {error.splitlines()[0]}" if error else ""
