"""Checks requests against botocore's own model of the Redshift Data API.

botocore's client checks required members, types and minimum lengths before it sends; the service
also checks patterns, maxima and enums. The messages below have the wording that all AWS JSON
services share.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from fakeshift.refusals import ApiError, validation

TARGET_PREFIX = "RedshiftData"


@lru_cache
def service_model(service: str = "redshift-data") -> ServiceModel:
    """The newest model of the service of the botocore that is installed."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operation(name: str, service: str = "redshift-data") -> OperationModel:
    """The model's operation ``name``; UnknownOperationException if it has none."""
    if name not in service_model(service).operation_names:
        raise ApiError("UnknownOperationException", f"Unknown operation: {name}")
    return service_model(service).operation_model(name)


def check(name: str, request: Any, service: str = "redshift-data") -> dict[str, Any]:
    """The request of operation ``name``, checked, without null and unknown members.

    ValidationException names every violation.
    """
    if not isinstance(request, dict):
        raise ApiError(
            "SerializationException", "Start of structure or map found where not expected"
        )
    shape = operation(name, service).input_shape
    found: list[str] = []
    if shape is not None:
        _walk(shape, request, "", found)
    if found:
        many = "s" if len(found) > 1 else ""
        raise validation(f"{len(found)} validation error{many} detected: {'; '.join(found)}")
    known = shape.members if isinstance(shape, StructureShape) else {}
    return {key: value for key, value in request.items() if value is not None and key in known}


def _violation(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{_shown(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: Member must {constraint}"


def _shown(value: Any) -> str:
    """As Java writes it: ``[select 1, null]``, ``{name=a}``."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    return str(value)


def _member(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")


def _walk(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    _check_type(shape, value)
    if isinstance(shape, StructureShape):
        for required in shape.required_members:
            if value.get(required) is None:
                found.append(_violation(None, _member(path, required), "not be null"))
        for name, member in shape.members.items():
            if value.get(name) is not None:
                _walk(member, value[name], _member(path, name), found)
    elif isinstance(shape, ListShape):
        _check_bounds(shape, value, len(value), path, found)
        for number, item in enumerate(value, 1):
            if item is None:
                found.append(_violation(value, path, "not be null"))
            else:
                _walk(shape.member, item, f"{path}.{number}.member", found)
    elif shape.type_name == "string":
        _check_bounds(shape, value, len(value), path, found)
        if "pattern" in shape.metadata and not re.fullmatch(shape.metadata["pattern"], value):
            constraint = f"satisfy regular expression pattern: {shape.metadata['pattern']}"
            found.append(_violation(value, path, constraint))
        if shape.metadata.get("enum") and value not in shape.metadata["enum"]:
            allowed = ", ".join(shape.metadata["enum"])
            found.append(_violation(value, path, f"satisfy enum value set: [{allowed}]"))
    elif shape.type_name in ("integer", "long"):
        _check_bounds(shape, value, value, path, found)


def _check_bounds(shape: Shape, value: Any, size: int, path: str, found: list[str]) -> None:
    what = "value" if shape.type_name in ("integer", "long") else "length"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        found.append(_violation(value, path, f"have {what} greater than or equal to {low}"))
    if high is not None and size > high:
        found.append(_violation(value, path, f"have {what} less than or equal to {high}"))


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
}
_EXPECTED = {
    "string": "a String",
    "integer": "an Integer",
    "long": "a Long",
    "boolean": "a Boolean",
}


def _check_type(shape: Shape, value: Any) -> None:
    expected = _PYTHON_TYPES.get(shape.type_name, (object,))
    wrong_bool = isinstance(value, bool) and shape.type_name != "boolean"
    if not wrong_bool and isinstance(value, expected):
        return
    if shape.type_name in _EXPECTED and not isinstance(value, (dict, list)):
        text = f"{_token(value)} can not be converted to {_EXPECTED[shape.type_name]}"
    else:
        start = "list" if isinstance(value, list) else "structure or map"
        text = f"Start of {start} found where not expected"
        if not isinstance(value, (dict, list)):
            text = f"Unexpected token {_token(value)}"
    raise ApiError("SerializationException", text)


def _token(value: Any) -> str:
    """The name that the service's parser gives a JSON scalar."""
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    if isinstance(value, float):
        return "DECIMAL_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
