"""The views of what has run: SYS_, and on a provisioned cluster also STL_ and SVL_.

``dg/`` is https://docs.aws.amazon.com/redshift/latest/dg/. The CHAR(n) columns of the load views are
blank-padded, as clients see them; those of other views are not.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from fakeshift.system.records import COLUMNS
from fakeshift.system.view import Columns, LoadDetail, Make, Row, SystemSession, SystemView, columns

Record = Mapping[str, Any]
TEXT_PIECE = 4000
STL_PIECE = 200

_LOAD_VIEWS = ("load_detail", "load_error_detail")
LOAD_DETAIL = "sys_load_detail"
OF_NEWER_PATCHES = ("file_etag", "file_last_modified")
"""Columns of SYS_LOAD_DETAIL that not all clusters have yet."""


def _records(table: str, session: SystemSession, query_id: int | None) -> list[Record]:
    found = session.records.rows(table, session.visible_user_id, query_id)
    built: list[Record] = [dict(zip(COLUMNS[table], row, strict=True)) for row in found]
    return _load_detail(built, session.load_detail) if table == "load_detail" else built


def _load_detail(records: list[Record], seen: LoadDetail) -> list[Record]:
    """The rows that this statement may see, in its format."""
    latest = time.time() - seen.seconds
    if seen.empty:
        return []
    shown = [record for record in records if record["end_time"] <= latest]
    if not seen.encoded:
        return shown
    return [{**record, "file_name": _encoded(record["file_name"])} for record in shown]


def _encoded(url: str) -> str:
    """``s3://bucket/year=2018/a.json`` -> ``s3://bucket/year%3D2018/a.json``."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return f"s3://{bucket}/{quote(key, safe='/')}"


def _shown(record: Record, wanted: Columns, *, padded: bool) -> Row:
    return [_value(record.get(name), kind.name, kind.length, padded) for name, kind in wanted]


def _value(value: Any, kind: str, length: int, padded: bool) -> Any:
    if value is None:
        return None
    if kind == "timestamp":
        return dt.datetime.fromtimestamp(value, dt.UTC).replace(tzinfo=None)
    if kind == "bpchar":
        cut = str(value).encode()[:length].decode(errors="ignore")
        return cut.ljust(length) if padded else cut
    return value


def _view(
    name: str,
    text: str,
    table: str,
    spread: Callable[[Record], list[Record]] = lambda record: [record],
    **more: Any,
) -> SystemView:
    """A view of recorded rows; ``spread`` converts one record to any number of rows of the view."""
    wanted = columns(text)

    def make(session: SystemSession, query_id: int | None) -> list[Row]:
        return [
            _shown(row, wanted, padded=table in _LOAD_VIEWS)
            for record in _records(table, session, query_id)
            for row in spread(record)
        ]

    checked: Make = make
    return SystemView(name, wanted, checked, **more)


# -- SYS_ ----------------------------------------------------------------------------------------


def _query_history(record: Record) -> list[Record]:
    """dg/SYS_QUERY_HISTORY.html. Equal texts have equal hashes; the generic hash is also of the text."""
    text = record["query_text"]
    digest = base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()
    return [
        {
            **record,
            "service_class_id": 100,
            "service_class_name": "Default queue",
            "query_priority": "Normal",
            "short_query_accelerated": "false",
            "user_query_hash": digest,
            "query_hash_version": 1,
        }
    ]


def _query_text(record: Record) -> list[Record]:
    """dg/SYS_QUERY_TEXT.html: a row for each 4000 characters"""
    return _pieces(record, TEXT_PIECE)


def _transaction_history(record: Record) -> list[Record]:
    """dg/SYS_TRANSACTION_HISTORY.html"""
    return [{**record, "transaction_start_time": record["start_time"], "undo_transaction_id": -1}]


def _pieces(record: Record, size: int) -> list[Record]:
    text = record["query_text"]
    starts = range(0, max(len(text), 1), size)
    return [
        {**record, "sequence": number, "text": text[start : start + size]}
        for number, start in enumerate(starts)
    ]


