"""The benchmarks count as AWS does, and what they compare is what they say."""

import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from loader import rendered

from benchmarks import costs
from benchmarks.lib import sample_flow
from benchmarks.lib.pages import Pages, page
from benchmarks.lib.s3_listing import PAGE, listing
from benchmarks.plan import _body
from benchmarks.publish import reads, written_table
from local.states.interpreter import Interpreter, Task, TaskFailed
from tests.world.counting import Counts, price, queue_requests, transitions
from tests.world.product import EXECUTION, STARTED, STATE_MACHINE

ROOT = Path(__file__).resolve().parents[1]
RANGE = "BETWEEN TIMESTAMP '2018-11-12 00:00:00' AND TIMESTAMP '2018-11-13 00:00:00'"


def history(states: dict[str, Any], start: str, failing: int = 0) -> list[Any]:
    left = failing

    def call(task: Task) -> Any:
        nonlocal left
        if left:
            left -= 1
            raise TaskFailed("Lambda.ServiceException")
        return {"Payload": {}, "StatusCode": 200}

    document = {"QueryLanguage": "JSONata", "StartAt": start, "States": states}
    ended = Interpreter(document, call).run(
        {}, execution=EXECUTION, state_machine=STATE_MACHINE, started=STARTED
    )
    assert ended.status == "SUCCEEDED", ended.cause
    return ended.history


TASK = {
    "Type": "Task",
    "Resource": "arn:aws:states:::lambda:invoke",
    "Arguments": {"FunctionName": "f"},
    "Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "MaxAttempts": 5}],
    "End": True,
}


def test_a_retry_is_a_transition() -> None:
    assert transitions(history({"a": TASK}, "a")) == 1
    assert transitions(history({"a": TASK}, "a", failing=3)) == 4


def test_a_map_is_a_transition_and_so_is_each_state_of_each_iteration() -> None:
    inner = {"StartAt": "a", "States": {"a": {"Type": "Pass", "Next": "b"}, "b": TASK}}
    states = {
        "each": {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": inner, "Next": "end"},
        "end": {"Type": "Succeed"},
    }
    assert transitions(history(states, "each")) == 1 + 3 * 2 + 1
    assert transitions(history(states, "each", failing=2)) == 1 + 3 * 2 + 1 + 2


def test_requests_of_a_queue() -> None:
    assert [queue_requests(n) for n in (1, 10, 11, 1000)] == [3, 12, 15, 1200]


def test_classes_of_s3_requests_and_dollars() -> None:
    s3 = Counter(PutObject=2, ListObjectsV2=1, UploadPart=1, GetObject=3, HeadObject=1)
    s3 += Counter({"DeleteObject": 5, "GetObject (COPY)": 6})
    counts = Counts(transitions=1000, s3=s3, sqs=1_000_000, gb_seconds=2.0)
    assert (counts.puts, counts.gets) == (4, 10)
    assert counts.dollars["transitions"] == pytest.approx(0.025)
    assert counts.dollars["S3"] == pytest.approx(4 * 0.005 / 1000 + 10 * 0.0004 / 1000)
    assert counts.loader == pytest.approx(sum(counts.dollars.values()))
    assert (counts + counts).loader == pytest.approx(counts.times(2).loader)


def test_a_warehouse_that_is_woken_costs_a_minute() -> None:
    assert Counts(warehouse=5.5).awake() == pytest.approx(0.05)
    assert Counts(warehouse=120).awake() == pytest.approx(0.1)
    assert Counts(warehouse=480).awake(4) == pytest.approx(0.1)


def test_prices_are_those_of_the_page_about_costs() -> None:
    text = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    said = {
        "transition": r"\$([\d.]+) for ([\d,]+) transitions",
        "invocation": r"\$([\d.]+) a (million) requests \| \[Lambda",
        "gb_second": r"\$([\d.]+) a (GB)-second",
        "s3_put": r"\$([\d.]+) for ([\d,]+) PUT or LIST",
        "s3_get": r"\$([\d.]+) for ([\d,]+) GET",
        "sqs": r"\$([\d.]+) a (million) requests \| \[SQS",
        "event": r"\$([\d.]+) a (million) events",
        "rpu_hour": r"\$([\d.]+) an (RPU)-hour",
    }
    units = {"million": 1e6, "GB": 1.0, "RPU": 1.0, "1,000": 1e3}
    for name, pattern in said.items():
        found = re.search(pattern, text)
        assert found, name
        assert price(name) == pytest.approx(float(found[1]) / units[found[2]]), name


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_one_new_file_is_within_its_limits() -> None:
    found = costs.one_file()
    assert costs._over(found.counts) == {}
    assert found.counts.invocations["trigger"] == 1
    assert found.counts.sqs == 3
    assert found.said is not None
    assert found.said["transitions"] == found.counts.transitions
    assert found.said["data_api_calls"] == found.counts.data_api.total()


def test_the_samples_flow() -> None:
    counts, took = sample_flow.run([3.0, 2.0])
    assert counts.transitions == 2 * 4 + 1
    assert (counts.data_api.total(), counts.invocations.total()) == (4, 4)
    assert 20 < took < 21
    counts, took = sample_flow.run([25.0])
    assert counts.transitions == 1 + 3 * 3 + 1  # looks after 10, 20 and 30 seconds
    assert 30 < took < 31


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (f"SELECT 1 FROM s.songplays AS f WHERE f.start_time {RANGE}", (True, True)),
        ("SELECT 1 FROM s.songplays AS f WHERE f.user_id = 1", (True, False)),
        ("INSERT INTO s.songplays (a) SELECT 1 FROM s.users", (False, False)),
        (f"DELETE FROM s.songplays WHERE start_time {RANGE} AND x = 1", (True, True)),
        (
            f"DELETE FROM s.songplays USING s.p AS p WHERE songplays.start_time {RANGE} AND songplays.a = p.a",
            (True, True),
        ),
        ("UPDATE s.songplays SET song_id = NULL WHERE song_id = 1", (True, False)),
        (
            (
                "SELECT 1 FROM s.songplays WHERE x IN (SELECT f.x FROM s.songplays AS f "
                f"WHERE f.start_time {RANGE})"
            ),
            (True, False),
        ),
        # A join's own condition limits what it adds, not what it is added to, and a range is its table's only.
        (
            f"SELECT 1 FROM t LEFT JOIN s.songplays AS f ON t.a = f.a AND f.start_time {RANGE}",
            (True, True),
        ),
        (
            f"SELECT 1 FROM s.songplays AS f LEFT JOIN t ON t.a = f.a AND f.start_time {RANGE}",
            (True, False),
        ),
        (
            f"SELECT 1 FROM t INNER JOIN s.songplays AS f ON t.a = f.a WHERE t.start_time {RANGE}",
            (True, False),
        ),
        ("SELECT 1 FROM s.users", (False, False)),
    ],
)
def test_a_range_on_the_sort_key_is_found(sql: str, expected: tuple[bool, bool]) -> None:
    assert reads(sql) == expected


