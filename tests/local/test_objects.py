"""Files become keys exactly, and only the data sets' files start a load."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from local.client.clients import Clients
from local.client.objects import empty, found_in, put_all, starts_a_load
from local.datasets import of_tree
from local.problem import Problem

STRANGE = "log_data/2018/a b+c%20d'e\"f&g=h#é日.json"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    with mock_aws():
        s3 = boto3.client(
            "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        s3.create_bucket(Bucket="data")
        yield cast(Clients, SimpleNamespace(s3=s3))


@pytest.mark.parametrize(
    ("key", "starts"),
    [
        ("log_data/2018/11/x.json", True),
        ("song_data/A/x.json.gz", True),
        (STRANGE, True),
        ("log_data/readme.txt", False),
        ("log_data.json", False),
        ("other/log_data/x.json", False),
        ("song_data/x.JSON", False),
    ],
)
def test_which_keys_start_a_load(key: str, starts: bool) -> None:
    assert starts_a_load(key) is starts


def test_a_new_dataset_is_known_by_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "datasets" / "clicks" / "dataset.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"prefix": "clicks/", "suffixes": [".json"], "stage_table": "click_stage"}')
    (clicks,) = of_tree(tmp_path)
    assert (clicks.name, clicks.takes("clicks/a.json")) == ("clicks", True)


def test_keys_are_the_paths_below_the_folder(tmp_path: Path) -> None:
    for key in (STRANGE, "song_data/A/B/x.json", "log_data/readme.txt", "elsewhere/y.json"):
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
    keys = [upload.key for upload in found_in(tmp_path)]
    assert keys == [STRANGE, "log_data/readme.txt", "song_data/A/B/x.json"]


def test_an_empty_folder_or_none_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no files in log_data"):
        found_in(tmp_path)
    with pytest.raises(Problem, match="is not a folder"):
        found_in(tmp_path / "missing")


def test_uploads_keep_key_and_content_and_give_etags(clients: Clients, tmp_path: Path) -> None:
    keys = [STRANGE, *(f"song_data/A/{n}.json" for n in range(20))]
    for key in keys:
        path = tmp_path / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {key}")
    seen: list[int] = []
    etags = put_all(clients, "data", found_in(tmp_path), seen.append)
    assert sorted(etags) == sorted(keys)
    assert seen == list(range(1, 22))
    for key in keys:
        stored: Any = clients.s3.get_object(Bucket="data", Key=key)
        assert stored["Body"].read().decode() == f"content of {key}"
        assert stored["ETag"] == f'"{etags[key]}"'


def test_emptying_a_bucket_takes_versions_too(clients: Clients) -> None:
    clients.s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        clients.s3.put_object(Bucket="data", Key=STRANGE, Body=b"x")
    clients.s3.delete_object(Bucket="data", Key=STRANGE)
    assert empty(clients, "data") == 3
    assert "Versions" not in clients.s3.list_object_versions(Bucket="data")
    assert empty(clients, "data") == 0
