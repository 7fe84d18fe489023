"""Expressions that turn what COPY landed into a column's type, and find what is there and does not fit.

COPY itself is the gate for whole numbers, floating-point numbers, booleans, texts and SUPER: it rejects what does not
fit, by file, line and column. What it would change in silence, or read in one format only, lands in another type and is
converted here:

    dates, timestamps    as text: one TIMEFORMAT of a COPY is for all its columns, and a zone would be ignored
    times since 1970     as decimals
    decimals             with more digits after the point, which COPY would cut, or as text
    Parquet              as the type that COPY takes of the file's; its footer says whether it does (loader/parquet.py)
    elements of arrays   are inside of a SUPER value, whose casts are lax: what does not fit becomes NULL

Of a text, a regular expression decides the form and TRY_CAST the range, so that nothing is rounded, cut or guessed.
Source: docs.aws.amazon.com/redshift/latest/dg/r_TRY_CAST.html, query-super.html (lax semantics),
copy-parameters-data-conversion.html (ROUNDEC), r_Datetime_types.html (zones are ignored in TIMESTAMP)
"""

from dataclasses import dataclass

from contracts.model import Column
from contracts.paths import Path
from contracts.types import MOST_DIGITS, MOST_SCALE, Type

AS_TEXT = Type("varchar", length=64)
AS_EPOCH = Type("decimal", precision=24, scale=6)
LONGEST = Type("varchar", length=65535)
SUPER = Type("super")
_PARQUET = {
    "integer": "INT32",
    "bigint": "INT64",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
}
# Format -> the number to which a second counts. The years 1 to 9999 are possible.
EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1000}
# Digits beyond a decimal's scale that COPY does not cut, so that they are found to be too many.
_SEEN = 10
_FIRST_SECOND, _LAST_SECOND = -62135596800, 253402300799
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_WHOLE = "^[-+]?[0-9]+([.]0+)?$"
_FLOATING = "^[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?$"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_ZONE = "(Z|[-+][0-9]{2}(:?[0-9]{2})?)"


@dataclass(frozen=True)
class Value:
    """How a column is made of what landed: the columns of two nested queries.

    landed  the expression of what landed in the inner query; '' if ``typed`` needs no conversion, and is there
    typed   the expression of its type in the outer query, in which what landed is called ``<column>__landed``
    fits    the condition that what landed fits; '' if it does whenever ``typed`` is not NULL, TRUE if always
    """

    landed: str
    typed: str
    fits: str = ""


def by_copy(column: Column) -> bool:
    """Whether COPY reads the column's time, by the format of its TIMEFORMAT or DATEFORMAT."""
    return column.type.is_time and column.format not in ("auto", *EPOCHS)


def lands_as(column: Column, fmt: str) -> Type:
    """The type in which COPY lands the column's value. One that is dropped need not fit its type."""
    if fmt == "parquet":
        return _of_parquet(column)[0]
    kind = column.type
    if column.mask == "drop":
        return LONGEST
    if kind.name == "decimal":
        before = kind.precision - kind.scale
        if kind.precision > MOST_DIGITS - _SEEN:
            return AS_TEXT
        return Type("decimal", precision=MOST_DIGITS, scale=min(MOST_SCALE, MOST_DIGITS - before))
    if column.format in EPOCHS:
        return AS_EPOCH
    if kind.is_time and not by_copy(column):
        return AS_TEXT
    return LONGEST if column.truncate else kind


def _of_parquet(column: Column) -> tuple[Type, str]:
    """In which type COPY lands a column of Parquet, and of which type it is in the files, as loader/parquet.py calls it.

    COPY converts nothing: "an incompatible Parquet schema" is what it says of an INT64 for an INTEGER. SUPER takes any
    type. Source: docs.aws.amazon.com/redshift/latest/dg/c-spectrum-external-tables.html, copy_json.html
    (SERIALIZETOJSON); github.com/aws/amazon-redshift-python-driver/issues/107
    """
    kind = column.type
    if column.mask == "drop" or kind.name == "super":
        return SUPER, "ANY"
    if column.format in EPOCHS:
        return Type("bigint"), "INT64"
    if kind.is_text:
        return LONGEST, "STRING"
    if kind.name == "decimal":
        return kind, f"DECIMAL({kind.precision},{kind.scale})"
    if kind.name == "smallint":  # its range is checked after COPY
        return Type("integer"), "INT32"
    return kind, _PARQUET[kind.name]


def type_in_parquet(column: Column) -> str:
    """The type that a column must have in Parquet files: INT64, DECIMAL(12,2), ANY."""
    return _of_parquet(column)[1]


def of_landed(column: Column, landed: str, fmt: str) -> Value:
    """The value of a column that COPY landed, or that is in the object's key."""
    if column.from_key:
        return _converted(column, landed)
    if lands_as(column, fmt) == column.type:
        return Value("", landed)
    said = f"{column.name}__landed"
    if fmt == "parquet" and column.type.name == "smallint":
        return Value(
            landed, f"CAST(CASE WHEN {said} BETWEEN -32768 AND 32767 THEN {said} END AS SMALLINT)"
        )
    if column.type.name == "decimal" and lands_as(column, fmt) != AS_TEXT:
        cut = f"TRUNC({said}, {column.type.scale})"
        return Value(landed, f"CAST({cut} AS {column.type})", f"{said} = {cut}")
    if column.format in EPOCHS:
        return Value(landed, _since_1970(column, said))
    return _converted(column, landed)


def of_element(column: Column, element: str) -> Value:
    """The value of a column of an array's element, which is a SUPER value."""
    found = [navigated(element, path) for path in column.paths]
    if column.type.name == "super":
        return Value("", found[0] if len(found) == 1 else f"COALESCE({', '.join(found)})")
    texts = [scalar_text(one) for one in found]
    return _converted(column, texts[0] if len(texts) == 1 else f"COALESCE({', '.join(texts)})")


