"""A batch that was halved goes on part by part: what comes next, and when a suspicion against a file is proved.

A file that could not be staged is put aside until another part of its batch was read and passed the checks: otherwise
it may be the COPY role or the check that is wrong, and no file is rejected for that. If none was, the parts that were
put aside are recorded as waiting (functions/stage.py), and the batch fails, so that a person is told.

In the state of a batch:
    todo        names of the parts that wait
    suspects    names of parts that could not be staged
    suspicion   why: {"cause": …, "checks": […]}
    held        whether what is left are suspects of which nothing is proved: they are recorded and not staged
    good        whether a part has been published
    parts       how many parts were made
    named       how many files went because an error named them
    control     whether the set-up reads a file that it has read before (control.py)
"""

from typing import Any

MAX_SUSPECTS = (
    4  # so many failures of single files, and nothing that went well, are not their fault
)
MAX_PARTS = 300  # of a load: each costs some 30 events of its history, which ends at 25,000

State = dict[str, Any]
_CARRIED = ("known", "suspicion", "parts", "unreadable", "named", "control")


def next_part(state: State, *, good: bool = False) -> State:
    """The state after a part has ended: that of the next part, or the batch's end (published, or failed)."""
    good = good or state.get("good", False)
    todo, suspects = list(state.get("todo", ())), list(state.get("suspects", ()))
    if good and not todo:
        todo, suspects = suspects, []
    carried = {name: state[name] for name in _CARRIED if name in state}
    hopeless = not good and len(suspects) >= MAX_SUSPECTS
    if todo and not hopeless:
        following = {"batch": todo[0], "todo": todo[1:], "suspects": suspects, "good": good}
        return {**carried, **following, "outcome": "next"}
    if suspects:
        following = {"batch": suspects[0], "todo": suspects[1:], "held": True}
        return {**carried, **following, "outcome": "next"}
    if state.get("held"):
        return {**carried, "batch": state["batch"], **state["suspicion"], "outcome": "failed"}
    return {**carried, "batch": state["batch"], "outcome": "published"}


def new_parts(state: State) -> tuple[State, tuple[str, str]]:
    """Two names for parts of a batch, never used before: 3.1 and 3.2, then 3.3 and 3.4."""
    state, (first, second) = name_parts(state, 2)
    return state, (first, second)


def name_parts(state: State, count: int) -> tuple[State, list[str]]:
    """So many names for parts of a batch, never used before."""
    made = state.get("parts", 0)
    batch = state["batch"].split(".")[0]
    names = [f"{batch}.{number}" for number in range(made + 1, made + count + 1)]
    return {**state, "parts": made + count}, names


def set_aside(state: State, cause: str, checks: list[State]) -> State:
    """Puts a part aside, and goes on with the others."""
    suspects = [*state.get("suspects", ()), state["batch"]]
    suspicion = {"cause": cause, "checks": checks}
    return next_part({**state, "suspects": suspects, "suspicion": suspicion})
