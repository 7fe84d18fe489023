"""Check the set-up, for {"check": true}: whether the warehouse can be reached, the loader and COPY have the rights they
need, Redshift accepts every statement, and events arrive. Takes at most BUDGET seconds.

In: the load. Out: outcome ``checked``, or ``failed`` if something must be fixed; ``setup`` lists each finding and what
to do about it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from loader import clients, copying, explain, keys, rendered, sql, statements
from loader.contract_tables import sentence
from loader.dataapi import Statement, StatementFailed, client_token, failure
from loader.datasets import Dataset, compression, datasets
from loader.failures import is_missing, may_pass
from loader.migrations import LEDGER, ensure_schemas, latest_version
from loader.migrations import rendered as rendered_file
from loader.rendered import Group
from loader.settings import settings
from loader.steps import step
from loader.store import DataFile
from loader.tables import (
    bring_to_contracts,
    create_loader_tables,
    create_missing,
    migrate_from_nothing,
    pending,
)

if TYPE_CHECKING:
    from loader.state import Load, LoadEvent


api = clients.api()
store = clients.store()

EXPECTED = (StatementFailed, TimeoutError, ClientError, BotoCoreError)
BUDGET = 700  # seconds: the remaining checks are then reported as not reached; the function has 900
LIMIT = 120  # seconds for one batch: a workgroup that sleeps takes seconds to wake
DROP_LIMIT = 30  # seconds for the DROP of a batch that was cancelled
LOCK_LIMIT = 40  # seconds to wait for a load that publishes
SHOWN = 3  # refusals of a batch
SAMPLED = 100  # files of a dataset, of which COPY reads the smallest

WAREHOUSE = (
    "Compare the stack's parameters (workgroup or cluster, database, database user or secret) with the warehouse, "
    "and check that it is available. The loader's role needs redshift-serverless:GetCredentials on the workgroup, or "
    "redshift:GetClusterCredentials on the cluster's user."
)
COLLATION = (
    "Keys, ids and titles that differ only in case would be equal here, and rows would be lost. Create a database with "
    "COLLATE CASE_SENSITIVE (the default), and set the parameter DatabaseName to it."
)
RIGHTS = "Run sql/admin/setup.sql as an administrator of the database: it creates the loader's user and both schemas."
TABLES = (
    "Deploy the newer loader if the tables are newer. A missing table was dropped. One of the "
    'loader\'s own schema has no data: start an execution with {"migrate": true}, which creates it again. Any other: '
    'restore it from a snapshot, or start an execution with {"reset": true}, which deletes all loaded data and creates '
    "all tables."
)
COPY_ROLE = (
    "Attach the role of the stack's output CopyRoleArn to the namespace or cluster; it must be able to read the "
    "work bucket."
)
COPY_READS = (
    "If COPY was not allowed to read: the COPY role needs s3:GetObject and s3:ListBucket on the data bucket, and "
    "kms:Decrypt if the bucket is encrypted with a key. Otherwise the error says what is wrong."
)
LATER = "the next load upgrades them: check again after it"
LOCK = "The lock does not exist or cannot be taken: the error says which. The next load restores a missing row."
SLOW = "The warehouse was busy or slow: start the check again when no load is running."
STATEMENT = (
    "Redshift refuses a statement of the loader. If the error names a missing right or table, fix that. Otherwise open "
    "an issue with this text: the loader does not work with this version of Redshift."
)
REGION = (
    "Replicate the bucket into one in the stack's region (S3 replication) and name that one in DataBucketName, or "
    "deploy the stack in the bucket's region, with a warehouse there."
)
EVENTS = (
    "Turn on EventBridge notifications for the bucket. Get its notification configuration, add "
    '"EventBridgeConfiguration": {} and put it back: the put replaces the whole configuration.'
)


@step
def handler(event: LoadEvent) -> Load:
    load: Load = {"named": False, **event["load"]}
    findings: list[dict[str, Any]] = []
    deadline = time.monotonic() + BUDGET

    def examine(name: str, check: Callable[[], str], to_do: str) -> bool:
        try:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Not reached in {BUDGET} seconds: start the check again.")
            findings.append({"name": name, "passed": True, "found": check()})
        except EXPECTED as error:
            late = isinstance(error, TimeoutError)
            found = {"name": name, "passed": False, "found": str(error)[:1000]}
            found["fix"] = SLOW if late else to_do
            findings.append(found)
        return bool(findings[-1]["passed"])

    if examine("warehouse_reachable", lambda: warehouse(load), WAREHOUSE):
        examine("database_collation", lambda: collation(load), COLLATION)
        if examine("rights_in_schemas", lambda: rights(load), RIGHTS):
            current = examine("tables", lambda: tables(load), TABLES) and is_current(findings[-1])
            examine("copy_role", lambda: copy_role(load), COPY_ROLE)
            if current:
                examine("lock", lambda: lock(load), LOCK)
                for dataset in datasets().values():
                    check = lambda known=dataset: copy_reads(load, known)  # noqa: E731
                    examine(f"copy_{dataset.name}", check, COPY_READS)
                for group in groups(load):
                    examine(
                        f"statements: {group.name}",
                        lambda of=group: plan_statements(load, of),  # type: ignore[misc]
                        STATEMENT,
                    )
                accept_fallbacks(findings)
    examine("bucket_region", bucket_region, REGION)
    examine("bucket_events", lambda: bucket_events(load), EVENTS)
    examine("loads_by_itself", loads_by_itself, "")
    bad = [finding["name"] for finding in findings if not finding["passed"]]
    if bad:
        cause = f"The setup needs fixing: {', '.join(bad)}."
        return {**load, "outcome": "failed", "cause": cause, "setup": findings}
    return {**load, "outcome": "checked", "setup": findings}


def run(load: Load, name: str, sequence: Sequence[str], limit: int = LIMIT) -> str:
    token = client_token(load["load_id"], f"check-{name}", "", 0)
    return api.run(sequence, token=token, name=f"{load['load_id']} check {name}", limit=limit).id


def rows(load: Load, name: str, sequence: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of the last of these statements."""
    return api.rows(f"{run(load, name, sequence)}:{len(sequence)}")


