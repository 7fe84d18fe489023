"""The three ways of use, with stock tools only: uploads that load themselves, executions, queries."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from local.generator import DataSet
from tests.world import oracle
from tests.world.deployed import ROOT, Project
from tools.install import write_command

FILES = dict(DataSet(songs=5, users=4, days=2, events=60, seed=3).files())
LOGS = {key: content for key, content in FILES.items() if key.startswith("log_data/")}
FIRST, SECOND = sorted(LOGS)


def test_an_upload_loads_itself_and_the_data_api_reads_it(warehouse: Project) -> None:
    path = warehouse.folder / "one.json"
    path.write_bytes(LOGS[FIRST])
    before = len(warehouse.executions())
    warehouse.aws("s3", "cp", str(path), f"s3://{warehouse.bucket}/{FIRST}")
    deadline = time.monotonic() + 60
    while len(warehouse.executions()) == before and time.monotonic() < deadline:
        time.sleep(0.5)
    status, report = warehouse.ended(warehouse.executions()[0]["executionArn"])
    assert (status, report["status"], report["files"]["loaded"]) == ("SUCCEEDED", "loaded", 1)
    statement = warehouse.aws(
        *("redshift-data", "execute-statement", "--workgroup-name", "local", "--database", "dev"),
        *("--sql", "SELECT COUNT(*) FROM sparkify.songplays"),
    )
    while True:
        described = warehouse.aws("redshift-data", "describe-statement", "--id", statement["Id"])
        if described["Status"] in ("FINISHED", "FAILED", "ABORTED"):
            break
    result = warehouse.aws("redshift-data", "get-statement-result", "--id", statement["Id"])
    plays = len(oracle.tables({FIRST: LOGS[FIRST]})["songplays"])
    assert result["Records"] == [[{"longValue": plays}]]


def test_an_upload_elsewhere_starts_nothing(warehouse: Project) -> None:
    before = len(warehouse.executions())
    warehouse.put({"elsewhere/a.json": b"{}", "log_data/notes.txt": b"x", "log_data/folder/": b""})
    time.sleep(5)
    assert len(warehouse.executions()) == before


def test_manual_executions(warehouse: Project) -> None:
    # What is in the bucket and was never announced: events are only sent for what is put, so the
    # notifications are turned off meanwhile.
    s3 = warehouse.client("s3")
    configuration = s3.get_bucket_notification_configuration(Bucket=warehouse.bucket)
    configuration.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=warehouse.bucket, NotificationConfiguration={})
    try:
        status, report = warehouse.start({"check": True})
        assert status == "FAILED"
        assert "bucket_events" in report["cause"]
        warehouse.put(FILES)
    finally:
        s3.put_bucket_notification_configuration(
            Bucket=warehouse.bucket, NotificationConfiguration=configuration
        )
    status, report = warehouse.start({"dry_run": True})
    assert (status, report["status"]) == ("SUCCEEDED", "planned")
    assert report["plan"]["planned"] == len(FILES)
    assert report["plan"]["datasets"] == {"log_data": 2, "song_data": 5}
    assert warehouse.query("SELECT COUNT(*) FROM sparkify.songplays") == [(0,)]

    status, report = warehouse.start({"keys": [FIRST]})
    assert (status, report["files"]["loaded"]) == ("SUCCEEDED", 1)
    assert not oracle.diff(oracle.tables({FIRST: LOGS[FIRST]}), warehouse.star())

    status, report = warehouse.start({"prefixes": ["log_data/"]})
    assert (report["files"]["known"], report["files"]["loaded"]) == (1, 1)
    status, report = warehouse.start({})
    assert (report["files"]["known"], report["files"]["loaded"]) == (2, 5)
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())

    status, report = warehouse.start({})
    assert (status, report["status"]) == ("SUCCEEDED", "nothing to load")
    status, report = warehouse.start({"check": True})
    assert (status, report["status"]) == ("SUCCEEDED", "checked"), report
    assert all(finding["passed"] for finding in report["setup"])


def test_reload_replaces_what_its_files_loaded(warehouse: Project) -> None:
    warehouse.upload(FILES)
    warehouse.execute("UPDATE sparkify.songplays SET level = 'wrong', song_id = NULL")
    warehouse.execute("UPDATE sparkify.users SET first_name = 'wrong'")
    warehouse.execute("UPDATE sparkify.songs SET year = 1")
    warehouse.execute("UPDATE sparkify.artists SET name = 'wrong'")
    status, report = warehouse.start({"reload": True, "prefixes": ["log_data/", "song_data/"]})
    assert status == "SUCCEEDED", report
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    statuses = warehouse.query("SELECT status, COUNT(*) FROM sparkify.files GROUP BY status")
    assert dict(statuses) == {"loaded": len(FILES), "replaced": len(FILES)}


def test_nonsense_is_refused_by_the_name_of_the_field(warehouse: Project) -> None:
    for document, named in [
        ({"prefixs": ["log_data/"]}, "prefixs"),
        ({"prefixes": "log_data/"}, "prefixes"),
        ({"prefixes": ["elsewhere/"]}, "elsewhere/"),
        ({"keys": ["log_data/none.json"]}, "log_data/none.json"),
        ({"keys": ["notes.txt"]}, "notes.txt"),
        ({"reload": True}, "reload"),
        ({"check": True, "keys": [FIRST]}, "check"),
        ({"dry_run": "yes"}, "dry_run"),
        ([], "JSON object"),
    ]:
        status, report = warehouse.start(document)
        assert (status, report["status"]) == ("FAILED", "failed"), document
        assert named in report["cause"], json.dumps(document)


def test_the_sweep_loads_what_no_event_loaded_and_then_rests(warehouse: Project) -> None:
    s3, functions = warehouse.client("s3"), warehouse.client("lambda")
    configuration = s3.get_bucket_notification_configuration(Bucket=warehouse.bucket)
    configuration.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=warehouse.bucket, NotificationConfiguration={})
    try:
        warehouse.put(FILES)
    finally:
        s3.put_bucket_notification_configuration(
            Bucket=warehouse.bucket, NotificationConfiguration=configuration
        )
    (name,) = [
        function["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for function in page["Functions"]
        if "SweepFunction" in function["FunctionName"]
    ]

    def sweep() -> dict[str, int]:
        answer = functions.invoke(FunctionName=name, Payload=b"{}")
        found: dict[str, int] = json.loads(answer["Payload"].read())
        return found

    assert sweep() == {"files": len(FILES)}
    (swept,) = [e for e in warehouse.executions() if e["status"] == "RUNNING"] or [
        warehouse.executions()[0]
    ]
    status, report = warehouse.ended(swept["executionArn"])
    assert (status, report["files"]["loaded"]) == ("SUCCEEDED", len(FILES)), report
    assert not oracle.diff(oracle.tables(FILES), warehouse.star())
    assert sweep() == {"files": 0}


def commands_of_the_pages() -> list[str]:
    """The commands of README.md, "Try it", and docs/development.md, "The local AWS", without make demo and down."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    sections = (
        readme[readme.index("## Try it") : readme.index("## Your own data")],
        page[page.index("## The local AWS") : page.index("## Tests")],
    )
    blocks = "".join(re.findall(r"```console\n(.*?)```", "".join(sections), re.DOTALL))
    found = re.findall(r"^\$ ((?:.*\\\n)*.*)$", blocks, re.MULTILINE)
    return [each for each in found if each not in ("make demo", "make down")]


