"""Resources that MiniStack creates and CloudFormation refuses: names in use, invalid properties.

The evidence is in local/aws/ministack/__init__.py. The schemas are AWS's own, as cfn-lint includes them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from jsonschema import Draft7Validator, ValidationError, validators
from ministack.services import (
    cloudformation,
    cloudwatch,
    cloudwatch_logs,
    iam,
    lambda_svc,
    scheduler,
    stepfunctions,
)
from ministack.services.cloudformation import provisioners

from local.environment import REGION

Properties = Mapping[str, Any]

# Type -> the property with its name, and whether a resource with that name exists.
NAMED: dict[str, tuple[str, Callable[[str, Properties], bool]]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", lambda name, _: name in cloudwatch._alarms),
    "AWS::CloudWatch::Dashboard": ("DashboardName", lambda name, _: name in cloudwatch._dashboards),
    "AWS::IAM::Role": ("RoleName", lambda name, _: name in iam._roles),
    "AWS::Lambda::Function": ("FunctionName", lambda name, _: name in lambda_svc._functions),
    "AWS::Logs::LogGroup": ("LogGroupName", lambda name, _: name in cloudwatch_logs._log_groups),
    "AWS::Scheduler::Schedule": (
        "Name",
        lambda name, given: f"{given.get('GroupName', 'default')}/{name}" in scheduler._schedules,
    ),
    "AWS::StepFunctions::StateMachine": (
        "StateMachineName",
        lambda name, _: any(
            machine["name"] == name for machine in stepfunctions._state_machines.values()
        ),
    ),
}


def problem_of_name(kind: str, properties: Properties, stack: str) -> str:
    """Why CloudFormation refuses to create a resource with this name; '' if it creates it."""
    if kind not in NAMED:
        return ""
    field, exists = NAMED[kind]
    name = properties.get(field)
    if not name or not exists(name, properties):
        return ""
    for known, other in list(cloudformation._stacks.items()):
        for resource in other.get("_resources", {}).values():
            named = (resource.get("Properties") or {}).get(field)
            if resource.get("ResourceType") == kind and named == name:
                if known == stack:
                    return ""
                return f"{name} already exists in stack {other['StackId']}"
    return (
        f"Resource handler returned message: \"Resource of type '{kind}' with identifier '{name}' already "
        'exists." (HandlerErrorCode: AlreadyExists)'
    )


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """Skips a pattern that is no Python regular expression."""
    with suppress(re.error):
        if isinstance(value, str) and not re.search(pattern, value):
            yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator = validators.extend(Draft7Validator, {"pattern": _pattern})


@cache
def _validator(kind: str) -> Any:
    # Takes a second, when the first stack is created.
    from cfnlint.schema import ResourceNotFoundError
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
    except ResourceNotFoundError:
        return None
    return _Validator(schema)


def problem_of_properties(kind: str, properties: Properties) -> str:
    """Why CloudFormation refuses a resource's properties; '' if it accepts them."""
    validator = _validator(kind)
    if validator is None:
        return ""
    found = as_typed(properties, validator.schema, validator.schema)
    problems = sorted(validator.iter_errors(found), key=lambda error: str(error.absolute_path))
    if not problems:
        return ""
    told = "; ".join(
        f"#/{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
        for error in problems[:3]
    )
    return (
        f'Resource handler returned message: "Model validation failed ({told})" '
        "(HandlerErrorCode: InvalidRequest)"
    )