def _query_detail(record: Record) -> list[Record]:
    """dg/SYS_QUERY_DETAIL.html: one row for the whole query; there are no steps"""
    if record["query_type"] in ("DDL", "UTILITY") or record["status"] == "running":
        return []
    return [
        {
            **record,
            "child_query_sequence": 1,
            "stream_id": 0,
            "segment_id": 0,
            "step_id": -1,
            "step_name": "",
            "is_rrscan": "f",
            "is_active": "f",
            "duration": record["execution_time"],
            "output_rows": record["returned_rows"],
            "output_bytes": record["returned_bytes"],
        }
    ]


_SYS = [
    _view(
        "sys_query_history",
        "user_id int4, query_id int8, query_label bpchar(320), transaction_id int8, session_id int4, "
        "database_name bpchar(128), query_type bpchar(32), status bpchar(10), result_cache_hit bool, "
        "start_time timestamp, end_time timestamp, elapsed_time int8, queue_time int8, "
        "execution_time int8, error_message bpchar(512), returned_rows int8, returned_bytes int8, "
        "query_text bpchar(4000), redshift_version bpchar(256), usage_limit bpchar(150), "
        "compute_type varchar(32), compile_time int8, planning_time int8, lock_wait_time int8, "
        "service_class_id int4, service_class_name bpchar(64), query_priority bpchar(20), "
        "short_query_accelerated bpchar(10), user_query_hash bpchar(40), "
        "generic_query_hash bpchar(40), query_hash_version int4, result_cache_query_id int8",
        "query_history",
        _query_history,
    ),
    _view(
        "sys_query_text",
        "user_id int4, query_id int8, transaction_id int8, session_id int4, start_time timestamp, "
        "sequence int4, text bpchar(4000)",
        "query_history",
        _query_text,
    ),
    _view(
        "sys_query_detail",
        "user_id int4, query_id int8, child_query_sequence int4, stream_id int4, segment_id int4, "
        "step_id int4, step_name text, table_id int4, table_name bpchar(136), is_rrscan bpchar(1), "
        "start_time timestamp, end_time timestamp, duration int8, alert text, input_bytes int8, "
        "input_rows int8, output_bytes int8, output_rows int8, blocks_read int8, "
        "blocks_write int8, local_read_io int8, remote_read_io int8, source text, "
        "data_skewness int4, time_skewness int4, is_active bpchar(1), "
        "spilled_block_local_disk int8, spilled_block_remote_disk int8, step_attribute text",
        "query_history",
        _query_detail,
    ),
    _view(
        "sys_transaction_history",
        "user_id int4, transaction_id int8, isolation_level text, status text, "
        "transaction_start_time timestamp, commit_start_time timestamp, "
        "commit_end_time timestamp, blocks_committed int8, undo_transaction_id int8",
        "transaction_history",
        _transaction_history,
        superuser=True,
    ),
    _view(
        "sys_load_history",
        "user_id int4, query_id int8, transaction_id int8, session_id int4, database_name text, "
        "status text, table_name text, start_time timestamp, end_time timestamp, duration int8, "
        "data_source text, file_format text, loaded_rows int8, loaded_bytes int8, "
        "source_file_count int4, source_file_bytes int8, file_count_scanned int4, "
        "file_bytes_scanned int8, error_count int8, copy_job_id int8",
        "load_history",
    ),
    _view(
        LOAD_DETAIL,
        "user_id int4, query_id int8, file_name bpchar(256), bytes_scanned int8, "
        "lines_scanned int8, record_time timestamp, splits_scanned int4, start_time timestamp, "
        "end_time timestamp, file_etag bpchar(256), file_last_modified timestamp",
        "load_detail",
    ),
    _view(
        "sys_load_error_detail",
        "user_id int4, query_id int8, transaction_id int8, session_id int4, database_name text, "
        "table_id int4, start_time timestamp, file_name bpchar(256), line_number int8, "
        "column_name bpchar(127), column_type bpchar(10), column_length bpchar(10), position int4, "
        "error_code int4, error_message bpchar(512)",
        "load_error_detail",
    ),
    _view(
        "sys_unload_history",
        "user_id int4, query_id int8, transaction_id int8, session_id int4, database_name text, "
        "status text, start_time timestamp, end_time timestamp, duration int8, file_format text, "
        "compression_type text, unloaded_location text, unloaded_rows int8, "
        "unloaded_files_count int8, unloaded_files_size int8, error_message text",
        "unload_history",
    ),
    _view(
        "sys_unload_detail",
        "user_id int4, query_id int8, session_id int4, transaction_id int8, "
        "file_name bpchar(1280), start_time timestamp, end_time timestamp, line_count int8, "
        "transfer_size int8, file_format bpchar(10)",
        "unload_detail",
    ),
]


