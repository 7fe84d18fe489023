"""Where everything of the local AWS is: ports, addresses, folders, and the environment to use it.

The local AWS never sees the user's own AWS account: every AWS_* variable of the shell is replaced,
and the AWS configuration files in the home directory are not read.
"""

import json
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.problem import Problem, Usage

REGION = "us-west-2"
ACCOUNT = "000000000000"
HOST = "127.0.0.1"
"""The only address that the local servers listen on."""

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".local"
"""Pid files, logs, and the data of the local AWS and the local Redshift. Git-ignored."""
REMEMBERED = DATA / "ports.json"
"""The ports of the last start, for commands in other terminals: {"aws": 4566, "redshift": 4567, "pg": 5439}."""
BUILD = ROOT / "build"

WORKGROUP = "local"
DATABASE = "dev"
SCHEMA = "sparkify"


@dataclass(frozen=True)
class Ports:
    """The ports: of the AWS services, of the Redshift Data API, and of Redshift's PostgreSQL protocol."""

    aws: int
    redshift: int
    pg: int = 5439

    @property
    def aws_url(self) -> str:
        """The endpoint of every AWS service but the Redshift Data API."""
        return f"http://{HOST}:{self.aws}"

    @property
    def redshift_url(self) -> str:
        """The endpoint of the Redshift Data API."""
        return f"http://{HOST}:{self.redshift}"


DEFAULT = Ports(4566, 4567)


def ports(environ: Mapping[str, str] = os.environ, remembered: Path = REMEMBERED) -> Ports:
    """The ports to use: those of LOCAL_AWS_PORT, LOCAL_REDSHIFT_PORT and LOCAL_PG_PORT, or of the last start,
    or DEFAULT.

    Raises Usage for a value that is not a port.
    """
    last = _last(remembered)
    found = Ports(
        _port(environ, "LOCAL_AWS_PORT", last.aws),
        _port(environ, "LOCAL_REDSHIFT_PORT", last.redshift),
        _port(environ, "LOCAL_PG_PORT", last.pg),
    )
    if found.aws == found.redshift:
        raise Usage(f"LOCAL_AWS_PORT and LOCAL_REDSHIFT_PORT are both {found.aws}.")
    if found.pg in (found.aws, found.redshift):
        raise Usage(f"LOCAL_PG_PORT and another port are both {found.pg}.")
    return found


def remember(at: Ports, remembered: Path = REMEMBERED) -> None:
    """Saves the ports for commands in other terminals."""
    remembered.parent.mkdir(parents=True, exist_ok=True)
    new = remembered.with_suffix(".new")
    new.write_text(json.dumps(vars(at)), encoding="utf-8")
    new.replace(remembered)


def _last(remembered: Path) -> Ports:
    try:
        found = json.loads(remembered.read_text(encoding="utf-8"))
        aws, redshift = int(found["aws"]), int(found["redshift"])
        return Ports(aws, redshift, int(found.get("pg", DEFAULT.pg)))
    except FileNotFoundError:
        return DEFAULT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Problem(
            f"{remembered}, which holds the ports, cannot be read ({error}). Delete it and run make up."
        ) from error


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise Usage(f"{name}={text} is not a port. Use a number from 1024 to 65535.")
    return int(text)


def aws_variables(at: Ports) -> dict[str, str]:
    """The variables that point the AWS CLI, sam and every SDK at the local AWS."""
    return {
        "AWS_ENDPOINT_URL": at.aws_url,
        "AWS_ENDPOINT_URL_REDSHIFT_DATA": at.redshift_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def isolated(environ: Mapping[str, str], at: Ports) -> dict[str, str]:
    """``environ`` without the user's own AWS settings, pointed at the local AWS."""
    kept = {name: value for name, value in environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        **aws_variables(at),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "SAM_CLI_TELEMETRY": "0",
    }


def export_lines(at: Ports, shell: Iterable[str] = ()) -> list[str]:
    """Shell lines that point ``aws`` and ``sam`` at the local AWS.

    ``shell`` has the names of the shell's variables: AWS_ENDPOINT_URL_S3 and the like are unset.
    """
    own = aws_variables(at)
    lines = [f"export {name}={value}" for name, value in own.items()]
    others = {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}
    others |= {name for name in shell if name.startswith("AWS_ENDPOINT_URL")} - set(own)
    lines.append(f"unset {' '.join(sorted(others))}")
    folders = ":".join(shlex.quote(str(ROOT / folder)) for folder in ("local/bin", ".venv/bin"))
    lines.append(f'export PATH={folders}:"$PATH"')
    return lines
