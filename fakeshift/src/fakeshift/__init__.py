"""A local Amazon Redshift: the Data API's wire protocol over DuckDB.

``fakeshift`` (or ``python -m fakeshift``) starts it; tests embed it:

    with LocalRedshift(Settings(data=tmp_path, port=0)) as redshift:
        client = boto3.client("redshift-data", endpoint_url=redshift.url, ...)

The names below are the public interface; everything else may change in any release. The pytest
plugin is ``pytest_fakeshift``.
"""

from fakeshift.api.errors import ApiError
from fakeshift.api.principals import Principal
from fakeshift.config import Isolation, Settings, SnapshotAt
from fakeshift.copy_s3.s3 import ObjectStores
from fakeshift.faults import Fault, Faults
from fakeshift.instance import LocalRedshift
from fakeshift.statements.record import Statement

__version__ = "0.1.0"
__all__ = [
    "ApiError",
    "Fault",
    "Faults",
    "Isolation",
    "LocalRedshift",
    "ObjectStores",
    "Principal",
    "Settings",
    "SnapshotAt",
    "Statement",
]
