"""The plan: which files, which are new, in which batches."""

import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import plan
import pytest
from loader import batches, redo, sql
from loader.dataapi import StatementFailed
from loader.keys import UNFINISHED, WAITING_SINCE
from loader.migrations import latest_version
from loader.store import DataFile, Store

from tests.unit.fakes import Clock, Context, FakeDataApi, Reply, failed
from tests.unit.loads import EXECUTION, HOSTILE, LOG, SONG, STARTED, file, known, known_by

LOG2 = "log_data/2018/11/2018-11-13-events.json"
GZ = "log_data/2018/12/2018-12-01-events.json.gz"
UNDONE = "20261122-101112-1a2b3c4d"
MADE = "2026-11-01 08:00:00.000000"  # when the ledger's tables were made
NO_TABLES = failed(1, 'ERROR: relation "sparkify.file_plan" does not exist')


def call(request: Any, load: dict[str, Any] | None = None) -> dict[str, Any]:
    """A call of the step, through JSON as Step Functions passes it."""
    event = {"input": request, "execution": EXECUTION, "started": STARTED, "load": load or {}}
    answer: dict[str, Any] = json.loads(json.dumps(plan.handler(event, Context())))
    return answer


def put(s3: Any, *keys: str, body: bytes = b"{}") -> None:
    for key in keys:
        s3.put_object(Bucket="data", Key=key, Body=body)


def new(*numbers: int) -> Reply:
    """Redshift's answer: the numbers of the listed files that are new, and the ledger's own row and version."""
    found = [(number, None) for number in numbers]
    return Reply(rows={3: [*found, (7, MADE), (latest_version(), "version")]})


def planned_keys(store: Store, answer: dict[str, Any]) -> list[list[str]]:
    assert len(answer["batches"]) == answer["batch_count"]
    found = [batches.read(store, answer["load_id"], name) for name in answer["batches"]]
    return [[member.key for member in batch.files] for batch in found]


def events(store: Store, *keys: str, name: str = "events/s3-1.json.gz") -> str:
    return store.put_lines(name, [file(key).as_dict() for key in keys])


def test_all_that_is_new(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG, LOG2, SONG, GZ, "log_data/readme.txt", "elsewhere/x.json", "log_data/2018/")
    data_api.replies = [new(0, 1, 2, 3)]
    answer = call({})
    assert answer["outcome"] == "load"
    assert (answer["listed"], answer["planned"], answer["known"]) == (4, 4, 0)
    assert answer["datasets"] == {"log_data": 3, "song_data": 1}
    assert planned_keys(store, answer) == [[LOG, LOG2], [GZ], [SONG]]
    assert answer["load_id"].startswith("20261123-203011-")
    assert answer["execution"] == EXECUTION


def test_what_the_warehouse_is_asked(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG, SONG)
    answer = call({})
    load_id, listing = answer["load_id"], answer["listing"]
    assert re.fullmatch(rf"loads/{load_id}/listing-[0-9a-f]{{8}}\.json\.gz", listing)
    create, copy, select = data_api.submits[0]["Sqls"]
    assert f"TEMPORARY TABLE file_plan_{load_id.replace('-', '_')} " in create
    assert f"FROM 's3://working/{listing}'" in copy
    assert "GZIP" in copy
    # Of those that the ledger does not know their numbers only: there may be a million.
    assert select.startswith("SELECT\n    CASE WHEN k.status IS NULL THEN MIN(k.seq) ELSE COUNT(*)")
    assert "LEFT JOIN sparkify.files AS f" in select
    assert data_api.submits[0]["ExecutionMode"] == "TRANSACTION"
    rows = list(store.get_lines(listing))
    assert [(row["seq"], row["key"]) for row in rows] == [(0, LOG), (1, SONG)]


@pytest.mark.parametrize(
    ("request_", "named"),
    [({}, False), ({"prefixes": ["log_data/"]}, False), ({"keys": [LOG]}, True)],
)
def test_only_what_is_named_by_key_is_tried_again(
    s3: Any, data_api: FakeDataApi, request_: Any, named: bool
) -> None:
    put(s3, LOG)
    answer = call(request_)
    assert known_by(data_api) == known(named=named, reload=False)
    assert answer["named"] is named


def test_what_is_known_is_left_out(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG, LOG2, SONG)
    data_api.replies = [new(1)]
    answer = call({})
    assert (answer["listed"], answer["planned"], answer["known"]) == (3, 1, 2)
    assert planned_keys(store, answer) == [[LOG2]]


