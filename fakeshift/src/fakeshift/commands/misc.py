"""LOCK, TRUNCATE, VACUUM, ANALYZE, SET, SHOW."""
# ruff: noqa: S608 - names come quoted from the catalogue

from __future__ import annotations

from fakeshift.catalog import store as catalog
from fakeshift.engine.locks import Mode
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.results import ResultColumn
from fakeshift.engine.session import Session
from fakeshift.errors import RedshiftError, in_transaction_block, unsupported
from fakeshift.sql import nodes

PARAMETERS: dict[str, str] = {
    "analyze_threshold_percent": "10",
    "application_name": "",
    "cast_super_null_on_error": "on",
    "client_encoding": "UTF8",
    "datestyle": "ISO, MDY",
    "default_geometry_encoding": "1",
    "describe_field_name_in_uppercase": "off",
    "downcase_delimited_identifier": "on",
    "enable_case_sensitive_identifier": "off",
    "enable_case_sensitive_super_attribute": "off",
    "enable_numeric_rounding": "on",
    "enable_result_cache_for_session": "on",
    "enable_vacuum_boost": "off",
    "error_on_nondeterministic_update": "off",
    "extra_float_digits": "0",
    "interval_forbid_composite_literals": "on",
    "json_parse_dedup_attributes": "off",
    "json_parse_truncate_strings": "off",
    "json_serialization_enable": "off",
    "json_serialization_parse_nested_strings": "off",
    "max_concurrency_scaling_clusters": "1",
    "max_cursor_result_set_size": "0",
    "mv_enable_aqmv_for_session": "on",
    "navigate_super_null_on_error": "on",
    "parse_super_null_on_error": "off",
    "pg_federation_repeatable_read": "on",
    "query_group": "",
    "spectrum_enable_pseudo_columns": "on",
    "spectrum_query_maxerror": "-1",
    "statement_timeout": "0",
    "stored_proc_log_min_messages": "LOG",
    "timezone": "UTC",
    "use_fips_ssl": "off",
    "wlm_query_slot_count": "1",
}
"""The parameters that SET accepts, with their defaults, which SHOW returns until SET changes them.

https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html
"""

_NO_EFFECT = frozenset(
    {"application_name", "query_group", "enable_result_cache_for_session", "wlm_query_slot_count",
     "analyze_threshold_percent", "extra_float_digits", "describe_field_name_in_uppercase",
     "enable_vacuum_boost", "max_concurrency_scaling_clusters", "mv_enable_aqmv_for_session",
     "spectrum_enable_pseudo_columns", "spectrum_query_maxerror", "stored_proc_log_min_messages"}
)  # fmt: skip
"""These accept any value."""
_SWITCHES = frozenset(
    {"enable_case_sensitive_identifier", "enable_case_sensitive_super_attribute"}
)  # fmt: skip
"""These can be on. The others only accept their default, except statement_timeout."""
_ON, _OFF = ("on", "true", "yes", "1", "t", "y"), ("off", "false", "no", "0", "f", "n")


def lock(session: Session, statement: nodes.Lock) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html

    Held until the transaction ends. LOCK takes no snapshot, so the next statement sees what the previous
    holder committed. The documentation's list of statements that take one (.../dg/c_serial_isolation.html)
    does not have LOCK, but no sentence excludes it: ``Settings.snapshot_at`` selects the other way.
    """
    if session.database.settings.snapshot_at == "lock":
        session.snapshot()
    for name in statement.names:
        table = session.relation(name)
        if table.is_view:
            raise RedshiftError(f'"{table.name}" is not a table', sqlstate="42809")
        session.require_owner(table)
        session.lock_table(table, Mode.EXCLUSIVE)
    return Outcome()


def truncate(session: Session, statement: nodes.Truncate) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html: "commits the transaction in
    which it is run", what came before it in the transaction too.
    """
    table = session.relation(statement.name)
    if table.is_view:
        raise RedshiftError(f'"{table.name}" is not a table', sqlstate="42809")
    session.require(table.key, "TRUNCATE")
    session.lock_table(table, Mode.EXCLUSIVE)
    session.snapshot()
    session.touch((), [table.key])
    session.execute(f"DELETE FROM {catalog.physical(*table.key)}")
    explicit = session.open_transaction.explicit
    session.commit()
    session.begin(explicit=explicit)
    return Outcome()


