"""What AWS says when a right is missing: which action on which resource, and which commands work without it.

IAM names the action and the resource in the text of most refusals, S3 only in some
(https://github.com/aws/aws-sam-cli/issues/394, https://github.com/noobaa/noobaa-core/issues/10060,
https://github.com/boto/boto3/issues/3594), and HeadObject has no text at all. Then the operation says which it was.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from local.problem import Problem

CODES = re.compile(
    r"AccessDenied|UnauthorizedOperation|NotAuthorized|AuthorizationError|AllAccessDisabled|^403$"
)
EXPIRED = (
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId"),
    *("UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    *("TokenRefreshRequired", "InvalidToken", "InvalidSignatureException"),
)
REFUSED = re.compile(
    r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: \"?(?P<resource>[^\s\"]+))?"
)
EXPLICIT = re.compile(r"with an explicit deny in an? ([\w -]+ policy)")
DATA_API = {
    "BatchExecuteStatement": "redshift-data:BatchExecuteStatement",
    "DescribeStatement": "redshift-data:DescribeStatement",
    "GetStatementResult": "redshift-data:GetStatementResult",
}
STACK = {"DescribeStacks": "cloudformation:DescribeStacks"}
FOLLOW = {
    "StartExecution": "states:StartExecution",
    "DescribeExecution": "states:DescribeExecution",
}
LIST = {"ListObjectsV2": "s3:ListBucket"}
RUNNING = {"ListExecutions": "states:ListExecutions"}
RUNS = RUNNING | {"DescribeExecution": "states:DescribeExecution"}
DEPTH = {"GetQueueAttributes": "sqs:GetQueueAttributes"}
PUT = {"PutObject": "s3:PutObject", "CreateMultipartUpload": "s3:PutObject"}
GET = {"GetObject": "s3:GetObject"}
HEAD = {"HeadObject": "s3:GetObject", "GetObject": "s3:GetObject"}
LOG_IN = (
    *("redshift-serverless:GetCredentials", "redshift:GetClusterCredentials"),
    *("redshift:GetClusterCredentialsWithIAM", "secretsmanager:GetSecretValue"),
)
"""What the Data API asks for on behalf of the caller, one of them (redshift/latest/mgmt/data-api-access.html)."""
NEEDS: dict[str, Mapping[str, str]] = {
    "status": STACK | DATA_API | LIST | RUNNING | DEPTH | GET,
    "where": STACK | DATA_API | LIST,
    "rejected": STACK | DATA_API,
    "sql": STACK | DATA_API,
    "start": STACK | FOLLOW,
    "undo": STACK | FOLLOW,
    "redo": STACK | FOLLOW,
    "reload": STACK | FOLLOW,
    "show": STACK | RUNS,
    "report": STACK | LIST | GET,
    "upload": STACK | PUT | HEAD | RUNS | DEPTH | DATA_API,
    "evolve": STACK | DATA_API,
}
"""Command -> the operations that it cannot do without, and the action of each that IAM must allow."""
ACTIONS = {name: action for each in NEEDS.values() for name, action in each.items()}


@dataclass(frozen=True)
class Missing:
    """A right that is missing. ``resource``: its ARN, '' if AWS did not say."""

    action: str
    resource: str
    denied_by: str = ""

    @property
    def text(self) -> str:
        """In a sentence."""
        where = f" on {self.resource}" if self.resource else ""
        why = f" (an explicit deny in a {self.denied_by})" if self.denied_by else ""
        return f"you may not {self.action}{where}{why}"

    def works(self) -> list[str]:
        """The commands that do not need it."""
        if self.action in LOG_IN:
            return [name for name, needs in NEEDS.items() if not DATA_API.keys() <= needs.keys()]
        wanted = self.action.lower()  # SQS writes it so
        return [
            name
            for name, needs in NEEDS.items()
            if wanted not in (action.lower() for action in needs.values())
        ]


def missing(error: ClientError) -> Missing | None:
    """The right whose absence made AWS refuse; None if the error is another one."""
    said = error.response.get("Error", {})
    text = str(said.get("Message") or "")
    found = REFUSED.search(text)
    if not found and not CODES.search(str(said.get("Code"))):
        return None
    name = error.operation_name
    action = found["action"] if found else ACTIONS.get(name, name)
    resource = (found["resource"] or "").rstrip(".,") if found else ""
    explicit = EXPLICIT.search(text)
    return Missing(action, resource, explicit[1] if explicit else "")


def is_expired(error: ClientError) -> bool:
    """Whether the credentials are wrong or no longer valid."""
    return str(error.response.get("Error", {}).get("Code")) in EXPIRED


class Denied(Problem):
    """A right is missing: which, and what works without it."""

    def __init__(self, right: Missing):
        self.right = right
        works = right.works()
        still = f" These commands work without it: {', '.join(works)}." if works else ""
        super().__init__(
            f"AWS refused: {right.text}. Ask who manages your rights in IAM to allow it.{still}"
        )
