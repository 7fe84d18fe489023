"""Errors as Redshift words them.

A statement that fails has one text, the ``Error`` of DescribeStatement. The Data API shows
``ERROR: `` before the server's message, and the server's detail lines after it.
"""

from __future__ import annotations

RULE = "-" * 47
TERMINATED = "terminating connection due to administrator command"
"""The error of a statement when the warehouse restarts."""


class RedshiftError(Exception):
    """A statement failed; ``str(error)`` is the text that the Data API returns.

    ``sqlstate`` is PostgreSQL's five characters (42P01 undefined table, ...); the Data API does
    not return it, and SYS_QUERY_HISTORY and our log do not show it: it is for code in this package.
    """

    def __init__(self, message: str, *, detail: str = "", hint: str = "", sqlstate: str = "XX000"):
        self.message = message
        self.detail = detail
        self.hint = hint
        self.sqlstate = sqlstate
        text = f"ERROR: {message}"
        if detail:
            text += f"\n  Detail: {detail}"
        if hint:
            text += f"\n  Hint: {hint}"
        super().__init__(text)


class StatementCancelled(RedshiftError):
    """CancelStatement or CANCEL reached the statement: its status is ABORTED."""

    def __init__(self, message: str = "", query_id: int = 0) -> None:
        super().__init__(
            message or f"Query ({query_id}) cancelled on user's request", sqlstate="57014"
        )


def terminated() -> RedshiftError:
    """The error of statements that ran when the warehouse restarted."""
    return RedshiftError(TERMINATED, sqlstate="57P01")


def compute_error(message: str, code: int, context: str, *, location: str = ":0") -> RedshiftError:
    """An error of the compute nodes, whose detail block carries a code and a context.

    Shape (seen on real clusters, see OHDSI/SqlRender#315)::

        ERROR: Invalid digit, Value 'c', Pos 0, Type: Integer
          Detail:
          -----------------------------------------------
          error:  Invalid digit, Value 'c', Pos 0, Type: Integer
          code:      1207
          context:   check songs: 3
          ...
    """
    lines = (
        "",
        RULE,
        f"error:  {message}",
        f"code:      {code}",
        f"context:   {context}",
        "query:     0",
        f"location:  {location}",
        "process:   padbmaster [pid=0]",
        RULE,
    )
    return RedshiftError(message, detail="\n  ".join(lines))


def undefined_relation(name: str) -> RedshiftError:
    """``relation "x.y" does not exist``; ``name`` as the statement wrote it, folded."""
    return RedshiftError(f'relation "{name}" does not exist', sqlstate="42P01")


def dropped_meanwhile(oid: int) -> RedshiftError:
    """The error of a statement, also a reader, that waited for the lock of a table that was dropped.

    Seen on clusters (https://github.com/dbt-labs/dbt-core/pull/825), and named by AWS's notes on
    cluster versions: https://docs.aws.amazon.com/redshift/latest/mgmt/cluster-versions.html
    """
    return RedshiftError(f"table {oid} dropped by concurrent transaction")


def undefined_schema(name: str) -> RedshiftError:
    """``schema "x" does not exist``."""
    return RedshiftError(f'schema "{name}" does not exist', sqlstate="3F000")


def undefined_column(name: str, relation: str = "") -> RedshiftError:
    """``column "x" does not exist``, or ``... of relation "y" ...`` if a table is given."""
    place = f' of relation "{relation}"' if relation else ""
    return RedshiftError(f'column "{name}"{place} does not exist', sqlstate="42703")


def unsupported(what: str) -> RedshiftError:
    """Redshift has this and this server does not: the error names it."""
    return RedshiftError(f"{what} is not supported by the local Redshift", sqlstate="0A000")


def syntax_error(near: str) -> RedshiftError:
    """``syntax error at or near "x"`` (``at end of input`` for an empty ``near``)."""
    where = f'at or near "{near}"' if near else "at end of input"
    return RedshiftError(f"syntax error {where}", sqlstate="42601")


def in_transaction_block(command: str) -> RedshiftError:
    """``VACUUM cannot run inside a transaction block``."""
    return RedshiftError(f"{command} cannot run inside a transaction block", sqlstate="25001")


def correlated_subquery() -> RedshiftError:
    """A subquery that Redshift cannot turn into a join; XX000, as SQLMesh/sqlmesh#5342 shows it."""
    return RedshiftError(
        "This type of correlated subquery pattern is not supported due to internal error"
    )


def source_failed(message: str, context: str, code: int = 8001) -> RedshiftError:
    """The load could not read its data: not a row error; the context says where."""
    return compute_error(message, code, context, location="copy")


def s3_failed(code: str, message: str, status: int, context: str) -> RedshiftError:
    """An S3 refusal: ``S3ServiceException:Access Denied,Status 403,Error AccessDenied,...``.

    https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
    """
    text = f"S3ServiceException:{message},Status {status},Error {code},Rid local,CanRetry 1"
    return source_failed(text, context)


def reading(url: str) -> str:
    """The context of an error at one object: ``S3 key being read : s3://bucket/key``."""
    return f"S3 key being read : {url}"
