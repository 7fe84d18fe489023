"""Header lines of CSV files: which are other orders, which reject their file, which are left to COPY."""

import bz2
import gzip
from dataclasses import replace
from typing import Any

import pytest
import stage
from botocore.exceptions import ClientError
from loader import batches, datasets, headers, sql
from loader.batches import Batch, Reject
from loader.datasets import Dataset
from loader.layout import Layout, LayoutError, in_order
from loader.store import DataFile, Store

from tests.unit.fakes import FakeDataApi
from tests.unit.loads import LOAD_ID, call, planned, reports, staged_reply

COPY = """COPY ${loader_schema}.${reading_stage} (ts, device_id, humidity)
FROM '${manifest}' IAM_ROLE ${copy_role} FORMAT AS CSV IGNOREHEADER 1 MANIFEST ${copy_options}"""
STAGED = """SELECT COUNT(*) AS staged_rows, CAST(NULL AS VARCHAR(32)) AS first_start,
CAST(NULL AS VARCHAR(32)) AS last_start FROM ${loader_schema}.${reading_stage}"""
COLUMNS = ("ts", "device_id", "humidity")
LISTED = "ts,device_id,humidity"
ROW = "\n2026-12-01T00:00:00Z,dev-1,55.5\n"


@pytest.fixture
def copy() -> dict[str, str]:
    """copy.sql, which a test may change."""
    return {"text": COPY}


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch, copy: dict[str, str]) -> Dataset:
    """A dataset of gzipped or plain CSV, beside the product's own."""
    original = sql.read
    own = {"datasets/readings/copy.sql": lambda: copy["text"]}
    own["datasets/readings/staged.sql"] = lambda: STAGED
    monkeypatch.setattr(sql, "read", lambda name: own[name]() if name in own else original(name))
    endings = (".csv", ".csv.gz", ".csv.bz2", ".csv.zst")
    dataset = Dataset("readings", "reading_stage", "readings/", endings, header=COLUMNS)
    found = {**datasets.datasets(), "readings": dataset}
    monkeypatch.setattr(stage, "datasets", lambda: found)
    return dataset


def put(s3: Any, name: str, body: bytes | str) -> DataFile:
    key, data = f"readings/{name}", body if isinstance(body, bytes) else body.encode()
    etag = s3.put_object(Bucket="data", Key=key, Body=data)["ETag"].strip('"')
    return DataFile("data", key, etag, len(data), "2026-11-23T20:00:00+00:00")


