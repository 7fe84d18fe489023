"""What people are told of a load: one message for a load that failed, or did not load files, none for any other."""

from typing import Any

MAX_SUBJECT = 100  # characters, ASCII: docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_TEXT = 20_000  # characters; SNS takes 256 KiB
MEND = (
    "What to do: upload a mended file under the same key, and it loads by itself. To try one again as it is: "
    'start the state machine with {"keys": ["its key"]}.'
)
READ = (
    "What to do: let the role of COPY read them (bucket policy, the policy of the KMS key). Every sweep tries them "
    "again; nothing else is to be done."
)
OF_KIND = {"rejected": "Rejected", "unreadable": "May not be read", "waiting": "Waiting"}
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
    failed, files = report["status"] == "failed", report["files"]
    rejected = report["rejected_total"]
    unreadable, waiting = files.get("unreadable", 0), files.get("waiting", 0)
    if not failed and not rejected and not unreadable and not waiting:
        return None
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
        told = ", ".join(
            f"{_count(number)} {kind}"
            for number, kind in ((rejected, "rejected"), (unreadable, "unreadable"))
            if number
        )
        subject = f"[{stack}] {told}"
        parts = [
            f"A load of {stack} ended well, but {_count(rejected + unreadable)} could not be loaded.",
            _loaded(files),
            *([MEND] if rejected else []),
            *([READ] if unreadable else []),
        ]
    for kind, number in zip(OF_KIND, (rejected, unreadable, waiting), strict=True):
        if number:
            shown = report.get(kind, ())
            parts.append(f"{OF_KIND[kind]}:\n" + "\n".join(_line(reject) for reject in shown))
            if number > len(shown):
                more = number - len(shown)
                parts.append(
                    f"and {more} more: {schema}.file_status has them, under this load's id."
                )
    parts.append(f"Load {report['load_id']}: {_link(execution, region)}")
    return subject.encode("ascii", "replace").decode()[:MAX_SUBJECT], "\n\n".join(parts)[:MAX_TEXT]


def _link(execution: str, region: str) -> str:
    """The execution in the console of its partition."""
    host = CONSOLES.get(execution.split(":")[1], CONSOLES["aws"])
    return CONSOLE.format(region=region, host=host, arn=execution)


def _count(files: int) -> str:
    return f"{files} file" if files == 1 else f"{files} files"


def _loaded(files: dict[str, int]) -> str:
    kinds = {"unreadable": "unreadable", "waiting": "waiting", "failed": "not loaded"}
    others = "".join(
        f", {_count(files[kind])} {what}" for kind, what in kinds.items() if files.get(kind)
    )
    return f"{_count(files['loaded'])} loaded, {_count(files['rejected'])} rejected{others}."


def _line(reject: dict[str, Any]) -> str:
    places = [
        f"{name} {reject[name]}" for name in ("line", "column") if reject.get(name) is not None
    ]
    return f"- {reject['key']}{', ' if places else ''}{', '.join(places)}: {reject['reason']}"
