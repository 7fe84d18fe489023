"""The lines of records in a file of this machine."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from contracts.model import Contract

LARGEST = 64 << 20  # bytes, decompressed
_BLANKS = re.compile(r"\s*")


def content(key: str, path: Path) -> bytes:
    """A file's bytes, decompressed; b"" of one that cannot be decompressed here or is large."""
    from loader.decompression import NotThatFormat, decompressed

    if path.stat().st_size > LARGEST:
        return b""
    try:
        return decompressed(key, path.read_bytes(), LARGEST)
    except NotThatFormat:
        return b""


def line(plain: bytes, number: int, contract: Contract) -> int | None:
    """The line on which the record with this number (from 1) begins."""
    text = plain.decode(errors="replace")
    if contract.format == "csv":
        options = contract.csv
        lines = text.splitlines(keepends=True)
        reader = csv.reader(lines, delimiter=options.delimiter, quotechar=options.quote)
        for _ in range(number - 1 + options.header):
            next(reader, None)
        return reader.line_num + 1
    decoder, at = json.JSONDecoder(), 0
    for _ in range(number):
        blank = _BLANKS.match(text, at)
        begun = blank.end() if blank else at
        try:
            _, at = decoder.raw_decode(text, begun)
        except ValueError:
            return None
    return text.count("\n", 0, begun) + 1