def read(store: Store, dataset: Dataset, *files: DataFile) -> list[Batch]:
    return headers.by_order(store, Batch("0", "readings", files), dataset)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.csv", LISTED + ROW),
        ("crlf.csv", (LISTED + ROW).replace("\n", "\r\n")),
        ("mark.csv", b"\xef\xbb\xbf" + (LISTED + ROW).encode()),
        ("quoted.csv", '"ts","device_id","humidity"' + ROW),
        ("upper.csv", "TS,Device_ID,HUMIDITY" + ROW),
        ("blanks.csv", ' ts , "device_id", humidity ' + ROW),
        ("only.csv", LISTED),
        ("only2.csv", LISTED + "\n"),
        ("nothing.csv", "\n\n"),
        ("a.csv.gz", gzip.compress((LISTED + ROW).encode())),
        ("parts.csv.gz", gzip.compress(b"ts,dev") + gzip.compress((LISTED[6:] + ROW).encode())),
        ("a.csv.bz2", bz2.compress((LISTED + ROW).encode())),
        ("long.csv", LISTED + " " * 100_000 + ROW),
        ("large.csv.gz", gzip.compress((LISTED + ROW * 100_000).encode())),
    ],
)
def test_a_header_in_the_columns_order(
    store: Store, s3: Any, readings: Dataset, name: str, body: bytes | str
) -> None:
    [batch] = read(store, readings, file := put(s3, name, body))
    assert (batch.files, batch.rejects, batch.columns) == ((file,), (), ())
    assert batch.unread_headers == 0


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("missing.csv", "ts,device_id\n1,2\n", ["missing: humidity", "ts, device_id, humidity"]),
        ("extra.csv", LISTED + ",rssi\n", ["not known: rssi", "ts, device_id, humidity, rssi"]),
        ("renamed.csv", "ts,device,humidity\n", ["missing: device_id", "not known: device)"]),
        ("twice.csv", LISTED + ",TS\n", ["named twice: ts"]),
        ("end.csv", LISTED + ",\n", ["not known: (an empty name)"]),
        ("other.csv", LISTED.replace(",", ";") + ROW, ["none of the dataset's columns"]),
        ("none.csv", ROW.strip(), ["none of the dataset's columns", "header: false", "ts, dev"]),
        ("html.csv", "<!DOCTYPE html>\n<p>", ["none of the dataset's columns"]),
        ("blank.csv", "\n" + LISTED + ROW, ["is empty"]),
        ("cr.csv", (LISTED + ROW).replace("\n", "\r"), ["carriage return"]),
        ("endless.csv", "x" * 1_200_000, ["longer than 1048576 bytes"]),
        ("none.csv.gz", gzip.compress(ROW.strip().encode()), ["none of the dataset's columns"]),
        ("long name.csv", LISTED + "," + "x" * 500 + "\n", ["x" * 60 + "…"]),
        ("odd name.csv", LISTED + ",a\x07b\u202e\n", ["a\\x07b\\u202e"]),
    ],
)
def test_a_header_that_rejects_its_file(
    store: Store, s3: Any, readings: Dataset, name: str, body: bytes | str, words: list[str]
) -> None:
    [batch] = read(store, readings, good := put(s3, "good.csv", LISTED + ROW), put(s3, name, body))
    assert batch.files == (good,)
    [reject] = batch.rejects
    assert (reject.file.key, reject.line, reject.status) == (f"readings/{name}", 1, "rejected")
    for word in words:
        assert word in reject.reason
    assert "dev-1" not in reject.reason  # a row of data is nobody's to read in a message
    assert len(reject.reason.encode()) <= 1024


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("plain.csv.gz", LISTED + ROW),
        ("packed.csv", gzip.compress(LISTED.encode())),
        ("utf16.csv", LISTED.encode("utf-16")),
        ("noise.csv", b"PK\x03\x04\x00\x00" + b"\n"),
        ("a.csv.bz2", b"BZh9nothing"),
        ("a.csv.zst", b"\x28\xb5\x2f\xfd...."),
    ],
)
def test_what_cannot_be_read_as_text_is_left_to_copy(
    store: Store, s3: Any, readings: Dataset, name: str, body: bytes | str
) -> None:
    [batch] = read(store, readings, file := put(s3, name, body))
    assert (batch.files, batch.rejects, batch.columns) == ((file,), (), ())
    assert batch.unread_headers == 1


def test_a_file_that_is_gone_is_left_to_copy(store: Store, s3: Any, readings: Dataset) -> None:
    file = put(s3, "gone.csv", LISTED)
    s3.delete_object(Bucket="data", Key=file.key)
    [batch] = read(store, readings, file)
    assert (batch.files, batch.unread_headers) == ((file,), 1)


@pytest.mark.parametrize(("status", "raised"), [(403, False), (500, True), (503, True)])
def test_denied_is_left_to_copy_and_an_s3_that_fails_is_asked_again(
    store: Store,
    s3: Any,
    readings: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    raised: bool,
) -> None:
    """Loaded unseen, its columns could be swapped: the state machine tries the step again, as for any call to S3."""
    file = put(s3, "a.csv", LISTED)
    answer: Any = {"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def failing(*_: Any) -> None:
        raise ClientError(answer, "GetObject")

    monkeypatch.setattr(Store, "beginning", failing)
    if raised:
        with pytest.raises(ClientError):
            read(store, readings, file)
    else:
        [batch] = read(store, readings, file)
        assert (batch.files, batch.unread_headers) == ((file,), 1)


def test_names_that_dataset_json_gives(store: Store, s3: Any) -> None:
    names = ("Time", "Device Id", "Humidity")
    dataset = Dataset("ratings", "rating_stage", "readings/", (".csv",), header=names)
    layout = Layout(COLUMNS, "csv", header_lines=1)
    assert headers.order_of("humidity, Device ID ,time", b"x", _of(dataset, layout)) == (
        "humidity",
        "device_id",
        "ts",
    )
    with pytest.raises(headers.BadHeader, match="missing: Device Id"):
        headers.order_of("time,device_id,humidity", b"x", _of(dataset, layout))


def _of(dataset: Dataset, layout: Layout) -> Any:
    class Found:
        header = dataset.header
        masks = ()
        extra_columns = ()

    Found.layout = layout  # type: ignore[attr-defined]
    return Found


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("CSV DELIMITER '|' IGNOREHEADER 1", 'humidity|"ts"|device_id'),
        ("DELIMITER AS '\\t' IGNOREHEADER AS 1", "humidity\tts\tdevice_id"),
        ("DELIMITER '\\174' IGNOREHEADER 1", "humidity|ts|device_id"),
        ("IGNOREHEADER 1", "humidity|ts|device_id"),
        ("DELIMITER '||' IGNOREHEADER 1 REMOVEQUOTES", '"humidity"||"ts"||device_id'),
        ("FORMAT CSV QUOTE AS '%' IGNOREHEADER 1", "%humidity%,%ts%,device_id"),
        ("CSV IGNOREHEADER 1 ENCODING UTF16LE", "humidity,ts,device_id"),
    ],
)
def test_delimiters_quotes_and_encodings_of_copy(
    store: Store, s3: Any, readings: Dataset, copy: dict[str, str], options: str, line: str
) -> None:
    copy["text"] = f"COPY x (ts, device_id, humidity) FROM 'y' {options}"
    encoding = "utf-16-le" if "UTF16LE" in options else "utf-8"
    [batch] = read(store, readings, put(s3, "a.csv", f"{line}\n".encode(encoding)))
    assert batch.columns == ("humidity", "ts", "device_id")


