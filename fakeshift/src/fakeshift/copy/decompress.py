"""GZIP, BZIP2, ZSTD: unpacks an object's bytes as they arrive.

A damaged or truncated file fails the whole COPY, without a row in SYS_LOAD_ERROR_DETAIL; the
message has the form seen on real clusters (snowplow/snowplow#1265).
"""

from __future__ import annotations

import bz2
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from fakeshift.errors import RedshiftError, reading, source_failed

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_TOOLS = {"gzip": "gzip", "bzip2": "bzip2", "zstd": "zstd"}


def decompressed(chunks: Iterator[bytes], how: str, url: str) -> Iterator[bytes]:
    """``chunks`` unpacked; several compressed streams in a row are one. ``how`` "" changes nothing."""
    if not how:
        yield from chunks
        return
    make = _maker(how)
    engine, fed = make(), False
    for chunk in chunks:
        rest = chunk
        while rest:
            fed = True
            try:
                out = engine.decompress(rest)
            except (zlib.error, zstd.ZstdError, OSError, ValueError, EOFError) as error:
                raise _failed(how, str(error), url) from error
            if out:
                yield out
            rest = b""
            if engine.eof:
                rest, engine, fed = engine.unused_data, make(), False
    if fed:
        raise _failed(how, "unexpected end of file", url)


def _maker(how: str) -> Callable[[], Any]:
    if how == "gzip":
        return lambda: zlib.decompressobj(wbits=31)
    if how == "bzip2":
        return bz2.BZ2Decompressor
    maker: Callable[[], Any] = zstd.ZstdDecompressor
    return maker


def _failed(how: str, reason: str, url: str) -> RedshiftError:
    message = f"failed to inflate with {_TOOLS[how]}: {reason}"
    return source_failed(f"{message}.", reading(url), 9001)
