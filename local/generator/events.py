"""Log lines: users who come, log in, play songs, look around, change their plan and leave.

`Simulation.day` yields the lines of one day in order of time; only the users, the songs and the
open sessions are in memory.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from heapq import heapify, heappop, heappush, heapreplace
from random import Random

from local.generator import names
from local.generator.songs import Play, log_text

HOUR = 3_600_000  # milliseconds, as all times here
DAY = 24 * HOUR

# Relative numbers of events: hours of a day (UTC; the users live in America), days of a week.
_HOURS = (4, 5, 3, 2, 2, 3, 5, 5, 4, 9, 10, 10, 9, 9, 11, 12, 16, 14, 15, 10, 9, 6, 4, 4)
_WEEKDAYS = (10, 11, 12, 11, 12, 7, 6)

_FREE_SESSION = (1, 1, 1, 2, 2, 3, 4, 6, 9, 14)  # events in a session, all equally likely
_PAID_SESSION = (2, 5, 9, 14, 20, 28, 36, 48, 70, 105)
_PAID_SHARE = 0.2  # of the users, at the start
_KNOWN_SHARE = 0.4  # of the plays: songs that have a file
_AGE = 35 * DAY  # registrations happen at most so long before the first day

# page [state], method, status, and what follows: chance, page, seconds until then (from, to).
# "Home -" and the like are seen logged out. After NextSong the next one starts when the song ends.
_PAGES: dict[str, tuple[str, int, tuple[tuple[float, str, int, int], ...]]] = {
    "NextSong": (
        "PUT",
        200,
        (
            (0.920, "NextSong", 0, 0),
            (0.040, "Home", 1, 180),
            (0.008, "Settings", 1, 120),
            (0.012, "Upgrade", 1, 90),
            (0.007, "Help", 1, 120),
            (0.003, "About", 1, 120),
            (0.003, "Error", 1, 60),
            (0.007, "Logout", 1, 1),
        ),
    ),
    "Home": (
        "GET",
        200,
        (
            (0.25, "NextSong", 0, 0),
            (0.57, "NextSong", 1, 240),
            (0.06, "Settings", 0, 120),
            (0.06, "Upgrade", 0, 60),
            (0.03, "Home", 1, 60),
            (0.03, "Logout", 1, 1),
        ),
    ),
    "Settings": (
        "GET",
        200,
        (
            (0.45, "NextSong", 20, 240),
            (0.25, "Save Settings", 1, 1),
            (0.15, "Settings", 5, 40),
            (0.10, "Home", 5, 60),
            (0.05, "Help", 0, 30),
        ),
    ),
    "Save Settings": ("PUT", 307, ((1.0, "Home", 5, 90),)),
    "Help": ("GET", 200, ((0.8, "NextSong", 1, 240), (0.2, "Home", 5, 90))),
    "About": ("GET", 200, ((0.6, "NextSong", 1, 240), (0.4, "Home", 5, 90))),
    "Error": ("GET", 404, ((0.5, "NextSong", 1, 60), (0.5, "Home", 1, 30))),
    "Upgrade": (
        "GET",
        200,
        ((0.4, "Submit Upgrade", 1, 1), (0.4, "NextSong", 0, 240), (0.2, "Home", 5, 90)),
    ),
    "Submit Upgrade": ("PUT", 307, ((1.0, "Home", 5, 120),)),
    "Downgrade": (
        "GET",
        200,
        ((0.25, "Submit Downgrade", 1, 1), (0.5, "NextSong", 0, 240), (0.25, "Home", 0, 90)),
    ),
    "Submit Downgrade": ("PUT", 307, ((1.0, "Home", 5, 120),)),
    "Logout": ("PUT", 307, ((1.0, "Home -", 0, 120),)),
    "Home -": (
        "GET",
        200,
        (
            (0.75, "Login -", 1, 1),
            (0.10, "Home -", 5, 60),
            (0.08, "Help -", 5, 90),
            (0.07, "About -", 5, 90),
        ),
    ),
    "Help -": ("GET", 200, ((1.0, "Login -", 1, 60),)),
    "About -": ("GET", 200, ((1.0, "Login -", 1, 60),)),
    "Login -": ("PUT", 307, ((1.0, "Home", 2, 120),)),
}
_STARTS = (
    ("NextSong",) * 55 + ("Home",) * 33 + ("Help", "About") + ("Home -",) * 7 + ("Login -",) * 3
)
# Pages for one level only, and what users of the other one see in their place. (The level may
# also change under an open page, in another session of the same user.)
_ONLY = {
    "Upgrade": ("free", "Downgrade"),
    "Submit Upgrade": ("free", "Home"),
    "Downgrade": ("paid", "Upgrade"),
    "Submit Downgrade": ("paid", "Home"),
}
_SETS = {"Submit Upgrade": "paid", "Submit Downgrade": "free"}


class _State:
    """A page as it is seen, with the parts of its log line that never change."""

    __slots__ = ("call", "flow", "instead", "logged_in", "only", "plays", "sets", "status")

    def __init__(self, name: str) -> None:
        method, self.status, _ = _PAGES[name]
        page = name.removesuffix(" -")
        self.logged_in = page == name
        self.plays = name == "NextSong"
        self.call = f'{method}","page":"{page}'
        self.only, self.instead = _ONLY.get(name, ("", ""))
        self.sets = _SETS.get(name, "")
        self.flow: tuple[tuple[float, _State, int, int], ...] = ()  # chances summed up


def _states() -> dict[str, _State]:
    states = {name: _State(name) for name in _PAGES}
    for name, (_, _, follows) in _PAGES.items():
        total, flow = 0.0, []
        for chance, page, shortest, longest in follows:
            total += chance
            flow.append((total, states[page], shortest, longest - shortest + 1))
        flow[-1] = (1.0, *flow[-1][1:])
        states[name].flow = tuple(flow)
    return states


_STATES = _states()
_SILENCE = Play("null", "null", "null", 0)  # what is played on any page but NextSong


class _User:
    """A listener: the level, which changes, and the parts of a log line, which do not."""

    __slots__ = (
        "active",
        "before_item",
        "before_length",
        "before_method",
        "before_session",
        "end",
        "level",
    )

    def __init__(self, rnd: Random, number: int, first_day: int) -> None:
        female = rnd.random() < 0.55
        first = names.pick(rnd, names.FEMALE_NAMES if female else names.MALE_NAMES)
        registered = first_day - 1000 * int(1 + rnd.random() * _AGE / 1000) + 796
        self.level = "paid" if rnd.random() < _PAID_SHARE else "free"
        self.active = 0  # open sessions
        gender = "F" if female else "M"
        last = log_text(names.pick(rnd, names.LAST_NAMES))
        self.before_item = (
            f',"auth":"Logged In","firstName":{log_text(first)},"gender":"{gender}",'
            '"itemInSession":'
        )
        self.before_length = f',"lastName":{last},"length":'
        location = log_text(names.pick(rnd, names.USER_LOCATIONS))
        self.before_method = f'","location":{location},"method":"'
        self.before_session = f'","registration":{registered}.0,"sessionId":'
        agent = log_text(names.pick(rnd, names.USER_AGENTS))
        self.end = f',"userAgent":{agent},"userId":"{number}"}}'


class _Session:
    """A user's visit: the state to be logged next, its number, how many events are to come."""

    __slots__ = ("item", "left", "number", "state", "user")

    def __init__(self, number: int, user: _User, state: _State, left: int) -> None:
        self.number = number
        self.user = user
        self.state = state
        self.item = 0
        self.left = left


