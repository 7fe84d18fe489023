"""COPY from Parquet as other writers write it: Arrow's, with the types that Redshift's UNLOAD uses.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
from typing import Any

import pytest
from conftest import ROLE, Bucket
from warehouse import Warehouse

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

MOMENT = dt.datetime(2018, 11, 1, 21, 1, 46, 796000)  # noqa: DTZ001 - a TIMESTAMP has no zone
AMOUNT = decimal.Decimal("-123456789012.34")


def parquet(columns: dict[str, Any], **how: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def load(copying: Warehouse, s3: Bucket, kinds: str, body: bytes, name: str = "a.parquet") -> Any:
    copying.run(f"CREATE TABLE t.x ({kinds})")
    copying.run(f"COPY t.x FROM '{s3.put(name, body)}' IAM_ROLE '{ROLE}' FORMAT AS PARQUET")
    return copying.rows("SELECT * FROM t.x")


LOADED = [
    ("TIMESTAMP", pa.array([MOMENT], pa.timestamp("ns")), {"use_deprecated_int96_timestamps": True},
     "2018-11-01 21:01:46.796"),
    ("TIMESTAMP", pa.array([MOMENT], pa.timestamp("ms")), {}, "2018-11-01 21:01:46.796"),
    ("TIMESTAMP", pa.array([MOMENT], pa.timestamp("us", "UTC")), {}, "2018-11-01 21:01:46.796"),
    ("DECIMAL(18,2)", pa.array([AMOUNT], pa.decimal128(18, 2)), {}, "-123456789012.34"),
    ("DECIMAL(38,2)", pa.array([AMOUNT], pa.decimal128(38, 2)), {}, "-123456789012.34"),
    ("VARCHAR(9)", pa.array([b"bytes"], pa.binary()), {}, "bytes"),
    ("VARCHAR(9)", pa.array(["x"]).dictionary_encode(), {}, "x"),
    ("VARCHAR(9)", pa.array(["x"], pa.large_string()), {"compression": "zstd"}, "x"),
    ("SMALLINT", pa.array([7], pa.int8()), {}, 7),
    ("DATE", pa.array([MOMENT.date()]), {"compression": "gzip"}, "2018-11-01"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "values", "how", "expected"),
    LOADED,
    ids=[f"{kind} of {values.type} {number}" for number, (kind, values, *_) in enumerate(LOADED)],
)
def test_loads(
    copying: Warehouse, s3: Bucket, kind: str, values: Any, how: dict[str, Any], expected: Any
) -> None:
    body = parquet({"a": values}, **how)
    assert load(copying, s3, f"a {kind}", body) == [[expected]]


REFUSED = [
    ("TIMESTAMP", pa.array([MOMENT], pa.timestamp("ns")), "TIMESTAMP"),
    ("BIGINT", pa.array([1], pa.int32()), "BIGINT"),
    ("BIGINT", pa.array([1], pa.uint64()), "BIGINT"),
    ("DOUBLE PRECISION", pa.array([1], pa.float32()), "DOUBLE PRECISION"),
    ("DECIMAL(9,2)", pa.array([1.5]), "DECIMAL(9, 2)"),
    ("VARCHAR(9)", pa.array([[1]]), "VARCHAR(9)"),
    ("DATE", pa.array([MOMENT], pa.timestamp("us")), "DATE"),
]


@pytest.mark.parametrize(
    ("kind", "values", "spoken"), REFUSED, ids=[f"{k} of {v.type}" for k, v, _ in REFUSED]
)
def test_refuses(copying: Warehouse, s3: Bucket, kind: str, values: Any, spoken: str) -> None:
    copying.run(f"CREATE TABLE t.x (a {kind})")
    url = s3.put("a.parquet", parquet({"a": values}))
    error = copying.error(f"COPY t.x FROM '{url}' IAM_ROLE '{ROLE}' PARQUET")
    assert error.startswith("ERROR: Spectrum Scan Error\n  Detail:")
    assert f"incompatible Parquet schema for column '{url}.a'. Column type: {spoken}," in error
    assert "code:      15007" in error


def test_a_file_in_gzip(copying: Warehouse, s3: Bucket) -> None:
    """ "If the file ... includes .gz ... we decompress the data without the need for adding any
    parameters."
    """
    body = gzip.compress(parquet({"a": pa.array([1], pa.int32())}))
    assert load(copying, s3, "a INT", body, "a.parquet.gz") == [[1]]


def test_many_row_groups_in_many_files(copying: Warehouse, s3: Bucket) -> None:
    for number in range(3):
        values = pa.array(range(number * 1000, number * 1000 + 1000), pa.int64())
        s3.put(f"many/{number}", parquet({"a": values}, row_group_size=100))
    copying.run("CREATE TABLE t.x (a BIGINT)")
    copy = f"COPY t.x FROM '{s3.url('many/')}' IAM_ROLE '{ROLE}' PARQUET"
    assert copying.run(copy).affected == 3000
    assert copying.rows("SELECT COUNT(*), MIN(a), MAX(a), COUNT(DISTINCT a) FROM t.x") == [
        [3000, 0, 2999, 3000]
    ]
