"""The PostgreSQL protocol, message by message: what no driver sends too.

The protocol: https://www.postgresql.org/docs/8.0/protocol.html. ``test_wire_clients.py`` has the drivers.
"""

from __future__ import annotations

import itertools
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from wire_client import (
    FLUSH,
    SYNC,
    Client,
    bind,
    cells,
    close,
    columns,
    describe,
    execute,
    fields,
    message,
    packet,
    parse,
    startup,
    text,
)

from fakeshift import LocalRedshift, Settings

IDLE, INSIDE, FAILED = ("Z", b"I"), ("Z", b"T"), ("Z", b"E")
SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102


def kinds(answers: list[tuple[str, bytes]]) -> str:
    return "".join(kind for kind, _ in answers)


def tags(answers: list[tuple[str, bytes]]) -> list[str]:
    return [body.rstrip(b"\0").decode() for kind, body in answers if kind == "C"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRedshift]:
    data = tmp_path_factory.mktemp("wire")
    settings = Settings(data=data, port=0, pg_port=0, faults=True, connections=20)
    with LocalRedshift(settings) as running:
        yield running


@pytest.fixture
def client(server: LocalRedshift) -> Iterator[Client]:
    with Client(server.pg_port) as connected:
        assert connected.login()[-1] == IDLE
        connected.query("DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t")
        yield connected


# -- startup -----------------------------------------------------------------------------------


def test_a_session_is_told_the_parameters_of_redshift(server: LocalRedshift) -> None:
    with Client(server.pg_port) as client:
        answers = client.login(client_encoding="UTF8")
    assert kinds(answers) == "RZ"
    told = {
        "server_version": "8.0.2",
        "server_encoding": "UNICODE",
        "client_encoding": "UTF8",
        "integer_datetimes": "on",
        "session_authorization": "me",
        "DateStyle": "ISO, MDY",
        "TimeZone": "UTC",
        "max_varchar_size": "65535",
    }
    assert client.parameters.items() >= told.items()
    assert "server_protocol_version" not in client.parameters
    assert len(client.key) == 8


@pytest.mark.parametrize(("asked", "told"), [("1", "1"), ("2", "2"), ("7", "2")])
def test_the_protocol_of_redshifts_drivers(server: LocalRedshift, asked: str, told: str) -> None:
    with Client(server.pg_port) as client:
        client.login(client_protocol_version=asked)
        assert client.parameters["server_protocol_version"] == told


def test_a_startup_sets_parameters(server: LocalRedshift) -> None:
    with Client(server.pg_port) as client:
        client.login(options="-c search_path=a,b -c query_group=q")
        assert client.rows("SHOW search_path") == [[b"a, b"]]
        assert client.parameters["query_group"] == "q"


@pytest.mark.parametrize(
    ("given", "sqlstate", "part"),
    [
        ({"database": "other"}, "3D000", 'database "other" does not exist'),
        ({"user": ""}, "28000", "no PostgreSQL user name"),
        ({"nonsense": "1"}, "42704", 'unrecognized configuration parameter "nonsense"'),
        ({"options": "-c nonsense=1"}, "42704", '"nonsense"'),
    ],
)
def test_a_startup_that_is_refused(
    server: LocalRedshift, given: dict[str, str], sqlstate: str, part: str
) -> None:
    with Client(server.pg_port) as client:
        (answer,) = (each for each in client.login(**given) if each[0] == "E")
        assert client.answer() is None
    error = fields(answer[1])
    assert (error["S"], error["C"]) == ("FATAL", sqlstate)
    assert part in error["M"]


def test_tls_with_a_certificate_of_its_own(server: LocalRedshift) -> None:
    with Client(server.pg_port) as client:
        client.send(packet(SSL_REQUEST))
        assert client.socket.recv(1) == b"S"
        context = ssl.create_default_context(cafile=server.settings.data / "server.crt")
        client.socket = context.wrap_socket(client.socket, server_hostname="127.0.0.1")
        assert client.login()[-1] == IDLE
        assert client.rows("SELECT 1") == [[b"1"]]


