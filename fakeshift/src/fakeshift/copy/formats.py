"""Selects the reader of a COPY's format: formats are plugged in here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from fakeshift.copy import parquet, paths, text, vectors
from fakeshift.copy.convert import EIGHT_BYTES_PRECISION, converter
from fakeshift.copy.json_reader import JsonReader
from fakeshift.copy.pipeline import EachObject, Reader, Rows
from fakeshift.engine.session import Session
from fakeshift.s3 import ObjectStore
from fakeshift.sql.copy_options import CopyOptions
from fakeshift.sql.nodes import Column


def reader(
    session: Session, store: ObjectStore, columns: Sequence[Column], options: CopyOptions
) -> Reader:
    """By ``options.format``. Raises RedshiftError for options that do not fit the columns."""
    if options.format == "parquet":
        return parquet.ParquetReader(session.con, session.database.scratch, columns, options)
    if options.format == "json":
        return _json(session, store, columns, options)
    rows = text.rows(columns, options, session.check_cancelled)
    return EachObject(options.format, rows, options.compression)


def _json(
    session: Session, store: ObjectStore, columns: Sequence[Column], options: CopyOptions
) -> Reader:
    names = [column.name for column in columns]
    ignore_case = options.json == "auto ignorecase"
    pick = paths.automatic(names, ignore_case=ignore_case)
    steps: list[list[paths.Step]] = [[name] for name in names]
    if options.json == "noshred":
        pick, steps = paths.whole(columns), [[]]
    elif options.json.startswith("s3://"):
        found = paths.read_jsonpaths(store, options.json, len(names))
        if found is not None:
            pick, steps = paths.by_paths(found), found
    converts = [converter(column, options) for column in columns]
    texts = {n: steps[n] for n, column in enumerate(columns) if column.type.is_text}
    rows = Rows(
        pick,
        converts,
        session.check_cancelled,
        texts,
        ignore_case,
        options.ignoreheader,
        options.encoding,
    )
    exactly = (
        ignore_case
        or options.exact_only("json")
        or any(column.type.precision == EIGHT_BYTES_PRECISION for column in columns)
    )
    plan = None if exactly else vectors.plan(columns, steps, options)
    folder = session.database.scratch / f"copy-{uuid.uuid4().hex}"
    cursor = session.database.cursor
    return JsonReader(session.con, cursor, rows, plan, options.compression, folder)
