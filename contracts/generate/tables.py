"""The tables of a dataset: tables.sql."""

from collections.abc import Iterable, Iterator

from contracts.generate import landing, values
from contracts.generate.shape import OF_LOAD, RELOAD, Shape
from contracts.generate.words import lines, name
from contracts.model import Child, Column

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
    yield _create(f"{loader}.{shape.stage}", landed)
    typed = [
        *(f"{one} BIGINT" for one in shape.numbered),
        *(f"{one} VARCHAR(64)" for one in shape.hashed),
        *_declared(contract.columns, stored=True),
        *(f"{shape.array(child)} SUPER" for child in contract.children),
        f"misfits {MISFITS}",
        *(f"{one} {MISFITS}" for one in shape.cut(contract.columns)),
    ]
    yield _create(f"{loader}.{shape.stage}_typed", typed, shape.key[:1])
    for child in contract.children:
        columns = [
            *_declared([contract.column(one) for one in contract.key]),
            *("row_no BIGINT", "position BIGINT"),
            *_declared(child.columns, stored=True),
            f"misfits {MISFITS}",
            *(f"{one} {MISFITS}" for one in shape.cut(child.columns)),
        ]
        yield _create(f"{loader}.{shape.stage}_{child.name}", columns, shape.key[:1])


def result_tables(shape: Shape) -> Iterator[tuple[str, str]]:
    """Name and CREATE TABLE of each table of results."""
    contract = shape.contract
    schema = "${schema}"
    columns = _declared(contract.kept, needed=contract.key, stored=True)
    numbered = [f"{one} BIGINT NOT NULL" for one in shape.numbered]
    of_load = [f"{one} {LOAD_TYPE} NOT NULL" for one in OF_LOAD]
    if contract.key:
        reload = [f"{RELOAD} {LOAD_TYPE} NOT NULL"]
        hashed = [f"{one} VARCHAR(64)" for one in shape.hashed]
        yield (
            shape.versions,
            _create(
                f"{schema}.{shape.versions}",
                [*columns, *reload, *hashed, *numbered, *of_load],
                shape.key[:1],
                shape.key,
            ),
        )
    # What readers look for: the time, for rows without a key.
    times = [name(one.name) for one in contract.kept if one.type.is_time][:1]
    yield (
        shape.table,
        _create(
            f"{schema}.{shape.table}",
            [*columns, *numbered, *of_load],
            shape.key[:1],
            shape.key or tuple(times),
        ),
    )
    for child in contract.children:
        made = [*_child_columns(shape, child), *of_load]
        ends = ("_versions", "") if contract.key else ("",)
        for end in ends:
            table = f"{child.name}{end}"
            yield table, _create(f"{schema}.{table}", made, shape.key[:1], shape.key)


def _child_columns(shape: Shape, child: Child) -> list[str]:
    contract = shape.contract
    return [
        *_declared(
            [contract.column(one) for one in contract.key], needed=contract.key, stored=True
        ),
        *("row_no BIGINT NOT NULL", "position BIGINT NOT NULL"),
        *_declared([one for one in child.columns if one.mask != "drop"], stored=True),
    ]


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
        ) AS place
    FROM ${{schema}}.{shape.versions} AS v
) AS h
WHERE h.place = 1
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
    return [*parts, *(f"{alias}.{one} ASC" for one in (*shape.hashed, *OF_LOAD, *shape.numbered))]


def _declared(
    columns: Iterable[Column], *, needed: Iterable[str] = (), stored: bool = False
) -> list[str]:
    must = {*needed}
    return [
        f"{name(column.name)} {column.stored if stored else column.type}"
        + (" NOT NULL" if column.name in must else "")
        for column in columns
    ]


def _create(
    table: str, columns: Iterable[str], distribution: Iterable[str] = (), order: Iterable[str] = ()
) -> str:
    by = "".join(f" DISTKEY ({column})" for column in distribution)
    keys = ", ".join(order)
    sort = f" SORTKEY ({keys})" if keys else ""
    return f"CREATE TABLE IF NOT EXISTS {table} (\n{lines(columns)}\n){by}{sort}"
