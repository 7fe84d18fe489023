"""Rows with a key: every version of a key is kept with its load, and the table has the winner of each key.

The winner has the greatest newest; of equally new versions, the one that a reload brought last, then the smaller
content. It does not depend on the order in which files arrive. Undo and reload delete versions and decide the keys that
they touch again, so everything follows from which versions there are.
"""

from contracts.generate import common
from contracts.generate.common import none
from contracts.generate.shape import OF_LOAD, RELOAD, Shape, of, same
from contracts.generate.tables import order_of_versions
from contracts.generate.words import lines, name

RUNS = "Runs in the publish transaction."


def files(shape: Shape) -> dict[str, str]:
    table, contract = shape.table, shape.contract
    made = {
        f"publish/10_touched_{table}.sql": _touched(shape),
        f"reload/15_replaced_{table}.sql": _replaced(shape),
        f"publish/20_{shape.versions}.sql": _versions(shape),
        f"publish_and_undo/40_{table}.sql": _winners(shape),
        f"undo/10_{table}.sql": _undo(shape),
    }
    for number, child in enumerate(contract.children):
        made[f"publish/{21 + number}_{child.name}_versions.sql"] = common.insert_elements(
            shape, child, f"{child.name}_versions"
        )
    children = [child.name for child in contract.children]
    versions = [shape.versions, *(f"{child}_versions" for child in children)]
    made[f"again/{shape.versions}.sql"] = common.delete_batch(
        versions,
        "Deletes the versions of an earlier attempt of the batch; the keys are decided again by the versions that the batch then adds. Runs\n"
        "-- after sql/publish/again.sql.",
    )
    tables = [shape.versions, table, *children]
    made["published.sql"] = common.published(tables)
    made["undone.sql"] = common.undone(tables)
    return {**made, **_checks(shape)}


def _newest(shape: Shape, alias: str) -> list[str]:
    return [f"{alias}.{shape.newest}"] if shape.newest else []


def _touched(shape: Shape) -> str:
    key = ", ".join(of("s", shape.key))
    was = [
        *(f"{one} AS was" for one in _newest(shape, "o")),
        "o.load_id AS was_load",
        "o.batch AS was_batch",
    ]
    return f"""\
-- The keys that this batch touches, and what each row was before: how new, and of which batch. A temporary table. Runs first of the
-- dataset; a reload adds the keys whose versions it deletes.
CREATE TEMPORARY TABLE touched_{shape.table}
DISTKEY ({shape.key[0]})
AS
SELECT
{lines([*of("k", shape.key), *was])}
FROM (
    SELECT DISTINCT {key}
    FROM {shape.typed} AS s
) AS k
LEFT JOIN ${{schema}}.{shape.table} AS o ON {same("k", "o", shape.key)};
"""


def _versions(shape: Shape) -> str:
    columns = [*shape.columns, *shape.hashed, *shape.numbered]
    return common.insert(
        f"${{schema}}.{shape.versions}",
        [*columns, RELOAD, *OF_LOAD],
        [
            *of("s", columns),
            "CAST(CASE WHEN ${reload} = 1 THEN '${load_id}' ELSE '' END AS VARCHAR(64))",
            *common.OF_LOAD_LITERALS,
        ],
        f"FROM {shape.typed} AS s",
        "-- The versions of this batch: each row of each file. Runs in the publish step, after reload/ in a reload.\n",
    )


def _winners(shape: Shape) -> str:
    tables = (shape.table, *(child.name for child in shape.contract.children))
    touched = f"touched_{shape.table}"
    gone = [
        f"DELETE FROM ${{schema}}.{one}\nUSING {touched} AS t\nWHERE {same(one, 't', shape.key)};\n"
        for one in tables
    ]
    statements = "\n".join([*gone, insert_winners(shape)])
    return f"""\
-- The row of each touched key is the winner of its versions, with its elements. Runs in the publish step, and in the undo of a load.
{statements}"""