class Simulation:
    """All users over all days. Call `day` for each day in order, and consume it completely."""

    def __init__(
        self,
        seed: int,
        *,
        users: int,
        start: date,
        first_session: int,
        known: Sequence[Play],
        unknown: Sequence[Play],
    ) -> None:
        self._midnight = _milliseconds(start)  # of the day to come
        people = Random(f"{seed}/users")  # noqa: S311  (data, not secrets)
        self._users = [_User(people, n + 1, self._midnight) for n in range(users)]
        self._random = Random(f"{seed}/events").random  # noqa: S311
        self._known = known
        self._unknown = unknown
        self._next_session = first_session
        self._open: list[tuple[int, int, _Session]] = []  # heap: when, session's number, session
        self.plays = 0  # NextSong lines yielded so far

    def day(self, events: int) -> Iterator[str]:
        """Yield the `events` log lines of the next day, ordered by time, session and item.

        Sessions follow their own pace. Whenever none has an event by the time the next one is
        due, a user opens a new session, so the day gets exactly the right number.
        """
        heap = self._open
        last = self._midnight
        for due in _due_times(self._midnight, events):
            when = max(due, last)
            if not heap or heap[0][0] > when:
                session = self._new_session()
                heappush(heap, (when, session.number, session))
            last, number, session = heap[0]
            line, pause = self._step(session, last)
            if pause is None:
                heappop(heap)
                session.user.active -= 1
            else:
                heapreplace(heap, (last + pause, number, session))
            yield line
        self._end_day()

    def _end_day(self) -> None:
        """Close the open sessions before midnight; a few continue right after it instead."""
        self._midnight += DAY
        staying = []
        for when, number, session in self._open:
            if when >= self._midnight or self._random() < 0.25:
                staying.append((max(when, self._midnight), number, session))
            else:
                session.user.active -= 1
        heapify(staying)
        self._open = staying

    def _new_session(self) -> _Session:
        """A visit of a user who, if possible, has no other open visit."""
        random = self._random
        users = self._users
        for _ in range(4):
            chance = random()
            user = users[int(chance * chance * len(users))]  # some are here far more often
            if not user.active:
                break
        user.active += 1
        lengths = _PAID_SESSION if user.level == "paid" else _FREE_SESSION
        left = lengths[int(random() * len(lengths))]
        state = _STATES[_STARTS[int(random() * len(_STARTS))]]
        number = self._next_session
        self._next_session += 1
        return _Session(number, user, state, left)

    def _step(self, session: _Session, ts: int) -> tuple[str, int | None]:
        """Log the session's event of time `ts`; return the line and the pause until the next
        event in milliseconds, None if it was the last.
        """
        random = self._random
        state = session.state
        user = session.user
        if state.only and state.only != user.level:
            state = _STATES[state.instead]
        play = _SILENCE
        if state.plays:
            pool = self._known if random() < _KNOWN_SHARE else self._unknown
            chance = random()
            play = pool[int(chance * chance * len(pool))]  # some are played far more often
            self.plays += 1
        line = _line(session, state, play, ts)
        user.level = state.sets or user.level
        session.item += 1
        session.left -= 1
        if session.left <= 0:
            return line, None
        chance = random()
        for limit, follows, shortest, span in state.flow:
            if chance < limit:
                session.state = follows
                if follows is state and state.plays:
                    return line, play.milliseconds
                return line, 1000 * (shortest + int(random() * span))
        raise AssertionError(f"no page follows for a chance of {chance}")