def as_typed(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """The value with CloudFormation's types: a template's "30" is a number where the schema requires one."""
    if not isinstance(schema, dict):
        return value
    if "$ref" in schema:
        schema = root["definitions"].get(schema["$ref"].rpartition("/")[2], {})
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        return {name: as_typed(inner, known.get(name, {}), root) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_typed(inner, schema.get("items", {}), root) for inner in value]
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, str) and "string" not in kinds:
        if "boolean" in kinds and value in ("true", "false"):
            return value == "true"
        if {"integer", "number"} & {*kinds} and re.fullmatch(r"-?\d+(\.\d+)?", value):
            number = float(value)
            return int(number) if number.is_integer() else number
        return value
    if kinds == ["string"] and isinstance(value, bool | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


# ---------------------------------------------------------------- limits that no schema has
MOST_ENVIRONMENT = 4096  # bytes of a function's variables, names and values
MOST_INLINE = 10_240  # characters of a role's inline policies together, without white space
MOST_MANAGED = 6144  # of a managed policy
MOST_METRICS = 10  # that an alarm's expression refers to


def problem_of_limits(kind: str, properties: Properties) -> str:
    """Why AWS refuses properties that fit their schema; '' if it accepts them."""
    check = LIMITS.get(kind)
    return check(properties) if check else ""


def _of_function(properties: Properties) -> str:
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    size = sum(len(f"{name}{value}".encode()) for name, value in variables.items())
    if size <= MOST_ENVIRONMENT:
        return ""
    return (
        "Lambda was unable to configure your environment variables because the environment variables you have "
        f"provided exceeded the 4KB limit: {size} bytes. (Service: Lambda, Status Code: 400, Error Code: "
        "InvalidParameterValueException)"
    )


def _characters(document: Any) -> int:
    text = document if isinstance(document, str) else json.dumps(document)
    return len(re.sub(r"\s", "", text))


def _of_role(properties: Properties) -> str:
    inline = sum(
        _characters(policy.get("PolicyDocument")) for policy in properties.get("Policies") or ()
    )
    if inline > MOST_INLINE:
        name = properties.get("RoleName", "")
        return f"Maximum policy size of {MOST_INLINE} bytes exceeded for role {name} ({inline})"
    return ""


def _of_managed_policy(properties: Properties) -> str:
    size = _characters(properties.get("PolicyDocument", {}))
    if size > MOST_MANAGED:
        return f"Cannot exceed quota for PolicySize: {MOST_MANAGED} ({size})"
    return ""


def _of_alarm(properties: Properties) -> str:
    metrics = sum("MetricStat" in query for query in properties.get("Metrics") or ())
    if metrics > MOST_METRICS:
        return f"An alarm's expression can refer to {MOST_METRICS} metrics, not to {metrics}."
    return ""


def _of_dashboard(properties: Properties) -> str:
    try:
        widgets = json.loads(properties["DashboardBody"])["widgets"]
        sound = all({"type", "properties"} <= widget.keys() for widget in widgets)
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    problem = (
        "The dashboard body is invalid, there are 1 validation errors: it is no JSON with widgets"
    )
    return "" if sound else f"{problem} (Error Code: InvalidParameterInput)"


LIMITS: dict[str, Callable[[Properties], str]] = {
    "AWS::CloudWatch::Alarm": _of_alarm,
    "AWS::CloudWatch::Dashboard": _of_dashboard,
    "AWS::IAM::ManagedPolicy": _of_managed_policy,
    "AWS::IAM::Role": _of_role,
    "AWS::Lambda::Function": _of_function,
}


# ---------------------------------------------------------------- all of it
def check_resources() -> None:
    """Makes a stack refuse them."""
    for kind, operations in provisioners._RESOURCE_HANDLERS.items():
        if not kind.startswith("AWS::"):
            continue
        if "create" in operations:
            operations["create"] = _creating(kind, operations["create"])
        if "update" in operations:
            operations["update"] = _updating(kind, operations["update"])


def _creating(kind: str, create: Callable[..., Any]) -> Callable[..., Any]:
    def create_checked(logical_id: str, properties: dict[str, Any], stack: str, *more: Any) -> Any:
        for problem in (
            problem_of_properties(kind, properties),
            problem_of_limits(kind, properties),
            problem_of_name(kind, properties, stack),
        ):
            if problem:
                raise ValueError(problem)
        return create(logical_id, properties, stack, *more)

    return create_checked


def _updating(kind: str, update: Callable[..., Any]) -> Callable[..., Any]:
    def update_checked(physical_id: str, old: Any, new: dict[str, Any], *more: Any) -> Any:
        if problem := problem_of_properties(kind, new) or problem_of_limits(kind, new):
            raise ValueError(problem)
        return update(physical_id, old, new, *more)

    return update_checked


def apply() -> None:
    """All of it; before ministack.app is imported, and after what else wraps the same operations."""
    check_resources()
