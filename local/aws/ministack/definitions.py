"""Definitions of state machines that MiniStack accepts and AWS refuses.

The evidence is in local/aws/ministack/__init__.py. AWS's message is known for missing fields; the other
messages are those of statelint, which knows the States Language.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import stepfunctions
from ministack.services.cloudformation import provisioners

from local.aws.ministack.language import problems_of

Answer = tuple[int, dict[str, str], Any]
MAX_DEFINITION = 1024 * 1024
REQUIRED = ("States", "StartAt")

# What statelint rejects and AWS accepts, by executions that were recorded there (docs/recorded.md replays them):
TAKEN = re.compile(
    r'is "\{%.*%\}" but should be'  # evaluate_jsonata: an expression for a number
    r'|^Field "Assign" not allowed'  # assign/test_assign_base: variables in JSONPath, which statelint does not know
    r'|^Field "ProcessorConfig" not allowed in .*\.Iterator$'  # test_map_state_legacy_config_inline
    r"|Condition is (true|false) but should be"  # test_choice_condition_constant_jsonata
    r'|Path is "\$[\w$]'  # context_object: test_error_cause_path; a variable, assign/test_assign_base
)


@cache
def problem_of(definition: str) -> tuple[str, str]:
    """Code and message of the first thing that AWS refuses in a definition; two empty texts for a valid one."""
    if len(definition.encode()) > MAX_DEFINITION:
        return "SCHEMA_VALIDATION_FAILED", "Definition is larger than 1 MB"
    if not definition.strip():
        return "SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object"
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return "INVALID_JSON_DESCRIPTION", str(error)
    if not isinstance(machine, dict):
        return "SCHEMA_VALIDATION_FAILED", "Definition must be a valid JSON object"
    if missing := [name for name in REQUIRED if name not in machine]:
        found = f"These fields are required: [{', '.join(missing)}] at /"
        return "SCHEMA_VALIDATION_FAILED", found
    for found in (*_downgraded(machine), *problems_of(definition)):
        if not TAKEN.search(found):
            return "SCHEMA_VALIDATION_FAILED", found
    return "", ""


def _downgraded(machine: dict[str, Any]) -> Iterator[str]:
    if machine.get("QueryLanguage") == "JSONata" and isinstance(machine["States"], dict):
        for name, state in machine["States"].items():
            if isinstance(state, dict) and state.get("QueryLanguage") == "JSONPath":
                yield (
                    "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state "
                    f"machine at /States/{name}"
                )


def _message(definition: Any) -> str:
    code, found = problem_of(definition if isinstance(definition, str) else "")
    return f"Invalid State Machine Definition: '{code}: {found}'" if code else ""


def _checked(operation: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    def operation_checked(data: dict[str, Any]) -> Answer:
        if "definition" in data and (message := _message(data["definition"])):
            refused: Answer = error_response_json("InvalidDefinition", message, 400)
            return refused
        return operation(data)

    return operation_checked


def _validated(data: dict[str, Any]) -> Answer:
    code, found = problem_of(str(data.get("definition", "")))
    diagnostics = [{"severity": "ERROR", "code": code, "message": found}] if code else []
    answer: Answer = json_response(
        {"result": "FAIL" if code else "OK", "diagnostics": diagnostics, "truncated": False}
    )
    return answer


def refuse_wrong_definitions() -> None:
    """Makes the API refuse an invalid definition, and stacks too, which create state machines without the API."""
    for name in ("_create_state_machine", "_update_state_machine"):
        setattr(stepfunctions, name, _checked(getattr(stepfunctions, name)))
    stepfunctions._validate_state_machine_definition = _validated
    definition_of: Callable[[dict[str, Any]], str] = provisioners._sfn_definition

    def sound_definition_of(properties: dict[str, Any]) -> str:
        definition = definition_of(properties)
        if message := _message(definition):
            raise provisioners._sfn_handler_error(
                f"{message} (Service: Sfn, Status Code: 400, Error Code: InvalidDefinition)"
            )
        return definition

    provisioners._sfn_definition = sound_definition_of


def apply() -> None:
    """All of it; before ministack.app is imported."""
    refuse_wrong_definitions()
