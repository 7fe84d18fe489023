"""The stack as template.yaml describes it, resolved: functions with their environment, role and timeout, policies,
the upload rule, the queue, the state machine's definition.

Only what the template uses of CloudFormation is understood; anything else raises TemplateProblem, so that nothing of a
changed template is passed over. Source of the functions:
docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

REGION = "us-west-2"
ACCOUNT = "123456789012"
STACK = "loader"

_PSEUDO = {
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
_NO_VALUE = object()
ALL_VALUES = "ForAllValues:StringEquals"


class TemplateProblem(Exception):
    """The template says what this module does not understand; the message says where."""


@dataclass(frozen=True)
class Allowed:
    """One statement of a policy: actions and resources as patterns, in the role that it is a part of. ``values``: the
    condition ForAllValues:StringEquals, key -> the values that it allows.
    """

    role: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def allows(
        self, action: str, resource: str, given: Mapping[str, Collection[str]] | None = None
    ) -> bool:
        return (
            any(matches(a, action) for a in self.actions)
            and any(matches(r, resource) for r in self.resources)
            and all(set((given or {}).get(key, ())) <= set(allowed) for key, allowed in self.values)
        )


@dataclass(frozen=True)
class Function:
    """A Lambda function: ``module.handler``, its role's logical name, timeout in seconds, environment."""

    logical: str
    arn: str
    module: str
    handler: str
    role: str
    timeout: int
    environment: Mapping[str, str]

    @property
    def short(self) -> str:
        """``PlanFunction`` -> ``plan``, which is its module's name."""
        return self.module