def test_a_batch_holds_one_order(store: Store, s3: Any, readings: Dataset) -> None:
    known = Reject(put(s3, "old.csv", "x"), "bad before")
    swapped = [put(s3, f"swapped{n}.csv", "ts,humidity,device_id\n") for n in range(3)]
    listed = [put(s3, f"listed{n}.csv", LISTED + ROW) for n in range(2)]
    blank, bad = put(s3, "blank.csv", "\n"), put(s3, "bad.csv", "ts\n")
    batch = Batch("0", "readings", (*listed, blank, bad, *swapped), (known,))
    first, second = headers.by_order(store, batch, readings)
    assert first.columns == ("ts", "humidity", "device_id")
    assert first.files == (*swapped, blank)  # without a line, it is of any order
    assert [reject.file for reject in first.rejects] == [known.file, bad]
    assert (second.columns, second.files, second.rejects) == ((), tuple(listed), ())


def test_copy_gets_the_list_in_the_headers_order_from_the_datasets_own_words(
    store: Store, s3: Any, data_api: FakeDataApi, readings: Dataset
) -> None:
    file = put(s3, "a.csv", 'HUMIDITY,"Device_Id" ,ts\n1,2,3\n')
    batches.write(store, LOAD_ID, Batch("0", "readings", (file,)))
    data_api.replies = [staged_reply(file)]
    answer = call(stage.handler, planned())
    assert answer["outcome"] == "staged"
    assert "(humidity, device_id, ts)\nFROM" in data_api.submits[0]["Sqls"][1]
    assert batches.read(store, LOAD_ID, "0").columns == ("humidity", "device_id", "ts")


def test_files_of_two_orders_are_two_parts(
    store: Store, s3: Any, data_api: FakeDataApi, readings: Dataset
) -> None:
    one = put(s3, "a.csv", LISTED + ROW)
    other = put(s3, "b.csv", "device_id,ts,humidity\n")
    batches.write(store, LOAD_ID, Batch("0", "readings", (one, other)))
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["batch"], answer["todo"]) == ("again", "0.1", ["0.2"])
    assert data_api.submits == []
    data_api.replies = [staged_reply(one), staged_reply(other)]
    assert call(stage.handler, answer)["outcome"] == "staged"
    assert call(stage.handler, planned("0.2"))["outcome"] == "staged"
    lists = [request["Sqls"][1].partition("\n")[0] for request in data_api.submits]
    assert [text.partition(" (")[2] for text in lists] == [
        "ts, device_id, humidity)",
        "device_id, ts, humidity)",
    ]


def test_only_bad_headers_send_nothing(
    store: Store, s3: Any, data_api: FakeDataApi, readings: Dataset
) -> None:
    batches.write(store, LOAD_ID, Batch("0", "readings", (put(s3, "a.csv", "1,2,3\n"),)))
    answer = call(stage.handler, planned())
    assert (answer["outcome"], answer["table"], data_api.submits) == ("staged", "", [])


def test_a_file_that_was_replaced_after_its_header_was_read_is_staged_again(
    store: Store, s3: Any, data_api: FakeDataApi, readings: Dataset
) -> None:
    file = put(s3, "a.csv", LISTED + ROW)
    batches.write(store, LOAD_ID, Batch("0", "readings", (file,)))
    swapped = put(s3, "b.csv", "device_id,ts,humidity\n")
    reply = staged_reply(file)
    read_by_copy = ("file", file.url, swapped.etag, 10, None, None, None)
    data_api.replies = [reports(reply, read_by_copy)]
    state = planned()
    answer = call(stage.handler, state)
    assert (answer["outcome"], answer["attempt"]) == ("again", 1)
    now = put(s3, "a.csv", "device_id,ts,humidity\n")
    data_api.replies = [staged_reply(now)]
    assert call(stage.handler, answer)["outcome"] == "staged"
    assert "(device_id, ts, humidity)" in data_api.submits[-1]["Sqls"][1]


