"""A proposal -> the text of a dataset.yaml, with the reasons as comments."""

import json
import re
import unicodedata
from collections.abc import Iterator

from contracts import paths
from contracts.add.proposing import Column, Proposal

SCHEMA = "../../../contracts/dataset.schema.json"
_PLAIN = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_COMMENTS_FROM = 44
_MOST = 110


def text(made: Proposal) -> str:
    """The file: fields in the order of the docs, each column with its reason."""
    return "\n".join(_lines(made)) + "\n"


def _lines(made: Proposal) -> Iterator[str]:
    files = f"{made.sample_files:,} file{'' if made.sample_files == 1 else 's'}"
    yield f"# yaml-language-server: $schema={SCHEMA}"
    yield f"# Made by loader add from {files}, {made.rows:,} rows. Lengths have headroom. Change what you know better."
    title = made.dataset.replace("_", " ").capitalize()
    yield f"description: {title} (say here what they are)"
    shown = [_quoted(one) for one in made.files]
    yield f"files: {shown[0] if len(shown) == 1 else '[' + ', '.join(shown) + ']'}"
    reasons = [*made.keys.why, *made.keys.warnings]
    if made.keys.key:
        yield _with(f"key: [{', '.join(made.keys.key)}]", reasons)
        newest = "no column says which version of a key is the newest: the smaller content wins"
        yield _with(f"newest: {made.keys.newest}", [newest] if made.keys.newest == "none" else [])
    else:
        for why in reasons:
            yield f"# {_comment(why)}"
    yield "columns:"
    for column in made.columns:
        yield from _column(column, "  ", csv=made.csv is not None or made.by_name)
    if made.tables:
        yield "tables:"
    for table in made.tables:
        yield f"  {table.name}:"
        yield f"    each: {_quoted(str(paths.Path(table.each)))}"
        yield "    columns:"
        for column in table.columns:
            yield from _column(column, "      ")
    if made.csv:
        csv = made.csv
        fields = [
            ("delimiter", csv.delimiter, ","),
            ("quote", csv.quote, '"'),
            ("null", csv.null, ""),
            ("header", csv.header, True),
        ]
        if said := [
            f"{json.dumps(name) if name == 'null' else name}: {json.dumps(value)}"
            for name, value, usual in fields
            if value != usual
        ]:
            yield f"csv: {{{', '.join(said)}}}"


def line(column: Column, *, csv: bool = False) -> str:
    """The column as a line of dataset.yaml, without comments."""
    fields = _fields(column, csv)
    simple = [*fields] == ["type"]
    said = fields["type"] if simple else f"{{{', '.join(f'{k}: {v}' for k, v in fields.items())}}}"
    return f"{_name(column.name)}: {said}"


def _column(column: Column, indent: str, *, csv: bool = False) -> Iterator[str]:
    fields = _fields(column, csv)
    yield _with(f"{indent}{line(column, csv=csv)}", [*column.why, *column.warnings])
    if column.person and not column.mask and column.type != "super":
        masked = ", ".join(f"{k}: {v}" for k, v in {**fields, "mask": "hash"}.items())
        yield f"{indent}# {column.person}; to store only a hash: {column.name}: {{{masked}}}"


def _fields(column: Column, csv: bool) -> dict[str, str]:
    fields: dict[str, str] = {}
    if column.from_key:
        fields["from_key"] = column.from_key
    elif csv:
        if column.paths[0][0].lower() != column.name:
            fields["path"] = _quoted(column.paths[0][0])
    else:
        said = [_quoted(str(paths.Path(path))) for path in column.paths]
        if said != [column.name]:
            fields["path"] = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    fields["type"] = f'"{column.type}"' if "," in column.type else column.type
    if column.format:
        fields["format"] = _quoted(column.format)
    if column.mask:
        fields["mask"] = column.mask
    return fields


def _name(name: str) -> str:
    return f'"{name}"' if name in _WORDS else name


def _quoted(said: str) -> str:
    """A YAML text in quotes, unless it is a plain word or path."""
    if _PLAIN.fullmatch(said) and said.lower() not in _WORDS:
        return said
    if re.fullmatch(r"[\w./=-]+\*[\w.]+", said, re.ASCII) and not said.startswith("*"):
        return said
    return json.dumps(said, ensure_ascii=False)


def _with(line: str, comments: list[str]) -> str:
    said = "; ".join(comments)
    return f"{line:{_COMMENTS_FROM}} # {_comment(said)}" if said else line


def _comment(said: str) -> str:
    """One line, without control characters."""
    clean = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in said)
    return clean if len(clean) <= 2 * _MOST else f"{clean[: 2 * _MOST - 1]}…"
