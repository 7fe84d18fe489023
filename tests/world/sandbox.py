"""Lambda's execution environments in this process: a function's code with its own modules, variables and clients.

Each environment has modules of its own, as each has a process of its own on Lambda: nothing is shared between two
functions, two environments of one function, or with the other tests. It runs one invocation at a time and is used
again for the next one (a warm start), unless the invocation was killed: then it is thrown away.
Source: docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import builtins
import contextlib
import datetime as real_datetime
import itertools
import json
import os as real_os
import sys
import threading
import time as real_time
import traceback
import types
import uuid as real_uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import aws_lambda_powertools
import boto3
import botocore.loaders
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.models import botocore_stubber

from contracts import build
from tests.world.clock import Clock
from tests.world.template import REGION, Function


class Killed(BaseException):
    """The environment's process has ended; no ``except Exception`` sees it, and it can do nothing more."""


class FunctionError(Exception):
    """An invocation ended with an error: Lambda's name of it, and its payload as JSON."""

    def __init__(self, error: str, payload: Mapping[str, Any]) -> None:
        super().__init__(f"{error}: {payload.get('errorMessage')}")
        self.error = error
        self.cause = json.dumps(payload)


class Surroundings(Protocol):
    """What an invocation can reach: AWS, through ``send``, and the time."""

    clock: Clock

    def send(
        self, environment: Environment, call: ApiCall, request: AWSPreparedRequest
    ) -> AWSResponse:
        """The answer of one HTTP attempt of a call; raises what botocore's HTTP client raises, or Killed."""


class ApiCall:
    """One call of a client, over all its attempts: ``service`` and ``operation`` as in its model."""

    def __init__(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        self.service = service
        self.operation = operation
        self.parameters = parameters
        self.attempts = 0
        self.note: Any = None  # the boundary's


class Code:
    """The folder functions/ of a tree, whose modules are compiled once, and its built sql/."""

    def __init__(self, tree: Path) -> None:
        self.root = tree / "functions"
        self.sql = build.ready(tree)
        self.modules = {
            path.relative_to(self.root).with_suffix("").as_posix().replace("/", "."): path
            for path in [*self.root.glob("*.py"), *self.root.glob("loader/**/*.py")]
        }
        self.modules = {name.removesuffix(".__init__"): path for name, path in self.modules.items()}

    @cache  # noqa: B019 - a Code lives as long as its process
    def compiled(self, name: str) -> types.CodeType:
        path = self.modules[name]
        return compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True)


_data_loader = botocore.loaders.create_loader()
_numbers = itertools.count(1)


_naming = threading.RLock()


@contextlib.contextmanager
def _named(name: str, module: types.ModuleType) -> Iterator[None]:
    """dataclasses looks a class's module up by its name (cpython, Lib/dataclasses.py, _is_type)."""
    with _naming:
        before = sys.modules.get(name)
        sys.modules[name] = module
        try:
            yield
        finally:
            if before is None:
                del sys.modules[name]
            else:
                sys.modules[name] = before


