"""The conversation with one client: startup, password, then queries until it leaves.

https://www.postgresql.org/docs/8.0/protocol-flow.html. A ``Connection`` is used by its own thread;
``cancel`` and ``end`` by any.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import duckdb

from fakeshift.commands import columns_of
from fakeshift.engine import duckdb_errors, passwords
from fakeshift.engine.outcome import Outcome
from fakeshift.engine.results import ResultColumn
from fakeshift.engine.session import Session
from fakeshift.engine.sink import Sink
from fakeshift.errors import RedshiftError, StatementCancelled, terminated
from fakeshift.statements.history import Ran, record
from fakeshift.wire import codec, parameters, text, values
from fakeshift.wire.codec import BadEncoding, Message, ProtocolError
from fakeshift.wire.portal import Client, Portal, Prepared, Rows, RowSender

_LOG = logging.getLogger(__name__)
_CONTROL = ("BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT")
_FLUSH_BYTES = 64 * 1024
MAX_STATEMENT_BYTES = 16_777_216
"""https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html"""


class Stream(Protocol):
    """The client's socket."""

    def send(self, data: bytes) -> None:
        """Sends all of it. Raises OSError if the client is gone."""

    def receive(self) -> bytes:
        """What has come; b"" at the end. Raises OSError; TimeoutError if nothing came in time."""

    def secure(self) -> bool:
        """Starts TLS, if the server has it: sends S or N."""

    def patient(self) -> None:
        """From now on waits for the client as long as it takes."""

    def close(self) -> None:
        """Ends it. Raises OSError."""


class House(Protocol):
    """What a connection needs of the server."""

    database_name: str
    authentication: str

    def open_session(self, login: str) -> Session:
        """A session of the user. Raises RedshiftError: one too many, no such user."""

    def accepted(self, session: Session, login: str) -> list[str] | None:
        """The stored forms of the passwords that are accepted; None if no password is needed."""

    def enter(self, connection: Connection) -> None:
        """The connection can be cancelled from now on."""

    def cancel(self, pid: int, secret: int) -> None:
        """CancelRequest."""

    def strike(self, session: Session, sql: str, query_id: int) -> None:
        """The fault that is armed for a statement. Raises RedshiftError."""

    def log(self, user: str, query_id: int, sql: str, values: Mapping[str, str]) -> None:
        """Logs a statement that was received."""

    def log_end(self, user: str, ran: Ran, sent: list[str]) -> None:
        """Logs one that has ended."""


class _Fatal(Exception):
    """The connection ends with this error."""

    def __init__(self, message: str, sqlstate: str):
        super().__init__(message)
        self.sqlstate = sqlstate


class _Gone(Exception):
    """The client has left."""


