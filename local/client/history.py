"""The history of a stack's loads, read with the person's credentials, and its page."""

from __future__ import annotations

import sys
from datetime import datetime
from functools import cached_property
from typing import Any

from local.client import compute
from local.client.clients import Clients
from local.client.stack import Stack, paused
from local.environment import ROOT

if (_FUNCTIONS := str(ROOT / "functions")) not in sys.path:
    sys.path.append(_FUNCTIONS)

from loader.history import read_history
from loader.page.model import DAYS, Page
from loader.store import Store


class _Store(Store):
    """The work bucket, through the command line's own client."""

    def __init__(self, clients: Clients, bucket: str) -> None:
        super().__init__(bucket)
        self._clients = clients

    @cached_property
    def _client(self) -> Any:
        return self._clients.s3


def page(clients: Clients, stack: Stack, now: datetime, *, computed: bool = True) -> Page:
    """What the page says now of the stack's loads; with what the workgroup ``computed``, if that is to be asked for."""
    found = read_history(_Store(clients, stack.work_bucket), DAYS, now)
    stops = paused(clients)
    made = Page(found.loads, found.sweep, now, paused=stops)
    if not computed:
        return made
    spans = {load.id: (load.started, load.ended) for load in made.loads}
    try:
        seconds = compute.of_loads(clients, spans, now)
    except compute.Unknown as why:
        print(why, file=sys.stderr)
        return made
    return Page(found.loads, found.sweep, now, paused=stops, rpu_seconds=seconds)