def warehouse(load: Load) -> str:
    user, database = next(rows(load, "warehouse", ["SELECT current_user, current_database()"]))
    return f"user {user}, database {database}"


def collation(load: Load) -> str:
    """docs.aws.amazon.com/redshift/latest/dg/r_DB_COLLATION.html"""
    (found,) = next(rows(load, "collation", sql.render("admin/collation.sql", {})))
    if str(found).lower() != "case_sensitive":
        raise StatementFailed(f"The database {settings().database} has the collation {found}.")
    return str(found)


def rights(load: Load) -> str:
    """Creates and drops a table in each schema; also creates the schemas if they do not exist and that is allowed."""
    ensure_schemas(api, load["load_id"], "check")
    names = {
        **settings().template_names,
        "stage_table": f"check_{load['load_id']}".replace("-", "_"),
    }
    run(load, "rights", sql.render("admin/rights.sql", names))
    return f"may create tables in the schemas {settings().schema} and {settings().loader_schema}"


def tables(load: Load) -> str:
    """The version of the tables. Creates them if there are none, and checks that each one exists."""
    names = settings().template_names
    created = ""
    try:
        (number,) = next(rows(load, "version", sql.render("migrations/version.sql", names)))
    except StatementFailed as error:
        if not is_missing(str(error)):
            raise
        number = None
    version = int(number or 0)
    if version > latest_version():
        raise StatementFailed(
            f"The tables have version {version}, but this loader supports {latest_version()}."
        )
    if version == 0:
        migrate_from_nothing(load)
        version, created = latest_version(), ", created now"
    if version < latest_version():
        return f"version {version}, {LATER}"
    todo = pending(load, "check")
    if refused := [said for of in todo.values() for said in of.refused]:
        raise StatementFailed(sentence(refused))
    if changed := [name for name, of in todo.items() if not of.new]:
        told = [said for of in todo.values() for said in of.told]
        return f"version {version}, of another contract: {', '.join(told or changed)}; {LATER}"
    if todo:
        bring_to_contracts(load, "check", only_new=True)
        created = f", created now: the tables of {', '.join(todo)}"
    missing = expected_tables() - existing_tables(load, "tables")
    if missing & makeable_tables():
        create_loader_tables(load, "check")
        made = create_missing(load, "check")  # or says which rows are lost
        missing = expected_tables() - existing_tables(load, "tables-again")
        created = created or f", created now: {', '.join(made)}"
    if missing:
        raise StatementFailed(f"Missing: {', '.join(sorted(missing))}.")
    return f"version {version}{created}"


