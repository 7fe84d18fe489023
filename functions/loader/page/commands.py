"""The commands that the page shows a person, for the stack whose loads it shows."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Commands:
    """words: the options that name the stack, ("--stack", NAME); none for the local AWS."""

    words: tuple[str, ...] = ()

    def say(self, *words: str) -> str:
        """A command line for a shell: ``loader show 20261201-054610-1f2e3d4c --stack NAME``."""
        return shlex.join(["loader", *words, *self.words])

    def start(self, document: Mapping[str, Any]) -> str:
        """The command that starts an execution with this input. JSON in ASCII: a key may have any character."""
        return self.say("start", json.dumps(document))
