"""A deployed copy of the product, and what a user does with it."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cached_property
from pathlib import Path
from signal import SIGKILL
from typing import Any

import boto3

from local.aws import processes
from local.aws.server import functions_folder
from local.client import stack
from local.client.clients import Clients
from local.client.loads import LoadsOf
from local.client.queues import depth
from local.environment import Ports
from local.problem import ASKS, WELL
from local.show.report import Report
from tests.world import oracle

ROOT = Path(__file__).resolve().parents[2]
SPARKIFY = ROOT.parent / "shared" / "data" / "sparkify"
END_SECONDS = 180
_BIN = Path(sys.prefix) / "bin"
COPIED = (
    "contracts",
    "functions",
    "local",
    "sql",
    "statemachine",
    "template.yaml",
    "samconfig.toml",
    "pyproject.toml",
)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Project:
    """The copy's folder, its ports, and clients that know only the local AWS."""

    def __init__(
        self, folder: Path, aws_port: int, redshift_port: int, isolation: str = "snapshot"
    ) -> None:
        self.folder = folder
        self.clients = Clients(Ports(aws_port, redshift_port))
        self.variables = {
            "LOCAL_AWS_PORT": str(aws_port),
            "LOCAL_REDSHIFT_PORT": str(redshift_port),
            "LOCAL_PG_PORT": str(_free_port()),
            # Faults are allowed; none is armed.
            "LOCAL_REDSHIFT_OPTIONS": f"--faults --isolation {isolation}",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws_port}",
            "AWS_ENDPOINT_URL_REDSHIFT_DATA": f"http://127.0.0.1:{redshift_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command in the copy's folder; its output is shown if it fails."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and ended.returncode:
            raise AssertionError(
                f"{' '.join(command)} ended {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
            )
        return ended

    def installed(self) -> Path:
        """Gives the copy a .venv with these packages, as make leaves it: make must not touch the real one. It has no
        command ``loader`` yet.
        """
        shutil.copy(ROOT / "Makefile", self.folder)
        venv = self.folder / ".venv"
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        places = ("lib", "pyvenv.cfg", *(f"bin/{each.name}" for each in _BIN.iterdir()))
        for name in places:
            if not (venv / name).is_symlink() and name != "bin/loader":
                (venv / name).symlink_to(Path(sys.prefix) / name)
        (venv / ".installed-demo").touch()
        return venv

    def typed(self, commands: Sequence[str], seconds: int = 240) -> list[str]:
        """What each command printed, typed one after another into a new terminal in the copy's folder.

        No variable of these tests is set there: the ports are remembered. Fails if a command fails.
        """
        script = "".join(f"echo '@@ {number}'\n{each}\n" for number, each in enumerate(commands))
        ended = subprocess.run(
            ["bash", "-euc", script],
            cwd=self.folder,
            env={"PATH": os.defpath, "HOME": os.environ["HOME"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        assert ended.returncode == 0, ended.stdout
        return re.split(r"^@@ \d+\n", ended.stdout, flags=re.MULTILINE)[1:]

    def local(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """``loader …``"""
        return self.run(sys.executable, "-m", "local", *arguments, check=check)

    def aws(self, *arguments: str) -> Any:
        """The AWS CLI; its JSON output, or its text."""
        output = self.run("aws", *arguments).stdout
        try:
            return json.loads(output)
        except ValueError:
            return output

    def client(self, service: str) -> Any:
        name = (
            "AWS_ENDPOINT_URL_REDSHIFT_DATA" if service == "redshift-data" else "AWS_ENDPOINT_URL"
        )
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.variables[name],
            region_name="us-west-2",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs."""
        stacks = self.client("cloudformation").describe_stacks(StackName="s3-redshift-loader-local")
        return {o["OutputKey"]: o["OutputValue"] for o in stacks["Stacks"][0]["Outputs"]}

    @property
    def bucket(self) -> str:
        return self.outputs["DataBucketName"]

    def use_a_key_of_its_own(self) -> None:
        """Makes a KMS key and gives it to the deployment."""
        key = self.client("kms").create_key(Description="the user's")["KeyMetadata"]["Arn"]
        path = self.folder / "samconfig.toml"
        text = path.read_text(encoding="utf-8")
        assert text.count('"WorkgroupName=local ') == 1
        changed = text.replace('"WorkgroupName=local ', f'"KmsKeyArn={key} WorkgroupName=local ')
        path.write_text(changed, encoding="utf-8")

    def upload(self, files: Mapping[str, bytes]) -> str:
        """Writes the files to a folder and uploads it with the command line; what it printed.

        It may end with 3: files are rejected.
        """
        folder = self.folder / "upload"
        subprocess.run(["rm", "-rf", str(folder)], check=True)
        for key, content in files.items():
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        ended = self.local("upload", str(folder), check=False)
        assert ended.returncode in (WELL, ASKS), ended.stderr
        return ended.stdout

    def put(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Puts objects at once without waiting for anything; their ETags by key."""
        s3 = self.clients.s3

        def put(key: str) -> tuple[str, str]:
            answer = s3.put_object(Bucket=self.bucket, Key=key, Body=files[key])
            return key, answer["ETag"].strip('"')

        with ThreadPoolExecutor(8) as pool:
            return dict(pool.map(put, files))

    def load(self, files: Mapping[str, bytes]) -> list[Report]:
        """Puts objects and waits for the loads that this causes, as ``loader upload`` does."""
        loads = LoadsOf(self.clients, stack.deployed(self.clients))
        return loads.wait(self.put(files))

    @contextlib.contextmanager
    def no_events(self) -> Iterator[None]:
        """What is put meanwhile is never announced."""
        s3 = self.clients.s3
        configuration = s3.get_bucket_notification_configuration(Bucket=self.bucket)
        s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={})
        try:
            yield
        finally:
            s3.put_bucket_notification_configuration(
                Bucket=self.bucket,
                NotificationConfiguration={
                    "EventBridgeConfiguration": configuration["EventBridgeConfiguration"]
                },
            )

    def begin(self, document: Any) -> str:
        """Starts an execution with this input; its ARN."""
        return self.clients.states.start_execution(
            stateMachineArn=self.outputs["StateMachineArn"], input=json.dumps(document)
        )["executionArn"]

    def start(self, document: Any) -> tuple[str, dict[str, Any]]:
        """An execution with this input, to its end: its status and its report."""
        return self.ended(self.begin(document))

    def ended(self, arn: str) -> tuple[str, dict[str, Any]]:
        """Waits for an execution's end; its status and its report: output, cause, {} if stopped."""
        states = self.client("stepfunctions")
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            execution = states.describe_execution(executionArn=arn)
            if execution["status"] != "RUNNING":
                name = {"SUCCEEDED": "output", "FAILED": "cause"}.get(execution["status"])
                return execution["status"], json.loads(execution[name]) if name else {}
            time.sleep(0.3)
        raise AssertionError(f"{arn} did not end in {END_SECONDS} seconds")

    def executions(self) -> list[dict[str, Any]]:
        """All executions, newest first."""
        states = self.client("stepfunctions")
        found: list[dict[str, Any]] = states.list_executions(
            stateMachineArn=self.outputs["StateMachineArn"]
        )["executions"]
        return found

    def running(self) -> list[str]:
        """The ARNs of the executions that run."""
        return [e["executionArn"] for e in self.executions() if e["status"] == "RUNNING"]

    def settle(self, seconds: float = END_SECONDS) -> None:
        """Waits until the queue is empty and no execution runs."""
        deadline = time.monotonic() + seconds
        # The queue first: a message leaves it only when its execution is there.
        while depth(self.clients, self.outputs["QueueUrl"]) or self.running():
            assert time.monotonic() < deadline, f"not settled in {seconds} seconds"
            time.sleep(0.2)

    def invoke(self, function: str, payload: Any) -> Any:
        """Invokes a function by its name in the template; its answer."""
        answer = self._functions.invoke(
            FunctionName=self.function(function), Payload=json.dumps(payload).encode()
        )
        document = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, document
        return document

    def function(self, name: str) -> str:
        """The function's own name, by its name in the template."""
        return self._function_names[name]

    @cached_property
    def _functions(self) -> Any:
        return self.client("lambda")

    @cached_property
    def _function_names(self) -> dict[str, str]:
        found = self.clients.cloudformation.describe_stack_resources(
            StackName="s3-redshift-loader-local"
        )["StackResources"]
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in found
            if each["ResourceType"] == "AWS::Lambda::Function"
        }

    def kill(self, function: str) -> int:
        """Kills the processes that run a function; how many there were."""
        folder = functions_folder(self.folder.resolve() / ".local" / "aws" / "data")
        found = [pid for pid, path in processes.programs(folder).items() if f"-{function}-" in path]
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
        return len(found)

    def fault(self, **members: Any) -> None:
        """Arms a fault of the local Redshift (fakeshift/src/fakeshift/faults.py); ``clear=True`` disarms all."""
        self._local_redshift("faults", members)

    def restart_redshift(self) -> None:
        """What the local Redshift runs fails, as when a warehouse restarts."""
        self._local_redshift("restart", {})

    def _local_redshift(self, path: str, document: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.variables['AWS_ENDPOINT_URL_REDSHIFT_DATA']}/_local/{path}",
            data=json.dumps(document).encode(),
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def statements(self) -> list[str]:
        """Every SQL statement that the local Redshift was sent so far."""
        log = self.folder / ".local" / "redshift" / "data" / "sql-in.jsonl"
        return [json.loads(line)["sql"] for line in log.read_text(encoding="utf-8").splitlines()]

    def execute(self, sql: str) -> str:
        """A statement through the Data API, to its end; its id."""
        data = self.client("redshift-data")
        statement = data.execute_statement(
            WorkgroupName="local", Database="dev", Sql=sql, WaitTimeSeconds=30
        )
        described = data.describe_statement(Id=statement["Id"], WaitTimeSeconds=30)
        assert described["Status"] == "FINISHED", described.get("Error")
        return str(statement["Id"])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query through the Data API."""
        data = self.client("redshift-data")
        statement = self.execute(sql)
        rows: list[tuple[Any, ...]] = []
        for page in data.get_paginator("get_statement_result").paginate(Id=statement):
            rows += [tuple(map(_value, record)) for record in page["Records"]]
        return rows

    def star(self) -> oracle.Tables:
        """Every table of the star schema, with the oracle's columns."""
        return {table: self._rows(table, columns) for table, columns in oracle.COLUMNS.items()}

    def _rows(self, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        rows = self.query(f"SELECT {', '.join(columns)} FROM sparkify.{table}")
        if "start_time" not in columns:
            return rows
        place = columns.index("start_time")
        return [
            (*row[:place], datetime.fromisoformat(row[place]), *row[place + 1 :]) for row in rows
        ]

    def ledger(self) -> dict[str, tuple[Any, ...]]:
        """Key -> (status, reason, line, column) of every file that the ledger knows."""
        rows = self.query(
            "SELECT key, status, reason, error_line, error_column FROM sparkify.file_status"
        )
        return {row[0]: row[1:] for row in rows}

    def ledger_rows(self) -> list[tuple[str, str, str]]:
        """(key, ETag, status) of every row of the ledger, sorted."""
        return sorted(self.query("SELECT key, etag, status FROM sparkify.files"))

    def staging_tables(self) -> list[str]:
        """The staging tables of loads that are there."""
        tables = self.query(
            "SELECT table_name FROM svv_tables WHERE table_schema IN ('sparkify', 'sparkify_loader')"
        )
        return [name for (name,) in tables if "_stage_" in name]


def _value(field: Mapping[str, Any]) -> Any:
    return None if field.get("isNull") else next(iter(field.values()))


@contextlib.contextmanager
def deployed(
    folder: Path, isolation: str = "snapshot", *, encrypted: bool = False
) -> Iterator[Project]:
    """A copy of the tree in ``folder``, with a local AWS of its own on free ports, deployed; stopped at the end.

    encrypted   with a KMS key of the user's own (the parameter KmsKeyArn)
    """
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".aws-sam")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    found = Project(folder, *_free_ports(), isolation)
    try:
        found.local("up")
        if encrypted:
            found.use_a_key_of_its_own()
        found.local("deploy")
        yield found
    finally:
        found.local("down", check=False)


def _free_ports() -> tuple[int, int]:
    """Two ports that nothing listens on."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
