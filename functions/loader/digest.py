"""What people are told of a load: one message for a load that failed or rejected files, none for any other."""

from typing import Any

MAX_SUBJECT = 100  # characters, ASCII: docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_TEXT = 20_000  # characters; SNS takes 256 KiB
MEND = (
    "What to do: upload a mended file under the same key, and it loads by itself. To try one again as it is: "
    'start the state machine with {"keys": ["its key"]}.'
)
CONSOLE = "https://{region}.{host}/states/home?region={region}#/v2/executions/details/{arn}"
# The console of each partition; template.yaml has them for the stack's outputs. The first is of every other partition.
# Sources: docs.aws.amazon.com/govcloud-us/latest/UserGuide/signing-into-govcloud.html, docs.aws.eu/general/latest/gr/
# endpoints.html, github.com/ilhan-mstf/colorize_cloudwatch_logs/issues/21 (China)
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}


def digest(
    report: dict[str, Any], *, stack: str, schema: str, execution: str, region: str
) -> tuple[str, str] | None:
    """Subject and text for a report (functions/finish.py); None if there is nothing to tell."""
    failed, rejected = report["status"] == "failed", report["rejected_total"]
    if not failed and not rejected:
        return None
    files = report["files"]
    if failed:
        subject = f"[{stack}] load {report['load_id']} failed"
        parts = [
            f"A load of {stack} failed.",
            f"Why: {report['cause']}",
            _loaded(files)
            + " Nothing is lost: what is not loaded, the sweep tries again each time it runs.",
            "What to do: docs/operations.md, LoadFailedAlarm.",
        ]
    else:
        subject = f"[{stack}] {_count(rejected)} rejected"
        parts = [
            f"A load of {stack} ended well, but {_count(rejected)} could not be loaded.",
            _loaded(files),
            MEND,
        ]
    if rejected:
        parts.append("Rejected:\n" + "\n".join(_line(reject) for reject in report["rejected"]))
        if rejected > len(report["rejected"]):
            more = rejected - len(report["rejected"])
            parts.append(f"and {more} more: {schema}.file_status has them, under this load's id.")
    parts.append(f"Load {report['load_id']}: {_link(execution, region)}")
    return subject.encode("ascii", "replace").decode()[:MAX_SUBJECT], "\n\n".join(parts)[:MAX_TEXT]


def _link(execution: str, region: str) -> str:
    """The execution in the console of its partition."""
    host = CONSOLES.get(execution.split(":")[1], CONSOLES["aws"])
    return CONSOLE.format(region=region, host=host, arn=execution)


def _count(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"


def _loaded(files: dict[str, int]) -> str:
    others = f", {_count(files['failed'])} not loaded" if files["failed"] else ""
    return f"{_count(files['loaded'])} loaded, {_count(files['rejected'])} rejected{others}."


def _line(reject: dict[str, Any]) -> str:
    places = [
        f"{name} {reject[name]}" for name in ("line", "column") if reject.get(name) is not None
    ]
    return f"- {reject['key']}{', ' if places else ''}{', '.join(places)}: {reject['reason']}"
