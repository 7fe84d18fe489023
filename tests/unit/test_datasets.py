"""The datasets: their folders, which keys they take, and errors that name the dataset and the field."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loader import datasets as datasets_module
from loader import rendered, sql
from loader.dataapi import MAX_STATEMENTS
from loader.datasets import NEEDED, DatasetError, compression, dataset_of, datasets, load_all

OWN = sql.ROOT
GOOD = {"stage_table": "event_stage", "prefix": "log_data/", "suffixes": [".json", ".json.gz"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty sql/."""
    monkeypatch.setattr(sql, "ROOT", tmp_path)
    read = sql.read  # a test may put another in its place
    read.cache_clear()
    yield tmp_path
    read.cache_clear()


def write(folder: Path, name: str, document: Any) -> None:
    path = folder / "datasets" / name / "dataset.json"
    path.parent.mkdir(parents=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    for file in NEEDED:
        (path.parent / file).write_text("SELECT 1")


def test_the_products_own_datasets() -> None:
    found = load_all()
    own = [found[name] for name in ("log_data", "song_data")]
    assert [d.stage_table for d in own] == ["event_stage", "song_stage"]
    assert [d.fact_table for d in own] == ["songplays", ""]
    assert [d.has_jsonpaths for d in own] == [True, False]
    assert [(d.can_undo, d.can_reload, d.header_lines) for d in own] == [(True, True, 0)] * 2


@pytest.mark.parametrize(
    ("key", "dataset"),
    [
        ("log_data/2018/11/2018-11-12-events.json", "log_data"),
        ("log_data/2018-11-12-events.json.gz", "log_data"),
        ("log_data/a b'c%2F+é.json", "log_data"),
        ("song_data/A/B/C/TRABC.json", "song_data"),
        ("log_data/", None),
        ("log_data/2018/", None),
        ("log_data/readme.txt", None),
        ("log_data/x.JSON", None),
        ("log_data/x.json.bak", None),
        ("log_data.json", None),
        ("backup/log_data/x.json", None),
        ("", None),
    ],
)
def test_which_dataset_takes_a_key(key: str, dataset: str | None) -> None:
    found = dataset_of(key, datasets().values())
    assert (found and found.name) == dataset


@pytest.mark.parametrize(
    ("key", "option"),
    [("a.json", ""), ("a.json.gz", "GZIP"), ("a.json.bz2", "BZIP2"), ("a.json.zst", "ZSTD")],
)
def test_compression_is_told_by_the_ending(key: str, option: str) -> None:
    assert compression(key) == option


def test_a_dataset_outside_of_the_stacks_prefix_is_refused(folder: Path) -> None:
    """It would get no events, and COPY could not read its files."""
    write(folder, "log_data", GOOD)
    for prefix in ("", "log", "log_data/"):
        assert list(load_all(prefix)) == ["log_data"]
    for prefix in ("raw/", "log_data/2018/"):
        with pytest.raises(DatasetError, match=rf"'log_data'.* DataPrefix is '{prefix}'"):
            load_all(prefix)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ("{", "JSON"),
        ([], "JSON object"),
        ({}, "stage_table"),
        (GOOD | {"stage_table": "Event Stage"}, "stage_table"),
        (GOOD | {"stage_table": "x; DROP TABLE y"}, "stage_table"),
        (GOOD | {"stage_table": 5}, "stage_table"),
        (GOOD | {"suffixes": None}, "suffixes"),
        (GOOD | {"suffixes": ".json"}, "suffixes"),
        (GOOD | {"suffixes": []}, "suffixes"),
        (GOOD | {"suffixes": [""]}, "suffixes"),
        (GOOD | {"suffixes": [1]}, "suffixes"),
        (GOOD | {"prefix": ""}, "prefix"),
        (GOOD | {"prefix": 1}, "prefix"),
        (GOOD | {"fact_table": "Song Plays"}, "fact_table"),
        (GOOD | {"fact_table": 5}, "fact_table"),
        (GOOD | {"sufixes": [".csv"]}, "sufixes"),
        ({name: value for name, value in GOOD.items() if name != "prefix"}, "prefix"),
    ],
)
def test_an_error_names_the_dataset_and_the_field(folder: Path, document: Any, field: str) -> None:
    write(folder, "log_data", document)
    with pytest.raises(DatasetError, match=rf"'log_data'.*{field}"):
        load_all()


