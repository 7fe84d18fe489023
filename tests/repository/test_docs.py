"""The pages of docs/ say what the tree says: tables, states, alarms, and nothing that is not there."""

import ast
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from loader import sql, statements
from loader.page.model import Page

from fakeshift import LocalRedshift, Settings
from local.__main__ import COMMANDS
from local.client import ledger, rights
from local.commands import rejected, report, where
from local.datasets import Dataset
from local.show.state import State
from tests.world.client import Client
from tests.world.recordings import recorded
from tools import state_picture

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
Columns = dict[str, str]
SCHEMAS = {"schema": "sparkify", "loader_schema": "sparkify_loader"}

_CREATE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?\w+\.(\w+) \((.*?)\n\)", re.S)
_VIEW = re.compile(r"CREATE (?:OR REPLACE )?VIEW \w+\.(\w+) AS\s+SELECT(.*?)\sFROM\b", re.S)
_ADD = re.compile(r"ALTER TABLE \w+\.(\w+)\s+ADD COLUMN (\w+) ([^;]+)")


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "data-model.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> dict[str, Columns]:
    """Table -> column -> type, as a new warehouse gets them; a view's columns have the types of ''."""
    tables: dict[str, Columns] = {}
    for statement in statements.create_all(SCHEMAS):
        if found := _CREATE.match(statement):
            columns = re.split(r",\n", found[2].strip())
            tables[found[1]] = dict(_column(line.strip()) for line in columns)
        elif found := _VIEW.match(statement):
            tables[found[1]] = {name.strip(): "" for name in found[2].split(",")}
        elif found := _ADD.match(statement):
            tables[found[1]].update([_column(f"{found[2]} {found[3]}")])
    return tables


def _column(line: str) -> tuple[str, str]:
    name, _, rest = line.partition(" ")
    kind = re.split(r" (?:NOT NULL|DEFAULT|IDENTITY)", rest)[0]
    return name, kind + (", not null" if "NOT NULL" in rest else "")


def described(page: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Each table of the page with the cells of its rows."""
    for section in re.split(r"^### ", page, flags=re.M)[1:]:
        name = section.split("\n", 1)[0].strip("`")
        cells = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in re.split(r"^#", section.split("\n", 1)[1], flags=re.M)[0].splitlines()
            if line.startswith("| `")
        ]
        yield name, cells


def test_the_data_model_has_every_table_and_column_and_no_other(
    page: str, made: dict[str, Columns]
) -> None:
    shown = {name: {row[0].strip("`"): row[1] for row in rows} for name, rows in described(page)}
    assert len(made) > 15
    assert list(shown) == list(dict.fromkeys(shown))
    assert {name: list(columns) for name, columns in shown.items()} == {
        name: list(made[name]) for name in shown
    }, "columns, in the order of the migrations"
    assert set(shown) == set(made)
    for name, columns in made.items():
        if any(columns.values()):
            assert shown[name] == columns, name


def test_a_view_has_the_types_of_its_table(page: str, made: dict[str, Columns]) -> None:
    rows = dict(described(page))["file_status"]
    assert {row[0].strip("`"): row[1] for row in rows} == {
        name: made["files"][name].removesuffix(", not null") for name in made["file_status"]
    }


def test_the_data_model_says_what_each_column_means(page: str) -> None:
    for name, rows in described(page):
        assert all(len(row) == 4 and row[2] for row in rows), name


def test_the_sources_of_events_are_the_jsonpaths(page: str) -> None:
    copy = sql.read("datasets/log_data/copy.sql")
    columns = re.findall(r"\w+", copy.split("(", 1)[1].split(")", 1)[0])
    paths = json.loads(sql.read("datasets/log_data/jsonpaths.json"))["jsonpaths"]
    keys = [re.fullmatch(r"\$\['(\w+)'\]", path)[1] for path in paths]  # type: ignore[index]
    rows = dict(described(page))["event_stage"]
    assert {row[0].strip("`"): row[3].strip("`") for row in rows} == dict(
        zip(columns, keys, strict=True)
    )


def test_the_sources_of_songs_are_their_columns(page: str) -> None:
    assert all(row[0] == row[3] for row in dict(described(page))["song_stage"])


def test_the_picture_of_the_data_model_has_only_what_is_there(
    page: str, made: dict[str, Columns]
) -> None:
    (picture,) = re.findall(r"```mermaid\nerDiagram\n(.*?)```", page, re.S)
    entities = re.findall(r"^    (\w+) \{\n(.*?)^    \}", picture, re.M | re.S)
    published = "".join(path.read_text() for path in sql.ROOT.glob("datasets/*/published.sql"))
    reported = re.findall(r"FROM \$\{schema\}\.(\w+)", published)
    assert sorted(name for name, _ in entities) == sorted(reported)
    for name, attributes in entities:
        for kind, column in re.findall(r"^ +(\w+) (\w+)", attributes, re.M):
            assert made[name][column].startswith(kind), f"{name}.{column}"


# ---------------------------------------------------------------- README, CONTRIBUTING
def test_the_readme_stays_short_and_links_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 180
    pages = {f"docs/{path.name}" for path in DOCS.glob("*.md")}
    assert pages <= set(re.findall(r"\]\(([^)#]+)", text))


def test_contributing_has_every_folder() -> None:
    """Those at the top of the tree, and those of the tests."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git repository")
    paths = [path.split("/") for path in listed.stdout.splitlines() if not path.startswith(".")]
    top = {parts[0] for parts in paths if len(parts) > 1}
    of_tests = {parts[1] for parts in paths if parts[0] == "tests" and len(parts) > 2}
    assert set(re.findall(r"^\| \[(\w+)/\]", text, re.M)) == top
    assert set(re.findall(r"^\| `tests/(\w+)`", text, re.M)) == of_tests