def test_only_songs_read_the_fact_without_a_range() -> None:
    """A load of log files, its reload and its undo read what lies in their own time."""
    found = {
        (group.name, *reads(statement))
        for group in rendered.groups()
        if group.name.startswith(("publish", "reload", "undo"))
        for statement in group.statements
    }
    assert {(name, True, True) for name in ("publish", "reload", "undo")} <= {
        (name.split()[0], *read) for name, *read in found
    }
    assert {name.split()[1] for name, read, ranged in found if read and not ranged} == {"song_data"}


def test_what_a_statement_writes() -> None:
    assert written_table("INSERT INTO s.songplays (a) SELECT 1") == "songplays"
    assert written_table("INSERT INTO s.other (a) SELECT 1 FROM s.songplays") == "other"
    assert written_table("SELECT 1 FROM s.songplays") == ""


def test_a_made_listing_has_each_key_once() -> None:
    keys: list[str] = []
    url = "https://data.s3.amazonaws.com/?list-type=2&prefix=log_data/"
    token = ""
    for _ in range(4):
        text = listing(url + token, "log_data/", 2 * PAGE + 1).decode()
        keys += re.findall("<Key>([^<]+)</Key>", text)
        if "<IsTruncated>true" not in text:
            break
        token = f"&continuation-token={re.search('<NextContinuationToken>(.+?)<', text)[1]}"  # type: ignore[index]
    assert len(keys) == len(set(keys)) == 2 * PAGE + 1
    assert keys == sorted(keys)
    assert b"<Key>" not in listing(url.replace("log", "song"), "log_data/", 5)


def test_pages_of_a_made_result_have_each_row_once() -> None:
    numbers, request = [], {"Id": "1"}
    while True:
        found = page(request, Pages(100_001, 2))
        numbers += [record[0]["longValue"] for record in found["Records"]]
        if "NextToken" not in found:
            break
        request["NextToken"] = found["NextToken"]
    assert numbers == list(range(0, 100_001, 2))


def test_a_chunked_body_is_put_together() -> None:
    chunks = b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n"
    for encoding in ("aws-chunked", b"gzip,aws-chunked"):
        assert (
            _body(SimpleNamespace(headers={"Content-Encoding": encoding}, body=chunks)) == b"abcde"
        )
    assert _body(SimpleNamespace(headers={}, body=b"3\r\nabc")) == b"3\r\nabc"
