"""What happens between COPY and the audit: typed rows, the rows of arrays, and the checks on them."""

from collections.abc import Iterable, Sequence

from contracts.generate import masking, values
from contracts.generate.shape import CUT, Shape, of
from contracts.generate.values import Value
from contracts.generate.words import lines, name, text
from contracts.model import Child, Column, Test


def files(shape: Shape) -> dict[str, str]:
    contract = shape.contract
    made = {"stage/10_typed.sql": _typed(shape)}
    if masking.needs_key(shape):
        made["stage/04_mask_key.sql"] = masking.guard()
    if in_key := [column for column in contract.columns if column.from_key]:
        made["stage/05_values_of_key.sql"] = _values_of_key(in_key)
    for number, child in enumerate(contract.children):
        made[f"stage/{20 + number}_{child.name}.sql"] = _of_array(shape, child)
    made["stage/50_misfits.sql"] = _misfits(shape)
    if contract.bad_rows.by_row:
        made["stage/60_left_out.sql"] = _left_out(shape)
    made["misfits.sql"] = _figures_of_misfits(shape)
    made["staged.sql"] = _staged(shape)
    return {**made, **_checks(shape)}


def _typed(shape: Shape) -> str:
    contract = shape.contract
    arrays = [shape.array(child) for child in contract.children]
    found = [(column, _landed(shape, column)) for column in contract.kept]
    in_key = " CROSS JOIN values_of_key AS k" if any(c.from_key for c in contract.columns) else ""
    wrong = [
        (child.name, f"v.{array} IS NOT NULL AND NOT IS_ARRAY(v.{array})")
        for child, array in zip(contract.children, arrays, strict=True)
    ]
    query = _converting(
        found,
        inner=[*(f"ROW_NUMBER() OVER () AS {one}" for one in shape.numbered), *of("s", arrays)],
        outer=[
            *(f"{_arrays_hash(arrays)} AS {one}" for one in shape.hashed),
            *shape.numbered,
            *arrays,
        ],
        source=f"FROM {shape.staged} AS s{in_key}",
        wrong=wrong,
        key=contract.key,
        hashed=shape.hashed if masking.masks_arrays(shape) else (),
    )
    return f"""\
-- The rows of the batch with the columns' types. misfits has the columns whose value is there and does not fit. Runs in the stage step,
-- after COPY.
CREATE TABLE {shape.typed} (LIKE ${{loader_schema}}.{shape.stage}_typed);

INSERT INTO {shape.typed} (
{lines([*shape.hashed, *shape.numbered, *arrays, *shape.columns, "misfits", *shape.cut(contract.columns)])}
)
{query};
"""


def _values_of_key(columns: Sequence[Column]) -> str:
    declared = lines(f"{name(column.name)} VARCHAR(1024)" for column in columns)
    return f"""\
-- What the keys of the batch's files say, the same in all of them. A key is text of a user, so it comes in by COPY. Runs in the stage step,
-- after COPY of the files.
CREATE TEMPORARY TABLE values_of_key (
{declared}
);

COPY values_of_key
FROM '${{values_of_key}}'
IAM_ROLE ${{copy_role}}
FORMAT AS JSON 'auto'
COMPUPDATE OFF
STATUPDATE OFF;
"""


def _landed(shape: Shape, column: Column) -> Value:
    if column.from_key:
        return values.of_landed(column, f"k.{name(column.name)}", shape.contract.format)
    landed = of("s", shape.landing(column))
    said = landed[0] if len(landed) == 1 else f"COALESCE({', '.join(landed)})"
    if column.type.is_text and column.name in (*shape.contract.key, shape.contract.newest):
        # Comparisons ignore blanks at the end (dg/r_Character_types.html), so that two texts would be one key.
        said = f"RTRIM({said})"
    return values.of_landed(column, said, shape.contract.format)


def _converting(
    found: Sequence[tuple[Column, Value]],
    *,
    inner: Sequence[str],
    outer: Sequence[str],
    source: str,
    wrong: Sequence[tuple[str, str]],
    table: str = "",
    key: Sequence[str] = (),
    hashed: Sequence[str] = (),
) -> str:
    """Three nested queries: of what landed, of the typed values, and of what does not fit.

    inner, outer: further columns of the first and the second. wrong: name and condition of further misfits. table: whose
    columns they are, in the names of misfits. key: names of the columns of the key. hashed: those of the further columns
    whose keyed hash is stored, as it is of a masked column.
    """
    texts = [f"{value.landed or value.typed} AS {column.name}__landed" for column, value in found]
    typed = [
        f"{value.typed if value.landed else f'{column.name}__landed'} AS {name(column.name)}"
        for column, value in found
    ]
    misfits = [
        *(
            (
                f"{table}{column.name}",
                f"v.{column.name}__landed IS NOT NULL AND {_misfit(column, value)}",
            )
            for column, value in found
            if value.landed and value.fits != "TRUE"
        ),
        *wrong,
    ]
    flags = "\n    || ".join(
        f"CASE WHEN {condition} THEN {text(f'{one} ')} ELSE '' END" for one, condition in misfits
    )
    kept = [one.rpartition(" AS ")[2] for one in outer]
    names = [masking.keyed_hash(f"v.{one}") if one in hashed else f"v.{one}" for one in kept] + [
        _stored(column, is_key=column.name in key) for column, _ in found
    ]
    with_key = f"\n{masking.WITH_KEY}" if any(masking.KEY in one for one in names) else ""
    cut = "\n    || ".join(
        f"CASE WHEN OCTET_LENGTH(v.{column.name}__landed) > {column.type.length} THEN {text(f'{column.name} ')} ELSE '' END"
        for column, _ in found
        if column.truncate
    )
    return f"""\
SELECT
{lines([*names, flags or "''", *([cut] if cut else [])])}
FROM (
    SELECT
{lines([*outer, *typed, *(f"{column.name}__landed" for column, value in found if value.landed)], 8)}
    FROM (
        SELECT
{lines([*inner, *texts], 12)}
        {source}
    ) AS t
) AS v{with_key}"""