# ---------------------------------------------------------------- architecture
def test_the_pictures_of_the_state_machine_are_those_of_its_definition() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    definition = json.loads(state_picture.DEFINITION.read_text(encoding="utf-8"))
    shown = re.findall(r"```mermaid\n(stateDiagram.*?)\n```", text, re.S)
    assert shown == state_picture.pictures(definition), "python -m tools.state_picture"


def test_a_picture_has_every_state_and_every_way_out() -> None:
    definition = {
        "StartAt": "First?",
        "States": {
            "First?": {
                "Type": "Choice",
                "Choices": [
                    {"Condition": "{% $states.input.outcome in ['a', 'b c'] %}", "Next": "Work"},
                    {"Condition": "{% $load.rest != '' %}", "Next": "Bad"},
                ],
                "Default": "Bad",
            },
            "Work": {"Type": "Task", "Catch": [{"Next": "Bad"}], "End": True},
            "Bad": {"Type": "Fail"},
        },
    }
    (shown,) = state_picture.pictures(definition)
    assert shown.splitlines()[4:] == [
        "    [*] --> First",
        "    First --> Work : a, b c",
        "    First --> Bad : files are left over, else",
        "    Work --> [*]",
        "    Work --> Bad : error",
        "    Bad --> [*]",
    ]


def test_a_condition_without_words_is_no_picture() -> None:
    unknown = {"Type": "Choice", "Choices": [{"Condition": "{% $new > 1 %}", "Next": "A"}]}
    with pytest.raises(KeyError, match="new > 1"):
        state_picture.pictures({"StartAt": "A", "States": {"A": unknown}})


def test_the_architecture_names_every_function() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| \[(\w+)\]\(\.\./functions/\1\.py\)", text, re.M)
    assert sorted(shown) == sorted(path.stem for path in (ROOT / "functions").glob("*.py"))


