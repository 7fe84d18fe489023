"""The widget of loads on the stack's dashboard: the sections of the page, as HTML without a script.

CloudWatch calls it with the rights of whoever looks at the dashboard, and shows what it returns. Buttons call it again
with a load, a day or a part of a key. It only reads the history.

Sources: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/add_custom_widget_dashboard_about.html, …_security.html
(scripts, iframe and use are removed), …_interactivity.html (cwdb-action); github.com/aws-samples/
cloudwatch-custom-widgets-samples (describe, and forms in widgetContext).
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from loader import clients, history
from loader.observability import SERVICE, logger
from loader.page import document, parts, text
from loader.page.commands import Commands
from loader.page.html import code, e, rendered, table
from loader.page.html import time as shown_time
from loader.page.model import Dataset, Day, Load, Page
from loader.page.opened import opened
from loader.page.state import state_of
from loader.request import BadRequest
from loader.settings import settings

SHOWN = 20  # loads
FOUND = 50  # files
DESCRIBED = """## Loads

Shows whether the data is current, what each dataset loaded, the newest loads, and the files that are not loaded.

### Parameters

Without any it shows the overview.

Parameter | Description
---|---
**load** | The id of a load, to show it
**find** | A part of a key, to find files
**day**, **dataset** | A day (UTC) and a dataset, to show what was left out

### Example

