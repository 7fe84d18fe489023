"""The records of a loaded file, with their lines as COPY reports them."""

from __future__ import annotations

from pathlib import Path

from loader.datasets import dataset_for
from loader.decompression import NotThatFormat, unpacked
from loader.records import Record, records

LARGEST = 64 << 20  # bytes of a file
PIECE = 1 << 20


def read(key: str, path: Path) -> list[Record]:
    """The records; none of a file that is large, or that this Python cannot decompress."""
    if path.stat().st_size > LARGEST:
        return []
    with path.open("rb") as stream:
        try:
            chunks = iter(lambda: stream.read(PIECE), b"")
            return list(records(unpacked(key, chunks), dataset_for(key)))
        except NotThatFormat:
            return []