def _stored(column: Column, *, is_key: bool) -> str:
    value = f"v.{name(column.name)}"
    return masking.hash_of(column, value, is_key=is_key) if column.mask == "hash" else value


def _misfit(column: Column, value: Value) -> str:
    return (
        f"NOT ({value.fits.replace(f'{column.name}__landed', f'v.{column.name}__landed')})"
        if value.fits
        else f"v.{name(column.name)} IS NULL"
    )


def _arrays_hash(arrays: Iterable[str]) -> str:
    """The hash of a row's arrays. Of an array that is longer than a VARCHAR, only the length counts."""
    parts = [
        f"SHA2(COALESCE({values.serialized(array)}, CAST(JSON_SIZE({array}) AS VARCHAR(20)), ''), 256)"
        for array in arrays
    ]
    return parts[0] if len(parts) == 1 else f"SHA2({' || '.join(parts)}, 256)"


def _of_array(shape: Shape, child: Child) -> str:
    found = [(column, values.of_element(column, "element__")) for column in child.kept]
    parent = [*shape.key, "row_no"]
    folded = any(values.folds(path) for column in child.kept for path in column.paths)
    setting = "SET enable_case_sensitive_identifier TO true;\n\n" if folded else ""
    why = (
        "-- Keys in elements have upper-case letters, which Redshift would fold otherwise\n"
        "-- (docs.aws.amazon.com/redshift/latest/dg/super-configurations.html).\n"
        if folded
        else ""
    )
    query = _converting(
        found,
        inner=[*of("s", parent), "position__ AS position"],
        outer=[*parent, "position"],
        source=f"FROM {shape.typed} AS s, s.{shape.array(child)} AS element__ AT position__",
        wrong=[],
        table=f"{child.name}.",
    )
    return f"""\
-- The elements of the batch's {child.each}, a row each (docs.aws.amazon.com/redshift/latest/dg/query-super.html#unnest). Runs in the stage
-- step, after 10_typed.sql.
{why}{setting}CREATE TABLE {shape.typed_child(child)} (LIKE ${{loader_schema}}.{shape.stage}_{child.name});

INSERT INTO {shape.typed_child(child)} (
{lines([*parent, "position", *shape.child_columns(child), "misfits", *shape.cut(child.columns)])}
)
{query};
"""


def _misfits(shape: Shape) -> str:
    """The bad records: a row each of the record, and of each of its elements, that is bad."""
    missing = "".join(
        f"\n    || CASE WHEN {condition} THEN {text(f'{one}? ')} ELSE '' END"
        for one, condition in _incomplete(shape)
    )
    bad = " OR ".join(["t.misfits <> ''", *(condition for _, condition in _incomplete(shape))])
    number = "".join(f"t.{one},\n    " for one in shape.numbered)
    parts = [
        f"SELECT\n    {number}CAST(t.misfits{missing} AS VARCHAR(256)) AS misfits\nFROM {shape.typed} AS t\nWHERE {bad}",
        *(
            f"SELECT\n    t.row_no,\n    CAST(t.misfits AS VARCHAR(256)) AS misfits\n"
            f"FROM {shape.typed_child(child)} AS t\nWHERE t.misfits <> ''"
            for child in shape.contract.children
        ),
    ]
    query = "\nUNION ALL\n".join(parts)
    return f"""\
-- The rows and elements of the batch that have a value which does not fit, or lack one that must be there (with a question mark). A
-- temporary table. Runs in the stage step, after the typed tables are filled.
CREATE TEMPORARY TABLE {shape.misfits}
AS
{query};
"""


def _left_out(shape: Shape) -> str:
    """Takes the bad rows out of the typed tables, with their elements: publish reads only those."""
    if shape.numbered:
        tables = [shape.typed, *(shape.typed_child(child) for child in shape.contract.children)]
        deletes = [
            f"DELETE FROM {table}\nUSING (\n    SELECT DISTINCT m.row_no\n    FROM {shape.misfits} AS m\n) AS b\n"
            f"WHERE {table}.row_no = b.row_no;\n"
            for table in tables
        ]
    else:
        bad = " OR ".join(["misfits <> ''", *(one for _, one in _incomplete(shape, ""))])
        deletes = [f"DELETE FROM {shape.typed}\nWHERE {bad};\n"]
    statements = "\n".join(deletes)
    return f"""\
-- The bad rows are not published: bad_rows leaves them out by row. Which file each is of, and whether it has too many, the loader finds by
-- reading the files (functions/loader/bad_rows.py). Runs in the stage step, after 50_misfits.sql.
{statements}"""


