"""The tables of a dataset: tables.sql."""

from collections.abc import Iterable, Iterator

from contracts.generate import landing, masking, values
from contracts.generate.shape import OF_LOAD, RELOAD, Shape
from contracts.generate.words import lines, name
from contracts.model import Column

LOAD_TYPE = "VARCHAR(64)"
MISFITS = "VARCHAR(65535)"


def files(shape: Shape) -> dict[str, str]:
    contract = shape.contract
    parents = [f"{shape.stage}_{end}" for end in shape.further]
    dropped = ", ".join(f"${{loader_schema}}.{table}" for table in (shape.stage, *parents))
    statements = [
        f"DROP TABLE IF EXISTS {dropped}",
        *staging_tables(shape),
        *(text for _, text in result_tables(shape)),
        *history_view(shape),
    ]
    made = ";\n\n".join(statements)
    return {
        "tables.sql": f"""\
-- The tables of {contract.name}, as they are now. Runs whenever one of them is missing (functions/migrate.py), and changes nothing that exists.
-- The parents of the staging tables are dropped first: they have no rows, and may be of another version.
{made};
"""
    }


def staging_tables(shape: Shape) -> Iterator[str]:
    """The parents of the load's own staging tables."""
    contract = shape.contract
    loader = "${loader_schema}"
    landed = [f"{column} {kind}" for column, kind, _ in landing.landing_columns(shape)]
    landed += [f"{column} {landing.extra_type(shape)}" for column in landing.extra_columns(shape)]
    yield _create(f"{loader}.{shape.stage}", landed)
    typed = [
        *(f"{one} BIGINT" for one in shape.numbered),
        *(f"{one} VARCHAR(64)" for one in shape.hashed),
        *_declared(contract.kept, stored=True),
        *(f"{shape.array(child)} SUPER" for child in contract.children),
        f"misfits {MISFITS}",
        *(f"{one} {MISFITS}" for one in shape.cut(contract.columns)),
    ]
    yield _create(f"{loader}.{shape.stage}_typed", typed, shape.key[:1])
    for child in contract.children:
        columns = [
            *_declared([contract.column(one) for one in contract.key], stored=True),
            *("row_no BIGINT", "position BIGINT"),
            *_declared(child.kept, stored=True),
            f"misfits {MISFITS}",
            *(f"{one} {MISFITS}" for one in shape.cut(child.columns)),
        ]
        yield _create(f"{loader}.{shape.stage}_{child.name}", columns, shape.key[:1])


def result_tables(shape: Shape) -> Iterator[tuple[str, str]]:
    """Name and CREATE TABLE of each table of results."""
    contract = shape.contract
    # What readers look for: the time, for rows without a key.
    times = [name(one.name) for one in contract.kept if one.type.is_time and not one.mask][:1]
    for table, columns in result_columns(shape).items():
        order = shape.key or (tuple(times) if table == shape.table else ())
        declared = [f"{name(column)} {said}" for column, said in columns.items()]
        yield table, _create(f"${{schema}}.{table}", declared, shape.key[:1], order)


def result_columns(shape: Shape) -> dict[str, dict[str, str]]:
    """Table of results -> its columns in order -> how each is declared, such as VARCHAR(64) NOT NULL."""
    contract = shape.contract
    columns = _results(contract.kept, contract.key)
    # The default is for rows that were loaded before the first table of an array was declared: they have no elements.
    numbered = dict.fromkeys(shape.numbered, "BIGINT DEFAULT 0 NOT NULL")
    of_load = dict.fromkeys(OF_LOAD, f"{LOAD_TYPE} NOT NULL")
    made: dict[str, dict[str, str]] = {}
    if contract.key:
        reload = {RELOAD: f"{LOAD_TYPE} NOT NULL"}
        hashed = dict.fromkeys(shape.hashed, "VARCHAR(64)")
        made[shape.versions] = columns | reload | hashed | numbered | of_load
    made[shape.table] = columns | numbered | of_load
    for child in contract.children:
        of_child = {
            **_results([contract.column(one) for one in contract.key], contract.key),
            **dict.fromkeys(("row_no", "position"), "BIGINT NOT NULL"),
            **_results(child.kept),
            **of_load,
        }
        for end in ("_versions", "") if contract.key else ("",):
            made[f"{child.name}{end}"] = of_child
    return made


def _results(columns: Iterable[Column], needed: Iterable[str] = ()) -> dict[str, str]:
    must = {*needed}
    return {
        column.name: f"{column.stored}{' NOT NULL' if column.name in must else ''}"
        for column in columns
    }


def document(shape: Shape) -> dict[str, object]:
    """What the migrate step compares the existing tables with: key, newest, masks, the columns of each table, and the
    view of the history ('' for none).
    """
    contract = shape.contract
    return {
        "key": list(contract.key),
        "newest": contract.newest,
        "masks": {one.column: one.mask for one in masking.masked(shape)},
        "view": f"{shape.table}_history" if contract.history else "",
        "columns": result_columns(shape),
    }


def history_view(shape: Shape) -> Iterator[str]:
    """The view of all versions of each key, with the time from which and to which each was the newest."""
    contract = shape.contract
    if not contract.history:
        return
    columns = lines((f"h.{column}" for column in shape.columns), 4)
    key = ", ".join(f"v.{column}" for column in shape.key)
    partition = ", ".join(f"h.{column}" for column in shape.key)
    yield f"""\
CREATE OR REPLACE VIEW ${{schema}}.{shape.table}_history AS
SELECT
{columns},
    h.{shape.newest} AS valid_from,
    LEAD(h.{shape.newest}) OVER (PARTITION BY {partition} ORDER BY h.{shape.newest}) AS valid_to
FROM (
    SELECT
        v.*,
        ROW_NUMBER() OVER (
            PARTITION BY {key}, v.{shape.newest}
            ORDER BY
{lines(order_of_versions(shape, "v"), 16)}
        ) AS place__
    FROM ${{schema}}.{shape.versions} AS v
) AS h
WHERE h.place__ = 1
WITH NO SCHEMA BINDING"""


def order_of_versions(shape: Shape, alias: str) -> list[str]:
    """How versions of a key and newest are ordered, the winner first: by reload, then by content, never by arrival."""
    contract = shape.contract
    parts = [f"{alias}.{RELOAD} DESC"]
    for column in contract.kept:
        if column.name in (*contract.key, contract.newest):
            continue
        said = f"{alias}.{name(column.name)}"
        if column.type.name == "super":
            said = values.serialized(said)
        parts.append(f"{said} ASC NULLS FIRST")
        if (
            column.stored.name == "varchar" and not column.mask
        ):  # blanks at the end compare as equal
            parts.append(f"OCTET_LENGTH({said}) ASC")
    return [*parts, *(f"{alias}.{one} ASC" for one in (*shape.hashed, *OF_LOAD, *shape.numbered))]


def _declared(columns: Iterable[Column], *, stored: bool = False) -> list[str]:
    return [f"{name(one.name)} {one.stored if stored else one.type}" for one in columns]


def _create(
    table: str, columns: Iterable[str], distribution: Iterable[str] = (), order: Iterable[str] = ()
) -> str:
    by = "".join(f" DISTKEY ({column})" for column in distribution)
    keys = ", ".join(order)
    sort = f" SORTKEY ({keys})" if keys else ""
    return f"CREATE TABLE IF NOT EXISTS {table} (\n{lines(columns)}\n){by}{sort}"
