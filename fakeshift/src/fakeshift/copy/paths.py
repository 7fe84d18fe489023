"""From a JSON structure to a column's value: 'auto', 'auto ignorecase', JSONPaths.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html#copy-json-jsonpaths
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from fakeshift.copy.errors import RowError
from fakeshift.copy.objects import INVALID_INPUT
from fakeshift.errors import RedshiftError, reading, source_failed, unsupported
from fakeshift.s3 import ObjectStore
from fakeshift.sql.nodes import Column

Pick = Callable[[Any], Sequence[Any]]
"""A structure's values in the order of the columns. Raises RowError or RedshiftError."""

Step = str | int

_BRACKET = re.compile(r"\[\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\d+))\s*\]")
_QUOTED = re.compile(r"\[\s*['\"]")
_DOT = re.compile(r"\.([^.\[\]'\"*?@]+)|\[(\d+)\]")


def automatic(columns: Sequence[str], *, ignore_case: bool) -> Pick:
    """By key: the column's name, exactly or in any case. Other keys are ignored."""

    def pick(structure: Any) -> Sequence[Any]:
        if not isinstance(structure, dict):
            raise RowError(INVALID_INPUT, "Invalid value.")
        get = structure.get
        return [get(column) for column in columns]

    def pick_ignoring_case(structure: Any) -> Sequence[Any]:
        if not isinstance(structure, dict):
            raise RowError(INVALID_INPUT, "Invalid value.")
        folded: dict[str, Any] = {}
        for key, value in structure.items():
            folded.setdefault(key.lower(), value)  # the first one, as for duplicate keys
        return [folded.get(column) for column in columns]

    return pick_ignoring_case if ignore_case else pick


def whole(columns: Sequence[Column]) -> Pick:
    """'noshred': the structure itself, into a table's one column. Raises RedshiftError if it is not SUPER.

    https://docs.aws.amazon.com/redshift/latest/dg/copy_json.html
    """
    if len(columns) != 1 or columns[0].type.name != "super":
        raise RedshiftError("JSON 'noshred' needs a single column, of type SUPER")
    return lambda structure: [structure]


def by_paths(paths: Sequence[Sequence[Step]]) -> Pick:
    """By JSONPath: a missing key is NULL, a missing array element fails the COPY, a key of a value that is not
    an object is a row error.
    """
    plain = [path[0] for path in paths if len(path) == 1 and isinstance(path[0], str)]
    if len(plain) == len(paths):
        keys = tuple(plain)

        def pick_keys(structure: Any) -> Sequence[Any]:
            if not isinstance(structure, dict):
                raise _not_an_object()
            get = structure.get
            return [get(key) for key in keys]

        return pick_keys

    def pick(structure: Any) -> Sequence[Any]:
        return [_follow(structure, path) for path in paths]

    return pick


def _not_an_object() -> RowError:
    """A row error: seen among a load's errors, with the file and its raw line, an array of objects
    (https://github.com/awslabs/aws-lambda-redshift-loader/issues/113). Its code was not.
    """
    return RowError(INVALID_INPUT, "Invalid JSONPath format: Member is not an object.")


def _follow(value: Any, path: Sequence[Step]) -> Any:
    for step in path:
        if isinstance(step, int):
            # "COPY fails with the following error" (dg/copy-usage_notes-copy-from-json.html)
            if not isinstance(value, list) or step >= len(value):
                raise RedshiftError("Invalid JSONPath format: Not an array or index out of range.")
            value = value[step]
        elif value is None:
            return None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            raise _not_an_object()
    return value


def read_jsonpaths(store: ObjectStore, url: str, columns: int) -> list[list[Step]] | None:
    """The paths of a JSONPaths file; None if its only key is not ``jsonpaths``, which means 'auto'.

    Raises RedshiftError: no file, not JSON, an invalid path, another number than columns.
    """
    found = store.open(url)
    if found is None:
        raise source_failed(
            "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey,"
            "Rid local,CanRetry 1",
            reading(url),
        )
    try:
        document = json.loads(b"".join(found.chunks()))
    except ValueError as error:
        raise source_failed("Malformed JSONPaths file.", reading(url)) from error
    if not isinstance(document, dict) or len(document) != 1:
        raise source_failed("Malformed JSONPaths file.", reading(url))
    if "jsonpaths" not in document:
        return None
    listed = document["jsonpaths"]
    if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
        raise source_failed("Malformed JSONPaths file.", reading(url))
    paths = [parse_path(path) for path in listed]
    if len({notation for path in listed if (notation := _notation(path))}) > 1:
        raise _bad_path(next(path for path in listed if _notation(path) == _BRACKET))
    if len(paths) != columns:
        raise source_failed(
            "Number of jsonpaths and the number of columns should match. JSONPath size: "
            f"{len(paths)}, Number of columns in table or column list: {columns}",
            reading(url),
        )
    return paths


def parse_path(path: str) -> list[Step]:
    """``$['a']['b'][0]`` or ``$.a.b[0]`` -> ``["a", "b", 0]``; the notations are not mixed. ``$`` is the
    document (.../dg/copy_json.html), and no page says how to write a quote within a name.

    "Brackets can be used in both bracket notation and dot notation to reference an array element."
    """
    text = path.strip()
    if not text.startswith("$"):
        raise _bad_path(path)
    rest = text[1:]
    notation = _notation(path) or (_BRACKET if rest.startswith("[") else _DOT)
    steps: list[Step] = []
    while rest:
        match = notation.match(rest)
        if match is None:
            raise _bad_path(path)
        index = match.groups()[-1]
        if index is not None:
            steps.append(int(index))
        else:
            name = next(group for group in match.groups() if group is not None)
            if "\\" in name:
                raise unsupported("a JSONPath with a backslash")
            steps.append(name)
        rest = rest[match.end() :]
    return steps


def _notation(path: str) -> re.Pattern[str] | None:
    """ "You cannot mix bracket notation and dot notation in the jsonpaths array"; an index belongs to both.

    https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
    """
    if _QUOTED.search(path):
        return _BRACKET
    return _DOT if "." in path else None


def _bad_path(path: str) -> RedshiftError:
    return RedshiftError(
        "Invalid JSONPath format: Supported notations are 'dot-notation' and 'bracket-notation': "
        f"{path}"
    )