def test_tls_is_refused_when_it_is_off(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=0, pg_port=0, tls=False)
    with LocalRedshift(settings) as running, Client(running.pg_port) as client:
        client.send(packet(SSL_REQUEST))
        assert client.socket.recv(1) == b"N"
        assert client.login()[-1] == IDLE


def test_gssapi_is_refused_and_the_startup_goes_on(server: LocalRedshift) -> None:
    with Client(server.pg_port) as client:
        client.send(packet(GSS_REQUEST))
        assert client.socket.recv(1) == b"N"
        assert client.login()[-1] == IDLE


def test_a_connection_too_many(server: LocalRedshift) -> None:
    clients = [Client(server.pg_port) for _ in range(21)]
    ends = [each.login()[-1] for each in clients]
    (refused,) = [fields(body) for kind, body in ends if kind == "E"]
    assert refused["M"] == 'connection limit "20" exceeded for non-bootstrap users'
    assert (refused["S"], refused["C"]) == ("FATAL", "53300")
    for each in clients:
        each.socket.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # the server notices within milliseconds
        with Client(server.pg_port) as client:
            if client.login()[-1] == IDLE:
                return
    pytest.fail("the closed connections still count")


# -- passwords ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["md5", "cleartext"])
def test_a_user_with_a_password_has_to_give_it(tmp_path: Path, method: str) -> None:
    settings = Settings(data=tmp_path, port=0, pg_port=0, authentication=method)  # type: ignore[arg-type]
    with LocalRedshift(settings) as running:
        with Client(running.pg_port) as client:
            client.login()
            client.query("CREATE USER ann PASSWORD 'Secret1'; CREATE USER bob PASSWORD DISABLE")
        with Client(running.pg_port) as client:
            assert client.login(user="ann", password="Secret1")[-1] == IDLE
            assert client.rows("SELECT current_user") == [[b"ann"]]
        for user, password in (("ann", "secret1"), ("ann", ""), ("bob", "")):
            with Client(running.pg_port) as client:
                error = fields(client.login(user=user, password=password)[-1][1])
                assert error["C"] == "28000"
                assert error["M"] == f'password authentication failed for user "{user}"'


# -- simple queries ----------------------------------------------------------------------------


def test_a_query_and_its_rows(client: Client) -> None:
    client.query("CREATE TABLE t.a (i INT, v VARCHAR(7), n NUMERIC(9,2), f FLOAT8, b BOOLEAN)")
    client.query("INSERT INTO t.a VALUES (1, 'é', 1.5, 0.1, true), (NULL, NULL, NULL, NULL, false)")
    answers = client.query("SELECT * FROM t.a ORDER BY i")
    assert kinds(answers) == "TDDCZ"
    assert columns(answers[0][1]) == [
        ("i", 23, -1), ("v", 1043, 11), ("n", 1700, (9 << 16 | 2) + 4), ("f", 701, -1), ("b", 16, -1),
    ]  # fmt: skip
    assert cells(answers[1][1]) == [b"1", "é".encode(), b"1.50", b"0.1", b"t"]
    assert cells(answers[2][1]) == [None, None, None, None, b"f"]


@pytest.mark.parametrize(
    ("sql", "tag"),
    [
        ("SELECT 1", "SELECT"),
        ("CREATE TABLE t.x (i INT)", "CREATE TABLE"),
        ("CREATE TABLE t.x AS SELECT 1 AS i", "SELECT"),
        ("INSERT INTO t.b VALUES (1), (2)", "INSERT 0 2"),
        ("UPDATE t.b SET i = 3", "UPDATE 1"),
        ("DELETE FROM t.b", "DELETE 1"),
        ("TRUNCATE t.b", "TRUNCATE TABLE"),
        ("DROP TABLE t.b", "DROP TABLE"),
        ("ALTER TABLE t.b ADD COLUMN j INT", "ALTER TABLE"),
        ("CREATE OR REPLACE VIEW t.v AS SELECT 1 AS i", "CREATE VIEW"),
        ("/* x */ -- y\n  SET query_group TO 'q'", "SET"),
        ("END", "COMMIT"),
    ],
)
def test_tags(client: Client, sql: str, tag: str) -> None:
    client.query("CREATE TABLE t.b (i INT); INSERT INTO t.b VALUES (0)")
    assert tags(client.query(sql)) == [tag]


