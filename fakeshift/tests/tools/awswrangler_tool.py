"""awswrangler.redshift against a port: python awswrangler_tool.py PORT."""

import datetime as dt
import sys
from typing import Any

import awswrangler as wr
import pandas as pd
import redshift_connector

FRAME = pd.DataFrame(
    {
        "id": [1, 2, 3],
        "name": ["a", "b", None],
        "v": [1.5, 2.5, None],
        "d": [dt.date(2018, 11, 1)] * 3,
    }
)


def main(port: str) -> None:
    """Written in each mode, and read as a whole and in chunks."""
    con = redshift_connector.connect(
        host="127.0.0.1", port=int(port), database="dev", user="me", password="x", ssl=False
    )
    place: dict[str, Any] = {"table": "frames", "schema": "public", "index": False}
    wr.redshift.to_sql(
        FRAME, con, mode="overwrite", primary_keys=["id"], diststyle="KEY", distkey="id",
        sortkey=["id"], **place,
    )  # fmt: skip
    wr.redshift.to_sql(FRAME.assign(id=[4, 5, 6]), con, mode="append", **place)
    changed = FRAME.assign(name=["A", "B", "C"])
    wr.redshift.to_sql(changed, con, mode="upsert", primary_keys=["id"], **place)
    found = wr.redshift.read_sql_query("SELECT * FROM public.frames ORDER BY id", con)
    assert list(found["id"]) == [1, 2, 3, 4, 5, 6], found
    assert list(found["name"])[:5] == ["A", "B", "C", "a", "b"], found
    assert found["d"].iloc[0] == dt.date(2018, 11, 1), found
    assert len(wr.redshift.read_sql_table("frames", con, schema="public")) == 6
    chunks = wr.redshift.read_sql_query("SELECT * FROM public.frames", con, chunksize=4)
    assert [len(chunk) for chunk in chunks] == [4, 2]
    con.close()


if __name__ == "__main__":
    main(sys.argv[1])
