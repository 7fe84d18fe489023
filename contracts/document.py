"""A YAML file as Python values that know their lines.

The rules for plain words are those of YAML 1.2: only true, false and null are words, so that columns may be called on,
off, yes and no, and a date stays a text. A key that is there twice is an error.
Source: yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

_WHOLE = re.compile(r"[-+]?[0-9]{1,30}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = ("", "~", "null", "Null", "NULL")


class ContractError(Exception):
    """A dataset.yaml is wrong; the message names the file, the line and the field, and says what is allowed."""


class Document:
    """The content of a YAML file. ``value``: dicts, lists, texts, numbers, booleans and None."""

    def __init__(self, path: Path, text: str, shown: str) -> None:
        """``shown``: what the file is called in messages. Raises ContractError if it is not YAML."""
        self.path, self.shown = path, shown
        self._lines: dict[tuple[str | int, ...], int] = {}
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self.value: Any = self._read(node, ()) if node else None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ContractError(
                f"{shown}:{line}: this is not YAML: {error.problem or error}. In YAML, blanks at the start of a line "
                "say what belongs to what, and a text with : # [ or { in it needs quotes."
            ) from error
        except yaml.YAMLError as error:
            raise ContractError(f"{shown}:1: this is not YAML: {error}") from error
        except RecursionError as error:
            raise ContractError(
                f"{shown}:1: a part of the file is inside of itself, or too deep."
            ) from error

    def line(self, field: Sequence[str | int]) -> int:
        """The line of a field, by its keys, or of the nearest one above it that has a line."""
        at = tuple(field)
        while at and at not in self._lines:
            at = at[:-1]
        return self._lines.get(at, 1)

    def error(self, field: Sequence[str | int], message: str) -> ContractError:
        """The error for a field."""
        name = shown_field(field)
        return ContractError(
            f"{self.shown}:{self.line(field)}: {f'{name}: ' if name else ''}{message.rstrip('.')}."
        )

    def _read(self, node: yaml.Node, at: tuple[str | int, ...]) -> Any:
        self._lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._read(one, (*at, number)) for number, one in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, at: tuple[str | int, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise ContractError(
                    f"{self.shown}:{key_node.start_mark.line + 1}: a field's name must be a text."
                )
            key = key_node.value
            self._lines[(*at, key)] = key_node.start_mark.line + 1
            if key in made:
                raise self.error((*at, key), "this field is there twice; keep one of them")
            made[key] = self._read(value_node, (*at, key))
        return made


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) is not None:  # quoted, or a block
        return text
    if text in _NULLS:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) and not re.match(r"0[0-9]", text) else text


def shown_field(field: Sequence[str | int]) -> str:
    """A field as a person writes it: columns.order_id.type, key[0]."""
    text = ""
    for step in field:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