def test_the_commands_of_the_pages_run_word_for_word(warehouse: Project) -> None:
    """In another terminal: the variables of the first one are not set, the ports are remembered."""
    folder = warehouse.folder
    shutil.copy(ROOT / "Makefile", folder)
    # A .venv of the copy's own with these packages, as installed a moment ago: make must not touch the real one.
    venv = folder / ".venv"
    venv.mkdir(exist_ok=True)
    (venv / "bin").mkdir(exist_ok=True)
    programs = [f"bin/{path.name}" for path in (Path(sys.prefix) / "bin").iterdir()]
    for name in ("lib", "pyvenv.cfg", *programs):
        if not (venv / name).exists():
            (venv / name).symlink_to(Path(sys.prefix) / name)
    (venv / "bin" / "loader").unlink(missing_ok=True)
    write_command(venv, folder)
    (venv / ".installed-demo").touch()
    commands = commands_of_the_pages()
    assert len(commands) >= 14
    script = "".join(f"echo '@@ {number}'\n{each}\n" for number, each in enumerate(commands))
    ended = subprocess.run(
        ["bash", "-euc", script],
        cwd=folder,
        env={"PATH": os.defpath, "HOME": os.environ["HOME"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    said = dict(zip(commands, re.split(r"^@@ \d+\n", ended.stdout, flags=re.M)[1:], strict=True))

    def answer(of: str) -> str:
        (found,) = [text for command, text in said.items() if of in command]
        return found

    assert f"export BUCKET={warehouse.bucket}\n" in warehouse.local("up").stdout
    assert "checked" in answer("loader show $EXECUTION")
    assert answer("aws stepfunctions describe-execution").startswith("SUCCEEDED")
    assert answer("aws redshift-data describe-statement").strip() == "FINISHED"
    ((count,),) = json.loads(answer("aws redshift-data get-statement-result"))
    assert count.keys() == {"longValue"}
    attributes = json.loads(answer("aws sqs get-queue-attributes"))["Attributes"]
    assert attributes.keys() == {"ApproximateNumberOfMessages"}
    assert "load_id" in answer("aws logs filter-log-events")
    assert answer("loader status").startswith("dataset ")
    warehouse.settle()
    assert "log_data/2018/11/2018-11-01-events.json" in warehouse.ledger()
