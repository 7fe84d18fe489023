"""Questions that no documentation answers (probes.toml): asks each, and compares the answer with the expected one.

The answer is one text: ``rows: [[…]]``, ``error: …``, or what a function of asked.py says; ``expect`` is a pattern that
is looked for in it.
"""

from __future__ import annotations

import re
import time
import tomllib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from conformance.model import encoded
from conformance.runner import Difference, Runner

from verify import asked
from verify.asked import Asking, NotPossible
from verify.bounds import TimeIsUp
from verify.conformance import RIGHTS
from verify.results import AS_EXPECTED, AS_NOTED, NOT_POSSIBLE, NOT_TRIED, OTHER, Result, short
from verify.run import Run

PART = "probes"
PATH = Path(__file__).with_name("probes.toml")
_LOAD_ERRORS = (
    "SELECT line_number, TRIM(column_name), error_code, TRIM(error_message) FROM sys_load_error_detail"
    " WHERE query_id = {query} ORDER BY 1"
)


@dataclass(frozen=True)
class Probe:
    """One question.

    question   what is asked, for a person
    expect     a pattern of the answer, and ``expected`` the same in words
    other      what another answer means for the loader
    source     the page or thread that comes nearest to an answer
    assumed    the entries of docs/evidence.md that it answers
    setup      statements before; ``objects`` lie under s3://${bucket}/${prefix}/
    sql        the statement, or ``batch`` as one transaction; ``parameters`` of the Data API
    after      a query whose rows are the answer
    ask        instead of all these, a function of asked.py
    local      why the local AWS is known to answer otherwise; '' if it does not
    """

    id: str
    question: str
    expect: str
    expected: str
    other: str
    source: str
    assumed: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    objects: dict[str, Any] = field(default_factory=dict)
    sql: str = ""
    batch: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    after: str = ""
    ask: str = ""
    local: str = ""

    @property
    def statement(self) -> str:
        texts = [*self.setup, self.sql, *self.batch, self.after]
        return "\n".join(f"{text};" for text in texts if text) or f"verify/asked.py, {self.ask}"


@cache
def read_probes(path: Path = PATH) -> tuple[Probe, ...]:
    """All of them; raises ValueError for one that is not as it should be."""
    known = {f.name for f in fields(Probe)}
    found = []
    for given in tomllib.loads(path.read_text(encoding="utf-8"))["probe"]:
        if others := sorted(set(given) - known):
            raise ValueError(f"{given.get('id')}: unknown keys {others}")
        probe = Probe(**given)
        if [probe.sql != "", probe.batch != [], probe.ask != ""].count(True) != 1:
            raise ValueError(f"{probe.id}: has to have one of sql, batch and ask")
        if probe.ask and not hasattr(asked, probe.ask):
            raise ValueError(f"{probe.id}: asked.py has no {probe.ask}")
        re.compile(probe.expect)
        found.append(probe)
    ids = [probe.id for probe in found]
    if len(set(ids)) != len(ids):
        raise ValueError("two probes have one id")
    return tuple(found)


def check(run: Run, probes: tuple[Probe, ...]) -> None:
    """A result for each probe, one after another, because several are about locks and times."""
    runner = run.runner("p")
    for probe in probes:
        if run.deadline.over:
            run.add(_result(probe, NOT_TRIED))
            continue
        run.say(f"probe: {probe.id}")
        started = time.monotonic()
        try:
            answer = ask(run, runner, probe)
        except NotPossible as reason:
            run.add(_result(probe, NOT_POSSIBLE, note=str(reason)))
        except TimeIsUp:
            run.add(_result(probe, NOT_TRIED))
        except (ClientError, BotoCoreError, TimeoutError) as error:
            run.add(_result(probe, NOT_POSSIBLE, note=short(error)))
        else:
            took = time.monotonic() - started
            run.add(judged(probe, answer, took, local=run.place.local))


def judged(probe: Probe, answer: str, seconds: float = 0.0, *, local: bool = False) -> Result:
    """The result of an answer; ``local`` if the local AWS gave it."""
    if re.search(probe.expect, answer, re.IGNORECASE | re.DOTALL):
        return _result(probe, AS_EXPECTED, got=short(answer), seconds=seconds)
    if RIGHTS.search(answer):
        return _result(probe, NOT_POSSIBLE, note=f"a right is missing: {short(answer)}")
    known_gap = local and probe.local
    return _result(
        probe,
        AS_NOTED if known_gap else OTHER,
        statement=probe.statement,
        expected=probe.expected,
        got=short(answer),
        note=f"a known gap of the local AWS: {probe.local}" if known_gap else probe.other,
        seconds=seconds,
    )


def _result(probe: Probe, outcome: str, **more: object) -> Result:
    return Result(
        PART, probe.id, outcome, question=probe.question, source=probe.source, **more  # type: ignore[arg-type]
    )  # fmt: skip


_numbers = iter(range(1, 1_000_000))


def ask(run: Run, runner: Runner, probe: Probe) -> str:
    """The answer to a probe, as text."""
    target = runner.target
    schema = f"{target.schemas}{next(_numbers)}"
    if (probe.objects or "${role}" in probe.statement) and not run.place.role:
        raise NotPossible("COPY needs a role: pass its ARN (ROLE=)")
    words = {
        "schema": schema,
        "bucket": target.bucket,
        "role": target.role,
        "prefix": f"{target.root}{schema}",
    }

    def filled(sql: str) -> str:
        for name, word in words.items():
            sql = sql.replace(f"${{{name}}}", word)
        return sql

    for key, content in probe.objects.items():
        body = encoded(filled(content) if isinstance(content, str) else content)
        target.s3.put_object(Bucket=target.bucket, Key=f"{words['prefix']}/{key}", Body=body)
    try:
        session = runner.open(schema, [filled(sql) for sql in probe.setup])
    except Difference as failed:
        return f"error in the setup: {failed.statement}: {failed.got}"
    try:
        if probe.ask:
            asking = Asking(run, runner, session, schema, words["prefix"])
            return str(getattr(asked, probe.ask)(asking))
        more: dict[str, Any] = {}
        if probe.parameters:
            more["Parameters"] = [{"name": k, "value": v} for k, v in probe.parameters.items()]
        if probe.batch:
            sqls = [filled(sql) for sql in probe.batch]
            answer = runner.run_batch(sqls, session, **more)
        else:
            answer = runner.run(filled(probe.sql), session, **more)
        if answer.error:
            errors = runner.run(_LOAD_ERRORS.format(query=answer.query_id), session)
            return f"error: {answer.error}" + (
                f"; load errors: {errors.rows}" if errors.rows else ""
            )
        if probe.after:
            answer = runner.run(filled(probe.after), session)
        return f"error: {answer.error}" if answer.error else f"rows: {answer.rows}"
    finally:
        runner.close(schema, session)
