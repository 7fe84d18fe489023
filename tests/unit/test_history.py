"""The history: the documents of loads, folded into one file a day."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from loader import history, keys
from loader.history import Leaving, fold, leave_missing, packed, read_history, unpacked
from loader.load_document import asked_by, document_of_gone
from loader.store import NOTHING, Changed, Store

DAY = datetime(2026, 11, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def load_id(number: int, day: datetime = DAY) -> str:
    return f"{day:%Y%m%d}-120000-{number:08x}"


def document(number: int, day: datetime = DAY, **more: Any) -> dict[str, Any]:
    return {"load_id": load_id(number, day), "files": [[f"a/{number}", "loaded", 1]], **more}


def leave(store: Store, *documents: dict[str, Any]) -> None:
    for each in documents:
        store.put_bytes(keys.history_load(each["load_id"]), packed(each))


def folded(store: Store, day: datetime = DAY) -> dict[str, dict[str, Any]]:
    found = unpacked(store.get_bytes(keys.history_day(f"{day:%Y-%m-%d}"))[0])
    return {each["load_id"]: each for each in found["loads"]}


def requests(store: Store, run: Callable[[], Any]) -> list[tuple[str, str]]:
    """(operation, key) of what is asked of S3."""
    made: list[tuple[str, str]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        made.append((model.name, str(params.get("Key") or params.get("Prefix"))))

    store._client.meta.events.register("provide-client-params.s3", note)
    try:
        run()
    finally:
        store._client.meta.events.unregister("provide-client-params.s3", note)
    return made


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the time at which S3 writes objects."""

    def set_time(now: datetime) -> None:
        monkeypatch.setattr("moto.s3.models.utcnow", lambda: now.replace(tzinfo=None))

    set_time(NOW)
    return set_time


def test_what_loads_leave_is_read_at_once_and_after_it_is_folded(
    store: Store, at: Callable[[datetime], None]
) -> None:
    leave(store, document(1), document(2))
    assert {each["load_id"] for each in read_history(store, 30, NOW).loads} == {
        load_id(1),
        load_id(2),
    }
    fold(store, NOW)
    assert folded(store).keys() == {load_id(1), load_id(2)}
    leave(store, document(3))
    made = requests(store, lambda: read_history(store, 30, NOW))
    read = [key for name, key in made if name == "GetObject"]
    assert read == [
        keys.history_day("2026-11-20"), keys.history_load(load_id(3)), keys.SWEPT,
    ]  # fmt: skip
    assert len(read_history(store, 30, NOW).loads) == 3


def test_only_the_days_that_are_asked_for(store: Store, at: Callable[[datetime], None]) -> None:
    for age in (0, 1, 29, 30, 31):
        day = DAY - timedelta(days=age)
        leave(store, document(age, day))
        if age in (29, 31):
            fold(store, NOW)
    names = {each["load_id"] for each in read_history(store, 30, NOW).loads}
    assert names == {load_id(age, DAY - timedelta(days=age)) for age in (0, 1, 29)}
    assert read_history(store, 1, NOW).loads == [document(0)]


def test_what_is_folded_is_not_folded_again(store: Store, at: Callable[[datetime], None]) -> None:
    leave(store, document(1))
    at(NOW + HOUR)
    fold(store, NOW + HOUR)
    made = requests(store, lambda: fold(store, NOW + HOUR))
    assert "PutObject" not in {name for name, _ in made}


def test_a_closed_day_is_neither_listed_nor_read_by_a_fold(
    store: Store, at: Callable[[datetime], None]
) -> None:
    """A load that starts in the last minute of a day may run for a day."""
    leave(store, document(1))
    after = DAY + timedelta(hours=24 + 25)
    at(after - HOUR)
    fold(store, after - HOUR)
    leave(store, document(2))
    assert len(read_history(store, 30, after).loads) == 2
    at(after)
    fold(store, after)
    assert folded(store).keys() == {load_id(1), load_id(2)}
    made = requests(store, lambda: fold(store, after))
    assert {name for name, _ in made} == {"ListObjectsV2"}
    tomorrow = DAY + timedelta(days=2)
    at(tomorrow)
    leave(store, document(3, tomorrow))
    made = requests(store, lambda: read_history(store, 30, tomorrow))
    read = {key for name, key in made if name == "GetObject"}
    assert keys.history_load(load_id(1)) not in read
    assert len(read_history(store, 30, tomorrow).loads) == 3


def test_a_day_is_closed_though_nothing_more_came(
    store: Store, at: Callable[[datetime], None]
) -> None:
    leave(store, document(1))
    at(NOW + HOUR)
    fold(store, NOW + HOUR)
    after = DAY + timedelta(days=1) + history.CLOSES
    at(after)
    assert ("PutObject", keys.history_day("2026-11-20")) in requests(
        store, lambda: fold(store, after)
    )
    assert ("PutObject", keys.history_day("2026-11-20")) not in requests(
        store, lambda: fold(store, after)
    )


