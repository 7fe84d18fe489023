"""Which files are meant, and the key that each would have in the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import boto3

from local.datasets import Dataset
from local.problem import Usage


def of_files(
    words: Iterable[str], dataset: Dataset, known: Iterable[Dataset], below: str | None, work: Path
) -> dict[str, Path]:
    """Key -> file, of paths, folders and s3:// URIs. Raises Usage for what is not there, or has another's key.

    below: the prefix that the keys get, in place of the one that is found in the path. work: a folder for what is read
    from S3.
    """
    found: dict[str, Path] = {}
    for word in words:
        pairs = _from_s3(word, work) if word.startswith("s3://") else _local(word)
        for path, name, inner in pairs:
            key = f"{below}{inner}" if below is not None else _key(name, dataset, known)
            if key in found:
                raise Usage(f"{path} and {found[key]} have the same key, {key}: try one at a time.")
            found[key] = path
    return found


def _local(word: str) -> Iterator[tuple[Path, str, str]]:
    """The files of a path: each with its absolute name, and its name below a folder that was given."""
    path = Path(word)
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file())
        if not files:
            raise Usage(f"{word} has no files.")
        yield from (
            (each, each.resolve().as_posix(), each.relative_to(path).as_posix()) for each in files
        )
    elif path.is_file():
        yield path, path.resolve().as_posix(), path.name
    else:
        raise Usage(f"There is no file {word}.")


def _from_s3(word: str, work: Path) -> Iterator[tuple[Path, str, str]]:
    """The object of a URI, or all below one that ends in a slash."""
    bucket, _, key = word.removeprefix("s3://").partition("/")
    client = boto3.client("s3")
    keys = [key]
    if not key or key.endswith("/"):
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
    if not keys:
        raise Usage(f"{word} has no objects.")
    for number, each in enumerate(keys):
        path = work / str(number)
        client.download_file(bucket, each, str(path))
        yield path, each, each.removeprefix(key) or each.rpartition("/")[2]


def _key(name: str, dataset: Dataset, known: Iterable[Dataset]) -> str:
    """The part of a path that begins with a dataset's prefix, its own first; else the prefix and the file's name."""
    for prefix in (dataset.prefix, *(each.prefix for each in known)):
        at = f"/{name}".rfind(f"/{prefix}")
        if prefix and at >= 0:
            return name[at:]
    return dataset.prefix + name.rpartition("/")[2]