class Environment:
    """One execution environment of a function. ``around`` is what its present invocation can reach."""

    def __init__(self, code: Code, function: Function, around: Surroundings) -> None:
        self.function = function
        self.around = around
        self.death = ""
        self.disturbed = False  # an attempt failed: its clients' quota of retries is no longer full
        self._code = code
        self._modules: dict[str, types.ModuleType] = {}
        self._attempt = threading.local()
        self._outside = self._replacements(next(_numbers))
        self._handler = getattr(self._module(function.module), function.handler)

    def invoke(self, payload: Any, request_id: str) -> Any:
        """The handler's answer. Raises FunctionError for an exception, and if the process was ended meanwhile."""
        context = _Context(self.function, request_id)
        try:
            answer = self._handler(json.loads(json.dumps(payload)), context)
            answer = json.loads(json.dumps(answer))
        except Killed:
            pass
        except Exception as error:
            if not self.dead:
                raised = _error_payload(error, request_id)
                raise FunctionError(type(error).__name__, raised) from error
        if self.dead:  # whatever it made of that, nobody hears of it
            raise FunctionError(self.death, _death(self.death, request_id, self.function))
        return answer

    def kill(self, reason: str) -> Killed:
        """Ends the process, for which Lambda has this name: whatever it still tries goes nowhere."""
        self.death = self.death or reason
        return Killed()

    @property
    def dead(self) -> bool:
        return bool(self.death)

    # -- clients -----------------------------------------------------------------------------

    def _session(self) -> Any:
        """A boto3 session with the function's role, whose requests go to ``around``."""
        inner: Any = botocore.session.Session()
        inner.register_component("data_loader", _data_loader)
        inner.unregister("before-send", botocore_stubber)
        inner.register("before-parameter-build", self._begin_call)
        inner.register("request-created", self._begin_attempt)
        inner.register("before-send", self._send)
        return boto3.session.Session(
            botocore_session=inner,
            aws_access_key_id=f"ASIA{self.function.role.upper()}",
            aws_secret_access_key="secret",
            aws_session_token="token",
            region_name=REGION,
        )

    def _begin_call(self, params: Any, model: Any, context: Any, **_: Any) -> None:
        context["api_call"] = ApiCall(model.service_model.service_name, model.name, dict(params))

    def _begin_attempt(self, request: Any, **_: Any) -> None:
        self._attempt.call = request.context["api_call"]

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """In the thread of _begin_attempt, just after it: botocore gives the context only there."""
        if self.dead:
            raise Killed
        call: ApiCall = self._attempt.call
        call.attempts += 1
        return self.around.send(self, call, request)

    # -- modules -----------------------------------------------------------------------------

    def _replacements(self, number: int) -> dict[str, types.ModuleType]:
        """The modules that are different in each environment, by their names."""
        session = self._session()
        variables = {
            **self.function.environment,
            "AWS_REGION": REGION,
            "LOADER_SQL": str(self._code.sql),
        }
        return {
            "boto3": _like(boto3, client=session.client, resource=session.resource),
            "os": _like(real_os, environ=variables, getenv=variables.get),
            "time": _time_module(lambda: self.around.clock),
            "datetime": _datetime_module(lambda: self.around.clock),
            "uuid": _like(real_uuid, uuid4=lambda: self.around.clock.uuid()),
            "aws_lambda_powertools": _powertools(number, variables),
        }

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - __import__'s own names
        locals: Mapping[str, Any] | None = None,  # noqa: A002
        fromlist: Iterable[str] = (),
        level: int = 0,
    ) -> Any:
        if level:
            raise ImportError(f"{name}: relative imports are not known here")
        if name in self._outside:
            return self._outside[name]
        if name.partition(".")[0] not in self._code.modules:
            return builtins.__import__(name, globals, locals, tuple(fromlist or ()), level)
        module = self._module(name)
        if not fromlist:
            return self._module(name.partition(".")[0])
        for part in fromlist:
            if not hasattr(module, part) and f"{name}.{part}" in self._code.modules:
                self._module(f"{name}.{part}")
        return module

    def _module(self, name: str) -> types.ModuleType:
        """The environment's own copy of a module of functions/."""
        if name in self._modules:
            return self._modules[name]
        parent, _, own = name.rpartition(".")
        if parent:
            self._module(parent)
        module = self._modules[name] = types.ModuleType(name)
        module.__file__ = str(self._code.modules[name])
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        with _named(name, module):
            exec(self._code.compiled(name), module.__dict__)  # noqa: S102 - the product's code
        if parent:
            setattr(self._modules[parent], own, module)
        return module


class _Context:
    """Lambda's context object, as far as Powertools reads it."""

    memory_limit_in_mb = 256

    def __init__(self, function: Function, request_id: str) -> None:
        self.function_name = function.logical
        self.invoked_function_arn = function.arn
        self.aws_request_id = request_id


def _error_payload(error: Exception, request_id: str) -> dict[str, Any]:
    """What Lambda's Python runtime makes of an exception.

    Source: docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_tb(error.__traceback__)[-3:],
    }


def _death(reason: str, request_id: str, function: Function) -> dict[str, Any]:
    """What Lambda says of a process that ended by itself, or that took too long."""
    told = {
        "Sandbox.Timedout": f"Task timed out after {function.timeout}.00 seconds",
        "Runtime.ExitError": "Runtime exited with error: signal: killed",
    }
    return {"errorType": reason, "errorMessage": f"RequestId: {request_id} Error: {told[reason]}"}


def _like(module: types.ModuleType, **changed: Any) -> types.ModuleType:
    """A copy of a module with some members changed."""
    copy = types.ModuleType(module.__name__)
    copy.__dict__.update(vars(module))
    copy.__dict__.update(changed)
    return copy


def _time_module(clock: Callable[[], Clock]) -> types.ModuleType:
    return _like(
        real_time,
        time=lambda: clock().time(),
        time_ns=lambda: int(clock().time() * 1e9),
        monotonic=lambda: clock().time(),
        perf_counter=lambda: clock().time(),
        sleep=lambda seconds: clock().advance(seconds),
    )


def _datetime_module(clock: Callable[[], Clock]) -> types.ModuleType:
    class datetime(real_datetime.datetime):  # noqa: N801 - its name
        @classmethod
        def now(cls, tz: real_datetime.tzinfo | None = None) -> datetime:
            return cls.fromtimestamp(clock().time(), tz)

    return _like(real_datetime, datetime=datetime)


def _powertools(number: int, variables: Mapping[str, str]) -> types.ModuleType:
    """Powertools' logger and metrics share what they gather with the whole process; here it is the environment's."""
    own: dict[str, Any] = {
        "_metrics": {},
        "_dimensions": {},
        "_metadata": {},
        "_default_dimensions": {},
    }
    metrics = type("Metrics", (aws_lambda_powertools.Metrics,), own)

    def logger(service: str) -> aws_lambda_powertools.Logger:
        level = variables.get("POWERTOOLS_LOG_LEVEL", "INFO")
        return aws_lambda_powertools.Logger(service=f"{service}.{number}", level=level)

    return _like(aws_lambda_powertools, Metrics=metrics, Logger=logger)
