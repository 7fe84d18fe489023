"""Errors of the API itself: a request that AWS refuses before any SQL runs."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An AWS error response: ``code`` is the model's exception shape, ``fields`` its extra members.

    ``fault`` errors (the server's) answer 500, the others (the caller's) 400.
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **fields: Any):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


def validation(message: str) -> ApiError:
    """ValidationException: the request itself is wrong."""
    return ApiError("ValidationException", message)


def not_found(message: str, resource_id: str) -> ApiError:
    """ResourceNotFoundException: the statement does not exist or is not the caller's."""
    return ApiError("ResourceNotFoundException", message, ResourceId=resource_id)


def exceeded(code: str, message: str) -> ApiError:
    """ActiveStatementsExceededException, ActiveSessionsExceededException."""
    return ApiError(code, message)


def connection_failed(message: str) -> ApiError:
    """DatabaseConnectionException: no connection to the database; the model calls it the server's fault."""
    return ApiError("DatabaseConnectionException", message, status=500)


def not_supported(what: str) -> ApiError:
    """Redshift has this and this server does not: the error names it."""
    return validation(f"{what} is not supported by the local Redshift")
