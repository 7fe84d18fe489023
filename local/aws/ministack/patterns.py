"""Event patterns that MiniStack accepts and EventBridge refuses. The evidence is in local/aws/ministack/__init__.py."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

MOST_WILDCARDS = 5
"""AWS does not document how it counts complexity. It refused a pattern with six, *:*:*:*:*:event-bus/*; one is fine."""

TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences "
    "after a wildcard character"
)


def refuse_complex_wildcards() -> None:
    """Makes a wildcard with many * invalid."""
    validate: Callable[[Any], None] = eventbridge._validate_wildcard

    def validate_simple(operand: Any) -> None:
        validate(operand)
        literal_stars = operand.replace("\\\\", "").count("\\*")
        if operand.count("*") - literal_stars > MOST_WILDCARDS:
            raise eventbridge._InvalidPattern(TOO_COMPLEX)

    eventbridge._validate_wildcard = validate_simple
    eventbridge._OPERAND_VALIDATORS["wildcard"] = validate_simple


def check_rules_of_stacks() -> None:
    """Makes CloudFormation refuse a rule whose pattern EventBridge refuses: MiniStack creates it without PutRule."""
    create: Callable[..., Any] = provisioners._RESOURCE_HANDLERS["AWS::Events::Rule"]["create"]

    def create_checked(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        pattern = properties.get("EventPattern", "")
        text = json.dumps(pattern) if isinstance(pattern, dict) else pattern
        if reason := eventbridge._event_pattern_error(text):
            raise ValueError(
                f"Event pattern is not valid. Reason: {reason} (Service: EventBridge, Status Code: 400, "
                "Error Code: InvalidEventPatternException)"
            )
        return create(logical_id, properties, stack)

    provisioners._RESOURCE_HANDLERS["AWS::Events::Rule"]["create"] = create_checked


def apply() -> None:
    """All of it; before ministack.app is imported."""
    refuse_complex_wildcards()
    check_rules_of_stacks()
