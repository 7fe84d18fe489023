"""COPY: see ``copy_s3``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fakeshift.copy_s3 import load
from fakeshift.engine.outcome import Outcome
from fakeshift.sql.nodes import CopyFrom

if TYPE_CHECKING:
    from fakeshift.engine.session import Session


def run(session: Session, statement: CopyFrom) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html"""
    return load.run(session, statement)
