"""python -m tools.state_picture: Mermaid diagrams of statemachine/load.asl.json, for docs/architecture.md.

They have all states and transitions, with the outcomes that choose them. A test compares them with the page.
"""

import json
import re
from pathlib import Path
from typing import Any

DEFINITION = Path(__file__).resolve().parent.parent / "statemachine" / "load.asl.json"

# Conditions that do not test the outcome of a step, in words; an unlisted one raises KeyError.
WORDS = {
    "$load.rest != ''": "files are left over",
    "$count($states.input.batches[outcome != 'published']) > 0": "a batch failed",
}


def pictures(definition: dict[str, Any]) -> list[str]:
    """The definition as Mermaid state diagrams: the whole, then what runs for each item of a Map."""
    inner = [s["ItemProcessor"] for s in definition["States"].values() if "ItemProcessor" in s]
    return [_picture(machine) for machine in (definition, *inner)]


def _picture(machine: dict[str, Any]) -> str:
    states = machine["States"]
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{name}" as {_id(name)}' for name in states]
    lines.append(f"    [*] --> {_id(machine['StartAt'])}")
    for name, state in states.items():
        for target, labels in _edges(state).items():
            label = "" if "" in labels else " : " + ", ".join(dict.fromkeys(labels))
            lines.append(f"    {_id(name)} --> {target}{label}")
    return "\n".join(lines)


def _edges(state: dict[str, Any]) -> dict[str, list[str]]:
    """Target -> why it is taken: outcomes, 'error', 'else', or '' for what comes next."""
    edges: dict[str, list[str]] = {}
    for choice in state.get("Choices", ()):
        edges.setdefault(_id(choice["Next"]), []).append(_label(choice["Condition"]))
    if "Default" in state:
        edges.setdefault(_id(state["Default"]), []).append("else")
    if "Next" in state:
        edges.setdefault(_id(state["Next"]), []).append("")
    if state.get("End") or state["Type"] in ("Fail", "Succeed"):
        edges.setdefault("[*]", []).append("")
    for catch in state.get("Catch", ()):
        edges.setdefault(_id(catch["Next"]), []).append("error")
    return edges


def _label(condition: str) -> str:
    expression = condition.removeprefix("{%").removesuffix("%}").strip()
    if re.match(r"\$states\.input\.outcome (=|in) ", expression):
        return ", ".join(re.findall(r"'([^']*)'", expression))
    return WORDS[expression]


def _id(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_")


if __name__ == "__main__":
    for diagram in pictures(json.loads(DEFINITION.read_text(encoding="utf-8"))):
        print(f"```mermaid\n{diagram}\n```\n")