def test_more_orders_than_a_load_has_room_for(
    store: Store, s3: Any, data_api: FakeDataApi, readings: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [LISTED, "device_id,ts,humidity", "humidity,ts,device_id"]
    files = tuple(put(s3, f"{n}.csv", f"{order}\n") for n, order in enumerate(orders))
    batches.write(store, LOAD_ID, Batch("0", "readings", files))
    monkeypatch.setattr(stage, "MAX_PARTS", 2)
    answer = call(stage.handler, planned())
    assert (answer["batch"], answer["todo"]) == ("0.1", ["0.2"])
    rest = batches.read(store, LOAD_ID, "0.2")
    assert (len(rest.files), rest.columns) == (2, None)
    ended = call(stage.handler, planned("0.2"))
    assert ended["outcome"] == "failed"
    assert "2 different column orders" in ended["cause"]


def test_a_list_of_other_columns_is_refused() -> None:
    assert in_order('COPY x ("a b", c) FROM y', ("c", "a b")) == 'COPY x (c, "a b") FROM y'
    for columns in (("c",), ("c", "d"), ("c", "c"), ("c", "a b", "d")):
        with pytest.raises(LayoutError):
            in_order('COPY x ("a b", c) FROM y', columns)


# -- columns that are not known ------------------------------------------------------------------
EXTRA = ("extra__1", "extra__2")


def test_unknown_columns_get_places_of_their_own(store: Store, s3: Any, readings: Dataset) -> None:
    """By place, so that files with other unknown names in the same places are one COPY."""
    dataset = replace(readings, extra_columns=EXTRA)
    files = [
        put(s3, "a.csv", "ts,Owner,device_id,humidity\n1,00012,d,5\n2,,d,5\n"),
        put(s3, "b.csv", "ts,city,device_id,humidity\n1,Oslo,d,5\n"),
        put(s3, "c.csv", "ts,owner,device_id,humidity\n1,a name of someone,d,5\n"),
        put(s3, "d.csv", f"{LISTED},,x\n"),
        put(s3, "e.csv", LISTED + ROW),
    ]
    found = read(store, dataset, *files)
    assert [(one.columns, [file.key[9] for file in one.files]) for one in found] == [
        (("ts", "extra__1", "device_id", "humidity"), ["a", "b", "c"]),
        ((*COLUMNS, *EXTRA), ["d"]),
        ((), ["e"]),
    ]
    assert [(one.name, one.file[9], one.suggested) for one in found[0].unknown] == [
        ("owner", "a", "owner: varchar(64)"), ("city", "b", "city: varchar(16)")
    ]  # fmt: skip
    assert [one.name for one in found[1].unknown] == ["", "x"]
    assert found[2].unknown == ()
    batches.write(store, LOAD_ID, found[0])
    assert batches.read(store, LOAD_ID, "0").unknown == found[0].unknown


def test_more_of_them_than_places_are_rejected(store: Store, s3: Any, readings: Dataset) -> None:
    dataset = replace(readings, extra_columns=EXTRA)
    [found] = read(store, dataset, put(s3, "a.csv", f"{LISTED},a,b,c{ROW}"))
    assert found.files == ()
    assert "not known: a, b, c" in found.rejects[0].reason
    assert "At most 2 columns that are not known are left out." in found.rejects[0].reason


def test_a_header_that_cannot_be_read_may_have_them(
    store: Store, s3: Any, readings: Dataset
) -> None:
    """COPY could read the file: where unknown columns are rejected, that is not enough."""
    files = put(s3, "a.csv.gz", f"{LISTED}{ROW}"), put(s3, "b.csv", LISTED + ROW)
    [found] = read(store, readings, *files)
    assert (found.unread_headers, len(found.files)) == (1, 2)
    [found] = read(store, replace(readings, rejects_unknown=True), *files)
    assert [file.key for file in found.files] == ["readings/b.csv"]
    assert [(r.file.key, r.status) for r in found.rejects] == [("readings/a.csv.gz", "unreadable")]


def test_of_masked_datasets_no_name_of_a_header_is_shown(
    store: Store, s3: Any, readings: Dataset
) -> None:
    """The first line may be a row."""
    dataset = replace(readings, masks=(datasets.Mask("readings.ts", "drop"),))
    [found] = read(store, dataset, put(s3, "a.csv", "ts,device_id,alice@example.com\n"))
    assert "alice" not in found.rejects[0].reason
    assert "missing: humidity; not known: 1 names" in found.rejects[0].reason
