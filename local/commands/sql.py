"""sql: a query against the warehouse."""

import argparse
import sys

from local.client import queries
from local.client.clients import Clients, clients
from local.show.tables import FORMATS, render
from local.show.terminal import visible

HELP = "run an SQL statement through the Data API, with the star schema on the search path"
EXAMPLES = (
    'loader sql "SELECT level, COUNT(*) AS plays FROM songplays GROUP BY level"',
    'loader sql --json "SELECT * FROM loads ORDER BY published_at DESC LIMIT 5"',
    'loader sql "SELECT COUNT(*) FROM songplays" --stack s3-redshift-loader',
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The statement and how to show its rows."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--format", choices=FORMATS, default="table", help="(table)")
    how.add_argument(
        "--json",
        dest="format",
        action="store_const",
        const="json",
        help="the same as --format json",
    )
    parser.add_argument(
        "sql", metavar="SQL", help='such as "SELECT level, COUNT(*) FROM users GROUP BY 1"'
    )
    parser.epilog = (
        "Tables and views are in the schema of the stack (sparkify). Any statement is sent as it is, with the rights\n"
        "of your database user; with --stack, stderr says where it goes and as whom.\n"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the rows. An error of the database is exit code 1."""
    found = clients(arguments)
    if not found.target.local:
        print(sent(found, arguments.sql), file=sys.stderr)
    text = render(queries.run(found, arguments.sql), arguments.format)
    if text:
        print(text)
    return 0


def sent(found: Clients, sql: str) -> str:
    """What is sent to a stack's warehouse, and as whom."""
    at = found.warehouse
    return (
        f"sql: to {at.name}, database {at.database}, as {at.user}: {visible(' '.join(sql.split()))}"
    )