def insert_winners(shape: Shape) -> str:
    """Adds the winner of each key that is in the temporary table touched_…, with its elements."""
    table, contract = shape.table, shape.contract
    touched = f"touched_{table}"
    columns = [*shape.columns, *shape.numbered, *OF_LOAD]
    order = [*(f"v.{one} DESC" for one in [shape.newest] if one), *order_of_versions(shape, "v")]
    deleted = "".join(
        f"\n    AND (w.{name(column)} IS NULL OR w.{name(column)} NOT IN ({', '.join(values)}))"
        for column, values in contract.deleted
    )
    made = common.insert(
        f"${{schema}}.{table}",
        columns,
        of("w", columns),
        f"""\
FROM (
    SELECT
        v.*,
        ROW_NUMBER() OVER (
            PARTITION BY {", ".join(of("v", shape.key))}
            ORDER BY
{lines(order, 16)}
        ) AS place__
    FROM ${{schema}}.{shape.versions} AS v
    INNER JOIN (
        SELECT DISTINCT {", ".join(of("t", shape.key))}
        FROM {touched} AS t
    ) AS k ON {same("v", "k", shape.key)}
) AS w
WHERE
    w.place__ = 1{deleted}""",
    )
    elements = []
    for child in contract.children:
        own = [*shape.child_key, "position", *shape.child_columns(child), *OF_LOAD]
        elements.append(
            common.insert(
                f"${{schema}}.{child.name}",
                own,
                of("c", own),
                f"""\
FROM ${{schema}}.{child.name}_versions AS c
INNER JOIN ${{schema}}.{table} AS o ON {same("c", "o", (*shape.child_key, *OF_LOAD))}
INNER JOIN (
    SELECT DISTINCT {", ".join(of("t", shape.key))}
    FROM {touched} AS t
) AS k ON {same("c", "k", shape.key)}""",
            )
        )
    return "\n".join([made, *elements])


def _replaced(shape: Shape) -> str:
    table = shape.table
    replaced, touched = f"replaced_{table}", f"touched_{table}"
    version = [*shape.key, *([shape.newest] if shape.newest else [])]
    was = [f"o.{shape.newest}"] if shape.newest else []
    was_name = ["was"] if shape.newest else []
    back = (
        f"""
-- A row that was one of these versions may become older, because its own file says so. No other row may ({table}_not_older).
UPDATE {touched}
SET was = NULL
FROM {replaced} AS r
WHERE
    {same(touched, "r", shape.key)}
    AND {touched}.was = r.{shape.newest}
    AND {touched}.was_load = r.load_id
    AND {touched}.was_batch = r.batch;
"""
        if shape.newest
        else ""
    )
    deletes = "\n".join(
        f"""
DELETE FROM ${{schema}}.{child.name}_versions
USING (
    SELECT DISTINCT {", ".join(of("r", (*shape.child_key, *OF_LOAD)))}
    FROM {replaced} AS r
) AS d
WHERE {same(f"{child.name}_versions", "d", (*shape.child_key, *OF_LOAD))};
"""
        for child in shape.contract.children
    )
    row = [*version, *shape.numbered, *OF_LOAD]
    return f"""\
-- A reload deletes the versions of its own files, and no others: all versions of a batch that has no loaded file any more, and of a batch
-- with other files those that are staged again{", by key and " + shape.newest if shape.newest else ", by key"}. What other batches say stays. Runs after publish/10_touched_{table}.sql.
CREATE TEMPORARY TABLE {replaced}
DISTKEY ({shape.key[0]})
AS
SELECT
{lines([*of("v", row), "b.others"])}
FROM ${{schema}}.{shape.versions} AS v
INNER JOIN (
    SELECT
        f.load_id,
        f.batch,
        SUM(CASE WHEN f.status = 'loaded' THEN 1 ELSE 0 END) AS others
    FROM ${{schema}}.files AS f
    INNER JOIN (
        SELECT DISTINCT
            r.load_id,
            r.batch
        FROM ${{schema}}.files AS r
        INNER JOIN ${{schema}}.files AS mine
            ON r.bucket = mine.bucket AND r.key = mine.key AND r.etag = mine.etag
        WHERE
            mine.load_id = '${{load_id}}'
            AND mine.batch = '${{batch}}'
            AND mine.status = 'loaded'
            AND r.status = 'replaced'
    ) AS d
        ON f.load_id = d.load_id AND f.batch = d.batch
    WHERE f.dataset = '${{dataset}}'
    GROUP BY f.load_id, f.batch
) AS b
    ON v.load_id = b.load_id AND v.batch = b.batch
LEFT JOIN (
    SELECT DISTINCT {", ".join(of("s", version))}
    FROM {shape.typed} AS s
) AS n
    ON {same("v", "n", version)}
WHERE b.others = 0 OR n.{shape.key[0]} IS NOT NULL;

INSERT INTO {touched} ({", ".join([*shape.key, *was_name, "was_load", "was_batch"])})
SELECT DISTINCT
{lines([*of("r", shape.key), *was, "o.load_id", "o.batch"])}
FROM {replaced} AS r
LEFT JOIN ${{schema}}.{table} AS o ON {same("r", "o", shape.key)}
LEFT JOIN {touched} AS t ON {same("r", "t", shape.key)}
WHERE t.{shape.key[0]} IS NULL;
{back}
-- A batch that had a version twice may have it in a file that is not reloaded: undo of this load would lose it, and is refused.
INSERT INTO ${{schema}}.left_out (load_id, batch, dataset, of_load_id, left_rows)
SELECT
    d.load_id,
    d.batch,
    CAST('${{dataset}}' AS VARCHAR(64)),
    CAST('${{load_id}}' AS VARCHAR(64)),
    SUM(d.copies - 1)
FROM (
    SELECT
        r.load_id,
        r.batch,
        COUNT(*) AS copies
    FROM {replaced} AS r
    WHERE r.others > 0 AND r.load_id <> '${{load_id}}'
    GROUP BY {", ".join(of("r", (*version, *OF_LOAD)))}
    HAVING COUNT(*) > 1
) AS d
GROUP BY d.load_id, d.batch
UNION ALL
SELECT
    l.load_id,
    l.batch,
    l.dataset,
    CAST('${{load_id}}' AS VARCHAR(64)),
    l.left_rows
FROM ${{schema}}.left_out AS l
WHERE
    l.dataset = '${{dataset}}'
    AND l.load_id <> l.of_load_id
    AND l.load_id <> '${{load_id}}'
    AND l.of_load_id IN (SELECT q.load_id FROM {replaced} AS q);
{deletes}
DELETE FROM ${{schema}}.{shape.versions}
USING (
    SELECT DISTINCT {", ".join(of("r", row))}
    FROM {replaced} AS r
) AS d
WHERE {same(shape.versions, "d", row)};
"""


