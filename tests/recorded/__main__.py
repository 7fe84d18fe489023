"""python -m tests.recorded PATH: replays what LocalStack recorded of Step Functions on AWS, on our two Step Functions.

PATH is a checkout of github.com/localstack/localstack, or its git directory. Nothing is fetched, and nothing of it is
copied here. Writes docs/recorded.md. Ends with 1 if there is a difference of which page.py does not say that the
product does not depend on it.
"""

import argparse
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.recorded import checkout, page, replay

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recorded.md"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.recorded", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    try:
        with checkout.opened(given.path.resolve()) as (folder, commit):
            scenarios = checkout.scenarios(folder)
    except checkout.NoCheckout as error:
        print(error, file=sys.stderr)
        return 2
    found, not_run = [], []
    with replay.local_aws():
        for scenario in scenarios:
            played = replay.on_interpreter(scenario)
            if played.verdict == "not run":
                not_run.append(played)
            else:
                found.append(page.Compared(scenario, played, replay.on_local_aws(scenario)))
    today = datetime.now(UTC).date().isoformat()
    given.page.write_text(page.page(found, not_run, commit, today), encoding="utf-8")
    print(f"{len(found)} executions replayed, {len(not_run)} not run: {given.page}")
    open_questions = page.unjudged(found)
    for line in open_questions:
        print(line)
    return int(bool(open_questions))


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # MiniStack tells of each execution that fails
    sys.exit(main(sys.argv[1:]))
