"""One object's rows: structures picked apart, converted, handed on; errors reported.

The seam for speed: whatever reads an object faster has to call ``accept`` and ``reject`` as this
does, row by row and in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.redshift.copy_s3.convert import Convert
from local.redshift.copy_s3.errors import RowError, reading, source_failed
from local.redshift.copy_s3.objects import Structures
from local.redshift.copy_s3.paths import Pick
from local.redshift.engine.errors import RedshiftError

Accept = Callable[[Sequence[Any]], None]
Reject = Callable[[RowError], None]
Check = Callable[[], None]

_CHECK_EVERY = 1000


@dataclass(frozen=True)
class Scanned:
    """What reading one object came to."""

    rows: int
    lines: int
    bytes: int


@dataclass(frozen=True)
class Rows:
    """Reads objects for one COPY: ``pick`` finds the columns' values, ``converts`` their types."""

    pick: Pick
    converts: Sequence[Convert]
    check_cancelled: Check

    def read(self, chunks: Iterator[bytes], url: str, accept: Accept, reject: Reject) -> Scanned:
        """Every structure of an object goes to ``accept`` or, as an error, to ``reject``.

        ``reject`` may raise to end the load. Raises RedshiftError for what fails a whole COPY.
        """
        structures, rows = Structures(chunks, url), 0
        pick, converts = self.pick, self.converts
        for number, structure in enumerate(structures):
            if number % _CHECK_EVERY == 0:
                self.check_cancelled()
            if structure.error is not None:
                reject(structure.error)
                continue
            try:
                values = [
                    convert(value)
                    for convert, value in zip(converts, pick(structure.value), strict=True)
                ]
            except RowError as error:
                reject(replace(error, line=structure.line))
                continue
            except RedshiftError as error:
                raise source_failed(error.message, reading(url)) from error
            accept(values)
            rows += 1
        return Scanned(rows, structures.lines, structures.bytes)
