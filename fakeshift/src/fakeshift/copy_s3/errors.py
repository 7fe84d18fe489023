"""COPY's two sorts of errors: a row that is rejected, and a load that fails.

https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fakeshift.engine.errors import RedshiftError, compute_error


@dataclass(frozen=True)
class RowError(Exception):
    """A row that does not load: one row of SYS_LOAD_ERROR_DETAIL, one towards MAXERROR.

    ``raw_line`` and ``raw_field`` are what stood there, for STL_LOAD_ERRORS.
    """

    code: int
    message: str
    column: str = ""
    column_type: str = ""
    column_length: str = ""
    line: int = 0
    position: int = 0
    raw_line: str = ""
    raw_field: str = ""


def load_failed(table: str) -> RedshiftError:
    """Rows failed, MAXERROR or more; the rows are in SYS_LOAD_ERROR_DETAIL.

    The wording is serverless's (an older one names 'stl_load_errors').
    """
    return RedshiftError(
        f"Load into table '{table}' failed. Check 'sys_load_error_detail' system table for details."
    )


def source_failed(message: str, context: str, code: int = 8001) -> RedshiftError:
    """The load could not read its data: no row error, the place in the error's context."""
    return compute_error(message, code, context, location="copy")


def s3_failed(code: str, message: str, status: int, context: str) -> RedshiftError:
    """An S3 refusal: ``S3ServiceException:Access Denied,Status 403,Error AccessDenied,...``.

    https://docs.aws.amazon.com/redshift/latest/dg/s3serviceexception-error.html
    """
    text = f"S3ServiceException:{message},Status {status},Error {code},Rid local,CanRetry 1"
    return source_failed(text, context)


def reading(url: str) -> str:
    """The context of an error that met one object: ``S3 key being read : s3://bucket/key``."""
    return f"S3 key being read : {url}"