def _undo(shape: Shape) -> str:
    deletes = "\n\n".join(
        f"DELETE FROM ${{schema}}.{table}\nWHERE load_id = '${{undone_load}}';"
        for table in (
            shape.versions,
            *(f"{child.name}_versions" for child in shape.contract.children),
        )
    )
    return f"""\
-- Deletes the load's versions. touched_{shape.table}, a temporary table, has their keys: publish_and_undo/40_{shape.table}.sql decides them again
-- from the versions that are left. Runs in the undo of a load.
CREATE TEMPORARY TABLE touched_{shape.table}
DISTKEY ({shape.key[0]})
AS
SELECT DISTINCT {", ".join(of("v", shape.key))}
FROM ${{schema}}.{shape.versions} AS v
WHERE v.load_id = '${{undone_load}}';

{deletes}
"""


# -- checks ----------------------------------------------------------------------------------
def _checks(shape: Shape) -> dict[str, str]:
    table, contract = shape.table, shape.contract
    touched = f"touched_{table}"
    among = f"INNER JOIN (SELECT DISTINCT {', '.join(of('t', shape.key))} FROM {touched} AS t) AS k"
    made = {
        f"published/{shape.versions}_complete": (
            f"Every staged row is among the versions of the batch. {RUNS}",
            f"""\
SELECT
    p.published AS figure,
    s.staged AS expected
FROM (SELECT COUNT(*) AS published FROM ${{schema}}.{shape.versions} WHERE {common.THIS_BATCH}) AS p
CROSS JOIN (SELECT COUNT(*) AS staged FROM {shape.typed}) AS s""",
        ),
        f"published/{table}_unique": (
            f"No key that the batch touches has two rows. {RUNS}",
            none(
                f"""\
FROM (
    SELECT {", ".join(of("o", shape.key))}
    FROM ${{schema}}.{table} AS o
    {among} ON {same("o", "k", shape.key)}
    GROUP BY {", ".join(of("o", shape.key))}
    HAVING COUNT(*) > 1
) AS doubled"""
            ),
        ),
        f"undone/{table}_gone": (
            "Nothing of the undone load is left, and no row without a version. Runs in the undo of a load.",
            f"""\
SELECT
    v.versions + o.rows_left + n.rows_left AS figure,
    0 AS expected
FROM (SELECT COUNT(*) AS versions FROM ${{schema}}.{shape.versions} WHERE load_id = '${{undone_load}}') AS v
CROSS JOIN (SELECT COUNT(*) AS rows_left FROM ${{schema}}.{table} WHERE load_id = '${{undone_load}}') AS o
CROSS JOIN (
    SELECT COUNT(*) AS rows_left
    FROM ${{schema}}.{table} AS a
    {among} ON {same("a", "k", shape.key)}
    LEFT JOIN ${{schema}}.{shape.versions} AS b ON {same("a", "b", shape.key)}
    WHERE b.{shape.key[0]} IS NULL
) AS n""",
        ),
    }
    newest = _newest_wins(shape, among)
    made[f"published/{table}_newest"] = (
        f"Each touched key has the row of its newest version, or none if that is deleted. {RUNS}",
        newest,
    )
    made[f"undone/{table}_newest"] = (
        "Each touched key has the row of the newest version that is left, or none if that is deleted. Runs in the undo of a load.",
        newest,
    )
    if shape.newest:
        made[f"published/{table}_not_older"] = (
            f"No row has become older than it was, unless its version came from a file that is loaded again. {RUNS}",
            none(
                f"FROM {touched} AS t\nINNER JOIN ${{schema}}.{table} AS o ON {same('t', 'o', shape.key)}\n"
                f"WHERE t.was IS NOT NULL AND o.{shape.newest} < t.was"
            ),
        )
    for child in contract.children:
        query = _elements_complete(shape, child.name, among)
        comment = (
            f"Each touched row has the elements of its version in {child.name}, and no others."
        )
        made[f"published/{child.name}_complete"] = (f"{comment} {RUNS}", query)
        made[f"undone/{child.name}_complete"] = (f"{comment} Runs in the undo of a load.", query)
    return {
        f"checks/{path}.sql": common.check(comment, query)
        for path, (comment, query) in made.items()
    }