@dataclass(frozen=True)
class EventSource:
    """The queue that feeds a function: messages of one invocation, seconds that they are hidden, deliveries before
    the dead-letter queue.
    """

    queue: str
    dead_letters: str
    batch: int
    visibility: int
    deliveries: int
    reports_failures: bool


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    """``*`` is any text, as in IAM's policies and EventBridge's patterns; neither has a ``?`` in this product."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*"), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern with wildcards takes the whole text."""
    return _wildcard(pattern).fullmatch(text) is not None


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, ``!Ref x`` as ``{"Ref": "x"}``."""


def _short_form(loader: Any, suffix: str, node: Any) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


@cache
def _document(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a SafeLoader


class Stack:
    """A stack of the tree's template with these parameters."""

    def __init__(self, tree: Path, parameters: Mapping[str, str]) -> None:
        self.tree = tree
        self._document = _document(tree / "template.yaml")
        declared = self._document["Parameters"]
        if unknown := parameters.keys() - declared.keys():
            raise TemplateProblem(f"The template has no parameter {min(unknown)}.")
        self._parameters = {
            name: str(parameters.get(name, declared[name].get("Default", ""))) for name in declared
        }
        self._resources: dict[str, Any] = self._document["Resources"]

    # -- what there is -----------------------------------------------------------------------

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions by ARN."""
        common = self._resolve(self._document["Globals"]["Function"]["Environment"]["Variables"])
        found = {}
        for logical, properties in self._of_type("AWS::Serverless::Function"):
            module, handler = properties["Handler"].split(".")
            own = properties.get("Environment", {}).get("Variables", {})
            role = self._logical_of_role(self._resources[logical]["Properties"]["Role"])
            function = Function(
                logical,
                self.arn(logical),
                module,
                handler,
                role,
                int(properties["Timeout"]),
                {**common, **own},
            )
            found[function.arn] = function
        return found

    def function(self, logical: str) -> Function:
        return self.functions[self.arn(logical)]

    @cached_property
    def definition(self) -> dict[str, Any]:
        """The state machine's definition, its substitutions made."""
        properties = self._properties("LoadStateMachine")
        text = (self.tree / properties["DefinitionUri"]).read_text(encoding="utf-8")
        for name, value in properties["DefinitionSubstitutions"].items():
            text = text.replace(f"${{{name}}}", value)
        found: dict[str, Any] = json.loads(text)
        return found

    @cached_property
    def policies(self) -> tuple[Allowed, ...]:
        """Every statement that allows something, of every role, managed policies included."""
        found: list[Allowed] = []
        for logical, properties in self._of_type("AWS::IAM::Role"):
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
            for reference in self._resources[logical]["Properties"].get("ManagedPolicyArns", ()):
                documents.append(self._properties(reference["Ref"])["PolicyDocument"])
            for statement in (s for d in documents for s in d["Statement"]):
                conditions = statement.get("Condition", {})
                if statement["Effect"] != "Allow" or conditions.keys() - {ALL_VALUES}:
                    raise TemplateProblem(f"{logical} has a statement of a kind not known here.")
                values = conditions.get(ALL_VALUES, {}).items()
                found.append(
                    Allowed(
                        logical,
                        _tuple(statement["Action"]),
                        _tuple(statement["Resource"]),
                        tuple((key, _tuple(value)) for key, value in values),
                    )
                )
        return tuple(found)

    def allows(
        self,
        role: str,
        action: str,
        resource: str,
        given: Mapping[str, Collection[str]] | None = None,
    ) -> bool:
        """Whether a policy of the role (its logical name) allows the action on the resource. ``given``: the request's
        condition keys, with their values.
        """
        return any(p.role == role and p.allows(action, resource, given) for p in self.policies)

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Whether the upload rule's pattern takes an S3 event of EventBridge.

        Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
        """
        return _fits(self._properties("UploadRule")["EventPattern"], event)

    @cached_property
    def source(self) -> EventSource:
        """The trigger's event source."""
        events = self._properties("TriggerFunction")["Events"]["Uploads"]["Properties"]
        queue = self._properties("UploadQueue")
        return EventSource(
            queue=self.arn("UploadQueue"),
            dead_letters=self.arn("DeadLetterQueue"),
            batch=int(events["BatchSize"]),
            visibility=int(queue["VisibilityTimeout"]),
            deliveries=int(queue["RedrivePolicy"]["maxReceiveCount"]),
            reports_failures="ReportBatchItemFailures" in events["FunctionResponseTypes"],
        )

    @property
    def data_bucket(self) -> str:
        return self._name("DataBucket")

    @property
    def work_bucket(self) -> str:
        return self._name("WorkBucket")

    @property
    def state_machine(self) -> str:
        return self.arn("LoadStateMachine")

    @property
    def workgroup(self) -> str:
        return f"arn:aws:redshift-serverless:{REGION}:{ACCOUNT}:workgroup/{self.parameter('WorkgroupId')}"

    def role_name(self, logical: str) -> str:
        return self._name(logical)

    def parameter(self, name: str) -> str:
        return self._parameters[name]

    def arn(self, logical: str) -> str:
        """A resource's ARN."""
        name, kind = self._name(logical), self._resources[logical]["Type"]
        here = f"{REGION}:{ACCOUNT}"
        arns = {
            "AWS::S3::Bucket": f"arn:aws:s3:::{name}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{here}:{name}",
            "AWS::Serverless::Function": f"arn:aws:lambda:{here}:function:{name}",
            "AWS::Serverless::StateMachine": f"arn:aws:states:{here}:stateMachine:{name}",
            "AWS::Events::Rule": f"arn:aws:events:{here}:rule/{name}",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
            "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{name}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{here}:log-group:{name}:*",
        }
        if kind not in arns:
            raise TemplateProblem(f"{logical}: {kind} has no ARN here.")
        return arns[kind]

    # -- resolving ---------------------------------------------------------------------------

    def _of_type(self, kind: str) -> list[tuple[str, Any]]:
        return [
            (logical, self._properties(logical))
            for logical, resource in self._resources.items()
            if resource["Type"] == kind and self._exists(resource)
        ]

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._condition(resource["Condition"])

    def _properties(self, logical: str) -> Any:
        return self._resolve(self._resources[logical]["Properties"])

    def _logical_of_role(self, node: Any) -> str:
        if not (isinstance(node, dict) and node.get("Fn::GetAtt", [None])[-1] == "Arn"):
            raise TemplateProblem(f"A function's role is {node}, not the ARN of one of the stack.")
        return str(node["Fn::GetAtt"][0])

    def _name(self, logical: str) -> str:
        """The resource's own name: the one that it is given, or one made as CloudFormation makes them."""
        properties = self._resources[logical].get("Properties", {})
        for given in (
            "RoleName",
            "Name",
            "LogGroupName",
            "BucketName",
            "QueueName",
            "FunctionName",
        ):
            if given in properties:
                return str(self._resolve(properties[given]))
        return f"{STACK}-{logical}".lower()

    def _resolve(self, node: Any) -> Any:
        if isinstance(node, list):
            return [v for v in (self._resolve(item) for item in node) if v is not _NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in ("Ref", "Condition") or name.startswith("Fn::"):
                return self._call(name, argument)
        resolved = {key: self._resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not _NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._ref(argument)
        if name == "Fn::GetAtt":
            if argument[1] != "Arn":
                raise TemplateProblem(f"GetAtt {argument} is not known here.")
            return self.arn(argument[0])
        if name == "Fn::If":
            condition, yes, no = argument
            return self._resolve(yes if self._condition(condition) else no)
        if name == "Fn::Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            return re.sub(r"\$\{([\w:.]+)\}", lambda m: str(self._in_text(m.group(1), more)), text)
        raise TemplateProblem(f"{name} is not known here.")

    def _in_text(self, name: str, more: Mapping[str, Any]) -> Any:
        if name in more:
            return self._resolve(more[name])
        if "." in name:
            return self._call("Fn::GetAtt", name.split(".", 1))
        return self._ref(name)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._parameters:
            return self._parameters[name]
        kind = self._resources[name]["Type"]
        if kind in ("AWS::Serverless::StateMachine", "AWS::IAM::ManagedPolicy"):
            return self.arn(name)
        if kind == "AWS::Serverless::LayerVersion":
            return f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:{name}:1"
        return self._name(name)

    def _condition(self, node: Any) -> bool:
        if isinstance(node, str):
            return self._condition(self._document["Conditions"][node])
        name, argument = next(iter(node.items()))
        if name == "Condition":
            return self._condition(argument)
        if name == "Fn::Equals":
            left, right = (self._resolve(side) for side in argument)
            return bool(left == right)
        if name == "Fn::Not":
            return not self._condition(argument[0])
        if name == "Fn::And":
            return all(self._condition(each) for each in argument)
        if name == "Fn::Or":
            return any(self._condition(each) for each in argument)
        raise TemplateProblem(f"The condition {name} is not known here.")


def _tuple(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _fits(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, Mapping) and all(
            key in value and _fits(inner, value[key]) for key, inner in pattern.items()
        )
    for one in pattern:
        if isinstance(one, dict):
            if set(one) == {"prefix"}:
                fits = isinstance(value, str) and value.startswith(one["prefix"])
            elif set(one) == {"wildcard"}:  # of earlier versions of the template
                fits = isinstance(value, str) and matches(one["wildcard"], value)
            else:
                raise TemplateProblem(f"The pattern {one} is not known here.")
            if fits:
                return True
        elif one == value:
            return True
    return False
