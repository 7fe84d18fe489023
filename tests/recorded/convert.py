"""Definitions in JSONPath as definitions in JSONata, where that is mechanical: most recordings are older than JSONata.

Source: docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html and …/input-output-inputpath-params.html
"""

import json
import re
from collections.abc import Mapping
from typing import Any

INVOKE = "arn:aws:states:::lambda:invoke"
STEP = re.compile(r"""\.([A-Za-z_]\w*)|\[(\d+)\]|\[['"]([A-Za-z_]\w*)['"]\]""")
COMPARED = re.compile(
    r"(String|Numeric|Boolean)(Equals|GreaterThan|LessThan|GreaterThanEquals|LessThanEquals)"
)
SIGNS = {
    "Equals": "=",
    "GreaterThan": ">",
    "LessThan": "<",
    "GreaterThanEquals": ">=",
    "LessThanEquals": "<=",
}
SAME = {
    "Type", "Comment", "Next", "End", "Default", "TimeoutSeconds", "MaxConcurrency", "Retry", "Error", "Cause",
    "Seconds",
}  # fmt: skip


class NotConvertible(Exception):
    """The definition uses what has no mechanical counterpart."""


def converted(machine: Mapping[str, Any], language: str = "JSONPath") -> dict[str, Any]:
    """The machine with every state in JSONata; raises NotConvertible."""
    own = machine.get("QueryLanguage", language)
    states = {
        name: state
        if state.get("QueryLanguage", own) == "JSONata" and _is_plain(state)
        else _state(state, own)
        for name, state in machine["States"].items()
    }
    return {
        **{name: value for name, value in machine.items() if name != "QueryLanguage"},
        "QueryLanguage": "JSONata",
        "States": states,
    }


def _is_plain(state: Mapping[str, Any]) -> bool:
    return state["Type"] not in ("Map", "Task")


def _state(state: Mapping[str, Any], language: str) -> dict[str, Any]:
    own = state.get("QueryLanguage", language)
    if own == "JSONata":
        return _native(state)
    kind = state["Type"]
    for path in ("InputPath", "OutputPath"):
        if state.get(path, "$") != "$":
            raise NotConvertible(path)
    known = SAME | HANDLED.get(kind, set()) | {"InputPath", "OutputPath", "QueryLanguage", "Catch"}
    if unknown := state.keys() - known:
        raise NotConvertible(f"{kind}: {sorted(unknown)}")
    found = {name: value for name, value in state.items() if name in SAME}
    if "Catch" in state:
        found["Catch"] = [_catcher(catcher) for catcher in state["Catch"]]
    convert = {
        "Task": _task, "Map": _map, "Pass": _pass, "Choice": _choice, "Fail": _fail, "Wait": _wait, "Succeed": _nothing,
    }  # fmt: skip
    if kind not in convert:
        raise NotConvertible(kind)
    return {**found, **convert[kind](state)}


HANDLED = {
    "Task": {"Assign", "Resource", "Parameters", "ResultSelector", "ResultPath", "TimeoutSecondsPath"},
    "Map": {
        "Assign", "Parameters", "ItemSelector", "ItemsPath", "ItemProcessor", "Iterator", "ResultSelector",
        "ResultPath", "MaxConcurrencyPath",
    },
    "Pass": {"Assign", "Parameters", "Result", "ResultPath"},
    "Choice": {"Choices"},
    "Fail": {"ErrorPath", "CausePath"},
}  # fmt: skip


