"""UNLOAD: see ``unload``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakeshift.engine.outcome import Outcome
from fakeshift.unload import command
from fakeshift.unload.statement import Unload

if TYPE_CHECKING:
    from fakeshift.engine.session import Session


def run(session: Session, statement: Unload) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html"""
    return command.run(session, statement)