def test_a_document_that_comes_or_changes_long_after_its_day(
    store: Store, at: Callable[[datetime], None]
) -> None:
    """An execution that was redriven writes its own again."""
    leave(store, document(1), document(2, status="failed"))
    late = DAY + timedelta(days=5)
    at(late - HOUR)
    fold(store, late - HOUR)
    at(late)
    leave(store, document(2, status="loaded"), document(3))
    at(late + HOUR)
    fold(store, late + HOUR)
    assert folded(store)[load_id(2)]["status"] == "loaded"
    assert load_id(3) in folded(store)
    assert len(read_history(store, 30, late).loads) == 3


def test_folds_at_the_same_time_lose_nothing(
    store: Store, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each reads the day's file before the other writes it."""
    leave(store, document(1))
    fold(store, NOW)
    put = Store.put_bytes

    def meanwhile(self: Store, key: str, body: bytes, over: Any = None) -> None:
        if key == keys.history_day("2026-11-20") and over is not None:
            monkeypatch.setattr(Store, "put_bytes", put)
            leave(store, document(3))
            fold(store, NOW)
            assert folded(store).keys() == {load_id(n) for n in (1, 2, 3)}
        put(self, key, body, over)

    leave(store, document(2))
    monkeypatch.setattr(Store, "put_bytes", meanwhile)
    fold(store, NOW)
    assert folded(store).keys() == {load_id(n) for n in (1, 2, 3)}


def test_a_day_that_cannot_be_folded_keeps_later_days_open(
    store: Store, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a day's file is closed, readers do not look for own documents of the days before it."""
    yesterday = DAY - timedelta(days=1)
    leave(store, document(1, yesterday), document(2))
    put = Store.put_bytes

    def always_changed(self: Store, key: str, body: bytes, over: Any = None) -> None:
        if key == keys.history_day("2026-11-19"):
            raise Changed(key)
        put(self, key, body, over)

    monkeypatch.setattr(Store, "put_bytes", always_changed)
    late = DAY + timedelta(days=5)
    at(late)
    fold(store, late)
    assert [*store.keys(keys.HISTORY_DAYS)] == []
    assert len(read_history(store, 30, late).loads) == 2


def test_a_document_is_written_over_nothing_and_over_what_was_read_only(store: Store) -> None:
    store.put_bytes("history/x", b"1", over=NOTHING)
    with pytest.raises(Changed):
        store.put_bytes("history/x", b"2", over=NOTHING)
    _, version = store.get_bytes("history/x")
    store.put_bytes("history/x", b"3", over=version)
    with pytest.raises(Changed):
        store.put_bytes("history/x", b"4", over=version)
    assert store.get_bytes("history/x")[0] == b"3"
    store.delete("history/x")
    with pytest.raises(Changed):
        store.put_bytes("history/x", b"5", over=version)
    with pytest.raises(ClientError):  # any other error is one
        Store("nobodys-bucket").put_bytes("history/x", b"6")


def test_a_load_that_left_none_gets_one_and_no_other_does(store: Store) -> None:
    leave(store, document(1, status="loaded"))
    arn = "arn:aws:states:us-west-2:123456789012:execution:load:s3-abc"
    for number in (1, 2):
        leave_missing(store, document_of_gone(load_id(number), arn))
    found = {each["load_id"]: each for each in read_history(store, 30, NOW).loads}
    assert found[load_id(1)]["status"] == "loaded"
    gone = found[load_id(2)]
    assert (gone["status"], gone["asked"], gone["execution"]) == ("failed", "events", arn)
    assert gone["started"] == "2026-11-20T12:00:00+00:00"
    assert gone["report"]["cause"]


def test_the_files_of_a_day_are_limited_and_the_bad_ones_kept(
    store: Store, at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FILES_OF_A_DAY", 3)
    bad = ["a/bad", "rejected", 1]
    for number in range(3):
        leave(store, document(number) | {"files": [bad, ["a/good", "loaded", 1]]})
    fold(store, NOW)
    kept = [len(each["files"]) for _, each in sorted(folded(store).items())]
    assert kept == [1, 1, 2]


def test_a_load_does_not_wait_long_for_its_document(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    monkeypatch.setattr(Store, "put_bytes", lambda *_: answer.wait(20))
    monkeypatch.setattr(history, "GRACE", 0.01)
    leaving = Leaving(store, lambda: document(1), load_id(1))
    leaving.end()  # returns
    assert not leaving._put.done()
    answer.set()


def test_a_load_does_not_fail_because_of_its_document(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def document_of_nothing() -> dict[str, Any]:
        raise KeyError("dataset")

    Leaving(store, document_of_nothing, load_id(1)).end()
    assert "the page of loads lacks it" in caplog.text
    assert [*store.keys(keys.HISTORY_LOADS)] == []


@pytest.mark.parametrize(
    ("name", "mark", "asked"),
    [
        ("s3-0a1b", "", "events"),
        ("sweep-20261120-120000-000000", "", "sweep"),
        ("0d9e", "2026-11-20T12:00:00+00:00", "sweep"),  # the rest of a sweep's backlog
        ("my-load", "", "person"),
    ],
)
def test_who_asked_for_it(name: str, mark: str, asked: str) -> None:
    assert asked_by(f"arn:aws:states:us-west-2:123456789012:execution:load:{name}", mark) == asked
