"""A dataset.yaml, checked: by its JSON Schema, and for what a schema cannot say.

Every error has the file, the line, the field, and what is allowed.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema

from contracts import conditions, paths
from contracts.document import ContractError, Document, shown_field
from contracts.generate.words import RESERVED
from contracts.model import COMPRESSED, BadRows, Child, Column, Contract, Csv, HandWritten, Test
from contracts.types import LONGEST_VARCHAR, Type, TypeRefused

SCHEMA = Path(__file__).with_name("dataset.schema.json")
FORMATS: dict[str, Literal["json", "csv", "parquet"]] = {
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "json"),
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    ".parquet": "parquet",
}
# Names of columns that the loader's own tables have beside the contract's.
OWN_NAMES = (
    "load_id",
    "batch",
    "row_no",
    "reload_id",
    "position",
    "misfits",
    "cut_texts",
    "valid_from",
    "valid_to",
    "arrays_hash",
)
# Columns of temporary tables, beside the key and newest.
TEMPORARY_NAMES = ("was", "was_load", "was_batch", "others")
# The loader's own tables and views (sql/migrations/), beside those of other datasets.
OWN_TABLES = (
    *("files", "loads", "check_results", "left_out", "undone", "schema_version", "load_figures"),
    *("key_sightings", "column_figures", "file_status", "unknown_keys", "rejected_rows"),
    *("contracts", "mask_keys"),
    *("songplay_versions", "user_versions", "song_versions"),
)
# Staging tables have the names of dataset, load, batch and array in theirs, in the 127 bytes of an identifier.
LONGEST_TABLE = 38
LONGEST_HASHED = LONGEST_VARCHAR - 64  # bytes of a text: the key, of 64 bytes, is put before it
_TABLE = re.compile(rf"[a-z](?!.*__)[a-z0-9_]{{0,{LONGEST_TABLE - 1}}}")
# Formats that are converted in SQL; any other is COPY's TIMEFORMAT or DATEFORMAT.
PLAIN_FORMATS = ("auto", "epoch_seconds", "epoch_milliseconds")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}
# What YAML makes of the end of decimal(12,2) between { and }.
_CUT_OFF = r"\s*\d+\s*\)"
_WITH_COMMA = 'between { and } a type with a comma in it needs quotes: "decimal(12,2)"'
_REFUSED = {
    "full": "a file that replaces the whole table is not possible yet; load into a table with a key instead",
    "replace": "a file that replaces the whole table is not possible yet; load into a table with a key instead",
    "schema": "the schema is a parameter of the deployment (SchemaName); a dataset cannot have its own yet",
    "schema_name": "the schema is a parameter of the deployment (SchemaName); a dataset cannot have its own yet",
    "table": "a table is called as its dataset: rename the folder",
    "prefix": "it is part of files: orders/*.jsonl",
    "suffixes": "they are part of files: orders/*.jsonl",
}


def read(path: Path, *, shown: str = "") -> Contract | HandWritten:
    """The dataset of ``<name>/dataset.yaml``. Raises ContractError.

    ``shown``: what the file is called in messages, by default its path.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ContractError(
            f"{shown or path}:{line}: this is not UTF-8; save the file as UTF-8."
        ) from error
    return parse(text, path.parent.name, path, shown=shown)


def parse(text: str, name: str, path: Path, *, shown: str = "") -> Contract | HandWritten:
    """The same, of the file's text and the dataset's name."""
    document = Document(path, text, shown or str(path))
    value = document.value
    if not isinstance(value, dict):
        raise document.error(
            (), "a dataset.yaml has fields: description, files, columns and others"
        )
    _check_schema(document)
    if not _TABLE.fullmatch(name):
        raise document.error(
            (),
            f"the folder's name {name!r} becomes the name of a table: lower-case letters, digits and single "
            f"underscores, at most {LONGEST_TABLE}, beginning with a letter",
        )
    if name in OWN_TABLES:
        raise document.error(
            (), f"the loader has a table {name} of its own; give the folder another name"
        )
    if name in RESERVED:
        raise document.error(
            (),
            f"{name} is a reserved word of SQL, which no table is called; give the folder another name",
        )
    prefix, endings = _files(document)
    if value.get("sql"):
        header = value.get("header")
        return HandWritten(
            name,
            value["description"],
            prefix,
            endings,
            value["stage_table"],
            value.get("fact_table", ""),
            tuple(header) if isinstance(header, list) else header,
            value.get("dataset_json", {}),
        )
    return _Reader(document, name, prefix, endings).contract()


