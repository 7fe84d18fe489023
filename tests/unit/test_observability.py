"""Log lines of a step, and that no log line can fail a function."""

import ast
import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from loader.observability import logger
from loader.steps import step

from tests.unit.fakes import Context

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
LOAD = {"load_id": "L", "execution": "arn:x"}


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        ({"load": LOAD, "batch": {"batch": "0.1"}}, ("L", "arn:x", "0.1")),
        ({"load": LOAD}, ("L", "arn:x", None)),
        ({"load": {}, "execution": "arn:y"}, (None, "arn:y", None)),
    ],
)
def test_every_line_says_whose_it_is(
    event: dict[str, Any], keys: tuple[str | None, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", out)

    @step
    def handler(event: dict[str, Any]) -> dict[str, Any]:
        return {"outcome": "done"}

    assert handler(event, Context())["outcome"] == "done"
    line = json.loads(out.getvalue())
    assert (line.get("load_id"), line.get("execution"), line.get("batch")) == keys
    assert (line["message"], line["outcome"]) == ("step ended", "done")


def test_no_log_line_uses_a_name_that_logging_keeps_for_itself() -> None:
    """logging raises KeyError for it, and only when the line is written: in the rare case that it reports."""
    taken = {*vars(logging.makeLogRecord({})), "message", "asctime"}
    taken -= {"exc_info", "stack_info"}
    found = [
        f"{path.name}:{call.lineno} {keyword.arg}"
        for path in FUNCTIONS.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "logger"
        for keyword in call.keywords
        if keyword.arg in taken
    ]
    assert found == []
