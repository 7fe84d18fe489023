"""URLs of AWS's console: an execution, a load's log lines, a stack's dashboard."""

from urllib.parse import quote

# The console of each partition; template.yaml has them for the stack's outputs. The first is for every other partition.
# Sources: docs.aws.amazon.com/govcloud-us/latest/UserGuide/signing-into-govcloud.html, docs.aws.eu/general/latest/gr/
# endpoints.html, github.com/ilhan-mstf/colorize_cloudwatch_logs/issues/21 (China)
CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
    "aws-eusc": "console.amazonaws-eusc.eu",
}


def _of(execution: str, region: str) -> str:
    host = CONSOLES.get(execution.split(":")[1], CONSOLES["aws"])
    return f"https://{region}.{host}"


def execution_url(execution: str, region: str) -> str:
    """The execution with this ARN."""
    return (
        f"{_of(execution, region)}/states/home?region={region}#/v2/executions/details/{execution}"
    )


def dashboard_url(execution: str, region: str, stack: str) -> str:
    """The stack's dashboard; ``execution`` is one of its executions."""
    home = f"{_of(execution, region)}/cloudwatch/home?region={region}"
    return f"{home}#dashboards/dashboard/{stack}"


def logs_url(execution: str, region: str, stack: str, load_id: str) -> str:
    """The lines of a load in the log group of its stack's functions.

    In the console's URL the part after # is encoded twice, with $ for %.
    Source: github.com/remotion-dev/remotion, packages/lambda-client, cloudWatchUrlWithQuery
    """

    def twice(part: str) -> str:
        return quote(quote(part, safe=""), safe="").replace("%", "$")

    group = twice(f"/aws/lambda/{stack}")
    pattern = twice(f'"{load_id}"')
    home = f"{_of(execution, region)}/cloudwatch/home?region={region}"
    return f"{home}#logsV2:log-groups/log-group/{group}/log-events$3FfilterPattern$3D{pattern}"
