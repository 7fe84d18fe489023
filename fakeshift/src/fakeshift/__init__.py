"""A local Amazon Redshift: the Data API's wire protocol over DuckDB.

``python -m fakeshift`` starts it; tests embed it:

    with LocalRedshift(Settings(data=tmp_path, port=0)) as redshift:
        client = boto3.client("redshift-data", endpoint_url=redshift.url, ...)

How a statement travels, one package a step:

``server`` (HTTP) -> ``api`` (validation, operations) -> ``statements`` (records, results, the
runner's threads) -> ``engine`` (sessions, transactions, locks) -> ``sql`` (utility statements) or
``dialect`` (queries, one small function for each difference; ``dialect.cache`` keeps what it made)
-> DuckDB. ``catalog`` keeps what Redshift knows of a table and DuckDB does not; ``copy_s3`` is COPY;
``system`` the system views.
"""

from fakeshift.config import Settings
from fakeshift.instance import LocalRedshift

__all__ = ["LocalRedshift", "Settings"]