def refused(session: Session, statement: nodes.Refused) -> Outcome:
    """Refused as Redshift does in a transaction block, else by its name."""
    if session.open_transaction.explicit:
        raise in_transaction_block(statement.command)
    raise unsupported(statement.command)


def vacuum(session: Session, statement: nodes.Vacuum) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_VACUUM_command.html: nothing to do here"""
    if session.open_transaction.explicit:
        raise in_transaction_block("VACUUM")
    if statement.name is not None:
        session.require_owner(session.relation(statement.name))
    return Outcome()


def analyze(session: Session, statement: nodes.Analyze) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ANALYZE.html: nothing to do here"""
    if statement.name is not None:
        table = session.relation(statement.name)
        for column in statement.columns:
            if table.column(column) is None:
                raise RedshiftError(f'column "{column}" does not exist', sqlstate="42703")
    return Outcome()


def set_parameter(session: Session, statement: nodes.SetParameter) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SET.html"""
    name, values = statement.name, statement.values
    if statement.reset and name == "all":
        for each in list(session.settings):
            session.set_parameter(each, None, local=False)
        return Outcome()
    if statement.reset and name == "session_authorization":
        return Outcome()
    if name == "search_path":
        if len(values) == 1 and "," in values[0]:
            values = tuple(part.strip().strip('"') for part in values[0].split(","))
    elif name not in PARAMETERS:
        raise RedshiftError(f'unrecognized configuration parameter "{name}"', sqlstate="42704")
    elif not statement.reset:
        value = ", ".join(values)
        if PARAMETERS[name] in ("on", "off"):
            value = _boolean(name, value)
            values = (value,)
        same = _spoken(name, value) == PARAMETERS[name].lower()
        if name == "statement_timeout":
            if not value.isdigit():
                raise RedshiftError(
                    f'parameter "{name}" requires an integer value', sqlstate="22023"
                )
        elif name not in _NO_EFFECT | _SWITCHES and not same:
            raise unsupported(f"SET {name} TO {value}")
    session.set_parameter(name, None if statement.reset else values, local=statement.local)
    return Outcome()


def _spoken(name: str, value: str) -> str:
    """A value as the default is written: ISO alone keeps the order of DateStyle, UNICODE is UTF8."""
    word = value.lower()
    if name == "client_encoding" and word.replace("-", "") in ("utf8", "unicode"):
        return "utf8"
    return "iso, mdy" if name == "datestyle" and word == "iso" else word


def _boolean(name: str, value: str) -> str:
    word = value.lower()
    if word not in _ON + _OFF:
        raise RedshiftError(f'parameter "{name}" requires a Boolean value', sqlstate="22023")
    return "on" if word in _ON else "off"


def show(session: Session, statement: nodes.Show) -> Outcome:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW.html"""
    if statement.name == "search_path":
        value = ", ".join(f'"{s}"' if s == "$user" else s for s in session.search_path)
    elif statement.name == "all":
        raise unsupported("SHOW ALL")
    elif statement.name == "transaction_isolation":
        value = "serializable"  # also of a database with snapshot isolation
    elif statement.name in PARAMETERS:
        given = session.settings.get(statement.name, (PARAMETERS[statement.name],))
        value = ", ".join(given)
    else:
        raise RedshiftError(
            f'unrecognized configuration parameter "{statement.name}"', sqlstate="42704"
        )
    session.sink.start([ResultColumn(statement.name, "varchar", 256)])
    session.sink.add([(value,)])
    session.sink.finish()
    return Outcome(1, has_result=True)