@pytest.mark.parametrize("file", NEEDED)
def test_a_file_that_is_missing_is_named(folder: Path, file: str) -> None:
    write(folder, "log_data", GOOD)
    (folder / "datasets" / "log_data" / file).unlink()
    with pytest.raises(DatasetError, match=rf"'log_data'.*sql/datasets/log_data/{file}"):
        load_all()


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        ({"prefix": "log_data/old/"}, "its files also match '.*', under the prefix 'log_data/'"),
        ({"prefix": "log_data/", "suffixes": [".gz"]}, "its files also match"),
        ({"prefix": "log_data/", "suffixes": [".csv"]}, ""),
        ({"prefix": "log_data2/"}, ""),
        ({"prefix": "x/", "stage_table": "event_stage"}, "its stage_table is also"),
    ],
)
def test_no_two_datasets_take_one_key_or_share_a_staging_table(
    folder: Path, other: dict[str, Any], refused: str
) -> None:
    write(folder, "log_data", GOOD)
    write(folder, "other", GOOD | {"stage_table": "other_stage"} | other)
    if not refused:
        assert len(load_all()) == 2
        return
    with pytest.raises(DatasetError, match=refused):
        load_all()


@pytest.mark.parametrize(
    ("copy", "lines"),
    [
        ("COPY x (a, b) FROM 'y' FORMAT AS CSV IGNOREHEADER 1", 1),
        ("COPY x CSV\nignoreheader as 2 GZIP", 2),
        ("-- IGNOREHEADER 3 is not needed.\nCOPY x FORMAT AS JSON 'auto'", 0),
    ],
)
def test_header_lines_are_those_that_copy_skips(folder: Path, copy: str, lines: int) -> None:
    write(folder, "log_data", GOOD)
    (folder / "datasets" / "log_data" / "copy.sql").write_text(copy)
    assert load_all()["log_data"].header_lines == lines


CSV = "COPY x ({}) FROM 'y' FORMAT AS CSV IGNOREHEADER {}"


@pytest.mark.parametrize(
    ("copy", "said", "header"),
    [
        (CSV.format("a, b", 1), None, ("a", "b")),
        (CSV.format("a, b", 1), True, ("a", "b")),
        (CSV.format("a, b", 1), ["User Id", "b"], ("User Id", "b")),
        ("COPY x (a, b) FROM 'y' DELIMITER '|' IGNOREHEADER 1", None, ("a", "b")),
        (CSV.format("a, b", 2), None, ()),  # which of the two would be the header?
        ("COPY x (a, b) FROM 'y' FORMAT AS CSV", None, ()),
        ("COPY x (a, b) FROM 'y' FORMAT AS CSV", False, ()),
        ("COPY x (json, csv) FROM 'y' FORMAT AS JSON 'auto'", None, ()),
        ("COPY x FROM 'y' FORMAT AS JSON 'auto'", None, ()),
    ],
)
def test_the_header_that_files_must_have(
    folder: Path, copy: str, said: Any, header: tuple[str, ...]
) -> None:
    write(folder, "log_data", GOOD | ({} if said is None else {"header": said}))
    (folder / "datasets" / "log_data" / "copy.sql").write_text(copy)
    assert load_all()["log_data"].header == header


@pytest.mark.parametrize(
    ("copy", "said", "why"),
    [
        (CSV.format("a", 1), False, "the first row of each file would be lost"),
        (CSV.format("a", 1), "no", "header must be true, false"),
        (CSV.format("a", 1), [1], "header must be true, false"),
        (CSV.format("a, b", 1), ["a"], "one name for each of the 2 columns"),
        (CSV.format("a, b", 1), ["A ", "a"], "none twice"),
        (CSV.format("a", 0), True, "IGNOREHEADER 0; it must be 1"),
        (CSV.format("a, a", 1), None, "names a twice"),
        (CSV.format("a, b c", 1), None, "no column's name"),
        ("COPY x FROM 'y' FORMAT AS CSV IGNOREHEADER 1", None, "lists no columns"),
    ],
)
def test_a_header_that_contradicts_copy(folder: Path, copy: str, said: Any, why: str) -> None:
    write(folder, "log_data", GOOD | ({} if said is None else {"header": said}))
    (folder / "datasets" / "log_data" / "copy.sql").write_text(copy)
    with pytest.raises(DatasetError, match=rf"'log_data'.*{why}"):
        load_all()


def test_a_folder_that_is_no_identifier(folder: Path) -> None:
    write(folder, "log-data", GOOD)
    with pytest.raises(DatasetError, match=r"'log-data'.*folder"):
        load_all()


