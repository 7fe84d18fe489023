"""What people are told of a load: one message for a load that failed, did not load files, or noticed something new
about them; none for any other.
"""

from typing import Any

MAX_SUBJECT = 100  # characters, ASCII: docs.aws.amazon.com/sns/latest/api/API_Publish.html
MAX_TEXT = 20_000  # characters; SNS takes 256 KiB
SHOWN_KEYS = 20
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
    noticed = _noticed(report.get("sample") or {}, schema)
    left_out = ((rejected, "rejected"), (unreadable, "unreadable"), (waiting, "waiting"))
    if not failed and not any(number for number, _ in left_out) and not noticed:
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
    elif not any(number for number, _ in left_out):
        subject = f"[{stack}] {_told(report['sample'])}"
        parts = [f"A load of {stack} ended well.", _loaded(files)]
    else:
        told = ", ".join(f"{_count(number)} {kind}" for number, kind in left_out if number)
        subject = f"[{stack}] {told}"
        parts = [
            f"A load of {stack} ended well, but {_count(rejected + unreadable + waiting)} could not be loaded.",
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
    parts += noticed
    parts.append(f"Load {report['load_id']}: {_link(execution, region)}")
    return subject.encode("ascii", "replace").decode()[:MAX_SUBJECT], "\n\n".join(parts)[:MAX_TEXT]


def _told(sample: dict[str, Any]) -> str:
    """What is new about the files, in a few words."""
    keys, columns = sample["new_keys"], sample["empty_columns_total"]
    told = [f"{keys} new {'key' if keys == 1 else 'keys'} that no column takes"] if keys else []
    if columns:
        told.append(f"{columns} {'column that is' if columns == 1 else 'columns that are'} empty")
    return " and ".join(told)


def _noticed(sample: dict[str, Any], schema: str) -> list[str]:
    """The paragraphs on keys that are new and columns that became empty; [] if there is none."""
    parts = []
    if sample.get("new_keys"):
        new = [key for key in sample["keys"] if key["new"]][:SHOWN_KEYS]
        lines = [f"- {key['dataset']}: {key['path']}, first in {key['file']}" for key in new]
        more = sample["new_keys"] - len(new)
        parts.append(
            f"Keys that no column takes, seen for the first time ({sample['files']} of {sample['of']} files were "
            "sampled). They are not loaded; a key that was renamed leaves its old column empty:\n"
            + "\n".join(lines)
            + (f"\nand {more} more: {schema}.unknown_keys" if more else "")
        )
    if sample.get("empty_columns"):
        lines = [
            f"- {one['dataset']}: {one['column']}, {one['rows']} rows; before, "
            f"{one['filled_before']:.1%} of {one['rows_before']} rows were filled"
            for one in sample["empty_columns"]
        ]
        parts.append(
            "Columns that were usually filled and are empty in all rows of this load. You are told once, until the "
            "column is filled again:\n" + "\n".join(lines)
        )
    return parts


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
