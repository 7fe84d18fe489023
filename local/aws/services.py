"""The two background processes of the local AWS, and how each is started."""

import os
import shlex
from collections.abc import Mapping

from local.aws.processes import Service
from local.aws.server import principals_file
from local.environment import DATA, Ports, aws_variables


def aws(at: Ports) -> Service:
    """MiniStack: every AWS service but Redshift."""
    return Service(
        name="the local AWS",
        folder=DATA / "aws",
        module="local.aws.server",
        port=at.aws,
        health=f"{at.aws_url}/_ministack/health",
    )


def redshift(at: Ports, shell: Mapping[str, str] = os.environ) -> Service:
    """fakeshift, the local Redshift, which serves the Data API and the PostgreSQL protocol.

    LOCAL_REDSHIFT_OPTIONS is added to its command line, such as "--faults --isolation serializable"
    (``python -m fakeshift --help``).
    """
    return Service(
        name="the local Redshift",
        folder=DATA / "redshift",
        module="fakeshift",
        port=at.redshift,
        health=f"{at.redshift_url}/_local/health",
        other_ports=(at.pg,),
        # MiniStack creates a role's access keys when its first function runs, and writes them there.
        options=(
            *("--pg-port", str(at.pg)),
            *("--principals", str(principals_file(DATA / "aws" / "data"))),
            *shlex.split(shell.get("LOCAL_REDSHIFT_OPTIONS", "")),
        ),
    )


def both(at: Ports) -> tuple[Service, Service]:
    """In the order in which they start."""
    return redshift(at), aws(at)


def environ(at: Ports, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of both processes; MiniStack's Lambda workers inherit it.

    Only what a process needs is copied from the shell: the functions must see neither the user's
    own AWS settings nor a proxy that cannot reach 127.0.0.1.
    """
    kept = {name: shell[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in shell}
    return {**kept, **aws_variables(at), "PYTHONUNBUFFERED": "1", "TZ": "UTC"}