def _native(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state in JSONata already; a function's ARN becomes lambda:invoke, and a Map's states are looked at."""
    found = {name: value for name, value in state.items() if name != "QueryLanguage"}
    if state["Type"] == "Map":
        processor = state.get("ItemProcessor", {})
        found["ItemProcessor"] = {**converted({**processor, "QueryLanguage": "JSONata"})}
        found["ItemProcessor"].pop("QueryLanguage")
    elif _is_function(state.get("Resource", "")):
        payload = state.get("Arguments", "{% $states.input %}")
        found |= {
            "Resource": INVOKE,
            "Arguments": {"FunctionName": state["Resource"], "Payload": payload},
        }
        text = json.dumps({name: found[name] for name in ("Output", "Assign") if name in found})
        text = text.replace("$states.result", "$states.result.Payload")
        found |= {"Output": "{% $states.result.Payload %}", **json.loads(text)}
    return found


def _is_function(resource: str) -> bool:
    return ":lambda:" in resource and ":function:" in resource


def _task(state: Mapping[str, Any]) -> dict[str, Any]:
    result = "$states.result"
    arguments = _template(state["Parameters"]) if "Parameters" in state else "{% $states.input %}"
    found: dict[str, Any] = {"Resource": state["Resource"], "Arguments": arguments}
    if _is_function(state["Resource"]):
        found = {
            "Resource": INVOKE,
            "Arguments": {"FunctionName": state["Resource"], "Payload": arguments},
        }
        result = "$states.result.Payload"
    if "TimeoutSecondsPath" in state:
        found["TimeoutSeconds"] = f"{{% {_path(state['TimeoutSecondsPath'])} %}}"
    return {**found, "Output": _output(state, result), **_assign(state, result)}


def _map(state: Mapping[str, Any]) -> dict[str, Any]:
    processor = state.get("ItemProcessor", state.get("Iterator", {}))
    if processor.get("ProcessorConfig", {}).get("Mode", "INLINE") != "INLINE":
        raise NotConvertible("a distributed Map")
    inner = converted(processor)
    del inner["QueryLanguage"]
    found: dict[str, Any] = {"ItemProcessor": inner}
    if "ItemsPath" in state:
        found["Items"] = f"{{% {_path(state['ItemsPath'])} %}}"
    if selector := state.get("ItemSelector", state.get("Parameters")):
        found["ItemSelector"] = _template(selector)
    if "MaxConcurrencyPath" in state:
        found["MaxConcurrency"] = f"{{% {_path(state['MaxConcurrencyPath'])} %}}"
    result = "$states.result"
    return {**found, "Output": _output(state, result), **_assign(state, result)}


def _assign(state: Mapping[str, Any], root: str = "$states.input") -> dict[str, Any]:
    return {"Assign": _template(state["Assign"], root)} if "Assign" in state else {}


def _pass(state: Mapping[str, Any]) -> dict[str, Any]:
    if "Assign" in state:
        if state.keys() & {"Result", "Parameters"}:
            raise NotConvertible("a Pass with Assign and a result of its own")
        return _assign(state)
    given = _template(state["Parameters"]) if "Parameters" in state else "{% $states.input %}"
    value = state.get("Result", given)
    path = state.get("ResultPath", "$")
    if path == "$":
        return {"Output": value}
    if path is None:
        return {"Output": "{% $states.input %}"}
    expression = json.dumps(value) if "Result" in state else given
    if not isinstance(expression, str):
        raise NotConvertible("a Pass with Parameters and a ResultPath")
    return {"Output": _merged(path, expression.removeprefix("{%").removesuffix("%}").strip())}


def _choice(state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Choices": [
            {"Condition": f"{{% {_condition(rule)} %}}", "Next": rule["Next"], **_assign(rule)}
            for rule in state["Choices"]
        ]
    }


def _condition(rule: Mapping[str, Any]) -> str:
    for name, word in (("And", " and "), ("Or", " or ")):
        if name in rule:
            return "(" + word.join(f"({_condition(inner)})" for inner in rule[name]) + ")"
    if "Not" in rule:
        return f"$not({_condition(rule['Not'])})"
    [(operator, value)] = [
        item for item in rule.items() if item[0] not in ("Variable", "Next", "Comment", "Assign")
    ] or [("", None)]
    variable = _path(rule.get("Variable", ""))
    if operator == "IsPresent":
        return f"$exists({variable}) = {json.dumps(value)}"
    if not (found := COMPARED.fullmatch(operator)):
        raise NotConvertible(f"Choice: {operator}")
    return f"{variable} {SIGNS[found[2]]} {json.dumps(value)}"


def _fail(state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"{{% {_path(state[f'{name}Path'])} %}}"
        for name in ("Error", "Cause")
        if f"{name}Path" in state
    }


def _wait(state: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _nothing(state: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _catcher(catcher: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: catcher[name] for name in ("ErrorEquals", "Next", "Comment") if name in catcher}
    error = "$states.errorOutput"
    return {
        **found,
        "Output": _output({**catcher, "ResultSelector": None}, error),
        **_assign(catcher, error),
    }


def _output(state: Mapping[str, Any], result: str) -> Any:
    selector, path = state.get("ResultSelector"), state.get("ResultPath", "$")
    if path is None:
        return "{% $states.input %}"
    if selector and path != "$":
        raise NotConvertible("a ResultSelector with a ResultPath")
    if selector:
        return _template(selector, result)
    return f"{{% {result} %}}" if path == "$" else _merged(path, result)


def _merged(path: str, value: str) -> str:
    if not re.fullmatch(r"\$\.[A-Za-z_]\w*", path):
        raise NotConvertible(f"ResultPath {path}")
    return f"{{% $merge([$states.input, {{'{path[2:]}': {value}}}]) %}}"


def _template(value: Any, root: str = "$states.input") -> Any:
    """A payload template, in which a name that ends in .$ has a path."""
    if isinstance(value, Mapping):
        return {
            name.removesuffix(".$"): f"{{% {_path(inner, root)} %}}"
            if name.endswith(".$")
            else _template(inner, root)
            for name, inner in value.items()
        }
    if isinstance(value, str) and value.startswith("{%"):
        raise NotConvertible("a text that is an expression in JSONata")
    return [_template(inner, root) for inner in value] if isinstance(value, list) else value


def _path(path: str, root: str = "$states.input") -> str:
    """A path as an expression."""
    if path.startswith("$$"):
        root, rest = "$states.context", path[2:]
    elif found := re.match(r"\$([A-Za-z_]\w*)", path):
        root, rest = f"${found[1]}", path[found.end() :]
    elif path.startswith("$"):
        rest = path[1:]
    else:
        raise NotConvertible(path)
    made = ""
    while rest:
        step = STEP.match(rest)
        if not step:
            raise NotConvertible(path)
        made += f"[{step[2]}]" if step[2] else f".{step[1] or step[3]}"
        rest = rest[step.end() :]
    return root + made
