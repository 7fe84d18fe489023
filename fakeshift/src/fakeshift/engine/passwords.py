"""Who may connect: the passwords of CREATE USER and the temporary ones of GetCredentials.

A user with a password has to give it, by md5 or in clear text; one that was never given a password
connects without, as this server is for 127.0.0.1 only; one with PASSWORD DISABLE needs a temporary one
(https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from fakeshift.catalog import store as catalog

SHORTEST_SECONDS, LONGEST_SECONDS = 900, 3600


@dataclass(frozen=True)
class Temporary:
    """A password that GetCredentials or GetClusterCredentials gave: ``login`` is the name to connect with, ``user`` the
    database user; ``expires`` in seconds since 1970.
    """

    login: str
    user: str
    password: str
    expires: float


class Passwords:
    """Compares what a client sends with what is known of a user. Thread-safe."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._lock = threading.Lock()
        self._temporary: list[Temporary] = []

    def give(self, user: str, seconds: int, *, login: str = "") -> Temporary:
        """A new temporary password for a user, who connects as ``login`` (the user's name if empty)."""
        made = Temporary(login or user, user, secrets.token_urlsafe(48), self._clock() + seconds)
        with self._lock:
            self._temporary = [one for one in self._temporary if one.expires > self._clock()]
            self._temporary.append(made)
        return made

    def user_of(self, login: str) -> str:
        """The database user of a name to connect with."""
        with self._lock:
            known = [one.user for one in self._temporary if one.login == login]
        return known[-1] if known else login

    def of(self, con: duckdb.DuckDBPyConnection, user: str) -> list[str] | None:
        """The stored forms that are accepted of who connects as ``user``; None if no password is needed."""
        with self._lock:
            now = self._clock()
            temporary = [
                catalog.stored_password(user, one.password)
                for one in self._temporary
                if one.login == user and one.expires > now
            ]
        known = catalog.find_password(con, user)
        if known is None and not temporary:
            return None
        return [*temporary, *([known] if known else [])]


def fits_cleartext(user: str, accepted: list[str], given: str) -> bool:
    """Whether a password is one of the accepted."""
    return any(hmac.compare_digest(one, catalog.stored_password(user, given)) for one in accepted)


def fits_md5(accepted: list[str], salt: bytes, given: str) -> bool:
    """Whether an answer to AuthenticationMD5Password is right."""
    return any(hmac.compare_digest(_md5_answer(one, salt), given) for one in accepted)


def _md5_answer(accepted: str, salt: bytes) -> str:
    digest = hashlib.md5(accepted.removeprefix("md5").encode() + salt, usedforsecurity=False)
    return "md5" + digest.hexdigest()
