"""The command add: what it prints and writes, what it asks, and samples in S3."""

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import boto3
import duckdb
import pytest
from moto import mock_aws

from contracts.model import Contract
from contracts.reading import read
from local.__main__ import main, parser
from local.commands import add

OWN = Path(__file__).resolve().parents[3] / "shared" / "data" / "own"
ORDERS = [
    {"order_id": f"O{n % 3}", "updated_at": f"2026-11-28T07:00:{n:02}Z", "user": {"email": f"p{n % 3}@example.com"}}
    for n in range(6)
]  # fmt: skip
Run = Callable[..., Contract]


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.jsonl"
    path.write_text("".join(json.dumps(order) + "\n" for order in ORDERS))
    return path


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs add in this process; returns the contract that it wrote."""

    def ran(*words: object, answers: str | None = None) -> Contract:
        arguments = parser().parse_args(["add", *map(str, words), "--into", str(tmp_path / "into")])
        said = io.StringIO(answers or "")
        said.isatty = lambda: answers is not None  # type: ignore[method-assign]
        with mock.patch("sys.stdin", said):
            assert add.run(arguments) == 0
        contract = read(tmp_path / "into" / str(words[0]) / "dataset.yaml")
        assert isinstance(contract, Contract)
        return contract

    return ran


def test_prints_a_table_and_writes_a_commented_contract(
    run: Run, orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = run("orders", orders)
    assert (contract.key, contract.newest) == (("order_id",), "updated_at")
    assert (contract.prefix, contract.endings) == ("orders/", (".jsonl",))
    printed = capsys.readouterr().out
    assert "orders: 6 rows in 1 file, as orders/*.jsonl" in printed
    [line] = [line for line in printed.splitlines() if line.startswith("user_email ")]
    assert line.split()[1:5] == ["user.email", "varchar(32)", "100%", "3"]
    assert "p0@example.com" not in printed, "an example of a person"
    text = (tmp_path / "into" / "orders" / "dataset.yaml").read_text()
    assert text.startswith(
        "# yaml-language-server: $schema=../../../contracts/dataset.schema.json\n"
    )
    assert "# an e-mail address; to store only a hash: user_email: {" in text
    assert "example.com" not in text


def test_parquet_has_its_types_in_its_schema(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "visits"
    folder.mkdir()
    query = (
        "SELECT 'V' || i % 5 AS id, TIMESTAMP '2026-11-28' + INTERVAL (i) MINUTE AS updated_at, "
        '7::BIGINT AS "The Count", 1.50::DECIMAL(9,3) AS price, '
        "'2026-11-28' AS text, NULL::DATE AS day, 1::UTINYINT AS small, "
        "{'city': 'Bonn'} AS address, [{'sku': 'a', 'qty': i}] AS items, 1 AS t FROM range(20) AS r(i)"
    )
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{folder}/a.parquet' (FORMAT parquet)")
        con.execute(f"COPY ({query.replace('7::BIGINT', '7')}) TO '{folder}/b.parquet'")
        con.execute(f"COPY ({query}) TO '{folder}/c.parquet' (FORMAT parquet)")
    (folder / "broken.parquet").write_bytes(b"PAR1 and no end")
    contract = run("visits", folder)
    assert (contract.format, contract.suffixes) == ("parquet", (".parquet",))
    assert (contract.key, contract.newest) == (("id",), "updated_at")
    assert {column.name: str(column.type).lower() for column in contract.columns} == {
        "id": "varchar(32)", "updated_at": "timestamp", "the_count": "bigint", "price": "decimal(9, 3)",
        "text": "varchar(32)", "day": "date", "small": "super", "address": "super", "t": "integer",
    }  # fmt: skip
    assert contract.column("the_count").paths[0].steps == ("The Count",)
    [child] = contract.children
    assert (child.each.steps, [column.name for column in child.columns]) == (
        ("items",),
        ["sku", "qty"],
    )
    printed = capsys.readouterr().out
    assert "visits: 60 rows in 4 files, as visits/*.parquet" in printed
    assert "1 files have other columns or types than most, such as b.parquet" in printed
    assert "broken.parquet: not readable as Parquet" in printed


def test_when_piped_it_decides_and_says_so(
    run: Run, orders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = run("orders", orders)
    assert contract.column("user_email").mask == ""
    said = capsys.readouterr().out.partition("look at this:")[2]
    assert "user_email looks like an e-mail address" in said
    assert "Decided: store it" in said


def test_on_a_terminal_it_asks(run: Run, orders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = run("orders", orders, answers="nine\n2\n")
    assert contract.column("user_email").mask == "hash"
    printed = capsys.readouterr().out
    assert "a number from 1 to 2" in printed
    assert "looks like an e-mail address" not in printed.partition("look at this")[2]


def test_a_renamed_key_becomes_one_column_if_a_person_says_so(run: Run, tmp_path: Path) -> None:
    names = [*[{"repo": {"name": "a/b"}}] * 2, {"repo": {"full_name": "a/c"}}]
    (tmp_path / "pushes.jsonl").write_text("".join(json.dumps(name) + "\n" for name in names))
    contract = run("pushes", tmp_path / "pushes.jsonl", answers="2\n")
    [column] = contract.columns
    assert (column.name, [str(path) for path in column.paths]) == (
        "repo_name",
        ["repo.name", "repo.full_name"],
    )


def test_yes_asks_nothing_on_a_terminal(run: Run, orders: Path) -> None:
    assert run("orders", orders, "--yes", answers="2\n").column("user_email").mask == ""


def test_what_the_command_line_says_holds(run: Run, orders: Path) -> None:
    contract = run(
        *("orders", orders, "--key", "user_email, order_id", "--newest", "none"),
        *("--mask", "user_email", "--files", "shop/in/*.jsonl"),
    )
    assert (contract.key, contract.newest) == (("user_email", "order_id"), "")
    assert contract.column("user_email").mask == "hash"
    assert contract.prefix == "shop/in/"


def test_a_given_key_that_does_not_identify_is_told(
    run: Run, orders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("orders", orders, "--key", "order_id", "--newest", "none")
    said = capsys.readouterr().out
    assert "3 different keys in 6 rows" in said
    assert "3 rows have the key of another row, but other content" in said


@pytest.mark.parametrize("name", ["Orders", "order", "a" * 40])
def test_a_name_that_no_table_has_is_refused_before_anything_is_read(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock.patch.dict(os.environ):
        assert main(["add", name, "nowhere"]) == 2
    assert "the folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--key", "nope"], "There is no column nope for the key. The columns are order_id,"),
        (["--mask", "nope"], "--mask nope: there is no such column."),
        (["--files", "*.jsonl"], "has no prefix"),
        (["missing.jsonl"], "missing.jsonl does not exist"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    words: list[str], said: str, orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with mock.patch.dict(os.environ):
        code = main(
            ["add", "orders", str(orders), *words, "--yes", "--into", str(tmp_path / "into")]
        )
    assert code == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "into").exists()


def test_a_contract_that_exists_is_kept_without_force(
    run: Run, orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("orders", orders)
    path = tmp_path / "into" / "orders" / "dataset.yaml"
    path.write_text("mine")
    with mock.patch.dict(os.environ):
        assert main(["add", "orders", str(orders), "--into", str(tmp_path / "into")]) == 2
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert run("orders", orders, "--force").key == ("order_id",)


def test_a_dataset_that_does_not_go_with_the_others_is_told(
    orders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    datasets = tmp_path / "sql" / "datasets"
    other = datasets / "earlier" / "dataset.yaml"
    other.parent.mkdir(parents=True)
    other.write_text("description: x\nfiles: orders/*.jsonl\ncolumns: {a: bigint}\n")
    with mock.patch.object(add, "DATASETS", datasets), mock.patch.dict(os.environ):
        assert main(["add", "orders", str(orders), "--yes"]) == 1
    assert "the dataset" in capsys.readouterr().err
    assert (datasets / "orders" / "dataset.yaml").exists()


def test_samples_in_s3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket="samples", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
        )
        for day in ("27", "28"):
            body = gzip.compress("".join(json.dumps(order) + "\n" for order in ORDERS).encode())
            s3.put_object(
                Bucket="samples", Key=f"raw/orders/dt=2026-11-{day}/a.jsonl.gz", Body=body
            )
        s3.put_object(Bucket="samples", Key="raw/orders/dt=2026-11-27/_SUCCESS", Body=b"")
        contract = run("orders", "s3://samples/raw/orders/")
    assert (contract.prefix, contract.endings) == ("raw/orders/", (".jsonl",))
    assert contract.column("dt").from_key == "dt"
    assert contract.key == ("order_id",)


# -- datasets of a usual kind --------------------------------------------------------------------
@pytest.mark.skipif(not OWN.is_dir(), reason="../shared/data/own is not here")
class TestOwn:
    def test_orders(self, run: Run) -> None:
        contract = run("orders", OWN / "orders")
        assert (contract.key, contract.newest) == (("order_id",), "updated_at")
        [items] = contract.children
        assert (items.name, str(items.each)) == ("order_items", "items")
        assert {c.name: str(c.type) for c in items.columns} == {
            "sku": "VARCHAR(32)", "qty": "INTEGER", "price": "DECIMAL(12, 2)",
        }  # fmt: skip
        assert contract.column("customer_address_zip").type.is_text
        assert str(contract.column("total").type) == "DECIMAL(12, 2)"

    def test_readings(self, run: Run) -> None:
        contract = run("readings", OWN / "readings")
        assert (contract.format, contract.key) == ("csv", ())
        assert {c.name: c.type.name for c in contract.columns} == {
            "ts": "timestamp", "device_id": "varchar", "temperature_c": "decimal",
            "humidity_pct": "decimal", "battery_v": "decimal",
        }  # fmt: skip

    def test_events(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        contract = run("events", OWN / "events")
        assert contract.key == ("id",)
        assert contract.column("payload_size").type.is_text
        assert str(contract.column("installation_app").paths[0]) == "installation.app"
        assert {child.name for child in contract.children} == {"event_commits", "event_labels"}
        said = capsys.readouterr().out
        assert "payload_size: values of several kinds: 110 numbers, 20 texts" in said
