"""UNLOAD's manifest, formatted as in the documentation.

https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD_command_examples.html#unload-examples-manifest-verbose
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fakeshift.engine.results import ResultColumn
from fakeshift.sql.datatypes import DataType


@dataclass(frozen=True)
class File:
    """A file in S3; ``rows`` include the header line."""

    url: str
    bytes: int
    rows: int


def manifest(
    files: Sequence[File],
    columns: Sequence[ResultColumn],
    declared: Sequence[DataType | None],
    *,
    verbose: bool,
    sizes: bool = False,
) -> str:
    """``{"entries": [{"url": ...}]}``; VERBOSE adds sizes, the columns, totals and the author.

    ``sizes``: Parquet's has "a meta key that is required ... for loading data files in an ORC or Parquet
    file format", in any case (dg/loading-data-files-using-manifest.html).
    """
    lines = ",\n".join(f"    {_entry(file, verbose=verbose, size=sizes)}" for file in files)
    entries = f'  "entries": [\n{lines}\n  ]'
    if not verbose:
        return f"{{\n{entries}\n}}\n"
    known = declared if len(declared) == len(columns) else [None] * len(columns)
    elements = ",\n".join(
        f"      {json.dumps({'name': column.name, 'type': _type(column, kind)}, ensure_ascii=False)}"
        for column, kind in zip(columns, known, strict=True)
    )
    sums = {
        "content_length": sum(file.bytes for file in files),
        "record_count": sum(file.rows for file in files),
    }
    author = {"name": "Amazon Redshift", "version": "1.0.0"}
    return (
        f'{{\n{entries},\n  "schema": {{\n    "elements": [\n{elements}\n    ]\n  }},\n'
        f'  "meta": {json.dumps(sums)},\n  "author": {json.dumps(author)}\n}}\n'
    )


def _entry(file: File, *, verbose: bool, size: bool) -> str:
    url = f'"url":{json.dumps(file.url, ensure_ascii=False)}'
    if not verbose and not size:
        return f"{{{url}}}"
    meta = {"content_length": file.bytes}
    if verbose:
        meta["record_count"] = file.rows
    return f'{{{url}, "meta": {json.dumps(meta)}}}'


def _type(column: ResultColumn, declared: DataType | None) -> dict[str, Any]:
    """``declared`` is the type of a table's column; a computed column has VARCHAR's maximum length."""
    name = declared.name if declared and declared.is_text else column.type_name
    built: dict[str, Any] = {"base": DataType(name).spoken.partition("(")[0]}
    if column.type_name in ("varchar", "bpchar"):
        built["max_length"] = declared.length if declared else column.precision
    elif column.type_name == "numeric":
        built |= {"precision": column.precision, "scale": column.scale}
    return built
