"""A trivial statement through boto3: sent, waited for, its result fetched."""

from __future__ import annotations

from benchmarks.lib.measure import Figure, median, seconds
from benchmarks.lib.world import World

BOUND_MS = 10.0
_RUNS = 100


def round_trip(here: World) -> list[Figure]:
    """ExecuteStatement that waits, then GetStatementResult; each with its own request."""

    def trip() -> None:
        answer = here.redshift.execute_statement(
            Sql="SELECT 1", Database="dev", WorkgroupName="local", WaitTimeSeconds=10
        )
        rows = here.redshift.get_statement_result(Id=answer["Id"])["Records"]
        assert rows == [[{"longValue": 1}]]

    for _ in range(20):
        trip()
    took = median([seconds(trip) for _ in range(_RUNS)]) * 1000
    return [Figure("round trip of SELECT 1 with its result", took, BOUND_MS, "ms")]