```yaml
load: 20261123-203011-1f2e3d4c
```
"""
FIELDS = ("describe", "load", "find", "day", "dataset", "widgetContext")
_LOAD_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_DATASET = re.compile(r"[a-z0-9_]{1,63}")

store = clients.store()


@dataclass(frozen=True)
class Asked:
    """What the widget is to show; nothing of it: the overview."""

    describe: bool = False
    load: str = ""
    find: str = ""
    day: date | None = None
    dataset: str = ""
    dark: bool = False


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> str:
    """HTML; or Markdown, for ``describe``."""
    try:
        asked = parse(event)
    except BadRequest as error:
        return rendered(e("p", str(error)))
    if asked.describe:
        return DESCRIBED
    now = datetime.now(UTC)
    found = history.read_history(store, document.DAYS, now)
    page = Page(found.loads, found.sweep, now, paused=settings().paused)
    frame = InWidget(str(context.invoked_function_arn), Commands(("--stack", SERVICE)))
    return html(page, frame, asked)


def parse(event: Mapping[str, Any]) -> Asked:
    """Checks the parameters, as those of an execution are; raises BadRequest by the name of the field."""
    for field in event:
        if field not in FIELDS:
            raise BadRequest(
                f"The parameter {field!r} is not known. Known are {', '.join(FIELDS[:-1])}."
            )
    context = event.get("widgetContext")
    context = context if isinstance(context, Mapping) else {}
    forms = context.get("forms")
    form = forms.get("all") if isinstance(forms, Mapping) else None
    find = event.get("find", "")
    if "find" in event and isinstance(form, Mapping):
        find = form.get("find", find)
    load, day, dataset = (event.get(name, "") for name in ("load", "day", "dataset"))
    if load and not (isinstance(load, str) and _LOAD_ID.fullmatch(load)):
        raise BadRequest("load must be the id of a load, such as '20261123-203011-1f2e3d4c'.")
    if not isinstance(find, str) or len(find.encode(errors="replace")) > 1024:
        raise BadRequest("find must be a part of a key, of at most 1,024 bytes.")
    if dataset and not (isinstance(dataset, str) and _DATASET.fullmatch(dataset)):
        raise BadRequest("dataset must be the name of a dataset.")
    return Asked(
        bool(event.get("describe")), load, find.strip(), _day(day), dataset,
        context.get("theme") == "dark",
    )  # fmt: skip


def _day(given: Any) -> date | None:
    if not given:
        return None
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise BadRequest("day must be a date, such as '2026-11-23'.") from None


class InWidget:
    """The sections stand in a widget, which cwdb-action makes call its function again."""

    def __init__(self, function: str, commands: Commands) -> None:
        self._function = function
        self.commands = commands

    def calls(self, element: ET.Element, **parameters: str) -> list[ET.Element]:
        """An element that shows something else: cwdb-action belongs to the element before it."""
        action = e(
            "cwdb-action",
            json.dumps(parameters),
            action="call",
            display="widget",
            endpoint=self._function,
        )
        return [element, action]  # fmt: skip

    def open_load(self, load: Load) -> list[ET.Element]:
        return self.calls(e("a", load.id), load=load.id)

    def open_day(self, dataset: Dataset, day: Day) -> list[ET.Element]:
        if not (day.left_out or day.rows_rejected) or not _DATASET.fullmatch(dataset.name):
            return []
        square = e("a", e("span", parts.said(day), class_="sr"))
        return self.calls(square, day=day.date.isoformat(), dataset=dataset.name)

    def load_controls(self) -> None:
        return None

    def more_loads(self, shown: int, total: int) -> ET.Element | None:
        more = self.commands.say("report", "--open")
        return e("p", "All of them: ", code(more)) if shown < total else None


def html(page: Page, frame: InWidget, asked: Asked) -> str:
    """What the widget shows."""
    root = e(
        "div",
        e("div", class_="cwdb-no-default-styles"),
        document.style(),
        e("div", _shown(page, frame, asked), class_="inner"),
        class_="page dark" if asked.dark else "page",
    )
    for each in root.iter("time"):
        at = text.parsed(each.get("datetime"))
        if at:
            each.set("data-age", text.age((page.now - at).total_seconds()))
    return rendered(root)


def _shown(page: Page, frame: InWidget, asked: Asked) -> Iterable[ET.Element | None]:
    if asked.load or asked.find or asked.day:
        yield e("p", frame.calls(e("a", "← All loads")))
    if asked.load:
        load = next((each for each in page.loads if each.id == asked.load), None)
        yield (
            opened(load, frame.commands)
            if load
            else e("p", f"The history has no load {asked.load}.")
        )
    elif asked.find:
        yield from found(page, frame, asked.find)
    elif asked.day:
        yield from left_out_on(page, frame, asked.day, asked.dataset)
    else:
        yield parts.sentence(page, state_of(page))
        if page.is_empty:
            yield parts.empty(frame)
            return
        yield parts.datasets(page, frame)
        yield parts.left_out(page, frame)
        yield parts.unknown_keys(page)
        button = frame.calls(e("a", "Find", class_="find-button"), find="")
        box = e(
            "input",
            type="search",
            name="find",
            placeholder="a part of a file's key",
            aria_label="A part of its key",
        )
        yield e("form", box, " ", button, class_="controls")
        yield parts.loads(page.loads[:SHOWN], frame, len(page.loads), parts.longest(page.loads))


def found(page: Page, frame: InWidget, wanted: str) -> Iterable[ET.Element]:
    """The files with this part in their key, newest first."""
    hits = [
        (str(key), str(outcome), load)
        for load in page.loads
        for key, outcome, *_ in load.listed
        if wanted.lower() in text.visible(key).lower()
    ]
    yield e(
        "h2",
        f"{len(hits):,} found",
        e("small", f"the first {FOUND}") if len(hits) > FOUND else None,
    )
    rows = [
        (code(key), outcome, e("span", frame.open_load(load)), shown_time(load.started))
        for key, outcome, load in hits[:FOUND]
    ]
    yield table("", ("file", "outcome", "load", "when"), rows)


def left_out_on(
    page: Page, frame: InWidget, day: date, dataset: str
) -> Iterable[ET.Element | None]:
    """The files that loads of a day left out, and their loads."""
    loads = [
        load
        for load in page.loads
        if load.started.astimezone(UTC).date() == day and (not dataset or dataset in load.datasets)
    ]
    that_day = Page([load.document for load in loads], None, page.now)
    known = (page.sweep.get("datasets") or {}).get(dataset) or {}
    prefix = str(known.get("prefix") or "")
    yield e("h2", f"{dataset or 'All datasets'} on {day.day} {day:%b %Y}")
    for group in that_day.reasons:
        files = [each for each in group.files if each.key.startswith(prefix)]
        if files:
            yield parts.reason(type(group)(group.kind, group.text, files), frame)
    yield (
        parts.loads(loads[:SHOWN], frame, len(loads), parts.longest(loads))
        if loads
        else e("p", "No loads.")
    )