# -- STL_, SVL_ ----------------------------------------------------------------------------------

_QUERIES = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "UNLOAD")


def _stl(record: Record) -> dict[str, Any]:
    """A query's record under the names of the STL_ tables."""
    return {
        **record,
        "userid": record["user_id"],
        "query": record["query_id"],
        "label": record["query_label"],
        "xid": record["transaction_id"],
        "pid": record["session_id"],
        "database": record["database_name"],
        "querytxt": record["query_text"],
        "starttime": record["start_time"],
        "endtime": record["end_time"],
        "aborted": int(record["status"] in ("failed", "canceled")),
        "insert_pristine": 0,
        "concurrency_scaling_status": 0,
    }


def _is_query(record: Record) -> bool:
    return record["query_type"] in _QUERIES and record["status"] != "running"


def _stl_query(record: Record) -> list[Record]:
    """dg/r_STL_QUERY.html: queries, not utility and DDL commands"""
    return [_stl(record)] if _is_query(record) else []


def _stl_querytext(record: Record) -> list[Record]:
    return _pieces(_stl(record), STL_PIECE) if _is_query(record) else []


def _stl_ddltext(record: Record) -> list[Record]:
    return _pieces(_stl(record), STL_PIECE) if record["query_type"] == "DDL" else []


def _stl_utilitytext(record: Record) -> list[Record]:
    other = record["query_type"] not in (*_QUERIES, "DDL")
    return _pieces(_stl(record), STL_PIECE) if other else []


def _svl_statementtext(record: Record) -> list[Record]:
    kind = record["query_type"]
    kind = "QUERY" if kind in _QUERIES else kind if kind == "DDL" else "UTILITY"
    return _pieces({**_stl(record), "type": kind}, STL_PIECE)


def _svl_qlog(record: Record) -> list[Record]:
    """dg/r_SVL_QLOG.html: the text's first 60 characters, with an ellipsis if there are more"""
    text = record["query_text"]
    return [
        {
            **query,
            "elapsed": record["elapsed_time"],
            "substring": text if len(text) <= 60 else f"{text[:57]}...",
            "concurrency_scaling_status_txt": "0 - Not a candidate for concurrency scaling",
            "from_sp_call": None,
        }
        for query in _stl_query(record)
    ]


def _stl_load_errors(record: Record) -> list[Record]:
    return [
        {
            "userid": record["user_id"],
            "slice": 0,
            "tbl": record["table_id"],
            "starttime": record["start_time"],
            "session": record["session_id"],
            "query": record["query_id"],
            "filename": record["file_name"],
            "line_number": record["line_number"],
            "colname": record["column_name"],
            "type": record["column_type"],
            "col_length": record["column_length"],
            "position": record["position"],
            "raw_line": record["raw_line"] or "",
            "raw_field_value": record["raw_field_value"] or "",
            "err_code": record["error_code"],
            "err_reason": record["error_message"],
            "is_partial": 0,
            "start_offset": 0,
            "copy_job_id": 0,
        }
    ]


