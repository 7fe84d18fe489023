"""COPY from S3 of JSON, as tables of cases.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-format.html
https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import ROLE, Bucket
from warehouse import Warehouse

LOAD_FAILED = (
    "ERROR: Load into table 'x' failed. Check 'sys_load_error_detail' system table for details."
)


def copy(source: str, options: str = "JSON 'auto'", table: str = "t.x") -> str:
    return f"COPY {table} FROM '{source}' IAM_ROLE '{ROLE}' {options}"


def manifest(*urls: str, mandatory: bool = True) -> str:
    return json.dumps({"entries": [{"url": url, "mandatory": mandatory} for url in urls]})


ERROR_COLUMNS = "line_number, TRIM(column_name), error_code, TRIM(error_message)"


def errors(warehouse: Warehouse, query_id: int) -> list[list[Any]]:
    return warehouse.rows(
        f"SELECT {ERROR_COLUMNS} FROM sys_load_error_detail WHERE query_id = {query_id} "
        "ORDER BY line_number"
    )


# -- the forms of a file: (body, the values of column a) ---------------------------------

SHAPES: list[tuple[str, bytes, list[Any]]] = [
    ("one object a line", b'{"a":1}\n{"a":2}\n', [1, 2]),
    ("no newline at the end", b'{"a":1}\n{"a":2}', [1, 2]),
    ("Windows line ends", b'{"a":1}\r\n{"a":2}\r\n', [1, 2]),
    ("many on a line", b'{"a":1}{"a":2} {"a":3}\t{"a":4}', [1, 2, 3, 4]),
    ("an object over many lines", b'{\n  "a":\n 1\n}\n\n\n{"a":2}', [1, 2]),
    ("blanks before and after", b'  \n\t {"a":1}  \n ', [1]),
    ("an empty file", b"", []),
    ("nothing but blanks", b" \n\n ", []),
    ("braces inside strings", b'{"a":1,"s":"}{\\"}"}{"a":2}', [1, 2]),
    ("a missing key", b'{"b":1}', [None]),
    ("null", b'{"a":null}', [None]),
    ("a string of digits", b'{"a":"39"}', [39]),
    ("an empty string into INT is NULL", b'{"a":""}', [None]),
    ("other keys are passed over", b'{"z":{"a":9},"a":1,"y":[1]}', [1]),
    ("keys are case-sensitive under auto", b'{"A":1}', [None]),
    ("a key that appears late", b'{"b":1}\n' * 5000 + b'{"a":7}', [None] * 5000 + [7]),
    ("an escaped slash and unicode", b'{"a":1,"s":"\\/\\u00e9"}', [1]),
]


@pytest.mark.parametrize(("body", "values"), [pytest.param(b, v, id=name) for name, b, v in SHAPES])
def test_shape(copying: Warehouse, s3: Bucket, body: bytes, values: list[Any]) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    result = copying.run(copy(s3.put("a.json", body)))
    assert result.affected == len(values)
    assert sorted(copying.rows("SELECT a FROM t.x"), key=str) == sorted(
        ([value] for value in values), key=str
    )


# -- malformed content: (body, values loaded, [(line, message)]) -------------------------------

MALFORMED: list[tuple[str, bytes, list[int], list[int]]] = [
    ("a comma between objects", b'{"a":1},{"a":2}', [1, 2], [1]),
    ("text before an object", b'hello {"a":1}', [1], [1]),
    ("text at the end", b'{"a":1}\nrest', [1], [2]),
    ("a word that is no JSON", b'{"a":tru}\n{"a":2}', [2], [1]),
    ("a missing brace", b'{"a":1\n{"a":2}\n', [2], [1]),
    ("the file is cut off", b'{"a":1}\n{"a":2,"b":"x', [1], [2]),
    ("not JSON at all", b"a,b\n1,2\n", [], [1, 2]),
    ("NaN is no JSON", b'{"a":NaN}\n{"a":2}', [2], [1]),
    ("a byte order mark", b'\xef\xbb\xbf{"a":1}', [1], [1]),
    ("a top-level array is one row, not many", b'[{"a":1},{"a":2}]\n{"a":3}', [3], [1]),
    ("line of an object over many lines is its last", b'{\n"a":\n"x"\n}', [], [4]),
    ("one error a row, the others load", b'{"a":"x"}\n{"a":2}\n{"a":"y"}', [2], [1, 3]),
]


@pytest.mark.parametrize(
    ("body", "loaded", "lines"), [pytest.param(b, v, e, id=name) for name, b, v, e in MALFORMED]
)
def test_malformed(
    copying: Warehouse, s3: Bucket, body: bytes, loaded: list[int], lines: list[int]
) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    result = copying.run(copy(s3.put("a.json", body), "JSON 'auto' MAXERROR 100"))
    assert [row[0] for row in copying.rows("SELECT a FROM t.x ORDER BY a")] == loaded
    assert [row[0] for row in errors(copying, result.query_id)] == lines


# -- conversions: (column type, JSON value, options, loaded value) ------------------------------

CONVERSIONS: list[tuple[str, str, str, Any]] = [
    ("BIGINT", "1540344794796.0", "", 1540344794796),
    ("INT", "-5", "", -5),
    ("INT", '" 7 "', "", 7),
    ("INT", '"   "', "", None),
    ("SMALLINT", "32767", "", 32767),
    ("BIGINT", "9223372036854775807", "", 9223372036854775807),
    ("FLOAT", "218.93179", "", 218.93179),
    ("FLOAT", '"1e3"', "", 1000.0),
    ("FLOAT", '""', "", None),
    ("REAL", "0.5", "", 0.5),
    ("DECIMAL(8,2)", "1.239", "", "1.23"),
    ("DECIMAL(8,2)", "1.239", "ROUNDEC", "1.24"),
    ("DECIMAL(8,2)", '"-1.5"', "", "-1.50"),
    ("BOOLEAN", "true", "", True),
    ("BOOLEAN", '"f"', "", False),
    ("BOOLEAN", "1", "", True),
    ("VARCHAR(5)", '"abc"', "", "abc"),
    ("VARCHAR(5)", '""', "", ""),
    ("VARCHAR(5)", '""', "EMPTYASNULL", None),
    ("VARCHAR(5)", '"  "', "", "  "),
    ("VARCHAR(5)", '"  "', "BLANKSASNULL", None),
    ("VARCHAR(5)", '"ab  "', "TRIMBLANKS", "ab"),
    ("VARCHAR(5)", "12", "", "12"),
    ("VARCHAR(5)", "true", "", "true"),
    ("VARCHAR(20)", '{"b":[1,2]}', "", '{"b":[1,2]}'),
    ("VARCHAR(3)", '"abcdef"', "TRUNCATECOLUMNS", "abc"),
    ("VARCHAR(3)", '"éé"', "TRUNCATECOLUMNS", "é"),
    ("VARCHAR(20)", '"Mozilla\\/5.0 \\u00e9"', "", "Mozilla/5.0 é"),
    ("TIMESTAMP", "1541105830796", "TIMEFORMAT 'epochmillisecs'", "2018-11-01 20:57:10.796"),
    ("TIMESTAMP", '"1541105830796"', "TIMEFORMAT AS 'epochmillisecs'", "2018-11-01 20:57:10.796"),
    ("TIMESTAMP", "1541105830", "TIMEFORMAT 'epochsecs'", "2018-11-01 20:57:10"),
    ("TIMESTAMP", '"2018-11-01 20:57:10.5"', "", "2018-11-01 20:57:10.5"),
    ("TIMESTAMP", '"2018-11-01"', "", "2018-11-01 00:00:00"),
    ("TIMESTAMP", '"2018-11-01T20:57:10Z"', "TIMEFORMAT 'auto'", "2018-11-01 20:57:10"),
    ("TIMESTAMP", '"11/01/2018 20:57"', "TIMEFORMAT 'MM/DD/YYYY HH24:MI'", "2018-11-01 20:57:00"),
    ("TIMESTAMP", '"junk"', "TIMEFORMAT 'auto' ACCEPTANYDATE", None),
    ("DATE", '"2018-11-01"', "", "2018-11-01"),
    ("DATE", '"01.11.2018"', "DATEFORMAT 'DD.MM.YYYY'", "2018-11-01"),
    ("DATE", '"Nov-01-2018"', "DATEFORMAT 'auto'", "2018-11-01"),
    ("DATE", '""', "", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "options", "loaded"),
    CONVERSIONS,
    ids=[f"{k} {v} {o}" for k, v, o, _ in CONVERSIONS],
)
def test_conversion(
    copying: Warehouse, s3: Bucket, kind: str, value: str, options: str, loaded: Any
) -> None:
    copying.run(f"CREATE TABLE t.x (a {kind})")
    copying.run(copy(s3.put("a.json", f'{{"a":{value}}}'), f"JSON 'auto' {options}"))
    got = copying.value("SELECT a FROM t.x")
    assert got == loaded
    assert type(got) is type(loaded)


# -- row errors: (column, JSON value, code, message) --------------------------------------------

ROW_ERRORS: list[tuple[str, str, int, str]] = [
    ("INT", '"abc"', 1207, "Invalid digit, Value 'a', Pos 0, Type: Integer"),
    ("INT", '"12x"', 1207, "Invalid digit, Value 'x', Pos 2, Type: Integer"),
    ("INT", "1.5", 1207, "Invalid digit, Value '.', Pos 1, Type: Integer"),
    ("BIGINT", '"20200407.0"', 1207, "Invalid digit, Value '.', Pos 8, Type: Long"),
    ("SMALLINT", '"x"', 1207, "Invalid digit, Value 'x', Pos 0, Type: Short"),
    ("INT", "true", 1207, "Invalid digit, Value 't', Pos 0, Type: Integer"),
    ("INT", "2147483648", 1222, "Overflow, Value '2147483648', Type: Integer"),
    ("DECIMAL(4,2)", '"x"', 1207, "Invalid digit, Value 'x', Pos 0, Type: Decimal"),
    ("DECIMAL(4,2)", "123.4", 1209, "Numeric data overflow"),
    ("FLOAT", '"x"', 1208, "Invalid float value 'x'"),
    ("BOOLEAN", '"maybe"', 1210, "Unknown boolean format"),
    ("VARCHAR(3)", '"abcd"', 1204, "String length exceeds DDL length"),
    ("VARCHAR(3)", '"éé"', 1204, "String length exceeds DDL length"),
    ("CHAR(2)", '"abc"', 1204, "Char length exceeds DDL length"),
    ("CHAR(5)", '"é"', 1215, "Multibyte character not supported for CHAR"),
    ("INT NOT NULL", "null", 1213, "Missing data for not-null field"),
    ("INT NOT NULL", '""', 1213, "Missing data for not-null field"),
    ("TIMESTAMP", '"junk"', 1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
    ("TIMESTAMP", "1541105830796", 1206, "Invalid timestamp format or value"),
    ("DATE", '"2018-13-01"', 1205, "Invalid date format or value [YYYY-MM-DD]"),
    ("VARCHAR(9)", '"\\ud800"', 1220, "String contains invalid or unsupported UTF8 codepoints."),
    ("VARCHAR(9)", '"\\u0000"', 1218, "Invalid NUL character"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "code", "message"), ROW_ERRORS, ids=[f"{k} {v}" for k, v, _, _ in ROW_ERRORS]
)
def test_row_error(
    copying: Warehouse, s3: Bucket, kind: str, value: str, code: int, message: str
) -> None:
    copying.run(f"CREATE TABLE t.x (a {kind})")
    url = s3.put("a.json", f'{{"a":{value}}}')
    shown = copying.wait(copying.submit(copy(url)))
    assert shown["Error"] == LOAD_FAILED
    assert copying.value("SELECT count(*) FROM t.x") == 0
    (row,) = errors(copying, shown["RedshiftQueryId"])
    assert row[:3] == [1, "a", code]
    assert row[3].startswith(message)


def test_invalid_utf8(copying: Warehouse, s3: Bucket) -> None:
    """.../dg/multi-byte-character-load-errors.html, ACCEPTINVCHARS"""
    copying.run("CREATE TABLE t.x (a VARCHAR(20))")
    url = s3.put("a.json", b'{"a":"x\xa4\xa4y"}')
    shown = copying.wait(copying.submit(copy(url)))
    (row,) = errors(copying, shown["RedshiftQueryId"])
    message = "String contains invalid or unsupported UTF8 codepoints. "
    assert row[2:] == [1220, message + "Bad UTF8 hex sequence: a4 a4 (error 3)"]
    copying.run(copy(url, "JSON 'auto' ACCEPTINVCHARS"))
    copying.run(copy(url, "JSON 'auto' ACCEPTINVCHARS AS '^'"))
    assert sorted(copying.rows("SELECT a FROM t.x")) == [["x??y"], ["x^^y"]]


# -- MAXERROR, NOLOAD -----------------------------------------------------------------------------

TWO_BAD = b'{"a":1}\n{"a":"x"}\n{"a":3}\n{"a":"y"}\n'


@pytest.mark.parametrize(
    ("options", "loaded"),
    [("", None), ("MAXERROR 1", None), ("MAXERROR 2", None), ("MAXERROR 3", 2),
     ("MAXERROR AS 100000", 2), ("IGNOREALLERRORS", 2)],
)  # fmt: skip
def test_maxerror_fails_at_that_many_errors(
    copying_isolated: Warehouse, s3: Bucket, options: str, loaded: int | None
) -> None:
    """.../dg/copy-parameters-data-load.html: n errors or more; 0 and 1 mean the first"""
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    sql = copy(s3.put("a.json", TWO_BAD), f"JSON 'auto' {options}")
    if loaded is None:
        assert copying_isolated.error(sql) == LOAD_FAILED
    else:
        assert copying_isolated.run(sql).affected == loaded
    assert copying_isolated.value("SELECT count(*) FROM t.x") == (loaded or 0)


def test_noload_loads_nothing_and_reports_all(copying_isolated: Warehouse, s3: Bucket) -> None:
    """.../dg/t_Validating_input_files.html"""
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    result = copying_isolated.run(
        copy(s3.put("a.json", TWO_BAD), "JSON 'auto' NOLOAD MAXERROR 100000")
    )
    assert result.affected == 0
    assert [row[0] for row in errors(copying_isolated, result.query_id)] == [2, 4]
    assert copying_isolated.value("SELECT count(*) FROM t.x") == 0


def test_error_rows_outlive_the_transaction(copying_isolated: Warehouse, s3: Bucket) -> None:
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    url = s3.put("a.json", TWO_BAD)
    shown = copying_isolated.batch("INSERT INTO t.x VALUES (9)", copy(url))
    part = shown["SubStatements"][1]
    assert shown["Status"] == "FAILED"
    assert shown["Error"].startswith("Query #2 failed with ERROR: Load into table 'x' failed.")
    assert copying_isolated.value("SELECT count(*) FROM t.x") == 0
    (row,) = copying_isolated.rows(
        "SELECT TRIM(file_name), line_number, LEN(file_name), TRIM(column_type), TRIM(column_length)"
        f" FROM sys_load_error_detail WHERE query_id = {part['RedshiftQueryId']}"
    )
    assert row == [url, 2, 256, "int4", "0"]
    assert copying_isolated.rows(
        "SELECT status, error_count, loaded_rows FROM sys_load_history "
        f"WHERE query_id = {part['RedshiftQueryId']}"
    ) == [["aborted", 1, 0]]


def test_history_and_detail_of_a_good_load(copying_isolated: Warehouse, s3: Bucket) -> None:
    """.../dg/SYS_LOAD_HISTORY.html, SYS_LOAD_DETAIL.html"""
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    urls = [s3.put("in/1.json", b'{"a":1}\n{"a":2}\n'), s3.put("in/2.json", b'{"a":3}')]
    shown = copying_isolated.batch(
        copy(s3.url("in/")), "SELECT pg_last_copy_id(), pg_last_copy_count()"
    )
    query = shown["SubStatements"][0]["RedshiftQueryId"]
    assert shown["SubStatements"][0]["ResultRows"] == 3
    assert copying_isolated.result(shown["SubStatements"][1]).rows == [[query, 3]]
    assert copying_isolated.rows(
        "SELECT TRIM(file_name), lines_scanned, bytes_scanned, TRIM(file_etag) FROM sys_load_detail"
        f" WHERE query_id = {query} ORDER BY 1"
    ) == [[urls[0], 2, 16, s3.etag("in/1.json")], [urls[1], 1, 7, s3.etag("in/2.json")]]
    assert copying_isolated.rows(
        "SELECT status, table_name, loaded_rows, source_file_count, error_count, data_source "
        f"FROM sys_load_history WHERE query_id = {query}"
    ) == [["completed", "x", 3, 2, 0, s3.url("in/")]]


# -- what fails the whole COPY, with no error row ----------------------------------------------


def fails_without_rows(copying: Warehouse, sql: str, *texts: str) -> None:
    shown = copying.wait(copying.submit(sql))
    assert shown["Status"] == "FAILED"
    for text in texts:
        assert text in shown["Error"]
    assert errors(copying, shown["RedshiftQueryId"]) == []
    assert copying.value("SELECT count(*) FROM t.x") == 0


def test_a_mandatory_file_that_is_missing(copying_isolated: Warehouse, s3: Bucket) -> None:
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    good, gone = s3.put("1.json", b'{"a":1}'), s3.url("gone.json")
    listed = s3.put("m", manifest(good, gone))
    fails_without_rows(
        copying_isolated,
        copy(listed, "JSON 'auto' MANIFEST MAXERROR 100"),
        "ERROR: Mandatory url is not present in manifest file.",
        gone,
    )


def test_an_optional_file_that_is_missing_is_passed_over(
    copying_isolated: Warehouse, s3: Bucket
) -> None:
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    good, gone = s3.put("1.json", b'{"a":1}'), s3.url("gone.json")
    listed = s3.put("m", manifest(good, gone, mandatory=False))
    assert copying_isolated.run(copy(listed, "JSON 'auto' MANIFEST")).affected == 1


def test_a_truncated_gzip(copying_isolated: Warehouse, s3: Bucket) -> None:
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    url = s3.put("a.json.gz", gzip.compress(b'{"a":1}\n' * 1000)[:-10])
    fails_without_rows(
        copying_isolated,
        copy(url, "JSON 'auto' GZIP MAXERROR 100"),
        "ERROR: failed to inflate with gzip: unexpected end of file.",
        f"S3 key being read : {url}",
    )


def test_a_gzip_that_is_none(copying: Warehouse, s3: Bucket) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    url = s3.put("a.json.gz", b'{"a":1}')
    fails_without_rows(copying, copy(url, "JSON 'auto' GZIP"), "failed to inflate with gzip", url)


def test_an_object_over_four_megabytes(copying_isolated: Warehouse, s3: Bucket) -> None:
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    url = s3.put("a.json", b'{"a":1,"s":"' + b"x" * 4_200_000 + b'"}\n{"a":2}')
    fails_without_rows(
        copying_isolated, copy(url, "JSON 'auto' MAXERROR 100"), "exceeds the max size limit", url
    )


def test_an_object_just_under_four_megabytes(copying: Warehouse, s3: Bucket) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    url = s3.put("a.json", b'{"a":1,"s":"' + b"x" * 4_190_000 + b'"}\n{"a":2}')
    assert copying.run(copy(url)).affected == 2


SOURCES = [
    ("nothing there", "nothing/", "", "The specified S3 prefix '{prefix}/nothing/' does not exist"),
    ("no manifest", "none", "MANIFEST", "Problem reading manifest file - S3ServiceException:"),
    ("a manifest that is none", "bad", "MANIFEST", "not in proper manifest format"),
]


@pytest.mark.parametrize(
    ("name", "options", "text"), [pytest.param(n, o, t, id=i) for i, n, o, t in SOURCES]
)
def test_a_source_that_cannot_be_read(
    copying_isolated: Warehouse, s3: Bucket, name: str, options: str, text: str
) -> None:
    copying_isolated.run("CREATE TABLE t.x (a INT)")
    s3.put("bad", '{"files": []}')
    fails_without_rows(
        copying_isolated,
        copy(s3.url(name), f"JSON 'auto' {options}"),
        text.format(prefix=s3.prefix),
    )


def test_a_bucket_that_is_not_there(copying: Warehouse) -> None:
    """.../dg/s3serviceexception-error.html"""
    copying.run("CREATE TABLE t.x (a INT)")
    fails_without_rows(
        copying,
        copy("s3://nobody-has-this/x"),
        "ERROR: S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket",
    )


ELSEWHERE = "bucket-elsewhere"
REDIRECT = (
    "S3ServiceException:The bucket you are attempting to access must be addressed using the specified "
    "endpoint. Please send all future requests to this endpoint.,Status 301,Error PermanentRedirect"
)


@pytest.fixture(scope="module")
def elsewhere(s3_client: Any) -> str:
    """A bucket of another region, with a file, a manifest of it and JSONPaths."""
    there: Any = boto3.client(
        "s3",
        endpoint_url=s3_client.meta.endpoint_url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    constraint: Any = {"LocationConstraint": "eu-west-1"}
    there.create_bucket(Bucket=ELSEWHERE, CreateBucketConfiguration=constraint)
    for key, body in (
        ("a.json", '{"a":1}'),
        ("manifest", json.dumps({"entries": [{"url": f"s3://{ELSEWHERE}/a.json"}]})),
        ("paths", '{"jsonpaths": ["$.a"]}'),
    ):
        s3_client.put_object(Bucket=ELSEWHERE, Key=key, Body=body)
    return ELSEWHERE


def test_another_regions_bucket_needs_region(copying: Warehouse, elsewhere: str) -> None:
    """.../dg/copy-parameters-data-source-s3.html, Important"""
    copying.run("CREATE TABLE t.x (a INT)")
    url = f"s3://{elsewhere}/a.json"
    fails_without_rows(copying, copy(url), REDIRECT)
    assert copying.run(copy(url, "JSON 'auto' REGION 'eu-west-1'")).affected == 1


def test_with_region_the_manifest_and_the_jsonpaths_are_in_it_too(
    copying: Warehouse, s3: Bucket, elsewhere: str
) -> None:
    """ "all resources, including a manifest file or multiple Amazon S3 buckets": REGION, same page"""
    copying.run("CREATE TABLE t.x (a INT)")
    there = f"s3://{elsewhere}/a.json"
    manifest = s3.put("manifest", json.dumps({"entries": [{"url": there, "mandatory": True}]}))
    paths = s3.put("paths", '{"jsonpaths": ["$.a"]}')
    region = "REGION 'eu-west-1'"
    fails_without_rows(
        copying,
        copy(manifest, f"JSON 'auto' MANIFEST {region}"),
        f"Problem reading manifest file - {REDIRECT}",
    )
    fails_without_rows(copying, copy(there, f"JSON '{paths}' {region}"), REDIRECT, paths)
    fails_without_rows(copying, copy(manifest, "JSON 'auto' MANIFEST"), REDIRECT, there)
    options = f"JSON 's3://{elsewhere}/paths' MANIFEST {region}"
    assert copying.run(copy(f"s3://{elsewhere}/manifest", options)).affected == 1


def test_a_manifest_names_buckets_of_one_region(
    copying: Warehouse, s3: Bucket, s3_client: Any, elsewhere: str
) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    here = s3.put("a.json", '{"a":1}')
    urls = [{"url": f"s3://{elsewhere}/a.json"}, {"url": here}]
    s3_client.put_object(Bucket=elsewhere, Key="mixed", Body=json.dumps({"entries": urls}))
    options = "JSON 'auto' MANIFEST REGION 'eu-west-1'"
    fails_without_rows(copying, copy(f"s3://{elsewhere}/mixed", options), REDIRECT, here)


def test_a_manifest_that_may_not_be_read(copying: Warehouse) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    fails_without_rows(
        copying,
        copy("s3://nobody-has-this/m", "JSON 'auto' MANIFEST"),
        "Problem reading manifest file - S3ServiceException:The specified bucket does not exist",
    )


# -- compression, manifests, column lists --------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "pack"), [("GZIP", gzip.compress), ("BZIP2", bz2.compress)], ids=["gzip", "bzip2"]
)
def test_compressed(copying: Warehouse, s3: Bucket, options: str, pack: Any) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    body = pack(b'{"a":1}\n') + pack(b'{"a":2}\n')
    assert copying.run(copy(s3.put("a", body), f"{options} FORMAT AS JSON 'auto'")).affected == 2


def test_manifest_reads_what_it_lists(copying: Warehouse, s3: Bucket) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    one, two = s3.put("1.json", b'{"a":1}'), s3.put("2.json", b'{"a":2}')
    s3.put("3.json", b'{"a":3}')
    copying.run(copy(s3.put("m", manifest(one, two)), "FORMAT JSON 'auto' MANIFEST"))
    assert copying.rows("SELECT a FROM t.x ORDER BY a") == [[1], [2]]


def test_column_list_defaults_and_identity(copying: Warehouse, s3: Bucket) -> None:
    """Columns that the list leaves out get their default; an identity column generates its values."""
    copying.run(
        "CREATE TABLE t.x (id BIGINT IDENTITY(1,1), a INT, b VARCHAR(5) DEFAULT 'dflt', c INT)"
    )
    url = s3.put("a.json", b'{"a":1,"b":"given","c":5}\n{"a":2}')
    copying.run(f"COPY t.x (a, c) FROM '{url}' IAM_ROLE '{ROLE}' JSON 'auto'")
    assert copying.rows("SELECT a, b, c FROM t.x ORDER BY a") == [[1, "dflt", 5], [2, "dflt", None]]
    first, second = (row[0] for row in copying.rows("SELECT id FROM t.x ORDER BY a"))
    assert second > first + 1


def test_auto_ignorecase(copying: Warehouse, s3: Bucket) -> None:
    copying.run("CREATE TABLE t.x (firstname VARCHAR(9))")
    url = s3.put("a.json", b'{"firstName":"Ann"}')
    copying.run(copy(url, "JSON 'auto ignorecase'"))
    copying.run(copy(url, "JSON 'auto'"))
    assert copying.rows("SELECT firstname FROM t.x ORDER BY 1") == [["Ann"], [None]]


# -- JSONPaths: (paths, object, values) -----------------------------------------------------------

PATHS: list[tuple[list[str], str, list[Any]]] = [
    (["$['a']", "$['b']"], '{"b":"y","a":"x"}', ["x", "y"]),
    (["$.a", "$.b"], '{"b":"y","a":"x"}', ["x", "y"]),
    (["$['a']['b']", "$['a']['c'][1]"], '{"a":{"b":"x","c":["p","q"]}}', ["x", "q"]),
    (["$.a.b", "$.c[0].d"], '{"a":{"b":"x"},"c":[{"d":"y"}]}', ["x", "y"]),
    (["$[0]", "$[1]"], '["x","y","z"]', ["x", "y"]),
    (["$['a']", "$['z']"], '{"a":"x"}', ["x", None]),
    (["$['a']['b']", "$['c']"], '{"a":null,"c":"y"}', [None, "y"]),
    (["$['a b']", "$['c.d']"], '{"a b":"x","c.d":"y"}', ["x", "y"]),
]


@pytest.mark.parametrize(("paths", "row", "values"), PATHS, ids=[str(p) for p, _, _ in PATHS])
def test_jsonpaths(
    copying: Warehouse, s3: Bucket, paths: list[str], row: str, values: list[Any]
) -> None:
    copying.run("CREATE TABLE t.x (p VARCHAR(20), q VARCHAR(20))")
    file = s3.put("paths", json.dumps({"jsonpaths": paths}))
    copying.run(copy(s3.put("a.json", row), f"JSON '{file}'"))
    assert copying.rows("SELECT p, q FROM t.x") == [values]


BAD_PATHS = [
    ("{", "Malformed JSONPaths file."),
    ('{"jsonpaths": ["$.a"]}', "JSONPath size: 1, Number of columns in table or column list: 2"),
    ('{"jsonpaths": ["$.a[*]", "$.b"]}', "Invalid JSONPath format"),
    ('{"jsonpaths": ["$[\'a\'].b", "$.b"]}', "Invalid JSONPath format"),
    ('{"jsonpaths": ["a", "b"]}', "Invalid JSONPath format"),
    ('{"jsonpaths": [1, 2]}', "Malformed JSONPaths file."),
    ('{"jsonpaths": ["$.a[5]", "$.b"]}', "Not an array or index out of range."),
]


@pytest.mark.parametrize(("paths", "text"), BAD_PATHS)
def test_bad_jsonpaths_fail_the_copy(copying: Warehouse, s3: Bucket, paths: str, text: str) -> None:
    copying.run("CREATE TABLE t.x (p VARCHAR(20), q VARCHAR(20))")
    file = s3.put("paths", paths)
    url = s3.put("a.json", '{"a":["x"],"b":"y"}')
    fails_without_rows(copying, copy(url, f"JSON '{file}' MAXERROR 100"), text)


def test_a_key_other_than_jsonpaths_means_auto(copying: Warehouse, s3: Bucket) -> None:
    copying.run("CREATE TABLE t.x (p VARCHAR(20))")
    file = s3.put("paths", '{"paths": ["$.a"]}')
    copying.run(copy(s3.put("a.json", '{"a":"x","p":"auto"}'), f"JSON '{file}'"))
    assert copying.value("SELECT p FROM t.x") == "auto"


# -- options refused ------------------------------------------------------------------------------

OPTIONS = [
    ("FORMAT AS AVRO", "ERROR: COPY ... FORMAT AVRO is not supported by the local Redshift"),
    ("JSON 'auto' NULL AS 'x'", "ERROR: NULL is not supported with JSON"),
    ("JSON 'auto' DELIMITER ','", "ERROR: DELIMITER is not supported with JSON"),
    ("JSON 'auto' LZOP", "ERROR: COPY ... LZOP is not supported"),
    ("JSON 'noshred'", "ERROR: JSON 'noshred' needs a single column, of type SUPER"),
    ("JSON 'auto' NONSENSE", 'ERROR: syntax error at or near "NONSENSE"'),
    ("JSON 'auto' GZIP GZIP", "ERROR: conflicting or redundant options"),
    ("JSON 'auto' GZIP BZIP2", "ERROR: conflicting or redundant options"),
    ("JSON 'auto' MAXERROR 100001", "ERROR: MAXERROR must be between 0 and 100000"),
    ("JSON 'auto' TIMEFORMAT 'nonsense'", "ERROR: Invalid TIMEFORMAT string: nonsense"),
    ("JSON 'auto' ENCRYPTED", "ERROR: COPY ... ENCRYPTED is not supported"),
]


@pytest.mark.parametrize(("options", "error"), OPTIONS)
def test_option_refused(copying: Warehouse, s3: Bucket, options: str, error: str) -> None:
    copying.run("CREATE TABLE t.x (a TIMESTAMP)")
    assert copying.error(copy(s3.put("a.json", "{}"), options)).startswith(error)


def test_copy_takes_no_parameters(copying: Warehouse) -> None:
    copying.run("CREATE TABLE t.x (a INT)")
    sql = f"COPY t.x FROM :source IAM_ROLE '{ROLE}' JSON 'auto'"
    assert copying.error(sql, source="s3://b/k") == 'ERROR: syntax error at or near "$1"'


def test_copy_into_nothing(copying: Warehouse) -> None:
    assert copying.error(copy("s3://b/k")) == "ERROR: Cannot COPY into nonexistent table x"
    copying.run("CREATE TABLE t.x (a INT)")
    error = copying.error("COPY t.x (b) FROM 's3://b/k' IAM_ROLE default JSON 'auto'")
    assert error == 'ERROR: column "b" of relation "x" does not exist'


# -- the real files -------------------------------------------------------------------------------

REAL = Path(__file__).parents[3] / "shared" / "data" / "sparkify"
EVENT_COLUMNS = (
    "artist VARCHAR(300), auth VARCHAR(20), first_name VARCHAR(50), gender VARCHAR(1), "
    "item INT, last_name VARCHAR(50), length FLOAT, level VARCHAR(10), location VARCHAR(200), "
    "method VARCHAR(10), page VARCHAR(30), registration BIGINT, session INT, song VARCHAR(300), "
    "status INT, ts TIMESTAMP, user_agent VARCHAR(300), user_id INT"
)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data set is not beside the repository")
def test_the_real_files_load_whole(copying: Warehouse, s3: Bucket) -> None:
    for path in sorted(REAL.rglob("*.json")):
        s3.put(str(path.relative_to(REAL)), path.read_bytes())
    copying.run(f"CREATE TABLE t.x ({EVENT_COLUMNS})")
    paths = s3.url("log_json_path.json")
    options = f"FORMAT AS JSON '{paths}' TIMEFORMAT 'epochmillisecs' COMPUPDATE OFF STATUPDATE OFF"
    assert copying.run(copy(s3.url("log_data/"), options)).affected == 1882
    assert copying.rows(
        "SELECT COUNT(*), COUNT(DISTINCT user_id), MIN(ts) FROM t.x WHERE page = 'NextSong'"
    ) == [[1594, 75, "2018-11-01 21:01:46.796"]]
    copying.run("CREATE TABLE t.songs (song_id VARCHAR(20), artist_id VARCHAR(20), year INT)")
    assert copying.run(copy(s3.url("song_data/"), table="t.songs")).affected == 71
