"""What happens while loads run: executions take turns call by call, people and S3 act in between, calls and statements
go wrong. All of it is said beforehand, so that a run is the same each time (but for ``slow`` statements, which run in
the warehouse at the same time).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from local.states.interpreter import Stopped
from tests.world.boundary import Call
from tests.world.executions import Execution
from tests.world.files import Stored
from tests.world.simulator import World
from tests.world.warehouse import SQL_KINDS

_DEADLOCK = 120  # seconds of real time that one turn may take


# -- what may be said ------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """The n-th of the executions that have not ended (modulo their number) makes so many calls or enters states."""

    execution: int
    points: int


@dataclass(frozen=True)
class Upload:
    """A file is put into the bucket, and its event is delivered at once."""

    file: Stored


@dataclass(frozen=True)
class Delete:
    key: str


@dataclass(frozen=True)
class Sweep:
    """The schedule's sweep comes."""


@dataclass(frozen=True)
class Stop:
    """A person stops the n-th of the executions that have not ended, where it is."""

    execution: int


@dataclass(frozen=True)
class CallFault:
    """The call that comes after so many others goes wrong, in the n-th of the ways in which it can."""

    after: int
    way: int


@dataclass(frozen=True)
class StatementFault:
    """The SQL statement that comes after so many others goes wrong in this way (tests/world/warehouse.py)."""

    after: int
    way: str


Action = Turn | Upload | Delete | Sweep | Stop
Wrong = CallFault | StatementFault
Tell = Callable[[str], None]


class Course:
    """One run of all that is waiting in a world, to its end.

    put, delete   how a file comes into the bucket and goes
    tell          told what goes wrong, for the reader of a failed run
    """

    def __init__(
        self, world: World, put: Callable[[Stored], Any], delete: Callable[[str], None], tell: Tell
    ) -> None:
        self._world = world
        self._put = put
        self._delete = delete
        self._tell = tell
        self._actors: list[_Actor] = []

    def run(
        self, actions: Sequence[Action] = (), wrong: Sequence[Wrong] = (), *, slow: bool = False
    ) -> None:
        """Delivers what is in the queue, takes the actions one after another, then runs on in turn to the end."""
        world = self._world
        world.warehouse.slow = slow
        with going_wrong(world, wrong, self._tell), self._taking_turns():
            self._deliver()
            for action in actions:
                self._act(action)
                self._deliver()
            while self._running():
                for actor in self._running():
                    actor.advance(1)
                self._deliver()
        world.warehouse.slow = False

    def _act(self, action: Action) -> None:
        running = self._running()
        if isinstance(action, Upload):
            self._put(action.file)
        elif isinstance(action, Delete):
            self._delete(action.key)
        elif isinstance(action, Sweep):
            self._world.sweep()
        elif running:
            actor = running[action.execution % len(running)]
            if isinstance(action, Turn):
                actor.advance(action.points)
            else:
                actor.execution.stopped = True

    def _deliver(self) -> None:
        while self._world.queue.deliver():
            pass
        known = {actor.execution.arn for actor in self._actors}
        for execution in self._world.executions.waiting():
            if execution.arn not in known:
                self._actors.append(_Actor(execution, self._world.executions.run))

    def _running(self) -> list[_Actor]:
        return [actor for actor in self._actors if not actor.done]

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        world = self._world
        record = world.boundary.record

        def at_call(*arguments: Any, **named: Any) -> Call:
            self._point()
            return record(*arguments, **named)

        def at_state(execution: Execution, _state: str) -> None:
            self._point()
            if execution.stopped:
                raise Stopped

        with (
            mock.patch.object(world.boundary, "record", at_call),
            mock.patch.object(world.executions, "at_state", at_state),
        ):
            yield

    def _point(self) -> None:
        for actor in self._actors:
            if actor.thread is threading.current_thread():
                actor.point()


@contextmanager
def going_wrong(world: World, wrong: Sequence[Wrong], tell: Tell) -> Iterator[None]:
    """Lets calls and statements that are made meanwhile go wrong; what was refused is allowed afterwards."""
    record, of_statement = world.boundary.record, world.warehouse.faults.of_statement
    calls = {fault.after: fault for fault in wrong if isinstance(fault, CallFault)}
    statements = {fault.after: fault for fault in wrong if isinstance(fault, StatementFault)}
    numbers = {"calls": 0, "statements": 0}
    lock = threading.Lock()

    def number_of(what: str) -> int:
        with lock:
            numbers[what] += 1
            return numbers[what] - 1

    def at_call(*arguments: Any, **named: Any) -> Call:
        call = record(*arguments, **named)
        fault = calls.get(number_of("calls"))
        if fault and call.kinds:
            kind = call.kinds[fault.way % len(call.kinds)]
            tell(f"{call.place} goes wrong: {kind}")
            world.boundary.arm(call.place, kind)
        return call

    def at_statement(sql: str) -> Any:
        fault = statements.get(number_of("statements"))
        if fault and (fault.way != "hangs" or not sql.startswith("LOCK")):
            tell(f"a statement goes wrong: {fault.way}: {' '.join(sql.split())[:80]}")
            world.warehouse.faults.armed[len(world.warehouse.faults.ran) + 1] = fault.way
        return of_statement(sql)

    with (
        mock.patch.object(world.boundary, "record", at_call),
        mock.patch.object(world.warehouse.faults, "of_statement", at_statement),
    ):
        try:
            yield
        finally:
            world.boundary.lift()
            world.warehouse.faults.armed.clear()


class _Actor:
    """An execution in a thread of its own, which goes on only while it is told to."""

    def __init__(self, execution: Execution, run: Callable[[Execution], Any]) -> None:
        self.execution = execution
        self.done = False
        self._run = run
        self._raised: BaseException | None = None
        self._points = 0
        self._go = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._body, name=execution.name, daemon=True)
        execution.begun = True
        self.thread.start()

    def advance(self, points: int) -> None:
        """Lets it make so many calls or enter so many states; raises what it raised."""
        self._points = points
        self._go.release()
        if not self._back.acquire(timeout=_DEADLOCK):
            raise AssertionError(f"{self.execution.name} does not come back")
        if self._raised:
            raise self._raised

    def point(self) -> None:
        """In its own thread: before a call, or when a state is entered."""
        if self._points == 0:
            self._back.release()
            self._go.acquire()
        self._points -= 1

    def _body(self) -> None:
        self._go.acquire()
        try:
            self._run(self.execution)
        except BaseException as error:
            self._raised = error
        finally:
            self.done = True
            self._back.release()


STATEMENT_WAYS = tuple(SQL_KINDS)