class Connection:
    """One client."""

    def __init__(self, stream: Stream, house: House):
        self._stream = stream
        self._house = house
        self._decoder = codec.Decoder()
        self._out = bytearray()
        self._session: Session | None = None
        self._client = Client(house.database_name)
        self._reported: dict[str, str] = {}
        self._prepared: dict[str, Prepared] = {}
        self._portals: dict[str, Portal] = {}
        self._undescribed: Portal | None = None
        self._skipping = False
        self._implicit = False
        self._ending = False
        self.secret = secrets.randbits(31)

    # -- for other threads -------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The session's process id, with ``secret`` what CancelRequest names."""
        return self._known.pid

    @property
    def has_session(self) -> bool:
        """Whether it counts as a connection to the database."""
        return self._session is not None

    def close_socket(self) -> None:
        """Ends the stream. Raises OSError."""
        self._stream.close()

    def cancel(self) -> None:
        """Stops the running statement, if any."""
        if self._session is not None:
            self._session.cancel()

    def end(self) -> None:
        """The warehouse stops or restarts: fails the running statement and ends the connection."""
        self._ending = True
        if self._session is not None:
            self._session.terminate()

    # -- the conversation ----------------------------------------------------------------------

    @property
    def _known(self) -> Session:
        if self._session is None:
            raise RuntimeError("no session is open")
        return self._session

    def serve(self) -> None:
        """Talks until the client leaves, the bytes make no sense, or the server ends it."""
        try:
            try:
                if self._start():
                    self._stream.patient()
                    self._talk()
            except (ProtocolError, BadEncoding) as error:
                raise _Fatal(str(error), "08P01") from error
        except _Fatal as error:
            self._fatal(str(error), error.sqlstate)
        except (_Gone, OSError):
            pass
        finally:
            for each in self._portals.values():
                each.close()
            if self._session is not None:
                self._session.close()

    def _fatal(self, message: str, sqlstate: str) -> None:
        fields = {"S": "FATAL", "C": sqlstate, "M": message}
        try:
            self._put(codec.report(fields))
            self._flush()
        except OSError:
            pass

    def _put(self, data: bytes) -> None:
        self._out += data
        if len(self._out) >= _FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._out:
            data, self._out = bytes(self._out), bytearray()
            self._stream.send(data)

    def _more(self) -> None:
        data = self._stream.receive()
        if not data:
            if self._ending:
                raise _Fatal(terminated().message, "57P01")
            raise _Gone
        self._decoder.feed(data)

    # -- startup -------------------------------------------------------------------------------

    def _start(self) -> bool:
        """Whether the client is in; False after a CancelRequest."""
        try:
            while True:
                packet = self._decoder.startup()
                if packet is None:
                    self._more()
                elif packet.code in (codec.SSL_REQUEST, codec.GSS_REQUEST):
                    if self._decoder.pending:
                        raise ProtocolError("received unencrypted data after SSL request")
                    if packet.code == codec.SSL_REQUEST:
                        self._stream.secure()
                    else:
                        self._stream.send(b"N")
                elif packet.code == codec.CANCEL_REQUEST:
                    if len(packet.body) == 8:
                        reader = codec.Reader(packet.body)
                        self._house.cancel(reader.int32(), reader.int32())
                    return False
                else:
                    self._open(packet)
                    return True
        except TimeoutError as error:
            raise _Fatal("canceling authentication due to timeout", "08P01") from error

    def _open(self, packet: codec.Startup) -> None:
        if packet.code >> 16 != codec.PROTOCOL >> 16:
            major, minor = packet.code >> 16, packet.code & 0xFFFF
            raise _Fatal(
                f"unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.0",
                "0A000",
            )
        given = packet.parameters()
        user = given.get("user", "")
        if not user:
            raise _Fatal("no PostgreSQL user name specified in startup packet", "28000")
        database = given.get("database") or user
        try:
            self._session = self._house.open_session(user)
            self._authenticate(user)
            if database != self._house.database_name:
                raise _Fatal(f'database "{database}" does not exist', "3D000")
            self._put(codec.AUTHENTICATION_OK)
            for name, value in parameters.of_startup(given).items():
                self._session.run(parameters.setting(name, value), {}, _NoRows(), 0)
        except RedshiftError as error:
            raise _Fatal(error.message, error.sqlstate) from error
        protocol = given.get("client_protocol_version", "0")
        asked = int(protocol) if protocol.isdecimal() else 0
        self._client = Client(database, min(asked, 2))
        status = parameters.fixed(self._session, given, self._client.protocol)
        for name, value in status.items():
            self._put(codec.parameter_status(name, value))
        self._report_parameters()
        self._put(codec.backend_key(self._session.pid, self.secret))
        self._house.enter(self)
        self._ready()

    def _authenticate(self, user: str) -> None:
        accepted = self._house.accepted(self._known, user)
        if accepted is None:
            return
        salt = secrets.token_bytes(4)
        md5 = self._house.authentication == "md5"
        self._put(codec.ask_md5(salt) if md5 else codec.ASK_CLEARTEXT)
        self._flush()
        message = self._next()
        if message.kind != "p":
            raise ProtocolError(f"expected password response, got message type {message.kind}")
        given = message.reader().string()
        if md5:
            right = passwords.fits_md5(accepted, salt, given)
        else:
            right = passwords.fits_cleartext(user, accepted, given)
        if not right:
            raise _Fatal(f'password authentication failed for user "{user}"', "28000")

    def _report_parameters(self) -> None:
        """ParameterStatus of each parameter that SET has changed."""
        for name, value in parameters.reported(self._known).items():
            if self._reported.get(name) != value:
                self._reported[name] = value
                self._put(codec.parameter_status(name, value))

    def _ready(self) -> None:
        transaction = self._known.transaction
        if transaction is None:
            for each in self._portals.values():
                each.close()
            self._portals.clear()
        status = "I" if transaction is None else "E" if transaction.failed else "T"
        self._put(codec.ready(status))
        self._flush()

    # -- messages ------------------------------------------------------------------------------

    def _next(self) -> Message:
        while True:
            message = self._decoder.message()
            if message is not None:
                return message
            self._more()

    def _talk(self) -> None:
        handle: dict[str, Callable[[Message], None]] = {
            "Q": self._query,
            "P": self._parse,
            "B": self._bind,
            "D": self._describe,
            "E": self._execute,
            "C": self._close,
            "H": lambda _: self._flush(),
            "F": self._refuse_call,
        }
        while True:
            message = self._next()
            if message.kind == "X":
                return
            if message.kind in "dcfp":
                continue  # of a COPY that has failed
            if self._undescribed is not None and message.kind != "E" and not self._skipping:
                self._guarded(lambda _: self._send_description(), message)
            if message.kind == "S":
                self._undescribed, self._skipping = None, False
                self._guarded(lambda _: self._sync(), message)
                self._skipping = False
                self._ready()
            elif not self._skipping or message.kind == "Q":
                self._skipping = False
                self._guarded(handle[message.kind], message)
            if self._ending:
                raise _Fatal(terminated().message, "57P01")

    def _guarded(self, handle: Callable[[Message], None], message: Message) -> None:
        """Handles a message; after an error, those up to the next Sync are skipped."""
        try:
            handle(message)
        except BadEncoding as error:
            self._failed(RedshiftError(str(error), sqlstate="22021"))
        except RedshiftError as error:
            self._failed(error)
        except duckdb.Error as error:
            self._failed(duckdb_errors.translate(error))
        except (ProtocolError, _Fatal, _Gone, OSError):
            raise
        except Exception as error:
            _LOG.exception("%s", message.kind)
            self._failed(RedshiftError(f"internal error: {error!r}"))
        else:
            return
        self._undescribed = None
        self._skipping = message.kind != "Q"
        if message.kind == "Q":
            self._ready()

    def _failed(self, error: RedshiftError) -> None:
        if self._known.transaction is not None and not self._known.transaction.failed:
            self._known.give_up()  # an error before the statement, which fails the transaction too
        if self._implicit:
            self._known.rollback()
            self._implicit = False
        fatal = error.sqlstate == "57P01"
        fields = {"S": "FATAL" if fatal else "ERROR", "C": error.sqlstate, "M": error.message}
        fields |= {"D": error.detail.replace("\n  ", "\n"), "H": error.hint}
        self._put(codec.report(fields))
        if fatal:
            self._flush()
            raise _Gone

    def _notice(self, severity: str, message: str) -> None:
        self._put(codec.report({"S": severity, "C": "00000", "M": message}, notice=True))

    # -- simple queries ------------------------------------------------------------------------

    def _query(self, message: Message) -> None:
        given = message.reader().string()
        found = text.statements(_fits(given))
        if not found:
            self._put(codec.EMPTY_QUERY)
        session = self._known
        for each in found:
            if len(found) > 1 and session.transaction is None:
                session.begin(explicit=True)  # several statements are one transaction
                self._implicit = True
            if each.parameters:
                raise RedshiftError("there is no parameter $1", sqlstate="42P02")
            sender = RowSender(self._put, self._client, announce=True, digits=self._digits)
            self._put(codec.command_complete(self._run(each, {}, sender)))
            if session.transaction is None or each.first in ("BEGIN", "START"):
                self._implicit = False
        if self._implicit:
            self._implicit = False
            session.commit()
        self._sync()
        self._report_parameters()
        self._ready()

    @property
    def _digits(self) -> int:
        given = self._known.settings.get("extra_float_digits", ("0",))[0]
        return int(given) if given.lstrip("-").isdecimal() else 0

    def _run(self, statement: text.Text, bound: Mapping[str, str], sink: Sink) -> str:
        """Runs a statement; returns its tag. Raises RedshiftError."""
        session, house = self._known, self._house
        failed = session.transaction is not None and session.transaction.failed
        opened = session.transaction is not None and session.transaction.explicit
        inside = opened and not self._implicit
        if statement.first in ("BEGIN", "START") and inside and not failed:
            self._notice("WARNING", "there is already a transaction in progress")
        elif statement.first in _CONTROL[2:] and not inside:
            self._notice("WARNING", "there is no transaction in progress")
        query_id = session.database.next_query_id()
        began, started = time.time(), time.monotonic_ns()
        house.log(session.user, query_id, statement.sql, bound)
        outcome, status, problem = Outcome(), "FINISHED", ""
        session.cancellation.begin()
        try:
            house.strike(session, statement.sql, query_id)
            outcome = session.run(statement.sql, bound, sink, query_id)
        except StatementCancelled as error:
            if str(error) == str(StatementCancelled()):  # the canceller did not know its number
                error = StatementCancelled(query_id=query_id)
            status, problem = "ABORTED", str(error)
            raise error from None
        except Exception as error:
            status, problem = "FAILED", str(error)
            raise
        finally:
            session.cancellation.end()
            ran = Ran(
                statement.sql,
                query_id,
                began,
                time.time(),
                "FINISHED"
                if status == "FINISHED"
                else "ABORTED"
                if status == "ABORTED"
                else "FAILED",
                time.monotonic_ns() - started,
                problem,
                sink.rows,
                sink.bytes,
            )
            record(session, ran)
            house.log_end(session.user, ran, session.sent)
        for severity, said in session.notices:
            self._notice(severity, said)
        return text.tag(statement, outcome, failed=failed)

    # -- extended queries ----------------------------------------------------------------------

    def _parse(self, message: Message) -> None:
        reader = message.reader()
        name, query = reader.string(), reader.string()
        oids = [reader.int32() for _ in range(reader.count())]
        reader.end()
        if name and name in self._prepared:
            raise RedshiftError(f'prepared statement "{name}" already exists', sqlstate="42P05")
        if len(text.statements(_fits(query))) > 1:
            raise RedshiftError(
                "cannot insert multiple commands into a prepared statement", sqlstate="42601"
            )
        statement = text.one(query)
        oids += [0] * (statement.parameters - len(oids))
        prepared = Prepared(statement, tuple(oids))
        self._prepared[name] = self._analysed(prepared) if name else prepared
        self._put(codec.PARSE_COMPLETE)

    def _analysed(self, prepared: Prepared) -> Prepared:
        """With its columns. Raises RedshiftError for an error that does not depend on the values.

        Only the statements that have a name are analysed by Parse: the unnamed ones run at once.
        """
        if prepared.analysed or not prepared.text.words:
            return prepared
        empty = {text.name(n): values.null(oid) for n, oid in enumerate(prepared.oids, 1)}
        try:
            columns = columns_of(self._known, prepared.text.sql, empty)
        except RedshiftError as error:
            self._log_refusal(prepared.text.sql, error)
            raise
        return replace(prepared, columns=None if columns is None else tuple(columns), analysed=True)

    def _log_refusal(self, sql: str, error: RedshiftError) -> None:
        """A statement that Parse refuses is in the logs; it has no row in SYS_QUERY_HISTORY."""
        user, query_id, now = self._known.user, self._known.database.next_query_id(), time.time()
        self._house.log(user, query_id, sql, {})
        self._house.log_end(user, Ran(sql, query_id, now, now, "FAILED", 0, str(error)), [])

    def _bind(self, message: Message) -> None:
        reader = message.reader()
        name, source = reader.string(), reader.string()
        formats = [reader.int16() for _ in range(reader.count())]
        given = [reader.value() for _ in range(reader.count())]
        wanted = tuple(reader.int16() for _ in range(reader.count()))
        reader.end()
        prepared = self._of_name(source)
        if len(given) != len(prepared.oids):
            raise RedshiftError(
                f"bind message supplies {len(given)} parameters, but prepared statement "
                f'"{source}" requires {len(prepared.oids)}',
                sqlstate="08P01",
            )
        if len(formats) not in (0, 1, len(given)):
            raise RedshiftError(
                f"bind message has {len(formats)} parameter formats but {len(given)} parameters",
                sqlstate="08P01",
            )
        codes = formats if len(formats) > 1 else (formats or [0]) * len(given)
        bound = {
            text.name(number): values.parameter(value, oid, code)
            for number, (value, oid, code) in enumerate(
                zip(given, prepared.oids, codes, strict=True), 1
            )
        }
        if name in self._portals:
            if name:
                raise RedshiftError(f'cursor "{name}" already exists', sqlstate="42P03")
            self._portals[name].close()
        self._portals[name] = Portal(prepared, bound, wanted)
        self._put(codec.BIND_COMPLETE)

    def _of_name(self, name: str) -> Prepared:
        if name not in self._prepared:
            shown = f'prepared statement "{name}"' if name else "unnamed prepared statement"
            raise RedshiftError(f"{shown} does not exist", sqlstate="26000")
        return self._prepared[name]

    def _portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise RedshiftError(f'portal "{name}" does not exist', sqlstate="34000")
        return self._portals[name]

    def _describe(self, message: Message) -> None:
        reader = message.reader()
        kind, name = reader.take(1), reader.string()
        reader.end()
        if kind == b"P":
            # Executed next, as a rule: the columns then come with the rows.
            cursors = self._known.transaction.cursors if self._known.transaction else {}
            if name in cursors and name not in self._portals:  # psycopg asks so after DECLARE
                self._put(self._client.describe(cursors[name].columns, ()))
            else:
                self._undescribed = self._portal(name)
            return
        prepared = self._prepared[name] = self._analysed(self._of_name(name))
        oids = [oid or values.OIDS["varchar"] for oid in prepared.oids]
        self._put(codec.parameter_description(oids))
        self._put_columns(prepared.columns, ())

    def _send_description(self) -> None:
        described, self._undescribed = self._undescribed, None
        if described is not None:
            self._describe_portal(described)

    def _describe_portal(self, described: Portal) -> None:
        statement = described.prepared.text
        columns = described.prepared.columns
        if not described.prepared.analysed:
            columns = None
            if statement.is_query:
                found = columns_of(self._known, statement.sql, described.values)
                columns = None if found is None else tuple(found)
            described.prepared = replace(described.prepared, columns=columns, analysed=True)
        self._put_columns(columns, described.formats)

    def _put_columns(
        self, columns: tuple[ResultColumn, ...] | None, formats: tuple[int, ...]
    ) -> None:
        described = None if columns is None else self._client.describe(columns, formats)
        self._put(described or codec.NO_DATA)

    def _execute(self, message: Message) -> None:
        reader = message.reader()
        name, limit = reader.string(), reader.int32()
        reader.end()
        if self._undescribed is not None and self._undescribed is not self._portals.get(name):
            self._send_description()
        running = self._portal(name)
        announce, self._undescribed = self._undescribed is not None, None
        if not running.prepared.text.words:
            self._put((codec.NO_DATA if announce else b"") + codec.EMPTY_QUERY)
            return
        if not running.tag:
            self._first(running, limit, announce=announce)
        elif running.kept is not None:
            if announce:
                self._describe_portal(running)
            self._fetch(running, limit)
        else:
            raise RedshiftError(f'portal "{name}" cannot be run', sqlstate="55000")

    def _sync(self) -> None:
        """What was executed since the last Sync outside a transaction block is one transaction."""
        transaction = self._known.transaction
        if transaction is not None and not transaction.explicit:
            self._known.commit()

    def _first(self, running: Portal, limit: int, *, announce: bool) -> None:
        statement = running.prepared.text
        if self._known.transaction is None and statement.first not in _CONTROL:
            self._known.begin(explicit=False)  # until Sync
        if announce and not statement.is_query:
            self._put(codec.NO_DATA)
        if limit <= 0 or not statement.is_query:
            sender = RowSender(
                self._put, self._client, running.formats, announce=announce and statement.is_query,
                described=running.prepared.columns, digits=self._digits,
            )  # fmt: skip
            running.tag = self._run(statement, running.values, sender)
            running.kept = Rows() if statement.is_query else None
            self._put(codec.command_complete(running.tag))
            self._report_parameters()
            return
        rows = Rows()
        head: list[bytes] = []
        sender = RowSender(
            lambda data: (rows.put if data[:1] == b"D" else head.append)(data),
            self._client, running.formats, announce=announce,
            described=running.prepared.columns, digits=self._digits,
        )  # fmt: skip
        running.tag = self._run(statement, running.values, sender)
        running.kept = rows
        rows.rewind()
        for each in head:
            self._put(each)
        self._fetch(running, limit)

    def _fetch(self, running: Portal, limit: int) -> None:
        """The next rows of a portal that has run."""
        if running.kept is None:
            raise RuntimeError("the portal has no rows")
        for row in running.kept.take(limit):
            self._put(row)
        self._put(
            codec.PORTAL_SUSPENDED if running.kept.left else codec.command_complete(running.tag)
        )

    def _close(self, message: Message) -> None:
        reader = message.reader()
        kind, name = reader.take(1), reader.string()
        reader.end()
        if kind == b"S":
            self._prepared.pop(name, None)
        elif closed := self._portals.pop(name, None):
            closed.close()
        self._put(codec.CLOSE_COMPLETE)

    def _refuse_call(self, _: Message) -> None:
        raise RedshiftError("FunctionCall is not supported", sqlstate="0A000")


class _NoRows:
    """The sink of a statement that returns none."""

    rows = 0
    bytes = 0

    @property
    def columns(self) -> list[ResultColumn]:
        """None."""
        return []

    def start(self, columns: object) -> None:
        """Nothing."""

    def add(self, rows: object) -> None:
        """Nothing."""

    def finish(self) -> None:
        """Nothing."""


def _fits(query: str) -> str:
    """The text, if it is not too long."""
    if len(query) > MAX_STATEMENT_BYTES:
        raise RedshiftError(
            f"Statement is too large. Statement Size: {len(query)} bytes. "
            f"Maximum Allowed: {MAX_STATEMENT_BYTES} bytes",
            sqlstate="54001",
        )
    return query
