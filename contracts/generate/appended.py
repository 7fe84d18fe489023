"""Rows without a key: appended, exactly once by file."""

from contracts.generate import common
from contracts.generate.shape import OF_LOAD, Shape

RUNS = "Runs in the publish transaction."


def files(shape: Shape) -> dict[str, str]:
    contract = shape.contract
    columns = [*shape.columns, *shape.numbered]
    rows = common.insert(
        f"${{schema}}.{shape.table}",
        [*columns, *OF_LOAD],
        [*(f"s.{column}" for column in columns), *common.OF_LOAD_LITERALS],
        f"FROM {shape.typed} AS s",
        "-- Adds all of the batch's rows: they have no key, so none is compared with existing rows. The claim ensures that a file is loaded\n"
        "-- only once. Runs in the publish step.\n",
    )
    made = {f"publish/10_{shape.table}.sql": rows}
    for number, child in enumerate(contract.children):
        made[f"publish/{20 + number}_{child.name}.sql"] = common.insert_elements(
            shape, child, child.name
        )
    tables = [shape.table, *(child.name for child in contract.children)]
    made[f"again/{shape.table}.sql"] = common.delete_batch(
        tables,
        "Deletes what an earlier attempt of the batch left. Runs after sql/publish/again.sql.",
    )
    deletes = "\n\n".join(
        f"DELETE FROM ${{schema}}.{table}\nWHERE load_id = '${{undone_load}}';" for table in tables
    )
    made[f"undo/10_{shape.table}.sql"] = (
        f"-- Deletes the load's rows. Runs in the undo of a load.\n{deletes}\n"
    )
    made["published.sql"] = common.published(tables)
    made["undone.sql"] = common.undone(tables)
    return {**made, **_checks(shape, tables)}


def _checks(shape: Shape, tables: list[str]) -> dict[str, str]:
    staged = [shape.typed, *(shape.typed_child(child) for child in shape.contract.children)]
    made = {}
    for table, source in zip(tables, staged, strict=True):
        made[f"checks/published/{table}_complete.sql"] = common.check(
            f"Every staged row is in {table}. {RUNS}",
            f"""\
SELECT
    p.published AS figure,
    s.staged AS expected
FROM (SELECT COUNT(*) AS published FROM ${{schema}}.{table} WHERE {common.THIS_BATCH}) AS p
CROSS JOIN (SELECT COUNT(*) AS staged FROM {source}) AS s""",
        )
        made[f"checks/undone/{table}_gone.sql"] = common.check(
            f"No row of the undone load is left in {table}. Runs in the undo of a load.",
            common.none(f"FROM ${{schema}}.{table}\nWHERE load_id = '${{undone_load}}'"),
        )
    return made
