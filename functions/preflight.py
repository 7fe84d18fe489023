"""Check the set-up, for {"check": true}: can the warehouse be reached, may the loader and COPY do what they must,
do events flow.

In: the load. Out: outcome ``checked``, or ``failed`` if something must be mended; ``setup`` lists each finding and
its cure.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from loader import batches, sql
from loader.dataapi import DataApi, StatementFailed, client_token
from loader.datasets import Dataset, datasets
from loader.failures import is_missing
from loader.migrations import ensure_schema, latest_version
from loader.names import common, for_dataset, state_of
from loader.observability import step
from loader.settings import settings
from loader.store import DataFile, Store

api = DataApi(settings())
store = Store(settings().work_bucket)

EXPECTED = (StatementFailed, TimeoutError, ClientError, BotoCoreError)


@step
def handler(event: dict[str, Any]) -> dict[str, Any]:
    load = event["load"]
    findings: list[dict[str, Any]] = []

    def look(name: str, check: Callable[[], str], mend: str) -> bool:
        try:
            findings.append({"name": name, "passed": True, "found": check()})
        except EXPECTED as error:
            findings.append(
                {"name": name, "passed": False, "found": str(error)[:500], "mend": mend}
            )
        return bool(findings[-1]["passed"])

    if look("warehouse_reachable", lambda: warehouse(load), WAREHOUSE):
        look("rights_in_schema", lambda: rights(load), RIGHTS)
        look("tables", lambda: tables(load), TABLES)
        look("copy_role", lambda: copy_role(load), COPY_ROLE)
        look("copy_reads_data", lambda: copy_reads_data(load), COPY_READS)
    look("bucket_region", bucket_region, REGION)
    look("bucket_events", lambda: bucket_events(load), EVENTS)
    bad = [finding["name"] for finding in findings if not finding["passed"]]
    outcome = (
        {"outcome": "failed", "cause": f"The set-up needs mending: {', '.join(bad)}."}
        if bad
        else {"outcome": "checked"}
    )
    return {**load, **outcome, "setup": findings}


WAREHOUSE = (
    "Compare the stack's parameters (workgroup or cluster, database, database user or secret) with the warehouse, "
    "and see that it is available. The loader's role needs redshift-serverless:GetCredentials on the workgroup, or "
    "redshift:GetClusterCredentials on the cluster's user."
)
RIGHTS = "Run sql/admin/setup.sql as an administrator of the database: it makes the loader's user and its schema."
TABLES = "Deploy the newer loader: these tables were made by it."
COPY_ROLE = (
    "Attach the role of the stack's output CopyRoleArn to the namespace or cluster; it must be able to read the "
    "work bucket."
)
COPY_READS = (
    "The COPY role needs s3:GetObject and s3:ListBucket on the data bucket, and kms:Decrypt if the bucket is "
    "encrypted with a key."
)
REGION = (
    "Replicate the bucket into one in the stack's region (S3 replication) and name that one in DataBucketName, or "
    "deploy the stack in the bucket's region, beside a warehouse there."
)
EVENTS = (
    "Turn on EventBridge notifications for the bucket. Get its notification configuration, add "
    '"EventBridgeConfiguration": {} and put it back: the put replaces all that was there.'
)


def run(load: dict[str, Any], name: str, statements: list[str]) -> str:
    token = client_token(load["load_id"], f"check-{name}", "", 0)
    return api.run(statements, token=token, name=f"{load['load_id']} check {name}", limit=40).id


def warehouse(load: dict[str, Any]) -> str:
    user, database = next(
        api.rows(run(load, "warehouse", ["SELECT current_user, current_database()"]) + ":1")
    )
    return f"user {user}, database {database}"


def rights(load: dict[str, Any]) -> str:
    """Makes and drops a table, as each load does; the schema is made if it may be and is not there."""
    ensure_schema(api, load["load_id"], "check")
    names = {**common(settings()), "stage_table": f"check_{load['load_id']}".replace("-", "_")}
    run(load, "rights", sql.render("admin/rights.sql", names))
    return f"may make tables in the schema {settings().schema}"


def tables(load: dict[str, Any]) -> str:
    try:
        statement = run(load, "tables", sql.render("migrations/version.sql", common(settings())))
    except StatementFailed as error:
        if is_missing(str(error)):
            return "not made yet: the first load makes them"
        raise
    version = int(next(api.rows(f"{statement}:1"))[0] or 0)
    if version > latest_version():
        raise StatementFailed(
            f"The tables are of version {version}, this loader knows {latest_version()}."
        )
    return f"version {version}" + (
        "" if version == latest_version() else ", the next load upgrades them"
    )


def copy_role(load: dict[str, Any]) -> str:
    """COPY reads an object of the work bucket into a temporary table."""
    names = {
        **common(settings()),
        "probe": store.put_lines(f"{state_of(load)}/probe.json", [{"seq": 1}]),
    }
    names["plan_table"] = f"check_{load['load_id']}".replace("-", "_")
    run(load, "copy-role", sql.render("admin/probe.sql", names))
    return f"COPY reads the work bucket with the role {settings().copy_role}"


def copy_reads_data(load: dict[str, Any]) -> str:
    """COPY … NOLOAD of the first file of the data bucket into a temporary copy of the staging parent."""
    dataset, file = first_file()
    if dataset is None or file is None:
        return "no file in the data bucket yet"
    try:
        names = for_dataset(settings(), store, dataset, dataset.stage_table)
        if dataset.has_jsonpaths:
            names["jsonpaths"] = store.put_text(
                f"{state_of(load)}/jsonpaths.json",
                sql.read(f"datasets/{dataset.name}/jsonpaths.json"),
            )
        names["manifest"] = store.put(
            f"{state_of(load)}/manifests/check.json", batches.manifest([file])
        )
        compression = batches.Batch("check", dataset.name, (file,)).compression
        names["copy_options"] = f"{compression} NOLOAD MAXERROR 100000"
        run(load, "copy-data", sql.render(f"datasets/{dataset.name}/copy.sql", names))
    except StatementFailed as error:
        if is_missing(str(error)):
            return "not tried: the first load makes the tables"
        raise
    return f"COPY reads {file.url}"


def first_file() -> tuple[Dataset, DataFile] | tuple[None, None]:
    for dataset in datasets().values():
        for file in store.list_files(settings().data_bucket, dataset.prefix):
            if dataset.takes(file.key) and file.size:
                return dataset, file
    return None, None


def bucket_region() -> str:
    """Redshift reads files and manifests in one region: redshift/latest/dg/copy-parameters-data-source-s3.html."""
    region, here = store.bucket_region(settings().data_bucket), settings().region
    if region != here:
        raise StatementFailed(
            f"The data bucket is in {region}, the stack in {here}: COPY reads the files and the loader's manifests in "
            "one region only."
        )
    return region


def bucket_events(load: dict[str, Any]) -> str:
    """Whether another account's bucket sends its events here cannot be seen from here, and is no fault."""
    bucket = settings().data_bucket
    if not store.is_owned_by(bucket, account=load["execution"].split(":")[4]):
        return (
            "not looked at, the bucket is another account's: its events come if its owner has deployed "
            "docs/other-account/bucket-owner.yaml (parameter DataBucketAccountId); the sweep loads the rest"
        )
    if not store.sends_events(bucket):
        raise StatementFailed(f"The bucket {bucket} does not send its events to EventBridge.")
    return "the bucket sends its events to EventBridge"
