"""SELECT, INSERT, UPDATE, DELETE: translate, lock, snapshot, run."""

from __future__ import annotations

from fakeshift.catalog.model import Key
from fakeshift.dialect.cache import TRANSLATIONS
from fakeshift.dialect.translate import Translated
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.results import ResultColumn, result_columns
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError
from fakeshift.sql.nodes import Query
from fakeshift.system import views


def run(session: Session, statement: Query) -> Outcome:
    """Sends a query's rows to the session's sink, or returns the number of changed rows."""
    translated = prepare(session, statement)
    if translated.kind == "select":
        return session.send(translated.sql, translated.types, translated.origins)
    if translated.check and session.con.execute(translated.check).fetchone():
        raise RedshiftError("Found multiple matches to update the same tuple.", sqlstate="21000")
    changed = session.change(translated.sql)
    return Outcome(changed + session.change(translated.then) if translated.then else changed)


def columns(session: Session, statement: Query) -> list[ResultColumn] | None:
    """The columns of a query's result, without running it; None for INSERT and the like."""
    own = session.transaction is None
    if own:
        session.begin(explicit=False)
    try:
        translated = TRANSLATIONS.translate(statement, session)
        if translated.kind != "select":
            return None
        require_privileges(session, translated)
        described = session.described(translated.sql, translated.system)
        return result_columns(described, translated.types, translated.origins)
    finally:
        if own:
            session.rollback()


def prepare(session: Session, statement: Query) -> Translated:
    """The translated statement, its locks held, its snapshot taken, its system views filled.

    If it waited for a lock, or the catalogue has changed in the meantime, the statement is
    translated again: the table may have been altered or dropped.
    """
    while True:
        version = session.database.catalog.version
        translated = TRANSLATIONS.translate(statement, session)
        waited = session.lock_all(_locks(session, translated))
        if not waited and version is not None and version == session.database.catalog.version:
            break
    require_privileges(session, translated)
    if translated.reads or translated.target or translated.system:
        session.snapshot()
    session.touch(translated.reads, [translated.target] if translated.target else [])
    query_id = int(translated.query_id) if translated.query_id else None
    views.materialise(session.con, translated.system, session, query_id)
    return translated


def _locks(session: Session, translated: Translated) -> dict[Key, Mode]:
    wanted = dict.fromkeys(translated.reads, Mode.READ)
    if translated.target is not None:
        insert = translated.kind == "insert"
        wanted[translated.target] = session.insert_mode if insert else Mode.WRITE
    return wanted


def require_privileges(session: Session, translated: Translated) -> None:
    """The user must own, or have privileges on, what the statement names and writes.

    "you need select privileges for the view itself, but you don't need select privileges for the
    underlying tables": https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
    """
    for key in translated.named:
        session.require(key, "SELECT")
    if translated.target is not None:
        for privilege in translated.needs:
            session.require(translated.target, privilege)
