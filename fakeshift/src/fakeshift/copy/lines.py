"""An object's bytes as lines of UTF-8 text, from any encoding.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html#copy-encoding
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from fakeshift.copy.errors import RowError
from fakeshift.errors import reading, source_failed
from fakeshift.sql.copy_options import ENCODINGS

MAX_ROW_BYTES = 4 * 1024 * 1024
_MAYBE_TOO_LONG = MAX_ROW_BYTES // 4
"""Characters: a line with fewer cannot have too many bytes."""
OTHER_ENCODING = 1221
"""Load error code "The encoding used for the file is different from that specified for COPY"."""

UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def recoded(chunks: Iterable[bytes], url: str, encoding: str) -> Iterator[bytes]:
    """Recodes an object to UTF-8. Raises RowError (1221) if it has another encoding."""
    for text in Lines(chunks, url, encoding).texts():
        yield text.encode("utf-8", "surrogatepass")


def other_encoding(encoding: str, line: int) -> RowError:
    """ "If COPY encounters a different encoding, it skips the file and returns an error." """
    message = f"File is not in the specified encoding {encoding.upper()}"
    return RowError(OTHER_ENCODING, message, line=line)


class Lines:
    """Lines without their line feed; ``number`` is that of the last, from 1.

    Invalid UTF-8 becomes lone surrogates, which the column's conversion refuses. Raises
    RowError (1221) if the file has another encoding, RedshiftError for a line over 4 MB.
    """

    def __init__(self, chunks: Iterable[bytes], url: str, encoding: str = "utf8"):
        self._chunks = chunks
        self._url = url
        self._encoding = encoding
        self.number = 0
        self.bytes = 0

    def blocks(self) -> Iterator[list[str]]:
        """Blocks of lines as they arrive; ``number`` is that of a block's last line."""
        rest = ""
        for text in self.texts():
            rest += text
            if "\n" not in text:
                self.check_size(rest)
                continue
            *whole, rest = rest.split("\n")
            if max(map(len, whole)) > _MAYBE_TOO_LONG:
                for line in whole:
                    self.check_size(line)
            self.number += len(whole)
            yield whole
        if rest:
            self.check_size(rest)
            self.number += 1
            yield [rest]

    def texts(self) -> Iterator[str]:
        """The decoded text, piece by piece."""
        errors = "surrogateescape" if self._encoding == "utf8" else "strict"
        decoder = codecs.getincrementaldecoder(ENCODINGS[self._encoding])(errors=errors)
        head, started = b"", False
        try:
            for chunk in self._chunks:
                self.bytes += len(chunk)
                if not started:
                    head += chunk
                    if len(head) < 2:
                        continue
                    chunk, started = self._checked(head), True
                yield decoder.decode(chunk)
            yield decoder.decode(b"" if started else head, final=True)
        except UnicodeDecodeError as error:
            raise self._other() from error

    def _checked(self, head: bytes) -> bytes:
        """ "If you specify UTF16, then your data must have a byte order mark (BOM)"; with UTF16LE
        and UTF16BE it is optional and not data; UTF8 and ISO88591 data must not have UTF-16's mark.
        """
        marked = head.startswith(UTF16_MARKS)
        if marked != (self._encoding == "utf16") and self._encoding not in ("utf16le", "utf16be"):
            raise self._other()
        if marked and self._encoding != "utf16":
            mine = codecs.BOM_UTF16_LE if self._encoding == "utf16le" else codecs.BOM_UTF16_BE
            if not head.startswith(mine):
                raise self._other()
            return head[2:]
        return head

    def _other(self) -> RowError:
        return other_encoding(self._encoding, self.number + 1)

    def check_size(self, row: str) -> None:
        """ "The maximum size of a single input row from any source is 4 MB" (dg/r_COPY.html)."""
        if len(row) <= _MAYBE_TOO_LONG:
            return
        if len(row) > MAX_ROW_BYTES or len(row.encode(errors="surrogateescape")) > MAX_ROW_BYTES:
            raise source_failed(
                f"The size of an input row exceeds the max size limit of {MAX_ROW_BYTES} bytes",
                reading(self._url),
            )
