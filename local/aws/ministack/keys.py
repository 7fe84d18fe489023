"""Keys with any characters: policies that match them, listings that can contain them.

The evidence of each is in local/aws/ministack/__init__.py.
"""

import re
import types
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.core import iam_evaluator
from ministack.services import s3

Answer = tuple[int, dict[str, str], Any]
Query = Mapping[str, Any]

ENCODED = frozenset(("Key", "KeyMarker", "NextKeyMarker", "Prefix", "Delimiter"))
"""The elements of a listing that EncodingType=url encodes."""


def match_whole_keys() -> None:
    """Makes a policy's * and ? match line breaks too, and a pattern end where the ARN ends."""

    @lru_cache(maxsize=4096)
    def compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
        parts = ({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
        flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
        return re.compile(f"{''.join(parts)}\\Z", flags)

    iam_evaluator._fnmatch_compile = compiled


def encode_listings() -> None:
    """Makes the listings of versions and of multipart uploads honor EncodingType=url."""
    for name in ("_list_object_versions", "_list_multipart_uploads"):
        setattr(s3, name, _encoding(getattr(s3, name)))


def _encoding(listed: types.FunctionType) -> Callable[[str, Query], Answer]:
    def listed_as_asked(bucket: str, query: Query) -> Answer:
        if s3._qp(query, "encoding-type", "") != "url":
            plain: Answer = listed(bucket, query)
            return plain
        # The same function with our writer of responses; its other names are the module's.
        encoding = types.FunctionType(listed.__code__, {**vars(s3), "_xml_body": _encoded_body})
        encoded: Answer = encoding(bucket, query)
        return encoded

    return listed_as_asked


def _encoded_body(root: Element) -> bytes:
    for element in root.iter():
        if element.tag in ENCODED and element.text:
            element.text = quote(element.text, safe="/")
    SubElement(root, "EncodingType").text = "url"
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def apply() -> None:
    """All of it; before ministack.app is imported."""
    match_whole_keys()
    encode_listings()
