"""The tables made anew, with masks that are new: what there is of a value before its mask must not stay.

Versions are copied with the hashes of their values; ``${masked_<column>}`` is the hash of a column whose mask is new, and
the column itself of one that was masked before (functions/loader/masking.py). Dropped columns are left out. The winner of
each key is decided again, because the content by which versions are ordered is another. The old tables are dropped, and
their blocks with them: after an UPDATE they would stay until the next VACUUM.
Source: docs.aws.amazon.com/redshift/latest/dg/performing-a-deep-copy.html
"""

from collections.abc import Iterator

from contracts.generate import keyed, masking, tables
from contracts.generate.shape import OF_LOAD, RELOAD, Shape, of
from contracts.generate.words import lines

WITHOUT_MASK = "_unmasked"


def files(shape: Shape) -> dict[str, str]:
    """The files of masks/; none if no column is masked."""
    hashed = {one.column: one for one in masking.masked(shape) if one.mask == "hash"}
    if not shape.contract.is_masked:
        return {}
    created = dict(tables.result_tables(shape))
    made = {"masks/05_key.sql": masking.guard()} if hashed else {}
    old = []
    for number, (table, columns) in enumerate(_copied(shape)):
        values = [
            f"${{{hashed[column].placeholder}}}" if column in hashed else f"o.{said}"
            for column, said in columns
        ]
        made[f"masks/{10 + number}_{table}.sql"] = _copy(
            table, created.pop(table), [said for _, said in columns], values, with_key=bool(hashed)
        )
        old.append(f"{table}{WITHOUT_MASK}")
    made["masks/80_drop.sql"] = _dropped([*old, *created])
    if shape.contract.key:
        made[f"masks/90_{shape.table}.sql"] = _decided(shape, created)
    return made


def _copied(shape: Shape) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each table whose rows are copied, with its columns: their names as in Masked, and as SQL has them."""
    contract = shape.contract
    own = [
        (f"{shape.table}.{column.name}", said)
        for column, said in zip(contract.kept, shape.columns, strict=True)
    ]
    further = [RELOAD, *shape.hashed] if contract.key else []
    further += [*shape.numbered, *OF_LOAD]
    yield (
        shape.versions if contract.key else shape.table,
        [*own, *((f"{shape.table}.{one}", one) for one in further)],
    )
    for child in contract.children:
        yield (
            f"{child.name}_versions" if contract.key else child.name,
            [
                *(
                    (f"{shape.table}.{one}", said)
                    for one, said in zip(contract.key, shape.key, strict=True)
                ),
                *(("", one) for one in ("row_no", "position")),
                *(
                    (f"{child.name}.{column.name}", said)
                    for column, said in zip(child.kept, shape.child_columns(child), strict=True)
                ),
                *(("", one) for one in OF_LOAD),
            ],
        )


def _copy(table: str, create: str, columns: list[str], values: list[str], *, with_key: bool) -> str:
    old = f"{table}{WITHOUT_MASK}"
    key = f"\n{masking.WITH_KEY}" if with_key else ""
    return f"""\
-- Makes {table} anew, with masks that are new. Runs when the tables are brought to the contract, in one transaction.
ALTER TABLE ${{schema}}.{table} RENAME TO {old};

{create};

INSERT INTO ${{schema}}.{table} (
{lines(columns)}
)
SELECT
{lines(values)}
FROM ${{schema}}.{old} AS o{key};
"""


def _dropped(old: list[str]) -> str:
    gone = ", ".join(f"${{schema}}.{table}" for table in old)
    return f"""\
-- Drops the tables with values before their mask. Runs after the masked copies are made, in the same transaction.
DROP TABLE {gone};
"""


def _decided(shape: Shape, created: dict[str, str]) -> str:
    made = ";\n\n".join(created.values())
    key = ", ".join(of("v", shape.key))
    return f"""\
-- Makes {shape.table} and its tables of arrays anew: the winner of each key is decided again, among the masked versions. Runs after they
-- are masked, in the same transaction.
{made};

CREATE TEMPORARY TABLE touched_{shape.table}
DISTKEY ({shape.key[0]})
AS
SELECT DISTINCT {key}
FROM ${{schema}}.{shape.versions} AS v;

{keyed.insert_winners(shape)}"""
