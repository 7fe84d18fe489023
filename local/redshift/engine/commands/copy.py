"""COPY: see ``copy_s3``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.redshift.copy_s3 import load
from local.redshift.engine.outcome import Outcome
from local.redshift.sql.nodes import CopyFrom

if TYPE_CHECKING:
    from local.redshift.engine.session import Session


def run(session: Session, statement: CopyFrom) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html"""
    return load.run(session, statement)
