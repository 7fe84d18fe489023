"""What a person, the trigger or the sweep may ask of a load: the input of an execution."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from loader.state import Mode


class BadRequest(Exception):
    """The execution's input is refused; the message names the field and says what it accepts."""


@dataclass(frozen=True)
class Request:
    """A valid input.

    prefixes, keys   narrow the load to these; both empty: all that is in the bucket and not loaded
    objects          S3 URI of a list of objects, written by the trigger, the sweep, or a load that left a rest
    mark             the sweep's time, which becomes its mark when the load ends well
    ended            load ids of executions that ended without cleaning up; the sweep's load cleans up after them
    named            whether the files were named by their keys, so that rejected and withdrawn ones are tried again
    undo             the id of the load to undo
    redo             the id of the undone load whose files are to be loaded again
    """

    mode: Mode = "load"
    prefixes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    objects: str = ""
    mark: str = ""
    dry_run: bool = False
    ended: tuple[str, ...] = ()
    named: bool = False
    undo: str = ""
    redo: str = ""

    @property
    def reload(self) -> bool:
        return self.mode == "reload"


_FIELDS = {
    "prefixes": "a list of prefixes of keys, such as ['log_data/2018/11/']",
    "keys": "a list of keys, such as ['log_data/2018/11/2018-11-01-events.json']",
    "dry_run": "true to plan only",
    "reload": "true, with keys or prefixes, to load files again",
    "undo": "the id of a load, such as '20261123-203011-1f2e3d4c', to take out what it loaded",
    "redo": "the id of a load that was undone, such as '20261123-203011-1f2e3d4c', to load its files again",
    "check": "true, alone, to check the set-up",
    "migrate": "true, alone, to create or upgrade the tables without a load",
    "reset": "true, alone, to drop and recreate the tables",
}
_INTERNAL = {"objects", "mark", "ended", "named"}
_LOAD_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


def parse(document: Any) -> Request:
    """Checks an execution's input; raises BadRequest by the name of the field."""
    if not isinstance(document, Mapping):
        raise BadRequest(f"The input must be a JSON object such as {{}}, not {_short(document)}.")
    for field in document:
        if field not in _FIELDS and field not in _INTERNAL:
            known = "; ".join(f"{name}: {what}" for name, what in _FIELDS.items())
            raise BadRequest(f"The field {field!r} is not known. Known are: {known}.")
    flags = {
        name: _flag(document, name)
        for name in ("dry_run", "reload", "check", "migrate", "reset", "named")
    }
    prefixes, keys = _texts(document, "prefixes"), _texts(document, "keys")
    objects, mark = _text(document, "objects"), _text(document, "mark")
    alone: Literal["check", "migrate", "reset"]
    for alone in ("check", "migrate", "reset"):
        if flags[alone] and len(document) > 1:
            other = next(field for field in document if field != alone)
            raise BadRequest(f"{alone} goes alone, not with {other!r}.")
        if flags[alone]:
            return Request(mode=alone)
    for field in ("undo", "redo"):
        if field in document:
            _refuse_others(document, field)
            load_id, dry_run = document[field], flags["dry_run"]
            if field == "undo":
                return Request("undo", dry_run=dry_run, undo=load_id)
            return Request(dry_run=dry_run, redo=load_id, named=True)
    if objects and (prefixes or keys or flags["dry_run"]):
        raise BadRequest(
            "objects is the trigger's, the sweep's, and the rest of a load's; it does not go with keys, prefixes or "
            "dry_run."
        )
    ended = document.get("ended", [])
    if (mark or ended or flags["named"]) and not objects:
        raise BadRequest("mark, ended and named are the loader's own; they go with objects only.")
    if not isinstance(ended, list) or not all(_is_load_id(item) for item in ended):
        raise BadRequest(f"ended is {_short(ended)}; it must be a list of load ids.")
    if mark and not _is_time(mark):
        raise BadRequest(f"mark is {_short(mark)}; it must be a time with its offset (ISO 8601).")
    if flags["reload"] and not (prefixes or keys or objects):
        raise BadRequest(
            "reload replaces what the named files loaded: give keys or prefixes with it."
        )
    return Request(
        "reload" if flags["reload"] else "load",
        prefixes,
        keys,
        objects,
        mark,
        flags["dry_run"],
        tuple(ended),
        named=bool(keys) or flags["named"],
    )


def _refuse_others(document: Mapping[str, Any], field: str) -> None:
    """undo and redo go alone or with dry_run, and name a load."""
    for other in document:
        if other not in (field, "dry_run"):
            raise BadRequest(f"{field} goes alone or with dry_run, not with {other!r}.")
    if not _is_load_id(document[field]):
        raise BadRequest(f"{field} is {_short(document[field])}; it must be {_FIELDS[field]}.")


def _is_load_id(value: Any) -> bool:
    return isinstance(value, str) and _LOAD_ID.fullmatch(value) is not None


def _flag(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name, False)
    if not isinstance(value, bool):
        meaning = f" ({_FIELDS[name]})" if name in _FIELDS else ""
        raise BadRequest(f"{name} is {_short(value)}; it must be true or false{meaning}.")
    return value


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(f"{name} is {_short(value)}; it must be a string.")
    return value


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name, [])
    if not isinstance(value, list) or (name in document and not value):
        raise BadRequest(f"{name} is {_short(value)}; it must be {_FIELDS[name]}.")
    for item in value:
        if not isinstance(item, str) or not item or len(item.encode()) > 1024:
            raise BadRequest(
                f"{name} holds {_short(item)}; each must be a string of 1 to 1,024 bytes."
            )
    return tuple(dict.fromkeys(value))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"
