"""docs/recorded.md: what the replay showed, and whether the product depends on what differs."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.recorded.checkout import Scenario
from tests.recorded.replay import Replayed, is_native

REPOSITORY = "https://github.com/localstack/localstack"

# Whether the product depends on what differs: the name of a test (a pattern), the side, and why not.
JUDGED = [
    (
        r"test_(assign|output)_in_choice\[CONDITION_FALSE\]|test_fail_cause_jsonata",
        "local AWS",
        "no: the local AWS adds an Error to a Fail state without one; ours says LoadFailed",
    ),
    (
        r"test_map_state_items_input_types|test_map_state_items_eval_jsonata_fail\[function\]",
        "local AWS",
        "no: a Map whose items are not an array; ours are the array that the plan returns",
    ),
    (
        (
            r"BASE_LAMBDA_EXPRESSION|BASE_DIRECT_EXPR|BASE_EXPR|BASE_LAMBDA\]|BASE_SCOPE_MAP|"
            r"BASE_REFERENCE_IN_FAIL|test_result_selector"
        ),
        "local AWS",
        "no: variables and selectors of JSONPath; ours is written in JSONata",
    ),
]


@dataclass(frozen=True)
class Compared:
    """A scenario on both sides."""

    scenario: Scenario
    interpreter: Replayed
    local: Replayed

    @property
    def sides(self) -> tuple[tuple[str, Replayed], ...]:
        return ("interpreter", self.interpreter), ("local AWS", self.local)


def judgement(side: str, scenario: Scenario) -> str:
    """Whether the product depends on the difference; '' if nobody has said so yet."""
    for pattern, of_side, says in JUDGED:
        if of_side == side and re.search(pattern, scenario.name):
            return says
    return ""


def differences(found: Iterable[Compared]) -> list[tuple[str, Scenario, str, str]]:
    """Side, scenario, how it differs, judgement."""
    return [
        (side, one.scenario, replayed.reason, judgement(side, one.scenario))
        for one in found
        for side, replayed in one.sides
        if replayed.verdict == "differs"
    ]


def unjudged(found: Iterable[Compared]) -> list[str]:
    """The differences of which nobody has said that the product does not depend on them."""
    return [
        f"{side}: {scenario.group} {scenario.name}: {how}"
        for side, scenario, how, says in differences(found)
        if not says.startswith("no:")
    ]


def page(found: Sequence[Compared], not_run: Sequence[Replayed], commit: str, today: str) -> str:
    """The page, as Markdown."""
    rows = [_row(f"`{group}`", _of(found, group)) for group in _groups(found)]
    rows.append(_row("**all**", found))
    rows.append(_row("of these in JSONata", [one for one in found if is_native(one.scenario)]))
    told = differences(found)
    lines = [
        "# Recorded executions",
        "",
        "Executions that were recorded on AWS, replayed on the Step Functions of the tests. For developers who ask",
        "whether the two behave alike.",
        "",
        "LocalStack's tests record the answers of Step Functions on AWS. `python -m tests.recorded PATH`, with a",
        f"checkout of [localstack/localstack]({REPOSITORY}), replays the executions that only use features of our",
        "state machine: on the interpreter in `tests/world`, and on the Step Functions of the local AWS. Each task",
        "returns what AWS recorded for it. No part of LocalStack is included in this project.",
        "",
        f"Replayed on {today}, at the commit",
        f"[{commit[:12]}]({REPOSITORY}/tree/{commit}/tests/aws/services/stepfunctions): {len(found)} executions;",
        f"{len(not_run)} more use features that our state machine does not use, and were [not run](#not-run).",
        "",
        "- **agree**: status, error and output are the same as on AWS. The text of a Cause, ids and times are ignored.",
        "- **events**: of these, the history has the same events in the same order.",
        "- A machine in JSONPath is translated to JSONata and run on the interpreter.",
        "- `States.ALL` catches `States.DataLimitExceeded` here, as recorded. AWS's documentation says that it does",
        "  not; our state machine names the error, and `tests/statemachine` runs its endings under both rules.",
        "",
        "| recorded tests | executions | newest | interpreter: agree | events | local AWS: agree |",
        "| --- | ---: | --- | ---: | ---: | ---: |",
        *rows,
        "",
        "## Differences",
        "",
    ]
    if told:
        lines += [
            "| side | test | recorded | instead | do we depend on it |",
            "| --- | --- | --- | --- | --- |",
            *(
                f"| {side} | `{scenario.group}` {_escaped(scenario.name)} | {scenario.recorded} | {_escaped(how)} | "
                f"{says or 'not judged yet'} |"
                for side, scenario, how, says in told
            ),
        ]
    else:
        lines.append("None.")
    lines += [
        "",
        "## Not run",
        "",
        "| why | executions |",
        "| --- | ---: |",
        *(f"| {_escaped(why)} | {count} |" for why, count in _reasons(not_run)),
        "",
    ]
    return "\n".join(lines)


def _groups(found: Sequence[Compared]) -> list[str]:
    return sorted({one.scenario.group for one in found})


def _of(found: Sequence[Compared], group: str) -> list[Compared]:
    return [one for one in found if one.scenario.group == group]


def _row(name: str, found: Sequence[Compared]) -> str:
    newest = max((one.scenario.recorded for one in found), default="")
    agree = sum(one.interpreter.verdict == "agrees" for one in found)
    events = sum(one.interpreter.same_events for one in found)
    local = sum(one.local.verdict == "agrees" for one in found)
    return f"| {name} | {len(found)} | {newest} | {agree} | {events} | {local} |"


KINDS = (
    (
        r"States\.\w+\(|\$(partition|range|hash|random|uuid|parse)\b",
        "functions that Step Functions adds to JSONPath or JSONata",
    ),
    (
        r"InputPath|OutputPath|ResultPath|ResultSelector|Pass with",
        "paths of JSONPath that have no counterpart",
    ),
    (
        r"Parallel|distributed|DISTRIBUTED|ItemReader|ItemBatcher|Tolerated|Result(Writer|s)|Label",
        "Parallel, distributed Map",
    ),
    (r"Wait|Timestamp|Heartbeat|Credentials", "Wait for a time, heartbeats, credentials"),
    (r"resource that is not known", "tasks of other services"),
    (r"Choice", "operators of a JSONPath Choice"),
    (r"error of a JSONPath", "an error of a JSONPath, which is another error in JSONata"),
)


def _reasons(not_run: Sequence[Replayed]) -> list[tuple[str, int]]:
    counted = Counter(
        next(
            (why for pattern, why in KINDS if re.search(pattern, one.reason)),
            "other rules of JSONPath",
        )
        for one in not_run
    )
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:200]
