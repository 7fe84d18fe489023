"""Loads of a built tree in this process: the functions, in the order of the state machine."""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from fakeshift import LocalRedshift, Settings
from local.environment import DATABASE, REGION, ROOT, SCHEMA, WORKGROUP
from local.states.interpreter import Interpreter, Task, TaskFailed
from local.trial.services import S3, Bus, DataApi, Object, Stores, Topic

BUCKET = "data"
WORK_BUCKET = "work"
_MACHINE = f"arn:aws:states:{REGION}:000000000000:stateMachine:load"
# As template.yaml sets them by default.
_VARIABLES = {
    "AWS_REGION": REGION,
    "WORKGROUP_NAME": WORKGROUP,
    "DATABASE_NAME": DATABASE,
    "SCHEMA_NAME": SCHEMA,
    "COPY_ROLE": "default",
    "DATA_BUCKET": BUCKET,
    "WORK_BUCKET": WORK_BUCKET,
    "BATCH_FILES": "2000",
    "BATCH_BYTES": str(10 << 30),
    "MAX_BATCHES": "20",
    "MAX_LOADS_AT_ONCE": "4",
    "WAIT_SECONDS": "20",
    "STATEMENT_TIMEOUT_SECONDS": "3600",
    "ALLOW_RESET": "false",
    "SHOW_BAD_LINES": "true",  # on this machine nobody else sees them
    "TOPIC_ARN": f"arn:aws:sns:{REGION}:000000000000:loads",
    "STATE_MACHINE_ARN": _MACHINE,
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
}
# A load that waits for its other batches asks again after growing pauses. Here a batch takes less than a second.
_FASTER = 20


class Loads:
    """Loads of files into one warehouse, which is empty at first.

    The functions are imported into this process, with the SQL of one built tree and their variables: there can be one
    of these in a process.
    """

    def __init__(self, warehouse: LocalRedshift, s3: S3) -> None:
        self._warehouse = warehouse
        self._s3 = s3
        self._alone: dict[str, str | None] = {}
        text = (ROOT / "statemachine" / "load.asl.json").read_text(encoding="utf-8")
        names = set(re.findall(r"\$\{(\w+)\}", text))
        self._definition = json.loads(text)
        self._names = {name: _module(name) for name in names} | {"Partition": "aws"}

    def put(self, files: Mapping[str, Path]) -> None:
        """Uploads files under their keys."""
        for key, path in files.items():
            self._s3.objects[BUCKET, key] = Object.of_file(path)

    def run(self) -> dict[str, Any]:
        """Loads all files that are not loaded yet; the load's report. Raises TaskFailed if the load has none."""
        interpreter = Interpreter(
            self._definition, _call, clock=time.time, parallel=True, substitutions=self._names
        )
        ended = interpreter.run(
            {},
            execution=f"{_MACHINE.replace(':stateMachine:', ':execution:')}:{uuid.uuid4()}",
            state_machine=_MACHINE,
            started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        if ended.status == "SUCCEEDED":
            return dict(ended.output)
        try:
            report = json.loads(ended.cause)
        except ValueError:
            report = None
        if not isinstance(report, dict):
            raise TaskFailed(ended.error, ended.cause)
        return report

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        from loader import clients

        statement = clients.api().run([sql], token=str(uuid.uuid4()), name="trial")
        return list(clients.api().rows(f"{statement.id}:1"))

    def staged(self, key: str) -> str | None:
        """Stages a loaded file alone, as the step Stage does; its staging table, with the schema. '' if it is empty,
        None if it cannot be staged so.
        """
        from loader.dataapi import StatementFailed

        if key not in self._alone:
            try:
                self._alone[key] = self._staged(key, len(self._alone))
            except StatementFailed:
                self._alone[key] = None
        return self._alone[key]

    def _staged(self, key: str, number: int) -> str:
        import stage
        from loader import batches, clients, headers, keys
        from loader.datasets import dataset_for
        from loader.settings import settings

        file = clients.store().head(BUCKET, key).file
        if file is None:
            raise KeyError(key)
        limits = settings()
        [(dataset, files)] = batches.cut(
            [file], dataset_for, limits.batch_files, limits.batch_bytes
        )
        batch = batches.Batch("0", dataset.name, tuple(files))
        if not batch.readable:
            return ""
        load: Any = {"load_id": f"00000000-000000-{number:08x}"}
        table = keys.stage_table(dataset.stage_table, load["load_id"], "0", 0)
        if dataset.header:
            [batch] = headers.by_order(clients.store(), batch, dataset)
        sequence = stage.prepare(load, batch, dataset, table, reported=False)[:-1]  # no audit
        clients.api().run(sequence, token=str(uuid.uuid4()), name="trial")
        return f"{limits.loader_schema}.{table}"

    def exists(self, table: str) -> bool:
        """Whether there is a table of this name in the schema of the results."""
        return bool(
            self.query(
                "SELECT table_name FROM svv_tables "
                f"WHERE table_schema = '{SCHEMA}' AND table_name = '{table}'"
            )
        )


@contextmanager
def loads(tree: Path, folder: Path) -> Iterator[Loads]:
    """Loads with the SQL of a built ``tree``; ``folder`` is for the warehouse's files."""
    s3 = S3()
    settings = Settings(folder, port=0, region=REGION, assume_role=False, threads=1)
    with ExitStack() as entered:
        warehouse = LocalRedshift(settings, object_stores=Stores(settings, s3))
        entered.callback(warehouse.stop)
        api = DataApi(warehouse)
        clients = {"s3": s3, "redshift-data": api, "events": Bus(), "sns": Topic()}
        variables = {**_VARIABLES, "LOADER_SQL": str(tree)}
        entered.enter_context(mock.patch.dict(os.environ, variables))
        entered.enter_context(mock.patch("boto3.client", lambda name, **_: clients[name]))
        entered.enter_context(mock.patch.object(sys, "path", [str(ROOT / "functions"), *sys.path]))
        steps = importlib.import_module("loader.steps")
        quick = SimpleNamespace(**vars(time) | {"sleep": lambda s: time.sleep(s / _FASTER)})
        entered.enter_context(mock.patch.object(steps, "time", quick))
        # A command that reads the history has imported it before, without these variables.
        steps.logger.setLevel(_VARIABLES["POWERTOOLS_LOG_LEVEL"])
        yield Loads(warehouse, s3)


def _module(name: str) -> str:
    """FindBadFilesFunction -> find_bad_files, the module with its handler."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Function")).lower()


def _call(task: Task) -> dict[str, Any]:
    """A call of the state machine, as Lambda answers it. Raises TaskFailed."""
    if not task.resource.endswith(":lambda:invoke"):
        raise TaskFailed("States.TaskFailed", "These are more files than one execution loads.")
    name = task.arguments["FunctionName"]
    context = SimpleNamespace(
        function_name=name,
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:{REGION}:000000000000:function:{name}",
        aws_request_id=str(uuid.uuid4()),
    )
    handler = importlib.import_module(name).handler
    try:
        answer = handler(json.loads(json.dumps(task.arguments["Payload"])), context)
    except Exception as error:
        raise TaskFailed.of(error) from error
    return {
        "Payload": json.loads(json.dumps(answer)),
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
    }
