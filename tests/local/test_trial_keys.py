"""The keys that loader try gives to files."""

from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from local.datasets import Dataset
from local.problem import Usage
from local.trial.keys import of_files

ORDERS = Dataset("orders", "orders/", (".jsonl",))
READINGS = Dataset("readings", "readings/", (".csv",))
KNOWN = (ORDERS, READINGS)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("orders/2026/11/a.jsonl", "orders/2026/11/a.jsonl"),
        ("orders/old/orders/a.jsonl", "orders/a.jsonl"),
        ("reorders/a.jsonl", "orders/a.jsonl"),
        ("readings/a.csv", "readings/a.csv"),
        ("a.jsonl", "orders/a.jsonl"),
    ],
)
def test_a_key_is_what_follows_a_prefix_in_the_path(tmp_path: Path, path: str, key: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"{}")
    assert of_files([str(file)], ORDERS, KNOWN, None, tmp_path) == {key: file}


def test_a_given_prefix_goes_before_the_name_below_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "in" / "x" / "a.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"{}")
    for word, key in ((file, "orders/new/a.jsonl"), (tmp_path / "in", "orders/new/x/a.jsonl")):
        assert of_files([str(word)], ORDERS, KNOWN, "orders/new/", tmp_path) == {key: file}


@mock_aws
def test_objects_keep_their_keys(tmp_path: Path) -> None:
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket="samples")
    for key in ("orders/1/a.jsonl", "orders/2/a.jsonl"):
        client.put_object(Bucket="samples", Key=key, Body=key.encode())
    found = of_files(["s3://samples/orders/"], ORDERS, KNOWN, None, tmp_path)
    assert {key: path.read_text() for key, path in found.items()} == {
        key: key for key in ("orders/1/a.jsonl", "orders/2/a.jsonl")
    }
    [one] = of_files(["s3://samples/orders/2/a.jsonl"], ORDERS, KNOWN, "orders/", tmp_path)
    assert one == "orders/a.jsonl"
    with pytest.raises(Usage, match="no objects"):
        of_files(["s3://samples/nothing/"], ORDERS, KNOWN, None, tmp_path)
