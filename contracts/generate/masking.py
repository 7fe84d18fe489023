"""Masked columns: what is stored in place of a value, and how a new mask is applied to the rows that exist.

A hash is SHA-256, twice with the key of the loader's own schema (``${loader_schema}.mask_key``), as Redshift has no HMAC:
the same value has the same hash in every column, table and dataset. What is hashed is the text of the value after its
type: of 5, '5', 5.0 and 5.00 it is 5, so that an order's customer_id joins an event's text. No value has no hash.

    varchar, char      the text as it is, of char without the blanks at its end
    whole numbers      their digits
    decimal            its digits without zeros at the end
    boolean            true, false
    date, timestamp    2026-11-28, 2026-11-28 07:00:15.000000 (UTC)

Source: docs.aws.amazon.com/redshift/latest/dg/SHA2.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.generate.shape import Shape
from contracts.generate.words import name
from contracts.model import Column

KEY_TABLE = "${loader_schema}.mask_key"
WITH_KEY = f"CROSS JOIN {KEY_TABLE} AS k"
KEY = "k.secret"
ARRAYS_HASH = "arrays_hash"


def keyed_hash(text: str) -> str:
    """The keyed hash of a text, in a query that has the key's table as k; NULL for NULL."""
    return f"SHA2({KEY} || SHA2({KEY} || {text}, 256), 256)"


def hash_of(column: Column, value: str, *, is_key: bool) -> str:
    """The keyed hash of a column's value. A key that is empty or blank counts as missing, so it has none."""
    text = _text(column, value)
    if is_key and column.type.is_text:
        text = f"CASE WHEN TRIM({value}) <> '' THEN {text} END"
    return keyed_hash(text)


def _text(column: Column, value: str) -> str:
    kind = column.type
    match kind.name:
        case "varchar":
            return value
        case "char":
            return f"RTRIM({value})"
        case "boolean":  # Redshift has no cast of boolean to text
            return f"CASE {value} WHEN TRUE THEN 'true' WHEN FALSE THEN 'false' END"
        case "decimal" if kind.scale:
            return f"RTRIM(RTRIM(CAST({value} AS VARCHAR(64)), '0'), '.')"
        case "date":
            return f"TO_CHAR({value}, 'YYYY-MM-DD')"
        case "timestamp":
            return f"TO_CHAR({value}, 'YYYY-MM-DD HH24:MI:SS.US')"
    return f"CAST({value} AS VARCHAR(64))"


@dataclass(frozen=True)
class Masked:
    """A masked column, as dataset.json has it.

    column   its name, with its table's: orders.email, order_items.sku
    mask     hash or drop
    hashed   the SQL of its hash, of a row o with the unmasked value and the key k; '' if it is dropped
    """

    column: str
    mask: str
    hashed: str = ""

    @property
    def placeholder(self) -> str:
        return f"masked_{self.column.replace('.', '__')}"


def masked(shape: Shape) -> Iterator[Masked]:
    """The masked columns. Of elements with a masked column, also the hash of their array is masked: it is a part of the
    content by which versions are ordered, and says which of two arrays somebody guesses is there.
    """
    contract = shape.contract
    for column in contract.columns:
        yield from _masked(column, shape.table, is_key=column.name in contract.key)
    for child in contract.children:
        for column in child.columns:
            yield from _masked(column, child.name, is_key=False)
    if masks_arrays(shape) and shape.hashed:
        yield Masked(f"{shape.table}.{ARRAYS_HASH}", "hash", keyed_hash(f"o.{ARRAYS_HASH}"))


def _masked(column: Column, table: str, *, is_key: bool) -> Iterator[Masked]:
    if column.mask == "hash":
        hashed = hash_of(column, f"o.{name(column.name)}", is_key=is_key)
        yield Masked(f"{table}.{column.name}", "hash", hashed)
    elif column.mask:
        yield Masked(f"{table}.{column.name}", column.mask)


def masks_arrays(shape: Shape) -> bool:
    """Whether a column of an array's elements is masked."""
    return any(column.mask for child in shape.contract.children for column in child.columns)


def guard() -> str:
    """Fails the staging without the key: rows would be lost, or have no hash."""
    return f"""\
-- The key of the masked columns is there, and is the one whose hashes are stored. Without this, a lost key would leave no rows. Runs in the
-- stage step, after COPY. Both branches of a CASE are evaluated, so the CASE is inside the CAST.
SELECT
    CAST(CASE WHEN f.found = 1 THEN '0' ELSE 'mask key: ' || CAST(f.found AS VARCHAR(32)) || ' rows, expected 1' END AS INTEGER) AS mask_guard
FROM (
    SELECT COUNT(*) AS found
    FROM {KEY_TABLE} AS k
    INNER JOIN ${{schema}}.mask_keys AS m ON m.fingerprint = SHA2('fingerprint' || {KEY}, 256)
) AS f;
"""


def needs_key(shape: Shape) -> bool:
    return any(one.mask == "hash" for one in masked(shape))
