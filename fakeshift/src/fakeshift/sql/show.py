"""SHOW DATABASES, SCHEMAS, TABLES and COLUMNS: queries of the system views.

``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/. AWS's MCP server for Redshift begins with them
(https://github.com/awslabs/mcp, redshift-mcp-server).
"""

from __future__ import annotations

from fakeshift.errors import RedshiftError, unsupported
from fakeshift.sql import nodes
from fakeshift.sql.lexer import Tokens

MOST_ROWS = 10_000
"""Of LIMIT: the pages."""

_DATABASES = """SELECT database_name, database_owner, database_type, database_acl,
database_options AS parameters, database_isolation_level FROM svv_redshift_databases AS shown WHERE 1 = 1"""
_SCHEMAS = """SELECT database_name, schema_name, schema_owner, schema_type, schema_acl, source_database,
schema_option FROM svv_all_schemas AS shown WHERE database_name = {0}"""
# When a table was altered, how it is distributed and what it is of its type are not known to the views here.
_TABLES = """SELECT shown.database_name, shown.schema_name, shown.table_name, shown.table_type, shown.table_acl,
shown.remarks, CAST(owners.usename AS varchar(128)) AS owner, CAST(NULL AS timestamp) AS last_altered_time,
CAST(NULL AS timestamp) AS last_modified_time, CAST(NULL AS varchar(32)) AS dist_style,
CAST(NULL AS varchar(32)) AS table_subtype
FROM svv_redshift_tables AS shown
LEFT JOIN pg_namespace AS spaces ON spaces.nspname = shown.schema_name
LEFT JOIN pg_class AS relations ON relations.relname = shown.table_name AND relations.relnamespace = spaces.oid
LEFT JOIN pg_user AS owners ON owners.usesysid = relations.relowner
WHERE shown.database_name = {0} AND shown.schema_name = {1}"""
_COLUMNS = """SELECT shown.database_name, shown.schema_name, shown.table_name, shown.column_name,
shown.ordinal_position, shown.column_default, shown.is_nullable, shown.data_type, shown.character_maximum_length,
shown.numeric_precision, shown.numeric_scale, shown.remarks,
CASE WHEN kept.sortkey = 0 THEN NULL WHEN kept.sortkey < 0 THEN 'INTERLEAVED' ELSE 'COMPOUND' END AS sort_key_type,
kept.sortkey AS sort_key, CASE WHEN kept.distkey THEN 1 ELSE 0 END AS dist_key, kept.encoding,
CAST(NULL AS varchar(32)) AS collation
FROM svv_all_columns AS shown JOIN svv_redshift_columns AS kept ON kept.schema_name = shown.schema_name
AND kept.table_name = shown.table_name AND kept.column_name = shown.column_name
WHERE shown.database_name = {0} AND shown.schema_name = {1} AND shown.table_name = {2}"""
_QUERIES = {
    "DATABASES": ("", 0, _DATABASES, "database_name", "database_name"),
    "SCHEMAS": ("DATABASE", 1, _SCHEMAS, "schema_name", "schema_name"),
    "TABLES": ("SCHEMA", 2, _TABLES, "table_name", "table_name"),
    "COLUMNS": ("TABLE", 3, _COLUMNS, "column_name", "ordinal_position"),
}
"""Word -> the word before the name, its parts, the query, what LIKE compares, the order."""


def listing(tokens: Tokens) -> nodes.Query | None:
    """dg/r_SHOW_DATABASES.html, …_SCHEMAS, …_TABLES, …_COLUMNS; None if the next word is none of these."""
    word = next((each for each in _QUERIES if tokens.accept(each)), None)
    if word is None:
        return None
    of, parts, query, name, order = _QUERIES[word]
    if of:
        tokens.expect("FROM", of)
        given = tokens.qualified_name()
        if len(given) > parts or len(given) < max(parts - 1, 1):
            raise RedshiftError(
                f"SHOW {word} FROM {of} takes no {'.'.join(given)}", sqlstate="42601"
            )
        without_database = ["current_database()"] * (parts - len(given))
        query = query.format(*without_database, *map(_literal, given))
    elif tokens.next_is("FROM"):
        raise unsupported("SHOW DATABASES FROM DATA CATALOG")
    column = f"shown.{name}"
    if tokens.accept("LIKE"):
        query += f" AND {column} LIKE {_literal(tokens.string())}"
    limit = MOST_ROWS
    if tokens.accept("LIMIT"):
        limit = tokens.integer()
        if limit > MOST_ROWS:
            raise RedshiftError(f"LIMIT of SHOW {word} must be 0 to {MOST_ROWS}", sqlstate="22023")
    return nodes.Query(f"{query} ORDER BY shown.{order} LIMIT {limit}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
