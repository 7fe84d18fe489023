"""The commands that the page shows a person, for the stack whose loads it shows."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Commands:
    """program: how a person starts the command line; stack: the name of a stack on AWS, '' for the local one."""

    program: str = ".venv/bin/loader"
    stack: str = ""

    def say(self, *words: str) -> str:
        """A command line for a shell: ``.venv/bin/loader show 20261201 --stack NAME``."""
        more = ["--stack", self.stack] if self.stack else []
        return " ".join([self.program, *map(shlex.quote, [*words, *more])])

    def start(self, document: Mapping[str, Any]) -> str:
        """The command that starts an execution with this input. JSON in ASCII: a key may have any character."""
        return self.say("start", json.dumps(document))