def _converted(column: Column, text: str) -> Value:
    """The value of a column, of its text. An empty or blank text is no value, but in a text column.

    COPY loads '' into a column that is not text as NULL too (docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html).
    """
    kind = column.type
    said = f"{column.name}__landed"
    if kind.is_text:
        fits = "" if column.truncate else f"OCTET_LENGTH({said}) <= {kind.length}"
        if kind.name == "char":  # one byte a character
            fits += f" AND OCTET_LENGTH({said}) = LEN({said})"
        return Value(text, f"CAST({said} AS {kind})", fits or "TRUE")
    return Value(f"NULLIF(TRIM({text}), '')", _typed(column, said))


def forms(column: Column) -> tuple[str, ...]:
    """The regular expressions of which a text must match one to be a value of the column; () for any text.

    They mean the same in Redshift and in Python, by which the loader finds the lines of what does not fit.
    """
    kind = column.type
    if kind.is_whole:
        return (_WHOLE,)
    if kind.name == "decimal":
        whole = kind.precision - kind.scale
        before = f"0*[0-9]{{1,{whole}}}" if whole else "0+"
        less = f"|[.][0-9]{{1,{kind.scale}}}0*" if kind.scale else ""
        return (f"^[-+]?({before}([.][0-9]{{0,{kind.scale}}}0*)?{less})$",)
    if kind.is_number:
        return (_FLOATING,)
    if kind.name == "boolean":
        return ("(?i)" + "|".join((*_TRUE, *_FALSE)),)
    if column.format in EPOCHS:
        return ("^-?[0-9]{1,15}([.][0-9]{1,6}0*)?$",)
    if kind.name == "date":
        return (f"^{_DATE}$",)
    if kind.name == "timestamp":
        moment = f"^{_DATE}[T ]{_CLOCK}"
        return f"{moment} ?{_ZONE}$", f"{moment}$", f"^{_DATE}$"
    return ()


def epoch_range(column: Column) -> list[int]:
    """The first and the last number that a time since 1970 may be; [] for other columns."""
    unit = EPOCHS.get(column.format, 0)
    return [_FIRST_SECOND * unit, _LAST_SECOND * unit] if unit else []


def _typed(column: Column, said: str) -> str:
    kind = column.type
    if kind.name == "boolean":  # Redshift has no cast of text to boolean
        words = [*((word, "TRUE") for word in _TRUE), *((word, "FALSE") for word in _FALSE)]
        whens = " ".join(f"WHEN '{word}' THEN {value}" for word, value in words)
        return f"CASE LOWER({said}) {whens} END"
    form, *others = forms(column)
    if kind.is_whole:
        return _try(f"CASE WHEN {said} ~ '{form}' THEN SPLIT_PART({said}, '.', 1) END", kind)
    of_form = f"CASE WHEN {said} ~ '{form}' THEN {said} END"
    if column.format in EPOCHS:
        return _since_1970(column, _try(of_form, AS_EPOCH))
    if kind.name != "timestamp":
        return _try(of_form, kind)
    # A text without a zone is UTC: said so, because a session may have another zone.
    without_zone, day = others
    moment = (
        f"CASE WHEN {said} ~ '{form}' THEN {said} "
        f"WHEN {said} ~ '{without_zone}' THEN {said} || 'Z' "
        f"WHEN {said} ~ '{day}' THEN {said} || ' 00:00:00Z' END"
    )
    return f"{_try(moment, 'TIMESTAMPTZ')} AT TIME ZONE 'UTC'"


def _since_1970(column: Column, number: str) -> str:
    """A time of a decimal number of seconds or milliseconds; NULL outside of the years 1 to 9999."""
    unit = EPOCHS[column.format]
    seconds = f"CAST(CASE WHEN {number} BETWEEN {_FIRST_SECOND * unit} AND {_LAST_SECOND * unit} THEN {number} END AS DOUBLE PRECISION)"
    return f"CAST(TIMESTAMP 'epoch' + {seconds} / {unit} * INTERVAL '1 second' AS {column.type})"


def _try(text: str, kind: Type | str) -> str:
    return f"TRY_CAST({text} AS {kind})"


def navigated(element: str, path: Path) -> str:
    """A path inside of a SUPER value. Names are quoted: unquoted ones fold to lower case.

    Source: docs.aws.amazon.com/redshift/latest/dg/super-configurations.html
    """
    text = element
    for step in path.steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            quoted = step.replace('"', '""')
            text += f'."{quoted}"'
    return text


def folds(path: Path) -> bool:
    """Whether Redshift would fold a key of the path to lower case."""
    return any(
        isinstance(step, str) and any("A" <= char <= "Z" for char in step) for step in path.steps
    )


def scalar_text(value: str) -> str:
    """A SUPER value as text: a string as it is, a number or boolean as JSON writes it, an object or array as its JSON.

    A null of JSON is no value, wherever it stands: an element of an array may be one without being NULL.

    JSON_SERIALIZE fails for more than 65,535 bytes, and both branches of a CASE may be computed: the guard is inside.
    Source: docs.aws.amazon.com/redshift/latest/dg/JSON_SERIALIZE.html
    """
    return (
        f"CASE WHEN IS_VARCHAR({value}) THEN CAST({value} AS VARCHAR(65535)) "
        f"WHEN {value} IS NOT NULL THEN NULLIF({serialized(value)}, 'null') END"
    )


def serialized(value: str) -> str:
    """The JSON of a SUPER value; NULL if it is longer than a VARCHAR."""
    return f"JSON_SERIALIZE(CASE WHEN JSON_SIZE({value}) <= 65535 THEN {value} END)"
