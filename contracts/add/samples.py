"""Sample files: which there are, and each as a file that DuckDB reads record by record.

A file of JSON lines or CSV is read where it is, compressed by gzip or zstd or not at all. Others are written once into
the work folder as JSON lines: bzip2, objects over several lines or several on a line, a byte order mark, and whatever
has a record that cannot be read. That record is left out, counted, and named by file and line.
"""

import bz2
import gzip
import importlib
import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from contracts.add.problem import NoContract
from contracts.model import COMPRESSED
from contracts.reading import FORMATS

HEAD = 1 << 18  # bytes
READ = 1 << 13
LARGEST_OBJECT = 4_000_000  # bytes; COPY fails on a larger one (copy-usage_notes-copy-from-json)
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]')
_BOM = b"\xef\xbb\xbf"
_S3 = re.compile(r"s3://([^/]+)/?(.*)", re.DOTALL)


@dataclass
class Sample:
    """A file. key: what its key in the bucket would end in; path: where its content is now; bad: see ``Bad``."""

    key: str
    path: Path
    bad: "Bad" = field(default_factory=lambda: Bad())

    @property
    def packed(self) -> str:
        """.gz, .bz2, .zst or ''."""
        return next((ending for ending in COMPRESSED if self.key.lower().endswith(ending)), "")

    @property
    def ending(self) -> str:
        """The file's ending without that of its compression: .jsonl."""
        name = self.key.rpartition("/")[2]
        bare = name[: len(name) - len(self.packed)] if self.packed else name
        return f".{bare.rpartition('.')[2]}" if "." in bare else ""

    @property
    def format(self) -> str:
        """json, csv, parquet, or '' if the ending says none. Parquet has no compression around it."""
        found = FORMATS.get(self.ending.lower(), "")
        return "" if found == "parquet" and self.packed else found


@dataclass
class Bad:
    """Records of a file that cannot be read: how many, and the first of them as ``line 3: why``."""

    count: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, where: str) -> None:
        self.count += 1
        if len(self.named) < 3:
            self.named.append(where)


@dataclass
class Place:
    """Where the samples are. prefix: of the keys that they have in a bucket; '' if they are files here."""

    samples: list[Sample]
    prefix: str = ""
    left_out: list[str] = field(default_factory=list)


def find(given: list[str], work: Path) -> Place:
    """The samples of files, folders and s3://bucket/prefix, in the order of their keys. Raises NoContract."""
    found: list[Sample] = []
    prefixes: set[str] = set()
    for one in given:
        if in_s3 := _S3.fullmatch(one):
            bucket, prefix = in_s3.groups()
            found += _from_s3(bucket, prefix, work)
            prefixes.add(prefix if not prefix or prefix.endswith("/") else _folder(prefix))
            continue
        path = Path(one)
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file())
            keys = [p.relative_to(path).as_posix() for p in inside]
            found += [Sample(k, p) for k, p in zip(keys, inside, strict=True) if not _hidden(k)]
        elif path.is_file():
            found.append(Sample(path.name, path))
        else:
            raise NoContract(
                f"{one} does not exist. Give sample files, a folder, or s3://bucket/prefix."
            )
    taken = [sample for sample in found if sample.format]
    if not taken:
        raise NoContract(
            f"No sample has an ending that says what it is ({', '.join(FORMATS)}, also with {', '.join(COMPRESSED)}); "
            f"found: {', '.join(sample.key for sample in found[:5]) or 'no file at all'}."
        )
    main = max(dict.fromkeys(s.format for s in taken), key=[s.format for s in taken].count)
    place = Place(sorted((s for s in taken if s.format == main), key=lambda s: s.key))
    place.left_out = [f"{s.key}: not {main}" for s in found if s.format != main]
    place.prefix = prefixes.pop() if len(prefixes) == 1 else ""
    return place


def _hidden(key: str) -> bool:
    return any(part.startswith((".", "_SUCCESS")) for part in key.split("/"))


def _folder(prefix: str) -> str:
    """The prefix up to its last /; a single object has its folder's."""
    return prefix[: prefix.rfind("/") + 1]


def _from_s3(bucket: str, prefix: str, work: Path) -> Iterator[Sample]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        s3 = boto3.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        number = 0
        for page in pages:
            for item in page.get("Contents", ()):
                key, size = str(item["Key"]), int(item["Size"])
                inside = key[len(_folder(prefix)) :]
                sample = Sample(inside, work / f"s3-{number}")
                number += 1
                if key.endswith("/") or _hidden(inside) or not size or not sample.format:
                    continue
                sample.path = sample.path.with_name(
                    f"{sample.path.name}{sample.ending}{sample.packed}"
                )
                s3.download_file(bucket, key, str(sample.path))
                yield sample
    except (BotoCoreError, ClientError) as error:
        raise NoContract(f"s3://{bucket}/{prefix} cannot be read: {error}") from error


