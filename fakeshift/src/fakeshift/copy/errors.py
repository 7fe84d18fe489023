"""COPY's two kinds of errors: a rejected row, and a failed load.

https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fakeshift.errors import RedshiftError


@dataclass(frozen=True)
class RowError(Exception):
    """A row that does not load: one row of SYS_LOAD_ERROR_DETAIL, counted towards MAXERROR.

    ``raw_line`` and ``raw_field`` are the original text, for STL_LOAD_ERRORS.
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

    The wording is that of serverless (an older one names 'stl_load_errors').
    """
    return RedshiftError(
        f"Load into table '{table}' failed. Check 'sys_load_error_detail' system table for details."
    )
