"""A proposal -> the contract that can be loaded: with as many tables of arrays as fit into a transaction."""

from pathlib import Path

from contracts import paths
from contracts.add import writing
from contracts.add.problem import NoContract
from contracts.add.proposing import Proposal
from contracts.document import ContractError
from contracts.model import Contract
from contracts.reading import parse
from contracts.together import MOST_STATEMENTS, TRANSACTIONS, statements


def fitted(made: Proposal, source: Path, target: Path, *, shown: str = "") -> str:
    """The text of the dataset.yaml ``target``; tables that are too many become super columns of ``made``.

    ``source``: the tree sql/, whose own statements count too. Raises NoContract if no contract can be made.
    """
    while True:
        text = writing.text(made)
        try:
            contract = parse(text, made.dataset, target, shown=shown)
        except ContractError as error:
            raise NoContract(f"No contract can be made of these samples. {error}") from error
        if not isinstance(contract, Contract) or not made.tables:
            return text
        most = max(statements(source, contract, what) for what in TRANSACTIONS)
        if most <= MOST_STATEMENTS:
            return text
        least = min(made.tables, key=lambda table: table.rows)
        made.tables.remove(least)
        least.whole.warnings.append(
            f"no table of {paths.Path(least.each)}: a load would have {most} statements, and a transaction takes "
            f"{MOST_STATEMENTS}"
        )
        made.columns.append(least.whole)