# -- the content of a file ---------------------------------------------------------------------
def opened(sample: Sample) -> BufferedIOBase:
    """The sample's content, decompressed while it is read. The compression is that of its ending."""
    match sample.packed:
        case ".gz":
            return gzip.open(sample.path)
        case ".bz2":
            return bz2.open(sample.path)
        case ".zst":
            opened_zstd: BufferedIOBase = _zstd().open(sample.path)
            return opened_zstd
    return sample.path.open("rb")


def _zstd() -> Any:
    """Python's own module from 3.14 on; before, the package that fakeshift brings."""
    return importlib.import_module(
        "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    )


def head(sample: Sample) -> bytes:
    """The first bytes of the content, as far as they can be decompressed.

    b'' for an empty file; a file that is not what its ending says has a bad record.
    """
    found = b""
    try:
        with opened(sample) as content:
            while len(found) < HEAD and (more := content.read1(READ)):
                found += more
    except Exception as error:  # zlib, bz2 and zstd have errors of their own
        if not found:
            sample.bad.add(f"not readable as {sample.packed or 'a file'}: {error}")
    return found


def unpacked(sample: Sample, to: Path) -> Path:
    """Writes the content to ``to``, up to where it can be decompressed."""
    with to.open("wb") as out, closing(opened(sample)) as content:
        try:
            while chunk := content.read(1 << 20):
                out.write(chunk)
        except Exception as error:  # as above
            sample.bad.add(f"not readable from some point on: {error}")
    return to


def as_lines(sample: Sample, to: Path) -> Path:
    """Writes the JSON objects of the content to ``to``, one a line; the others are the sample's bad records."""
    with to.open("wb") as out, closing(opened(sample)) as content:
        try:
            for record in _records(content, sample.bad):
                out.write(record.replace(b"\r", b" ").replace(b"\n", b" "))
                out.write(b"\n")
        except (OSError, EOFError, ValueError, _zstd().ZstdError) as error:
            sample.bad.add(f"not readable from some point on: {error}")
    return to


def _records(content: BufferedIOBase, bad: Bad) -> Iterator[bytes]:
    """The JSON objects, whatever white space is between them. A line that begins with { begins a new one."""
    depth, first, kept = 0, 0, bytearray()
    number = 0
    while line := content.readline(LARGEST_OBJECT + 2):
        number += 1
        if number == 1 and line.startswith(_BOM):
            line = line[len(_BOM) :]
            bad.named.append("line 1: it begins with a byte order mark, which COPY rejects")
        if depth and line.startswith(b"{"):
            bad.add(f"line {first}: {_why(bytes(kept))}")
            depth, kept = 0, bytearray()
        if not depth and line.lstrip().startswith(b"{") and _is_object(line):
            yield line.strip()
            continue
        at = 0
        for token in _TOKENS.finditer(line):
            mark = token[0]
            if mark in (b"{", b"["):
                if not depth:
                    if line[at : token.start()].strip():
                        bad.add(f"line {number}: {_why(line[at : token.start()])}")
                    at, first = token.start(), number
                depth += 1
            elif mark in (b"}", b"]") and depth:
                depth -= 1
                if not depth:
                    kept += line[at : token.end()]
                    at = token.end()
                    record, kept = bytes(kept), bytearray()
                    if _is_object(record):
                        yield record
                    else:
                        bad.add(f"line {first}: {_why(record)}")
        if depth:
            kept += line[at:]
            if len(kept) > LARGEST_OBJECT:
                bad.add(f"line {first}: an object of more than 4 MB, on which COPY fails")
                depth, kept = 0, bytearray()
        elif line[at:].strip():
            bad.add(f"line {number}: {_why(line[at:])}")
    if depth:
        bad.add(f"line {first}: {_why(bytes(kept))}")


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(_DECODER.decode(text.decode()), dict)
    except (ValueError, RecursionError):
        return False


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refused)


def _why(text: bytes) -> str:
    try:
        value = _DECODER.decode(text.decode())
    except UnicodeDecodeError as error:
        return f"not UTF-8 ({error.reason})"
    except (ValueError, RecursionError) as error:
        return f"not JSON ({error})"
    names = {list: "an array", str: "a text", bool: "a boolean", type(None): "null"}
    return f"{names.get(type(value), 'a number')}, not an object"
