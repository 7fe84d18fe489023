"""Cold start: each handler's imports and clients, compared with ``import boto3`` and one client.

Each run is a fresh process with only what is built: the layer and the function's own files, in Lambda's order of
sys.path. As on Lambda, nothing can be written there, so what the build did not compile is compiled in each process.
Processor seconds are compared, because other work on the machine affects them least. The start of the interpreter is
not included.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.lib.measure import median
from tests.world.simulator import PARAMETERS, ROOT
from tests.world.template import Stack

FACTOR = 1.25
LARGEST = 12.0
"""MB (of a million bytes) that a function may have unzipped."""

_FLOOR = "import boto3\nboto3.client('s3')"
_HANDLER = """
module = __import__({name!r})
for holder in ("api", "store"):
    if hasattr(module, holder):
        getattr(module, holder)._client
"""
_CHILD = """
import sys, time
sys.path[:0] = {path!r}
wall, processor = time.perf_counter(), time.process_time()
{work}
print("took", time.process_time() - processor, time.perf_counter() - wall, len(sys.modules))
"""


def measure(runs: int) -> dict[str, Any]:
    """All functions of the template, alternating with the floor."""
    folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
    try:
        layer, code = _built(folder)
        stack = Stack(ROOT, PARAMETERS)
        functions = {f.module: dict(f.environment) for f in stack.functions.values()}
        document: dict[str, Any] = {"bound": FACTOR, "largest_mb": LARGEST, "runs": runs}
        document["size"] = _sizes(layer, code)
        print(f"  {document['size']}", flush=True)
        document["as_built"] = _compared(layer, code, functions, runs)
        compileall.compile_dir(layer, quiet=2)
        compileall.compile_dir(code, quiet=2)
        document["compiled"] = _compared(layer, code, functions, max(runs // 2, 1))
        document["holds"] = document["size"]["function_and_layer_mb"] <= LARGEST and all(
            row["ratio"] <= FACTOR for row in document["as_built"]["functions"]
        )
        return document
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _built(folder: Path) -> tuple[Path, Path]:
    """The layer and a function as ``sam build`` builds them: it runs these Makefiles."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for source, target in ((".", "build-Function"), ("dependencies", "build-Dependencies")):
        made = folder / target
        made.mkdir()
        subprocess.run(
            ["make", "--silent", "-C", str(ROOT / "functions" / source), target, f"ARTIFACTS_DIR={made}"],
            check=True,
            env={**os.environ, "PATH": path},
            capture_output=True,
        )  # fmt: skip
    return folder / "build-Dependencies" / "python", folder / "build-Function"


def _sizes(layer: Path, code: Path) -> dict[str, float]:
    of = {
        name: sum(f.stat().st_size for f in top.rglob("*") if f.is_file()) / 1e6
        for name, top in (("function_mb", code), ("layer_mb", layer))
    }
    return {
        **{name: round(size, 2) for name, size in of.items()},
        "function_and_layer_mb": round(sum(of.values()), 2),
    }


def _compared(
    layer: Path, code: Path, functions: dict[str, dict[str, str]], runs: int
) -> dict[str, Any]:
    """Medians in ms, and each function's ratio to the floor."""
    path = [str(code), str(layer)]
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ("floor", *functions)}
    modules: dict[str, int] = {}
    for _ in range(runs):
        for name in took:
            work = _FLOOR if name == "floor" else _HANDLER.format(name=name)
            *times, modules[name] = _child(path, work, functions.get(name, {}))
            took[name].append((times[0], times[1]))
    floor = median([processor for processor, _ in took["floor"]])
    rows = [
        {
            "function": name,
            "processor_ms": round(median([each[0] for each in took[name]]) * 1000, 1),
            "wall_ms": round(median([each[1] for each in took[name]]) * 1000, 1),
            "ratio": round(median([each[0] for each in took[name]]) / floor, 3),
            "modules": modules[name],
        }
        for name in took
    ]
    for row in rows:
        print(f"  {json.dumps(row)}", flush=True)
    return {"floor": rows[0], "functions": rows[1:]}


def _child(path: list[str], work: str, environment: dict[str, str]) -> tuple[float, float, int]:
    base = getattr(sys, "_base_executable", sys.executable)
    ended = subprocess.run(
        [base, "-I", "-S", "-B", "-c", _CHILD.format(path=path, work=work)],
        env={
            **environment,
            "AWS_REGION": "us-west-2",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    line = next(line for line in ended.stdout.splitlines() if line.startswith("took"))
    _, processor, wall, modules = line.split()
    return float(processor), float(wall), int(modules)