def test_the_architecture_names_every_life_cycle_of_the_work_bucket() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    keys = re.findall(r"^\| `([a-z]+/[^`]*)`", text, re.M)
    rules = template()["Resources"]["WorkBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    for prefix in (rule["Prefix"] for rule in rules if "Prefix" in rule):
        assert any(key.startswith(prefix) for key in keys), prefix


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms: !Ref X is {'Ref': 'X'}."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {suffix: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {suffix: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def template() -> dict[str, Any]:
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader


# ---------------------------------------------------------------- operations
@pytest.fixture(scope="module")
def runbook() -> str:
    return (DOCS / "operations.md").read_text(encoding="utf-8")


def test_every_alarm_has_its_page_and_every_page_its_alarm(runbook: str) -> None:
    resources = template()["Resources"]
    alarms = {name for name, r in resources.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms
    assert set(re.findall(r"^## (\w+Alarm)$", runbook, re.M)) == alarms
    for name in alarms:
        description = resources[name]["Properties"]["AlarmDescription"]
        text = description["Sub"] if isinstance(description, dict) else description
        assert f"docs/operations.md, {name}" in text


def test_each_page_says_what_where_and_what_to_do(runbook: str) -> None:
    pages = re.findall(r"^## \w+Alarm\n(.*?)(?=^## )", runbook, re.M | re.S)
    assert pages
    for text in pages:
        for part in ("What it means", "Where to look", "What to do", "When it ends"):
            assert f"**{part}.**" in text


def test_queries_of_the_logs_ask_for_messages_that_the_functions_write(runbook: str) -> None:
    code = "\n".join(p.read_text(encoding="utf-8") for p in (ROOT / "functions").rglob("*.py"))
    written = set(re.findall(r"logger\.\w+\(\s*\"([^\"]+)\"", code))
    queries = [q for q in re.findall(r"```text\n(.*?)```", runbook, re.S) if "filter" in q]
    asked = {
        text
        for query in queries
        for one, many in re.findall(r'message (?:= ("[^"]+")|in \[([^\]]+)\])', query)
        for text in re.findall(r'"([^"]+)"', one or many)
    }
    assert len(queries) >= 8
    assert len(asked) >= 8
    assert asked <= written


def texts_of_the_functions() -> set[str]:
    """Every text in functions/, an f-string as its fixed parts."""
    trees = (ast.parse(p.read_text(encoding="utf-8")) for p in (ROOT / "functions").rglob("*.py"))
    constants = (
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)
    )
    return {node.value for node in constants if isinstance(node.value, str)}


def test_the_causes_of_the_runbook_are_those_of_the_functions(runbook: str) -> None:
    table = runbook.split("| the cause says |")[1].split("\n\n")[0]
    causes = [
        text
        for row in table.splitlines()[2:]
        for text in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    assert len(causes) >= 10
    texts = texts_of_the_functions()
    for cause in causes:
        parts = re.split("\u2026|, |staged|published", cause)  # which rows is filled in
        for part in filter(None, map(str.strip, parts)):
            assert any(part in text for text in texts), f"no function says {part!r}"


def test_the_message_of_the_runbook_is_that_of_the_functions(runbook: str) -> None:
    (message,) = re.findall(r"```text\n(Subject: .*?)```", runbook, re.S)
    (to_do,) = re.findall(r"^What to do: .*$", message, re.M)
    assert to_do in texts_of_the_functions()


def test_the_sql_of_the_pages_runs(runbook: str, tmp_path: Path) -> None:
    pages = (ROOT / "README.md", DOCS / "executions.md", DOCS / "maintenance.md")
    text = runbook + "".join(page.read_text(encoding="utf-8") for page in pages)
    found = re.findall(r"```sql\n(.*?)```", text, re.S)
    blocks = [block for block in found if "${" not in block]
    queries = [query for block in blocks for query in re.split(r";\n", block) if query.strip()]
    assert len(queries) >= 11
    assert any(query.startswith("VACUUM") for query in queries)
    with LocalRedshift(Settings(data=tmp_path / "redshift", port=0)) as server:
        warehouse = Client(server.url)
        create = [f"CREATE SCHEMA {name}" for name in SCHEMAS.values()]
        made = warehouse.batch(*create, *statements.create_all(SCHEMAS))
        assert made["Status"] == "FINISHED", made
        for query in queries:
            warehouse.rows(query)


# ---------------------------------------------------------------- security
def actions_of(statements: Any) -> Iterator[str]:
    """The actions of a policy's statements, those under conditions too."""
    if isinstance(statements, list):
        for statement in statements:
            yield from actions_of(statement)
    elif isinstance(statements, dict):
        actions = statements.get("Action", [])
        yield from [actions] if isinstance(actions, str) else actions
        yield from actions_of(statements.get("If", []))


def policies_of(resource: dict[str, Any]) -> list[Any]:
    properties = resource["Properties"]
    if resource["Type"] == "AWS::IAM::ManagedPolicy":
        return [properties["PolicyDocument"]]
    return [policy["PolicyDocument"] for policy in properties.get("Policies", [])]


def test_security_has_every_role_with_its_actions_and_no_other() -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    sections = {
        section.split("\n", 1)[0]: re.split(r"^#", section.split("\n", 1)[1], flags=re.M)[0]
        for section in re.split(r"^### ", text, flags=re.M)[1:]
    }
    granted = {
        name: {a for policy in policies_of(resource) for a in actions_of(policy["Statement"])}
        for name, resource in template()["Resources"].items()
        if resource["Type"] in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy")
    }
    assert len(granted) > 5
    shown = {
        name: set(re.findall(r"`([a-z][a-z0-9-]*:[A-Z]\w+)`", section))
        for name, section in sections.items()
    }
    assert shown == granted


def test_security_says_why_where_a_resource_is_everything() -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.search(r"\| `\*` \|", line)]
    assert len(rows) >= 4
    assert all("no resource" in row or "has none" in row for row in rows)


# ---------------------------------------------------------------- costs
def test_what_is_computed_in_costs_is_right() -> None:
    text = (DOCS / "costs.md").read_text(encoding="utf-8")
    sums = re.findall(r"`([\d .\u00d7\u00f7+()]+) = ([\d.]+)`", text)
    assert len(sums) > 30
    for expression, shown in sums:
        tokens = expression.replace("\u00d7", "*").replace("\u00f7", "/")
        assert re.fullmatch(r"[\d .*/+()]+", tokens)
        exact = eval(tokens)  # noqa: S307 - digits and operators only
        digits = len(shown.partition(".")[2])
        assert abs(exact - float(shown)) <= 0.51 * 10**-digits, f"{expression} is {exact}"


def test_costs_count_the_s3_requests_of_the_recorded_load() -> None:
    text = (DOCS / "costs.md").read_text(encoding="utf-8")
    recording = recorded()["late"]
    own = Counter(call.place.operation for call in recording.calls)
    copies = Counter(action for action, _ in recording.copies)
    puts, lists, gets = (own[f"s3.{name}"] for name in ("PutObject", "ListObjectsV2", "GetObject"))
    of_copy = copies["s3:GetObject"]
    assert copies["s3:ListBucket"] == 1
    assert f"| {puts + lists + 1} ({puts} PUT, {lists} LIST, COPY's LIST) |" in text
    assert f"| {gets + of_copy} ({gets} by functions, {of_copy} by COPY) |" in text


def test_the_runbook_counts_the_alarm_metrics_of_the_template(runbook: str) -> None:
    (shown,) = re.findall(r"alarms have (\d+) alarm metrics", runbook)
    alarms = [r for r in template()["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = [
        sum("MetricStat" in metric for metric in alarm["Properties"].get("Metrics", [])) or 1
        for alarm in alarms
    ]
    assert int(shown) == sum(metrics)


def test_costs_take_the_limits_of_the_template() -> None:
    text = (DOCS / "costs.md").read_text(encoding="utf-8")
    defaults = {name: p.get("Default") for name, p in template()["Parameters"].items()}
    assert (
        f"`BatchFiles` {defaults['BatchFiles']:,} and `MaxBatches` {defaults['MaxBatches']}" in text
    )
    assert f"RPU-hours a month, {defaults['UsageLimitHours']} by default" in text
    assert f"`WaitSeconds` = {defaults['WaitSeconds']}" in text
    assert f"`BatchSize` {defaults['BatchSize']:,}" in text


# ---------------------------------------------------------------- commands
def test_the_page_of_the_commands_has_each_and_says_which_have_a_stack() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    listed: dict[str, bool] = {}
    for names, goes in re.findall(
        r"^\| ((?:`loader [^|]+`(?:, )?)+) \|.*\| (yes|no) \|$", page, re.M
    ):
        listed |= dict.fromkeys(re.findall(r"`loader ([\w-]+)", names), goes == "yes")
    assert listed == {name: not hasattr(module, "ONLY_HERE") for name, module in COMMANDS.items()}


def test_the_page_of_the_commands_has_the_rights_of_each() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    section = page[page.index("## The rights it needs") :]
    listed: dict[str, set[str]] = {name: set() for name in rights.NEEDS}
    for names, actions in re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", section, re.M):
        which = listed if "all with" in names else re.findall(r"`(\w+)`", names)
        for name in which:
            if name in listed:
                listed[name] |= set(re.findall(r"`([\w-]+:\w+)`", actions))
    optional = {"states:GetExecutionHistory", "cloudwatch:GetMetricData", *rights.LOG_IN}
    for name, needs in rights.NEEDS.items():
        assert listed[name] - optional >= set(needs.values()), name
        assert listed[name] - optional - set(needs.values()) <= {"states:DescribeExecution"}, name


def test_the_json_of_the_page_is_that_of_the_commands() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    status, report_, where_, rejected_ = map(
        json.loads, re.findall(r"```json\n(.*?)```", page, re.S)
    )
    assert shape(report.as_json(Page([], None, datetime.now(UTC)), "u")) == shape(report_)
    record = ledger.Record("loaded", "l", "t")
    file = ledger.File("k", [ledger.Version("e", 1, "d", [record])], ledger.Object("e", 1, "t"))
    assert shape(where.as_json(ledger.Found([file]), "b")) == shape(where_)
    bad = ledger.Bad("d", "rejected", "k", "e", "r", 1, "c", 1, "l", "t")
    left = ledger.LeftOut([bad], 1)
    made = rejected.as_json(left, rejected.input_of(left, rows=False))
    assert shape(made) == shape(rejected_)
    state = State(Dataset("d", "d/", (".json",)), newest="k", newest_at="2026-11-30 19:40")
    assert shape(state.as_json()) == shape(status["datasets"][0])


def shape(value: Any) -> Any:
    """The names of a document's fields, at every depth."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else None