# -- the schema --------------------------------------------------------------------------------
@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _check_schema(document: Document) -> None:
    found = sorted(
        _validator().iter_errors(document.value),
        key=lambda error: document.line(list(error.absolute_path)),
    )
    if not found:
        return
    error = _innermost(found[0])
    field = list(error.absolute_path)
    more, message = _explained(error)
    raise document.error([*field, *more], message)


def _innermost(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Of a oneOf, the branch for the kind of value that is there; of an if, what its branch says."""
    while error.context:
        depth = len(error.absolute_path)
        fitting = [
            one
            for one in error.context
            if not (one.validator in ("type", "const") and len(one.absolute_path) == depth)
        ]
        if not fitting:
            return error
        error = fitting[0]
    return error


def _explained(error: jsonschema.ValidationError) -> tuple[list[str], str]:
    """The field below the error's own, if it names one, and what is wrong with it in plain words."""
    rule: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "additionalProperties":
            allowed = [*error.schema.get("properties", {})]
            name = next(key for key in found if key not in allowed)
            if not error.absolute_path and (why := _REFUSED.get(name)):
                return [name], why
            if re.fullmatch(_CUT_OFF, name):
                return [name], _WITH_COMMA
            return [name], f"this field is not known; allowed are {', '.join(allowed)}"
        case "required":
            missing = next(key for key in rule if key not in found)
            return [], f"{missing} is missing"
        case "enum":
            if "propertyNames" in error.absolute_schema_path:
                return [
                    str(found)
                ], f"this field does not go with sql: true; allowed are {', '.join(rule)}"
            return [], f"{_short(found)} is not allowed; allowed are {', '.join(map(str, rule))}"
        case "not":
            return [str(found)], "this field goes with sql: true only"
        case "const":
            return [], f"{_short(found)} is not allowed; it must be {json.dumps(rule)}"
        case "pattern":
            named = [str(found)] if "propertyNames" in error.absolute_schema_path else []
            if named and re.fullmatch(_CUT_OFF, str(found)):
                return named, _WITH_COMMA
            return named, f"{_short(found)} is not allowed: {_pattern(error)}"
        case "oneOf" | "type":
            return [], f"{_short(found)} is not allowed; it must be {_kinds(error)}"
        case "minProperties" | "minItems" | "minLength":
            return [], "it must not be empty"
        case "uniqueItems":
            return [], "an entry is there twice"
        case "maxLength":
            return [], f"{_short(found)} is not allowed: it must be one character"
    return [], error.message


def _pattern(error: jsonschema.ValidationError) -> str:
    described = error.schema.get("description") or ""
    pattern = str(error.validator_value)
    if pattern.startswith("^[a-z]"):
        return "a name has lower-case letters, digits and single underscores, at most 60, and begins with a letter"
    if "mhd" in pattern:
        return "it must be a number of minutes, hours or days, such as 30m, 1h or 1d"
    return described or f"it must match {pattern}"


def _kinds(error: jsonschema.ValidationError) -> str:
    kinds = {
        "string": "a text", "array": "a list", "object": "fields", "boolean": "true or false",
        "integer": "a whole number", "number": "a number",
    }  # fmt: skip
    rules = error.validator_value if error.validator == "oneOf" else [error.schema]
    said: list[str] = []
    for rule in rules:
        types = rule.get("type", rule.get("const", "a name" if "$ref" in rule else ""))
        said += [
            kinds.get(one, str(one)) for one in (types if isinstance(types, list) else [types])
        ]
    return " or ".join(dict.fromkeys(filter(None, said)))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


# -- what a schema cannot say ------------------------------------------------------------------
def _files(document: Document) -> tuple[str, tuple[str, ...]]:
    """The prefix of the objects' keys, and their endings."""
    said = document.value["files"]
    patterns = said if isinstance(said, list) else [said]
    found: list[tuple[str, str]] = []
    for number, pattern in enumerate(patterns):
        field: list[str | int] = ["files", number] if isinstance(said, list) else ["files"]
        prefix, star, ending = pattern.partition("*")
        if pattern.startswith("s3://"):
            raise document.error(
                field, f"{pattern!r} has a bucket in it; write the key only, such as orders/*.jsonl"
            )
        if not star or "*" in ending or "?" in pattern:
            raise document.error(
                field,
                f"{pattern!r} is not a pattern of files: a prefix, one * (for anything, also folders) and an ending, "
                "such as orders/*.jsonl",
            )
        if not prefix:
            raise document.error(
                field,
                f"{pattern!r} has no prefix: a dataset's files are under a prefix of their own, such as orders/",
            )
        if prefix.startswith("/") or not re.fullmatch(r"[\w!.()/= -]+", prefix, re.ASCII):
            raise document.error(
                field,
                f"the prefix {prefix!r} is not allowed: letters, digits, blanks and _ ! . ( ) = - / only; no / first",
            )
        packed = next((packed for packed in COMPRESSED if ending.endswith(packed)), "")
        bare = ending.removesuffix(packed)
        if not re.fullmatch(r"[\w.-]*\.[A-Za-z0-9]+", bare, re.ASCII):
            raise document.error(
                field, f"{pattern!r} must end in a file's ending, such as .jsonl, .csv or .csv.gz"
            )
        if packed and bare.lower().endswith(".parquet"):
            raise document.error(
                field,
                f"{pattern!r}: Parquet is compressed inside of the file (snappy, zstd, gzip), not around it. Write "
                f"{prefix}*{bare}",
            )
        found.append((prefix, bare))
    if len({prefix for prefix, _ in found}) > 1:
        raise document.error(["files"], "all patterns of a dataset must have the same prefix")
    return found[0][0], tuple(dict.fromkeys(ending for _, ending in found))


class _Reader:
    """Makes a Contract of a document that fits the schema."""

    def __init__(
        self, document: Document, name: str, prefix: str, endings: tuple[str, ...]
    ) -> None:
        self._document = document
        self._value: dict[str, Any] = document.value
        self._name, self._prefix, self._endings = name, prefix, endings
        self._format = self._format_of_files()
        self._formats: dict[str, str] = {}  # type -> the format of its columns that COPY reads

    def contract(self) -> Contract:
        value = self._value
        if "csv" in value and self._format != "csv":
            raise self._error(["csv"], f"the files are {self._format}, by their ending")
        csv = self._csv()
        columns = self._columns(["columns"], value["columns"])
        named = {column.name: column for column in columns}
        key = self._key(named)
        newest = self._newest(key, named)
        children = self._children(key, columns)
        self._check_masked_paths(columns, children)
        history = bool(value.get("history"))
        if history and not newest:
            raise self._error(
                ["history"],
                "history needs a key and newest: it is the versions of each key, by time",
            )
        if value.get("deleted") and not key:
            raise self._error(
                ["deleted"], "deleted needs a key: it says which rows leave the table"
            )
        return Contract(
            name=self._name,
            description=value["description"],
            prefix=self._prefix,
            endings=self._endings,
            format=self._format,
            columns=columns,
            key=key,
            newest=newest,
            children=children,
            csv=csv,
            deleted=tuple(self._deleted(named)),
            unknown=value.get("unknown", "report"),
            bad_rows=self._bad_rows(),
            history=history,
            tests=tuple(self._tests(named, children)),
            every=_every(value.get("expect")),
        )

    def _error(self, field: list[str | int], message: str) -> ContractError:
        return self._document.error(field, message)

    def _format_of_files(self) -> Literal["json", "csv", "parquet"]:
        if any(ending.lower().endswith((".orc", ".avro")) for ending in self._endings):
            raise self._error(
                ["files"], "ORC and Avro are not possible. Write JSON lines, CSV or Parquet"
            )
        kinds = {FORMATS.get("." + ending.rpartition(".")[2].lower()) for ending in self._endings}
        if None in kinds or len(kinds) > 1:
            raise self._error(
                ["files"],
                f"the endings {', '.join(self._endings)} must be of one format: {', '.join(FORMATS)}",
            )
        return next(kind for kind in kinds if kind)

    def _csv(self) -> Csv:
        said: Mapping[str, Any] = self._value.get("csv", {})
        tabs = all(ending.endswith(".tsv") for ending in self._endings)
        csv = Csv(
            said.get("delimiter", "\t" if tabs else ","),
            said.get("quote", '"'),
            said.get("null", ""),
            said.get("header", True),
        )
        for field, character in (("delimiter", csv.delimiter), ("quote", csv.quote)):
            if not character.isascii() or character in "\n\r\0\\":
                raise self._error(
                    ["csv", field],
                    f"{character!r} must be one ASCII character, not a line end or a backslash",
                )
        if csv.delimiter == csv.quote:
            raise self._error(["csv", "quote"], "it must be another character than the delimiter")
        if re.search(r"[\n\r\0\\]|\$\{", csv.null):
            raise self._error(
                ["csv", "null"], "a line end, a NUL, a backslash or ${ is not allowed here"
            )
        return csv

    # -- columns
    def _columns(
        self, at: list[str | int], said: Mapping[str, Any], *, of_child: bool = False
    ) -> tuple[Column, ...]:
        made = tuple(self._column([*at, name], name, one, of_child) for name, one in said.items())
        if self._format != "json" and not of_child:
            names = [str(path.steps[0]).strip().lower() for column in made for path in column.paths]
            for column in made:
                for path in column.paths:
                    if names.count(str(path.steps[0]).strip().lower()) > 1:
                        raise self._error(
                            [*at, column.name],
                            f"two columns take {path.steps[0]!r} of the files; names are compared without case",
                        )
        return made

    def _column(self, at: list[str | int], name: str, said: Any, of_child: bool) -> Column:
        if name in OWN_NAMES and not (name == "position" and not of_child):
            raise self._error(at, _taken(name))
        fields: Mapping[str, Any] = said if isinstance(said, dict) else {"type": said}
        try:
            kind = Type.parse(fields["type"])
        except TypeRefused as error:
            raise self._error([*at, "type"], str(error)) from error
        column = Column(
            name,
            kind,
            self._paths(at, name, fields, of_child),
            fields.get("format", "auto"),
            fields.get("mask", ""),
            fields.get("too_long") == "truncate",
            fields.get("from_key", ""),
        )
        self._check_column(at, column, fields, of_child)
        return column

    def _paths(
        self, at: list[str | int], name: str, fields: Mapping[str, Any], of_child: bool
    ) -> tuple[paths.Path, ...]:
        said = fields.get("path", [] if "from_key" in fields else [name])
        texts = said if isinstance(said, list) else [said]
        if self._format != "json" and not of_child:
            if len(texts) > 1:
                raise self._error(
                    [*at, "path"],
                    "a list of paths is for JSON; a file that does not have exactly this column is rejected",
                )
            return tuple(paths.Path((text,)) for text in texts)
        made = []
        for text in texts:
            try:
                path = paths.parse(text)
            except paths.PathRefused as error:
                raise self._error([*at, "path"], str(error)) from error
            if not path.steps and not of_child:
                raise self._error(
                    [*at, "path"], "'.' is the element of an array; a record has keys"
                )
            if of_child and any(isinstance(step, str) and "${" in step for step in path.steps):
                raise self._error(
                    [*at, "path"], "${ is not allowed in a key of an array's elements"
                )
            made.append(path)
        return tuple(made)

    def _check_column(
        self, at: list[str | int], column: Column, fields: Mapping[str, Any], of_child: bool
    ) -> None:
        kind = column.type
        if "format" in fields and not kind.is_time:
            raise self._error([*at, "format"], f"format is for date and timestamp, not {kind.name}")
        if column.format not in (
            "auto",
            "epoch_seconds",
            "epoch_milliseconds",
        ) and not re.fullmatch(r"[A-Za-z0-9 :./,_+-]{2,60}", column.format):
            raise self._error(
                [*at, "format"],
                f"{column.format!r} is not allowed: auto, epoch_seconds, epoch_milliseconds, or a format such as "
                "'DD.MM.YYYY HH24:MI:SS'",
            )
        by_copy = column.format not in PLAIN_FORMATS
        if by_copy and self._format == "parquet":
            raise self._error(
                [*at, "format"],
                f"{column.format!r} is a format of texts, and COPY reads none in Parquet. A column of Parquet's type "
                "DATE or TIMESTAMP needs no format; take a text as varchar",
            )
        if by_copy and of_child:
            raise self._error(
                [*at, "format"],
                "a time in an array's elements may be auto, epoch_seconds or epoch_milliseconds; COPY, which knows "
                "other formats, does not read inside of arrays. Take it as varchar",
            )
        if by_copy and self._formats.setdefault(kind.name, column.format) != column.format:
            raise self._error(
                [*at, "format"],
                f"a COPY has one format for all {kind.name} columns, and another column has "
                f"{self._formats[kind.name]!r}. Take one of them as varchar",
            )
        if not of_child and any(isinstance(s, int) for path in column.paths for s in path.steps):
            raise self._error(
                [*at, "path"],
                "COPY fails for every file in which the array is shorter; take the array as a super column, or as a "
                "table (tables)",
            )
        if "too_long" in fields and kind.name != "varchar":
            raise self._error([*at, "too_long"], f"too_long is for varchar, not {kind.name}")
        if column.mask:
            self._check_mask(at, column)
        if column.from_key and (of_child or "path" in fields):
            raise self._error(
                [*at, "from_key"],
                "it takes the value from the object's key: it has no path, and is no column of an array's elements",
            )
        if column.from_key and by_copy:
            raise self._error(
                [*at, "format"],
                "a time in the object's key may be auto, epoch_seconds or epoch_milliseconds; COPY, which knows other "
                "formats, does not read it. Take it as varchar",
            )
        if column.from_key and kind.name == "super":
            raise self._error([*at, "from_key"], "the text in a key is no super value")

    def _check_mask(self, at: list[str | int], column: Column) -> None:
        field, kind = [*at, "mask"], column.type
        if column.from_key:
            raise self._error(
                field,
                "the value is in the object's key, which the ledger has as it is; it cannot be masked",
            )
        if column.mask == "drop":
            return
        if kind.name == "super":
            raise self._error(
                field,
                "a super value has no hash; take the key in it that is to be masked, or drop it",
            )
        if kind.name in ("real", "double precision"):
            raise self._error(
                field,
                f"a {kind.name} has no exact text to hash; use decimal(p,s), varchar(n), or mask: drop",
            )
        if kind.length > LONGEST_HASHED:
            raise self._error(
                field, f"a text of more than {LONGEST_HASHED} bytes cannot be hashed with the key"
            )
        if column.truncate:
            raise self._error(
                field,
                "a text that is cut would have the hash of another text; leave out too_long, or use mask: drop",
            )

    def _check_masked_paths(self, columns: tuple[Column, ...], children: tuple[Child, ...]) -> None:
        """Refuses a column that takes, unmasked, what another one masks: itself, or an object or array around it."""
        taken: list[tuple[list[str | int], Column, paths.Path]] = [
            (["columns", column.name], column, path) for column in columns for path in column.paths
        ]
        for child in children:
            element = child.each / paths.Path((0,))
            at: list[str | int] = ["tables", child.name, "columns"]
            taken += [
                ([*at, column.name], column, element / path)
                for column in child.columns
                for path in column.paths
            ]
        for _, masked, hidden in taken:
            for field, column, path in taken:
                around = _any_element(hidden)[: len(path.steps)] == _any_element(path)
                if masked.mask and not column.mask and around:
                    raise self._error(
                        field,
                        f"it takes {path} unmasked, and {masked.name} masks {hidden}. Take the other keys of {path} "
                        "one by one, or mask this column too",
                    )

    # -- keys
    def _key(self, named: Mapping[str, Column]) -> tuple[str, ...]:
        said = self._value.get("key", [])
        key = tuple(said if isinstance(said, list) else [said])
        for number, name in enumerate(key):
            field: list[str | int] = ["key", number] if isinstance(said, list) else ["key"]
            column = self._existing(field, name, named)
            if column.type.name in ("super", "real", "double precision"):
                raise self._error(
                    field,
                    f"{name} is {column.type.name}: values of this type cannot be compared exactly",
                )
            if column.mask == "drop":
                raise self._error(
                    field, f"{name} is dropped (mask: drop), so it cannot identify a row"
                )
            if column.truncate:
                raise self._error(
                    field, f"{name} is cut if it is too long, so two keys could become one"
                )
            if name in TEMPORARY_NAMES or (name == "position" and self._value.get("tables")):
                raise self._error(field, _taken(name))
        return key

    def _newest(self, key: tuple[str, ...], named: Mapping[str, Column]) -> str:
        said = self._value.get("newest")
        if not key:
            if said is not None:
                raise self._error(
                    ["newest"], "newest needs a key: it says which version of a key wins"
                )
            return ""
        if said is None:
            raise self._error(
                ["key"],
                "a dataset with a key needs newest: the column that says which version of a key wins, such as "
                "updated_at; or newest: none, if nothing says it and the smaller content shall win",
            )
        if said == "none":
            return ""
        column = self._existing(["newest"], said, named)
        if column.type.name in ("super", "boolean"):
            raise self._error(["newest"], f"{said} is {column.type.name}, which has no order")
        if column.mask or said in key or column.truncate:
            raise self._error(["newest"], f"{said} must not be masked, cut, or a part of the key")
        if said in TEMPORARY_NAMES:
            raise self._error(["newest"], _taken(said))
        return str(said)

    def _existing(self, at: list[str | int], name: str, named: Mapping[str, Column]) -> Column:
        if name not in named:
            raise self._error(
                at, f"there is no column {name!r}; the columns are {', '.join(named)}"
            )
        return named[name]

    def _check_list(self, at: list[str | int], each: paths.Path, taken: Sequence[str]) -> None:
        """Refuses the array of a table that is not a column of its own in Parquet files: COPY takes whole columns."""
        if len(each.steps) > 1:
            raise self._error(
                [*at, "each"],
                f"{each} is inside of a column, and COPY takes whole columns of Parquet. Take {each.steps[0]} as super",
            )
        if str(each.steps[0]).lower() in taken:
            raise self._error(
                [*at, "each"],
                f"{each} is taken by a column or another table already; COPY lands it once",
            )

    def _children(self, key: tuple[str, ...], columns: Sequence[Column]) -> tuple[Child, ...]:
        made = []
        taken = [str(path.steps[0]).lower() for column in columns for path in column.paths]
        for name, said in self._value.get("tables", {}).items():
            at: list[str | int] = ["tables", name]
            if self._format == "csv":
                raise self._error(
                    at, "tables of arrays are for JSON and Parquet; the files are csv"
                )
            if not _TABLE.fullmatch(name):
                raise self._error(at, f"the name of a table has at most {LONGEST_TABLE} characters")
            if (
                name in (self._name, "typed", self._name.removesuffix("_versions"))
                or name.endswith(("_versions", "_history", "_stage"))
                or name in OWN_TABLES
            ):
                raise self._error(
                    at, "the dataset or the loader has a table of this name; choose another name"
                )
            if name in RESERVED:
                raise self._error(
                    at,
                    "it is a reserved word of SQL, which no table is called; choose another name",
                )
            try:
                each = paths.parse(said["each"])
            except paths.PathRefused as error:
                raise self._error([*at, "each"], str(error)) from error
            if not each.steps:
                raise self._error([*at, "each"], "it must be the path of an array, such as items")
            if any(isinstance(step, int) for step in each.steps):
                raise self._error(
                    [*at, "each"],
                    "COPY fails for every file in which the array around it is shorter",
                )
            if self._format == "parquet":
                self._check_list(at, each, taken)
                taken.append(str(each.steps[0]).lower())
            columns = self._columns([*at, "columns"], said["columns"], of_child=True)
            for column in columns:
                if column.name in key:
                    raise self._error(
                        [*at, "columns", column.name],
                        f"the table has the parent's key {column.name} too; choose another name",
                    )
            made.append(Child(name, each, columns))
        return tuple(made)

    # -- the rest
    def _deleted(self, named: Mapping[str, Column]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for name, said in self._value.get("deleted", {}).items():
            column = self._existing(["deleted", name], name, named)
            if column.mask:
                raise self._error(
                    ["deleted", name], "the column is masked, so its values cannot be compared"
                )
            try:
                values = said if isinstance(said, list) else [said]
                yield name, tuple(conditions.literal(value, column.type) for value in values)
            except conditions.ConditionRefused as error:
                raise self._error(["deleted", name], str(error)) from error

    def _bad_rows(self) -> BadRows:
        said = self._value.get("bad_rows", "file")
        if said == "file":
            return BadRows()
        if self._format == "parquet":
            raise self._error(
                ["bad_rows"],
                "rows of Parquet cannot be left out: COPY has no MAXERROR for it, and a file's rows have no lines by "
                "which a bad one is named. Use bad_rows: file",
            )
        row = said["row"]
        if "max" not in row and "percent" not in row:
            raise self._error(
                ["bad_rows", "row"],
                "a file's bad rows need a limit: max (rows), percent (of the file's rows), or both",
            )
        return BadRows(row.get("max"), row.get("percent"), row.get("raw", True))

    def _tests(self, named: Mapping[str, Column], children: tuple[Child, ...]) -> Iterator[Test]:
        of_table = {
            child.name: {column.name: column for column in child.columns} for child in children
        }
        for field, said in self._value.get("checks", {}).items():
            table, dot, name = field.rpartition(".")
            if dot and table != self._name and table not in of_table:
                known = ", ".join([self._name, *of_table])
                raise self._error(
                    ["checks", field], f"there is no table {table!r}; the tables are {known}"
                )
            column = self._existing(["checks", field], name, of_table.get(table, dict(named)))
            if column.mask:
                raise self._error(
                    ["checks", field], "the column is masked, so its values cannot be checked"
                )
            for text in said if isinstance(said, list) else [said]:
                try:
                    condition = conditions.parse(text, column.type)
                except conditions.ConditionRefused as error:
                    raise self._error(["checks", field], str(error)) from error
                yield Test(table if table in of_table else "", name, condition)


def _any_element(path: paths.Path) -> tuple[str, ...]:
    """The steps of a path, in which all elements of an array are alike."""
    return tuple("[]" if isinstance(step, int) else f".{step}" for step in path.steps)


def _taken(name: str) -> str:
    return f"the loader's own tables have a column {name}; choose another name, and give the path: {name}"


def _every(said: Any) -> timedelta | None:
    if not said:
        return None
    return timedelta(seconds=int(said["every"][:-1]) * _SECONDS[said["every"][-1]])


__all__ = ["SCHEMA", "ContractError", "parse", "read", "shown_field"]