def _figures_of_misfits(shape: Shape) -> str:
    rows = "COUNT(DISTINCT m.row_no)" if shape.numbered else "COUNT(*)"
    sources = [("", shape.typed, shape.contract.columns)]
    sources += [
        (f"{child.name}.", shape.typed_child(child), child.columns)
        for child in shape.contract.children
    ]
    cut = "".join(
        f"\nUNION ALL\nSELECT\n    CAST({text(f'{table}{column.name}+')} AS VARCHAR(256)) AS name,\n    COUNT(*) AS figure\n"
        f"FROM {source} AS t\nWHERE POSITION({text(f' {column.name} ')} IN ' ' || t.{CUT}) > 0"
        for table, source, columns in sources
        for column in columns
        if column.truncate
    )
    return f"""\
-- How many records of the batch are bad, and the most frequent columns of them; with a plus sign, in how many rows the text of a column
-- was too long and is cut. Runs in the stage step, as a part of stage/audit.sql.
SELECT
    CAST('' AS VARCHAR(256)) AS name,
    {rows} AS figure
FROM {shape.misfits} AS m
UNION ALL
SELECT
    g.misfits AS name,
    g.figure
FROM (
    SELECT
        m.misfits,
        COUNT(*) AS figure,
        ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, m.misfits ASC) AS place
    FROM {shape.misfits} AS m
    GROUP BY m.misfits
) AS g
WHERE g.place <= 20{cut}
"""


def _staged(shape: Shape) -> str:
    return f"""\
-- What was staged. Runs in the stage step. No statement on {shape.table} is bounded by a time.
SELECT
    COUNT(*) AS staged_rows,
    CAST(NULL AS VARCHAR(32)) AS first_start,
    CAST(NULL AS VARCHAR(32)) AS last_start
FROM {shape.staged}
"""


# -- checks ----------------------------------------------------------------------------------
def _checks(shape: Shape) -> dict[str, str]:
    contract = shape.contract
    folder = "checks/staged"
    made = {
        f"{folder}/{shape.table}_values_fit.sql": _check(
            "Every value that is there fits its column's type.",
            f"FROM {shape.typed}\nWHERE misfits <> ''",
        )
    }
    for child in contract.children:
        made[f"{folder}/{child.name}_values_fit.sql"] = _check(
            "Every value that is there fits its column's type.",
            f"FROM {shape.typed_child(child)}\nWHERE misfits <> ''",
        )
    if contract.key:
        made[f"{folder}/{shape.table}_key_complete.sql"] = _check(
            "Every row has its key"
            + (
                ", and the value that says which version is the newest." if contract.newest else "."
            ),
            f"FROM {shape.typed} AS t\nWHERE {' OR '.join(condition for _, condition in _incomplete(shape))}",
        )
    for number, test in enumerate(contract.tests):
        made[f"{folder}/{test_name(shape, number, test)}.sql"] = _tested(shape, test)
    return made


def _incomplete(shape: Shape, alias: str = "t.") -> list[tuple[str, str]]:
    """The columns that a row must have, each with the condition of its absence. A blank text counts as missing."""
    contract = shape.contract
    found = []
    for one in [*contract.key, *([contract.newest] if contract.newest else [])]:
        said = f"{alias}{name(one)}"
        condition = f"{said} IS NULL"
        if contract.column(one).type.is_text:
            condition += f" OR TRIM({said}) = ''"
        found.append((one, condition))
    return found


def test_name(shape: Shape, number: int, test: Test) -> str:
    """The name of a contract's check, which the report shows."""
    word = {"not null": "there", "unique": "unique"}.get(test.condition.operator, "holds")
    return f"{test.child or shape.table}_{test.column}_{word}_{number + 1}"


def _tested(shape: Shape, test: Test) -> str:
    child = next((one for one in shape.contract.children if one.name == test.child), None)
    table = shape.typed_child(child) if child else shape.typed
    column = name(test.column)
    said = f"{test.child or shape.table}.{test.column}"
    if test.condition.operator == "unique":
        return _check(
            f"No value of {said} is twice in a batch.",
            f"FROM (\n    SELECT {column}\n    FROM {table}\n    WHERE {column} IS NOT NULL\n    GROUP BY {column}\n"
            "    HAVING COUNT(*) > 1\n) AS twice",
        )
    return _check(
        f"A check of the contract on {said}.",
        f"FROM {table}\nWHERE {test.condition.violated(column)}",
    )


def _check(comment: str, source: str) -> str:
    return f"-- {comment} Runs after COPY.\nSELECT\n    COUNT(*) AS figure,\n    0 AS expected\n{source}\n"
