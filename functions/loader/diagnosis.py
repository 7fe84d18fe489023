"""Describes in plain words what is wrong with a file, by its first bytes and by the line that Redshift names.

Only for files that COPY has refused. The description is a reason for people, not a verdict: Redshift shows whether the
file or the set-up is wrong (loader/known_good.py).
"""

import re
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from loader import sql
from loader.batches import Reject
from loader.datasets import COMPRESSIONS, Dataset, compression
from loader.observability import logger
from loader.store import DataFile, Store

FIRST_BYTES = 4096
AT_A_TIME = 16
MAX_LOOKS = 1000  # files in one call
MAX_LINES = 20  # lines read in one call
LINE_BYTES = 8 << 20  # bytes of a file, as they are stored, that are read for its line
SHOWN = 60  # characters of a line
LONGEST_LINE = 1 << 14  # bytes of it that are read
DENIED = "may not be read"

_MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "Parquet",
}
_PACKED = {"GZIP": b"\x1f\x8b", "BZIP2": b"BZh", "ZSTD": b"\x28\xb5\x2f\xfd"}
_JSON = re.compile(r"\bJSON\b", re.I)
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")
# What messages quote: Value 'a', Pos 0; Unexpected character 0x61; Bad UTF8 hex sequence: 80; Invalid char: e9 82.
_QUOTED = re.compile(
    r"""(\bValue )'.*'|(?<=character )()0x[0-9a-f]+|((?:hex sequence|Invalid char): )[0-9a-fx ]+""",
    re.IGNORECASE | re.DOTALL,
)
# Messages of Redshift that are hard to understand without its manual.
_EXPLAINED = {
    "Invalid value.": "Not a JSON object: truncated, a comma or a quote too many or too few, or a word such as NaN",
    "Member is not an object": "A string, a number or a list instead of an object with keys",
    "Not an array or index out of range": "An array is missing or too short",
}


def inspect_starts(store: Store, files: Sequence[DataFile], dataset: Dataset) -> list[str]:
    """What is wrong with the first bytes of each file ('begins with a byte order mark'); '' for nothing."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        heads = pool.map(lambda file: store.first_bytes(file, FIRST_BYTES), files)
        return [
            DENIED if head is None else oddity(head, file.key, dataset)
            for file, head in zip(files, heads, strict=True)
        ]


def oddity(head: bytes, key: str, dataset: Dataset) -> str:
    """What is wrong with a file of this dataset that begins like this, as a predicate; '' for nothing."""
    packed = compression(key)
    if not head:
        return ""
    if dataset.layout.format == "parquet":
        return "" if head.startswith(b"PAR1") else "does not begin with PAR1, as Parquet does"
    if packed and not head.startswith(_PACKED[packed]):
        suffix = next(suffix for suffix, option in COMPRESSIONS.items() if option == packed)
        return f"is not {packed.lower()}, although its name ends in {suffix}"
    if packed and packed != "GZIP":
        return ""
    if packed:
        head = _unzipped(head)
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            ending = _ENDING.search(key)
            return f"is {name} under a {ending[0] if ending else 'plain'} name"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16; UTF-8 is required"
    if head.startswith(b"\xef\xbb\xbf"):
        return "begins with a byte order mark; UTF-8 without one is required"
    if b"\0" in head[:64]:
        return "holds NUL bytes, as UTF-16 or a binary file does; UTF-8 is required"
    text = head.lstrip(b" \t\r\n")
    start = text[:15].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "is HTML"
    if start.startswith(b"<?xml"):
        return "is XML"
    return _of_json(text, dataset) if is_json(dataset) else ""


def _of_json(text: bytes, dataset: Dataset) -> str:
    start = text[:1]
    if start == b"<":
        return "is HTML or XML"
    if start == b"[" and not _takes_arrays(dataset):
        return "is a JSON array; one object for each record is required"
    if not start or start in b"{[":
        return ""
    if start == b'"':
        what = "a text"
    elif re.match(rb"-?\d", text):
        what = "a number"
    elif re.match(rb"(true|false|null)\b", text):
        what = "true, false or null"
    else:
        return "does not begin as JSON does"
    return f"begins with {what}; one object for each record is required"


def is_json(dataset: Dataset) -> bool:
    """Whether COPY reads the files as JSON."""
    return _JSON.search(sql.without_comments(f"datasets/{dataset.name}/copy.sql")) is not None


def _takes_arrays(dataset: Dataset) -> bool:
    """Whether a record is an array, from which the JSONPaths take elements."""
    return dataset.has_jsonpaths and bool(
        re.search(r'"\s*\$\s*\[\s*\d', sql.read(f"datasets/{dataset.name}/jsonpaths.json"))
    )


def _unzipped(head: bytes) -> bytes:
    """As much as the first bytes of a gzip file give."""
    try:
        return zlib.decompressobj(wbits=31).decompress(head, FIRST_BYTES)
    except zlib.error:
        return b""


def explained(message: str) -> str:
    """Redshift's message, with its meaning in front where the message does not say it."""
    meaning = next((text for words, text in _EXPLAINED.items() if words in message), "")
    return f"{meaning}: {message}" if meaning and meaning not in message else message