@pytest.mark.parametrize("there", [[], [LOG]])
def test_nothing_new(s3: Any, data_api: FakeDataApi, there: list[str]) -> None:
    put(s3, *there)
    answer = call({})
    assert answer["outcome"] == "nothing"
    assert len(data_api.submits) == 1  # of an empty bucket only for its version
    assert answer["ledger"] is None


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        ({"prefixes": ["log_data/2018/11/"]}, [LOG, LOG2]),
        ({"prefixes": ["log_data/2018/11/2018-11-13"]}, [LOG2]),
        ({"prefixes": ["log"]}, [LOG, LOG2, GZ, HOSTILE]),
        ({"prefixes": ["log_data/2018/", "log_data/2018/11/"]}, [LOG, LOG2, GZ]),
        ({"prefixes": ["log_data/2018/12/", "song_data/A/"]}, [GZ, SONG]),
        ({"keys": [SONG]}, [SONG]),
        ({"keys": [LOG2], "prefixes": ["log_data/2018/11/"]}, [LOG2, LOG]),
        ({"keys": [HOSTILE]}, [HOSTILE]),
    ],
)
def test_narrowed(
    store: Store, s3: Any, data_api: FakeDataApi, request_: Any, keys: list[str]
) -> None:
    put(s3, LOG, LOG2, GZ, SONG, HOSTILE)
    data_api.replies = [new(*range(len(keys)))]
    answer = call(request_)
    assert answer["listed"] == len(keys)
    assert sorted(key for batch in planned_keys(store, answer) for key in batch) == sorted(keys)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ([], "JSON object"),
        ({"prefix": "log_data/"}, "'prefix' is not known"),
        ({"keys": ["log_data/gone.json"]}, "keys: 'log_data/gone.json' is missing"),
        ({"keys": [LOG, "other/x.json"]}, "keys: 'other/x.json' matches no dataset"),
        ({"prefixes": ["other/"]}, "prefixes: no dataset has files under 'other/'"),
        ({"objects": "s3://elsewhere/list.json"}, "objects: 's3://elsewhere/list.json' is not in"),
    ],
)
def test_refused(s3: Any, data_api: FakeDataApi, request_: Any, says: str) -> None:
    put(s3, LOG)
    answer = call(request_)
    assert answer["outcome"] == "refused"
    assert says in answer["cause"]
    assert data_api.submits == []


@pytest.mark.parametrize("mode", ["check", "reset"])
def test_what_needs_no_files(s3: Any, data_api: FakeDataApi, mode: str) -> None:
    answer = call({mode: True})
    assert (answer["outcome"], answer["mode"]) == (mode, mode)
    assert data_api.submits == []


def test_the_tables_are_upgraded_without_a_load(s3: Any, data_api: FakeDataApi) -> None:
    """By the step that makes the tables, whatever their version is: it also puts back what was dropped."""
    put(s3, LOG)
    answer = call({"migrate": True})
    assert (answer["outcome"], answer["mode"]) == ("no tables", "migrate")
    answer = call({"migrate": True}, {**answer, "upgraded": {"from": 2, "to": 4}})
    assert (answer["outcome"], answer["mode"]) == ("migrated", "migrate")
    assert data_api.submits == []


def older() -> Reply:
    """Redshift's answer of tables of an earlier version, in which all is known."""
    return Reply(
        rows={3: [(1, "loaded"), (7, MADE), (latest_version() - 1, "version")]}
        | {1: [("ledger", MADE, 7, latest_version() - 1)]}
    )


@pytest.mark.parametrize("there", [[], [LOG]])
def test_with_nothing_to_load_the_tables_are_upgraded_too(
    s3: Any, data_api: FakeDataApi, there: list[str]
) -> None:
    put(s3, *there)
    data_api.replies = [older(), Reply(rows={3: [(1, "loaded"), (7, MADE), (99, "version")]})]
    answer = call({})
    assert answer["outcome"] == "no tables"
    assert call({}, answer)["outcome"] == "nothing"
    assert len({request["ClientToken"] for request in data_api.submits}) == 2