def test_an_error_has_its_sqlstate_and_its_fields(client: Client) -> None:
    error = client.error("SELECT nope FROM pg_namespace")
    assert (error["S"], error["C"], error["M"]) == (
        "ERROR",
        "42703",
        'column "nope" does not exist',
    )
    error = client.error("SELECT 'x'::int")
    assert error["M"] == "Invalid digit, Value 'x', Pos 0, Type: Integer"
    assert "code:      1207" in error["D"]


def test_an_empty_query(client: Client) -> None:
    assert kinds(client.query("")) == kinds(client.query(" ; -- nothing\n ;")) == "IZ"


def test_statements_of_one_query_are_one_transaction(client: Client) -> None:
    answers = client.query("CREATE TABLE t.c (i INT); INSERT INTO t.c VALUES (1); SELECT nope")
    assert kinds(answers) == "CCEZ"
    assert answers[-1] == IDLE
    assert client.error("SELECT * FROM t.c")["C"] == "42P01"
    answers = client.query("SELECT 1; BEGIN; SELECT 'a;b'; ")
    assert (tags(answers), answers[-1]) == (["SELECT", "BEGIN", "SELECT"], INSIDE)
    answers = client.query("COMMIT; CREATE TABLE t.c (i INT)")
    assert answers[-1] == IDLE
    assert client.rows("SELECT COUNT(*) FROM t.c") == [[b"0"]]


def test_the_status_of_the_transaction(client: Client) -> None:
    assert client.query("BEGIN")[-1] == INSIDE
    assert client.query("SELECT nope")[-1] == FAILED
    assert client.error("SELECT 1")["C"] == "25P02"
    answers = client.query("COMMIT")
    assert (tags(answers), answers[-1]) == (["ROLLBACK"], IDLE)


def test_notices(client: Client) -> None:
    def notice(sql: str) -> dict[str, str]:
        (found,) = (fields(body) for kind, body in client.query(sql) if kind == "N")
        return found

    assert notice("COMMIT")["M"] == "there is no transaction in progress"
    client.query("BEGIN")
    warning = notice("BEGIN")
    assert (warning["S"], warning["M"]) == ("WARNING", "there is already a transaction in progress")
    client.query("COMMIT")
    info = notice("DROP TABLE IF EXISTS t.missing")
    shown = 'Table "t.missing" does not exist and will be skipped'
    assert (info["S"], info["M"]) == ("INFO", shown)
    client.query("CREATE TABLE t.z (i INT)")
    info = notice("CREATE TABLE IF NOT EXISTS t.z (i INT)")
    assert info["M"] == 'Relation "z" already exists and will be skipped'


def test_set_is_reported(client: Client) -> None:
    answers = client.query("SET query_group TO 'reports'")
    assert ("S", text("query_group", "reports")) in answers


def test_what_a_pool_sends_before_it_reuses_a_connection(client: Client) -> None:
    client.query("SET query_group TO 'reports'; SET search_path TO t")
    answers = client.query("RESET ALL; SET SESSION AUTHORIZATION DEFAULT")
    assert tags(answers) == ["RESET", "SET"]
    assert client.rows("SHOW search_path") == [[b'"$user", public']]
    assert client.rows("SHOW query_group") == [[b""]]


# -- extended queries --------------------------------------------------------------------------


def test_parse_bind_describe_execute(client: Client) -> None:
    answers = client.ask(
        parse("SELECT $1::int + 1 AS n, $2 AS v", oids=[23]),
        bind([b"41", b"it's \\"]),
        describe("P"),
        execute(),
        SYNC,
    )
    assert kinds(answers) == "12TDCZ"
    assert columns(answers[2][1])[0][:2] == ("n", 23)
    assert cells(answers[3][1]) == [b"42", b"it's \\"]


def test_binary_parameters_and_results(client: Client) -> None:
    answers = client.ask(
        parse("SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d", oids=[20, 701, 16, 1082]),
        bind(
            [struct.pack("!q", -5), struct.pack("!d", 0.5), b"\1", struct.pack("!i", 1)],
            formats=[1],
            results=[1],
        ),
        execute(),
        SYNC,
    )
    assert [cells(body) for kind, body in answers if kind == "D"] == [
        [struct.pack("!q", -5), struct.pack("!d", 0.5), b"\1", struct.pack("!i", 1)]
    ]


