"""Decompresses a file by the ending of its key: its start, as a ranged GET returns it, or all of it as a stream."""

import bz2
import importlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from loader.datasets import compression

PIECE = 1 << 20  # bytes that a stream gives at once


class NotThatFormat(Exception):
    """The bytes do not have the compression that the key's suffix says, or this runtime cannot decompress it."""


def decompressed(key: str, data: bytes, most: int) -> bytes:
    """The start of an object, decompressed by the suffix of its key, at most so many bytes. Raises NotThatFormat.

    A bzip2 file gives nothing before its first block (up to 900 kB) is complete.
    """
    option = compression(key)
    if not option:
        return data[:most]
    found = b""
    try:
        while data and len(found) < most:
            decoder = _decoder(option)
            found += decoder.decompress(data, most - len(found))
            data = decoder.unused_data if decoder.eof else b""
    except (OSError, ValueError, EOFError, zlib.error, _zstd_error()) as error:
        # If something was read, the rest is padding, or a later part that is broken.
        if not found:
            raise NotThatFormat(f"{key!r} is no {option} file: {error}") from error
    return found


def unpacked(key: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The decompressed content of an object, as it comes; of several parts one after another. Raises NotThatFormat."""
    option = compression(key)
    if not option:
        yield from chunks
        return
    decoder: Any = None
    try:
        for chunk in chunks:
            data = chunk
            while data:
                decoder = decoder or _decoder(option)
                yield from _pieces(decoder, data)
                data = decoder.unused_data if decoder.eof else b""
                decoder = None if decoder.eof else decoder
    except (OSError, ValueError, EOFError, zlib.error, _zstd_error()) as error:
        raise NotThatFormat(f"{key!r} is no {option} file: {error}") from error


def _pieces(decoder: Any, data: bytes) -> Iterator[bytes]:
    """What a part of a compressed text gives, piece by piece: it may be a thousand times as long."""
    yield decoder.decompress(data, PIECE)
    if hasattr(decoder, "unconsumed_tail"):  # zlib's
        while decoder.unconsumed_tail and not decoder.eof:
            yield decoder.decompress(decoder.unconsumed_tail, PIECE)
        return
    while not decoder.eof and not decoder.needs_input:
        yield decoder.decompress(b"", PIECE)


def _decoder(option: str) -> Any:
    if option == "GZIP":
        return zlib.decompressobj(wbits=31)
    if option == "BZIP2":
        return bz2.BZ2Decompressor()
    if _zstd() is None:
        raise NotThatFormat("this runtime cannot decompress zstd")
    return _zstd().ZstdDecompressor()


def _zstd() -> Any:
    """Python's own module, from 3.14 on; None before."""
    with suppress(ImportError):
        return importlib.import_module("compression.zstd")
    return None


def _zstd_error() -> type[Exception]:
    found: type[Exception] = _zstd().ZstdError if _zstd() else zlib.error
    return found