def test_tables_that_stay_old_are_not_upgraded_for_ever(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [older() for _ in range(9)]
    answer = call({})
    for _ in range(plan.MAX_UPGRADES - 1):
        answer = call({}, answer)
        assert answer["outcome"] == "no tables"
    with pytest.raises(StatementFailed, match="The tables have version"):
        call({}, answer)


def test_a_dry_run_takes_old_tables_as_they_are(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [older()]
    answer = call({"dry_run": True})
    assert answer["outcome"] == "planned"
    assert answer["upgraded"] == {"from": latest_version() - 1, "to": latest_version() - 1}


def test_what_is_known_is_said_by_its_status(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, *(f"log_data/{n}.json" for n in range(9)))
    before = time.time() - 1
    told = [(5, "withdrawn"), (1, None), (2, "loaded"), (1, "rejected"), (7, MADE), (9, "version")]
    data_api.replies = [Reply(rows={3: told})]
    answer = call({"dry_run": True})
    assert answer["known_as"] == {"loaded": 2, "rejected": 1, "withdrawn": 5}
    assert (answer["known"], answer["planned"]) == (8, 1)
    asked = answer["ledger"].pop("asked")
    assert before <= asked <= time.time()
    assert answer["ledger"] == {"made": MADE, "before": 7, "loads": 7}


def withdrawn(*keys: str, bucket: str = "data", **statuses: int) -> Reply:
    """What the ledger says of a load: the files that were withdrawn, and how many have which status."""
    counts = {"withdrawn": len(keys), "published": 1} | statuses
    return Reply(rows={1: list(counts.items()), 2: [(bucket, key) for key in keys]})


@pytest.mark.parametrize("asked_for", [500, 2])  # one by one, or listed
def test_the_files_of_an_undone_load_are_loaded_as_they_are_now(
    store: Store,
    s3: Any,
    data_api: FakeDataApi,
    measured: Callable[[], dict[str, float]],
    monkeypatch: pytest.MonkeyPatch,
    asked_for: int,
) -> None:
    """Keys come out of the ledger, and never go into a statement."""
    monkeypatch.setattr(redo, "ASKED_FOR", asked_for)
    put(s3, LOG, LOG2, SONG, HOSTILE, "log_data/other.json")
    data_api.replies = [withdrawn(LOG, LOG2, SONG, HOSTILE, "log_data/gone.json", "x/y.json")]
    data_api.replies += [new(0, 1, 2, 3)]
    answer = call({"redo": UNDONE})
    assert answer["outcome"] == "load"
    assert (answer["mode"], answer["named"]) == ("load", True)
    keys = [key for batch in planned_keys(store, answer) for key in batch]
    assert sorted(keys) == sorted([LOG, LOG2, SONG, HOSTILE])
    assert known_by(data_api) == known(named=True, reload=False)
    assert answer["missing"]["files"] == 2
    rows = list(store.get_lines(store.key_of(answer["missing"]["list"])))
    assert {row["key"]: row["reason"] for row in rows} == {
        "log_data/gone.json": "it is not in the bucket data, or may not be read",
        "x/y.json": "it no longer matches a dataset",
    }
    for text in data_api.statements:
        assert HOSTILE not in text
    assert measured() == {}  # the files of one load do not say how long the oldest of all waits
    assert f"'{UNDONE}'" in data_api.submits[0]["Sqls"][1]


def test_files_of_another_bucket_are_not_loaded_again(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [withdrawn(LOG, bucket="before")]
    answer = call({"redo": UNDONE})
    assert (answer["outcome"], answer["missing"]["keys"]) == ("nothing", [LOG])


def test_a_redo_that_waits_asks_once_and_lists_once(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    put(s3, LOG)
    asked = withdrawn(LOG)
    asked.running = 2
    data_api.replies = [failed(1, "ERROR: deadlock detected"), asked, new(0)]
    answers = until_it_ends({"redo": UNDONE})
    assert [answer["outcome"] for answer in answers] == ["running"] * 3 + ["load"]
    assert len(data_api.submits) == 3
    assert len([key for key in store.keys("loads/") if "/redo" in key]) == 1


def test_a_dry_run_of_a_redo_only_plans(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [withdrawn(LOG), new(0)]
    answer = call({"redo": UNDONE, "dry_run": True})
    assert (answer["outcome"], answer["planned"]) == ("planned", 1)
    assert list(store.keys(UNFINISHED)) == []


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(rows={1: [("published", 0)]}), f"redo: there is no load {UNDONE}"),
        (NO_TABLES, f"redo: there is no load {UNDONE}"),
        (withdrawn(loaded=3), f"redo: load {UNDONE} was not undone, its files are loaded."),
        (withdrawn(rejected=2, withdrawn=0), "has no withdrawn files (2 rejected)"),
        (withdrawn(withdrawn=0), "has no withdrawn files (it loaded none)"),
    ],
)
def test_a_redo_is_refused(s3: Any, data_api: FakeDataApi, reply: Reply, says: str) -> None:
    data_api.replies = [reply]
    answer = call({"redo": UNDONE})
    assert answer["outcome"] == "refused"
    assert says in answer["cause"]


def test_the_triggers_list_is_taken_without_asking_the_warehouse(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    answer = call({"objects": events(store, LOG, HOSTILE, "other/x.json")})
    assert answer["outcome"] == "load"
    assert planned_keys(store, answer) == [[LOG, HOSTILE]]
    assert data_api.submits == []


def test_the_sweeps_list_is_compared_and_its_mark_kept(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    data_api.replies = [new(1)]
    mark = "2026-11-23T20:30:00+00:00"
    objects = events(store, LOG, LOG2, name="sweeps/1.json.gz")
    answer = call({"objects": objects, "mark": mark})
    assert planned_keys(store, answer) == [[LOG2]]
    assert answer["mark"] == mark


@pytest.mark.parametrize(
    ("request_", "named"), [({"prefixes": ["log_data/"]}, False), ({"keys": [LOG, LOG2]}, True)]
)
def test_a_reload_is_compared_too(
    store: Store, s3: Any, data_api: FakeDataApi, request_: Any, named: bool
) -> None:
    """It takes what is loaded; but what was withdrawn only if it is named by its key."""
    put(s3, LOG, LOG2)
    data_api.replies = [new(1)]
    answer = call({"reload": True, **request_})
    assert (answer["outcome"], answer["mode"]) == ("load", "reload")
    assert planned_keys(store, answer) == [[LOG2]]
    assert known_by(data_api) == known(named=named, reload=True)


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("request_", [{"prefixes": ["log_data/"]}, {"keys": [LOG, LOG2]}])
def test_a_reload_of_rows_that_nothing_can_take_out_is_refused(
    store: Store,
    s3: Any,
    data_api: FakeDataApi,
    monkeypatch: pytest.MonkeyPatch,
    request_: Any,
    dry_run: bool,
) -> None:
    """It would double them: the dataset has no reload/ in its folder."""
    put(s3, LOG, LOG2)
    monkeypatch.setattr(sql, "files", lambda folder: [])
    answer = call({"reload": True, "dry_run": dry_run, **request_})
    assert answer["outcome"] == "refused"
    for word in ("reload:", LOG, "log_data", "sql/datasets/log_data/reload/", "Undo"):
        assert word in answer["cause"]
    assert data_api.submits == []


def test_a_list_of_the_trigger_is_compared_for_a_reload(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    data_api.replies = [new(0)]
    answer = call({"objects": events(store, LOG, LOG2), "reload": True})
    assert planned_keys(store, answer) == [[LOG]]


def test_an_undo_is_handed_on(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    answer = call({"undo": UNDONE, "dry_run": True})
    assert (answer["outcome"], answer["mode"]) == ("undo", "undo")
    assert (answer["undo"], answer["dry_run"]) == ({"load_id": UNDONE}, True)
    # After the tables were made, or upgraded, the plan is asked again: the attempts that were made count on.
    again = call({"undo": UNDONE}, {**answer, "attempt": 1, "outcome": "again"})
    assert (again["outcome"], again["attempt"], again["dry_run"]) == ("undo", 1, False)
    assert data_api.submits == []
    assert list(store.keys("")) == [f"open/{answer['load_id']}.json"]


@pytest.mark.parametrize("request_", [{"undo": UNDONE}, {"reset": True}])
def test_what_may_keep_the_lock_leaves_word_of_itself(store: Store, request_: Any) -> None:
    """The sweep ends its statements if it never gets to its end."""
    answer = call(request_)
    assert store.get(f"open/{answer['load_id']}.json") == {"execution": EXECUTION}


def test_a_load_that_will_stage_leaves_word_of_itself(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    """The sweep cleans up after it if it never gets to its end."""
    put(s3, LOG)
    data_api.replies = [Reply(running=1, rows={3: [(0, None)]})]
    answer = call({})
    assert (answer["outcome"], list(store.keys(UNFINISHED))) == ("running", [])
    answer = call({}, answer)
    [key] = store.keys(UNFINISHED)
    assert key == f"open/{answer['load_id']}.json"
    assert store.get(key) == {"execution": EXECUTION}


@pytest.mark.parametrize(
    ("request_", "replies"),
    [({}, [new()]), ({"dry_run": True}, [new(0)]), ({"check": True}, []), ({"keys": ["x"]}, [])],
)
def test_a_load_that_stages_nothing_leaves_no_word(
    store: Store, s3: Any, data_api: FakeDataApi, request_: Any, replies: list[Reply]
) -> None:
    put(s3, LOG)
    data_api.replies = replies
    assert call(request_)["outcome"] != "load"
    assert list(store.keys(UNFINISHED)) == []


@pytest.mark.parametrize("keys", [[], [LOG]])
def test_the_loads_that_the_sweep_found_ended_are_handed_on(
    store: Store, s3: Any, data_api: FakeDataApi, keys: list[str]
) -> None:
    """Also where there is nothing to load."""
    data_api.replies = [new(0)]
    objects = events(store, *keys, name="sweeps/1.json.gz")
    answer = call({"objects": objects, "mark": "2026-11-23T20:30:00+00:00", "ended": [UNDONE]})
    assert answer["outcome"] == ("load" if keys else "nothing")
    assert answer["ended"] == [UNDONE]
    assert call({})["ended"] == []


def test_statements_of_ended_loads_are_cancelled_before_the_load_waits_behind_them(
    store: Store, data_api: FakeDataApi
) -> None:
    left = data_api.add(f"{UNDONE} publish 0.0", Reply(running=1))
    data_api.add(f"{UNDONE} stage 0.0", Reply())
    objects = events(store, name="sweeps/1.json.gz")
    answer = call({"objects": objects, "mark": "2026-11-23T20:30:00+00:00", "ended": [UNDONE]})
    assert (answer["outcome"], data_api.cancelled) == ("nothing", [left])


def test_statements_of_ended_loads_that_cannot_be_cancelled_stop_no_load(
    store: Store, s3: Any, data_api: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**request: Any) -> None:
        raise data_api.error("AccessDeniedException", "ListStatements")

    monkeypatch.setattr(data_api, "list_statements", refuse)
    data_api.replies = [new(0)]
    objects = events(store, LOG, name="sweeps/1.json.gz")
    answer = call({"objects": objects, "mark": "2026-11-23T20:30:00+00:00", "ended": [UNDONE]})
    assert answer["outcome"] == "load"


def test_the_batches_of_a_load_are_an_array_of_names_also_if_it_is_one(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    """The state machine's Map takes them as they are."""
    put(s3, LOG, SONG)
    data_api.replies = [new(0), new(0, 1)]
    assert call({})["batches"] == ["0"]
    assert call({})["batches"] == ["0", "1"]


def test_a_dry_run_writes_no_batch(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, *(f"log_data/{n:02}.json" for n in range(30)), SONG)
    data_api.replies = [new(*range(31))]
    answer = call({"dry_run": True})
    assert answer["outcome"] == "planned"
    assert (answer["batch_count"], answer["planned"], answer["bytes"]) == (2, 31, 62)
    assert answer["keys"] == [f"log_data/{n:02}.json" for n in range(10)]
    assert not [key for key in store.keys("") if "/batches/" in key]


def test_a_dry_run_names_every_file_that_is_not_loaded(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    """The report shows ten; the list has all, with what a person needs to find them."""
    keys = [f"log_data/{n:02}.json" for n in range(30)]
    put(s3, *keys, SONG, HOSTILE)
    data_api.replies = [new(*range(1, 32))]
    answer = call({"dry_run": True})
    assert answer["not_loaded"] == f"s3://working/loads/{answer['load_id']}/not_loaded.json.gz"
    rows = list(store.get_lines(store.key_of(answer["not_loaded"])))
    assert sorted(row["key"] for row in rows) == sorted([*keys[1:], SONG, HOSTILE])
    there = {file.key: file for file in store.list_files("data", "")}
    assert [DataFile(**row) for row in rows] == [there[row["key"]] for row in rows]
    assert answer["oldest_file"] == min(there[row["key"]].modified for row in rows)


def test_a_dry_run_that_finds_nothing_writes_no_list(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    put(s3, LOG)
    data_api.replies = [new()]
    answer = call({"dry_run": True})
    assert (answer["outcome"], answer["planned"], answer["oldest_file"]) == ("planned", 0, "")
    assert not [key for key in store.keys("") if "not_loaded" in key]
    assert "not_loaded" not in answer


ODD = ["log_data/UPPER.JSON", "log_data/lines.jsonl", "log_data/part-00000", "song_data/a.csv"]


@pytest.mark.parametrize(
    "request_", [{"dry_run": True}, {}, {"dry_run": True, "prefixes": ["log_data/", "song_data/"]}]
)
@pytest.mark.parametrize("others", [[LOG, SONG], []])
def test_files_that_no_dataset_takes_are_named(
    store: Store, s3: Any, data_api: FakeDataApi, request_: dict[str, Any], others: list[str]
) -> None:
    """By a dry run with a list of all, whether there is anything else or not."""
    many = [f"song_data/b/{n:03}.txt" for n in range(20)]
    put(s3, *others, *ODD, *many, "log_data/2018/", "other/x.txt")
    data_api.replies = [new(0, 1)]
    answer = call(request_)
    found = answer["not_taken"]
    assert found["files"] == 24
    assert found["datasets"] == {"log_data": 3, "song_data": 21}
    assert found["keys"] == [*ODD, *many[:6]]
    if request_:
        rows = store.get_lines(store.key_of(found["list"]))
        assert [row["key"] for row in rows] == [*ODD, *many]
    assert answer["outcome"] in ("planned", "load", "nothing")


def test_below_the_prefixes_only(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG, *ODD)
    data_api.replies = [new(0)]
    assert call({"prefixes": ["song_data/"]})["not_taken"]["keys"] == ODD[-1:]
    assert "not_taken" not in call({"keys": [LOG]})


def test_a_dry_run_before_the_first_load(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    """Without tables all is new, and a plan makes none."""
    put(s3, LOG, SONG)
    data_api.replies = [NO_TABLES]
    answer = call({"dry_run": True})
    assert (answer["outcome"], answer["planned"]) == ("planned", 2)
    assert len(list(store.get_lines(store.key_of(answer["not_loaded"])))) == 2


def swept(store: Store, *hours: float) -> str:
    """The sweep's list of files that were put so many hours ago."""
    now = datetime.now(UTC)
    rows = [
        DataFile("data", f"log_data/{n}.json", "e", 2, (now - timedelta(hours=ago)).isoformat())
        for n, ago in enumerate(hours)
    ]
    return store.put_lines("sweeps/1.json.gz", [row.as_dict() for row in rows])


@pytest.mark.parametrize(("numbers", "hours"), [([0, 1, 2], 7), ([0, 2], 2), ([2], 1), ([], 0)])
def test_the_age_of_the_oldest_file_that_is_not_loaded(
    store: Store,
    s3: Any,
    data_api: FakeDataApi,
    measured: Callable[[], dict[str, float]],
    numbers: list[int],
    hours: float,
) -> None:
    """Exact where the ledger was asked about all that may be new: by the sweep's load."""
    looked(store, 100)
    data_api.replies = [new(*numbers)]
    call({"objects": swept(store, 2, 7, 1), "mark": "2026-11-23T20:30:00+00:00"})
    assert measured()["OldestFileNotLoaded"] == pytest.approx(hours * 3600, abs=60)


def looked(store: Store, hours: float) -> None:
    """A load first looked at all files so many hours ago."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    store.put(WAITING_SINCE, {"since": since.isoformat()})


def test_files_of_years_ago_have_not_waited_for_years(
    store: Store, s3: Any, data_api: FakeDataApi, measured: Callable[[], dict[str, float]]
) -> None:
    """A new stack's bucket: they wait from when a load has first looked. A load that goes on failing is seen."""
    request = {"objects": swept(store, 30_000), "mark": "2026-11-23T20:30:00+00:00"}
    data_api.replies = [new(0)]
    call(request)
    assert measured()["OldestFileNotLoaded"] < 60
    assert datetime.now(UTC) - datetime.fromisoformat(
        store.get(WAITING_SINCE)["since"]
    ) < timedelta(minutes=1)
    looked(store, 4)
    data_api.replies = [new(0)]
    call(request)
    assert measured()["OldestFileNotLoaded"] == pytest.approx(4 * 3600, abs=60)


def test_a_dry_run_starts_no_waiting(store: Store, s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [new(0)]
    call({"dry_run": True})
    assert WAITING_SINCE not in list(store.keys(""))


@pytest.mark.parametrize(
    ("request_", "is_measured"),
    [
        ({}, True),
        ({"dry_run": True}, True),
        ({"prefixes": ["log_data/"]}, False),
        ({"keys": [LOG]}, False),
        ({"reload": True, "prefixes": ["log_data/"]}, False),
        ({"objects": "s3://working/events/s3-1.json.gz"}, False),
        ({"objects": "s3://working/rest/1.json.gz", "mark": ""}, False),
        ({"check": True}, False),
        ({"undo": "20261123-203011-0a1b2c3d"}, False),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_only_who_looks_at_all_files_measures_it(
    store: Store,
    s3: Any,
    data_api: FakeDataApi,
    measured: Callable[[], dict[str, float]],
    request_: Any,
    is_measured: bool,
    there: bool,
) -> None:
    if there:
        put(s3, LOG)
    for name in ("events/s3-1.json.gz", "rest/1.json.gz"):
        events(store, *([LOG] if there else []), name=name)
    data_api.replies = [new(0)]
    call(request_)
    found = measured()
    assert ("OldestFileNotLoaded" in found) is is_measured
    assert 0 <= found.get("OldestFileNotLoaded", 0) < 60


@pytest.mark.parametrize(
    ("files", "size", "limit", "expected"),
    [
        (2, 10**9, 20, [["1", "2"], ["3", "4"], ["5"]]),
        (100, 4, 20, [["1", "2"], ["3", "4"], ["5"]]),
        (100, 10**9, 20, [["1", "2", "3", "4", "5"]]),
        (2, 10**9, 2, [["1", "2"], ["3", "4"]]),
    ],
)
def test_limits(
    store: Store,
    s3: Any,
    data_api: FakeDataApi,
    configure: Callable[..., None],
    files: int,
    size: int,
    limit: int,
    expected: list[list[str]],
) -> None:
    configure(BATCH_FILES=str(files), BATCH_BYTES=str(size), MAX_BATCHES=str(limit))
    put(s3, *(f"log_data/{n}.json" for n in range(1, 6)))
    data_api.replies = [new(0, 1, 2, 3, 4)]
    answer = call({})
    found = [[key[9:-5] for key in keys] for keys in planned_keys(store, answer)]
    assert found == expected
    left = 5 - sum(len(keys) for keys in expected)
    assert bool(answer["rest"]) is bool(left)
    if left:
        listing = answer["listing"].removesuffix(".json.gz")[-8:]
        assert answer["rest"] == f"s3://working/rest/{answer['load_id']}-{listing}/0.json.gz"
        assert (answer["planned"], answer["known"]) == (4, 0)
        data_api.replies = [new(0)]
        rest = call({"objects": answer["rest"], "mark": "", "named": answer["named"]})
        assert rest["named"] is answer["named"] is False
        assert planned_keys(store, rest) == [["log_data/5.json"]]
        assert len(data_api.submits) == 2  # compared again: it may have been loaded meanwhile


def of_lists(s3: Any, data_api: FakeDataApi, configure: Callable[..., None]) -> str:
    """Seven files are planned, two are loaded at once: the URI of the first of three lists that are left."""
    configure(BATCH_FILES="1", MAX_BATCHES="2")
    put(s3, *(f"log_data/{n}.json" for n in range(7)))
    data_api.replies = [new(*range(7))]
    return str(call({})["rest"])


def test_an_execution_reads_its_own_list_only(
    store: Store, s3: Any, data_api: FakeDataApi, configure: Callable[..., None]
) -> None:
    objects, found = of_lists(s3, data_api, configure), []
    while objects:
        lines = list(store.get_lines(store.key_of(objects)))
        data_api.replies = [new(*range(len(lines)))]
        answer = call({"objects": objects})
        assert (answer["listed"], answer["planned"], answer["known"]) == (len(lines), len(lines), 0)
        found.append([line["key"] for line in lines])
        assert [key for keys in planned_keys(store, answer) for key in keys] == found[-1]
        objects = answer["rest"]
    assert found == [
        ["log_data/2.json", "log_data/3.json"],
        ["log_data/4.json", "log_data/5.json"],
        ["log_data/6.json"],
    ]


def test_a_list_that_others_have_loaded_is_passed_over(
    s3: Any, data_api: FakeDataApi, configure: Callable[..., None], store: Store
) -> None:
    """An execution that loads nothing would not start the next."""
    objects = of_lists(s3, data_api, configure)
    data_api.replies = [new(), new(1)]
    *before, answer = until_it_ends({"objects": objects})
    assert [each["outcome"] for each in before] == ["running"]
    assert (answer["listed"], answer["known"], answer["planned"]) == (4, 3, 1)
    assert planned_keys(store, answer) == [["log_data/5.json"]]
    assert answer["rest"].endswith("/2.json.gz")
    data_api.replies = [new(), new(), new()]
    answer = until_it_ends({"objects": objects})[-1]
    assert (answer["outcome"], answer["rest"]) == ("nothing", "")
    assert (answer["listed"], answer["known"], answer["planned"]) == (5, 5, 0)


def test_a_list_that_is_too_long_by_now_goes_on_behind_the_others(
    store: Store, s3: Any, data_api: FakeDataApi, configure: Callable[..., None]
) -> None:
    """The limits may be changed during a backfill."""
    objects, found = of_lists(s3, data_api, configure), []
    configure(BATCH_FILES="1", MAX_BATCHES="1")
    while objects:
        lines = list(store.get_lines(store.key_of(objects)))
        data_api.replies = [new(*range(len(lines)))]
        answer = call({"objects": objects})
        found += planned_keys(store, answer)
        objects = answer["rest"]
    assert sorted(found) == [[f"log_data/{n}.json"] for n in range(2, 7)]


def test_the_oldest_file_is_measured_at_the_end_of_the_rest(
    store: Store,
    s3: Any,
    data_api: FakeDataApi,
    configure: Callable[..., None],
    measured: Callable[[], dict[str, float]],
) -> None:
    """Of a list in the middle nothing is known of the files in those that follow."""
    objects, seen = of_lists(s3, data_api, configure), []
    assert "OldestFileNotLoaded" in measured()
    while objects:
        data_api.replies = [new(0)]
        answer = call({"objects": objects, "mark": "2026-11-23T20:30:00+00:00"})
        seen.append("OldestFileNotLoaded" in measured())
        objects = answer["rest"]
    assert seen == [False, False, True]


def until_it_ends(request: Any, most: int = 10) -> list[dict[str, Any]]:
    """The step, called again while it runs, as the state machine does."""
    answers = [call(request)]
    while answers[-1]["outcome"] == "running" and len(answers) < most:
        answers.append(call(request, answers[-1]))
    return answers


def test_a_comparison_that_takes_its_time(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [Reply(running=2, rows={3: [(0, None)]})]
    answers = until_it_ends({})
    assert [answer["outcome"] for answer in answers] == ["running", "running", "load"]
    assert len(data_api.submits) == 1
    seconds = [answer["seconds"] for answer in answers]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(
    ("replies", "outcomes"),
    [
        ([Reply(running=1, lost=True), new(0)], ["running", "running", "load"]),
        ([failed(2, "ERROR: deadlock detected"), new(0)], ["running", "load"]),
        ([Reply("ABORTED"), new(0)], ["running", "load"]),
        ([NO_TABLES], ["no tables"]),
    ],
)
def test_what_is_worth_another_try_gets_a_token_of_its_own(
    s3: Any, data_api: FakeDataApi, replies: Sequence[Reply], outcomes: list[str]
) -> None:
    put(s3, LOG)
    data_api.replies = list(replies)
    answers = until_it_ends({})
    assert [answer["outcome"] for answer in answers] == outcomes
    tokens = [request["ClientToken"] for request in data_api.submits]
    assert len(set(tokens)) == len(tokens) == len(replies)
    assert answers[-1]["statement"] is None


def test_after_the_tables_are_made_it_compares_again(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [NO_TABLES, new(0)]
    answer = call({})
    assert call({}, answer)["outcome"] == "load"


@pytest.mark.parametrize(
    "reply",
    [
        failed(3, "ERROR: permission denied for relation files"),
        failed(2, "ERROR: User … is not authorized to assume IAM Role …"),
    ],
)
def test_what_no_try_mends_fails(s3: Any, data_api: FakeDataApi, reply: Reply) -> None:
    put(s3, LOG)
    data_api.replies = [reply]
    with pytest.raises(StatementFailed, match=r"could not be compared with the ledger: ERROR"):
        call({})


@pytest.mark.parametrize(
    ("error", "outcome"), [("deadlock detected", "running"), (NO_TABLES.error, "no tables")]
)
def test_it_does_not_try_for_ever(s3: Any, data_api: FakeDataApi, error: str, outcome: str) -> None:
    put(s3, LOG)
    data_api.replies = [failed(1, error) for _ in range(20)]
    answer = call({})
    for _ in range(10):
        assert answer["outcome"] == outcome
        try:
            answer = call({}, answer)
        except StatementFailed:
            return
    pytest.fail("it still tries")


def test_the_same_call_again_compares_a_listing_of_its_own(
    store: Store, s3: Any, data_api: FakeDataApi
) -> None:
    """A call whose answer was lost is repeated by Step Functions, and may list other files by then: their numbers
    must not meet the answer to the first listing.
    """
    put(s3, LOG2)
    data_api.replies = [new(0), new(1)]
    answers = [call({})]
    put(s3, LOG)
    answers.append(call({}))
    assert len({answer["listing"] for answer in answers}) == 2
    assert len({request["ClientToken"] for request in data_api.submits}) == 2
    assert [planned_keys(store, answer) for answer in answers[1:]] == [[[LOG2]]]


def test_while_it_waits_the_listing_and_its_token_stay(s3: Any, data_api: FakeDataApi) -> None:
    put(s3, LOG)
    data_api.replies = [Reply(running=1, rows={3: [(0, None)]})]
    running = call({})
    put(s3, LOG2)
    assert call({}, running)["listing"] == running["listing"]
    assert call({}, {**running, "statement": None})["listed"] == 1  # the statement's id was lost
    first, second = data_api.submits
    assert first == second


def test_a_comparison_over_its_limit_is_not_tried_again(
    s3: Any, data_api: FakeDataApi, clock: Clock
) -> None:
    put(s3, LOG)
    data_api.replies = [Reply(running=99)]
    answer = call({})
    clock.now += 601
    answer = call({}, answer)
    assert (answer["outcome"], len(data_api.cancelled)) == ("running", 1)
    with pytest.raises(StatementFailed, match="took over 600 seconds"):
        call({}, answer)
    assert len(data_api.submits) == 1


@pytest.mark.parametrize("number", [1, 1500])
def test_what_is_handed_on_stays_small(
    store: Store, s3: Any, data_api: FakeDataApi, number: int
) -> None:
    objects = events(store, *(f"log_data/{'x' * 200}{n}.json" for n in range(number)))
    assert len(json.dumps(call({"objects": objects}))) < 2000


def test_an_input_that_looks_like_a_plan_is_refused_as_any_other(data_api: FakeDataApi) -> None:
    # The state machine hands the state's input on as the plan so far if it has an outcome.
    request = {"outcome": "load", "load_id": "mine"}
    answer = call(request, load=request)
    assert answer["outcome"] == "refused"
    assert "'outcome'" in answer["cause"]
    assert answer["load_id"].startswith("20261123-203011-")