def _line(session: _Session, state: _State, play: Play, ts: int) -> str:
    """One log line, joined from parts that are already JSON: fields and their order, the
    absence of blanks and the escapes are those of the real files.
    """
    user = session.user
    if not state.logged_in:
        return (
            '{"artist":null,"auth":"Logged Out","firstName":null,"gender":null,'
            f'"itemInSession":{session.item},"lastName":null,"length":null,"level":"{user.level}",'
            f'"location":null,"method":"{state.call}","registration":null,'
            f'"sessionId":{session.number},"song":null,"status":{state.status},"ts":{ts},'
            '"userAgent":null,"userId":""}'
        )
    return (
        f'{{"artist":{play.artist}{user.before_item}{session.item}{user.before_length}{play.length}'
        f',"level":"{user.level}{user.before_method}{state.call}{user.before_session}{session.number}'
        f',"song":{play.title},"status":{state.status},"ts":{ts}{user.end}'
    )


def quotas(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` by `weights` into whole numbers whose sum is exactly `total`."""
    whole = sum(weights)
    shares = []
    before = seen = 0
    for weight in weights:
        seen += weight
        upto = total * seen // whole
        shares.append(upto - before)
        before = upto
    return shares


def day_weights(start: date, days: int) -> list[int]:
    """The weight of each day: fewer people listen at the weekend."""
    return [_WEEKDAYS[(start.weekday() + day) % 7] for day in range(days)]


def _due_times(midnight: int, events: int) -> Iterator[int]:
    """Yield when each of a day's events is due: evenly within the hour, most at 796 ms past the
    second, which is what the real logs have, so that equal times occur as well as odd ones.
    """
    for hour, quota in enumerate(quotas(events, _HOURS)):
        start = midnight + hour * HOUR
        for number in range(quota):
            due = start + (2 * number + 1) * HOUR // (2 * quota)
            yield due - due % 1000 + 796 if number % 4 else due


def _milliseconds(day: date) -> int:
    """Midnight of `day`, UTC, in milliseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
