"""Reads bytes as JSON values one after another, separated only by white space.

"The JSON source data ... COPY looks for a well-formed JSON object or array. If COPY encounters any
non-white-space characters before locating a well-formed JSON structure, or between JSON objects
or arrays, COPY returns an error for each instance." An error has the line number of the structure's last line.
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
"""

from __future__ import annotations

import codecs
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fakeshift.copy.errors import RowError
from fakeshift.copy.lines import UTF16_MARKS, other_encoding
from fakeshift.errors import reading, source_failed

MAX_OBJECT_BYTES = 4 * 1024 * 1024
INVALID_INPUT = 1216
"""Load error code "Invalid input line"."""

_BLANKS = re.compile(r"[ \t\r\n]*")
_START = re.compile(r"[{\[]")


class JsonFloat(str):
    """A JSON number with a point or an exponent, as it was written."""

    __slots__ = ()


@dataclass
class Structure:
    """A JSON object or array (``value``), or the error in its place; ``line`` is its last line."""

    value: Any
    line: int
    error: RowError | None = None
    text: str = ""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The first of duplicate keys counts; the documentation does not say which."""
    built = dict(pairs)
    return built if len(built) == len(pairs) else dict(pairs[::-1])


_DECODER = json.JSONDecoder(
    parse_float=JsonFloat, parse_constant=_no_constant, object_pairs_hook=_first_of_each
)


class Structures:
    """Iterates over an object's structures and counts ``lines`` and ``bytes``.

    ``line`` is the number of the first line of ``chunks``.

    Invalid UTF-8 becomes lone surrogates, which the column's conversion refuses.
    Raises RedshiftError for a structure over 4 MB, which fails the whole COPY.
    """

    def __init__(self, chunks: Iterable[bytes], url: str, line: int = 1):
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._url = url
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = line
        self._newlines = 0
        self._last = b""
        self.bytes = 0

    @property
    def lines(self) -> int:
        """How many lines were read; the last one counts even without a newline."""
        return self._newlines + (self._last not in (b"", b"\n"))

    @property
    def between(self) -> bool:
        """Whether everything read so far has been used: no structure is open."""
        blanks = _BLANKS.match(self._text, self._at)
        used = blanks is not None and blanks.end() == len(self._text)
        return used and not self._decoder.getstate()[0]

    def _more(self) -> bool:
        """Reads more and drops what was used; returns whether there was more."""
        if self._ended:
            return False
        chunk = next(self._chunks, None)
        if chunk is None:
            self._ended = True
            self._text += self._decoder.decode(b"", final=True)
            return False
        self.bytes += len(chunk)
        self._newlines += chunk.count(b"\n")
        self._last = chunk[-1:]
        keep = max(self._at - 1, 0)
        self._text = self._text[keep:] + self._decoder.decode(chunk)
        self._at -= keep
        return True

    def _advance(self, to: int) -> None:
        self._line += self._text.count("\n", self._at, to)
        self._at = to

    def __iter__(self) -> Iterator[Structure]:
        if self._line == 1 and self._is_utf16():
            while self._more():
                self._at = len(self._text)
            yield Structure(None, 1, other_encoding("utf8", 1))
            return
        while True:
            for blanks in _BLANKS.finditer(self._text, self._at):
                self._advance(blanks.end())
                break
            if self._at >= len(self._text):
                if self._more():
                    continue
                if self._at >= len(self._text):
                    return
            if self._text[self._at] in "{[":
                yield self._structure()
            else:
                yield self._garbage()

    def _is_utf16(self) -> bool:
        head = b""
        for chunk in self._chunks:
            head += chunk
            if len(head) > 1:
                break
        self._chunks = itertools.chain([head] if head else [], self._chunks)
        return head.startswith(UTF16_MARKS)

    def _garbage(self) -> Structure:
        """Text between structures: one error up to the next structure or the line's end."""
        start = self._at
        while True:
            newline = self._text.find("\n", start)
            end = len(self._text) if newline < 0 else newline
            begins = _START.search(self._text, start, end)
            if begins:
                self._advance(begins.start())
                break
            if newline >= 0 or not self._more_from(start):
                line_end = len(self._text) if newline < 0 else newline
                self._advance(line_end)
                break
            start = self._at
        return Structure(None, self._line, self._error("Invalid value."))

    def _more_from(self, _: int) -> bool:
        return self._more()

    def _structure(self) -> Structure:
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or (
                    error.pos >= len(self._text) - 16
                )
                self._check_size(len(self._text) if cut else error.pos)
                if cut and self._more():
                    continue
                return self._malformed(error.pos)
            except (ValueError, RecursionError):
                return self._malformed(self._at + 1)
            self._check_size(end)
            text = self._text[self._at : end]
            self._advance(end)
            return Structure(value, self._line, text=text)

    def _check_size(self, end: int) -> None:
        """ "The maximum size of a JSON object or array is 4 MB" (copy-usage_notes...)."""
        size = end - self._at
        if size <= MAX_OBJECT_BYTES // 4:
            return
        part = self._text[self._at : end]
        if size > MAX_OBJECT_BYTES or len(part.encode(errors="surrogatepass")) > MAX_OBJECT_BYTES:
            raise source_failed(
                f"The size of a JSON object exceeds the max size limit of {MAX_OBJECT_BYTES} bytes",
                reading(self._url),
            )

    def _malformed(self, error_at: int) -> Structure:
        """Continues after the broken structure.

        One error for each is documented, but not where the next one starts. We continue at the
        broken one's end if its braces close on the line of the error, else at the next line.
        """
        here = min(error_at, len(self._text) - 1)
        broke_at_new_line = self._text.rfind("\n", self._at, here + 1)
        if broke_at_new_line >= 0 and self._text[here] in "{[":
            self._advance(here)
            return Structure(None, self._line, self._error("Invalid value.", -1))
        before = self._at
        while self._text.find("\n", here) < 0 and self._more():
            here += self._at - before  # the text was cut at its start
            before = self._at
        newline = self._text.find("\n", here)
        line_end = len(self._text) if newline < 0 else newline
        end = _balanced_end(self._text, self._at, line_end) or line_end
        self._advance(end)
        return Structure(None, self._line, self._error("Invalid value."))

    def _error(self, message: str, lines: int = 0) -> RowError:
        return RowError(INVALID_INPUT, message, line=max(self._line + lines, 1))


def _balanced_end(text: str, start: int, stop: int) -> int | None:
    """Where the braces that open at ``start`` close, if they do before ``stop``."""
    depth, quoted, at = 0, False, start
    while at < stop:
        char = text[at]
        if quoted:
            if char == "\\":
                at += 1
            elif char == '"':
                quoted = False
        elif char == '"':
            quoted = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None
