"""A batch that was halved goes on part by part: what comes next, and when a suspicion against a file is proved.

A file that could not be staged is put aside until another part of its batch was read and passed the checks: otherwise
it may be the COPY role or the check that is wrong, and no file is rejected for that. If none was, the parts that were
put aside are recorded as waiting (functions/stage.py), and the batch fails, so that a person is told.
"""

from loader.state import BatchState, Check, Suspicion, only

MAX_SUSPECTS = (
    4  # so many failures of single files, and nothing that went well, are not their fault
)
MAX_PARTS = 300  # of a load: each costs some 30 events of its history, which ends at 25,000

_CARRIED = ("known", "suspicion", "parts", "unreadable", "named", "control")


def next_part(state: BatchState, *, good: bool = False) -> BatchState:
    """The state after a part has ended: that of the next part, or the batch's end (published, or failed)."""
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
    """So many names for parts of a batch, never used before."""
    made = state.get("parts", 0)
    batch = state["batch"].split(".")[0]
    names = [f"{batch}.{number}" for number in range(made + 1, made + count + 1)]
    return {**state, "parts": made + count}, names


def set_aside(state: BatchState, cause: str, checks: list[Check]) -> BatchState:
    """Puts a part aside, and goes on with the others."""
    suspects = [*state.get("suspects", ()), state["batch"]]
    suspicion: Suspicion = {"cause": cause, "checks": checks}
    return next_part({**state, "suspects": suspects, "suspicion": suspicion})