def _newest_wins(shape: Shape, among: str) -> str:
    """Keys whose newest version is not the row of the table. Without newest: keys with versions and no row."""
    wrong = f"o.{shape.key[0]} IS NULL"
    newest = f",\n        MAX(v.{shape.newest}) AS newest" if shape.newest else ""
    if shape.newest:
        wrong += f" OR o.{shape.newest} <> m.newest"
    source = f"""\
FROM (
    SELECT
{lines(of("v", shape.key), 8)}{newest}
    FROM ${{schema}}.{shape.versions} AS v
    {among} ON {same("v", "k", shape.key)}
    GROUP BY {", ".join(of("v", shape.key))}
) AS m
LEFT JOIN ${{schema}}.{shape.table} AS o ON {same("m", "o", shape.key)}"""
    if shape.contract.deleted:
        # A key without a row is right if one of its newest versions says that it is deleted.
        is_deleted = " OR ".join(
            f"d.{name(column)} IN ({', '.join(values)})"
            for column, values in shape.contract.deleted
        )
        on = same("m", "d", shape.key) + (
            f" AND d.{shape.newest} = m.newest" if shape.newest else ""
        )
        source += f"\nLEFT JOIN ${{schema}}.{shape.versions} AS d ON {on} AND ({is_deleted})"
        wrong = f"(o.{shape.key[0]} IS NULL AND d.{shape.key[0]} IS NULL)"
        if shape.newest:
            wrong += f" OR o.{shape.newest} <> m.newest"
    return none(f"{source}\nWHERE {wrong}")


def _elements_complete(shape: Shape, child: str, among: str) -> str:
    versioned = (*shape.child_key, *OF_LOAD)
    return f"""\
SELECT
    f.found AS figure,
    w.wanted AS expected
FROM (
    SELECT COUNT(*) AS found
    FROM ${{schema}}.{child} AS c
    {among} ON {same("c", "k", shape.key)}
) AS f
CROSS JOIN (
    SELECT COUNT(*) AS wanted
    FROM ${{schema}}.{child}_versions AS v
    INNER JOIN ${{schema}}.{shape.table} AS o ON {same("v", "o", versioned)}
    {among} ON {same("v", "k", shape.key)}
) AS w"""