def existing_tables(load: Load, name: str) -> set[str]:
    """The tables of both schemas, with their schemas."""
    found = rows(load, name, sql.render("migrations/tables.sql", settings().template_names))
    return {f"{schema}.{table}" for schema, table in found}


def is_current(finding: dict[str, Any]) -> bool:
    found: str = finding["found"]
    return bool(re.match(rf"version {latest_version()}\b", found)) and not found.endswith(LATER)


def expected_tables() -> set[str]:
    """The tables that must exist, with their schemas."""
    return set(statements.created(statements.create_all(settings().template_names)))


def makeable_tables() -> set[str]:
    """Those that any load creates if they are missing: all but the ledger's."""
    names = settings().template_names
    return expected_tables() - set(statements.created(rendered_file(LEDGER, names)))


def copy_role(load: Load) -> str:
    """COPY reads an object of the work bucket into a temporary table."""
    names = {
        **settings().template_names,
        "probe": store.put_lines(keys.probe(load["load_id"]), [{"seq": 1}]),
    }
    names["plan_table"] = f"check_{load['load_id']}".replace("-", "_")
    run(load, "copy-role", sql.render("admin/probe.sql", names))
    return f"COPY reads the work bucket with the role {settings().copy_role}"


def lock(load: Load) -> str:
    """Takes the lock as every publish does, and releases it."""
    names = {**settings().template_names, "load_id": load["load_id"]}
    sequence = sql.render("admin/lock.sql", names)
    try:
        ended = run(load, "lock", sequence, limit=LOCK_LIMIT)
    except TimeoutError:
        return f"held by another transaction for {LOCK_LIMIT} seconds, as while a load publishes: not tried"
    (held,) = next(api.rows(f"{ended}:{len(sequence)}"))
    if held != 1:
        raise StatementFailed(
            f"{settings().loader_schema}.publish_lock has {held} rows; it must have 1."
        )
    return "may be taken"


def copy_reads(load: Load, dataset: Dataset) -> str:
    """Runs COPY … NOLOAD of the dataset's first file into its staging parent; nothing is loaded.

    Without a file it reads an empty JSON object in the work bucket; a dataset of another format is then not tried.
    """
    if dataset.layout.format == "parquet":
        return "COPY has no NOLOAD for Parquet: not tried"
    file = first_file(dataset)
    if file is None and not re.search(r"\bJSON\b", sql.without_comments(copy_file(dataset))):
        return f"no file under {dataset.prefix} yet: not tried"
    probe = store.put_lines(keys.check_document(load["load_id"], "empty.json"), [{}])
    names = copying.copy_names(
        store,
        dataset,
        dataset.stage_table,
        manifest=keys.manifest(load["load_id"], dataset.name),
        files=[(file.url, file.size) if file else (probe, 3)],
        options=copying.noload(compression(file.key) if file else ""),
    )
    if dataset.has_jsonpaths:
        names["jsonpaths"] = store.put_text(
            keys.check_jsonpaths(load["load_id"]), copying.jsonpaths_text(dataset)
        )
    run(load, f"copy-{dataset.name}", sql.render(copy_file(dataset), names))
    return f"COPY reads {file.url if file else probe + ' (no file of the dataset yet)'}"


def copy_file(dataset: Dataset) -> str:
    return f"datasets/{dataset.name}/copy.sql"


def first_file(dataset: Dataset) -> DataFile | None:
    """The smallest of the first files, so that COPY of it takes seconds."""
    files = store.list_files(settings().data_bucket, dataset.prefix)
    some = islice((file for file in files if dataset.takes(file.key) and file.size), SAMPLED)
    return min(some, key=lambda file: file.size, default=None)


def groups(load: Load) -> list[Group]:
    """Every batch of statements of a load. Writes the documents that their COPYs read."""

    def document(name: str) -> str:
        return keys.check_document(load["load_id"], name)

    file = {"bucket": settings().data_bucket, "key": "check", "etag": "check", "size": 1}
    row = {**file, "dataset": "check", "status": "loaded", "load_id": load["load_id"], "batch": "0"}
    store.put_lines(document("listing.json.gz"), [{"seq": 0, **file}])
    store.put_lines(document("ledger.json"), [row])
    seen = {"dataset": "check", "load_id": load["load_id"]}
    store.put_lines(
        document("key_sightings.json"), [{**seen, "path": "check", "key": "check", "suggested": ""}]
    )
    figures = {"column_name": "check", "rows_staged": 1, "filled": 1, "told": 0}
    store.put_lines(document("column_figures.json"), [{**seen, **figures}])
    store.put_lines(document("values_of_key.json"), [{}])
    rejected = {name: row[name] for name in row if name not in ("size", "status")}
    store.put_lines(document("rejected_rows.json"), [{**rejected, "reason": "check"}])
    return rendered.groups({**load, "mode": "load"}, store.uri)


