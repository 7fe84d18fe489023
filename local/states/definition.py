"""Checks a definition in Amazon States Language. What the interpreter does not know is rejected, never ignored.

Source: states-language.net/spec.html, docs.aws.amazon.com/step-functions/latest/dg/concepts-states.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from local.states.query import is_expression, parse_error

Definition = Mapping[str, Any]

MACHINE = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
PROCESSOR = {"Comment", "ProcessorConfig", "StartAt", "States"}
COMMON = {"Type", "Comment", "QueryLanguage"}
FIELDS = {
    "Task": {"Resource", "Arguments", "Output", "Assign", "TimeoutSeconds", "Retry", "Catch", "Next", "End"},
    "Choice": {"Choices", "Default", "Output", "Assign"},
    "Pass": {"Output", "Assign", "Next", "End"},
    "Wait": {"Seconds", "Output", "Assign", "Next", "End"},
    "Map": {
        "Items", "ItemSelector", "MaxConcurrency", "ItemProcessor", "Output", "Assign", "Retry", "Catch", "Next", "End",
    },
    "Succeed": {"Output"},
    "Fail": {"Error", "Cause"},
}  # fmt: skip
RETRIER = {
    "Comment", "ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts", "MaxDelaySeconds", "JitterStrategy",
}  # fmt: skip
CATCHER = {"Comment", "ErrorEquals", "Output", "Assign", "Next"}
RULE = {"Comment", "Condition", "Next", "Output", "Assign"}
RESOURCES = {"arn:aws:states:::lambda:invoke", "arn:aws:states:::states:startExecution"}
SUBSTITUTION = re.compile(r"\$\{(\w+)\}")


class DefinitionError(Exception):
    """The definition is wrong, or uses something that the interpreter does not know. The message names the state."""


def substituted(definition: Definition, names: Mapping[str, str]) -> dict[str, Any]:
    """The definition with ``${name}`` replaced in its strings, as DefinitionSubstitutions does at deployment."""

    def value_of(found: re.Match[str]) -> str:
        if found.group(1) not in names:
            raise DefinitionError(f"No substitution is given for {found.group(0)}.")
        return names[found.group(1)]

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return SUBSTITUTION.sub(value_of, value)
        if isinstance(value, Mapping):
            return {name: replaced(item) for name, item in value.items()}
        return [replaced(item) for item in value] if isinstance(value, list) else value

    document: dict[str, Any] = replaced(definition)
    return document


@cache
def prepared(text: str, names: tuple[tuple[str, str], ...]) -> Definition:
    """The definition in this JSON text with its substitutions applied, checked once. Do not modify it."""
    machine: Definition = json.loads(text)
    machine = substituted(machine, dict(names)) if names else machine
    check(machine)
    return machine


def check(machine: Definition) -> None:
    """Raises DefinitionError for anything that Step Functions would reject or the interpreter does not know."""
    _only("the state machine", machine, MACHINE)
    if machine.get("QueryLanguage") != "JSONata":
        raise DefinitionError("Only state machines with QueryLanguage JSONata are supported.")
    _check_states("the state machine", machine, frozenset())


def _check_states(where: str, machine: Definition, outer: frozenset[str]) -> None:
    states: Definition = machine["States"]
    if machine["StartAt"] not in states:
        raise DefinitionError(f"{where} starts at {machine['StartAt']!r}, which it does not have.")
    assigned = {name for state in states.values() for name in _assigned(state)}
    if both := assigned & outer:
        raise DefinitionError(f"{where} assigns {sorted(both)}, which the states around it assign.")
    for name, state in states.items():
        _check_state(name, state)
        for following in _following(state):
            if following not in states:
                raise DefinitionError(f"{name!r} goes to {following!r}, which does not exist.")
        if state["Type"] == "Map":
            _only(f"the processor of {name!r}", state["ItemProcessor"], PROCESSOR)
            mode = state["ItemProcessor"].get("ProcessorConfig", {"Mode": "INLINE"})
            if mode != {"Mode": "INLINE"}:
                raise DefinitionError(f"{name!r} is a Map with an unknown mode: {mode}.")
            _check_states(f"the processor of {name!r}", state["ItemProcessor"], outer | assigned)


def _check_state(name: str, state: Definition) -> None:
    kind = state.get("Type", "")
    if kind not in FIELDS:
        raise DefinitionError(f"{name!r} has an unknown type: {kind!r}.")
    _only(repr(name), state, FIELDS[kind] | COMMON)
    if state.get("QueryLanguage", "JSONata") != "JSONata":
        raise DefinitionError(f"{name!r} is not in JSONata.")
    if "Next" in FIELDS[kind] and ("Next" in state) == (state.get("End") is True):
        raise DefinitionError(f"{name!r} needs either Next or End.")
    if kind == "Task" and state["Resource"] not in RESOURCES:
        raise DefinitionError(f"{name!r} calls a resource that is not known: {state['Resource']}.")
    for rule in state.get("Choices", ()):
        _only(f"a rule of {name!r}", rule, RULE)
        if not is_expression(rule["Condition"]) and not isinstance(rule["Condition"], bool):
            raise DefinitionError(f"{name!r} has a Condition that is not an expression.")
    for retrier in state.get("Retry", ()):
        _only(f"a retrier of {name!r}", retrier, RETRIER)
        if retrier.get("JitterStrategy", "NONE") not in ("FULL", "NONE"):
            raise DefinitionError(f"{name!r} has an unknown JitterStrategy.")
        if retrier.get("BackoffRate", 2) < 1 or retrier.get("IntervalSeconds", 1) < 1:
            raise DefinitionError(f"{name!r} has a retrier with an interval or a rate below 1.")
        if retrier.get("MaxDelaySeconds", 10**9) <= retrier.get("IntervalSeconds", 1):
            raise DefinitionError(
                f"{name!r} has a MaxDelaySeconds that does not exceed IntervalSeconds."
            )
    for catcher in state.get("Catch", ()):
        _only(f"a catcher of {name!r}", catcher, CATCHER)
    for handlers in (state.get("Retry", []), state.get("Catch", [])):
        for handler in handlers:
            errors = handler["ErrorEquals"]
            if not errors or (
                "States.ALL" in errors and (errors != ["States.ALL"] or handler is not handlers[-1])
            ):
                raise DefinitionError(
                    f"{name!r}: States.ALL must stand alone, in the last entry of its list."
                )
    for text in _texts(
        {field: value for field, value in state.items() if field != "ItemProcessor"}
    ):
        if is_expression(text) and (error := parse_error(text)):
            raise DefinitionError(f"{name!r}: cannot parse the expression {text}: {error}")
        if not is_expression(text) and text.startswith("{%"):
            raise DefinitionError(
                f"{name!r}: {text} starts like an expression but does not end like one."
            )
    if left := SUBSTITUTION.search(json.dumps(state)):
        raise DefinitionError(f"{name!r}: no substitution is given for {left.group(0)}.")


def _only(where: str, document: Definition, known: set[str]) -> None:
    if unknown := sorted(document.keys() - known):
        raise DefinitionError(f"{where} has unknown fields: {unknown}.")


def _following(state: Definition) -> Iterator[str]:
    for source in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        yield from (source[field] for field in ("Next", "Default") if field in source)


def _assigned(state: Definition) -> Iterator[str]:
    for source in (state, *state.get("Choices", ()), *state.get("Catch", ())):
        yield from source.get("Assign", {})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
