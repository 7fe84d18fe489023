"""NextToken: opaque to the caller; for us, the name of a list and a place in it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fakeshift.refusals import ApiError, validation

T = TypeVar("T")
Place = list[Any]
"""The sort key of one item: strings and numbers, in JSON."""

_PAGING = frozenset({"NextToken", "MaxResults"})


def token(what: str, place: Place) -> str:
    """The token of ``what`` (a list, or a result's id) at ``place``."""
    return base64.urlsafe_b64encode(json.dumps([what, place]).encode()).decode()


def start(given: str | None, what: str) -> Place | None:
    """The place in a token of ``what``, None without a token; refuses any other token."""
    if given is None:
        return None
    try:
        named, place = json.loads(base64.urlsafe_b64decode(given))
    except (ValueError, TypeError) as error:
        raise invalid() from error
    if named != what or not isinstance(place, list):
        raise invalid()
    return place


def invalid() -> ApiError:
    """The error for a token that is not ours or belongs to another request."""
    return validation("The provided NextToken is not valid.")


def page(
    request: dict[str, Any],
    what: str,
    member: str,
    items: Sequence[T],
    place: Callable[[T], Place],
    largest: int,
    show: Callable[[T], Any],
) -> dict[str, Any]:
    """The response of a List operation: ``member`` with a page of ``items``, NextToken if more follow.

    ``items`` are in the order of their ``place``, which is unique: a page starts after the last
    item of the previous one, even if items were added or removed since. A token is valid only for
    the same request.
    ``largest`` is the page size if MaxResults is missing or 0; ``show`` builds an item's structure.
    """
    asked = {key: value for key, value in request.items() if key not in _PAGING}
    of = f"{what} {zlib.crc32(json.dumps(asked, sort_keys=True).encode()):x}"
    size = request.get("MaxResults") or largest
    after = start(request.get("NextToken"), of)
    try:
        rest = [item for item in items if after is None or place(item) > after]
    except TypeError as error:
        raise invalid() from error
    response: dict[str, Any] = {member: [show(item) for item in rest[:size]]}
    if size < len(rest):
        response["NextToken"] = token(of, place(rest[size - 1]))
    return response
