"""S3: documents of the work bucket, listings, heads."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from loader.store import Head, MissingObject, Store

ROWS = [
    {"seq": 0, "key": 'log_data/it\'s "100%" + ☃\u2028é.json', "note": None},
    {"seq": 1, "key": "line\nbreak\rand\ttab", "note": ""},
]


def test_a_document_is_read_back(store: Store) -> None:
    assert store.put("a/b.json", {"é": [1, None]}) == "s3://working/a/b.json"
    assert store.get("a/b.json") == {"é": [1, None]}
    with pytest.raises(MissingObject, match=r"s3://working/a/c\.json"):
        store.get("a/c.json")


def test_a_document_is_deleted(store: Store) -> None:
    store.put("a/b.json", 1)
    for _ in range(2):  # one that is not there is no error
        store.delete("a/b.json")
    assert list(store.keys("a/")) == []


@pytest.mark.parametrize("key", ["rows.json", "rows.json.gz"])
def test_lines_are_read_back(store: Store, s3: Any, key: str) -> None:
    assert store.put_lines(key, iter(ROWS)) == f"s3://working/{key}"
    assert list(store.get_lines(key)) == ROWS
    body = s3.get_object(Bucket="working", Key=key)["Body"].read()
    assert body.startswith(b"\x1f\x8b") is key.endswith(".gz")
    assert body.count(b"\n") == 2 or key.endswith(".gz")


def test_the_same_lines_are_the_same_bytes(store: Store, s3: Any) -> None:
    tags = set()
    for key in ("1.json.gz", "2.json.gz"):
        store.put_lines(key, ROWS)
        tags.add(s3.head_object(Bucket="working", Key=key)["ETag"])
    assert len(tags) == 1


@pytest.mark.parametrize("key", ["gone.json", "gone.json.gz"])
def test_lines_that_are_gone(store: Store, key: str) -> None:
    with pytest.raises(MissingObject, match="gone"):
        next(store.get_lines(key))


@pytest.mark.parametrize(
    "uri", ["s3://other/a", "s3://work", "s3://working/", "work/a", "s3://works/a"]
)
def test_a_uri_elsewhere_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is not in the work bucket work"):
        Store("working").key_of(uri)


def test_key_of() -> None:
    assert Store("working").key_of("s3://working/events/s3-1.json.gz") == "events/s3-1.json.gz"


def test_a_listing_has_every_object_under_the_prefix(store: Store, s3: Any) -> None:
    keys = ["log_data/b c+%é.json", "log_data/a.json", "log_data/", "other/x.json"]
    for key in keys:
        s3.put_object(Bucket="data", Key=key, Body=b"{}")
    found = list(store.list_files("data", "log_data/"))
    assert [file.key for file in found] == ["log_data/", "log_data/a.json", "log_data/b c+%é.json"]
    assert {(f.bucket, f.size, f.etag) for f in found} == {
        ("data", 2, "99914b932bd37a50b983c5e7c90ae93b")
    }
    assert all(f.modified.endswith("+00:00") for f in found)
    assert found[2].url == "s3://data/log_data/b c+%é.json"


class Pages:
    """An S3 client whose listing has two pages and whose bucket sends its events where it is told."""

    def __init__(self, **notification: Any) -> None:
        self.notification = notification

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, **request: str) -> list[dict[str, Any]]:
        assert request == {"Bucket": "working", "Prefix": "loads/"}
        return [{"Contents": [{"Key": "loads/1"}, {"Key": "loads/2"}]}, {"Contents": []}, {}]

    def get_bucket_notification_configuration(self, **request: str) -> dict[str, Any]:
        return self.notification


def test_a_listing_of_many_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "_client", Pages())
    assert list(Store("working").keys("loads/")) == ["loads/1", "loads/2"]


@pytest.mark.parametrize(
    ("notification", "sends"),
    [({}, False), ({"QueueConfigurations": []}, False), ({"EventBridgeConfiguration": {}}, True)],
)
def test_sends_events(
    notification: dict[str, Any], sends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "_client", Pages(**notification))
    assert Store("working").sends_events("data") is sends


def test_head(store: Store, s3: Any) -> None:
    s3.put_object(Bucket="data", Key="log_data/a b%2F+é.json", Body=b"{}")
    found = store.head("data", "log_data/a b%2F+é.json")
    assert found.state == "there"
    assert found.file == next(store.list_files("data", "log_data/"))
    assert store.head("data", "log_data/b.json") == Head("missing")


@pytest.mark.parametrize(("status", "state"), [(404, "missing"), (403, "denied"), (500, None)])
def test_what_head_says(status: int, state: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def head_object(self, **request: Any) -> None:
            raise ClientError(
                {
                    "Error": {"Code": str(status), "Message": ""},
                    "ResponseMetadata": {"HTTPStatusCode": status},  # type: ignore[typeddict-item]
                },
                "HeadObject",
            )

    monkeypatch.setattr(Store, "_client", Client())
    if state:
        assert Store("working").head("data", "k") == Head(state)
    else:
        with pytest.raises(ClientError):
            Store("working").head("data", "k")


def test_bucket_region(store: Store) -> None:
    assert store.bucket_region("data") == "us-west-2"
