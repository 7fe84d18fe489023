"""A sample of a batch's files, read while COPY runs: which keys of their records no column loads.

At most FILES files of a batch and RANGE bytes of each. It does not delay the load: COPY runs at the same time, and what
has not been read a moment after COPY has ended is left out. A file that cannot be read is not sampled.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from loader.datasets import Dataset
from loader.decompression import decompressed
from loader.observability import logger
from loader.store import DataFile, Store
from loader.suggested import Seen, line
from loader.unmapped import CUT, MOST, Mapped, mapped_by, records, shortened, unmapped_keys

FILES = 20
RANGE = 64 * 1024  # bytes of an object
UNPACKED = 512 * 1024  # bytes of what is decompressed of it
AT_A_TIME = 8
GRACE = 1.0  # seconds after COPY's end


@dataclass
class Sample:
    """What was sampled. keys: path -> the first file in which it was seen. suggested: path -> the line of dataset.yaml
    that would take it, for a dataset with a contract.
    """

    files: int = 0
    keys: dict[str, str] = field(default_factory=dict)
    suggested: dict[str, str] = field(default_factory=dict)


class Sampler:
    """Starts immediately, in separate threads."""

    def __init__(self, store: Store, files: Sequence[DataFile], dataset: Dataset) -> None:
        self._found: list[tuple[str, Future[dict[str, Seen] | None]]] = []
        self._has_contract = bool(dataset.contract)
        taken = mapped_by(dataset)
        if taken is None or not files:
            return
        store.prepare_sampling()
        self._pool = ThreadPoolExecutor(AT_A_TIME)
        step = max(len(files) // FILES, 1)
        for file in files[::step][:FILES]:
            self._found.append((file.key, self._pool.submit(_sample, store, file, taken)))

    def result(self) -> Sample:
        """What has been read so far, or is within a moment; cancels the rest."""
        sample = Sample()
        if not self._found:
            return sample
        wait([future for _, future in self._found], timeout=GRACE)
        self._pool.shutdown(wait=False, cancel_futures=True)
        seen: dict[str, Seen] = {}
        for key, future in self._found:
            if not future.done() or future.cancelled() or future.exception():
                continue
            paths = future.result()
            if paths is None:
                continue
            sample.files += 1
            for path in sorted(paths):
                if len(sample.keys) < MOST or path in sample.keys:
                    sample.keys.setdefault(path, key)
                    seen[path] = seen.get(path, Seen()) | paths[path]
        if self._has_contract:
            sample.suggested = {
                path: line(path, one.type) for path, one in seen.items() if not path.endswith(CUT)
            }
        if sample.files < len(self._found):
            logger.info("files not sampled", files=len(self._found) - sample.files)
        return sample


def _sample(store: Store, file: DataFile, taken: Mapped) -> dict[str, Seen] | None:
    """The paths in the file's first records that no column loads, and what their values are; None if there is no
    complete record.
    """
    data = store.sample(file, RANGE)
    found: dict[str, Seen] | None = None
    for record in records(decompressed(file.key, data, UNPACKED).decode(errors="replace")):
        found = found or {}
        for path, value in unmapped_keys(record, taken):
            path = shortened(path)
            found[path] = found.get(path, Seen()) | Seen.of(value)
        if len(found) >= MOST:
            break
    return found
