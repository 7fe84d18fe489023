"""What dataset.json says of the values of rows, by which the loader finds the lines of bad ones."""

from collections.abc import Iterator

from contracts.generate import staging, values
from contracts.generate.shape import Shape
from contracts.model import Column, Test
from contracts.paths import Path


def rules(shape: Shape) -> dict[str, object]:
    """The field ``rows`` (functions/loader/rules.py)."""
    contract = shape.contract
    columns = [*contract.columns, *(one for child in contract.children for one in child.columns)]
    said: dict[str, object] = {
        "values": [*_of_columns(shape), *_of_children(shape)],
        "masked": any(column.mask for column in columns),
    }
    checks = [
        _check(shape, number, test)
        for number, test in enumerate(contract.tests)
        if test.condition.operator != "unique"
    ]
    if checks:
        said["checks"] = checks
    if (bad := contract.bad_rows).by_row:
        said["limit"] = {"max": bad.most, "percent": bad.percent, "raw": bad.raw}
    if contract.format == "csv" and contract.csv.null:
        said["null"] = contract.csv.null
    return said


def _of_columns(shape: Shape) -> Iterator[dict[str, object]]:
    contract = shape.contract
    for column in contract.columns:
        needed = _needed(shape, column)
        converted = bool(values.of_landed(column, "l", contract.format).landed)
        if column.from_key or not (needed or converted):
            continue  # COPY is the gate
        if contract.format == "json":
            paths = [_steps(path) for path in column.paths]
        else:
            paths = [[landed] for landed in shape.landing(column)]
        rule = {"name": column.name, "paths": paths, "type": column.type.name}
        if needed:
            rule["needed"] = needed
        yield {**rule, **(_form(column, landed=True) if converted else {})}
    for child in contract.children:
        yield {"name": child.name, "paths": [_steps(child.each)], "type": "array"}


def _of_children(shape: Shape) -> Iterator[dict[str, object]]:
    for child in shape.contract.children:
        for column in child.columns:
            if values.of_element(column, "i").landed:
                yield {
                    "name": f"{child.name}.{column.name}",
                    "each": _steps(child.each),
                    "paths": [_steps(path) for path in column.paths],
                    "type": column.type.name,
                    **_form(column),
                }


def _check(shape: Shape, number: int, test: Test) -> dict[str, object]:
    """A check of the contract, by which a single value is judged."""
    contract, condition = shape.contract, test.condition
    child = next((one for one in contract.children if one.name == test.child), None)
    columns = child.columns if child else contract.columns
    column = next(one for one in columns if one.name == test.column)
    operands = [
        literal.rpartition(" ")[2] if literal[-1:] != "'" else _inside(literal)
        for literal in condition.operands
    ]
    of_csv = contract.format != "json"
    said: dict[str, object] = {
        "check": staging.test_name(shape, number, test),
        "name": f"{test.child}.{test.column}" if child else test.column,
        "paths": [[one] for one in shape.landing(column)]
        if of_csv
        else [_steps(path) for path in column.paths],
        "type": column.type.name if column.format == "auto" else "",
        "operator": condition.operator,
        "operands": operands,
    }
    return {**said, "each": _steps(child.each)} if child else said


def _inside(literal: str) -> str:
    """The text of a literal: 'a', DATE '2026-11-28'."""
    return literal[literal.index("'") + 1 : -1].replace("''", "'")


def _form(column: Column, *, landed: bool = False) -> dict[str, object]:
    """``landed``: of a column of its own, in which COPY has landed a decimal or a time since 1970 as a number."""
    kind = column.type
    if kind.is_text:
        longest = 0 if column.truncate else kind.length
        return {"says": f"a {str(kind).lower()}", "longest": longest}
    said = f"an {kind}" if kind.name == "integer" else f"a {kind}"
    said = said.lower().replace(", ", ",")
    if kind.name == "boolean":
        said = "true or false"
    elif kind.is_time and column.format != "auto":
        said += f" in {column.format}"
    form: dict[str, object] = {"says": said}
    if within := values.epoch_range(column):
        form["within"] = within
    if landed and kind.name == "decimal":
        form["scale"] = kind.scale
    elif not (landed and within):
        form["forms"] = list(values.forms(column))
    return form


def _needed(shape: Shape, column: Column) -> str:
    contract = shape.contract
    if column.name in contract.key:
        return "it is a part of the key"
    if column.name == contract.newest:
        return f"it says which version of a row of {shape.table} is the newest"
    return ""


def _steps(path: Path) -> list[str | int]:
    return list(path.steps)