def plan_statements(load: Load, group: Group) -> str:
    """Lets Redshift plan each statement of the batch. Raises StatementFailed with file and error of refused ones."""
    refused: list[str] = []
    count = 0
    for number, steps in enumerate(explain.batches(group, settings().loader_schema)):
        name = f"plan-{group.name}-{number}".replace(" ", "-")
        found = attempted(load, name, steps)
        if found and all(map(may_pass, found)):  # an interruption, or a conflict of a DROP
            found = attempted(load, f"{name}-again", steps)
        refused += found
        count += len({id(each.of) for each in steps if each.of})
    if refused:
        more = f" (and {len(refused) - SHOWN} more)" if len(refused) > SHOWN else ""
        raise StatementFailed("; ".join(refused[:SHOWN]) + more)
    return f"{count} statements planned"


def attempted(load: Load, name: str, steps: Sequence[explain.Step]) -> list[str]:
    """The statements of a batch that Redshift refuses. Checks each one, however the batch ended."""
    try:
        ended = api.ended(
            [each.text for each in steps],
            token=client_token(load["load_id"], name, "", 0),
            name=f"{load['load_id']} {name}",
            autocommit=True,
            limit=LIMIT,
        )
    except TimeoutError:
        # It is cancelled, so its own DROP has not run. If this one fails too, the sweep drops the tables a day later.
        with suppress(*EXPECTED):
            for each in filter(explain.is_teardown, steps):
                run(load, f"{name}-drop", [each.text], limit=DROP_LIMIT)
        raise
    return refusals(api.describe(ended.id), steps)


def accept_fallbacks(findings: list[dict[str, Any]]) -> None:
    """Accepts that the transaction may not read COPY's report: loads then read it afterwards."""
    by_name = {finding["name"]: finding for finding in findings}
    for dataset in datasets():
        with_it = by_name[f"statements: stage {dataset}"]
        without = by_name[f"statements: stage unreported {dataset}"]
        if not with_it["passed"] and without["passed"]:
            with_it["passed"] = True
            with_it["found"] = (
                f"Loads use another statement, because Redshift refuses this one: {with_it['found']}"
            )
            del with_it["fix"]


def refusals(ended: Statement, steps: Sequence[explain.Step]) -> list[str]:
    """The file and Redshift's message for each statement that failed."""
    failed = [
        f"{f'sql/{each.of.file}' if each.of else each.text[:80]}: {part.error}"
        for part, each in zip(ended.parts, steps, strict=False)
        if part.status in ("FAILED", "ABORTED") and part.error
    ]
    return failed or ([] if ended.finished else [failure(ended)])


def bucket_region() -> str:
    """Redshift reads files and manifests in one region: redshift/latest/dg/copy-parameters-data-source-s3.html."""
    region, here = store.bucket_region(settings().data_bucket), settings().region
    if region != here:
        raise StatementFailed(
            f"The data bucket is in {region}, the stack in {here}: COPY reads the files and the loader's manifests in "
            "one region only."
        )
    return region


def bucket_events(load: Load) -> str:
    """Whether another account's bucket sends its events cannot be checked from here, and does not fail the check."""
    bucket = settings().data_bucket
    if not store.is_owned_by(bucket, account=load["execution"].split(":")[4]):
        return (
            "not looked at, the bucket is another account's: its events come if its owner has deployed "
            "docs/other-account/bucket-owner.yaml (parameter DataBucketAccountId); the sweep loads the rest"
        )
    if not store.sends_events(bucket):
        raise StatementFailed(f"The bucket {bucket} does not send its events to EventBridge.")
    return "the bucket sends its events to EventBridge"


def loads_by_itself() -> str:
    """Whether uploads and the sweep start loads. A stack for an existing bucket starts paused, which is intended."""
    if not settings().paused:
        return "uploads and the sweep start loads"
    return (
        "The stack is paused: uploads wait, and nothing loads by itself. When all else here has passed, start {} to "
        "load what is in the bucket, or deploy with Paused=false (sam deploy --guided, or samconfig.toml): the sweep "
        "then loads all that is in it."
    )