@pytest.mark.parametrize(
    ("sql", "binary"),
    [
        ("1::smallint", struct.pack("!h", 1)),
        ("1.5::real", struct.pack("!f", 1.5)),
        ("-12345.678::numeric(12,3)", struct.pack("!hhHhhhh", 3, 1, 0x4000, 3, 1, 2345, 6780)),
        ("0::numeric(5,2)", struct.pack("!hhHh", 0, 0, 0, 2)),
        ("0.0001::numeric(9,4)", struct.pack("!hhHhh", 1, -1, 0, 4, 1)),
        ("timestamp '2000-01-01 00:00:01'", struct.pack("!q", 1_000_000)),
        ("timestamptz '2000-01-01 00:00:00+00'", struct.pack("!q", 0)),
        ("time '01:00:00'", struct.pack("!q", 3_600_000_000)),
        ("interval '1 month 2 days'", struct.pack("!qi", 2 * 86_400_000_000, 1)),
        ("'x'", b"x"),
    ],
)
def test_binary_forms(client: Client, sql: str, binary: bytes) -> None:
    answers = client.ask(parse(f"SELECT {sql}"), bind(results=[1]), execute(), SYNC)
    assert [cells(body) for kind, body in answers if kind == "D"] == [[binary]]


def test_numeric_as_redshifts_drivers_read_it(server: LocalRedshift) -> None:
    """numeric_in_binary in redshift_connector's type_utils.py: the digits as one whole number."""
    with Client(server.pg_port) as client:
        client.login(client_protocol_version="2")
        sql = "SELECT -1.5::numeric(18,2) AS a, 1.5::numeric(38,2) AS b"
        answers = client.ask(parse(sql), bind(results=[1]), execute(), SYNC)
    (row,) = (cells(body) for kind, body in answers if kind == "D")
    assert row == [(-150).to_bytes(8, "big", signed=True), (150).to_bytes(16, "big")]


def test_columns_as_redshifts_drivers_read_them(server: LocalRedshift) -> None:
    with Client(server.pg_port) as client:
        client.login(client_protocol_version="1")
        client.query("CREATE TABLE IF NOT EXISTS of_driver (id INT NOT NULL)")
        answers = client.query("SELECT id FROM of_driver")
    names = text("public", "of_driver", "id", "dev")
    assert answers[0][1].endswith(names + struct.pack("!h", 1 << 12))  # searchable, not nullable


def test_a_row_limit_suspends_the_portal(client: Client) -> None:
    client.query("CREATE TABLE t.d AS SELECT 1 AS i UNION SELECT 2 UNION SELECT 3")
    answers = client.ask(
        parse("SELECT i FROM t.d ORDER BY i"), bind(), describe("P"), execute(2), FLUSH, execute(2),
        execute(2), SYNC,
    )  # fmt: skip
    assert kinds(answers) == "12TDDsDCCZ"
    assert [cells(body) for kind, body in answers if kind == "D"] == [[b"1"], [b"2"], [b"3"]]


def test_portals_live_until_the_transaction_ends(client: Client) -> None:
    client.query("BEGIN")
    answers = client.ask(parse("SELECT 1"), bind(portal="p"), execute(portal="p"), SYNC)
    assert kinds(answers) == "12DCZ"
    assert kinds(client.ask(describe("P", "p"), close("P", "p"), SYNC)) == "T3Z"
    client.ask(bind(portal="p"), SYNC)
    client.query("COMMIT")
    (error,) = (fields(b) for kind, b in client.ask(execute(portal="p"), SYNC) if kind == "E")
    assert (error["C"], error["M"]) == ("34000", 'portal "p" does not exist')


