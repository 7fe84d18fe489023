"""The sweep, started at once instead of by its schedule."""

from local.client.clients import Clients
from local.client.loads import LoadsOf
from local.client.stack import Stack
from local.problem import Problem
from local.show.report import Report


def sweep(found: Clients, parts: Stack) -> list[Report]:
    """Sweeps the data bucket; the reports of the load that this started, if it did, once it has ended."""
    described = found.cloudformation.describe_stack_resource(
        StackName=parts.name, LogicalResourceId="SweepFunction"
    )
    name = described["StackResourceDetail"]["PhysicalResourceId"]
    loads = LoadsOf(found, parts)
    answer = found.functions.invoke(FunctionName=name)
    if "FunctionError" in answer:
        raise Problem(f"The sweep failed. Its log: the stream of {name}, or loader status.")
    return loads.wait({})
