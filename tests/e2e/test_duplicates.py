"""However often a file is announced, named or loaded at once, its rows are in the tables once."""

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project
from tests.world.events import Events

FILES = dict(DataSet(songs=4, users=4, days=4, events=80, seed=11).files())
LOGS = {key: content for key, content in FILES.items() if key.startswith("log_data/")}
FIRST, SECOND, THIRD, FOURTH = sorted(LOGS)


def assert_each_loaded_once(warehouse: Project, etags: dict[str, str]) -> None:
    loaded = [(key, etag) for key, etag, status in warehouse.ledger_rows() if status == "loaded"]
    assert loaded == sorted(etags.items())


def test_events_that_come_again_and_in_other_batches(warehouse: Project) -> None:
    events = Events(warehouse)
    before = {execution["name"] for execution in warehouse.executions()}
    etags = warehouse.put({key: FILES[key] for key in FILES if key != FOURTH})
    bodies = events.take(len(etags))
    events.send(bodies)  # at once
    warehouse.settle()
    etags |= warehouse.put({FOURTH: FILES[FOURTH]})
    later = events.take(1)
    # After the load: the same batch, parts of it, and a batch of what belonged to two.
    events.trigger(bodies)
    events.trigger(reversed(bodies[:3]))
    events.trigger([*later, *bodies[1:2], *bodies[1:2]])
    events.send([*later, *bodies[2:]])
    warehouse.settle()
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    assert_each_loaded_once(warehouse, etags)
    loads = [each for each in warehouse.executions() if each["name"] not in before]
    assert {load["status"] for load in loads} == {"SUCCEEDED"}


def test_one_file_under_several_keys(warehouse: Project) -> None:
    song = next(key for key in FILES if key.startswith("song_data/"))
    copies = {
        FIRST.replace("events", "events-again"): FILES[FIRST],
        song.replace("song_data/", "song_data/again/"): FILES[song],
    }
    etags = warehouse.put(FILES | copies)
    warehouse.settle()
    later = {f"log_data/elsewhere/{number}.json": FILES[key] for number, key in enumerate(LOGS)}
    etags |= warehouse.put(later)
    warehouse.settle()
    warehouse.start({})
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    assert_each_loaded_once(warehouse, etags)


def test_loads_by_hand_over_an_automatic_one_and_ten_at_once(warehouse: Project) -> None:
    warehouse.load({FIRST: FILES[FIRST]})
    warehouse.fault(kind="delay", sql="COPY sparkify_loader.event_stage_", seconds=2)
    etags = warehouse.put(FILES)
    while not (automatic := warehouse.running()):
        pass
    by_hand = [warehouse.begin({}) for _ in range(10)]
    ended = [warehouse.ended(arn) for arn in [*automatic, *by_hand]]
    warehouse.settle()
    assert {status for status, _ in ended} == {"SUCCEEDED"}, ended
    assert sum(report["files"]["loaded"] for _, report in ended) == len(FILES) - 1
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    assert_each_loaded_once(warehouse, etags)
