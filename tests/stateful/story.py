"""A world and what is known of its files: the steps that a random story is made of. Each step may say more than is
possible at that point (a key that is not there); then it does what is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.stateful.course import Action, Course, Wrong
from tests.stateful.model import Ledger, Model
from tests.stateful.worlds import FIRST
from tests.world.executions import Execution
from tests.world.files import Event, File, Record, Song, Stored
from tests.world.simulator import World

MAX_UNDONE = 20  # loads that may have to be undone before one
BADLY = ("FAILED", "ABORTED", "TIMED_OUT")


@dataclass(frozen=True)
class Undo:
    """The input of an execution that undoes the n-th load from the end that has files in the tables."""

    which: int


Start = dict[str, Any] | Undo


class Story:
    """The steps; ``world`` has the files ``first``.

    tell    told what the reader of a failed story should know
    count   told what happened, for the figures of a run
    """

    def __init__(
        self,
        world: World,
        tell: Callable[[str], None],
        count: Callable[[str], None],
        model: Model | None = None,
        first: Sequence[Stored] = FIRST,
    ) -> None:
        self.world = world
        self.model = model or Model()
        self._first = first
        self._tell = tell
        self._count = count
        self._told: list[dict[str, Any]] = []  # S3's events
        self._ended = set(map(id, world.executions.all))
        for file in first:
            self.model.put(file)

    def continued_in(self, world: World) -> Story:
        """This story, continued in a world that remembers the one where it stopped."""
        story = Story(world, self._tell, self._count)
        story.model, story._told = deepcopy((self.model, self._told))
        return story

    # -- files come and go, and are loaded ---------------------------------------------------

    def load(
        self,
        uploads: Sequence[Stored] = (),
        starts: Sequence[Start] = (),
        actions: Sequence[Action] = (),
        wrong: Sequence[Wrong] = (),
        *,
        unheard: bool = False,
        apart: bool = False,
        slow: bool = False,
    ) -> None:
        """Files are uploaded, people start executions, and all of it runs to its end; what else happens meanwhile, and
        what goes wrong.

        unheard   S3 tells nobody of the files
        apart     each file has a load of its own
        slow      no statement has ended when its submission is answered
        """
        for file in uploads:
            self._put(file, heard=not unheard)
        for start in starts:
            self._start(start)
        with self._grouped(apart=apart):
            self._run(actions, wrong, slow=slow)

    def load_at_once(self, uploads: Sequence[Stored], starts: Sequence[Start]) -> None:
        """Each file has a load of its own, and all run in threads, as it comes."""
        for file in uploads:
            self._put(file)
        for start in starts:
            self._start(start)
        with self._grouped(apart=True):
            self.world.work(together=True)
        self.after_loads()

    def add_lines(self, key: str, events: Sequence[Event], songs: Sequence[Song]) -> None:
        """A file is uploaded again with more lines."""
        known = self._present(key)
        before: Sequence[Record] = ()
        if isinstance(known, File) and not known.bad:
            before = known.records
        self._put(File(key, (*before, *(events if key.startswith("log_data/") else songs))))

    def copy(self, source: str, to: str) -> None:
        """The same content under another key of its kind."""
        known = self._present(source)
        if not isinstance(known, File):
            return
        if known.key[:4] == to[:4] and known.key.endswith(".gz") == to.endswith(".gz"):
            self._put(File(to, known.records, known.layout, known.bad))

    def put_back(self, which: int) -> None:
        """An earlier version of a file is put into the bucket again."""
        self._put(self.model.history[which % len(self.model.history)])

    def delete(self, key: str) -> None:
        self._remove(key)

    def tell_again(self, which: int, times: int) -> None:
        """S3 tells of an upload again, perhaps of a version that is no longer there."""
        for _ in range(times if self._told else 0):
            self.world.queue.notify(self._told[which % len(self._told)])

    # -- people and AWS ----------------------------------------------------------------------

    def sweep(self, starts: Sequence[Start], actions: Sequence[Action]) -> None:
        """The sweep comes while people start loads."""
        self.world.sweep()
        self.load(starts=starts, actions=actions)

    def redrive(self, which: int) -> None:
        """An execution that failed or was stopped goes on."""
        badly = [e for e in self.world.executions.all if e.status in BADLY]
        if badly:
            self.world.redrive(badly[-1 - which % len(badly)])
            self._count(f"redriven: {badly[-1 - which % len(badly)].status}")
            self.after_loads()

    def wait(self, days: int) -> None:
        self.world.clock.advance(days * 86_400)

    def reload_quiet(self, keys: Sequence[str]) -> None:
        """A reload of files whose events say what their keys say changes nothing in the tables."""
        if there := [key for key in keys if self._present(key)]:
            self._alone({"reload": True, "keys": there})

    def dry_run(self, prefix: str) -> None:
        """Nothing changes; it says how many files are not loaded."""
        self.settle()
        before = Ledger(self.world)
        execution = self._alone({"prefixes": [prefix], "dry_run": True})
        assert execution.report["status"] in ("planned", "nothing to load"), execution.report
        assert Ledger(self.world).rows == before.rows
        planned = execution.report.get("plan", {}).get("planned", 0)
        assert planned == 0, f"all has settled, and {planned} files are planned"

    # -- undo --------------------------------------------------------------------------------

    def undo(self, which: int, wrong: Sequence[Wrong] = (), *, dry: bool = False) -> None:
        """A load is undone, or it is refused and nothing changes; on a dry run nothing changes anyway."""
        self._the_rest()
        before = Ledger(self.world)
        if not (loads := before.loads()):
            return
        load_id = loads[-1 - which % len(loads)]
        execution = self._alone({"undo": load_id, **({"dry_run": True} if dry else {})}, wrong)
        after = Ledger(self.world)
        status = execution.report["status"]
        self._count(f"undo{', dry' if dry else ''}{', faults' if wrong else ''}: {status}")
        if after.rows == before.rows:
            assert dry or status in ("failed", "refused"), execution.report
        else:
            # A fault may have been in what came after the transaction.
            assert not dry, execution.report
            assert wrong or status == "undone", execution.report
            assert after.list_for_load(load_id, "withdrawn") >= before.list_for_load(
                load_id, "loaded"
            )
        if status in ("failed", "refused") and not wrong:
            self._is_justified(execution, load_id, before)

    def undo_at_last(self, which: int) -> None:
        """A load is undone, and before it all those whose loads its refusal names."""
        self._the_rest()
        if loads := Ledger(self.world).loads():
            self._undo_first(loads[-1 - which % len(loads)], MAX_UNDONE)

    def _undo_first(self, load_id: str, more: int) -> None:
        while True:
            before = Ledger(self.world)
            execution = self._alone({"undo": load_id})
            if execution.report["status"] == "undone":
                self._count(f"undone at last, {MAX_UNDONE - more} before it")
                return
            self._is_justified(execution, load_id, before)
            assert more, f"{load_id} cannot be undone: {execution.report['cause']}"
            for other in sorted(_named_in(execution) - {load_id}):
                more -= 1
                self._undo_first(other, more)

    def _is_justified(self, execution: Execution, load_id: str, before: Ledger) -> None:
        """The refusal changed nothing, and the loads that it names have plays or songs of the load's files, or
        had such a file before a reload."""
        assert Ledger(self.world).rows == before.rows, execution.report
        named = _named_in(execution) - {load_id}
        assert named, execution.report
        mine = self.model.keys_of(before.list_for_load(load_id, "loaded"))
        for other in named:
            had = before.list_for_load(other, "loaded") | before.list_for_load(other, "replaced")
            theirs = self.model.keys_of(had)
            assert mine & theirs, f"{other} has nothing of {load_id}: {execution.report}"

    # -- now and then ------------------------------------------------------------------------

    def settle(self) -> None:
        """AWS goes on by itself until there is nothing more to do; then everything must be right."""
        self._the_rest()
        self.world.settle()
        self.after_loads()
        self.model.check_settled(self.world)

    def reset(self) -> None:
        """A person drops all tables; what is in the bucket is loaded anew."""
        self._the_rest()
        for file in self._first:
            self._put(file)
        execution = self._alone({"reset": True})
        assert execution.report["status"] == "reset", execution.report
        self.model.reset()
        self.settle()

    # -- helpers -----------------------------------------------------------------------------

    def _put(self, file: Stored, *, heard: bool = True) -> None:
        self._told.append(self.world.upload(file.key, file.body, event=heard))
        self.model.put(file)

    def _remove(self, key: str) -> None:
        self.world.delete(key)
        self.model.deleted(key)

    def _present(self, key: str) -> Stored | None:
        etag = self.model.current.get(key)
        return self.model.versions[key, etag] if etag else None

    def _start(self, start: Start) -> None:
        if isinstance(start, Undo):
            if not (loads := Ledger(self.world).loads()):
                return
            start = {"undo": loads[-1 - start.which % len(loads)]}
        self.world.start(start)

    def _run(
        self, actions: Sequence[Action], wrong: Sequence[Wrong], *, slow: bool = False
    ) -> None:
        told: list[str] = []
        try:
            Course(self.world, self._put, self._remove, told.append).run(actions, wrong, slow=slow)
        finally:
            for text in told:
                self._tell(text)
        self.after_loads()

    @contextmanager
    def _grouped(self, *, apart: bool) -> Iterator[None]:
        """SQS hands each message out by itself, or all that there are together."""
        if apart:
            self.world.queue.group = lambda found: [[message] for message in found]
        yield
        self.world.queue.group = lambda found: [found]

    def _the_rest(self) -> None:
        self.world.work()
        self.after_loads()

    def _alone(self, document: dict[str, Any], wrong: Sequence[Wrong] = ()) -> Execution:
        """An execution that runs while nothing else does."""
        self._the_rest()
        execution = self.world.start(document)
        self._run((), wrong)
        return execution

    def after_loads(self) -> None:
        """Takes in what was undone meanwhile; the tables must be those of the ledger."""
        ledger = Ledger(self.world)
        for execution in self.world.executions.all:
            undone = execution.input.get("undo")
            if undone and ledger.list_for_load(undone, "withdrawn"):
                self.model.undone.add(undone)
            if id(execution) not in self._ended and execution.status != "RUNNING":
                self._ended.add(id(execution))
                who = re.match("s3|sweep|", execution.name)
                self._count(f"{(who and who[0]) or 'a person'}: {execution.status}")
        self.model.check_tables(self.world)


def _named_in(execution: Execution) -> set[str]:
    """The loads that a refusal names."""
    return set(re.findall(r"\d{8}-\d{6}-[0-9a-f]{8}", str(execution.report.get("cause"))))
