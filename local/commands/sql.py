"""sql: a query against the warehouse."""

import argparse

from local.client import queries
from local.client.clients import clients
from local.environment import SCHEMA, ports
from local.show.tables import FORMATS, render

HELP = "run SQL statements, one after another, through the Data API, with the star schema on the search path"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The statement and how to show its rows."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="(table)")
    parser.add_argument(
        "sql", metavar="SQL", help='such as "SELECT level, COUNT(*) FROM users GROUP BY 1"'
    )
    parser.epilog = f"Tables and views are in the schema {SCHEMA}."


def run(arguments: argparse.Namespace) -> int:
    """Prints the rows of each statement. An error of the database ends it with exit code 1."""
    found = clients(ports())
    for statement in queries.statements(arguments.sql):
        if text := render(queries.run(found, statement), arguments.format):
            print(text)
    return 0