def _stl_unload_log(record: Record) -> list[Record]:
    """dg/r_STL_UNLOAD_LOG.html"""
    return [
        {
            **record,
            "userid": record["user_id"],
            "query": record["query_id"],
            "slice": 0,
            "pid": record["session_id"],
            "path": record["file_name"],
        }
    ]


def _stl_load_commits(record: Record) -> list[Record]:
    return [
        {
            "userid": record["user_id"],
            "query": record["query_id"],
            "slice": 0,
            "name": "",
            "filename": record["file_name"],
            "byte_offset": 0,
            "lines_scanned": record["lines_scanned"],
            "errors": -1,
            "curtime": record["record_time"],
            "status": 1,
            "file_format": "",
            "is_partial": 0,
            "start_offset": 0,
            "copy_job_id": 0,
        }
    ]


_TEXTS = "starttime timestamp, endtime timestamp, sequence int4"
_STL = [
    _view(
        "stl_query",
        "userid int4, query int4, label bpchar(320), xid int8, pid int4, database bpchar(32), "
        "querytxt bpchar(4000), starttime timestamp, endtime timestamp, aborted int4, "
        "insert_pristine int4, concurrency_scaling_status int4",
        "query_history",
        _stl_query,
        provisioned=True,
        is_view=False,
    ),
    _view(
        "stl_querytext",
        "userid int4, xid int8, pid int4, query int4, sequence int4, text bpchar(200)",
        "query_history",
        _stl_querytext,
        provisioned=True,
        is_view=False,
    ),
    _view(
        "stl_ddltext",
        f"userid int4, xid int8, pid int4, label bpchar(320), {_TEXTS}, text bpchar(200)",
        "query_history",
        _stl_ddltext,
        provisioned=True,
        is_view=False,
    ),
    _view(
        "stl_utilitytext",
        f"userid int4, xid int8, pid int4, label bpchar(320), {_TEXTS}, text bpchar(200)",
        "query_history",
        _stl_utilitytext,
        provisioned=True,
        is_view=False,
    ),
    _view(
        "svl_statementtext",
        f"userid int4, xid int8, pid int4, label bpchar(320), {_TEXTS}, type varchar(10), "
        "text bpchar(200)",
        "query_history",
        _svl_statementtext,
        provisioned=True,
    ),
    _view(
        "svl_qlog",
        "userid int4, query int4, xid int8, pid int4, starttime timestamp, endtime timestamp, "
        "elapsed int8, aborted int4, label bpchar(320), substring bpchar(60), source_query int4, "
        "concurrency_scaling_status_txt text, from_sp_call int4",
        "query_history",
        _svl_qlog,
        provisioned=True,
    ),
    _view(
        "stl_load_errors",
        "userid int4, slice int4, tbl int4, starttime timestamp, session int4, query int4, "
        "filename bpchar(256), line_number int8, colname bpchar(127), type bpchar(10), "
        "col_length bpchar(10), position int4, raw_line bpchar(1024), "
        "raw_field_value bpchar(1024), err_code int4, err_reason bpchar(100), is_partial int4, "
        "start_offset int8, copy_job_id int8",
        "load_error_detail",
        _stl_load_errors,
        provisioned=True,
        is_view=False,
    ),
    _view(
        "stl_load_commits",
        "userid int4, query int4, slice int4, name bpchar(256), filename bpchar(256), "
        "byte_offset int4, lines_scanned int4, errors int4, curtime timestamp, status int4, "
        "file_format bpchar(16), is_partial int4, start_offset int8, copy_job_id int8",
        "load_detail",
        _stl_load_commits,
        provisioned=True,
        is_view=False,
    ),
    _view(
        "stl_unload_log",
        "userid int4, query int4, slice int4, pid int4, path bpchar(1280), start_time timestamp, "
        "end_time timestamp, line_count int8, transfer_size int8, file_format bpchar(10)",
        "unload_detail",
        _stl_unload_log,
        provisioned=True,
        is_view=False,
    ),
]

VIEWS: list[SystemView] = [*_SYS, *_STL]
