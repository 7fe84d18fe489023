"""Every order of arrival gives the same tables."""

import json

import pytest

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import Project

FILES = dict(DataSet(songs=6, users=4, days=2, events=120, seed=13).files())
DAYS = sorted(key for key in FILES if key.startswith("log_data/"))


def twins() -> dict[str, bytes]:
    """For each song one that equals it in title, artist and duration; and one song that two files tell differently."""
    found = {}
    for key in sorted(key for key in FILES if key.startswith("song_data/")):
        song = json.loads(FILES[key])
        for number, change in enumerate(("AAAA", "ZZZZ")):
            twin = {**song, "song_id": f"SO{change}{song['song_id'][6:]}"}
            found[f"{key.removesuffix('.json')}-{number}.json"] = json.dumps(twin).encode()
        found[f"{key.removesuffix('.json')}-again.json"] = json.dumps(
            {**song, "artist_name": "Somebody Else"}
        ).encode()
    return found


SONGS = {key: content for key, content in FILES.items() if key.startswith("song_data/")}
PARTS = {
    "first day": {DAYS[0]: FILES[DAYS[0]]},
    "second day": {DAYS[1]: FILES[DAYS[1]]},
    "songs": SONGS,
    "twins": twins(),
}
EVERYTHING = {key: content for part in PARTS.values() for key, content in part.items()}


@pytest.mark.parametrize(
    "order",
    [
        ("second day", "twins", "first day", "songs"),
        ("songs", "second day", "twins", "first day"),
        ("first day", "songs", "second day", "twins"),
    ],
    ids=" ".join,
)
def test_the_tables_are_the_same(warehouse: Project, order: tuple[str, ...]) -> None:
    expected = oracle.load(EVERYTHING)
    assert expected.counts.matched > 0
    with warehouse.no_events():
        for part in order:
            warehouse.put(PARTS[part])
            status, report = warehouse.start({})
            assert (status, report["files"]["loaded"]) == ("SUCCEEDED", len(PARTS[part]))
    assert not oracle.diff(expected.tables, warehouse.star())