# ---------------------------------------------------------------- what could only fail later
SHARED = [*datasets_module.PUBLISH, *datasets_module.UNDO]


def copied(folder: Path, *names: str) -> None:
    """The loader's own files, as they are."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text((OWN / name).read_text())


@pytest.mark.parametrize(
    ("where", "what"),
    [
        ("datasets/clicks/publish", "publish"),
        ("datasets/clicks/reload", "publish"),
        ("datasets/clicks/again", "publish"),
        ("datasets/clicks/undo", "undo"),
        ("datasets/clicks/publish_and_undo", "publish"),
    ],
)
def test_a_transaction_that_is_too_long_is_refused_with_its_number_and_file(
    folder: Path, where: str, what: str
) -> None:
    write(folder, "clicks", GOOD)
    copied(folder, *SHARED)
    sql.read.cache_clear()
    shared = datasets_module.PUBLISH if what == "publish" else datasets_module.UNDO
    room = MAX_STATEMENTS - sum(
        len(sql.statements(sql.without_comments(name))) for name in set(shared)
    )
    (folder / where).mkdir(parents=True, exist_ok=True)
    (folder / where / "10_most.sql").write_text("SELECT 1;\n" * (room - 1))
    (folder / where / "20_last.sql").write_text("-- One; and no more.\nSELECT ';'")
    assert list(load_all()) == ["clicks"]
    (folder / where / "20_last.sql").write_text("SELECT 1; SELECT 2")
    sql.read.cache_clear()
    with pytest.raises(
        DatasetError,
        match=rf"'clicks': its {what} has 41 statements .*{where}/10_most.sql with {room - 1}:",
    ):
        load_all()


@pytest.mark.parametrize("name", load_all())
def test_the_longest_transactions_are_those_that_are_sent(name: str) -> None:
    """What is counted when a function starts is what a reload's second attempt and an undo send."""
    [sent] = [g.statements for g in rendered.groups() if g.name == f"reload {name}"] or [()]
    own = sql.files(
        *(
            f"datasets/{name}/{folder}"
            for folder in ("publish", "publish_and_undo", "reload", "again")
        )
    )
    counted = {
        "reload": [*datasets_module.PUBLISH, *own],
        "undo": [
            *datasets_module.UNDO,
            *sql.files(f"datasets/{name}/undo", f"datasets/{name}/publish_and_undo"),
        ],
    }
    if sent:
        assert sorted({s.file for s in sent}) == sorted(counted["reload"])
    [undo] = [g.statements for g in rendered.groups() if g.name == f"undo {name}"] or [()]
    if undo:
        assert sorted({s.file for s in undo}) == sorted(counted["undo"])


@pytest.mark.parametrize(("old", "new"), datasets_module.OLD_PLACES.items())
def test_a_file_at_its_old_place_is_named_with_the_new_one(
    folder: Path, old: str, new: str
) -> None:
    """It would silently not run any more."""
    write(folder, "clicks", GOOD)
    (folder / old / "clicks").mkdir(parents=True)
    assert list(load_all()) == ["clicks"]
    (folder / old / "clicks" / "10_clicks.sql").write_text("SELECT 1")
    moved = (
        rf"'clicks'.* sql/{old}/clicks/10_clicks.sql .* sql/datasets/clicks/{new}/10_clicks.sql:"
    )
    with pytest.raises(DatasetError, match=moved):
        load_all()


def test_a_table_of_two_datasets_is_refused(folder: Path) -> None:
    write(folder, "clicks", GOOD)
    write(folder, "visits", {**GOOD, "stage_table": "visit_stage", "prefix": "visits/"})
    for name in ("clicks", "visits"):
        text = "CREATE TABLE IF NOT EXISTS ${schema}.seen (a INTEGER);"
        (folder / "datasets" / name / "tables.sql").write_text(text)
    sql.read.cache_clear()
    with pytest.raises(DatasetError, match="'visits': its table seen also belongs to 'clicks'"):
        load_all()


def test_a_table_that_could_be_made_only_once_is_refused(folder: Path) -> None:
    write(folder, "clicks", GOOD)
    (folder / "datasets" / "clicks" / "tables.sql").write_text("CREATE TABLE ${schema}.t (a INT);")
    sql.read.cache_clear()
    with pytest.raises(DatasetError, match="CREATE TABLE IF NOT EXISTS of t: it runs again"):
        load_all()