def test_a_prepared_statement_is_described_and_closed(client: Client) -> None:
    client.query("CREATE TABLE t.e (i INT, v VARCHAR(5))")
    answers = client.ask(
        parse("SELECT v FROM t.e WHERE i = $1", "s", [23]), describe("S", "s"), SYNC
    )
    assert kinds(answers) == "1tTZ"
    assert answers[1][1] == struct.pack("!hi", 1, 23)
    assert columns(answers[2][1]) == [("v", 1043, 9)]
    insert = client.ask(parse("INSERT INTO t.e VALUES ($1, $2)", "i"), describe("S", "i"), SYNC)
    assert kinds(insert) == "1tnZ"
    bound = client.ask(bind([b"7", None], name="i"), execute(), SYNC)
    assert tags(bound) == ["INSERT 0 1"]
    assert client.rows("SELECT * FROM t.e") == [[b"7", None]]
    assert kinds(client.ask(close("S", "s"), bind([b"1"], name="s"), SYNC)) == "3EZ"


def test_a_name_is_free_again_after_an_error_of_parse(client: Client) -> None:
    assert kinds(client.ask(parse("SELECT nope", "s"), SYNC)) == "EZ"
    assert kinds(client.ask(parse("SELECT 1", "s"), parse("SELECT 1", "s"), SYNC)) == "1EZ"


def test_after_an_error_messages_are_skipped_until_sync(client: Client) -> None:
    answers = client.ask(
        parse("SELECT nope"), bind(), describe("P"), execute(), parse("SELECT 1"), SYNC
    )
    assert kinds(answers) == "12EZ"
    assert client.rows("SELECT 1") == [[b"1"]]


@pytest.mark.parametrize(
    ("parts", "sqlstate"),
    [
        ([parse("SELECT 1; SELECT 2")], "42601"),
        ([parse("SELECT $1"), bind()], "08P01"),
        ([parse("SELECT $1", oids=[23]), bind([b"x"])], "22P02"),
        ([parse("SELECT $1", oids=[23]), bind([b"123"], formats=[1])], "22P03"),
        ([parse("SELECT 1 AS a, 2 AS b"), bind(results=[0, 0, 0]), execute()], "08P01"),
        ([parse("COPY t.x FROM $1 IAM_ROLE default"), bind([b"s3://b/k"]), execute()], "42601"),
        ([bind(name="missing")], "26000"),
        ([describe("S", "missing")], "26000"),
        ([parse("SELECT 1", "x"), message("F", b"\0\0\0\1")], "0A000"),
    ],
)
def test_errors_of_extended_queries(client: Client, parts: list[bytes], sqlstate: str) -> None:
    answers = client.ask(*parts, SYNC)
    (error,) = (fields(body) for kind, body in answers if kind == "E")
    assert error["C"] == sqlstate
    assert client.rows("SELECT 1") == [[b"1"]]


def test_what_is_executed_up_to_sync_is_one_transaction(client: Client) -> None:
    client.query("CREATE TABLE t.p (i INT)")
    one, two = (
        [parse(f"INSERT INTO t.p VALUES ({number})"), bind(), execute()] for number in (1, 2)
    )
    answers = client.ask(*one, *two, parse("SELECT nope"), bind(), execute(), SYNC)
    assert (kinds(answers), answers[-1]) == ("12C12C12EZ", IDLE)
    assert client.rows("SELECT * FROM t.p") == []
    answers = client.ask(*one, *two, SYNC)
    assert answers[-1] == IDLE
    assert client.rows("SELECT * FROM t.p ORDER BY i") == [[b"1"], [b"2"]]
    begin = [parse("BEGIN"), bind(), execute()]
    answers = client.ask(*begin, *one, SYNC)
    assert answers[-1] == INSIDE
    client.query("ROLLBACK")
    assert len(client.rows("SELECT * FROM t.p")) == 2
    vacuum = [parse("VACUUM t.p"), bind(), execute()]
    assert tags(client.ask(*vacuum, SYNC)) == ["VACUUM"]


def test_execute_without_a_query(client: Client) -> None:
    answers = client.ask(parse(""), bind(), describe("P"), execute(), SYNC)
    assert kinds(answers) == "12nIZ"


def test_a_statement_cannot_be_executed_twice(client: Client) -> None:
    client.query("CREATE TABLE t.f (i INT)")
    answers = client.ask(parse("INSERT INTO t.f VALUES (1)"), bind(), execute(), execute(), SYNC)
    assert kinds(answers) == "12CEZ"