def without_values(message: str) -> str:
    """Redshift's message without what it quotes of a value, for a dataset with masked columns."""
    return _QUOTED.sub(lambda found: f"{found[1]}…", message)


def reason_for(found: str, message: str) -> str:
    """The reason for a file, from what was found in it and Redshift's message."""
    return f"The file {found}. Redshift: {message}" if found else explained(message)


def with_reasons(
    store: Store, rejects: Sequence[Reject], dataset: Dataset, *, lines: bool
) -> list[Reject]:
    """The rejects that Redshift named, with reasons that say what is in the file.

    A message with a column says it already. ``lines``: if the message is only "Invalid value", and nothing else is
    wrong, the start of the line is added, for the ledger.
    """
    unclear = [n for n, reject in enumerate(rejects) if reject.column is None][:MAX_LOOKS]
    found = inspect_starts(store, [rejects[n].file for n in unclear], dataset)
    made = list(rejects)
    for number, what in zip(unclear, found, strict=True):
        what = "" if what == DENIED else what
        made[number] = replace(made[number], reason=reason_for(what, made[number].reason))
    if lines:
        invalid = [
            n
            for n, what in zip(unclear, found, strict=True)
            if not what and made[n].line and rejects[n].reason.lower().startswith("invalid value")
        ][:MAX_LINES]
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            begun = pool.map(
                lambda n: line_of(store, made[n].file, int(made[n].line or 1)), invalid
            )
            for number, text in zip(invalid, begun, strict=True):
                made[number] = replace(made[number], line_begins=text)
    return made


def line_of(store: Store, file: DataFile, line: int) -> str:
    """The first characters of a line, printable ones; '' if it is too far down, or cannot be read."""
    if compression(file.key) not in ("", "GZIP"):
        return ""
    try:
        text = _line(store.chunks(file, LINE_BYTES), line, zipped=bool(compression(file.key)))
    except Exception:  # without a reason the load still works
        logger.exception("a line of a bad file could not be read")
        return ""
    shown = text.decode(errors="replace").strip()[:SHOWN]
    return "".join(char if char.isprintable() else "?" for char in shown)


def _line(chunks: Any, line: int, *, zipped: bool) -> bytes:
    unpack = zlib.decompressobj(wbits=31) if zipped else None
    left, kept = line - 1, b""  # line breaks before it
    for chunk in chunks:
        data = unpack.decompress(chunk) if unpack else chunk
        breaks = data.count(b"\n") if left else 0
        if breaks < left:
            left -= breaks
            continue
        if left:
            data, left = data.split(b"\n", left)[left], 0
        kept += data
        if b"\n" in kept or len(kept) > LONGEST_LINE:
            break
    return kept.partition(b"\n")[0]
