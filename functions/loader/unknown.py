"""Reads every record of a batch's files, for datasets that reject a file with an unknown key (``unknown: reject``).

COPY ignores such keys without a word, so the loader reads the files itself, after COPY has taken them: the same
versions, streamed, at most BUFFER characters of each at a time. What one call of the function does not finish, the next
one continues. A file that was not read to its end is never published.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from loader.batches import Reject
from loader.datasets import Dataset, compression
from loader.decompression import NotThatFormat, unpacked
from loader.store import DataFile, Store
from loader.suggested import Seen, line
from loader.unmapped import Mapped, mapped_by, shortened, unmapped_keys

SECONDS = 120  # of reading in one call of a function
AT_A_TIME = 4
PART = 1 << 20  # bytes that are looked through at once
BUFFER = 16 << 20  # characters: COPY fails for a JSON object of more than 4 MB
LONGEST_COLUMN = 127  # bytes of the ledger's error_column
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Read:
    """How far a file was read. at: bytes of its decompressed content; line: the line there. bad: why it is rejected."""

    file: DataFile
    at: int = 0
    line: int = 1
    done: bool = False
    bad: Reject | None = None


def look(
    store: Store, files: Sequence[DataFile], dataset: Dataset, before: dict[str, list[Any]]
) -> list[Read]:
    """Reads the files, as far as there is time. ``before``: as ``progress`` returned it after the last call.

    If no file gets further in the whole time, one of them is rejected. Raises ClientError if S3 does not answer.
    """
    taken = mapped_by(dataset)
    if taken is None:  # nothing says which keys are known
        return [Read(file, done=True) for file in files]
    until = time.monotonic() + SECONDS
    store.prepare_streams()

    def begun(file: DataFile) -> Read:
        etag, *so_far = before.get(file.key, [""])
        read = Read(file, *so_far) if etag == file.etag else Read(file)
        at_end = read.at >= file.size and not compression(file.key)
        return replace(read, done=read.done or at_end or not file.size)

    def one(read: Read) -> Read:
        if read.done or time.monotonic() > until:
            return read
        return _read(store, read, dataset, taken, until)

    reads = [begun(file) for file in files]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        found = list(pool.map(one, reads))
    if found == reads and not all(read.done for read in found):  # and so it would go on forever
        stuck = next(number for number, read in enumerate(found) if not read.done)
        found[stuck] = replace(found[stuck], bad=_too_long(found[stuck].file))
    return found


def progress(found: Sequence[Read]) -> dict[str, list[Any]]:
    """What the next call needs to know: key -> ETag, and how far the file was read."""
    return {
        read.file.key: [read.file.etag, read.at, read.line, read.done]
        for read in found
        if not read.bad
    }


def _read(store: Store, read: Read, dataset: Dataset, taken: Mapped, until: float) -> Read:
    file = read.file
    records = _Records(_rest(store, read, until), read.at, read.line)
    try:
        for record in records:
            found = next(unmapped_keys(record, taken), None) if isinstance(record, dict) else None
            if found:
                return replace(read, bad=_with_key(file, records.line, *found, dataset))
            if time.monotonic() > until:
                return replace(read, at=records.offset(), line=records.line)
    except TimeoutError:
        return read
    except NotThatFormat as error:
        return replace(read, bad=_unread(file, f"{error}. Compress it with gzip"))
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 403:
            return replace(read, bad=_unread(file, "the loader may not read it", "unreadable"))
        if status in (404, 412):  # deleted or replaced after COPY: it is staged again as it is now
            return replace(read, bad=_unread(file, "it was deleted or replaced", "missing"))
        raise
    if records.broken:
        return replace(
            read,
            bad=replace(
                _unread(file, f"what is in line {records.line} cannot be read as JSON"),
                line=records.line,
            ),
        )
    return replace(read, done=True)


def _with_key(file: DataFile, number: int, path: str, value: Any, dataset: Dataset) -> Reject:
    wanted = line(path, Seen.of(value).type)
    reason = (
        f"It has the key {shortened(path)}, which no column takes, and {dataset.name} rejects unknown keys. "
        f"To take it, add to dataset.yaml: {wanted}. To only report such keys: unknown: report."
    )
    column = shortened(path).encode()[:LONGEST_COLUMN].decode(errors="ignore")
    return Reject(file, reason, number, column)


def _unread(file: DataFile, why: str, status: str = "rejected") -> Reject:
    return Reject(
        file, f"It was not read completely, so it may have unknown keys: {why}.", status=status
    )


def _too_long(file: DataFile) -> Reject:
    return _unread(
        file,
        f"{SECONDS} seconds are too short to decompress it up to where the last call stopped. Upload it in several "
        "files, or uncompressed; or say unknown: report",
    )


def _rest(store: Store, read: Read, until: float) -> Iterator[bytes]:
    """What is not read yet. Raises TimeoutError if the time ends before: a compressed file is read from its start."""
    if not compression(read.file.key):
        yield from store.stream(read.file, read.at)
        return
    at = read.at
    for chunk in unpacked(read.file.key, store.stream(read.file)):
        if at < len(chunk):
            yield chunk[at:]
        elif time.monotonic() > until:
            raise TimeoutError
        at = max(at - len(chunk), 0)


class _Records:
    """The values of a JSON text that comes in parts, one after another. line: the last line of the newest one.

    broken: whether it ends in something that is no JSON.
    """

    def __init__(self, chunks: Iterator[bytes], base: int, line: int) -> None:
        self._chunks = chunks
        self._base = base
        self._text = ""
        self._at = 0
        self._rest = b""  # the beginning of a character
        self.line = line
        self.broken = False

    def offset(self) -> int:
        """Where the next value begins, in bytes of the text."""
        return self._base + len(self._text[: self._at].encode(errors="surrogateescape"))

    def _more(self, least: int) -> bool:
        parts, size = [self._rest], 0
        while size < least and (chunk := next(self._chunks, None)) is not None:
            parts.append(chunk)
            size += len(chunk)
        data = b"".join(parts)
        end = _whole_characters(data) if size >= least else len(data)
        self._base = self.offset()
        self._rest = data[end:]
        self._text = self._text[self._at :] + data[:end].decode(errors="surrogateescape")
        self._at = 0
        return size > 0

    def __iter__(self) -> Iterator[Any]:
        self._more(PART)
        self._text = self._text.removeprefix("\ufeff") if not self._base else self._text
        while True:
            blank = _BLANKS.match(self._text, self._at)
            start = blank.end() if blank else self._at
            self.line += self._text.count("\n", self._at, start)
            self._at = start
            if start >= len(self._text):
                if not self._more(PART):
                    return
                continue
            try:
                value, end = _DECODER.raw_decode(self._text, start)
            except (ValueError, RecursionError):
                left = len(self._text) - start
                if left < BUFFER and self._more(max(left, PART)):
                    continue
                self.broken = True
                return
            if end == len(self._text) and self._text[end - 1] not in '}]"' and self._more(PART):
                continue  # a number may go on
            self.line += self._text.count("\n", start, end)
            self._at = end
            yield value


def _whole_characters(data: bytes) -> int:
    """How many of the bytes are whole characters of UTF-8."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0xC0:  # the first byte of a character
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) if back >= needed else len(data) - back
        if byte < 0x80:
            break
    return len(data)