def test_cursors(client: Client) -> None:
    client.query("CREATE TABLE t.k AS SELECT 1 AS i UNION SELECT 2 UNION SELECT 3")
    assert client.error("DECLARE c CURSOR FOR SELECT 1")["C"] == "25P01"
    client.query("BEGIN")
    assert tags(client.query("DECLARE c CURSOR FOR SELECT i FROM t.k ORDER BY i")) == [
        "DECLARE CURSOR"
    ]
    assert kinds(client.ask(describe("P", "c"), SYNC)) == "TZ"
    for sql, rows in (
        ("FETCH FORWARD 2 FROM c", [[b"1"], [b"2"]]),
        ("FETCH NEXT FROM c", [[b"3"]]),
        ("FETCH ALL FROM c", []),
    ):
        answers = client.query(sql)
        assert [cells(body) for kind, body in answers if kind == "D"] == rows
        assert tags(answers) == [f"FETCH {len(rows)}"]
    assert tags(client.query("CLOSE c")) == ["CLOSE CURSOR"]
    assert client.error("FETCH ALL FROM c")["C"] == "34000"
    client.query("ROLLBACK; BEGIN; DECLARE c CURSOR FOR SELECT 1; COMMIT; BEGIN")
    assert client.error("FETCH ALL FROM c")["C"] == "34000"


@pytest.mark.parametrize(("kind", "sqlstate"), [("fail", "XX000"), ("abort", "57014")])
def test_faults_reach_statements_of_a_connection(
    server: LocalRedshift, client: Client, kind: str, sqlstate: str
) -> None:
    server.faults.command({"sql": "SELECT 'struck'", "kind": kind})
    assert client.error("SELECT 'struck'")["C"] == sqlstate
    assert client.rows("SELECT 'struck'") == [[b"struck"]]


# -- cancelling and ending ---------------------------------------------------------------------


def test_cancel_request(server: LocalRedshift, client: Client) -> None:
    client.query("CREATE TABLE t.g (i INT)")
    with Client(server.pg_port) as holder:
        holder.login()
        holder.query("BEGIN; LOCK t.g")
        client.send(message("Q", text("SELECT * FROM t.g")))
        wrong = client.key[:4] + struct.pack("!i", 0)
        for key in (wrong, client.key):
            with Client(server.pg_port) as other:
                other.send(packet(CANCEL_REQUEST, key))
                assert other.answer() is None
                time.sleep(0.05)
        answers = list(client.answers())
    (error,) = (fields(body) for kind, body in answers if kind == "E")
    assert error["C"] == "57014"
    assert "cancelled on user's request" in error["M"]


def test_the_locks_of_a_client_that_leaves_are_free(server: LocalRedshift, client: Client) -> None:
    client.query("CREATE TABLE t.h (i INT)")
    with Client(server.pg_port) as holder:
        holder.login()
        holder.query("BEGIN; LOCK t.h; INSERT INTO t.h VALUES (1)")
    assert client.rows("SELECT * FROM t.h") == []


def test_a_restart_ends_the_connections(server: LocalRedshift, client: Client) -> None:
    waiting = threading.Thread(target=server.restart)
    waiting.start()
    kind, body = client.answer() or ("", b"")
    assert kind == "E"
    assert fields(body)["C"] == "57P01"
    assert client.answer() is None
    waiting.join()


def test_the_data_api_sees_what_a_connection_committed(
    server: LocalRedshift, client: Client
) -> None:
    client.query("CREATE TABLE t.i AS SELECT 7 AS n")
    history = "SELECT query_text FROM sys_query_history WHERE query_text LIKE '%AS SELECT 7 AS n'"
    assert len(client.rows(history)) == 1
    log = (server.settings.data / "sql-run.jsonl").read_text()
    assert "AS SELECT 7 AS n" in log


