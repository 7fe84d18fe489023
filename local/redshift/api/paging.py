"""NextToken: opaque to the caller, a name and a number to us."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from local.redshift.api.errors import validation

T = TypeVar("T")


def token(what: str, number: int) -> str:
    """The token of ``what`` (an operation, or a result's id) at ``number``."""
    return base64.urlsafe_b64encode(json.dumps([what, number]).encode()).decode()


def start(given: str | None, what: str) -> int:
    """Where a token of ``what`` continues, 0 without one; ValidationException for any other token."""
    if given is None:
        return 0
    try:
        named, number = json.loads(base64.urlsafe_b64decode(given))
    except (ValueError, TypeError) as error:
        raise validation("The provided NextToken is not valid.") from error
    if named != what or not isinstance(number, int) or number < 0:
        raise validation("The provided NextToken is not valid.")
    return number


def page(
    request: dict[str, Any],
    what: str,
    member: str,
    items: Sequence[T],
    largest: int,
    show: Callable[[T], Any],
) -> dict[str, Any]:
    """The response of a List operation: ``member`` with a page of ``items``, NextToken if more follow.

    ``largest`` is the page size without MaxResults, or with 0; ``show`` makes an item's structure.
    """
    size = request.get("MaxResults") or largest
    begin = start(request.get("NextToken"), what)
    response: dict[str, Any] = {member: [show(item) for item in items[begin : begin + size]]}
    if begin + size < len(items):
        response["NextToken"] = token(what, begin + size)
    return response
