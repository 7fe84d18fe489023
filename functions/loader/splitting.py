"""Bookkeeping for a batch that was split: which part runs next, and when a suspect file is confirmed to be bad.

A file that could not be staged is set aside until another part of its batch has been read and has passed the checks.
Until then the COPY role or the check may be wrong, and no file is rejected for that. If no part succeeds, the parts
that were set aside are recorded as waiting (functions/stage.py), and the batch fails, so that people are notified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loader.steps import only

if TYPE_CHECKING:
    from loader.state import BatchState, Check, Suspicion


# So many single files failed and nothing succeeded: the files are not the cause.
MAX_SUSPECTS = 4
MAX_PARTS = 300  # of a load: each uses about 30 events of the execution's history, which is limited to 25,000

_CARRIED = ("known", "suspicion", "parts", "unreadable", "named", "control", "control_why")


def next_part(state: BatchState, *, good: bool = False) -> BatchState:
    """The state after a part has ended: the next part's, or the end of the batch (published or failed)."""
    good = good or state.get("good", False)
    todo, suspects = list(state.get("todo", ())), list(state.get("suspects", ()))
    if good and not todo:
        todo, suspects = suspects, []
    carried = only(state, *_CARRIED)
    hopeless = not good and len(suspects) >= MAX_SUSPECTS
    if todo and not hopeless:
        return {
            **carried,
            "batch": todo[0],
            "todo": todo[1:],
            "suspects": suspects,
            "good": good,
            "outcome": "next",
        }
    if suspects:
        return {
            **carried,
            "batch": suspects[0],
            "todo": suspects[1:],
            "held": True,
            "outcome": "next",
        }
    if state.get("held"):
        cause, checks = state["suspicion"]["cause"], state["suspicion"]["checks"]
        batch = state["batch"]
        return {**carried, "batch": batch, "cause": cause, "checks": checks, "outcome": "failed"}
    return {**carried, "batch": state["batch"], "outcome": "published"}


def name_parts(state: BatchState, count: int) -> tuple[BatchState, list[str]]:
    """So many names for parts of a batch, none used before: 3.1 and 3.2, then 3.3 and 3.4."""
    made = state.get("parts", 0)
    batch = state["batch"].split(".")[0]
    names = [f"{batch}.{number}" for number in range(made + 1, made + count + 1)]
    return {**state, "parts": made + count}, names


def set_aside(state: BatchState, cause: str, checks: list[Check]) -> BatchState:
    """Sets the part aside, and continues with the others."""
    suspects = [*state.get("suspects", ()), state["batch"]]
    suspicion: Suspicion = {"cause": cause, "checks": checks}
    return next_part({**state, "suspects": suspects, "suspicion": suspicion})
