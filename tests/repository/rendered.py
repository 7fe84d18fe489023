"""template.yaml as CloudFormation sees it once the parameters are known: no parameters, rules and conditions any more.

References to resources stay, so that what is rendered can be linted, which also does SAM's transform.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.world.template import _document

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
_NONE = object()


class Rendered:
    """The template with these parameters; the others have their defaults.

    In conditions and rules region, account and partition are those of the deployment; elsewhere they stay references.
    """

    def __init__(
        self, parameters: Mapping[str, str], partition: str = "aws", path: Path = TEMPLATE
    ) -> None:
        self._template = _document(path)
        self._pseudo = {
            "AWS::Partition": partition,
            "AWS::Region": "us-west-2",
            "AWS::AccountId": "123456789012",
        }
        declared = self._template["Parameters"]
        assert parameters.keys() <= declared.keys(), parameters.keys() - declared.keys()
        given = {name: parameters.get(name, declared[name].get("Default", "")) for name in declared}
        for name, value in given.items():
            self._allowed(name, str(value))
        self._parameters = {
            name: str(value).split(",") if declared[name]["Type"] == "CommaDelimitedList" else value
            for name, value in given.items()
        }

    def _allowed(self, name: str, value: str) -> None:
        """The parameter's own limits hold for its value."""
        declared = self._template["Parameters"][name]
        if pattern := declared.get("AllowedPattern"):
            assert re.fullmatch(pattern, value), f"{name}={value!r}"
        if values := declared.get("AllowedValues"):
            assert value in map(str, values), f"{name}={value!r}"
        if declared["Type"] == "Number":
            number = float(value)
            assert number >= declared.get("MinValue", number), f"{name}={value}"
            assert number <= declared.get("MaxValue", number), f"{name}={value}"

    def allowed(self, name: str) -> list[Any]:
        """The values that a parameter may have."""
        values: list[Any] = self._template["Parameters"][name]["AllowedValues"]
        return values

    def rules(self) -> dict[str, Any]:
        """The rules as they stand."""
        rules: dict[str, Any] = self._template["Rules"]
        return rules

    def refusals(self) -> list[str]:
        """What the rules say against the parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self._template["Rules"].values()
            if "RuleCondition" not in rule or self._is(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self._is(assertion["Assert"])
        ]

    def document(self) -> dict[str, Any]:
        """The template for these parameters."""
        there = {
            name: {key: value for key, value in resource.items() if key != "Condition"}
            for name, resource in self._template["Resources"].items()
            if "Condition" not in resource or self._is({"Condition": resource["Condition"]})
        }
        kept = ("AWSTemplateFormatVersion", "Transform", "Description")
        rendered = {name: self._template[name] for name in kept if name in self._template}
        outputs = {
            name: {key: value for key, value in output.items() if key != "Condition"}
            for name, output in self._template["Outputs"].items()
            if "Condition" not in output or self._is({"Condition": output["Condition"]})
        }
        for name, part in {
            "Globals": self._template.get("Globals"),
            "Resources": there,
            "Outputs": outputs,
        }.items():
            if part is not None:
                rendered[name] = self._value(part)
        return rendered

    def text(self) -> str:
        return json.dumps(self.document(), indent=1)

    def _value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [v for v in map(self._value, node) if v is not _NONE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, argument),) = node.items()
            if name == "Ref" and argument == "AWS::NoValue":
                return _NONE
            if name == "Ref" and argument in self._parameters:
                return self._parameters[argument]
            if name == "Fn::If":
                condition, yes, no = argument
                return self._value(yes if self._is({"Condition": condition}) else no)
            if name == "Fn::Sub":
                return self._substituted(argument)
        values = {key: self._value(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not _NONE}

    def _substituted(self, argument: Any) -> Any:
        text, more = argument if isinstance(argument, list) else (argument, {})
        more = {name: self._value(value) for name, value in more.items()}
        known = {**self._parameters, **{k: v for k, v in more.items() if isinstance(v, str)}}
        for name, value in known.items():
            text = text.replace(f"${{{name}}}", str(value))
        left = {name: value for name, value in more.items() if f"${{{name}}}" in text}
        if left:
            return {"Fn::Sub": [text, left]}
        return {"Fn::Sub": text} if "${" in text else text

    def _is(self, node: Any) -> bool:
        """Whether a condition holds."""
        ((name, argument),) = node.items()
        if name == "Condition":
            return self._is(self._template["Conditions"][argument])
        if name == "Fn::Not":
            return not self._is(argument[0])
        if name in ("Fn::And", "Fn::Or"):
            return {"Fn::And": all, "Fn::Or": any}[name](map(self._is, argument))
        assert name == "Fn::Equals", name
        left, right = (self._plain(side) for side in argument)
        return left == right

    def _plain(self, node: Any) -> str:
        if isinstance(node, dict) and "Fn::Join" in node:
            separator, items = node["Fn::Join"]
            return str(separator).join(self._value(items))
        if isinstance(node, dict) and node.get("Ref") in self._pseudo:
            return self._pseudo[node["Ref"]]
        return str(self._value(node))