# -- bytes that are no messages ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "invalid length of startup packet"),
        (struct.pack("!ii", 1_000_000, 196608), "invalid length of startup packet"),
        (struct.pack("!ii", 4, 196608), "invalid length of startup packet"),
        (packet(196608, b"user"), "invalid startup packet layout"),
        (packet(196608, b"user\0\0"), "invalid startup packet layout"),
        (packet(131072, b""), "unsupported frontend protocol 2.0"),
        (startup(user="me", database="x" * 9000), "does not exist"),
    ],
)
def test_a_startup_that_makes_no_sense(server: LocalRedshift, sent: bytes, part: str) -> None:
    with Client(server.pg_port) as client:
        client.send(sent)
        answers = list(client.answers())
    kind, body = answers[-1]
    assert kind == "E"
    assert part in fields(body)["M"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\0\0\0\0",
        b"Y\0\0\0\4",
        b"Q\0\0\0\1",
        b"Q\x7f\xff\xff\xff",
        message("B", b""),
        message("P", text("a") + b"SELECT"),
        message("B", text("", "") + struct.pack("!h", 9)),
        message("D", b""),
        message("E", b"\0"),
    ],
)
def test_a_message_that_makes_no_sense_ends_the_connection(
    server: LocalRedshift, client: Client, sent: bytes
) -> None:
    client.send(sent)
    answers = list(client.answers())
    assert kinds(answers) == "E"
    error = fields(answers[0][1])
    assert (error["S"], error["C"]) == ("FATAL", "08P01")
    with Client(server.pg_port) as other:
        assert other.login()[-1] == IDLE


def test_half_a_message(server: LocalRedshift) -> None:
    for sent in (b"\0\0", packet(196608, b"user\0m")[:10], startup(user="me") + b"Q\0\0\0\x20SEL"):
        with Client(server.pg_port) as client:
            client.send(sent)
    with Client(server.pg_port) as other:
        assert other.login()[-1] == IDLE


def test_a_startup_that_never_ends(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, port=0, pg_port=0)
    with LocalRedshift(settings) as running:
        assert running.wire is not None
        running.wire.startup_seconds = 0.2
        with Client(running.pg_port) as client:
            client.send(b"\0\0\0")
            kind, body = client.answer() or ("", b"")
            assert (kind, fields(body)["M"]) == ("E", "canceling authentication due to timeout")
            assert client.answer() is None


def test_bytes_that_are_not_utf8_are_an_error_of_the_statement(client: Client) -> None:
    answers = client.ask(message("Q", b"SELECT '\xff'\0"))
    (error,) = (fields(body) for kind, body in answers if kind == "E")
    assert (error["C"], error["M"]) == ("22021", 'invalid byte sequence for encoding "UTF8": 0xff')
    assert client.rows("SELECT 1") == [[b"1"]]


@pytest.mark.parametrize(
    "make",
    [
        lambda name: f"SELECT 1 AS {name}",
        lambda name: f"SELECT * FROM {name}",
        lambda name: f'CREATE TABLE t."{name}" (i INT)',
        lambda name: f"SELECT {name}(1)",
    ],
)
def test_a_name_of_a_million_bytes(client: Client, make: Callable[[str], str]) -> None:
    answers = client.query(make("n" * 1_000_000))
    assert kinds(answers) in ("EZ", "CZ", "TDCZ")
    assert client.rows("SELECT 1") == [[b"1"]]


def test_a_statement_that_is_too_long(client: Client) -> None:
    error = client.error(f"SELECT 1 /* {'x' * 16_777_216} */")
    assert (error["C"], "Maximum Allowed: 16777216 bytes" in error["M"]) == ("54001", True)


def test_every_cut_of_a_conversation(server: LocalRedshift) -> None:
    """Whatever the sizes of the pieces that arrive, the answers are the same."""
    whole = b"".join(
        [startup(user="me", database="dev"), parse("SELECT $1"), bind([b"x"]), describe("P"), execute(),
         SYNC, message("Q", text("SELECT 2"))]
    )  # fmt: skip
    seen = set()
    for size in (1, 3, 17, len(whole)):
        with Client(server.pg_port) as client:
            for start in range(0, len(whole), size):
                client.send(whole[start : start + size])
            answers = list(itertools.chain.from_iterable(client.answers() for _ in range(3)))
        seen.add(tuple(each for each in answers if each[0] not in "SK"))
    assert len(seen) == 1
