"""A local Amazon Redshift: the Data API's wire protocol over DuckDB.

``fakeshift`` (or ``python -m fakeshift``) starts it; tests embed it:

    with LocalRedshift(Settings(data=tmp_path, port=0)) as redshift:
        client = boto3.client("redshift-data", endpoint_url=redshift.url, ...)

How a statement travels, one package per step:

``server`` (HTTP) -> ``api`` (validation, operations) -> ``statements`` (records, results, the
runner's threads) -> ``commands`` (one for each kind of statement; ``copy``, ``unload``) ->
``dialect`` (queries, one small function for each difference; ``dialect.cache`` keeps translations)
-> ``engine`` (sessions, transactions, locks; DuckDB) -> ``system`` (the system views) -> ``catalog``
(what Redshift knows of a table and DuckDB does not) -> ``sql`` (tokens, utility statements). No
import goes the other way (tests/test_layers.py).

The names below are the public interface; everything else may change in any release. The pytest
plugin is ``pytest_fakeshift``.
"""

from fakeshift.config import Isolation, Settings, SnapshotAt
from fakeshift.faults import Fault, Faults
from fakeshift.instance import LocalRedshift
from fakeshift.principal import Principal
from fakeshift.refusals import ApiError
from fakeshift.s3 import ObjectStore, ObjectStores
from fakeshift.statements.record import Statement

__version__ = "0.1.0"
__all__ = [
    "ApiError",
    "Fault",
    "Faults",
    "Isolation",
    "LocalRedshift",
    "ObjectStore",
    "ObjectStores",
    "Principal",
    "Settings",
    "SnapshotAt",
    "Statement",
]
