"""What COPY reads, and where it lands: copy.sql, jsonpaths.json, and the columns of the landing table."""

import json
from collections.abc import Iterator

from contracts.generate import values
from contracts.generate.shape import Shape
from contracts.generate.words import lines, text
from contracts.paths import Path
from contracts.types import Type

EXTRA_COLUMNS = 20


def landing_columns(shape: Shape) -> Iterator[tuple[str, Type, Path]]:
    """Name, type and path of each column of the landing table, in COPY's order.

    A dropped column does not land, if COPY can leave it out: by JSONPaths it can, by position not.
    """
    contract = shape.contract
    for column in contract.kept if contract.format == "json" else contract.columns:
        for landed, path in zip(shape.landing(column), column.paths, strict=True):
            yield landed, values.lands_as(column, contract.format), path
    for child in shape.contract.children:
        yield shape.array(child), Type("super"), child.each


def extra_columns(shape: Shape) -> list[str]:
    """Columns of the landing table for those of files that are not known: COPY by position needs a place for each."""
    contract = shape.contract
    by_position = contract.format == "parquet" or (contract.format == "csv" and contract.csv.header)
    takes = by_position and contract.unknown == "report"
    return [f"extra__{number}" for number in range(1, EXTRA_COLUMNS + 1)] if takes else []


def extra_type(shape: Shape) -> Type:
    """The type of these columns, which takes whatever is in the file."""
    return values.SUPER if shape.contract.format == "parquet" else values.LONGEST


def types_in_parquet(shape: Shape) -> list[str]:
    """The type that each column of ``header`` has in Parquet files."""
    contract = shape.contract
    found = [values.type_in_parquet(column) for column in contract.columns for _ in column.paths]
    return found + ["ANY" for _ in contract.children]


def header(shape: Shape) -> list[str] | bool:
    """The names of the columns in the header of CSV files, or in Parquet's schema, in COPY's order; False for none."""
    if not shape.contract.csv.header:
        return False
    return [str(path.steps[0]) for _, _, path in landing_columns(shape)]


def taken_paths(shape: Shape) -> list[str]:
    """The JSONPaths of all keys that a column takes, also inside of arrays, of which every element counts as the first."""
    contract = shape.contract
    found = [path for column in contract.columns for path in column.paths]
    for child in contract.children:
        element = child.each / Path((0,))
        found += [element / path for column in child.columns for path in column.paths]
    return [path.jsonpath for path in found]


def files(shape: Shape) -> dict[str, str]:
    made = {"copy.sql": _copy(shape)}
    if shape.contract.format == "json":
        paths = [path.jsonpath for _, _, path in landing_columns(shape)]
        made["jsonpaths.json"] = (
            json.dumps({"jsonpaths": paths}, indent=2, ensure_ascii=False) + "\n"
        )
    return made


def _copy(shape: Shape) -> str:
    contract = shape.contract
    columns = lines(landed for landed, _, _ in landing_columns(shape))
    if contract.format == "json":
        options = ["FORMAT AS JSON '${jsonpaths}'"]
    elif contract.format == "parquet":
        # SUPER needs SERIALIZETOJSON (docs.aws.amazon.com/redshift/latest/dg/copy_json.html); COMPUPDATE is refused.
        options = ["FORMAT AS PARQUET", "SERIALIZETOJSON"]
    else:
        options = _csv_options(shape)
    for word, kind in (("TIMEFORMAT", "timestamp"), ("DATEFORMAT", "date")):
        formats = {
            column.format
            for column in contract.kept
            if column.type.name == kind and values.by_copy(column)
        }
        options += [f"{word} AS {text(said)}" for said in sorted(formats)]
    ending = ["MANIFEST"] if contract.format == "parquet" else ["MANIFEST", "COMPUPDATE OFF"]
    clauses = "\n".join([*options, *ending])
    return f"""\
-- Lands a batch of {contract.name} in the batch's own staging table. Runs in the stage step, after CREATE TABLE.
COPY {shape.staged} (
{columns}
)
FROM '${{manifest}}'
IAM_ROLE ${{copy_role}}
{clauses}
${{copy_options}};
"""


def _csv_options(shape: Shape) -> list[str]:
    csv = shape.contract.csv
    delimiter = "'\\t'" if csv.delimiter == "\t" else text(csv.delimiter)
    options = ["FORMAT AS CSV", f"DELIMITER AS {delimiter}", f"QUOTE AS {text(csv.quote)}"]
    if csv.header:
        options.append("IGNOREHEADER 1")
    # COPY loads an empty number as NULL; an empty text only with EMPTYASNULL.
    options.append(f"NULL AS {text(csv.null)}" if csv.null else "EMPTYASNULL")
    return options
