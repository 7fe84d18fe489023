"""The pages of operations say what the tree says: maintenance.md, quotas.md, terraform.md with its file."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import publish
import pytest
import stage
from loader import dataapi, sql, statements, steps

from contracts.types import LONGEST_VARCHAR
from tests.repository.rendered import ROOT, TEMPLATE
from tests.world.template import _document

DOCS = ROOT / "docs"
TERRAFORM = DOCS / "terraform" / "main.tf"
SCHEMAS = {"schema": "sparkify", "loader_schema": "sparkify_loader"}
_CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?sparkify\.(\w+) \(.*?\n\)([^;]*)", re.S)
_KEY = re.compile(r"(DISTKEY|SORTKEY) \(([\w, ]+)\)")
_CHANGED = re.compile(r"(?:DELETE FROM|UPDATE) \$\{schema\}\.(\w+)")


def text_of(name: str) -> str:
    """A page of docs/, on one line."""
    return " ".join((DOCS / name).read_text(encoding="utf-8").split())


def rows_of(name: str) -> list[list[str]]:
    """The cells of each row of the page's tables, without the lines under their headings."""
    lines = (DOCS / name).read_text(encoding="utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    return [row for row in cells if not set("".join(row)) <= set("-: ")]


def template() -> dict[str, Any]:
    return dict(_document(TEMPLATE))


def default_of(name: str) -> Any:
    return template()["Parameters"][name]["Default"]


def retry() -> int:
    """How often Step Functions calls a step again, whichever step."""
    found = re.findall(
        r'"States\.ALL"\], "IntervalSeconds": \d+, "MaxAttempts": (\d+)',
        (ROOT / "statemachine/load.asl.json").read_text(encoding="utf-8"),
    )
    (times,) = set(found)
    return int(times)


# ---------------------------------------------------------------- maintenance
def test_the_tables_to_vacuum_have_their_keys_and_none_that_changes_is_missing() -> None:
    made = {}
    for statement in statements.create_all(SCHEMAS):
        if found := _CREATE.match(statement):
            keys = dict(_KEY.findall(found[2]))
            made[found[1]] = (keys.get("DISTKEY", ""), keys.get("SORTKEY", ""))
    shown = {
        row[0].strip("`"): (row[1].replace("`", ""), row[2].replace("`", ""))
        for row in rows_of("maintenance.md")
        if len(row) == 5 and row[0] != "table"
    }
    changed = {
        table
        for path in sql.ROOT.glob("datasets/*/**/*.sql")
        for table in _CHANGED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(changed) > 6
    assert changed <= set(shown)
    assert shown == {name: made[name] for name in shown}


def test_maintenance_says_how_often_the_loader_tries_again() -> None:
    text = text_of("maintenance.md")
    assert stage.MAX_ATTEMPTS == publish.MAX_ATTEMPTS
    assert (
        f"up to {stage.MAX_ATTEMPTS} attempts with pauses of up to {steps.LONGEST_PAUSE} seconds"
        in text
    )
    assert f"up to {retry()} times in about two minutes" in text
    assert f"`StatementTimeoutSeconds` ({default_of('StatementTimeoutSeconds'):,})" in text
    assert f"after {default_of('OldestFileSeconds'):,} seconds" in text
    assert default_of("SweepSchedule") == "rate(1 hour)"
    assert "The sweep (every hour)" in text


def test_maintenance_has_the_limit_of_varchar_in_contracts() -> None:
    text = text_of("maintenance.md")
    assert f"[{LONGEST_VARCHAR:,} bytes]" in text
    assert set(re.findall(r"(65[\d,]+) bytes", text)) == {f"{LONGEST_VARCHAR:,}"}
    schema = (DOCS / "adding-a-dataset.md").read_text(encoding="utf-8")
    (way,) = re.findall(r"`(too_long: \w+)`", text)
    assert f"`{way}`" in schema
    assert "large_strings" not in TEMPLATE.read_text(encoding="utf-8")


# ---------------------------------------------------------------- quotas
def test_quotas_take_the_limits_of_the_template_and_the_code() -> None:
    text = text_of("quotas.md")
    resources = template()["Resources"]
    (at_once,) = re.findall(
        r'"MaxConcurrency": (\d+)',
        (ROOT / "statemachine/load.asl.json").read_text(encoding="utf-8"),
    )
    loads, triggers, size = map(
        default_of, ("MaxLoadsAtOnce", "MaxConcurrentTriggers", "BatchSize")
    )
    batches, timeout = (
        template()["Parameters"][n] for n in ("MaxBatches", "StatementTimeoutSeconds")
    )
    parts = {
        int(found[1].replace("_", ""))
        for path in (ROOT / "functions/loader").glob("*.py")
        if (found := re.search(r"^MAX_PARTS = ([\d_]+)", path.read_text(encoding="utf-8"), re.M))
    }
    said = [
        f"`{loads} \u00d7 {at_once} = {loads * int(at_once)}` batches",
        f"`MaxLoadsAtOnce` {loads} executions, with {at_once} batches each",
        f"up to {triggers} triggers (`MaxConcurrentTriggers`)",
        f"[{dataapi.MAX_STATEMENTS}](https://docs.aws.amazon.com/redshift-data/",
        f"[{dataapi.MAX_STATEMENT_BYTES // 1000} KB]",
        f"`StatementTimeoutSeconds` is {timeout['Default']:,}, at most {timeout['MaxValue']:,}",
        f"`MaxBatches` ({batches['Default']}, at most {batches['MaxValue']})",
        f"at most {parts.pop()} parts of batches",
        f"`BatchSize` is {size:,} events",
        f"`BatchFiles` ({default_of('BatchFiles'):,})",
        f"`{triggers} \u00d7 {size} = {triggers * size}`",
        f"a step up to {retry()} times",
        f"up to {resources['UploadQueue']['Properties']['RedrivePolicy']['maxReceiveCount']} times",
    ]
    for one in said:
        assert one in text, one
    longest = resources["PlanFunction"]["Properties"]["Timeout"]
    assert resources["SweepFunction"]["Properties"]["Timeout"] == longest
    assert f"`Timeout: {longest}`" in text
    kept = {
        resources[name]["Properties"]["MessageRetentionPeriod"]
        for name in ("UploadQueue", "DeadLetterQueue")
    }
    assert kept == {14 * 24 * 3600}
    assert "[14 days at most]" in text


def test_quotas_count_what_a_stack_has() -> None:
    kinds = [resource["Type"] for resource in template()["Resources"].values()]
    events = [
        event["Type"]
        for resource in template()["Resources"].values()
        for event in resource["Properties"].get("Events", {}).values()
    ]
    text = text_of("quotas.md")
    assert f"a stack has {kinds.count('AWS::Events::Rule')} on the default bus" in text
    assert f"a stack has {events.count('ScheduleV2')}, the sweep" in text
    assert kinds.count("AWS::S3::Bucket") == 2
    assert "a stack makes two" in text


def test_each_quota_has_its_page() -> None:
    rows = [row for row in rows_of("quotas.md") if row[0] != "quota"]
    assert len(rows) > 20
    assert all(len(row) == 5 for row in rows)
    for quota, default, *_ in rows:
        assert "](https://docs.aws.amazon.com/" in default, quota


# ---------------------------------------------------------------- Terraform
def test_the_terraform_file_sets_parameters_of_the_template() -> None:
    file = TERRAFORM.read_text(encoding="utf-8")
    (parameters,) = re.findall(r"parameters = merge\(\{(.*?)\}, var\.parameters\)", file, re.S)
    names = re.findall(r"^ +(\w+) += ", parameters, re.M)
    assert "WorkgroupName" in names
    assert set(names) <= set(template()["Parameters"])
    used = set(re.findall(r"var\.(\w+)", file))
    assert used == set(re.findall(r'^variable "(\w+)"', file, re.M))
    further = set(
        re.findall(
            r"(?:parameters=|for example |such as )\{ ?(\w+)", file + text_of("terraform.md")
        )
    )
    assert further
    assert further <= set(template()["Parameters"])
    for name in re.findall(r'outputs\["(\w+)"\]', text_of("terraform.md")):
        assert name in template()["Outputs"]


def test_the_terraform_file_gives_cloudformation_what_the_template_needs() -> None:
    """Capabilities: docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html; 51,200 bytes of a
    body: registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudformation_stack.
    """
    file = TERRAFORM.read_text(encoding="utf-8")
    named = [
        name
        for name, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::IAM::Role" and "RoleName" in resource["Properties"]
    ]
    (capabilities,) = re.findall(r"capabilities = (\[.*\])", file)
    assert named
    assert template()["Transform"].startswith("AWS::Serverless")
    assert json.loads(capabilities) == ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert TEMPLATE.stat().st_size > 51_200
    assert "template_url" in file
    assert not re.search(r"^ *template_body", file, re.M)


def test_the_terraform_file_is_as_terraform_formats_it(tmp_path: Path) -> None:
    """``terraform fmt`` parses it and needs neither a provider nor a network."""
    terraform = shutil.which("terraform")
    if terraform is None:
        pytest.skip("terraform is not installed")
    copy = shutil.copy(TERRAFORM, tmp_path)
    done = subprocess.run(
        [terraform, "fmt", "-check", "-diff", copy], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
