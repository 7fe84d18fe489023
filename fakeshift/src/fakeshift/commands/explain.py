"""EXPLAIN. https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html"""

from __future__ import annotations

from functools import lru_cache

from sqlglot import exp

from fakeshift.catalog import store as catalog
from fakeshift.catalog.model import Relation
from fakeshift.commands import query, tables
from fakeshift.dialect import names
from fakeshift.dialect.cache import TRANSLATIONS
from fakeshift.dialect.grammar import parse_query
from fakeshift.dialect.plan import lines, plan
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.results import ResultColumn
from fakeshift.engine.session import Session
from fakeshift.sql.nodes import Explain
from fakeshift.sql.template import Template
from fakeshift.system import views

_SYSTEM_ROWS = 1000
_KEPT_TREES = 1000


def run(session: Session, statement: Explain) -> Outcome:
    """A row for each line of the plan; the statement is checked as if it were to run, but does not run.

    It locks its tables for reading, so it waits behind a LOCK: assumed, from PostgreSQL.
    """
    if statement.table is not None:
        tables.require_place(session, statement.table)
    translated = TRANSLATIONS.translate(statement.query, session)
    named = {*translated.reads, *([translated.target] if translated.target else [])}
    if session.lock_all(dict.fromkeys(named, Mode.READ)):
        translated = TRANSLATIONS.translate(statement.query, session)  # it may be another table now
    query.require_privileges(session, translated)
    session.snapshot()
    views.materialise(session.con, translated.system, session)
    session.con.execute(f"EXPLAIN {translated.sql}").fetchall()
    if statement.table is not None:
        described = session.con.execute(f"DESCRIBE {translated.sql}").fetchall()
        tables.columns_of(statement.table, described, translated.types)
    template = Template.of(statement.query.sql)
    planned = plan(_tree(template.text), lambda table: _size(session, table, template))
    rows = [(template.restore(line),) for line in lines(planned)]
    session.sink.start([ResultColumn("QUERY PLAN", "varchar", 0)])
    session.sink.add(rows)
    session.sink.finish()
    return Outcome(len(rows), has_result=True)


@lru_cache(_KEPT_TREES)
def _tree(text: str) -> exp.Expr:
    """The tree of a statement, which must not be changed: a loader plans the same statements repeatedly."""
    tree = parse_query(text)
    names.fold(tree, None)
    return tree


def _size(session: Session, table: exp.Table, template: Template) -> tuple[Relation | None, int]:
    name = tuple(map(template.restore, names.table_name(table)))
    if len(name) == 1 and names.is_cte(table, name[0]):
        return None, _SYSTEM_ROWS
    relation = None if views.system_name(name) else session.find_relation(name)
    if relation is None or relation.is_view:
        return None, _SYSTEM_ROWS
    row = session.con.execute(
        f"SELECT count(*) FROM {catalog.physical(*relation.key)}"  # noqa: S608
    ).fetchone()
    return relation, max(1, row[0]) if row else 1
