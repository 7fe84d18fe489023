"""How COPY and UNLOAD are let into S3: by an IAM role.

https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html
"""

from __future__ import annotations

from fakeshift.engine.errors import RedshiftError, unsupported
from fakeshift.sql.lexer import Tokens


def iam_role(tokens: Tokens) -> str:
    """What follows IAM_ROLE: an ARN, or ``default``."""
    return "default" if tokens.accept("DEFAULT") else _arn(tokens.string())


def credentials(tokens: Tokens) -> str:
    """What follows CREDENTIALS: ``[AS] 'aws_iam_role=<ARN>'``. Keys are refused by their name."""
    tokens.accept("AS")
    given = dict(part.strip().partition("=")[::2] for part in tokens.string().split(";"))
    if "aws_iam_role" in given and len(given) == 1:
        return _arn(given["aws_iam_role"])
    others = sorted(given.keys() - {"aws_iam_role"})
    known = ("aws_access_key_id", "aws_secret_access_key", "token", "master_symmetric_key")
    if others[0] in known:
        raise unsupported(f"CREDENTIALS with {others[0]}")
    raise RedshiftError("Invalid credentials. CREDENTIALS has to be 'aws_iam_role=<ARN>'")


def _arn(role: str) -> str:
    if not role.startswith("arn:"):
        raise RedshiftError(f"Invalid credentials. IAM_ROLE is not an ARN: {role}")
    if "," in role:
        raise unsupported("a chain of IAM roles")
    return role
