"""sql: a query against the warehouse."""

import argparse

from local.client import queries
from local.client.clients import clients
from local.environment import SCHEMA, ports
from local.show.tables import FORMATS, render

HELP = "run an SQL statement through the Data API, with the star schema on the search path"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The statement and how to show its rows."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="(table)")
    parser.add_argument(
        "sql", metavar="SQL", help='such as "SELECT level, COUNT(*) FROM users GROUP BY 1"'
    )
    parser.epilog = f"Tables and views are in the schema {SCHEMA}."


def run(arguments: argparse.Namespace) -> int:
    """Prints the rows. An error of the database is exit code 1."""
    text = render(queries.run(clients(ports()), arguments.sql), arguments.format)
    if text:
        print(text)
    return 0
