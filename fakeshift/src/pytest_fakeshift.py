"""The pytest plugin of fakeshift: a local Redshift for a test session, and a boto3 client of it.

pytest imports this module in every run, so it imports fakeshift and boto3 only when a test uses a
fixture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fakeshift import LocalRedshift, Settings

NO_S3 = "http://127.0.0.1:1"
"""Where COPY and UNLOAD look for S3 if the environment names none: nothing listens there."""


@pytest.fixture(scope="session")
def fakeshift_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of ``fakeshift_server``; override the fixture to change them.

    The data directory is a temporary one. COPY and UNLOAD use the S3 that AWS_ENDPOINT_URL_S3 or
    AWS_ENDPOINT_URL names, and fail without one, so that no test reaches AWS by mistake.
    """
    from fakeshift import Settings

    named = any(os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"))
    data = tmp_path_factory.mktemp("fakeshift")
    return Settings(data=data, port=0, faults=True, aws_endpoint_url=None if named else NO_S3)


@pytest.fixture(scope="session")
def fakeshift_server(fakeshift_settings: Settings) -> Iterator[LocalRedshift]:
    """A server on a free port of 127.0.0.1; ``url`` is its address."""
    from fakeshift import LocalRedshift

    with LocalRedshift(fakeshift_settings) as server:
        yield server


@pytest.fixture(scope="session")
def redshift_data(fakeshift_server: LocalRedshift) -> Any:
    """A boto3 ``redshift-data`` client of the server.

    It uses no profile, no credentials and no proxy of the environment.
    """
    import boto3
    from botocore.config import Config
    from botocore.session import Session

    # A profile of the environment might not exist, and creating a client would fail.
    session = Session({"profile": (None, None, None, None)})
    return boto3.Session(botocore_session=session).client(
        "redshift-data",
        endpoint_url=fakeshift_server.url,
        region_name=fakeshift_server.settings.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the signature is not verified
        config=Config(proxies={}),
    )
