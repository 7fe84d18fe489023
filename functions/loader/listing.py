"""The files that a request means, and the list of them that COPY compares with the ledger."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from loader.datasets import Dataset, dataset_for, dataset_of, datasets
from loader.request import BadRequest, Request
from loader.settings import settings
from loader.store import DataFile, Store
from loader.unmatched import Unmatched, dataset_above


def list_files(
    store: Store, request: Request, objects: str, not_taken: Unmatched
) -> Iterator[DataFile]:
    """The files that the request means and that match a dataset, each once; counts those under a dataset's prefix that
    match none. Raises BadRequest for a key that does not exist.
    """
    bucket, known = settings().data_bucket, tuple(datasets().values())
    if objects:
        try:
            files = store.get_lines(store.key_of(objects))
            yield from (DataFile(**file) for file in files if dataset_of(file["key"], known))
        except ValueError as error:
            raise BadRequest(f"objects: {error}") from error
        return
    for key in request.keys:
        if not dataset_of(key, known):
            raise BadRequest(
                f"keys: {key!r} matches no dataset. The datasets are {describe(known)}."
            )
        head = store.head(bucket, key)
        if head.file is None:
            raise BadRequest(f"keys: {key!r} is {head.state} in the bucket {bucket}.")
        yield head.file
    if request.keys and not request.prefixes:
        return
    for prefix in narrowed(request.prefixes, known):
        for file in store.list_files(bucket, prefix):
            if not dataset_of(file.key, known):
                if above := dataset_above(file.key, known):
                    not_taken.add(file, above)
            elif file.key not in request.keys:
                yield file


def reloadable(files: Iterator[DataFile]) -> Iterator[DataFile]:
    """The files. Raises BadRequest for one whose rows could not be deleted first, so a reload would double them."""
    for file in files:
        dataset = dataset_for(file.key)
        if not dataset.can_reload:
            raise BadRequest(
                f"reload: {file.key!r} belongs to the dataset {dataset.name}, which has no "
                f"sql/datasets/{dataset.name}/reload/: nothing says which rows came from a file. "
                "Undo the load that inserted them, then load its files by key."
            )
        yield file


def narrowed(prefixes: tuple[str, ...], known: tuple[Dataset, ...]) -> list[str]:
    """The prefixes to list: the requested ones within the datasets' prefixes, none inside another."""
    wanted: set[str] = set()
    for prefix in prefixes or ("",):
        inside = {
            max(prefix, d.prefix, key=len)
            for d in known
            if prefix.startswith(d.prefix) or d.prefix.startswith(prefix)
        }
        if not inside:
            raise BadRequest(
                f"prefixes: no dataset has files under {prefix!r}. The datasets are {describe(known)}."
            )
        wanted |= inside
    return sorted(
        p for p in wanted if not any(p != other and p.startswith(other) for other in wanted)
    )


def describe(known: Iterable[Dataset]) -> str:
    return ", ".join(f"{d.prefix}*{suffix}" for d in known for suffix in d.suffixes)


def write(store: Store, key: str, files: Iterator[DataFile]) -> int:
    """Writes the listing for COPY, numbered from 0; returns how many files there are."""
    first = next(files, None)
    if first is None:
        return 0
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        for file in chain([first], files):
            yield {"seq": count, **file.as_dict()}
            count += 1

    store.put_lines(key, rows())
    return count


def read(store: Store, key: str) -> Iterator[DataFile]:
    for row in store.get_lines(key):
        del row["seq"]
        yield DataFile(**row)
