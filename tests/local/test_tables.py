"""Results of the sql command, for a person and for programs."""

import json

from local.show.tables import Result, Value, aligned, render

ROWS: list[list[Value]] = [["free", 3, None], ["paid", 12, 1.5]]
RESULT = Result(["level", "plays", "share"], ROWS, has_rows=True, affected=2)


def test_table_aligns_numbers_right_and_shows_null() -> None:
    assert render(RESULT, "table").splitlines() == [
        "level  plays  share",
        "-----  -----  -----",
        "free       3   NULL",
        "paid      12    1.5",
        "(2 rows)",
    ]


def test_table_of_one_row_and_of_none() -> None:
    one = Result(["n"], [[1]], has_rows=True, affected=1)
    assert render(one, "table").endswith("(1 row)")
    assert render(Result(["n"], [], has_rows=True), "table").splitlines() == ["n", "-", "(0 rows)"]


def test_json_keeps_types_and_null() -> None:
    assert json.loads(render(RESULT, "json")) == [
        {"level": "free", "plays": 3, "share": None},
        {"level": "paid", "plays": 12, "share": 1.5},
    ]


def test_csv_quotes_what_needs_it() -> None:
    result = Result(["a", "b"], [['say "hi", you', None], ["x\ny", True]], has_rows=True)
    assert render(result, "csv") == 'a,b\n"say ""hi"", you",\n"x\ny",True'


def test_a_statement_without_rows_says_how_many_it_changed() -> None:
    assert render(Result(affected=1234), "table") == "1,234 rows affected"
    assert render(Result(affected=1), "json") == ""


def test_wide_letters_and_line_breaks_keep_the_columns() -> None:
    lines = aligned(["name", "n"], [["日本", 1], ["a\nb", 2], ["é", 3]]).splitlines()
    assert lines[2] == "日本  1"
    assert lines[3] == "a\\nb  2"
    assert lines[4] == "é     3"


def test_booleans_are_words_to_the_left() -> None:
    assert aligned(["ok", "n"], [[True, 1], [False, 2]]).splitlines()[2:] == [
        "true   1",
        "false  2",
    ]
